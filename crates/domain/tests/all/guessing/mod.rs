//! Guessing has a price that nothing resets (SEC 17, SEC 20–29), and messages have one too (SEC 33).

mod messages;
mod temp_tokens;

use crate::model::{Scene, context, device_door, hotp, is_accepted, policy, reader, sms, token_door, totp, wire_door};
use countersign_domain::model::device::BEFORE_FIRST_COUNTER;
use countersign_domain::model::throttle::USER_LOCK;
use countersign_domain::model::time::{DAY, HOUR, MINUTE, SECOND};
use countersign_domain::model::user_patch::UserPatch;
use countersign_domain::rules::basis::Basis;
use countersign_domain::rules::throttle::{self, DISABLE_AT, FOLD, READERS_UP_TO, USER_PER_DAY};
use countersign_domain::rules::user::{self, Unlocked};
use countersign_domain::rules::verification::answer::answer;
use countersign_domain::rules::verification::find::Target;
use countersign_domain::rules::verification::open::{Opening, open};
use countersign_domain::rules::{enrolment, temp_token, warning};
use countersign_domain::{
    AuditKind, Challenge, Change, DeviceId, DeviceStatus, FactorResponse, Outcome, Reason, Right, Rule, SessionKind,
    ThrottleKey,
};

fn lock_of(scene: &Scene, device: DeviceId) -> Option<i64> {
    crate::model::locked_until(&scene.view(), Some(device), scene.now).map(|until| until.since(scene.now))
}

/// Guesses until `failures` stand in a row, without ever running into the user's budget.
fn fail_until(scene: &mut Scene, device: DeviceId, failures: u32) {
    while scene.status(device).is_some() && scene.failures(device) < failures {
        scene.wait(3 * HOUR);
        scene.guess(&device_door(device), 1);
    }
}

/// SEC 20.
#[test]
fn a_failure_is_counted_against_the_device_and_the_user_with_its_refusal() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let target = device_door(device);
    let evidence = scene.prove(&target, &FactorResponse::typed("000000"));
    let decision = answer(&scene.view(), &target, &evidence, &context(), scene.now);
    assert_eq!(decision.reply, Outcome::Refused(Reason::WrongCode));
    scene.db.commit(decision);
    assert_eq!(scene.failures(device), 1);
    assert_eq!(scene.db.throttle(scene.user, ThrottleKey::User).recent, [scene.now]);
    assert_eq!(scene.db.recorded(AuditKind::Refused), 1);
}

/// SEC 26: what is typed at something that is not there leaves one entry for ten minutes under a lock, as everything else does.
#[test]
fn refusals_of_what_is_not_there_fold_under_a_lock_too() {
    let mut scene = Scene::new();
    let gone = DeviceId(999);
    let mut user = scene.view().user.unwrap();
    for is_locked in [false, true] {
        user.lock = is_locked.then_some(countersign_domain::UserLock::UntilLifted);
        scene.db.apply(Change::UpdateUser(user.clone()));
        let before = scene.db.recorded(AuditKind::Refused);
        for _ in 0..5 {
            scene.typed(&Target::OwnCodes(gone), "000000");
        }
        let recorded = scene.db.recorded(AuditKind::Refused) - before;
        assert_eq!(recorded, if is_locked { 1 } else { 5 }, "locked: {is_locked}");
    }
    assert_eq!(scene.db.folded.len(), 4, "and each is counted");
}

