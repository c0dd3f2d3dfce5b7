//! How many messages may be sent (SEC 33), and the rules of what holds over all users. Those about one user's devices are
//! in [`crate::rules::throttle`].
//!
//! A message is counted before it is queued, and what is counted stays counted unless it is known that nothing was
//! queued: a server that dies in between has counted one too many, never one too few.

use crate::model::audit::{AuditEvent, AuditKind};
use crate::model::budget::{Budget, BudgetView, DayTaken, Sent, Spent, SpentList};
use crate::model::change::{Change, Decision};
use crate::model::country;
use crate::model::credential::Credential;
use crate::model::digest::{KeyedHash, OwnKey};
use crate::model::id::ClientId;
use crate::model::message::Charge;
use crate::model::policy::SendLimits;
use crate::model::text;
use crate::model::time::{DAY, HOUR, Timestamp};

/// Who gets a message, recognisable only by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient {
    /// Where messages to it are counted.
    pub budget: Budget,
    /// Its mark there.
    pub target: [u8; 8],
    /// Whether it is one of a hundred adjacent numbers.
    pub in_block: bool,
}

/// What the digests of recipients are bound to.
const BLOCK: &str = "sends.block";
const TARGET: &str = "sends.target";
/// What the digests of a thousand adjacent numbers are bound to.
const THOUSAND: &str = "sends.thousand";

/// What a message to a device with this credential is counted for, if it goes to a telephone (SEC 101, SEC 102): `micros` are
/// set aside for it, and `is_answered` says that its recipient is asked for an answer.
pub fn charge(
    credential: &Credential,
    key: &OwnKey,
    client: Option<ClientId>,
    micros: i64,
    is_answered: bool,
) -> Option<Charge> {
    let number = credential.phone()?;
    let country = country::counted(number);
    Some(Charge { client, country, block: is_answered.then(|| thousand(number, key)), micros })
}

/// The thousand numbers that a canonical number is one of: those that agree with it in all but their last three digits.
pub fn thousand(number: &str, key: &OwnKey) -> KeyedHash {
    key.hash(THOUSAND, number.get(..number.len().saturating_sub(3)).unwrap_or_default())
}

impl Recipient {
    /// The recipient of messages to a device with this credential. A number is one recipient for texts and calls, an
    /// address is one however it is spelt. Prompts go to a phone that somebody paired and are limited by SEC 13.
    pub fn of(credential: &Credential, key: &OwnKey) -> Option<Self> {
        let mark = |text: &str| {
            let mut target = [0; 8];
            target.copy_from_slice(&key.mac(TARGET, text.as_bytes())[..8]);
            target
        };
        match credential {
            Credential::Sms { phone } | Credential::Voice { phone } => {
                // Canonical, so all digits; the last two tell a hundred adjacent numbers apart.
                let block: String = phone.chars().take(phone.chars().count().saturating_sub(2)).collect();
                let budget = Budget::Block(key.hash(BLOCK, &block));
                Some(Self { budget, target: mark(phone), in_block: true })
            }
            Credential::Email { address } => {
                let mailbox = text::mailbox(address);
                let budget = Budget::Block(key.hash(BLOCK, &mailbox));
                Some(Self { budget, target: mark(&mailbox), in_block: false })
            }
            Credential::Totp(_) | Credential::Hotp(_) | Credential::Push { .. } => None,
        }
    }
}

impl Recipient {
    /// The same recipient where the part of callers is counted who may only look (SEC 95). Messages of theirs count here
    /// and where everybody's do.
    #[must_use]
    pub fn of_readers(self) -> Self {
        match self.budget {
            Budget::Block(block) => Self { budget: Budget::BlockOfReaders(block), ..self },
            _ => self,
        }
    }
}

/// Counts one message to a recipient, or says from when on there may be one.
pub fn count(
    view: &BudgetView,
    to: &Recipient,
    limits: &SendLimits,
    now: Timestamp,
) -> Decision<Result<(), Timestamp>> {
    let keep = if limits.target_per_day > 0 { DAY } else { HOUR };
    let mut recent = view.spent.messages().to_vec();
    recent.retain(|sent| now.is_within(keep, sent.at));
    let full = |most: u32, window: i64, own: bool| {
        let counts = |sent: &&Sent| (!own || sent.target == to.target) && now.is_within(window, sent.at);
        let mut crowd: Vec<_> = recent.iter().filter(counts).map(|sent| sent.at).collect();
        // Nodes' clocks differ a little.
        crowd.sort_unstable();
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        (most > 0 && crowd.len() >= most).then(|| crowd[crowd.len() - most].plus(window))
    };
    let block = if to.in_block { full(limits.block_per_hour, HOUR, false) } else { None };
    if let Some(at) = full(limits.target_per_day, DAY, true).max(block) {
        return Decision::reply(Err(at));
    }
    recent.push(Sent { at: now, target: to.target });
    Decision::reply(Ok(())).with(Change::SetSpent(to.budget, of_messages(recent)))
}

