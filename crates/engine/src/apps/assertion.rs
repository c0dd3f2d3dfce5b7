//! Assertions: signed statements to an app about the user who logged in (contract 6). The crate `saml` writes them.

use domain::model::app::{SamlApp, Source};
use domain::model::time::MINUTE;
use domain::{FactorKind, Timestamp, User};
use saml::{
    Assertion, Attribute, AuthnContext, AuthnStatement, Binding, Certificate, Id, Metadata, Moment, NameFormat, NameId,
    NameIdFormat, Response, Signed, SingleSignOn, aws,
};

use crate::login::session::ShownFactor;
use crate::{Engine, Fault};
/// How long an assertion is good, before and after the moment it is made, in milliseconds.
const GOOD_BEFORE: i64 = 3 * MINUTE;
const GOOD_AFTER: i64 = 5 * MINUTE;

impl Engine {
    /// A signed response for an app about a user who has just logged in, in Base64.
    pub async fn assertion(&self, app: &SamlApp, user: &User, shown: ShownFactor) -> Result<String, Fault> {
        let key = self.signing_key().await?;
        let response = self.respond(app, user, shown)?;
        let signed = tokio::task::spawn_blocking(move || response.sign(&key, Signed::Both));
        Ok(signed.await.map_err(Fault::internal)?.map_err(Fault::internal)?.base64())
    }

    /// The metadata by which services recognise our assertions. `path` is where the dialect hands assertions out.
    pub async fn saml_metadata(&self, path: &str) -> Result<String, Fault> {
        let kept = self.kept_keys().await?;
        let metadata = Metadata {
            entity_id: self.entity_id(),
            certificates: kept.into_iter().map(|kept| Certificate::from_der(kept.certificate)).collect(),
            name_id_formats: vec![NameIdFormat::EmailAddress, NameIdFormat::Unspecified],
            // Assertions are handed out by the API only; the element is one that the schema asks for.
            single_sign_on: vec![SingleSignOn {
                binding: Binding::HttpPost,
                location: format!("{}{path}", self.public_url()),
            }],
        };
        metadata.xml().map_err(Fault::internal)
    }

    fn respond(&self, app: &SamlApp, user: &User, shown: ShownFactor) -> Result<Response, Fault> {
        let definition = &app.definition;
        // Readers compare it with the time of day.
        let now = self.time.read().wall;
        let said = definition.said(user, saml::is_writable).map_err(Fault::internal)?;
        // What the source is, not what its text looks like.
        let format = match definition.name_id {
            Source::Email => NameIdFormat::EmailAddress,
            Source::Username | Source::Id | Source::Profile(_) | Source::Custom(_) | Source::Fixed(_) => {
                NameIdFormat::Unspecified
            }
        };
        let attribute = |(name, value)| Attribute { name, name_format: NameFormat::Basic, values: vec![value] };
        let mut attributes: Vec<Attribute> = said.attributes.into_iter().map(attribute).collect();
        if !definition.aws_roles.is_empty() {
            let roles: Vec<_> = definition.aws_roles.iter().map(role).collect();
            let session = definition.aws_session_ttl;
            attributes.extend(aws::attributes(&roles, &said.subject, session).map_err(Fault::internal)?);
        }
        let id = || Id::from_random(self.chance.bytes());
        Ok(Response {
            id: id(),
            assertion: Assertion {
                id: id(),
                issuer: self.entity_id(),
                issued_at: moment(now),
                subject: NameId { format, value: said.subject },
                recipient: definition.acs_url.clone(),
                audience: definition.audience.clone(),
                not_before: moment(now.plus(-GOOD_BEFORE)),
                not_on_or_after: moment(now.plus(GOOD_AFTER)),
                authentication: AuthnStatement {
                    at: moment(now),
                    session_index: format!("_{}", self.chance.hex::<16>()),
                    context: context_of(shown),
                },
                attributes,
            },
        })
    }

    /// Who we say we are: never what a caller's `Host` says (SEC 64, decision 29b).
    fn entity_id(&self) -> String {
        match &self.settings.public_url {
            Some(url) => format!("{url}/saml/metadata"),
            None => format!("urn:countersign:{}", self.settings.account),
        }
    }

    pub(super) fn public_url(&self) -> &str {
        self.settings.public_url.as_deref().unwrap_or("http://localhost")
    }
}

/// The class that is true of what was shown. No class knows a counter, a mail or a token on paper.
fn context_of(shown: ShownFactor) -> AuthnContext {
    match shown {
        ShownFactor::None => AuthnContext::PasswordProtectedTransport,
        ShownFactor::Device(FactorKind::Totp) => AuthnContext::TimeSyncToken,
        ShownFactor::Device(FactorKind::Push | FactorKind::Sms | FactorKind::Voice) => {
            AuthnContext::MobileTwoFactorContract
        }
        ShownFactor::Device(FactorKind::Hotp | FactorKind::Email) | ShownFactor::Token => AuthnContext::Unspecified,
    }
}

pub(super) fn moment(at: Timestamp) -> Moment {
    Moment(at.0)
}

pub(super) fn role((role, provider): &(String, String)) -> aws::Role {
    aws::Role { role_arn: role.clone(), provider_arn: provider.clone() }
}
