//! The life of one verification: open, answer, expire.
//!
//! A v1 state token, a v2 verification and a v2 registration are three names for this one thing. Every function here
//! is handed a fresh [`View`] under the user's lock, so that a proof counts once, a failure is never forgotten, and a
//! refusal is the answer whenever something is in doubt.

use serde::{Deserialize, Serialize};

use crate::audit::{AuditEvent, AuditKind};
use crate::decision::{Change, Decision, View};
use crate::device::{Device, DeviceStatus};
use crate::digest::Digest;
use crate::factor::{Challenge, Evidence, FactorKind, Freshness, Proof, Subject};
use crate::id::{ClientId, DeviceId, UserId, VerificationId};
use crate::message::Message;
use crate::policy::Policy;
use crate::seal::Sealed;
use crate::throttle::{self, ThrottleKey};
use crate::time::Timestamp;
use crate::user::User;

/// Wrong answers that end a verification (SEC 10, SEC 32).
pub const MAX_ATTEMPTS: i64 = 5;
/// Most open verifications of one device (SEC 35).
pub const MAX_OPEN_PER_DEVICE: usize = 20;

/// What a verification is for. A proof made for one purpose counts for no other (SEC 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Confirms that a device being enrolled works.
    Enrol,
    /// Shows that the person signing in holds the device.
    Login,
}

impl Purpose {
    /// The stored number.
    pub fn number(self) -> i64 {
        match self {
            Self::Enrol => 0,
            Self::Login => 1,
        }
    }

    /// The purpose with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Enrol, Self::Login].into_iter().find(|p| p.number() == number)
    }
}

/// Where a verification stands. Terminal states never change (SEC 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Waiting for an answer; over once `expires_at` has passed, whether or not a clean-up noticed.
    Pending,
    /// Answered rightly.
    Accepted {
        /// When.
        at: Timestamp,
    },
    /// Denied, or answered wrongly too often.
    Rejected {
        /// When.
        at: Timestamp,
    },
    /// Superseded, withdrawn, or its time ran out.
    Expired,
}

impl Status {
    /// The stored number and moment.
    pub fn numbers(self) -> (i64, Option<Timestamp>) {
        match self {
            Self::Pending => (0, None),
            Self::Accepted { at } => (1, Some(at)),
            Self::Rejected { at } => (2, Some(at)),
            Self::Expired => (3, None),
        }
    }

    /// The status with these numbers.
    pub fn from_numbers(number: i64, at: Option<Timestamp>) -> Option<Self> {
        match (number, at) {
            (0, _) => Some(Self::Pending),
            (1, Some(at)) => Some(Self::Accepted { at }),
            (2, Some(at)) => Some(Self::Rejected { at }),
            (3, _) => Some(Self::Expired),
            _ => None,
        }
    }
}

/// One question put to one device of one user, for one purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Its id.
    pub id: VerificationId,
    /// What callers see and ask for: the UUID, or digits for clients that can pass only an integer (rulings 11).
    pub wire_id: String,
    /// Whose.
    pub user_id: UserId,
    /// Which device.
    pub device_id: DeviceId,
    /// For what.
    pub purpose: Purpose,
    /// What must be answered.
    pub challenge: Challenge,
    /// Where it stands.
    pub status: Status,
    /// Wrong answers so far.
    pub attempts: i64,
    /// Digest of the v1 state token, where one was issued.
    pub state_token: Option<Digest>,
    /// When a poller collected the result (v1 verify, log-in); v2 reads do not.
    pub consumed_at: Option<Timestamp>,
    /// Who asked.
    pub client_id: Option<ClientId>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When its time runs out.
    pub expires_at: Timestamp,
}

impl Verification {
    /// Whether it can be answered at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.status == Status::Pending && now < self.expires_at
    }

    /// Whether decisions still need to see it: it is pending, or its result waits to be collected by a state token.
    pub fn is_live(&self) -> bool {
        match self.status {
            Status::Pending => true,
            Status::Accepted { .. } | Status::Rejected { .. } => {
                self.state_token.is_some() && self.consumed_at.is_none()
            }
            Status::Expired => false,
        }
    }
}

/// Who asks, for the audit trail.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The API caller.
    pub client: Option<ClientId>,
    /// The end user's address as the caller reported it; stored, never judged.
    pub ip: Option<String>,
}

