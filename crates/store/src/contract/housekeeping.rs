//! Ids, the outbox, clean-up and the server's own values.

use std::collections::HashSet;

use domain::model::client::REFRESH_TTL;
use domain::model::time::{DAY, MINUTE};
use domain::model::visit::Visit;
use domain::rules::{message_end, risk};
use domain::*;

use super::world::*;
use crate::query::{BATCH, USERS};
use crate::{Error, IdKind, MessageOutcome, Sizes, Store, Turn};

pub(crate) async fn ids_are_never_given_twice(store: &Store) {
    let mut running = Vec::new();
    for _ in 0..8 {
        let store = store.clone();
        running.push(tokio::spawn(async move {
            let mut ids = Vec::new();
            for _ in 0..50 {
                ids.push(store.next_id(IdKind::Device).await.unwrap());
            }
            ids
        }));
    }
    let mut seen = HashSet::new();
    for racer in running {
        for id in racer.await.unwrap() {
            assert!((1..=i64::from(i32::MAX)).contains(&id));
            assert!(seen.insert(id), "{id} twice");
        }
    }
    assert_eq!(seen.len(), 400);
    assert_eq!(store.next_id(IdKind::User).await.unwrap(), 1, "kinds count by themselves, from one");
}

async fn queue(store: &Store, count: i64) -> Verification {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Sms).await;
    let asked = verification(&device, sent_code("1"));
    open(store, &asked).await;
    put(store, user, (1..=count).map(|n| Change::Enqueue(message(n, &asked))).collect()).await.unwrap();
    asked
}

pub(crate) async fn a_message_is_claimed_by_one_sender_at_a_time(store: &Store) {
    assert_eq!(store.next_message_at(Channel::Sms, Turn::ONLY).await.unwrap(), None);
    let asked = queue(store, 20).await;
    assert_eq!(store.next_message_at(Channel::Sms, Turn::ONLY).await.unwrap(), Some(NOW));
    assert!(
        store.claim_messages(Channel::Sms, Turn::ONLY, NOW.plus(-1), 9, 1000).await.unwrap().is_empty(),
        "not due yet"
    );
    assert!(
        store.claim_messages(Channel::Voice, Turn::ONLY, NOW, 9, 1000).await.unwrap().is_empty(),
        "another channel"
    );
    assert_eq!(store.next_message_at(Channel::Voice, Turn::ONLY).await.unwrap(), None);
    let mut running = Vec::new();
    for _ in 0..4 {
        let store = store.clone();
        running.push(tokio::spawn(async move {
            store.claim_messages(Channel::Sms, Turn::ONLY, NOW, 5, 1000).await.unwrap()
        }));
    }
    let mut seen = HashSet::new();
    for sender in running {
        for queued in sender.await.unwrap() {
            assert_eq!(queued.passed, 1);
            assert_eq!(queued.message, message(queued.message.id.0, &asked));
            assert!(seen.insert(queued.message.id));
        }
    }
    assert_eq!(seen.len(), 20);
    assert!(store.claim_messages(Channel::Sms, Turn::ONLY, NOW.plus(999), 99, 1000).await.unwrap().is_empty());
    let again = store.claim_messages(Channel::Sms, Turn::ONLY, NOW.plus(1000), 99, 1000).await.unwrap();
    assert_eq!(again.len(), 20, "a sender who died loses its claim");
    assert!(again.iter().all(|queued| queued.passed == 2));
}

pub(crate) async fn a_settled_message_is_wiped(store: &Store) {
    let asked = queue(store, 3).await;
    store.claim_messages(Channel::Sms, Turn::ONLY, NOW, 9, 1000).await.unwrap();
    store.settle_message(MessageId(1), sent_by("twilio", 0), NOW).await.unwrap();
    let give_up = Change::GiveUpMessage { message: MessageId(2), why: DropReason::Expired, unspent: 0, at: NOW };
    put(store, asked.user_id, vec![give_up.clone()]).await.unwrap();
    let sent = Change::GiveUpMessage { message: MessageId(1), why: DropReason::Expired, unspent: 0, at: NOW };
    for (settled, change) in [("given up", give_up), ("sent", sent)] {
        assert_eq!(put(store, asked.user_id, vec![change]).await, Err(Error::Ended), "{settled}");
    }
    let claimed_until = NOW.plus(1000);
    let again = MessageOutcome::Retry { at: NOW.plus(10), free: 0, claimed_until };
    store.settle_message(MessageId(3), again, NOW).await.unwrap();
    assert_eq!(store.next_message_at(Channel::Sms, Turn::ONLY).await.unwrap(), Some(NOW.plus(10)));
    let due = store.claim_messages(Channel::Sms, Turn::ONLY, NOW.plus(9999), 9, 1000).await.unwrap();
    assert_eq!(due.iter().map(|queued| queued.message.id).collect::<Vec<_>>(), [MessageId(3)]);
}

