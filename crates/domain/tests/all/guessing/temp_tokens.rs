//! Guesses at temporary tokens, by themselves and in a log-in (SEC 17, SEC 20, SEC 24).

use super::*;

/// SEC 24.
#[test]
fn temporary_tokens_have_a_budget_of_their_own() {
    let mut scene = Scene::new();
    let token = crate::model::temp_token(scene.user, "55647655", true, scene.now.plus(3 * DAY));
    scene.db.apply(countersign_domain::Change::SetTempToken(scene.user, Some(token)));
    let device = scene.device(&totp(1), DeviceStatus::Active);
    scene.guess(&Target::TempToken, 4);
    assert!(is_accepted(&scene.typed(&Target::TempToken, "55647655")), "four");
    scene.guess(&Target::TempToken, 1);
    let refused = scene.typed(&Target::TempToken, "55647655");
    assert!(matches!(refused, Outcome::Refused(Reason::Locked { until: Some(_), .. })), "five, success or no success");
    assert_eq!(lock_of(&scene, device), None, "devices stay usable");
    scene.wait(2 * HOUR);
    scene.guess(&Target::TempToken, 4);
    scene.wait(2 * HOUR);
    assert!(is_accepted(&scene.typed(&Target::TempToken, "55647655")), "nine");
    scene.guess(&Target::TempToken, 1);
    scene.wait(DAY - 2 * SECOND);
    let refused = scene.typed(&Target::TempToken, "55647655");
    assert!(matches!(refused, Outcome::Refused(Reason::Locked { until: Some(_), .. })), "ten lock for a day");
    scene.wait(2 * SECOND);
    assert!(is_accepted(&scene.typed(&Target::TempToken, "55647655")));
    assert_eq!(scene.db.throttle(scene.user, ThrottleKey::User).recent.len(), 10, "the user's budget counts them too");
}

/// SEC 17.
#[test]
fn a_temporary_token_is_good_once_and_a_reusable_one_until_it_ends() {
    let mut scene = Scene::new();
    for reusable in [false, true] {
        let token = crate::model::temp_token(scene.user, "55647655", reusable, scene.now.plus(HOUR));
        assert_eq!(
            scene.db.commit(temp_token::issue(&scene.view(), token, &context(), scene.now)),
            temp_token::Issued::Issued
        );
        assert!(is_accepted(&scene.answer(&Target::TempToken, &FactorResponse::number(55_647_655))));
        assert_eq!(is_accepted(&scene.typed(&Target::TempToken, "55647655")), reusable);
        scene.wait(HOUR);
        assert!(!is_accepted(&scene.typed(&Target::TempToken, "55647655")));
    }
    assert_eq!(scene.db.recorded(AuditKind::TempTokenIssued), 2);
    assert_eq!(scene.db.recorded(AuditKind::TempTokenUsed), 3);
    assert_eq!(scene.db.throttle(scene.user, ThrottleKey::TempToken).recent, [], "over is not wrong");
}

/// Decision 12: a user has one temporary token at a time.
#[test]
fn a_new_temporary_token_ends_the_old_one_even_for_what_was_proved_before() {
    let mut scene = Scene::new();
    let issue = |scene: &mut Scene, digits| {
        let token = crate::model::temp_token(scene.user, digits, true, scene.now.plus(HOUR));
        scene.db.commit(temp_token::issue(&scene.view(), token, &context(), scene.now));
    };
    issue(&mut scene, "11111111");
    let evidence = scene.prove(&Target::TempToken, &FactorResponse::typed("11111111"));
    assert!(is_accepted(&scene.clone().judge(&Target::TempToken, &evidence)));
    issue(&mut scene, "22222222");
    assert_eq!(scene.judge(&Target::TempToken, &evidence), Outcome::Refused(Reason::Replay));
    assert_eq!(scene.typed(&Target::TempToken, "11111111"), Outcome::Refused(Reason::WrongCode));
    assert!(scene.db.commit(temp_token::revoke(&scene.view(), &context(), scene.now)));
    assert!(!scene.db.commit(temp_token::revoke(&scene.view(), &context(), scene.now)));
    assert_eq!(scene.typed(&Target::TempToken, "22222222"), Outcome::Refused(Reason::WrongCode));
}

