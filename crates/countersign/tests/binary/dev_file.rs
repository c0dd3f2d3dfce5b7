//! A dev world from a file, and one that answers the same requests with the same bytes.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use domain::Secret;
use domain::model::hotp::{Algorithm, code};
use serde_json::{Value, json};

use crate::common::{Running, countersign};

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

const WORLD: &str = r#"
seed = 7

[clock]
now = "2027-03-01T09:30:00Z"
frozen = true

[[clients]]
name = "reports"
scope = "Read Users"

[[clients]]
name = "vpn"
profile = "python4"
client_id = "vpn-client"
client_secret = "vpn-secret"

[[users]]
username = "dora"
password = "a long pass phrase"
email = "dora@example.com"
phone = "+14155550142"
language = "de"

[[users.devices]]
factor = "totp"
name = "App"
secret = "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"

[[users.devices]]
factor = "hotp"
secret = "MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK"
counter = 5

[[users.devices]]
factor = "sms"

[[users.devices]]
factor = "email"
to = "other@example.com"

[[users]]
username = "emil"

[[apps]]
name = "wiki"
acs_url = "https://wiki.example.com/acs"
audience = "wiki"
"#;

fn written(folder: &Path, text: &str) -> String {
    let file = folder.join("world.toml");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// The code of a secret at a counter.
fn own_code(base32: &str, counter: u64) -> String {
    let secret = data_encoding::BASE32_NOPAD.decode(base32.as_bytes()).unwrap();
    code(&Secret::new(secret), Algorithm::Sha1, counter, 6)
}

#[test]
fn a_world_is_what_its_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), WORLD);
    let data = folder.path().join("data");
    let args = ["dev", "--world", &file, "--data-dir", data.to_str().unwrap()];
    let world = Running::start(&args);
    let ready = world.ready.clone();
    let clients = ready["clients"].as_array().unwrap();
    let vpn = json!({
        "client_id": "vpn-client", "client_secret": "vpn-secret", "profile": "python4", "scope": "Manage All",
    });
    assert_eq!(clients[0], vpn, "the one for everything is first");
    assert_eq!((&clients[1]["scope"], &clients[1]["profile"]), (&json!("Read Users"), &json!("default")));
    let users = ready["users"].as_array().unwrap();
    assert_eq!(users.len(), 2);
    let dora = &users[0];
    assert_eq!((&dora["username"], &dora["password"]), (&json!("dora"), &json!("a long pass phrase")));
    let id = dora["id"].as_i64().unwrap();
    let factors: Vec<&str> =
        dora["devices"].as_array().unwrap().iter().map(|d| d["factor"].as_str().unwrap()).collect();
    assert_eq!(factors, ["totp", "hotp", "sms", "email"]);
    assert_eq!(world.ready["apps"][0]["name"], "wiki");
    let mut api = world.api();
    assert_eq!(api.expect(200, "GET", "/dev/clock", "")["now"], "2027-03-01T09:30:00.000Z");

    // Every device is in use, and codes are those of its secret at the world's time.
    let step = api.expect(200, "GET", "/dev/clock", "")["unix_ms"].as_u64().unwrap() / 30_000;
    let verify = |api: &mut crate::common::Http, device: &Value, code: &str| {
        let path = format!("/api/1/users/{id}/otp_devices/{}/verify", device["device_id"]);
        api.send("POST", &path, &json!({ "otp_token": code }).to_string()).unwrap().status
    };
    assert_eq!(verify(&mut api, &dora["devices"][0], &own_code(SECRET, step)), 200);
    assert_eq!(verify(&mut api, &dora["devices"][1], &own_code("MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK", 5)), 200);
    for (place, to) in [(2, "+14155550142"), (3, "other@example.com")] {
        let device = dora["devices"][place]["device_id"].to_string();
        let of = format!("/api/2/mfa/users/{id}/verifications");
        let opened = api.expect(201, "POST", &of, &json!({ "device_id": device }).to_string());
        let about = format!("/dev/outbox?verification_id={}&wait=10s", opened["id"].as_str().unwrap());
        let sent = api.expect(200, "GET", &about, "")[0].clone();
        assert_eq!(sent["to"], to);
        assert!(place == 3 || sent["body"].as_str().unwrap().contains("ist Ihr"), "in the user's language: {sent}");
        let typed = json!({ "otp": sent["code"] }).to_string();
        api.expect(200, "PUT", &format!("{of}/{}", opened["id"].as_str().unwrap()), &typed);
    }
    // A reset goes back to the file, under new ids.
    api.expect(200, "PUT", "/dev/clock", r#"{"advance_seconds":31}"#);
    let reset = api.expect(200, "POST", "/dev/reset", "");
    assert_eq!(api.expect(200, "GET", "/dev/clock", "")["now"], "2027-03-01T09:30:00.000Z");
    let again = reset["users"][0]["devices"].clone();
    assert!(again.as_array().unwrap().len() == 4 && again != dora["devices"], "{reset}");
    let mut api = world.api();
    assert_eq!(verify(&mut api, &again[1], &own_code("MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK", 6)), 200);
    assert_eq!(world.stop(), Some(0));

    // A world that is kept is as it was left, whatever the file says by then.
    written(folder.path(), "[[users]]\nusername = 'nora'\n");
    let again = Running::start(&args);
    assert_eq!(again.ready["users"][0]["devices"], dora["devices"]);
    assert_eq!(again.stop(), Some(0));
}

