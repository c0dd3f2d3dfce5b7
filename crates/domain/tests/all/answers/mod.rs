//! What happens to an answer: it counts once, for one user, device and purpose, and judging it follows one order
//! (SEC 1–7, SEC 9, SEC 10, decisions 13, 14, 19–25).

mod replays;

use crate::model::{
    Scene, context, device_door, email, hotp, is_accepted, keyed, keys, sms, token_door, totp, voice, wire_door,
};
use countersign_domain::model::code::Alphabet;
use countersign_domain::model::time::{DAY, SECOND};
use countersign_domain::model::{hotp, totp};
use countersign_domain::rules::basis::Basis;
use countersign_domain::rules::enrolment;
use countersign_domain::rules::factor::keypad::prove_keypad;
use countersign_domain::rules::user::{self, Unlocked};
use countersign_domain::rules::verification::find::Target;
use countersign_domain::rules::verification::open::{Opening, open};
use countersign_domain::{
    AuditKind, Challenge, Credential, DeviceStatus, Evidence, FactorKind, FactorResponse, KeyedDigits, Outcome,
    Purpose, Reason, Rule, Status, UserId,
};

const WRONG: Outcome = Outcome::Refused(Reason::WrongCode);
const REPLAY: Outcome = Outcome::Refused(Reason::Replay);
const NOT_OPEN: Outcome = Outcome::Refused(Reason::NotOpen);

/// SEC 6.
#[test]
fn an_end_is_an_end() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("123456");
    let verification = scene.verification(device, challenge, true);
    assert!(is_accepted(&scene.typed(&wire_door(&verification), "123456")));
    let ended = scene.db.verification(verification.id).unwrap().clone();
    assert_eq!(ended.status, Status::Accepted { at: scene.now, collected: Some(scene.now) });
    scene.wait(1000);
    for answer in ["123456", "000000"] {
        assert_eq!(scene.typed(&wire_door(&verification), answer), NOT_OPEN);
        assert_eq!(scene.typed(&token_door(&verification), answer), NOT_OPEN);
        assert_eq!(scene.typed(&Target::Newest, answer), NOT_OPEN);
    }
    assert_eq!(scene.db.verification(verification.id).unwrap(), &ended);
    assert_eq!(scene.failures(device), 0, "what is over is not evaluated");
}

/// SEC 6: expiry is judged when an answer comes. No clean-up has to run first.
#[test]
fn expiry_is_judged_at_use() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("123456");
    let verification = scene.verification(device, challenge, true);
    let doors = [wire_door(&verification), token_door(&verification), Target::OwnCodes(device), Target::Newest];
    scene.now = verification.expires_at.plus(-1);
    for door in &doors {
        assert!(is_accepted(&scene.clone().typed(door, "123456")), "{door:?}");
    }
    let evidence = scene.prove(&doors[0], &FactorResponse::typed("123456"));
    scene.now = verification.expires_at;
    for door in &doors {
        assert_eq!(scene.typed(door, "123456"), NOT_OPEN, "{door:?}");
    }
    assert_eq!(scene.judge(&doors[0], &evidence), NOT_OPEN, "proved in time, judged too late");
}

/// SEC 7.
#[test]
fn nothing_of_one_user_is_of_use_to_another() {
    let mut scene = Scene::new();
    let own = scene.device(&totp(1), DeviceStatus::Active);
    let sent = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("123456");
    let verification = scene.verification(sent, challenge, true);
    let code = scene.own_code(own);
    let ana = scene.user;
    let evidence = scene.prove(&wire_door(&verification), &FactorResponse::typed("123456"));

    scene.user = UserId(2);
    scene.add_user(scene.user);
    let bobs = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("654321");
    let bobs_own = scene.verification(bobs, challenge, true);
    assert_eq!(scene.typed(&device_door(own), &code), Outcome::Refused(Reason::NoDevice));
    assert_eq!(scene.typed(&Target::OwnCodes(own), &code), Outcome::Refused(Reason::NoDevice));
    assert_eq!(scene.typed(&token_door(&verification), "123456"), Outcome::Refused(Reason::NoDevice));
    assert_eq!(scene.typed(&wire_door(&verification), "123456"), NOT_OPEN);
    for door in [wire_door(&bobs_own), token_door(&bobs_own), Target::Newest, Target::OwnCodes(bobs)] {
        assert_eq!(scene.judge(&door, &evidence), NOT_OPEN, "{door:?}");
    }
    assert_eq!(scene.judge(&Target::TempToken, &evidence), REPLAY);

    scene.user = ana;
    assert!(is_accepted(&scene.judge(&wire_door(&verification), &evidence)), "her own still counts");
}

