//! The whole vocabulary between rules and storage: what a decision may see, and everything that can ever happen.

use crate::model::audit::AuditEvent;
use crate::model::budget::{Budget, Spent};
use crate::model::challenge::Challenge;
use crate::model::client::{Client, TokenSet};
use crate::model::device::{Device, Subscribed};
use crate::model::digest::Digest;
use crate::model::id::{ClientId, DeviceId, MessageId, SessionId, UserId, VerificationId};
use crate::model::message::{DropReason, Message};
use crate::model::name::LoginNames;
use crate::model::seal::Sealed;
use crate::model::secret_mark::SecretMark;
use crate::model::session::{Begun, Session, SessionEnd, Terms};
use crate::model::temp_token::TempToken;
use crate::model::throttle::{Throttle, ThrottleKey};
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::model::verification::{Verification, VerificationEnd};

/// One user as a decision sees it: loaded fresh, under the user's lock, in the deciding transaction.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The user; `None` if there is none of that id.
    pub user: Option<User>,
    /// All of the user's devices, oldest first.
    pub devices: Vec<Device>,
    /// The verifications that may still be answered or collected, or asked about by the phone that they paired
    /// ([`Verification::is_kept`]), oldest first.
    pub verifications: Vec<Verification>,
    /// Log-ins under way and what they have granted, until they end, oldest first.
    pub sessions: Vec<Session>,
    /// What the limits remember about this user.
    pub throttles: Vec<Throttle>,
}

impl View {
    /// The device with this id.
    pub fn device(&self, id: DeviceId) -> Option<&Device> {
        self.devices.iter().find(|device| device.id == id)
    }

    /// The verification with this id, if it is kept.
    pub fn verification(&self, id: VerificationId) -> Option<&Verification> {
        self.verifications.iter().find(|verification| verification.id == id)
    }

    /// The verifications that may still be answered or collected, oldest first.
    pub fn live(&self) -> impl Iterator<Item = &Verification> {
        self.verifications.iter().filter(|verification| verification.is_live())
    }

    /// The session with this id that has not ended.
    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == id)
    }

    /// What is remembered under `key`; a blank slate if nothing is.
    pub fn throttle(&self, key: ThrottleKey) -> Throttle {
        self.throttles.iter().find(|throttle| throttle.key == key).cloned().unwrap_or_else(|| Throttle::new(key))
    }
}

