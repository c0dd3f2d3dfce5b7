//! Logging in: what a password opens, what a factor opens, and that each opens it once (contract 5, SEC 5, SEC 31).

use crate::model::{Scene, context, device_door, digest, email, policy, session_id, sms, temp_token, totp};
use countersign_domain::model::audit::Actor;
use countersign_domain::model::session::Terms;
use countersign_domain::model::temp_token::MAX_TTL;
use countersign_domain::model::throttle::PASSWORD_WINDOW;
use countersign_domain::model::time::{DAY, HOUR, MINUTE, SECOND};
use countersign_domain::model::user_patch::UserPatch;
use countersign_domain::model::visit::{Remembered, Visit};
use countersign_domain::rules::basis::Basis;
use countersign_domain::rules::sign_in::{
    Drawn, DrawnGrant, Entered, Exchanged, LoginRefusal, PasswordCheck, SESSION_TOKEN_TTL, Stepped, enter, exchange,
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
        let decision = exchange(&scene.view(), &token, origin, id, cookie, &context(), scene.now);
        scene.db.commit(decision)
    };
    assert_eq!(hand_in(&mut scene, Some("https://b.example")), Exchanged::Refused, "another origin");
    assert_eq!(hand_in(&mut scene, Some("https://a.example")), Exchanged::Opened(terms));
    assert_eq!(hand_in(&mut scene, Some("https://a.example")), Exchanged::Refused, "a second time");
    let sessions = scene.view().sessions.iter().filter(|session| session.kind == SessionKind::Browsing).count();
    assert_eq!((sessions, scene.db.recorded(AuditKind::SessionOpened)), (1, 1));
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

/// SEC 26: log-ins under a lock make nothing grow either, with the right password or any.
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

/// SEC 55: a lock, whatever puts it and whatever ends it, leaves a user as it found them: its end lets no one in who
/// was kept out before.
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

/// A password set under a lock counts as it does without one, and the lock holds on.
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
            Entered::Refused(LoginRefusal::NoFactor) => "refused",
            other => panic!("{other:?}"),
        };
        assert_eq!(got, expected, "{house:?} {own:?} {has_device}");
        let trusted = Way { trusted: true, policy: way.policy, ..Way::default() };
        assert!(matches!(trusted.go(&mut scene).0, Entered::Granted(_)), "from a trusted network");
    }
}

/// What a log-in of this user needs, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bar {
    Password,
    Factor,
    Closed,
}

fn bar(scene: &Scene, way: &Way) -> Bar {
    match way.go(&mut scene.clone()).0 {
        Entered::Granted(_) => Bar::Password,
        Entered::NeedsFactor(..) => Bar::Factor,
        Entered::Refused(LoginRefusal::NoFactor) => Bar::Closed,
        other => panic!("{other:?}"),
    }
}

/// A way in: for a session or for an app, under a rule of everybody's or of one's own.
fn ways() -> Vec<(MfaPolicy, Way)> {
    let mut ways = Vec::new();
    for rule in [MfaPolicy::Optional, MfaPolicy::Required] {
        for app in [None, Some(3)] {
            let mut way = Way { terms: Terms { app, ..Terms::default() }, ..Way::default() };
            way.policy.sign_in.mfa = rule;
            ways.push((rule, way));
        }
    }
    ways
}