/// SEC 17: it is bound to its user.
#[test]
fn a_temporary_token_is_of_no_use_to_another_user() {
    let mut scene = Scene::new();
    let token = crate::model::temp_token(scene.user, "55647655", true, scene.now.plus(HOUR));
    let evidence = {
        scene.db.apply(countersign_domain::Change::SetTempToken(scene.user, Some(token.clone())));
        scene.prove(&Target::TempToken, &FactorResponse::typed("55647655"))
    };
    scene.user = countersign_domain::UserId(2);
    scene.add_user(scene.user);
    let own = crate::model::temp_token(scene.user, "99999999", true, scene.now.plus(HOUR));
    scene.db.apply(countersign_domain::Change::SetTempToken(scene.user, Some(own)));
    assert_eq!(scene.typed(&Target::TempToken, "55647655"), Outcome::Refused(Reason::WrongCode));
    assert!(!is_accepted(&scene.judge(&Target::TempToken, &evidence)));
    scene.db.apply(countersign_domain::Change::SetTempToken(scene.user, Some(token)));
    assert_eq!(scene.typed(&Target::TempToken, "55647655"), Outcome::Refused(Reason::WrongCode), "even if copied");
}

/// A log-in of the scene's user under way; its state token.
fn under_way(scene: &mut Scene) -> countersign_domain::Digest {
    let rows = scene.db.users.get_mut(&scene.user).expect("the scene has a user");
    rows.user.as_mut().expect("who exists").status = countersign_domain::UserStatus::Active;
    let terms = countersign_domain::model::session::Terms::default();
    let attempt = scene.session(SessionKind::LogIn { terms, attempts: 0 }, HOUR);
    scene.db.session(attempt).expect("it was opened").0.token
}

fn attempts(scene: &Scene, token: &countersign_domain::Digest) -> i64 {
    let found = scene.db.users[&scene.user].sessions.iter().find(|(session, _)| session.token == *token);
    match &found.expect("the log-in is there").0.kind {
        SessionKind::LogIn { attempts, .. } => *attempts,
        kind => panic!("{kind:?}"),
    }
}

fn stepped(
    scene: &mut Scene,
    token: &countersign_domain::Digest,
    device: impl Into<Option<DeviceId>>,
    code: &str,
) -> countersign_domain::rules::sign_in::Stepped {
    let stepped = scene.step(token, device, &FactorResponse::typed(code), &policy()).0;
    scene.wait(SECOND);
    stepped
}

fn refusal(stepped: &countersign_domain::rules::sign_in::Stepped) -> Option<Reason> {
    match stepped {
        countersign_domain::rules::sign_in::Stepped::Answered(Outcome::Refused(reason)) => Some(*reason),
        _ => None,
    }
}

/// A TOTP token whose codes have eight digits.
fn long_totp(n: u8) -> countersign_domain::Credential {
    let countersign_domain::Credential::Totp(totp) = totp(n) else { unreachable!("it makes no other") };
    countersign_domain::Credential::Totp(countersign_domain::model::totp::Totp { digits: 8, ..totp })
}

fn with_token(scene: &mut Scene) {
    let token = crate::model::temp_token(scene.user, "55647655", true, scene.now.plus(3 * DAY));
    scene.db.apply(countersign_domain::Change::SetTempToken(scene.user, Some(token)));
}

/// SEC 20, SEC 24: five guesses count as five, whatever device they name.
#[test]
fn a_wrong_temporary_token_counts_whatever_device_it_is_shown_at() {
    type Made = fn(&mut Scene) -> DeviceId;
    let table: &[(&str, Option<Made>)] = &[
        ("none", None),
        ("an active one", Some(|scene| scene.device(&totp(1), DeviceStatus::Active))),
        ("one that waits for its first code", Some(|scene| scene.device(&totp(1), DeviceStatus::Pending))),
        ("an untriggered SMS", Some(|scene| scene.device(&sms(), DeviceStatus::Active))),
        (
            "an unasked phone",
            Some(|scene| scene.device(&crate::model::push(&crate::model::signing_key(1)), DeviceStatus::Active)),
        ),
        (
            "a locked one",
            Some(|scene| {
                let device = scene.device(&totp(1), DeviceStatus::Active);
                scene.guess(&device_door(device), 5);
                device
            }),
        ),
        ("a disabled one", Some(|scene| scene.device(&totp(1), DeviceStatus::Disabled))),
        ("one with eight digits of its own", Some(|scene| scene.device(&long_totp(1), DeviceStatus::Active))),
    ];
    for (what, made) in table {
        let mut scene = Scene::new();
        let device = made.map(|made| made(&mut scene));
        with_token(&mut scene);
        let (recorded, spent) =
            (scene.db.recorded(AuditKind::Refused), scene.db.throttle(scene.user, ThrottleKey::User).recent.len());
        let token = under_way(&mut scene);
        for guess in 1..=5 {
            let wrong = format!("{}", 10_000_000 + guess);
            assert_eq!(refusal(&stepped(&mut scene, &token, device, &wrong)), Some(Reason::WrongCode), "{what}");
            assert_eq!(attempts(&scene, &token), guess, "{what}: against the log-in");
        }
        assert_eq!(scene.db.throttle(scene.user, ThrottleKey::TempToken).recent.len(), 5, "{what}: the token");
        let counted = scene.db.throttle(scene.user, ThrottleKey::User).recent.len() - spent;
        assert_eq!(counted, 5, "{what}: the user, once each");
        assert_eq!(scene.db.recorded(AuditKind::Refused) - recorded, 5, "{what}: each leaves an entry");
        assert_eq!(refusal(&stepped(&mut scene, &token, device, "55647655")), Some(Reason::NotOpen), "{what}");
        let fresh = under_way(&mut scene);
        let locked = refusal(&stepped(&mut scene, &fresh, device, "55647655"));
        assert!(
            matches!(locked, Some(Reason::Locked { until: Some(_), .. })),
            "{what}: the right one after five: {locked:?}"
        );
    }
}