/// SEC 7.
#[test]
fn a_verification_belongs_to_one_device_and_one_purpose() {
    let mut scene = Scene::new();
    let phone = scene.device(&sms(), DeviceStatus::Active);
    let mailbox = scene.device(&email(), DeviceStatus::Active);
    let challenge = scene.code("123456");
    let verification = scene.verification(phone, challenge, true);
    let Target::Wire { wire_id, .. } = wire_door(&verification) else { unreachable!() };
    let as_enrolment = Target::Wire { wire_id: wire_id.clone(), purpose: Purpose::Enrol, device: None };
    assert_eq!(scene.typed(&as_enrolment, "123456"), NOT_OPEN);
    let of_mailbox = Target::Wire { wire_id, purpose: Purpose::Login, device: Some(mailbox) };
    assert_eq!(scene.typed(&of_mailbox, "123456"), Outcome::Refused(Reason::NoDevice));
    let wrong_device = Target::Device { device: mailbox, state_token: verification.state_token };
    assert_eq!(scene.typed(&wrong_device, "123456"), NOT_OPEN);
    assert!(is_accepted(&scene.typed(&token_door(&verification), "123456")));
}

/// Decision 20: user, device, lock, verification, proof.
#[test]
fn judging_follows_one_order() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let verification = scene.verification(device, Challenge::Own, true);
    let unknown = Target::Device { device, state_token: Some(crate::model::digest(9)) };
    assert_eq!(scene.typed(&unknown, "000000"), NOT_OPEN);
    scene.guess(&device_door(device), 5);
    let until = crate::model::locked_until(&scene.view(), Some(device), scene.now);
    let locked = crate::model::locked(Rule::DeviceThrottle, until);
    let code = scene.own_code(device);
    for door in [unknown, device_door(device), token_door(&verification), wire_door(&verification)] {
        assert_eq!(scene.typed(&door, &code), locked, "the lock speaks before the verification: {door:?}");
    }
    let nobodys = countersign_domain::DeviceId(99);
    assert_eq!(scene.typed(&device_door(nobodys), &code), Outcome::Refused(Reason::NoDevice));
    scene.user = UserId(77);
    assert_eq!(scene.typed(&device_door(device), &code), Outcome::Refused(Reason::NoUser));
}

/// Decision 20: a locked user hears of the lock only, and learns nothing about ended verifications.
#[test]
fn a_locked_user_learns_nothing_about_verifications() {
    let mut scene = Scene::new();
    scene.db.commit(countersign_domain::rules::user::lock(&scene.view(), 0, &crate::model::context(), scene.now));
    let unknown = Target::Wire { wire_id: "x".to_owned(), purpose: Purpose::Login, device: None };
    for door in [unknown, Target::Newest, Target::TempToken] {
        assert_eq!(scene.typed(&door, "123456"), crate::model::locked(Rule::UserBarred, None), "{door:?}");
    }
}

/// SEC 10, decision 20.
#[test]
fn five_wrong_answers_kill_a_challenge() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("999999");
    let mut verification = scene.new_verification(device, challenge, true);
    verification.expires_at = scene.now.plus(900 * SECOND);
    scene.db.apply(countersign_domain::Change::OpenVerification(verification.clone()));
    scene.guess(&wire_door(&verification), 5);
    assert!(matches!(scene.db.verification(verification.id).unwrap().status, Status::Rejected { .. }));
    scene.outwait(device);
    assert_eq!(scene.typed(&wire_door(&verification), "999999"), NOT_OPEN);
    assert_eq!(scene.typed(&token_door(&verification), "999999"), NOT_OPEN, "a dead state token is a bad request");
}

