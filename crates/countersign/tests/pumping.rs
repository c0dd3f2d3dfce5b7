//! Pumping, played: an attacker has codes sent to thousands of adjacent numbers, and answers none (SEC 33, SEC 101, SEC 102). What
//! can be lost is what the caps and the limits allow, by one client or ten and over one node or three; others are not touched.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use config::{Config, FlagValues};
use countersign::dev::{DevWorld, Pinned};
use countersign::installation::{self, Intent};
use domain::model::audit::Actor;
use domain::model::price::UNIT;
use domain::model::time::{DAY, HOUR, MINUTE};
use domain::model::user_patch::UserPatch;
use domain::rules::verification::find::Target;
use domain::{
    ClientId, ClientOptions, DeviceId, FactorKind, FactorResponse, Outcome, Purpose, Right, Scope, SpendCaps,
    Timestamp, UserId,
};
use engine::chance::SystemChance;
use engine::clock::MovableClock;
use engine::{
    AnswerRequest, CallStyle, ChallengeError, Confirm, Engine, EnrolRequest, Handle, MailRequest, OpenRequest,
    OpenedVerification,
};
use futures_util::stream::{self, StreamExt as _};
use store::DevFilter;
use tokio::task::JoinHandle;

/// When the test begins: 2026-03-01T00:30:00Z.
const BEGINNING: Timestamp = Timestamp(1_772_325_000_000);
/// What a message costs anywhere, in micro-units.
const PRICE: i64 = 100_000;
/// 200 messages to a country, 400 for a client, 1,200 in all.
const CAPS: SpendCaps = SpendCaps { server: 120 * UNIT, client: 40 * UNIT, country: 20 * UNIT };
/// Numbers of the attack in one country: the limits on messages let 2,500 of them pass, more than ten times its cap.
const NUMBERS: usize = 5_000;
/// The same number spread over three countries, a third in each.
const NUMBERS_OF_THREE: usize = 1_667;
/// What is done at once.
const AT_ONCE: usize = 64;

/// Somebody with a device.
#[derive(Debug, Clone, Copy)]
struct Person {
    user: UserId,
    device: DeviceId,
}

struct Node {
    world: Arc<DevWorld>,
    background: JoinHandle<()>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.background.abort();
    }
}

/// Nodes of one installation, with a clock that only the test moves.
struct Nodes {
    all: Vec<Node>,
    clock: Arc<MovableClock>,
    config: Config,
    _folder: tempfile::TempDir,
}

impl Nodes {
    async fn start(count: usize, url: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let prices = folder.path().join("prices.csv");
        let text = format!("# source: a test\n# as of: 2026-02-28\n# currency: EUR\ndev,,+,{PRICE}\n");
        std::fs::write(&prices, text).unwrap();
        let data = folder.path().join("data").to_str().unwrap().to_owned();
        let flags = FlagValues::default().with("data_dir", [data]);
        let mut config =
            Config::load(&url.into_iter().fold(flags, |flags, url| flags.with("database_url", [url]))).unwrap();
        config.messages.caps = CAPS;
        config.delivery.prices_file = Some(prices);
        let clock = Arc::new(MovableClock::frozen_at(BEGINNING));
        let mut nodes = Self { all: Vec::new(), clock, config, _folder: folder };
        for _ in 0..count {
            nodes.add().await;
        }
        nodes
    }

    async fn add(&mut self) {
        let opened = installation::open(&self.config, Intent::Dev).await;
        let Ok(opened) = opened else { panic!("no node starts") };
        let pinned = Pinned::default();
        let chance = Arc::new(SystemChance);
        let building = DevWorld::build(&self.config, opened, (true, &pinned), self.clock.clone(), chance);
        let world = Box::pin(building).await.unwrap();
        let world = Arc::new(world);
        let engine = world.engine().clone();
        let background = tokio::spawn(async move {
            tokio::join!(engine.run(), engine.send_messages());
        });
        self.all.push(Node { world, background });
    }

    /// The node that gets the `n`th call.
    fn engine(&self, n: usize) -> &Arc<Engine> {
        self.all[n % self.all.len()].world.engine()
    }

    async fn client(&self, name: &str) -> ClientId {
        let options = (ClientOptions::default(), engine::ClientLimits::default());
        let profile = onelogin::CompatProfile::Default.into();
        let made = self.engine(0).create_client(name, Scope::ManageAll, profile, options.0, options.1).await;
        made.unwrap_or_else(|error| panic!("{error}")).client.id
    }

