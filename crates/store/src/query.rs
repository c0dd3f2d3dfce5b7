//! What can be asked of the store, and what it answers, beyond the types of `domain`.

use domain::{Channel, ClientId, DeviceId, FactorKind, Message, Timestamp, User, UserId, VerificationId};

/// Rows of a kind that one clean-up touches, so that no decision waits long behind it.
pub(crate) const BATCH: i64 = 256;
/// Users whose states one clean-up writes.
pub(crate) const USERS: i64 = 64;
/// How long settled messages are kept, in milliseconds (SEC 87).
pub(crate) const KEEP: i64 = domain::model::time::DAY;

/// How long a list may take, unless the options of the database say.
pub(crate) const LIST_TIME: std::time::Duration = std::time::Duration::from_secs(2);
/// Lists read at once, by threads or connections that do nothing else.
pub(crate) const LISTS: usize = 2;

/// For whom something long is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// For a caller: few at once, for a short time.
    Asked,
    /// For the server itself.
    Own,
}

/// Which row an id is drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// A user; at most 2147483647.
    User,
    /// A device; at most 2147483647.
    Device,
    /// An API caller.
    Client,
    /// A message in the outbox.
    Message,
    /// A token set: the row number its sealing binds.
    TokenRow,
    /// An app; at most 2147483647.
    App,
    Webhook,
    /// A delivery to a webhook.
    Delivery,
}

impl IdKind {
    pub(crate) const ALL: [Self; 8] = [
        Self::User,
        Self::Device,
        Self::Client,
        Self::Message,
        Self::TokenRow,
        Self::App,
        Self::Webhook,
        Self::Delivery,
    ];

    pub(crate) fn number(self) -> i64 {
        match self {
            Self::User => 1,
            Self::Device => 2,
            Self::Client => 3,
            Self::Message => 4,
            Self::TokenRow => 5,
            Self::App => 6,
            Self::Webhook => 7,
            Self::Delivery => 8,
        }
    }

    /// The greatest id of this kind. Some clients read user and device ids into 32 bits (contract 1.10).
    pub(crate) fn greatest(self) -> i64 {
        match self {
            Self::User | Self::Device | Self::App => i64::from(i32::MAX),
            Self::Client | Self::Message | Self::TokenRow | Self::Webhook | Self::Delivery => i64::MAX,
        }
    }
}

/// Which users are meant: those that match every given field exactly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// The user of this id.
    pub id: Option<UserId>,
    /// Any of these users.
    pub user_ids: Option<Vec<UserId>>,
    /// The name to log in with, without regard to case.
    pub username: Option<TextFilter>,
    /// The mail address, without regard to case.
    pub email: Option<TextFilter>,
    /// Profile text `external_id`.
    pub external_id: Option<TextFilter>,
    /// Profile text `samaccountname`.
    pub samaccountname: Option<TextFilter>,
    /// Profile text `firstname`.
    pub firstname: Option<TextFilter>,
    /// Profile text `lastname`.
    pub lastname: Option<TextFilter>,
    /// Profile integer `directory_id`.
    pub directory_id: Option<i64>,
    /// Profile integer `group_id`.
    pub group_id: Option<i64>,
    /// When the user was created.
    pub created: Span,
    /// When the user was last changed.
    pub updated: Span,
    /// When the user last logged in.
    pub last_login: Span,
    /// Custom attributes by name and value.
    pub custom_attributes: Vec<(String, TextFilter)>,
    /// Those who have devices that were ever in use, none of them active and of one of these factors, and who are not freed
    /// from factors by a rule for that user (SEC 92). It may read every device.
    pub without_usable: Option<Vec<FactorKind>>,
}

/// Which texts are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFilter {
    pub text: String,
    /// Whether each `*` in it matches any characters, or none.
    pub wildcards: bool,
    /// Whether all others are meant instead, a missing text among them.
    pub negated: bool,
}

