//! Guessing has a price that nothing resets (SEC 17, SEC 20–29), and messages have one too (SEC 33).

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
    AuditKind, Challenge, DeviceId, DeviceStatus, FactorResponse, Outcome, Reason, Right, SessionKind, ThrottleKey,
};

fn lock_of(scene: &Scene, device: DeviceId) -> Option<i64> {
    throttle::locked_until(&scene.view(), Some(device), scene.now).map(|until| until.since(scene.now))
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

/// SEC 26: answers under a lock make nothing grow.
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
        assert!(matches!(scene.db.commit(decision), Outcome::Refused(Reason::Locked(_))));
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
        assert_eq!(scene.typed(&door, &code), Outcome::Refused(Reason::Locked(None)));
    }
    assert_eq!(scene.db.commit(user::unlock(&scene.view(), &[], &context(), scene.now)), Unlocked::Unlocked);
    assert!(is_accepted(&scene.typed(&device_door(device), &code)));
}

/// SEC 95: the right to look does not become the right to take a device away; what it may do to it passes by itself.
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

    // What others get wrong comes on top, and then it is the end as ever.
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
        if throttle::locked_until(&scene.view(), Some(device), scene.now).is_none() {
            scene.guess(&device_door(device), 1);
            guesses += 1;
        }
    }
    assert!(scene.now.since(start) > 2 * DAY - HOUR);
    // A hundred, and then one for each hour's lock.
    assert!((100..=2 * (USER_PER_DAY + 24)).contains(&guesses), "{guesses}");
}

/// SEC 22: or an unlocking would put a device in use that never proved anything.
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

/// SEC 22: whatever it was, a disabled device of a factor that cannot repeat blocks a second one until removed.
#[test]
fn a_disabled_device_is_not_replaced_by_enrolling_again() {
    let mut scene = Scene::new();
    scene.device(&sms(), DeviceStatus::Disabled);
    let device = scene.new_device(&sms(), DeviceStatus::Active);
    let enrolment = enrolment::Enrolment { device, registration: None, message: None };
    let decision =
        enrolment::enrol(&scene.view(), &enrolment, Basis { policy: &policy(), actor: &context(), now: scene.now });
    assert_eq!(decision.reply, enrolment::Enrolled::AlreadyEnrolled);
}

/// SEC 23: over all factors and doors, whatever device.
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
    assert!(matches!(scene.typed(&device_door(fresh), &code), Outcome::Refused(Reason::Locked(Some(_)))));
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
        assert_eq!(throttle::locked_until(&scene.view(), None, scene.now), None, "{round}");
        let device = devices[round % devices.len()];
        scene.outwait(device);
        scene.guess(&device_door(device), 1);
        scene.wait(4 * MINUTE);
    }
    assert!(throttle::locked_until(&scene.view(), None, scene.now).is_some());
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

/// SEC 25: the count of messages is by factor, so a new device does not reset it; a new device has its own count of
/// failures, and the user's budget backs it.
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

