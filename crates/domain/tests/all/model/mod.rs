//! What the suites share: a database without one, a scene with one user, and credentials.

mod database;
mod scene;

use std::collections::BTreeMap;

use countersign_domain::model::audit::Actor;
use countersign_domain::model::hotp;
use countersign_domain::rules::factor::keypad::prove_keypad;
use countersign_domain::rules::factor::prove::{prove, prove_temp_token};
use countersign_domain::rules::throttle;
use countersign_domain::rules::verification::answer::{answer, answer_from_device};
use countersign_domain::rules::verification::find::{Target, find};
use countersign_domain::{
    AuditEvent, AuditKind, Challenge, Change, ClientId, Credential, Decision, Device, DeviceId, DeviceStatus, Digest,
    Evidence, FactorKind, FactorResponse, Heard, KeyedDigits, KeyedHash, MacKeys, Message, MessageId, Outcome, OwnKey,
    Purpose, Reason, Rule, Sealed, Secret, SecretMac, SecretMark, Session, SessionEnd, SessionId, SessionKind, Status,
    TempToken, Throttle, ThrottleKey, Timestamp, TokenSet, User, UserId, Verification, VerificationId, View,
};

pub(crate) use database::Database;
pub(crate) use scene::Scene;

/// A Tuesday in 2025.
pub(crate) const START: Timestamp = Timestamp(1_750_000_000_000);

/// The server's key for short codes.
pub(crate) fn keys() -> MacKeys {
    MacKeys::new(vec![(1, Secret::new(vec![7; 32]))])
}

/// The installation's own key.
pub(crate) fn own_key() -> OwnKey {
    OwnKey::new([8; 32])
}

/// A caller without a name.
pub(crate) fn context() -> Actor {
    Actor { client: Some(ClientId(1)), request: Some("request-1".into()), ..Actor::default() }
}

/// The refusal of this lock.
pub(crate) fn locked(by: Rule, until: Option<Timestamp>) -> Outcome {
    Outcome::Refused(Reason::Locked { by, until })
}

/// When answers with this device are evaluated again, if they are not now.
pub(crate) fn locked_until(view: &View, device: Option<DeviceId>, now: Timestamp) -> Option<Timestamp> {
    throttle::lock(view, device, now).map(|(_, until)| until)
}

/// A caller that may only look (SEC 95).
pub(crate) fn reader() -> Actor {
    Actor { client: Some(ClientId(2)), right: countersign_domain::Right::Look, ..Actor::default() }
}

/// "Sealed": legible, since nothing here judges sealing.
pub(crate) fn seal(credential: &Credential) -> Sealed {
    Sealed(serde_json::to_vec(credential).expect("a credential is JSON"))
}

/// The inverse of [`seal`].
pub(crate) fn unseal(device: &Device) -> Credential {
    serde_json::from_slice(&device.credential.0).expect("a credential is JSON")
}

/// What typed answers are compared with, kept as [`seal`] has left it.
pub(crate) struct Legible(pub(crate) MacKeys);

impl countersign_domain::rules::verification::judge::Secrets for Legible {
    type Error = std::convert::Infallible;

    fn credential(&self, device: &Device) -> Result<Credential, Self::Error> {
        Ok(unseal(device))
    }

    fn keys(&self) -> &MacKeys {
        &self.0
    }
}

/// A verification id drawn as number `n`.
pub(crate) fn verification_id(n: u64) -> VerificationId {
    VerificationId(uuid::Uuid::from_u128(u128::from(n) | 0x4000_8000_0000_0000_0000))
}

/// A session id drawn as number `n`.
pub(crate) fn session_id(n: u64) -> SessionId {
    SessionId(verification_id(n).0)
}

/// A digest of something long and random.
pub(crate) fn digest(n: u64) -> Digest {
    Digest::of(&n.to_be_bytes())
}

/// A pending verification of one device.
pub(crate) fn pending(n: u64, device: &Device, challenge: Challenge, now: Timestamp, ttl: i64) -> Verification {
    let id = verification_id(n);
    let purpose = match device.status {
        DeviceStatus::Registering | DeviceStatus::Pending => Purpose::Enrol,
        DeviceStatus::Active | DeviceStatus::Disabled => Purpose::Login,
    };
    Verification {
        id,
        wire_id: id.to_string(),
        user_id: device.user_id,
        device_id: device.id,
        purpose,
        challenge,
        status: Status::NEW,
        state_token: None,
        client_id: None,
        created_at: now,
        expires_at: now.plus(ttl),
    }
}