/// Takes back what was counted at `at` for a message that was not queued.
pub fn give_back(view: &BudgetView, to: &Recipient, at: Timestamp) -> Decision<()> {
    let mut recent = view.spent.messages().to_vec();
    let Some(place) = recent.iter().position(|sent| *sent == Sent { at, target: to.target }) else {
        return Decision::reply(());
    };
    recent.remove(place);
    Decision::reply(()).with(Change::SetSpent(to.budget, of_messages(recent)))
}

fn of_messages(recent: Vec<Sent>) -> Spent {
    Spent { kept: SpentList::Messages(recent), ..Spent::default() }
}

/// How full a day's budget became.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// Four fifths are taken.
    Near,
    /// All is taken: nothing more is sent before the day is over.
    Full,
}

impl Alarm {
    /// The alarm that this much of `limit` deserves.
    pub fn of(taken: i64, limit: i64) -> Option<Self> {
        if taken >= limit {
            Some(Self::Full)
        } else if taken.saturating_mul(5) >= limit.saturating_mul(4) {
            Some(Self::Near)
        } else {
            None
        }
    }

    /// The percentage it is about.
    pub fn percent(self) -> u8 {
        match self {
            Self::Near => 80,
            Self::Full => 100,
        }
    }
}

/// What a node may use of a day without asking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeasedOfDay {
    /// How many messages, or micro-units; none where the day's budget is used up.
    pub amount: i64,
    /// When the day is over.
    pub until: Timestamp,
    /// What this reached, if anything: said once a day, to one node.
    pub alarm: Option<Alarm>,
}

/// How many messages of a day a node takes at a time: one in a hundred, so that small limits are met exactly.
pub fn share(limit: i64) -> i64 {
    (limit / 100).clamp(1, 50)
}

/// How much money of a day a node takes at a time: a hundredth, and enough for what it needs it for.
pub fn share_of_money(cap: i64, needed: i64) -> i64 {
    (cap / 100).max(needed)
}

/// How far a clock may be behind one that has begun the next day, in milliseconds.
const BEHIND: i64 = HOUR;
/// How many days are remembered besides the one in hand: those that a clock that jumps about can come back to.
const OTHER_DAYS: usize = 6;

/// The beginning of the day that counts. A node whose clock is behind goes on in the day that others have begun.
fn day_of(spent: &Spent, now: Timestamp) -> Timestamp {
    let own = Timestamp(now.0.div_euclid(DAY) * DAY);
    let next = own.plus(DAY);
    if spent.since == next && next.since(now) <= BEHIND { next } else { own }
}

fn taken_on(spent: &Spent, day: Timestamp) -> i64 {
    if spent.since == day {
        return spent.taken;
    }
    spent.days().iter().find(|other| other.began == day).map_or(0, |other| other.taken)
}

/// The budget with so much taken of this day. The day before it in hand is remembered: should the clock be set back, it
/// is found as it was left.
fn with_taken(spent: &Spent, day: Timestamp, taken: i64) -> Spent {
    let mut days = spent.days().to_vec();
    days.push(DayTaken { began: spent.since, taken: spent.taken });
    days.retain(|other| other.began != day && other.taken != 0);
    days.drain(..days.len().saturating_sub(OTHER_DAYS));
    Spent { taken, since: day, kept: SpentList::Days(days) }
}

/// Takes up to `want` messages, or micro-units, out of the day of `now`.
pub fn lease(view: &BudgetView, budget: Budget, limit: i64, want: i64, now: Timestamp) -> Decision<LeasedOfDay> {
    let day = day_of(&view.spent, now);
    let before = taken_on(&view.spent, day);
    let amount = limit.saturating_sub(before).clamp(0, want.max(0));
    let after = before.saturating_add(amount);
    let reached = Alarm::of(after, limit).filter(|alarm| amount > 0 && Some(*alarm) > Alarm::of(before, limit));
    let decision = Decision::reply(LeasedOfDay { amount, until: day.plus(DAY), alarm: reached });
    if amount == 0 {
        return decision;
    }
    let decision = decision.with(Change::SetSpent(budget, with_taken(&view.spent, day, after)));
    match reached {
        Some(alarm) => decision.with(event(budget, alarm, now).into()),
        None => decision,
    }
}

/// How many messages, or micro-units, of the day of `now` were taken.
pub fn taken_today(spent: &Spent, now: Timestamp) -> i64 {
    taken_on(spent, day_of(spent, now))
}

fn event(budget: Budget, alarm: Alarm, now: Timestamp) -> AuditEvent {
    let kind = match (budget, alarm) {
        (Budget::SpendOfServer | Budget::SpendOfClient(_) | Budget::SpendOfCountry(_), Alarm::Near) => {
            AuditKind::SpendNearCap
        }
        (Budget::SpendOfServer | Budget::SpendOfClient(_) | Budget::SpendOfCountry(_), Alarm::Full) => {
            AuditKind::SpendAtCap
        }
        (_, Alarm::Near) => AuditKind::MessagesNearCeiling,
        (_, Alarm::Full) => AuditKind::MessagesAtCeiling,
    };
    AuditEvent::of_server(kind, now).by(budget.client()).about_country(budget.country())
}
