//! What goes wrong in a dev world, as the tester of an integration brings it about and meets it over the wire.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use serde_json::{Value, json};

use crate::common::{Answer, Http, Running, pause};

struct Place {
    api: Http,
    _world: Running,
    _folder: tempfile::TempDir,
}

/// A device of a new user.
#[derive(Clone, Copy)]
struct Device {
    user: i64,
    id: i64,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = Running::dev(folder.path());
        Self { api: world.api(), _world: world, _folder: folder }
    }

    /// A new user who gets text messages at this number, or mail at this address.
    fn person(&mut self, to: &str) -> Device {
        let name = format!("tester{to}");
        let is_mail = to.contains('@');
        let user = if is_mail { json!({ "username": name, "email": to }) } else { json!({ "username": name }) };
        let user = self.api.expect(201, "POST", "/api/2/users", &user.to_string())["id"].as_i64().unwrap();
        let factor = if is_mail { 4 } else { 2 };
        let device = json!({ "factor_id": factor, "display_name": "device", "number": to, "verified": true });
        let path = format!("/api/1/users/{user}/otp_devices");
        let enrolled = self.api.expect(200, "POST", &path, &device.to_string());
        Device { user, id: enrolled["data"][0]["id"].as_i64().unwrap() }
    }

    fn trigger_v1(&mut self, Device { user, id }: Device) -> Answer {
        self.api.send("POST", &format!("/api/1/users/{user}/otp_devices/{id}/trigger"), "").unwrap()
    }

    fn trigger_v2(&mut self, Device { user, id }: Device) -> Answer {
        let body = json!({ "device_id": id }).to_string();
        self.api.send("POST", &format!("/api/2/mfa/users/{user}/verifications"), &body).unwrap()
    }

    /// Opens a verification.
    fn opened(&mut self, device: Device) -> String {
        let answer = self.trigger_v2(device);
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    fn answer(&mut self, Device { user, id }: Device, verification: &str, code: &str) {
        let path = format!("/api/2/mfa/users/{user}/verifications/{verification}");
        self.api.expect(200, "PUT", &path, &json!({ "otp": code, "device_id": id }).to_string());
    }

    /// The messages to a device, after waiting for the first.
    fn messages(&mut self, device: Device, wait: &str) -> Vec<Value> {
        let path = format!("/dev/outbox?user_id={}&wait={wait}", device.user);
        self.api.expect(200, "GET", &path, "").as_array().unwrap().clone()
    }

    /// The events of messages to a device that could not be delivered, after waiting for the first.
    fn failures(&mut self, device: Device) -> Vec<Value> {
        let path = format!("/api/1/events?event_type_id=90037&user_id={}", device.user);
        for _ in 0..100 {
            let events = self.api.expect(200, "GET", &path, "")["data"].as_array().unwrap().clone();
            if !events.is_empty() {
                return events;
            }
            pause(50);
        }
        Vec::new()
    }

    /// The words of the faults that were played on a device's messages.
    fn played(&mut self, device: Device) -> Vec<String> {
        let shown = self.api.expect(200, "GET", "/dev/faults", "");
        let of_device = shown["played"].as_array().unwrap().iter().filter(|fault| fault["user_id"] == device.user);
        of_device.map(|fault| fault["fault"].as_str().unwrap().to_owned()).collect()
    }

    fn set(&mut self, faults: &Value) -> Value {
        self.api.expect(200, "PUT", "/dev/faults", &faults.to_string())
    }

    fn advance(&mut self, seconds: i64) {
        self.api.expect(200, "PUT", "/dev/clock", &json!({ "advance_seconds": seconds }).to_string());
    }
}

#[test]
fn a_recipient_may_always_get_the_same_code() {
    let mut place = Place::new();
    for to in ["+12025550191", "known-code@example.com"] {
        let device = place.person(to);
        for _ in 0..2 {
            let verification = place.opened(device);
            place.answer(device, &verification, "123456");
        }
        let triggered = place.trigger_v1(device).json();
        let body = json!({ "otp_token": "123456", "state_token": triggered["data"][0]["state_token"] }).to_string();
        let path = format!("/api/1/users/{}/otp_devices/{}/verify", device.user, device.id);
        place.api.expect(200, "POST", &path, &body);
        let codes: Vec<_> = place.messages(device, "10s").into_iter().map(|message| message["code"].clone()).collect();
        assert!(codes.iter().all(|code| code == "123456"), "{codes:?}");
    }
}

#[test]
fn a_message_that_fails_for_good_is_an_event() {
    let mut place = Place::new();
    for (to, word) in [("+12025550192", "unreachable"), ("ana+full-mailbox@example.com", "full-mailbox")] {
        let device = place.person(to);
        place.opened(device);
        let failures = place.failures(device);
        assert_eq!(failures.len(), 1, "{to}");
        assert_eq!((&failures[0]["event_type_id"], &failures[0]["otp_device_id"]), (&json!(90037), &json!(device.id)));
        assert_eq!(place.messages(device, "0s"), Vec::<Value>::new());
        assert_eq!(place.played(device), [word]);
    }
}

