//! How the outbox works off its queue, over providers that fail as a test says.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use domain::{Change, Charge, Decision, DeviceId, MessageId, UserId, VerificationId, View};
use store::SqliteOptions;
use tokio::sync::Semaphore;

use super::*;
use crate::provider::{Provider, Sending};
use crate::tries::{BACK_OFF, lease, spread};

#[path = "outbox_calls_tests.rs"]
mod calls;

pub(crate) const START: i64 = 1_700_000_000_000;

/// A clock that passes when a provider works, and that a test sets.
#[derive(Clone, Default)]
pub(crate) struct Time(pub(crate) Arc<AtomicI64>);

impl DeliveryClock for Time {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, milliseconds: i64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        // Only the test moves the clock.
        let _ = milliseconds;
        Box::pin(pending())
    }
}

/// Takes messages, or fails as a test says; a sending takes a second of the test's clock.
pub(crate) struct Fake {
    name: &'static str,
    channels: &'static [Channel],
    time: Time,
    at_once: usize,
    /// How the next sendings end; afterwards as `always`.
    pub(crate) next: Mutex<VecDeque<Result<(), SendError>>>,
    always: Result<(), SendError>,
    hangs: bool,
    /// Sendings wait for a permit of this.
    gate: Semaphore,
    waiting: AtomicUsize,
    sent: Mutex<Vec<OutgoingMessage>>,
}

impl Provider for Fake {
    fn name(&self) -> &'static str {
        self.name
    }

    fn channels(&self) -> &[Channel] {
        self.channels
    }

    fn at_once(&self) -> usize {
        self.at_once
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(if self.hangs { 1 } else { 5_000 })
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> Sending<'a> {
        Box::pin(async move {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            if self.hangs {
                pending::<()>().await;
            }
            let _permit = self.gate.acquire().await.unwrap();
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            self.time.0.fetch_add(1_000, Ordering::SeqCst);
            self.sent.lock().unwrap().push(message.clone());
            self.next.lock().unwrap().pop_front().unwrap_or(self.always)
        })
    }
}

impl Fake {
    pub(crate) fn tried(&self) -> Vec<i64> {
        self.sent.lock().unwrap().iter().map(|message| message.id.0).collect()
    }
}

/// What there is to spend, and what providers ask.
#[derive(Default)]
pub(crate) struct Till {
    pub(crate) left: AtomicI64,
    pub(crate) prices: Mutex<Vec<(&'static str, i64)>>,
}

impl Accounts for Till {
    fn price(&self, provider: &str, _: Channel, _: &str) -> i64 {
        self.prices.lock().unwrap().iter().find(|(name, _)| *name == provider).map_or(0, |(_, price)| *price)
    }

    fn take<'a>(&'a self, _: &'a Charge, micros: i64, _: Timestamp) -> crate::Taking<'a> {
        let taken = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| Some(left - micros).filter(|left| *left >= 0));
        Box::pin(async move { Ok(taken.is_ok()) })
    }

    fn give_back(&self, charge: Option<&Charge>, micros: i64, _: Timestamp) {
        assert!(charge.is_some() || micros == 0);
        self.left.fetch_add(micros, Ordering::SeqCst);
    }
}

