//! `countersign import` as an operator meets it: three forms of list, a server that runs and none that does, repeats,
//! rejects, and a kill in the middle.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use common::{Http, Running, countersign, pause, run, run_json};
use domain::factor::hotp::{Algorithm, code};
use domain::{Digest, Secret};
use serde_json::Value;

/// A secret that nobody else has, 20 bytes.
fn secret(number: usize) -> Vec<u8> {
    Digest::of(&number.to_be_bytes()).0[..20].to_vec()
}

fn base32(number: usize) -> String {
    data_encoding::BASE32_NOPAD.encode(&secret(number))
}

fn hotp(number: usize, counter: u64, digits: u8) -> String {
    code(&Secret::new(secret(number)), Algorithm::Sha1, counter, digits)
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// An import alone would make an installation to serve.
    fn is_a_dev_world(&self) {
        assert_eq!(Running::dev(&self.data()).stop(), Some(0));
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn list(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn import(&self, list: &Path, more: &[&str]) -> Value {
        let data = self.data();
        let mut args = vec!["import", list.to_str().unwrap(), "--data-dir", data.to_str().unwrap(), "--json"];
        args.extend(more);
        run_json(&args)
    }
}

#[track_caller]
fn assert_summary(summary: &Value, users: u64, devices: u64, unchanged: u64, rejected: u64) {
    let found = ["users", "devices", "unchanged", "rejected"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!(found, [users, devices, unchanged, rejected], "{summary}");
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn status(api: &mut Http, user: i64, device: i64, code: &str) -> u16 {
    let path = format!("/api/1/users/{user}/otp_devices/{device}/verify");
    api.send("POST", &path, &format!(r#"{{"otp_token":"{code}"}}"#)).unwrap().status
}

#[test]
fn each_form_of_list_brings_devices_that_work() {
    let place = Place::new();
    let json = format!(
        "{}\n{}\n",
        serde_json::json!({
            "username": "jane", "email": "jane@example.com", "phone": "+14155550199", "external_id": "x-1",
            "type": "hotp", "secret_base32": base32(1), "counter": 5, "digits": 8, "display_name": "Key fob",
        }),
        serde_json::json!({ "username": "jane", "secret_base32": base32(2) }),
    );
    let csv =
        format!("username,type,secret_base32,counter\nkarl,hotp,{},\n\"Lee, A\",hotp,{},3\n", base32(3), base32(4));
    let addresses = format!("otpauth://hotp/Acme:mona@example.com?secret={}&counter=2&issuer=Acme\n", base32(5));
    let map = place.folder.path().join("map.jsonl");
    let with_map = ["--map-out", map.to_str().unwrap()];

    // The first list while no server runs, the second beside one.
    place.is_a_dev_world();
    assert_summary(&place.import(&place.list("a.jsonl", &json), &with_map), 1, 2, 0, 0);
    let mapped = lines(&map);
    assert_eq!(std::fs::metadata(&map).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(mapped.len(), 2);
    assert_eq!((mapped[0]["user"].as_str(), mapped[0]["type"].as_str()), (Some("jane"), Some("hotp")));
    assert_eq!(mapped[0]["counter"], 5);
    assert_eq!(mapped[0]["secret_base32"], base32(1));
    assert_eq!(mapped[1]["type"], "totp");
    assert_eq!(mapped[0]["user_id"], mapped[1]["user_id"]);

    let server = Running::dev(&place.data());
    let mut api = server.api();
    let (user, device) = (mapped[0]["user_id"].as_i64().unwrap(), mapped[0]["device_id"].as_i64().unwrap());
    let shown = api.expect(200, "GET", &format!("/api/2/users/{user}"), "");
    assert_eq!((shown["email"].as_str(), shown["external_id"].as_str()), (Some("jane@example.com"), Some("x-1")));
    assert_eq!(status(&mut api, user, device, &hotp(1, 4, 8)), 401, "a counter before the list's is spent");
    assert_eq!(status(&mut api, user, device, &hotp(1, 5, 8)), 200);
    assert_eq!(status(&mut api, user, device, &hotp(1, 5, 8)), 401);
    let path = format!("/api/2/mfa/users/{user}/verifications");
    let by_v2 = |code: String| format!(r#"{{"device_id":"{device}","otp":"{code}"}}"#);
    api.expect(200, "POST", &path, &by_v2(hotp(1, 6, 8)));
    let devices = api.expect(200, "GET", &format!("/api/1/users/{user}/otp_devices"), "");
    let devices = devices["data"]["otp_devices"].as_array().unwrap().clone();
    assert_eq!(devices.len(), 2);
    assert!(devices.iter().all(|device| device["active"] == true), "{devices:?}");
    assert_eq!(devices[0]["user_display_name"], "Key fob");

    let summary = place.import(&place.list("b.csv", &csv), &with_map);
    assert_summary(&summary, 2, 2, 0, 0);
    let karl = &lines(&map)[0];
    assert_eq!(
        status(&mut api, karl["user_id"].as_i64().unwrap(), karl["device_id"].as_i64().unwrap(), &hotp(3, 0, 6)),
        200
    );
    assert_summary(&place.import(&place.list("c.txt", &addresses), &with_map), 1, 1, 0, 0);
    let mona = &lines(&map)[0];
    assert_eq!(mona["user"], "mona@example.com");
    assert_eq!(
        status(&mut api, mona["user_id"].as_i64().unwrap(), mona["device_id"].as_i64().unwrap(), &hotp(5, 2, 6)),
        200
    );
}

#[test]
fn a_list_imported_twice_changes_nothing_and_no_counter_moves_backwards() {
    let place = Place::new();
    place.is_a_dev_world();
    let mut csv = "external_id,username,type,secret_base32,counter\n".to_owned();
    for number in 0..50 {
        writeln!(csv, "e{number},user{number},hotp,{},0", base32(number)).unwrap();
    }
    let list = place.list("list.csv", &csv);
    let map = place.folder.path().join("map.jsonl");
    let with_map = ["--map-out", map.to_str().unwrap()];
    assert_summary(&place.import(&list, &with_map), 50, 50, 0, 0);
    let first = std::fs::read_to_string(&map).unwrap();

    let server = Running::dev(&place.data());
    let mut api = server.api();
    let mapped = lines(&map);
    let (user, device) = (mapped[7]["user_id"].as_i64().unwrap(), mapped[7]["device_id"].as_i64().unwrap());
    assert_eq!(status(&mut api, user, device, &hotp(7, 3, 6)), 200);

    assert_summary(&place.import(&list, &with_map), 0, 0, 50, 0);
    assert_eq!(std::fs::read_to_string(&map).unwrap(), first, "the map of a repeated import is whole");
    assert_eq!(status(&mut api, user, device, &hotp(7, 3, 6)), 401);
    assert_eq!(status(&mut api, user, device, &hotp(7, 4, 6)), 200);

    // A user renamed in the list is found by the other system's id; a new secret joins the devices they have.
    let renamed = format!("external_id,username,type,secret_base32\ne7,renamed,hotp,{}\n", base32(1007));
    assert_summary(&place.import(&place.list("renamed.csv", &renamed), &with_map), 0, 1, 0, 0);
    assert_eq!(lines(&map)[0]["user_id"].as_i64(), Some(user));
    assert_eq!(api.expect(200, "GET", &format!("/api/2/users/{user}"), "")["username"], "user7");
    // So is one whose name is spelt in other letters.
    let shouted = format!("username,type,secret_base32\nUSER7,hotp,{}\n", base32(7));
    assert_summary(&place.import(&place.list("shouted.csv", &shouted), &[]), 0, 0, 1, 0);
}

#[test]
fn lines_of_one_user_far_apart_are_one_user() {
    let place = Place::new();
    let mut csv = "external_id,username,type,secret_base32\n".to_owned();
    for number in 0..600 {
        // Every second time by another name: the other system's id is what counts.
        let (user, name) = (number % 60, if number % 120 < 60 { "user" } else { "alias" });
        writeln!(csv, "e{user},{name}{user},hotp,{}", base32(number)).unwrap();
    }
    let list = place.list("list.csv", &csv);
    assert_summary(&place.import(&list, &[]), 60, 600, 0, 0);
    assert_summary(&place.import(&list, &[]), 0, 0, 600, 0);
}

#[test]
fn rejects_are_reported_by_line_without_the_secret_and_nobody_is_imported_by_halves() {
    let place = Place::new();
    let (good, bad) = (base32(1), "GEZDGNBVGY3TQOJ1");
    let many: String = (100..121).fold(String::new(), |mut text, number| {
        writeln!(text, r#"{{"username":"many","secret_base32":"{}"}}"#, base32(number)).unwrap();
        text
    });
    let list = format!(
        "{{\"username\":\"ana\",\"secret_base32\":\"{good}\"}}\n\
         {{\"username\":\"ana\",\"secret_base32\":\"{bad}\"}}\n\
         \n\
         not a line {good}\n\
         {{\"username\":\"ben\",\"secret_base32\":\"{good}\",\"digits\":9}}\n\
         {{\"username\":\"chie\",\"secret_base32\":\"{good}\",\"email\":\"same@example.com\"}}\n\
         {{\"username\":\"dora\",\"secret_base32\":\"{good}\",\"email\":\"same@example.com\"}}\n{many}"
    );
    let list = place.list("list.jsonl", &list);
    let summary = place.import(&list, &[]);
    assert_summary(&summary, 1, 1, 0, 26);
    let path = place.folder.path().join("list.jsonl.rejects.jsonl");
    assert_eq!(summary["rejects_file"], path.to_str().unwrap());
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&good) && !text.contains(bad), "{text}");
    let rejects = lines(&path);
    let numbers: Vec<u64> = rejects.iter().map(|reject| reject["line"].as_u64().unwrap()).collect();
    // Two people have one address: one of them is here, whichever came first.
    assert_eq!(numbers[..4], [1, 2, 4, 5]);
    assert!(matches!(numbers[4], 6 | 7), "{numbers:?}");
    assert_eq!(numbers[5..], (8..29).collect::<Vec<u64>>());
    assert!(rejects[1]["reason"].as_str().unwrap().contains("Base32"), "{text}");
    let data = place.data();
    let users = run_json(&["user", "list", "--data-dir", data.to_str().unwrap(), "--json"]);
    assert_eq!(users.as_array().unwrap().len(), 1, "{users}");

    // What was mended is taken; the report of an earlier import does not stay behind.
    let mended = place.list("list.jsonl", &format!("{{\"username\":\"ana\",\"secret_base32\":\"{good}\"}}\n"));
    assert_summary(&place.import(&mended, &[]), 1, 1, 0, 0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
}

#[test]
fn a_list_without_a_header_or_a_file_is_refused_in_a_sentence() {
    let place = Place::new();
    let data = place.data();
    let list = place.list("list.csv", &format!("ana,{}\n", base32(1)));
    let refused = run(&["import", list.to_str().unwrap(), "--data-dir", data.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("header") && !said.contains(&base32(1)), "{said}");
    let missing = run(&["import", "/nowhere/list.csv", "--data-dir", data.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("cannot read /nowhere/list.csv"));
}

#[test]
fn an_import_killed_anywhere_leaves_nobody_half_and_its_repeat_ends_right() {
    const USERS: usize = 3_000;
    let place = Place::new();
    let mut list = String::new();
    for user in 0..USERS {
        for device in 0..2 {
            let secret = base32(user * 2 + device);
            writeln!(list, r#"{{"username":"user{user}","type":"hotp","secret_base32":"{secret}"}}"#).unwrap();
        }
    }
    let list = place.list("list.jsonl", &list);
    let data = place.data();
    let args = ["import", list.to_str().unwrap(), "--data-dir", data.to_str().unwrap(), "--json"];

    let mut found = 0;
    // With nobody else, and then through a server that is killed itself.
    for milliseconds in [250, 400, 150] {
        let mut child = countersign().args(args).stdout(std::process::Stdio::null()).spawn().unwrap();
        pause(milliseconds);
        child.kill().unwrap();
        child.wait().unwrap();
        found = assert_whole(&data, found);
    }
    let server = Running::start(&["serve", "--data-dir", data.to_str().unwrap()]);
    let mut child = countersign()
        .args(args)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    pause(200);
    server.signal("KILL");
    child.wait().unwrap();
    drop(server);
    let found = assert_whole(&data, found);
    let (missing, here) = ((USERS - found) as u64, found as u64);
    assert_summary(&run_json(&args), missing, 2 * missing, 2 * here, 0);
    assert_eq!(assert_whole(&data, found), USERS);
}

/// Counts the users; each of them must have both devices.
fn assert_whole(data: &Path, at_least: usize) -> usize {
    if !data.join("db/countersign.db").exists() {
        return 0;
    }
    let data = data.to_str().unwrap();
    let listed = run(&["user", "list", "--limit", "100000", "--data-dir", data, "--json"]);
    if at_least == 0 && String::from_utf8_lossy(&listed.stderr).contains("there is no installation") {
        return 0;
    }
    let users: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let users = users.as_array().unwrap();
    assert!(users.len() >= at_least, "{} users after {at_least}", users.len());
    for user in users.iter().rev().take(20) {
        let shown = run_json(&["user", "show", &user["id"].to_string(), "--data-dir", data, "--json"]);
        assert_eq!(shown["devices"].as_array().unwrap().len(), 2, "{shown}");
    }
    users.len()
}
