//! Telephone numbers at every door that takes one, and where messages may go.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use serde_json::{Value, json};

use super::configuration::banner_of_serve;
use crate::common::{Http, Running, run};

/// What people write, and what is kept.
const WRITTEN: &[(&str, &str)] = &[
    ("+1 (415) 555-0123", "+14155550123"),
    ("0014155550127", "+14155550127"),
    ("+49 (0)170 1234567", "+491701234567"),
    ("tel:+14155550123", "+14155550123"),
];

/// What is no number that could be called from anywhere.
const NONE: &[&str] = &["0170 1234567", "14155550123", "+12345678901234567", "call me"];

/// A world and where it is.
struct Place {
    folder: tempfile::TempDir,
    world: Running,
    api: Http,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = Running::dev(&folder.path().join("data"));
        let api = world.api();
        Self { folder, world, api }
    }

    fn data(&self) -> String {
        self.folder.path().join("data").to_string_lossy().into_owned()
    }

    /// A call; `None` if it was refused as its version refuses, naming the number.
    fn call(&mut self, method: &str, path: &str, body: &Value) -> Option<Value> {
        let answer = self.api.send(method, path, &body.to_string()).unwrap();
        if answer.status < 300 {
            return Some(answer.json());
        }
        assert_eq!(answer.status, if path.starts_with("/api/1/") { 400 } else { 422 }, "{path}: {}", answer.body);
        assert!(answer.body.contains("phone") || answer.body.contains("number is invalid"), "{path}: {}", answer.body);
        None
    }

    /// A user who has no number yet.
    fn user(&mut self, name: &str) -> i64 {
        self.call("POST", "/api/2/users", &json!({ "username": name })).unwrap()["id"].as_i64().unwrap()
    }

    /// The number that is kept of a user.
    fn phone_of(&mut self, name: &str) -> String {
        let users = self.api.expect(200, "GET", &format!("/api/2/users?username={name}"), "");
        text(&users[0]["phone"])
    }

    /// Where the newest text message went.
    fn newest_target(&mut self, user: i64) -> String {
        let sent = self.api.expect(200, "GET", &format!("/dev/outbox?user_id={user}&wait=20s"), "");
        text(&sent.as_array().unwrap().last().unwrap()["to"])
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Hands a number in for a user of this name; gives what became of it, `None` if it was refused.
type Door = fn(&mut Place, &str, &str) -> Option<String>;

/// Every door that takes a number.
const DOORS: &[(&str, Door)] = &[
    ("v1-create", |place, name, number| {
        let made = place.call("POST", "/api/1/users", &json!({ "username": name, "phone": number }))?;
        Some(text(&made["data"][0]["phone"]))
    }),
    ("v1-update", |place, name, number| {
        let user = place.user(name);
        place.call("PUT", &format!("/api/1/users/{user}"), &json!({ "phone": number }))?;
        Some(place.phone_of(name))
    }),
    ("v2-create", |place, name, number| {
        let made = place.call("POST", "/api/2/users", &json!({ "username": name, "phone": number }))?;
        Some(text(&made["phone"]))
    }),
    ("v2-update", |place, name, number| {
        let user = place.user(name);
        place.call("PUT", &format!("/api/2/users/{user}"), &json!({ "phone": number }))?;
        Some(place.phone_of(name))
    }),
    ("command", |place, name, number| {
        let data = place.data();
        let output = run(&["user", "create", "--username", name, "--phone", number, "--data-dir", &data, "--json"]);
        if output.status.success() {
            return Some(text(&serde_json::from_slice::<Value>(&output.stdout).unwrap()["phone"]));
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("phone is not an international telephone number, as +"), "{said}");
        None
    }),
    ("import", |place, name, number| {
        let list = place.folder.path().join("list.jsonl");
        std::fs::write(&list, format!("{}\n", json!({ "username": name, "phone": number }))).unwrap();
        let output = run(&["import", list.to_str().unwrap(), "--data-dir", &place.data(), "--json"]);
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        let (users, rejected) = (summary["users"].as_i64().unwrap(), summary["rejected"].as_i64().unwrap());
        assert_eq!(users + rejected, 1, "{summary}");
        (users == 1).then(|| place.phone_of(name))
    }),
    ("v1-device", |place, name, number| {
        let path = format!("/api/1/users/{}/otp_devices", place.user(name));
        let made = place.call("POST", &path, &json!({ "factor_id": 2, "display_name": "x", "number": number }))?;
        Some(text(&made["data"][0]["phone_number"]))
    }),
    ("v1-device-voice", |place, name, number| {
        let path = format!("/api/1/users/{}/otp_devices", place.user(name));
        let made = place.call("POST", &path, &json!({ "factor_id": 3, "display_name": "x", "phone": number }))?;
        Some(text(&made["data"][0]["phone_number"]))
    }),
    ("v2-registration", |place, name, number| {
        let user = place.user(name);
        let path = format!("/api/2/mfa/users/{user}/registrations");
        place.call("POST", &path, &json!({ "factor_id": 2, "display_name": "x", "number": number }))?;
        Some(place.newest_target(user))
    }),
    ("smart-mfa", |place, name, number| {
        let context = json!({ "ip": "192.0.2.1", "user_agent": "x" });
        let asked = json!({ "user_identifier": name, "phone": number, "context": context });
        let user = place.call("POST", "/api/2/smart-mfa", &asked)?["user_id"].as_i64().unwrap();
        // The same number in another spelling is still theirs.
        let again = json!({ "user_identifier": name, "phone": place.phone_of(name), "context": context });
        place.call("POST", "/api/2/smart-mfa", &again).unwrap();
        Some(place.newest_target(user))
    }),
];

#[test]
fn every_door_takes_a_number_as_people_write_it() {
    let mut place = Place::new();
    for (door, hand_in) in DOORS {
        for (at, (written, canonical)) in WRITTEN.iter().enumerate() {
            let kept = hand_in(&mut place, &format!("{door}-{at}"), written);
            assert_eq!(kept.as_deref(), Some(*canonical), "{door}: {written}");
        }
        for (at, none) in NONE.iter().enumerate() {
            assert_eq!(hand_in(&mut place, &format!("{door}-none-{at}"), none), None, "{door}: {none}");
        }
    }
    // Messages are found by a number in any spelling.
    let found = place.api.expect(200, "GET", "/dev/outbox?to=%2B49%20(0)170%201234567", "");
    assert!(!found.as_array().unwrap().is_empty());
    assert_eq!(place.world.stop(), Some(0));
}

/// SEC 18, SEC 34: nothing leaves a dev world, so every country is fine, unless somebody tries a list out.
#[test]
fn a_dev_world_calls_everywhere() {
    let mut place = Place::new();
    let numbers = [
        "+14155550123",
        "+18765550123",
        "+4915112345678",
        "+358401234567",
        "+819012345678",
        "+971501234567",
        "+2348012345678",
        "+5511912345678",
        "+6421123456",
    ];
    for (at, number) in numbers.into_iter().enumerate() {
        for (factor, name) in [(2, "texted"), (3, "called")] {
            let user = place.user(&format!("{name}-{at}"));
            let asked = json!({ "factor_id": factor, "display_name": "x", "number": number });
            let path = format!("/api/1/users/{user}/otp_devices");
            assert_eq!(place.call("POST", &path, &asked).unwrap()["data"][0]["phone_number"], number);
            let user = place.user(&format!("{name}-v2-{at}"));
            place.call("POST", &format!("/api/2/mfa/users/{user}/registrations"), &asked).unwrap();
            assert_eq!(place.newest_target(user), number);
        }
    }
    let user = place.user("costly");
    let costly = json!({ "factor_id": 2, "display_name": "x", "number": "+19005550123" });
    assert_eq!(place.call("POST", &format!("/api/1/users/{user}/otp_devices"), &costly), None);
    place.world.stop();

    // With a list, another country is refused for what it is, and the operator reads of it.
    let log = place.folder.path().join("log");
    let listed = ["dev", "--messages-countries", "DE", "--messages-countries", "+44"];
    let world = Running::start_logging(&listed, std::fs::File::create(&log).unwrap());
    let mut api = world.api();
    let asked = |number: &str| json!({ "factor_id": 2, "display_name": "x", "number": number }).to_string();
    let path = "/api/2/mfa/users/1/registrations";
    let refused = api.expect(422, "POST", path, &asked("+14155550123"));
    let details = json!({ "parameters": ["phone"], "message": "number is not in an allowed country" });
    assert_eq!(refused["details"], details);
    for number in ["+4915112345678", "+447400123456"] {
        assert!(api.send("POST", path, &asked(number)).unwrap().status < 300, "{number}");
    }
    world.stop();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("messages.countries") && !log.contains("+14155550123"), "{log}");

    // A served installation lists none, and says so.
    let data = place.folder.path().join("served");
    assert!(banner_of_serve(&data, &[]).contains("messages.countries"));
    assert!(!banner_of_serve(&data, &["--messages-countries", "DE"]).contains("messages.countries"));
}