/// SEC 3, decision 19: a text that cannot be the code is wrong and counts.
#[test]
fn a_text_that_only_resembles_the_code_is_a_failure() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("001234");
    let verification = scene.verification(device, challenge, true);
    for (n, odd) in ["0001234", "001\n234", "+1234", "００1234"].into_iter().enumerate() {
        assert_eq!(scene.typed(&wire_door(&verification), odd), WRONG, "{odd:?}");
        assert_eq!(scene.failures(device) as usize, n + 1);
    }
    assert!(is_accepted(&scene.typed(&wire_door(&verification), " 1234\n")), "the same code, spelt otherwise");
}

/// SEC 3, SEC 25: another spelling of the same code is the same guess. It costs nothing and gains nothing.
#[test]
fn a_wrong_code_spelt_otherwise_is_the_same_guess() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("001234");
    let verification = scene.verification(device, challenge, true);
    for spelling in ["001235", "1235", " 001235\n", "001 235"] {
        assert_eq!(scene.typed(&wire_door(&verification), spelling), WRONG);
        assert_eq!(scene.failures(device), 1, "{spelling:?}");
    }
}

/// Decision 19.
#[test]
fn letters_are_compared_without_regard_to_case() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let Challenge::Code { hash, length, .. } = scene.code("B4K832") else { unreachable!() };
    let challenge = Challenge::Code { hash, length, alphabet: Alphabet::Alphanumeric };
    let verification = scene.verification(device, challenge, true);
    assert_eq!(scene.answer(&token_door(&verification), &FactorResponse::number(4832)), WRONG);
    assert!(is_accepted(&scene.typed(&token_door(&verification), "b4k832")));
}

/// Decisions 19, 24.
#[test]
fn no_code_and_an_empty_code_are_missing_and_not_counted() {
    let mut scene = Scene::new();
    let own = scene.device(&totp(1), DeviceStatus::Active);
    let sent = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("123456");
    let verification = scene.verification(sent, challenge, true);
    for door in [device_door(own), Target::OwnCodes(own), token_door(&verification), Target::TempToken] {
        assert_eq!(scene.polled(&door), Outcome::Refused(Reason::CodeMissing), "{door:?}");
        assert_eq!(scene.typed(&door, ""), Outcome::Refused(Reason::CodeMissing), "{door:?}");
    }
    assert_eq!(scene.db.users[&scene.user].throttles, []);
}

/// Decision 24, SEC 28.
#[test]
fn whoever_polls_a_call_hears_that_it_is_pending() {
    let mut scene = Scene::new();
    let device = scene.device(&voice(), DeviceStatus::Active);
    let challenge = scene.keypad("144613");
    let verification = scene.verification(device, challenge, true);
    for _ in 0..100 {
        assert_eq!(
            scene.polled(&token_door(&verification)),
            Outcome::Pending { factor: FactorKind::Voice, number: None }
        );
    }
    assert_eq!(scene.db.users[&scene.user].throttles, []);
}

/// Decision 13. Otherwise a caller, who was shown the digits, could approve its own challenge.
#[test]
fn digits_for_the_telephone_are_refused_at_every_other_door() {
    let mut scene = Scene::new();
    let device = scene.device(&voice(), DeviceStatus::Active);
    let challenge = scene.keypad("144613");
    let verification = scene.verification(device, challenge, true);
    for door in [wire_door(&verification), token_door(&verification), Target::OwnCodes(device)] {
        assert_eq!(scene.typed(&door, "144613"), Outcome::Refused(Reason::NotTyped), "{door:?}");
    }
    assert_eq!(scene.typed(&Target::Newest, "144613"), NOT_OPEN);
    let evidence = keyed(&verification, "144613");
    assert_eq!(scene.judge(&wire_door(&verification), &evidence), Outcome::Refused(Reason::NotTyped));
    assert!(is_accepted(&scene.phoned(verification.id, &evidence)));
    assert!(is_accepted(&scene.polled(&token_door(&verification))), "its poller collects it");
    assert_eq!(scene.polled(&token_door(&verification)), NOT_OPEN, "once");
    assert_eq!(scene.db.recorded(AuditKind::KeypadAnswered), 1);
}

