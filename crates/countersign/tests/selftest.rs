//! `countersign selftest` as a person and a script meet it: a clean result over a correct server, no test user afterwards, and
//! a clear error where it cannot run.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;

use common::{Running, run};
use serde_json::Value;

/// Runs the self-test against this world; returns its exit code and results.
fn selftest(server: &Running, args: &[&str]) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ready.json");
    std::fs::write(&file, server.ready.to_string()).unwrap();
    let mut all = vec!["selftest", "--json", "--ready-file", file.to_str().unwrap()];
    all.extend(args);
    let output = run(&all);
    let verdict = serde_json::from_slice(&output.stdout);
    let verdict = verdict.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), verdict)
}

fn row<'a>(verdict: &'a Value, scenario: &str) -> &'a Value {
    let mut rows = verdict["scenarios"].as_array().unwrap().iter();
    rows.find(|row| row["scenario"] == scenario).unwrap_or_else(|| panic!("no {scenario} in {verdict}"))
}

#[test]
fn a_server_that_keeps_its_word_has_a_clean_verdict_and_no_test_users_left() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::dev(folder.path());
    let (code, verdict) = selftest(&server, &["--rounds", "100", "--clients", "16", "--guesses", "200"]);
    assert_eq!(verdict["clean"], true, "{verdict:#}");
    assert_eq!(code, Some(0));

    let codes = row(&verdict, "one code at all endpoints");
    assert_eq!((codes["rounds"].as_u64(), codes["successes"].as_u64()), (Some(100), Some(100)), "{codes}");
    assert_eq!(codes["requests"], 1_700, "sixteen callers and one more afterwards: {codes}");
    assert_eq!(row(&verdict, "guesses at one device")["looked_at"], 5);
    assert_eq!(row(&verdict, "guesses at one user")["looked_at"], 20);
    assert_eq!(row(&verdict, "guesses at a temporary token")["looked_at"], 5);
    assert_eq!(row(&verdict, "temporary tokens at no device of the user's")["looked_at"], 0);
    for scenario in ["state token", "temporary token", "code by SMS", "accepted push"] {
        let row = row(&verdict, scenario);
        assert_eq!(row["successes"], row["rounds"], "{row}");
    }
    let refreshed = row(&verdict, "refresh token");
    assert_eq!(refreshed["successes"], refreshed["requests"], "all who share a pair are answered: {refreshed}");
    assert_eq!(row(&verdict, "tokens after a revocation")["successes"], 0);

    let users = server.api().expect(200, "GET", "/api/2/users", "");
    let names: Vec<&str> = users.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn the_selftest_needs_a_client_that_may_do_everything() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::dev(folder.path());
    let reader = server.ready["clients"].as_array().unwrap().iter().find(|c| c["scope"] == "Read All").unwrap();
    let (id, secret) = (reader["client_id"].as_str().unwrap(), reader["client_secret"].as_str().unwrap());
    let given = ["--client-id", id, "--client-secret", secret];
    let output = run(&[&["selftest", "--url", server.base_url()], given.as_slice()].concat());
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("cannot create a user: 403"), "{said}");
}

#[test]
fn the_selftest_says_what_is_missing() {
    for (args, word) in [
        (vec!["selftest"], "--ready-file"),
        (vec!["selftest", "--url", "http://127.0.0.1:1"], "--ready-file"),
        (vec!["torture", "--client-id", "x"], "--url"),
        (
            vec!["selftest", "--url", "https://mfa.example.com", "--client-id", "x", "--client-secret", "y"],
            "plain http",
        ),
    ] {
        let output = run(&args);
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(word), "{args:?}: {said}");
    }
}
