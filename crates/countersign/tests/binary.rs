//! The binary as a person and a script meet it.

#[path = "binary/bootstrap.rs"]
mod bootstrap;
#[path = "binary/callbacks.rs"]
mod callbacks;
#[path = "binary/calls.rs"]
mod calls;
#[path = "binary/check.rs"]
mod check;
#[path = "binary/clients.rs"]
mod clients;
mod common;
#[path = "binary/configuration.rs"]
mod configuration;
#[path = "binary/delivery.rs"]
mod delivery;
#[path = "binary/dev_faults.rs"]
mod dev_faults;
#[path = "binary/dev_file.rs"]
mod dev_file;
#[path = "binary/dev_tools.rs"]
mod dev_tools;
#[path = "binary/dev_world.rs"]
mod dev_world;
#[path = "binary/doctor.rs"]
mod doctor;
#[path = "binary/gateways.rs"]
mod gateways;
#[path = "binary/installation.rs"]
mod installation;
#[path = "binary/invitations.rs"]
mod invitations;
#[path = "binary/keyed_calls.rs"]
mod keyed_calls;
#[path = "binary/links.rs"]
mod links;
#[path = "binary/listeners.rs"]
mod listeners;
#[path = "binary/mail.rs"]
mod mail;
#[path = "binary/numbers.rs"]
mod numbers;
#[path = "binary/pages.rs"]
mod pages;
#[path = "binary/phone_events.rs"]
mod phone_events;
#[path = "binary/phones.rs"]
mod phones;
#[path = "binary/prices.rs"]
mod prices;
#[path = "binary/push.rs"]
mod push;
#[path = "binary/service.rs"]
mod service;
#[path = "binary/sms_by_call.rs"]
mod sms_by_call;
#[path = "binary/subscriptions.rs"]
mod subscriptions;
#[path = "binary/user_invite.rs"]
mod user_invite;
#[path = "binary/users.rs"]
mod users;

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

#[test]
fn a_served_installation_has_no_dev_endpoints_and_answers_its_health() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["serve", "--data-dir", folder.path().to_str().unwrap()]);
    let told: Vec<&String> = server.ready.as_object().unwrap().keys().collect();
    assert_eq!(told, ["base_url", "pid", "started_at", "version"], "the ready file tells no secret");
    let mut http = server.http();
    for path in ["/dev/outbox", "/dev/clock", "/dev/faults", "/dev/phone/pair", "/dev/reset"] {
        for method in ["GET", "PUT", "POST"] {
            http.expect(404, method, path, "");
        }
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
    for table in ["token", "lookup", "outbox", "budget", "webhook_delivery", "used_secret"] {
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
