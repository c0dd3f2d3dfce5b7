//! What holds over all users is counted once, however many count at once (SEC 33, SEC 37).

use std::sync::Arc;

use domain::model::time::{DAY, HOUR};
use domain::rules::conversion::{self, Passage, PrefixState, PrefixVerdict};
use domain::rules::{rate, sends};
use domain::*;
use tokio::sync::Barrier;

use super::world::*;
use crate::{AuditChain, Store};

const SENDERS: usize = 64;

pub(crate) fn recipient(phone: &str) -> Recipient {
    Recipient::of(&Credential::Sms { phone: phone.to_owned() }, &domain::OwnKey::new([1; 32])).unwrap()
}

/// Everybody asks at once.
async fn rush<T, F>(store: &Store, budget: impl Fn(usize) -> Budget, rule: impl Fn(usize) -> F) -> Vec<T>
where
    F: Fn(&BudgetView) -> Decision<T> + Send + 'static,
    T: Send + 'static,
{
    let line = Arc::new(Barrier::new(SENDERS));
    let running: Vec<_> = (0..SENDERS)
        .map(|n| {
            let (store, line, budget, rule) = (store.clone(), line.clone(), budget(n), rule(n));
            tokio::spawn(async move {
                line.wait().await;
                store.decide_budget(budget, rule).await.unwrap()
            })
        })
        .collect();
    let mut replies = Vec::new();
    for one in running {
        replies.push(one.await.unwrap());
    }
    replies
}

pub(crate) async fn count(store: &Store, to: Recipient, now: Timestamp) -> Result<(), Timestamp> {
    let limits = SendLimits::default();
    store.decide_budget(to.budget, move |view| sends::count(view, &to, &limits, now)).await.unwrap()
}

pub(crate) async fn sixty_four_senders_get_ten_messages_to_a_number(store: &Store) {
    let (to, limits) = (recipient("+14155550123"), SendLimits::default());
    let rule = |_| move |view: &BudgetView| sends::count(view, &to, &limits, NOW);
    let counted = rush(store, |_| to.budget, rule).await;
    assert_eq!(counted.iter().filter(|counted| counted.is_ok()).count(), 10, "{counted:?}");
    assert!(counted.iter().all(|counted| *counted == Ok(()) || *counted == Err(NOW.plus(DAY))), "{counted:?}");
    store.decide_budget(to.budget, move |view| sends::give_back(view, &to, NOW)).await.unwrap();
    assert_eq!(count(store, to, NOW).await, Ok(()), "what was given back");
    assert!(count(store, to, NOW).await.is_err());
    assert_eq!(count(store, recipient("+14155550124"), NOW).await, Ok(()), "a neighbour");
}

pub(crate) async fn sixty_four_senders_get_fifty_messages_to_a_hundred_numbers(store: &Store) {
    let limits = SendLimits::default();
    let to = |n: usize| recipient(&format!("+1415555{:04}", 700 + n));
    let rule = |n| {
        let to = to(n);
        move |view: &BudgetView| sends::count(view, &to, &limits, NOW)
    };
    let counted = rush(store, |n| to(n).budget, rule).await;
    assert_eq!(counted.iter().filter(|counted| counted.is_ok()).count(), 50, "{counted:?}");
    assert_eq!(count(store, recipient("+14155550800"), NOW).await, Ok(()), "the next hundred");
    assert_eq!(count(store, to(99), NOW.plus(HOUR)).await, Ok(()), "an hour later");
}

pub(crate) async fn a_day_is_taken_once_and_its_alarms_are_recorded_once(store: &Store) {
    let client = client(store).await.id;
    for (budget, limit) in [(Budget::Client(client), 100), (Budget::Server, 60)] {
        let before = store.audit(chain(budget)).await.unwrap().len();
        let rule = |_| move |view: &BudgetView| sends::lease(view, budget, limit, 3, NOW);
        let leased = rush(store, |_| budget, rule).await;
        assert_eq!(leased.iter().map(|leased| leased.amount).sum::<i64>(), limit);
        assert_eq!(leased.iter().filter(|leased| leased.alarm.is_some()).count(), 2);
        let entries = store.audit(chain(budget)).await.unwrap();
        let kinds: Vec<_> = entries[before..].iter().map(|entry| entry.kind.as_str()).collect();
        assert_eq!(kinds, ["messages.near_ceiling", "messages.at_ceiling"]);
        assert!(store.verify_audit_chain(chain(budget)).await.unwrap());
    }
    let of =
        |budgets: Vec<(Budget, Spent)>| budgets.into_iter().map(|(of, spent)| (of, spent.taken)).collect::<Vec<_>>();
    let days = of(store.day_budgets().await.unwrap());
    assert_eq!(days, [(Budget::Client(client), 100), (Budget::Server, 60)]);
}