impl Context {
    /// An audit entry of this user by this caller.
    pub fn event(&self, kind: AuditKind, user: UserId, now: Timestamp) -> AuditEvent {
        AuditEvent { ip: self.ip.clone(), ..AuditEvent::of_user(kind, user, now).by(self.client) }
    }
}

/// Why something was refused. On the wire most of these look alike; the audit trail tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No such user.
    NoUser,
    /// No such device of this user.
    NoDevice,
    /// Too many wrong answers, or an administrator's lock: nothing was evaluated. With the end, where there is one.
    Locked(Option<Timestamp>),
    /// The verification or state token is unknown, over, used, or another device's.
    NotOpen,
    /// The device must be triggered and its state token given.
    StateTokenMissing,
    /// A code is needed and none was given.
    CodeMissing,
    /// Wrong code.
    WrongCode,
    /// Right once, and already accepted.
    Replay,
    /// The person said no.
    Denied,
    /// This challenge is not answered by typing a code here.
    NotTyped,
}

impl Reason {
    /// The word in the audit trail.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoUser => "no_user",
            Self::NoDevice => "no_device",
            Self::Locked(_) => "locked",
            Self::NotOpen => "not_open",
            Self::StateTokenMissing => "state_token_missing",
            Self::CodeMissing => "code_missing",
            Self::WrongCode => "wrong_code",
            Self::Replay => "replay",
            Self::Denied => "denied",
            Self::NotTyped => "not_typed",
        }
    }
}

/// How an answer ends. A wrong code is an outcome, never an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The person holds the factor.
    Accepted {
        /// With which device; `None` for a temporary token.
        device: Option<DeviceId>,
        /// The verification that this closed, where there was one.
        wire_id: Option<String>,
    },
    /// Waiting for the person.
    Pending(FactorKind),
    /// No.
    Refused(Reason),
}

/// What an answer is aimed at: each door of each dialect is one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A device and, where one was issued, a state token (v1 verify).
    Device {
        /// Which device.
        device: DeviceId,
        /// Digest of the state token.
        state_token: Option<Digest>,
    },
    /// A verification by the id its caller was shown (v2 PUT). A device, if given, must match.
    Wire {
        /// The shown id.
        wire_id: String,
        /// Registration or verification.
        purpose: Purpose,
        /// The device the caller believes it to be.
        device: Option<DeviceId>,
    },
    /// A device that makes its own codes, without a verification (v2 POST with `otp` and `device_id`).
    OwnCodes(DeviceId),
    /// The user's newest open code challenge (v2 POST with only `otp`).
    Newest,
    /// The user's temporary token (v1 device 0, v2 POST with eight digits).
    TempToken,
}

/// A target found in a view.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The device; `None` for a temporary token.
    pub device: Option<&'a Device>,
    /// The verification, where the target has one.
    pub verification: Option<&'a Verification>,
}

/// Whether anything of this user may be evaluated at `now` (SEC 26).
fn user_unlocked(view: &View, user: &User, now: Timestamp) -> Result<(), Reason> {
    if user.is_barred(now) {
        return Err(Reason::Locked(user.locked_until));
    }
    match view.throttle(ThrottleKey::User).locked(now) {
        Some(until) => Err(Reason::Locked(Some(until))),
        None => Ok(()),
    }
}

/// Whether answers with `device` may be evaluated at `now`; `None` asks about the temporary token.
fn unlocked(view: &View, user: &User, device: Option<&Device>, now: Timestamp) -> Result<(), Reason> {
    if user.is_barred(now) {
        return Err(Reason::Locked(user.locked_until));
    }
    if device.is_some_and(|d| d.status == DeviceStatus::Disabled) {
        return Err(Reason::Locked(None));
    }
    match throttle::locked_until(view, device.map(|d| d.id), now) {
        Some(until) => Err(Reason::Locked(Some(until))),
        None => Ok(()),
    }
}

