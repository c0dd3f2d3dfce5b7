//! The client that a start makes (SEC 106).

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::common::{Running, countersign, run_json};

/// A server that is to make a client named `application`.
fn server(data: &Path, file: &Path, scope: Option<&str>) -> Running {
    let mut command = countersign();
    command.env("COUNTERSIGN_BOOTSTRAP_CLIENT", "application").env("COUNTERSIGN_BOOTSTRAP_CLIENT_FILE", file);
    if let Some(scope) = scope {
        command.env("COUNTERSIGN_BOOTSTRAP_SCOPE", scope);
    }
    Running::start_as(&["serve", "--data-dir", data.to_str().unwrap()], command)
}

fn pair(file: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn clients(data: &Path) -> Vec<Value> {
    run_json(&["client", "list", "--data-dir", data.to_str().unwrap(), "--json"]).as_array().unwrap().clone()
}

fn may_enter(server: &Running, pair: &Value) -> bool {
    let body = json!({
        "grant_type": "client_credentials", "client_id": pair["client_id"], "client_secret": pair["client_secret"],
    });
    server.http().send("POST", "/auth/oauth2/v2/token", &body.to_string()).unwrap().status == 200
}

#[test]
fn a_start_makes_the_client_once() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("client.json"));
    let first = server(&data, &file, Some("Read Users"));
    let made = pair(&file);
    assert_eq!((&made["name"], &made["scope"]), (&json!("application"), &json!("Read Users")));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(may_enter(&first, &made));
    assert_eq!(first.stop(), Some(0));
    // The application took the file away. No second client appears, and no second pair.
    std::fs::remove_file(&file).unwrap();
    let second = server(&data, &file, None);
    assert!(!file.exists() && may_enter(&second, &made));
    assert_eq!(clients(&data).len(), 1);
    let id = made["client_id"].as_str().unwrap();
    run_json(&["client", "revoke", id, "--yes", "--data-dir", data.to_str().unwrap(), "--json"]);
    assert_eq!(second.stop(), Some(0));
    let third = server(&data, &file, None);
    assert!(!file.exists() && !may_enter(&third, &made), "what was revoked does not come back");
    assert_eq!(third.stop(), Some(0));
    // Neither does it under a name that looks the same.
    let mut command = countersign();
    command.env("COUNTERSIGN_BOOTSTRAP_CLIENT", "Application").env("COUNTERSIGN_BOOTSTRAP_CLIENT_FILE", &file);
    let fourth = Running::start_as(&["serve", "--data-dir", data.to_str().unwrap()], command);
    assert!(!file.exists());
    assert_eq!(fourth.stop(), Some(0));
}

/// A start that ended between the file and the client has left a pair that works nowhere. Its commit may still be under way, so the
/// next start makes the client of the same pair.
#[test]
fn a_pair_without_its_client_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("client.json"));
    let first = server(&data, &file, None);
    let made = pair(&file);
    assert_eq!(first.stop(), Some(0));
    let database = rusqlite::Connection::open(data.join("db/countersign.db")).unwrap();
    assert_eq!(database.execute("DELETE FROM client", []).unwrap(), 1);
    drop(database);
    let second = server(&data, &file, Some("Read Users"));
    let again = pair(&file);
    assert_eq!((&again["client_id"], &again["client_secret"]), (&made["client_id"], &made["client_secret"]));
    assert_eq!((&again["scope"], &clients(&data)[0]["scope"]), (&json!("Read Users"), &json!("Read Users")));
    assert!(may_enter(&second, &made));
    assert_eq!(second.stop(), Some(0));
}

