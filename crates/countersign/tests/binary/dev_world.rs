//! The dev world as a developer, a script and another machine meet it.

use serde_json::json;

use crate::common::{self, Running, countersign, run};
use crate::fails;

const KEY: &str = "0123456789abcdef";

#[test]
fn a_dev_world_may_be_a_service_with_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let start = |command: std::process::Command| {
        let data = folder.path().to_str().unwrap();
        Running::start_as(&["dev", "--data-dir", data, "--dev-host", "countersign", "--dev-host", "Mfa"], command)
    };
    let mut with_key = countersign();
    with_key.env("COUNTERSIGN_DEV_KEY", KEY);
    let world = start(with_key);
    assert_eq!(world.ready["dev_key"], KEY);
    let ask = |host: &str, path: &str| {
        use std::io::{Read as _, Write as _};
        let mut line = std::net::TcpStream::connect(world.address()).unwrap();
        write!(line, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        line.read_to_string(&mut text).unwrap();
        text
    };
    for path in ["/dev/outbox", "/dev/clock", "/"] {
        for host in ["countersign:8080", "mfa", "127.0.0.1"] {
            assert!(ask(host, path).starts_with("HTTP/1.1 403"), "{host} {path} without the key");
            let answer = ask(host, &format!("{path}?key={KEY}"));
            assert!(answer.starts_with("HTTP/1.1 200"), "{host} {path}: {answer}");
            assert!(answer.contains("HttpOnly; SameSite=Strict"), "the page goes on asking: {answer}");
        }
        assert!(ask("evil.example", &format!("{path}?key={KEY}")).starts_with("HTTP/1.1 403"), "{path}");
    }
    world.stop();
    // Without one it draws a key, another at each start.
    let world = start(countersign());
    assert_eq!(world.ready["dev_key"].as_str().unwrap().len(), 32);
    world.stop();
    // On an address that others reach, it needs a host name, and an invalid key is refused.
    let refused = fails(countersign().args(["dev", "--listen", "0.0.0.0:0"]));
    assert!(refused.contains("--dev-host"), "{refused}");
    let mut short = countersign();
    short.args(["dev", "--listen", "0.0.0.0:0", "--dev-host", "x"]).env("COUNTERSIGN_DEV_KEY", "short");
    assert!(fails(&mut short).contains("COUNTERSIGN_DEV_KEY"));
    // A served installation knows nothing of it.
    assert!(!run(&["serve", "--dev-host", "x"]).status.success());
}