/// SEC 18, SEC 34: a country is asked for with every message, whenever the device was enrolled and whatever sends it.
#[test]
fn a_country_that_is_listed_no_more_is_sent_nothing() {
    for limits in ["off", "shipped"] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let start = |countries: &str| {
            let place = ["--data-dir", data.to_str().unwrap(), "--message-limits", limits];
            let world = Running::start(&[&["dev", "--messages-countries", countries], &place[..]].concat());
            let api = world.api();
            (world, api)
        };
        let enrolled = |factor: i64| json!({ "factor_id": factor.to_string(), "display_name": "x", "verified": true });
        let registrations = "/api/2/mfa/users/1/registrations";
        let (world, mut api) = start("US,DE");
        let sms = api.expect(201, "POST", registrations, &enrolled(2).to_string())["device_id"].clone();
        let call = api.expect(201, "POST", registrations, &enrolled(3).to_string())["device_id"].clone();
        let name = world.ready["users"][0]["username"].clone();
        let password = world.ready["users"][0]["password"].clone();
        assert_eq!(world.stop(), Some(0));

        let (world, mut api) = start("DE");
        for device in [text(&sms), text(&call)] {
            let v1 = format!("/api/1/users/1/otp_devices/{device}/trigger");
            let told = api.send("POST", &v1, "{}").unwrap();
            assert_eq!(told.status, 400, "{}", told.body);
            assert!(told.body.contains("number is not in an allowed country"), "{}", told.body);
            let asked = json!({ "device_id": device }).to_string();
            let told = api.send("POST", "/api/2/mfa/users/1/verifications", &asked).unwrap();
            assert_eq!(told.status, 422, "{}", told.body);
            let log_in = json!({ "username_or_email": name, "password": password, "subdomain": "acme" }).to_string();
            let begun = api.expect(200, "POST", "/api/1/login/auth", &log_in);
            let state_token = &begun["data"][0]["state_token"];
            let step = json!({ "state_token": state_token, "device_id": device }).to_string();
            let told = api.send("POST", "/api/1/login/verify_factor", &step).unwrap();
            assert_eq!(told.status, 400, "the factor stays needed and cannot be shown: {}", told.body);
        }
        assert_eq!(api.expect(200, "GET", "/dev/outbox", ""), json!([]), "nothing was sent");
        assert_eq!(world.stop(), Some(0));
    }
}
