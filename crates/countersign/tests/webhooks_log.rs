//! Deliveries to webhooks and failed ones, repeated, from the command line and in the metrics; and nodes that die while they
//! deliver (contract 9, SEC 71).

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;
mod receiver;

use std::collections::BTreeSet;
use std::path::Path;

use common::{Http, Running, run};
use receiver::{Call, Listener, USER_CREATED, command, create, later, new_user};
use serde_json::{Value, json};

/// The value of a metric.
fn metric(server: &Running, name: &str) -> f64 {
    let admin = server.ready["admin_url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    let page = common::get(&admin, "/metrics");
    let line = page.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
    line.unwrap_or_else(|| panic!("{name}: {page}")).rsplit(' ').next().unwrap().parse().unwrap()
}

fn outcome(server: &Running, name: &str) -> f64 {
    metric(server, &format!("countersign_webhook_deliveries_total{{outcome=\"{name}\"}}"))
}

/// Whether it comes true within ten seconds.
fn soon(what: impl Fn() -> bool) -> bool {
    (0..200).any(|_| {
        common::pause(50);
        what()
    })
}

/// What a command says to a person who pipes it: its output, and what it complains of.
fn read(data: &Path, args: &[&str]) -> (String, String) {
    let output = run(&[&["webhook"], args, &["--data-dir", data.to_str().unwrap()]].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap().trim_end().to_owned();
    let (said, complaint) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.success(), complaint.is_empty(), "{args:?}: {said} {complaint}");
    (said, complaint)
}

fn uuids(calls: &[Call]) -> Vec<String> {
    let events = calls.iter().flat_map(Call::events);
    events.map(|event| event["uuid"].as_str().unwrap().to_owned()).collect()
}

/// The calls that come until all of these events were delivered.
fn until_told(listener: &Listener, wanted: &[String]) -> Vec<Call> {
    let mut calls = Vec::new();
    while wanted.iter().any(|uuid| !uuids(&calls).contains(uuid)) {
        calls.push(listener.next());
    }
    calls
}

#[test]
fn what_is_never_taken_is_given_up_after_a_day_and_the_rest_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::dev(folder.path());
    let mut http = server.api();
    let listener = Listener::start();
    let id = create(&listener, folder.path(), &[]).0.to_string();
    listener.answers(500);
    new_user(&mut http, "refused");
    let refused = listener.until(USER_CREATED);
    new_user(&mut http, "behind");
    assert!(soon(|| outcome(&server, "retried") >= 1.0));
    // The age is that of the event, whatever the tries did.
    later(&mut http, 7_200);
    assert!(metric(&server, "countersign_webhook_oldest_seconds") >= 7_200.0);
    let failed = || command(folder.path(), &["deliveries", &id, "--failed"]);
    let mut tries = 1;
    loop {
        let again = listener.next();
        assert_eq!((again.header("webhook-id"), &again.body), (refused.header("webhook-id"), &refused.body));
        tries += 1;
        assert!(tries < 40);
        // Recorded before the clock moves on, or the try would seem to have taken so long.
        assert!(soon(|| {
            let log = command(folder.path(), &["deliveries", &id]);
            let first = log.as_array().unwrap().iter().find(|one| one["webhook_id"] == refused.header("webhook-id"));
            first.unwrap()["attempts"] == tries
        }));
        if failed() != json!([]) {
            break;
        }
        later(&mut http, 3 * 3_600);
    }
    let log = failed();
    assert_eq!(
        (&log[0]["http_status"], &log[0]["attempts"], &log[0]["status"]),
        (&json!(500), &json!(tries), &json!("failed"))
    );
    assert!((8..20).contains(&tries), "a day of tries: {tries}");
    assert!(outcome(&server, "failed") >= 1.0);
    listener.answers(200);
    later(&mut http, 3 * 3_600);
    let behind = listener.until(USER_CREATED);
    assert!(behind.ids()[0] > *refused.ids().last().unwrap(), "what was given up holds up nothing");
    assert!(soon(|| metric(&server, "countersign_webhook_oldest_seconds") == 0.0));
    // The one behind may have been refused once too.
    assert!(listener.calls.try_iter().all(|call| call.body == behind.body));

    command(folder.path(), &["replay", &log[0]["id"].to_string()]);
    let replayed = listener.next();
    assert_eq!((replayed.header("webhook-id"), &replayed.body), (refused.header("webhook-id"), &refused.body));
    assert!(soon(|| failed() == json!([])), "taken at last");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_moment_is_gone_back_to_and_nobody_is_told_while_disabled() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::dev(folder.path());
    let mut http = server.api();
    let listener = Listener::start();
    let id = create(&listener, folder.path(), &[]).0.to_string();
    let mut events = Vec::new();
    for name in ["one", "two", "three"] {
        new_user(&mut http, name);
        let call = listener.until(USER_CREATED);
        events.extend(call.events().into_iter().filter(|event| event["event_type_id"] == USER_CREATED));
        later(&mut http, 60);
    }
    assert_eq!(events.len(), 3);
    let first: BTreeSet<String> = listener.heard().iter().map(|call| call.header("webhook-id").to_owned()).collect();
    assert!(soon(|| command(folder.path(), &["deliveries", &id])[0]["status"] == "delivered"));
    command(folder.path(), &["replay", &id, "--since", events[1]["created_at"].as_str().unwrap()]);
    let wanted: Vec<_> = events[1..].iter().map(|event| event["uuid"].as_str().unwrap().to_owned()).collect();
    let again = until_told(&listener, &wanted);
    assert!(!uuids(&again).contains(&events[0]["uuid"].as_str().unwrap().to_owned()), "that was before");
    assert!(again.iter().all(|call| !first.contains(call.header("webhook-id"))), "messages of their own");

    command(folder.path(), &["disable", &id]);
    let missed = new_user(&mut http, "meanwhile");
    common::pause(1_200);
    assert_eq!(listener.calls.try_iter().count(), 0);
    command(folder.path(), &["enable", &id]);
    assert!(listener.until(USER_CREATED).events().iter().any(|event| event["user_id"] == missed));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_person_reads_what_there_is_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Running::dev(data);
    let mut http = server.api();
    let listener = Listener::start();
    let url = listener.url.clone();
    let (said, _) = read(data, &["create", &url, "--name", "siem", "--allow-private"]);
    let shown = url.replace("?from=countersign", "?from=***");
    assert_ne!(shown, url);
    let secret = said.lines().nth(2).unwrap().split_whitespace().last().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            "Webhook 1 created; events are delivered from now on.",
            &format!("  url     {shown}"),
            &format!("  secret  {secret}"),
            "The secret is shown this once. The receiver verifies signatures with it.",
        ]
    );
    assert_eq!(read(data, &["list"]).0, format!("id\tname\turl\tprivate\tstate\n1\tsiem\t{shown}\tyes\tenabled"));
    assert_eq!(read(data, &["test", "1"]).0, "Webhook 1 took an empty list of events: 200.");
    new_user(&mut http, "one");
    listener.until(USER_CREATED);
    assert!(soon(|| command(data, &["deliveries", "1"])[0]["status"] == "delivered"));
    let (log, _) = read(data, &["deliveries", "1"]);
    assert_eq!(log.lines().next().unwrap(), "id\tcreated\tevents\tstatus\tattempts\tanswer\tnext");
    let row: Vec<&str> = log.lines().nth(1).unwrap().split('\t').collect();
    assert_eq!(row[3..], ["delivered", "1", "200", "–"]);
    let told = row[0].to_owned();
    assert_eq!(read(data, &["replay", &told]).0, format!("Delivery {told} is repeated, under the same message id."));
    assert!(soon(|| command(data, &["deliveries", "1"])[0]["status"] == "delivered"));

    let (said, _) = read(data, &["rotate-secret", "1", "--overlap", "0"]);
    assert!(said.starts_with("Webhook 1 has a new secret, shown this once:\n  secret  whsec_"), "{said}");
    assert!(said.ends_with("\nThe previous one no longer signs.") && !said.contains(&secret), "{said}");
    let (said, _) = read(data, &["rotate-secret", "1"]);
    assert!(said.contains("\nUntil 20") && said.ends_with("Z the previous one signs beside it."), "{said}");

    assert_eq!(read(data, &["disable", "1"]).0, "Webhook 1 is disabled.");
    assert!(read(data, &["list"]).0.ends_with("Z (operator)"));
    let once = "once the webhook is enabled: `countersign webhook enable 1`.";
    let (said, _) = read(data, &["replay", &told]);
    assert_eq!(said, format!("Delivery {told} is repeated, under the same message id, {once}"));
    let (said, _) = read(data, &["replay", "1", "--since", "2026-01-01"]);
    assert!(said.ends_with("once it is enabled: `countersign webhook enable 1`."), "{said}");
    assert_eq!(read(data, &["enable", "1"]).0, "Webhook 1 is enabled; deliveries resume where they stopped.");

    listener.answers(503);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    create(&listener, data, &[]);
    read(data, &["create", &format!("http://{nobody}/"), "--allow-private"]);
    for (args, complaint) in [
        (&["test", "1"][..], "webhook 1 did not take an empty list of events: 503; the receiver's own log says why"),
        (&["test", "3"], "webhook 3 did not take an empty list of events: unreachable; see whether the receiver runs"),
        (&["test", "9"], "there is no webhook 9; `countersign webhook list` shows all of them"),
        (&["deliveries", "9"], "there is no webhook 9; `countersign webhook list`"),
        (&["enable", "9"], "there is no webhook 9; `countersign webhook list`"),
        (&["rotate-secret", "9"], "there is no webhook 9; `countersign webhook list`"),
        (&["delete", "9", "--yes"], "there is no webhook 9; `countersign webhook list`"),
        (&["replay", "9", "--since", "2026-01-01"], "there is no webhook 9; `countersign webhook list`"),
        (&["replay", "999999"], "there is no delivery 999999; `countersign webhook deliveries ID` shows"),
        (&["replay", "1", "--since", "2999-01-01"], "2999-01-01T00:00:00Z is in the future"),
        (&["create", "siem.example.com"], "a webhook's address looks like https://siem.example.com/events"),
    ] {
        let complained = read(data, args).1;
        assert!(complained.starts_with(&format!("countersign: {complaint}")), "{args:?}: {complained}");
    }
    assert_eq!(read(data, &["delete", "1", "--yes"]).0, "Webhook 1 is deleted with its log.");
    assert_eq!(server.stop(), Some(0));
}

