//! Messages in a file, as a staging system uses them: the one exception of SEC 38.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::common::{Http, Running, pause, run, run_json};

/// A place with a configuration that writes messages to a file.
struct Staging {
    folder: tempfile::TempDir,
}

impl Staging {
    fn new(acknowledged: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[messages]\ncountries = ['US']\n[delivery.file]\npath = 'messages.jsonl'\n\
             i_know_that_codes_are_readable = {acknowledged}\n"
        );
        std::fs::write(folder.path().join("countersign.toml"), text).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn args(&self) -> [String; 4] {
        let shown = |name: &str| self.path(name).to_str().unwrap().to_owned();
        ["--config".to_owned(), shown("countersign.toml"), "--data-dir".to_owned(), shown("data")]
    }

    fn with(&self, command: &[&'static str]) -> Vec<String> {
        command.iter().map(|arg| (*arg).to_owned()).chain(self.args()).collect()
    }
}

fn text_of(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

/// The code of the first message in the file, once it is there.
pub(crate) fn code(file: &Path) -> String {
    for _ in 0..200 {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if let Some(line) = text.lines().next() {
            return serde_json::from_str::<Value>(line).unwrap()["code"].as_str().unwrap().to_owned();
        }
        pause(50);
    }
    panic!("no message arrived in {}", file.display());
}

/// Enrols an SMS device of this user, challenges it and answers with the code in the file.
fn verify(api: &mut Http, user: i64, file: &Path) {
    let of = |what: &str| format!("/api/2/mfa/users/{user}/{what}");
    let enrolment = json!({ "factor_id": "2", "display_name": "phone", "verified": true }).to_string();
    let device = api.expect(201, "POST", &of("registrations"), &enrolment)["device_id"].clone();
    let opening = json!({ "device_id": device }).to_string();
    let opened = api.expect(201, "POST", &of("verifications"), &opening);
    let path = of(&format!("verifications/{}", opened["id"].as_str().unwrap()));
    let answer = json!({ "otp": code(file), "device_id": device }).to_string();
    api.expect(200, "PUT", &path, &answer);
    assert_eq!(std::fs::metadata(file).unwrap().mode() & 0o7777, 0o600);
}

#[test]
fn a_staging_system_reads_its_codes_from_a_file() {
    let staging = Staging::new(true);
    let create = staging.with(&["client", "create", "--scope", "Manage All", "--init", "--json"]);
    let client = run_json(&text_of(&create));
    let [ana, ben] = [("ana", "+14155550123"), ("ben", "+14155550124")].map(|(name, phone)| {
        let create = staging.with(&["user", "create", "--username", name, "--phone", phone, "--json"]);
        run_json(&text_of(&create))["id"].as_i64().unwrap()
    });

    let server = Running::start(&text_of(&staging.with(&["serve"])));
    let file = staging.path("messages.jsonl");
    assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o7777, 0o600);
    let mut api = server.http();
    api.authorize(&client);

    verify(&mut api, ana, &file);
    // Log rotation renames the file. The next message creates a new one.
    std::fs::rename(&file, staging.path("messages.1")).unwrap();
    verify(&mut api, ben, &file);
    assert_eq!(server.stop(), Some(0));

    // A command without a server offers the factors that the server offers.
    let stranded = || run_json(&text_of(&staging.with(&["user", "list", "--without-usable-device", "--json"])));
    assert_eq!(stranded(), json!([]));
    std::fs::write(staging.path("countersign.toml"), "").unwrap();
    assert_eq!(stranded().as_array().unwrap().len(), 2);
}

/// The channels that `delivery status` says are offered.
fn offered(shown: &Value) -> Vec<&str> {
    let rows = shown.as_array().unwrap().iter().filter(|row| row["offered"] == true);
    rows.map(|row| row["channel"].as_str().unwrap()).collect()
}

#[test]
fn channels_are_shown_and_tested_with_and_without_a_server() {
    let staging = Staging::new(true);
    run_json(&text_of(&staging.with(&["client", "create", "--scope", "Manage All", "--init", "--json"])));
    let file = staging.path("messages.jsonl");
    let show = staging.with(&["delivery", "status", "--json"]);
    let shown = run_json(&text_of(&show));
    assert_eq!(offered(&shown), ["sms", "voice", "email"]);
    assert_eq!(
        shown[0],
        json!({
            "channel": "sms", "offered": true, "reason": null, "advice": null,
            "routes": [{
                "provider": "file", "setting": "delivery.file.path", "state": null, "down_until": null,
                "sent": null, "failed": null, "delivered": null, "undelivered": null, "last_failure": null, "last_failure_at": null,
            }],
        })
    );
    assert_eq!((&shown[3]["channel"], &shown[3]["routes"]), (&json!("push"), &json!([])));
    assert!(!file.exists(), "a command that only looks makes no file");

    let sms = staging.with(&["delivery", "test", "sms", "+1 (415) 555-0123"]);
    let refused = run(&text_of(&sms));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && said.contains("start the server"), "{said}");
    assert!(!file.exists(), "only a server makes the file, so that it belongs to the server's user");
    let server = Running::start(&text_of(&staging.with(&["serve"])));
    let running = run_json(&text_of(&show));
    assert_eq!(offered(&running), offered(&shown));
    assert_eq!((&running[0]["routes"][0]["state"], &running[0]["routes"][0]["sent"]), (&json!("up"), &json!(0)));
    let mail = staging.with(&["delivery", "test", "email", "ana@example.com", "--json"]);
    assert_eq!(run_json(&text_of(&mail)), json!({ "channel": "email", "provider": "file", "sent": true }));
    let sent = run(&text_of(&sms));
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let lines = || std::fs::read_to_string(&file).unwrap();
    let sent: Vec<Value> = lines().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((sent.len(), &sent[0]["to"], &sent[1]["to"]), (2, &json!("ana@example.com"), &json!("+14155550123")));
    assert!(sent.iter().all(|line| line["code"].is_null() && line["verification_id"].is_null()), "{sent:?}");

