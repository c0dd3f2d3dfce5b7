//! Three nodes on one database, with two gateways for text messages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::common::{Http, Running, pause, run_json};
use crate::gateway::{Gateway, Handed, Reply};
use crate::{Phone, kill, phone, twilio, wait_until};

/// Nodes that share a database. Each has another sender, by which gateways see who has handed them what.
pub(crate) struct Nodes {
    folder: tempfile::TempDir,
    url: String,
    database: String,
    cluster: &'static pgtest::Cluster,
    /// More of the configuration.
    pub(crate) limits: &'static str,
    pub(crate) gateways: [Gateway; 2],
    /// A client that manages everything.
    client: Value,
}

impl Nodes {
    pub(crate) fn over(gateways: [Gateway; 2], limits: &'static str) -> Option<Self> {
        let cluster = pgtest::Cluster::shared()?;
        let (folder, url) = (tempfile::tempdir().unwrap(), cluster.new_database());
        let database = url.trim_start_matches("postgres:///").split('?').next().unwrap().to_owned();
        let mut nodes = Self { folder, url, database, cluster, limits, gateways, client: Value::Null };
        let create =
            ["client", "create", "--scope", "Manage All", "--init", "--json", "--data-dir", &nodes.path("data")];
        nodes.client = run_json(&[&create[..], &["--database-url", &nodes.url]].concat());
        Some(nodes)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Who sends, for the gateways.
    pub(crate) fn sender(number: usize) -> String {
        format!("+1415555010{number}")
    }

    /// Starts a node that texts these countries, and gives a caller with a token.
    pub(crate) fn start(&self, number: usize, countries: &str) -> (Running, Http) {
        let [first, second] = &self.gateways;
        let config = format!(
            "delivery.sms = ['twilio', 'vonage']\n{}\
             [delivery.vonage]\napi_key = 'abcd1234'\napi_secret = 'hunter2'\nfrom = '{}'\nbase_url = '{}'\n\
             timeout_seconds = 3\n[limits]\nbursts = false\n{}",
            twilio(first, &Self::sender(number)).replace("['US']", countries),
            Self::sender(number),
            second.url(),
            self.limits,
        );
        let file = self.path(&format!("node{number}.toml"));
        std::fs::write(&file, config).unwrap();
        let data = self.path("data");
        let node = Running::start(&["serve", "--config", &file, "--data-dir", &data, "--database-url", &self.url]);
        let mut api = node.http();
        let client = &self.client;
        let body = json!({
            "grant_type": "client_credentials", "client_id": client["client_id"], "client_secret": client["client_secret"],
        });
        let token = api.expect(200, "POST", "/auth/oauth2/v2/token", &body.to_string());
        api.token = Some(token["access_token"].as_str().unwrap().to_owned());
        (node, api)
    }

    /// Waits until no message waits in the database.
    pub(crate) fn settle(&self) {
        wait_until("all messages are settled", || {
            // Each look is a process.
            pause(100);
            self.cluster.sql(&self.database, "SELECT count(*) FROM outbox WHERE status = 0") == "0"
        });
    }

    /// What the gateways have said to have taken.
    pub(crate) fn taken(&self) -> Vec<Handed> {
        self.gateways.iter().flat_map(Gateway::taken).collect()
    }
}

/// A challenge that waits for the code that was sent.
struct Challenge {
    phone: Phone,
    number: String,
    id: String,
}

/// Opens a verification of each telephone, on these nodes in turn and on all at once.
fn challenge_all(apis: &mut [Http], phones: &[(Phone, String)]) -> Vec<Challenge> {
    let of = apis.len();
    let open = |api: &mut Http, (phone, number): &(Phone, String)| {
        let opened = api.expect(201, "POST", &phone.verifications(), &phone.opening());
        Challenge { phone: phone.clone(), number: number.clone(), id: opened["id"].as_str().unwrap().to_owned() }
    };
    let open_mine =
        |n: usize, api: &mut Http| -> Vec<_> { phones.iter().skip(n).step_by(of).map(|one| open(api, one)).collect() };
    let open_mine = &open_mine;
    thread::scope(|scope| {
        let running: Vec<_> =
            apis.iter_mut().enumerate().map(|(n, api)| scope.spawn(move || open_mine(n, api))).collect();
        running.into_iter().flat_map(|one| one.join().unwrap()).collect()
    })
}

/// The `n`th telephone number: no two are in a hundred adjacent ones.
fn number(n: usize) -> String {
    format!("1415{}", 2_000_000 + n * 101)
}

/// Keeps SEC 7, SEC 72 and contract 18.1.
#[test]
fn every_message_arrives_once_from_three_nodes_whose_gateways_fail_and_a_killed_node_repeats_only_its_own() {
    /// Messages in each weather.
    const EACH: usize = 34;
    // How the first gateway fails now.
    let weather = Arc::new(Mutex::new(Reply::Taken));
    let (seen, counts) = (weather.clone(), Mutex::new(HashMap::<String, usize>::new()));
    let first = Gateway::start(Arc::new(move |handed: &Handed| {
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(handed.from.clone()).or_default();
        *count += 1;
        let now = *seen.lock().unwrap();
        // Every fourth of a node's messages: five failures in a row would take the route down.
        let is_spared = !matches!(now, Reply::TakenLate(_)) && *count % 4 != 0;
        if is_spared { Reply::Taken } else { now }
    }));
    let seen = weather.clone();
    let second = Gateway::start(Arc::new(move |_: &Handed| match *seen.lock().unwrap() {
        Reply::TakenLate(wait) => Reply::TakenLate(wait),
        _ => Reply::Taken,
    }));
    let Some(nodes) = Nodes::over([first, second], "") else { return };
    let (mut running, mut apis): (Vec<_>, Vec<_>) = (0..3).map(|n| nodes.start(n, "['US']")).unzip();
    let phones: Vec<_> = (0..6 * EACH)
        .map(|n| (phone(&mut apis[n % 3], &format!("user{n}"), &format!("+{}", number(n))), number(n)))
        .collect();
    let mut rest = phones.chunks(EACH);
    let mut challenges = Vec::new();

    // The last of them takes the route down for a second.
    for now in [Reply::Status(500), Reply::Close, Reply::Hang, Reply::Busy(1)] {
        *weather.lock().unwrap() = now;
        let before = nodes.gateways[1].taken().len();
        challenges.extend(challenge_all(&mut apis, rest.next().unwrap()));
        nodes.settle();
        let has_failed = nodes.gateways[0].replies().contains(&now);
        assert!(has_failed && nodes.gateways[1].taken().len() > before, "{now:?}");
        assert_eq!(nodes.taken().len(), challenges.len(), "none is lost and none arrives twice: {now:?}");
    }
    *weather.lock().unwrap() = Reply::TakenLate(500);
    let before = nodes.gateways.each_ref().map(|gateway| gateway.handed().len());
    challenges.extend(challenge_all(&mut apis[..2], rest.next().unwrap()));
    let dead = Nodes::sender(2);
    let of_dead = |handed: &[Handed]| handed.iter().any(|handed| handed.from == dead);
    let is_at_work = || nodes.gateways.iter().zip(before).any(|(gateway, old)| of_dead(&gateway.handed()[old..]));
    wait_until("the third node sends", is_at_work);
    kill(running.pop().unwrap().child.id());
    apis.pop();

    nodes.gateways[0].close();
    challenges.extend(challenge_all(&mut apis, rest.next().unwrap()));
    nodes.settle();

    let mut arrived: HashMap<String, Vec<Handed>> = HashMap::new();
    for handed in nodes.taken() {
        arrived.entry(handed.to.clone()).or_default().push(handed);
    }
    assert_eq!(arrived.len(), phones.len(), "each arrives, and none goes to another number");
    for challenge in &challenges {
        let messages = &arrived[&challenge.number];
        assert!(messages.iter().all(|again| (&again.text, &again.key) == (&messages[0].text, &messages[0].key)));
        let repeated = messages.len() == 2 && messages.iter().any(|message| message.from == dead);
        assert!(messages.len() == 1 || repeated, "{messages:?}");
    }
    for (n, challenge) in challenges.iter().enumerate() {
        let path = format!("{}/{}", challenge.phone.verifications(), challenge.id);
        let code = arrived[&challenge.number][0].code();
        let answer = json!({ "otp": code, "device_id": challenge.phone.id }).to_string();
        assert_eq!(apis[n % 2].expect(200, "PUT", &path, &answer)["status"], "accepted");
    }
    for node in running {
        assert_eq!(node.stop(), Some(0));
    }
}
