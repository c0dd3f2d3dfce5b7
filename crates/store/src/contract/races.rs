//! Every single-use thing has many who want to use it at once, and one who does (SEC 1, SEC 5).

use std::sync::Arc;

use domain::model::challenge::code_context;
use domain::model::session::Terms;
use domain::model::temp_token;
use domain::model::user_patch::UserPatch;
use domain::rules::basis::Basis;
use domain::rules::client::{self, Grant};
use domain::rules::factor::keypad::prove_keypad;
use domain::rules::factor::link::{LinkDecision, prove_link};
use domain::rules::factor::prove::{prove, prove_temp_token};
use domain::rules::factor::push::{
    PAIRING_CONTEXT, PushAnswer, PushDecision, answer_text, pairing_text, prove_answer, prove_pairing,
};
use domain::rules::sign_in::{self, DrawnGrant, Exchanged, Stepped};
use domain::rules::user;
use domain::rules::verification::answer::{answer, answer_from_device};
use domain::rules::verification::find::Target;
use domain::rules::verification::judge::Secrets;
use domain::*;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use tokio::sync::Barrier;

use super::world::*;
use crate::Store;

pub(crate) async fn one_log_in_name_belongs_to_one_user(store: &Store) {
    let (line, other) = (Arc::new(Barrier::new(RACERS)), somebody(store).await);
    let racers: Vec<_> = (0..RACERS)
        .map(|n| {
            let (store, line) = (store.clone(), line.clone());
            tokio::spawn(async move {
                // As a user name or as an address, and each spelled in another way.
                let name = ["jörg@x.example", "JO\u{308}RG@x.example", " Jörg@X.example"][n % 3].to_owned();
                let patch = match n % 2 {
                    0 => UserPatch { username: Some(Some(name)), ..UserPatch::default() },
                    _ => UserPatch { email: Some(Some(name)), ..UserPatch::default() },
                };
                let id = UserId(store.next_id(crate::IdKind::User).await.unwrap());
                line.wait().await;
                // One who is here already wants it too.
                if n == 0 {
                    let decide = move |view: &View| user::update(view, &patch, &context(), NOW);
                    return store.decide(other, decide).await.map(|_| ());
                }
                store.decide(id, move |_| user::create(id, &patch, &context(), NOW)).await.map(|_| ())
            })
        })
        .collect();
    let mut won = 0;
    for racer in racers {
        match racer.await.unwrap() {
            Ok(()) => won += 1,
            Err(refused) => assert!(matches!(refused, crate::Error::Conflict(_)), "{refused}"),
        }
    }
    assert_eq!(won, 1);
    assert!(store.user_by_login("jörg@x.example").await.unwrap().is_some());
}

pub(crate) async fn an_hotp_code_is_accepted_once(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Hotp).await;
    let evidence = prove(&hotp(), &device, None, &hotp_code(3), &keys(), NOW);
    let target = |_| Target::Device { device: device.id, state_token: None };
    assert_eq!(accepted(store, user, evidence, target).await, 1);
    assert_eq!(store.view(user).await.unwrap().devices[0].last_counter, 3);
}

pub(crate) async fn a_totp_code_is_accepted_once(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Totp).await;
    let response = FactorResponse::typed(&totp().code(NOW));
    let evidence = prove(&Credential::Totp(totp()), &device, None, &response, &keys(), NOW);
    // Two doors that need no verification.
    let target = |n| match n % 2 {
        0 => Target::Device { device: device.id, state_token: None },
        _ => Target::OwnCodes(device.id),
    };
    assert_eq!(accepted(store, user, evidence, target).await, 1);
    assert_eq!(store.view(user).await.unwrap().devices[0].last_counter, totp().step(NOW));
}

pub(crate) async fn a_sent_code_is_accepted_once(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Sms).await;
    let sent = verification(&device, sent_code("123456"));
    open(store, &sent).await;
    let sms = Credential::Sms { phone: "+14155550123".to_owned() };
    let evidence = prove(&sms, &device, Some(&sent), &text("123456"), &keys(), NOW);
    let target = |_| Target::Wire { wire_id: sent.wire_id.clone(), purpose: Purpose::Login, device: None };
    assert_eq!(accepted(store, user, evidence, target).await, 1);
}

