//! Logging in: what a password opens, what a factor opens, and that each opens it once (contract 5, SEC 5, SEC 31).

mod second_factor;
mod trust;

use crate::model::{Scene, context, device_door, digest, email, policy, session_id, sms, temp_token, totp};
use countersign_domain::model::audit::Actor;
use countersign_domain::model::session::Terms;
use countersign_domain::model::temp_token::MAX_TTL;
use countersign_domain::model::throttle::PASSWORD_WINDOW;
use countersign_domain::model::time::{DAY, HOUR, MINUTE, SECOND};
use countersign_domain::model::user_patch::UserPatch;
use countersign_domain::model::visit::{Remembered, Visit};
use countersign_domain::rules::basis::Basis;
use countersign_domain::rules::password_check::PasswordCheck;
use countersign_domain::rules::sign_in::{
    Drawn, DrawnGrant, Entered, Exchanged, LoginRefusal, SESSION_TOKEN_TTL, Stepped, enter, exchange,
};
use countersign_domain::rules::throttle::PASSWORDS;
use countersign_domain::rules::verification::end::end_over;
use countersign_domain::rules::verification::find::Target;
use countersign_domain::rules::{enrolment, risk, user};
use countersign_domain::{
    AuditKind, ClientId, DeviceId, DeviceStatus, Digest, FactorKind, FactorResponse, MfaPolicy, Outcome, Policy,
    Purpose, Reason, Right, SessionEnd, SessionId, SessionKind, ShownStatus, Status, UserStatus,
};

const HASH: &str = "$argon2id$stored";

fn scene() -> Scene {
    let mut scene = Scene::new();
    let rows = scene.db.users.get_mut(&scene.user).expect("the scene has a user");
    let user = rows.user.as_mut().expect("who exists");
    user.status = UserStatus::Active;
    user.profile.password_hash = Some(HASH.to_owned());
    scene
}

fn compared(right: bool) -> PasswordCheck {
    PasswordCheck::new(Some(HASH.to_owned()), right, None)
}

fn drawn(scene: &mut Scene) -> Drawn {
    let mut id = || session_id(scene.draw());
    let (attempt, session, browser) = (id(), id(), id());
    let grant = DrawnGrant { session, session_token: digest(scene.draw()), browser, origins: Vec::new() };
    Drawn { attempt, state_token: digest(scene.draw()), ttl: 300 * SECOND, grant }
}

struct Way {
    policy: Policy,
    terms: Terms,
    trusted: bool,
    compared: PasswordCheck,
}

impl Default for Way {
    fn default() -> Self {
        Self { policy: policy(), terms: Terms::default(), trusted: false, compared: compared(true) }
    }
}

impl Way {
    fn go(&self, scene: &mut Scene) -> (Entered, Drawn) {
        let drawn = drawn(scene);
        let basis = Basis { policy: &self.policy, actor: &context(), now: scene.now };
        let decision = enter(&scene.view(), &self.compared, &self.terms, &drawn, self.trusted, basis);
        (scene.db.commit(decision), drawn)
    }
}

fn entered(scene: &mut Scene) -> Drawn {
    let (entered, drawn) = Way::default().go(scene);
    assert!(matches!(entered, Entered::NeedsFactor(..)), "{entered:?}");
    drawn
}

fn stepped(
    scene: &mut Scene,
    state_token: &Digest,
    device: impl Into<Option<DeviceId>>,
    code: &str,
) -> (Stepped, DrawnGrant) {
    scene.step(state_token, device, &FactorResponse::typed(code), &policy())
}

fn refused(stepped: &Stepped) -> Option<Reason> {
    match stepped {
        Stepped::Answered(Outcome::Refused(reason)) => Some(*reason),
        _ => None,
    }
}

fn updated(scene: &mut Scene, patch: &UserPatch) {
    scene.db.commit(user::update(&scene.view(), patch, &context(), scene.now));
}

fn locked(scene: &mut Scene, minutes: i64) {
    scene.db.commit(user::lock(&scene.view(), minutes, &context(), scene.now));
}

fn token_of(scene: &Scene, grant: &DrawnGrant) -> bool {
    scene.db.is_open(grant.session)
}

