//! Claims queued messages, sends them, retries, records.

use std::sync::Arc;
use std::time::Duration;

use domain::{Channel, Content, Keyring, Message, MessageId, Timestamp};
use store::{DropReason, MessageOutcome, QueuedMessage, Store};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::message::OutgoingMessage;
use crate::provider::{Provider, SendError};
use crate::route::Routes;

/// Tries before a message is given up (SEC 72).
const MAX_ATTEMPTS: u32 = 3;
/// Wait before the second and third try, in milliseconds.
const BACK_OFF: [i64; 2] = [1_000, 4_000];
/// What a claim outlasts the longest sending by, in milliseconds: time to record the outcome.
const LEASE_MARGIN: i64 = 20_000;
/// Messages claimed at once where there is no provider to send them.
const WITHOUT_ROUTE: usize = 32;

/// The queue of messages: a worker for each channel.
pub struct Outbox {
    routes: Routes,
    workers: [Worker; Channel::ALL.len()],
}

/// Empties the queue of one channel. It claims no more than its provider may be handed at once, so a slow provider delays
/// no other channel, and a claim ends before its lease does.
pub struct Worker {
    store: Store,
    keys: Keyring,
    channel: Channel,
    provider: Option<Arc<dyn Provider>>,
    queued: Notify,
}

/// Where the worker reads the time, which passes while messages are sent.
pub type Now<'a> = &'a (dyn Fn() -> Timestamp + Sync);

impl Outbox {
    /// The messages in `store`, which open with `keys`.
    pub fn new(store: &Store, keys: &Keyring, routes: Routes) -> Self {
        let worker = |channel| Worker {
            store: store.clone(),
            keys: keys.clone(),
            channel,
            provider: routes.provider(channel).cloned(),
            queued: Notify::new(),
        };
        Self { workers: Channel::ALL.map(worker), routes }
    }

    /// The channels that have a provider.
    pub fn routes(&self) -> &Routes {
        &self.routes
    }

    /// The workers, one for each channel.
    pub fn workers(&self) -> &[Worker; Channel::ALL.len()] {
        &self.workers
    }

    /// Wakes the worker of a channel: a message may have been queued.
    pub fn wake(&self, channel: Channel) {
        self.workers.iter().filter(|worker| worker.channel == channel).for_each(|worker| worker.queued.notify_one());
    }

    /// Wakes every worker: another node may have queued a message.
    pub fn wake_all(&self) {
        self.workers.iter().for_each(|worker| worker.queued.notify_one());
    }
}

impl Worker {
    /// Whether its messages have a provider. Without one they are dropped.
    pub fn has_route(&self) -> bool {
        self.provider.is_some()
    }

    /// Returns once a message may have been queued.
    pub async fn woken(&self) {
        self.queued.notified().await;
    }

    /// Sends everything that is due on this channel. Returns when the next message will be, if one is waiting.
    pub async fn deliver_due(&self, now: Now<'_>) -> Result<Option<Timestamp>, store::Error> {
        let limit = self.provider.as_ref().map_or(WITHOUT_ROUTE, |provider| provider.at_once().max(1));
        let lease = self.provider.as_ref().map_or(LEASE_MARGIN, |provider| lease(provider.timeout()));
        loop {
            let claimed = self.store.claim_messages(self.channel, now(), limit, lease).await?;
            let full = claimed.len() == limit;
            self.send(claimed, now).await?;
            if !full {
                return self.store.next_message_at(self.channel).await;
            }
        }
    }

    /// Sends these messages side by side and records what became of each. If one outcome cannot be recorded, the other
    /// sendings still end and are recorded: cutting them off would send more messages twice.
    async fn send(&self, claimed: Vec<QueuedMessage>, now: Now<'_>) -> Result<(), store::Error> {
        let mut recorded = Ok(());
        let mut sending = JoinSet::new();
        for queued in claimed {
            let (id, attempts) = (queued.message.id, queued.attempts);
            match self.prepare(&queued.message, now()) {
                Ok((provider, message)) => {
                    sending.spawn(async move { (id, attempts, send(provider.as_ref(), &message).await) });
                }
                Err(reason) => recorded = recorded.and(self.settle(id, MessageOutcome::Dropped(reason), now).await),
            }
        }
        while let Some(sent) = sending.join_next().await {
            match sent {
                Ok((id, attempts, sent)) => {
                    let outcome = self.outcome(id, attempts, sent, now());
                    recorded = recorded.and(self.settle(id, outcome, now).await);
                }
                // The message is due again when its lease is over.
                Err(error) => tracing::error!(channel = self.channel.name(), %error, "message delivery crashed"),
            }
        }
        recorded
    }