pub(crate) async fn a_code_is_accepted_at_one_door_only(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Sms).await;
    let state_token = fresh_digest();
    let sent = Verification { state_token: Some(state_token), ..verification(&device, sent_code("123456")) };
    open(store, &sent).await;
    let sms = Credential::Sms { phone: "+14155550123".to_owned() };
    let evidence = prove(&sms, &device, Some(&sent), &text("123456"), &keys(), NOW);
    let target = |n| match n % 3 {
        0 => Target::Device { device: device.id, state_token: Some(state_token) },
        1 => Target::Wire { wire_id: sent.wire_id.clone(), purpose: Purpose::Login, device: Some(device.id) },
        _ => Target::Newest,
    };
    assert_eq!(accepted(store, user, evidence, target).await, 1);
}

fn phone() -> (SigningKey, Vec<u8>) {
    let key = SigningKey::from_slice(&[7; 32]).unwrap();
    let public = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
    (key, public)
}

fn sign(key: &SigningKey, text: &str) -> Vec<u8> {
    let signature: Signature = key.sign(text.as_bytes());
    signature.to_bytes().to_vec()
}

fn prompt(_: VerificationId) -> Challenge {
    Challenge::Approval { nonce: Secret::new(vec![5; 32]), numbers: vec![], asked: AskedFrom::default() }
}

/// A signed accept.
fn approval(prompt: &Verification) -> Heard {
    let (key, public) = phone();
    let signature = sign(&key, &answer_text(prompt.id, &[5; 32], PushDecision::Accept, None, NOW.0));
    let answer = PushAnswer { decision: PushDecision::Accept, digits: None, signed_at: NOW.0, signature };
    prove_answer(&Credential::Push { public_key: Some(public) }, prompt, &answer, &keys())
}

/// How many of [`RACERS`] phones or telephones were heard.
async fn heard(store: &Store, asked: &Verification, answer: &Heard, credential: Option<Sealed>) -> usize {
    let outcomes = race(store, asked.user_id, RACERS, |_| {
        let (answer, credential) = (answer.clone(), credential.clone());
        move |view: &View| answer_from_device(view, &answer, credential.as_ref(), &context(), NOW)
    })
    .await;
    outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Accepted { .. })).count()
}

pub(crate) async fn an_approval_is_accepted_once(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Push).await;
    let asked = verification(&device, prompt);
    open(store, &asked).await;
    assert_eq!(heard(store, &asked, &approval(&asked), None).await, 1);
}

pub(crate) async fn keyed_digits_are_accepted_once(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Voice).await;
    let asked = verification(&device, |id| Challenge::Keypad { hash: keys().hash(&code_context(id), "246810") });
    open(store, &asked).await;
    let credential = Credential::Voice { phone: "+14155550123".to_owned() };
    let keyed = KeyedDigits { to: "+14155550123".to_owned(), digits: FactorResponse::typed("246810") };
    let keyed = prove_keypad(&credential, &asked, &keyed, &keys()).unwrap();
    assert_eq!(heard(store, &asked, &keyed, None).await, 1);
}

/// Half of them open the link, the others type the code of the same mail.
pub(crate) async fn a_link_or_its_code_is_accepted_once(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Email).await;
    let token = fresh_digest();
    let link = |id| {
        let code = Some(keys().hash(&code_context(id), "123456"));
        Challenge::Link(LinkChallenge { token, code, redirect_to: None, asked: AskedFrom::default() })
    };
    let asked = verification(&device, link);
    open(store, &asked).await;
    let confirmed = prove_link(&asked, &token, LinkDecision::Confirm);
    let email = Credential::Email { address: "ana@example.com".to_owned() };
    let typed = prove(&email, &device, Some(&asked), &text("123456"), &keys(), NOW);
    let target = Target::Wire { wire_id: asked.wire_id.clone(), purpose: Purpose::Login, device: None };
    let outcomes = race(store, user, RACERS, |n| {
        let (confirmed, typed, target) = (confirmed.clone(), typed.clone(), target.clone());
        move |view: &View| match n % 2 {
            0 => answer_from_device(view, &confirmed, None, &context(), NOW),
            _ => answer(view, &target, &typed, &context(), NOW),
        }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Accepted { .. })).count(), 1);
}