/// A queued message about a verification.
pub(crate) fn message(verification: &Verification, factor: FactorKind) -> Option<Message> {
    factor.channel().map(|channel| Message {
        id: MessageId(1),
        user_id: verification.user_id,
        device_id: Some(verification.device_id),
        verification_id: verification.id,
        channel,
        content: Sealed(vec![1]),
        created_at: verification.created_at,
        not_after: verification.expires_at,
        charge: None,
    })
}

/// A live temporary token and its hash.
pub(crate) fn temp_token(user: UserId, digits: &str, reusable: bool, expires_at: Timestamp) -> TempToken {
    let hash: KeyedHash = keys().hash(&countersign_domain::model::temp_token::context(user), digits);
    TempToken { hash, expires_at, reusable, used_at: None }
}

/// A TOTP credential; different for each `n`.
pub(crate) fn totp(n: u8) -> Credential {
    Credential::Totp(countersign_domain::model::totp::Totp::with_secret(Secret::new(vec![n; 20])))
}

/// A HOTP credential.
pub(crate) fn hotp(n: u8) -> Credential {
    Credential::Hotp(hotp::Hotp { secret: Secret::new(vec![n; 20]), digits: 6 })
}

/// A telephone that takes text messages.
pub(crate) fn sms() -> Credential {
    Credential::Sms { phone: "+14155550123".to_owned() }
}

/// A telephone that takes calls.
pub(crate) fn voice() -> Credential {
    Credential::Voice { phone: "+14155550123".to_owned() }
}

/// What digits prove that are keyed into the telephone of [`voice`].
pub(crate) fn keyed(asked: &Verification, digits: &str) -> Evidence {
    let keyed = KeyedDigits { to: "+14155550123".to_owned(), digits: FactorResponse::typed(digits) };
    prove_keypad(&voice(), asked, &keyed, &keys()).expect("its own number").evidence()
}

pub(crate) fn email() -> Credential {
    Credential::Email { address: "ana@example.com".to_owned() }
}

/// The v1 door to a device, without a state token.
pub(crate) fn device_door(device: DeviceId) -> Target {
    Target::Device { device, state_token: None }
}

/// The v1 door with the state token of a verification.
pub(crate) fn token_door(verification: &Verification) -> Target {
    Target::Device { device: verification.device_id, state_token: verification.state_token }
}

/// The v2 door to a verification.
pub(crate) fn wire_door(verification: &Verification) -> Target {
    Target::Wire { wire_id: verification.wire_id.clone(), purpose: verification.purpose, device: None }
}

/// Everything is offered and message limits are on.
pub(crate) fn policy() -> countersign_domain::Policy {
    countersign_domain::Policy {
        sign_in: countersign_domain::SignInPolicy::default(),
        factors: FactorKind::ALL.to_vec(),
        countries: countersign_domain::Countries::of(["+1"]).expect("a prefix"),
        message_limits: true,
        sends: countersign_domain::SendLimits::default(),
        issuer: "acme".to_owned(),
        ..countersign_domain::Policy::default()
    }
}

/// Accepted, whatever the details.
pub(crate) fn is_accepted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Accepted { .. })
}

/// A push key.
pub(crate) fn signing_key(n: u64) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&Digest::of(&n.to_be_bytes()).0).expect("a scalar, but for bad luck")
}

/// The public half as a phone sends it.
pub(crate) fn public_key(key: &p256::ecdsa::SigningKey) -> Vec<u8> {
    key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
}

/// An ES256 signature as a phone makes it.
pub(crate) fn sign(key: &p256::ecdsa::SigningKey, text: &str) -> Vec<u8> {
    use p256::ecdsa::signature::Signer;
    let signature: p256::ecdsa::Signature = key.sign(text.as_bytes());
    signature.to_bytes().to_vec()
}

/// A paired phone.
pub(crate) fn push(key: &p256::ecdsa::SigningKey) -> Credential {
    Credential::Push { public_key: Some(public_key(key)) }
}
