//! What a paired phone may ask for, and where it is notified (contract 20, SEC 103).

use crate::model::{Scene, digest, push, sign, signing_key, sms, token_door, unseal};
use countersign_domain::rules::factor::push::{
    PhoneAction, PushAnswer, PushDecision, answer_text, has_signed, names_older_number, request_text,
};
use countersign_domain::rules::{message_end, phone, throttle};
use countersign_domain::{
    AskedFrom, AuditKind, Challenge, Channel, Credential, DeviceId, DeviceStatus, DropReason, FactorKind, Message,
    MessageId, Outcome, Sealed, Secret, Subscribed, UserId, Verification,
};

fn approval(numbers: &[&str]) -> Challenge {
    let numbers = numbers.iter().map(|number| (*number).to_owned()).collect();
    Challenge::Approval { nonce: Secret::new(vec![5; 32]), numbers, asked: AskedFrom::default() }
}

fn subscribed(n: u64) -> Subscribed {
    Subscribed { mark: digest(n), sealed: Sealed(vec![1, 2, 3]) }
}

/// Contract 20.3, written out.
#[test]
fn the_signed_text_of_a_request_is_the_documented_one() {
    let who = (UserId(7), DeviceId(1_234_567_890_123));
    let requests = "countersign-app-v1\nrequests\n7\n1234567890123\n-\n1750000000000";
    assert_eq!(request_text(PhoneAction::Requests, who, None, 1_750_000_000_000), requests);
    assert_eq!(request_text(PhoneAction::Events, who, None, 0), "countersign-app-v1\nevents\n7\n1234567890123\n-\n0");
    assert_eq!(
        request_text(PhoneAction::Subscription, who, None, -1),
        "countersign-app-v1\nsubscription\n7\n1234567890123\n-\n-1"
    );
    // The SHA-256 of `abc`, FIPS 180-2.
    let says = request_text(PhoneAction::Subscription, who, Some("abc"), 1);
    let digest = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
    assert_eq!(says, format!("countersign-app-v1\nsubscription\n7\n1234567890123\n{digest}\n1"));
}

#[test]
fn a_request_is_signed_by_the_key_of_a_paired_phone_only() {
    let key = signing_key(1);
    let text = request_text(PhoneAction::Requests, (UserId(1), DeviceId(2)), None, 3);
    let signature = sign(&key, &text);
    assert!(has_signed(&push(&key), &text, &signature));
    assert!(!has_signed(&push(&signing_key(2)), &text, &signature));
    assert!(!has_signed(&Credential::Push { public_key: None }, &text, &signature));
    assert!(!has_signed(&sms(), &text, &signature));
    assert!(!has_signed(&push(&key), &format!("{text}0"), &signature));
    assert!(!has_signed(&push(&key), &text, &signature[..63]));
}

#[test]
fn a_phone_is_subscribed_while_it_is_paired_and_once_for_each_mark() {
    let mut scene = Scene::new();
    let device = scene.device(&push(&signing_key(1)), DeviceStatus::Active);
    let says = |scene: &mut Scene, device, to: Option<&Subscribed>| {
        let decision = phone::subscribe(&scene.view(), device, to);
        let changes = decision.changes.len();
        (scene.db.commit(decision), changes)
    };
    assert_eq!(says(&mut scene, device, None), (true, 0), "there is none to end");
    assert_eq!(says(&mut scene, device, Some(&subscribed(1))), (true, 1));
    let sealed_anew = Subscribed { sealed: Sealed(vec![9]), ..subscribed(1) };
    assert_eq!(says(&mut scene, device, Some(&sealed_anew)), (true, 0), "it is no news");
    assert_eq!(says(&mut scene, device, Some(&subscribed(2))), (true, 1));
    assert_eq!(scene.db.device(device).unwrap().subscription, Some(subscribed(2)));
    assert_eq!(says(&mut scene, device, None), (true, 1));
    for other in [
        DeviceId(999),
        scene.device(&sms(), DeviceStatus::Active),
        scene.device(&push(&signing_key(2)), DeviceStatus::Registering),
        scene.device(&push(&signing_key(3)), DeviceStatus::Pending),
        scene.device(&push(&signing_key(4)), DeviceStatus::Disabled),
    ] {
        assert_eq!(says(&mut scene, other, Some(&subscribed(3))), (false, 0), "{other}");
    }
}

/// SEC 70.
#[test]
fn the_end_of_a_subscription_ends_no_newer_one() {
    let mut scene = Scene::new();
    let device = scene.device(&push(&signing_key(1)), DeviceStatus::Active);
    let asked = scene.verification(device, approval(&[]), false);
    scene.db.commit(phone::subscribe(&scene.view(), device, Some(&subscribed(2))));
    let message = Message {
        id: MessageId(1),
        user_id: scene.user,
        device_id: Some(device),
        verification_id: asked.id,
        channel: Channel::Push,
        content: Sealed(vec![1]),
        created_at: scene.now,
        not_after: asked.expires_at,
        charge: None,
    };
    for (mark, left) in [(digest(1), true), (digest(2), false), (digest(2), false)] {
        scene.db.apply(countersign_domain::Change::Enqueue(message.clone()));
        let over = DropReason::Unsubscribed { mark };
        scene.db.commit(message_end::give_up(&scene.view(), &message, over, 0, scene.now));
        assert_eq!(scene.db.device(device).unwrap().subscription.is_some(), left, "{mark:?}");
        assert_eq!(scene.status(device), Some(DeviceStatus::Active), "it is paired all the same");
        assert!(scene.db.verification(asked.id).unwrap().is_open(scene.now), "its app asks");
    }
    assert_eq!(scene.db.recorded(AuditKind::MessageFailed), 3);
    // Any other failure says nothing of the subscription.
    scene.db.commit(phone::subscribe(&scene.view(), device, Some(&subscribed(3))));
    let failed = message_end::give_up(&scene.view(), &message, DropReason::Undeliverable, 0, scene.now);
    assert!(failed.changes.iter().all(|change| !matches!(change, countersign_domain::Change::Subscribe { .. })));
}