/// A file with the client's id counts only if no other user can have written its secret.
#[test]
fn a_pair_that_others_could_write_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("client.json"));
    assert_eq!(server(&data, &file, None).stop(), Some(0));
    let made = pair(&file);
    let database = rusqlite::Connection::open(data.join("db/countersign.db")).unwrap();
    assert_eq!(database.execute("DELETE FROM client", []).unwrap(), 1);
    drop(database);
    let mut short = made.clone();
    short["client_secret"] = json!("known");
    for (text, mode) in [(made.to_string(), 0o620), (short.to_string(), 0o600)] {
        std::fs::write(&file, &text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let mut command = countersign();
        command.env("COUNTERSIGN_BOOTSTRAP_CLIENT", "application").env("COUNTERSIGN_BOOTSTRAP_CLIENT_FILE", &file);
        let ended = command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success() && said.contains("remove it, or name another file"), "{said}");
        assert_eq!((clients(&data), std::fs::read_to_string(&file).unwrap()), (Vec::new(), text));
    }
}

#[test]
fn no_file_of_others_and_no_link_is_written_through() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (theirs, link) = (folder.path().join("theirs"), folder.path().join("link"));
    std::fs::write(&theirs, "theirs").unwrap();
    std::os::unix::fs::symlink(folder.path().join("target"), &link).unwrap();
    // That of the same name in another installation, too.
    let (other, others) = (folder.path().join("other"), folder.path().join("others.json"));
    assert_eq!(server(&other, &others, None).stop(), Some(0));
    let kept = pair(&others);
    for file in [&theirs, &link, &others] {
        let mut command = countersign();
        command.env("COUNTERSIGN_BOOTSTRAP_CLIENT", "application").env("COUNTERSIGN_BOOTSTRAP_CLIENT_FILE", file);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data);
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success() && said.contains("remove it, or name another file"), "{said}");
        assert_eq!(clients(&data), Vec::<Value>::new(), "{}", file.display());
    }
    assert_eq!(pair(&others), kept);
    assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "theirs");
    assert!(!folder.path().join("target").exists());
}

#[test]
fn a_name_needs_a_file_and_a_scope_that_exists() {
    for (variables, says) in [
        (&[("CLIENT", "a")][..], "bootstrap.client needs bootstrap.client_file"),
        (&[("CLIENT_FILE", "/tmp/x")], "bootstrap.client_file needs bootstrap.client"),
        (&[("CLIENT", "a"), ("CLIENT_FILE", "/tmp/x"), ("SCOPE", "everything")], "\"Manage All\""),
    ] {
        let mut command = countersign();
        for (name, value) in variables {
            command.env(format!("COUNTERSIGN_BOOTSTRAP_{name}"), value);
        }
        let ended = command.args(["config", "check"]).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success() && said.contains(says), "{said}");
    }
}

/// One pair is made, and it is the one that a file has: with a file for each node, and with one for all.
#[test]
fn of_nodes_that_start_at_once_one_makes_the_client() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    for is_shared in [false, true] {
        let (folder, url) = (tempfile::tempdir().unwrap(), cluster.new_database());
        let data = folder.path().join("data");
        let place = ["--data-dir", data.to_str().unwrap(), "--database-url", &url];
        // Made before, so that the nodes race for the client and not for the tables.
        run_json(&[&["user", "create", "--username", "ana", "--init", "--json"][..], &place].concat());
        let file = |n: usize| folder.path().join(format!("client-{}.json", if is_shared { 0 } else { n }));
        let nodes: Vec<Running> = std::thread::scope(|scope| {
            let started: Vec<_> = (0..6)
                .map(|n| {
                    let file = file(n);
                    scope.spawn(move || {
                        let mut command = countersign();
                        command.env("COUNTERSIGN_BOOTSTRAP_CLIENT", "application");
                        command.env("COUNTERSIGN_BOOTSTRAP_CLIENT_FILE", file);
                        Running::start_as(&[&["serve"][..], &place].concat(), command)
                    })
                })
                .collect();
            started.into_iter().map(|node| node.join().unwrap()).collect()
        });
        let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let pairs: Vec<Value> = left.filter(|path| path.extension().is_some()).map(|file| pair(&file)).collect();
        assert_eq!(pairs.len(), 1);
        assert!(nodes.iter().all(|node| may_enter(node, &pairs[0])));
        for node in nodes {
            assert_eq!(node.stop(), Some(0));
        }
    }
}
