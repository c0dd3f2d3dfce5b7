//! An API caller: its one scope, its compatibility profile, its secrets and its access tokens (contract 2, decision 9).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;
use crate::model::id::ClientId;
use crate::model::long_poll::LongPoll;
use crate::model::network::Network;
use crate::model::seal::{Place, Sealed};
use crate::model::time::{DAY, MINUTE, SECOND, Timestamp};
use crate::model::webotp::WebOtpHost;

/// Life of an access token, in milliseconds: 36000 s (contract 2.1).
pub const ACCESS_TTL: i64 = 36_000 * SECOND;
/// Life of a refresh token, in milliseconds: 45 days (contract 2.1).
pub const REFRESH_TTL: i64 = 45 * DAY;
/// Wrong secrets per client before further ones have to wait (SEC 30).
pub const MAX_WRONG_SECRETS: usize = 20;
/// The period in which wrong secrets are counted, in milliseconds.
pub const WRONG_SECRET_WINDOW: i64 = 10 * MINUTE;

/// What a client may do (contract 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scope {
    Authenticate,
    ReadUsers,
    ManageUsers,
    ReadAll,
    ManageAll,
}

impl Scope {
    /// All scopes, widest first, as the dev world lists them.
    pub const ALL: [Self; 5] = [Self::ManageAll, Self::ReadAll, Self::ManageUsers, Self::ReadUsers, Self::Authenticate];

    /// What a caller of this scope may do to people (SEC 95).
    pub fn right(self) -> Right {
        match self {
            Self::ReadUsers | Self::ReadAll => Right::Look,
            Self::Authenticate => Right::LogIn,
            Self::ManageUsers | Self::ManageAll => Right::Manage,
        }
    }
}

/// What a caller may do to people, whatever calls its scope opens to it (SEC 95). Some documented scopes open calls that
/// reach further than their name says; the rules ask here how far those may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Right {
    /// Anything: clients that manage users, operators, and the server itself.
    #[default]
    Manage,
    /// Log people in and out.
    LogIn,
    /// Look at people, put a challenge to them and judge what they answer.
    Look,
}

impl Right {
    /// Whether people are sent the caller's own words. A text that comes from here is believed.
    pub fn words_messages(self) -> bool {
        self == Self::Manage
    }

    /// Whether this caller only looks.
    pub fn only_looks(self) -> bool {
        self == Self::Look
    }
}

/// The way in which a client is answered where clients expect different things of the same call (contract 15). Which ways
/// there are is the dialect's to know; what is stored is a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientProfile(String);

impl ClientProfile {
    /// The profile of this name.
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Its name, as it is stored.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl Default for ClientProfile {
    fn default() -> Self {
        Self::named("default")
    }
}

/// A client secret as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    /// Digest of the secret, which was shown once.
    pub digest: Digest,
    /// Its last four characters, so that people can tell two apart.
    pub last4: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What an operator has chosen for a client beyond the contract.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientOptions {
    /// For how long its polls are held where they do not say.
    pub holding: LongPoll,
    /// Whether people type a number that this client shows before they accept its prompts (SEC 12).
    pub number_matching: bool,
    /// Whether `login/verify_factor` calls a text message that was sent `pending`; the documentation has `success`.
    pub sent_is_pending: bool,
    /// The host to which the codes in its text messages are bound (contract 18.7).
    pub webotp_host: Option<WebOtpHost>,
}

/// An API caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub id: ClientId,
    /// What it shows: 64 lower-case hex characters.
    pub client_id: String,
    /// A name for people.
    pub name: String,
    /// Its one scope.
    pub scope: Scope,
    /// Its compatibility profile.
    pub profile: ClientProfile,
    /// At most two, newest first, so that one can be replaced without a gap (SEC 42).
    pub secrets: Vec<ClientSecret>,
    /// Networks it may call from; empty means any.
    pub ip_allow: Vec<Network>,
    /// When it stops working, if ever: not at that millisecond any more.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Moments of recent wrong secrets, oldest first.
    pub wrong_secrets: Vec<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// What an operator has chosen for it.
    pub options: ClientOptions,
}

impl Client {
    /// Whether it may call from this address at `now` (SEC 42).
    pub fn may_call(&self, from: IpAddr, now: Timestamp) -> bool {
        self.is_live(now) && is_allowed(&self.ip_allow, from)
    }

    /// Whether it may be used at all at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether `secret` is one of its secrets.
    pub fn knows(&self, secret: &str) -> bool {
        let digest = Digest::of(secret.as_bytes());
        // No early exit: both secrets are compared whatever the first says.
        self.secrets.iter().fold(false, |known, s| s.digest.matches(&digest) | known)
    }

    /// Until when further wrong secrets for this client wait, if they do (SEC 30). The right one never does.
    pub fn held_until(&self, now: Timestamp) -> Option<Timestamp> {
        let recent: Vec<_> = self.wrong_secrets.iter().filter(|at| now.since(**at) < WRONG_SECRET_WINDOW).collect();
        (recent.len() >= MAX_WRONG_SECRETS).then(|| recent[recent.len() - MAX_WRONG_SECRETS].plus(WRONG_SECRET_WINDOW))
    }
}

/// Whether a client with this list of networks may call from this address (SEC 42).
pub fn is_allowed(ip_allow: &[Network], from: IpAddr) -> bool {
    ip_allow.is_empty() || ip_allow.iter().any(|network| network.contains(from))
}

/// An access token and its refresh token. Only digests are stored, and, while the pair is live, a sealed copy, since
/// the contract has the same pair answered again (decision 29d).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSet {
    /// Digest of the access token: the row's key.
    pub access: Digest,
    /// Digest of the refresh token.
    pub refresh: Digest,
    /// Whose it is.
    pub client_id: ClientId,
    /// Sealed JSON of both tokens, of the newest set of a family only; wiped when a refresh makes a newer one, and when
    /// the set ends.
    pub sealed: Option<Sealed>,
    /// Row number that the sealing binds.
    pub row: i64,
    /// The pair this one descends from by refreshing: all of them end together when one is revoked.
    pub family: i64,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When the pair was revoked. A refresh ends nothing: others hold the same pair.
    pub ended_at: Option<Timestamp>,
}

impl TokenSet {
    /// Where the clear pair is sealed.
    pub fn place(row: i64, client: ClientId) -> Place<'static> {
        Place { table: "token", column: "sealed", row, owner: client.0 }
    }

    /// Whether the access token works at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now.since(self.created_at) < ACCESS_TTL
    }

    /// Whether the refresh token works at `now`.
    pub fn is_refreshable(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now.since(self.created_at) < REFRESH_TTL
    }

    /// Whether this refresh token is the pair's other half, and works at `now`.
    pub fn is_refreshed_by(&self, refresh: &Digest, now: Timestamp) -> bool {
        self.refresh.matches(refresh) && self.is_refreshable(now)
    }
}

/// What a decision about a client may see.
#[derive(Debug, Clone, Default)]
pub struct ClientView {
    /// The client; `None` if there is none of that id.
    pub client: Option<Client>,
    /// Its newest token set that has neither been ended nor replaced.
    pub newest: Option<TokenSet>,
    /// The token set the decision is about, found by its access token.
    pub asked: Option<TokenSet>,
    /// The token set of that one's family that has neither been ended nor replaced. Row numbers do not tell which it is:
    /// each node draws them from a block that it has reserved.
    pub newest_of_family: Option<TokenSet>,
}
