//! A temporary MFA token: at most one lives per user (rulings 12).

use crate::audit::AuditKind;
use crate::decision::{Change, Decision, View};
use crate::digest::KeyedHash;
use crate::time::Timestamp;
use crate::verification::Context;

/// Shortest life, in milliseconds: 120 s (contract 4.7).
pub const MIN_TTL: i64 = 120_000;
/// Longest life and default, in milliseconds: 72 h (contract 4.7).
pub const MAX_TTL: i64 = 259_200_000;

/// A temporary token as stored; the token itself cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TempToken {
    /// The eight digits, bound to the user.
    pub hash: KeyedHash,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether it may be used more than once.
    pub reusable: bool,
    /// When it was first used.
    pub used_at: Option<Timestamp>,
}

impl TempToken {
    /// Whether it can still be used at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at && (self.reusable || self.used_at.is_none())
    }
}

/// How an issuing ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issued {
    /// The token is stored.
    Issued,
    /// No such user.
    NoUser,
    /// The user is suspended or locked by an administrator: a token must not outlive that (SEC 56).
    Barred,
}

/// Issues a token in place of any earlier one.
pub fn issue(view: &View, token: TempToken, context: &Context, now: Timestamp) -> Decision<Issued> {
    let Some(user) = &view.user else { return Decision::reply(Issued::NoUser) };
    if user.is_barred(now) {
        return Decision::reply(Issued::Barred);
    }
    Decision::reply(Issued::Issued)
        .with(Change::SetTempToken(user.id, Some(token)))
        .with(context.event(AuditKind::TempTokenIssued, user.id, now).into())
}

/// Ends the user's token. Says whether there was a live one.
pub fn revoke(view: &View, context: &Context, now: Timestamp) -> Decision<bool> {
    match &view.user {
        Some(user) if user.temp_token.as_ref().is_some_and(|t| t.is_live(now)) => Decision::reply(true)
            .with(Change::SetTempToken(user.id, None))
            .with(context.event(AuditKind::TempTokenRevoked, user.id, now).into()),
        _ => Decision::reply(false),
    }
}