/// Finds what an answer is aimed at, and judges everything that does not need the answer itself, in the order of
/// rulings 20: user, device, lock, verification.
pub fn find<'a>(view: &'a View, target: &Target, now: Timestamp) -> Result<Found<'a>, Reason> {
    let user = view.user.as_ref().ok_or(Reason::NoUser)?;
    let unlocked = |device| unlocked(view, user, device, now);
    match target {
        Target::TempToken => {
            unlocked(None)?;
            Ok(Found { device: None, verification: None })
        }
        Target::OwnCodes(device) => {
            let device = view
                .device(*device)
                .filter(|d| matches!(d.status, DeviceStatus::Active | DeviceStatus::Disabled))
                .ok_or(Reason::NoDevice)?;
            unlocked(Some(device))?;
            if !device.factor.needs_trigger() {
                return Ok(Found { device: Some(device), verification: None });
            }
            // A prompt, and digits shown on a screen, are not answered by typing (rulings 13, 34).
            let keypad = |v: &&Verification| {
                v.device_id == device.id && v.is_open(now) && matches!(v.challenge, Challenge::Keypad { .. })
            };
            if device.factor == FactorKind::Push || view.verifications.iter().any(|v| keypad(&v)) {
                return Err(Reason::NotTyped);
            }
            // A code that was sent to this device, without naming its verification.
            let newest = view
                .verifications
                .iter()
                .rfind(|v| {
                    v.device_id == device.id
                        && v.is_open(now)
                        && v.purpose == Purpose::Login
                        && matches!(v.challenge, Challenge::Code { .. })
                })
                .ok_or(Reason::NotOpen)?;
            Ok(Found { device: Some(device), verification: Some(newest) })
        }
        Target::Device { device, state_token } => {
            let device = view.device(*device).filter(|d| d.is_listed()).ok_or(Reason::NoDevice)?;
            unlocked(Some(device))?;
            let verification = match state_token {
                Some(token) => Some(
                    view.verifications
                        .iter()
                        .find(|v| v.device_id == device.id && v.state_token.as_ref().is_some_and(|t| t.matches(token)))
                        .filter(|v| v.is_live() && now < v.expires_at)
                        .ok_or(Reason::NotOpen)?,
                ),
                None if device.factor.needs_trigger() => return Err(Reason::StateTokenMissing),
                None => None,
            };
            Ok(Found { device: Some(device), verification })
        }
        Target::Wire { wire_id, purpose, device } => {
            let verification = view.verifications.iter().find(|v| v.wire_id == *wire_id && v.purpose == *purpose);
            let Some(verification) = verification else {
                // An ended verification is out of sight here, but the locks that need no verification speak first.
                user_unlocked(view, user, now)?;
                if let Some(device) = device.and_then(|id| view.device(id)) {
                    unlocked(Some(device))?;
                }
                return Err(Reason::NotOpen);
            };
            if device.is_some_and(|id| id != verification.device_id) {
                return Err(Reason::NoDevice);
            }
            let device = view.device(verification.device_id).ok_or(Reason::NoDevice)?;
            unlocked(Some(device))?;
            if !verification.is_open(now) {
                return Err(Reason::NotOpen);
            }
            Ok(Found { device: Some(device), verification: Some(verification) })
        }
        Target::Newest => {
            let newest = view.verifications.iter().rfind(|v| {
                v.is_open(now) && v.purpose == Purpose::Login && matches!(v.challenge, Challenge::Code { .. })
            });
            let Some(verification) = newest else {
                user_unlocked(view, user, now)?;
                return Err(Reason::NotOpen);
            };
            let device = view.device(verification.device_id).ok_or(Reason::NoDevice)?;
            unlocked(Some(device))?;
            Ok(Found { device: Some(device), verification: Some(verification) })
        }
    }
}

