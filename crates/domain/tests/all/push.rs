//! Push: only an explicit accept, signed by the paired phone over exactly this prompt, accepts (SEC 12, decisions 31–34).

use crate::model::{
    Scene, context, is_accepted, keyed, keys, public_key, seal, sign, signing_key, token_door, totp, unseal, wire_door,
};
use countersign_domain::model::throttle::REPORT_PAUSE;
use countersign_domain::rules::factor::push::{
    self, MAX_NUMBERS, PAIRING_CONTEXT, PushAnswer, PushDecision, answer_text, pairing_text,
};
use countersign_domain::rules::verification::answer;
use countersign_domain::rules::verification::find::Target;
use countersign_domain::rules::{enrolment, throttle};
use countersign_domain::{
    AskedFrom, AuditKind, Challenge, Credential, DeviceId, DeviceStatus, Evidence, FactorKind, Outcome, Policy, Reason,
    Rule, Secret, Verification,
};
use p256::ecdsa::SigningKey;
use proptest::prelude::*;

struct Prompt {
    scene: Scene,
    key: SigningKey,
    device: DeviceId,
    verification: Verification,
}

fn prompt(number: Option<&str>) -> Prompt {
    let mut scene = Scene::new();
    let key = signing_key(1);
    let device = scene.device(&crate::model::push(&key), DeviceStatus::Active);
    let challenge = Challenge::Approval {
        nonce: Secret::new(vec![5; 32]),
        numbers: number.map(str::to_owned).into_iter().collect(),
        asked: AskedFrom::default(),
    };
    let verification = scene.verification(device, challenge, true);
    Prompt { scene, key, device, verification }
}

impl Prompt {
    fn signed_by(&self, key: &SigningKey, decision: PushDecision, digits: Option<&str>) -> PushAnswer {
        let Challenge::Approval { nonce, .. } = &self.verification.challenge else { unreachable!() };
        let text = answer_text(self.verification.id, nonce.expose(), decision, digits, 7);
        PushAnswer { decision, digits: digits.map(str::to_owned), signed_at: 7, signature: sign(key, &text) }
    }

    fn prove(&self, answer: &PushAnswer) -> Evidence {
        let device = self.scene.db.device(self.device).expect("it is stored");
        push::prove_answer(&unseal(device), &self.verification, answer, &keys()).evidence()
    }

    fn answer(&mut self, decision: PushDecision, digits: Option<&str>) -> Outcome {
        let evidence = self.prove(&self.signed_by(&self.key, decision, digits));
        self.scene.phoned(self.verification.id, &evidence)
    }
}

/// Decision 31.
#[test]
fn the_signed_text_is_the_documented_one() {
    let id = crate::model::verification_id(1);
    let text = answer_text(id, &[0xff; 32], PushDecision::Accept, Some("42"), 1_750_000_000_000);
    let nonce = "__________________________________________8";
    assert_eq!(text, format!("countersign-push-v1\n{id}\n{nonce}\naccept\n42\n1750000000000"));
    let denied = answer_text(id, &[0; 32], PushDecision::Deny, None, -1);
    assert!(denied.ends_with("\ndeny\n-\n-1"));
}

#[test]
fn an_accepted_prompt_is_collected_once_by_its_poller() {
    let mut prompt = prompt(None);
    let poll = token_door(&prompt.verification);
    assert_eq!(prompt.scene.polled(&poll), Outcome::Pending { factor: FactorKind::Push, number: None });
    assert!(is_accepted(&prompt.answer(PushDecision::Accept, None)));
    assert_eq!(prompt.answer(PushDecision::Deny, None), Outcome::Refused(Reason::NotOpen), "too late to deny");
    assert!(is_accepted(&prompt.scene.polled(&poll)));
    assert_eq!(prompt.scene.polled(&poll), Outcome::Refused(Reason::NotOpen));
}

