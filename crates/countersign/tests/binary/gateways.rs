//! Text messages as `serve` sends them, through a gateway that is configured with keys and through one with a file.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::mail::Installation;

/// A gateway that takes everything, until a test says otherwise. Each request is its first line and its body.
pub(crate) struct Gateway {
    pub(crate) port: u16,
    arrived: Receiver<(String, String)>,
    status: Arc<AtomicU16>,
}

impl Gateway {
    pub(crate) fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, arrived) = mpsc::channel();
        let status = Arc::new(AtomicU16::new(201));
        let answered = status.clone();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut first, mut length) = (String::new(), 0);
                reader.read_line(&mut first).unwrap();
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    match line.trim_end().split_once(": ") {
                        Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                            length = value.parse().unwrap();
                        }
                        Some(_) => {}
                        None => break,
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let status = answered.load(Ordering::SeqCst);
                let head = format!("HTTP/1.1 {status} So\r\ncontent-length: {}\r\nconnection: close", answer.len());
                let _ = stream.write_all(format!("{head}\r\n\r\n{answer}").as_bytes());
                let _ = sender.send((first.trim_end().to_owned(), String::from_utf8(body).unwrap()));
            }
        });
        Self { port, arrived, status }
    }

    /// Answers with this status from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// Whether nothing has arrived that no test has read.
    pub(crate) fn is_silent(&self) -> bool {
        self.arrived.try_recv().is_err()
    }

    pub(crate) fn next(&self) -> (String, String) {
        self.arrived.recv_timeout(Duration::from_secs(20)).unwrap()
    }
}

/// The fields of a form.
pub(crate) fn form(body: &str) -> HashMap<String, String> {
    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

#[test]
fn a_text_message_goes_through_a_gateway_and_is_verified_in_v1() {
    let gateway = Gateway::start(r#"{"sid":"SM1"}"#);
    let installation = Installation::new(&format!(
        "issuer = 'Example Inc'\nmessages.countries = ['US']\n[delivery.twilio]\naccount_sid = 'AC00000000000000000000000000000000'\n\
         auth_token_file = 'token'\nfrom = '+14155550100'\nbase_url = 'http://127.0.0.1:{}'\n",
        gateway.port
    ));
    std::fs::write(installation.path("token"), "hunter2\n").unwrap();
    let (server, mut api) = installation.serve();
    let ana = installation.user("ana");
    let of = |what: &str| format!("/api/1/users/{ana}/{what}");
    let factors = api.expect(200, "GET", &of("auth_factors"), "");
    let sms =
        factors["data"]["auth_factors"].as_array().unwrap().iter().find(|factor| factor["name"] == "OneLogin SMS");
    let enrolment = json!({
        "factor_id": sms.unwrap()["factor_id"], "display_name": "phone", "number": "+14155550123",
    });
    let enrolled = api.expect(200, "POST", &of("otp_devices"), &enrolment.to_string());
    let device = enrolled["data"][0]["id"].as_i64().unwrap();
    let triggered = api.expect(200, "POST", &of(&format!("otp_devices/{device}/trigger")), "");
    let (line, body) = gateway.next();
    assert_eq!(line, "POST /2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json HTTP/1.1");
    let sent = form(&body);
    assert_eq!((sent["To"].as_str(), sent["From"].as_str()), ("+14155550123", "+14155550100"));
    let code = sent["Body"].split(' ').next().unwrap();
    let answer = json!({ "otp_token": code, "state_token": triggered["data"][0]["state_token"] }).to_string();
    api.expect(200, "POST", &of(&format!("otp_devices/{device}/verify")), &answer);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_gateway_with_a_file_carries_the_messages_of_v2() {
    let gateway = Gateway::start(r#"{"messages":[{"status":"0"}]}"#);
    let installation =
        Installation::new("issuer = 'Example Inc'\nmessages.countries = ['US']\ndelivery.http = ['own.toml']\n");
    let file = format!(
        "url = 'http://127.0.0.1:{}/send'\njson = '{{\"to\": \"{{{{ to }}}}\", \"text\": \"{{{{ text }}}}\"}}'\n\
         success = '2xx messages.0.status=0'\n",
        gateway.port
    );
    std::fs::write(installation.path("own.toml"), file).unwrap();
    let (server, mut api) = installation.serve();
    let ana = installation.user("ana");
    let path = format!("/api/2/mfa/users/{ana}/registrations");
    let enrolment = json!({ "factor_id": "2", "display_name": "phone", "number": "+14155550123" }).to_string();
    let registration = api.expect(201, "POST", &path, &enrolment);
    let (line, body) = gateway.next();
    assert_eq!(line, "POST /send HTTP/1.1");
    let sent: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(sent["to"], "+14155550123");
    let code = sent["text"].as_str().unwrap().split(' ').next().unwrap();
    let answer = json!({ "otp": code }).to_string();
    let accepted = api.expect(200, "PUT", &format!("{path}/{}", registration["id"].as_str().unwrap()), &answer);
    assert_eq!(accepted["status"], "accepted");
    let status = installation.json(&["delivery", "status", "--json"]);
    let route = &status[0]["routes"][0];
    assert_eq!((&route["provider"], &route["sent"]), (&json!("own"), &json!(1)));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_file_that_describes_no_gateway_stops_the_start_with_its_line() {
    for (file, said) in [
        ("preset = 'unknown'", "own.toml, line 1: preset: no preset has this name"),
        ("url = 'http://127.0.0.1'\ncolour = 'red'", "own.toml, line 2"),
        ("url = 'http://127.0.0.1'\nform = ['to={{ recipient }}']", "own.toml, line 2: form"),
        ("url = 'ftp://127.0.0.1'", "own.toml, line 1: url: this is no http or https URL"),
    ] {
        let installation = Installation::new("delivery.http = ['own.toml']\n");
        std::fs::write(installation.path("own.toml"), file).unwrap();
        let args = installation.with(&["config", "check"]);
        let output = crate::common::run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(said), "{file}: {text}");
    }
}
