//! Apps: made and looked after by operators.

use domain::model::app::{AppId, Definition, SamlApp};
use domain::model::text;
use domain::rules::app::Unassertable;
use domain::{Digest, User};
use saml::aws;
use store::IdKind;

use super::assertion::role;
use crate::fault::faults_of_the_store;
use crate::{Engine, Fault};

/// An app that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Another app has this name.
    #[error("there is an app of this name already")]
    NameTaken,
    /// A field cannot be used. Says which and what it should be.
    #[error("{0}")]
    Field(&'static str),
    /// What can befall any use case.
    #[error(transparent)]
    Fault(#[from] Fault),
}

faults_of_the_store!(AppError);

impl Engine {
    /// Makes an app.
    pub async fn create_app(&self, name: &str, definition: Definition) -> Result<SamlApp, AppError> {
        let bad = AppError::Field("the name must be 1 to 100 plain characters");
        let name = domain::model::name::label(name).filter(|name| text::is_name(name)).ok_or(bad)?;
        let acs = url::Url::parse(&definition.acs_url).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
        if acs.is_none_or(|url| url.cannot_be_a_base() || !url.username().is_empty()) {
            return Err(AppError::Field("the ACS URL must be an https address"));
        }
        if definition.audience.is_empty() || !text::is_clean(&definition.audience) {
            return Err(AppError::Field("the audience must not be empty"));
        }
        if let Some(bad) = bad_aws(&definition) {
            return Err(AppError::Field(bad));
        }
        // The database knows the same spelling. Another spelling means that app too.
        let key = domain::model::name::key(name);
        if self.apps().await?.iter().any(|app| domain::model::name::key(&app.name) == key) {
            return Err(AppError::NameTaken);
        }
        let id = AppId(self.store.next_id(IdKind::App).await?);
        let app = SamlApp { id, name: name.to_owned(), definition, created_at: self.now() };
        match self.store.create_app(&app).await {
            Ok(()) => Ok(app),
            Err(store::Error::Conflict(_)) => Err(AppError::NameTaken),
            Err(error) => Err(error.into()),
        }
    }

    /// All apps, by name.
    pub async fn apps(&self) -> Result<Vec<SamlApp>, Fault> {
        Ok(self.store.apps().await?)
    }

    /// The app of this id.
    pub async fn app(&self, id: AppId) -> Result<Option<SamlApp>, Fault> {
        Ok(self.store.app(id).await?)
    }

    /// Forgets an app. Says whether there was one.
    pub async fn delete_app(&self, id: AppId) -> Result<bool, Fault> {
        Ok(self.store.delete_app(id).await?)
    }

    /// Whether an assertion about this user can be made for the app. Asked before a factor is used up.
    pub fn assertable(&self, app: &SamlApp, user: &User) -> Result<(), Unassertable> {
        app.definition.said(user, saml::is_writable).map(|_| ())
    }

    /// Whose log-in a state token is of, while it is under way.
    pub async fn signing_in(&self, state_token: Digest) -> Result<Option<User>, Fault> {
        match self.store.user_logging_in(state_token).await? {
            Some(user) => Ok(self.store.view(user).await?.user),
            None => Ok(None),
        }
    }
}

/// What AWS would not take of an app's definition. The preset is judged only where it is asked for: an app of any other
/// service names no role.
fn bad_aws(definition: &Definition) -> Option<&'static str> {
    let session = definition.aws_session_ttl;
    if definition.aws_roles.is_empty() {
        return session.map(|_| "a session length is for AWS only: name a role too, as ROLE_ARN,PROVIDER_ARN");
    }
    if session.is_some_and(|seconds| !aws::SESSION_SECONDS.contains(&seconds)) {
        return Some("a session at AWS lasts 900 to 43200 seconds");
    }
    let roles: Vec<_> = definition.aws_roles.iter().map(role).collect();
    aws::attributes(&roles, "someone", session).err().map(|_| {
        "an AWS role must be ROLE_ARN,PROVIDER_ARN, as in \
         arn:aws:iam::123456789012:role/Admin,arn:aws:iam::123456789012:saml-provider/Countersign"
    })
}
