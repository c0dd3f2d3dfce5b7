//! Secrets stay where they belong: not in the log at its finest level, not in the database's files (SEC 38, 41, 46, 48).

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;

use std::fs::File;
use std::path::Path;

use common::{Http, Running, run_json};
use domain::factor::hotp::{Algorithm, code};
use domain::{Secret, Timestamp};
use serde_json::{Value, json};

/// Everything below a folder, as one heap of bytes.
fn all_bytes(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(all_bytes(&path));
        } else if path.is_file() {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    bytes
}

fn holds(heap: &[u8], needle: &str) -> bool {
    !needle.is_empty() && heap.windows(needle.len()).any(|window| window == needle.as_bytes())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn token(http: &mut Http, client: &Value) -> (String, String) {
    let body = json!({
        "grant_type": "client_credentials", "client_id": client["client_id"], "client_secret": client["client_secret"],
    });
    let answer = http.expect(200, "POST", "/auth/oauth2/v2/token", &body.to_string());
    (text(&answer["access_token"]), text(&answer["refresh_token"]))
}

#[test]
fn a_served_installation_keeps_no_secret_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let log = folder.path().join("log");
    let server = Running::start_logging(&["serve", "--data-dir", data.to_str().unwrap()], File::create(&log).unwrap());
    let data_text = data.to_str().unwrap();
    let client = run_json(&["client", "create", "--scope", "Manage All", "--data-dir", data_text, "--json"]);
    let mut http = server.http();
    let (access, refresh) = token(&mut http, &client);
    http.token = Some(access.clone());

    let password = "kanarienvogel-5501-geheim";
    let body = json!({ "username": "ana", "password": password, "password_confirmation": password });
    let user = http.expect(201, "POST", "/api/2/users", &body.to_string())["id"].clone();
    let mfa = format!("/api/2/mfa/users/{user}");
    let factors = http.expect(200, "GET", &format!("{mfa}/factors"), "");
    let totp = factors.as_array().unwrap().iter().find(|f| f["name"] == "Authenticator").unwrap()["factor_id"].clone();
    let registration = http.expect(
        201,
        "POST",
        &format!("{mfa}/registrations"),
        &json!({ "factor_id": totp, "display_name": "app" }).to_string(),
    );
    let secret = text(&registration["factor_data"]["verification_token"]);
    let raw = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let now = engine::Clock::now(&engine::clock::SystemClock);
    let otp = code(&Secret::new(raw.clone()), Algorithm::Sha1, step(now), 6);
    let path = format!("{mfa}/registrations/{}", text(&registration["id"]));
    http.expect(200, "PUT", &path, &json!({ "otp": otp }).to_string());
    let temporary = text(&http.expect(201, "POST", &format!("{mfa}/mfa_token"), "")["mfa_token"]);
    let state = text(
        &http.expect(200, "POST", &format!("/api/1/users/{user}/otp_devices/1/trigger"), "")["data"][0]["state_token"],
    );
    let wrong =
        http.send("POST", &format!("/api/1/users/{user}/otp_devices/1/verify"), r#"{"otp_token":"735109"}"#).unwrap();
    assert_eq!(wrong.status, 401);
    // What a caller sends by mistake is not repeated anywhere either.
    http.expect(400, "POST", &format!("{mfa}/verifications"), r#"{"otp":"918273","#);

    let secrets = [
        ("client secret", text(&client["client_secret"])),
        ("access token", access),
        ("refresh token", refresh),
        ("password", password.to_owned()),
        ("TOTP secret", secret),
        ("temporary token", temporary),
        ("state token", state),
        ("wrong code", "735109".to_owned()),
        ("malformed code", "918273".to_owned()),
    ];
    let files = all_bytes(&data.join("db"));
    assert!(holds(&files, "ana"), "the search finds what is there");
    assert!(!files.windows(raw.len()).any(|window| window == raw), "the raw secret is in the database");
    assert_eq!(server.stop(), Some(0));
    let logged = std::fs::read(&log).unwrap();
    assert!(!logged.is_empty(), "the finest level logs something");
    for (name, secret) in &secrets {
        assert!(!holds(&files, secret), "the {name} is in the database's files");
        assert!(!holds(&logged, secret), "the {name} is in the log");
    }
}

#[test]
fn a_dev_world_shows_codes_in_its_outbox_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let server = Running::start_logging(&["dev"], File::create(&log).unwrap());
    let mut http = server.api();
    let mut secrets = Vec::new();
    for (factor, channel) in [("SMS", "sms"), ("OneLogin Email", "email"), ("OneLogin Voice", "voice")] {
        let factors = http.expect(200, "GET", "/api/2/mfa/users/1/factors", "");
        let factor =
            factors.as_array().unwrap().iter().find(|f| f["auth_factor_name"] == factor).unwrap()["factor_id"].clone();
        let body = json!({ "factor_id": factor, "display_name": "canary" }).to_string();
        let answer = http.expect(201, "POST", "/api/2/mfa/users/1/registrations", &body);
        let messages = http.expect(200, "GET", &format!("/dev/outbox?wait=10s&channel={channel}"), "");
        let message = messages.as_array().unwrap().last().unwrap();
        match message["code"].as_str() {
            // The answer to whoever asked must not hold what only the person may know (SEC 47).
            Some(code) => {
                assert!(!answer.to_string().contains(code));
                secrets.push(code.to_owned());
            }
            None => secrets.push(text(&answer["factor_data"]["verification_token"])),
        }
        secrets.push(text(&message["to"]));
    }
    assert_eq!(server.stop(), Some(0));
    let logged = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    // The banner shows the credentials on purpose; the log comes after it.
    let logged = logged.split("Stop with Ctrl-C.").nth(1).unwrap();
    for secret in secrets {
        assert!(!logged.contains(&secret), "{secret} is in the log");
    }
}

fn step(now: Timestamp) -> u64 {
    u64::try_from(now.unix_seconds() / 30).unwrap()
}