    /// The provider and the opened message, or why it is not sent.
    fn prepare(&self, message: &Message, now: Timestamp) -> Result<(Arc<dyn Provider>, OutgoingMessage), DropReason> {
        if now >= message.not_after {
            return Err(DropReason::Expired);
        }
        let provider = self.provider.clone().ok_or(DropReason::NoRoute)?;
        let content = self.open(message).ok_or_else(|| {
            tracing::error!(message = message.id.0, "message cannot be decrypted with the known keys");
            DropReason::Unreadable
        })?;
        Ok((provider, OutgoingMessage::of(message, content)))
    }

    fn open(&self, message: &Message) -> Option<Content> {
        let place = Message::place(message.id, message.user_id);
        let plain = self.keys.open(place, &message.content).ok()?;
        serde_json::from_slice(plain.expose()).ok()
    }

    fn outcome(&self, id: MessageId, attempts: u32, sent: Result<(), SendError>, now: Timestamp) -> MessageOutcome {
        let Err(error) = sent else { return MessageOutcome::Sent };
        let attempt = attempts + 1;
        tracing::warn!(message = id.0, channel = self.channel.name(), attempt, %error, "message delivery failed");
        match BACK_OFF.get(attempts as usize) {
            Some(wait) if error.is_temporary() && attempt < MAX_ATTEMPTS => {
                MessageOutcome::Retry { at: now.plus(*wait) }
            }
            _ => MessageOutcome::Dropped(DropReason::Undeliverable),
        }
    }

    async fn settle(&self, id: MessageId, outcome: MessageOutcome, now: Now<'_>) -> Result<(), store::Error> {
        self.store.settle_message(id, outcome, now()).await
    }
}

/// Hands a message to a provider, for as long as it may take.
pub async fn send(provider: &dyn Provider, message: &OutgoingMessage) -> Result<(), SendError> {
    timeout(provider.timeout(), provider.send(message)).await.unwrap_or(Err(SendError::TimedOut))
}

