//! Logging in: what a password opens, what a factor opens, and that each opens it once (contract 5, SEC 5, SEC 31).

mod model;

use domain::sign_in::{
    Compared, Drawn, DrawnGrant, Entered, Exchanged, NO_DEVICE, Refusal, SESSION_TOKEN_TTL, Stepped, Terms, enter,
    exchange, step,
};
use domain::throttle::{PASSWORD_WINDOW, PASSWORDS};
use domain::time::{DAY, SECOND};
use domain::verification::{Purpose, Target};
use domain::{
    AuditKind, DeviceId, DeviceStatus, Digest, MfaPolicy, Outcome, Policy, Reason, Response, Status, UserStatus,
};
use model::{Scene, context, digest, policy, sms, totp, verification_id};

const HASH: &str = "$argon2id$stored";

fn scene() -> Scene {
    let mut scene = Scene::new();
    let rows = scene.db.users.get_mut(&scene.user).expect("the scene has a user");
    let user = rows.user.as_mut().expect("who exists");
    user.status = UserStatus::Active;
    user.profile.password_hash = Some(HASH.to_owned());
    scene
}

fn compared(right: bool) -> Compared {
    Compared { with: Some(HASH.to_owned()), right, renewed: None }
}

fn drawn(scene: &mut Scene) -> Drawn {
    let mut id = || verification_id(scene.draw());
    let (attempt, session, browser) = (id(), id(), id());
    let grant = DrawnGrant { session, session_token: digest(scene.draw()), browser };
    Drawn { attempt, state_token: digest(scene.draw()), ttl: 300 * SECOND, grant }
}

struct Way {
    policy: Policy,
    terms: Terms,
    trusted: bool,
    compared: Compared,
}

impl Default for Way {
    fn default() -> Self {
        Self { policy: policy(), terms: Terms::default(), trusted: false, compared: compared(true) }
    }
}

impl Way {
    fn go(&self, scene: &mut Scene) -> (Entered, Drawn) {
        let drawn = drawn(scene);
        let decision = enter(
            &scene.view(),
            &self.compared,
            &self.terms,
            &drawn,
            &self.policy,
            self.trusted,
            &context(),
            scene.now,
        );
        (scene.db.commit(decision), drawn)
    }
}

fn entered(scene: &mut Scene) -> Drawn {
    let (entered, drawn) = Way::default().go(scene);
    assert!(matches!(entered, Entered::NeedsFactor(..)), "{entered:?}");
    drawn
}

fn stepped(scene: &mut Scene, state_token: &Digest, device: DeviceId, code: &str) -> (Stepped, DrawnGrant) {
    let grant = drawn(scene).grant;
    let target = Target::SignIn { state_token: *state_token, device };
    let evidence = scene.prove(&target, &Response::Text(code.to_owned()));
    let decision = step(&scene.view(), state_token, &target, &evidence, &grant, &policy(), &context(), scene.now);
    (scene.db.commit(decision), grant)
}

fn refused(stepped: &Stepped) -> Option<Reason> {
    match stepped {
        Stepped::Answered(Outcome::Refused(reason)) => Some(*reason),
        _ => None,
    }
}

fn token_of(scene: &Scene, grant: &DrawnGrant) -> bool {
    scene.db.verification(grant.session).is_some_and(|v| v.status == Status::Pending)
}

#[test]
fn without_a_device_a_password_opens_a_session_once() {
    let mut scene = scene();
    let terms = Terms { origins: vec!["https://a.example".to_owned()], ..Terms::default() };
    let (entered, drawn) = Way { terms: terms.clone(), ..Way::default() }.go(&mut scene);
    assert!(matches!(entered, Entered::Granted(_)));
    assert_eq!(scene.view().user.unwrap().profile.last_login, Some(scene.now));
    let hand_in = |scene: &mut Scene, origin: Option<&str>| {
        let (id, cookie) = (verification_id(scene.draw()), digest(scene.draw()));
        let token = drawn.grant.session_token;
        let decision = exchange(&scene.view(), &token, origin, id, cookie, &context(), scene.now);
        scene.db.commit(decision)
    };
    assert_eq!(hand_in(&mut scene, Some("https://b.example")), Exchanged::Refused, "another origin");
    assert_eq!(hand_in(&mut scene, Some("https://a.example")), Exchanged::Opened(terms));
    assert_eq!(hand_in(&mut scene, Some("https://a.example")), Exchanged::Refused, "a second time");
    let sessions = scene.view().verifications.iter().filter(|v| v.purpose == Purpose::Session).count();
    assert_eq!((sessions, scene.db.recorded(AuditKind::SessionOpened)), (1, 1));
}

