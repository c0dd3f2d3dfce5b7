//! The client that a start makes, so that an installation needs no person at the command line (SEC 106).

use domain::{Client, Scope};

use crate::clients::manage::{NewClientSecret, clean_name};
use crate::{Engine, Fault};

/// What the public id of such a client is bound to.
const CONTEXT: &str = "bootstrap client";

/// Why a start makes no client.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The name is empty, too long, or holds characters that deceive.
    #[error("the name is not acceptable")]
    BadName,
    /// The pair could not be kept, so nothing was made.
    #[error("{0}")]
    NotKept(String),
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Engine {
    /// Makes a client unless there is or was one of this name: what an operator has revoked does not come back with a
    /// restart. `None` if there is one.
    ///
    /// `keep` puts the pair where its user finds it, before the client exists: if the process ends in between, the next start
    /// makes another pair. The public id follows from the name, so of several nodes that start at once, one makes the client,
    /// and the others have kept a pair for nothing.
    pub async fn bootstrap_client(
        &self,
        name: &str,
        scope: Scope,
        keep: impl FnOnce(&NewClientSecret) -> Result<(), String> + Send,
    ) -> Result<Option<Client>, BootstrapError> {
        let name = clean_name(name).filter(|name| !name.is_empty()).ok_or(BootstrapError::BadName)?;
        if self.is_named(&name).await? {
            return Ok(None);
        }
        let public = self.installation_key.key().mac(CONTEXT, name.as_bytes());
        let (secret, stored) = self.draw_client_secret();
        let public = data_encoding::HEXLOWER.encode(&public);
        let client = self.plain_client(public, name.clone(), scope, stored).await.map_err(Fault::from)?;
        let made = NewClientSecret { client, secret };
        keep(&made).map_err(BootstrapError::NotKept)?;
        let NewClientSecret { client, .. } = made;
        match self.store_client(client).await {
            Ok(client) => Ok(Some(client)),
            // Another node was first.
            Err(_) if self.is_named(&name).await? => Ok(None),
            Err(error) => Err(BootstrapError::Fault(error.into())),
        }
    }

    async fn is_named(&self, name: &str) -> Result<bool, Fault> {
        Ok(self.clients().await?.iter().any(|client| client.name == name))
    }
}
