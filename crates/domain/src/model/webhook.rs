//! Webhooks: where events are posted, and how calls are signed (Standard Webhooks 1.0).

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::model::outbound::OutboundFault;
use crate::model::seal::{Place, Sealed};
use crate::model::secret::Secret;
use crate::model::time::{DAY, Timestamp};

/// A webhook's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WebhookId(pub i64);

/// The id of a delivery's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(pub i64);

/// Most events in one call.
pub const MOST_EVENTS: usize = 100;
/// Length of a signing key that we make, in bytes; the specification allows 24 to 64.
pub const KEY_LENGTH: usize = 32;
/// How long the log of deliveries is kept, in milliseconds.
pub const KEEP_DELIVERIES: i64 = 7 * DAY;

/// A receiver of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    /// A name for people.
    pub name: String,
    /// Where events are posted.
    pub url: String,
    /// [`WebhookKeys`], sealed for [`Self::keys_place`].
    pub keys: Sealed,
    /// [`Headers`], sealed for [`Self::headers_place`]: they tend to hold tokens.
    pub headers: Sealed,
    /// Whether it may be in the installation's own network, if the installation allows that at all.
    pub allow_private: bool,
    /// Since when and why deliveries are paused.
    pub disabled: Option<(Timestamp, DisableReason)>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Webhook {
    /// Where the signing keys belong.
    pub fn keys_place(id: WebhookId) -> Place<'static> {
        Place { table: "webhook", column: "keys", row: id.0, owner: 0 }
    }

    /// Where the headers belong.
    pub fn headers_place(id: WebhookId) -> Place<'static> {
        Place { table: "webhook", column: "headers", row: id.0, owner: 0 }
    }
}

/// Why deliveries to a webhook are paused. The names are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisableReason {
    /// An operator said so.
    Operator,
    /// It answered 410: it wants no more events.
    Gone,
}

impl DisableReason {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Gone => "gone",
        }
    }

    /// The reason of this stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Operator, Self::Gone].into_iter().find(|reason| reason.name() == name)
    }
}

/// Headers that a receiver asks for besides ours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Headers(pub Vec<(String, String)>);

/// Most headers of a webhook, and most bytes of one.
const MOST_HEADERS: usize = 20;
const LONGEST_HEADER: usize = 2_048;
/// Headers that are ours or the connection's to set.
const OUR_HEADERS: [&str; 9] =
    ["host", "content-length", "content-type", "transfer-encoding", "connection", "te", "trailer", "upgrade", "expect"];

impl Headers {
    /// What is wrong with them, if anything is.
    pub fn fault(&self) -> Option<&'static str> {
        if self.0.len() > MOST_HEADERS {
            return Some("a webhook has at most 20 additional headers");
        }
        for (name, value) in &self.0 {
            let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty() || !name.bytes().all(token) {
                return Some("a header is written as `Name: value`");
            }
            let lower = name.to_ascii_lowercase();
            if OUR_HEADERS.contains(&lower.as_str()) || lower.starts_with("webhook-") {
                return Some("this header is set by the server itself");
            }
            if name.len() + value.len() > LONGEST_HEADER || !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                return Some("a header's value is at most 2,048 plain characters");
            }
        }
        None
    }
}

/// A key that calls are signed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookKey {
    pub key: Secret,
    /// Until when it signs beside a newer one; the newest has no end.
    pub until: Option<Timestamp>,
}

/// A webhook's keys, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WebhookKeys(Vec<WebhookKey>);

impl WebhookKeys {
    /// A list with this one key.
    pub fn new(key: Secret) -> Self {
        Self(vec![WebhookKey { key, until: None }])
    }

    /// Puts a new key in front. The one before signs for so many more milliseconds, and no older one any more, so that no
    /// call carries more than two signatures.
    pub fn rotate(&mut self, key: Secret, overlap: i64, now: Timestamp) {
        self.0.truncate(1);
        for old in &mut self.0 {
            old.until = Some(now.plus(overlap.max(0)));
        }
        self.0.insert(0, WebhookKey { key, until: None });
    }

    /// The value of `webhook-signature`: one signature for each key that signs at `now`, separated by spaces.
    pub fn signatures(&self, message: &str, now: Timestamp, body: &[u8]) -> String {
        let live = self.0.iter().filter(|key| key.until.is_none_or(|until| now < until));
        let signed: Vec<_> = live.map(|key| sign(&key.key, message, now.unix_seconds(), body)).collect();
        signed.join(" ")
    }
}

