//! Limits that hold over all nodes and restarts: the rate of a client's calls (SEC 37), messages to a number (SEC 33).

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::{Http, Running, run_json};
use serde_json::{Value, json};

/// Calls a second and at once that a client is allowed in these tests: few, so that a slow machine still calls more.
const RATE: u64 = 20;
const BURST: u64 = 40;
/// What a node admits before it has paid (`CallRate::credit`).
const CREDIT: u64 = 4;

#[expect(clippy::disallowed_methods, reason = "a test of a rate measures time")]
fn now() -> Instant {
    Instant::now()
}

fn node(folder: &Path, url: &str) -> Running {
    let config = folder.join("countersign.toml");
    std::fs::write(&config, format!("[limits]\ncalls_per_second = {RATE}\ncalls_burst = {BURST}\n")).unwrap();
    let data = folder.join("data");
    Running::start(&[
        "serve",
        "--config",
        config.to_str().unwrap(),
        "--data-dir",
        data.to_str().unwrap(),
        "--database-url",
        url,
    ])
}

fn token(node: &Running, client: &Value) -> String {
    let body = json!({
        "grant_type": "client_credentials",
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
    });
    let answer = node.http().expect(200, "POST", "/auth/oauth2/v2/token", &body.to_string());
    answer["access_token"].as_str().unwrap().to_owned()
}

fn with(node: &Running, token: &str) -> Http {
    let mut http = node.http();
    http.token = Some(token.to_owned());
    http
}

/// Calls these nodes as fast as they answer, for so long. Gives how many calls were admitted and refused, and the time in
/// milliseconds.
fn hammer(nodes: &[&Running], token: &str, seconds: u64) -> (u64, u64, u64) {
    let (admitted, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    let began = now();
    std::thread::scope(|scope| {
        for node in nodes {
            for _ in 0..2 {
                let mut http = with(node, token);
                let (admitted, refused) = (&admitted, &refused);
                scope.spawn(move || {
                    while now() - began < Duration::from_secs(seconds) {
                        let answer = http.send("GET", "/api/2/users/999999", "").unwrap();
                        match answer.status {
                            404 => admitted.fetch_add(1, Ordering::Relaxed),
                            429 => {
                                let wait = answer.header("retry-after").unwrap().parse::<u64>().unwrap();
                                assert!((1..=2).contains(&wait), "{wait}");
                                refused.fetch_add(1, Ordering::Relaxed)
                            }
                            other => panic!("{other}: {}", answer.body),
                        };
                    }
                });
            }
        }
    });
    (admitted.into_inner(), refused.into_inner(), u64::try_from((now() - began).as_millis()).unwrap())
}

#[test]
fn three_nodes_keep_one_rate_and_one_node_may_have_all_of_it() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    let (folder, url) = (tempfile::tempdir().unwrap(), cluster.new_database());
    let first = node(folder.path(), &url);
    let data = folder.path().join("data");
    let make = || {
        let place = ["--data-dir", data.to_str().unwrap(), "--database-url", &url, "--json"];
        run_json(&[["client", "create", "--scope", "Manage All"].as_slice(), &place].concat())
    };
    let (client, other) = (make(), make());
    let others = [node(folder.path(), &url), node(folder.path(), &url)];
    let nodes = [&first, &others[0], &others[1]];
    let mine = token(&first, &client);

    let (admitted, refused, took) = hammer(&nodes, &mine, 4);
    let most = BURST + CREDIT * 3 + RATE * (took + 1_000) / 1_000;
    let least = BURST + RATE * (took - 1_000) / 1_000 * 4 / 5;
    assert!(refused > 0, "the machine is too slow for this test: {admitted} calls in {took} ms");
    assert!((least..=most).contains(&admitted), "{admitted} calls in {took} ms; {least} to {most}");

    // The bucket is empty now, and the other nodes are idle: this one gets what runs into it, not a third.
    let (admitted, _, took) = hammer(&nodes[..1], &mine, 4);
    let share = RATE * took / 1_000;
    assert!(admitted >= share * 3 / 4, "{admitted} calls in {took} ms on one node");
    assert!(admitted <= share + RATE + CREDIT, "{admitted} calls in {took} ms on one node");

    // Another client has another bucket.
    let theirs = token(&first, &other);
    let mut http = with(nodes[1], &theirs);
    for _ in 0..BURST / 2 {
        http.expect(404, "GET", "/api/2/users/999999", "");
    }
}

