//! A log-in under way, and what a log-in grants: a session token, a session in a browser, a remembered browser.
//!
//! None of them is put to a device and none is answered: a caller shows its token, and the challenges of a log-in are
//! verifications that carry its state token.

use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;
use crate::model::id::{ClientId, DeviceId, SessionId, UserId, VerificationId};
use crate::model::time::Timestamp;

/// Something that a token opens, from the right password to the end of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    pub kind: SessionKind,
    /// Digest of the token that names it: the state token, the session token, the cookie, the browser's own.
    pub token: Digest,
    /// The client that began it.
    pub client_id: Option<ClientId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What a session is, with the facts that only this kind has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionKind {
    /// A log-in under way: the password was right, and a factor is awaited.
    LogIn {
        terms: Terms,
        /// Wrong answers so far.
        attempts: i64,
    },
    /// A session token that waits to be handed in.
    SessionToken { terms: Terms },
    /// A session in a browser.
    Browsing,
    /// A browser in which a factor was shown, remembered for a while.
    RememberedBrowser,
    /// A link by which the person enrols (SEC 105).
    Invitation {
        /// What is enrolled takes the place of the devices that the user has.
        replaces: bool,
        /// The page of the finished device leads on to one more.
        leads_on: bool,
        begun: Vec<Begun>,
    },
}

/// A registration that was begun with an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    pub registration: VerificationId,
    /// The digest of the token of the next invitation, which the page of the finished registration leads on to.
    pub next: Digest,
}

impl SessionKind {
    /// Whether both are of one kind, whatever their facts.
    pub fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// How a session ends. What has ended no decision sees any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEnd {
    /// The log-in is complete, or the session token was handed in.
    Used { at: Timestamp },
    /// Too many wrong answers.
    Refused { at: Timestamp },
    /// It gave way to a newer one, was withdrawn, or its time ran out.
    Expired,
}

impl Session {
    /// Whether it is good at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// What the log-in is for, where there is anything to say.
    pub fn terms(&self) -> Option<&Terms> {
        match &self.kind {
            SessionKind::LogIn { terms, .. } | SessionKind::SessionToken { terms } => Some(terms),
            SessionKind::Browsing | SessionKind::RememberedBrowser | SessionKind::Invitation { .. } => None,
        }
    }
}

/// What a log-in is for. Kept with its state token, and handed on to what it grants.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// The app whose assertion is asked for; `None` asks for a session.
    pub app: Option<i64>,
    /// Where the browser goes in the end, as the caller said it.
    pub return_to_url: Option<String>,
    /// Origins that may hand in the session token from a browser (contract 5.4).
    pub origins: Vec<String>,
    /// Custom attributes that the answer shows.
    pub fields: Vec<String>,
    /// Which browser this is, as the caller knows it.
    pub browser: Option<Digest>,
    /// The end user's address as the caller reported it, for the audit trail of the steps that follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The devices to which prompts were put, or links mailed, in this log-in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prompted: Vec<DeviceId>,
}

impl Terms {
    /// The same, with these origins beside its own.
    pub(crate) fn with_origins(&self, named: &[String]) -> Self {
        let mut terms = self.clone();
        let new: Vec<_> = named.iter().filter(|origin| !self.origins.contains(origin)).cloned().collect();
        terms.origins.extend(new);
        terms
    }
}
