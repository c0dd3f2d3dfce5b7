//! When a text message is called instead (contract 18.10, SEC 99).

use domain::SpokenWords;

use super::*;
use crate::breaker::RouteState;

const CALLS: &[Channel] = &[Channel::Voice];

impl Scene {
    /// A text message with a code, and with words for a call.
    async fn queue_code(&self, id: i64) {
        self.queue_code_for(id, None).await;
    }

    async fn queue_code_for(&self, id: i64, charge: Option<Charge>) {
        let call = SpokenWords { body: "Your code is 123456".to_owned(), language: "en".to_owned() };
        let text = Content::of("+491701234567".to_owned(), "own text 123456\n\n@example.com #123456".to_owned());
        let content = Content { code: Some("123456".to_owned()), call: Some(call), ..text };
        self.queue_content(id, Channel::Sms, content, charge).await;
    }

    fn calling(&self, name: &'static str) -> Fake {
        Fake { channels: CALLS, ..self.fake(name) }
    }

    /// An outbox that may call texts.
    fn outbox_that_calls<const N: usize>(&self, fakes: [Fake; N]) -> (Outbox, [Arc<Fake>; N]) {
        let (outbox, fakes) = self.outbox(fakes);
        (Outbox::new(&self.store, &self.keys, outbox.routes.with_texts_called(), self.till.clone()), fakes)
    }

    fn now(&self) -> Timestamp {
        self.time.now()
    }
}

/// Takes a route down, as five failures in a row do.
fn fail(outbox: &Outbox, channel: Channel, now: Timestamp) {
    let route = outbox.routes().of(channel).next().unwrap();
    (0..5).for_each(|_| route.note(None, Err(SendError::TimedOut), now));
    assert!(matches!(route.state(now), RouteState::DownUntil(_)));
}

/// The worker that calls instead of texting.
fn stand_in(outbox: &Outbox) -> Worker<'_> {
    outbox.workers().find(|worker| worker.route.stands_in()).unwrap()
}

#[tokio::test]
async fn a_text_is_called_only_while_all_routes_for_texts_are_down() {
    let scene = Scene::new();
    let (outbox, [first, second, calls]) =
        scene.outbox_that_calls([scene.fake("a"), scene.fake("b"), scene.calling("c")]);
    scene.queue_code(1).await;
    scene.work(&outbox).await;
    fail(&outbox, Channel::Sms, scene.now());
    scene.queue_code(2).await;
    scene.work(&outbox).await;
    assert_eq!((first.tried(), second.tried(), calls.tried()), (vec![1], vec![2], vec![]), "one of two is enough");

    let down = outbox.routes().of(Channel::Sms).nth(1).unwrap();
    (0..5).for_each(|_| down.note(None, Err(SendError::TimedOut), scene.now()));
    scene.queue_code(3).await;
    scene.work(&outbox).await;
    assert_eq!(calls.tried(), [3]);
    assert!(scene.is_empty().await);

    scene.time.0.fetch_add(30_000, Ordering::SeqCst);
    scene.queue_code(4).await;
    scene.queue_code(5).await;
    scene.work(&outbox).await;
    assert_eq!(calls.tried(), [3], "those that are back on trial come first");
    assert_eq!(first.tried().len() + second.tried().len(), 4);
}

#[tokio::test]
async fn the_call_has_the_number_and_the_code_of_the_text_and_the_words_of_a_call() {
    let scene = Scene::new();
    let (outbox, [_, calls]) = scene.outbox_that_calls([scene.fake("a"), scene.calling("b")]);
    fail(&outbox, Channel::Sms, scene.now());
    scene.queue_code(1).await;
    scene.work(&outbox).await;
    let sent = calls.sent.lock().unwrap();
    let [message] = &sent[..] else { panic!("{} calls", sent.len()) };
    assert_eq!((message.channel, message.key()), (Channel::Voice, format!("1-{START}")));
    let content = &message.content;
    assert_eq!((content.to.as_str(), content.code.as_deref()), ("+491701234567", Some("123456")));
    assert_eq!((content.body.as_str(), content.language.as_deref()), ("Your code is 123456", Some("en")));
    let health = outbox.routes().health(scene.now());
    let of = |channel| health.iter().find(|route| route.channel == channel).unwrap().sent();
    assert_eq!(
        (health.len(), of(Channel::Sms), of(Channel::Voice)),
        (2, 0, 1),
        "it counts for the route that carried it"
    );
}