fn in_use(scene: &mut Scene, devices: usize) -> Vec<DeviceId> {
    (0..=u8::MAX).take(devices).map(|n| scene.device(&totp(n), DeviceStatus::Active)).collect()
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

/// SEC 92: guesses, commands, configuration and time take no need away; only a deletion does, and says so.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn no_state_of_a_device_makes_a_log_in_need_less() {
    type Happens = fn(&mut Scene, &mut Policy, &[DeviceId]);
    // How many devices are in use, what happens to them, and what `optional` asks for then.
    let table: &[(&str, usize, Happens, Bar)] = &[
        ("nothing", 1, |_, _, _| {}, Bar::Factor),
        ("locked by guesses", 1, |scene, _, held| guessed(scene, held[0], 5), Bar::Factor),
        (
            "the user locked by guesses",
            4,
            |scene, _, held| {
                for device in held {
                    scene.guess(&device_door(*device), 4);
                }
                scene.guess(&Target::TempToken, 4);
            },
            Bar::Factor,
        ),
        ("disabled by guesses", 1, |scene, _, held| guessed(scene, held[0], 50), Bar::Closed),
        ("disabled by command", 1, |scene, _, held| disabled(scene, held[0]), Bar::Closed),
        (
            "disabled long ago",
            1,
            |scene, _, held| {
                disabled(scene, held[0]);
                scene.wait(1_000 * DAY);
            },
            Bar::Closed,
        ),
        ("no longer offered", 1, |_, policy, _| policy.factors = vec![FactorKind::Sms], Bar::Closed),
        ("nothing offered any more", 3, |_, policy, _| policy.factors.clear(), Bar::Closed),
        ("one of two disabled", 2, |scene, _, held| disabled(scene, held[0]), Bar::Factor),
        (
            "one disabled, the other no longer offered",
            1,
            |scene, policy, held| {
                scene.device(&email(), DeviceStatus::Active);
                policy.factors = vec![FactorKind::Totp];
                disabled(scene, held[0]);
            },
            Bar::Closed,
        ),
        (
            "all twenty disabled",
            20,
            |scene, _, held| {
                for device in held {
                    disabled(scene, *device);
                }
            },
            Bar::Closed,
        ),
        (
            "disabled, and another enrolled but never in use",
            1,
            |scene, _, held| {
                disabled(scene, held[0]);
                scene.device(&sms(), DeviceStatus::Pending);
                scene.device(&email(), DeviceStatus::Registering);
            },
            Bar::Closed,
        ),
        (
            "one of two deleted, the other disabled",
            2,
            |scene, _, held| {
                removed(scene, held[0]);
                disabled(scene, held[1]);
            },
            Bar::Closed,
        ),
        (
            "a temporary token used up",
            1,
            |scene, _, held| {
                disabled(scene, held[0]);
                let token = temp_token(scene.user, "55647655", false, scene.now.plus(HOUR));
                scene.db.apply(countersign_domain::Change::SetTempToken(scene.user, Some(token)));
                scene.typed(&Target::TempToken, "55647655");
            },
            Bar::Closed,
        ),
    ];
    for (rule, way) in ways() {
        for (what, devices, happens, expected) in table {
            let mut scene = scene();
            let held = in_use(&mut scene, *devices);
            let before = bar(&scene, &way);
            let mut after = Way { policy: way.policy.clone(), terms: way.terms.clone(), ..Way::default() };
            happens(&mut scene, &mut after.policy, &held);
            let app = way.terms.app;
            assert_eq!(bar(&scene, &after), *expected, "{what} ({rule:?}, {app:?})");
            assert!(bar(&scene, &after) >= before, "{what} ({rule:?}, {app:?}) makes a log-in need less");
        }

        let mut scene = scene();
        let held = in_use(&mut scene, 2);
        disabled(&mut scene, held[0]);
        for (device, said) in held.iter().zip([None, Some("last_factor")]) {
            removed(&mut scene, *device);
            let entry = scene.db.audit.last().unwrap();
            assert_eq!((entry.kind, entry.device, entry.reason), (AuditKind::DeviceDeleted, Some(*device), said));
        }
        let expected = if rule == MfaPolicy::Required { Bar::Closed } else { Bar::Password };
        assert_eq!(bar(&scene, &way), expected, "deleted deliberately");
    }
}

/// A device that never was in use is no second factor, and its end takes none away.
/// SEC 75: before time is taken back, whatever is over is ended, so that by the earlier time it is not there again.
#[test]
fn what_is_over_is_ended_for_good() {
    let visit = Visit::of("192.0.2.1".parse().unwrap(), "Firefox");
    let ended = |over: i64, back: i64| {
        let mut scene = scene();
        let start = scene.now;
        let device = scene.device(&sms(), DeviceStatus::Active);
        let sessions = opened(&mut scene);
        let mut ids = Vec::new();
        for (purpose, status) in [
            (Purpose::Enrol, Status::NEW),
            (Purpose::Login, Status::NEW),
            (Purpose::Login, Status::Accepted { at: start, collected: None }),
            (Purpose::Login, Status::Rejected { at: start, collected: None }),
        ] {
            let one = scene.new_verification(device, countersign_domain::Challenge::Own, true);
            ids.push(one.id);
            let one = countersign_domain::Verification { purpose, status, expires_at: start.plus(DAY), ..one };
            scene.db.apply(countersign_domain::Change::OpenVerification(one));
        }
        let token = temp_token(scene.user, "55647655", true, start.plus(DAY));
        scene.db.apply(countersign_domain::Change::SetTempToken(scene.user, Some(token)));
        let at = start.plus(DAY - risk::VISIT_LIFE);
        let known = |visits: &[Remembered]| Some(risk::remember(visits, visit, None, at));
        scene.db.commit(user::remember_visits(&scene.view(), known));
        scene.db.commit(end_over(&scene.view(), start.plus(over), start.plus(back)));
        let view = scene.view();
        let user = view.user.clone().unwrap();
        let live = sessions.iter().map(|id| view.session(*id).is_some());
        let live = live.chain(ids.iter().map(|id| view.verification(*id).is_some()));
        let known = risk::assess(&user.profile.visits, visit, start).score == 0;
        live.chain([user.temp_token.is_some(), known]).collect::<Vec<_>>()
    };
    assert_eq!(ended(DAY - 1, 0), [true; 10], "nothing is ended before its end");
    assert_eq!(ended(DAY, 0), [false; 10]);
    // What began after the time that is taken back to ends too, or it would live longer by that. A temporary token and a visit
    // do not say when they began, but how far ahead they can be.
    let ahead = ended(DAY - 1, -1);
    assert_eq!(ahead[..8], [false; 8]);
    assert_eq!(ended(DAY - 1, -2 * MAX_TTL - risk::VISIT_LIFE), [false; 10]);
}

