//! Invitations (SEC 105): one link a user, used up by the first device that is finished with it.

use crate::model::{
    Scene, context, device_door, digest, email, is_accepted, message, pending, policy, push, session_id, signing_key,
    sms, totp, wire_door,
};
use countersign_domain::model::audit::Actor;
use countersign_domain::model::session::Begun;
use countersign_domain::model::time::MINUTE;
use countersign_domain::model::user_patch::UserPatch;
use countersign_domain::rules::basis::Basis;
use countersign_domain::rules::enrolment::{self, Enrolled, Enrolment};
use countersign_domain::rules::invitation::{self, Invited, NEXT_LIFE};
use countersign_domain::rules::user;
use countersign_domain::{
    AuditKind, Challenge, Change, ClientId, Credential, DeviceId, DeviceStatus, FactorKind, Outcome, Reason, Session,
    SessionEnd, SessionId, SessionKind, Status, User, Verification,
};

const LIFE: i64 = 60 * MINUTE;

fn invite(scene: &mut Scene, replaces: bool) -> (SessionId, Invited) {
    let n = scene.draw();
    let session = Session {
        id: session_id(n),
        user_id: scene.user,
        kind: SessionKind::Invitation { replaces, leads_on: true, begun: Vec::new() },
        token: digest(n),
        client_id: scene.by.client,
        created_at: scene.now,
        expires_at: scene.now.plus(LIFE),
    };
    let basis = Basis { policy: &policy(), actor: &scene.by.clone(), now: scene.now };
    let decision = invitation::invite(&scene.view(), &session, None, basis);
    (session.id, scene.db.commit(decision))
}

fn invited(scene: &mut Scene, replaces: bool) -> SessionId {
    let (session, outcome) = invite(scene, replaces);
    assert_eq!(outcome, Invited::Invited);
    session
}

/// A registration that was begun with an invitation: its code is `123456`. `next` is drawn as the number of its id.
fn begin(scene: &mut Scene, invitation: SessionId, credential: &Credential) -> Result<Registration, Enrolled> {
    let device = scene.new_device(credential, DeviceStatus::Registering);
    let challenge = match credential {
        Credential::Totp(_) => Challenge::Own,
        _ => scene.code("123456"),
    };
    let n = scene.draw();
    let mut asked = pending(n, &device, challenge, scene.now, 15 * MINUTE);
    asked.client_id = scene.by.client;
    let begun = Begun { registration: asked.id, next: digest(n) };
    let enrolment = Enrolment {
        device: device.clone(),
        registration: Some(asked.clone()),
        message: None,
        invitation: Some((invitation, begun)),
    };
    let basis = Basis { policy: &policy(), actor: &scene.by.clone(), now: scene.now };
    match scene.db.commit(enrolment::enrol(&scene.view(), &enrolment, basis)) {
        Enrolled::Enrolled => Ok(Registration { device: device.id, asked, begun }),
        refused => Err(refused),
    }
}

struct Registration {
    device: DeviceId,
    asked: Verification,
    begun: Begun,
}

impl Registration {
    fn finish(&self, scene: &mut Scene) -> Outcome {
        scene.typed(&wire_door(&self.asked), "123456")
    }
}

fn status(scene: &Scene, asked: &Verification) -> Status {
    scene.db.verification(asked.id).expect("it is stored").status
}

/// The user's open invitations.
fn open(scene: &Scene) -> Vec<Session> {
    let is_invitation = |session: &Session| matches!(session.kind, SessionKind::Invitation { .. });
    scene.view().sessions.into_iter().filter(is_invitation).collect()
}