/// Contract 18.10.
pub(crate) async fn a_message_that_is_put_back_is_as_it_was(store: &Store) {
    queue(store, 1).await;
    let by_two = |position| Turn { position, before: None, last: position, of: 2 };
    let claim = |now: Timestamp| store.claim_messages(Channel::Sms, by_two(1), now, 9, 1000);
    let claimed = claim(NOW).await.unwrap().remove(0);
    assert_eq!((claimed.passed_before, claimed.passed), (0, 2));
    let (passed, free, claimed_until) = (claimed.passed_before, claimed.free, claimed.claimed_until);
    let put_back = MessageOutcome::PutBack { at: NOW.plus(10), passed, free, claimed_until };
    store.settle_message(claimed.message.id, put_back, NOW).await.unwrap();
    assert!(claim(NOW.plus(9)).await.unwrap().is_empty());
    let again = store.claim_messages(Channel::Sms, by_two(0), NOW.plus(10), 9, 1000).await.unwrap().remove(0);
    assert_eq!((again.passed_before, again.passed), (0, 1), "no try was used up");
}

/// A write whose outcome was lost is made again, and a node that was paused wakes up: neither may undo another's claim.
pub(crate) async fn only_the_claim_that_holds_a_message_gives_it_back(store: &Store) {
    queue(store, 1).await;
    let claim = |now: Timestamp| store.claim_messages(Channel::Sms, Turn::ONLY, now, 9, 1000);
    let first = claim(NOW).await.unwrap().remove(0);
    let (id, claimed_until) = (first.message.id, first.claimed_until);
    let late = [
        MessageOutcome::Retry { at: NOW, free: 0, claimed_until },
        MessageOutcome::PutBack { at: NOW, passed: first.passed_before, free: 0, claimed_until },
    ];
    store.settle_message(id, late[0].clone(), NOW).await.unwrap();
    let second = claim(NOW.plus(5)).await.unwrap().remove(0);
    for outcome in late {
        store.settle_message(id, outcome.clone(), NOW.plus(6)).await.unwrap();
        assert!(claim(NOW.plus(7)).await.unwrap().is_empty(), "{outcome:?}");
    }
    let own = MessageOutcome::PutBack { at: NOW.plus(8), passed: 0, free: 0, claimed_until: second.claimed_until };
    store.settle_message(id, own, NOW.plus(7)).await.unwrap();
    assert_eq!(claim(NOW.plus(8)).await.unwrap().len(), 1);
}

/// Contract 18.10.
pub(crate) async fn a_called_message_is_wiped_and_recorded_once(store: &Store) {
    let asked = queue(store, 2).await;
    let claimed = store.claim_messages(Channel::Sms, Turn::ONLY, NOW, 9, 1000).await.unwrap();
    let call = |message: Message| {
        store.decide(asked.user_id, move |view| message_end::called(view, &message, "twilio", 0, NOW))
    };
    call(claimed[0].message.clone()).await.unwrap();
    assert_eq!(call(claimed[0].message.clone()).await, Err(Error::Ended));
    // Another sender had it before.
    store.settle_message(claimed[1].message.id, sent_by("twilio", 0), NOW).await.unwrap();
    assert_eq!(call(claimed[1].message.clone()).await, Err(Error::Ended));
    assert_eq!(store.waiting().await.unwrap().messages, 0);
    let trail = store.audit(asked.user_id).await.unwrap();
    assert_eq!(trail.iter().filter(|entry| entry.kind == AuditKind::MessageCalled.name()).count(), 1);
}

pub(crate) async fn a_superseded_message_is_not_sent(store: &Store) {
    let asked = queue(store, 2).await;
    let claimed = store.claim_messages(Channel::Sms, Turn::ONLY, NOW, 1, 1000).await.unwrap();
    put(store, asked.user_id, vec![Change::DropMessages(asked.id)]).await.unwrap();
    assert_eq!(store.next_message_at(Channel::Sms, Turn::ONLY).await.unwrap(), None);
    let again = MessageOutcome::Retry { at: NOW, free: 0, claimed_until: claimed[0].claimed_until };
    store.settle_message(claimed[0].message.id, again, NOW).await.unwrap();
    assert!(
        store.claim_messages(Channel::Sms, Turn::ONLY, NOW.plus(9999), 9, 1000).await.unwrap().is_empty(),
        "not even retried"
    );
}

