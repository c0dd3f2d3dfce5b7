//! Webhooks: positions that lose nothing, one holder at a time, and the log of deliveries.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::model::outbound::OutboundFault;
use domain::model::webhook::{DisableReason, KEEP_DELIVERIES, Webhook, WebhookAnswer, WebhookId};
use domain::*;

use super::world::*;
use crate::{Cursor, DeliveryStatus, EventFilter, EventPage, IdKind, Store, Tried, WebhookDelivery, WebhookLease};

fn hold(holder: &str, until: Timestamp) -> WebhookLease<'_> {
    WebhookLease { holder, until }
}

/// Reads on from a position until nothing is left. The ids in the order in which they were read.
pub(crate) async fn drain(store: &Store, cursor: &mut Cursor) -> Vec<i64> {
    let mut seen = Vec::new();
    loop {
        let found = store.follow(cursor, 7).await.unwrap();
        *cursor = found.cursor;
        if found.entries.is_empty() {
            return seen;
        }
        seen.extend(found.entries.into_iter().map(|(id, _)| id));
    }
}

pub(crate) async fn a_position_follows_what_happens(store: &Store) {
    somebody(store).await;
    let before = store.cursor_at_end().await.unwrap();
    let mut cursor = before.clone();
    assert_eq!(drain(store, &mut cursor).await, [0_i64; 0], "what was before is not told");
    let user = somebody(store).await;
    for n in 0..20 {
        put(store, user, vec![AuditEvent::of_user(AuditKind::Verified, user, NOW.plus(n)).into()]).await.unwrap();
    }
    let first = store.follow(&cursor, 5).await.unwrap();
    let kinds: Vec<_> = first.entries.iter().map(|(_, entry)| entry.kind.as_str()).collect();
    assert_eq!((kinds[0], kinds.len()), ("user.created", 5));
    let again = store.follow(&cursor, 5).await.unwrap();
    assert_eq!(again.entries, first.entries, "a position that was not kept is read from again");
    cursor = first.cursor;
    let rest = drain(store, &mut cursor).await;
    assert_eq!(rest.len(), 16);
    assert!(rest.is_sorted(), "one user's entries are told in order");
    assert_eq!(drain(store, &mut cursor).await, [0_i64; 0]);

    // Back to a moment: what happened since, and nothing from before.
    let mut back = store.cursor_since(NOW.plus(10), &cursor).await.unwrap();
    assert_eq!(drain(store, &mut back).await, rest[rest.len() - 10..]);
    let mut none = store.cursor_since(NOW.plus(1_000), &back).await.unwrap();
    assert_eq!(drain(store, &mut none).await, [0_i64; 0]);

    // What is recorded later is delivered, though it was decided before the moment; and so is what was not delivered yet,
    // though something after the moment was recorded before it.
    let at =
        async |at| put(store, user, vec![AuditEvent::of_user(AuditKind::Verified, user, at).into()]).await.unwrap();
    let mut back = store.cursor_since(NOW.plus(15), &none).await.unwrap();
    at(NOW.plus(2)).await;
    assert_eq!(drain(store, &mut back).await.len(), 6, "five since then, and the late one");
    let told = back.clone();
    at(NOW.plus(2_000)).await;
    at(NOW.plus(3)).await;
    let mut back = store.cursor_since(NOW.plus(1_500), &told).await.unwrap();
    assert_eq!(drain(store, &mut back).await.len(), 2);
    // A clock that is behind all of that, long after.
    let mut again = store.cursor_since(NOW.plus(2_000), &back).await.unwrap();
    assert_eq!(drain(store, &mut again).await.len(), 1);
    at(NOW.plus(-5)).await;
    assert_eq!(drain(store, &mut again).await.len(), 1);
}

/// Decisions about many users run beside each other, on nodes whose clocks are apart; a client's chain binds them all.
pub(crate) async fn a_chain_is_told_in_its_order_whatever_the_clocks_say(store: &Store) {
    let mut cursor = store.cursor_at_end().await.unwrap();
    let client = client(store).await.id;
    let mut users = Vec::new();
    for _ in 0..4 {
        users.push(somebody(store).await);
    }
    for n in 0..40 {
        let event = AuditEvent::of_client(AuditKind::ClientChanged, client, NOW.plus(-n));
        put(store, users[usize::try_from(n).unwrap() % users.len()], vec![event.into()]).await.unwrap();
    }
    let told = drain(store, &mut cursor).await;
    let entries = store.events_with_ids(&told).await.unwrap();
    let chain = entries.into_iter().filter(|(_, entry)| entry.user.is_none() && entry.client == Some(client));
    assert_eq!(chain.map(|(_, entry)| entry.position).collect::<Vec<_>>(), (1..=41).collect::<Vec<_>>());
}