#[test]
fn a_new_invitation_ends_the_one_before_with_what_was_begun() {
    let mut scene = Scene::new();
    let first = invited(&mut scene, false);
    let begun = begin(&mut scene, first, &sms()).unwrap();
    let mail = begin(&mut scene, first, &email()).unwrap();
    let second = invited(&mut scene, false);
    assert_eq!(scene.db.session(first).unwrap().1, Some(SessionEnd::Expired));
    assert!(scene.db.is_open(second));
    for begun in [&begun, &mail] {
        assert_eq!(status(&scene, &begun.asked), Status::Expired);
        assert!(scene.db.device(begun.device).is_none());
        assert_eq!(begun.finish(&mut scene), Outcome::Refused(Reason::NotOpen));
    }
    assert!(matches!(begin(&mut scene, first, &sms()), Err(Enrolled::NotInvited)));
    assert_eq!(scene.db.recorded(AuditKind::Invited), 2);
    assert_eq!(scene.db.recorded(AuditKind::InvitationUsed), 0);
}

#[test]
fn the_first_device_that_is_finished_uses_an_invitation_up() {
    let mut scene = Scene::new();
    let invitation = invited(&mut scene, false);
    let first = begin(&mut scene, invitation, &sms()).unwrap();
    let other = begin(&mut scene, invitation, &email()).unwrap();
    assert!(scene.db.is_open(invitation), "beginning uses nothing up");
    assert!(is_accepted(&first.finish(&mut scene)));
    assert_eq!(scene.db.session(invitation).unwrap().1, Some(SessionEnd::Used { at: scene.now }));
    assert_eq!(scene.status(first.device), Some(DeviceStatus::Active));
    assert_eq!((status(&scene, &other.asked), scene.db.device(other.device)), (Status::Expired, None));
    assert_eq!(other.finish(&mut scene), Outcome::Refused(Reason::NotOpen));
    assert!(matches!(begin(&mut scene, invitation, &totp(1)), Err(Enrolled::NotInvited)));
    assert_eq!(scene.db.recorded(AuditKind::InvitationUsed), 1);
}

/// A link that was to bring the first device is of no use once there is one, and must not add another.
#[test]
fn a_device_that_is_enrolled_otherwise_ends_an_invitation_that_does_not_replace_it() {
    for replaces in [false, true] {
        let mut scene = Scene::new();
        let invitation = invited(&mut scene, replaces);
        let begun = begin(&mut scene, invitation, &email()).unwrap();
        let device = scene.device(&sms(), DeviceStatus::Registering);
        let challenge = scene.code("123456");
        let asked = scene.verification(device, challenge, false);
        assert!(is_accepted(&scene.typed(&wire_door(&asked), "123456")));
        assert_eq!(scene.db.is_open(invitation), replaces);
        assert_eq!(is_accepted(&begun.finish(&mut scene)), replaces);
        assert_eq!(scene.status(device).is_some(), !replaces, "what replaces has replaced it");
    }
}

/// The same, for a device that no registration confirms: it comes into use with its first code.
#[test]
fn a_device_that_comes_into_use_with_a_code_alone_ends_an_invitation() {
    let mut scene = Scene::new();
    let invitation = invited(&mut scene, false);
    let begun = begin(&mut scene, invitation, &email()).unwrap();
    let device = scene.device(&totp(1), DeviceStatus::Pending);
    let code = scene.own_code(device);
    assert!(is_accepted(&scene.typed(&device_door(device), &code)));
    assert!(!scene.db.is_open(invitation));
    assert!(!is_accepted(&begun.finish(&mut scene)));
}

/// The same, for a device that comes back: wrong guesses have disabled it, and an operator unlocks the user.
#[test]
fn a_device_that_comes_back_ends_an_invitation_that_does_not_replace_it() {
    for replaces in [false, true] {
        let mut scene = Scene::new();
        scene.device(&totp(1), DeviceStatus::Disabled);
        let invitation = invited(&mut scene, replaces);
        let begun = begin(&mut scene, invitation, &email()).unwrap();
        let operator = Actor { client: None, ..scene.by.clone() };
        scene.db.commit(user::unlock(&scene.view(), &[], &operator, scene.now));
        assert_eq!(scene.db.is_open(invitation), replaces);
        if !replaces {
            assert!(!is_accepted(&begun.finish(&mut scene)));
        }
    }
}