#[tokio::test]
async fn a_message_in_which_the_last_route_for_texts_fails_is_called_at_once() {
    let scene = Scene::new();
    let (outbox, [texts, calls]) =
        scene.outbox_that_calls([scene.failing("a", SendError::Busy(None)), scene.calling("b")]);
    for id in 1..=6 {
        scene.queue_code(id).await;
    }
    scene.work_on(&outbox).await;
    assert_eq!(texts.tried(), [1, 2, 3, 4, 5], "then the route is down");
    let mut called = calls.tried();
    called.sort_unstable();
    assert_eq!(called, [1, 2, 3, 4, 5, 6]);
    assert!(scene.is_empty().await);
}

/// A warning, a row of an earlier build, a text without words for a call.
#[tokio::test]
async fn what_must_not_be_called_waits_for_its_own_route_and_loses_no_try() {
    let scene = Scene::new();
    let failing = Fake { next: Mutex::new([Err(SendError::Unavailable); 2].into()), ..scene.fake("a") };
    let (outbox, [texts, calls]) = scene.outbox_that_calls([failing, scene.calling("b")]);
    fail(&outbox, Channel::Sms, scene.now());
    scene.queue(1, Channel::Sms).await;
    scene.queue_code(2).await;
    let next = scene.work(&outbox).await.unwrap();
    assert_eq!(calls.tried(), [2]);
    assert_eq!(next.since(scene.now()), NOT_CALLED - 1_000, "the call took a second");
    // Its own route fails twice more, half a minute each, before it works.
    scene.work_on(&outbox).await;
    assert_eq!((texts.tried(), calls.tried()), (vec![1, 1, 1], vec![2]));
    assert!(scene.is_empty().await);
}

#[tokio::test]
async fn nothing_is_called_where_the_operator_has_not_said_so() {
    let scene = Scene::new();
    let (outbox, [_, calls]) = scene.outbox([scene.fake("a"), scene.calling("b")]);
    fail(&outbox, Channel::Sms, scene.now());
    scene.queue_code(1).await;
    scene.work(&outbox).await;
    assert!(calls.tried().is_empty());
    assert!(outbox.routes().code_down_until(Channel::Sms, scene.now()).is_some());
}

/// Otherwise a client that chooses recipients could have them called.
#[tokio::test]
async fn a_text_that_is_refused_is_not_called() {
    for error in [SendError::Refused, SendError::Unreachable] {
        let scene = Scene::new();
        let (outbox, [texts, calls]) = scene.outbox_that_calls([scene.failing("a", error), scene.calling("b")]);
        scene.queue_code(1).await;
        assert_eq!(scene.work(&outbox).await, None);
        assert_eq!((texts.tried(), calls.tried()), (vec![1], vec![]), "{error}");
        assert!(scene.is_empty().await);
    }
}

#[tokio::test]
async fn calls_share_their_breaker_and_a_call_that_cannot_be_made_waits() {
    let scene = Scene::new();
    let (outbox, [_, calls]) = scene.outbox_that_calls([scene.fake("a"), scene.calling("b")]);
    let now = scene.now();
    let down_until = |now| outbox.routes().code_down_until(Channel::Sms, now);
    fail(&outbox, Channel::Sms, now);
    assert_eq!(down_until(now), None, "a call can carry it");
    assert_eq!(outbox.routes().down_until(Channel::Sms, now), Some(now.plus(30_000)), "a warning waits");
    scene.time.0.fetch_add(1_000, Ordering::SeqCst);
    fail(&outbox, Channel::Voice, scene.now());
    assert_eq!(down_until(scene.now()), Some(now.plus(30_000)), "the first of both");
    scene.queue_code(1).await;
    scene.work(&outbox).await;
    assert!(calls.tried().is_empty(), "calls are down, too");
    fail(&outbox, Channel::Sms, now.plus(25_000));
    scene.time.0.store(now.plus(31_000).0, Ordering::SeqCst);
    scene.work(&outbox).await;
    assert_eq!(calls.tried(), [1], "the call is tried first");
    let route = outbox.routes().of(Channel::Voice).next().unwrap();
    assert_eq!(route.state(scene.now()), RouteState::Up, "it is the route of calls that works again");
}