/// SEC 26: nothing is evaluated, nothing counted, and right and wrong look the same.
#[test]
fn under_a_lock_right_and_wrong_are_the_same() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    scene.guess(&device_door(device), 5);
    let before = scene.db.users[&scene.user].clone();
    let right = scene.own_code(device);
    let refusals = [right, "000000".to_owned()].map(|text| scene.typed(&device_door(device), &text));
    assert_eq!(refusals[0], refusals[1]);
    assert!(matches!(refusals[0], Outcome::Refused(Reason::Locked(Some(_)))));
    let after = &scene.db.users[&scene.user];
    let counted = |throttles: &[countersign_domain::Throttle]| {
        let fields =
            |t: &countersign_domain::Throttle| (t.key.numbers(), t.consecutive, t.recent.clone(), t.locked_until);
        throttles.iter().map(fields).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!((&after.devices, counted(&after.throttles)), (&before.devices, counted(&before.throttles)));
    let last = scene.db.audit.last().unwrap();
    assert_eq!((last.kind, last.reason, last.device), (AuditKind::Refused, Some("locked"), Some(device)));
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

/// SEC 29: the count hangs on ids, and a lock on the device is a lock at every door.
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
    assert!(matches!(refused, Outcome::Refused(Reason::Locked(Some(_)))), "five, success or no success");
    assert_eq!(lock_of(&scene, device), None, "devices stay usable");
    scene.wait(2 * HOUR);
    scene.guess(&Target::TempToken, 4);
    scene.wait(2 * HOUR);
    assert!(is_accepted(&scene.typed(&Target::TempToken, "55647655")), "nine");
    scene.guess(&Target::TempToken, 1);
    scene.wait(DAY - 2 * SECOND);
    let refused = scene.typed(&Target::TempToken, "55647655");
    assert!(matches!(refused, Outcome::Refused(Reason::Locked(Some(_)))), "ten lock for a day");
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

/// Decision 12: one lives per user.
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

/// SEC 33.
#[test]
fn a_message_every_thirty_seconds_and_five_in_ten_minutes() {
    let mut scene = Scene::new();
    let factor = countersign_domain::FactorKind::Sms;
    let start = scene.now;
    let next = |scene: &Scene| throttle::next_send(&scene.view(), factor, &policy(), scene.now);
    for n in 0..5 {
        assert_eq!(next(&scene), None, "message {n}");
        let change = throttle::count_send(&scene.view(), scene.user, factor, scene.now);
        scene.db.apply(change);
        if n < 4 {
            assert_eq!(next(&scene), Some(scene.now.plus(30 * SECOND)));
        }
        scene.wait(30 * SECOND);
    }
    assert_eq!(next(&scene), Some(start.plus(10 * MINUTE)));
    assert_eq!(throttle::next_send(&scene.view(), countersign_domain::FactorKind::Voice, &policy(), scene.now), None);
    let off = countersign_domain::Policy { message_limits: false, ..policy() };
    assert_eq!(throttle::next_send(&scene.view(), factor, &off, scene.now), None);
    scene.now = start.plus(10 * MINUTE);
    assert_eq!(next(&scene), None);
}

/// SEC 33 and SEC 25: what a message limit remembers is neither reset by a success nor lifted by an unlocking.
#[test]
fn message_limits_are_not_reset_by_success_or_unlocking() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let change = throttle::count_send(&scene.view(), scene.user, countersign_domain::FactorKind::Sms, scene.now);
    scene.db.apply(change);
    let challenge = scene.code("123456");
    let verification = scene.verification(device, challenge, true);
    scene.guess(&token_door(&verification), 1);
    assert!(is_accepted(&scene.typed(&token_door(&verification), "123456")));
    scene.db.commit(user::lock(&scene.view(), 0, &context(), scene.now));
    scene.db.commit(user::unlock(&scene.view(), &[], &context(), scene.now));
    assert_eq!(scene.db.throttle(scene.user, ThrottleKey::Send(countersign_domain::FactorKind::Sms)).recent.len(), 1);
}

/// SEC 13: repeated prompts are blocked before they wear a person out.
#[test]
fn three_prompts_in_five_minutes_and_ten_a_day_until_one_is_accepted() {
    let mut scene = Scene::new();
    let push = countersign_domain::FactorKind::Push;
    let next = |scene: &Scene| throttle::next_send(&scene.view(), push, &policy(), scene.now);
    let put = |scene: &mut Scene| {
        for change in [
            throttle::count_send(&scene.view(), scene.user, push, scene.now),
            throttle::count_prompt(&scene.view(), scene.user, scene.now),
        ] {
            scene.db.apply(change);
        }
    };
    let start = scene.now;
    for n in 0..3 {
        assert_eq!(next(&scene), None, "prompt {n}");
        put(&mut scene);
        scene.wait(30 * SECOND);
    }
    assert_eq!(next(&scene), Some(start.plus(5 * MINUTE)));
    for _ in 3..10 {
        scene.wait(HOUR);
        assert_eq!(next(&scene), None);
        put(&mut scene);
    }
    scene.wait(HOUR);
    assert_eq!(next(&scene), Some(start.plus(24 * HOUR)), "the eleventh of the day");
    scene.db.commit(user::lock(&scene.view(), 0, &context(), scene.now));
    scene.db.commit(user::unlock(&scene.view(), &[], &context(), scene.now));
    assert!(next(&scene).is_some(), "an unlocking does not make the person more patient");
    for change in throttle::reset_prompts(&scene.view(), scene.user, scene.now) {
        scene.db.apply(change);
    }
    assert_eq!(next(&scene), None);
}

