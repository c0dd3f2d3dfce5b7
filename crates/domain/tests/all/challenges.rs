//! Enrolling a device and putting a challenge to it (SEC 7, SEC 19, SEC 32–35, decisions 13, 15, 16, 22, 23, 26, 27).

use crate::model::{
    Scene, context, device_door, email, hotp, is_accepted, policy, push, reader, signing_key, sms, token_door, totp,
    voice, wire_door,
};
use countersign_domain::model::audit::Actor;
use countersign_domain::model::device::{MAX_DEVICES, default_device};
use countersign_domain::model::session::Terms;
use countersign_domain::model::time::{HOUR, MINUTE, SECOND};
use countersign_domain::model::user_patch::UserPatch;
use countersign_domain::rules::basis::Basis;
use countersign_domain::rules::enrolment::{self, Enrolled, Enrolment, MAX_REGISTRATIONS};
use countersign_domain::rules::user::{self, Unlocked};
use countersign_domain::rules::verification::find::Target;
use countersign_domain::rules::verification::open::{self, MAX_OPEN_PER_DEVICE, Opened, Opening};
use countersign_domain::{
    AskedFrom, AuditKind, Challenge, Change, Credential, DeviceId, DeviceStatus, FactorKind, Outcome, Policy, Purpose,
    Reason, Right, Secret, SessionKind, Status, Timestamp, Verification, VerificationEnd,
};

#[derive(Clone, Copy, PartialEq)]
enum Door {
    V1,
    V2,
}

/// A challenge of the kind this device is put at this door, with what is sent.
fn draw(scene: &mut Scene, device: DeviceId, door: Door) -> Opening {
    let factor = scene.db.device(device).expect("it is stored").factor;
    let challenge = match factor {
        FactorKind::Totp | FactorKind::Hotp => Challenge::Own,
        FactorKind::Push => {
            Challenge::Approval { nonce: Secret::new(vec![5; 32]), numbers: vec![], asked: AskedFrom::default() }
        }
        FactorKind::Voice if door == Door::V2 => scene.keypad("123456"),
        FactorKind::Sms | FactorKind::Voice | FactorKind::Email => scene.code("123456"),
    };
    let mut verification = scene.new_verification(device, challenge, door == Door::V1);
    verification.client_id = scene.by.client;
    let message = crate::model::message(&verification, factor);
    Opening { verification, message, pending_devices: door == Door::V1 }
}

fn trigger_under(scene: &mut Scene, device: DeviceId, door: Door, policy: &Policy) -> Opened {
    let opening = draw(scene, device, door);
    scene.db.commit(open::open(&scene.view(), &opening, Basis { policy, actor: &scene.by, now: scene.now }))
}

fn trigger(scene: &mut Scene, device: DeviceId, door: Door) -> Opened {
    trigger_under(scene, device, door, &policy())
}

fn opened(opened: Opened) -> Verification {
    match opened {
        Opened::Opened(verification) => verification,
        other => panic!("{other:?}"),
    }
}

fn status(scene: &Scene, verification: &Verification) -> Status {
    scene.db.verification(verification.id).expect("it is stored").status
}

fn enrolment(scene: &mut Scene, credential: &Credential, status: DeviceStatus) -> Enrolment {
    let device = scene.new_device(credential, status);
    let n = scene.draw();
    let registration = (status != DeviceStatus::Active)
        .then(|| crate::model::pending(n, &device, Challenge::Own, scene.now, 120 * SECOND));
    Enrolment { device, registration, message: None, invitation: None }
}

fn enrol(scene: &mut Scene, credential: &Credential, status: DeviceStatus) -> (DeviceId, Enrolled) {
    let enrolment = enrolment(scene, credential, status);
    let decision =
        enrolment::enrol(&scene.view(), &enrolment, Basis { policy: &policy(), actor: &context(), now: scene.now });
    (enrolment.device.id, scene.db.commit(decision))
}

/// SEC 7, decision 23.
#[test]
fn a_newly_sent_code_kills_the_older_one_and_its_message() {
    for door in [Door::V1, Door::V2] {
        let mut scene = Scene::new();
        let device = scene.device(&sms(), DeviceStatus::Active);
        let old = opened(trigger(&mut scene, device, door));
        scene.wait(30 * SECOND);
        let fresh = opened(trigger(&mut scene, device, door));
        assert_eq!(status(&scene, &old), Status::Expired);
        let queued: Vec<_> = scene.db.outbox.iter().map(|m| m.verification_id).collect();
        assert_eq!(queued, [fresh.id]);
        assert_eq!(scene.typed(&wire_door(&old), "123456"), Outcome::Refused(Reason::NotOpen));
        assert!(is_accepted(&scene.typed(&wire_door(&fresh), "123456")));
    }
}