    /// A new user with a device that an administrator vouches for.
    async fn person(&self, n: usize, factor: FactorKind, target: String) -> Person {
        let engine = self.engine(n);
        let patch =
            UserPatch { username: Some(Some(format!("p-{}", target.replace('@', "-at-")))), ..UserPatch::default() };
        let by = Actor { right: Right::Manage, ..Actor::default() };
        let user = engine.create_user(patch, None, by.clone()).await.unwrap_or_else(|error| panic!("{error}")).id;
        let enrolment = EnrolRequest {
            user,
            factor,
            display_name: None,
            default_name: "Mine".to_owned(),
            target: Some(target),
            trusted: true,
            confirm: Confirm::WhenTriggered,
            handle: Handle::StateToken,
            ttl: 120_000,
            options: ClientOptions::default(),
            template: None,
            mail: MailRequest::Code,
            invitation: None,
        };
        let enrolled = engine.enrol(enrolment, by).await.unwrap_or_else(|error| panic!("{error}"));
        Person { user, device: enrolled.device.id }
    }

    /// People with these telephones.
    async fn phones(&self, numbers: impl Iterator<Item = String>) -> Vec<Person> {
        let people = numbers.enumerate().map(|(n, number)| self.person(n, FactorKind::Sms, number));
        stream::iter(people).buffered(AT_ONCE).collect().await
    }

