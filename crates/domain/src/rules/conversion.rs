//! The conversion breaker (contract 18.12, SEC 102) closes prefixes of numbers whose messages are rarely answered.
//!
//! A prefix is a country, or a thousand adjacent numbers. Where somebody sends messages only to make them cost, few are answered:
//! the prefix closes for a while, then a few trial messages decide. What is known is in the outbox; what was decided is in the
//! prefix's budget, which is decided about in one place for all nodes.

use std::collections::{HashMap, HashSet};

use crate::model::audit::{AuditEvent, AuditKind};
use crate::model::budget::{Budget, BudgetView, Spent, SpentList, Trials};
use crate::model::change::{Change, Decision};
use crate::model::digest::KeyedHash;
use crate::model::policy::BreakerLimits;
use crate::model::time::{HOUR, MINUTE, SECOND, Timestamp};

/// How old a message is before it is judged, in milliseconds: people need a moment to answer.
pub const AGE: i64 = 60 * SECOND;
/// How far back messages are judged, in milliseconds.
pub const WINDOW: i64 = HOUR;
/// How long a prefix is closed, in milliseconds.
pub const REST: i64 = 15 * MINUTE;
/// How many trial messages follow.
pub const TRIALS: u32 = 5;
/// Shortest time between two judgements, in milliseconds.
pub const EVERY: i64 = 5 * SECOND;

/// A message that asked for an answer and was handed to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedMessage {
    /// When it was queued.
    pub at: Timestamp,
    /// The country of its number.
    pub country: &'static str,
    /// The thousand numbers that its number is one of.
    pub block: KeyedHash,
    /// Whether it was answered with the right code.
    pub is_verified: bool,
}

impl AskedMessage {
    /// The prefixes that it belongs to, the narrowest first.
    pub fn prefixes(&self) -> [Budget; 2] {
        prefixes(self.country, self.block)
    }
}

/// The prefixes of a number, the narrowest first.
pub fn prefixes(country: &'static str, block: KeyedHash) -> [Budget; 2] {
    [Budget::PrefixOfBlock(block), Budget::PrefixOfCountry(country)]
}

/// What holds for a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrefixState {
    /// Messages are sent. Those before this moment are not judged: trials have shown since that they are answered.
    Open { judged_from: Timestamp },
    /// None is sent before this moment. From then on trial messages are.
    Closed { until: Timestamp, trials: Trials },
}

impl Default for PrefixState {
    fn default() -> Self {
        Self::Open { judged_from: Timestamp(i64::MIN) }
    }
}

impl PrefixState {
    /// What a budget of a prefix says.
    pub fn of(spent: &Spent) -> Self {
        match spent.kept {
            SpentList::Trials(trials) => Self::Closed { until: spent.since, trials },
            _ if *spent == Spent::default() => Self::default(),
            _ => Self::Open { judged_from: spent.since },
        }
    }

    /// What the budget of a prefix in this state says.
    pub(crate) fn spent(self) -> Spent {
        match self {
            Self::Open { judged_from } => Spent { since: judged_from, ..Spent::default() },
            Self::Closed { until, trials } => {
                Spent { taken: trials.given.into(), since: until, kept: SpentList::Trials(trials) }
            }
        }
    }

    /// Whether it is not simply open.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Closed { .. })
    }

    /// Until when no message at all is sent; nothing if a trial message may be.
    pub fn refused_until(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Closed { until, .. } if now < until => Some(until),
            // They are judged once the last of them is old enough.
            Self::Closed { trials, .. } if trials.given >= TRIALS => {
                Some(trials.last.plus(AGE + EVERY).max(now.plus(EVERY)))
            }
            _ => None,
        }
    }
}

/// The states of prefixes. One that is missing is open.
pub type PrefixStates = HashMap<Budget, PrefixState>;

/// How a message to a prefix may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// As any other.
    Open,
    /// As one of the trial messages.
    Trial,
}

/// Lets one message pass to a prefix, or says from when on one may. `view` is of the prefix's budget.
pub fn pass(view: &BudgetView, prefix: Budget, now: Timestamp) -> Decision<Result<Passage, Timestamp>> {
    let state = PrefixState::of(&view.spent);
    if let Some(until) = state.refused_until(now) {
        return Decision::reply(Err(until));
    }
    match state {
        PrefixState::Open { .. } => Decision::reply(Ok(Passage::Open)),
        PrefixState::Closed { until, trials } => {
            let first = if trials.given == 0 { now } else { trials.first.min(now) };
            let trials = Trials { given: trials.given + 1, first, last: trials.last.max(now) };
            set(prefix, PrefixState::Closed { until, trials }, Ok(Passage::Trial))
        }
    }
}