/// SEC 95: a reader waits until the challenges of others are over, and its own block no other caller.
#[test]
fn whoever_may_only_look_supersedes_nobody() {
    for (credential, doors) in
        [(sms(), [Door::V1, Door::V2]), (voice(), [Door::V1, Door::V2]), (push(&signing_key(1)), [Door::V1, Door::V2])]
    {
        for door in doors {
            let mut scene = Scene::new();
            let device = scene.device(&credential, DeviceStatus::Active);
            let others = opened(trigger(&mut scene, device, door));
            scene.wait(40 * SECOND);
            let (before, queued) = (scene.view().verifications, scene.db.outbox.len());
            scene.by = reader();
            assert_eq!(trigger(&mut scene, device, Door::V1), Opened::TooSoon(others.expires_at));
            assert_eq!((scene.view().verifications, scene.db.outbox.len()), (before, queued), "nothing changes");

            scene.now = others.expires_at;
            let own = opened(trigger(&mut scene, device, Door::V1));
            scene.wait(40 * SECOND);
            // Its own it may replace or repeat.
            let again = trigger(&mut scene, device, Door::V1);
            assert!(matches!(again, Opened::Opened(_) | Opened::Repeated(_)), "{again:?}");
            scene.wait(40 * SECOND);
            scene.by = context();
            opened(trigger(&mut scene, device, door));
            assert_eq!(status(&scene, &own), Status::Expired);
        }
    }
}

/// SEC 95: nothing is sent to an authenticator app, so every caller has a separate state token.
#[test]
fn whoever_may_only_look_gets_a_state_token_beside_those_of_others() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let others = opened(trigger(&mut scene, device, Door::V1));
    scene.by = reader();
    let mut own = opened(trigger(&mut scene, device, Door::V1));
    for _ in 0..MAX_OPEN_PER_DEVICE {
        let fresh = opened(trigger(&mut scene, device, Door::V1));
        assert_eq!(status(&scene, &own), Status::Expired, "it has one at a time");
        own = fresh;
    }
    assert_eq!(status(&scene, &others), Status::NEW);
    let code = scene.own_code(device);
    assert!(is_accepted(&scene.typed(&token_door(&others), &code)));
    scene.by = context();
    opened(trigger(&mut scene, device, Door::V1));
    assert_eq!(status(&scene, &own), Status::Expired, "others supersede as ever");
}

/// SEC 95: no caller may replace the state token with which a phone's pairing is polled.
#[test]
fn whoever_may_only_look_takes_no_pairing() {
    let mut scene = Scene::new();
    let device = scene.device(&Credential::Push { public_key: None }, DeviceStatus::Pending);
    let hash = crate::model::keys().hash("a pairing", "ABCD2345");
    let pairing = scene.verification(device, Challenge::Pairing { hash }, true);
    scene.by = reader();
    assert_eq!(trigger(&mut scene, device, Door::V1), Opened::TooSoon(pairing.expires_at));
    assert_eq!(scene.db.verification(pairing.id).expect("it is stored").state_token, pairing.state_token);
    scene.by = context();
    assert!(matches!(trigger(&mut scene, device, Door::V1), Opened::Repeated(_)), "whoever manages goes on with it");
}

/// SEC 95: logging somebody out ends what a log-in has given, and nothing that others are in the middle of.
#[test]
fn whoever_may_only_log_in_ends_no_challenge_of_others() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let others = opened(trigger(&mut scene, device, Door::V2));
    let mut of_purpose = |purpose, client| {
        let mut made = scene.new_verification(device, Challenge::Own, true);
        (made.purpose, made.client_id) = (purpose, Some(countersign_domain::ClientId(client)));
        scene.db.apply(Change::OpenVerification(made.clone()));
        made
    };
    let under_way = of_purpose(Purpose::SignIn, 1);
    let own = of_purpose(Purpose::SignIn, 3);
    let given =
        [SessionKind::SessionToken { terms: Terms::default() }, SessionKind::Browsing, SessionKind::RememberedBrowser]
            .map(|kind| scene.session(kind, HOUR));
    let by = Actor { client: Some(countersign_domain::ClientId(3)), right: Right::LogIn, ..Actor::default() };
    assert!(scene.db.commit(user::log_out(&scene.view(), &by, scene.now)));
    for kept in [&others, &under_way] {
        assert_eq!(status(&scene, kept), Status::NEW, "{kept:?}");
    }
    assert_eq!(status(&scene, &own), Status::Expired);
    for ended in given {
        assert!(!scene.db.is_open(ended), "{ended:?}");
    }
    assert_eq!(scene.db.outbox.len(), 1, "the code under way is still sent");
    assert!(scene.db.commit(user::log_out(&scene.view(), &context(), scene.now)));
    assert!(scene.view().verifications.is_empty(), "whoever manages ends all");
}

