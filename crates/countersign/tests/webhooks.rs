//! Webhooks over the network: a receiver gets the events, in order, signed, and at least once, whatever it answers and
//! however the server ends (contract 9, SEC 69, 71).

mod common;
mod receiver;

use std::collections::BTreeMap;

use common::{Http, Running, run, run_json};
use receiver::{Call, Listener, USER_CREATED, command, create, later, new_user};
use serde_json::{Value, json};

#[test]
fn what_happens_is_told_in_order_and_signed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::dev(folder.path());
    let mut http = server.api();
    let listener = Listener::start();
    let canary = "Bearer kanarienvogel-5503";
    let token = folder.path().join("token");
    std::fs::write(&token, format!("{canary}\n")).unwrap();
    let header = format!("Authorization={}", token.display());
    let more = ["--name", "siem", "--header-file", &header, "--header", "X-Own: one"];
    let (id, secret) = create(&listener, folder.path(), &more);
    let users: Vec<Value> = (0..30).map(|n| new_user(&mut http, &format!("told-{n}"))).collect();

    let mut seen: Vec<Value> = Vec::new();
    while seen.iter().filter(|event| event["event_type_id"] == USER_CREATED).count() < users.len() {
        let call = listener.next();
        assert_eq!(call.path, "/events?from=countersign");
        assert_eq!(call.header("content-type"), "application/json; charset=utf-8");
        assert_eq!((call.header("authorization"), call.header("x-own")), (canary, "one"));
        assert!(call.header("webhook-id").starts_with("msg_"), "{call:?}");
        assert!(call.is_signed_with(&secret), "{call:?}");
        assert!(!call.is_signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        seen.extend(call.events());
    }
    let ids: Vec<i64> = seen.iter().map(|event| event["id"].as_i64().unwrap()).collect();
    assert!(ids.is_sorted_by(|one, other| one < other), "in order, each once: {ids:?}");
    let told: Vec<&Value> = seen.iter().filter(|e| e["event_type_id"] == USER_CREATED).map(|e| &e["user_id"]).collect();
    assert_eq!(told, users.iter().collect::<Vec<_>>());
    // The same events as the API gives, with the same numbers.
    let by_api = http.expect(200, "GET", &format!("/api/1/events/{}", ids[0]), "");
    for field in ["id", "created_at", "event_type_id", "user_id", "client_id"] {
        assert_eq!(by_api["data"][0][field], seen[0][field], "{field}");
    }

    let list = command(folder.path(), &["list"]);
    assert_eq!((&list[0]["id"], &list[0]["name"], &list[0]["enabled"]), (&json!(id), &json!("siem"), &json!(true)));
    assert!(!list.to_string().contains("whsec_") && !list.to_string().contains("kanarienvogel"), "{list}");
    let admin = server.ready["admin_url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    let metrics = common::get(&admin, "/metrics");
    let delivered =
        metrics.lines().find(|line| line.starts_with("countersign_webhook_deliveries_total{outcome=\"delivered\"}"));
    let count: u64 = delivered.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(count > 0, "{metrics}");

    // After the deletion it gets no more.
    command(folder.path(), &["delete", &id.to_string(), "--yes"]);
    assert_eq!(command(folder.path(), &["list"]), json!([]));
    assert_eq!(server.stop(), Some(0));
    for file in std::fs::read_dir(folder.path().join("db")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in [secret.as_str(), "kanarienvogel-5503"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "sealed");
        }
    }
}