/// Takes back a trial message that was not queued.
pub fn give_back(view: &BudgetView, prefix: Budget) -> Decision<()> {
    match PrefixState::of(&view.spent) {
        PrefixState::Closed { until, trials } if trials.given > 0 => {
            let trials = Trials { given: trials.given - 1, ..trials };
            set(prefix, PrefixState::Closed { until, trials }, ())
        }
        _ => Decision::reply(()),
    }
}

fn set<T>(prefix: Budget, state: PrefixState, reply: T) -> Decision<T> {
    Decision::reply(reply).with(Change::SetSpent(prefix, state.spent()))
}

/// What should change about a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrefixVerdict {
    pub prefix: Budget,
    /// The country that it is, or is in.
    pub country: &'static str,
    /// What it was judged by. If it is another state meanwhile, the verdict is void.
    pub from: PrefixState,
    /// Whether it closes; else it opens.
    pub closes: bool,
}

/// What is known of the messages to a prefix.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// Those that are old enough to be judged.
    sent: u64,
    /// Of them, those that were answered.
    answered: u64,
    /// Trial messages that were answered, however old.
    trials: u64,
}

/// Judges the messages that are known. Blocks come first: a country is judged without the messages to blocks that are closed,
/// so that one block does not close it.
pub fn judge(
    messages: &[AskedMessage],
    states: &PrefixStates,
    limits: BreakerLimits,
    now: Timestamp,
) -> Vec<PrefixVerdict> {
    let mut verdicts = Vec::new();
    if limits.percent == 0 {
        return verdicts;
    }
    let mut closed: HashSet<Budget> =
        states.iter().filter(|(_, state)| state.is_closed()).map(|(prefix, _)| *prefix).collect();
    for level in [0, 1] {
        let mut known: HashMap<Budget, (&'static str, Known)> = HashMap::new();
        for message in messages {
            let [block, country] = message.prefixes();
            let prefix = if level == 0 { block } else { country };
            let state = states.get(&prefix).copied().unwrap_or_default();
            let of = &mut known.entry(prefix).or_insert((message.country, Known::default())).1;
            match state {
                PrefixState::Open { judged_from } => {
                    let is_left_out = level == 1 && (closed.contains(&block) || was_closed(states, block, message.at));
                    let age = now.since(message.at);
                    if !is_left_out && message.at >= judged_from && (AGE..WINDOW).contains(&age) {
                        of.sent += 1;
                        of.answered += u64::from(message.is_verified);
                    }
                }
                PrefixState::Closed { trials, .. } => {
                    let is_trial = trials.given > 0 && message.at >= trials.first;
                    of.trials += u64::from(is_trial && message.is_verified);
                }
            }
        }
        // A prefix whose trial messages are forgotten is judged too.
        for (prefix, _) in states.iter().filter(|(_, state)| state.is_closed()) {
            if let (0, Budget::PrefixOfBlock(_)) | (1, Budget::PrefixOfCountry(_)) = (level, prefix) {
                let country = prefix.country().unwrap_or(crate::model::country::UNKNOWN);
                known.entry(*prefix).or_insert((country, Known::default()));
            }
        }
        for (prefix, (country, known)) in known {
            let from = states.get(&prefix).copied().unwrap_or_default();
            let closes = match from {
                PrefixState::Open { .. } => {
                    let is_known = known.sent >= u64::from(limits.least.max(1));
                    is_known && is_low(known.answered, known.sent, limits) && {
                        closed.insert(prefix);
                        true
                    }
                }
                PrefixState::Closed { trials, .. } => {
                    if trials.given > 0 && !is_low(known.trials, TRIALS.into(), limits) {
                        verdicts.push(PrefixVerdict { prefix, country, from, closes: false });
                        continue;
                    }
                    let is_asked = trials.given >= TRIALS && now.since(trials.last) >= AGE;
                    // A few that were not answered, and no more since: what comes of them is not known any longer.
                    is_asked || (trials.given > 0 && now.since(trials.last) >= WINDOW)
                }
            };
            if closes {
                verdicts.push(PrefixVerdict { prefix, country, from, closes: true });
            }
        }
    }
    verdicts
}

/// Whether a message was sent to a block before the trial that has opened it: it has closed the block, and closes no country.
fn was_closed(states: &PrefixStates, block: Budget, at: Timestamp) -> bool {
    matches!(states.get(&block), Some(PrefixState::Open { judged_from }) if at < *judged_from)
}

/// Whether fewer are answered than the limit asks for.
fn is_low(answered: u64, of: u64, limits: BreakerLimits) -> bool {
    answered * 100 < of * u64::from(limits.percent)
}

/// Carries a verdict out, unless the prefix is in another state meanwhile. Gives the state that holds then, and whether it is
/// new.
pub fn carry_out(view: &BudgetView, verdict: &PrefixVerdict, now: Timestamp) -> Decision<(PrefixState, bool)> {
    let found = PrefixState::of(&view.spent);
    if found != verdict.from {
        return Decision::reply((found, false));
    }
    let state = match (verdict.closes, verdict.from) {
        (true, _) => PrefixState::Closed { until: now.plus(REST), trials: Trials::default() },
        (false, PrefixState::Closed { trials, .. }) => PrefixState::Open { judged_from: trials.first },
        (false, open @ PrefixState::Open { .. }) => open,
    };
    let decision = set(verdict.prefix, state, (state, true));
    if !verdict.closes {
        return decision;
    }
    let what = if verdict.prefix.country().is_some() { "country" } else { "block" };
    let event = AuditEvent::of_server(AuditKind::PrefixClosed, now).about(what).about_country(Some(verdict.country));
    decision.with(event.into())
}

/// The moment from which messages must be known to judge prefixes in these states.
pub fn known_from(states: &PrefixStates, now: Timestamp) -> Timestamp {
    let trials = states.values().filter_map(|state| match state {
        PrefixState::Closed { trials, .. } if trials.given > 0 => Some(trials.first),
        _ => None,
    });
    // Nothing older is read, however long a trial takes.
    trials.chain([now.plus(-WINDOW)]).min().unwrap_or(now).max(now.plus(-WINDOW - AGE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::digest::OwnKey;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);
    const LIMITS: BreakerLimits = BreakerLimits { least: 20, percent: 10 };

    fn block(n: u32) -> KeyedHash {
        OwnKey::new([1; 32]).hash("block", &n.to_string())
    }

    fn messages(country: &'static str, n: u32, count: usize, verified: usize, at: Timestamp) -> Vec<AskedMessage> {
        (0..count).map(|place| AskedMessage { at, country, block: block(n), is_verified: place < verified }).collect()
    }

    fn closing(messages: &[AskedMessage], now: Timestamp) -> Vec<Budget> {
        judge(messages, &HashMap::new(), LIMITS, now).into_iter().map(|verdict| verdict.prefix).collect()
    }

    fn view(state: PrefixState) -> BudgetView {
        BudgetView { spent: state.spent(), clock: NOW }
    }

    fn after<T>(decision: &Decision<T>, before: PrefixState) -> PrefixState {
        let set = decision.changes.iter().find_map(|change| match change {
            Change::SetSpent(_, spent) => Some(PrefixState::of(spent)),
            _ => None,
        });
        set.unwrap_or(before)
    }

    #[test]
    fn a_block_closes_with_twenty_known_of_which_fewer_than_a_tenth_are_answered() {
        let all = |count, verified| messages("DE", 1, count, verified, NOW.plus(-AGE));
        let closed = vec![Budget::PrefixOfBlock(block(1))];
        assert_eq!(closing(&all(19, 0), NOW), [], "never on fewer");
        assert_eq!(closing(&all(20, 1), NOW), closed);
        assert_eq!(closing(&all(20, 2), NOW), [], "a tenth");
        assert_eq!(closing(&all(20, 0), NOW.plus(-1)), [], "people need a moment");
        assert_eq!(closing(&all(20, 0), NOW.plus(-AGE + WINDOW - 1)), closed);
        assert_eq!(closing(&all(20, 0), NOW.plus(-AGE + WINDOW)), [], "what is over an hour old is not judged");
        let off = BreakerLimits { percent: 0, ..LIMITS };
        assert_eq!(judge(&all(99, 0), &HashMap::new(), off, NOW), []);
    }

    #[test]
    fn one_block_does_not_close_its_country_and_many_small_ones_do() {
        let at = NOW.plus(-AGE);
        let mut all = messages("DE", 1, 400, 0, at);
        all.extend(messages("DE", 2, 30, 20, at));
        assert_eq!(closing(&all, NOW), [Budget::PrefixOfBlock(block(1))]);
        let thin: Vec<_> =
            (0..20).flat_map(|n| messages("DE", n, 1, 0, at)).chain(messages("FR", 99, 30, 3, at)).collect();
        assert_eq!(closing(&thin, NOW), [Budget::PrefixOfCountry("DE")], "France is answered");
    }

    #[test]
    fn after_its_rest_five_trial_messages_pass_and_no_more() {
        let prefix = Budget::PrefixOfCountry("DE");
        let until = NOW.plus(REST);
        let mut state = PrefixState::Closed { until, trials: Trials::default() };
        assert_eq!(pass(&view(state), prefix, until.plus(-1)).reply, Err(until));
        for n in 0..5 {
            let now = until.plus(n);
            let decision = pass(&view(state), prefix, now);
            assert_eq!(decision.reply, Ok(Passage::Trial));
            state = after(&decision, state);
        }
        let judged = until.plus(4 + AGE + EVERY);
        assert_eq!(pass(&view(state), prefix, until.plus(5)).reply, Err(judged));
        let back = give_back(&view(state), prefix);
        let freed = after(&back, state);
        assert_eq!(pass(&view(freed), prefix, until.plus(5)).reply, Ok(Passage::Trial), "one was not queued");
        assert_eq!(pass(&view(PrefixState::default()), prefix, NOW).reply, Ok(Passage::Open));
    }

    #[test]
    fn trial_messages_decide_whether_it_opens() {
        let first = NOW;
        let prefix = Budget::PrefixOfBlock(block(1));
        let trials = Trials { given: 5, first, last: first.plus(10) };
        let state = PrefixState::Closed { until: first, trials };
        let states = HashMap::from([(prefix, state)]);
        let mut all = messages("DE", 1, 100, 50, first.plus(-1));
        all.extend(messages("DE", 1, 5, 0, first));
        assert_eq!(judge(&all, &states, LIMITS, trials.last.plus(AGE - 1)), [], "not yet");
        let verdicts = judge(&all, &states, LIMITS, trials.last.plus(AGE));
        assert_eq!(verdicts, [PrefixVerdict { prefix, country: "DE", from: state, closes: true }]);
        let carried = carry_out(&view(state), &verdicts[0], NOW);
        let closed = PrefixState::Closed { until: NOW.plus(REST), trials: Trials::default() };
        assert_eq!(carried.reply, (closed, true));
        assert!(carried.changes.iter().any(|change| matches!(change, Change::Record(event)
            if event.kind == AuditKind::PrefixClosed && event.stored_reason().as_deref() == Some("block DE"))));
        assert_eq!(carry_out(&view(closed), &verdicts[0], NOW).reply, (closed, false), "another node was first");
        // One of five is a fifth.
        all.last_mut().unwrap().is_verified = true;
        let verdicts = judge(&all, &states, LIMITS, first.plus(20));
        assert_eq!(verdicts, [PrefixVerdict { prefix, country: "DE", from: state, closes: false }], "at once");
        let opened = carry_out(&view(state), &verdicts[0], NOW);
        assert_eq!(opened.reply, (PrefixState::Open { judged_from: first }, true));
        assert_eq!(opened.changes.len(), 1);
        // What was before it opened does not close it again.
        let states = HashMap::from([(prefix, PrefixState::Open { judged_from: first })]);
        assert!(judge(&all, &states, LIMITS, first.plus(2 * AGE)).is_empty());
    }

    #[test]
    fn a_block_that_has_opened_again_does_not_close_its_country() {
        let prefix = Budget::PrefixOfBlock(block(1));
        let opened = NOW.plus(17 * MINUTE);
        let states = HashMap::from([(prefix, PrefixState::Open { judged_from: opened })]);
        let mut all = messages("DE", 1, 30, 0, NOW);
        all.extend(messages("DE", 2, 10, 3, NOW.plus(MINUTE)));
        all.extend(messages("DE", 1, 1, 1, opened));
        assert_eq!(judge(&all, &states, LIMITS, opened.plus(2 * AGE)), []);
        // What is sent to it since then counts as anybody's.
        all.extend(messages("DE", 1, 19, 0, opened.plus(1)));
        let closing = judge(&all, &states, LIMITS, opened.plus(2 * AGE));
        assert_eq!(closing.iter().map(|verdict| verdict.prefix).collect::<Vec<_>>(), [prefix]);
    }

    #[test]
    fn a_trial_that_stops_halfway_ends_within_the_hour() {
        let prefix = Budget::PrefixOfBlock(block(1));
        let trials = Trials { given: 2, first: NOW, last: NOW.plus(MINUTE) };
        let states = HashMap::from([(prefix, PrefixState::Closed { until: NOW, trials })]);
        let ends = trials.last.plus(WINDOW);
        assert_eq!(judge(&[], &states, LIMITS, ends.plus(-1)), []);
        assert_eq!(judge(&[], &states, LIMITS, ends).iter().map(|verdict| verdict.closes).collect::<Vec<_>>(), [true]);
    }

    #[test]
    fn trial_messages_that_were_forgotten_close_it_again() {
        let prefix = Budget::PrefixOfCountry("DE");
        let trials = Trials { given: 5, first: NOW, last: NOW };
        let states = HashMap::from([(prefix, PrefixState::Closed { until: NOW, trials })]);
        let verdicts = judge(&[], &states, LIMITS, NOW.plus(AGE));
        assert_eq!(verdicts.iter().map(|verdict| verdict.closes).collect::<Vec<_>>(), [true]);
        assert_eq!(known_from(&states, NOW.plus(WINDOW + 1)), NOW);
        assert_eq!(known_from(&states, NOW.plus(2 * HOUR)), NOW.plus(2 * HOUR - WINDOW - AGE), "no day is read for it");
        assert_eq!(known_from(&HashMap::new(), NOW), NOW.plus(-WINDOW));
    }
}
