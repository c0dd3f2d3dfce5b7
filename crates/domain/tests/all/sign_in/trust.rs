//! Trust ends with what it stood on, and with its time (SEC 56, SEC 75).

use super::*;

/// SEC 75: before the time is set back, everything that is over ends. By the earlier time it does not exist again.
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
    // What began after the earlier time ends too. Otherwise it would live longer. A temporary token and a visit do not say when
    // they began; their longest life says how far ahead they can end.
    let ahead = ended(DAY - 1, -1);
    assert_eq!(ahead[..8], [false; 8]);
    assert_eq!(ended(DAY - 1, -2 * MAX_TTL - risk::VISIT_LIFE), [false; 10]);
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

/// SEC 56: each change that takes away what trust stood on ends the trust in the same transaction.
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