#[test]
fn the_prompts_of_a_phone_are_those_that_wait_for_it() {
    let mut scene = Scene::new();
    let device = scene.device(&push(&signing_key(1)), DeviceStatus::Active);
    let other = scene.device(&push(&signing_key(2)), DeviceStatus::Active);
    let number = scene.device(&sms(), DeviceStatus::Active);
    let first = scene.verification(device, approval(&["42"]), true);
    scene.verification(other, approval(&[]), true);
    let code = scene.code("123456");
    scene.verification(number, code, true);
    let answered = scene.verification(device, approval(&[]), true);
    scene.db.apply(countersign_domain::Change::CloseVerification {
        verification: answered.id,
        end: countersign_domain::VerificationEnd::Accepted { at: scene.now, collected: None },
    });
    let waiting = |scene: &Scene, device| {
        phone::prompts(&scene.view(), device, scene.now).map(|asked| asked.id).collect::<Vec<_>>()
    };
    assert_eq!(waiting(&scene, device), [first.id]);
    assert_eq!(waiting(&scene, number), [], "a code is no prompt");
    scene.now = first.expires_at;
    assert_eq!(waiting(&scene, device), []);
}

/// SEC 12: a pending prompt says which number its caller shows, and nothing without one.
#[test]
fn a_pending_prompt_names_the_newest_number() {
    for (numbers, number) in [(&[][..], None), (&["42"], Some("42")), (&["42", "43"], Some("43"))] {
        let mut scene = Scene::new();
        let device = scene.device(&push(&signing_key(1)), DeviceStatus::Active);
        let asked = scene.verification(device, approval(numbers), true);
        let expected = Outcome::Pending { factor: FactorKind::Push, number: number.map(str::to_owned) };
        assert_eq!(scene.polled(&token_door(&asked)), expected);
    }
}

#[test]
fn an_older_number_is_named_as_such_to_the_phone_that_signed_it() {
    let mut scene = Scene::new();
    let key = signing_key(1);
    let device = scene.device(&push(&key), DeviceStatus::Active);
    let asked = scene.verification(device, approval(&["41", "42", "43"]), true);
    let credential = unseal(scene.db.device(device).unwrap());
    let signed = |key: &p256::ecdsa::SigningKey, decision, digits: Option<&str>| {
        let text = answer_text(asked.id, &[5; 32], decision, digits, 7);
        PushAnswer { decision, digits: digits.map(str::to_owned), signed_at: 7, signature: sign(key, &text) }
    };
    let is_older = |answer: &PushAnswer, asked: &Verification| names_older_number(&credential, asked, answer);
    for (digits, older) in [("41", true), ("42", true), ("43", false), ("44", false)] {
        assert_eq!(is_older(&signed(&key, PushDecision::Accept, Some(digits)), &asked), older, "{digits}");
    }
    assert!(!is_older(&signed(&key, PushDecision::Accept, None), &asked));
    assert!(!is_older(&signed(&key, PushDecision::Deny, Some("41")), &asked), "a no is a no");
    assert!(
        !is_older(&signed(&signing_key(2), PushDecision::Accept, Some("41")), &asked),
        "another phone learns nothing"
    );
    let moved = PushAnswer { signed_at: 8, ..signed(&key, PushDecision::Accept, Some("41")) };
    assert!(!is_older(&moved, &asked));
    let other = scene.verification(device, approval(&["41", "42"]), true);
    assert!(!is_older(&signed(&key, PushDecision::Accept, Some("41")), &other), "signed for another prompt");
}

/// SEC 13: a prompt that no message announces counts as any.
#[test]
fn a_prompt_without_a_message_counts_against_the_limits() {
    use countersign_domain::rules::basis::Basis;
    use countersign_domain::rules::verification::open::{self, Opened, Opening};
    let mut scene = Scene::new();
    let device = scene.device(&push(&signing_key(1)), DeviceStatus::Active);
    let policy = crate::model::policy();
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let verification = scene.new_verification(device, approval(&[]), true);
        let opening = Opening { verification, message: None, pending_devices: false };
        let basis = Basis { policy: &policy, actor: &scene.by.clone(), now: scene.now };
        let opened = scene.db.commit(open::open(&scene.view(), &opening, basis));
        statuses.push(matches!(opened, Opened::Opened(_)));
        scene.wait(61_000);
        for asked in scene.view().verifications {
            scene.db.apply(countersign_domain::Change::CloseVerification {
                verification: asked.id,
                end: countersign_domain::VerificationEnd::Expired,
            });
        }
    }
    assert_eq!(statuses, [true, true, true, false]);
    assert!(throttle::next_send(&scene.view(), FactorKind::Push, &policy, scene.now).is_some());
}
