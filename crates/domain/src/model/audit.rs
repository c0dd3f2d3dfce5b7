//! What happened, written in the transaction that made it happen, each entry hashing the one before (SEC 49, decision 18).

use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use crate::model::client::Right;
use crate::model::id::{ClientId, DeviceId, SessionId, UserId, VerificationId};
use crate::model::message::DropReason;
use crate::model::refusal::{Reason, Rule};
use crate::model::time::Timestamp;

/// The kinds of event. The names are stored and exported; they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each name says it")]
pub enum AuditKind {
    UserCreated,
    UserUpdated,
    UserDeleted,
    UserLocked,
    UserUnlocked,
    UserLoggedOut,
    PasswordSet,
    SignInStarted,
    SignInRefused,
    SignedIn,
    SessionOpened,
    DeviceEnrolled,
    DeviceTrusted,
    DeviceImported,
    DeviceActivated,
    DeviceReplaced,
    DeviceDeleted,
    DeviceDisabled,
    RegistrationRejected,
    ChallengeSent,
    ChallengeRepeated,
    ChallengeRefused,
    Verified,
    Refused,
    PushAccepted,
    PushDenied,
    PushReported,
    PromptsRefused,
    KeypadAnswered,
    LinkConfirmed,
    GuessLock,
    TempTokenIssued,
    TempTokenUsed,
    TempTokenRevoked,
    ClientCreated,
    ClientRevoked,
    ClientRotated,
    ClientChanged,
    ClientRefused,
    TokenIssued,
    TokenRefreshed,
    TokenRevoked,
    TokenReused,
    MessagesNearCeiling,
    MessagesAtCeiling,
    MessageFailed,
    MessageCalled,
    SpendNearCap,
    SpendAtCap,
    PrefixClosed,
    Invited,
    InvitationUsed,
}

impl AuditKind {
    /// All of them.
    pub const ALL: [Self; 52] = [
        Self::UserCreated,
        Self::UserUpdated,
        Self::UserDeleted,
        Self::UserLocked,
        Self::UserUnlocked,
        Self::UserLoggedOut,
        Self::PasswordSet,
        Self::SignInStarted,
        Self::SignInRefused,
        Self::SignedIn,
        Self::SessionOpened,
        Self::DeviceEnrolled,
        Self::DeviceTrusted,
        Self::DeviceImported,
        Self::DeviceActivated,
        Self::DeviceReplaced,
        Self::DeviceDeleted,
        Self::DeviceDisabled,
        Self::RegistrationRejected,
        Self::ChallengeSent,
        Self::ChallengeRepeated,
        Self::ChallengeRefused,
        Self::Verified,
        Self::Refused,
        Self::PushAccepted,
        Self::PushDenied,
        Self::PushReported,
        Self::PromptsRefused,
        Self::KeypadAnswered,
        Self::LinkConfirmed,
        Self::GuessLock,
        Self::TempTokenIssued,
        Self::TempTokenUsed,
        Self::TempTokenRevoked,
        Self::ClientCreated,
        Self::ClientRevoked,
        Self::ClientRotated,
        Self::ClientChanged,
        Self::ClientRefused,
        Self::TokenIssued,
        Self::TokenRefreshed,
        Self::TokenRevoked,
        Self::TokenReused,
        Self::MessagesNearCeiling,
        Self::MessagesAtCeiling,
        Self::MessageFailed,
        Self::MessageCalled,
        Self::SpendNearCap,
        Self::SpendAtCap,
        Self::PrefixClosed,
        Self::Invited,
        Self::InvitationUsed,
    ];

