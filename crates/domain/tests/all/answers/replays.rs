//! A code is good once, at all endpoints and beyond its device (SEC 1, decision 21).

use super::*;

#[test]
fn a_code_is_accepted_once() {
    let mut scene = Scene::new();
    for credential in [totp(1), hotp(1)] {
        let device = scene.device(&credential, DeviceStatus::Active);
        let code = scene.own_code(device);
        assert!(is_accepted(&scene.typed(&device_door(device), &code)));
        assert_eq!(scene.typed(&device_door(device), &code), REPLAY);
    }
}

/// SEC 2.
#[test]
fn the_code_that_confirmed_the_enrolment_is_spent() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Pending);
    let code = scene.own_code(device);
    assert!(is_accepted(&scene.typed(&device_door(device), &code)));
    assert_eq!(scene.status(device), Some(DeviceStatus::Active));
    assert_eq!(scene.typed(&Target::OwnCodes(device), &code), REPLAY);
}

/// SEC 96: the used codes of a secret stay used for every user who brings it again. Its unused codes are valid at once.
#[test]
fn a_spent_code_stays_spent_beyond_its_device() {
    for credential in [totp(1), hotp(1)] {
        let mut scene = Scene::new();
        let use_next = |scene: &mut Scene, device| {
            let code = scene.own_code(device);
            assert!(is_accepted(&scene.typed(&device_door(device), &code)), "{credential:?}");
            code
        };
        let first = scene.device(&credential, DeviceStatus::Active);
        let mut spent = vec![use_next(&mut scene, first)];
        let refused = |scene: &mut Scene, device, spent: &[String]| {
            for code in spent {
                assert_eq!(scene.typed(&device_door(device), code), REPLAY, "{credential:?}");
            }
        };

        // The device goes.
        let remove = enrolment::remove(&scene.view(), first, &context(), scene.now);
        assert!(scene.db.commit(remove));
        let second = scene.device(&credential, DeviceStatus::Active);
        refused(&mut scene, second, &spent);
        scene.wait(30 * SECOND);
        spent.push(use_next(&mut scene, second));

        // Its user goes.
        let gone = user::delete(&scene.view(), &context(), scene.now);
        scene.db.commit(gone);
        scene.user = UserId(2);
        scene.add_user(UserId(2));
        let third = scene.device(&credential, DeviceStatus::Active);
        refused(&mut scene, third, &spent);
        scene.wait(30 * SECOND);
        spent.push(use_next(&mut scene, third));

        // It lives, and somebody else brings it too.
        scene.user = UserId(3);
        scene.add_user(UserId(3));
        let fourth = scene.device(&credential, DeviceStatus::Active);
        refused(&mut scene, fourth, &spent);
        scene.wait(30 * SECOND);
        use_next(&mut scene, fourth);

        // Another secret has nothing to do with it.
        let other = scene.device(&if credential == totp(1) { totp(2) } else { hotp(2) }, DeviceStatus::Active);
        assert_eq!(
            scene.db.device(other).unwrap().last_counter,
            countersign_domain::model::device::BEFORE_FIRST_COUNTER
        );
    }
    // A device that nothing was used of leaves nothing behind.
    let mut scene = Scene::new();
    let unused = scene.device(&totp(1), DeviceStatus::Active);
    let remove = enrolment::remove(&scene.view(), unused, &context(), scene.now);
    assert!(scene.db.commit(remove) && scene.db.used.is_empty());
}

/// SEC 96: the secret comes back with steps of another length.
#[test]
fn no_second_that_was_used_is_fresh_in_steps_of_another_length() {
    for (before, after) in [(30, 60), (60, 30), (120, 15)] {
        let of = |period| {
            let secret = countersign_domain::Secret::new(vec![1; 20]);
            Credential::Totp(totp::Totp { period, ..totp::Totp::with_secret(secret) })
        };
        let mut scene = Scene::new();
        let first = scene.device(&of(before), DeviceStatus::Active);
        let code = scene.own_code(first);
        assert!(is_accepted(&scene.typed(&device_door(first), &code)));
        let used =
            countersign_domain::Counts::Seconds(before).used(scene.db.device(first).unwrap().last_counter).unwrap();
        let remove = enrolment::remove(&scene.view(), first, &context(), scene.now);
        assert!(scene.db.commit(remove));
        let second = scene.device(&of(after), DeviceStatus::Active);
        let last = scene.db.device(second).unwrap().last_counter;
        assert!(countersign_domain::Counts::Seconds(after).used(last).unwrap() >= used, "{before} {after}");
        let code = scene.own_code(second);
        assert!(!is_accepted(&scene.typed(&device_door(second), &code)), "{before} {after}");
    }
}

/// SEC 2: the last step is remembered, so an earlier one is over even if its code was never used.
#[test]
fn an_earlier_step_is_over_once_a_later_one_was_accepted() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let earlier = scene.own_code(device);
    scene.wait(30 * SECOND);
    let later = scene.own_code(device);
    assert!(is_accepted(&scene.typed(&device_door(device), &later)));
    assert_eq!(scene.typed(&device_door(device), &earlier), REPLAY);
}