fn chain(budget: Budget) -> AuditChain {
    match budget {
        Budget::Client(client) => AuditChain::Client(client),
        _ => AuditChain::Server,
    }
}

pub(crate) async fn a_bucket_is_emptied_once(store: &Store) {
    let rate = CallRate { per_second: 1, burst: 200 };
    let take = |client, want| move |view: &BudgetView| rate::take(view, client, rate, 3, want);
    let [one, other] = [ClientId(1), ClientId(2)];
    let began = store.decide_budget(Budget::Calls(other), |view| Decision::reply(view.clock)).await.unwrap();
    assert!(began.0 > NOW.0, "the database tells the time");
    let mut total = 0;
    for _ in 0..4 {
        let taken = rush(store, |_| Budget::Calls(one), |_| take(one, 20)).await;
        total += taken.iter().map(|granted| granted.paid + granted.calls).sum::<i64>();
    }
    let ended = store.decide_budget(Budget::Calls(other), |view| Decision::reply(view.clock)).await.unwrap();
    let most = 200 + (ended.since(began) + 999) / 1_000;
    assert!((200..=most).contains(&total), "{total} of at most {most}");
    let fresh = store.decide_budget(Budget::Calls(other), take(other, 300)).await.unwrap();
    assert_eq!((fresh.paid, fresh.calls), (3, 99), "another client's is full, and a node leaves half of it to others");
}

pub(crate) async fn five_trial_messages_pass_whoever_asks_at_once(store: &Store) {
    let prefix = Budget::PrefixOfCountry("DE");
    let verdict = PrefixVerdict { prefix, country: "DE", from: PrefixState::default(), closes: true };
    let closed = rush(store, |_| prefix, |_| move |view: &BudgetView| conversion::carry_out(view, &verdict, NOW)).await;
    assert_eq!(closed.iter().filter(|(_, is_new)| *is_new).count(), 1, "one closes it");
    let events = store.audit(AuditChain::Server).await.unwrap();
    let kinds: Vec<_> = events.iter().map(|entry| (entry.kind.as_str(), entry.reason.as_deref())).collect();
    assert_eq!(kinds, [("messages.prefix_closed", Some("country DE"))]);
    let pass = |now| move |view: &BudgetView| conversion::pass(view, prefix, now);
    let until = NOW.plus(conversion::REST);
    assert_eq!(store.decide_budget(prefix, pass(until.plus(-1))).await.unwrap(), Err(until));
    let passed = rush(store, |_| prefix, |_| pass(until)).await;
    assert_eq!(passed.iter().filter(|passed| **passed == Ok(Passage::Trial)).count(), 5, "{passed:?}");
    assert_eq!(passed.iter().filter(|passed| passed.is_err()).count(), SENDERS - 5);
    store.decide_budget(prefix, move |view| conversion::give_back(view, prefix)).await.unwrap();
    let passed = rush(store, |_| prefix, |_| pass(until)).await;
    assert_eq!(passed.iter().filter(|passed| passed.is_ok()).count(), 1, "one was not queued");
    let rows = store.prefixes().await.unwrap();
    assert_eq!(rows.len(), 1);
    assert!(PrefixState::of(&rows[0].1).is_closed());
}

pub(crate) async fn budgets_that_are_over_are_swept(store: &Store) {
    let (old, new) = (recipient("+14155550123"), recipient("+14155559999"));
    assert_eq!(count(store, old, NOW).await, Ok(()));
    assert_eq!(count(store, new, NOW.plus(HOUR)).await, Ok(()));
    store.decide_budget(Budget::Server, |view| sends::lease(view, Budget::Server, 9, 1, NOW)).await.unwrap();
    assert_eq!(store.sweep(NOW.plus(DAY - 1)).await.unwrap().budgets, 0);
    assert_eq!(store.sweep(NOW.plus(DAY)).await.unwrap().budgets, 1);
    let left = |view: &BudgetView| Decision::reply(view.spent.messages().len());
    assert_eq!(store.decide_budget(old.budget, left).await.unwrap(), 0);
    assert_eq!(store.decide_budget(new.budget, left).await.unwrap(), 1);
    assert_eq!(store.sweep(NOW.plus(2 * DAY)).await.unwrap().budgets, 1);
    assert_eq!(store.sweep(NOW.plus(7 * DAY)).await.unwrap().budgets, 1);
    assert_eq!(store.day_budgets().await.unwrap(), []);
}
