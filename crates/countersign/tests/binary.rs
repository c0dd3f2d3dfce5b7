//! The binary as a person and a script meet it.

#[path = "binary/check.rs"]
mod check;
#[path = "binary/clients.rs"]
mod clients;
mod common;
#[path = "binary/configuration.rs"]
mod configuration;
#[path = "binary/delivery.rs"]
mod delivery;
#[path = "binary/dev_world.rs"]
mod dev_world;
#[path = "binary/installation.rs"]
mod installation;
#[path = "binary/listeners.rs"]
mod listeners;
#[path = "binary/numbers.rs"]
mod numbers;

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Stdio;

use common::{Running, countersign, run, run_json};

#[test]
fn the_command_line_works_while_the_server_runs_and_while_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();

    let before = run_json(&["client", "create", "--scope", "Manage All", "--init", "--data-dir", data, "--json"]);
    assert_eq!(before["scope"], "Manage All");
    assert_eq!(before["profile"], "default");
    assert_eq!(before["client_id"].as_str().unwrap().len(), 64);
    assert_eq!(before["client_secret"].as_str().unwrap().len(), 64);

    let server = Running::start(&["serve", "--data-dir", data]);
    let during = run_json(&[
        "client",
        "create",
        "--scope",
        "Read Users",
        "--profile",
        "python4",
        "--name",
        "reports",
        "--data-dir",
        data,
        "--json",
    ]);
    let user =
        run_json(&["user", "create", "--username", "ana", "--email", "ana@example.com", "--data-dir", data, "--json"]);
    assert_eq!(user["username"], "ana");
    let listed = run_json(&["client", "list", "--data-dir", data, "--json"]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[1]["profile"], "python4");
    assert!(!listed.to_string().contains(during["client_secret"].as_str().unwrap()), "a list shows no secret");

    let mut http = server.http();
    for client in [&before, &during] {
        let body = serde_json::json!({
            "grant_type": "client_credentials", "client_id": client["client_id"], "client_secret": client["client_secret"],
        });
        http.expect(200, "POST", "/auth/oauth2/v2/token", &body.to_string());
    }
    let id = during["client_id"].as_str().unwrap();
    let rotated = run_json(&["client", "rotate", id, "--data-dir", data, "--json"]);
    assert_ne!(rotated["client_secret"], during["client_secret"]);
    run_json(&["client", "revoke", id, "--yes", "--data-dir", data, "--json"]);
    let body = serde_json::json!({
        "grant_type": "client_credentials", "client_id": id, "client_secret": rotated["client_secret"],
    });
    http.expect(401, "POST", "/auth/oauth2/v2/token", &body.to_string());

    assert_eq!(run_json(&["user", "show", "ana", "--data-dir", data, "--json"])["id"], user["id"]);
    assert_eq!(run_json(&["user", "unlock", "ana@example.com", "--data-dir", data, "--json"])["unlocked"], false);
    assert_eq!(server.stop(), Some(0), "SIGTERM ends a server with 0");

    assert_eq!(run_json(&["user", "list", "--data-dir", data, "--json"]).as_array().unwrap().len(), 1);
    run_json(&["user", "delete", "1", "--yes", "--data-dir", data, "--json"]);
    let missing = run(&["user", "show", "ana", "--data-dir", data]);
    assert!(!missing.status.success());
    assert!(String::from_utf8_lossy(&missing.stderr).contains("there is no user ana"));
}

/// Contract 15: SDKs whose models contradict the others find a client that suits them.
#[test]
fn the_ready_file_has_a_client_per_profile() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("world");
    let server = Running::dev(&data);
    let clients = server.ready["clients"].as_array().unwrap().clone();
    let told: Vec<_> =
        clients.iter().map(|client| [&client["scope"], &client["profile"]].map(|v| v.as_str().unwrap())).collect();
    assert_eq!(
        told,
        [
            ["Manage All", "default"],
            ["Read All", "default"],
            ["Manage users", "default"],
            ["Read Users", "default"],
            ["Authentication Only", "default"],
            ["Manage All", "python4"],
            ["Manage All", "numeric_ids"],
            ["Manage All", "docs_literal"],
        ]
    );
    let mut http = server.http();
    for client in &clients {
        let body = serde_json::json!({
            "grant_type": "client_credentials", "client_id": client["client_id"], "client_secret": client["client_secret"],
        });
        http.expect(200, "POST", "/auth/oauth2/v2/token", &body.to_string());
    }
    assert_eq!(server.stop(), Some(0));
    // A world of an earlier version has fewer: the next start plants what is missing, and keeps what is there.
    let file = data.join("dev-world.json");
    let mut world: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let old = world["clients"].as_array_mut().unwrap();
    old.truncate(5);
    for client in old {
        client.as_object_mut().unwrap().remove("profile");
    }
    std::fs::write(&file, world.to_string()).unwrap();
    let server = Running::dev(&data);
    let again = server.ready["clients"].as_array().unwrap();
    assert_eq!(again[..5], clients[..5]);
    assert_eq!(again.len(), 8);
}