pub(crate) async fn a_phone_is_paired_once(store: &Store) {
    let user = somebody(store).await;
    let device = device_in(store, user, FactorKind::Push, DeviceStatus::Registering).await;
    let asked = Verification {
        purpose: Purpose::Enrol,
        ..verification(&device, |_| Challenge::Pairing { hash: keys().hash(PAIRING_CONTEXT, "ABCD2345") })
    };
    open(store, &asked).await;
    let (key, public) = phone();
    let signature = sign(&key, &pairing_text("ABCD2345", &public));
    let paired = prove_pairing(&asked, "ABCD2345", &public, &signature, &keys());
    assert_eq!(heard(store, &asked, &paired, Some(Sealed(vec![4; 60]))).await, 1);
    let paired = store.view(user).await.unwrap().devices.remove(0);
    assert_eq!((paired.status, paired.credential), (DeviceStatus::Active, Sealed(vec![4; 60])));
}

async fn temporary(store: &Store, user: UserId, reusable: bool) -> Evidence {
    let token = TempToken {
        hash: keys().hash(&temp_token::context(user), "12345678"),
        expires_at: NOW.plus(1),
        reusable,
        used_at: None,
    };
    put(store, user, vec![Change::SetTempToken(user, Some(token.clone()))]).await.unwrap();
    prove_temp_token(user, Some(&token), &text("12345678"), &keys())
}

pub(crate) async fn a_temporary_token_is_accepted_once(store: &Store) {
    let user = somebody(store).await;
    let evidence = temporary(store, user, false).await;
    assert_eq!(accepted(store, user, evidence, |_| Target::TempToken).await, 1);
}

pub(crate) async fn a_reusable_temporary_token_is_accepted_each_time(store: &Store) {
    let user = somebody(store).await;
    let evidence = temporary(store, user, true).await;
    assert_eq!(accepted(store, user, evidence, |_| Target::TempToken).await, RACERS);
}

pub(crate) async fn an_accepted_push_is_collected_once(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Push).await;
    let state_token = fresh_digest();
    let asked = Verification { state_token: Some(state_token), ..verification(&device, prompt) };
    open(store, &asked).await;
    assert_eq!(heard(store, &asked, &approval(&asked), None).await, 1);
    let target = |_| Target::Device { device: device.id, state_token: Some(state_token) };
    assert_eq!(accepted(store, user, Evidence::Absent, target).await, 1);
    assert!(store.view(user).await.unwrap().verifications.is_empty(), "nobody needs to see it any more");
}

pub(crate) async fn many_refreshes_one_successor(store: &Store) {
    let client = client(store).await.id;
    let old = token_set(store, client).await;
    let stored = old.clone();
    store
        .decide_client(client, None, move |_| Decision::reply(()).with(Change::CreateTokenSet(stored.clone())))
        .await
        .unwrap();
    let line = Arc::new(Barrier::new(RACERS));
    let mut running = Vec::new();
    for _ in 0..RACERS {
        let (store, line, refresh, access) = (store.clone(), line.clone(), old.refresh, old.access);
        let fresh = token_set(&store, client).await;
        running.push(tokio::spawn(async move {
            line.wait().await;
            let decide = move |view: &ClientView| client::refresh(view, &refresh, HERE, &fresh, &context(), NOW);
            store.decide_client(client, Some(access), decide).await.unwrap()
        }));
    }
    let mut granted = Vec::new();
    for racer in running {
        let Grant::Granted(set) = racer.await.unwrap() else { panic!("refused") };
        granted.push(set);
    }
    // Each of them holds the same pair, and gets the same one for it.
    granted.dedup();
    assert_eq!(granted.len(), 1);
    let (set, _) = store.token(granted[0].access).await.unwrap().unwrap();
    assert!(set.ended_at.is_none() && set.sealed.is_some());
    let (old, _) = store.token(old.access).await.unwrap().unwrap();
    assert_eq!(old.ended_at, None, "nobody's token ends by a refresh");
}

