//! What other caps and another breaker would have done to the messages that were sent (contract 18.11, 18.12).
//!
//! The same rules run over the past: caps exactly, as one node would keep them, and prefixes judged once a minute. A message counts
//! as answered from its beginning, since when it was answered is not asked.

use std::collections::{BTreeMap, HashMap};

use crate::model::budget::{Budget, BudgetView, Spent};
use crate::model::change::{Change, Decision};
use crate::model::message::Charge;
use crate::model::policy::{BreakerLimits, SpendCaps};
use crate::model::time::{DAY, MINUTE, Timestamp};
use crate::rules::conversion::{self, AskedMessage, PrefixState};

/// A message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastMessage {
    /// When it was queued.
    pub at: Timestamp,
    /// What it counted for, and what it cost.
    pub charge: Charge,
    /// Whether it was answered with the right code.
    pub is_verified: bool,
}

/// What would have become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    Sent,
    OverServerCap,
    OverClientCap,
    OverCountryCap,
    /// Its block or its country would have been closed.
    InClosedPrefix,
}

impl Fate {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Sent, Self::OverServerCap, Self::OverClientCap, Self::OverCountryCap, Self::InClosedPrefix];

    fn of_cap(budget: Budget) -> Self {
        match (budget.client(), budget.country()) {
            (Some(_), _) => Self::OverClientCap,
            (None, Some(_)) => Self::OverCountryCap,
            (None, None) => Self::OverServerCap,
        }
    }
}

/// How many messages met a fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FateCount {
    pub messages: u64,
    /// Those of them that were answered.
    pub answered: u64,
    /// What they cost, in micro-units.
    pub micros: i64,
}

/// A prefix that would have closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    pub at: Timestamp,
    /// The country that it is, or is in.
    pub country: &'static str,
    /// Whether it is a block of a thousand numbers.
    pub is_block: bool,
}

/// What would have happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Simulated {
    pub fates: BTreeMap<Fate, FateCount>,
    /// In the order in which they happened.
    pub closings: Vec<Closing>,
}

/// Runs the rules over messages, which are in the order of their time.
pub fn simulate(messages: &[PastMessage], caps: SpendCaps, breaker: BreakerLimits) -> Simulated {
    let mut simulated = Simulated::default();
    let mut spent: HashMap<(Budget, i64), i64> = HashMap::new();
    let mut prefixes: HashMap<Budget, PrefixState> = HashMap::new();
    let mut sent: Vec<AskedMessage> = Vec::new();
    let mut judged_at = messages.first().map_or(Timestamp(0), |message| message.at);
    for message in messages {
        while message.at.since(judged_at) >= MINUTE {
            judged_at = judged_at.plus(MINUTE);
            let from = conversion::known_from(&prefixes, judged_at);
            let known = &sent[sent.partition_point(|asked| asked.at < from)..];
            for verdict in conversion::judge(known, &prefixes, breaker, judged_at) {
                let view = view(prefixes.get(&verdict.prefix));
                let (state, _) = conversion::carry_out(&view, &verdict, judged_at).reply;
                prefixes.insert(verdict.prefix, state);
                if verdict.closes {
                    let is_block = verdict.prefix.country().is_none();
                    simulated.closings.push(Closing { at: judged_at, country: verdict.country, is_block });
                }
            }
        }
        let fate = fate(message, caps, &mut spent, &mut prefixes);
        let count = simulated.fates.entry(fate).or_default();
        count.messages += 1;
        count.answered += u64::from(message.is_verified);
        count.micros += message.charge.micros;
        if let (Fate::Sent, Some(block)) = (fate, message.charge.block) {
            let (at, country, is_verified) = (message.at, message.charge.country, message.is_verified);
            sent.push(AskedMessage { at, country, block, is_verified });
        }
    }
    simulated
}