/// Decision 26: within 30 s of a send nothing is sent and the old challenge stays.
#[test]
fn a_trigger_too_soon_leaves_the_old_challenge_alone() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let old = opened(trigger(&mut scene, device, Door::V1));
    let free = scene.now.plus(30 * SECOND);
    scene.wait(29 * SECOND);
    assert_eq!(trigger(&mut scene, device, Door::V1), Opened::TooSoon(free));
    assert_eq!(scene.db.outbox.len(), 1);
    assert!(is_accepted(&scene.typed(&token_door(&old), "123456")));
}

/// Decision 26.
#[test]
fn without_message_limits_a_trigger_sends_at_once_and_the_old_code_dies() {
    let mut scene = Scene::new();
    let device = scene.device(&email(), DeviceStatus::Active);
    let off = Policy { message_limits: false, ..policy() };
    let old = opened(trigger_under(&mut scene, device, Door::V1, &off));
    let fresh = opened(trigger_under(&mut scene, device, Door::V1, &off));
    assert_eq!((status(&scene, &old), status(&scene, &fresh)), (Status::Expired, Status::NEW));
    assert_eq!(scene.db.outbox.len(), 1);
}

/// Decision 26.
#[test]
fn a_live_prompt_gets_a_new_state_token_and_no_second_notification() {
    let mut scene = Scene::new();
    let device = scene.device(&push(&signing_key(1)), DeviceStatus::Active);
    let first = opened(trigger(&mut scene, device, Door::V1));
    let Opened::Repeated(again) = trigger(&mut scene, device, Door::V1) else { panic!("a second prompt") };
    assert_eq!((again.id, again.expires_at), (first.id, first.expires_at));
    assert_ne!(again.state_token, first.state_token);
    assert_eq!(scene.db.outbox.len(), 1);
    assert_eq!(scene.polled(&token_door(&first)), Outcome::Refused(Reason::NotOpen));
    assert_eq!(scene.polled(&token_door(&again)), Outcome::Pending { factor: FactorKind::Push, number: None });
    scene.now = first.expires_at;
    assert_ne!(opened(trigger(&mut scene, device, Door::V1)).id, first.id, "a dead one is replaced");
    assert_eq!(status(&scene, &first), Status::Expired);
}

/// SEC 5, SEC 7: an approval is collected only by the caller that the person was asked for.
#[test]
fn a_prompt_is_never_shared_between_doors() {
    let mut scene = Scene::new();
    let device = scene.device(&push(&signing_key(1)), DeviceStatus::Active);
    let off = Policy { message_limits: false, ..policy() };
    let first = opened(trigger_under(&mut scene, device, Door::V1, &off));
    let second = opened(trigger_under(&mut scene, device, Door::V2, &off));
    assert_ne!(first.id, second.id);
    assert_eq!((status(&scene, &first), status(&scene, &second)), (Status::Expired, Status::NEW));
    assert_eq!(scene.polled(&token_door(&first)), Outcome::Refused(Reason::NotOpen));
    let Opened::Repeated(again) = trigger_under(&mut scene, device, Door::V2, &off) else { panic!("a second prompt") };
    assert_eq!(again.id, second.id);
}