    for (target, why) in [("+4930123456", "messages.countries"), ("+19005550123", "no usable number or address")] {
        let refused = run(&text_of(&staging.with(&["delivery", "test", "voice"]))
            .into_iter()
            .chain([target])
            .collect::<Vec<_>>());
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && said.contains(why), "{said}");
    }
    assert_eq!(lines().lines().count(), 2);
    // A test counts as any other message does: ten a day to an address (SEC 33).
    for _ in 0..9 {
        assert!(run(&text_of(&mail)).status.success());
    }
    let refused = run(&text_of(&mail));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && said.contains("too many messages were sent to this"), "{said}");
    assert_eq!(lines().lines().count(), 11);
    assert_eq!(server.stop(), Some(0));
    assert!(run(&text_of(&sms)).status.success(), "without a server, into the file that it left");
    assert_eq!(lines().lines().count(), 12);
}

#[test]
fn a_provider_that_is_not_there_has_sent_nothing() {
    let staging = Staging::new(true);
    run_json(&text_of(&staging.with(&["client", "create", "--scope", "Manage All", "--init", "--json"])));
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (channel, address, provider) in [
        ("email", "ana@example.com", format!("smtp]\nservers = ['smtp+plain://{gone}']\nfrom = 'mfa@example.com'")),
        (
            "sms",
            "+14155550123",
            format!(
                "twilio]\naccount_sid = 'AC00'\nauth_token = 'x'\nfrom = '+14155550100'\nbase_url = 'http://{gone}'"
            ),
        ),
    ] {
        let text = format!("issuer = 'Example Inc'\nmessages.countries = ['US']\n[delivery.{provider}\n");
        std::fs::write(staging.path("countersign.toml"), text).unwrap();
        let refused = run(&text_of(&staging.with(&["delivery", "test", channel, address])));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && said.contains("nothing was sent"), "{channel}: {said}");
    }
}

#[test]
fn a_channel_that_is_not_offered_has_its_reason() {
    let staging = Staging::new(true);
    let config = staging.path("countersign.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("['US']", "[]")).unwrap();
    run_json(&text_of(&staging.with(&["client", "create", "--scope", "Manage All", "--init", "--json"])));
    let shown = run_json(&text_of(&staging.with(&["delivery", "status", "--json"])));
    assert_eq!(offered(&shown), ["email"]);
    assert!(shown[0]["advice"].as_str().unwrap().contains("messages.countries"), "{shown}");

    std::fs::write(&config, "").unwrap();
    let shown = run_json(&text_of(&staging.with(&["delivery", "status", "--json"])));
    assert!(offered(&shown).is_empty(), "{shown}");
    assert!(shown[0]["advice"].as_str().unwrap().contains("delivery.file.path"), "{shown}");
    let refused = run(&text_of(&staging.with(&["delivery", "test", "email", "ana@example.com"])));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && said.contains("no provider carries email"), "{said}");
}

#[test]
fn a_file_of_codes_is_acknowledged_or_refused() {
    let staging = Staging::new(false);
    for command in [["serve"].as_slice(), &["config", "check"], &["delivery", "status"]] {
        let output = run(&text_of(&staging.with(command)));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("set delivery.file.i_know_that_codes_are_readable = true"), "{said}");
    }
    assert!(!staging.path("messages.jsonl").exists() && !staging.path("data").exists(), "nothing was made");
}

#[test]
fn codes_are_never_written_through_a_link() {
    let staging = Staging::new(true);
    symlink(staging.path("elsewhere"), staging.path("messages.jsonl")).unwrap();
    let output = run(&text_of(&staging.with(&["serve"])));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("delivery.file.path"), "{said}");
    assert!(!staging.path("elsewhere").exists());
}
