//! Invitations: links by which people enrol on a page of ours (SEC 105).
//!
//! An invitation is a session of the user: a token opens it. What is begun with it is listed in it, so that whatever ends
//! the invitation ends that too.

use crate::model::audit::{Actor, AuditEvent, AuditKind};
use crate::model::change::{Change, Decision, View};
use crate::model::device::{Device, DeviceStatus};
use crate::model::id::{SessionId, UserId, VerificationId};
use crate::model::message::Message;
use crate::model::session::{Begun, Session, SessionEnd, SessionKind};
use crate::model::time::{MINUTE, Timestamp};
use crate::model::user::User;
use crate::rules::basis::Basis;
use crate::rules::verification::end::{Besides, abandon, discard, end_session, end_trust};

/// Life of the invitation for one more device, in milliseconds.
pub const NEXT_LIFE: i64 = 15 * MINUTE;
/// Most registrations that are begun with one invitation.
const MOST_BEGUN: usize = 20;
/// What the entry of an invitation says that replaces devices, and of each device that it has replaced.
const REPLACE: &str = "replace";

/// How an invitation ends up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invited {
    /// It is stored; its message is queued.
    Invited,
    /// No such user.
    NoUser,
    /// The user is suspended or locked by an administrator.
    Barred,
    /// The user has an active device, and the invitation would not replace it.
    HasDevice,
    /// The user is reached otherwise than when the message was made.
    Moved,
}

/// An invitation that waits, and what was begun with it.
struct Open<'v> {
    session: &'v Session,
    replaces: bool,
    leads_on: bool,
    begun: &'v [Begun],
}

impl Open<'_> {
    /// Whether it would add a device to a user without one.
    fn is_for_first(&self) -> bool {
        self.leads_on && !self.replaces
    }
}

/// The user's invitations that are not over. There is one at most, but for what an import or a clock may have left.
fn unended(view: &View, now: Timestamp) -> impl Iterator<Item = Open<'_>> {
    view.sessions.iter().filter(move |session| session.is_open(now)).filter_map(|session| match &session.kind {
        SessionKind::Invitation { replaces, leads_on, begun } => {
            Some(Open { session, replaces: *replaces, leads_on: *leads_on, begun })
        }
        _ => None,
    })
}

/// Those that something can be enrolled with: whatever has given the user a device, none adds another unasked.
fn waiting(view: &View, now: Timestamp) -> impl Iterator<Item = Open<'_>> {
    unended(view, now).filter(|open| !open.is_for_first() || !has_device(view))
}

fn has_device(view: &View) -> bool {
    view.devices.iter().any(|device| device.status == DeviceStatus::Active)
}

/// Whether something can be enrolled with this invitation.
pub fn is_waiting(view: &View, invitation: SessionId, now: Timestamp) -> bool {
    waiting(view, now).any(|open| open.session.id == invitation)
}

/// Gives a user an invitation, which ends the one before. A message goes with the user as read when it was made.
pub fn invite(
    view: &View,
    invitation: &Session,
    message: Option<(&Message, &User)>,
    basis: Basis<'_>,
) -> Decision<Invited> {
    let Basis { actor, now, .. } = basis;
    let Some(user) = view.user.as_ref() else { return Decision::reply(Invited::NoUser) };
    if user.is_barred(now) {
        return Decision::reply(Invited::Barred);
    }
    let replaces = matches!(invitation.kind, SessionKind::Invitation { replaces: true, .. });
    if !replaces && has_device(view) {
        return Decision::reply(Invited::HasDevice);
    }
    if message.is_some_and(|(_, read)| read.is_reached_otherwise(user)) {
        return Decision::reply(Invited::Moved);
    }
    let ended = unended(view, now).flat_map(|open| end_session(view, open.session));
    let event = actor.event(AuditKind::Invited, user.id, now);
    let event = AuditEvent { reason: replaces.then_some(REPLACE), ..event };
    Decision::reply(Invited::Invited)
        .with_all(ended)
        .with(Change::OpenSession(invitation.clone()))
        .with_all(message.map(|(message, _)| Change::Enqueue(message.clone())))
        .with(event.into())
}