#[test]
fn a_message_may_arrive_late_or_at_the_second_try_or_never() {
    let mut place = Place::new();
    let [second, late, lost] = ["+12025550193", "+12025550194", "+12025550195"].map(|to| place.person(to));
    let verification = place.opened(second);
    let code = place.messages(second, "10s")[0]["code"].as_str().unwrap().to_owned();
    assert_eq!(place.played(second), ["second-try"]);
    place.answer(second, &verification, &code);

    place.opened(lost);
    let verification = place.opened(late);
    assert_eq!(place.messages(late, "500ms"), Vec::<Value>::new());
    place.advance(9);
    let code = place.messages(late, "10s")[0]["code"].as_str().unwrap().to_owned();
    assert_eq!(place.played(late), ["late"]);
    place.answer(late, &verification, &code);

    assert_eq!(place.messages(lost, "0s"), Vec::<Value>::new());
    assert_eq!(place.played(lost), ["lost"]);
    let failed = format!("/api/1/events?event_type_id=90037&user_id={}", lost.user);
    assert_eq!(place.api.expect(200, "GET", &failed, "")["data"], json!([]), "the server cannot know");
}

#[test]
fn an_outage_of_a_channel_is_429_until_it_is_over() {
    let mut place = Place::new();
    let (phone, mail) = (place.person("+14155550123"), place.person("ana.tester@example.com"));
    place.set(&json!({ "channel": "sms", "fail": 1 }));
    // The gateway fails behind the answers, so these go out until five failures are known.
    let refused = (0..100).find_map(|_| {
        let answer = place.trigger_v1(phone);
        pause(30);
        (answer.status != 200).then_some(answer)
    });
    let challenged = place.trigger_v2(phone);
    for answer in [refused.expect("the route goes down"), challenged] {
        assert_eq!(answer.status, 429, "{}", answer.body);
        let wait: i64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=30).contains(&wait), "{wait}");
    }
    // Another factor works meanwhile.
    let verification = place.opened(mail);
    let code = place.messages(mail, "10s")[0]["code"].as_str().unwrap().to_owned();
    place.answer(mail, &verification, &code);

    place.set(&json!({ "channel": "sms", "fail": 0 }));
    assert_eq!(place.trigger_v1(phone).status, 429, "the route rests");
    place.advance(31);
    assert_eq!(place.trigger_v1(phone).status, 200);
    let verification = place.opened(phone);
    let path = format!("/dev/outbox?channel=sms&user_id={}", phone.user);
    let code = (0..100).find_map(|_| {
        let sent = place.api.expect(200, "GET", &path, "");
        let newest = sent.as_array().unwrap().iter().find(|sms| sms["verification_id"] == verification.as_str());
        let code = newest.map(|sms| sms["code"].as_str().unwrap().to_owned());
        if code.is_none() {
            pause(50);
        }
        code
    });
    place.answer(phone, &verification, &code.expect("it arrives"));
}

#[test]
fn faults_are_set_by_channel_and_a_reset_ends_them() {
    let mut place = Place::new();
    let phone = place.person("+14155550123");
    let none = json!({ "delay": "0s", "fail": 0.0 });
    assert_eq!(
        place.api.expect(200, "GET", "/dev/faults", ""),
        json!({ "channels": { "sms": none, "voice": none, "email": none, "push": none }, "played": [] })
    );
    place.set(&json!({ "channel": "sms", "delay": "60s" }));
    let shown = place.set(&json!({ "channel": "sms", "fail": 0.5 }));
    assert_eq!(shown["channels"]["sms"], json!({ "delay": "60s", "fail": 0.5 }), "what is absent keeps its value");
    assert_eq!(shown["channels"]["email"], none);
    place.set(&json!({ "channel": "sms", "fail": 0 }));
    place.opened(phone);
    assert_eq!(place.messages(phone, "300ms"), Vec::<Value>::new());
    let shown = place.api.expect(200, "GET", "/dev/faults", "");
    let fault = &shown["played"][0];
    let told = (&fault["fault"], &fault["channel"], &fault["to"]);
    assert_eq!(told, (&json!("delay"), &json!("sms"), &json!("+14155550123")));
    assert!(fault["at"].is_string() && fault["verification_id"].is_string(), "{fault}");

    place.api.expect(200, "POST", "/dev/reset", "");
    let shown = place.api.expect(200, "GET", "/dev/faults", "");
    assert_eq!((&shown["channels"]["sms"], &shown["played"]), (&none, &json!([])));
    place.advance(61);
    assert_eq!(place.messages(phone, "500ms"), Vec::<Value>::new(), "what was under way is gone");
}