/// SEC 26: answers under a lock write no more rows.
#[test]
fn refusals_under_a_lock_fold() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    fail_until(&mut scene, device, 20);
    let before = scene.db.recorded(AuditKind::Refused);
    let target = device_door(device);
    let guess = |scene: &mut Scene| {
        let evidence = scene.prove(&target, &FactorResponse::typed("000000"));
        let decision = answer(&scene.view(), &target, &evidence, &context(), scene.now);
        let changes = decision.changes.len();
        assert!(matches!(scene.db.commit(decision), Outcome::Refused(Reason::Locked { .. })));
        changes
    };
    assert!(guess(&mut scene) > 0, "the first is recorded");
    for _ in 0..100 {
        scene.wait(SECOND);
        assert_eq!(guess(&mut scene), 0, "nothing is written");
    }
    assert_eq!(scene.db.recorded(AuditKind::Refused), before + 1);
    let folded = std::mem::take(&mut scene.db.folded);
    assert_eq!(folded.len(), 100, "and each is counted");
    scene.wait(FOLD);
    scene.db.commit(throttle::record_folded(&scene.view(), &folded[0], 100, scene.now));
    let entry = scene.db.audit.last().expect("it is recorded").clone();
    assert_eq!((entry.times, entry.device, entry.client), (Some(100), Some(device), context().client));
    assert_eq!((entry.rule, entry.request.as_deref()), (Some(Rule::DeviceThrottle), None), "it is of many requests");
    assert_eq!(entry.stored_reason().as_deref(), Some("locked:100"));
    assert_eq!(countersign_domain::model::audit::parted("locked:100"), ("locked", Some(100)));
    assert_eq!(guess(&mut scene), 0, "what follows folds into the next one");
    assert_eq!(scene.db.recorded(AuditKind::Refused), before + 2, "one stands for ten minutes");
    scene.wait(FOLD);
    guess(&mut scene);
    assert_eq!(scene.db.recorded(AuditKind::Refused), before + 3);
    assert_eq!(scene.failures(device), 20);
    scene.wait(HOUR);
    scene.guess(&target, 1);
    assert_eq!((scene.failures(device), scene.db.recorded(AuditKind::Refused)), (21, before + 4), "a guess is a guess");
}

/// SEC 21.
#[test]
fn the_locks_of_a_device_grow() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    for failures in 1..50 {
        fail_until(&mut scene, device, failures);
        // `guess` moves the clock on by a second.
        let expected = match failures {
            5 => Some(MINUTE),
            10 => Some(5 * MINUTE),
            15 => Some(15 * MINUTE),
            20 | 25 | 30 | 35 | 40 | 45 => Some(HOUR),
            _ => None,
        };
        assert_eq!(lock_of(&scene, device), expected.map(|lock| lock - SECOND), "{failures}");
    }
    assert_eq!(scene.db.recorded(AuditKind::GuessLock), 9);
}

/// SEC 22.
#[test]
fn fifty_failures_disable_a_device_until_an_administrator_unlocks_it() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    fail_until(&mut scene, device, 50);
    assert_eq!(scene.status(device), Some(DeviceStatus::Disabled));
    scene.wait(30 * DAY);
    let code = scene.own_code(device);
    for door in [device_door(device), Target::OwnCodes(device)] {
        assert_eq!(scene.typed(&door, &code), crate::model::locked(Rule::DeviceDisabled, None));
    }
    assert_eq!(scene.db.commit(user::unlock(&scene.view(), &[], &context(), scene.now)), Unlocked::Unlocked);
    assert!(is_accepted(&scene.typed(&device_door(device), &code)));
}

/// SEC 95: a caller that may only look cannot disable a device. The locks that its guesses cause end by themselves.
#[test]
fn whoever_may_only_look_disables_nothing() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let pending = scene.device(&totp(2), DeviceStatus::Pending);
    scene.verification(pending, Challenge::Own, true);
    scene.by = reader();
    for round in 1..=DISABLE_AT + 20 {
        for device in [device, pending] {
            scene.wait(3 * HOUR);
            scene.guess(&device_door(device), 1);
            assert_eq!(scene.failures(device), round.min(READERS_UP_TO));
            // The locks that pass are those of anybody, and none is shorter for being the last.
            let expected = match round {
                5 => Some(MINUTE),
                10 => Some(5 * MINUTE),
                15 => Some(15 * MINUTE),
                20 | 25.. => Some(HOUR),
                _ => None,
            };
            assert_eq!(lock_of(&scene, device), expected.map(|lock| lock - SECOND), "{round}");
        }
    }
    assert_eq!(scene.status(device), Some(DeviceStatus::Active));
    assert_eq!(scene.status(pending), Some(DeviceStatus::Pending));
    assert_eq!(scene.db.recorded(AuditKind::DeviceDisabled) + scene.db.recorded(AuditKind::DeviceDeleted), 0);

    // The wrong answers of other callers count on top, and disable the device as usual.
    scene.by = context();
    fail_until(&mut scene, device, DISABLE_AT - 1);
    scene.wait(3 * HOUR);
    scene.by = reader();
    scene.guess(&device_door(device), 1);
    assert_eq!(scene.failures(device), DISABLE_AT - 1, "no count goes down");
    assert_eq!(lock_of(&scene, device), Some(HOUR - SECOND));
    scene.by = context();
    scene.wait(3 * HOUR);
    scene.guess(&device_door(device), 1);
    assert_eq!(scene.status(device), Some(DeviceStatus::Disabled));
}

