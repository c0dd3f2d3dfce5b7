//! Ending verifications, and the trust that rests on them.

use crate::model::change::{Change, Decision, View};
use crate::model::id::{ClientId, DeviceId, VerificationId};
use crate::model::session::{Begun, Session, SessionEnd, SessionKind};
use crate::model::temp_token::{self, TempToken};
use crate::model::time::Timestamp;
use crate::model::user::{Profile, User};
use crate::model::verification::{Purpose, Status, Verification, VerificationEnd};
use crate::rules::risk;

/// Ends whatever is over by `now`. A decision that refuses something because its time is over does this too: what was
/// once reported as over stays over, whatever a clock says later (SEC 75).
pub(crate) fn close_over(view: &View, now: Timestamp) -> Vec<Change> {
    let mut changes = close_pending(view, |_, ends| now >= ends);
    if let Some(user) = view.user.as_ref().filter(|u| u.temp_token.as_ref().is_some_and(|t| now >= t.expires_at)) {
        changes.push(Change::SetTempToken(user.id, None));
    }
    changes
}

/// Ends what waits and `is_over`, judged by when it began and when its time runs out.
fn close_pending(view: &View, is_over: impl Fn(Timestamp, Timestamp) -> bool) -> Vec<Change> {
    let pending = view.verifications.iter().filter(|v| v.status.is_pending());
    let over = pending.filter(|v| is_over(v.created_at, v.expires_at));
    let sessions =
        view.sessions.iter().filter(|s| is_over(s.created_at, s.expires_at)).flat_map(|s| end_session(view, s));
    over.flat_map(|v| [close_expired(v), Change::DropMessages(v.id)]).chain(sessions).collect()
}

/// Ends all of a user that is over by `over`, for good: time is about to be taken back to `from`, and by then none of it would
/// be over (SEC 75). What began after `from` ends as well: it would live longer than it may, by as much as the clock was
/// ahead. Verifications with their results, sessions, the temporary token and visits are all that a user keeps and that runs out.
/// Locks and limits are no trust: they are judged by the moments at which they were made.
pub fn end_over(view: &View, over: Timestamp, from: Timestamp) -> Decision<()> {
    let is_over = |began: Timestamp, ends: Timestamp| over >= ends || began > from;
    let mut decision = Decision::reply(()).with_all(close_pending(view, is_over));
    let uncollected =
        view.verifications.iter().filter(|v| !v.status.is_pending() && is_over(v.created_at, v.expires_at));
    decision = decision.with_all(uncollected.map(|v| Change::ConsumeVerification { verification: v.id, at: over }));
    if let Some(user) = &view.user {
        // No token issued by `from` ends later than the longest life behind it.
        let ends = |token: &TempToken| over >= token.expires_at || token.expires_at > from.plus(temp_token::MAX_TTL);
        if user.temp_token.as_ref().is_some_and(ends) {
            decision = decision.with(Change::SetTempToken(user.id, None));
        }
        let visits = risk::living(&user.profile.visits, over, from);
        if visits.len() < user.profile.visits.len() {
            let profile = Profile { visits, ..user.profile.clone() };
            decision = decision.with(Change::UpdateUser(User { profile, ..user.clone() }));
        }
    }
    decision
}

/// Removes a device with its open verifications and their messages (SEC 56).
pub(crate) fn discard(view: &View, device: DeviceId) -> Vec<Change> {
    let of_device = view.verifications.iter().filter(|v| v.device_id == device && v.status.is_pending());
    let ends = of_device.flat_map(|v| [close_expired(v), Change::DropMessages(v.id)]);
    ends.chain([Change::DeleteDevice(device)]).collect()
}

/// Ends an open verification without a result.
pub(crate) fn close_expired(verification: &Verification) -> Change {
    Change::CloseVerification { verification: verification.id, end: VerificationEnd::Expired }
}

/// What ends together with the trust in a user ([`end_trust`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Besides {
    Nothing,
    /// Log-ins under way, with the challenges put under them.
    LogIns,
    /// What this client has begun, and its results that were not collected yet.
    OfClient(Option<ClientId>),
    /// Everything open, and every result that was not collected yet.
    Everything,
}

/// Ends the trust in a user: all that a factor, shown once, has opened for later. That is session tokens, sessions,
/// remembered browsers, the link for one more device and the visits that Smart MFA knows. This is the only place that does, so nothing that lets somebody
/// in without a factor outlives what it stood on (SEC 56).
pub(crate) fn end_trust(view: &View, besides: Besides, now: Timestamp) -> impl Iterator<Item = Change> {
    let asked = move |v: &Verification| match besides {
        Besides::Nothing => false,
        Besides::LogIns => v.purpose == Purpose::SignIn && v.status.is_pending(),
        Besides::OfClient(client) => v.client_id == client,
        Besides::Everything => true,
    };
    let opened = move |s: &Session| match (&s.kind, besides) {
        // The link for one more device came with one that was shown once, and rests on it. An administrator's invitation rests on
        // nothing of the user.
        (
            SessionKind::SessionToken { .. }
            | SessionKind::Browsing
            | SessionKind::RememberedBrowser
            | SessionKind::Invitation { leads_on: false, .. },
            _,
        )
        | (SessionKind::LogIn { .. }, Besides::LogIns)
        | (SessionKind::LogIn { .. } | SessionKind::Invitation { .. }, Besides::Everything) => true,
        (SessionKind::LogIn { .. }, Besides::Nothing)
        | (SessionKind::Invitation { .. }, Besides::Nothing | Besides::LogIns) => false,
        (SessionKind::LogIn { .. } | SessionKind::Invitation { .. }, Besides::OfClient(client)) => {
            s.client_id == client
        }
    };
    let visits = view.user.as_ref().filter(|user| !user.profile.visits.is_empty());
    let verifications = view.verifications.iter().filter(move |v| asked(v)).flat_map(move |v| end(v, now));
    let sessions = view.sessions.iter().filter(move |s| opened(s)).flat_map(move |s| end_session(view, s));
    verifications.chain(sessions).chain(visits.map(|user| Change::ForgetVisits(user.id)))
}

/// Ends a session that nothing came of any more. An invitation takes along what was begun with it and is not finished.
pub(crate) fn end_session(view: &View, session: &Session) -> Vec<Change> {
    let begun: &[Begun] = match &session.kind {
        SessionKind::Invitation { begun, .. } => begun,
        _ => &[],
    };
    let mut changes: Vec<Change> = begun.iter().flat_map(|begun| abandon(view, begun.registration)).collect();
    changes.push(Change::CloseSession { session: session.id, end: SessionEnd::Expired });
    changes
}

/// Ends a registration that was begun and not finished, with its hidden device.
pub(crate) fn abandon(view: &View, registration: VerificationId) -> Vec<Change> {
    let pending = view.verification(registration).filter(|asked| asked.status.is_pending());
    pending.map(|asked| discard(view, asked.device_id)).unwrap_or_default()
}

fn end(verification: &Verification, now: Timestamp) -> [Change; 2] {
    let ended = match verification.status {
        Status::Pending { .. } => close_expired(verification),
        _ => Change::ConsumeVerification { verification: verification.id, at: now },
    };
    [ended, Change::DropMessages(verification.id)]
}
