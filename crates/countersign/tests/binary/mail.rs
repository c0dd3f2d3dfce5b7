//! Mail as `serve` sends it: a code reaches a mailbox, a second route carries what the first cannot, and callers learn
//! when nothing carries anything.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::common::Http;
pub(crate) use crate::common::installation::Installation;
use crate::delivery::code;

/// A mail server that takes everything, for a mailbox that a test reads.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    pub(crate) arrived: Receiver<String>,
}

impl MailServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (mailbox, arrived) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mailbox = mailbox.clone();
                thread::spawn(move || converse(&stream, &mailbox));
            }
        });
        Self { port, arrived }
    }

    /// The next mail, and the code in it.
    fn next(&self) -> (String, String) {
        let mail = self.arrived.recv_timeout(Duration::from_secs(20)).unwrap();
        let code = mail.lines().find(|line| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit()));
        (mail.clone(), code.unwrap_or_else(|| panic!("no code in {mail}")).to_owned())
    }
}

/// Takes mails until the client is gone.
fn converse(stream: &TcpStream, mailbox: &Sender<String>) {
    let say = |line: &str| (&mut &*stream).write_all(format!("{line}\r\n").as_bytes());
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let _ = say("220 mail.example.com");
    while let Some(line) = lines.next() {
        let answered = match line.split(' ').next().unwrap_or_default() {
            "EHLO" => say("250 mail.example.com"),
            "DATA" => {
                let _ = say("354 go on");
                let mail: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                let _ = mailbox.send(mail.join("\n"));
                say("250 taken")
            }
            "QUIT" => say("221 bye"),
            _ => say("250 fine"),
        };
        if answered.is_err() {
            return;
        }
    }
}

pub(crate) fn smtp(port: u16) -> String {
    format!(
        "issuer = 'Example Inc'\n[delivery.smtp]\nservers = ['smtp+plain://127.0.0.1:{port}']\n\
         from = 'Example Inc <mfa@example.com>'\n"
    )
}

/// A port without a listener.
pub(crate) fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The id of the e-mail factor of this version.
fn email_factor(api: &mut Http, path: &str) -> i64 {
    let listed = api.expect(200, "GET", path, "");
    let all = listed["data"]["auth_factors"].as_array().or(listed.as_array()).unwrap();
    let email = all.iter().find(|factor| factor["name"] == "OneLogin Email").unwrap();
    email["factor_id"].as_i64().unwrap()
}

