//! What holds over all users and nodes: messages (SEC 33) and the rate of calls (SEC 37), over random histories.

use countersign_domain::model::budget::{Sent, SpentList};
use countersign_domain::model::time::{DAY, HOUR, MINUTE, SECOND};
use countersign_domain::rules::rate;
use countersign_domain::rules::sends::{self, Alarm};
use countersign_domain::{
    AuditKind, Budget, BudgetView, CallRate, Change, ClientId, Credential, Decision, OwnKey, Recipient, SendLimits,
    Spent, Timestamp,
};
use proptest::prelude::*;

const START: Timestamp = Timestamp(20_000 * DAY + 9 * HOUR);

fn key() -> OwnKey {
    OwnKey::new([1; 32])
}

fn number(phone: &str) -> Recipient {
    Recipient::of(&Credential::Sms { phone: phone.to_owned() }, &key()).expect("a number is a recipient")
}

fn address(address: &str) -> Recipient {
    Recipient::of(&Credential::Email { address: address.to_owned() }, &key()).expect("an address is a recipient")
}

fn view(spent: &Spent) -> BudgetView {
    BudgetView { spent: spent.clone(), clock: Timestamp(0) }
}

/// Applies what was decided about one budget.
fn commit<T>(spent: &mut Spent, decision: Decision<T>) -> (T, Vec<AuditKind>) {
    let mut recorded = Vec::new();
    for change in decision.changes {
        match change {
            Change::SetSpent(_, new) => *spent = new,
            Change::Record(event) => recorded.push(event.kind),
            other => panic!("{other:?}"),
        }
    }
    (decision.reply, recorded)
}

#[test]
fn recipients_are_recognised_and_never_shown() {
    let phone = "+14155550123";
    let voice = Recipient::of(&Credential::Voice { phone: phone.to_owned() }, &key());
    assert_eq!(voice, Some(number(phone)), "a text and a call reach the same person");
    let neighbour = number("+14155550199");
    assert_eq!((number(phone).budget, number(phone).in_block), (neighbour.budget, true));
    assert_ne!(number(phone).target, neighbour.target);
    assert_ne!(number(phone).budget, number("+14155550223").budget);
    // Another hundred of a longer number.
    assert_ne!(number(phone).budget, number("+1415555012345").budget);
    for same in ["Ana@Example.com", "ana@example.com.", "ana+anything@example.com"] {
        assert_eq!(address(same), address("ana@example.com"), "{same}");
    }
    assert_ne!(address("ana@example.com").budget, address("ben@example.com").budget);
    let other = OwnKey::new([2; 32]);
    let sms = Credential::Sms { phone: phone.to_owned() };
    assert_ne!(
        Recipient::of(&sms, &other).map(|to| (to.budget, to.target)),
        Some((number(phone).budget, number(phone).target))
    );
    assert_eq!(Recipient::of(&Credential::Push { public_key: None }, &key()), None);
    assert!(!format!("{:?}", number(phone)).contains("4155"));
}

