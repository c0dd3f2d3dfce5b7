//! People, devices and secrets for the behaviours to play with. The time is always [`NOW`] unless a behaviour says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::model::audit::Actor;
use domain::model::challenge::code_context;
use domain::model::client::ClientSecret;
use domain::model::code::{Alphabet, CODE_LENGTH};
use domain::model::device::BEFORE_FIRST_COUNTER;
use domain::model::long_poll::LongPoll;
use domain::model::user_patch::UserPatch;
use domain::model::{hotp, totp};
use domain::rules::verification::answer::answer;
use domain::rules::verification::find::Target;
use domain::rules::{client, user};
use domain::*;
use tokio::sync::Barrier;

use crate::{Error, IdKind, MessageOutcome, Store};

pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);
/// An address in the networks of [`client`].
pub(crate) const HERE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 1, 2, 3));
/// How many try at once (SEC 5).
pub(crate) const RACERS: usize = 16;

pub(crate) fn keys() -> MacKeys {
    MacKeys::new(vec![(1, Secret::new(vec![1; 32]))])
}

pub(crate) fn context() -> Actor {
    Actor::default()
}

/// A value never drawn before.
pub(crate) fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub(crate) fn fresh_digest() -> Digest {
    Digest::of(&fresh().to_be_bytes())
}

pub(crate) fn text(text: &str) -> FactorResponse {
    FactorResponse::typed(text)
}

/// Applies changes without asking.
pub(crate) async fn put(store: &Store, user: UserId, changes: Vec<Change>) -> Result<(), Error> {
    store.decide(user, move |_| Decision::of(changes.clone(), ())).await
}

/// What a caller may read of a verification: its state, or nothing.
pub(crate) async fn standing(store: &Store, asked: &Verification) -> Option<Status> {
    let known = store.verification_by_wire_id(asked.user_id, &asked.wire_id, asked.purpose).await.unwrap();
    known.map(|known| known.status)
}

/// Bytes that nothing wrote.
pub(crate) async fn damage(store: &Store, user: UserId) {
    let params = vec![vec![1, 1, 9, 9].into(), user.0.into()];
    let damaged = store.change("UPDATE \"user\" SET state = $1 WHERE id = $2", params).await;
    assert_eq!(damaged, Ok(1));
}

/// The state of a user in a form that this server does not know.
pub(crate) async fn written_by_a_newer_server(store: &Store, user: UserId) {
    let state = vec![255, 1, 2, 3];
    let sum = crc32fast::hash(&state).to_be_bytes();
    let params = vec![[state, sum.to_vec()].concat().into(), user.0.into()];
    assert_eq!(store.change("UPDATE \"user\" SET state = $1 WHERE id = $2", params).await, Ok(1));
    assert!(matches!(store.view(user).await, Err(Error::Unavailable(_))));
}

/// The revoked clients who have something begun that is not ended yet.
pub(crate) async fn begun_by_revoked(store: &Store) -> Vec<ClientId> {
    let found = store.listed(crate::schema::sql::REVOKED_WITH_BEGUN, Vec::new(), crate::rows::number).await.unwrap();
    found.into_iter().map(ClientId).collect()
}

pub(crate) async fn person(store: &Store, patch: UserPatch) -> UserId {
    let id = UserId(store.next_id(IdKind::User).await.unwrap());
    store.decide(id, move |_| user::create(id, &patch, &context(), NOW)).await.unwrap().id
}

pub(crate) fn app(id: i64) -> domain::model::app::SamlApp {
    use domain::model::app::{AppId, Definition, SamlApp, Source};
    SamlApp {
        id: AppId(id),
        name: format!("app {id}"),
        definition: Definition {
            acs_url: "https://app.example/acs".to_owned(),
            audience: "https://app.example".to_owned(),
            name_id: Source::Username,
            attributes: vec![("mail".to_owned(), Source::Email)],
            aws_roles: Vec::new(),
            aws_session_ttl: None,
        },
        created_at: NOW,
    }
}

