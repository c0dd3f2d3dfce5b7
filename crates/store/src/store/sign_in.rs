//! What logging in asks for: who holds a token, and the apps that assertions are made for.

use domain::model::app::{AppId, SamlApp};
use domain::{Digest, Timestamp, UserId};

use super::handle::Store;
use crate::error::Error;
use crate::schema::columns::APP;
use crate::schema::sql;
use crate::user_state::Found;
use crate::value::Row;

impl Store {
    /// Whose log-in this state token names, while it or a challenge under it is live. Good for finding whom to ask, never for deciding.
    pub async fn user_logging_in(&self, state_token: Digest) -> Result<Option<UserId>, Error> {
        self.whose(state_token.into(), Found::LogIn).await
    }

    /// Whose session token this is, while it is live. Good for finding whom to ask, never for deciding.
    pub async fn holder_of_session_token(&self, token: Digest) -> Result<Option<UserId>, Error> {
        self.whose(token.into(), Found::SessionToken).await
    }

    /// Whether a session token that lives at `now` lists this origin.
    pub async fn lists_origin(&self, origin: &str, now: Timestamp) -> Result<bool, Error> {
        let found = self.find_number(sql::LISTS_ORIGIN, vec![origin.into(), now.into()]).await?;
        Ok(found.is_some())
    }

    /// The app with this id.
    pub async fn app(&self, id: AppId) -> Result<Option<SamlApp>, Error> {
        Ok(self.listed(sql::APP, vec![id.0.into()], app).await?.pop())
    }

    /// All apps, by name.
    pub async fn apps(&self) -> Result<Vec<SamlApp>, Error> {
        self.listed(sql::APPS, Vec::new(), app).await
    }

    /// Keeps a new app. Its name must be new.
    pub async fn create_app(&self, app: &SamlApp) -> Result<(), Error> {
        let definition = serde_json::to_string(&app.definition).map_err(|_| Error::Corrupt("an app"))?;
        let params = vec![app.id.0.into(), app.name.as_str().into(), definition.into(), app.created_at.into()];
        self.change(sql::INSERT_APP, params).await.map(|_| ())
    }

    /// Forgets an app. Says whether there was one.
    pub async fn delete_app(&self, id: AppId) -> Result<bool, Error> {
        Ok(self.change(sql::DELETE_APP, vec![id.0.into()]).await? > 0)
    }
}

fn app(row: &dyn Row) -> Result<SamlApp, Error> {
    Ok(SamlApp {
        id: AppId(row.int(APP.id)?),
        name: row.text(APP.name)?.to_owned(),
        definition: serde_json::from_str(row.text(APP.definition)?).map_err(|_| Error::Corrupt("an app"))?,
        created_at: row.time(APP.created_at)?,
    })
}