pub(crate) async fn the_sweeper_ends_what_is_over_and_keeps_what_is_not(store: &Store) {
    let user = somebody(store).await;
    let (active, hidden, pending, open_registration) = (
        device(store, user, FactorKind::Sms).await,
        device_in(store, user, FactorKind::Totp, DeviceStatus::Registering).await,
        device_in(store, user, FactorKind::Email, DeviceStatus::Pending).await,
        device_in(store, user, FactorKind::Hotp, DeviceStatus::Registering).await,
    );
    let later = NOW.plus(60 * MINUTE);
    let over = verification(&active, sent_code("1"));
    let registration = Verification { purpose: Purpose::Enrol, ..verification(&hidden, |_| Challenge::Own) };
    let uncollected = Verification {
        status: Status::Accepted { at: NOW, collected: None },
        state_token: Some(fresh_digest()),
        ..verification(&active, sent_code("1"))
    };
    let running = Verification {
        purpose: Purpose::Enrol,
        expires_at: later.plus(1),
        ..verification(&open_registration, |_| Challenge::Own)
    };
    for verification in [&over, &registration, &uncollected, &running] {
        open(store, verification).await;
    }
    put(store, user, vec![Change::Enqueue(message(1, &over)), Change::Enqueue(message(2, &over))]).await.unwrap();
    store.settle_message(MessageId(1), sent_by("twilio", 0), NOW).await.unwrap();
    let client = client(store).await;
    let set = token_set(store, client.id).await;
    let stored = set.clone();
    let create = move |_: &ClientView| Decision::reply(()).with(Change::CreateTokenSet(stored.clone()));
    store.decide_client(client.id, None, create).await.unwrap();

    let swept = store.sweep(NOW).await.unwrap();
    assert_eq!((swept.closed, swept.devices, swept.verifications, swept.more), (0, 0, 0, false));
    let swept = store.sweep(later).await.unwrap();
    assert_eq!((swept.closed, swept.devices, swept.verifications), (2, 1, 0));
    let view = store.view(user).await.unwrap();
    assert_eq!(view.devices.iter().map(|d| d.id).collect::<Vec<_>>(), [active.id, pending.id, open_registration.id]);
    assert_eq!(view.verifications, [running]);
    assert_eq!(standing(store, &over).await, None);
    assert_eq!(standing(store, &uncollected).await, Some(uncollected.status), "results stay readable");

    let swept = store.sweep(NOW.plus(2 * DAY)).await.unwrap();
    assert_eq!((swept.verifications, swept.messages, swept.tokens), (1, 1, 0));
    assert_eq!(standing(store, &uncollected).await, None);
    let view = store.view(user).await.unwrap();
    assert!(view.verifications.is_empty(), "what ran is over by now");
    assert!(
        store.next_message_at(Channel::Sms, Turn::ONLY).await.unwrap().is_some(),
        "what was not sent is not the sweeper's to decide"
    );
    assert_eq!(store.sweep(NOW.plus(REFRESH_TTL)).await.unwrap().tokens, 1);
    assert_eq!(store.token(set.access).await.unwrap(), None);
}

pub(crate) async fn browsers_that_live_on_hold_up_no_clean_up(store: &Store) {
    let user = somebody(store).await;
    let live = session(store, user, SessionKind::RememberedBrowser).await;
    let browsers = (0..2 * BATCH).map(|_| {
        let (id, token) = (SessionId(uuid::Uuid::from_u128(fresh().into())), fresh_digest());
        Change::OpenSession(Session { id, token, expires_at: NOW.plus(30 * DAY), ..live.clone() })
    });
    put(store, user, browsers.collect()).await.unwrap();
    let device = device(store, user, FactorKind::Sms).await;
    let over = verification(&device, sent_code("1"));
    open(store, &over).await;
    let swept = store.sweep(NOW.plus(2 * DAY)).await.unwrap();
    assert_eq!(swept.closed, 2, "the challenge, and the browser whose time is over");
    assert_eq!(standing(store, &over).await, None);
    assert_eq!(store.view(user).await.unwrap().sessions.len(), usize::try_from(2 * BATCH).unwrap());
}