/// SEC 95, SEC 23: many guesses cost a reader as much as any other caller.
#[test]
fn whoever_may_only_look_runs_into_the_locks_of_the_user() {
    let mut scene = Scene::new();
    let devices: Vec<_> = (0..20).map(|n| scene.device(&totp(n), DeviceStatus::Active)).collect();
    scene.by = reader();
    let (mut guesses, start) = (0, scene.now);
    // Every five minutes at the next device, for two days.
    for round in 0..2 * 24 * 12_usize {
        scene.wait(5 * MINUTE);
        let device = devices[round % devices.len()];
        if crate::model::locked_until(&scene.view(), Some(device), scene.now).is_none() {
            scene.guess(&device_door(device), 1);
            guesses += 1;
        }
    }
    assert!(scene.now.since(start) > 2 * DAY - HOUR);
    // A hundred, and then one for each hour's lock.
    assert!((100..=2 * (USER_PER_DAY + 24)).contains(&guesses), "{guesses}");
}

/// SEC 22. Otherwise an unlocking would activate a device that never proved anything.
#[test]
fn a_device_never_proved_is_gone_after_fifty_failures() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Pending);
    scene.verification(device, Challenge::Own, true);
    fail_until(&mut scene, device, 50);
    assert_eq!(scene.status(device), None);
    assert_eq!(scene.db.commit(user::unlock(&scene.view(), &[], &context(), scene.now)), Unlocked::Unlocked);
    assert_eq!(scene.status(device), None);
}

/// SEC 22: a disabled device of a factor that cannot repeat blocks a second one until it is removed.
#[test]
fn a_disabled_device_is_not_replaced_by_enrolling_again() {
    let mut scene = Scene::new();
    scene.device(&sms(), DeviceStatus::Disabled);
    let device = scene.new_device(&sms(), DeviceStatus::Active);
    let enrolment = enrolment::Enrolment { device, registration: None, message: None, invitation: None };
    let decision =
        enrolment::enrol(&scene.view(), &enrolment, Basis { policy: &policy(), actor: &context(), now: scene.now });
    assert_eq!(decision.reply, enrolment::Enrolled::AlreadyEnrolled);
}

/// SEC 23: all factors, endpoints and devices count together.
#[test]
fn twenty_failures_in_any_hour_lock_the_user() {
    let mut scene = Scene::new();
    let devices: Vec<_> = (0..6).map(|n| scene.device(&totp(n), DeviceStatus::Active)).collect();
    for device in &devices[..4] {
        scene.guess(&device_door(*device), 4);
    }
    scene.guess(&Target::TempToken, 3);
    assert_eq!(lock_of(&scene, devices[5]), None, "nineteen");
    scene.guess(&Target::OwnCodes(devices[5]), 1);
    assert_eq!(lock_of(&scene, devices[5]), Some(HOUR - SECOND));
    let fresh = devices[4];
    let code = scene.own_code(fresh);
    assert!(matches!(scene.typed(&device_door(fresh), &code), Outcome::Refused(Reason::Locked { until: Some(_), .. })));
    scene.wait(HOUR);
    let code = scene.own_code(fresh);
    assert!(is_accepted(&scene.typed(&device_door(fresh), &code)));
}

/// SEC 23.
#[test]
fn a_hundred_failures_in_any_day_lock_the_user() {
    let mut scene = Scene::new();
    let devices: Vec<_> = (0..20).map(|n| scene.device(&hotp(n), DeviceStatus::Active)).collect();
    for round in 0..100 {
        assert_eq!(crate::model::locked_until(&scene.view(), None, scene.now), None, "{round}");
        let device = devices[round % devices.len()];
        scene.outwait(device);
        scene.guess(&device_door(device), 1);
        scene.wait(4 * MINUTE);
    }
    assert!(crate::model::locked_until(&scene.view(), None, scene.now).is_some());
}

/// SEC 25.
#[test]
fn a_success_resets_only_the_count_of_the_device_that_was_used() {
    let mut scene = Scene::new();
    let one = scene.device(&totp(1), DeviceStatus::Active);
    let other = scene.device(&totp(2), DeviceStatus::Active);
    scene.guess(&device_door(one), 4);
    scene.guess(&device_door(other), 4);
    let code = scene.own_code(one);
    assert!(is_accepted(&scene.typed(&device_door(one), &code)));
    assert_eq!((scene.failures(one), scene.failures(other)), (0, 4));
    assert_eq!(scene.db.throttle(scene.user, ThrottleKey::User).recent.len(), 8);
}