#[test]
fn a_failed_call_is_made_again_with_the_same_id_and_nothing_overtakes_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::dev(folder.path());
    let mut http = server.api();
    let listener = Listener::start();
    let (id, secret) = create(&listener, folder.path(), &[]);
    for status in [500, 302] {
        listener.answers(status);
        new_user(&mut http, &format!("first-{status}"));
        let first = listener.until(USER_CREATED);
        new_user(&mut http, &format!("second-{status}"));
        listener.answers(200);
        later(&mut http, 10);
        let again = listener.next();
        assert_eq!(again.header("webhook-id"), first.header("webhook-id"), "{status}");
        assert_eq!(again.body, first.body);
        assert!(again.is_signed_with(&secret));
        let then = listener.until(USER_CREATED);
        assert_ne!(then.header("webhook-id"), first.header("webhook-id"));
        assert!(then.ids()[0] > *again.ids().last().unwrap());
    }
    let log = command(folder.path(), &["deliveries", &id.to_string()]);
    let tries: Vec<i64> = log.as_array().unwrap().iter().map(|one| one["attempts"].as_i64().unwrap()).collect();
    assert_eq!(tries.iter().filter(|tries| **tries == 2).count(), 2, "{log}");
    assert!(log.as_array().unwrap().iter().all(|one| one["status"] == "delivered"), "{log}");

    // A replay is the same message, and holds up nothing.
    let last = &log[0];
    command(folder.path(), &["replay", &last["id"].to_string()]);
    let replayed = listener.next();
    assert_eq!(replayed.header("webhook-id"), last["webhook_id"].as_str().unwrap());
    assert_eq!(replayed.ids()[0], last["first_event"].as_i64().unwrap());
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_receiver_that_is_gone_is_told_nothing_until_it_is_enabled() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::dev(folder.path());
    let mut http = server.api();
    let listener = Listener::start();
    let (id, _) = create(&listener, folder.path(), &[]);
    listener.answers(410);
    new_user(&mut http, "unwanted");
    let refused = listener.until(USER_CREATED);
    let disabled = (0..200).any(|_| {
        common::pause(50);
        command(folder.path(), &["list"])[0]["disabled_reason"] == "gone"
    });
    assert!(disabled);
    listener.answers(200);
    let missed = new_user(&mut http, "meanwhile");
    later(&mut http, 100);
    common::pause(1_500);
    assert_eq!(listener.calls.try_iter().count(), 0);
    command(folder.path(), &["enable", &id.to_string()]);
    let then = listener.until(USER_CREATED);
    assert!(then.ids()[0] > *refused.ids().last().unwrap());
    assert!(then.events().iter().any(|event| event["user_id"] == missed));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn nothing_is_lost_however_the_server_ends() {
    let folder = tempfile::tempdir().unwrap();
    let listener = Listener::start();
    let mut users = Vec::new();
    for round in 0..5 {
        let mut server = Running::dev(folder.path());
        let mut http = server.api();
        if round == 0 {
            create(&listener, folder.path(), &[]);
        }
        listener.answers(if round % 2 == 0 { 500 } else { 200 });
        for n in 0..10 {
            users.push(new_user(&mut http, &format!("kept-{round}-{n}")));
        }
        // In the middle of telling, or of waiting for the next try.
        common::pause(130 * round);
        server.child.kill().unwrap();
        server.child.wait().unwrap();
    }
    listener.answers(200);
    let server = Running::dev(folder.path());
    let mut http = server.api();
    later(&mut http, 60);
    let mut told: BTreeMap<i64, String> = BTreeMap::new();
    let complete = (0..400).any(|_| {
        common::pause(50);
        for call in listener.heard() {
            for event in call.events() {
                let (id, uuid) = (event["id"].as_i64().unwrap(), event["uuid"].as_str().unwrap().to_owned());
                // An event that comes twice is the same.
                assert_eq!(told.entry(id).or_insert_with(|| uuid.clone()), &uuid);
            }
        }
        let seen: Vec<Value> =
            listener.heard().iter().flat_map(Call::events).map(|event| event["user_id"].clone()).collect();
        users.iter().all(|user| seen.contains(user))
    });
    assert!(complete, "every user's event is told at last");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn two_secrets_sign_while_one_follows_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::dev(folder.path());
    let mut http = server.api();
    let listener = Listener::start();
    let (id, first) = create(&listener, folder.path(), &[]);
    let rotated = command(folder.path(), &["rotate-secret", &id.to_string(), "--overlap", "1h"]);
    let second = rotated["secret"].as_str().unwrap().to_owned();
    new_user(&mut http, "during");
    let during = listener.until(USER_CREATED);
    assert!(during.is_signed_with(&first) && during.is_signed_with(&second));
    assert_eq!(during.header("webhook-signature").split(' ').count(), 2);
    later(&mut http, 3_600);
    new_user(&mut http, "after");
    let after = listener.until(USER_CREATED);
    assert!(!after.is_signed_with(&first) && after.is_signed_with(&second));

    let told = command(folder.path(), &["test", &id.to_string()]);
    assert_eq!(told["http_status"], 200);
    let test = listener.next();
    assert!(test.body == "[]" && test.is_signed_with(&second), "{test:?}");
    listener.answers(503);
    let failed = run(&["webhook", "test", &id.to_string(), "--data-dir", folder.path().to_str().unwrap()]);
    assert!(!failed.status.success());
    assert!(String::from_utf8_lossy(&failed.stderr).contains("503"));
    assert_eq!(server.stop(), Some(0));
}