/// Decision 26.
#[test]
fn nothing_is_sent_under_a_lock() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("999999");
    let verification = scene.verification(device, challenge, true);
    scene.guess(&token_door(&verification), 5);
    let until = crate::model::locked_until(&scene.view(), Some(device), scene.now);
    assert_eq!(trigger(&mut scene, device, Door::V1), Opened::Locked(until));
    scene.outwait(device);
    scene.db.commit(user::lock(&scene.view(), 3, &context(), scene.now));
    assert_eq!(trigger(&mut scene, device, Door::V2), Opened::Locked(Some(scene.now.plus(3 * MINUTE))));
    scene.wait(3 * MINUTE);
    scene.db.apply(Change::DisableDevice(device));
    assert_eq!(trigger(&mut scene, device, Door::V1), Opened::Locked(None));
    assert_eq!(scene.db.outbox, []);
    // Within ten minutes, so the first covers all (SEC 26).
    assert_eq!((scene.db.recorded(AuditKind::ChallengeRefused), scene.db.folded.len()), (1, 2));
}

/// Decision 23: for TOTP the enrolment's state token is dead after the first trigger too.
#[test]
fn a_new_state_token_kills_the_old_one() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Pending);
    let enrolment = scene.verification(device, Challenge::Own, true);
    let triggered = opened(trigger(&mut scene, device, Door::V1));
    let code = scene.own_code(device);
    assert_eq!(scene.typed(&token_door(&enrolment), &code), Outcome::Refused(Reason::NotOpen));
    assert!(is_accepted(&scene.typed(&token_door(&triggered), &code)));
}

/// SEC 35.
#[test]
fn a_device_has_at_most_twenty_open_verifications() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let first = opened(trigger(&mut scene, device, Door::V2));
    scene.wait(SECOND);
    for _ in 1..MAX_OPEN_PER_DEVICE {
        opened(trigger(&mut scene, device, Door::V2));
    }
    assert_eq!(trigger(&mut scene, device, Door::V2), Opened::TooMany(first.expires_at));
    scene.now = first.expires_at;
    opened(trigger(&mut scene, device, Door::V2));
    assert_eq!(status(&scene, &first), Status::Expired, "tidied up on the way");
}

#[test]
fn only_devices_in_use_are_challenged_and_pending_ones_over_v1() {
    let mut scene = Scene::new();
    let pending = scene.device(&sms(), DeviceStatus::Pending);
    let hidden = scene.device(&email(), DeviceStatus::Registering);
    let unpaired = scene.device(&Credential::Push { public_key: None }, DeviceStatus::Pending);
    for (device, door) in [(pending, Door::V2), (hidden, Door::V1), (hidden, Door::V2), (unpaired, Door::V1)] {
        assert_eq!(trigger(&mut scene, device, door), Opened::NoDevice);
    }
    opened(trigger(&mut scene, pending, Door::V1));
    let none = Policy { factors: vec![], ..policy() };
    assert_eq!(trigger_under(&mut scene, pending, Door::V1, &none), Opened::NoDevice, "decision 5");
    scene.user = countersign_domain::UserId(2);
    scene.add_user(scene.user);
    assert_eq!(trigger(&mut scene, pending, Door::V1), Opened::NoDevice, "nobody else's");
}

/// Decision 15, SEC 32.
#[test]
fn five_wrong_answers_kill_a_registration_and_its_hidden_device() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Registering);
    let registration = scene.verification(device, Challenge::Own, false);
    scene.guess(&wire_door(&registration), 5);
    assert_eq!(scene.status(device), None);
    assert!(matches!(status(&scene, &registration), Status::Rejected { .. }));
    assert_eq!(scene.db.recorded(AuditKind::RegistrationRejected), 1);
}

/// Decision 15.
#[test]
fn a_hidden_device_goes_when_its_registration_has_ended() {
    let mut scene = Scene::new();
    let (hidden, _) = enrol(&mut scene, &totp(1), DeviceStatus::Registering);
    let (pending, _) = enrol(&mut scene, &totp(2), DeviceStatus::Pending);
    scene.wait(119 * SECOND);
    enrol(&mut scene, &totp(3), DeviceStatus::Registering);
    assert_eq!(scene.status(hidden), Some(DeviceStatus::Registering));
    scene.wait(SECOND);
    enrol(&mut scene, &totp(4), DeviceStatus::Registering);
    assert_eq!(scene.status(hidden), None);
    assert_eq!(scene.status(pending), Some(DeviceStatus::Pending), "a v1 device stays until deleted");
}