#[test]
fn messages_stay_counted_through_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let start = || Running::start(&["dev", "--data-dir", data.to_str().unwrap(), "--message-limits", "shipped"]);
    let mut world = start();
    let mut api = world.api();
    let devices: Vec<(i64, i64)> = (0..12)
        .map(|n| {
            let user = api.expect(201, "POST", "/api/2/users", &format!(r#"{{"username":"u{n}"}}"#))["id"].as_i64();
            let body = r#"{"factor_id":2,"display_name":"Phone","number":"+14155550123","verified":true}"#;
            let path = format!("/api/1/users/{}/otp_devices", user.unwrap());
            let device = api.expect(200, "POST", &path, body)["data"][0]["id"].as_i64();
            (user.unwrap(), device.unwrap())
        })
        .collect();
    let mut sent = 0;
    for (n, (user, device)) in devices.into_iter().enumerate() {
        if n % 3 == 2 {
            world.child.kill().unwrap();
            world.child.wait().unwrap();
            world = start();
            api = world.api();
        }
        let answer = api.send("POST", &format!("/api/1/users/{user}/otp_devices/{device}/trigger"), "").unwrap();
        match answer.status {
            200 => sent += 1,
            429 => {
                let wait: i64 = answer.header("retry-after").unwrap().parse().unwrap();
                assert!((80_000..=86_400).contains(&wait), "{wait}");
                assert_eq!(sent, 10);
            }
            other => panic!("{other}: {}", answer.body),
        }
    }
    assert_eq!(sent, 10);
    assert_eq!(world.stop(), Some(0));
}

/// Custom attributes of each user in a database where lists are expensive.
const ATTRIBUTES: usize = 50;

/// A list that is judged for every user, as many filters as a call may have.
fn dear_list() -> String {
    let filters: Vec<_> = (0..20).map(|n| format!("custom_attributes.a{n}=!*x")).collect();
    format!("/api/1/users?limit=1&{}", filters.join("&"))
}

/// Asks for a list and hangs up before it can be answered.
fn hang_up(address: &str, path: &str, token: &str) {
    use std::io::Write as _;
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    common::pause(30);
}

/// A number of the process in `/proc`.
fn of_process(node: &Running, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

/// A database of 10,000 users whose lists are expensive, while clients that may only read request the most expensive ones and
/// others log in. `copy` copies a user 10,000 times while no server runs.
fn expensive_lists_hold_up_no_log_in(place: &[&str], copy: impl FnOnce(i64)) {
    let serve = || Running::start(&[&["serve"], place].concat());
    let client = |scope: &str| run_json(&[["client", "create", "--json", "--scope", scope].as_slice(), place].concat());
    let mut node = serve();
    let manager = client("Manage All");
    let readers = [client("Read Users"), client("Read Users"), client("Read Users")];
    let mut api = with(&node, &token(&node, &manager));
    let ana = api.expect(201, "POST", "/api/2/users", r#"{"username":"ana"}"#)["id"].as_i64().unwrap();
    let password = r#"{"password":"a rather long secret","password_confirmation":"a rather long secret"}"#;
    api.expect(200, "PUT", &format!("/api/1/users/set_password_clear_text/{ana}"), password);
    let attributes: serde_json::Map<_, _> = (0..ATTRIBUTES).map(|n| (format!("a{n}"), json!("some value"))).collect();
    let body = json!({ "username": "ben", "custom_attributes": attributes }).to_string();
    let ben = api.expect(201, "POST", "/api/2/users", &body)["id"].as_i64().unwrap();
    assert_eq!(node.stop(), Some(0));
    copy(ben);
    node = serve();
    let tokens: Vec<_> = readers.iter().map(|reader| token(&node, reader)).collect();
    let mut api = with(&node, &token(&node, &manager));
    let log_in =
        json!({ "username_or_email": "ana", "password": "a rather long secret", "subdomain": "x" }).to_string();
    api.expect(200, "POST", "/api/1/login/auth", &log_in);
    let memory = of_process(&node, "VmRSS");

    let (path, address) = (dear_list(), node.address());
    std::thread::scope(|scope| {
        for token in &tokens {
            for _ in 0..4 {
                scope.spawn(|| (0..10).for_each(|_| hang_up(&address, &path, token)));
            }
            let mut http = with(&node, token);
            let path = &path;
            scope.spawn(move || {
                for _ in 0..3 {
                    let answer = http.send("GET", path, "").unwrap();
                    assert!(matches!(answer.status, 200 | 429 | 503), "{}: {}", answer.status, answer.body);
                    assert_eq!(answer.status == 200, answer.header("retry-after").is_none(), "{}", answer.body);
                }
            });
        }
        for _ in 0..5 {
            api.expect(200, "POST", "/api/1/login/auth", &log_in);
            token(&node, &manager);
            api.expect(200, "GET", &format!("/api/2/mfa/users/{ana}/devices"), "");
            api.expect(200, "GET", "/readyz", "");
        }
    });
    assert!(of_process(&node, "Threads") < 64, "{} threads", of_process(&node, "Threads"));
    let grown = of_process(&node, "VmRSS").saturating_sub(memory) / 1024;
    assert!(grown < 64, "{grown} MiB more than before");
    assert_eq!(node.stop(), Some(0), "and nothing keeps it from stopping");
}

/// A statement that copies a user, for both databases.
fn copies(of: i64) -> String {
    format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) \
         INSERT INTO \"user\" (id, status, profile, created_at, updated_at, factors) \
         SELECT 1000000 + i, status, profile, created_at, updated_at, 0 FROM \"user\" CROSS JOIN n WHERE id = {of}"
    )
}

#[test]
fn an_expensive_list_holds_up_no_log_in() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    expensive_lists_hold_up_no_log_in(&["--data-dir", data.to_str().unwrap()], |ben| {
        let database = rusqlite::Connection::open(data.join("db/countersign.db")).unwrap();
        database.execute_batch(&copies(ben)).unwrap();
    });
}