/// SEC 69: an address inside is reached only if the installation and the webhook both say so.
#[test]
fn addresses_inside_are_out_of_reach() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let server = Running::start(&["serve", "--data-dir", data]);
    let listener = Listener::start();
    let port = listener.url.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    let refused = |url: &str, more: &[&str]| {
        let mut args = vec!["webhook", "create", url, "--data-dir", data];
        args.extend(more);
        let output = run(&args);
        assert!(!output.status.success(), "{url}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for inside in
        ["127.0.0.1", "10.0.0.7", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433", "0.0.0.0"]
    {
        let said = refused(&format!("https://{inside}:{port}/"), &[]);
        assert!(said.contains("public addresses"), "{inside}: {said}");
    }
    assert!(refused("http://siem.example.com/", &[]).contains("https://"));
    assert!(refused("https://user:word@siem.example.com/", &[]).contains("without a user name"));
    assert!(refused("https://siem.example.com/", &["--header", "webhook-id: x"]).contains("header"));
    assert!(refused("https://siem.example.com/", &["--header-file", "X-Own=/nowhere"]).contains("/nowhere"));
    assert!(refused("https://siem.example.com\\@127.0.0.1/", &[]).contains("backslashes"));
    assert!(refused("http://169.254.169.254/latest/meta-data", &["--allow-private"]).contains("addresses"));

    // A name is judged by what it means when it is called; and what a webhook may, the installation must allow too.
    let named = run_json(&["webhook", "create", &format!("https://localhost:{port}/"), "--json", "--data-dir", data]);
    let private = run_json(&["webhook", "create", &listener.url, "--allow-private", "--json", "--data-dir", data]);
    for made in [named, private] {
        let tested = run(&["webhook", "test", &made["id"].to_string(), "--data-dir", data]);
        assert!(!tested.status.success());
        let said = String::from_utf8_lossy(&tested.stderr).into_owned();
        assert!(said.contains("forbidden_address"), "{said}");
    }
    assert_eq!(listener.heard().len(), 0, "nobody was called");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn of_two_nodes_one_tells() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    let (folder, url) = (tempfile::tempdir().unwrap(), cluster.new_database());
    let data = folder.path().to_str().unwrap();
    let args = ["dev", "--data-dir", data, "--database-url", &url];
    let nodes: Vec<Running> = (0..2).map(|_| Running::start(&args)).collect();
    let listener = Listener::start();
    create(&listener, folder.path(), &["--database-url", &url]);
    let mut apis: Vec<Http> = nodes.iter().map(Running::api).collect();
    let mut users = Vec::new();
    for n in 0..20 {
        users.push(new_user(&mut apis[n % 2], &format!("shared-{n}")));
        common::pause(60);
    }
    let told = || -> Vec<Value> {
        let events = listener.heard().iter().flat_map(Call::events).collect::<Vec<_>>();
        events.into_iter().filter(|event| event["event_type_id"] == USER_CREATED).collect()
    };
    let complete = (0..200).any(|_| {
        common::pause(50);
        let told = told();
        users.iter().all(|user| told.iter().any(|event| event["user_id"] == *user))
    });
    assert!(complete);
    common::pause(1_200);
    assert_eq!(told().len(), users.len(), "each is told once where nothing fails");
    for node in nodes {
        assert_eq!(node.stop(), Some(0));
    }
}