pub(crate) async fn nothing_is_lost_while_many_write(store: &Store) {
    const WRITERS: usize = 8;
    const EACH: i64 = 40;
    let mut cursor = store.cursor_at_end().await.unwrap();
    let mut users = Vec::new();
    for _ in 0..WRITERS {
        users.push(somebody(store).await);
    }
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (store, done) = (store.clone(), done.clone());
        tokio::spawn(async move {
            let mut seen = Vec::new();
            loop {
                let over = done.load(Ordering::SeqCst);
                let found = drain(&store, &mut cursor).await;
                seen.extend(found);
                if over {
                    return seen;
                }
                tokio::task::yield_now().await;
            }
        })
    };
    let writers: Vec<_> = users
        .iter()
        .map(|user| {
            let (store, user) = (store.clone(), *user);
            tokio::spawn(async move {
                for n in 0..EACH {
                    let event = AuditEvent::of_user(AuditKind::Verified, user, NOW.plus(n));
                    put(&store, user, vec![event.into()]).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let seen = reader.await.unwrap();
    assert_eq!(seen.len(), WRITERS * (usize::try_from(EACH).unwrap() + 1));
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), seen.len(), "and nothing was read twice");
    // What one user did comes in its order.
    for user in users {
        let filter = EventFilter { user: Some(user), ..EventFilter::default() };
        let page = EventPage { beyond: None, descending: false, limit: 100 };
        let own: HashSet<_> =
            store.events(&filter, page).await.unwrap().entries.into_iter().map(|(id, _)| id).collect();
        let told: Vec<_> = seen.iter().copied().filter(|id| own.contains(id)).collect();
        assert!(told.is_sorted());
    }
}

pub(crate) async fn a_webhook_is_kept_and_forgotten(store: &Store) {
    let first = webhook(store).await;
    let second = webhook(store).await;
    let listed: Vec<_> = store.webhooks().await.unwrap().into_iter().map(|held| held.webhook).collect();
    assert_eq!(listed, [first.clone(), second.clone()]);
    assert!(store.set_webhook_keys(first.id, &first.keys, Sealed(vec![1; 40])).await.unwrap());
    assert!(!store.set_webhook_keys(first.id, &first.keys, Sealed(vec![2; 40])).await.unwrap(), "changed meanwhile");
    let because = Some((NOW, DisableReason::Operator));
    assert!(store.set_webhook_disabled(first.id, because).await.unwrap());
    let found = store.webhook(first.id).await.unwrap().unwrap().webhook;
    assert_eq!((found.keys, found.disabled), (Sealed(vec![1; 40]), because));
    assert!(store.set_webhook_disabled(first.id, None).await.unwrap());
    assert_eq!(store.webhook(first.id).await.unwrap().unwrap().webhook.disabled, None);

    let told = delivery(store, first.id, vec![1]).await;
    store.hold_webhook(first.id, hold("a", NOW.plus(10)), NOW).await.unwrap().unwrap();
    assert!(store.move_webhook(first.id, hold("a", NOW), &Cursor::default(), Some(&told)).await.unwrap());
    assert!(store.delete_webhook(first.id).await.unwrap());
    assert!(!store.delete_webhook(first.id).await.unwrap());
    assert_eq!(store.delivery(told.id).await.unwrap(), None, "its log goes along");
    assert_eq!(store.webhooks().await.unwrap().len(), 1);
    let late = delivery(store, first.id, vec![2]).await;
    assert!(!store.move_webhook(first.id, hold("a", NOW), &Cursor::default(), Some(&late)).await.unwrap());
}

pub(crate) async fn a_webhook_is_held_by_one_at_a_time(store: &Store) {
    let id = webhook(store).await.id;
    let mut running = Vec::new();
    for n in 0..RACERS {
        let store = store.clone();
        running.push(tokio::spawn(async move {
            let name = format!("node {n}");
            store.hold_webhook(id, hold(&name, NOW.plus(30_000)), NOW).await.unwrap().map(|_| name)
        }));
    }
    let mut holders = Vec::new();
    for racer in running {
        holders.extend(racer.await.unwrap());
    }
    let [winner] = &holders[..] else { panic!("held by {holders:?}") };
    assert!(store.hold_webhook(id, hold(winner, NOW.plus(30_000)), NOW).await.unwrap().is_some(), "it may go on");
    assert!(store.hold_webhook(id, hold("other", NOW), NOW.plus(29_999)).await.unwrap().is_none());

    // The holder dies; its time runs out, and another takes over. What the dead one comes back with is void.
    let later = NOW.plus(30_000);
    let taken = store.hold_webhook(id, hold("other", later.plus(30_000)), later).await.unwrap().unwrap();
    let (stale, told) = (delivery(store, id, vec![1]).await, delivery(store, id, vec![1, 2]).await);
    let moved = store.cursor_at_end().await.unwrap();
    assert!(!store.move_webhook(id, hold(winner, later), &moved, Some(&stale)).await.unwrap());
    assert_eq!(store.webhook(id).await.unwrap().unwrap().cursor, taken.cursor);
    assert_eq!(store.delivery(stale.id).await.unwrap(), None);
    assert!(store.move_webhook(id, hold("other", later), &moved, Some(&told)).await.unwrap());
    assert_eq!(store.waiting_deliveries(id).await.unwrap(), std::slice::from_ref(&told));
    store.release_webhook(id, winner).await.unwrap();
    assert!(!store.move_webhook(id, hold(winner, later), &moved, None).await.unwrap());
    store.release_webhook(id, "other").await.unwrap();
    assert!(store.hold_webhook(id, hold(winner, later), NOW).await.unwrap().is_some());
}

pub(crate) async fn a_delivery_is_tried_settled_and_told_again(store: &Store) {
    let id = webhook(store).await.id;
    let held = hold("a", NOW.plus(30_000));
    store.hold_webhook(id, held, NOW).await.unwrap().unwrap();
    let (one, two) = (delivery(store, id, vec![3, 1, 2]).await, delivery(store, id, vec![4]).await);
    for told in [&one, &two] {
        assert!(store.move_webhook(id, held, &Cursor::default(), Some(told)).await.unwrap());
    }
    assert_eq!(store.oldest_undelivered().await.unwrap(), Some(NOW));
    let tried =
        |answer, status, at: Timestamp| Tried { answer, status, next_attempt_at: at.plus(5_000), at, gone: false };
    let late = tried(WebhookAnswer::Fault(OutboundFault::Late), DeliveryStatus::Waiting, NOW);
    assert!(store.record_try(&one, late, held).await.unwrap());
    let waiting = &store.waiting_deliveries(id).await.unwrap()[0];
    assert_eq!((waiting.attempts, waiting.next_attempt_at, waiting.settled_at), (1, NOW.plus(5_000), None));
    assert_eq!(
        (waiting.answer, waiting.events.clone()),
        (Some(WebhookAnswer::Fault(OutboundFault::Late)), vec![3, 1, 2])
    );
    assert!(!store.replay_delivery(one.id, NOW).await.unwrap(), "it is under way");

    assert!(
        store.record_try(&one, tried(WebhookAnswer::Status(204), DeliveryStatus::Delivered, NOW), held).await.unwrap()
    );
    let failed = Tried { gone: true, ..tried(WebhookAnswer::Status(410), DeliveryStatus::Failed, NOW) };
    assert!(store.record_try(&two, failed, held).await.unwrap());
    assert_eq!(store.webhook(id).await.unwrap().unwrap().webhook.disabled, Some((NOW, DisableReason::Gone)));
    // A straggler does not undo what is over.
    store.record_try(&one, late, held).await.unwrap();
    let all = store.deliveries(id, false, 10).await.unwrap();
    assert_eq!(all.iter().map(|told| told.id).collect::<Vec<_>>(), [two.id, one.id]);
    assert_eq!((all[1].status, all[1].answer), (DeliveryStatus::Delivered, Some(WebhookAnswer::Status(204))));
    assert_eq!(store.deliveries(id, true, 10).await.unwrap(), all[..1]);
    assert_eq!(store.oldest_undelivered().await.unwrap(), None);

    assert!(store.replay_delivery(one.id, NOW.plus(9)).await.unwrap());
    let again = &store.waiting_deliveries(id).await.unwrap()[0];
    assert_eq!((again.message.as_str(), again.replay, again.attempts), (one.message.as_str(), true, 0));
    assert_eq!(store.oldest_undelivered().await.unwrap(), None, "it holds up nothing");
    let end = NOW.plus(KEEP_DELIVERIES);
    assert_eq!(store.sweep_deliveries(NOW.plus(-1)).await.unwrap(), 0);
    assert_eq!(store.sweep_deliveries(end).await.unwrap(), 1, "what waits is kept");
}

/// Each node draws ids from separate blocks, so they do not tell what is newer.
pub(crate) async fn webhooks_and_deliveries_are_listed_by_age(store: &Store) {
    let young = webhook(store).await;
    let id = WebhookId(store.next_id(IdKind::Webhook).await.unwrap());
    let old = Webhook { id, created_at: NOW.plus(-1), ..young.clone() };
    store.create_webhook(&old, &Cursor::default()).await.unwrap();
    let listed = store.webhooks().await.unwrap();
    assert_eq!(listed.iter().map(|held| held.webhook.id).collect::<Vec<_>>(), [old.id, young.id]);

    let held = hold("a", NOW.plus(30_000));
    store.hold_webhook(old.id, held, NOW).await.unwrap().unwrap();
    let mut made = Vec::new();
    for (at, status) in [(2, DeliveryStatus::Failed), (1, DeliveryStatus::Failed), (3, DeliveryStatus::Delivered)] {
        let told = WebhookDelivery { status, created_at: NOW.plus(at), ..delivery(store, old.id, vec![at]).await };
        assert!(store.move_webhook(old.id, held, &Cursor::default(), Some(&told)).await.unwrap());
        made.push(told);
    }
    let [second, third, first] = made.try_into().unwrap();
    let newest = [first, second.clone()];
    assert_eq!(store.deliveries(old.id, false, 2).await.unwrap(), newest, "the newest of three");
    assert_eq!(store.deliveries(old.id, true, 9).await.unwrap(), [second, third]);
}