#[test]
fn a_result_not_collected_in_time_is_lost() {
    let mut prompt = prompt(None);
    prompt.answer(PushDecision::Accept, None);
    prompt.scene.now = prompt.verification.expires_at;
    assert_eq!(prompt.scene.polled(&token_door(&prompt.verification)), Outcome::Refused(Reason::NotOpen));
}

#[test]
fn deny_is_final() {
    let mut prompt = prompt(None);
    assert_eq!(prompt.answer(PushDecision::Deny, None), Outcome::Refused(Reason::Denied));
    assert_eq!(prompt.answer(PushDecision::Accept, None), Outcome::Refused(Reason::NotOpen));
    for _ in 0..3 {
        let polled = prompt.scene.polled(&token_door(&prompt.verification));
        assert_eq!(polled, Outcome::Refused(Reason::Denied));
    }
    assert_eq!(prompt.scene.failures(prompt.device), 0, "no is an answer, not a guess");
    assert_eq!(prompt.scene.db.recorded(AuditKind::PushDenied), 1);
}

/// A signature that does not verify is no answer at all: not a failure either, or anybody could lock a phone.
#[test]
fn what_is_not_signed_by_the_paired_phone_over_this_prompt_is_nothing() {
    let mut prompt = prompt(None);
    let good = prompt.signed_by(&prompt.key, PushDecision::Accept, None);
    let stranger = prompt.signed_by(&signing_key(2), PushDecision::Accept, None);
    let denied = prompt.signed_by(&prompt.key, PushDecision::Deny, None);
    let turned = PushAnswer { decision: PushDecision::Accept, ..denied };
    let moved = PushAnswer { signed_at: 8, ..good.clone() };
    let digits = PushAnswer { digits: Some("42".to_owned()), ..good.clone() };
    let cut = PushAnswer { signature: good.signature[..63].to_vec(), ..good.clone() };
    let zero = PushAnswer { signature: vec![0; 64], ..good.clone() };
    let empty = PushAnswer { signature: vec![], ..good.clone() };
    for forged in [stranger, turned, moved, digits, cut, zero, empty] {
        assert_eq!(prompt.prove(&forged), Evidence::Absent, "{forged:?}");
    }
    let id = prompt.verification.id;
    assert_eq!(prompt.scene.phoned(id, &Evidence::Absent), Outcome::Refused(Reason::NotOpen));
    assert_eq!(prompt.scene.db.users[&prompt.scene.user].throttles, []);

    let other_id = Verification { id: crate::model::verification_id(77), ..prompt.verification.clone() };
    let challenge =
        Challenge::Approval { nonce: Secret::new(vec![6; 32]), numbers: vec![], asked: AskedFrom::default() };
    let other_nonce = Verification { challenge, ..prompt.verification.clone() };
    let device = prompt.scene.db.device(prompt.device).unwrap().clone();
    for other in [other_id, other_nonce] {
        assert_eq!(push::prove_answer(&unseal(&device), &other, &good, &keys()).evidence(), Evidence::Absent);
    }
    let unpaired = Credential::Push { public_key: None };
    assert_eq!(push::prove_answer(&unpaired, &prompt.verification, &good, &keys()).evidence(), Evidence::Absent);
    assert!(matches!(prompt.prove(&good), Evidence::Proved(_)));
}

/// SEC 7: a good answer, given for another prompt than the one it was signed for.
#[test]
fn evidence_about_one_prompt_is_nothing_to_another() {
    let mut prompt = prompt(None);
    let accept = prompt.prove(&prompt.signed_by(&prompt.key, PushDecision::Accept, None));
    let deny = prompt.prove(&prompt.signed_by(&prompt.key, PushDecision::Deny, None));
    let challenge =
        Challenge::Approval { nonce: Secret::new(vec![9; 32]), numbers: vec![], asked: AskedFrom::default() };
    let other = prompt.scene.verification(prompt.device, challenge, true);
    for evidence in [accept, deny] {
        assert_eq!(prompt.scene.phoned(other.id, &evidence), Outcome::Refused(Reason::NotOpen));
    }
    assert!(prompt.scene.db.verification(other.id).unwrap().is_open(prompt.scene.now));
}

