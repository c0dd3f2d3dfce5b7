//! Issuing and revoking a temporary token (decision 12).

use crate::model::audit::{Actor, AuditKind};
use crate::model::change::{Change, Decision, View};
use crate::model::temp_token::TempToken;
use crate::model::time::Timestamp;

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
pub fn issue(view: &View, token: TempToken, context: &Actor, now: Timestamp) -> Decision<Issued> {
    let Some(user) = &view.user else { return Decision::reply(Issued::NoUser) };
    if user.is_barred(now) {
        return Decision::reply(Issued::Barred);
    }
    Decision::reply(Issued::Issued)
        .with(Change::SetTempToken(user.id, Some(token)))
        .with(context.event(AuditKind::TempTokenIssued, user.id, now).into())
}

/// Ends the user's token. Says whether there was a live one.
pub fn revoke(view: &View, context: &Actor, now: Timestamp) -> Decision<bool> {
    match &view.user {
        Some(user) if user.temp_token.as_ref().is_some_and(|t| t.is_live(now)) => Decision::reply(true)
            .with(Change::SetTempToken(user.id, None))
            .with(context.event(AuditKind::TempTokenRevoked, user.id, now).into()),
        _ => Decision::reply(false),
    }
}