/// However a user came by a device, a link for one who has none adds nothing.
#[test]
fn nothing_is_begun_with_a_first_invitation_beside_a_device() {
    let mut scene = Scene::new();
    let invitation = invited(&mut scene, false);
    scene.device(&totp(1), DeviceStatus::Active);
    assert!(!invitation::is_waiting(&scene.view(), invitation, scene.now));
    assert!(matches!(begin(&mut scene, invitation, &email()), Err(Enrolled::NotInvited)));
}

/// Otherwise it could be finished after the invitation, which would then replace nothing.
#[test]
fn a_registration_ends_no_later_than_its_invitation() {
    let mut scene = Scene::new();
    let invitation = invited(&mut scene, true);
    scene.now = scene.now.plus(LIFE - MINUTE);
    let begun = begin(&mut scene, invitation, &email()).unwrap();
    let asked = scene.db.verification(begun.asked.id).unwrap();
    assert_eq!(asked.expires_at, scene.now.plus(MINUTE));
}

/// The message is made before the decision, and the user may move in between.
#[test]
fn no_invitation_is_sent_to_where_the_user_was() {
    let mut scene = Scene::new();
    let earlier = invited(&mut scene, false);
    let begun = begin(&mut scene, earlier, &email()).unwrap();
    let message = message(&begun.asked, FactorKind::Email).unwrap();
    let user = scene.view().user.unwrap();
    let read = User { email: Some("earlier@example.com".to_owned()), ..user };
    let session = Session {
        id: session_id(7),
        user_id: scene.user,
        kind: SessionKind::Invitation { replaces: false, leads_on: true, begun: Vec::new() },
        token: digest(7),
        client_id: scene.by.client,
        created_at: scene.now,
        expires_at: scene.now.plus(LIFE),
    };
    let basis = Basis { policy: &policy(), actor: &scene.by.clone(), now: scene.now };
    let decision = invitation::invite(&scene.view(), &session, Some((&message, &read)), basis);
    assert_eq!(scene.db.commit(decision), Invited::Moved);
    assert!(scene.db.is_open(earlier), "a refusal changes nothing");
}

/// Each may send a message to a number that the holder of the link names.
#[test]
fn twenty_registrations_are_begun_with_an_invitation_and_no_more() {
    let mut scene = Scene::new();
    let invitation = invited(&mut scene, false);
    for _ in 0..20 {
        begin(&mut scene, invitation, &sms()).unwrap();
    }
    assert!(matches!(begin(&mut scene, invitation, &sms()), Err(Enrolled::TooManyRegistrations(_))));
    assert!(scene.db.is_open(invitation));
}

/// An invitation may be in a mailbox that is no longer the user's.
#[test]
fn an_invitation_ends_when_the_user_is_reached_otherwise() {
    let mut scene = Scene::new();
    let move_to = |scene: &mut Scene, address: &str| {
        let patch = UserPatch { email: Some(Some(address.to_owned())), ..UserPatch::default() };
        let by = scene.by.clone();
        scene.db.commit(user::update(&scene.view(), &patch, &by, scene.now));
    };
    move_to(&mut scene, "ana@example.com");
    let invitation = invited(&mut scene, false);
    let begun = begin(&mut scene, invitation, &sms()).unwrap();
    move_to(&mut scene, "other@example.com");
    assert!(!scene.db.is_open(invitation));
    assert_eq!(begun.finish(&mut scene), Outcome::Refused(Reason::NotOpen));
}