#[test]
fn without_a_device_a_password_opens_a_session_once() {
    let mut scene = scene();
    let terms = Terms { origins: vec!["https://a.example".to_owned()], ..Terms::default() };
    let (entered, drawn) = Way { terms: terms.clone(), ..Way::default() }.go(&mut scene);
    assert!(matches!(entered, Entered::Granted(_)));
    assert_eq!(scene.view().user.unwrap().profile.last_login, Some(scene.now));
    let hand_in = |scene: &mut Scene, origin: Option<&str>| {
        let (id, cookie) = (session_id(scene.draw()), digest(scene.draw()));
        let token = drawn.grant.session_token;
        let browser = Actor { client: None, ..context() };
        let decision = exchange(&scene.view(), &token, origin, id, cookie, &browser, scene.now);
        scene.db.commit(decision)
    };
    assert_eq!(hand_in(&mut scene, Some("https://b.example")), Exchanged::Refused, "another origin");
    assert_eq!(hand_in(&mut scene, Some("https://a.example")), Exchanged::Opened(terms));
    assert_eq!(hand_in(&mut scene, Some("https://a.example")), Exchanged::Refused, "a second time");
    let view = scene.view();
    let opened: Vec<_> = view.sessions.iter().filter(|session| session.kind == SessionKind::Browsing).collect();
    assert_eq!((opened.len(), scene.db.recorded(AuditKind::SessionOpened)), (1, 1));
    assert_eq!(opened[0].client_id, context().client, "it ends with the client whose log-in led to it");
}

#[test]
fn a_session_token_is_over_after_its_time() {
    let mut scene = scene();
    let (_, drawn) = Way::default().go(&mut scene);
    scene.wait(SESSION_TOKEN_TTL);
    let token = drawn.grant.session_token;
    let decision = exchange(&scene.view(), &token, None, session_id(900), digest(900), &context(), scene.now);
    assert_eq!(decision.reply, Exchanged::Refused);
    scene.db.commit(decision);
    scene.wait(-SESSION_TOKEN_TTL);
    let decision = exchange(&scene.view(), &token, None, session_id(900), digest(900), &context(), scene.now);
    assert_eq!(decision.reply, Exchanged::Refused, "and stays so, whatever a clock says later");
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
    scene.db.apply(countersign_domain::Change::OpenVerification(sent.clone()));
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
        assert_eq!(wrong.go(&mut scene).0, Entered::Refused(LoginRefusal::Credentials));
        scene.wait(SECOND);
    }
    assert_eq!(Way::default().go(&mut scene).0, Entered::Refused(LoginRefusal::Credentials));
    scene.wait(PASSWORD_WINDOW);
    assert!(matches!(Way::default().go(&mut scene).0, Entered::Granted(_)));
}

/// SEC 26: log-ins under a lock write no more rows, whether the password is right or wrong.
#[test]
fn log_ins_under_a_lock_fold() {
    type Lock = fn(&mut Scene);
    let locks: [(&str, Lock, LoginRefusal); 3] = [
        ("by an administrator", |scene| locked(scene, 0), LoginRefusal::Locked),
        (
            "a suspension",
            |scene| {
                let status = Some(UserStatus::Suspended.into());
                updated(scene, &UserPatch { status, ..Default::default() });
            },
            LoginRefusal::Locked,
        ),
        (
            "by wrong passwords",
            |scene| {
                let wrong = Way { compared: compared(false), ..Way::default() };
                for _ in 0..PASSWORDS {
                    wrong.go(scene);
                }
            },
            LoginRefusal::Credentials,
        ),
    ];
    for (lock, put, told) in locks {
        let mut scene = scene();
        put(&mut scene);
        let before = scene.db.recorded(AuditKind::SignInRefused);
        for _ in 0..40 {
            assert_eq!(Way::default().go(&mut scene).0, Entered::Refused(told), "{lock}");
            scene.wait(SECOND);
        }
        let recorded = scene.db.recorded(AuditKind::SignInRefused) - before;
        assert_eq!((recorded, scene.db.folded.len()), (1, 39), "{lock}: the rest is counted");
        scene.wait(countersign_domain::rules::throttle::FOLD);
        Way::default().go(&mut scene);
        assert_eq!(scene.db.recorded(AuditKind::SignInRefused) - before, 2, "{lock}: one stands for ten minutes");
    }
}