/// How long a claim keeps other nodes away, in milliseconds.
fn lease(timeout: Duration) -> i64 {
    i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX).saturating_add(LEASE_MARGIN)
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicI64, Ordering};

    use domain::{Change, Decision, DeviceId, UserId, VerificationId, View};
    use store::SqliteOptions;

    use super::*;
    use crate::provider::Sending;

    const START: i64 = 1_700_000_000_000;

    /// Takes some messages and fails at others; a sending takes a second of the test's clock.
    #[derive(Default)]
    struct Fake {
        clock: Arc<AtomicI64>,
        results: Mutex<Vec<Result<(), SendError>>>,
        sent: Mutex<Vec<MessageId>>,
        hangs: bool,
        most: usize,
    }

    impl Provider for Fake {
        fn name(&self) -> &'static str {
            "fake"
        }

        fn channels(&self) -> &[Channel] {
            &[Channel::Sms]
        }

        fn at_once(&self) -> usize {
            self.most
        }

        fn timeout(&self) -> Duration {
            Duration::from_millis(if self.hangs { 1 } else { 5_000 })
        }

        fn send<'a>(&'a self, message: &'a OutgoingMessage) -> Sending<'a> {
            Box::pin(async move {
                if self.hangs {
                    pending::<()>().await;
                }
                self.clock.fetch_add(1_000, Ordering::SeqCst);
                self.sent.lock().unwrap().push(message.id);
                self.results.lock().unwrap().pop().unwrap_or(Ok(()))
            })
        }
    }

    struct Scene {
        _dir: tempfile::TempDir,
        store: Store,
        keys: Keyring,
        clock: Arc<AtomicI64>,
    }

    impl Scene {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
            let keys = Keyring::new(&[[7; 32]]).unwrap();
            Self { _dir: dir, store, keys, clock: Arc::new(AtomicI64::new(START)) }
        }

        async fn queue(&self, id: i64, channel: Channel) {
            let (id, user) = (MessageId(id), UserId(1));
            let content =
                serde_json::to_vec(&Content::of("+491701234567".to_owned(), "code 123456".to_owned())).unwrap();
            let message = Message {
                id,
                user_id: user,
                device_id: DeviceId(1),
                verification_id: VerificationId(uuid::Uuid::from_u128(1)),
                channel,
                content: self.keys.seal(Message::place(id, user), [1; 24], &content),
                created_at: Timestamp(START),
                not_after: Timestamp(START + 60_000),
            };
            let enqueue = move |_: &View| Decision::reply(()).with(Change::Enqueue(message.clone()));
            self.store.decide(user, enqueue).await.unwrap();
        }

        async fn deliver(&self, fake: &Arc<Fake>, channel: Channel) -> Option<Timestamp> {
            let routes = Routes::over([fake.clone() as Arc<dyn Provider>]);
            let outbox = Outbox::new(&self.store, &self.keys, routes);
            let worker = outbox.workers().iter().find(|worker| worker.channel == channel).unwrap();
            worker.deliver_due(&|| Timestamp(self.clock.load(Ordering::SeqCst))).await.unwrap()
        }

        fn fake(&self) -> Fake {
            Fake { clock: self.clock.clone(), most: 1, ..Fake::default() }
        }
    }

    #[tokio::test]
    async fn a_worker_sends_what_its_channel_has_and_nothing_else() {
        let scene = Scene::new();
        let fake = Arc::new(scene.fake());
        for (id, channel) in [(1, Channel::Sms), (2, Channel::Email), (3, Channel::Sms)] {
            scene.queue(id, channel).await;
        }
        assert_eq!(scene.deliver(&fake, Channel::Sms).await, None);
        assert_eq!(*fake.sent.lock().unwrap(), [MessageId(1), MessageId(3)]);
        assert!(scene.store.next_message_at(Channel::Email).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_message_of_a_channel_without_a_provider_is_dropped() {
        let scene = Scene::new();
        let fake = Arc::new(scene.fake());
        scene.queue(1, Channel::Email).await;
        assert_eq!(scene.deliver(&fake, Channel::Email).await, None);
        assert!(fake.sent.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_temporary_failure_is_tried_again_later_and_twice_at_most() {
        let scene = Scene::new();
        let fake = Arc::new(scene.fake());
        *fake.results.lock().unwrap() = vec![Err(SendError::Unavailable); 3];
        scene.queue(1, Channel::Sms).await;
        for wait in BACK_OFF {
            let next = scene.deliver(&fake, Channel::Sms).await.unwrap();
            // The wait begins when the sending has ended, not when it began.
            assert_eq!(next.0, scene.clock.load(Ordering::SeqCst) + wait);
            scene.clock.store(next.0, Ordering::SeqCst);
        }
        assert_eq!(scene.deliver(&fake, Channel::Sms).await, None);
        assert_eq!(fake.sent.lock().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn what_a_provider_refuses_is_given_up() {
        let scene = Scene::new();
        let fake = Arc::new(scene.fake());
        *fake.results.lock().unwrap() = vec![Err(SendError::Refused)];
        scene.queue(1, Channel::Sms).await;
        assert_eq!(scene.deliver(&fake, Channel::Sms).await, None);
    }

    #[tokio::test]
    async fn a_message_whose_code_ends_while_others_are_sent_is_dropped() {
        let scene = Scene::new();
        let fake = Arc::new(scene.fake());
        scene.queue(1, Channel::Sms).await;
        scene.queue(2, Channel::Sms).await;
        scene.clock.store(START + 59_500, Ordering::SeqCst);
        assert_eq!(scene.deliver(&fake, Channel::Sms).await, None);
        assert_eq!(*fake.sent.lock().unwrap(), [MessageId(1)]);
    }

    #[tokio::test]
    async fn a_provider_that_hangs_is_left_and_its_message_tried_again() {
        let scene = Scene::new();
        let fake = Arc::new(Fake { hangs: true, most: 4, ..scene.fake() });
        scene.queue(1, Channel::Sms).await;
        scene.queue(2, Channel::Sms).await;
        let next = scene.deliver(&fake, Channel::Sms).await;
        assert_eq!(next, Some(Timestamp(START + BACK_OFF[0])));
    }

    #[test]
    fn a_lease_outlasts_the_sending() {
        assert_eq!(lease(Duration::from_secs(10)), 30_000);
        assert_eq!(lease(Duration::MAX), i64::MAX);
    }
}