pub(crate) async fn an_enrolment_is_confirmed_once(store: &Store) {
    let user = somebody(store).await;
    let device = device_in(store, user, FactorKind::Hotp, DeviceStatus::Registering).await;
    let asked = Verification { purpose: Purpose::Enrol, ..verification(&device, |_| Challenge::Own) };
    open(store, &asked).await;
    let evidence = prove(&hotp(), &device, Some(&asked), &hotp_code(0), &keys(), NOW);
    let target = |_| Target::Wire { wire_id: asked.wire_id.clone(), purpose: Purpose::Enrol, device: None };
    assert_eq!(accepted(store, user, evidence, target).await, 1);
    let active = store.view(user).await.unwrap().devices.remove(0);
    assert_eq!((active.status, active.last_counter), (DeviceStatus::Active, 0), "the confirming code is spent too");
}

/// A user with a password and something of the log-in flow that waits, with its token.
async fn signing_in(store: &Store, kind: SessionKind) -> (UserId, Device, Digest) {
    let user = somebody(store).await;
    let patch = UserPatch { password_hash: Some("$argon2id$x".to_owned()), ..UserPatch::default() };
    store.decide(user, move |view| user::update(view, &patch, &context(), NOW)).await.unwrap();
    let device = device(store, user, FactorKind::Totp).await;
    let token = session(store, user, kind).await.token;
    (user, device, token)
}

fn fresh_id() -> SessionId {
    SessionId(uuid::Uuid::from_u128(fresh().into()))
}

fn drawn_grant() -> DrawnGrant {
    DrawnGrant { session: fresh_id(), session_token: fresh_digest(), browser: fresh_id(), origins: Vec::new() }
}

/// Every device's credential is that one token.
struct OneTotp(MacKeys);

impl Secrets for OneTotp {
    type Error = std::convert::Infallible;

    fn credential(&self, _: &Device) -> Result<Credential, Self::Error> {
        Ok(Credential::Totp(totp()))
    }

    fn keys(&self) -> &MacKeys {
        &self.0
    }
}

pub(crate) async fn a_log_in_is_completed_once(store: &Store) {
    let (user, device, token) = signing_in(store, SessionKind::LogIn { terms: Terms::default(), attempts: 0 }).await;
    let racer = |_| {
        let (response, grant, secrets) = (FactorResponse::typed(&totp().code(NOW)), drawn_grant(), OneTotp(keys()));
        let policy = Policy { factors: FactorKind::ALL.to_vec(), ..Policy::default() };
        move |view: &View| {
            let by = context();
            let basis = Basis { policy: &policy, actor: &by, now: NOW };
            let Ok(stepped) = sign_in::step(view, &token, Some(device.id), &response, &secrets, &grant, basis);
            stepped
        }
    };
    let replies = race(store, user, RACERS, racer).await;
    let granted = replies.iter().filter(|reply| matches!(reply, Stepped::Granted(..))).count();
    let view = store.view(user).await.unwrap();
    assert!(matches!(view.sessions[..], [Session { kind: SessionKind::SessionToken { .. }, .. }]));
    assert_eq!(granted, 1);
}

pub(crate) async fn a_session_token_is_handed_in_once(store: &Store) {
    let (user, _, token) = signing_in(store, SessionKind::SessionToken { terms: Terms::default() }).await;
    let racer = |_| {
        let (id, cookie) = (fresh_id(), fresh_digest());
        move |view: &View| sign_in::exchange(view, &token, None, id, cookie, &context(), NOW)
    };
    let replies = race(store, user, RACERS, racer).await;
    let opened = replies.iter().filter(|reply| matches!(reply, Exchanged::Opened(_))).count();
    let view = store.view(user).await.unwrap();
    assert!(matches!(view.sessions[..], [Session { kind: SessionKind::Browsing, .. }]));
    assert_eq!(opened, 1);
}