#[test]
fn a_password_changed_meanwhile_is_compared_again() {
    let mut scene = scene();
    let stale = PasswordCheck::new(Some("$argon2id$before".to_owned()), true, None);
    let way = Way { compared: stale, ..Way::default() };
    let before = scene.db.audit.len();
    assert_eq!(way.go(&mut scene).0, Entered::Stale);
    assert_eq!(scene.db.audit.len(), before);
}

#[test]
fn barred_and_inactive_users_are_told_so_only_with_the_right_password() {
    for (status, told) in [
        (UserStatus::Suspended, LoginRefusal::Locked),
        (UserStatus::Unactivated, LoginRefusal::Inactive),
        (UserStatus::PasswordExpired, LoginRefusal::Inactive),
    ] {
        let mut scene = scene();
        scene.db.users.get_mut(&scene.user).unwrap().user.as_mut().unwrap().status = status;
        assert_eq!(Way::default().go(&mut scene).0, Entered::Refused(told), "{status:?}");
        let wrong = Way { compared: compared(false), ..Way::default() };
        assert_eq!(wrong.go(&mut scene).0, Entered::Refused(LoginRefusal::Credentials), "{status:?}");
        scene.db.commit(countersign_domain::rules::user::lock(&scene.view(), 0, &context(), scene.now));
        assert_eq!(Way::default().go(&mut scene).0, Entered::Refused(LoginRefusal::Locked), "{status:?}, locked");
    }
}

/// SEC 55: the end of a lock leaves a user as the lock found them, whatever set it and whatever ended it. A user who was
/// kept out before stays out.
#[test]
fn a_lock_leaves_a_user_as_it_found_them() {
    fn unlocked(scene: &mut Scene) {
        scene.db.commit(user::unlock(&scene.view(), &[], &context(), scene.now));
    }
    fn sent_back(scene: &mut Scene, status: ShownStatus) {
        updated(scene, &UserPatch { status: Some(status), ..Default::default() });
    }
    type Act = fn(&mut Scene);
    let ways: &[(&str, Act, Act)] = &[
        ("timed, over", |scene| locked(scene, 1), |scene| scene.wait(MINUTE)),
        ("timed, lifted", |scene| locked(scene, 1), unlocked),
        ("timed, over, then lifted", |scene| locked(scene, 1), |scene| (scene.wait(MINUTE), unlocked(scene)).1),
        ("without end, lifted", |scene| locked(scene, 0), unlocked),
        ("set as a status, lifted", |scene| sent_back(scene, ShownStatus::Locked), unlocked),
        ("twice, lifted once", |scene| (locked(scene, 0), locked(scene, 5)).1, unlocked),
        ("without end, then timed, over", |scene| (locked(scene, 0), locked(scene, 1)).1, |scene| scene.wait(MINUTE)),
    ];
    for status in UserStatus::ALL {
        for state in 0..=3 {
            for (way, lock, end) in ways {
                let mut scene = scene();
                let user = scene.db.users.get_mut(&scene.user).unwrap().user.as_mut().unwrap();
                (user.status, user.profile.state) = (status, state);
                let may_log_in = user.may_log_in(scene.now);
                let what = format!("{status:?}, state {state}, {way}");
                assert_eq!(may_log_in, status == UserStatus::Active && state == 1, "{what}");

                lock(&mut scene);
                let user = scene.view().user.unwrap();
                let suspended = status == UserStatus::Suspended;
                let shown = if suspended { status.into() } else { ShownStatus::Locked };
                assert_eq!(user.shown(scene.now).0, shown, "{what}");
                assert!(user.is_barred(scene.now) && !user.may_log_in(scene.now), "{what}");
                let held = Way::default().go(&mut scene).0;
                assert_eq!(held, Entered::Refused(LoginRefusal::Locked), "{what}");

                end(&mut scene);
                let user = scene.view().user.unwrap();
                assert_eq!(user.shown(scene.now), (status.into(), None), "{what}");
                assert_eq!((user.status, user.may_log_in(scene.now)), (status, may_log_in), "{what}");
                let entered = Way::default().go(&mut scene).0;
                assert_eq!(matches!(entered, Entered::Granted(_)), may_log_in, "{what}: {entered:?}");
                // Sent back as it was read, the status changes nothing.
                sent_back(&mut scene, status.into());
                assert_eq!(scene.view().user.unwrap().status, status, "{what}");
            }
        }
    }
}