#[tokio::test]
async fn of_a_route_that_comes_back_and_a_call_one_carries_the_message() {
    for claimed_first in [true, false] {
        let scene = Scene::new();
        let slow = Fake { gate: Semaphore::new(0), ..scene.calling("b") };
        let (outbox, [texts, calls]) = scene.outbox_that_calls([scene.fake("a"), slow]);
        fail(&outbox, Channel::Sms, scene.now());
        scene.queue_code(1).await;
        let text = outbox.workers().find(|worker| !worker.route.stands_in()).unwrap();
        let call = stand_in(&outbox);
        if claimed_first {
            let test = async {
                until(|| calls.waiting.load(Ordering::SeqCst) == 1).await;
                // The call is under way when the other route comes back.
                outbox.trust_all();
                assert_eq!(text.deliver_due(&scene.time, 1_000).await.unwrap(), Some(Timestamp(START + 25_000)));
                calls.gate.add_permits(1);
            };
            let (called, ()) = tokio::join!(call.deliver_due(&scene.time, 1_000), test);
            called.unwrap();
            assert_eq!((texts.tried(), calls.tried()), (vec![], vec![1]));
        } else {
            // It is claimed for a call, which has not begun.
            let queued = call.claim(1, scene.now()).await.unwrap().remove(0);
            outbox.trust_all();
            call.start(queued, &mut JoinSet::new(), &scene.time).await.unwrap();
            assert_eq!(calls.waiting.load(Ordering::SeqCst), 0);
            scene.work(&outbox).await;
            assert_eq!((texts.tried(), calls.tried()), (vec![1], vec![]));
        }
        assert!(scene.is_empty().await);
    }
}

/// Sixteen workers of two nodes, half of which see the route for texts up.
#[tokio::test]
async fn of_nodes_that_disagree_about_a_route_one_carries_the_message() {
    let scene = Scene::new();
    let nodes: Vec<_> = (0..16)
        .map(|n| {
            let (outbox, fakes) = scene.outbox_that_calls([scene.fake("a"), scene.calling("b")]);
            if n % 2 == 0 {
                fail(&outbox, Channel::Sms, scene.now());
            }
            (outbox, fakes)
        })
        .collect();
    for id in 1..=20 {
        scene.queue_code(id).await;
    }
    let working = nodes.iter().map(|(outbox, _)| scene.work(outbox));
    futures_util::future::join_all(working).await;
    let mut carried: Vec<i64> =
        nodes.iter().flat_map(|(_, fakes)| fakes.iter().flat_map(|fake| fake.tried())).collect();
    carried.sort_unstable();
    assert_eq!(carried, (1..=20).collect::<Vec<_>>());
    assert!(scene.is_empty().await);
}

/// A call that costs more than the text; with so much to spend, of which 9 are set aside for each message.
fn priced(scene: &Scene, all: i64, messages: i64) -> Charge {
    scene.till.prices.lock().unwrap().extend_from_slice(&[("a", 5), ("b", 9)]);
    scene.till.left.store(all - 9 * messages, Ordering::SeqCst);
    Charge { client: None, country: "DE", block: None, micros: 9 }
}

/// SEC 101: what the call costs less than what is set aside is given back, and what it costs is in the books.
#[tokio::test]
async fn a_text_that_is_called_is_paid_as_the_call() {
    for (called, expected) in [(true, 91), (false, 95)] {
        let scene = Scene::new();
        let (outbox, [_, calls]) = scene.outbox_that_calls([scene.fake("a"), scene.calling("b")]);
        let charge = priced(&scene, 100, 1);
        if called {
            fail(&outbox, Channel::Sms, scene.now());
        }
        scene.queue_code_for(1, Some(charge)).await;
        scene.work(&outbox).await;
        assert_eq!(calls.tried().len(), usize::from(called));
        let spent = scene.store.spending(Timestamp(0)).await.unwrap();
        let [one] = &spent[..] else { panic!("{spent:?}") };
        assert_eq!(one.provider.as_deref(), Some(if called { "b" } else { "a" }));
        assert_eq!((scene.till.left.load(Ordering::SeqCst), one.micros), (expected, 100 - expected));
    }
}