pub(crate) struct Scene {
    _dir: tempfile::TempDir,
    pub(crate) store: Store,
    keys: Keyring,
    pub(crate) time: Time,
    pub(crate) till: Arc<Till>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
        let keys = Keyring::new(&[[7; 32]]).unwrap();
        Self { _dir: dir, store, keys, time: Time(Arc::new(AtomicI64::new(START))), till: Arc::default() }
    }

    async fn queue(&self, id: i64, channel: Channel) {
        self.queue_for(id, channel, None).await;
    }

    pub(crate) async fn queue_for(&self, id: i64, channel: Channel, charge: Option<Charge>) {
        let content = Content::of("+491701234567".to_owned(), "code 123456".to_owned());
        self.queue_content(id, channel, content, charge).await;
    }

    async fn queue_content(&self, id: i64, channel: Channel, content: Content, charge: Option<Charge>) {
        let (id, user) = (MessageId(id), UserId(1));
        let content = serde_json::to_vec(&content).unwrap();
        let message = Message {
            id,
            user_id: user,
            device_id: Some(DeviceId(1)),
            verification_id: VerificationId(uuid::Uuid::from_u128(1)),
            channel,
            content: self.keys.seal(Message::place(id, user), [1; 24], &content),
            created_at: Timestamp(START),
            not_after: Timestamp(START + 120_000),
            charge,
        };
        let enqueue = move |_: &View| Decision::reply(()).with(Change::Enqueue(message.clone()));
        self.store.decide(user, enqueue).await.unwrap();
    }

    /// A provider that takes everything, one at a time.
    pub(crate) fn fake(&self, name: &'static str) -> Fake {
        Fake {
            name,
            channels: &[Channel::Sms],
            time: self.time.clone(),
            at_once: 1,
            next: Mutex::default(),
            always: Ok(()),
            hangs: false,
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            waiting: AtomicUsize::new(0),
            sent: Mutex::default(),
        }
    }

    pub(crate) fn failing(&self, name: &'static str, error: SendError) -> Fake {
        Fake { always: Err(error), ..self.fake(name) }
    }

    /// An outbox over these providers, in this order.
    pub(crate) fn outbox<const N: usize>(&self, fakes: [Fake; N]) -> (Outbox, [Arc<Fake>; N]) {
        let fakes = fakes.map(Arc::new);
        let routes = Routes::over(fakes.iter().map(|fake| fake.clone() as Arc<dyn Provider>));
        (Outbox::new(&self.store, &self.keys, routes, self.till.clone()), fakes)
    }

    /// Lets all workers work until nothing is due now, and says when something will be.
    pub(crate) async fn work(&self, outbox: &Outbox) -> Option<Timestamp> {
        loop {
            let before = self.time.now();
            let mut next = None;
            for worker in outbox.workers() {
                let at = worker.deliver_due(&self.time, 1_000).await.unwrap();
                next = match (next, at) {
                    (Some(one), Some(other)) => Some(Timestamp::min(one, other)),
                    (one, other) => one.or(other),
                };
            }
            if before == self.time.now() && next.is_none_or(|next| next > before) {
                return next;
            }
        }
    }

    /// The same, and moves the clock to whatever is due later.
    pub(crate) async fn work_on(&self, outbox: &Outbox) {
        while let Some(next) = self.work(outbox).await {
            self.time.0.fetch_max(next.0, Ordering::SeqCst);
        }
    }

    pub(crate) async fn is_empty(&self) -> bool {
        self.store.waiting().await.unwrap().messages == 0
    }
}

#[tokio::test]
async fn a_worker_sends_what_its_channel_has_and_nothing_else() {
    let scene = Scene::new();
    for (id, channel) in [(1, Channel::Sms), (2, Channel::Email), (3, Channel::Sms)] {
        scene.queue(id, channel).await;
    }
    let (outbox, [fake]) = scene.outbox([scene.fake("a")]);
    scene.work(&outbox).await;
    assert_eq!(fake.tried(), [1, 3]);
    assert_eq!(scene.store.waiting().await.unwrap().messages, 1);
}

#[tokio::test]
async fn a_message_of_a_channel_without_a_route_is_dropped() {
    let scene = Scene::new();
    scene.queue(1, Channel::Email).await;
    let (outbox, [fake]) = scene.outbox([scene.fake("a")]);
    outbox.drop_homeless(&scene.time).await.unwrap();
    assert!(!scene.is_empty().await, "another node may have a route");
    scene.time.0.fetch_add(120_000, Ordering::SeqCst);
    outbox.drop_homeless(&scene.time).await.unwrap();
    assert!(scene.is_empty().await);
    assert!(fake.tried().is_empty());
}

