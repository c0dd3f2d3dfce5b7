//! One installation, either database: nodes that share one, commands that ask it, migrations, and a move.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;

use std::path::Path;

use common::phone::{Events, Phone, now};
use common::{Http, Running, countersign, pause, run, run_json};
use domain::Secret;
use domain::model::hotp::{Algorithm, code};
use domain::rules::factor::push::PushDecision;
use serde_json::Value;

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn hotp(counter: u64) -> String {
    code(&Secret::new(b"12345678901234567890".to_vec()), Algorithm::Sha1, counter, 6)
}

/// Imports a HOTP device of a user of this name. Gives both ids.
fn import(folder: &Path, name: &str, more: &[&str]) -> (i64, i64) {
    let (list, map) = (folder.join("list.csv"), folder.join("map.jsonl"));
    std::fs::write(&list, format!("username,type,secret_base32\n{name},hotp,{SECRET}\n")).unwrap();
    let mut args = vec!["import", list.to_str().unwrap(), "--map-out", map.to_str().unwrap(), "--json"];
    args.extend(more);
    run_json(&args);
    let mapped: Value = serde_json::from_str(&std::fs::read_to_string(map).unwrap()).unwrap();
    (mapped["user_id"].as_i64().unwrap(), mapped["device_id"].as_i64().unwrap())
}