#[test]
fn a_file_that_is_wrong_says_where() {
    let folder = tempfile::tempdir().unwrap();
    for (text, says) in [
        ("sed = 7", "unknown field `sed`"),
        ("[clock]\nnow = 'soon'", "now is a time as"),
        ("[[clients]]\nscope = 'All'", "clients, number 1: the scopes are \"Manage All\""),
        ("[[clients]]\nprofile = 'x'", "the profiles are default"),
        ("[[clients]]\nclient_id = 'a'", "client_id and client_secret come together"),
        ("[[clients]]\nclient_id = 'a b'\nclient_secret = 'c'", "without blanks"),
        ("[[clients]]\nscope = 'Read Users'", "one of them needs the scope \"Manage All\""),
        ("users = []", "name one"),
        ("[[users]]\nemail = 'a@example.com'", "missing field `username`"),
        (
            "[[users]]\nusername = 'a'\n[[users.devices]]\nfactor = 'totp'",
            "users, number 1 (a): devices, number 1: it needs a secret",
        ),
        ("[[users]]\nusername = 'a'\n[[users.devices]]\nfactor = 'totp'\nsecret = 'AAAA'", "10 to 64 bytes"),
        ("[[users]]\nusername = 'a'\n[[users.devices]]\nfactor = 'sms'", "it needs `to`"),
        ("[[users]]\nusername = 'a'\n[[users.devices]]\nfactor = 'push'", "POST /dev/phone/pair"),
        ("[[users]]\nusername = 'a'\n[[users.devices]]\nfactor = 'x'", "factor is one of"),
        ("[[users]]\nusername = 'a'\nphone = '12'", "phone"),
    ] {
        let file = written(folder.path(), text);
        let ended = countersign().args(["dev", "--listen", "127.0.0.1:0", "--world", &file]).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success() && said.contains(says), "{text}: {said}");
    }
}

/// A world at this port, and its ready file's content.
/// A world from a file, at a port: its answers name it.
fn world_at(port: u16, file: &str, ready: &Path) -> Running {
    let listen = format!("127.0.0.1:{port}");
    Running::start_as_at(&["dev", "--world", file, "--listen", &listen], countersign(), ready)
}

/// Everything that a world answers to some requests, byte for byte.
fn answers(port: u16, file: &str, ready: &Path) -> Vec<String> {
    let running = world_at(port, file, ready);
    let world = &running.ready;
    let mut all = Vec::new();
    let mut token = String::new();
    let mut ask = |method: &str, path: &str, body: Value| {
        let mut line = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (body, bearer) = (body.to_string(), format!("authorization: Bearer {token}\r\n"));
        let bearer = if token.is_empty() { "" } else { &bearer };
        write!(
            line,
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{bearer}content-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut text = String::new();
        line.read_to_string(&mut text).unwrap();
        let said: Value = serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap_or_default();
        if path.starts_with("/auth/") {
            said["access_token"].as_str().unwrap().clone_into(&mut token);
        }
        all.push(text);
        said
    };
    let client = &world["clients"][0];
    ask(
        "POST",
        "/auth/oauth2/v2/token",
        json!({
            "grant_type": "client_credentials", "client_id": client["client_id"], "client_secret": client["client_secret"],
        }),
    );
    let user = world["users"][0]["id"].to_string();
    let mfa = format!("/api/2/mfa/users/{user}");
    ask("GET", &format!("{mfa}/factors"), json!({}));
    ask("GET", &format!("{mfa}/devices"), json!({}));
    // A secret, a code, a pairing code, a number, a token: whatever is drawn.
    for factor in ["5", "3", "1", "4", "2"] {
        let begun =
            ask("POST", &format!("{mfa}/registrations"), json!({ "factor_id": factor, "display_name": "Mine" }));
        let about = begun["id"].as_str().unwrap_or_default();
        // Messages are sent beside the requests, so they are waited for.
        let sends = matches!(factor, "2" | "3" | "4");
        let wait = if sends { "&wait=10s" } else { "" };
        let messages = ask("GET", &format!("/dev/outbox?verification_id={about}{wait}"), json!({}));
        assert_eq!(messages.as_array().unwrap().len(), usize::from(sends), "{factor}: {begun}");
    }
    let devices = ask("GET", &format!("{mfa}/devices"), json!({}));
    let sms = devices.as_array().unwrap().iter().find(|device| device["auth_factor_name"] == "SMS").unwrap();
    let opened = ask("POST", &format!("{mfa}/verifications"), json!({ "device_id": sms["device_id"] }));
    let wrong = format!("{mfa}/verifications/{}", opened["id"].as_str().unwrap());
    ask("PUT", &wrong, json!({ "otp": "000000" }));
    ask("POST", &format!("{mfa}/mfa_token"), json!({ "expires_in": 600 }));
    ask("POST", &format!("/api/1/users/{user}/otp_devices"), json!({ "factor_id": 3, "display_name": "v1" }));
    ask("GET", "/api/2/users/1", json!({}));
    ask("GET", "/api/1/events", json!({}));
    all
}

#[test]
fn with_a_number_and_a_stopped_clock_the_same_requests_have_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), WORLD);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ready = folder.path().join("ready.json");
    let first = answers(port, &file, &ready);
    let second = answers(port, &file, &ready);
    for (one, other) in first.iter().zip(&second) {
        assert_eq!(one, other);
    }
    assert_eq!(first.len(), second.len());
    let other = written(folder.path(), &WORLD.replace("seed = 7", "seed = 8"));
    let third = answers(port, &other, &ready);
    let same = first.iter().zip(&third).filter(|(one, other)| one == other).count();
    assert!(same < first.len() / 2, "{same} of {} answers do not depend on the number", first.len());
}