/// SEC 25.
#[test]
fn nothing_but_a_success_resets_a_count() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("999999");
    let verification = scene.verification(device, challenge, true);
    scene.guess(&token_door(&verification), 4);
    scene.wait(DAY);
    // A new challenge and a new state token, a log-out, a changed user, an issued token.
    let challenge = scene.code("888888");
    let fresh = scene.new_verification(device, challenge, true);
    let message = crate::model::message(&fresh, countersign_domain::FactorKind::Sms);
    let opening = Opening { verification: fresh.clone(), message, pending_devices: true };
    scene.db.commit(open(&scene.view(), &opening, Basis { policy: &policy(), actor: &context(), now: scene.now }));
    scene.guess(&token_door(&fresh), 1);
    assert_eq!(scene.failures(device), 5);
    let view = scene.view();
    scene.db.commit(user::log_out(&view, &context(), scene.now));
    let token = crate::model::temp_token(scene.user, "55647655", true, scene.now.plus(HOUR));
    scene.db.commit(temp_token::issue(&view, token, &context(), scene.now));
    let patch = UserPatch { username: Some(Some("ana".to_owned())), ..UserPatch::default() };
    scene.db.commit(user::update(&view, &patch, &context(), scene.now));
    assert!(is_accepted(&scene.typed(&Target::TempToken, "55647655")));
    assert_eq!(scene.failures(device), 5);
    assert!(lock_of(&scene, device).is_some());
}

/// SEC 25: messages are counted by factor, so a new device does not reset the count. A new device has its own count of
/// failures, and the user's budget limits them all.
#[test]
fn enrolling_again_does_not_buy_guesses_without_end() {
    let mut scene = Scene::new();
    let mut guesses = 0;
    for n in 0..10 {
        let device = scene.device(&totp(n), DeviceStatus::Active);
        let open = (0..4).take_while(|_| {
            let wrong = format!("{:06}", scene.draw());
            let outcome = scene.typed(&device_door(device), &wrong);
            outcome == Outcome::Refused(Reason::WrongCode)
        });
        guesses += open.count();
        scene.db.commit(enrolment::remove(&scene.view(), device, &context(), scene.now));
    }
    assert_eq!(guesses, 20);
}

/// SEC 26: under a lock nothing is evaluated and nothing is counted. Right and wrong look the same.
#[test]
fn under_a_lock_right_and_wrong_are_the_same() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    scene.guess(&device_door(device), 5);
    let before = scene.db.users[&scene.user].clone();
    let right = scene.own_code(device);
    let refusals = [right, "000000".to_owned()].map(|text| scene.typed(&device_door(device), &text));
    assert_eq!(refusals[0], refusals[1]);
    assert!(matches!(refusals[0], Outcome::Refused(Reason::Locked { until: Some(_), .. })));
    let after = &scene.db.users[&scene.user];
    let counted = |throttles: &[countersign_domain::Throttle]| {
        let fields =
            |t: &countersign_domain::Throttle| (t.key.numbers(), t.consecutive, t.recent.clone(), t.locked_until);
        throttles.iter().map(fields).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!((&after.devices, counted(&after.throttles)), (&before.devices, counted(&before.throttles)));
    let last = scene.db.audit.last().unwrap();
    assert_eq!((last.kind, last.reason, last.device), (AuditKind::Refused, Some("locked"), Some(device)));
    let named = (last.rule, last.request.as_deref());
    assert_eq!(named, (Some(Rule::DeviceThrottle), Some("request-1")), "which lock it is shows here only");
    let lock = scene.db.audit.iter().find(|entry| entry.kind == AuditKind::GuessLock).unwrap();
    assert_eq!((lock.rule, lock.request.as_deref()), (None, Some("request-1")));
}

/// SEC 27.
#[test]
fn a_lock_of_one_device_leaves_the_others_usable() {
    let mut scene = Scene::new();
    let locked = scene.device(&totp(1), DeviceStatus::Active);
    let other = scene.device(&totp(2), DeviceStatus::Active);
    scene.guess(&device_door(locked), 5);
    let code = scene.own_code(other);
    assert!(is_accepted(&scene.typed(&device_door(other), &code)));
}