    /// The kind of this stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserCreated => "user.created",
            Self::UserUpdated => "user.updated",
            Self::UserDeleted => "user.deleted",
            Self::UserLocked => "user.locked",
            Self::UserUnlocked => "user.unlocked",
            Self::UserLoggedOut => "user.logged_out",
            Self::PasswordSet => "user.password_set",
            Self::SignInStarted => "login.started",
            Self::SignInRefused => "login.refused",
            Self::SignedIn => "login.completed",
            Self::SessionOpened => "session.opened",
            Self::DeviceEnrolled => "device.enrolled",
            Self::DeviceTrusted => "device.trusted",
            Self::DeviceImported => "device.imported",
            Self::DeviceActivated => "device.activated",
            Self::DeviceReplaced => "device.replaced",
            Self::DeviceDeleted => "device.deleted",
            Self::DeviceDisabled => "device.disabled",
            Self::RegistrationRejected => "registration.rejected",
            Self::ChallengeSent => "challenge.sent",
            Self::ChallengeRepeated => "challenge.repeated",
            Self::ChallengeRefused => "challenge.refused",
            Self::Verified => "verification.accepted",
            Self::Refused => "verification.refused",
            Self::PushAccepted => "push.accepted",
            Self::PushDenied => "push.denied",
            Self::PushReported => "push.reported",
            Self::PromptsRefused => "push.fatigue",
            Self::KeypadAnswered => "voice.answered",
            Self::LinkConfirmed => "link.confirmed",
            Self::GuessLock => "guess.locked",
            Self::TempTokenIssued => "temp_token.issued",
            Self::TempTokenUsed => "temp_token.used",
            Self::TempTokenRevoked => "temp_token.revoked",
            Self::ClientCreated => "client.created",
            Self::ClientRevoked => "client.revoked",
            Self::ClientRotated => "client.rotated",
            Self::ClientChanged => "client.changed",
            Self::ClientRefused => "client.refused",
            Self::TokenIssued => "token.issued",
            Self::TokenRefreshed => "token.refreshed",
            Self::TokenRevoked => "token.revoked",
            Self::TokenReused => "token.reused",
            Self::MessagesNearCeiling => "messages.near_ceiling",
            Self::MessagesAtCeiling => "messages.at_ceiling",
            Self::MessageFailed => "message.failed",
            Self::MessageCalled => "message.called",
            Self::SpendNearCap => "spend.near_cap",
            Self::SpendAtCap => "spend.at_cap",
            Self::PrefixClosed => "messages.prefix_closed",
            Self::Invited => "user.invited",
            Self::InvitationUsed => "user.invitation_used",
        }
    }
}

/// One entry. It names ids, never codes, numbers or addresses (SEC 48).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    pub at: Timestamp,
    pub kind: AuditKind,
    /// Whose chain it belongs to; events without a user belong to their client's chain.
    pub user: Option<UserId>,
    /// The API caller, where one acted.
    pub client: Option<ClientId>,
    /// The device concerned.
    pub device: Option<DeviceId>,
    /// The verification or session concerned; the trail has one place for both.
    pub verification: Option<VerificationId>,
    /// Why, in one word.
    pub reason: Option<&'static str>,
    /// The country whose numbers it is about. Stored behind the reason.
    pub country: Option<&'static str>,
    /// How many times it happened, if one entry counts several (SEC 26). Stored behind the reason.
    pub times: Option<u32>,
    /// The caller's address, as the client itself reported it (`ipaddr`): stored, never judged.
    pub ip: Option<String>,
    /// The request that caused it, as `X-Request-Id` names it in its answer and in the log. Commands and what the server does by
    /// itself have none, nor has an entry that counts several refusals.
    pub request: Option<Arc<str>>,
    /// The rule that refused, if the entry records a refusal.
    pub rule: Option<Rule>,
}

impl AuditEvent {
    /// The format of entries written now: what their hash covers, and how. Entries of earlier formats stay as they are; what theirs
    /// covers, `store` knows, which verifies them.
    pub const FORMAT: i64 = 2;

    /// An event of a user.
    pub fn of_user(kind: AuditKind, user: UserId, now: Timestamp) -> Self {
        Self { user: Some(user), ..Self::of_server(kind, now) }
    }

    /// An event of a client without a user.
    pub fn of_client(kind: AuditKind, client: ClientId, now: Timestamp) -> Self {
        Self { client: Some(client), ..Self::of_server(kind, now) }
    }

    /// An event of neither.
    pub fn of_server(kind: AuditKind, now: Timestamp) -> Self {
        Self {
            at: now,
            kind,
            user: None,
            client: None,
            device: None,
            verification: None,
            reason: None,
            country: None,
            times: None,
            ip: None,
            request: None,
            rule: None,
        }
    }

    /// Names the request.
    pub fn in_request(mut self, request: Option<&Arc<str>>) -> Self {
        self.request = request.cloned();
        self
    }

    /// Names the caller.
    pub fn by(mut self, client: Option<ClientId>) -> Self {
        self.client = client;
        self
    }

    /// Names the device.
    pub fn device(mut self, device: DeviceId) -> Self {
        self.device = Some(device);
        self
    }

    /// Names the session, where a verification would be named.
    pub fn session(self, session: SessionId) -> Self {
        self.verification(Some(VerificationId(session.0)))
    }

    /// Names the verification.
    pub fn verification(mut self, verification: Option<VerificationId>) -> Self {
        self.verification = verification;
        self
    }