/// Decision 27.
#[test]
fn a_second_active_phone_is_refused_and_a_pending_one_replaced() {
    for credential in [sms(), voice(), email(), push(&signing_key(1))] {
        let mut scene = Scene::new();
        let (first, _) = enrol(&mut scene, &credential, DeviceStatus::Pending);
        let (second, outcome) = enrol(&mut scene, &credential, DeviceStatus::Registering);
        assert_eq!((outcome, scene.status(first)), (Enrolled::Enrolled, None));
        let (third, outcome) = enrol(&mut scene, &credential, DeviceStatus::Active);
        assert_eq!((outcome, scene.status(second)), (Enrolled::Enrolled, None));
        for status in [DeviceStatus::Pending, DeviceStatus::Registering, DeviceStatus::Active] {
            assert_eq!(enrol(&mut scene, &credential, status).1, Enrolled::AlreadyEnrolled);
        }
        assert_eq!(scene.status(third), Some(DeviceStatus::Active));
        assert!(!enrolment::offered(&scene.view(), &policy()).contains(&credential.kind()));
    }
}

/// What was queued for a replaced device is wiped unsent.
#[test]
fn replacing_a_pending_device_withdraws_its_code() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Pending);
    let verification = opened(trigger(&mut scene, device, Door::V1));
    enrol(&mut scene, &sms(), DeviceStatus::Pending);
    assert_eq!(scene.db.outbox, []);
    assert_eq!(status(&scene, &verification), Status::Expired);
}

/// Decision 27.
#[test]
fn devices_that_make_their_own_codes_may_repeat_up_to_twenty() {
    let mut scene = Scene::new();
    for n in 0..20 {
        let (device, outcome) =
            enrol(&mut scene, &if n % 2 == 0 { totp(n) } else { hotp(n) }, DeviceStatus::Registering);
        assert_eq!(outcome, Enrolled::Enrolled);
        scene.db.apply(Change::ActivateDevice { device, counter: None, credential: None, at: scene.now });
        scene.wait(120 * SECOND);
    }
    assert_eq!(scene.view().devices.len(), MAX_DEVICES);
    assert_eq!(enrol(&mut scene, &totp(99), DeviceStatus::Registering).1, Enrolled::TooManyDevices);
    assert_eq!(enrol(&mut scene, &sms(), DeviceStatus::Active).1, Enrolled::TooManyDevices);
}

/// SEC 35.
#[test]
fn a_user_has_at_most_ten_open_registrations() {
    let mut scene = Scene::new();
    let first_end = scene.now.plus(120 * SECOND);
    for n in 0..10 {
        assert_eq!(enrol(&mut scene, &totp(n), DeviceStatus::Registering).1, Enrolled::Enrolled);
        scene.wait(SECOND);
    }
    assert_eq!(MAX_REGISTRATIONS, 10);
    let refused = Enrolled::TooManyRegistrations(first_end);
    assert_eq!(enrol(&mut scene, &totp(99), DeviceStatus::Registering).1, refused);
    scene.now = first_end;
    assert_eq!(enrol(&mut scene, &totp(99), DeviceStatus::Registering).1, Enrolled::Enrolled);
}

#[test]
fn who_is_barred_enrols_nothing() {
    let mut scene = Scene::new();
    scene.db.commit(user::lock(&scene.view(), 0, &context(), scene.now));
    assert_eq!(enrol(&mut scene, &totp(1), DeviceStatus::Pending).1, Enrolled::Barred);
}

/// SEC 33: enrolling again and again sends no more than triggering does.
#[test]
fn messages_of_enrolments_are_counted_with_the_others() {
    let mut scene = Scene::new();
    let device = scene.new_device(&sms(), DeviceStatus::Registering);
    let challenge = scene.code("123456");
    let n = scene.draw();
    let registration = crate::model::pending(n, &device, challenge, scene.now, 120 * SECOND);
    let message = crate::model::message(&registration, FactorKind::Sms);
    let enrolment = Enrolment { device, registration: Some(registration), message, invitation: None };
    let decide = |scene: &Scene| {
        enrolment::enrol(&scene.view(), &enrolment, Basis { policy: &policy(), actor: &context(), now: scene.now })
    };
    assert_eq!(decide(&scene).reply, Enrolled::Enrolled);
    let decision = decide(&scene);
    scene.db.commit(decision);
    let again = decide(&scene);
    assert_eq!((again.reply, again.changes), (Enrolled::TooSoon(scene.now.plus(30 * SECOND)), vec![]));
}