/// A node that is killed while it tells leaves the webhook to the other, which takes it when the hold has run out.
#[test]
fn another_node_goes_on_where_one_died() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    let (folder, url) = (tempfile::tempdir().unwrap(), cluster.new_database());
    let data = folder.path().to_str().unwrap();
    let args = ["dev", "--data-dir", data, "--database-url", &url];
    let listener = Listener::start();
    let mut users: Vec<Value> = Vec::new();
    let mut left = Running::start(&args);
    create(&listener, folder.path(), &["--database-url", &url]);
    // The older node dies each time, so that whichever tells is killed at least once.
    for round in 0..2_u64 {
        let next = Running::start(&args);
        let mut http = left.api();
        for n in 0..12 {
            users.push(new_user(&mut http, &format!("a-{round}-{n}")));
            common::pause(25);
        }
        left.child.kill().unwrap();
        left.child.wait().unwrap();
        let mut http: Http = next.api();
        for n in 0..4 {
            users.push(new_user(&mut http, &format!("b-{round}-{n}")));
        }
        later(&mut http, 31);
        let told = |user: &Value| listener.heard().iter().flat_map(Call::events).any(|event| event["user_id"] == *user);
        assert!(soon(|| users.iter().all(told)), "round {round}: what one left, the other tells");
        left = next;
    }
    let mut ids: Vec<(String, i64)> = Vec::new();
    for event in listener.heard().iter().flat_map(Call::events) {
        ids.push((event["uuid"].as_str().unwrap().to_owned(), event["id"].as_i64().unwrap()));
    }
    let (different, repeated): (BTreeSet<_>, _) = (ids.iter().collect(), ids.len());
    let uuids: BTreeSet<_> = different.iter().map(|(uuid, _)| uuid).collect();
    assert_eq!(uuids.len(), different.len(), "an event keeps its uuid on every node, in {repeated}");
    assert_eq!(left.stop(), Some(0));
}