impl TextFilter {
    /// This text and no other.
    pub fn exactly(text: impl Into<String>) -> Self {
        Self { text: text.into(), wildcards: false, negated: false }
    }
}

/// Moments between two others, both included; without one there is no end to that side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub since: Option<Timestamp>,
    /// The last moment.
    pub until: Option<Timestamp>,
}

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub limit: u32,
    /// Rows left out before the first.
    pub offset: u64,
}

/// A part of the list of users, by ascending id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPage {
    /// The users of this page.
    pub users: Vec<User>,
    /// How many match on all pages.
    pub total: u64,
}

/// A message that is due, claimed by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMessage {
    /// The message, its content still sealed.
    pub message: Message,
    /// Routes that were asked to carry it or passed over, this one included ([`Turn::passed`](crate::Turn::passed)).
    pub passed: u32,
    /// The same before this claim.
    pub passed_before: u32,
    /// What is set aside for its next try, in micro-units. The claim has made it spent until its sender says otherwise.
    pub free: i64,
    /// When the claim ends. It tells this claim from every other.
    pub claimed_until: Timestamp,
}

/// What became of a claimed message that is not given up: giving up is a decision ([`domain::Change::GiveUpMessage`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageOutcome {
    /// A provider took it. Its content is wiped.
    Sent {
        /// The provider's name.
        provider: String,
        /// What was set aside for it and is not spent, in micro-units.
        unspent: i64,
    },
    /// It can be claimed again from `at` on. Nothing happens if another claim has followed this one.
    Retry {
        at: Timestamp,
        /// What is still set aside for its next try, in micro-units.
        free: i64,
        claimed_until: Timestamp,
    },
    /// From `at` on it is claimed with so much passed and set aside, as if this claim had not been. Nothing happens if another
    /// claim has followed this one.
    PutBack { at: Timestamp, passed: u32, free: i64, claimed_until: Timestamp },
}

/// Which chain of the audit trail: one per user, and one per client for what concerns no user (decision 18).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditChain {
    /// What concerns this user.
    User(UserId),
    /// What concerns this client and no user.
    Client(ClientId),
    /// What concerns neither.
    Server,
}

impl From<UserId> for AuditChain {
    fn from(user: UserId) -> Self {
        Self::User(user)
    }
}

impl From<ClientId> for AuditChain {
    fn from(client: ClientId) -> Self {
        Self::Client(client)
    }
}

/// An entry of the audit trail as stored. Names stay texts, so that entries of any version can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Position in its chain, from 1.
    pub position: i64,
    /// The id of the entry before it in its chain.
    pub previous: Option<i64>,
    pub at: Timestamp,
    pub kind: String,
    /// The user concerned.
    pub user: Option<UserId>,
    /// The API caller, where one acted.
    pub client: Option<ClientId>,
    /// The device concerned.
    pub device: Option<DeviceId>,
    /// The verification concerned.
    pub verification: Option<VerificationId>,
    /// Why, in one word.
    pub reason: Option<String>,
    /// The caller's address as the client reported it.
    pub ip: Option<String>,
    /// The request that caused it.
    pub request: Option<String>,
    /// The rule that refused, if this is a refusal ([`domain::Rule::name`]).
    pub rule: Option<String>,
    /// What its hash covers, and how ([`domain::AuditEvent::FORMAT`]).
    pub format: i64,
    /// The hash that binds it to the entry before ([`domain::AuditEvent::hash`]).
    pub hash: [u8; 32],
}

/// Which entries of the audit trail are meant, over all chains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// The entry of this id.
    pub id: Option<i64>,
    /// Of any of these kinds ([`domain::AuditKind::name`]).
    pub kinds: Option<Vec<&'static str>>,
    /// About this user.
    pub user: Option<UserId>,
    /// By this API caller.
    pub client: Option<ClientId>,
    /// Between these moments.
    pub at: Span,
}