/// SEC 87: a caller who asks for more until there is none comes to an end.
pub(crate) async fn users_who_cannot_be_read_never_make_the_clean_up_endless(store: &Store) {
    let over = NOW.plus(10 * MINUTE);
    let users = async |count: i64| {
        let mut asked = Vec::new();
        for _ in 0..count {
            let user = somebody(store).await;
            let device = device(store, user, FactorKind::Sms).await;
            asked.push(verification(&device, sent_code("1")));
            open(store, asked.last().unwrap()).await;
        }
        asked
    };
    let pieces = async || {
        let mut closed = Vec::new();
        loop {
            let swept = store.sweep(over).await.unwrap();
            closed.push(swept.closed);
            assert!(closed.len() < 20, "endless");
            if !swept.more {
                return closed;
            }
        }
    };
    // Damaged: each is looked at once. Newer: each comes up again, until a newer server has cleaned up.
    for asked in users(USERS).await {
        damage(store, asked.user_id).await;
    }
    let readable = users(2).await;
    assert_eq!(pieces().await.iter().sum::<u64>(), 2, "behind those who are damaged");
    assert_eq!(standing(store, &readable[0]).await, None);
    assert_eq!(pieces().await, [0]);
    for asked in users(USERS - 1).await {
        written_by_a_newer_server(store, asked.user_id).await;
    }
    users(3).await;
    assert_eq!(pieces().await.iter().sum::<u64>(), 3, "behind those of a newer server");
    let one_more = users(1).await;
    written_by_a_newer_server(store, one_more[0].user_id).await;
    assert_eq!(pieces().await, [0], "a piece of which each would come up again is the last");
}

fn ids(seen: &[crate::UserRead]) -> Vec<UserId> {
    seen.iter().map(|(user, _)| *user).collect()
}

/// SEC 75: what is over by a time that will not be believed any more is found for all users, and tokens are ended.
pub(crate) async fn what_is_over_is_found_before_time_is_taken_back(store: &Store) {
    use domain::model::client::ACCESS_TTL;
    use domain::model::temp_token::MAX_TTL;
    let (over, from) = (NOW.plus(3 * DAY), NOW.plus(MINUTE));
    let mut users = Vec::new();
    for _ in 0..5 {
        users.push(somebody(store).await);
    }
    let asked = |user, expires_at| async move {
        let device = device(store, user, FactorKind::Sms).await;
        open(store, &Verification { expires_at, ..verification(&device, sent_code("1")) }).await;
    };
    asked(users[0], over).await;
    asked(users[1], over.plus(1)).await;
    let token = |end| TempToken { hash: keys().hash("a", "b"), expires_at: end, reusable: true, used_at: None };
    put(store, users[2], vec![Change::SetTempToken(users[2], Some(token(over)))]).await.unwrap();
    put(store, users[3], vec![Change::SetTempToken(users[3], Some(token(over.plus(1))))]).await.unwrap();
    let mut visitor = store.view(users[4]).await.unwrap().user.unwrap();
    let visit = Visit::of("192.0.2.1".parse().unwrap(), "Firefox");
    visitor.profile.visits = risk::remember(&[], visit, None, NOW);
    put(store, users[4], vec![Change::UpdateUser(visitor)]).await.unwrap();
    let (found, next) = store.users_with_ends(UserId(0), over, NOW.plus(30 * DAY)).await.unwrap();
    let but_the_fourth: Vec<_> = users.iter().copied().filter(|user| *user != users[3]).collect();
    assert_eq!(
        (ids(&found), next),
        (but_the_fourth, None),
        "with anything that runs out; a token that lives on is none"
    );
    for (user, seen) in &found {
        let (seen, view) = (seen.as_ref().unwrap(), store.view(*user).await.unwrap());
        assert_eq!((&seen.user, &seen.devices, &seen.verifications), (&view.user, &view.devices, &view.verifications));
    }
    let (found, _) = store.users_with_ends(UserId(0), over, NOW.plus(-MAX_TTL)).await.unwrap();
    assert_eq!(ids(&found), users, "and a token that was issued later than that");

    // By the later time the first is over as a whole, the second as an access token, the third not at all; and the fourth
    // was over by the earlier time already.
    let client = client(store).await;
    let mut sets = Vec::new();
    for at in [over.plus(-REFRESH_TTL), from.plus(1), over.plus(1 - ACCESS_TTL), from.plus(-ACCESS_TTL)] {
        let set = TokenSet { created_at: at, ..token_set(store, client.id).await };
        sets.push(set.clone());
        let create = move |_: &ClientView| Decision::reply(()).with(Change::CreateTokenSet(set.clone()));
        store.decide_client(client.id, None, create).await.unwrap();
    }
    assert!(!store.end_access_tokens(over, from).await.unwrap());
    let mut live = Vec::new();
    for set in &sets {
        let held = store.token(set.access).await.unwrap().map(|(set, _)| set);
        let works = held.as_ref().map(|set| (set.is_live(from), set.is_refreshable(from)));
        let longer = held.is_some_and(|held| held.created_at > set.created_at);
        assert!(!longer, "nothing lives longer than before");
        live.push(works.unwrap_or_default());
    }
    assert_eq!(live, [(false, false), (false, true), (true, true), (false, true)]);

    let ahead = TokenSet { created_at: over, ..token_set(store, client.id).await };
    let (access, create) =
        (ahead.access, move |_: &ClientView| Decision::reply(()).with(Change::CreateTokenSet(ahead.clone())));
    store.decide_client(client.id, None, create).await.unwrap();
    while store.redate_tokens(from).await.unwrap() {}
    let (set, _) = store.token(access).await.unwrap().unwrap();
    assert_eq!(set.created_at, from, "issued while the clock was ahead: it lives as long as any");
}