#[test]
fn a_profile_can_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("world");
    let server = Running::dev(&data);
    let data = data.to_str().unwrap();
    let id = server.ready["clients"][0]["client_id"].as_str().unwrap();
    let user = &server.ready["users"][0]["id"];
    let mut api = server.api();
    let device = |kind: &str| format!(r#"{{"factor_id":"{kind}","display_name":"phone"}}"#);
    let factors = api.expect(200, "GET", &format!("/api/2/mfa/users/{user}/factors"), "");
    let sms = factors.as_array().unwrap().iter().find(|factor| factor["auth_factor_name"] == "SMS").unwrap();
    let sms = sms["factor_id"].to_string().trim_matches('"').to_owned();
    let path = format!("/api/2/mfa/users/{user}/registrations");
    let started = api.expect(201, "POST", &path, &device(&sms));
    let code = api.expect(200, "GET", "/dev/outbox?channel=sms&wait=10s", "");
    let code = code.as_array().unwrap().last().unwrap()["code"].as_str().unwrap().to_owned();
    let confirm = format!("{path}/{}", started["id"].as_str().unwrap());
    api.expect(200, "PUT", &confirm, &format!(r#"{{"otp":"{code}"}}"#));
    let path = format!("/api/2/mfa/users/{user}/devices");
    let listed = api.expect(200, "GET", &path, "");
    let ask = format!(r#"{{"device_id":{}}}"#, listed[0]["device_id"]);
    let path = format!("/api/2/mfa/users/{user}/verifications");
    assert!(api.expect(201, "POST", &path, &ask)["device_id"].is_string());

    let set = run_json(&["client", "set", &id[..12], "--profile", "python4", "--data-dir", data, "--json"]);
    assert_eq!((&set["client_id"], &set["profile"]), (&id.into(), &"python4".into()), "by the beginning of its id");
    assert!(
        api.expect(201, "POST", &path, &ask)["device_id"].is_number(),
        "the same token, answered otherwise at once"
    );
    let shown = run_json(&["client", "show", "--name", "dev: Manage All", "--data-dir", data, "--json"]);
    assert_eq!((&shown["client_id"], &shown["profile"]), (&id.into(), &"python4".into()));
    let nothing = run(&["client", "set", id, "--data-dir", data]);
    assert!(!nothing.status.success(), "something must be changed");
}

/// Scripts run again, and people copy the beginning of an id.
#[test]
fn a_client_is_made_once_and_named_in_short() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let client = |args: &[&str]| run(&[&["client"], args, &["--data-dir", data, "--json"]].concat());
    let json = |args: &[&str]| -> serde_json::Value { serde_json::from_slice(&client(args).stdout).unwrap() };
    let create = ["create", "--scope", "Read Users", "--name", "reports", "--if-missing", "--init"];
    let made = json(&create);
    assert_eq!(made["client_secret"].as_str().unwrap().len(), 64);
    let again = json(&create);
    assert_eq!((&again["client_id"], &again["created"]), (&made["client_id"], &false.into()));
    assert!(again.get("client_secret").is_none());
    let other = client(&["create", "--scope", "Manage All", "--name", "reports", "--if-missing"]);
    assert!(!other.status.success(), "a client of another scope is not what was asked for");
    let id = made["client_id"].as_str().unwrap();
    for which in [&[id][..], &[&id[..12]], &["--name", "reports"]] {
        assert_eq!(json(&[&["show"], which].concat())["client_id"], id);
    }
    let complaint = |args: &[&str]| String::from_utf8(client(args).stderr).unwrap();
    assert!(complaint(&["show", &id[..3]]).contains("too short"));
    assert!(complaint(&["show", "ffffffffffff"]).contains("there is no client"));
    json(&["create", "--scope", "Read Users", "--name", "reports"]);
    assert!(complaint(&["rotate", "--name", "reports"]).contains("fits 2 clients"), "never one of several");
    assert!(json(&["rotate", &id[..16]])["client_secret"].is_string());
    // What can be set can be chosen at once, in the same words.
    let chosen = ["--hold", "20", "--number-matching", "on", "--sent-type", "pending"];
    let chosen = json(&[&["create", "--scope", "Read Users", "--name", "chosen"], &chosen[..]].concat());
    let shown = json(&["show", chosen["client_id"].as_str().unwrap()]);
    let all = (&shown["hold"], &shown["number_matching"], &shown["sent_type"]);
    assert_eq!(all, (&20.into(), &true.into(), &"pending".into()));
}

/// A user without a name could not be found again. A script's empty variable is enough to ask for one.
#[test]
fn a_user_needs_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let create = |args: &[&str]| run(&[&["user", "create", "--init", "--data-dir", data], args].concat());
    for nobody in [&[][..], &["--username", ""], &["--username", "  "], &["--username", "", "--email", "\u{a0}"]] {
        let refused = create(nobody);
        assert!(!refused.status.success(), "{nobody:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("pass --username or --email"));
    }
    let made = create(&["--username", "ana", "--email", ""]);
    assert!(made.status.success());
    assert!(String::from_utf8_lossy(&made.stdout).contains("countersign user set-password 1"));
}

/// Keeps SEC 42.
#[test]
fn networks_and_the_end_are_set_shown_and_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let asked = |args: &[&str]| run(&[&["client"], args, &["--data-dir", data]].concat());
    let text = |args: &[&str]| {
        let output = asked(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let json =
        |args: &[&str]| -> serde_json::Value { serde_json::from_str(&text(&[args, &["--json"]].concat())).unwrap() };
    let create = ["create", "--scope", "Read Users", "--init", "--name", "a", "--allow-ip", "10.0.0.0/8"];
    json(&[&create[..], &["192.0.2.7", "--expires", "2099-01-01"]].concat());
    let shown = json(&["show", "--name", "a"]);
    assert_eq!(shown["allow_ip"], serde_json::json!(["10.0.0.0/8", "192.0.2.7/32"]));
    assert_eq!(shown["expires_at"], "2099-01-01T00:00:00.000Z");
    let listed = text(&["list"]);
    assert!(listed.contains("10.0.0.0/8") && listed.contains("2099-01-01"), "{listed}");
    json(&["set", "--name", "a", "--allow-ip", "::ffff:198.51.100.0/120", "--expires", "2020-01-01T01:00:00+01:00"]);
    let shown = text(&["show", "--name", "a"]);
    for part in ["198.51.100.0/24", "2020-01-01T00:00:00Z", "expired"] {
        assert!(shown.contains(part), "{shown}");
    }
    json(&["set", "--name", "a", "--profile", "python4"]);
    assert_eq!(json(&["show", "--name", "a"])["expires_at"], "2020-01-01T00:00:00.000Z", "what is not named stays");
    json(&["set", "--name", "a", "--allow-ip", "none", "--expires", "none"]);
    let shown = json(&["show", "--name", "a"]);
    assert_eq!((&shown["allow_ip"], &shown["expires_at"]), (&serde_json::json!([]), &serde_json::Value::Null));
    let mixed = asked(&["set", "--name", "a", "--allow-ip", "none", "10.0.0.0/8"]);
    assert!(!mixed.status.success() && String::from_utf8_lossy(&mixed.stderr).contains("`none` alone"));
}

/// The name of a client or an app is one, however it is typed, wherever it is typed.
#[test]
fn what_looks_alike_is_one_client_and_one_app() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let asked = |args: &[&str]| run(&[args, &["--data-dir", data, "--json"]].concat());
    let json = |args: &[&str]| -> serde_json::Value {
        let output = asked(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let complaint = |args: &[&str]| {
        let output = asked(args);
        assert!(!output.status.success(), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let alike = ["B\u{fc}ro", "b\u{fc}ro", "BU\u{308}RO", " bu\u{308}ro\u{3000}", "b\u{fc}\u{200b}ro"];

    let create = ["client", "create", "--scope", "Read Users", "--if-missing", "--name"];
    let made = json(&[&create[..], &[" B\u{fc}ro ", "--init"]].concat());
    let shown = json(&["client", "show", made["client_id"].as_str().unwrap()]);
    assert_eq!(shown["name"], "B\u{fc}ro", "as it was typed, but for the trimming");
    for name in alike {
        let again = json(&[&create[..], &[name]].concat());
        assert_eq!((&again["client_id"], &again["created"]), (&made["client_id"], &false.into()), "{name:?}");
        assert_eq!(json(&["client", "show", "--name", name])["client_id"], made["client_id"], "{name:?}");
        json(&["client", "set", "--hold", "off", "--name", name]);
    }
    assert!(complaint(&["client", "show", "--name", "buro"]).contains("there is no client"));
    // Several may have a name; what is spelt exactly so is meant before what looks alike.
    let second = json(&["client", "create", "--scope", "Read Users", "--name", "b\u{fc}ro"]);
    assert_eq!(json(&["client", "show", "--name", "b\u{fc}ro"])["client_id"], second["client_id"]);
    assert!(complaint(&["client", "show", "--name", "B\u{dc}RO"]).contains("fits 2 clients"));
    // A command that is repeated means the same client, and never one that only looks alike.
    for _ in 0..2 {
        let revoked = json(&["client", "revoke", "--yes", "--name", "b\u{fc}ro"]);
        assert_eq!(revoked["client_id"], second["client_id"]);
    }
    assert_eq!(json(&["client", "show", "--name", "B\u{fc}ro"])["revoked"], false);

    let app = ["app", "create", "--acs-url", "https://wiki.example.com/acs", "--name"];
    for name in alike {
        let made = json(&[&app[..], &["\u{a0}B\u{fc}ro "]].concat());
        assert_eq!(made["name"], "B\u{fc}ro");
        assert!(complaint(&[&app[..], &[name]].concat()).contains("there is an app of this name already"), "{name:?}");
        let gone = json(&["app", "delete", "--yes", "--name", name]);
        assert_eq!(gone["id"], made["id"], "{name:?}");
        assert!(complaint(&["app", "delete", "--yes", "--name", name]).contains("there is no app"), "{name:?}");
    }
    for nothing in ["", " \u{3000}", "\u{200b}", "a\u{7}b"] {
        assert!(complaint(&[&app[..], &[nothing]].concat()).contains("1 to 100 plain characters"), "{nothing:?}");
    }
}

#[test]
fn a_health_check_needs_no_other_program() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["serve", "--data-dir", folder.path().to_str().unwrap()]);
    let address = server.address();
    let ready = run(&["healthcheck", "--address", &address]);
    assert_eq!((ready.status.code(), ready.stdout, ready.stderr), (Some(0), vec![], vec![]));
    let mut configured = countersign();
    configured.env("COUNTERSIGN_LISTEN", &address).arg("healthcheck");
    assert_eq!(configured.output().unwrap().status.code(), Some(0), "where the server of the same variables listens");
    assert_eq!(server.stop(), Some(0));
    let gone = run(&["healthcheck", "--address", &address]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("not ready"));
}

/// What the help desk needs: why somebody cannot log in, and what lets them in again.
#[test]
fn user_show_says_why_somebody_cannot_log_in() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("world");
    let server = Running::dev(&data);
    let data = data.to_str().unwrap();
    let show = || run_json(&["user", "show", "ana", "--data-dir", data, "--json"]);
    let said = || String::from_utf8(run(&["user", "show", "ana", "--data-dir", data]).stdout).unwrap();
    let fresh = show();
    assert_eq!((&fresh["locks"], &fresh["last_accepted"]), (&serde_json::json!([]), &serde_json::Value::Null));
    assert!(said().contains("devices             none"), "{}", said());

    let user = &server.ready["users"][0]["id"];
    let mut api = server.api();
    let path = format!("/api/1/users/{user}/otp_devices");
    let enrolled = api.expect(
        200,
        "POST",
        &path,
        r#"{"factor_id":2,"display_name":"Phone","number":"+14155550101","verified":true}"#,
    );
    let device = enrolled["data"][0]["id"].clone();
    let triggered = api.expect(200, "POST", &format!("{path}/{device}/trigger"), "");
    let token = triggered["data"][0]["state_token"].as_str().unwrap().to_owned();
    let guess = |code: &str| format!(r#"{{"otp_token":"{code}","state_token":"{token}"}}"#);
    let verify = format!("{path}/{device}/verify");
    for n in 0..5 {
        api.expect(401, "POST", &verify, &guess(&format!("00000{n}")));
    }
    let locked = show();
    assert_eq!(locked["locks"][0]["reason"], "wrong_answers_with_device", "{locked}");
    assert_eq!(locked["locks"][0]["device"], device);
    assert!(locked["locks"][0]["until"].is_string());
    assert_eq!((&locked["failures_left"]["hour"], &locked["failures_left"]["day"]), (&15.into(), &95.into()));
    assert_eq!(locked["devices"][0]["consecutive_failures"], 5);
    assert_eq!(locked["last_refused"]["reason"], "wrong_code");
    let text = said();
    for words in
        ["too many wrong answers with device", "15 this hour", "a wrong code", "5 wrong in a row", "user unlock"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }

    let issued = run_json(&["user", "token", "ana", "--minutes", "10", "--data-dir", data, "--json"]);
    let token = issued["token"].as_str().unwrap();
    assert!(token.len() == 8 && token.bytes().all(|byte| byte.is_ascii_digit()));
    let with_token = show();
    assert_eq!(with_token["temporary_token"]["expires_at"], issued["expires_at"]);
    assert!(!with_token.to_string().contains(token) && !said().contains(token), "never the token itself");
    let revoke = || run_json(&["user", "token", "ana", "--revoke", "--data-dir", data, "--json"])["revoked"].clone();
    assert_eq!([revoke(), revoke()], [true, false]);
    assert!(show()["temporary_token"].is_null());
    run_json(&["user", "unlock", "ana", "--data-dir", data, "--json"]);
    assert_eq!(show()["locks"], serde_json::json!([]));
}

#[test]
fn a_lost_password_is_replaced_at_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("world");
    let server = Running::dev(&data);
    let data = data.to_str().unwrap();
    let mut api = server.api();
    let mut log_in = |status, password: &str| {
        let body = serde_json::json!({ "username_or_email": "ana", "password": password, "subdomain": "acme" });
        api.expect(status, "POST", "/api/1/login/auth", &body.to_string());
    };
    log_in(200, server.ready["users"][0]["password"].as_str().unwrap());
    let drawn = run_json(&["user", "set-password", "ana", "--data-dir", data, "--json"]);
    log_in(200, drawn["password"].as_str().unwrap());
    log_in(401, server.ready["users"][0]["password"].as_str().unwrap());
    let give = |password: &str| {
        let mut command = countersign();
        command.args(["user", "set-password", "ana", "--password-stdin", "--data-dir", data, "--json"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let set = give("correct staple horse");
    assert!(set.status.success() && !String::from_utf8_lossy(&set.stdout).contains("staple"), "{set:?}");
    log_in(200, "correct staple horse");
    assert!(!give("short").status.success());
    log_in(200, "correct staple horse");
}

#[test]
fn a_served_installation_has_no_dev_endpoints_and_answers_its_health() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["serve", "--data-dir", folder.path().to_str().unwrap()]);
    let told: Vec<&String> = server.ready.as_object().unwrap().keys().collect();
    assert_eq!(told, ["base_url", "pid", "started_at", "version"], "the ready file tells no secret");
    let mut http = server.http();
    for path in ["/dev/outbox", "/dev/clock", "/dev/phone/pair", "/dev/reset"] {
        http.expect(404, "GET", path, "");
    }
    let described = http.expect(200, "GET", "/openapi.json", "");
    assert!(!described.to_string().contains("/dev/"), "what is not served is not described");
    http.expect(200, "GET", "/livez", "");
    http.expect(200, "GET", "/readyz", "");
    http.expect(404, "GET", "/dev", "");
    for path in ["/livez/", "/readyz/", "//livez", "/readyz//"] {
        http.expect(200, "GET", path, "");
    }
}

/// RFC 9112 3.2: HTTP/1.0 has no `Host`. The bytes are those of `HAProxy` with `option httpchk`, Nagios' `check_http`, and
/// Tengine's health check; both listeners answer them.
#[test]
fn health_checks_of_load_balancers_are_answered_on_both_listeners() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let admin = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let server = Running::start(&["serve", "--data-dir", data, "--admin-listen", &admin]);
    let answered = |address: &str, head: &str| {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    for address in [server.address(), admin] {
        for path in ["/livez", "/readyz", "/livez/"] {
            for head in [
                format!("GET {path} HTTP/1.0\r\n\r\n"),
                format!("OPTIONS {path} HTTP/1.0\r\n\r\n"),
                format!("HEAD {path} HTTP/1.0\r\n\r\n"),
                format!(
                    "GET {path} HTTP/1.0\r\nUser-Agent: check_http/v2.4 (nagios-plugins 2.4)\r\nConnection: close\r\n\r\n"
                ),
                format!("GET {path} HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n"),
            ] {
                let answer = answered(&address, &head);
                assert!(
                    answer.starts_with("HTTP/1.0 200 ") || answer.starts_with("HTTP/1.1 200 "),
                    "{head:?}: {answer}"
                );
            }
            assert!(answered(&address, &format!("GET {path} HTTP/1.1\r\n\r\n")).starts_with("HTTP/1.1 400 "));
        }
    }
}

#[test]
fn a_data_folder_belongs_to_its_owner_and_to_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Running::start(&["serve", "--data-dir", data.to_str().unwrap()]);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("keys/master.key")), 0o600);
    assert_eq!(mode(&data.join("control.sock")), 0o600);
    for entry in std::fs::read_dir(data.join("db")).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    let second = run(&["serve", "--data-dir", data.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("already running"));
    assert_eq!(server.stop(), Some(0));
    assert!(!data.join("control.sock").exists());
}

#[test]
fn a_missing_or_wrong_key_stops_the_start_and_makes_none_up() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    run_json(&["client", "create", "--scope", "Manage All", "--init", "--data-dir", data, "--json"]);
    let key = folder.path().join("keys/master.key");
    let kept = std::fs::read(&key).unwrap();

    std::fs::remove_file(&key).unwrap();
    let missing = run(&["client", "list", "--data-dir", data]);
    assert!(!missing.status.success());
    assert!(String::from_utf8_lossy(&missing.stderr).contains("missing"));
    assert!(!key.exists());

    std::fs::write(&key, "00".repeat(32)).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let wrong = run(&["client", "list", "--data-dir", data]);
    assert!(!wrong.status.success());
    assert!(
        String::from_utf8_lossy(&wrong.stderr).contains("not the one"),
        "{}",
        String::from_utf8_lossy(&wrong.stderr)
    );

    std::fs::write(&key, &kept).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(String::from_utf8_lossy(&run(&["client", "list", "--data-dir", data]).stderr).contains("chmod 600"));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    run_json(&["client", "list", "--data-dir", data, "--json"]);
}

#[test]
fn configuration_errors_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let open = run(&["serve", "--data-dir", data, "--listen", "0.0.0.0:0"]);
    assert!(!open.status.success());
    assert!(String::from_utf8_lossy(&open.stderr).contains("--trusted-proxy"));
    let dev = run(&["dev", "--listen", "0.0.0.0:0"]);
    assert!(!dev.status.success());
    assert!(String::from_utf8_lossy(&dev.stderr).contains("loopback"));

    let file = folder.path().join("countersign.toml");
    std::fs::write(&file, "lisen = '127.0.0.1:0'").unwrap();
    let unknown = run(&["serve", "--config", file.to_str().unwrap()]);
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("lisen"));
    let scope = run(&["client", "create", "--scope", "everything", "--data-dir", data]);
    assert!(String::from_utf8_lossy(&scope.stderr).contains("Manage All"));
}