/// SEC 101: it may be put back any number of times, and is paid once.
#[tokio::test]
async fn a_message_that_is_put_back_is_paid_once() {
    let scene = Scene::new();
    let (outbox, [texts, calls]) = scene.outbox_that_calls([scene.fake("a"), scene.calling("b")]);
    // There is nothing to spend but what is set aside.
    let charge = priced(&scene, 18, 2);
    fail(&outbox, Channel::Sms, scene.now());
    // One must not be called. The other is claimed for a call that has not begun.
    scene.queue_for(1, Channel::Sms, Some(charge)).await;
    scene.work(&outbox).await;
    scene.queue_code_for(2, Some(charge)).await;
    let call = stand_in(&outbox);
    let queued = call.claim(1, scene.now()).await.unwrap().remove(0);
    assert_eq!((queued.message.id.0, queued.free), (2, 9));
    outbox.trust_all();
    call.start(queued, &mut JoinSet::new(), &scene.time).await.unwrap();
    assert_eq!(scene.store.spending(Timestamp(0)).await.unwrap(), []);
    scene.work_on(&outbox).await;
    let mut tried = texts.tried();
    tried.sort_unstable();
    assert_eq!((tried, calls.tried()), (vec![1, 2], vec![]));
    let spent: i64 = scene.store.spending(Timestamp(0)).await.unwrap().iter().map(|one| one.micros).sum();
    assert_eq!((scene.till.left.load(Ordering::SeqCst), spent), (8, 10));
    assert!(scene.is_empty().await);
}

/// SEC 101: the price of the call is set aside if it is higher.
#[test]
fn a_text_with_a_code_may_be_carried_by_a_call_and_a_warning_may_not() {
    let scene = Scene::new();
    let (outbox, _) = scene.outbox_that_calls([scene.fake("a"), scene.calling("b")]);
    let names = |outbox: &Outbox, has_code| -> Vec<_> {
        let carrying = outbox.routes().may_carry(Channel::Sms, has_code);
        carrying.map(|route| (route.provider().name().to_owned(), route.channel())).collect()
    };
    let (texts, calls) = (("a".to_owned(), Channel::Sms), ("b".to_owned(), Channel::Voice));
    assert_eq!(names(&outbox, true), [texts.clone(), calls]);
    assert_eq!(names(&outbox, false), std::slice::from_ref(&texts));
    let (outbox, _) = scene.outbox([scene.fake("a"), scene.calling("b")]);
    assert_eq!(names(&outbox, true), [texts], "where texts are not called");
}

/// Otherwise a burst that takes the route down would have its refused recipients called.
#[tokio::test]
async fn a_text_that_is_refused_while_its_route_goes_down_is_not_called() {
    let scene = Scene::new();
    let ends = [[Err(SendError::Unavailable); 5].as_slice(), &[Err(SendError::Refused)]].concat();
    let texts = Fake { next: Mutex::new(ends.into()), at_once: 6, ..scene.fake("a") };
    let (outbox, [texts, calls]) = scene.outbox_that_calls([texts, scene.calling("b")]);
    for id in 1..=6 {
        scene.queue_code(id).await;
    }
    scene.work(&outbox).await;
    let refused = texts.tried()[5];
    let mut called = calls.tried();
    called.sort_unstable();
    assert_eq!(called, (1..=6).filter(|id| *id != refused).collect::<Vec<_>>());
    assert!(scene.is_empty().await);
}

/// The setting must lose no message that would have arrived without it.
#[tokio::test]
async fn calls_that_fail_leave_the_message_to_the_routes_for_texts() {
    for error in [SendError::Unavailable, SendError::TimedOut, SendError::Refused, SendError::Unreachable] {
        let scene = Scene::new();
        let failing = Fake { always: Err(error), ..scene.calling("b") };
        let (outbox, [texts, calls]) = scene.outbox_that_calls([scene.fake("a"), failing]);
        fail(&outbox, Channel::Sms, scene.now());
        scene.queue_code(1).await;
        scene.work_on(&outbox).await;
        assert!((1..=3).contains(&calls.tried().len()), "{error}: {:?}", calls.tried());
        assert_eq!(texts.tried(), [1], "{error}");
        assert!(scene.is_empty().await);
    }
}