/// Contract 7.10: wrong digits end the call. They count as a guess.
#[test]
fn digits_keyed_wrongly_reject_and_count() {
    let mut scene = Scene::new();
    let device = scene.device(&voice(), DeviceStatus::Active);
    let challenge = scene.keypad("144613");
    let verification = scene.verification(device, challenge, true);
    let right = keyed(&verification, "144613");
    let wrong = keyed(&verification, "144614");
    assert_eq!(scene.phoned(verification.id, &wrong), WRONG);
    assert_eq!(scene.failures(device), 1);
    assert_eq!(scene.phoned(verification.id, &right), NOT_OPEN);
    assert_eq!(scene.polled(&token_door(&verification)), Outcome::Refused(Reason::Denied));
}

/// SEC 98. The digits are on a screen that the caller may see, so they prove nothing without the telephone.
#[test]
fn digits_count_only_for_the_devices_own_number() {
    let asked = {
        let mut scene = Scene::new();
        let device = scene.device(&voice(), DeviceStatus::Active);
        let challenge = scene.keypad("144613");
        scene.verification(device, challenge, true)
    };
    let heard = |credential: &Credential, to: &str| {
        let keyed = KeyedDigits { to: to.to_owned(), digits: FactorResponse::typed("144613") };
        prove_keypad(credential, &asked, &keyed, &keys()).is_some()
    };
    for to in ["+14155550123", "+1 (415) 555-0123", "tel:+1-415-555-0123"] {
        assert!(heard(&voice(), to), "{to}");
    }
    for to in ["+14155550124", "14155550123", "+1415555012", "+141555501233", "", "+", "anonymous"] {
        assert!(!heard(&voice(), to), "{to}");
    }
    assert!(!heard(&sms(), "+14155550123"), "a text message was not called");
    assert!(!heard(&email(), "+14155550123"));
}

/// Decision 21, contract 4.5.
#[test]
fn the_same_wrong_code_within_ten_seconds_is_one_failure() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let door = device_door(device);
    assert_eq!(scene.typed(&door, "000000"), WRONG);
    scene.wait(10 * SECOND - 1);
    assert_eq!(scene.typed(&door, "000000"), WRONG);
    assert_eq!(scene.failures(device), 1);
    scene.wait(1);
    assert_eq!(scene.typed(&door, "000000"), WRONG);
    assert_eq!(scene.failures(device), 2, "ten seconds after the one that was counted");
    assert_eq!(scene.typed(&door, "000001"), WRONG);
    assert_eq!(scene.typed(&door, "000000"), WRONG);
    assert_eq!(scene.failures(device), 4, "another in between breaks the pair");
    assert_eq!(scene.db.recorded(AuditKind::Refused), 5, "each is refused and recorded");
}

#[test]
fn a_clock_set_back_does_not_make_a_guess_free() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    assert_eq!(scene.typed(&device_door(device), "000000"), WRONG);
    scene.wait(-3600 * SECOND);
    for n in 2..4 {
        assert_eq!(scene.typed(&device_door(device), "000000"), WRONG);
        assert_eq!(scene.failures(device), n);
        scene.wait(30 * SECOND);
    }
}

/// Decision 22.
#[test]
fn the_first_right_code_activates_a_hotp_device() {
    let mut scene = Scene::new();
    let device = scene.device(&hotp(1), DeviceStatus::Registering);
    let registration = scene.verification(device, Challenge::Own, false);
    let code = scene.own_code(device);
    assert!(is_accepted(&scene.typed(&wire_door(&registration), &code)));
    assert_eq!(scene.status(device), Some(DeviceStatus::Active));
    assert_eq!(scene.db.recorded(AuditKind::DeviceActivated), 1);
    assert_eq!(scene.typed(&device_door(device), &code), REPLAY);
}