/// SEC 13: only an accepted prompt makes up for those before it.
#[test]
fn an_accepted_prompt_is_forgiven_and_a_denied_one_is_not() {
    for (decision, left) in [(PushDecision::Accept, 0), (PushDecision::Deny, 1)] {
        let mut prompt = prompt(None);
        let (view, user, now) = (prompt.scene.view(), prompt.scene.user, prompt.scene.now);
        prompt.scene.db.apply(countersign_domain::rules::throttle::count_prompt(&view, user, now));
        prompt.answer(decision, None);
        assert_eq!(
            prompt.scene.db.throttle(user, countersign_domain::ThrottleKey::Prompts).recent.len(),
            left,
            "{decision:?}"
        );
    }
}

/// SEC 12: a person who reports a stranger gets no prompt for a while, whatever the limits, and the phone that
/// accepted another prompt does not end that.
#[test]
fn a_reported_prompt_is_denied_and_pauses_push() {
    let mut prompt = prompt(None);
    let other = prompt.scene.verification(
        prompt.device,
        Challenge::Approval { nonce: Secret::new(vec![5; 32]), numbers: vec![], asked: AskedFrom::default() },
        true,
    );
    let told = prompt.scene.now;
    let paused = |prompt: &Prompt, at| {
        let policy = Policy { message_limits: false, ..Policy::default() };
        throttle::next_send(&prompt.scene.view(), FactorKind::Push, &policy, at)
    };
    assert_eq!(paused(&prompt, told), None);
    assert_eq!(prompt.answer(PushDecision::Report, None), Outcome::Refused(Reason::Denied));
    assert_eq!(prompt.answer(PushDecision::Accept, None), Outcome::Refused(Reason::NotOpen));
    assert_eq!(prompt.scene.db.recorded(AuditKind::PushReported), 1);
    assert_eq!(prompt.scene.failures(prompt.device), 0);
    let until = told.plus(REPORT_PAUSE);
    assert_eq!(paused(&prompt, told), Some(until));
    prompt.verification = other;
    assert!(is_accepted(&prompt.answer(PushDecision::Accept, None)));
    assert_eq!(paused(&prompt, until.plus(-1)), Some(until));
    assert_eq!(paused(&prompt, until), None);
}

proptest! {
    /// A prompt that is asked for again never asks for a number that it has asked for before.
    #[test]
    fn no_number_is_asked_for_twice(drawn in prop::collection::vec(0..100_u8, MAX_NUMBERS), first in 0..100_u8) {
        let mut numbers = vec![format!("{first:02}")];
        for next in &drawn[1..] {
            let next = format!("{next:02}");
            let more = push::renumbered(&numbers, &next).expect("not so many yet");
            prop_assert_eq!(&more[..numbers.len()], numbers.as_slice());
            let last = more.last().unwrap();
            prop_assert!(last.len() == 2 && !numbers.contains(last), "{:?}", more);
            prop_assert!(numbers.contains(&next) || *last == next, "the drawn one if it can be");
            numbers = more;
        }
        prop_assert_eq!(push::renumbered(&numbers, "00"), None);
    }
}

/// SEC 12: a number that the prompt has asked for before is no answer, and no guess.
#[test]
fn a_number_of_before_is_nothing() {
    let mut prompt = prompt(Some("42"));
    let Challenge::Approval { nonce, .. } = prompt.verification.challenge.clone() else { unreachable!() };
    prompt.verification.challenge =
        Challenge::Approval { nonce, numbers: vec!["42".to_owned(), "43".to_owned()], asked: AskedFrom::default() };
    let old = prompt.signed_by(&prompt.key, PushDecision::Accept, Some("42"));
    assert_eq!(prompt.prove(&old), Evidence::Absent);
    let wrong = prompt.signed_by(&prompt.key, PushDecision::Accept, Some("44"));
    assert!(matches!(prompt.prove(&wrong), Evidence::Refuted(_)));
}