#[test]
fn five_wrong_codes_end_a_registration_and_not_its_invitation() {
    let mut scene = Scene::new();
    let invitation = invited(&mut scene, false);
    let begun = begin(&mut scene, invitation, &sms()).unwrap();
    for guess in ["000000", "000001", "000002", "000003", "000004"] {
        scene.typed(&wire_door(&begun.asked), guess);
    }
    assert_eq!(begun.finish(&mut scene), Outcome::Refused(Reason::NotOpen));
    assert!(scene.db.is_open(invitation));
    // What is over still counts.
    begin(&mut scene, invitation, &email()).unwrap();
    let [session] = open(&scene).try_into().unwrap();
    assert!(matches!(session.kind, SessionKind::Invitation { ref begun, .. } if begun.len() == 2), "{session:?}");
}

/// Contract 21.2: one more device within 15 minutes, and no chain.
#[test]
fn a_finished_device_leads_on_once() {
    let mut scene = Scene::new();
    let invitation = invited(&mut scene, false);
    let first = begin(&mut scene, invitation, &sms()).unwrap();
    assert!(is_accepted(&first.finish(&mut scene)));
    let [next] = open(&scene).try_into().unwrap();
    assert_eq!((next.token, next.expires_at), (first.begun.next, scene.now.plus(NEXT_LIFE)));
    assert_eq!(NEXT_LIFE, 15 * MINUTE);
    assert_eq!(next.client_id, scene.by.client);
    let second = begin(&mut scene, next.id, &email()).unwrap();
    assert!(is_accepted(&second.finish(&mut scene)));
    assert_eq!(open(&scene), []);
    assert_eq!(scene.db.recorded(AuditKind::InvitationUsed), 2);

    let mut late = Scene::new();
    let invitation = invited(&mut late, false);
    let first = begin(&mut late, invitation, &sms()).unwrap();
    assert!(is_accepted(&first.finish(&mut late)));
    let [next] = open(&late).try_into().unwrap();
    late.wait(NEXT_LIFE);
    assert!(matches!(begin(&mut late, next.id, &email()), Err(Enrolled::NotInvited)));
}

/// SEC 56: the link for one more device rests on the one that was enrolled.
#[test]
fn the_link_for_one_more_device_ends_with_the_trust_in_the_user() {
    let mut scene = Scene::new();
    let invitation = invited(&mut scene, false);
    let first = begin(&mut scene, invitation, &sms()).unwrap();
    assert!(is_accepted(&first.finish(&mut scene)));
    let by = scene.by.clone();
    let [next] = open(&scene).try_into().unwrap();
    let begun = begin(&mut scene, next.id, &email()).unwrap();
    assert!(scene.db.commit(enrolment::remove(&scene.view(), first.device, &by, scene.now)));
    assert_eq!(open(&scene), []);
    assert_eq!(begun.finish(&mut scene), Outcome::Refused(Reason::NotOpen), "with what was begun with it");

    // A link that an administrator has made rests on nothing of the person's.
    let mut scene = Scene::new();
    let device = scene.device(&totp(1), DeviceStatus::Active);
    invited(&mut scene, true);
    let by = scene.by.clone();
    assert!(scene.db.commit(enrolment::remove(&scene.view(), device, &by, scene.now)));
    assert_eq!(open(&scene).len(), 1);
}