#[test]
fn a_dev_world_tells_all_it_is_and_a_lasting_one_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let first = Running::dev(folder.path());
    let ready = first.ready.clone();
    let base = first.base_url().to_owned();
    assert_eq!(ready["subdomain"], "acme");
    assert_eq!(ready["account_id"], 1);
    assert_eq!(ready["outbox_url"], format!("{base}/dev/outbox"));
    let admin = ready["admin_url"].as_str().unwrap().trim_start_matches("http://").to_owned();
    let metrics = get(&admin, "/metrics");
    assert!(metrics.starts_with("HTTP/1.1 200") && metrics.contains("countersign_commit_seconds_count"), "{metrics}");
    assert!(get(&admin, "/readyz").starts_with("HTTP/1.1 200"));
    assert!(get(base.trim_start_matches("http://"), "/metrics").starts_with("HTTP/1.1 404"), "not where callers come");
    let scopes: Vec<&str> = ready["clients"].as_array().unwrap().iter().map(|c| c["scope"].as_str().unwrap()).collect();
    assert_eq!(scopes[..5], ["Manage All", "Read All", "Manage users", "Read Users", "Authentication Only"]);
    let users = ready["users"].as_array().unwrap();
    assert_eq!(users.len(), 3);
    for user in users {
        assert!(user["id"].is_i64());
        assert!(user["phone"].as_str().unwrap().starts_with("+1"));
        assert!(user["email"].as_str().unwrap().contains('@'));
        assert!(user["username"].is_string() && user["password"].is_string());
    }
    let mut api = first.api();
    assert_eq!(api.expect(200, "PUT", "/dev/clock", r#"{"advance_seconds":31}"#)["offset_seconds"], 31);
    let factors = api.expect(200, "GET", "/api/2/mfa/users/1/factors", "");
    assert_eq!(factors.as_array().unwrap().len(), 6);
    assert_eq!(first.stop(), Some(0));

    let second = Running::dev(folder.path());
    assert_eq!(second.ready["clients"], ready["clients"]);
    assert_eq!(second.ready["users"], ready["users"]);
    let mut http = second.http();
    assert_eq!(http.expect(200, "GET", "/dev/clock", "")["offset_seconds"], 31);
    http.expect(200, "POST", "/dev/reset", "");
    assert_eq!(http.expect(200, "GET", "/dev/clock", "")["offset_seconds"], 0);
}

/// The metrics, once the clean-up was through.
#[expect(clippy::disallowed_methods, reason = "waits for what another process does")]
fn swept(admin: &str) -> String {
    for _ in 0..200 {
        let metrics = get(admin, "/metrics");
        if metrics.contains("countersign_cleanup_age_seconds ") {
            return metrics;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("the clean-up was never through")
}

/// Keeps SEC 87.
#[test]
fn the_sizes_of_the_database_are_watched() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::dev(folder.path());
    let admin = running.ready["admin_url"].as_str().unwrap().trim_start_matches("http://").to_owned();
    // The clean-up counts for the first time right after the start.
    let metrics = swept(&admin);
    let value = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name}: {metrics}")).parse::<f64>().unwrap()
    };
    for table in ["token", "verification", "outbox", "budget", "webhook_delivery", "used_secret"] {
        assert!(value(&format!("countersign_table_rows{{table=\"{table}\"}}")) < 100.0);
    }
    assert!(value("countersign_audit_entries") >= 8.0, "clients and users were made");
    assert!(value("countersign_audit_oldest_seconds") < 3600.0);
    assert!(value("countersign_database_bytes") > 10_000.0);
    for name in ["countersign_database_log_bytes", "countersign_sizes_age_seconds", "countersign_cleanup_age_seconds"] {
        assert!(value(name) >= 0.0);
    }
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn a_dev_world_without_a_folder_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ready.json");
    let mut child = countersign()
        .args(["dev", "--listen", "127.0.0.1:0", "--ready-file"])
        .arg(&place)
        .env("TMPDIR", folder.path())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !place.exists() {
        common::pause(50);
    }
    assert_eq!(std::fs::metadata(&place).unwrap().mode() & 0o777, 0o600);
    let hang_up = ["-HUP".to_owned(), child.id().to_string()];
    assert!(std::process::Command::new("kill").args(hang_up).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0), "a closed terminal ends it as TERM does");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_ready_file_means_ready() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ready.json");
    let data = folder.path().join("data");
    let args = ["serve", "--data-dir", data.to_str().unwrap()];
    let ends_badly = |config: &str| {
        std::fs::write(&file, "{\"base_url\":\"http://127.0.0.1:1\"}").unwrap();
        let mut command = countersign();
        command.args(args).args(["--config", config, "--listen", "127.0.0.1:0", "--ready-file"]).arg(&file);
        assert!(!command.output().unwrap().status.success());
        assert!(!file.exists(), "{config}: an earlier run's");
    };
    ends_badly("/nowhere/countersign.toml");
    std::fs::write(folder.path().join("x"), "").unwrap();
    let server = Running::start_as_at(&args, countersign(), &file);
    assert_eq!(server.ready["pid"], server.child.id());
    assert_eq!(server.ready["version"], env!("CARGO_PKG_VERSION"));
    assert!(server.ready["started_at"].as_str().unwrap().starts_with("20"));
    // Another server's sign is not taken down.
    let other = folder.path().join("other");
    let second = Running::start_as_at(&["serve", "--data-dir", other.to_str().unwrap()], countersign(), &file);
    assert_eq!(server.stop(), Some(0));
    let found: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(found["pid"], second.child.id());
    assert_eq!(second.stop(), Some(0));
    assert!(!file.exists(), "gone with its server");
}