/// Judges an answer on a fresh view. The only function by which a typed code can be accepted.
pub fn answer(
    view: &View,
    target: &Target,
    evidence: &Evidence,
    context: &Context,
    now: Timestamp,
) -> Decision<Outcome> {
    let found = match find(view, target, now) {
        Ok(found) => found,
        Err(reason) => return refuse_unseen(view, target, reason, context, now),
    };
    let Some(user) = view.user.as_ref().map(|u| u.id) else { return Decision::reply(Outcome::Refused(Reason::NoUser)) };
    let Some(device) = found.device else { return answer_temp_token(view, user, evidence, context, now) };
    let judged = Judged { view, user, device, verification: found.verification, context, now };
    match found.verification.map(|v| v.status) {
        Some(Status::Accepted { .. }) => return judged.collect(),
        // Too many wrong codes kill a state token; only a person can deny.
        Some(Status::Rejected { .. }) => return Decision::reply(Outcome::Refused(judged.why_rejected())),
        Some(Status::Expired) => return Decision::reply(Outcome::Refused(Reason::NotOpen)),
        Some(Status::Pending) | None => {}
    }
    match (found.verification.map(|v| &v.challenge), evidence) {
        (None | Some(Challenge::Own | Challenge::Code { .. } | Challenge::Untriggered), Evidence::Absent) => {
            Decision::reply(Outcome::Refused(Reason::CodeMissing))
        }
        // Nothing was sent that could be answered: not a guess (rulings 23).
        (Some(Challenge::Untriggered), _) => Decision::reply(Outcome::Refused(Reason::WrongCode)),
        (Some(Challenge::Keypad { .. } | Challenge::Approval { .. } | Challenge::Pairing { .. }), Evidence::Absent) => {
            Decision::reply(Outcome::Pending(device.factor))
        }
        // What is answered elsewhere is not answered by typing; and a typed code cannot deny.
        (Some(Challenge::Keypad { .. } | Challenge::Approval { .. } | Challenge::Pairing { .. }), _)
        | (_, Evidence::Denied(_)) => Decision::reply(Outcome::Refused(Reason::NotTyped)),
        (None | Some(Challenge::Own | Challenge::Code { .. }), Evidence::Proved(proof)) => judged.spend(proof, None),
        (None | Some(Challenge::Own | Challenge::Code { .. }), Evidence::Refuted(wrong)) => judged.count(*wrong),
    }
}

/// Judges what the phone or the telephone answered: a signed accept or deny, keyed digits, or a pairing (which brings
/// the `credential`). A result with a state token waits for its poller.
pub fn answer_from_device(
    view: &View,
    verification: VerificationId,
    evidence: &Evidence,
    credential: Option<&Sealed>,
    context: &Context,
    now: Timestamp,
) -> Decision<Outcome> {
    let refused = |reason| Decision::reply(Outcome::Refused(reason));
    let Some(user) = view.user.as_ref() else { return refused(Reason::NoUser) };
    let Some(verification) = view.verification(verification).filter(|v| v.is_open(now)) else {
        return refused(Reason::NotOpen);
    };
    let Some(device) = view.device(verification.device_id) else { return refused(Reason::NoDevice) };
    if let Err(reason) = unlocked(view, user, Some(device), now) {
        return refused(reason);
    }
    let judged = Judged { view, user: user.id, device, verification: Some(verification), context, now };
    match (&verification.challenge, evidence) {
        (Challenge::Keypad { .. } | Challenge::Approval { .. }, Evidence::Proved(proof)) => judged.spend(proof, None),
        (Challenge::Pairing { .. }, Evidence::Proved(proof)) if credential.is_some() => judged.spend(proof, credential),
        (Challenge::Approval { .. }, Evidence::Denied(proof)) if judged.is_about(proof) => judged.deny(),
        // Digits keyed wrongly end the call (contract 7.10); they were a guess all the same.
        (Challenge::Keypad { .. } | Challenge::Approval { .. }, Evidence::Refuted(wrong)) => {
            let mut decision = judged.count(*wrong);
            if !decision.changes.iter().any(|c| matches!(c, Change::CloseVerification { .. })) {
                decision.changes.extend(judged.reject());
            }
            decision
        }
        _ => refused(Reason::NotOpen),
    }
}

fn refuse_unseen(view: &View, target: &Target, reason: Reason, context: &Context, now: Timestamp) -> Decision<Outcome> {
    let decision = Decision::reply(Outcome::Refused(reason));
    match (&view.user, reason) {
        // A lock shows only here (SEC 26).
        (Some(user), Reason::Locked(_)) => {
            let mut event = context.event(AuditKind::Refused, user.id, now).because(&reason);
            if let Target::Device { device, .. } | Target::OwnCodes(device) = target {
                event = event.device(*device);
            }
            decision.with(event.into())
        }
        _ => decision,
    }
}