#[test]
fn what_replaces_removes_the_earlier_devices_in_the_same_decision() {
    let mut scene = Scene::new();
    let old = [
        scene.device(&totp(1), DeviceStatus::Active),
        scene.device(&push(&signing_key(1)), DeviceStatus::Disabled),
        scene.device(&sms(), DeviceStatus::Pending),
    ];
    let challenge = scene.code("1");
    let waiting = scene.verification(old[0], challenge, true);
    let browser = scene.session(SessionKind::RememberedBrowser, LIFE);
    assert_eq!(invite(&mut scene, false).1, Invited::HasDevice);
    let invitation = invited(&mut scene, true);
    // Begun elsewhere and never finished: it is no device yet, and must not become one.
    let elsewhere = scene.device(&email(), DeviceStatus::Registering);
    let challenge = scene.code("654321");
    scene.verification(elsewhere, challenge, false);
    // An authenticator cannot repeat, and takes the place of the one there is.
    let begun = begin(&mut scene, invitation, &totp(2)).unwrap();
    assert_eq!(scene.status(old[0]), Some(DeviceStatus::Active), "until it is finished, the old one works");
    let code = match totp(2) {
        Credential::Totp(totp) => totp.code(scene.now),
        _ => unreachable!(),
    };
    assert!(is_accepted(&scene.typed(&wire_door(&begun.asked), &code)));
    let left: Vec<DeviceId> = scene.view().devices.iter().map(|device| device.id).collect();
    assert_eq!(left, [begun.device]);
    assert_eq!(status(&scene, &waiting), Status::Expired);
    assert!(!scene.db.is_open(browser), "the trust in the earlier devices has gone");
    let replaced: Vec<_> = scene.db.audit.iter().filter(|event| event.kind == AuditKind::DeviceReplaced).collect();
    assert!(replaced.len() == 3 && replaced.iter().all(|event| event.reason == Some("replace")), "{replaced:?}");
    let said: Vec<_> = scene.db.audit.iter().filter(|event| event.kind == AuditKind::Invited).collect();
    assert!(said.len() == 1 && said[0].reason == Some("replace"), "{said:?}");
    // The link for one more adds to it.
    let [next] = open(&scene).try_into().unwrap();
    assert!(matches!(next.kind, SessionKind::Invitation { replaces: false, leads_on: false, .. }));
}

#[test]
fn without_replacing_a_factor_that_cannot_repeat_is_enrolled_once() {
    let mut scene = Scene::new();
    let invitation = invited(&mut scene, false);
    scene.device(&push(&signing_key(1)), DeviceStatus::Disabled);
    assert!(matches!(
        begin(&mut scene, invitation, &Credential::Push { public_key: None }),
        Err(Enrolled::AlreadyEnrolled)
    ));
}

#[test]
fn who_is_barred_is_not_invited_and_enrols_nothing() {
    let mut scene = Scene::new();
    let invitation = invited(&mut scene, false);
    let lock = |scene: &mut Scene| {
        let user = scene.view().user.unwrap();
        let lock = Some(countersign_domain::UserLock::UntilLifted);
        scene.db.apply(Change::UpdateUser(countersign_domain::User { lock, ..user }));
    };
    lock(&mut scene);
    assert_eq!(invite(&mut scene, false).1, Invited::Barred);
    assert!(matches!(begin(&mut scene, invitation, &sms()), Err(Enrolled::Barred)));
    let mut unknown = Scene::new();
    unknown.user = countersign_domain::UserId(99);
    assert_eq!(invite(&mut unknown, false).1, Invited::NoUser);
}

#[test]
fn an_invitation_ends_with_its_time_its_client_and_its_user() {
    let mut scene = Scene::new();
    let invitation = invited(&mut scene, false);
    scene.wait(LIFE - 1);
    begin(&mut scene, invitation, &sms()).unwrap();
    scene.wait(1);
    assert!(matches!(begin(&mut scene, invitation, &email()), Err(Enrolled::NotInvited)));

    let mut scene = Scene::new();
    let invitation = invited(&mut scene, false);
    let begun = begin(&mut scene, invitation, &sms()).unwrap();
    scene.db.apply(Change::EndBegun(ClientId(1)));
    assert!(!scene.db.is_open(invitation));
    assert_eq!(begun.finish(&mut scene), Outcome::Refused(Reason::NotOpen));

    let mut scene = Scene::new();
    let invitation = invited(&mut scene, false);
    let begun = begin(&mut scene, invitation, &sms()).unwrap();
    assert!(scene.db.commit(user::lock(&scene.view(), 5, &context(), scene.now)));
    assert!(!scene.db.is_open(invitation));
    assert!(!is_accepted(&begun.finish(&mut scene)));
}