/// SEC 9.
#[test]
fn the_counter_of_a_hotp_device_moves_only_on_success() {
    let mut scene = Scene::new();
    let device = scene.device(&hotp(1), DeviceStatus::Active);
    scene.guess(&device_door(device), 4);
    assert_eq!(scene.db.device(device).unwrap().last_counter, -1);
    let code = scene.own_code(device);
    assert!(is_accepted(&scene.typed(&device_door(device), &code)));
    assert_eq!(scene.db.device(device).unwrap().last_counter, 0);
}

/// SEC 4: all endpoints share the state of the device.
#[test]
fn a_code_spent_at_one_door_is_spent_at_all() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let v1 = scene.verification(device, Challenge::Own, true);
    let v2 = scene.verification(device, Challenge::Own, false);
    let doors = [device_door(device), token_door(&v1), wire_door(&v2), Target::OwnCodes(device)];
    for first in &doors {
        let mut scene = scene.clone();
        let code = scene.own_code(device);
        assert!(is_accepted(&scene.typed(first, &code)), "{first:?}");
        for door in doors.iter().filter(|door| *door != first) {
            assert_eq!(scene.typed(door, &code), REPLAY, "{first:?} then {door:?}");
        }
    }
}

/// SEC 5: sixteen callers prove the same thing on one snapshot. Their decisions follow one another.
#[test]
fn of_sixteen_racers_one_wins() {
    let mut scene = Scene::new();
    let own = scene.device(&totp(1), DeviceStatus::Active);
    let counted = scene.device(&hotp(2), DeviceStatus::Active);
    let sent = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("123456");
    let verification = scene.verification(sent, challenge, true);
    let token = crate::model::temp_token(scene.user, "55647655", false, scene.now.plus(120 * SECOND));
    scene.db.apply(countersign_domain::Change::SetTempToken(scene.user, Some(token)));
    let races = [
        (device_door(own), scene.own_code(own)),
        (device_door(counted), scene.own_code(counted)),
        (token_door(&verification), "123456".to_owned()),
        (Target::TempToken, "55647655".to_owned()),
    ];
    for (target, text) in races {
        let mut scene = scene.clone();
        let evidence = scene.prove(&target, &FactorResponse::typed(&text));
        assert!(matches!(evidence, Evidence::Proved(_)));
        let wins = (0..16).filter(|_| is_accepted(&scene.judge(&target, &evidence))).count();
        assert_eq!(wins, 1, "{target:?}");
    }
}

/// Decision 21.
#[test]
fn a_replay_is_refused_and_recorded_but_is_no_guess() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let code = scene.own_code(device);
    scene.typed(&device_door(device), &code);
    for _ in 0..10 {
        assert_eq!(scene.typed(&device_door(device), &code), REPLAY);
    }
    assert_eq!(scene.failures(device), 0);
    let replays = scene.db.audit.iter().filter(|event| event.reason == Some("replay"));
    assert_eq!(replays.count(), 10);
}

/// A secret whose codes happen to be equal.
fn made(n: u32) -> countersign_domain::Secret {
    countersign_domain::Secret::new(n.to_be_bytes().repeat(5))
}

/// Decision 21: callers see digits only. So digits that were accepted are spent, even if a later step has the same ones.
#[test]
fn equal_digits_are_a_replay() {
    // Counters 5 and 9 have the same digits.
    let token = hotp::Hotp { secret: made(7_882), digits: 6 };
    let code = |counter| hotp::code(&token.secret, hotp::Algorithm::Sha1, counter, 6);
    assert_eq!(code(5), code(9));
    let mut scene = Scene::new();
    let device = scene.device(&countersign_domain::Credential::Hotp(token.clone()), DeviceStatus::Active);
    for counter in 0..=5 {
        assert!(is_accepted(&scene.typed(&device_door(device), &code(counter))), "{counter}");
    }
    assert_eq!(scene.typed(&device_door(device), &code(5)), REPLAY);
    for counter in 6..=8 {
        assert!(is_accepted(&scene.typed(&device_door(device), &code(counter))), "{counter}");
        assert_eq!(scene.typed(&device_door(device), &code(5)), REPLAY, "after {counter}");
    }
    assert_eq!(scene.typed(&device_door(device), &code(9)), REPLAY, "the token's own next code looks the same");
    assert!(is_accepted(&scene.typed(&device_door(device), &code(10))), "and the next different one is accepted");
    assert_eq!(scene.failures(device), 0);

    // The steps of `START` and the next have the same digits.
    let totp = totp::Totp::with_secret(made(1_670_399));
    let device = scene.device(&countersign_domain::Credential::Totp(totp.clone()), DeviceStatus::Active);
    let first = scene.own_code(device);
    assert_eq!(first, totp.code(scene.now.plus(30 * SECOND)));
    assert!(is_accepted(&scene.typed(&device_door(device), &first)));
    assert_eq!(scene.typed(&device_door(device), &first), REPLAY);
    scene.wait(30 * SECOND);
    assert_eq!(scene.typed(&device_door(device), &first), REPLAY);
    scene.wait(30 * SECOND);
    let next = scene.own_code(device);
    assert!(is_accepted(&scene.typed(&device_door(device), &next)));
}