fn answer_temp_token(
    view: &View,
    user: UserId,
    evidence: &Evidence,
    context: &Context,
    now: Timestamp,
) -> Decision<Outcome> {
    match evidence {
        Evidence::Absent => Decision::reply(Outcome::Refused(Reason::CodeMissing)),
        Evidence::Denied(_) => Decision::reply(Outcome::Refused(Reason::NotTyped)),
        Evidence::Refuted(wrong) => {
            let reason = Reason::WrongCode;
            let audit = context.event(AuditKind::Refused, user, now).because(&reason).into();
            let decision = Decision::reply(Outcome::Refused(reason)).with(audit);
            if throttle::is_doubled(view, None, wrong, now) {
                return decision;
            }
            decision.with_all(throttle::count_failure(view, user, None, *wrong, now))
        }
        Evidence::Proved(proof) => {
            let token = view.user.as_ref().and_then(|u| u.temp_token.as_ref());
            let live = token.filter(|t| proof.subject() == Subject::TempToken(t.hash) && t.is_live(now));
            let Some(token) = live else {
                let reason = Reason::Replay;
                return Decision::reply(Outcome::Refused(reason))
                    .with(context.event(AuditKind::Refused, user, now).because(&reason).into());
            };
            let spent = crate::TempToken { used_at: token.used_at.or(Some(now)), ..token.clone() };
            Decision::reply(Outcome::Accepted { device: None, wire_id: None })
                .with(Change::SetTempToken(user, Some(spent)))
                .with(context.event(AuditKind::TempTokenUsed, user, now).into())
        }
    }
}

/// One answer under judgement.
struct Judged<'a> {
    view: &'a View,
    user: UserId,
    device: &'a Device,
    verification: Option<&'a Verification>,
    context: &'a Context,
    now: Timestamp,
}

impl Judged<'_> {
    fn event(&self, kind: AuditKind) -> AuditEvent {
        self.context
            .event(kind, self.user, self.now)
            .device(self.device.id)
            .verification(self.verification.map(|v| v.id))
    }

    fn is_about(&self, proof: &Proof) -> bool {
        proof.subject() == Subject::Device(self.device.id, self.verification.map(|v| v.id))
    }

    fn refuse(&self, reason: Reason) -> Decision<Outcome> {
        Decision::reply(Outcome::Refused(reason)).with(self.event(AuditKind::Refused).because(&reason).into())
    }

    /// Spends a proof: judges its freshness on the fresh view and records that it is used, in one step (SEC 1).
    fn spend(&self, proof: &Proof, credential: Option<&Sealed>) -> Decision<Outcome> {
        if !self.is_about(proof) {
            // What the proof was about has been superseded since.
            return self.refuse(Reason::NotOpen);
        }
        let counter = match proof.freshness() {
            Freshness::Counter(counter) if counter > self.device.last_counter => Some(counter),
            Freshness::Counter(_) => return self.refuse(Reason::Replay),
            // `find` has shown that the verification is open; closing it below is what spends the proof.
            Freshness::ThisChallenge if self.verification.is_some() => None,
            Freshness::ThisChallenge | Freshness::ThisToken | Freshness::Reusable => {
                return self.refuse(Reason::NotOpen);
            }
        };
        let device = self.device.id;
        let mut changes = Vec::new();
        let activates = matches!(self.device.status, DeviceStatus::Registering | DeviceStatus::Pending);
        changes.push(match counter {
            _ if activates => Change::ActivateDevice { device, counter, credential: credential.cloned(), at: self.now },
            Some(counter) => Change::AdvanceCounter { device, counter, at: self.now },
            None => Change::TouchDevice { device, at: self.now },
        });
        if let Some(verification) = self.verification {
            // A typed code is collected by the very call that types it; an approval waits for whoever polls.
            let typed = verification.challenge.takes_code();
            changes.push(Change::CloseVerification {
                verification: verification.id,
                status: Status::Accepted { at: self.now },
                consumed_at: typed.then_some(self.now),
            });
        }
        changes.extend(throttle::forgive(self.view, self.user, device));
        if activates {
            changes.push(self.event(AuditKind::DeviceActivated).into());
        }
        let kind = match self.verification.map(|v| &v.challenge) {
            Some(Challenge::Approval { .. }) => AuditKind::PushAccepted,
            Some(Challenge::Keypad { .. }) => AuditKind::KeypadAnswered,
            _ => AuditKind::Verified,
        };
        changes.push(self.event(kind).into());
        Decision { changes, reply: self.accepted() }
    }

    fn accepted(&self) -> Outcome {
        Outcome::Accepted { device: Some(self.device.id), wire_id: self.verification.map(|v| v.wire_id.clone()) }
    }

    /// Collects a result that waited for its poller, once.
    fn collect(&self) -> Decision<Outcome> {
        match self.verification {
            Some(v) if v.consumed_at.is_none() => Decision::reply(self.accepted())
                .with(Change::ConsumeVerification { verification: v.id, at: self.now })
                .with(self.event(AuditKind::Verified).into()),
            _ => Decision::reply(Outcome::Refused(Reason::NotOpen)),
        }
    }

    fn deny(&self) -> Decision<Outcome> {
        Decision::reply(Outcome::Refused(Reason::Denied))
            .with_all(self.reject())
            .with(self.event(AuditKind::PushDenied).into())
    }

    /// Counts a wrong answer, in the same commit as its refusal (SEC 20).
    fn count(&self, wrong: Digest) -> Decision<Outcome> {
        let decision = self.refuse(Reason::WrongCode);
        if throttle::is_doubled(self.view, Some(self.device.id), &wrong, self.now) {
            return decision;
        }
        let decision =
            decision.with_all(throttle::count_failure(self.view, self.user, Some(self.device.id), wrong, self.now));
        let decision = match self.verification {
            Some(verification) => {
                let decision = decision.with(Change::CountAttempt(verification.id));
                if verification.attempts + 1 >= MAX_ATTEMPTS { decision.with_all(self.reject()) } else { decision }
            }
            None => decision,
        };
        // A device that never proved anything cannot be disabled and unlocked again, only enrolled anew (SEC 22).
        let consecutive = self.view.throttle(ThrottleKey::Device(self.device.id)).consecutive.saturating_add(1);
        if self.device.status == DeviceStatus::Pending && consecutive >= throttle::DISABLE_AT {
            return decision
                .with_all(discard(self.view, self.device.id))
                .with(self.event(AuditKind::DeviceDeleted).because(&Reason::WrongCode).into());
        }
        decision
    }

    fn why_rejected(&self) -> Reason {
        if self.verification.is_some_and(|v| v.challenge.takes_code()) { Reason::NotOpen } else { Reason::Denied }
    }

    /// Ends the verification as rejected; a registration takes its hidden device along.
    fn reject(&self) -> Vec<Change> {
        let Some(verification) = self.verification else { return Vec::new() };
        let mut changes = vec![Change::CloseVerification {
            verification: verification.id,
            status: Status::Rejected { at: self.now },
            consumed_at: None,
        }];
        if self.device.status == DeviceStatus::Registering {
            changes.push(self.event(AuditKind::RegistrationRejected).into());
            changes.push(Change::DeleteDevice(self.device.id));
        }
        changes
    }
}