/// Decision 23.
#[test]
fn before_any_trigger_every_code_is_wrong_and_none_is_counted() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Pending);
    let enrolment = scene.verification(device, Challenge::Untriggered, true);
    for n in 0..60 {
        assert_eq!(scene.typed(&token_door(&enrolment), &format!("{n:06}")), WRONG);
    }
    assert_eq!(scene.db.users[&scene.user].throttles, []);
    assert!(scene.db.verification(enrolment.id).unwrap().is_open(scene.now));
}

/// Decision 23.
#[test]
fn a_live_token_with_the_old_code_is_a_counted_failure() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("111111");
    let old = scene.verification(device, challenge, true);
    let evidence = scene.prove(&token_door(&old), &FactorResponse::typed("111111"));
    scene.wait(30 * SECOND);
    let challenge = scene.code("222222");
    let fresh = scene.new_verification(device, challenge, true);
    let opening = Opening {
        message: crate::model::message(&fresh, FactorKind::Sms),
        verification: fresh.clone(),
        pending_devices: true,
    };
    let decision = open(
        &scene.view(),
        &opening,
        Basis { policy: &crate::model::policy(), actor: &crate::model::context(), now: scene.now },
    );
    scene.db.commit(decision);
    assert_eq!(scene.typed(&token_door(&old), "111111"), NOT_OPEN, "a superseded token is a bad request");
    assert_eq!(scene.judge(&token_door(&old), &evidence), NOT_OPEN, "even if it was proved before");
    assert_eq!(scene.judge(&Target::Newest, &evidence), NOT_OPEN, "and it proves nothing about the new one");
    assert_eq!(scene.typed(&token_door(&fresh), "111111"), WRONG);
    assert_eq!(scene.failures(device), 1);
    assert!(is_accepted(&scene.typed(&token_door(&fresh), "222222")));
}

/// Contract 4.5.
#[test]
fn a_device_that_is_sent_its_codes_needs_a_state_token() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("123456");
    scene.verification(device, challenge, true);
    assert_eq!(scene.typed(&device_door(device), "123456"), Outcome::Refused(Reason::StateTokenMissing));
}

/// Decision 25.
#[test]
fn a_bare_code_answers_the_newest_open_challenge_and_counts_against_its_device() {
    let mut scene = Scene::new();
    let phone = scene.device(&sms(), DeviceStatus::Active);
    let mailbox = scene.device(&email(), DeviceStatus::Active);
    let challenge = scene.code("111111");
    scene.verification(phone, challenge, false);
    let challenge = scene.code("222222");
    scene.verification(mailbox, challenge, false);
    assert_eq!(scene.typed(&Target::Newest, "111111"), WRONG);
    assert_eq!((scene.failures(phone), scene.failures(mailbox)), (0, 1));
    assert_eq!(scene.db.throttle(scene.user, countersign_domain::ThrottleKey::User).recent.len(), 1);
    assert!(is_accepted(&scene.typed(&Target::Newest, "222222")));
    assert!(is_accepted(&scene.typed(&Target::Newest, "111111")), "then the other one is the newest");
    assert_eq!(scene.typed(&Target::Newest, "111111"), NOT_OPEN);
}

/// Decision 14: what was proved before a lock is judged under the lock.
#[test]
fn a_lock_stops_what_was_proved_before_it() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let code = scene.own_code(device);
    let evidence = scene.prove(&device_door(device), &FactorResponse::typed(&code));
    scene.guess(&device_door(device), 5);
    assert!(matches!(
        scene.judge(&device_door(device), &evidence),
        Outcome::Refused(Reason::Locked { until: Some(_), .. })
    ));
}

/// Decision 15: a device that is being registered answers at no other endpoint.
#[test]
fn a_registering_device_answers_only_its_registration() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Registering);
    let registration = scene.verification(device, Challenge::Own, false);
    let code = scene.own_code(device);
    assert_eq!(scene.typed(&device_door(device), &code), Outcome::Refused(Reason::NoDevice));
    assert_eq!(scene.typed(&Target::OwnCodes(device), &code), Outcome::Refused(Reason::NoDevice));
    scene.now = registration.expires_at;
    let late = scene.own_code(device);
    assert_eq!(scene.typed(&wire_door(&registration), &late), NOT_OPEN);
    assert_eq!(scene.status(device), Some(DeviceStatus::Registering));
}