/// SEC 28.
#[test]
fn asking_and_missing_are_no_failures() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("123456");
    let verification = scene.verification(device, challenge, true);
    for door in [device_door(device), token_door(&verification), wire_door(&verification), Target::Newest] {
        for response in [FactorResponse::none(), FactorResponse::typed("")] {
            scene.answer(&door, &response);
        }
    }
    scene.typed(&device_door(DeviceId(9)), "123456");
    scene.typed(&Target::Device { device, state_token: Some(crate::model::digest(1)) }, "123456");
    assert_eq!(scene.db.users[&scene.user].throttles, []);
}

/// SEC 29: failures are counted by id. A locked device is locked at every endpoint.
#[test]
fn a_count_hangs_on_the_device_whatever_the_door() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let v1 = scene.verification(device, Challenge::Own, true);
    let v2 = scene.verification(device, Challenge::Own, false);
    for door in [device_door(device), token_door(&v1), wire_door(&v2), Target::OwnCodes(device), device_door(device)] {
        scene.guess(&door, 1);
    }
    assert_eq!(scene.failures(device), 5);
    assert!(lock_of(&scene, device).is_some());
}

/// A clock that is set back ends no lock and makes no used code valid again.
#[test]
fn a_clock_set_back_lifts_no_lock_and_revives_no_code() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let code = scene.own_code(device);
    assert!(is_accepted(&scene.typed(&device_door(device), &code)));
    scene.guess(&device_door(device), 5);
    scene.wait(-HOUR);
    let code = scene.own_code(device);
    assert!(matches!(scene.typed(&device_door(device), &code), Outcome::Refused(Reason::Locked { .. })));
    scene.db.commit(user::unlock(&scene.view(), &[], &context(), scene.now));
    let code = scene.own_code(device);
    assert_eq!(scene.typed(&device_door(device), &code), Outcome::Refused(Reason::Replay));
    assert!(scene.db.device(device).unwrap().last_counter > BEFORE_FIRST_COUNTER);
}

/// Decision 21: this holds for every accepted code within reach, not only for the last one.
#[test]
fn a_spent_code_is_no_guess() {
    for credential in [totp(1), hotp(1)] {
        let mut scene = Scene::new();
        let device = scene.device(&credential, DeviceStatus::Active);
        let mut spent = Vec::new();
        for _ in 0..8 {
            let code = scene.own_code(device);
            assert!(is_accepted(&scene.typed(&device_door(device), &code)));
            spent.push(code);
            scene.wait(31 * SECOND);
        }
        for code in &spent {
            assert_eq!(scene.typed(&device_door(device), code), Outcome::Refused(Reason::Replay));
            scene.wait(SECOND);
        }
        assert_eq!(scene.failures(device), 0);
        assert_eq!(lock_of(&scene, device), None);
        scene.wait(31 * SECOND);
        let code = scene.own_code(device);
        assert!(is_accepted(&scene.typed(&device_door(device), &code)));
    }
}

/// SEC 75: a lock lasts as long as it was meant to, also if the clock is set back during it.
#[test]
fn no_clock_lengthens_a_lock() {
    for (failures, lock) in [(5, MINUTE), (10, 5 * MINUTE), (15, 15 * MINUTE), (20, HOUR)] {
        let mut scene = Scene::new();
        let device = scene.device(&totp(1), DeviceStatus::Active);
        fail_until(&mut scene, device, failures);
        scene.wait(-DAY);
        assert_eq!(lock_of(&scene, device), Some(lock), "it is shown no longer");
        let code = scene.own_code(device);
        let until = scene.now.plus(lock);
        let refused = crate::model::locked(Rule::DeviceThrottle, Some(until));
        assert_eq!(scene.typed(&device_door(device), &code), refused);
        scene.now = until.plus(-1);
        assert_eq!(scene.typed(&device_door(device), &code), refused, "nor shorter");
        scene.now = until;
        let code = scene.own_code(device);
        assert!(is_accepted(&scene.typed(&device_door(device), &code)), "{failures}");
    }
    // The user's own lock, and what it was counted from.
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let user = ThrottleKey::User;
    while scene.db.throttle(scene.user, user).locked_until.is_none() {
        scene.guess(&device_door(device), 1);
        scene.outwait(device);
    }
    scene.wait(-DAY);
    let until = scene.now.plus(USER_LOCK);
    let code = scene.own_code(device);
    assert_eq!(scene.typed(&device_door(device), &code), crate::model::locked(Rule::UserThrottle, Some(until)));
    assert!(scene.db.throttle(scene.user, user).recent.iter().all(|at| *at <= scene.now));
    scene.now = until;
    let code = scene.own_code(device);
    assert!(is_accepted(&scene.typed(&device_door(device), &code)));
}
