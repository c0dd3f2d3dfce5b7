//! Who we are to push services (RFC 8292): a key pair, and tokens that it signs. Browsers bind their subscriptions to the
//! public key, so an installation has one pair for as long as it lives.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use domain::Timestamp;
use domain::model::time::{HOUR, SECOND};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde::Serialize;

/// How long a token is good for, in milliseconds. More than a day is refused (RFC 8292, 2).
const TOKEN_TTL: i64 = 12 * HOUR;
/// How long before its end a token is replaced, in milliseconds.
const MARGIN: i64 = HOUR;
/// Origins whose tokens are kept. Phones choose hosts below the names of some push services.
const KEPT: usize = 256;

/// The key pair of an installation, with which it signs what it sends to push services.
pub struct VapidKey {
    key: SigningKey,
    public: String,
}

impl VapidKey {
    /// The pair of this secret: a number from 1 to below the order of P-256, big endian. `None` for any other.
    pub fn of(secret: &[u8; 32]) -> Option<Self> {
        let key = SigningKey::from_slice(secret).ok()?;
        let public = BASE64URL_NOPAD.encode(key.verifying_key().to_sec1_point(false).as_bytes());
        Some(Self { key, public })
    }

    /// The public key as browsers take it (`applicationServerKey`): an uncompressed point in base64url.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The header `Authorization` for an origin, from this moment on.
    fn authorization(&self, origin: &str, contact: Option<&str>, now: Timestamp) -> Option<String> {
        let claims = Claims { aud: origin, exp: now.plus(TOKEN_TTL).0 / SECOND, sub: contact };
        let encoded = |json: &[u8]| BASE64URL_NOPAD.encode(json);
        let signed =
            format!("{}.{}", encoded(br#"{"typ":"JWT","alg":"ES256"}"#), encoded(&serde_json::to_vec(&claims).ok()?));
        let signature: Signature = self.key.sign(signed.as_bytes());
        Some(format!("vapid t={signed}.{}, k={}", encoded(&signature.to_bytes()), self.public))
    }
}

/// The secret half is never shown.
impl std::fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VapidKey").field("public", &self.public).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    /// When the token ends, in Unix seconds.
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
}

/// Where a provider finds its key pair. It is empty until the installation's database is open.
#[derive(Debug, Default)]
pub struct VapidSlot(OnceLock<VapidKey>);

impl VapidSlot {
    /// Puts the pair there. One that is there already stays.
    pub fn put(&self, key: VapidKey) {
        let _ = self.0.set(key);
    }

    /// The pair, once it is there.
    pub fn get(&self) -> Option<&VapidKey> {
        self.0.get()
    }
}

/// The tokens that are in use, by origin: one signature serves many messages.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<String, Token>>);

struct Token {
    made_at: Timestamp,
    header: String,
}

impl Tokens {
    /// The header `Authorization` for an origin. `None` if none can be made.
    pub(super) fn of(&self, key: &VapidKey, origin: &str, contact: Option<&str>, now: Timestamp) -> Option<String> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = kept.get(origin).filter(|token| is_fresh(token.made_at, now)) {
            return Some(token.header.clone());
        }
        let header = key.authorization(origin, contact, now)?;
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(origin.to_owned(), Token { made_at: now, header: header.clone() });
        Some(header)
    }
}

/// Whether a token is still used. One that was made later than now was made by a clock that was wrong.
fn is_fresh(made_at: Timestamp, now: Timestamp) -> bool {
    (0..TOKEN_TTL - MARGIN).contains(&now.since(made_at))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp(1_772_357_400_000);

    fn key() -> VapidKey {
        VapidKey::of(&[7; 32]).unwrap()
    }

    /// What a header claims, if its signature is right by another library than the one that made it.
    fn verified(header: &str) -> Option<(Value, Value)> {
        let (token, public) = header.strip_prefix("vapid t=")?.split_once(", k=")?;
        let (signed, signature) = token.rsplit_once('.')?;
        let (head, claims) = signed.split_once('.')?;
        let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes(public)?);
        public.verify(signed.as_bytes(), &bytes(signature)?).ok()?;
        let json = |text: &str| serde_json::from_slice(&bytes(text)?).ok();
        Some((json(head)?, json(claims)?))
    }

    /// RFC 8292, 2.4: the example of the standard passes here, so what passes here is what the standard means.
    #[test]
    fn the_token_of_the_standard_is_read_as_ours_are() {
        let (head, claims) = verified(
            "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1Mj\
             M3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmy\
             sazNjjvW2L9OkSSHzvoD1oA, k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs",
        )
        .unwrap();
        assert_eq!(head, json!({ "typ": "JWT", "alg": "ES256" }));
        assert_eq!(
            claims,
            json!({ "aud": "https://push.example.net", "exp": 1_453_523_768, "sub": "mailto:push@example.com" })
        );
    }

    #[test]
    fn a_token_is_for_one_origin_and_twelve_hours() {
        let contact = Some("mailto:it@example.com");
        let header = Tokens::default().of(&key(), "https://push.example.net", contact, NOW).unwrap();
        let (head, claims) = verified(&header).unwrap();
        assert_eq!(head, json!({ "typ": "JWT", "alg": "ES256" }));
        let exp = NOW.0 / SECOND + 12 * 3_600;
        assert_eq!(claims, json!({ "aud": "https://push.example.net", "exp": exp, "sub": "mailto:it@example.com" }));
        let header = Tokens::default().of(&key(), "https://push.example.net", None, NOW).unwrap();
        assert_eq!(verified(&header).unwrap().1, json!({ "aud": "https://push.example.net", "exp": exp }));
    }

    #[test]
    fn a_token_is_kept_for_its_origin_until_an_hour_before_its_end() {
        let (tokens, key) = (Tokens::default(), key());
        let exp = |origin: &str, now: Timestamp| {
            verified(&tokens.of(&key, origin, None, now).unwrap()).unwrap().1["exp"].as_i64().unwrap() * SECOND
        };
        let first = exp("https://a.example", NOW);
        assert_eq!(exp("https://a.example", NOW.plus(11 * HOUR - 1)), first);
        assert_eq!(exp("https://a.example", NOW.plus(11 * HOUR)), first + 11 * HOUR);
        assert_eq!(exp("https://b.example", NOW.plus(HOUR)), first + HOUR);
        // The clock was ahead, and is right now: a service would refuse a token that lives longer than a day.
        assert_eq!(exp("https://a.example", NOW.plus(-24 * HOUR)), first - 24 * HOUR);
    }

    #[test]
    fn as_many_origins_as_phones_choose_are_not_kept() {
        let (tokens, key) = (Tokens::default(), key());
        for n in 0..=KEPT {
            tokens.of(&key, &format!("https://{n}.push.apple.com"), None, NOW).unwrap();
        }
        assert!(tokens.0.lock().unwrap().len() <= KEPT);
    }

    #[test]
    fn a_secret_is_a_number_of_the_curve() {
        assert!(VapidKey::of(&[0; 32]).is_none());
        assert!(VapidKey::of(&[0xFF; 32]).is_none());
        let key = key();
        assert_eq!(BASE64URL_NOPAD.decode(key.public().as_bytes()).unwrap().len(), 65);
        assert_eq!(format!("{key:?}"), format!("VapidKey {{ public: {:?}, .. }}", key.public()));
    }
}