/// What may be begun with an invitation.
pub(crate) struct Beginning {
    /// Whether it takes the place of the devices that the user has.
    pub(crate) replaces: bool,
    /// Notes what is begun.
    pub(crate) noted: Change,
    /// When the invitation ends. What is begun with it ends no later.
    pub(crate) until: Timestamp,
}

/// Begins a registration with an invitation. `None` if the invitation waits no longer; the end of the invitation
/// if as much was begun with it as may be, since each may send a message to a number that its holder names.
pub(crate) fn begin(
    view: &View,
    invitation: SessionId,
    begun: Begun,
    now: Timestamp,
) -> Option<Result<Beginning, Timestamp>> {
    let open = waiting(view, now).find(|open| open.session.id == invitation)?;
    let until = open.session.expires_at;
    if open.begun.len() >= MOST_BEGUN {
        return Some(Err(until));
    }
    let begun = open.begun.iter().copied().chain([begun]).collect();
    let noted = Change::SetBegun { session: invitation, begun };
    Some(Ok(Beginning { replaces: open.replaces, noted, until }))
}

/// Ends what administrators have invited the user to. The link for one more device ends with the trust in the user.
pub(crate) fn withdraw(view: &View, now: Timestamp) -> Vec<Change> {
    unended(view, now).filter(|open| open.leads_on).flat_map(|open| end_session(view, open.session)).collect()
}

/// Ends invitations that would add a device to a user without one, because the user has one now.
pub(crate) fn overtaken(view: &View, now: Timestamp) -> Vec<Change> {
    unended(view, now).filter(Open::is_for_first).flat_map(|open| end_session(view, open.session)).collect()
}

/// What follows once a registration is finished: the invitation that it was begun with is used up, what else was begun with
/// it ends, the devices that it replaces go, and one for one more device takes its place.
pub(crate) fn finish(
    view: &View,
    user: UserId,
    registration: VerificationId,
    device: &Device,
    actor: &Actor,
    now: Timestamp,
) -> Vec<Change> {
    let found = waiting(view, now).find_map(|open| {
        let begun = open.begun.iter().find(|begun| begun.registration == registration)?;
        Some((begun.next, open))
    });
    // A device that was enrolled by another way takes the place of what the invitation was for.
    let Some((next, open)) = found else { return overtaken(view, now) };
    let used = Change::CloseSession { session: open.session.id, end: SessionEnd::Used { at: now } };
    let mut changes = vec![used];
    if open.replaces {
        // What was begun elsewhere goes too: it may have been begun by those whose devices are to go.
        let gone = view.devices.iter().filter(|other| other.id != device.id).flat_map(|other| {
            let event = actor.event(AuditKind::DeviceReplaced, user, now).device(other.id);
            let event = AuditEvent { reason: Some(REPLACE), ..event };
            discard(view, other.id).into_iter().chain(other.is_listed().then(|| Change::from(event)))
        });
        changes.extend(gone);
        changes.extend(end_trust(view, Besides::Nothing, now));
    } else {
        let others = open.begun.iter().filter(|begun| begun.registration != registration);
        changes.extend(others.flat_map(|begun| abandon(view, begun.registration)));
    }
    if open.leads_on {
        changes.push(Change::OpenSession(Session {
            // No other session has it: a registration is finished once.
            id: SessionId(registration.0),
            user_id: user,
            kind: SessionKind::Invitation { replaces: false, leads_on: false, begun: Vec::new() },
            token: next,
            client_id: open.session.client_id,
            created_at: now,
            expires_at: now.plus(NEXT_LIFE),
        }));
    }
    changes.push(actor.event(AuditKind::InvitationUsed, user, now).device(device.id).into());
    changes
}