#[tokio::test]
async fn a_temporary_failure_is_tried_again_later_and_twice_at_most() {
    let scene = Scene::new();
    scene.queue(1, Channel::Sms).await;
    let (outbox, [fake]) = scene.outbox([scene.failing("a", SendError::Unavailable)]);
    for wait in BACK_OFF {
        let next = scene.work(&outbox).await.unwrap();
        // The wait begins when the sending has ended, not when it began.
        let waits = next.since(scene.time.now());
        assert!((wait * 3 / 4..=wait * 5 / 4).contains(&waits), "{waits}");
        scene.time.0.store(next.0, Ordering::SeqCst);
    }
    assert_eq!(scene.work(&outbox).await, None);
    assert_eq!(fake.tried(), [1, 1, 1]);
}

#[tokio::test]
async fn what_the_only_provider_refuses_is_given_up() {
    for error in [SendError::Refused, SendError::Denied, SendError::Unreachable, SendError::Gone] {
        let scene = Scene::new();
        scene.queue(1, Channel::Sms).await;
        let (outbox, [fake]) = scene.outbox([scene.failing("a", error)]);
        assert_eq!(scene.work(&outbox).await, None);
        assert_eq!(fake.tried(), [1]);
    }
}

#[tokio::test]
async fn what_one_route_cannot_send_the_next_one_does_at_once() {
    for error in [SendError::TimedOut, SendError::Denied, SendError::Refused, SendError::Busy(None)] {
        let scene = Scene::new();
        scene.queue(1, Channel::Sms).await;
        let (outbox, [first, second]) = scene.outbox([scene.failing("a", error), scene.fake("b")]);
        assert_eq!(scene.work(&outbox).await, None);
        assert_eq!((first.tried(), second.tried()), (vec![1], vec![1]));
        assert_eq!(scene.time.now().0, START + 2_000, "without a wait");
    }
}

#[tokio::test]
async fn a_recipient_whom_nobody_reaches_is_not_tried_elsewhere() {
    for error in [SendError::Unreachable, SendError::Gone] {
        let scene = Scene::new();
        scene.queue(1, Channel::Sms).await;
        let (outbox, [_, second]) = scene.outbox([scene.failing("a", error), scene.fake("b")]);
        assert_eq!(scene.work(&outbox).await, None);
        assert!(second.tried().is_empty());
    }
}

#[tokio::test]
async fn subscriptions_that_are_over_take_no_route_down() {
    let scene = Scene::new();
    for id in 1..=8 {
        scene.queue(id, Channel::Sms).await;
    }
    let (outbox, [fake]) = scene.outbox([scene.failing("a", SendError::Gone)]);
    scene.work(&outbox).await;
    assert_eq!(fake.tried().len(), 8);
    assert_eq!(outbox.routes().down_until(Channel::Sms, scene.time.now()), None);
}

#[tokio::test]
async fn every_route_is_tried_three_times_at_most() {
    let scene = Scene::new();
    scene.queue(1, Channel::Sms).await;
    let failing = ["a", "b", "c"].map(|name| scene.failing(name, SendError::TimedOut));
    let (outbox, fakes) = scene.outbox(failing);
    scene.work_on(&outbox).await;
    assert!(scene.is_empty().await);
    assert_eq!(fakes.map(|fake| fake.tried().len()), [3, 3, 3]);
}