/// SEC 95: what may be sent to a device is never used up by callers that may only look.
#[test]
fn a_part_of_the_messages_is_left_to_others() {
    let (sms, push) = (countersign_domain::FactorKind::Sms, countersign_domain::FactorKind::Push);
    let of_reader = |scene: &Scene, factor| throttle::next_send_of_reader(&scene.view(), factor, &policy(), scene.now);
    let of_others = |scene: &Scene, factor| throttle::next_send(&scene.view(), factor, &policy(), scene.now);
    let send = |scene: &mut Scene, factor| {
        let (view, user, now) = (scene.view(), scene.user, scene.now);
        let mut changes = throttle::count_send_of_reader(&view, user, factor, now);
        changes.push(throttle::count_send(&view, user, factor, now));
        if factor == push {
            changes.push(throttle::count_prompt(&view, user, now));
        }
        for change in changes {
            scene.db.apply(change);
        }
    };
    for (factor, most) in [(sms, 3), (push, 2)] {
        let mut scene = Scene::new();
        for n in 0..most {
            assert_eq!(of_reader(&scene, factor), None, "{factor:?} {n}");
            let last = throttle::would_block_prompts(&scene.view(), &policy(), Right::Look, scene.now);
            assert_eq!(last && factor == push, n + 1 == most && factor == push);
            send(&mut scene, factor);
            scene.wait(30 * SECOND);
        }
        assert!(of_reader(&scene, factor).is_some(), "{factor:?}");
        assert_eq!(of_others(&scene, factor), None, "{factor:?}");
        assert_eq!(warning::is_due(&scene.view(), &policy(), scene.now), factor == push, "the person hears of it");
    }
    // Of a day's prompts, too; and an accepted one starts both counts again.
    let mut scene = Scene::new();
    for _ in 0..5 {
        assert_eq!(of_reader(&scene, push), None);
        send(&mut scene, push);
        scene.wait(HOUR);
    }
    assert!(of_reader(&scene, push).is_some());
    assert_eq!(of_others(&scene, push), None);
    for change in throttle::reset_prompts(&scene.view(), scene.user, scene.now) {
        scene.db.apply(change);
    }
    assert_eq!(of_reader(&scene, push), None);
}

/// SEC 13: the person is warned with the prompt that fills a limit, however slowly that comes about.
#[test]
fn the_prompt_that_fills_a_limit_is_known_when_it_is_put() {
    for (apart, filling) in [(101 * SECOND, 3), (HOUR, 10), (2 * HOUR, 10)] {
        let mut scene = Scene::new();
        let push = countersign_domain::FactorKind::Push;
        for n in 1..=filling {
            assert_eq!(throttle::next_send(&scene.view(), push, &policy(), scene.now), None);
            let is_last = throttle::would_block_prompts(&scene.view(), &policy(), Right::Manage, scene.now);
            assert_eq!(is_last, n == filling, "prompt {n} of {filling}");
            scene.db.apply(throttle::count_prompt(&scene.view(), scene.user, scene.now));
            assert_eq!(warning::is_due(&scene.view(), &policy(), scene.now), n == filling);
            scene.wait(apart);
        }
        let off = countersign_domain::Policy { message_limits: false, ..policy() };
        assert!(!throttle::would_block_prompts(&scene.view(), &off, Right::Manage, scene.now));
    }
}

/// SEC 13: a warning is recorded whether or not there is a way to send it, once an hour and three times a day.
#[test]
fn a_warning_is_recorded_with_a_message_or_without() {
    let mut scene = Scene::new();
    for _ in 0..10 {
        scene.db.apply(throttle::count_prompt(&scene.view(), scene.user, scene.now));
    }
    let mut warned = Vec::new();
    for hour in 0..24 {
        let decision = warning::of_prompts(&scene.view(), DeviceId(1), None, &policy(), &context(), scene.now);
        if scene.db.commit(decision) {
            warned.push(hour);
        }
        scene.wait(HOUR / 2);
        let again = warning::of_prompts(&scene.view(), DeviceId(1), None, &policy(), &context(), scene.now);
        assert!(!scene.db.commit(again), "{hour}");
        scene.wait(HOUR / 2);
    }
    assert_eq!(warned, [0, 1, 2]);
    assert_eq!(scene.db.recorded(AuditKind::PromptsRefused), 3);
}

/// The clock only ever moves a lock's end away, never an accepted step back.
#[test]
fn a_clock_set_back_lifts_no_lock_and_revives_no_code() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let code = scene.own_code(device);
    assert!(is_accepted(&scene.typed(&device_door(device), &code)));
    scene.guess(&device_door(device), 5);
    scene.wait(-HOUR);
    let code = scene.own_code(device);
    assert!(matches!(scene.typed(&device_door(device), &code), Outcome::Refused(Reason::Locked(_))));
    scene.db.commit(user::unlock(&scene.view(), &[], &context(), scene.now));
    let code = scene.own_code(device);
    assert_eq!(scene.typed(&device_door(device), &code), Outcome::Refused(Reason::Replay));
    assert!(scene.db.device(device).unwrap().last_counter > BEFORE_FIRST_COUNTER);
}