/// Everything that can happen to the database through a decision. Applied in order, all or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new user.
    CreateUser(User),
    /// A user's fields, whole. The temporary token and the names to log in with are not among them.
    UpdateUser(User),
    /// The visits of a user that Smart MFA would trust again, or that wait for their code, are forgotten. It follows an
    /// [`Change::UpdateUser`] of the same decision, which writes them with everything else.
    ForgetVisits(UserId),
    /// A user's names to log in with. Void if somebody else has one of those that are new.
    RenameUser {
        user: UserId,
        /// As the view shows them.
        from: LoginNames,
        /// As they are from now on.
        to: LoginNames,
    },
    /// A user and all that hangs on it, except the audit trail and what was used of secrets.
    DeleteUser {
        user: UserId,
        /// Their names, which are free from now on.
        names: LoginNames,
    },
    /// The user's temporary token, or none.
    SetTempToken(UserId, Option<TempToken>),

    /// A new device. What was ever used of its secret, here or with another user, counts as used: its counter begins no
    /// lower.
    CreateDevice(Device),
    /// The first proof: the device is in use from now on. A credential is given when pairing brought one.
    ActivateDevice {
        device: DeviceId,
        /// The counter its confirming code used up.
        counter: Option<i64>,
        /// The credential that replaces the pending one.
        credential: Option<Sealed>,
        at: Timestamp,
    },
    /// A counter or time step is spent. Applied only forwards.
    AdvanceCounter {
        device: DeviceId,
        /// The step that was accepted.
        counter: i64,
        at: Timestamp,
    },
    /// A list from elsewhere corrects how a device makes its codes. The secret stays.
    ReviseDevice {
        device: DeviceId,
        /// The corrected credential.
        credential: Sealed,
        /// How its secret is recognised.
        secret: Option<SecretMark>,
        /// The name its owner gave it.
        display_name: String,
        /// What is spent, counted as the corrected credential counts. Never less time or fewer codes than before.
        last_counter: i64,
    },
    /// The secret of a device that an earlier version made is recognised from now on.
    MarkSecret {
        device: DeviceId,
        /// How its secret is recognised.
        secret: SecretMark,
    },
    /// A time step in the future, spent while a clock was wrong, is lowered to the newest that can have been used by
    /// now. Applied only backwards.
    LowerCounter {
        device: DeviceId,
        /// The newest step that can have been used.
        counter: i64,
    },
    /// The device proved something that has no counter.
    TouchDevice { device: DeviceId, at: Timestamp },
    /// Where a phone is notified from now on, or that it is not.
    Subscribe { device: DeviceId, subscription: Option<Subscribed> },
    /// Too many wrong answers (SEC 22).
    DisableDevice(DeviceId),
    /// An administrator unlocks a disabled device.
    EnableDevice(DeviceId),
    /// A device and its open verifications are gone. What was used of its secret is remembered.
    DeleteDevice(DeviceId),

    /// A new verification.
    OpenVerification(Verification),
    /// A verification reached its end. Applied only to a pending one.
    CloseVerification { verification: VerificationId, end: VerificationEnd },
    /// An accepted verification was collected by its poller (decision 11).
    ConsumeVerification { verification: VerificationId, at: Timestamp },
    /// A wrong answer to this verification.
    CountAttempt(VerificationId),
    /// A live prompt gets a new state token; the old one is dead (decision 26).
    ReplaceStateToken {
        verification: VerificationId,
        /// Digest of the new state token.
        hash: Digest,
    },
    /// A live prompt asks for another number under another id: the caller that asked again shows this number and polls
    /// this id (SEC 12).
    ReplaceChallenge {
        verification: VerificationId,
        /// What callers know it by from now on.
        wire_id: String,
        /// The same prompt with its new number.
        challenge: Challenge,
    },

    /// A log-in begins, or grants something.
    OpenSession(Session),
    /// A session reached its end. Applied only to one that has not ended.
    CloseSession { session: SessionId, end: SessionEnd },
    /// What was begun with an invitation.
    SetBegun { session: SessionId, begun: Vec<Begun> },
    /// A wrong answer in a log-in under way.
    CountLogInAttempt(SessionId),
    /// What a log-in under way is for, and what happened in it so far.
    SetTerms { session: SessionId, terms: Terms },

    /// What a limit remembers.
    SetThrottle(UserId, Throttle),
    /// A limit forgets.
    ClearThrottle(UserId, ThrottleKey),

    /// What was taken out of a budget. Only a decision about that budget may say so.
    SetSpent(Budget, Spent),

    /// A message to be sent once this is committed.
    Enqueue(Message),
    /// Queued messages of a superseded verification are wiped unsent.
    DropMessages(VerificationId),
    /// The messages of a verification were answered with the right code. It is remembered of those to telephones (SEC 102).
    MarkAnswered { verification: VerificationId, at: Timestamp },
    /// A queued message is given up and wiped. Applied only to one that still waits.
    GiveUpMessage {
        message: MessageId,
        why: DropReason,
        /// What was set aside for it and is not spent, in micro-units.
        unspent: i64,
        at: Timestamp,
    },
    /// A queued message was sent in another way than its own, and is wiped. Applied only to one that still waits.
    SettleMessage {
        message: MessageId,
        /// The name of the provider that took it.
        provider: String,
        /// What was set aside for it and is not spent, in micro-units.
        unspent: i64,
        at: Timestamp,
    },

    /// A new client.
    CreateClient(Client),
    /// A client's fields, whole, except the wrong secrets it has seen.
    UpdateClient(Client),
    /// Moments of recent wrong secrets.
    SetWrongSecrets { client: ClientId, at: Vec<Timestamp> },
    /// A new token pair.
    CreateTokenSet(TokenSet),
    /// A newer pair of its line is answered instead of this one: its sealed copy is wiped. The pair itself lives on.
    ReplaceTokenSet {
        /// Its access token.
        access: Digest,
    },
    /// All pairs that descend from one grant end.
    EndTokenFamily { client: ClientId, family: i64, at: Timestamp },
    /// All pairs of a client end.
    EndTokens { client: ClientId, at: Timestamp },
    /// Whatever a client has begun with the user ends: challenges, log-ins, sessions (SEC 56).
    EndBegun(ClientId),

    /// An entry in the audit trail.
    Record(AuditEvent),
}

/// What a rule decided: the changes to apply, and the answer to give once they are durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<T> {
    /// Applied in order, all or none.
    pub changes: Vec<Change>,
    /// What is recorded later, together with others like it and their number: refusals under a lock (SEC 26). It changes
    /// nothing in the database.
    pub folded: Vec<AuditEvent>,
    /// Given only after the changes are durable (SEC 76).
    pub reply: T,
}

impl<T> Decision<T> {
    /// A decision that changes nothing.
    pub fn reply(reply: T) -> Self {
        Self::of(Vec::new(), reply)
    }

    /// A decision that makes these changes.
    pub fn of(changes: Vec<Change>, reply: T) -> Self {
        Self { changes, folded: Vec::new(), reply }
    }

    /// The same changes with another reply.
    pub fn map<U>(self, reply: impl FnOnce(T) -> U) -> Decision<U> {
        Decision { changes: self.changes, folded: self.folded, reply: reply(self.reply) }
    }

    /// Adds what is recorded later.
    pub fn folding(mut self, event: AuditEvent) -> Self {
        self.folded.push(event);
        self
    }

    /// Adds a change.
    pub fn with(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    /// Adds a change before the others.
    pub fn with_first(mut self, change: Change) -> Self {
        self.changes.insert(0, change);
        self
    }

    /// Adds several changes.
    pub fn with_all(mut self, changes: impl IntoIterator<Item = Change>) -> Self {
        self.changes.extend(changes);
        self
    }
}

impl From<AuditEvent> for Change {
    fn from(event: AuditEvent) -> Self {
        Self::Record(event)
    }
}
