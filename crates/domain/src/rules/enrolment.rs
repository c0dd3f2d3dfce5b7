//! Enrolling a device, and letting it go.

use crate::model::audit::{Actor, AuditEvent, AuditKind};
use crate::model::change::{Change, Decision, View};
use crate::model::device::{Device, DeviceStatus, MAX_DEVICES};
use crate::model::factor::FactorKind;
use crate::model::id::{DeviceId, SessionId};
use crate::model::message::Message;
use crate::model::policy::Policy;
use crate::model::session::Begun;
use crate::model::throttle::ThrottleKey;
use crate::model::time::Timestamp;
use crate::model::verification::{Purpose, Verification};
use crate::rules::basis::Basis;
use crate::rules::verification::end::{Besides, close_expired, discard, end_trust};
use crate::rules::{invitation, need, throttle};

/// Most open registrations of one user (SEC 35).
pub const MAX_REGISTRATIONS: usize = 10;

/// A device about to be enrolled: everything random is drawn already.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// The device as it will be stored: `Registering` or `Pending`, or `Active` when an administrator vouches for it
    /// (SEC 19).
    pub device: Device,
    /// What confirms it. When an administrator vouches for it there is nothing to confirm: then it is an accepted one, for
    /// callers that read it, or none.
    pub registration: Option<Verification>,
    /// What will be sent, if anything.
    pub message: Option<Message>,
    /// The invitation that the person enrols by, if it is one.
    pub invitation: Option<(SessionId, Begun)>,
}

/// How an enrolment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enrolled {
    /// The device is stored; its message is queued.
    Enrolled,
    /// No such user.
    NoUser,
    /// The invitation waits no longer.
    NotInvited,
    /// The user is suspended or locked by an administrator.
    Barred,
    /// No such factor here, or its last hop does not work.
    NotOffered,
    /// The user has an active device of a factor that cannot repeat (decision 27).
    AlreadyEnrolled,
    /// The user has too many devices (SEC 35).
    TooManyDevices,
    /// Too many registrations are open; the first ends then.
    TooManyRegistrations(Timestamp),
    /// The next message may be sent then.
    TooSoon(Timestamp),
}

/// Enrols a device.
pub fn enrol(view: &View, enrolment: &Enrolment, basis: Basis<'_>) -> Decision<Enrolled> {
    let Basis { policy, actor: context, now } = basis;
    let Some(user) = view.user.as_ref() else { return Decision::reply(Enrolled::NoUser) };
    let device = &enrolment.device;
    if user.is_barred(now) {
        return Decision::reply(Enrolled::Barred);
    }
    if !policy.offers(device.factor) {
        return Decision::reply(Enrolled::NotOffered);
    }
    let beginning = match enrolment.invitation {
        None => None,
        Some((invitation, registration)) => match invitation::begin(view, invitation, registration, now) {
            Some(Ok(beginning)) => Some(beginning),
            Some(Err(at)) => return Decision::reply(Enrolled::TooManyRegistrations(at)),
            None => return Decision::reply(Enrolled::NotInvited),
        },
    };
    let replaces = beginning.as_ref().is_some_and(|beginning| beginning.replaces);
    let registration = enrolment.registration.clone().map(|mut asked| {
        let until = beginning.as_ref().map_or(asked.expires_at, |beginning| beginning.until);
        asked.expires_at = asked.expires_at.min(until);
        asked
    });
    let mut gone = Vec::new();
    for other in &view.devices {
        let replaced = other.factor == device.factor && !device.factor.may_repeat();
        match other.status {
            DeviceStatus::Active | DeviceStatus::Disabled if replaced && !replaces => {
                return Decision::reply(Enrolled::AlreadyEnrolled);
            }
            DeviceStatus::Pending if replaced => gone.push(other.id),
            DeviceStatus::Registering if replaced || !is_registering(view, other.id, now) => gone.push(other.id),
            _ => {}
        }
    }
    if view.devices.len() - gone.len() >= MAX_DEVICES {
        return Decision::reply(Enrolled::TooManyDevices);
    }
    let open: Vec<_> = view
        .verifications
        .iter()
        .filter(|v| v.purpose == Purpose::Enrol && v.is_open(now) && !gone.contains(&v.device_id))
        .map(|v| v.expires_at)
        .collect();
    if open.len() >= MAX_REGISTRATIONS
        && let Some(first) = open.into_iter().min()
    {
        return Decision::reply(Enrolled::TooManyRegistrations(first));
    }
    let mut changes = Vec::new();
    if enrolment.message.is_some() {
        // While a user is locked for guessing, nothing is sent (SEC 26, decision 26).
        let locked = view.throttle(ThrottleKey::User).locked(now);
        if let Some(at) = locked.or_else(|| throttle::next_send(view, device.factor, policy, now)) {
            return Decision::reply(Enrolled::TooSoon(at));
        }
        changes.push(throttle::count_send(view, user.id, device.factor, now));
    }
    for id in gone {
        changes.extend(discard(view, id));
        changes.push(context.event(AuditKind::DeviceReplaced, user.id, now).device(id).into());
    }
    changes.push(Change::CreateDevice(device.clone()));
    changes.extend(registration.map(Change::OpenVerification));
    changes.extend(beginning.map(|beginning| beginning.noted));
    changes.extend(enrolment.message.clone().map(Change::Enqueue));
    let trusted = device.status == DeviceStatus::Active;
    if trusted {
        changes.extend(invitation::overtaken(view, now));
    }
    let kind = if trusted { AuditKind::DeviceTrusted } else { AuditKind::DeviceEnrolled };
    changes.push(
        context
            .event(kind, user.id, now)
            .device(device.id)
            .verification(enrolment.registration.as_ref().map(|v| v.id))
            .into(),
    );
    Decision::of(changes, Enrolled::Enrolled)
}

