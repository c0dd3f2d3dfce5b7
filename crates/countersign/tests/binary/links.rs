//! Links in mail as `serve` sends them: a browser confirms what an application waits for (contract 18.13).

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::common::{Http, Running};
use crate::mail::{Installation, MailServer, smtp};

/// What a mail says, with its lines put together again.
fn text(mail: &str) -> String {
    mail.replace("=\n", "").replace("=3D", "=").replace("&#x2f;", "/")
}

/// The path of the link in a mail.
fn path(mail: &str) -> String {
    let text = text(mail);
    let (_, after) = text.split_once("https://mfa.example.com/link/").unwrap_or_else(|| panic!("no link: {text}"));
    let token: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    assert_eq!(token.len(), 43, "{text}");
    format!("/link/{token}")
}

fn next(mail: &MailServer) -> String {
    mail.arrived.recv_timeout(Duration::from_secs(20)).unwrap()
}

/// Opens a link as a browser does, and presses a button.
fn press(server: &Running, path: &str, answer: &str) -> crate::common::Answer {
    let mut browser = server.http();
    let page = browser.send("GET", path, "").unwrap();
    assert_eq!(page.status, 200, "{page:?}");
    let (_, after) = page.body.split_once(r#"name="nonce" value=""#).unwrap();
    let nonce = after.split('"').next().unwrap();
    let token = path.strip_prefix("/link/").unwrap();
    browser.headers.push(("sec-fetch-site".to_owned(), "same-origin".to_owned()));
    browser.headers.push(("origin".to_owned(), "null".to_owned()));
    browser.send("POST", "/link", &format!("token={token}&nonce={nonce}&answer={answer}")).unwrap()
}

/// The head of the answer to `HEAD`, and what follows it.
pub(crate) fn head(server: &Running, path: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let request = format!("HEAD {path} HTTP/1.1\r\nhost: evil.example.com\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn config(port: u16, mode: &str) -> String {
    format!(
        "public_url = 'https://mfa.example.com'\nlogin.redirect_origins = ['https://app.example.com']\n\
         email.mode = '{mode}'\nlimits.message_interval_seconds = 0\n{}",
        smtp(port)
    )
}

fn state(api: &mut Http, path: &str) -> String {
    api.expect(200, "GET", path, "")["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_mailbox_is_enrolled_and_verified_by_links_and_no_log_holds_one() {
    let mail = MailServer::start();
    let installation = Installation::new(&config(mail.port, "link"));
    let log = installation.path("log.txt");
    let args = installation.with(&["serve"]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let server = Running::start_logging(&args, std::fs::File::create(&log).unwrap());
    let client = installation.json(&["client", "create", "--scope", "Manage All", "--name", "Example shop", "--json"]);
    let mut api = server.http();
    api.authorize(&client);
    let ana = installation.user("ana");
    let of = |what: &str| format!("/api/2/mfa/users/{ana}/{what}");

    let enrolment = json!({ "factor_id": "4", "display_name": "mail", "redirect_to": "https://app.example.com/done" });
    let registration = api.expect(201, "POST", &of("registrations"), &enrolment.to_string());
    let at = of(&format!("registrations/{}", registration["id"].as_str().unwrap()));
    let sent = next(&mail);
    assert!(sent.contains("To: ana@example.com") && !sent.contains("evil.example.com"), "{sent}");
    let enrolling = path(&sent);
    // A scanner with any name of the host.
    for _ in 0..3 {
        let seen = head(&server, &enrolling);
        assert!(seen.starts_with("HTTP/1.1 200 OK\r\n") && seen.ends_with("\r\n\r\n"), "{seen}");
    }
    assert_eq!(state(&mut api, &at), "pending");
    let done = press(&server, &enrolling, "confirm");
    assert_eq!((done.status, done.header("refresh")), (200, Some("2; url=https://app.example.com/done")), "{done:?}");
    let accepted = api.expect(200, "GET", &at, "");
    assert_eq!(accepted["status"], "accepted");

    let challenge = json!({ "device_id": accepted["device_id"] }).to_string();
    let opened = api.expect(201, "POST", &of("verifications"), &challenge);
    let at = of(&format!("verifications/{}", opened["id"].as_str().unwrap()));
    let disowned = path(&next(&mail));
    let page = server.http().send("GET", &disowned, "").unwrap();
    assert!(page.body.contains("Example shop"), "{}", page.body);
    assert_eq!(press(&server, &disowned, "disown").status, 200);
    assert_eq!(state(&mut api, &at), "rejected");
    assert_eq!(server.http().send("GET", &disowned, "").unwrap().status, 410);
    assert_eq!(server.stop(), Some(0));

    let logged = std::fs::read_to_string(&log).unwrap();
    for link in [&enrolling, &disowned] {
        let token = link.strip_prefix("/link/").unwrap();
        assert!(!logged.contains(token), "a link in the log");
    }
    let database = std::fs::read(installation.path("data").join("db/countersign.db")).unwrap();
    let token = enrolling.strip_prefix("/link/").unwrap().as_bytes();
    assert!(!database.windows(token.len()).any(|window| window == token), "a link in the database");
}

#[test]
fn a_mail_with_both_is_read_as_text_and_as_html() {
    let mail = MailServer::start();
    let installation = Installation::new(&config(mail.port, "both"));
    let (server, mut api) = installation.serve();
    let ana = installation.user("ana");
    let at = format!("/api/2/mfa/users/{ana}/registrations");
    let registration = api.expect(201, "POST", &at, r#"{"factor_id":"4","display_name":"mail"}"#);
    let sent = text(&next(&mail));
    let code = sent.lines().find(|line| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit())).unwrap();
    assert_eq!(path(&sent), path(&sent.replacen("https://mfa.example.com/link/", "", 1)), "in both parts");
    let answer = json!({ "otp": code }).to_string();
    let id = registration["id"].as_str().unwrap();
    assert_eq!(api.expect(200, "PUT", &format!("{at}/{id}"), &answer)["status"], "accepted");
    assert_eq!(server.http().send("GET", &path(&sent), "").unwrap().status, 410);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn links_need_an_address_to_begin_with() {
    for mode in ["link", "both"] {
        let installation = Installation::new(&format!("email.mode = '{mode}'"));
        for command in [["serve"].as_slice(), &["config", "check"]] {
            let args = installation.with(command);
            let output = crate::common::run(&args.iter().map(String::as_str).collect::<Vec<_>>());
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            let said = format!("email.mode = \"{mode}\" puts links into mail, which begin with public_url");
            assert!(!output.status.success() && text.contains(&said), "{command:?}: {text}");
        }
    }
    let mail = MailServer::start();
    let installation =
        Installation::new(&format!("login.redirect_origins = ['https://app.example.com']\n{}", smtp(mail.port)));
    let (server, mut api) = installation.serve();
    let at = format!("/api/2/mfa/users/{}/registrations", installation.user("ana"));
    let asked = json!({ "factor_id": "4", "redirect_to": "https://app.example.com/" }).to_string();
    let refused = api.expect(422, "POST", &at, &asked);
    assert_eq!(refused["details"]["parameters"], json!(["redirect_to"]));
    assert_eq!(server.stop(), Some(0));
}

/// SEC 66.
#[test]
fn browsers_are_sent_on_over_https() {
    for (origin, said) in [
        ("http://app.example.com", "http://app.example.com is not https"),
        ("http://localhost:3000", "a browser is sent on over https only"),
    ] {
        let installation = Installation::new(&format!("login.redirect_origins = ['{origin}']"));
        for command in [["serve"].as_slice(), &["config", "check"]] {
            let args = installation.with(command);
            let output = crate::common::run(&args.iter().map(String::as_str).collect::<Vec<_>>());
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && text.contains(said), "{command:?} with {origin}: {text}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    std::fs::write(&file, "login.redirect_origins = ['http://localhost:3000']").unwrap();
    let world = Running::start(&["dev", "--config", file.to_str().unwrap()]);
    assert_eq!(world.stop(), Some(0));
}