/// One request over a new connection.
fn get(address: &str, path: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut line = std::net::TcpStream::connect(address).expect("somebody listens");
    write!(line, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").expect("a request is sent");
    let mut text = String::new();
    line.read_to_string(&mut text).expect("an answer is text");
    text
}

#[test]
fn devices_are_listed_put_out_of_use_and_deleted_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    run_json(&["user", "create", "--username", "ana", "--init", "--data-dir", data, "--json"]);
    let list = folder.path().join("list.jsonl");
    std::fs::write(&list, r#"{"username":"ana","type":"hotp","secret_base32":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}"#)
        .unwrap();
    assert!(run(&["import", list.to_str().unwrap(), "--data-dir", data]).status.success());
    let server = Running::start(&["serve", "--data-dir", data]);
    let devices = run_json(&["device", "list", "ana", "--data-dir", data, "--json"]);
    assert_eq!(devices[0]["status"], "active");
    let device = devices[0]["id"].to_string();
    assert_eq!(run_json(&["device", "disable", "ana", &device, "--data-dir", data, "--json"])["disabled"], true);
    assert_eq!(run_json(&["device", "disable", "ana", &device, "--data-dir", data, "--json"])["disabled"], false);
    assert_eq!(run_json(&["device", "list", "ana", "--data-dir", data, "--json"])[0]["status"], "disabled");
    assert_eq!(run_json(&["user", "unlock", "ana", "--data-dir", data, "--json"])["unlocked"], true);
    assert_eq!(run_json(&["device", "list", "ana", "--data-dir", data, "--json"])[0]["status"], "active");
    run_json(&["device", "delete", "ana", &device, "--yes", "--data-dir", data, "--json"]);
    let missing = run(&["device", "delete", "ana", &device, "--yes", "--data-dir", data]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("has no device"));
    server.stop();
}

/// SEC 92: who cannot log in any more is counted at the start and listed.
#[test]
#[expect(clippy::disallowed_methods, reason = "waits for what another process says")]
fn users_without_a_usable_device_are_counted_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let list = folder.path().join("list.jsonl");
    std::fs::write(&list, r#"{"username":"ana","type":"hotp","secret_base32":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}"#)
        .unwrap();
    assert!(run(&["import", list.to_str().unwrap(), "--data-dir", data]).status.success());
    run_json(&["user", "create", "--username", "ben", "--data-dir", data, "--json"]);
    let stranded = || run_json(&["user", "list", "--without-usable-device", "--data-dir", data, "--json"]);
    assert_eq!(stranded(), serde_json::json!([]));
    let device = run_json(&["device", "list", "ana", "--data-dir", data, "--json"])[0]["id"].to_string();
    run_json(&["device", "disable", "ana", &device, "--data-dir", data, "--json"]);
    let found = stranded();
    assert_eq!((found.as_array().unwrap().len(), &found[0]["username"]), (1, &"ana".into()));
    let said = folder.path().join("said");
    let server = Running::start_logging(&["serve", "--data-dir", data], std::fs::File::create(&said).unwrap());
    let told = || std::fs::read_to_string(&said).unwrap().contains("1 user without a usable device cannot log in");
    assert!((0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        told()
    }));
    assert_eq!(stranded(), found, "while it runs, too");
    server.stop();
}