#[test]
fn a_session_token_is_over_after_its_time() {
    let mut scene = scene();
    let (_, drawn) = Way::default().go(&mut scene);
    scene.wait(SESSION_TOKEN_TTL);
    let token = drawn.grant.session_token;
    let decision = exchange(&scene.view(), &token, None, verification_id(900), digest(900), &context(), scene.now);
    assert_eq!(decision.reply, Exchanged::Refused);
    assert!(decision.changes.is_empty());
}

#[test]
fn a_factor_completes_the_log_in_and_uses_up_its_state_token() {
    let mut scene = scene();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let started = entered(&mut scene);
    let code = scene.own_code(device);
    let (granted, grant) = stepped(&mut scene, &started.state_token, device, &code);
    assert!(matches!(granted, Stepped::Granted(..)), "{granted:?}");
    assert!(token_of(&scene, &grant));
    scene.wait(31 * SECOND);
    let code = scene.own_code(device);
    let (again, grant) = stepped(&mut scene, &started.state_token, device, &code);
    assert_eq!(refused(&again), Some(Reason::NotOpen), "the state token is used");
    assert!(!token_of(&scene, &grant));
}

#[test]
fn one_code_completes_one_log_in_of_several() {
    let mut scene = scene();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let (one, two) = (entered(&mut scene), entered(&mut scene));
    let code = scene.own_code(device);
    assert!(matches!(stepped(&mut scene, &one.state_token, device, &code).0, Stepped::Granted(..)));
    assert_eq!(refused(&stepped(&mut scene, &two.state_token, device, &code).0), Some(Reason::Replay));
}

#[test]
fn a_wrong_code_leaves_the_state_token_usable_and_five_kill_it() {
    let mut scene = scene();
    let (device, other) = (scene.device(&totp(1), DeviceStatus::Active), scene.device(&totp(2), DeviceStatus::Active));
    let started = entered(&mut scene);
    for n in 0..4 {
        let wrong = format!("00000{n}");
        assert_eq!(refused(&stepped(&mut scene, &started.state_token, device, &wrong).0), Some(Reason::WrongCode));
    }
    assert_eq!(refused(&stepped(&mut scene, &started.state_token, other, "000009").0), Some(Reason::WrongCode));
    let code = scene.own_code(other);
    assert_eq!(refused(&stepped(&mut scene, &started.state_token, other, &code).0), Some(Reason::NotOpen));
    let fresh = entered(&mut scene);
    let code = scene.own_code(other);
    assert!(matches!(stepped(&mut scene, &fresh.state_token, other, &code).0, Stepped::Granted(..)));
}

#[test]
fn a_sent_code_belongs_to_its_log_in() {
    let mut scene = scene();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let (one, two) = (entered(&mut scene), entered(&mut scene));
    let challenge = scene.code("123456");
    let mut sent = scene.new_verification(device, challenge, true);
    (sent.purpose, sent.state_token) = (Purpose::SignIn, Some(one.state_token));
    scene.db.apply(domain::Change::OpenVerification(sent.clone()));
    assert_eq!(refused(&stepped(&mut scene, &two.state_token, device, "123456").0), Some(Reason::NotTyped));
    let v1 = Target::Device { device, state_token: Some(one.state_token) };
    assert_eq!(scene.typed(&v1, "123456"), Outcome::Refused(Reason::NotOpen), "not a door of v1");
    assert!(matches!(stepped(&mut scene, &one.state_token, device, "123456").0, Stepped::Granted(..)));
}

#[test]
fn ten_wrong_passwords_hold_off_the_right_one_and_say_nothing() {
    let mut scene = scene();
    let wrong = Way { compared: compared(false), ..Way::default() };
    for _ in 0..PASSWORDS {
        assert_eq!(wrong.go(&mut scene).0, Entered::Refused(Refusal::Credentials));
        scene.wait(SECOND);
    }
    assert_eq!(Way::default().go(&mut scene).0, Entered::Refused(Refusal::Credentials));
    scene.wait(PASSWORD_WINDOW);
    assert!(matches!(Way::default().go(&mut scene).0, Entered::Granted(_)));
}

#[test]
fn a_password_changed_meanwhile_is_compared_again() {
    let mut scene = scene();
    let stale = Compared { with: Some("$argon2id$before".to_owned()), right: true, renewed: None };
    let way = Way { compared: stale, ..Way::default() };
    let before = scene.db.audit.len();
    assert_eq!(way.go(&mut scene).0, Entered::Stale);
    assert_eq!(scene.db.audit.len(), before);
}