/// A challenge about to be put: everything random is drawn already.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The verification as it will be stored.
    pub verification: Verification,
    /// What will be sent, if anything.
    pub message: Option<Message>,
    /// Whether devices still being enrolled over v1 may be challenged.
    pub pending_devices: bool,
}

/// How a trigger ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// A new verification; its message is queued.
    Opened(Verification),
    /// A prompt or pairing is still waiting: nothing was sent again (rulings 26).
    Repeated(Verification),
    /// No such user.
    NoUser,
    /// No such device that could be challenged.
    NoDevice,
    /// Locked, with the end where there is one: nothing was sent.
    Locked(Option<Timestamp>),
    /// The next message may be sent then.
    TooSoon(Timestamp),
    /// Too many are open; the first ends then.
    TooMany(Timestamp),
}

/// Puts a challenge to a device (v1 trigger, v2 POST verifications).
pub fn open(view: &View, opening: &Opening, policy: &Policy, context: &Context, now: Timestamp) -> Decision<Opened> {
    let Some(user) = view.user.as_ref() else { return Decision::reply(Opened::NoUser) };
    let usable = |device: &&Device| match device.status {
        DeviceStatus::Active | DeviceStatus::Disabled => true,
        DeviceStatus::Pending => opening.pending_devices,
        DeviceStatus::Registering => false,
    };
    let fresh = &opening.verification;
    let Some(device) = view.device(fresh.device_id).filter(usable).filter(|d| policy.offers(d.factor)) else {
        return Decision::reply(Opened::NoDevice);
    };
    let event = |kind| context.event(kind, user.id, now).device(device.id);
    if let Err(reason) = unlocked(view, user, Some(device), now) {
        let until = match reason {
            Reason::Locked(until) => until,
            _ => None,
        };
        return Decision::reply(Opened::Locked(until)).with(event(AuditKind::ChallengeRefused).because(&reason).into());
    }
    let of_device = || view.verifications.iter().filter(|v| v.device_id == device.id && v.status == Status::Pending);

    // A prompt is repeated only to the client that put it, through the kind of door it was put: an approval must not
    // be collected by anybody but whoever the person was asked for (SEC 5, SEC 7). Others put a prompt of their own.
    let is_own =
        |v: &Verification| v.client_id == fresh.client_id && v.state_token.is_some() == fresh.state_token.is_some();
    let waiting = of_device().rfind(|v| {
        v.is_open(now)
            && match v.challenge {
                Challenge::Approval { .. } => is_own(v),
                Challenge::Pairing { .. } => true,
                _ => false,
            }
    });
    if let Some(waiting) = waiting {
        let mut repeated = waiting.clone();
        let mut decision = Vec::new();
        if let Some(hash) = fresh.state_token {
            repeated.state_token = Some(hash);
            decision.push(Change::ReplaceStateToken { verification: waiting.id, hash });
        }
        return Decision { changes: decision, reply: Opened::Repeated(repeated) }
            .with(event(AuditKind::ChallengeRepeated).verification(Some(waiting.id)).into());
    }
    if device.factor == FactorKind::Push && device.status == DeviceStatus::Pending {
        // Its pairing code has expired; it must be enrolled anew.
        return Decision::reply(Opened::NoDevice);
    }

    let mut changes = Vec::new();
    if opening.message.is_some() {
        if let Some(at) = throttle::next_send(view, device.factor, policy, now) {
            return Decision::reply(Opened::TooSoon(at));
        }
        changes.push(throttle::count_send(view, user.id, device.factor, now));
    }
    let is_sent = opening.message.is_some() || fresh.challenge != Challenge::Own;
    let supersedes = is_sent || fresh.state_token.is_some();
    let mut open = 0;
    let mut first_end = fresh.expires_at;
    for older in of_device() {
        // A new code, link or prompt kills the older one; so does a new state token. What has run out is tidied up.
        if supersedes || !older.is_open(now) {
            changes.push(close_expired(older));
            changes.push(Change::DropMessages(older.id));
        } else {
            open += 1;
            first_end = first_end.min(older.expires_at);
        }
    }
    if open >= MAX_OPEN_PER_DEVICE {
        return Decision::reply(Opened::TooMany(first_end));
    }
    changes.push(Change::OpenVerification(fresh.clone()));
    changes.extend(opening.message.clone().map(Change::Enqueue));
    changes.push(event(AuditKind::ChallengeSent).verification(Some(fresh.id)).into());
    Decision { changes, reply: Opened::Opened(fresh.clone()) }
}