/// A webhook that receives what happens from now on.
pub(crate) async fn webhook(store: &Store) -> domain::model::webhook::Webhook {
    let webhook = domain::model::webhook::Webhook {
        id: domain::model::webhook::WebhookId(store.next_id(IdKind::Webhook).await.unwrap()),
        name: "SIEM".to_owned(),
        url: "https://siem.example/events?a=1".to_owned(),
        keys: Sealed(vec![5; 60]),
        headers: Sealed(vec![6; 60]),
        allow_private: true,
        disabled: None,
        created_at: NOW,
    };
    store.create_webhook(&webhook, &store.cursor_at_end().await.unwrap()).await.unwrap();
    webhook
}

/// A delivery that waits, not yet written down.
pub(crate) async fn delivery(
    store: &Store,
    webhook: domain::model::webhook::WebhookId,
    events: Vec<i64>,
) -> crate::WebhookDelivery {
    let id = store.next_id(IdKind::Delivery).await.unwrap();
    crate::WebhookDelivery {
        id: domain::model::webhook::DeliveryId(id),
        webhook,
        message: format!("msg_{id}"),
        events,
        status: crate::DeliveryStatus::Waiting,
        replay: false,
        attempts: 0,
        next_attempt_at: NOW,
        began_at: NOW,
        answer: None,
        created_at: NOW,
        settled_at: None,
        oldest_at: NOW,
    }
}

pub(crate) async fn somebody(store: &Store) -> UserId {
    person(store, UserPatch::default()).await
}

/// The mark of a secret that no other device has.
pub(crate) fn fresh_secret(factor: FactorKind) -> SecretMark {
    let mut mac = [0; 16];
    mac.copy_from_slice(&fresh_digest().0[..16]);
    let counts = if factor == FactorKind::Totp { Counts::Seconds(30) } else { Counts::Codes };
    SecretMark { mac: SecretMac(mac), counts }
}

/// An active device of this kind.
pub(crate) async fn device(store: &Store, user: UserId, factor: FactorKind) -> Device {
    device_in(store, user, factor, DeviceStatus::Active).await
}

pub(crate) async fn device_in(store: &Store, user: UserId, factor: FactorKind, status: DeviceStatus) -> Device {
    let device = Device {
        id: DeviceId(store.next_id(IdKind::Device).await.unwrap()),
        user_id: user,
        factor,
        display_name: "Pocket".to_owned(),
        status,
        credential: Sealed(vec![1, 2, 3]),
        secret: factor.makes_codes().then(|| fresh_secret(factor)),
        last_counter: BEFORE_FIRST_COUNTER,
        created_at: NOW,
        last_used_at: None,
        subscription: None,
    };
    put(store, user, vec![Change::CreateDevice(device.clone())]).await.unwrap();
    device
}

pub(crate) fn hotp() -> Credential {
    Credential::Hotp(hotp::Hotp { secret: Secret::new(b"12345678901234567890".to_vec()), digits: 6 })
}

pub(crate) fn hotp_code(counter: u64) -> FactorResponse {
    FactorResponse::typed(&hotp::code(
        &Secret::new(b"12345678901234567890".to_vec()),
        hotp::Algorithm::Sha1,
        counter,
        6,
    ))
}

pub(crate) fn totp() -> totp::Totp {
    totp::Totp::with_secret(Secret::new(b"12345678901234567890".to_vec()))
}

/// A pending verification of this device, not yet stored.
pub(crate) fn verification(device: &Device, challenge: impl FnOnce(VerificationId) -> Challenge) -> Verification {
    let id = VerificationId(uuid::Uuid::from_u128(u128::from(fresh())));
    Verification {
        id,
        wire_id: id.to_string(),
        user_id: device.user_id,
        device_id: device.id,
        purpose: Purpose::Login,
        challenge: challenge(id),
        status: Status::NEW,
        state_token: None,
        client_id: None,
        created_at: NOW,
        expires_at: NOW.plus(120_000),
    }
}

pub(crate) fn sent_code(code: &str) -> impl FnOnce(VerificationId) -> Challenge {
    move |id| Challenge::Code {
        hash: keys().hash(&code_context(id), code),
        length: u8::try_from(CODE_LENGTH).unwrap(),
        alphabet: Alphabet::Digits,
    }
}