#[test]
fn dev_errors_have_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let world = Running::dev(folder.path());
    let mut http = world.http();
    for (status, method, path, body, code) in [
        (400, "PUT", "/dev/clock", "{}", "dev.bad_request"),
        (400, "PUT", "/dev/clock", "nonsense", "dev.bad_request"),
        (400, "PUT", "/dev/clock", r#"{"advance_seconds":99999999999}"#, "dev.too_far"),
        (400, "PUT", "/dev/clock", r#"{"set":"tomorrow"}"#, "dev.bad_request"),
        (400, "PUT", "/dev/faults", "nonsense", "dev.bad_request"),
        (400, "PUT", "/dev/faults", r#"{"fail":1}"#, "dev.bad_request"),
        (400, "PUT", "/dev/faults", r#"{"channel":"sms"}"#, "dev.bad_request"),
        (400, "PUT", "/dev/faults", r#"{"channel":"pigeon","fail":1}"#, "dev.bad_request"),
        (400, "PUT", "/dev/faults", r#"{"channel":"sms","fail":1.1}"#, "dev.bad_request"),
        (400, "PUT", "/dev/faults", r#"{"channel":"sms","fail":-0.1}"#, "dev.bad_request"),
        (400, "PUT", "/dev/faults", r#"{"channel":"sms","delay":"soon"}"#, "dev.bad_request"),
        (400, "PUT", "/dev/faults", r#"{"channel":"sms","delay":"3601s"}"#, "dev.bad_request"),
        (400, "PUT", "/dev/faults", r#"{"channel":"sms","fall":1}"#, "dev.bad_request"),
        (400, "GET", "/dev/outbox?channel=pigeon", "", "dev.bad_request"),
        (400, "GET", "/dev/outbox?verification_id=7", "", "dev.bad_request"),
        (400, "GET", "/dev/outbox?user_id=ana", "", "dev.bad_request"),
        (400, "GET", "/dev/requests?wait=soon", "", "dev.bad_request"),
        (400, "GET", "/dev/authenticator?user_id=ana", "", "dev.bad_request"),
        (400, "POST", "/dev/phone/pair", "{}", "dev.bad_request"),
        (404, "POST", "/dev/outbox/99/accept", "", "dev.not_found"),
        (404, "POST", "/dev/phone/deny", "", "dev.not_found"),
        (404, "GET", "/dev/nothing", "", "dev.not_found"),
        (405, "POST", "/dev/clock", "", "dev.method"),
    ] {
        let answer = http.send(method, path, body).unwrap();
        let told = answer.json();
        assert_eq!(answer.status, status, "{path}: {told}");
        assert_eq!(told["error"]["code"], code, "{path}: {told}");
        for part in ["message", "hint"] {
            assert!(told["error"][part].as_str().is_some_and(|text| !text.is_empty()), "{path}: {told}");
        }
        assert_eq!(told["request_id"].as_str(), answer.header("x-request-id"), "{path}: {told}");
    }
    http.headers.push(("origin".to_owned(), "http://evil.example".to_owned()));
    assert_eq!(http.expect(403, "GET", "/dev/clock", "")["error"]["code"], "dev.foreign_page");
}

/// `/docs` and the routes are made from one list; this holds what a caller sees of both together.
#[test]
fn every_dev_endpoint_is_described_and_answers() {
    let folder = tempfile::tempdir().unwrap();
    let world = Running::dev(folder.path());
    let mut http = world.http();
    let document = http.expect(200, "GET", "/openapi.json", "");
    let described: Vec<(&String, &String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(path, _)| path.starts_with("/dev/"))
        .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(move |method| (path, method)))
        .collect();
    assert_eq!(described.len(), 17, "{described:?}");
    for (path, method) in described {
        let answer = http.send(&method.to_uppercase(), &path.replace("{id}", "99"), "").unwrap();
        let told = answer.body;
        assert!(answer.status != 405 && !told.contains("there is no such dev endpoint"), "{method} {path}: {told}");
    }
    let page = http.send("GET", "/docs", "").unwrap();
    assert!(page.body.contains("/dev/phone/pair"));
}

#[test]
fn the_clock_of_a_dev_world_is_set_and_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let world = Running::dev(folder.path());
    let mut http = world.http();
    let set = http.expect(200, "PUT", "/dev/clock", r#"{"set":"2027-01-01T00:00:00Z","freeze":true}"#);
    assert_eq!((set["now"].as_str(), set["frozen"].as_bool()), (Some("2027-01-01T00:00:00.000Z"), Some(true)));
    common::pause(30);
    let moved = http.expect(200, "PUT", "/dev/clock", r#"{"advance_seconds":31}"#);
    assert_eq!(moved["now"], "2027-01-01T00:00:31.000Z", "it stands where it was put");
    world.stop();
    let world = Running::dev(folder.path());
    let mut http = world.http();
    assert_eq!(
        http.expect(200, "GET", "/dev/clock", "")["now"],
        "2027-01-01T00:00:31.000Z",
        "a lasting world keeps it"
    );
    let on = http.expect(200, "PUT", "/dev/clock", r#"{"freeze":false}"#);
    assert!(on["now"].as_str().unwrap().starts_with("2027-01-01T00:0"), "it goes on from where it stood: {on}");
    assert_eq!(on["frozen"], false);
    let reset = http.expect(200, "POST", "/dev/reset", "");
    assert_eq!(reset["reset"], true);
    assert_eq!(http.expect(200, "GET", "/dev/clock", "")["offset_seconds"], 0);
}

#[test]
fn a_dev_world_is_the_same_at_each_start_if_it_is_asked_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let start = |name: &str, more: &[&str]| {
        let data = folder.path().join(name);
        let mut args = vec!["dev", "--data-dir", data.to_str().unwrap()];
        args.extend(more);
        let world = Running::start(&args);
        // Its first client may do everything.
        let mut api = world.api();
        api.expect(200, "GET", "/api/2/users", "");
        let ready = world.ready.clone();
        assert_eq!(world.stop(), Some(0));
        ready
    };
    let (one, other) = (start("a", &["--seed", "7"]), start("b", &["--seed", "7"]));
    assert_eq!((&one["clients"], &one["users"]), (&other["clients"], &other["users"]));
    assert_ne!(start("c", &["--seed", "8"])["clients"], one["clients"]);
    assert_ne!(start("d", &[])["clients"], one["clients"]);
    // The same folder again draws nothing twice.
    assert_eq!(start("a", &["--seed", "7"])["clients"], one["clients"]);
    let chosen = ["--client-id", "my-app", "--client-secret", "my-secret"];
    for name in ["e", "e", "a"] {
        let ready = start(name, &chosen);
        let first = &ready["clients"][0];
        assert_eq!((first["client_id"].as_str(), first["client_secret"].as_str()), (Some("my-app"), Some("my-secret")));
        assert_eq!((first["scope"].as_str(), ready["clients"].as_array().unwrap().len()), (Some("Manage All"), 8));
    }
    let other = start("e", &["--client-id", "my-app", "--client-secret", "another"]);
    assert_eq!(other["clients"][0]["client_secret"], "another");
    assert!(!run(&["serve", "--seed", "7"]).status.success());
}

#[test]
fn the_outbox_tells_all_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    let world = Running::dev(folder.path());
    let mut api = world.api();
    let body = r#"{"factor_id":4,"display_name":"mail"}"#;
    let enrolled = api.send("POST", "/api/2/mfa/users/1/registrations", body).unwrap();
    assert!(enrolled.status < 300, "{}", enrolled.body);
    let sent = api.expect(200, "GET", "/dev/outbox?channel=email&wait=20s", "");
    let mail = &sent[0];
    assert_eq!((mail["username"].as_str(), mail["state"].as_str()), (Some("ana"), Some("waiting")), "{mail}");
    assert!(mail["subject"].as_str().is_some_and(|subject| !subject.is_empty()), "{mail}");
    assert!(mail["expires_at"].as_str().unwrap() > mail["created_at"].as_str().unwrap(), "{mail}");
    assert!(mail["answered_at"].is_null());
    let of = |verification: &str| format!("/dev/outbox?verification_id={verification}");
    let verification = mail["verification_id"].as_str().unwrap();
    assert_eq!(api.expect(200, "GET", &of(verification), "")[0]["id"], mail["id"]);
    let other = "11111111-2222-4333-8444-555555555555";
    assert_eq!(api.expect(200, "GET", &of(other), "").as_array().map(Vec::len), Some(0));
    // The outbox shows the outcome later.
    api.expect(200, "PUT", "/dev/clock", r#"{"advance_seconds":86400}"#);
    assert_eq!(api.expect(200, "GET", "/dev/outbox?channel=email", "")[0]["state"], "expired");
}

/// A dev world has other defaults; a configured value stays, and is never ignored silently.
#[test]
fn a_dev_world_does_what_it_is_told() {
    let world = Running::start(&["dev"]);
    assert_eq!((&world.ready["subdomain"], &world.ready["account_id"]), (&json!("acme"), &json!(1)));
    let mut api = world.api();
    assert!((0..60).all(|_| api.send("GET", "/api/1/users/1", "").unwrap().status == 200), "no limit by default");
    assert_eq!(world.stop(), Some(0));

    let limits = ["--limits-calls-per-hour", "20", "--limits-calls-burst", "30"];
    let world = Running::start(&[&["dev", "--subdomain", "wiki", "--account-id", "7"], &limits[..]].concat());
    assert_eq!((&world.ready["subdomain"], &world.ready["account_id"]), (&json!("wiki"), &json!(7)));
    let mut api = world.api();
    let answers: Vec<_> = (0..40).map(|_| api.send("GET", "/api/1/users/1", "").unwrap()).collect();
    assert_eq!(answers[0].headers.iter().find(|(name, _)| name == "x-ratelimit-limit").unwrap().1, "20");
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 20);
    assert_eq!(world.stop(), Some(0));
}