/// SEC 54: for a device that the user does not have nothing is compared, not even the right answer.
#[test]
fn at_a_device_that_is_not_the_users_nothing_is_compared() {
    let mut scene = Scene::new();
    scene.add_user(countersign_domain::UserId(2));
    scene.user = countersign_domain::UserId(2);
    let anothers = scene.device(&totp(1), DeviceStatus::Active);
    scene.user = countersign_domain::UserId(1);
    let hidden = scene.device(&sms(), DeviceStatus::Registering);
    with_token(&mut scene);
    let token = under_way(&mut scene);
    for device in [DeviceId(999_999_999), anothers, hidden] {
        for code in ["55647655", "10000000", "123456"] {
            assert_eq!(refusal(&stepped(&mut scene, &token, device, code)), Some(Reason::NoDevice), "{device:?}");
        }
    }
    assert_eq!(scene.db.users[&scene.user].throttles, []);
    let other = scene.db.users[&countersign_domain::UserId(2)].clone();
    assert_eq!(other.throttles, []);
    assert_eq!(attempts(&scene, &token), 0);
}

/// Decision 25: one answer is compared with two secrets. It is right if it fits either. A wrong one counts against both, and
/// against the user once.
#[test]
fn eight_digits_at_a_device_with_eight_digits_are_tried_as_both() {
    let mut scene = Scene::new();
    let device = scene.device(&long_totp(1), DeviceStatus::Active);
    with_token(&mut scene);
    let is_in = |stepped: &countersign_domain::rules::sign_in::Stepped| {
        matches!(stepped, countersign_domain::rules::sign_in::Stepped::Granted(..))
    };
    let token = under_way(&mut scene);
    assert_eq!(refusal(&stepped(&mut scene, &token, device, "10000000")), Some(Reason::WrongCode));
    assert_eq!(scene.failures(device), 1);
    assert_eq!(scene.db.throttle(scene.user, ThrottleKey::TempToken).recent.len(), 1);
    assert_eq!(scene.db.throttle(scene.user, ThrottleKey::User).recent.len(), 1);
    let own = scene.own_code(device);
    assert!(is_in(&stepped(&mut scene, &token, device, &own)), "the device's own");
    assert_eq!(scene.db.throttle(scene.user, ThrottleKey::TempToken).recent.len(), 1, "a right answer is no guess");
    let token = under_way(&mut scene);
    assert_eq!(refusal(&stepped(&mut scene, &token, device, &own)), Some(Reason::Replay));
    assert_eq!(scene.db.throttle(scene.user, ThrottleKey::TempToken).recent.len(), 2, "it was compared with the token");
    assert!(is_in(&stepped(&mut scene, &token, device, "55647655")), "the token");
    // With the token locked, the device is judged alone.
    scene.guess(&Target::TempToken, 3);
    scene.wait(MINUTE);
    let token = under_way(&mut scene);
    let own = scene.own_code(device);
    assert!(is_in(&stepped(&mut scene, &token, device, &own)));
}

/// A shorter text is never padded to a temporary token. A device's own code is no guess at one.
#[test]
fn fewer_than_eight_digits_are_no_temporary_token() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    with_token(&mut scene);
    let token = under_way(&mut scene);
    for code in ["5564765", "123456", "556476550", "5564765x"] {
        stepped(&mut scene, &token, device, code);
    }
    assert_eq!(scene.db.throttle(scene.user, ThrottleKey::TempToken).recent, []);
    assert_eq!(scene.failures(device), 4);
}