#[test]
fn a_configuration_is_checked_and_shown_with_its_origins() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    std::fs::write(&file, "subdomain = 'acme'\n[limits]\ncalls_per_hour = 7\n").unwrap();
    let file = file.to_str().unwrap();
    assert!(run(&["config", "check", "--config", file]).status.success());
    let shown = run_json(&["config", "show", "--origin", "--json", "--config", file, "--listen", "127.0.0.1:1"]);
    let expected = |value: serde_json::Value, origin: &str| serde_json::json!({ "value": value, "origin": origin });
    assert_eq!(shown["listen"], expected("127.0.0.1:1".into(), "flag --listen"));
    assert_eq!(shown["limits.calls_per_hour"], expected(7.into(), "file"));
    assert_eq!(shown["account_id"], expected(1.into(), "default"));
    assert_eq!(shown["issuer"], expected("acme".into(), "default"));
    let table = run(&["config", "show", "--config", file]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("subdomain"));
    let open = run(&["config", "check", "--listen", "0.0.0.0:1"]);
    assert!(!open.status.success() && String::from_utf8_lossy(&open.stderr).contains("--tls-cert-file"));
    std::fs::write(file, "subdomian = 'acme'").unwrap();
    let wrong = run(&["config", "check", "--config", file]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("Did you mean `subdomain`?"));
}

/// What a command that must fail says.
fn fails(command: &mut std::process::Command) -> String {
    let output = command.output().expect("the command runs");
    assert!(!output.status.success(), "{command:?} succeeded");
    String::from_utf8_lossy(&output.stderr).into_owned()
}