/// Removes a device with its open verifications and their messages (SEC 56).
pub(crate) fn discard(view: &View, device: DeviceId) -> Vec<Change> {
    let of_device = view.verifications.iter().filter(|v| v.device_id == device && v.status == Status::Pending);
    let ends = of_device.flat_map(|v| [close_expired(v), Change::DropMessages(v.id)]);
    ends.chain([Change::DeleteDevice(device)]).collect()
}

/// Ends an open verification without a result.
fn close_expired(verification: &Verification) -> Change {
    Change::CloseVerification { verification: verification.id, status: Status::Expired, consumed_at: None }
}

/// Ends all of a user's open verifications, with their messages, and the results nobody collected yet (SEC 56).
pub(crate) fn close_all(view: &View, now: Timestamp) -> impl Iterator<Item = Change> {
    view.verifications.iter().flat_map(move |v| match v.status {
        Status::Pending => [close_expired(v), Change::DropMessages(v.id)],
        _ => [Change::ConsumeVerification { verification: v.id, at: now }, Change::DropMessages(v.id)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_and_purpose_is_found_again_by_its_numbers() {
        let at = Timestamp(7);
        for status in [Status::Pending, Status::Accepted { at }, Status::Rejected { at }, Status::Expired] {
            let (number, at) = status.numbers();
            assert_eq!(Status::from_numbers(number, at), Some(status));
        }
        assert_eq!(Status::from_numbers(1, None), None, "accepted, but nobody knows when");
        for purpose in [Purpose::Enrol, Purpose::Login] {
            assert_eq!(Purpose::from_number(purpose.number()), Some(purpose));
        }
    }
}