/// SEC 19: what an administrator vouches for is in use at once and recorded as such.
#[test]
fn a_trusted_device_is_recorded_as_trusted() {
    let mut scene = Scene::new();
    let (device, _) = enrol(&mut scene, &sms(), DeviceStatus::Active);
    assert_eq!(scene.status(device), Some(DeviceStatus::Active));
    assert_eq!(scene.db.recorded(AuditKind::DeviceTrusted), 1);
    for factor in FactorKind::ALL {
        let may = matches!(factor, FactorKind::Sms | FactorKind::Voice | FactorKind::Email);
        assert_eq!(factor.may_be_trusted(), may);
    }
}

/// Decision 16.
#[test]
fn the_default_device_is_the_oldest_in_use() {
    let mut scene = Scene::new();
    let default = |scene: &Scene| default_device(&scene.view().devices);
    assert_eq!(default(&scene), None);
    scene.device(&totp(1), DeviceStatus::Registering);
    assert_eq!(default(&scene), None);
    let pending = scene.device(&sms(), DeviceStatus::Pending);
    assert_eq!(default(&scene), Some(pending));
    scene.wait(1);
    let first = scene.device(&totp(2), DeviceStatus::Active);
    scene.wait(1);
    let second = scene.device(&totp(3), DeviceStatus::Active);
    assert_eq!(default(&scene), Some(first));
    scene.db.commit(enrolment::remove(&scene.view(), first, &context(), scene.now));
    assert_eq!(default(&scene), Some(second));
}

/// SEC 56: deleting a device ends its open verifications, their messages, and its codes at every door.
#[test]
fn a_removed_device_answers_nothing() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let own = scene.device(&totp(1), DeviceStatus::Active);
    let verification = opened(trigger(&mut scene, device, Door::V1));
    let code = scene.own_code(own);
    let evidence = scene.prove(&device_door(own), &countersign_domain::FactorResponse::typed(&code));
    for device in [device, own] {
        assert!(scene.db.commit(enrolment::remove(&scene.view(), device, &context(), scene.now)));
        assert!(!scene.db.commit(enrolment::remove(&scene.view(), device, &context(), scene.now)));
    }
    assert_eq!(scene.db.outbox, []);
    assert_eq!(status(&scene, &verification), Status::Expired);
    assert_eq!(scene.typed(&token_door(&verification), "123456"), Outcome::Refused(Reason::NoDevice));
    assert_eq!(scene.typed(&wire_door(&verification), "123456"), Outcome::Refused(Reason::NotOpen));
    assert_eq!(scene.judge(&device_door(own), &evidence), Outcome::Refused(Reason::NoDevice));
}

#[test]
fn a_hidden_device_cannot_be_removed_by_its_id() {
    let mut scene = Scene::new();
    let hidden = scene.device(&totp(1), DeviceStatus::Registering);
    assert!(!scene.db.commit(enrolment::remove(&scene.view(), hidden, &context(), scene.now)));
    let own = scene.device(&totp(2), DeviceStatus::Active);
    scene.user = countersign_domain::UserId(2);
    scene.add_user(scene.user);
    assert!(!scene.db.commit(enrolment::remove(&scene.view(), own, &context(), scene.now)), "nor somebody else's");
}

/// SEC 56, decision 10.
#[test]
fn barring_a_user_ends_all_that_was_open() {
    for suspend in [false, true] {
        let mut scene = Scene::new();
        let device = scene.device(&sms(), DeviceStatus::Active);
        let phone = scene.device(&push(&signing_key(1)), DeviceStatus::Active);
        let code = opened(trigger(&mut scene, device, Door::V1));
        let uncollected = opened(trigger(&mut scene, phone, Door::V1));
        let end = VerificationEnd::Accepted { at: scene.now, collected: None };
        scene.db.apply(Change::CloseVerification { verification: uncollected.id, end });
        let token = crate::model::temp_token(scene.user, "55647655", true, scene.now.plus(MINUTE));
        scene.db.apply(Change::SetTempToken(scene.user, Some(token)));
        if suspend {
            let status = Some(countersign_domain::UserStatus::Suspended.into());
            let patch = UserPatch { status, ..UserPatch::default() };
            scene.db.commit(user::update(&scene.view(), &patch, &context(), scene.now));
        } else {
            scene.db.commit(user::lock(&scene.view(), 1, &context(), scene.now));
        }
        assert!(matches!(scene.typed(&token_door(&code), "123456"), Outcome::Refused(Reason::Locked { .. })));
        let patch = UserPatch { status: Some(countersign_domain::UserStatus::Active.into()), ..UserPatch::default() };
        scene.db.commit(user::update(&scene.view(), &patch, &context(), scene.now));
        assert_eq!(scene.typed(&token_door(&code), "123456"), Outcome::Refused(Reason::NotOpen));
        assert_eq!(scene.polled(&token_door(&uncollected)), Outcome::Refused(Reason::NotOpen));
        assert_eq!(scene.typed(&Target::TempToken, "55647655"), Outcome::Refused(Reason::WrongCode));
        assert_eq!(scene.db.outbox, []);
    }
}