#[tokio::test]
async fn a_route_that_is_down_is_passed_over_and_tried_by_one_message_later() {
    let scene = Scene::new();
    for id in 1..=8 {
        scene.queue(id, Channel::Sms).await;
    }
    let down = Fake { next: Mutex::new([Err(SendError::TimedOut); 5].into()), ..scene.fake("a") };
    let (outbox, [first, second]) = scene.outbox([down, scene.fake("b")]);
    scene.work(&outbox).await;
    assert_eq!(first.tried(), [1, 2, 3, 4, 5], "five in a row");
    assert_eq!(second.tried().len(), 8);
    scene.queue(9, Channel::Sms).await;
    scene.work(&outbox).await;
    assert_eq!((first.tried().len(), second.tried().len()), (5, 9), "still down");
    scene.time.0.fetch_add(30_000, Ordering::SeqCst);
    scene.queue(10, Channel::Sms).await;
    scene.queue(11, Channel::Sms).await;
    scene.work(&outbox).await;
    assert_eq!(first.tried()[5..], [10, 11], "one tries it, and then it is up for all");
}

#[tokio::test]
async fn what_waits_while_all_routes_are_down_is_sent_when_one_comes_back() {
    let scene = Scene::new();
    let busy =
        || Fake { next: Mutex::new([Err(SendError::Busy(Some(Duration::from_secs(20))))].into()), ..scene.fake("a") };
    scene.queue(1, Channel::Sms).await;
    let (outbox, [first, second]) = scene.outbox([busy(), Fake { name: "b", ..busy() }]);
    let next = scene.work(&outbox).await.unwrap();
    assert_eq!(outbox.routes().down_until(Channel::Sms, scene.time.now()), Some(next));
    scene.work_on(&outbox).await;
    assert!(scene.is_empty().await);
    assert_eq!(first.tried().len() + second.tried().len(), 3, "each failed once, then one sent it");
}

#[tokio::test]
async fn a_message_whose_code_ends_while_others_are_sent_is_dropped() {
    let scene = Scene::new();
    scene.queue(1, Channel::Sms).await;
    scene.queue(2, Channel::Sms).await;
    scene.time.0.store(START + 119_500, Ordering::SeqCst);
    let (outbox, [fake]) = scene.outbox([scene.fake("a")]);
    assert_eq!(scene.work(&outbox).await, None);
    assert_eq!(fake.tried(), [1]);
}

#[tokio::test]
async fn a_provider_that_hangs_is_left_and_its_message_tried_elsewhere() {
    let scene = Scene::new();
    scene.queue(1, Channel::Sms).await;
    scene.queue(2, Channel::Sms).await;
    let hanging = Fake { hangs: true, at_once: 4, ..scene.fake("a") };
    let (outbox, [first, second]) = scene.outbox([hanging, scene.fake("b")]);
    assert_eq!(scene.work(&outbox).await, None);
    assert_eq!(first.waiting.load(Ordering::SeqCst), 2);
    assert_eq!(second.tried(), [1, 2]);
}

#[tokio::test]
async fn a_sending_that_takes_long_keeps_only_its_own_place() {
    let scene = Scene::new();
    let slow = Fake { at_once: 2, gate: Semaphore::new(0), ..scene.fake("a") };
    scene.queue(1, Channel::Sms).await;
    let (outbox, [fake]) = scene.outbox([slow]);
    let worker = outbox.workers().next().unwrap();
    let test = async {
        until(|| fake.waiting.load(Ordering::SeqCst) == 1).await;
        scene.queue(2, Channel::Sms).await;
        scene.queue(3, Channel::Sms).await;
        outbox.wake(Channel::Sms);
        until(|| fake.waiting.load(Ordering::SeqCst) == 2).await;
        fake.gate.add_permits(3);
    };
    let (delivered, ()) = tokio::join!(worker.deliver_due(&scene.time, 1_000), test);
    assert_eq!(delivered.unwrap(), None);
    assert_eq!(fake.tried().len(), 3);
}