/// SEC 12: wrong digits under a good signature are a guess, and the end of the prompt.
#[test]
fn wrong_digits_reject_and_count() {
    for digits in [None, Some("24"), Some("042"), Some("")] {
        let mut prompt = prompt(Some("42"));
        let outcome = prompt.answer(PushDecision::Accept, digits);
        assert_eq!(outcome, Outcome::Refused(Reason::WrongCode), "{digits:?}");
        assert_eq!(prompt.scene.failures(prompt.device), 1);
        assert_eq!(prompt.answer(PushDecision::Accept, Some("42")), Outcome::Refused(Reason::NotOpen));
    }
    let mut asked = prompt(Some("42"));
    assert!(is_accepted(&asked.answer(PushDecision::Accept, Some("42"))));
    let mut unasked = prompt(None);
    assert_eq!(unasked.answer(PushDecision::Accept, Some("42")), Outcome::Refused(Reason::WrongCode));
}

#[test]
fn a_phone_is_not_heard_after_the_end_or_under_a_lock() {
    let mut late = prompt(None);
    late.scene.now = late.verification.expires_at;
    assert_eq!(late.answer(PushDecision::Accept, None), Outcome::Refused(Reason::NotOpen));

    let mut barred = prompt(None);
    let user = countersign_domain::User {
        lock: Some(countersign_domain::UserLock::UntilLifted),
        ..barred.scene.view().user.unwrap()
    };
    barred.scene.db.apply(countersign_domain::Change::UpdateUser(user));
    assert_eq!(barred.answer(PushDecision::Accept, None), crate::model::locked(Rule::UserBarred, None));

    let mut disabled = prompt(None);
    disabled.scene.db.apply(countersign_domain::Change::DisableDevice(disabled.device));
    assert_eq!(disabled.answer(PushDecision::Accept, None), crate::model::locked(Rule::DeviceDisabled, None));

    let mut guessed = prompt(None);
    let own: Vec<_> = (0..5).map(|n| guessed.scene.device(&totp(n), DeviceStatus::Active)).collect();
    for device in own {
        guessed.scene.guess(&crate::model::device_door(device), 4);
    }
    let outcome = guessed.answer(PushDecision::Accept, None);
    assert!(matches!(outcome, Outcome::Refused(Reason::Locked { until: Some(_), .. })));
    assert!(guessed.scene.db.verification(guessed.verification.id).unwrap().is_open(guessed.scene.now));
}

/// Decision 34: with `push.accept_otp` off nothing typed answers a prompt.
#[test]
fn nothing_typed_answers_a_prompt() {
    let mut prompt = prompt(Some("42"));
    for door in [token_door(&prompt.verification), wire_door(&prompt.verification)] {
        assert_eq!(prompt.scene.typed(&door, "42"), Outcome::Refused(Reason::NotTyped));
    }
    let evidence = prompt.prove(&prompt.signed_by(&prompt.key, PushDecision::Accept, Some("42")));
    let outcome = prompt.scene.judge(&wire_door(&prompt.verification), &evidence);
    assert_eq!(outcome, Outcome::Refused(Reason::NotTyped), "nor a proof brought to the wrong door");
    assert_eq!(prompt.scene.typed(&Target::OwnCodes(prompt.device), "42"), Outcome::Refused(Reason::NotTyped));
    assert_eq!(keyed(&prompt.verification, "42"), Evidence::Absent);
}

/// SEC 56: a prompt dies with its device.
#[test]
fn a_removed_phone_is_not_heard() {
    let mut prompt = prompt(None);
    let evidence = prompt.prove(&prompt.signed_by(&prompt.key, PushDecision::Accept, None));
    let scene = &mut prompt.scene;
    scene.db.commit(enrolment::remove(&scene.view(), prompt.device, &context(), scene.now));
    assert_eq!(scene.phoned(prompt.verification.id, &evidence), Outcome::Refused(Reason::NotOpen));
}