#[test]
fn a_device_that_never_was_in_use_changes_nothing() {
    let mut scene = scene();
    let pending = scene.device(&totp(1), DeviceStatus::Pending);
    scene.device(&sms(), DeviceStatus::Registering);
    assert_eq!(bar(&scene, &Way::default()), Bar::Password);
    let held = scene.device(&totp(2), DeviceStatus::Active);
    assert_eq!(bar(&scene, &Way::default()), Bar::Factor);
    removed(&mut scene, pending);
    assert_eq!(scene.db.audit.last().unwrap().reason, None);
    removed(&mut scene, held);
    assert_eq!(scene.db.audit.last().unwrap().reason, Some("last_factor"));
}

/// SEC 92: an administrator helps with a temporary token, whatever has become of the devices, and under `required` also
/// those who never had one.
#[test]
fn a_temporary_token_lets_in_whoever_has_no_usable_device() {
    for (rule, way) in ways() {
        let mut had = scene();
        let devices = in_use(&mut had, 2);
        for device in devices {
            disabled(&mut had, device);
        }
        let never = scene();
        for mut scene in [had, never] {
            let held = !scene.view().devices.is_empty();
            if !held && rule == MfaPolicy::Optional {
                continue;
            }
            let why = if held { "no_usable_factor" } else { "no_factor" };
            assert_eq!(way.go(&mut scene).0, Entered::Refused(LoginRefusal::NoFactor), "{rule:?}");
            assert_eq!(scene.db.audit.last().unwrap().reason, Some(why));
            let token = temp_token(scene.user, "55647655", false, scene.now.plus(HOUR));
            scene.db.apply(countersign_domain::Change::SetTempToken(scene.user, Some(token)));
            let (entered, started) = way.go(&mut scene);
            let Entered::NeedsFactor(_, shown) = entered else { panic!("{entered:?}") };
            assert_eq!(shown, [], "there is no device to show");
            let (granted, _) = stepped(&mut scene, &started.state_token, None, "55647655");
            assert!(matches!(granted, Stepped::Granted(..)), "{granted:?}");
            assert_eq!(way.go(&mut scene).0, Entered::Refused(LoginRefusal::NoFactor), "it is used up");
        }
    }
}

