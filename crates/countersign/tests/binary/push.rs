//! Push in `serve`: where it is offered, and what operators hear of it.

use serde_json::Value;

use crate::common::installation::Installation;
use crate::common::{countersign, run};
use crate::configuration::banner_of_serve;

/// The row of push in `delivery status` of a running server.
fn shown(config: &str) -> Value {
    let installation = Installation::new(config);
    let (server, _) = installation.serve();
    let shown = installation.json(&["delivery", "status", "--json"]);
    assert_eq!(server.stop(), Some(0));
    let row = shown.as_array().and_then(|rows| rows.iter().find(|row| row["channel"] == "push"));
    row.expect("a row of push").clone()
}

#[test]
fn push_is_offered_where_browsers_can_subscribe() {
    for url in ["https://mfa.example.com", "http://localhost:8080", "http://127.0.0.1:8080"] {
        let push = shown(&format!("public_url = '{url}'\n"));
        assert_eq!(push["offered"], true, "{url}: {push}");
        let route = &push["routes"][0];
        assert_eq!((&route["provider"], &route["setting"]), (&"webpush".into(), &"public_url".into()), "{push}");
        assert_eq!(route["state"], "up", "{push}");
    }
    for config in ["", "public_url = 'http://mfa.example.com'\n"] {
        let push = shown(config);
        assert_eq!((&push["offered"], &push["routes"]), (&Value::Bool(false), &Value::Array(Vec::new())), "{push}");
        assert!(
            push["advice"].as_str().unwrap().contains("set public_url (an address that begins with https://"),
            "{push}"
        );
    }
}

#[test]
fn callers_see_push_among_the_factors() {
    let installation = Installation::new("public_url = 'https://mfa.example.com'\n");
    let (server, mut api) = installation.serve();
    let ana = installation.user("ana");
    let factors = api.send("GET", &format!("/api/2/mfa/users/{ana}/factors"), "").unwrap();
    assert!(factors.body.contains("OneLogin Protect"), "{factors:?}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_banner_without_push_names_the_setting() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let banner = banner_of_serve(&data, &[]);
    assert!(banner.contains("Push needs a public_url that begins with https://"), "{banner}");
    let banner = banner_of_serve(&data, &["--public-url", "https://mfa.example.com"]);
    assert!(!banner.contains("Push needs"), "{banner}");
}

#[test]
fn a_doctor_says_whether_push_is_offered_and_how_far_it_reaches() {
    let doctor = |config: &str| {
        let installation = Installation::new(config);
        let args = installation.with(&["doctor"]);
        let output = run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        String::from_utf8(output.stdout).unwrap()
    };
    let line = |said: &str, begin: &str| said.lines().any(|line| line.starts_with(begin));
    let said = doctor("");
    assert!(line(&said, "skipped  push: it is not offered: ") && said.contains("set public_url"), "{said}");
    let here = "public_url = 'http://localhost:8080'\n";
    let said = doctor(here);
    assert!(line(&said, "ok       push: "), "{said}");
    assert!(line(&said, "skipped  delivery webpush: nothing is asked"), "{said}");
    assert!(line(&said, "skipped  delivery: no provider is configured"), "push carries no codes: {said}");
    let said = doctor(&format!("{here}[push]\nallow_private_endpoints = true\n"));
    assert!(line(&said, "advice   push: push.allow_private_endpoints is on"), "{said}");
}

#[test]
fn what_is_wrong_with_a_setting_of_push_is_said_with_key_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    for (lines, key, remedy) in [
        ("endpoint_origins = ['https://push.example.com/up']", "push.endpoint_origins", "without a path"),
        ("endpoint_origins = ['https://ana@push.example.com']", "push.endpoint_origins", "a user name"),
        ("endpoint_origins = ['http://push.example.com']", "push.endpoint_origins", "write https://"),
        ("endpoint_origins = ['http://localhost:9000']", "push.endpoint_origins", "push.allow_private_endpoints"),
        ("contact = 'it@example.com'", "push.contact", "mailto:it@example.com"),
        ("ca_file = '/nowhere/ca.pem'", "push: ca_file", "/nowhere/ca.pem"),
        ("endpoint_origin = []", "push.endpoint_origin", "endpoint_origins"),
    ] {
        std::fs::write(&file, format!("public_url = 'https://mfa.example.com'\n[push]\n{lines}\n")).unwrap();
        let output = countersign().args(["config", "check", "--config", file.to_str().unwrap()]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && said.contains(key) && said.contains(remedy), "{lines}: {said}");
    }
}