/// The call that types a code collects its result. Nothing waits for a poller.
#[test]
fn a_typed_answer_is_collected_by_the_call_that_types_it() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("123456");
    let verification = scene.verification(device, challenge, true);
    scene.typed(&wire_door(&verification), "123456");
    let ended = scene.db.verification(verification.id).unwrap();
    assert_eq!(ended.status, Status::Accepted { at: scene.now, collected: Some(scene.now) });
    assert!(!ended.is_live());
}

/// SEC 10: a stored code is bound to its verification. Copied to another row it answers nothing.
#[test]
fn a_stored_code_is_of_no_use_in_another_verification() {
    let mut scene = Scene::new();
    let device = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("123456");
    let first = scene.verification(device, challenge.clone(), true);
    let copied = scene.verification(device, challenge, true);
    assert_eq!(scene.typed(&token_door(&copied), "123456"), WRONG);
    assert!(is_accepted(&scene.typed(&token_door(&first), "123456")));
}

/// SEC 75: a clock was ahead for a while. An administrator can lift every lock that follows. That makes no code valid that may
/// have been used.
#[test]
fn a_clock_that_was_ahead_locks_nobody_out() {
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    let Credential::Totp(token) = totp(1) else { unreachable!() };
    let now = scene.now;
    scene.wait(2 * DAY);
    let code = scene.own_code(device);
    assert!(is_accepted(&scene.typed(&device_door(device), &code)));
    scene.now = now;
    let code = scene.own_code(device);
    assert_eq!(scene.typed(&device_door(device), &code), REPLAY);

    let newest = [(device, token.newest_step(scene.now))];
    let unlocked = user::unlock(&scene.view(), &newest, &context(), scene.now);
    assert_eq!(scene.db.commit(unlocked), Unlocked::Unlocked);
    assert_eq!(scene.db.device(device).unwrap().last_counter, token.newest_step(now), "and not lower");
    assert_eq!(scene.typed(&device_door(device), &code), REPLAY, "this one can have been used before");
    scene.wait(2 * 30 * SECOND);
    let code = scene.own_code(device);
    assert!(is_accepted(&scene.typed(&device_door(device), &code)));
    let newest = [(device, token.newest_step(scene.now))];
    let again = user::unlock(&scene.view(), &newest, &context(), scene.now);
    assert_eq!(scene.db.commit(again), Unlocked::NotLocked, "a step of now is no lock");
}

/// SEC 75: what is refused because its time is over ends with the refusal, at every endpoint. No clock brings it back.
#[test]
fn nothing_that_is_over_comes_back() {
    let mut scene = Scene::new();
    let sent = scene.device(&sms(), DeviceStatus::Active);
    let doors: [fn(&countersign_domain::Verification) -> Target; 4] =
        [token_door, wire_door, |v| Target::OwnCodes(v.device_id), |_| Target::Newest];
    for door in doors {
        let mut scene = scene.clone();
        let challenge = scene.code("123456");
        let verification = scene.verification(sent, challenge, true);
        let before = scene.now;
        scene.now = verification.expires_at;
        assert_eq!(scene.typed(&door(&verification), "123456"), NOT_OPEN);
        assert_eq!(scene.db.verification(verification.id).unwrap().status, Status::Expired);
        scene.now = before;
        assert_eq!(scene.typed(&door(&verification), "123456"), NOT_OPEN);
    }
    let (ttl, user) = (120 * SECOND, scene.user);
    let token = crate::model::temp_token(user, "55647655", false, scene.now.plus(ttl));
    scene.db.apply(countersign_domain::Change::SetTempToken(user, Some(token)));
    scene.wait(ttl);
    assert!(!is_accepted(&scene.typed(&Target::TempToken, "55647655")));
    scene.wait(-ttl);
    assert!(!is_accepted(&scene.typed(&Target::TempToken, "55647655")));
}