#[tokio::test]
async fn a_sender_that_dies_is_followed_by_the_next_and_not_without_end() {
    let scene = Scene::new();
    scene.queue(1, Channel::Sms).await;
    let slow = Fake { gate: Semaphore::new(0), ..scene.fake("a") };
    let (outbox, [fake]) = scene.outbox([slow]);
    // Its process is killed in the middle of each sending: the claim is there, the record is not.
    for killed in 1..=3 {
        let worker = outbox.workers().next().unwrap();
        tokio::select! {
            _ = worker.deliver_due(&scene.time, 1_000) => unreachable!("the gate is shut"),
            () = until(|| fake.waiting.load(Ordering::SeqCst) == killed) => {}
        }
        let lease = scene.work(&outbox).await.map(|next| next.since(scene.time.now()));
        assert_eq!(lease, Some(25_000), "until then it may still be sent");
        scene.time.0.fetch_add(25_000, Ordering::SeqCst);
    }
    assert_eq!(scene.work(&outbox).await, None);
    assert!(scene.is_empty().await, "given up after three tries");
    assert_eq!(fake.waiting.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn what_ended_while_it_was_sent_stays_as_it_is() {
    let scene = Scene::new();
    scene.queue(1, Channel::Sms).await;
    let refusing = Fake { gate: Semaphore::new(0), ..scene.failing("a", SendError::Refused) };
    let (outbox, [fake]) = scene.outbox([refusing]);
    let (elsewhere, _) = scene.outbox([]);
    scene.time.0.fetch_add(119_000, Ordering::SeqCst);
    let worker = outbox.workers().next().unwrap();
    let test = async {
        until(|| fake.waiting.load(Ordering::SeqCst) == 1).await;
        // Its code ends meanwhile. A node without a route leaves it to its sender.
        scene.time.0.fetch_add(1_000, Ordering::SeqCst);
        elsewhere.drop_homeless(&scene.time).await.unwrap();
        assert!(!scene.is_empty().await);
        // Another sender, that had it before, records that it has sent it.
        let sent = scene.store.settle_message(
            MessageId(1),
            MessageOutcome::Sent { provider: "a".to_owned(), unspent: 0 },
            scene.time.now(),
        );
        sent.await.unwrap();
        fake.gate.add_permits(1);
    };
    let (delivered, ()) = tokio::join!(worker.deliver_due(&scene.time, 1_000), test);
    assert_eq!(delivered.unwrap(), None);
}

#[tokio::test]
async fn a_worker_that_is_stopped_finishes_what_it_sends_and_leaves_the_rest() {
    let scene = Scene::new();
    let slow = Fake { gate: Semaphore::new(0), ..scene.fake("a") };
    let (outbox, [fake]) = scene.outbox([slow]);
    scene.queue(1, Channel::Sms).await;
    scene.queue(2, Channel::Sms).await;
    let worker = outbox.workers().next().unwrap();
    let test = async {
        until(|| fake.waiting.load(Ordering::SeqCst) == 1).await;
        outbox.stop();
        tokio::task::yield_now().await;
        fake.gate.add_permits(2);
    };
    tokio::join!(worker.run(&scene.time, 1_000), test);
    assert_eq!(fake.tried(), [1]);
    assert_eq!(scene.store.waiting().await.unwrap().messages, 1, "the first is recorded, the second was not claimed");
    let (next, [fake]) = scene.outbox([scene.fake("a")]);
    assert_eq!(scene.work(&next).await, None);
    assert_eq!(fake.tried(), [2], "without waiting for a lease");
}

async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_lease_outlasts_the_sending() {
    assert_eq!(lease(Duration::from_secs(10)), 30_000);
    assert_eq!(lease(Duration::MAX), i64::MAX);
}

#[test]
fn messages_that_failed_together_are_not_tried_again_together() {
    let waits: Vec<i64> = (1..=100).map(|id| spread(4_000, MessageId(id))).collect();
    assert!(waits.iter().all(|wait| (3_000..=5_000).contains(wait)));
    let distinct: std::collections::HashSet<_> = waits.iter().collect();
    assert!(distinct.len() > 90, "{}", distinct.len());
}
