//! Messages and prompts are limited, and the person is warned of too many (SEC 13, SEC 33, SEC 95).

use super::*;

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

/// SEC 25, SEC 33: neither a success nor an unlocking resets the limits on messages.
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

/// SEC 95: callers that may only look never use up all messages that may be sent.
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
    // The same holds for the prompts of a day. An accepted prompt resets both counts.
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

/// SEC 13: the person is warned with the prompt that reaches a limit, however slowly prompts come.
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

/// SEC 13: a warning is recorded once an hour and three times a day, whether or not it can be sent.
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

/// SEC 13, SEC 33: a clock was ahead and is set back. Messages are not held back for as long as it was ahead, and those of the
/// last minutes still count.
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
        let is_prompt = factor == countersign_domain::FactorKind::Push;
        assert_eq!(next(&scene), (!is_prompt).then(|| scene.now.plus(30 * SECOND)));
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

/// SEC 13: the same holds for warnings.
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
