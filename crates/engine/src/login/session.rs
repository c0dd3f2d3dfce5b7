//! What a log-in comes to: a session token, and the session it is exchanged for (contract 5).

use domain::model::audit::Actor;
use domain::model::session::Terms;
use domain::rules::sign_in::{self, DrawnGrant, Exchanged};
use domain::{ClientId, Digest, FactorKind, Timestamp, User, UserId};

use crate::decision_name::DecisionName;
use crate::{Engine, Fault};

/// What a log-in came to.
pub struct CompletedLogin {
    /// Who logged in.
    pub user: Box<User>,
    /// What it was for.
    pub terms: Terms,
    /// 40 hexadecimal characters; of no use where an app asked.
    pub session_token: String,
    /// When the session token ends.
    pub expires_at: Timestamp,
    /// What was shown besides the password.
    pub shown: ShownFactor,
}

/// What a completed log-in has shown besides the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownFactor {
    /// Nothing: none was needed, or a browser was remembered, or the network is trusted.
    None,
    /// A temporary token.
    Token,
    /// A device of this kind.
    Device(FactorKind),
}

impl std::fmt::Debug for CompletedLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CompletedLogin(user {})", self.user.id)
    }
}
/// What a session token was exchanged for.
pub struct OpenedSession {
    /// What the log-in was for.
    pub terms: Terms,
    /// The cookie's value: 64 hexadecimal characters.
    pub cookie: String,
}

impl Engine {
    /// Whether this very client is logging this user in at the moment: the password was right, and a factor is awaited.
    pub async fn is_logging_in(&self, user: UserId, client: Option<ClientId>) -> Result<bool, Fault> {
        Ok(client.is_some() && sign_in::is_under_way(&self.store.view(user).await?, client, self.now()))
    }

    /// Exchanges a session token, once, for a session. `origin` is the page's, where a script hands it in.
    pub async fn exchange_session(
        &self,
        token: &str,
        origin: Option<String>,
        context: Actor,
    ) -> Result<Option<OpenedSession>, Fault> {
        let token = Digest::of(token.as_bytes());
        let Some(user) = self.store.holder_of_session_token(token).await? else { return Ok(None) };
        let (id, cookie, now) = (self.chance.session_id(), self.chance.hex::<32>(), self.now());
        let digest = Digest::of(cookie.as_bytes());
        let exchanged = self
            .decide(DecisionName::ExchangeSession, user, move |view| {
                sign_in::exchange(view, &token, origin.as_deref(), id, digest, &context, now)
            })
            .await?;
        Ok(match exchanged {
            Exchanged::Opened(terms) => Some(OpenedSession { terms, cookie }),
            Exchanged::Refused => None,
        })
    }

    /// Whether a session token that lives lists this origin (contract 5.3, preflight).
    pub async fn is_listed_origin(&self, origin: &str) -> Result<bool, Fault> {
        Ok(self.store.lists_origin(origin, self.now()).await?)
    }

    pub(crate) fn draw_grant(&self) -> (DrawnGrant, String) {
        let session_token = self.chance.hex::<20>();
        let grant = DrawnGrant {
            session: self.chance.session_id(),
            session_token: Digest::of(session_token.as_bytes()),
            browser: self.chance.session_id(),
            origins: Vec::new(),
        };
        (grant, session_token)
    }
}