#[test]
fn barred_and_inactive_users_are_told_so_only_with_the_right_password() {
    for (status, told) in [
        (UserStatus::Suspended, Refusal::Locked),
        (UserStatus::Locked, Refusal::Locked),
        (UserStatus::Unactivated, Refusal::Inactive),
        (UserStatus::PasswordExpired, Refusal::Inactive),
    ] {
        let mut scene = scene();
        scene.db.users.get_mut(&scene.user).unwrap().user.as_mut().unwrap().status = status;
        assert_eq!(Way::default().go(&mut scene).0, Entered::Refused(told), "{status:?}");
        let wrong = Way { compared: compared(false), ..Way::default() };
        assert_eq!(wrong.go(&mut scene).0, Entered::Refused(Refusal::Credentials), "{status:?}");
    }
}

#[test]
fn whether_a_factor_is_asked_for_is_policy() {
    let cases = [
        (MfaPolicy::Off, None, true, "granted"),
        (MfaPolicy::Optional, None, true, "factor"),
        (MfaPolicy::Optional, None, false, "granted"),
        (MfaPolicy::Required, None, true, "factor"),
        (MfaPolicy::Required, None, false, "refused"),
        (MfaPolicy::Required, Some(MfaPolicy::Off), true, "granted"),
        (MfaPolicy::Off, Some(MfaPolicy::Required), false, "refused"),
    ];
    for (house, own, has_device, expected) in cases {
        let mut scene = scene();
        if has_device {
            scene.device(&totp(1), DeviceStatus::Active);
        }
        scene.device(&totp(2), DeviceStatus::Pending);
        scene.db.users.get_mut(&scene.user).unwrap().user.as_mut().unwrap().profile.mfa_policy = own;
        let mut way = Way::default();
        way.policy.sign_in.mfa = house;
        let got = match way.go(&mut scene).0 {
            Entered::Granted(_) => "granted",
            Entered::NeedsFactor(..) => "factor",
            Entered::Refused(Refusal::NoFactor) => "refused",
            other => panic!("{other:?}"),
        };
        assert_eq!(got, expected, "{house:?} {own:?} {has_device}");
        let trusted = Way { trusted: true, policy: way.policy, ..Way::default() };
        assert!(matches!(trusted.go(&mut scene).0, Entered::Granted(_)), "from a trusted network");
    }
}

#[test]
fn a_browser_is_remembered_once_a_factor_was_shown_and_for_as_long_as_policy_says() {
    let mut scene = scene();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let mut way = Way { terms: Terms { browser: Some(digest(77)), ..Terms::default() }, ..Way::default() };
    way.policy.sign_in.remember_days = 30;
    let (entered, started) = way.go(&mut scene);
    assert!(matches!(entered, Entered::NeedsFactor(..)));
    let grant = drawn(&mut scene).grant;
    let target = Target::SignIn { state_token: started.state_token, device };
    let code = scene.own_code(device);
    let evidence = scene.prove(&target, &Response::Text(code));
    let view = scene.view();
    let decision = step(&view, &started.state_token, &target, &evidence, &grant, &way.policy, &context(), scene.now);
    assert!(matches!(scene.db.commit(decision), Stepped::Granted(..)));
    assert!(matches!(way.go(&mut scene).0, Entered::Granted(_)), "remembered");
    assert!(matches!(Way::default().go(&mut scene).0, Entered::NeedsFactor(..)), "another browser");
    scene.wait(30 * DAY);
    assert!(matches!(way.go(&mut scene).0, Entered::NeedsFactor(..)), "forgotten");
}

#[test]
fn an_app_gets_no_session() {
    let mut scene = scene();
    let way = Way { terms: Terms { app: Some(3), ..Terms::default() }, ..Way::default() };
    let (entered, drawn) = way.go(&mut scene);
    assert!(matches!(entered, Entered::Granted(_)));
    assert!(scene.db.verification(drawn.grant.session).is_none());
}

#[test]
fn the_oldest_log_in_under_way_gives_way() {
    let mut scene = scene();
    scene.device(&totp(1), DeviceStatus::Active);
    let first = entered(&mut scene);
    for _ in 0..20 {
        entered(&mut scene);
    }
    let under_way = scene.view().verifications.iter().filter(|v| v.device_id == NO_DEVICE).count();
    assert_eq!(under_way, 10);
    assert_eq!(scene.db.verification(first.attempt).unwrap().status, Status::Expired);
}

#[test]
fn an_older_hash_is_renewed_by_the_right_password() {
    let mut scene = scene();
    let renewed = Compared { renewed: Some("$argon2id$new".to_owned()), ..compared(true) };
    let way = Way { compared: renewed, ..Way::default() };
    assert!(matches!(way.go(&mut scene).0, Entered::Granted(_)));
    assert_eq!(scene.view().user.unwrap().profile.password_hash.as_deref(), Some("$argon2id$new"));
}