    /// Adds the reason.
    pub fn because(mut self, reason: &Reason) -> Self {
        self.reason = Some(reason.name());
        self
    }

    /// Says that this is a refusal, by which rule, and its reason in one word.
    pub fn refused(mut self, rule: Rule, reason: &'static str) -> Self {
        (self.rule, self.reason) = (Some(rule), Some(reason));
        self
    }

    /// Names the country whose numbers it is about.
    pub fn about_country(mut self, country: Option<&'static str>) -> Self {
        self.country = country;
        self
    }

    /// Says in one word what it is about.
    pub fn about(mut self, what: &'static str) -> Self {
        self.reason = Some(what);
        self
    }

    /// Says why a message was given up.
    pub fn given_up(mut self, why: DropReason) -> Self {
        self.reason = Some(why.name());
        self
    }

    /// The reason as it is stored: the word, and behind it how often, as in `locked:37`, or the country, as in `block DE`.
    pub fn stored_reason(&self) -> Option<Cow<'static, str>> {
        match (self.reason, self.country, self.times) {
            (Some(reason), _, Some(times)) => Some(Cow::Owned(format!("{reason}{TIMES}{times}"))),
            (Some(reason), Some(country), None) => Some(Cow::Owned(format!("{reason} {country}"))),
            (reason, country, _) => reason.or(country).map(Cow::Borrowed),
        }
    }

    /// The hash of this entry given the one before it in its chain: SHA-256 over the format, the previous hash, the position
    /// and every field. Each has its length in 8 bytes before it, and the greatest length and nothing behind it says that a
    /// field has no value.
    pub fn hash(&self, previous: &[u8], position: i64) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut field = |value: Option<&[u8]>| {
            hash.update(value.map_or(u64::MAX, |bytes| bytes.len() as u64).to_be_bytes());
            hash.update(value.unwrap_or_default());
        };
        let number = |id: i64| id.to_be_bytes();
        field(Some(&number(Self::FORMAT)));
        field(Some(previous));
        field(Some(&number(position)));
        field(Some(&number(self.at.0)));
        field(Some(self.kind.name().as_bytes()));
        field(self.user.map(|id| number(id.0)).as_ref().map(<[u8; 8]>::as_slice));
        field(self.client.map(|id| number(id.0)).as_ref().map(<[u8; 8]>::as_slice));
        field(self.device.map(|id| number(id.0)).as_ref().map(<[u8; 8]>::as_slice));
        field(self.verification.as_ref().map(|id| id.0.as_bytes().as_slice()));
        field(self.stored_reason().as_deref().map(str::as_bytes));
        field(self.ip.as_deref().map(str::as_bytes));
        field(self.request.as_deref().map(str::as_bytes));
        field(self.rule.map(|rule| rule.name().as_bytes()));
        hash.finalize().into()
    }
}

/// Separates a stored reason from its count.
const TIMES: char = ':';

/// A stored reason in its parts: the word, and the count if one entry counts several.
pub fn parted(stored: &str) -> (&str, Option<u32>) {
    match stored.split_once(TIMES).map(|(reason, times)| (reason, times.parse().ok())) {
        Some((reason, Some(times))) => (reason, Some(times)),
        _ => (stored, None),
    }
}

/// Who asks: for the audit trail, and for what depends on the caller.
#[derive(Debug, Clone, Default)]
pub struct Actor {
    /// The API caller.
    pub client: Option<ClientId>,
    /// What the caller may do to people (SEC 95).
    pub right: Right,
    /// The end user's address as the caller reported it; stored, never judged.
    pub ip: Option<String>,
    /// Where the call came from, as trusted proxies report it: shown to the person who is asked to confirm, never judged.
    pub peer: Option<IpAddr>,
    /// The id of the request, if this is one.
    pub request: Option<Arc<str>>,
}

impl Actor {
    /// An audit entry of this user by this caller.
    pub fn event(&self, kind: AuditKind, user: UserId, now: Timestamp) -> AuditEvent {
        AuditEvent { ip: self.ip.clone(), ..self.consequence(kind, user, now).by(self.client) }
    }

    /// An entry of what follows by itself from something else that this caller did.
    pub fn consequence(&self, kind: AuditKind, user: UserId, now: Timestamp) -> AuditEvent {
        AuditEvent::of_user(kind, user, now).in_request(self.request.as_ref())
    }

    /// An entry of what this request did to a client.
    pub fn client_event(&self, kind: AuditKind, client: ClientId, now: Timestamp) -> AuditEvent {
        AuditEvent::of_client(kind, client, now).in_request(self.request.as_ref())
    }
}
