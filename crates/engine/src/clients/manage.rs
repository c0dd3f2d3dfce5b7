//! API callers: created, listed, rotated and revoked by operators.

use domain::model::client::ClientSecret;
use domain::model::code::Alphabet;
use domain::rules::client::{self, Choice};
use domain::{Client, ClientId, ClientOptions, ClientProfile, ClientView, Digest, Network, Scope, Timestamp};
use store::IdKind;

use crate::decision_name::DecisionName;
use crate::fault::faults_of_the_store;
use crate::{Engine, Fault};

/// The name of a client or a webhook as it is kept; it may be empty. `None` if it is too long or holds characters that
/// deceive.
pub(crate) fn clean_name(name: &str) -> Option<String> {
    let name = domain::model::name::label(name).unwrap_or_default();
    domain::model::text::is_name(name).then(|| name.to_owned())
}

/// From where and until when a new client may call (SEC 42).
#[derive(Debug, Clone, Default)]
pub struct ClientLimits {
    /// Networks; empty means any.
    pub ip_allow: Vec<Network>,
    /// Its end, if it has one.
    pub expires_at: Option<Timestamp>,
}

/// A client with its secret in clear, shown once.
#[derive(Clone)]
pub struct NewClientSecret {
    pub client: Client,
    /// 64 hexadecimal characters.
    pub secret: String,
}

impl std::fmt::Debug for NewClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewClientSecret({})", self.client.client_id)
    }
}

/// Why there is no new client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The name is too long or holds characters that deceive.
    #[error("name is not acceptable")]
    BadName,
    #[error(transparent)]
    Fault(#[from] Fault),
}

faults_of_the_store!(ClientError);

impl Engine {
    /// Creates a client.
    pub async fn create_client(
        &self,
        name: &str,
        scope: Scope,
        profile: ClientProfile,
        options: ClientOptions,
        limits: ClientLimits,
    ) -> Result<NewClientSecret, ClientError> {
        let name = clean_name(name).ok_or(ClientError::BadName)?;
        let (secret, stored) = self.draw_client_secret();
        let plain = self.plain_client(self.chance.hex::<32>(), name, scope, stored).await?;
        let ClientLimits { ip_allow, expires_at } = limits;
        let created = self.store_client(Client { profile, ip_allow, expires_at, options, ..plain }).await?;
        Ok(NewClientSecret { client: created, secret })
    }

    /// Makes sure that there is a client of this public id with this secret, for a dev world whose tests know both.
    pub async fn plant_client(
        &self,
        name: &str,
        scope: Scope,
        profile: ClientProfile,
        client_id: &str,
        secret: &str,
    ) -> Result<(), ClientError> {
        let name = clean_name(name).ok_or(ClientError::BadName)?;
        let now = self.now();
        let stored = self.stored_secret(secret);
        if let Some(client) = self.store.client_by_public_id(client_id).await? {
            self.decide_client(DecisionName::RotateClient, client.id, None, move |view| {
                client::rotate_client(view, stored.clone(), now)
            })
            .await?;
            self.forget_callers();
            return Ok(());
        }
        let plain = self.plain_client(client_id.to_owned(), name, scope, stored).await?;
        self.store_client(Client { profile, ..plain }).await?;
        Ok(())
    }

    /// A client that is not stored yet, of the usual profile and without limits.
    pub(super) async fn plain_client(
        &self,
        client_id: String,
        name: String,
        scope: Scope,
        secret: ClientSecret,
    ) -> Result<Client, store::Error> {
        Ok(Client {
            id: ClientId(self.store.next_id(IdKind::Client).await?),
            client_id,
            name,
            scope,
            profile: ClientProfile::default(),
            secrets: vec![secret],
            ip_allow: Vec::new(),
            expires_at: None,
            revoked_at: None,
            wrong_secrets: Vec::new(),
            created_at: self.now(),
            options: ClientOptions::default(),
        })
    }

    /// Stores a new client. Fails if there is one of its public id.
    pub(super) async fn store_client(&self, client: Client) -> Result<Client, store::Error> {
        let (id, now) = (client.id, client.created_at);
        self.decide_client(DecisionName::CreateClient, id, None, move |_| client::create(client.clone(), now)).await
    }

    /// The client of this public id.
    pub async fn client_named(&self, client_id: &str) -> Result<Option<ClientId>, Fault> {
        Ok(self.store.client_by_public_id(client_id).await?.map(|client| client.id))
    }

    /// All clients, oldest first.
    pub async fn clients(&self) -> Result<Vec<Client>, Fault> {
        Ok(self.store.clients().await?)
    }

    /// Revokes a client with all its tokens, and then ends what it has begun (SEC 56). `None` if there is none of that id.
    pub async fn revoke_client(&self, client_id: &str) -> Result<Option<Client>, Fault> {
        let Some(client) = self.store.client_by_public_id(client_id).await? else { return Ok(None) };
        let now = self.now();
        let revoked = self
            .decide_client(DecisionName::RevokeClient, client.id, None, move |view| client::revoke_client(view, now))
            .await?;
        self.forget_callers();
        // It is revoked, whatever becomes of this: the clean-up ends what is left.
        if let Err(error) = self.store.end_begun(client.id).await {
            tracing::warn!(client = client.id.0, %error, "what a revoked client has begun ends with the next clean-up");
        }
        Ok(revoked)
    }

    /// Gives a client a new secret; the one before goes on working until the next rotation.
    pub async fn rotate_client(&self, client_id: &str) -> Result<Option<NewClientSecret>, Fault> {
        let Some(client) = self.store.client_by_public_id(client_id).await? else { return Ok(None) };
        let now = self.now();
        let (secret, stored) = self.draw_client_secret();
        let rotated = self
            .decide_client(DecisionName::RotateClient, client.id, None, move |view| {
                client::rotate_client(view, stored.clone(), now)
            })
            .await?;
        Ok(rotated.map(|client| NewClientSecret { client, secret }))
    }

    /// Changes what an operator may choose for a client. `None` if there is no such client.
    pub async fn choose_for_client(&self, client_id: &str, choice: Choice) -> Result<Option<Client>, Fault> {
        let Some(client) = self.store.client_by_public_id(client_id).await? else { return Ok(None) };
        let now = self.now();
        let rule = move |view: &ClientView| client::choose(view, choice.clone(), now);
        let chosen = self.decide_client(DecisionName::UpdateClient, client.id, None, rule).await?;
        self.held.forget(client.id);
        self.forget_callers();
        Ok(chosen)
    }

    /// A password for somebody who has lost theirs: 20 characters without look-alikes, about 100 bits.
    pub fn draw_password(&self) -> String {
        self.chance.code(Alphabet::Alphanumeric, 20)
    }

    pub(super) fn draw_client_secret(&self) -> (String, ClientSecret) {
        let secret = self.chance.hex::<32>();
        let stored = self.stored_secret(&secret);
        (secret, stored)
    }

    /// What is kept of a client's secret.
    pub(super) fn stored_secret(&self, secret: &str) -> ClientSecret {
        let last4: String = secret.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
        ClientSecret { digest: Digest::of(secret.as_bytes()), last4, created_at: self.now() }
    }
}