    /// Asks for a code. Nothing if it is refused as too many.
    async fn ask(&self, n: usize, person: Person, client: ClientId) -> Option<OpenedVerification> {
        let request = OpenRequest {
            user: person.user,
            device: person.device,
            handle: Handle::Uuid,
            confirms: false,
            ttl: 120_000,
            mail_ttl: 600_000,
            numeric: true,
            call: CallStyle::SpeaksCode,
            options: ClientOptions::default(),
            template: None,
            mail: MailRequest::Code,
        };
        let by = Actor { client: Some(client), right: Right::Manage, ..Actor::default() };
        match self.engine(n).open_verification(request, by).await {
            Ok(opened) => Some(opened),
            Err(ChallengeError::TooMany(_)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Asks for a code and answers with it.
    async fn verify(&self, n: usize, person: Person, client: ClientId) -> bool {
        let Some(opened) = self.ask(n, person, client).await else { return false };
        let filter = DevFilter { verification_id: Some(opened.verification.id), ..DevFilter::default() };
        let code = loop {
            let messages = self.engine(n).store().dev_outbox(&filter).await.unwrap();
            match messages.first().and_then(|message| message.code.clone()) {
                Some(code) => break code,
                None => tokio::task::yield_now().await,
            }
        };
        let answer = AnswerRequest {
            user: person.user,
            target: Target::Wire { wire_id: opened.verification.wire_id, purpose: Purpose::Login, device: None },
            response: FactorResponse::typed(&code),
        };
        let by = Actor { client: Some(client), right: Right::Manage, ..Actor::default() };
        matches!(self.engine(n).verify(answer, by).await.unwrap(), Outcome::Accepted { .. })
    }

    /// Asks for a code for each of these, by these clients in turn and on all nodes. Gives how many were promised.
    async fn pump(&self, people: &[Person], clients: &[ClientId]) -> usize {
        let asking = people.iter().enumerate().map(|(n, person)| self.ask(n, *person, clients[n % clients.len()]));
        stream::iter(asking)
            .buffer_unordered(AT_ONCE)
            .filter(|opened| std::future::ready(opened.is_some()))
            .count()
            .await
    }

    /// How many of these can verify.
    async fn verified(&self, people: &[Person], client: ClientId) -> usize {
        let verifying = people.iter().enumerate().map(|(n, person)| self.verify(n, *person, client));
        stream::iter(verifying).buffer_unordered(AT_ONCE).filter(|is_in| std::future::ready(*is_in)).count().await
    }

    fn now(&self) -> Timestamp {
        engine::Clock::now(&*self.clock)
    }

    /// Waits until everything is handed over.
    async fn settle(&self) {
        while self.engine(0).store().waiting().await.unwrap().messages > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Time passes, and each node judges what is known then.
    async fn pass(&self, milliseconds: i64) {
        self.settle().await;
        self.clock.advance(milliseconds);
        for node in &self.all {
            node.world.engine().judge_prefixes().await.unwrap();
        }
    }

    /// What was spent since a moment in each country, in messages.
    async fn spent(&self, since: Timestamp) -> BTreeMap<String, i64> {
        self.settle().await;
        let mut spent = BTreeMap::new();
        for one in self.engine(0).store().spending(since).await.unwrap() {
            *spent.entry(one.country).or_default() += one.micros / PRICE;
        }
        spent
    }

    /// The beginning of a day on which nothing is remembered of what was closed.
    async fn another_day(&self) -> Timestamp {
        self.settle().await;
        self.clock.advance(3 * DAY);
        while self.engine(0).store().sweep(self.now()).await.unwrap().more {}
        self.pass(0).await;
        self.now()
    }

    fn closed(&self) -> (Vec<&'static str>, usize) {
        let closed = self.engine(0).closed_prefixes();
        (closed.countries, closed.blocks)
    }
}

/// So many numbers of the attack.
fn numbers(country: &str, count: usize) -> impl Iterator<Item = String> {
    let prefix = match country {
        "DE" => "+49151120",
        "FR" => "+336120",
        _ => "+4474001",
    };
    (0..count).map(move |n| format!("{prefix}{n:05}"))
}

/// As many as can be spent are, but for what nodes have taken and not used: a hundredth of a cap each.
fn is_spent(messages: i64, most: i64, nodes: usize) -> bool {
    let kept = most / 100 * i64::try_from(nodes).unwrap();
    (most - kept..=most).contains(&messages)
}

async fn play(mut nodes: Nodes) {
    let count = nodes.all.len();
    let mut clients = Vec::new();
    for n in 0..10 {
        clients.push(nodes.client(&format!("attacked {n}")).await);
    }
    let honest = nodes.client("honest").await;
    let germany = nodes.phones(numbers("DE", NUMBERS)).await;
    let france = nodes.phones(numbers("FR", NUMBERS_OF_THREE)).await;
    let britain = nodes.phones(numbers("GB", NUMBERS_OF_THREE)).await;
    let people = nodes.phones((0..40).map(|n| format!("+1415{}", 3_000_000 + n * 1_001))).await;
    let mail = nodes.person(0, FactorKind::Email, "ana@example.com".to_owned()).await;
    let three: Vec<_> = (0..NUMBERS_OF_THREE).flat_map(|n| [germany[n], france[n], britain[n]]).collect();

    // One country, within a minute, by one client and by ten: the cap of the country, and not 50 for each hundred numbers, which
    // were 2,500.
    for attackers in [&clients[..1], &clients[..]] {
        let began = nodes.another_day().await;
        let promised = nodes.pump(&germany, attackers).await;
        let spent = nodes.spent(began).await;
        assert_eq!((spent.len(), spent["DE"]), (1, i64::try_from(promised).unwrap()));
        assert!(is_spent(spent["DE"], 200, count), "{spent:?}");
        assert_eq!(nodes.verified(&people, honest).await, people.len(), "others keep all of theirs");
        nodes.pass(MINUTE).await;
        let (countries, blocks) = nodes.closed();
        assert!(
            countries.is_empty() && blocks > 0,
            "the first thousand numbers, of which some more may have been asked: {blocks}"
        );
        assert_eq!(nodes.pump(&germany[..1_000], attackers).await, 0);
        assert!(nodes.verify(1, mail, honest).await, "another factor");
        assert_eq!(nodes.verified(&people, honest).await, people.len());
    }

    // A node that dies takes along what it has taken: less is spent, never more.
    let began = nodes.another_day().await;
    nodes.pump(&germany[..200], &clients).await;
    if count > 1 {
        nodes.all.remove(0);
        nodes.add().await;
    }
    nodes.pump(&germany[200..], &clients).await;
    // What it was sending is due again when its claim is over.
    nodes.clock.advance(MINUTE);
    let spent = nodes.spent(began).await;
    assert!(is_spent(spent["DE"], 200, count + 1), "{spent:?}");

    // Three countries, by one client: its cap.
    let began = nodes.another_day().await;
    nodes.pump(&three, &clients[..1]).await;
    let spent = nodes.spent(began).await;
    assert!(is_spent(spent.values().sum(), 400, count) && spent.values().all(|one| *one <= 200), "{spent:?}");
    assert_eq!(nodes.verified(&people, honest).await, people.len());

    // And by ten: the caps of the three.
    let began = nodes.another_day().await;
    nodes.pump(&three, &clients).await;
    let spent = nodes.spent(began).await;
    assert_eq!(spent.keys().collect::<Vec<_>>(), ["DE", "FR", "GB"]);
    assert!(spent.values().all(|one| is_spent(*one, 200, count)), "{spent:?}");
    assert_eq!(nodes.verified(&people, honest).await, people.len());

    // A hundred numbers a minute: each thousand closes after the first fifty, whatever the caps allow.
    let began = nodes.another_day().await;
    let mut promised = 0;
    for (minute, hundred) in germany[..2_000].chunks(100).enumerate() {
        promised += nodes.pump(hundred, &clients).await;
        let person = people[minute % people.len()];
        assert!(nodes.verify(minute, person, honest).await, "others keep all of theirs");
        nodes.pass(MINUTE).await;
    }
    assert_eq!(promised, 2 * 50);
    let spent = nodes.spent(began).await;
    assert_eq!((spent["DE"], spent["US"]), (100, 20));
    assert!(nodes.verify(0, mail, honest).await, "another factor");
    // The first of them would have had fifty more an hour later.
    nodes.pass(HOUR).await;
    assert_eq!(nodes.pump(&germany[..1_000], &clients).await, 5, "trial messages");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pumping_costs_what_the_caps_allow_and_touches_no_others_on_sqlite() {
    Box::pin(play(Nodes::start(1, None).await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pumping_costs_what_the_caps_allow_and_touches_no_others_on_three_nodes() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    Box::pin(play(Nodes::start(3, Some(cluster.new_database())).await)).await;
}