#[test]
fn an_expensive_list_holds_up_no_log_in_on_postgres() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    let (folder, url) = (tempfile::tempdir().unwrap(), cluster.new_database());
    let data = folder.path().join("data");
    let name = url.trim_start_matches("postgres:///").split('?').next().unwrap();
    expensive_lists_hold_up_no_log_in(&["--data-dir", data.to_str().unwrap(), "--database-url", &url], |ben| {
        cluster.sql(name, &copies(ben));
    });
}

/// What an attack leaves of descriptors is enough for the operator who ends it.
#[test]
fn the_control_socket_survives_a_lack_of_descriptors() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let place = data.to_str().unwrap();
    let mut shell = std::process::Command::new("sh");
    shell.env_remove("COUNTERSIGN_DATA_DIR").args(["-c", "ulimit -Hn 80; ulimit -Sn 80; exec \"$0\" \"$@\""]);
    shell.arg(env!("CARGO_BIN_EXE_countersign"));
    let server = Running::start_as(&["serve", "--data-dir", place], shell);
    let client = run_json(&["client", "create", "--scope", "Manage All", "--data-dir", place, "--json"]);
    let address = server.address();
    let mut held = Vec::new();
    let open = || std::fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap().count();
    // Until the server has no descriptor left for another.
    for _ in 0..200 {
        held.push(std::net::TcpStream::connect(&address).unwrap());
    }
    for _ in 0..400 {
        if open() >= 80 {
            break;
        }
        common::pause(25);
    }
    let attacked = open();
    let id = client["client_id"].as_str().unwrap();
    for _ in 0..3 {
        let listed = run_json(&["client", "list", "--data-dir", place, "--json"]);
        assert_eq!(listed.as_array().unwrap().len(), 1, "with {attacked} descriptors in use");
    }
    run_json(&["client", "revoke", id, "--yes", "--data-dir", place, "--json"]);
    drop(held);
    let listed = run_json(&["client", "list", "--data-dir", place, "--json"]);
    assert_eq!(listed[0]["revoked"], true);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn an_unnamed_proxy_is_warned_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("log"));
    let args = ["serve", "--data-dir", data.to_str().unwrap()];
    let warnings = |more: &[&str]| {
        let log_file = std::fs::File::create(&log).unwrap();
        let server = Running::start_into(&[&args[..], more].concat(), common::countersign(), log_file.into());
        let mut http = server.http();
        http.send("GET", "/api/2/users", "").unwrap();
        http.headers = vec![("x-forwarded-for".to_owned(), "203.0.113.9".to_owned())];
        for _ in 0..3 {
            http.send("GET", "/api/2/users", "").unwrap();
        }
        assert_eq!(server.stop(), Some(0));
        let text = std::fs::read_to_string(&log).unwrap();
        text.lines().filter(|line| line.contains("--trusted-proxy")).count()
    };
    assert_eq!(warnings(&[]), 1);
    assert_eq!(warnings(&["--trusted-proxy", "127.0.0.1"]), 0);
}