/// Decision 33: the code and the key, both proved; then the phone is in use under that key.
#[test]
fn a_phone_is_paired_by_the_code_and_the_key_it_holds() {
    for status in [DeviceStatus::Registering, DeviceStatus::Pending] {
        let mut scene = Scene::new();
        let device = scene.device(&Credential::Push { public_key: None }, status);
        let challenge = Challenge::Pairing { hash: keys().hash(PAIRING_CONTEXT, "AB12CD34") };
        let verification = scene.verification(device, challenge, true);
        let key = signing_key(1);
        let public = public_key(&key);
        let signature = sign(&key, &pairing_text("AB12CD34", &public));
        let prove = |code: &str, public: &[u8], signature: &[u8]| {
            push::prove_pairing(&verification, code, public, signature, &keys()).evidence()
        };
        assert_eq!(prove("AB12CD35", &public, &sign(&key, &pairing_text("AB12CD35", &public))), Evidence::Absent);
        assert_eq!(prove("AB12CD34", &public_key(&signing_key(2)), &signature), Evidence::Absent);
        assert_eq!(
            prove("AB12CD34", &public, &sign(&signing_key(2), &pairing_text("AB12CD34", &public))),
            Evidence::Absent
        );
        assert_eq!(prove("AB12CD34", &[], &signature), Evidence::Absent);
        // A key is stored as it is named: uncompressed.
        let short = key.verifying_key().to_sec1_point(true).as_bytes().to_vec();
        assert_eq!(prove("AB12CD34", &short, &sign(&key, &pairing_text("AB12CD34", &short))), Evidence::Absent);
        let pair = |scene: &mut Scene, credential: Option<&Credential>| {
            let sealed = credential.map(seal);
            let heard = push::prove_pairing(&verification, "AB12CD34", &public, &signature, &keys());
            let decision = answer::answer_from_device(&scene.view(), &heard, sealed.as_ref(), &context(), scene.now);
            scene.db.commit(decision)
        };
        assert_eq!(pair(&mut scene, None), Outcome::Refused(Reason::NotOpen), "without a key there is nothing to use");
        assert_eq!(scene.typed(&wire_door(&verification), "AB12CD34"), Outcome::Refused(Reason::NotTyped));
        let credential = Credential::Push { public_key: Some(public.clone()) };
        assert!(is_accepted(&pair(&mut scene, Some(&credential))));
        assert_eq!(unseal(scene.db.device(device).unwrap()), credential);
        assert_eq!(scene.status(device), Some(DeviceStatus::Active));

        let thief = Credential::Push { public_key: Some(public_key(&signing_key(3))) };
        assert_eq!(pair(&mut scene, Some(&thief)), Outcome::Refused(Reason::NotOpen), "the code is spent");
        assert_eq!(unseal(scene.db.device(device).unwrap()), credential);
    }
}

/// SEC 12: a phone's answer is judged against the number that is asked for when it arrives.
#[test]
fn an_answer_with_the_number_before_is_none() {
    let mut prompt = prompt(Some("42"));
    let good = prompt.prove(&prompt.signed_by(&prompt.key, PushDecision::Accept, Some("42")));
    assert!(matches!(good, Evidence::Proved(_)));
    let Challenge::Approval { nonce, .. } = prompt.verification.challenge.clone() else { unreachable!() };
    let id = prompt.verification.id;
    let against = std::mem::replace(
        &mut prompt.verification.challenge,
        Challenge::Approval { nonce, numbers: vec!["42".to_owned(), "43".to_owned()], asked: AskedFrom::default() },
    );
    let challenge = prompt.verification.challenge.clone();
    prompt.scene.db.apply(countersign_domain::Change::ReplaceChallenge {
        verification: id,
        wire_id: "other".to_owned(),
        challenge,
    });
    assert_eq!(prompt.scene.phoned_against(id, &good, &against), Outcome::Refused(Reason::NotOpen));
    assert!(prompt.scene.db.verification(id).unwrap().is_open(prompt.scene.now), "it still waits");
    assert!(is_accepted(&prompt.answer(PushDecision::Accept, Some("43"))));
}