/// SEC 13 and SEC 33: a clock that was ahead and is set back neither keeps messages from anybody for as long as it was
/// ahead, nor makes those of the last minutes forgotten.
#[test]
fn a_clock_set_back_holds_no_message_back_for_days_and_forgets_none_of_now() {
    for factor in [countersign_domain::FactorKind::Sms, countersign_domain::FactorKind::Push] {
        let mut scene = Scene::new();
        let next = |scene: &Scene| throttle::next_send(&scene.view(), factor, &policy(), scene.now);
        let put = |scene: &mut Scene| {
            scene.db.apply(throttle::count_send(&scene.view(), scene.user, factor, scene.now));
            scene.db.apply(throttle::count_prompt(&scene.view(), scene.user, scene.now));
        };
        scene.wait(2 * 24 * HOUR);
        for _ in 0..5 {
            put(&mut scene);
            scene.wait(30 * SECOND);
        }
        scene.wait(-2 * 24 * HOUR);
        assert_eq!(next(&scene), None);
        put(&mut scene);
        assert_eq!(next(&scene), Some(scene.now.plus(30 * SECOND)));
        let off = countersign_domain::SendLimits {
            device_interval: 0,
            device_per_ten_minutes: 0,
            ..countersign_domain::SendLimits::default()
        };
        let off = countersign_domain::Policy { sends: off, ..policy() };
        assert_eq!(throttle::next_send(&scene.view(), factor, &off, scene.now), None);
        scene.wait(2 * 24 * HOUR);
        assert_eq!(next(&scene), None, "what was counted ahead does not count once more when its time comes");

        // A step of seconds changes nothing.
        for _ in 0..3 {
            put(&mut scene);
            scene.wait(30 * SECOND);
        }
        scene.wait(-100 * SECOND);
        assert!(next(&scene).is_some());
    }
}

/// SEC 13: so it is with warnings.
#[test]
fn a_clock_set_back_keeps_no_warning_back() {
    let mut scene = Scene::new();
    let wear_down = |scene: &mut Scene| {
        for _ in 0..3 {
            scene.db.apply(throttle::count_prompt(&scene.view(), scene.user, scene.now));
        }
    };
    let warned = |scene: &mut Scene| {
        let warned = warning::of_prompts(&scene.view(), DeviceId(1), None, &policy(), &context(), scene.now);
        scene.db.commit(warned)
    };
    scene.wait(30 * 24 * HOUR);
    wear_down(&mut scene);
    assert!(warned(&mut scene));
    scene.wait(-30 * 24 * HOUR);
    wear_down(&mut scene);
    assert!(warned(&mut scene));
    assert!(!warned(&mut scene), "once an hour");
}

/// Decision 21: not only the last code that was accepted, every one of those before it within reach.
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

/// SEC 20, SEC 24: whatever device a token is shown at, five guesses are five guesses. A device that is not the user's
/// is compared with nothing.
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
        assert!(matches!(locked, Some(Reason::Locked(Some(_)))), "{what}: the right one after five: {locked:?}");
    }
}

/// SEC 54: nothing is compared for a device that the user does not have, not even what would be right.
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

/// Decision 25: two secrets, one answer: right for either, counted against both, and against the user once.
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

/// Decided by what was sent: a shorter text is padded for no temporary token, and a device's own code is no guess at one.
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

/// SEC 75: a lock lasts as long as it was meant to, also where the clock is set back while it is in force.
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
        assert_eq!(scene.typed(&device_door(device), &code), Outcome::Refused(Reason::Locked(Some(until))));
        scene.now = until.plus(-1);
        assert_eq!(
            scene.typed(&device_door(device), &code),
            Outcome::Refused(Reason::Locked(Some(until))),
            "nor shorter"
        );
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
    assert_eq!(scene.typed(&device_door(device), &code), Outcome::Refused(Reason::Locked(Some(until))));
    assert!(scene.db.throttle(scene.user, user).recent.iter().all(|at| *at <= scene.now));
    scene.now = until;
    let code = scene.own_code(device);
    assert!(is_accepted(&scene.typed(&device_door(device), &code)));
}
