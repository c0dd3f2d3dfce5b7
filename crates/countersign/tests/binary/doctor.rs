//! `countersign doctor`: an installation that works, what is said of one that does not, and that nothing is sent.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use serde_json::Value;

use crate::common::run;
use crate::mail::{Installation, MailServer, closed_port, smtp};

/// What the doctor answers: its exit code, and what it says.
fn doctor(installation: &Installation, more: &[&str]) -> (Option<i32>, String) {
    let args = installation.with(&[&["doctor"], more].concat());
    let output = run(&args.iter().map(String::as_str).collect::<Vec<_>>());
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The lines of a check, each with its state.
fn lines<'a>(said: &'a str, check: &str) -> Vec<&'a str> {
    said.lines().filter(|line| line.get(9..).is_some_and(|rest| rest.starts_with(&format!("{check}: ")))).collect()
}

/// The state and the message of a check in the JSON form.
fn one<'a>(json: &'a Value, check: &str) -> (&'a str, &'a str) {
    let line = json["checks"].as_array().unwrap().iter().find(|line| line["check"] == check);
    let line = line.unwrap_or_else(|| panic!("no {check} in {json}"));
    (line["state"].as_str().unwrap(), line["message"].as_str().unwrap())
}

#[test]
fn a_healthy_installation_is_well_and_gets_no_message() {
    let mail = MailServer::start();
    let installation = Installation::new(&smtp(mail.port));
    let (server, _) = installation.serve();
    let (address, url) = (server.address(), server.base_url().to_owned());
    let here = ["--listen", &address, "--public-url", &url];
    let (code, said) = doctor(&installation, &[&here[..], &["--json"]].concat());
    let json: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &json["well"]), (Some(0), &Value::Bool(true)), "{json}");
    for check in [
        "configuration",
        "disk",
        "TLS certificates",
        "webhooks",
        "data folder",
        "database",
        "master key",
        "clock",
        "outbox",
        "server",
        "public_url",
        "delivery smtp",
    ] {
        assert_eq!(one(&json, check).0, "ok", "{check}: {json}");
    }
    assert_eq!(one(&json, "admin listener").0, "skipped");
    assert!(one(&json, "public_url").1.contains("/livez answers"), "{json}");

    let (code, said) = doctor(&installation, &here);
    assert_eq!((code, said.lines().last()), (Some(0), Some("All is well.")), "{said}");
    assert_eq!(server.stop(), Some(0));
    let (code, said) = doctor(&installation, &here);
    assert_eq!(code, Some(0), "{said}");
    assert!(lines(&said, "server")[0].starts_with("skipped "), "{said}");
    assert!(lines(&said, "clock")[0].starts_with("ok "), "without a server, too: {said}");
    assert!(mail.arrived.try_recv().is_err(), "a doctor sends nothing");
}

#[test]
fn a_wrong_port_of_a_mail_server_is_named() {
    let port = closed_port();
    let installation = Installation::new(&smtp(port));
    let (code, said) = doctor(&installation, &[]);
    let line = lines(&said, "delivery smtp")[0];
    assert_eq!(code, Some(1), "{said}");
    assert!(line.starts_with("fault ") && line.contains(&format!("smtp+plain://127.0.0.1:{port}: TCP: ")), "{said}");
    assert!(said.lines().last().unwrap().starts_with("Something must be done"), "{said}");
}

/// A mail server that accepts no password.
fn refusing() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let say = |line: &str| (&mut &stream).write_all(format!("{line}\r\n").as_bytes());
            let _ = say("220 mail.example.com");
            for line in BufReader::new(&stream).lines().map_while(Result::ok) {
                let _ = match line.split(' ').next().unwrap_or_default() {
                    "EHLO" => say("250-mail.example.com\r\n250 AUTH PLAIN"),
                    "AUTH" => say("535 5.7.8 not for canary-user"),
                    _ => say("250 fine"),
                };
            }
        }
    });
    port
}

#[test]
fn a_wrong_password_of_a_mail_server_is_named_and_not_shown() {
    let login = "username = 'canary-user'\npassword = 'canary-password'\n";
    let installation = Installation::new(&format!("{}{login}", smtp(refusing())));
    let (code, said) = doctor(&installation, &[]);
    let line = lines(&said, "delivery smtp")[0];
    assert_eq!(code, Some(1), "{said}");
    assert!(line.contains("log-in: refused: AUTH was answered with 535 5.7.8"), "{said}");
    assert!(line.contains("delivery.smtp.password"), "{said}");
    assert!(!said.contains("canary"), "{said}");
}

#[test]
fn a_missing_public_url_is_advice_and_no_fault() {
    let installation = Installation::new("");
    let (code, said) = doctor(&installation, &[]);
    assert!(lines(&said, "public_url")[0].starts_with("advice "), "{said}");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.lines().last().unwrap().starts_with("All is well; advice: "), "{said}");
    assert!(!installation.folder.path().join("data").exists(), "a doctor makes nothing");
}

#[test]
fn an_address_at_which_the_server_does_not_answer_is_a_fault() {
    let installation = Installation::new("");
    let (server, _) = installation.serve();
    let address = server.address();
    let elsewhere = format!("http://127.0.0.1:{}", closed_port());
    let (code, said) = doctor(&installation, &["--listen", &address, "--public-url", &elsewhere]);
    assert_eq!(code, Some(1), "{said}");
    assert!(lines(&said, "public_url")[0].contains("TCP: "), "{said}");
    assert!(lines(&said, "server")[0].starts_with("ok "), "{said}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_configuration_that_cannot_be_read_is_a_fault_and_a_wrong_flag_is_usage() {
    let installation = Installation::new("subdomian = 'acme'");
    let (code, said) = doctor(&installation, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(lines(&said, "configuration")[0].contains("Did you mean `subdomain`?"), "{said}");
    assert_eq!(doctor(&installation, &["--nonsense"]).0, Some(2));
}