#[test]
fn a_code_reaches_a_mailbox_and_is_verified_in_both_versions() {
    let mail = MailServer::start();
    let installation = Installation::new(&smtp(mail.port));
    let (server, mut api) = installation.serve();

    let ana = installation.user("ana");
    let of = |what: &str| format!("/api/1/users/{ana}/{what}");
    let factor = email_factor(&mut api, &of("auth_factors"));
    let enrolment = json!({ "factor_id": factor, "display_name": "mail", "number": "ana@example.com" });
    let enrolled = api.expect(200, "POST", &of("otp_devices"), &enrolment.to_string());
    let device = enrolled["data"][0]["id"].as_i64().unwrap();
    let triggered = api.expect(200, "POST", &of(&format!("otp_devices/{device}/trigger")), "");
    let (text, code) = mail.next();
    for field in ["To: ana@example.com", "Subject: Your Example Inc code", "Auto-Submitted: auto-generated"] {
        assert!(text.contains(field), "{text}");
    }
    let answer = json!({ "otp_token": code, "state_token": triggered["data"][0]["state_token"] }).to_string();
    let verify = of(&format!("otp_devices/{device}/verify"));
    api.expect(200, "POST", &verify, &answer);
    api.expect(400, "POST", &verify, &answer);

    let ben = installation.user("ben");
    let of = |what: &str| format!("/api/2/mfa/users/{ben}/{what}");
    let factor = email_factor(&mut api, &of("factors")).to_string();
    let enrolment = json!({ "factor_id": factor, "display_name": "mail", "email": "ben@example.com" }).to_string();
    let registration = api.expect(201, "POST", &of("registrations"), &enrolment);
    let id = registration["id"].as_str().unwrap();
    let (text, code) = mail.next();
    assert!(text.contains("To: ben@example.com"), "{text}");
    let answer = json!({ "otp": code }).to_string();
    let accepted = api.expect(200, "PUT", &of(&format!("registrations/{id}")), &answer);
    assert_eq!(accepted["status"], "accepted");

    let status = installation.json(&["delivery", "status", "--json"]);
    let route = &status[2]["routes"][0];
    assert_eq!((&route["provider"], &route["state"], &route["sent"]), (&json!("smtp"), &json!("up"), &json!(2)));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_second_route_carries_what_the_first_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("messages.jsonl");
    let order = "delivery.email = ['smtp', 'file']\n";
    let staging =
        format!("[delivery.file]\npath = '{}'\ni_know_that_codes_are_readable = true\n", file.to_str().unwrap());
    let installation = Installation::new(&format!("{order}{}{staging}", smtp(closed_port())));
    let (server, mut api) = installation.serve();
    let ana = installation.user("ana");
    let path = format!("/api/2/mfa/users/{ana}/registrations");
    let enrolment = json!({ "factor_id": "4", "display_name": "mail", "email": "ana@example.com" }).to_string();
    let registration = api.expect(201, "POST", &path, &enrolment);
    let code = code(&file);
    let answer = json!({ "otp": code }).to_string();
    api.expect(200, "PUT", &format!("{path}/{}", registration["id"].as_str().unwrap()), &answer);
    let status = installation.json(&["delivery", "status", "--json"]);
    let counts = |n: usize| (&status[2]["routes"][n]["sent"], &status[2]["routes"][n]["failed"]);
    assert_eq!((counts(0), counts(1)), ((&json!(0), &json!(1)), (&json!(1), &json!(0))), "{status}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn callers_are_told_while_every_route_is_down_and_other_factors_work() {
    let installation = Installation::new(&smtp(closed_port()));
    let (server, mut api) = installation.serve();
    let enrolment = json!({ "factor_id": "4", "display_name": "mail", "email": "a@example.com" }).to_string();
    // Each message is tried three times, and five failures in a row take the route down.
    for name in ["ana", "ben"] {
        let path = format!("/api/2/mfa/users/{}/registrations", installation.user(name));
        api.expect(201, "POST", &path, &enrolment);
    }
    let state = || installation.json(&["delivery", "status", "--json"])[2]["routes"][0]["state"].clone();
    (0..400).find(|_| {
        crate::common::pause(50);
        state() == "down"
    });
    let cem = installation.user("cem");
    let path = format!("/api/2/mfa/users/{cem}/registrations");
    let refused = api.send("POST", &path, &enrolment).unwrap();
    assert_eq!(refused.status, 429, "{refused:?}");
    let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    let totp = json!({ "factor_id": "5", "display_name": "app" }).to_string();
    api.expect(201, "POST", &path, &totp);

    let failed = api.expect(200, "GET", "/api/1/events?event_type_id=90037", "");
    assert!(!failed["data"].as_array().unwrap().is_empty(), "{failed}");
    installation.json(&["delivery", "retry", "--json"]);
    assert_eq!(state(), "up");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_wrong_setting_stops_the_start_with_file_line_and_what_to_do() {
    for (config, said) in [
        (
            "[delivery.smtp]\nfrom = 'mfa@example.com'",
            "countersign.toml, line 2: delivery.smtp.from: it needs delivery.smtp.servers",
        ),
        (
            "[delivery.smtp]\nservers = ['smtp://m.example']",
            "line 2: delivery.smtp.servers: it needs delivery.smtp.from",
        ),
        (
            "[delivery.smtp]\nservers = ['smtp://m.example']\nfrom = 'm@e.com'\nusername = 'x'",
            "line 4: delivery.smtp.username: it needs delivery.smtp.password",
        ),
        (
            "[delivery.smtp]\nservers = ['smtp://m.example']\nfrom = 'm@e.com'\nusername = 'x'\npassword_file = 'gone'",
            "line 5: delivery.smtp.password_file",
        ),
        (
            "[delivery.smtp]\nservers = ['smtp+plain://m.example']\nfrom = 'm@e.com'\nusername = 'x'\npassword = 'p'",
            "line 2: delivery.smtp.servers: user name and password would go to",
        ),
        (
            "[delivery.smtp]\nservers = ['smtp://m.example']\nfrom = 'm@e.com'\ndkim_domain = 'e.com'",
            "line 4: delivery.smtp.dkim_domain: it needs delivery.smtp.dkim_selector and delivery.smtp.dkim_key_file",
        ),
        ("[messages]\ntemplates = 'gone'", "messages.templates: "),
        (
            "[brand]\nlogo = 'gone.png'\n[delivery.smtp]\nservers = ['smtp://m.example']\nfrom = 'm@e.com'",
            "gone.png cannot be read",
        ),
        (
            "[brand]\nname = 'An Example of a Name that Goes on and on, of a Company with a Number of Owners in Town and Country'",
            "brand.name: with this name, the text message",
        ),
        ("[brand]\ncolor = 'red'", "line 2: brand.color: write it as #"),
        ("[delivery]\nemail = ['unknown']", "delivery.email names \"unknown\""),
    ] {
        let installation = Installation::new(config);
        for command in [["serve"].as_slice(), &["config", "check"]] {
            let args = installation.with(command);
            let output = crate::common::run(&args.iter().map(String::as_str).collect::<Vec<_>>());
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && text.contains(said), "{command:?} with {config}: {text}");
        }
    }
}