/// Entries before or after one, not including it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPage {
    /// The entry that the page follows, in the page's own direction; `None` begins at that end of the trail.
    pub beyond: Option<i64>,
    /// Whether the greatest ids come first.
    pub descending: bool,
    pub limit: u32,
}

/// Entries of the audit trail, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    /// The entries with their ids, in the page's direction.
    pub entries: Vec<(i64, AuditRow)>,
    /// After which entry to go on, if there may be more. A page may be short and still have one after it: a call looks
    /// through so many entries and no more.
    pub next: Option<i64>,
}

/// What a clean-up removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Verifications and sessions whose time had run out.
    pub closed: u64,
    /// Results of verifications that nothing may read any more.
    pub verifications: u64,
    /// Devices deleted because their registration is over.
    pub devices: u64,
    /// Token sets deleted.
    pub tokens: u64,
    /// Outbox rows deleted.
    pub messages: u64,
    /// Budgets deleted that remembered nothing any more.
    pub budgets: u64,
    /// Whether there was more to do than one call does.
    pub more: bool,
}

/// What the writer has done since the store was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Transactions committed, each with at most one sync.
    pub commits: u64,
    pub jobs: u64,
    /// The most jobs that shared one commit.
    pub largest_group: u64,
    /// Commits by group size: `groups[n]` counts groups of more than 2ⁿ⁻¹ and at most 2ⁿ jobs.
    pub groups: [u64; 9],
    /// Groups that were run once more because one of their jobs failed.
    pub rerun_groups: u64,
    /// Commits by how long they took: each counts those up to its bound of [`COMMIT_BOUNDS`], the last all longer ones.
    pub took: [u64; COMMIT_BOUNDS.len() + 1],
    /// How long all of them took together, in microseconds.
    pub took_micros: u64,
}

/// The bounds of [`Stats::took`], in microseconds.
pub const COMMIT_BOUNDS: [u64; 8] = [250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000];

/// What waits to be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many messages.
    pub messages: u64,
    /// When the oldest of them was queued.
    pub oldest: Option<Timestamp>,
}

/// How large the database has become, where callers make it grow (SEC 87).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Rows of tables that callers make grow, by the table's name. None is counted further than [`COUNTED`].
    pub rows: Vec<(&'static str, u64)>,
    /// The greatest id of the audit trail less the least, and one: at least as many entries as there are.
    pub audit_entries: u64,
    /// When the oldest entry of the audit trail was written.
    pub oldest_entry: Option<Timestamp>,
    /// Bytes of the database, without its log.
    pub bytes: u64,
    /// Bytes of the write-ahead log (SQLite).
    pub log_bytes: u64,
}

/// How far rows are counted: what is beyond is far beyond what is usual, and counting would cost more than it tells.
pub const COUNTED: u64 = 1_000_000;

/// A message that reached the dev world's last hop. In the clear, and never in a served database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevMessage {
    /// Ascending, never used again; ignored when recording.
    pub id: i64,
    /// How it travelled.
    pub channel: Channel,
    /// A number, an address, or a device's name.
    pub to: String,
    pub body: String,
    /// The subject line, for mail.
    pub subject: Option<String>,
    /// The code inside the words.
    pub code: Option<String>,
    /// The link inside the words.
    pub link: Option<String>,
    /// For a push: the nonce to sign.
    pub nonce: Option<String>,
    /// Whom it concerns.
    pub user_id: UserId,
    pub device_id: Option<DeviceId>,
    pub verification_id: VerificationId,
    /// When it was recorded.
    pub created_at: Timestamp,
}

/// Which of the dev world's messages are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DevFilter {
    /// Only those recorded after the message of this id.
    pub after: Option<i64>,
    /// Only this user's.
    pub user_id: Option<UserId>,
    /// Only this device's.
    pub device_id: Option<DeviceId>,
    /// Only those of this verification.
    pub verification_id: Option<VerificationId>,
    /// Only those that travelled this way.
    pub channel: Option<Channel>,
    /// Only those to this number, address or name.
    pub to: Option<String>,
}