/// A key as receivers are given it: `whsec_` and Base64.
pub fn shown_key(key: &Secret) -> String {
    format!("whsec_{}", data_encoding::BASE64.encode(key.expose()))
}

/// A signature of Standard Webhooks 1.0: `v1,` and the Base64 of HMAC-SHA256 over `id.timestamp.body`, the timestamp in
/// seconds.
pub fn sign(key: &Secret, message: &str, seconds: i64, body: &[u8]) -> String {
    let mut hmac = keyed(key);
    hmac.update(format!("{message}.{seconds}.").as_bytes());
    hmac.update(body);
    format!("v1,{}", data_encoding::BASE64.encode(&hmac.finalize().into_bytes()))
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn keyed(key: &Secret) -> Hmac<Sha256> {
    Hmac::new_from_slice(key.expose()).expect("HMAC takes keys of any length")
}

/// The id of an event that receivers tell repetitions by: the same in every call and on every node, and another one in
/// another installation, since the entry's hash is part of it.
pub fn event_uuid(account: i64, event: i64, hash: &[u8; 32]) -> Uuid {
    let mut digest = Sha256::new();
    digest.update(b"countersign event v1");
    digest.update(account.to_be_bytes());
    digest.update(event.to_be_bytes());
    digest.update(hash);
    let digest: [u8; 32] = digest.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // Version 8 of RFC 9562: made of what the maker knows.
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// What a call ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookAnswer {
    /// This HTTP status.
    Status(u16),
    Fault(OutboundFault),
}

impl std::fmt::Display for WebhookAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status) => write!(f, "HTTP {status}"),
            Self::Fault(fault) => f.write_str(fault.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::HOUR;

    fn key(byte: u8) -> Secret {
        Secret::new(vec![byte; KEY_LENGTH])
    }

    /// The vector of the specification's reference libraries (github.com/standard-webhooks/standard-webhooks, `libraries`).
    #[test]
    fn a_signature_is_the_one_of_the_reference_libraries() {
        let key = Secret::new(data_encoding::BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap());
        let signed = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(shown_key(&key), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    }

    #[test]
    fn two_keys_sign_while_a_rotation_overlaps() {
        let now = Timestamp(1_700_000_000_000);
        let mut keys = WebhookKeys::new(key(1));
        keys.rotate(key(2), HOUR, now);
        let both = keys.signatures("m", now, b"x");
        let (new, old) = both.split_once(' ').unwrap();
        let at = now.unix_seconds();
        assert_eq!((new, old), (sign(&key(2), "m", at, b"x").as_str(), sign(&key(1), "m", at, b"x").as_str()));
        assert!(!keys.signatures("m", now.plus(HOUR), b"x").contains(' '));
        // A second rotation ends the first key at once.
        keys.rotate(key(3), HOUR, now);
        assert_eq!(keys.signatures("m", now, b"x").split(' ').count(), 2);
        assert!(!keys.signatures("m", now, b"x").contains(&sign(&key(1), "m", at, b"x")));
        keys.rotate(key(4), 0, now);
        assert_eq!(keys.signatures("m", now, b"x"), sign(&key(4), "m", at, b"x"));
    }

    #[test]
    fn an_events_id_is_its_own_and_stays() {
        let id = event_uuid(1, 2, &[3; 32]);
        assert_eq!(id, event_uuid(1, 2, &[3; 32]));
        assert_eq!((id.get_version_num(), id.to_string().len()), (8, 36));
        for other in [event_uuid(2, 2, &[3; 32]), event_uuid(1, 3, &[3; 32]), event_uuid(1, 2, &[4; 32])] {
            assert_ne!(id, other);
        }
    }

    #[test]
    fn headers_cannot_break_out_of_their_line_or_pretend_to_be_ours() {
        let fault = |name: &str, value: &str| Headers(vec![(name.to_owned(), value.to_owned())]).fault();
        assert_eq!(fault("Authorization", "Bearer abc.def-1"), None);
        assert_eq!(fault("X-Tenant", ""), None);
        for (name, value) in [
            ("", "x"),
            ("a b", "x"),
            ("x", "a\r\nb: c"),
            ("x", "ü"),
            ("Host", "x"),
            ("Content-Length", "1"),
            ("Webhook-Signature", "v1,x"),
        ] {
            assert!(fault(name, value).is_some(), "{name}: {value}");
        }
        assert!(fault("x", &"y".repeat(3_000)).is_some());
        for fault in OutboundFault::ALL {
            assert_eq!(OutboundFault::from_name(fault.name()), Some(fault));
        }
        assert_eq!(DisableReason::from_name("gone"), Some(DisableReason::Gone));
    }
}