fn status(api: &mut Http, (user, device): (i64, i64), counter: u64) -> u16 {
    let path = format!("/api/1/users/{user}/otp_devices/{device}/verify");
    api.send("POST", &path, &format!(r#"{{"otp_token":"{}"}}"#, hotp(counter))).unwrap().status
}

/// SEC 11: three who confirm and one who types, each at a node of two.
#[test]
fn a_link_is_confirmed_once_however_many_nodes_are_asked() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    let (folder, url) = (tempfile::tempdir().unwrap(), cluster.new_database());
    let args = ["dev", "--data-dir", folder.path().to_str().unwrap(), "--database-url", &url, "--email-mode", "both"];
    let nodes = [Running::start(&args), Running::start(&args)];
    let mut api = nodes[0].api();
    let users = "/api/2/mfa/users/1";
    let mail = r#"{"factor_id":"4","display_name":"mail","verified":true}"#;
    let device = api.expect(201, "POST", &format!("{users}/registrations"), mail);
    let challenge = serde_json::json!({ "device_id": device["device_id"] }).to_string();
    for round in 0..8 {
        let opened = api.expect(201, "POST", &format!("{users}/verifications"), &challenge);
        let at = format!("{users}/verifications/{}", opened["id"].as_str().unwrap());
        let sent = (0..100).find_map(|_| {
            let outbox = api.expect(200, "GET", "/dev/outbox?channel=email&wait=5s", "");
            outbox.as_array().unwrap().iter().find(|mail| mail["verification_id"] == opened["id"]).cloned()
        });
        let sent = sent.unwrap();
        let token = sent["link"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let page = nodes[1].http().send("GET", &format!("/link/{token}"), "").unwrap();
        let (_, after) = page.body.split_once(r#"name="nonce" value=""#).unwrap();
        let form = format!("token={token}&nonce={}&answer=confirm", after.split('"').next().unwrap());
        let typed = serde_json::json!({ "otp": sent["code"] }).to_string();
        let line = std::sync::Barrier::new(4);
        let asked = |method: &'static str, path: String, body: String, mut http: Http| {
            let line = &line;
            move || {
                line.wait();
                http.send(method, &path, &body).unwrap().status
            }
        };
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let form = |node: usize| asked("POST", "/link".to_owned(), form.clone(), nodes[node].http());
            let racers = [
                scope.spawn(form(0)),
                scope.spawn(form(1)),
                scope.spawn(form(round % 2)),
                scope.spawn(asked("PUT", at.clone(), typed.clone(), nodes[1].api())),
            ];
            racers.map(|racer| racer.join().unwrap()).into()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(api.expect(200, "GET", &at, "")["status"], "accepted");
    }
    for node in nodes {
        assert_eq!(node.stop(), Some(0));
    }
}

/// SEC 12, 103: a phone listens at one node and hears of what the other asks; one answer counts, wherever it arrives.
#[test]
fn a_phone_hears_and_answers_at_any_node() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    let (folder, url) = (tempfile::tempdir().unwrap(), cluster.new_database());
    let args = ["dev", "--data-dir", folder.path().to_str().unwrap(), "--database-url", &url];
    let nodes = [Running::start(&args), Running::start(&args)];
    let mut apis = [nodes[0].api(), nodes[1].api()];
    let phone = Phone::paired(&mut apis[0], 1, 1);
    let mut events = Events::open(&nodes[0].address(), &[&phone]);
    assert_eq!(events.waiting(), Some(0));
    for _ in 0..5 {
        let at = phone.prompt(&mut apis[1]);
        let begun = now();
        assert_eq!(events.waiting(), Some(1));
        assert!(now() - begun < 1_000, "{} ms", now() - begun);
        let [request] = phone.requests(&mut nodes[0].http()).try_into().unwrap();
        let said = phone.says(&request, PushDecision::Accept, None).to_string();
        let line = std::sync::Barrier::new(8);
        let states: Vec<String> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..8)
                .map(|n| {
                    let (line, said, mut http) = (&line, &said, nodes[n % 2].http());
                    scope.spawn(move || {
                        line.wait();
                        let answer = http.expect(200, "POST", "/app/answer", said);
                        answer["state"].as_str().unwrap().to_owned()
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(states.iter().filter(|state| *state == "accepted").count(), 1, "{states:?}");
        assert!(states.iter().all(|state| state == "accepted" || state == "over"), "{states:?}");
        assert_eq!(apis[0].expect(200, "GET", &at, "")["status"], "accepted");
        assert_eq!(events.waiting(), Some(0));
    }
    // Whatever ends a prompt or a pairing on the other node is heard as soon.
    let prompted = |events: &mut Events, api: &mut Http, phone: &Phone| {
        phone.prompt(api);
        assert_eq!(events.waiting(), Some(1));
    };
    let soon = |begun: i64| assert!(now() - begun < 1_000, "{} ms", now() - begun);
    prompted(&mut events, &mut apis[1], &phone);
    let begun = now();
    apis[1].expect(200, "PUT", "/api/1/users/1/logout", "");
    assert_eq!(events.waiting(), Some(0));
    soon(begun);
    let begun = now();
    apis[1].expect(204, "DELETE", &format!("/api/2/mfa/users/1/devices/{}", phone.device), "");
    assert_eq!(events.next().map(|(name, _)| name).as_deref(), Some("unpaired"));
    soon(begun);
    let other = Phone::paired(&mut apis[0], 2, 2);
    let mut events = Events::open(&nodes[0].address(), &[&other]);
    assert_eq!(events.waiting(), Some(0));
    prompted(&mut events, &mut apis[1], &other);
    let begun = now();
    apis[1].send("DELETE", "/api/2/users/2", "").unwrap();
    assert_eq!(events.next().map(|(name, _)| name).as_deref(), Some("unpaired"));
    soon(begun);
    assert_eq!(phone.asks(&mut nodes[0].http()).status, 403);
    for node in nodes {
        assert_eq!(node.stop(), Some(0));
    }
}

#[test]
fn nodes_that_start_at_once_join_one_world() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    let (folder, url) = (tempfile::tempdir().unwrap(), cluster.new_database());
    let args = ["dev", "--data-dir", folder.path().to_str().unwrap(), "--database-url", &url];
    let nodes: Vec<Running> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..3).map(|_| scope.spawn(|| Running::start(&args))).collect();
        starting.into_iter().map(|node| node.join().unwrap()).collect()
    });
    for node in &nodes[1..] {
        assert_eq!(node.ready["clients"], nodes[0].ready["clients"]);
        assert_eq!(node.ready["users"], nodes[0].ready["users"]);
        assert_ne!(node.ready["base_url"], nodes[0].ready["base_url"]);
    }
    let mut apis: Vec<Http> = nodes.iter().map(Running::api).collect();

    // A command beside them, and a code spent on one node.
    let device = import(folder.path(), "mona", &args[1..]);
    assert_eq!(status(&mut apis[0], device, 0), 200);
    assert_eq!(status(&mut apis[1], device, 0), 401);
    assert_eq!(status(&mut apis[2], device, 1), 200);

    // The outbox and the phone of any node show the whole world.
    let registrations = "/api/2/mfa/users/1/registrations";
    let enrolled = apis[0].expect(201, "POST", registrations, r#"{"factor_id":"1","display_name":"Phone"}"#);
    apis[1].expect(200, "POST", "/dev/phone/pair", &enrolled.to_string());
    let devices = apis[2].expect(200, "GET", "/api/2/mfa/users/1/devices", "");
    let body = format!(r#"{{"device_id":"{}"}}"#, devices[0]["device_id"].as_str().unwrap());
    let opened = apis[2].expect(201, "POST", "/api/2/mfa/users/1/verifications", &body);
    apis[0].expect(200, "POST", "/dev/phone/accept", "");
    let path = format!("/api/2/mfa/users/1/verifications/{}", opened["id"].as_str().unwrap());
    assert_eq!(apis[1].expect(200, "GET", &path, "")["status"], "accepted");

    // So does the clock.
    apis[0].expect(200, "PUT", "/dev/clock", r#"{"advance_seconds":120}"#);
    let moved = (0..100).any(|_| {
        pause(20);
        apis[2].expect(200, "GET", "/dev/clock", "")["offset_seconds"] == 120
    });
    assert!(moved);
    for node in nodes {
        assert_eq!(node.stop(), Some(0));
    }
    assert!(!folder.path().join("control.sock").exists());
}

#[test]
fn a_dev_world_in_a_server_needs_a_folder_for_its_key() {
    let refused = run(&["dev", "--database-url", "postgres://nobody@127.0.0.1:1/none"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--data-dir"));
}

#[test]
fn a_password_in_a_url_is_shown_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    std::fs::write(&file, "postgres://ana:s3cret@127.0.0.1:1/mfa\n").unwrap();
    let mut command = countersign();
    command.args(["client", "list", "--data-dir"]).arg(folder.path()).env("COUNTERSIGN_DATABASE_URL_FILE", &file);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(said.contains("postgres://ana@127.0.0.1:1/mfa") && !said.contains("s3cret"), "{said}");
}

#[test]
fn the_finest_log_of_an_import_into_a_server_tells_nothing_of_anybody() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    let (folder, url) = (tempfile::tempdir().unwrap(), cluster.new_database());
    let list = folder.path().join("list.csv");
    std::fs::write(&list, format!("username,email,secret_base32\nkanarie,kanarie@example.com,{SECRET}\n")).unwrap();
    let data = folder.path().join("data");
    let mut command = countersign();
    command.arg("import").arg(&list).arg("--data-dir").arg(data).args(["--database-url", &url]);
    let output = command.env("COUNTERSIGN_LOG", "trace").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    for told in [SECRET, "kanarie", "example.com"] {
        assert!(!said.contains(told), "{told}: {said}");
    }
}

#[test]
fn migrating_can_be_looked_at_first_and_a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/testdata/schema");
    std::fs::create_dir_all(Path::new(data).join("db")).unwrap();
    let older = rusqlite::Connection::open(Path::new(data).join("db/countersign.db")).unwrap();
    older.execute_batch(&std::fs::read_to_string(schemas.join("sqlite-0004.sql")).unwrap()).unwrap();
    // The fixture's key is not known, so that a server would refuse it; migrating needs none.
    drop(older);
    let dry = run_json(&["migrate", "--dry-run", "--data-dir", data, "--json"]);
    let first = &dry["pending"][0];
    assert_eq!((first["version"].as_i64(), first["name"].as_str()), (Some(5), Some("webhooks")));
    assert_eq!(dry["migrated"], false);
    assert_eq!(run_json(&["migrate", "--data-dir", data, "--json"])["migrated"], true);
    let again = run_json(&["migrate", "--data-dir", data, "--json"]);
    assert_eq!((again["pending"].as_array().map(Vec::len), &again["migrated"]), (Some(0), &Value::Bool(false)));
    // A server that runs is no obstacle to looking.
    let data = folder.path().join("served");
    let data = data.to_str().unwrap();
    let server = Running::start(&["serve", "--data-dir", data]);
    run_json(&["migrate", "--dry-run", "--data-dir", data, "--json"]);
    assert_eq!(server.stop(), Some(0));

    let database = rusqlite::Connection::open(Path::new(data).join("db/countersign.db")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    for command in ["migrate", "serve"] {
        let refused = run(&[command, "--data-dir", data]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("use a newer server"), "{said}");
    }
}

#[test]
fn an_installation_moves_to_a_server_and_goes_on_there() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    let (folder, url) = (tempfile::tempdir().unwrap(), cluster.new_database());
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let place = format!("sqlite://{data}");
    let world = Running::dev(Path::new(data));
    let device = import(folder.path(), "mona", &["--data-dir", data]);
    assert_eq!(status(&mut world.api(), device, 3), 200);
    let running = run(&["move", "--from", &place, "--to", &url]);
    let said = String::from_utf8_lossy(&running.stderr).into_owned();
    assert!(!running.status.success() && said.contains("a server runs on"), "{said}");
    let clients = world.ready["clients"].clone();
    assert_eq!(world.stop(), Some(0));

    let moved = run(&["move", "--from", &place, "--to", &url, "--json"]);
    let said = String::from_utf8_lossy(&moved.stderr).into_owned();
    assert!(moved.status.success() && said.contains("keys/master.key"), "{said}");
    let told: Value = serde_json::from_slice(&moved.stdout).unwrap();
    let users = told["tables"].as_array().unwrap().iter().find(|table| table["table"] == "user").unwrap();
    assert_eq!(users["rows"], 4);
    assert_eq!(users["sha256"].as_str().unwrap().len(), 64);
    let again = run(&["move", "--from", &place, "--to", &url]);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && said.contains("this installation was moved to postgres://"), "{said}");
    for refused in [&["dev", "--data-dir", data][..], &["user", "list", "--data-dir", data]] {
        let refused = run(refused);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("this installation was moved to postgres://"), "{said}");
    }

    let served = run(&["serve", "--data-dir", data, "--database-url", &url]);
    assert!(String::from_utf8_lossy(&served.stderr).contains("is a dev world"), "what it is goes along");
    let world = Running::start(&["dev", "--data-dir", data, "--database-url", &url]);
    assert_eq!(world.ready["clients"], clients);
    let mut api = world.api();
    assert_eq!(status(&mut api, device, 3), 401, "what was spent there is spent here");
    assert_eq!(status(&mut api, device, 4), 200);
    let listed = run_json(&["user", "list", "--data-dir", data, "--database-url", &url, "--json"]);
    assert_eq!(listed.as_array().unwrap().len(), 4);
    assert_eq!(world.stop(), Some(0));

    // And back, to another folder with the same key.
    let back = folder.path().join("back");
    let to = format!("sqlite://{}", back.display());
    run_json(&["move", "--from", &url, "--to", &to, "--json"]);
    let refused = run(&["dev", "--data-dir", data, "--database-url", &url]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains(&format!("this installation was moved to {to}")), "{said}");
    std::fs::copy(Path::new(data).join("keys/master.key"), back.join("keys/master.key")).unwrap();
    std::fs::copy(Path::new(data).join("dev-world.json"), back.join("dev-world.json")).unwrap();
    let world = Running::dev(&back);
    assert_eq!(world.ready["clients"], clients);
    assert_eq!(status(&mut world.api(), device, 4), 401);
    assert_eq!(status(&mut world.api(), device, 5), 200);
}

