//! `countersign import` as an operator meets it: three forms of list, a server that runs and none that does, repeats,
//! rejects, and a kill in the middle.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;
#[path = "import/names.rs"]
mod names;
#[path = "import/secrets.rs"]
mod secrets;

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use common::{Http, Running, countersign, pause, run, run_json};
use domain::model::hotp::{Algorithm, code};
use domain::model::totp::Totp;
use domain::{Digest, Secret};
use serde_json::Value;

/// A secret that no other number has, 20 bytes.
fn secret(number: usize) -> Vec<u8> {
    Digest::of(&number.to_be_bytes()).0[..20].to_vec()
}

fn base32(number: usize) -> String {
    data_encoding::BASE32_NOPAD.encode(&secret(number))
}

fn hotp(number: usize, counter: u64, digits: u8) -> String {
    code(&Secret::new(secret(number)), Algorithm::Sha1, counter, digits)
}

/// The code that an authenticator shows in so many seconds.
fn totp(number: usize, seconds: i64) -> String {
    let now = engine::Clock::now(&engine::clock::SystemClock);
    Totp::with_secret(Secret::new(secret(number))).code(now.plus(seconds * 1_000))
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
    let summary = place.import(&place.list("renamed.csv", &renamed), &with_map);
    assert_summary(&summary, 0, 1, 0, 0);
    assert_eq!(summary["differs"], 1, "the name is another: {summary}");
    assert_eq!(lines(&map)[0]["user_id"].as_i64(), Some(user));
    assert_eq!(api.expect(200, "GET", &format!("/api/2/users/{user}"), "")["username"], "user7");
    // So is one whose name is spelt in other letters.
    let shouted = format!("username,type,secret_base32\nUSER7,hotp,{}\n", base32(7));
    assert_summary(&place.import(&place.list("shouted.csv", &shouted), &[]), 0, 0, 1, 0);
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
    // Two people have one address: the earlier of them is here.
    assert_eq!(numbers[..5], [1, 2, 4, 5, 7]);
    assert_eq!(numbers[5..], (8..29).collect::<Vec<u64>>());
    assert!(rejects[1]["reason"].as_str().unwrap().contains("Base32"), "{text}");
    let data = place.data();
    let users = run_json(&["user", "list", "--data-dir", data.to_str().unwrap(), "--json"]);
    assert_eq!(users.as_array().unwrap().len(), 1, "{users}");

    // What was mended is taken; the report of an earlier import does not stay behind.
    let mended = place.list("list.jsonl", &format!("{{\"username\":\"ana\",\"secret_base32\":\"{}\"}}\n", base32(2)));
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

/// What `countersign import` says of a file that it cannot take.
fn refused(place: &Place, list: &Path) -> String {
    let data = place.data();
    let output = run(&["import", list.to_str().unwrap(), "--data-dir", data.to_str().unwrap()]);
    assert!(!output.status.success(), "{} was taken", list.display());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_wrong_file_is_named_and_fails() {
    let place = Place::new();
    let secret = base32(1);
    let aegis = format!(
        r#"{{
    "version": 1,
    "header": {{ "slots": null, "params": null }},
    "db": {{
        "version": 2,
        "entries": [
            {{
                "type": "totp",
                "uuid": "01234567-89ab-cdef-0123-456789abcdef",
                "name": "ana",
                "issuer": "Acme",
                "info": {{ "secret": "{secret}", "algo": "SHA1", "digits": 6, "period": 30 }}
            }}
        ]
    }}
}}
"#
    );
    let two_fas = format!(
        r#"{{"services":[{{"name":"Acme","secret":"{secret}","otp":{{"account":"ana","digits":6,"period":30}}}}],"schemaVersion":4,"appVersionCode":5}}"#
    );
    let and_otp = format!(
        r#"[{{"secret":"{secret}","issuer":"Acme","label":"ana","digits":6,"type":"TOTP","algorithm":"SHA1","thumbnail":"Default","last_used":0,"used_frequency":0,"period":30,"tags":[]}}]"#
    );
    let free_otp = r#"{"tokenOrder":["Acme:ana"],"tokens":[{"algo":"SHA1","counter":0,"digits":6,"issuerExt":"Acme","label":"ana","period":30,"secret":[1,2,3],"type":"TOTP"}]}"#;
    let pretty = format!("{{\n  \"username\": \"ana\",\n  \"secret_base32\": \"{secret}\"\n}}\n");
    let array = format!(r#"[{{"username":"ana","secret_base32":"{secret}"}}]"#);
    let bitwarden = format!(
        "folder,favorite,type,name,login_uri,login_username,login_password,login_totp\n,,login,Acme,,ana,,{secret}\n"
    );
    let cases: [(&str, &[u8], &str); 19] = [
        ("aegis.json", aegis.as_bytes(), "Aegis"),
        ("2fas.json", two_fas.as_bytes(), "2FAS"),
        ("andotp.json", and_otp.as_bytes(), "andOTP"),
        ("freeotp.json", free_otp.as_bytes(), "FreeOTP"),
        ("pretty.json", pretty.as_bytes(), "over several lines"),
        ("array.json", array.as_bytes(), "JSON array"),
        ("bitwarden.csv", bitwarden.as_bytes(), "Bitwarden"),
        ("google.txt", b"otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8", "Google Authenticator"),
        ("people.xlsx", b"PK\x03\x04\x14\x00\x06\x00", "spreadsheet"),
        ("people.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "spreadsheet"),
        ("qr.png", b"\x89PNG\r\n\x1a\n\0\0", "picture"),
        ("people.csv.gz", b"\x1f\x8b\x08\x00", "gzip"),
        ("tokens.xml", b"<?xml version=\"1.0\"?>\n<KeyContainer>", "PSKC"),
        ("people.ldif", b"dn: uid=ana,dc=example\nuid: ana\n", "LDIF"),
        ("vault.kdbx", b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5", "KeePass"),
        ("utf16.csv", b"u\0s\0e\0r\0n\0a\0m\0e\0\n\0", "UTF-16"),
        ("notes.txt", b"Dear all,\nplease find the secrets below.\n", "none of the lists"),
        ("empty.csv", b"", "empty"),
        ("header.csv", b"username,secret_base32\n", "no entries"),
    ];
    for (name, bytes, named) in cases {
        let path = place.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let said = refused(&place, &path);
        assert!(said.contains(named) && said.contains(name), "{name}: {said}");
        assert!(!said.contains(&secret), "{said}");
    }
    // Where every line is at fault nothing has succeeded; where one is, the others have.
    let all = refused(&place, &place.list("all.jsonl", "{\"username\":\"ana\",\"secret_base32\":\"1\"}\nx\n"));
    assert!(all.contains("all 2 lines were rejected") && all.contains("all.jsonl.rejects.jsonl"), "{all}");
    let semicolons = format!("sep=;\r\nusername;secret_base32\r\nana;{secret}\r\nben;1\r\n");
    assert_summary(&place.import(&place.list("german.csv", &semicolons), &[]), 1, 1, 0, 1);
    assert_eq!(lines(&place.folder.path().join("german.csv.rejects.jsonl"))[0]["line"], 4);
    // Once more: all of it is here already, and that is no failure.
    assert_summary(&place.import(&place.list("german.csv", &semicolons), &[]), 0, 0, 1, 1);
}

#[test]
fn a_difference_is_not_unchanged() {
    let place = Place::new();
    place.is_a_dev_world();
    let line =
        |more: &str| format!("{{\"username\":\"nina\",\"type\":\"hotp\",\"secret_base32\":\"{}\"{more}}}\n", base32(1));
    let map = place.folder.path().join("map.jsonl");
    let with_map = ["--map-out", map.to_str().unwrap()];
    assert_summary(
        &place.import(&place.list("a.jsonl", &line(",\"email\":\"old@example.com\"")), &with_map),
        1,
        1,
        0,
        0,
    );
    let mapped = lines(&map);
    let (user, device) = (mapped[0]["user_id"].as_i64().unwrap(), mapped[0]["device_id"].as_i64().unwrap());
    let server = Running::dev(&place.data());
    let mut api = server.api();
    assert_eq!(status(&mut api, user, device, &hotp(1, 3, 6)), 200);

    let corrected = line(",\"digits\":8,\"counter\":9,\"email\":\"new@example.com\"");
    let corrected = place.list("b.jsonl", &corrected);
    let summary = place.import(&corrected, &[]);
    assert_summary(&summary, 0, 0, 0, 0);
    assert_eq!((summary["differs"].as_u64(), summary["updated"].as_u64()), (Some(2), Some(0)), "{summary}");
    let reported = std::fs::read_to_string(place.folder.path().join("b.jsonl.rejects.jsonl")).unwrap();
    for field in ["digits, counter", "email", "--update"] {
        assert!(reported.contains(field), "{reported}");
    }
    assert_eq!(status(&mut api, user, device, &hotp(1, 4, 6)), 200, "nothing was set");

    let summary = place.import(&corrected, &["--update"]);
    assert_eq!((summary["differs"].as_u64(), summary["updated"].as_u64()), (Some(0), Some(2)), "{summary}");
    assert_eq!(api.expect(200, "GET", &format!("/api/2/users/{user}"), "")["email"], "new@example.com");
    assert_eq!(status(&mut api, user, device, &hotp(1, 8, 8)), 401, "the list says that it is spent");
    assert_eq!(status(&mut api, user, device, &hotp(1, 9, 8)), 200);
    // A list that is behind moves no counter back.
    let behind = place.list("c.jsonl", &line(",\"digits\":8,\"counter\":2"));
    assert_summary(&place.import(&behind, &["--update"]), 0, 0, 1, 0);
    assert_eq!(status(&mut api, user, device, &hotp(1, 9, 8)), 401);
    assert_eq!(status(&mut api, user, device, &hotp(1, 10, 8)), 200);
    let whole = std::fs::read_to_string(&map).unwrap();
    assert!(whole.contains(&format!("\"device_id\":{device}")), "the device is the one it was: {whole}");
}

#[test]
fn the_summary_is_for_people() {
    let place = Place::new();
    let data = place.data();
    let data = data.to_str().unwrap();
    let list = place.list("a.jsonl", &format!("{{\"username\":\"ana\",\"secret_base32\":\"{}\"}}\n", base32(1)));
    let said = |args: &[&str]| {
        let output = run(args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let summary = said(&["import", list.to_str().unwrap(), "--data-dir", data]);
    let seconds = summary.strip_prefix("Imported in ").and_then(|rest| rest.split_once(" s:")).unwrap().0;
    assert!(seconds.contains('.') && seconds.parse::<f64>().is_ok(), "{summary}");
    assert!(said(&["device", "list", "ana", "--data-dir", data]).contains("authenticator app"));
    let shown = said(&["user", "show", "ana", "--data-dir", data]);
    assert!(shown.contains("authenticator app") && shown.contains("no password"), "{shown}");
    let listed = said(&["user", "list", "--data-dir", data]);
    assert!(listed.contains("no password") && !listed.contains("PasswordPending"), "{listed}");
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
    // Alone, and then through a server that is killed itself.
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

#[test]
fn a_link_in_the_way_is_not_followed() {
    let place = Place::new();
    let victim = place.list("victim", "precious");
    std::fs::set_permissions(&victim, std::fs::Permissions::from_mode(0o644)).unwrap();
    let list = place.list("people.csv", &format!("username,secret_base32\nana,{}\nben,?\n", base32(1)));
    let data = place.data();
    let args = ["import", list.to_str().unwrap(), "--data-dir", data.to_str().unwrap()];
    for (link, more) in [("people.csv.rejects.jsonl", &[][..]), ("map.jsonl", &["--map-out"])] {
        let link = place.folder.path().join(link);
        let more: Vec<&str> = more.iter().copied().chain((!more.is_empty()).then(|| link.to_str().unwrap())).collect();
        for target in [victim.as_path(), Path::new("not-there-yet")] {
            std::os::unix::fs::symlink(target, &link).unwrap();
            let refused = run(&[&args[..], &more].concat());
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(!refused.status.success() && said.contains("it is a link"), "{said}");
            assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
            assert_eq!(std::fs::metadata(&victim).unwrap().permissions().mode() & 0o777, 0o644);
            assert!(!place.folder.path().join("not-there-yet").exists());
            std::fs::remove_file(&link).unwrap();
        }
    }
    assert!(!data.exists(), "nothing was begun");
    // A file of an earlier import that others could read becomes its owner's alone.
    let map = place.list("map.jsonl", "old");
    std::fs::set_permissions(&map, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_summary(&place.import(&list, &["--map-out", map.to_str().unwrap()]), 1, 1, 0, 1);
    assert_eq!(std::fs::metadata(&map).unwrap().permissions().mode() & 0o777, 0o600);
}

/// A commit that comes with a warning counts as unknown (SEC 80). The next look shows whether it was kept. If it was, what it
/// made counts as new, once.
#[test]
fn an_unknown_commit_is_counted_once() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    let (folder, url) = (tempfile::tempdir().unwrap(), cluster.new_database());
    let data = folder.path().join("data");
    let at = ["--data-dir", data.to_str().unwrap(), "--database-url", &url, "--json"];
    let list = folder.path().join("list.csv");
    let write = |from: usize, to: usize| {
        let mut lines = "username,secret_base32\n".to_owned();
        for number in from..to {
            writeln!(lines, "person{number},{}", base32(number)).unwrap();
        }
        std::fs::write(&list, lines).unwrap();
    };
    let import = || run_json(&[&["import", list.to_str().unwrap()], &at[..]].concat());
    write(0, 1);
    assert_eq!(import()["users"], 1);
    let name = url.trim_start_matches("postgres:///").split('?').next().unwrap().to_owned();
    // Commits of new users warn, as one does whose standby has not confirmed it.
    cluster.sql(
        &name,
        "CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         RAISE WARNING 'not confirmed by its standby'; RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER warns AFTER INSERT ON \"user\" DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION warn()",
    );
    write(1, 61);
    let summary = import();
    let there = cluster.sql(&name, "SELECT COUNT(*) FROM \"user\"");
    assert_eq!((&summary["users"], &summary["devices"], there.as_str()), (&60.into(), &60.into(), "61"), "{summary}");
    let again = import();
    assert_eq!((&again["users"], &again["devices"]), (&0.into(), &0.into()), "{again}");
}