#[test]
fn a_lock_with_an_end_does_not_replace_a_suspension() {
    let mut scene = Scene::new();
    let patch = UserPatch { status: Some(countersign_domain::UserStatus::Suspended.into()), ..UserPatch::default() };
    scene.db.commit(user::update(&scene.view(), &patch, &context(), scene.now));
    scene.db.commit(user::lock(&scene.view(), 1, &context(), scene.now));
    assert!(scene.view().user.unwrap().is_barred(Timestamp(i64::MAX)));
    let device = scene.device(&totp(1), DeviceStatus::Active);
    scene.db.apply(Change::DisableDevice(device));
    scene.db.commit(user::unlock(&scene.view(), &[], &context(), scene.now));
    assert!(scene.view().user.unwrap().is_barred(scene.now), "nor does an unlocking lift it");
}

/// Decision 10: unlocking lifts what locks, and counts begin anew.
#[test]
fn unlocking_lifts_every_lock() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    assert_eq!(scene.db.commit(user::unlock(&scene.view(), &[], &context(), scene.now)), Unlocked::NotLocked);
    scene.guess(&device_door(device), 5);
    scene.db.commit(user::lock(&scene.view(), 0, &context(), scene.now));
    assert_eq!(scene.db.commit(user::unlock(&scene.view(), &[], &context(), scene.now)), Unlocked::Unlocked);
    assert_eq!(scene.failures(device), 0);
    let code = scene.own_code(device);
    assert!(is_accepted(&scene.typed(&device_door(device), &code)));
}

/// SEC 22: what guesses have disabled comes back by unlocking; what an operator has disabled by an operator's word only.
#[test]
fn what_an_operator_has_disabled_no_client_releases() {
    let operator = countersign_domain::model::audit::Actor::default();
    for guesses in [false, true] {
        for by_client in [false, true] {
            for by_operator in [false, true] {
                if !guesses && !by_operator {
                    continue;
                }
                let mut scene = Scene::new();
                let device = scene.device(&totp(1), DeviceStatus::Active);
                if guesses {
                    while scene.view().device(device).unwrap().status == DeviceStatus::Active {
                        scene.guess(&device_door(device), 1);
                        scene.wait(60 * MINUTE);
                    }
                }
                if by_operator {
                    let disabled = enrolment::disable(&scene.view(), device, &operator, scene.now);
                    assert_eq!(scene.db.commit(disabled), enrolment::DisableOutcome::Disabled, "guesses: {guesses}");
                    let again = enrolment::disable(&scene.view(), device, &operator, scene.now);
                    assert_eq!(scene.db.commit(again), enrolment::DisableOutcome::NotInUse);
                }
                scene.db.commit(user::lock(&scene.view(), 0, &context(), scene.now));
                let who = if by_client { context() } else { operator.clone() };
                let unlocked = user::unlock(&scene.view(), &[], &who, scene.now);
                assert_eq!(scene.db.commit(unlocked), Unlocked::Unlocked);
                let stays = by_operator && by_client;
                let status = if stays { DeviceStatus::Disabled } else { DeviceStatus::Active };
                let what = format!("guesses: {guesses}, operator: {by_operator}, unlocked by a client: {by_client}");
                assert_eq!(scene.view().device(device).unwrap().status, status, "{what}");
            }
        }
    }
}

/// SEC 7: the two purposes do not mix, whichever way they are tried.
#[test]
fn a_registration_is_no_verification() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Registering);
    let challenge = scene.code("123456");
    let registration = scene.verification(device, challenge, false);
    assert_eq!(registration.purpose, Purpose::Enrol);
    let as_login = Target::Wire { wire_id: registration.wire_id.clone(), purpose: Purpose::Login, device: None };
    for door in [as_login, Target::Newest] {
        assert_eq!(scene.typed(&door, "123456"), Outcome::Refused(Reason::NotOpen));
    }
    assert!(is_accepted(&scene.typed(&wire_door(&registration), "123456")));
}