/// A killed transfer leaves tables and no rows. A command that looks at them must not change that.
#[test]
fn a_killed_move_can_be_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    let device = import(folder.path(), "mona", &["--data-dir", source.to_str().unwrap()]);
    let from = format!("sqlite://{}", source.display());
    let mut targets: Vec<(String, Vec<String>)> = Vec::new();
    for round in 0..4 {
        let data = folder.path().join(format!("target{round}")).display().to_string();
        targets.push((format!("sqlite://{data}"), vec!["--data-dir".to_owned(), data]));
        if let Some(cluster) = pgtest::Cluster::shared() {
            let (url, data) = (cluster.new_database(), source.display().to_string());
            let place = ["--data-dir".to_owned(), data, "--database-url".to_owned(), url.clone()];
            targets.push((url, place.to_vec()));
        }
    }
    for (number, (to, place)) in targets.iter().enumerate() {
        // A source is closed after its transfer, so each round has another.
        let own = folder.path().join(format!("source{number}"));
        assert!(std::process::Command::new("cp").arg("-a").arg(&source).arg(&own).status().unwrap().success());
        let from = format!("sqlite://{}", own.display());
        let mut moving = countersign();
        let mut moving =
            moving.args(["move", "--from", &from, "--to", to]).stderr(std::process::Stdio::null()).spawn().unwrap();
        pause(10 + 25 * u64::try_from(number).unwrap());
        moving.kill().unwrap();
        moving.wait().unwrap();
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        let listed = run(&[&["user", "list"][..], &place].concat());
        let said = String::from_utf8_lossy(&listed.stderr).into_owned();
        // Once a move is whole, a target of files lacks its key only, which is not moved.
        if !listed.status.success() && !said.contains("the master key is missing") {
            let known = ["there is no installation in", "run the same `countersign move` again"];
            assert!(known.iter().any(|words| said.contains(words)), "{said}");
            run_json(&["move", "--from", &from, "--to", to, "--json"]);
        }
        if to.starts_with("sqlite") {
            std::fs::copy(source.join("keys/master.key"), Path::new(place[1]).join("keys/master.key")).unwrap();
        }
        let shown = run_json(&[&["device", "list", "mona", "--json"][..], &place].concat());
        assert_eq!(shown[0]["id"], device.1, "{to}");
    }

    // The very state: tables without a row.
    let half = folder.path().join("half");
    std::fs::create_dir_all(half.join("db")).unwrap();
    let opened = store::Store::open_sqlite(&half.join("db"), store::SqliteOptions::default()).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(opened.close());
    let data = half.display().to_string();
    let listed = run(&["client", "list", "--data-dir", &data]);
    assert!(String::from_utf8_lossy(&listed.stderr).contains("there is no installation in"));
    run_json(&["move", "--from", &from, "--to", &format!("sqlite://{data}"), "--json"]);
}

/// However a database is given, it is printed in one way, and what is printed can be given, from any folder.
#[test]
fn what_is_printed_can_be_given() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    assert_eq!(Running::start(&["serve", "--data-dir", data]).stop(), Some(0));
    let printed = run_json(&["migrate", "--dry-run", "--data-dir", data, "--json"])["database"].clone();
    let mut from = printed.as_str().unwrap().to_owned();
    assert_eq!(from, format!("sqlite://{data}"));
    // The data folder, the database's own folder and its file mean the same, and so does a path of the working folder.
    let to = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    for (form, name) in [("", "one"), ("/db", "two"), ("/db/countersign.db", "three"), ("/", "four")] {
        let moved = run_json(&["move", "--from", &format!("{from}{form}"), "--to", &to(name), "--json"]);
        assert_eq!((&moved["from"], &moved["to"]), (&from.clone().into(), &to(name).into()));
        from = moved["to"].as_str().unwrap().to_owned();
    }
    let moved = countersign()
        .args(["move", "--from", "sqlite://four", "--to", "sqlite://five", "--json"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));
    let moved: Value = serde_json::from_slice(&moved.stdout).unwrap();
    assert_eq!((&moved["from"], &moved["to"]), (&to("four").into(), &to("five").into()));
}