proptest! {
    #![proptest_config(crate::cases(32))]

    /// Ten in any day to each, fifty in any hour to all, and a caller that comes back at the announced time is served.
    #[test]
    fn no_history_sends_more_than_the_limits(
        steps in prop::collection::vec((0..40_u32, 0..90_i64, any::<bool>()), 1..400),
        target_per_day in 0..12_u32,
        block_per_hour in 0..30_u32,
    ) {
        let limits = SendLimits { target_per_day, block_per_hour, ..SendLimits::default() };
        let (mut spent, mut now, mut sent) = (Spent::default(), START, Vec::<(Timestamp, u32)>::new());
        for (who, minutes, taken_back) in steps {
            now = now.plus(minutes * minutes % 47 * MINUTE);
            // Few get most.
            let who = who % 5 * (who % 3);
            let to = number(&format!("+141555501{who:02}"));
            let before = spent.clone();
            match commit(&mut spent, sends::count(&view(&before), &to, &limits, now)).0 {
                Ok(()) if taken_back => {
                    let counted = spent.clone();
                    commit(&mut spent, sends::give_back(&view(&counted), &to, now));
                    prop_assert_eq!(spent.messages().len() + 1, counted.messages().len());
                }
                Ok(()) => sent.push((now, who)),
                Err(at) => {
                    prop_assert!(at > now && at <= now.plus(DAY));
                    prop_assert_eq!(&spent, &before, "a refusal changes nothing");
                    let later = sends::count(&view(&before), &to, &limits, at);
                    prop_assert_eq!(later.reply, Ok(()), "it is told the truth");
                    let early = sends::count(&view(&before), &to, &limits, at.plus(-1));
                    prop_assert!(early.reply.is_err());
                }
            }
            let within = |window: i64, of: Option<u32>| {
                sent.iter().filter(|(at, to)| now.since(*at) < window && of.is_none_or(|of| of == *to)).count()
            };
            prop_assert!(target_per_day == 0 || within(DAY, Some(who)) <= target_per_day as usize);
            prop_assert!(block_per_hour == 0 || within(HOUR, None) <= block_per_hour as usize);
        }
        prop_assert!(spent.messages().iter().all(|sent| now.since(sent.at) < 2 * DAY), "it remembers no more than it needs");
    }

    /// Nodes take what they like, by clocks that differ: a day never gives more than its limit, and says once each that
    /// four fifths and all are taken.
    #[test]
    fn no_history_takes_more_than_a_day_has(
        steps in prop::collection::vec((1..40_i64, 0..60_i64, -2..=2_i64), 1..300),
        limit in 1..400_i64,
    ) {
        let budget = Budget::Client(ClientId(3));
        let (mut spent, mut now) = (Spent::default(), START);
        let mut days = std::collections::HashMap::<Timestamp, (i64, Vec<AuditKind>)>::new();
        for (want, minutes, skew) in steps {
            now = now.plus(minutes * MINUTE);
            let before = spent.clone();
            let decision = sends::lease(&view(&before), budget, limit, want, now.plus(skew * SECOND));
            let (leased, recorded) = commit(&mut spent, decision);
            prop_assert!(leased.amount <= want && leased.until > now.plus(skew * SECOND));
            let day = days.entry(leased.until).or_default();
            day.0 += leased.amount;
            prop_assert!(day.0 <= limit);
            prop_assert!(leased.amount > 0 || day.0 == limit, "nothing only where there is nothing");
            prop_assert_eq!(leased.alarm.is_some(), recorded.len() == 1);
            day.1.extend(recorded);
        }
        for (taken, recorded) in days.values() {
            prop_assert!(recorded.iter().filter(|kind| **kind == AuditKind::MessagesAtCeiling).count() <= 1);
            prop_assert!(recorded.iter().filter(|kind| **kind == AuditKind::MessagesNearCeiling).count() <= 1);
            prop_assert_eq!(recorded.contains(&AuditKind::MessagesAtCeiling), *taken == limit);
            prop_assert_eq!(!recorded.is_empty(), Alarm::of(*taken, limit).is_some());
        }
    }

    /// However many nodes take, and on credit or not: never more than a bucket and what runs into it.
    #[test]
    fn no_history_takes_more_than_a_bucket_gives(
        steps in prop::collection::vec((0..60_i64, 0..300_i64, 0..400_i64), 1..200),
        per_second in 1..300_u32,
        burst in 1..400_u32,
    ) {
        let rate = CallRate { per_second, burst };
        let (mut spent, mut clock, mut taken) = (Spent::default(), START, Vec::new());
        for (debt, want, wait) in steps {
            clock = clock.plus(wait);
            let fresh = BudgetView { spent: spent.clone(), clock };
            let (granted, _) = commit(&mut spent, rate::take(&fresh, ClientId(1), rate, debt, want));
            prop_assert!((0..=debt).contains(&granted.paid) && (0..=want).contains(&granted.calls));
            prop_assert!(granted.calls == 0 || granted.paid == debt, "debts come first");
            if debt + want > 0 && granted.paid + granted.calls == 0 {
                let later = BudgetView { spent: spent.clone(), clock: clock.plus(granted.wait) };
                let then = rate::take(&later, ClientId(1), rate, debt, want).reply;
                prop_assert!(then.paid + then.calls > 0, "it is told the truth");
            }
            taken.push((clock, granted.paid + granted.calls));
            // In every span that ends now.
            for (first, (began, _)) in taken.iter().enumerate() {
                let total: i64 = taken[first..].iter().map(|(_, calls)| calls).sum();
                let most = i64::from(burst) * 1_000 + clock.since(*began) * i64::from(per_second);
                prop_assert!(total * 1_000 <= most, "{} calls in {} ms", total, clock.since(*began));
            }
        }
    }
}

#[test]
fn a_small_day_is_counted_one_by_one_and_a_large_one_by_the_hundredth() {
    assert_eq!([1, 10, 199, 200, 1_000, 50_000].map(sends::share), [1, 1, 1, 2, 10, 50]);
    let mut spent = Spent::default();
    let mut alarms = Vec::new();
    for n in 0..10 {
        let before = view(&spent);
        let (leased, recorded) = commit(&mut spent, sends::lease(&before, Budget::Server, 10, 1, START));
        assert_eq!(leased.amount, 1);
        alarms.extend(recorded.into_iter().map(|kind| (n + 1, kind)));
    }
    assert_eq!(alarms, [(8, AuditKind::MessagesNearCeiling), (10, AuditKind::MessagesAtCeiling)]);
    let refused = sends::lease(&view(&spent), Budget::Server, 10, 1, START);
    assert_eq!((refused.reply.amount, refused.reply.until), (0, Timestamp(20_001 * DAY)));
    assert!(refused.changes.is_empty());
    let lowered = sends::lease(&view(&spent), Budget::Server, 5, 1, START).reply;
    assert_eq!((lowered.amount, lowered.alarm), (0, None));
    assert_eq!(sends::lease(&view(&spent), Budget::Server, 10, 1, START.plus(DAY)).reply.amount, 1, "another day");
}

