//! The client that a start makes, so that an installation needs no person at the command line (SEC 106).

use domain::model::name;
use domain::{Client, ClientId, Scope};

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

/// What became of the client that a start is to make.
#[derive(Debug, Clone)]
pub enum Bootstrapped {
    /// There is or was one of its name. Nothing was kept.
    Known(Box<Client>),
    /// It is made, and the pair that was kept is its own.
    Made(ClientId),
    /// Another node has made it at the same time: the pair that was kept works nowhere.
    MadeElsewhere,
}

impl Engine {
    /// Makes a client unless there is or was one of this name: what an operator has revoked does not come back with a
    /// restart. Names are compared as those of users are (SEC 36).
    ///
    /// `keep` puts the pair where its user finds it, before the client exists, and returns the secret that is there: that of an
    /// earlier start if there is one. A start that ended in between may still have made the client, or be about to, and then the
    /// secret is the same. The public id follows from the name, so of several nodes that start at once, one makes the client.
    /// After an error it is unknown whether the client exists, so the pair must stay.
    pub async fn bootstrap_client(
        &self,
        name: &str,
        scope: Scope,
        keep: impl FnOnce(&NewClientSecret) -> Result<String, String> + Send,
    ) -> Result<Bootstrapped, BootstrapError> {
        let name = clean_name(name).filter(|name| !name.is_empty()).ok_or(BootstrapError::BadName)?;
        let key = name::key(&name);
        if let Some(known) = self.clients().await?.into_iter().find(|client| name::key(&client.name) == key) {
            return Ok(Bootstrapped::Known(Box::new(known)));
        }
        let public = data_encoding::HEXLOWER.encode(&self.installation_key.key().mac(CONTEXT, key.as_bytes()));
        let (secret, stored) = self.draw_client_secret();
        let client = self.plain_client(public.clone(), name, scope, stored).await.map_err(Fault::from)?;
        let made = NewClientSecret { client, secret };
        let stored = self.stored_secret(&keep(&made).map_err(BootstrapError::NotKept)?);
        let digest = stored.digest;
        let client = Client { secrets: vec![stored], ..made.client };
        let error = match self.store_client(client).await {
            Ok(client) => return Ok(Bootstrapped::Made(client.id)),
            Err(error) => error,
        };
        // A commit whose answer was lost may have been kept, also that of an earlier start.
        match self.store.client_by_public_id(&public).await.map_err(Fault::from)? {
            Some(known) if known.secrets.iter().any(|secret| secret.digest == digest) => {
                Ok(Bootstrapped::Made(known.id))
            }
            Some(_) => Ok(Bootstrapped::MadeElsewhere),
            None => Err(BootstrapError::Fault(error.into())),
        }
    }
}
