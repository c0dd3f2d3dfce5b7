//! Secrets stay where they belong: not in the log at its finest level, not in the database's files (SEC 38, 41, 46, 48).

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;

use std::fs::File;
use std::path::Path;

use common::browser::{self, Authenticator, Browser};
use common::installation::Installation;
use common::phone::{self, Events, Phone};
use common::{Http, Running, countersign, run_json};
use domain::model::hotp::{Algorithm, code};
use domain::rules::factor::push::PushDecision;
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

/// SEC 48, 70, 104, 105: of phones and invitations neither the log nor the database's files hold what opens something.
#[test]
fn nothing_of_a_phone_or_an_invitation_is_in_the_clear() {
    let installation = Installation::new("public_url = 'http://localhost:8080'\nlimits.message_interval_seconds = 0\n");
    let log = installation.path("log.txt");
    let args = installation.with(&["serve"]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let server = Running::start_logging(&args, File::create(&log).unwrap());
    let client = installation.json(&["client", "create", "--scope", "Manage All", "--number-matching", "on", "--json"]);
    let mut api = server.http();
    api.authorize(&client);
    let ana = browser::user(&mut api, "ana", None);
    let link = browser::invite(&mut api, ana, &json!({}));
    let mut browser = Browser::open(&server, &link);
    let page = browser.begin("totp");
    let app = Authenticator::of(&page);
    let secret = data_encoding::BASE32_NOPAD.encode(app.0.expose());
    let wrong = browser.code(&page, "735107");
    assert_eq!(wrong.status, 200);
    let done = browser.code(&page, &app.code(0));
    let next = browser::between(&done.body, "/enroll/", "\"").to_owned();
    let nonce = browser.nonce.clone();
    let mut browser = Browser::open(&server, &next);
    let page = browser.begin("push");
    let wait = browser.wait.clone();
    assert_eq!(server.http().send("GET", &wait, "").unwrap().status, 200);
    assert_eq!(server.http().send("GET", &format!("/enroll/wait/1.{}", "canaryhandle"), "").unwrap().status, 410);
    let pairing_code = browser::between(&page, "/app#", "\"").to_owned();
    let public = phone::key(3).verifying_key().to_sec1_point(false).as_bytes().to_vec();
    let subscription = json!({
        "endpoint": "https://fcm.googleapis.com/fcm/send/canaryendpoint",
        "p256dh": data_encoding::BASE64URL_NOPAD.encode(&public), "auth": "Y2FuYXJ5LWNhbmFyeS1jYQ",
    });
    let body = phone::pairing(&phone::key(1), &pairing_code, &pairing_code, Some(subscription.clone()));
    let paired = Phone::of(&server.http().expect(200, "POST", "/app/pair", &body), 1);
    server.http().expect(404, "POST", "/app/pair", &phone::pairing(&phone::key(1), "7CANARY7", "7CANARY7", None));
    assert_eq!(paired.subscribes(&mut api, &serde_json::Value::Null).status, 200);
    let triggered = api.expect(200, "POST", &format!("/api/1/users/{ana}/otp_devices/{}/trigger", paired.device), "");
    let number = triggered["status"]["message"].as_str().unwrap().rsplit(' ').next().unwrap().to_owned();
    let mut events = Events::open(&server.address(), &[&paired]);
    assert_eq!(events.waiting(), Some(1));
    let request = paired.requests(&mut api).remove(0);
    let said = paired.says(&request, PushDecision::Accept, Some(&number));
    assert_eq!(api.expect(200, "POST", "/app/answer", &said.to_string())["state"], "accepted");
    assert_eq!(paired.subscribes(&mut api, &subscription).status, 200);
    assert_eq!(server.stop(), Some(0));
    let logged = std::fs::read(&log).unwrap();
    let files = all_bytes(&installation.path("data/db"));
    assert!(holds(&logged, "push.accepted"), "the finest level says what happened");
    for (name, secret) in [
        ("link", link),
        ("link for one more device", next),
        ("nonce of a page", nonce),
        ("nonce of the second page", browser.nonce.clone()),
        ("secret", secret),
        ("wrong code", "735107".to_owned()),
        ("handle of a page", wait.rsplit('/').next().unwrap().to_owned()),
        ("handle that is none", "canaryhandle".to_owned()),
        ("pairing code", pairing_code),
        ("unknown pairing code", "7CANARY7".to_owned()),
        ("endpoint", "canaryendpoint".to_owned()),
        ("key of a subscription", text(&subscription["p256dh"])),
        ("secret of a subscription", text(&subscription["auth"])),
        ("nonce of a prompt", text(&request["nonce"])),
        ("signature", text(&said["signature"])),
        ("state token", text(&triggered["data"][0]["state_token"])),
    ] {
        assert!(!holds(&logged, &secret), "the {name} is in the log");
        assert!(!holds(&files, &secret), "the {name} is in the database's files");
    }
}

/// Every way to write a password that the driver takes, and some that it does not.
fn spellings(password: &str, host: &str) -> Vec<String> {
    let encoded: Vec<String> = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let encoded = encoded.concat();
    let mut all = Vec::new();
    for text in [password, &encoded] {
        all.push(format!("postgres://qm:{text}@{host}/qm?sslmode=disable"));
        all.push(format!("postgresql://qm:{text}@{host}"));
        all.push(format!("postgres://{host}/qm?user=qm&password={text}&sslmode=disable"));
        all.push(format!("postgres:///qm?password={text}&user=qm&host=127.0.0.1&port=1"));
        all.push(format!("postgres://qm:{text}@{host}/qm?PASSWORD={text}"));
        // Without a host; a text after a bare @ would be one.
        if !text.contains('@') {
            all.push(format!("postgres://qm:{text}"));
        }
    }
    all
}

/// SEC 48. The marks around each sign show which part of a password came through.
#[test]
fn no_spelling_of_a_database_url_shows_its_password() {
    let hides = |said: &str, url: &str| {
        for part in ["Qzw", "Xvk", "%51%7A", "%58%76"] {
            assert!(!said.contains(part), "{url}: {said}");
        }
    };
    let signs: Vec<char> = (' '..='~').collect();
    for first in &signs {
        for second in ['@', '?', '/', ':', '#', '&', '=', '%', 'a'] {
            let password = format!("Qzw{first}Xvk{second}QzwXvk");
            for url in spellings(&password, "127.0.0.1:1") {
                match config::Postgres::new(&url, None) {
                    Ok(database) => {
                        hides(database.shown(), &url);
                        hides(&format!("{database:?}"), &url);
                    }
                    Err(error) => hides(&format!("{error:#} {error:?}"), &url),
                }
            }
        }
    }

    // The same through the binary: what it prints, and what it says when it cannot connect.
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for url in spellings("Qzw?Xvk", "127.0.0.1:1") {
        for args in
            [&["client", "list"][..], &["serve"], &["config", "check"], &["config", "show", "--origin"], &["migrate"]]
        {
            let mut command = countersign();
            command.args(args).arg("--data-dir").arg(&data).env("COUNTERSIGN_DATABASE_URL", &url);
            let output = command.env("COUNTERSIGN_LOG", "trace").output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            hides(&String::from_utf8_lossy(&said), &url);
        }
        let moved = countersign().args(["move", "--from", &url, "--to", &url]).output().unwrap();
        hides(&String::from_utf8_lossy(&moved.stderr), &url);
    }
}

/// A password that the driver takes works, and the banner shows where the database is.
#[test]
fn a_password_with_signs_serves_and_stays_hidden() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    let (folder, url) = (tempfile::tempdir().unwrap(), cluster.new_database());
    let log = folder.path().join("log");
    let data = folder.path().join("data");
    let with_password = url.replacen("postgres:///", "postgres://postgres:Qzw?Xvk@/", 1);
    assert_ne!(url, with_password, "{url}");
    let args = ["serve", "--data-dir", data.to_str().unwrap(), "--database-url", &with_password];
    let server = Running::start_logging(&args, File::create(&log).unwrap());
    assert_eq!(server.stop(), Some(0));
    let logged = std::fs::read_to_string(&log).unwrap();
    assert!(logged.contains("Database PostgreSQL, postgres://postgres@"), "{logged}");
    assert!(!logged.contains("Qzw") && !logged.contains("Xvk"), "{logged}");
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
            // The answer to the caller must not hold what only the person may know (SEC 47).
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

/// SEC 48: no line tells who somebody is, whatever is done with them; a line names ids.
#[test]
fn no_line_of_the_log_holds_personal_data() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let server = Running::start_logging(&["dev"], File::create(&log).unwrap());
    let mut http = server.api();
    let password = "kanarienvogel-5502-geheim";
    let person = json!({
        "username": "canary-username", "email": "canary.mail@example.com", "phone": "+14155559731",
        "firstname": "Canarella", "lastname": "Canarowski", "samaccountname": "canary-sam", "title": "Canary-in-chief",
        "external_id": "canary-external", "password": password, "password_confirmation": password,
    });
    let user = http.expect(201, "POST", "/api/2/users", &person.to_string())["id"].clone();
    let one = format!("/api/1/users/{user}");
    let mfa = format!("/api/2/mfa/users/{user}");

    // Looked for, changed, refused; by path, query and body.
    for query in ["email=canary.mail@example.com", "username=canary-username", "firstname=Canarella", "lastname=Canar*"]
    {
        http.expect(200, "GET", &format!("/api/2/users?{query}"), "");
        http.expect(200, "GET", &format!("/api/1/users?{query}"), "");
    }
    http.expect(200, "PUT", &format!("/api/2/users/{user}"), &json!({ "company": "Canary Ltd" }).to_string());
    let twice = http.send("POST", "/api/2/users", &person.to_string()).unwrap();
    assert!(twice.status >= 400, "the name is taken");
    http.send("POST", "/api/2/users", r#"{"username":"canary-broken","#).unwrap();
    http.send("GET", "/api/2/mfa/users/canary-in-path/devices", "").unwrap();
    http.send("POST", &format!("{one}/otp_devices"), r#"{"factor_id":2,"display_name":"x","number":"+4155canary"}"#)
        .unwrap();

    // A device that is written to, with words of the caller's.
    let factors = http.expect(200, "GET", &format!("{mfa}/factors"), "");
    for (factor, target) in [("SMS", json!("+14155559732")), ("OneLogin Email", json!("canary.second@example.com"))] {
        let factor =
            factors.as_array().unwrap().iter().find(|f| f["auth_factor_name"] == factor).unwrap()["factor_id"].clone();
        let body = json!({
            "factor_id": factor, "display_name": "Canary's device", "number": target, "email": target, "verified": true,
        });
        http.expect(200, "POST", &format!("{one}/otp_devices"), &body.to_string());
    }
    let devices = http.expect(200, "GET", &format!("{one}/otp_devices"), "");
    let device = devices["data"]["otp_devices"][0]["id"].clone();
    let trigger = json!({ "ipaddr": "203.0.113.77", "sms_message": "Canarytext {{otp_code}}" }).to_string();
    let triggered = http.expect(200, "POST", &format!("{one}/otp_devices/{device}/trigger"), &trigger);
    let guess = json!({ "otp_token": "735108", "state_token": triggered["data"][0]["state_token"] }).to_string();
    http.expect(401, "POST", &format!("{one}/otp_devices/{device}/verify"), &guess);

    // Logging in: right, wrong, and an unknown user.
    for (name, secret) in
        [("canary-username", password), ("canary-username", "canary-wrong"), ("canary-nobody", "canary-wrong")]
    {
        let body = json!({
            "username_or_email": name, "password": secret, "subdomain": "acme", "ip_address": "203.0.113.78",
            "browser_id": "canary-browser",
        });
        http.send("POST", "/api/1/login/auth", &body.to_string()).unwrap();
    }
    let app = server.ready["apps"][0]["id"].clone();
    let body = json!({
        "username_or_email": "canary.mail@example.com", "password": password, "app_id": app.to_string(), "subdomain": "acme",
    });
    http.send("POST", "/api/2/saml_assertion", &body.to_string()).unwrap();
    let visit = json!({
        "user_identifier": "canary-username", "phone": "+14155559733", "email": "canary.third@example.com",
        "context": { "ip": "203.0.113.79", "user_agent": "Canary/1.0" },
    });
    http.send("POST", "/api/2/smart-mfa", &visit.to_string()).unwrap();
    http.expect(200, "GET", &format!("/api/1/events?user_id={user}"), "");
    http.send("GET", "/dev/outbox?wait=2s&channel=sms", "").unwrap();
    http.send("DELETE", &format!("/api/2/users/{user}"), "").unwrap();

    assert_eq!(server.stop(), Some(0));
    let logged = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    let logged = logged.split("Stop with Ctrl-C.").nth(1).unwrap();
    for told in
        ["user.created", "device.trusted", "challenge.sent", "verification.refused", "login.refused", "user.deleted"]
    {
        assert!(logged.contains(told), "{told} is not told");
    }
    let canaries = ["anar", "415555973", "203.0.113.7", "kanarienvogel", "735108"];
    for line in logged.lines() {
        for canary in canaries {
            assert!(!line.to_lowercase().contains(&canary.to_lowercase()), "{canary} is in: {line}");
        }
    }
}

fn step(now: Timestamp) -> u64 {
    u64::try_from(now.unix_seconds() / 30).unwrap()
}

#[test]
fn every_line_is_json() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("log"));
    let place = data.to_str().unwrap();
    let json = || {
        let mut command = countersign();
        command.env("COUNTERSIGN_LOG_FORMAT", "json").env("COUNTERSIGN_NONSENSE", "1");
        command
    };
    let judge = |text: &str, what: &str| {
        assert!(!text.is_empty(), "{what}");
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{what}: {line}"));
            for member in ["timestamp", "level", "message"] {
                assert!(line[member].is_string(), "{what}: {line}");
            }
        }
    };
    let file = File::create(&log).unwrap();
    let server = Running::start_into(&["serve", "--data-dir", place], json(), file.into());
    server.http().expect(404, "GET", "/nowhere", "");
    assert_eq!(server.stop(), Some(0));
    let text = std::fs::read_to_string(&log).unwrap();
    judge(&text, "serve");
    assert!(text.contains("is answering at") && text.contains("COUNTERSIGN_NONSENSE"), "banner and warnings: {text}");
    for args in [
        &["client", "revoke", "abc", "--data-dir", place][..],
        &["client", "revoke", "abc", "--yes", "--data-dir", place],
        &["user", "nonsense"],
        &["serve", "--config", "/nowhere.toml"],
        &["dev", "--data-dir", place],
    ] {
        let output = json().args(args).output().unwrap();
        assert!(!output.status.success());
        judge(&String::from_utf8(output.stderr).unwrap(), &format!("{args:?}"));
    }
    let helped = json().arg("--help").output().unwrap();
    assert!(helped.status.success() && helped.stderr.is_empty() && !helped.stdout.is_empty());
}