/// What is remembered is bounded by what policy says today, not only by what it said then.
#[test]
fn a_browser_is_remembered_for_no_longer_than_policy_says_now() {
    let mut scene = scene();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let mut way = Way { terms: Terms { browser: Some(digest(77)), ..Terms::default() }, ..Way::default() };
    way.policy.sign_in.remember_days = 30;
    let started = way.go(&mut scene).1;
    let code = FactorResponse::typed(&scene.own_code(device));
    let (granted, _) = scene.step(&started.state_token, device, &code, &way.policy);
    assert!(matches!(granted, Stepped::Granted(..)));
    scene.wait(2 * DAY);
    for (days, expected) in [(30, Bar::Password), (3, Bar::Password), (2, Bar::Factor), (0, Bar::Factor)] {
        way.policy.sign_in.remember_days = days;
        assert_eq!(bar(&scene, &way), expected, "{days}");
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
    let code = FactorResponse::typed(&scene.own_code(device));
    let (granted, _) = scene.step(&started.state_token, device, &code, &way.policy);
    assert!(matches!(granted, Stepped::Granted(..)));
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

/// Contract 3.1: a user who is unapproved, rejected or unlicensed stays out, whatever the status; an administrator uses it so.
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

/// What has been opened for the scene's user: a log-in under way, a session token, a session, a remembered browser.
fn opened(scene: &mut Scene) -> [SessionId; 4] {
    let terms = Terms::default;
    [
        SessionKind::LogIn { terms: terms(), attempts: 0 },
        SessionKind::SessionToken { terms: terms() },
        SessionKind::Browsing,
        SessionKind::RememberedBrowser,
    ]
    .map(|kind| scene.session(kind, DAY))
}

/// SEC 56: in the same transaction, for each change that takes away what trust stood on.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_trust_stood_on_ends_with_it() {
    type Changes = fn(&mut Scene, DeviceId);
    let patch = countersign_domain::model::user_patch::UserPatch::default;
    // How many of the log-in under way, the session token, the session, the browser and the visit are left.
    let table: &[(&str, Changes, [bool; 5])] = &[
        ("nothing", |_, _| {}, [true; 5]),
        (
            "a new password",
            |scene, _| {
                let hash = Some("$argon2id$another".to_owned());
                updated(
                    scene,
                    &countersign_domain::model::user_patch::UserPatch { password_hash: hash, ..Default::default() },
                );
            },
            [false; 5],
        ),
        ("a device removed", |scene, device| removed(scene, device), [true, false, false, false, false]),
        ("a device disabled by command", |scene, device| disabled(scene, device), [true, false, false, false, false]),
        (
            "a device disabled by guesses",
            |scene, device| guessed(scene, device, 50),
            [true, false, false, false, false],
        ),
        (
            "a device released again",
            |scene, device| {
                scene.db.apply(countersign_domain::Change::DisableDevice(device));
                scene.db.commit(countersign_domain::rules::user::unlock(
                    &scene.view(),
                    &[],
                    &Actor::default(),
                    scene.now,
                ));
            },
            [true, false, false, false, false],
        ),
        (
            "a pending device removed",
            |scene, _| {
                let pending = scene.device(&totp(9), DeviceStatus::Pending);
                removed(scene, pending);
            },
            [true; 5],
        ),
        (
            "another mail address",
            |scene, _| {
                let email = Some(Some("other@example.com".to_owned()));
                updated(scene, &countersign_domain::model::user_patch::UserPatch { email, ..Default::default() });
            },
            [true, false, false, false, false],
        ),
        (
            "no number any more",
            |scene, _| {
                updated(
                    scene,
                    &countersign_domain::model::user_patch::UserPatch { phone: Some(None), ..Default::default() },
                );
            },
            [true, false, false, false, false],
        ),
        (
            "another rule on factors",
            |scene, _| {
                let mfa_policy = Some(Some(MfaPolicy::Required));
                updated(scene, &countersign_domain::model::user_patch::UserPatch { mfa_policy, ..Default::default() });
            },
            [true, false, false, false, false],
        ),
        (
            "another name",
            |scene, _| {
                let username = Some(Some("benjamin".to_owned()));
                updated(scene, &countersign_domain::model::user_patch::UserPatch { username, ..Default::default() });
            },
            [true; 5],
        ),
        (
            "an expired password",
            |scene, _| {
                let status = Some(UserStatus::PasswordExpired.into());
                updated(scene, &countersign_domain::model::user_patch::UserPatch { status, ..Default::default() });
            },
            [false; 5],
        ),
        (
            "a suspension",
            |scene, _| {
                let status = Some(UserStatus::Suspended.into());
                updated(scene, &countersign_domain::model::user_patch::UserPatch { status, ..Default::default() });
            },
            [false; 5],
        ),
        ("a lock", |scene, _| locked(scene, 15), [false; 5]),
        (
            "a lock that is lifted",
            |scene, _| {
                locked(scene, 0);
                scene.db.commit(user::unlock(&scene.view(), &[], &context(), scene.now));
            },
            [false; 5],
        ),
        (
            "a log-out",
            |scene, _| {
                scene.db.commit(user::log_out(&scene.view(), &context(), scene.now));
            },
            [false; 5],
        ),
        (
            "a log-out by another client that logs people in",
            |scene, _| {
                let other = Actor { client: Some(ClientId(99)), right: Right::LogIn, ..context() };
                scene.db.commit(user::log_out(&scene.view(), &other, scene.now));
            },
            [true, false, false, false, false],
        ),
    ];
    for (what, changes, left) in table {
        let mut scene = scene();
        let reached = countersign_domain::model::user_patch::UserPatch {
            email: Some(Some("ben@example.com".to_owned())),
            phone: Some(Some("+14155550123".to_owned())),
            ..patch()
        };
        updated(&mut scene, &reached);
        let device = scene.device(&totp(1), DeviceStatus::Active);
        let ids = opened(&mut scene);
        let visit = Visit::of("192.0.2.1".parse().unwrap(), "Firefox");
        let now = scene.now;
        let known = |visits: &[Remembered]| Some(risk::remember(visits, visit, None, now));
        scene.db.commit(user::remember_visits(&scene.view(), known));
        // Fifty guesses take days; what is opened here does not run out meanwhile.
        for (session, _) in &mut scene.db.users.get_mut(&scene.user).unwrap().sessions {
            session.expires_at = session.expires_at.plus(1_000 * DAY);
        }
        changes(&mut scene, device);
        let open = ids.map(|id| scene.db.is_open(id));
        let visits = scene.view().user.unwrap().profile.visits;
        let known = risk::assess(&visits, visit, now).score == 0;
        assert_eq!([&open[..], &[known]].concat(), *left, "{what}");
    }
}