/// A password that is set under a lock counts as it does without one. The lock stays.
#[test]
fn a_first_password_under_a_lock_is_one() {
    let mut scene = scene();
    let user = scene.db.users.get_mut(&scene.user).unwrap().user.as_mut().unwrap();
    (user.status, user.profile.password_hash) = (UserStatus::PasswordPending, None);
    locked(&mut scene, 0);
    updated(&mut scene, &UserPatch { password_hash: Some(HASH.to_owned()), ..Default::default() });
    assert_eq!(scene.view().user.unwrap().shown(scene.now).0, ShownStatus::Locked);
    scene.db.commit(user::unlock(&scene.view(), &[], &context(), scene.now));
    assert!(matches!(Way::default().go(&mut scene).0, Entered::Granted(_)));
}

fn guessed(scene: &mut Scene, device: DeviceId, failures: u32) {
    while scene.failures(device) < failures {
        scene.wait(DAY);
        scene.guess(&device_door(device), 1);
    }
}

fn disabled(scene: &mut Scene, device: DeviceId) {
    let decision = enrolment::disable(&scene.view(), device, &context(), scene.now);
    assert_eq!(scene.db.commit(decision), enrolment::DisableOutcome::Disabled);
}

fn removed(scene: &mut Scene, device: DeviceId) {
    let decision = enrolment::remove(&scene.view(), device, &context(), scene.now);
    assert!(scene.db.commit(decision));
}

#[test]
fn an_app_gets_no_session() {
    let mut scene = scene();
    let way = Way { terms: Terms { app: Some(3), ..Terms::default() }, ..Way::default() };
    let (entered, drawn) = way.go(&mut scene);
    assert!(matches!(entered, Entered::Granted(_)));
    assert!(scene.db.session(drawn.grant.session).is_none());
}

#[test]
fn the_oldest_log_in_under_way_gives_way() {
    let mut scene = scene();
    scene.device(&totp(1), DeviceStatus::Active);
    let first = entered(&mut scene);
    for _ in 0..20 {
        entered(&mut scene);
    }
    assert_eq!(scene.view().sessions.len(), 10);
    assert_eq!(scene.db.session(first.attempt).unwrap().1, Some(SessionEnd::Expired));
}

#[test]
fn an_older_hash_is_renewed_by_the_right_password() {
    let mut scene = scene();
    let renewed = PasswordCheck::new(Some(HASH.to_owned()), true, Some("$argon2id$new".to_owned()));
    let way = Way { compared: renewed, ..Way::default() };
    assert!(matches!(way.go(&mut scene).0, Entered::Granted(_)));
    assert_eq!(scene.view().user.unwrap().profile.password_hash.as_deref(), Some("$argon2id$new"));
}

/// Contract 3.1: a user who is unapproved, rejected or unlicensed cannot log in, whatever the status.
#[test]
fn only_the_approved_log_in() {
    for state in 0..=3 {
        for (status, active) in [
            (UserStatus::Active, true),
            (UserStatus::Unactivated, false),
            (UserStatus::PasswordExpired, false),
            (UserStatus::AwaitingPasswordReset, false),
            (UserStatus::PasswordPending, false),
        ] {
            let mut scene = scene();
            let device = scene.device(&totp(1), DeviceStatus::Active);
            let user = scene.db.users.get_mut(&scene.user).unwrap().user.as_mut().unwrap();
            (user.status, user.profile.state) = (status, state);
            let (entered, _) = Way::default().go(&mut scene);
            if active && state == 1 {
                assert!(matches!(entered, Entered::NeedsFactor(..)), "{state}, {status:?}: {entered:?}");
            } else {
                assert_eq!(entered, Entered::Refused(LoginRefusal::Inactive), "{state}, {status:?}");
            }
            let code = scene.own_code(device);
            let verified = scene.typed(&device_door(device), &code);
            assert!(crate::model::is_accepted(&verified), "MFA alone goes on: {state}, {status:?}");
        }
    }
}