fn is_registering(view: &View, device: DeviceId, now: Timestamp) -> bool {
    view.verifications.iter().any(|v| v.device_id == device && v.purpose == Purpose::Enrol && v.is_open(now))
}

/// The factors this user can still enrol (contract 4.1, 7.1).
pub fn offered(view: &View, policy: &Policy) -> Vec<FactorKind> {
    let enrolled = |kind: FactorKind| view.devices.iter().any(|d| d.factor == kind && d.status.was_ever_active());
    FactorKind::ALL.into_iter().filter(|kind| policy.offers(*kind) && (kind.may_repeat() || !enrolled(*kind))).collect()
}

/// How disabling a device ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisableOutcome {
    /// It is disabled now.
    Disabled,
    /// It was not in use.
    NotInUse,
    /// The user has no such device.
    NoDevice,
}

/// Disables a device until its user is unlocked. What is open for it ends, and so do the sessions and browsers that it
/// may have vouched for (SEC 56).
pub fn disable(view: &View, device: DeviceId, context: &Actor, now: Timestamp) -> Decision<DisableOutcome> {
    let (Some(user), Some(device)) = (&view.user, view.device(device).filter(|d| d.is_listed())) else {
        return Decision::reply(DisableOutcome::NoDevice);
    };
    // What guesses have disabled comes back by anybody's unlocking: what an operator disables does not.
    let by_guesses = throttle::is_disabled_by_guesses(view, device);
    if device.status != DeviceStatus::Active && !by_guesses {
        return Decision::reply(DisableOutcome::NotInUse);
    }
    let change = if by_guesses {
        Change::ClearThrottle(user.id, ThrottleKey::Device(device.id))
    } else {
        Change::DisableDevice(device.id)
    };
    let open = view.verifications.iter().filter(|v| v.device_id == device.id && v.status.is_pending());
    let ends = open.flat_map(|v| [Change::DropMessages(v.id), close_expired(v)]);
    Decision::reply(DisableOutcome::Disabled)
        .with_all(ends)
        .with_all(end_trust(view, Besides::Nothing, now))
        .with(change)
        .with(context.event(AuditKind::DeviceDisabled, user.id, now).device(device.id).into())
}

/// What the audit entry of a deletion says when it took the user's last second factor: from now on policy alone decides
/// whether a log-in needs one (SEC 92).
pub const LAST_FACTOR: &str = "last_factor";

/// Removes a device, ending its open verifications with it (SEC 56). Says whether there was one. This, by somebody's
/// decision, is the only way a second factor goes away.
pub fn remove(view: &View, device: DeviceId, context: &Actor, now: Timestamp) -> Decision<bool> {
    let (Some(user), Some(device)) = (&view.user, view.device(device).filter(|d| d.is_listed())) else {
        return Decision::reply(false);
    };
    let reason = need::is_last_factor(view, device.id).then_some(LAST_FACTOR);
    let event = context.event(AuditKind::DeviceDeleted, user.id, now).device(device.id);
    // What never was in use vouches for nothing.
    let vouched = device.status.was_ever_active().then(|| end_trust(view, Besides::Nothing, now));
    let decision = Decision::reply(true).with_all(discard(view, device.id));
    decision.with_all(vouched.into_iter().flatten()).with(AuditEvent { reason, ..event }.into())
}
