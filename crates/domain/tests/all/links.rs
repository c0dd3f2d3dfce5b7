//! Links in mail (SEC 11, decision 76): answered apart from the caller, alone or beside a code of the same mail.

use crate::model::{Scene, context, digest, email, is_accepted, keys, sms, token_door, wire_door};
use countersign_domain::model::challenge::code_context;
use countersign_domain::rules::factor::link::{LinkDecision, prove_link};
use countersign_domain::rules::user;
use countersign_domain::rules::verification::answer::answer_from_device;
use countersign_domain::rules::verification::find::Target;
use countersign_domain::{
    AskedFrom, AuditKind, Challenge, Change, DeviceId, DeviceStatus, FactorKind, LinkChallenge, Outcome, Reason,
    Status, Verification,
};

const NOT_OPEN: Outcome = Outcome::Refused(Reason::NotOpen);
const NOT_TYPED: Outcome = Outcome::Refused(Reason::NotTyped);
const PENDING: Outcome = Outcome::Pending { factor: FactorKind::Email, number: None };
/// The link's token is drawn as this number.
const TOKEN: u64 = 77;

/// A mailbox to which a link went, with a code beside it or alone.
fn mailed(scene: &mut Scene, code: Option<&str>, state_token: bool) -> (DeviceId, Verification) {
    let device = scene.device(&email(), DeviceStatus::Active);
    (device, mail(scene, device, code, state_token))
}

fn mail(scene: &mut Scene, device: DeviceId, code: Option<&str>, state_token: bool) -> Verification {
    let unbound = Challenge::Link(LinkChallenge {
        token: digest(TOKEN),
        code: None,
        redirect_to: None,
        asked: AskedFrom::default(),
    });
    let mut asked = scene.new_verification(device, unbound, state_token);
    if let Challenge::Link(link) = &mut asked.challenge {
        link.code = code.map(|code| keys().hash(&code_context(asked.id), code));
    }
    scene.db.apply(Change::OpenVerification(asked.clone()));
    asked
}

fn press(scene: &mut Scene, asked: &Verification, decision: LinkDecision) -> Outcome {
    let heard = prove_link(asked, &digest(TOKEN), decision);
    let decision = answer_from_device(&scene.view(), &heard, None, &context(), scene.now);
    scene.db.commit(decision)
}

fn status(scene: &Scene, asked: &Verification) -> Status {
    scene.db.verification(asked.id).expect("it is stored").status
}

#[test]
fn a_link_alone_is_waited_for_and_nothing_typed_answers_it() {
    let mut scene = Scene::new();
    let (device, asked) = mailed(&mut scene, None, true);
    for door in [wire_door(&asked), token_door(&asked)] {
        assert_eq!(scene.polled(&door), PENDING);
        assert_eq!(scene.typed(&door, "123456"), NOT_TYPED);
    }
    assert_eq!(scene.typed(&Target::OwnCodes(device), "123456"), NOT_TYPED);
    assert_eq!(scene.typed(&Target::Newest, "123456"), NOT_OPEN);
    assert_eq!(scene.failures(device), 0, "compared with nothing");
    assert!(is_accepted(&press(&mut scene, &asked, LinkDecision::Confirm)));
    assert_eq!(press(&mut scene, &asked, LinkDecision::Confirm), NOT_OPEN);
    assert_eq!(press(&mut scene, &asked, LinkDecision::Disown), NOT_OPEN, "an end is an end");
    let waits = Status::Accepted { at: scene.now, collected: None };
    assert_eq!(status(&scene, &asked), waits, "for the poller");
    assert!(is_accepted(&scene.polled(&token_door(&asked))));
    assert_eq!(scene.polled(&token_door(&asked)), NOT_OPEN, "collected once");
    assert_eq!(scene.db.recorded(AuditKind::LinkConfirmed), 1);
}

#[test]
fn a_code_beside_a_link_is_typed_at_every_door_and_collected_by_it() {
    for door in [
        wire_door,
        token_door,
        |asked: &Verification| Target::OwnCodes(asked.device_id),
        |_: &Verification| Target::Newest,
    ] {
        let mut scene = Scene::new();
        let (device, asked) = mailed(&mut scene, Some("123456"), true);
        let door = door(&asked);
        assert_eq!(scene.typed(&door, "654321"), Outcome::Refused(Reason::WrongCode), "{door:?}");
        assert_eq!(scene.failures(device), 1);
        assert!(is_accepted(&scene.typed(&door, "123456")), "{door:?}");
        assert_eq!(status(&scene, &asked), Status::Accepted { at: scene.now, collected: Some(scene.now) });
        assert_eq!(press(&mut scene, &asked, LinkDecision::Confirm), NOT_OPEN);
        assert_eq!((scene.db.recorded(AuditKind::LinkConfirmed), scene.db.recorded(AuditKind::Verified)), (0, 1));
    }
}

#[test]
fn five_wrong_codes_end_the_link_too() {
    let mut scene = Scene::new();
    let (_, asked) = mailed(&mut scene, Some("123456"), false);
    for guess in ["000000", "000001", "000002", "000003", "000004"] {
        scene.typed(&wire_door(&asked), guess);
    }
    assert!(matches!(status(&scene, &asked), Status::Rejected { .. }));
    assert_eq!(press(&mut scene, &asked, LinkDecision::Confirm), NOT_OPEN);
}

#[test]
fn not_me_rejects_and_is_no_guess() {
    let mut scene = Scene::new();
    let (device, asked) = mailed(&mut scene, None, true);
    assert_eq!(press(&mut scene, &asked, LinkDecision::Disown), Outcome::Refused(Reason::Denied));
    assert_eq!(status(&scene, &asked), Status::Rejected { at: scene.now, collected: None });
    assert_eq!(scene.polled(&token_door(&asked)), Outcome::Refused(Reason::Denied));
    assert_eq!(scene.failures(device), 0);
    assert_eq!(press(&mut scene, &asked, LinkDecision::Confirm), NOT_OPEN);
}

#[test]
fn another_token_says_nothing() {
    let mut scene = Scene::new();
    let (device, asked) = mailed(&mut scene, None, false);
    let heard = prove_link(&asked, &digest(TOKEN + 1), LinkDecision::Confirm);
    let decision = answer_from_device(&scene.view(), &heard, None, &context(), scene.now);
    assert_eq!(scene.db.commit(decision), NOT_OPEN);
    assert_eq!((scene.failures(device), status(&scene, &asked)), (0, Status::NEW));
    // A code that was sent is not answered by a link.
    let phone = scene.device(&sms(), DeviceStatus::Active);
    let challenge = scene.code("123456");
    let sent = scene.verification(phone, challenge, false);
    assert_eq!(press(&mut scene, &sent, LinkDecision::Confirm), NOT_OPEN);
}

#[test]
fn under_a_lock_a_link_is_not_evaluated_and_over_is_over() {
    let mut scene = Scene::new();
    let (_, asked) = mailed(&mut scene, None, false);
    let mut late = scene.clone();
    late.now = asked.expires_at;
    assert_eq!(press(&mut late, &asked, LinkDecision::Confirm), NOT_OPEN);
    scene.db.commit(user::lock(&scene.view(), 0, &context(), scene.now));
    assert!(!is_accepted(&press(&mut scene, &asked, LinkDecision::Confirm)));
}
