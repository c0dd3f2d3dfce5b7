//! What senders take out of the caps, over providers that fail as a test says.

use std::sync::atomic::Ordering;

use domain::{Channel, Charge, ClientId, Timestamp};
use store::Turn;

use crate::outbox::DeliveryClock as _;
use crate::outbox::tests::{START, Scene};
use crate::provider::SendError;

/// A scene with so much to spend, from which 9 are set aside for message 1.
async fn scene(all: i64, prices: &[(&'static str, i64)]) -> Scene {
    let scene = Scene::new();
    scene.till.prices.lock().unwrap().extend_from_slice(prices);
    scene.till.left.store(all - 9, Ordering::SeqCst);
    let charge = Charge { client: Some(ClientId(3)), country: "DE", block: None, micros: 9 };
    scene.queue_for(1, Channel::Sms, Some(charge)).await;
    scene
}

/// What is left to spend, and what messages cost by the database.
async fn books(scene: &Scene) -> (i64, i64) {
    let spent = scene.store.spending(Timestamp(0)).await.unwrap();
    (scene.till.left.load(Ordering::SeqCst), spent.iter().map(|one| one.micros).sum())
}

#[tokio::test]
async fn a_message_costs_what_its_provider_takes_and_the_rest_is_given_back() {
    let scene = scene(100, &[("a", 9), ("b", 5)]).await;
    // The first refuses it: nothing was sent.
    let (outbox, [_, second]) = scene.outbox([scene.failing("a", SendError::Refused), scene.fake("b")]);
    scene.work(&outbox).await;
    assert_eq!((second.tried(), books(&scene).await), (vec![1], (95, 5)));
    let spent = scene.store.spending(Timestamp(START)).await.unwrap();
    let [one] = &spent[..] else { panic!("{spent:?}") };
    assert_eq!((one.provider.as_deref(), one.country.as_str(), one.client), (Some("b"), "DE", Some(ClientId(3))));
    assert_eq!((one.channel, one.messages, one.verified), (Channel::Sms, 1, 0));
    assert_eq!(scene.store.spending(Timestamp(START + 1)).await.unwrap(), []);
}

#[tokio::test]
async fn a_try_that_may_have_been_sent_is_paid_and_so_is_the_next() {
    let scene = scene(100, &[("a", 9), ("b", 5)]).await;
    let (outbox, [_, second]) = scene.outbox([scene.failing("a", SendError::TimedOut), scene.fake("b")]);
    scene.work(&outbox).await;
    assert_eq!((second.tried(), books(&scene).await), (vec![1], (86, 14)));
}

#[tokio::test]
async fn another_try_is_not_made_if_the_cap_is_used_up() {
    let scene = scene(9, &[("a", 9), ("b", 5)]).await;
    let (outbox, [_, second]) = scene.outbox([scene.failing("a", SendError::TimedOut), scene.fake("b")]);
    scene.work(&outbox).await;
    assert_eq!((second.tried(), books(&scene).await), (vec![], (0, 9)));
    assert!(scene.is_empty().await, "it is given up");
}

#[tokio::test]
async fn a_message_that_cannot_be_sent_costs_nothing() {
    for error in [SendError::Refused, SendError::Unreachable, SendError::Denied] {
        let scene = scene(9, &[("a", 9)]).await;
        let (outbox, [_]) = scene.outbox([scene.failing("a", error)]);
        scene.work_on(&outbox).await;
        assert!(scene.is_empty().await);
        assert_eq!(books(&scene).await, (9, 0), "{error}");
    }
}

/// Between the claim and the record a sender may have handed the message over.
#[tokio::test]
async fn a_sender_that_dies_has_spent_what_was_set_aside() {
    for (all, expected) in [(100, (86, 14)), (13, (4, 9))] {
        let scene = scene(all, &[("a", 9), ("b", 5)]).await;
        let claimed = scene.store.claim_messages(Channel::Sms, Turn::ONLY, scene.time.now(), 1, 1_000).await.unwrap();
        assert_eq!(claimed[0].free, 9);
        scene.time.0.fetch_add(1_000, Ordering::SeqCst);
        let (outbox, [fake]) = scene.outbox([scene.fake("b")]);
        scene.work(&outbox).await;
        assert_eq!((fake.tried().len(), books(&scene).await), (usize::from(all == 100), expected));
    }
}

#[tokio::test]
async fn a_message_that_waits_too_long_gives_everything_back() {
    let scene = scene(100, &[("a", 9)]).await;
    scene.time.0.fetch_add(120_000, Ordering::SeqCst);
    let (outbox, [fake]) = scene.outbox([scene.fake("a")]);
    scene.work(&outbox).await;
    assert_eq!((fake.tried(), books(&scene).await), (vec![], (100, 0)));
}