pub(crate) async fn an_absent_value_is_set_once(store: &Store) {
    assert_eq!(store.meta("key").await.unwrap(), None);
    assert_eq!(store.set_meta_if_absent("key", b"one").await.unwrap(), b"one");
    assert_eq!(store.set_meta_if_absent("key", b"two").await.unwrap(), b"one");
    assert_eq!(store.swap_meta("key", b"two", b"three").await, Ok(false));
    assert_eq!(store.swap_meta("key", b"one", b"three").await, Ok(true));
    assert_eq!(store.swap_meta("key", b"three", b"one").await, Ok(true));
    store.set_meta("key", b"three").await.unwrap();
    assert_eq!(store.meta("key").await.unwrap().as_deref(), Some(b"three".as_slice()));
    assert!(store.ready().await);
}

pub(crate) async fn a_database_is_marked_for_one_world(store: &Store) {
    use crate::{KEY_CHECK, Known, World};
    assert_eq!(store.world(false).await.unwrap(), Known::Nothing);
    assert_eq!(store.world(true).await.unwrap(), Known::Unmarked(World::Dev), "traces beside it");
    store.set_meta(KEY_CHECK, b"sealed").await.unwrap();
    assert_eq!(store.world(false).await.unwrap(), Known::Unmarked(World::Serve));
    store.dev_prepare().await.unwrap();
    assert_eq!(store.world(false).await.unwrap(), Known::Unmarked(World::Dev), "traces in it");

    let mut racing = tokio::task::JoinSet::new();
    for number in 0..16 {
        let store = store.clone();
        let world = if number % 2 == 0 { World::Dev } else { World::Serve };
        racing.spawn(async move { store.mark_world(world).await.unwrap() });
    }
    let held = racing.join_all().await;
    assert!(held.iter().all(|world| *world == held[0]), "{held:?}");
    assert_eq!(store.world(true).await.unwrap(), Known::Marked(held[0]));
}

pub(crate) async fn calls_of_an_hour_are_numbered_once(store: &Store) {
    use domain::model::time::HOUR;
    assert_eq!(store.next_call(NOW).await.unwrap(), 1);
    let mut taking = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let store = store.clone();
        taking.spawn(async move { store.take_calls(NOW, 7).await.unwrap() });
    }
    let mut ends = taking.join_all().await;
    ends.sort_unstable();
    assert_eq!(ends, (1..=20).map(|n| n * 7 + 1).collect::<Vec<_>>());
    assert_eq!(store.next_call(NOW).await.unwrap(), 141);
    assert_eq!(store.take_calls(NOW.plus(HOUR), 5).await.unwrap(), 6, "another hour begins anew");
    store.sweep(NOW.plus(HOUR)).await.unwrap();
    assert_eq!(store.next_call(NOW).await.unwrap(), 141, "nodes whose clocks are behind still count in it");
    store.sweep(NOW.plus(2 * HOUR)).await.unwrap();
    assert_eq!((store.next_call(NOW).await.unwrap(), store.next_call(NOW.plus(HOUR)).await.unwrap()), (1, 6));
}

pub(crate) async fn sizes_are_counted(store: &Store) {
    let before = store.sizes().await.unwrap();
    let names: Vec<_> = before.rows.iter().map(|(table, _)| *table).collect();
    assert_eq!(names, ["token", "lookup", "outbox", "budget", "webhook_delivery", "used_secret"]);
    assert!(before.bytes > 0);
    queue(store, 7).await;
    let after = store.sizes().await.unwrap();
    let rows = |sizes: &Sizes| sizes.rows.iter().map(|(_, rows)| *rows).collect::<Vec<_>>();
    assert_eq!((rows(&before), rows(&after)), (vec![0; 6], vec![0, 1, 7, 0, 0, 0]));
    assert!(after.audit_entries > before.audit_entries);
    assert_eq!(after.oldest_entry, store.audit(UserId(1)).await.unwrap().first().map(|entry| entry.at));
}
