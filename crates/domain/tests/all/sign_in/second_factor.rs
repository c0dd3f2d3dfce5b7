//! Whether a log-in asks for a factor: what policy says, and that nothing but a deliberate deletion makes it need less (SEC 92).

use super::*;

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

/// SEC 92: guesses, commands, configuration and time never make a log-in need less. Only a deletion does, and its audit entry
/// says so.
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

/// A device that was never in use is no second factor. Deleting it takes none away.
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

/// SEC 92: an administrator helps with a temporary token, whatever state the devices are in. Under `required` this holds for
/// users who never had a device too.
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

/// Today's policy limits how long a browser is remembered, not only the policy of the day it was remembered.
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
