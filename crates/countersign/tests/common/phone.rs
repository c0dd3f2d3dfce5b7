//! A person's phone: a real P-256 key that signs what the contract says (20), and a reader of event streams.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use domain::rules::factor::push::{PhoneAction, PushDecision, answer_text, pairing_text, request_text};
use domain::{DeviceId, UserId};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

use super::{Answer, Http};

/// The time in Unix milliseconds.
pub fn now() -> i64 {
    engine::Clock::now(&engine::clock::SystemClock).0
}

/// A phone that is paired as a device.
#[derive(Clone)]
pub struct Phone {
    pub key: SigningKey,
    pub user: i64,
    pub device: i64,
}

/// What a phone sends to be paired.
pub fn pairing(key: &SigningKey, typed: &str, signed: &str, subscription: Option<Value>) -> String {
    let public = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
    let mut body = json!({
        "code": typed,
        "public_key": BASE64URL_NOPAD.encode(&public),
        "signature": sign(key, &pairing_text(signed, &public)),
    });
    if let Some(subscription) = subscription {
        body["subscription"] = subscription;
    }
    body.to_string()
}

pub fn sign(key: &SigningKey, text: &str) -> String {
    let signature: Signature = key.sign(text.as_bytes());
    BASE64URL_NOPAD.encode(&signature.to_bytes())
}

pub fn key(n: u8) -> SigningKey {
    SigningKey::from_slice(&[n; 32]).unwrap()
}

impl Phone {
    /// Begins a registration of push, and pairs it.
    pub fn paired(api: &mut Http, user: i64, n: u8) -> Self {
        let code = begin(api, user);
        let answer = api.expect(200, "POST", "/app/pair", &pairing(&key(n), &code, &code, None));
        Self::of(&answer, n)
    }

    /// The phone of this answer to a pairing.
    pub fn of(answer: &Value, n: u8) -> Self {
        let id = |name: &str| answer[name].as_str().unwrap().parse().unwrap();
        Self { key: key(n), user: id("user"), device: id("device") }
    }

    /// What shows whose a request is. `says` is what else it says.
    pub fn shows(&self, action: PhoneAction, says: Option<&str>, signed_at: i64) -> Value {
        let text = request_text(action, (UserId(self.user), DeviceId(self.device)), says, signed_at);
        json!({
            "user": self.user.to_string(), "device": self.device.to_string(),
            "signed_at": signed_at, "signature": sign(&self.key, &text),
        })
    }

    /// Asks for what waits.
    pub fn asks(&self, http: &mut Http) -> Answer {
        http.send("POST", "/app/requests", &self.shows(PhoneAction::Requests, None, now()).to_string()).unwrap()
    }

    pub fn requests(&self, http: &mut Http) -> Vec<Value> {
        let answer = self.asks(http);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["requests"].as_array().unwrap().clone()
    }

    /// What this phone says to a request.
    pub fn says(&self, request: &Value, decision: PushDecision, digits: Option<&str>) -> Value {
        let id = request["id"].as_str().unwrap();
        let nonce = BASE64URL_NOPAD.decode(request["nonce"].as_str().unwrap().as_bytes()).unwrap();
        let text = answer_text(id.parse().unwrap(), &nonce, decision, digits, 7);
        let mut said =
            json!({ "id": id, "decision": decision.word(), "signed_at": 7, "signature": sign(&self.key, &text) });
        if let Some(digits) = digits {
            said["digits"] = json!(digits);
        }
        said
    }

    /// The state that an answer comes to.
    pub fn answers(&self, http: &mut Http, request: &Value, decision: PushDecision, digits: Option<&str>) -> String {
        let said = self.says(request, decision, digits).to_string();
        http.expect(200, "POST", "/app/answer", &said)["state"].as_str().unwrap().to_owned()
    }

    pub fn subscribes(&self, http: &mut Http, subscription: &Value) -> Answer {
        let part = |name: &str| subscription[name].as_str().unwrap_or_default().to_owned();
        let says = format!("{}\n{}\n{}", part("endpoint"), part("p256dh"), part("auth"));
        let mut body = self.shows(PhoneAction::Subscription, subscription.is_object().then_some(says.as_str()), now());
        body["subscription"] = subscription.clone();
        http.send("POST", "/app/subscription", &body.to_string()).unwrap()
    }

    /// Asks a caller's way for a prompt. The path of its verification.
    pub fn prompt(&self, api: &mut Http) -> String {
        let of = format!("/api/2/mfa/users/{}/verifications", self.user);
        let opened = api.expect(201, "POST", &of, &json!({ "device_id": self.device.to_string() }).to_string());
        format!("{of}/{}", opened["id"].as_str().unwrap())
    }
}

/// Begins a registration of push. The pairing code.
pub fn begin(api: &mut Http, user: i64) -> String {
    let asked = r#"{"factor_id":"1","display_name":"Phone"}"#;
    let begun = api.expect(201, "POST", &format!("/api/2/mfa/users/{user}/registrations"), asked);
    begun["factor_data"]["verification_token"].as_str().unwrap_or_else(|| panic!("{begun}")).to_owned()
}

/// The body of `POST /app/events` for these phones.
pub fn listens(phones: &[&Phone]) -> String {
    let phones: Vec<_> = phones.iter().map(|phone| phone.shows(PhoneAction::Events, None, now())).collect();
    json!({ "phones": phones }).to_string()
}

/// An event stream.
pub struct Events {
    lines: BufReader<TcpStream>,
}

impl Events {
    pub fn open(address: &str, phones: &[&Phone]) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let body = listens(phones);
        let head = format!("POST /app/events HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n", body.len());
        stream.write_all(format!("{head}content-type: application/json\r\n\r\n{body}").as_bytes()).unwrap();
        let mut events = Self { lines: BufReader::new(stream) };
        let status = events.line().unwrap();
        assert!(status.contains(" 200 "), "{status}");
        while events.line().is_some_and(|line| !line.is_empty()) {}
        events
    }

    /// The next line; `None` at the end.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// The next event and its data; `None` once the stream is over, or nothing came for ten seconds.
    pub fn next(&mut self) -> Option<(String, Value)> {
        loop {
            // The last chunk is empty; the connection stays open.
            let line = self.line().filter(|line| line != "0")?;
            if let Some(name) = line.strip_prefix("event: ") {
                let name = name.to_owned();
                let data = self.line()?;
                let data = data.strip_prefix("data: ").unwrap_or_else(|| panic!("no data: {data}"));
                return Some((name, serde_json::from_str(data).unwrap()));
            }
        }
    }

    /// How many requests the next event shows.
    pub fn waiting(&mut self) -> Option<usize> {
        let (name, data) = self.next()?;
        assert_eq!(name, "requests", "{data}");
        data["requests"].as_array().map(Vec::len)
    }
}