fn fate(
    message: &PastMessage,
    caps: SpendCaps,
    spent: &mut HashMap<(Budget, i64), i64>,
    prefixes: &mut HashMap<Budget, PrefixState>,
) -> Fate {
    let PastMessage { at, charge, .. } = *message;
    let asked = charge.block.map(|block| conversion::prefixes(charge.country, block));
    let closed = |prefix: &Budget| prefixes.get(prefix).and_then(|state| state.refused_until(at)).is_some();
    if asked.iter().flatten().any(closed) {
        return Fate::InClosedPrefix;
    }
    let day = at.0.div_euclid(DAY);
    let capped = charge.budgets().filter_map(|budget| Some((budget, caps.per_day(budget)?)));
    let capped: Vec<(Budget, i64)> = capped.collect();
    for (budget, cap) in &capped {
        if spent.get(&(*budget, day)).copied().unwrap_or(0) + charge.micros > *cap {
            return Fate::of_cap(*budget);
        }
    }
    for (budget, _) in capped {
        *spent.entry((budget, day)).or_default() += charge.micros;
    }
    for prefix in asked.into_iter().flatten() {
        let passed = conversion::pass(&view(prefixes.get(&prefix)), prefix, at);
        if let Some(state) = new_state(&passed) {
            prefixes.insert(prefix, state);
        }
    }
    Fate::Sent
}

fn view(state: Option<&PrefixState>) -> BudgetView {
    BudgetView { spent: state.map_or_else(Spent::default, |state| state.spent()), ..BudgetView::default() }
}

fn new_state<T>(decision: &Decision<T>) -> Option<PrefixState> {
    decision.changes.iter().find_map(|change| match change {
        Change::SetSpent(_, spent) => Some(PrefixState::of(spent)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::digest::OwnKey;
    use crate::model::id::ClientId;
    use crate::model::time::SECOND;

    const NOW: Timestamp = Timestamp(20_000 * DAY);

    fn message(n: i64, country: &'static str, client: i64, is_verified: bool) -> PastMessage {
        let block = OwnKey::new([1; 32]).hash("block", country);
        let charge = Charge { client: Some(ClientId(client)), country, block: Some(block), micros: 10 };
        PastMessage { at: NOW.plus(n * SECOND), charge, is_verified }
    }

    fn count(simulated: &Simulated, fate: Fate) -> u64 {
        simulated.fates.get(&fate).map_or(0, |count| count.messages)
    }

    const OFF: BreakerLimits = BreakerLimits { least: 20, percent: 0 };

    #[test]
    fn caps_refuse_what_is_beyond_them_on_each_day() {
        let all: Vec<_> = (0..10).map(|n| message(n, "DE", n % 2, n == 9)).collect();
        let run = |caps| simulate(&all, caps, OFF);
        let caps = |server, client, country| SpendCaps { server, client, country };
        let free = run(caps(0, 0, 0));
        assert_eq!(free.fates[&Fate::Sent], FateCount { messages: 10, answered: 1, micros: 100 });
        let capped = run(caps(70, 0, 0));
        assert_eq!((count(&capped, Fate::Sent), count(&capped, Fate::OverServerCap)), (7, 3));
        assert_eq!(capped.fates[&Fate::OverServerCap].answered, 1);
        assert_eq!(count(&run(caps(0, 30, 0)), Fate::OverClientCap), 4);
        assert_eq!(count(&run(caps(0, 0, 20)), Fate::OverCountryCap), 8);
        let tomorrow = PastMessage { at: NOW.plus(DAY), ..all[0] };
        let two_days: Vec<_> = all.iter().copied().chain([tomorrow]).collect();
        assert_eq!(count(&simulate(&two_days, caps(70, 0, 0), OFF), Fate::Sent), 8);
    }

    #[test]
    fn a_prefix_closes_as_it_would_have() {
        // One a second for half an hour, none of them answered.
        let all: Vec<_> = (0..1_800).map(|n| message(n, "DE", 1, false)).collect();
        let limits = BreakerLimits::default();
        let simulated = simulate(&all, SpendCaps::default(), limits);
        // Two minutes until twenty of them are old enough, and five trials in the sixteenth minute after that.
        assert_eq!(count(&simulated, Fate::Sent), 120 + 5, "{simulated:?}");
        assert_eq!(count(&simulated, Fate::InClosedPrefix), 1_800 - 125);
        assert!(simulated.closings.iter().all(|closing| closing.is_block && closing.country == "DE"));
        let answered: Vec<_> = (0..1_800).map(|n| message(n, "DE", 1, n % 5 == 0)).collect();
        assert_eq!(count(&simulate(&answered, SpendCaps::default(), limits), Fate::Sent), 1_800);
    }
}