#[test]
fn what_is_over_may_be_forgotten() {
    let sent = Sent { at: START, target: [1; 8] };
    let block = Spent { kept: SpentList::Messages(vec![sent]), ..Spent::default() };
    assert_eq!(block.over_at(number("+14155550123").budget), START.plus(DAY));
    let day = Spent { taken: 1, since: START, ..Spent::default() };
    assert!(day.over_at(Budget::Server) > START.plus(DAY));
    assert!(day.over_at(Budget::Calls(ClientId(1))) > START);
}

/// SEC 33: a clock that was ahead and is set back opens no day again that is used up, and closes none that is not.
#[test]
fn a_clock_set_back_finds_every_day_as_it_was() {
    let mut spent = Spent::default();
    let all = |spent: &mut Spent, now: Timestamp| {
        let mut taken = 0;
        loop {
            let before = view(spent);
            let leased = commit(spent, sends::lease(&before, Budget::Server, 7, 1, now)).0;
            if leased.amount == 0 {
                return (taken, leased.until);
            }
            taken += leased.amount;
        }
    };
    assert_eq!(all(&mut spent, START), (7, Timestamp(20_001 * DAY)));
    for ahead in [1, 2, 400] {
        let before = view(&spent);
        assert_eq!(
            commit(&mut spent, sends::lease(&before, Budget::Server, 7, 1, START.plus(ahead * DAY))).0.amount,
            1
        );
        assert_eq!(sends::taken_today(&spent, START), 7);
        assert_eq!(all(&mut spent, START), (0, Timestamp(20_001 * DAY)), "{ahead} days ahead and back");
    }
    for day in 1..12 {
        let left = if day <= 2 { 6 } else { 7 };
        let (taken, until) = all(&mut spent, START.plus(day * DAY));
        assert_eq!((taken, until), (left, Timestamp((20_001 + day) * DAY)), "day {day}");
    }
    assert!(spent.days().len() < 8, "it remembers a few days only");
}

proptest! {
    #![proptest_config(crate::cases(32))]

    /// SEC 95: whatever callers ask for that may only look, the other half of what a number gets is there for others.
    #[test]
    fn no_history_of_readers_uses_up_what_others_may_send(
        steps in prop::collection::vec((0..5_u32, 0..90_i64), 1..300),
        target_per_day in 2..12_u32,
        block_per_hour in 10..30_u32,
    ) {
        let all = SendLimits { target_per_day, block_per_hour, ..SendLimits::default() };
        let part = all.of_readers();
        let (mut spent, mut of_readers, mut now) = (Spent::default(), Spent::default(), START);
        for (who, minutes) in steps {
            now = now.plus(minutes * minutes % 47 * MINUTE);
            let to = number(&format!("+141555501{who:02}"));
            // As the engine does it: first where readers are counted, then where all are.
            let (before, theirs) = (view(&spent), view(&of_readers));
            if commit(&mut of_readers, sends::count(&theirs, &to.of_readers(), &part, now)).0.is_ok() {
                prop_assert_eq!(commit(&mut spent, sends::count(&before, &to, &all, now)).0, Ok(()));
            }
            let mut others = spent.clone();
            for _ in 0..(target_per_day / 2).min(block_per_hour / 2) {
                let before = view(&others);
                prop_assert_eq!(commit(&mut others, sends::count(&before, &to, &all, now)).0, Ok(()));
            }
        }
    }
}

/// SEC 33: the same for a recipient.
#[test]
fn a_clock_set_back_holds_nothing_from_a_recipient_for_days() {
    let (mut spent, limits) = (Spent::default(), SendLimits { block_per_hour: 3, ..SendLimits::default() });
    let to = number("+14155550123");
    let send = |spent: &mut Spent, now: Timestamp| {
        let before = view(spent);
        commit(spent, sends::count(&before, &to, &limits, now)).0
    };
    for minute in 0..3 {
        assert_eq!(send(&mut spent, START.plus(5 * DAY + minute * MINUTE)), Ok(()));
    }
    assert_eq!(send(&mut spent, START), Ok(()));
    assert_eq!(spent.messages().len(), 1, "what lies far ahead is forgotten");
    assert_eq!(send(&mut spent, START), Ok(()));
    assert_eq!(send(&mut spent, START), Ok(()));
    assert!(send(&mut spent, START.plus(-10 * MINUTE)).is_err(), "what lies minutes ahead counts");
}

/// SEC 37: the clock of another database server may be behind.
#[test]
fn a_bucket_fills_again_though_the_clock_was_set_back() {
    let rate = CallRate { per_second: 10, burst: 20 };
    let mut spent = Spent::default();
    let take = |spent: &mut Spent, clock: Timestamp| {
        let fresh = BudgetView { spent: spent.clone(), clock };
        commit(spent, rate::take(&fresh, ClientId(1), rate, 0, 100)).0.calls
    };
    while take(&mut spent, START) > 0 {}
    let back = START.plus(-HOUR);
    assert_eq!(take(&mut spent, back), 0, "it is as empty as it was");
    assert_eq!(take(&mut spent, back.plus(SECOND)), 5, "and runs full from there");
}