pub(crate) async fn open(store: &Store, verification: &Verification) {
    put(store, verification.user_id, vec![Change::OpenVerification(verification.clone())]).await.unwrap();
}

/// A session of this user, stored.
pub(crate) async fn session(store: &Store, user: UserId, kind: SessionKind) -> Session {
    let session = Session {
        id: SessionId(uuid::Uuid::from_u128(fresh().into())),
        user_id: user,
        kind,
        token: fresh_digest(),
        client_id: None,
        created_at: NOW,
        expires_at: NOW.plus(120_000),
    };
    put(store, user, vec![Change::OpenSession(session.clone())]).await.unwrap();
    session
}

pub(crate) fn message(id: i64, verification: &Verification) -> Message {
    Message {
        id: MessageId(id),
        user_id: verification.user_id,
        device_id: Some(verification.device_id),
        verification_id: verification.id,
        channel: Channel::Sms,
        content: Sealed(vec![7; 40]),
        created_at: NOW,
        not_after: verification.expires_at,
        charge: None,
    }
}

/// That a provider took a message.
pub(crate) fn sent_by(provider: &str, unspent: i64) -> MessageOutcome {
    MessageOutcome::Sent { provider: provider.to_owned(), unspent }
}

pub(crate) async fn client(store: &Store) -> Client {
    let id = ClientId(store.next_id(IdKind::Client).await.unwrap());
    let client = Client {
        id,
        client_id: format!("{:064x}", fresh()),
        name: "Portal".to_owned(),
        scope: Scope::ManageAll,
        profile: ClientProfile::named("python4"),
        secrets: vec![ClientSecret { digest: Digest::of(b"secret"), last4: "cret".to_owned(), created_at: NOW }],
        ip_allow: vec!["10.0.0.0/8".parse().unwrap()],
        expires_at: Some(NOW.plus(1_000_000)),
        revoked_at: None,
        wrong_secrets: Vec::new(),
        created_at: NOW,
        options: ClientOptions {
            holding: LongPoll::Fixed(7_000),
            number_matching: true,
            sent_is_pending: true,
            webotp_host: WebOtpHost::parse("example.com").ok(),
        },
    };
    store.decide_client(id, None, move |_| client::create(client.clone(), NOW)).await.unwrap()
}

pub(crate) async fn token_set(store: &Store, client: ClientId) -> TokenSet {
    let row = store.next_id(IdKind::TokenRow).await.unwrap();
    TokenSet {
        access: fresh_digest(),
        refresh: fresh_digest(),
        client_id: client,
        sealed: Some(Sealed(vec![9; 50])),
        row,
        family: row,
        created_at: NOW,
        ended_at: None,
    }
}

/// All racers decide at once, each on a separate thread as far as there are threads.
pub(crate) async fn race<T, F>(store: &Store, user: UserId, racers: usize, racer: impl Fn(usize) -> F) -> Vec<T>
where
    F: Fn(&View) -> Decision<T> + Send + 'static,
    T: Send + 'static,
{
    let line = Arc::new(Barrier::new(racers));
    let running: Vec<_> = (0..racers)
        .map(|n| {
            let (store, line, decide) = (store.clone(), line.clone(), racer(n));
            tokio::spawn(async move {
                line.wait().await;
                store.decide(user, decide).await.unwrap()
            })
        })
        .collect();
    let mut replies = Vec::new();
    for racer in running {
        replies.push(racer.await.unwrap());
    }
    replies
}

/// [`RACERS`] give the same answer at once. How many were accepted.
pub(crate) async fn accepted(
    store: &Store,
    user: UserId,
    evidence: Evidence,
    target: impl Fn(usize) -> Target,
) -> usize {
    let outcomes = race(store, user, RACERS, |n| {
        let (target, evidence) = (target(n), evidence.clone());
        move |view: &View| answer(view, &target, &evidence, &context(), NOW)
    })
    .await;
    outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Accepted { .. })).count()
}