#[test]
fn a_log_setting_that_is_none_stops_the_start() {
    for (name, value) in [
        ("COUNTERSIGN_LOG", "blah=foo"),
        ("COUNTERSIGN_LOG", "inof"),
        ("COUNTERSIGN_LOG", "info,engine=loud"),
        ("COUNTERSIGN_LOG_FORMAT", "xml"),
    ] {
        let output = countersign().args(["config", "check"]).env(name, value).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(&format!("{name} is")), "{name}={value}: {said}");
    }
    for (name, value) in
        [("COUNTERSIGN_LOG", "WARN"), ("COUNTERSIGN_LOG", "info,engine=debug"), ("COUNTERSIGN_LOG", "")]
    {
        assert!(countersign().args(["config", "show"]).env(name, value).output().unwrap().status.success(), "{value}");
    }
}

#[test]
fn every_refusal_says_why_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let plain = |level: &str| {
        let mut command = countersign();
        command.env("COUNTERSIGN_LOG", level);
        command
    };
    let wrong_turns = |http: &mut Http| {
        http.expect(404, "GET", "/api/1/canary-path", "");
        http.headers = vec![("authorization".to_owned(), "bearer canarytoken".to_owned())];
        http.expect(401, "GET", "/api/2/users", "");
        http.headers.clear();
    };
    // In a dev world without being asked.
    let server = Running::start_into(&["dev"], plain("info"), File::create(&log).unwrap().into());
    let mut http = server.http();
    wrong_turns(&mut http);
    let reader =
        server.ready["clients"].as_array().unwrap().iter().find(|client| client["scope"] == "Read Users").unwrap();
    http.token = Some(token(&mut http, reader).0);
    http.expect(403, "POST", "/api/2/users", r#"{"username":"canaryname"}"#);
    assert_eq!(server.stop(), Some(0));
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("a call was refused")).collect();
    for (place, parts) in [
        (0, ["method=GET", "route=\"none\"", "status=404", "no such route"]),
        (1, ["method=GET", "route=\"/api/2/users\"", "status=401", "the token is unknown"]),
        (2, ["method=POST", "route=\"/api/2/users\"", "status=403", "scope of the token"]),
    ] {
        assert!(parts.iter().all(|part| lines[place].contains(part)), "{parts:?}: {lines:?}");
        assert!(lines[place].contains("request="), "{lines:?}");
    }
    assert!(lines[2].contains("client="), "{lines:?}");
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(!text.contains("canary"), "{text}");

    // Where it is served, only with a detailed log.
    for (level, lines) in [("info", 0), ("info,countersign::onelogin=debug", 2)] {
        let data = folder.path().join("data");
        let args = ["serve", "--data-dir", data.to_str().unwrap()];
        let server = Running::start_into(&args, plain(level), File::create(&log).unwrap().into());
        wrong_turns(&mut server.http());
        assert_eq!(server.stop(), Some(0));
        let text = std::fs::read_to_string(&log).unwrap();
        assert_eq!(text.matches("a call was refused").count(), lines, "{level}: {text}");
        assert!(!text.contains("canary"), "{text}");
    }
}
