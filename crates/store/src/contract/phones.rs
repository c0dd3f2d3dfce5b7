//! What is kept of phones and of invitations: where a phone is notified, and whom a link invites (contract 20.5, 21).

use domain::model::session::Begun;
use domain::rules::verification::answer::answer;
use domain::rules::verification::find::Target;
use domain::rules::{enrolment, phone, user};
use domain::*;

use super::world::*;
use crate::Store;

fn subscribed(sealed: u8) -> Subscribed {
    Subscribed { mark: fresh_digest(), sealed: Sealed(vec![sealed; 90]) }
}

async fn subscription(store: &Store, user: UserId) -> Option<Subscribed> {
    store.view(user).await.unwrap().devices.into_iter().find_map(|device| device.subscription)
}

/// An invitation of this user, opened.
async fn invited(store: &Store, user: UserId, replaces: bool) -> Session {
    session(store, user, SessionKind::Invitation { replaces, leads_on: true, begun: Vec::new() }).await
}

pub(crate) async fn a_subscription_is_kept_with_its_phone_and_goes_with_it(store: &Store) {
    let user = somebody(store).await;
    let (one, other) = (device(store, user, FactorKind::Push).await, device(store, user, FactorKind::Push).await);
    let (first, second) = (subscribed(1), subscribed(2));
    let note = |device: DeviceId, to: Option<Subscribed>| {
        store.decide(user, move |view| phone::subscribe(view, device, to.as_ref()))
    };
    assert!(note(one.id, Some(first.clone())).await.unwrap());
    assert_eq!(subscription(store, user).await, Some(first.clone()));
    assert!(note(one.id, Some(second.clone())).await.unwrap());
    let devices = store.view(user).await.unwrap().devices;
    assert_eq!(devices[0].subscription, Some(second.clone()));
    assert_eq!(Device { subscription: None, ..devices[0].clone() }, one, "nothing else of it has changed");
    assert_eq!(devices[1], other);
    // The end of a subscription that the phone no longer has ends no newer one.
    let end = |mark: Digest| {
        let rule = move |view: &View| Decision::reply(()).with_all(phone::end_subscription(view, one.id, mark));
        store.decide(user, rule)
    };
    end(first.mark).await.unwrap();
    assert_eq!(subscription(store, user).await, Some(second.clone()));
    end(second.mark).await.unwrap();
    assert_eq!(subscription(store, user).await, None);
    assert!(note(one.id, Some(first)).await.unwrap());
    put(store, user, vec![Change::DeleteDevice(one.id)]).await.unwrap();
    assert_eq!(store.view(user).await.unwrap().devices, [other]);
    assert!(!note(one.id, Some(second)).await.unwrap(), "it is paired no longer");
}

pub(crate) async fn a_link_invites_its_user_until_it_ends(store: &Store) {
    let user = somebody(store).await;
    let open = invited(store, user, false).await;
    assert_eq!(store.invited(open.token).await.unwrap(), Some(user));
    assert_eq!(store.invited(fresh_digest()).await.unwrap(), None);
    for end in [SessionEnd::Used { at: NOW }, SessionEnd::Expired] {
        let other = invited(store, user, true).await;
        assert_eq!(store.invited(other.token).await.unwrap(), Some(user));
        put(store, user, vec![Change::CloseSession { session: other.id, end }]).await.unwrap();
        assert_eq!(store.invited(other.token).await.unwrap(), None, "{end:?}");
    }
    assert_eq!(store.invited(open.token).await.unwrap(), Some(user));
    // Another kind of session is no invitation.
    let browsing = session(store, user, SessionKind::Browsing).await;
    assert_eq!(store.invited(browsing.token).await.unwrap(), None);
    assert!(store.decide(user, |view| user::delete(view, &context(), NOW)).await.unwrap());
    assert_eq!(store.invited(open.token).await.unwrap(), None);
}

pub(crate) async fn an_invitation_lists_what_was_begun_with_it(store: &Store) {
    let user = somebody(store).await;
    let open = invited(store, user, true).await;
    for count in [1, 3, 0] {
        let begun: Vec<Begun> = (0..count)
            .map(|_| Begun {
                registration: VerificationId(uuid::Uuid::from_u128(fresh().into())),
                next: fresh_digest(),
            })
            .collect();
        let change = Change::SetBegun { session: open.id, begun: begun.clone() };
        put(store, user, vec![change]).await.unwrap();
        let kind = SessionKind::Invitation { replaces: true, leads_on: true, begun };
        assert_eq!(store.view(user).await.unwrap().sessions, [Session { kind, ..open.clone() }]);
    }
    assert_eq!(store.invited(open.token).await.unwrap(), Some(user));
}

/// SEC 1, 5, 105.
pub(crate) async fn an_invitation_is_used_up_once(store: &Store) {
    let user = somebody(store).await;
    let open = invited(store, user, false).await;
    let mut asked = Vec::new();
    for factor in [FactorKind::Sms, FactorKind::Email, FactorKind::Voice, FactorKind::Sms] {
        let device = device_in(store, user, factor, DeviceStatus::Registering).await;
        let registration = Verification { purpose: Purpose::Enrol, ..verification(&device, sent_code("123456")) };
        super::world::open(store, &registration).await;
        asked.push((device, registration));
    }
    let begun = asked.iter().map(|(_, asked)| Begun { registration: asked.id, next: fresh_digest() });
    let begun: Vec<Begun> = begun.collect();
    put(store, user, vec![Change::SetBegun { session: open.id, begun: begun.clone() }]).await.unwrap();
    let outcomes = race(store, user, RACERS, |n| {
        let (device, asked) = asked[n % asked.len()].clone();
        let to = match device.factor {
            FactorKind::Email => Credential::Email { address: "ana@example.com".to_owned() },
            FactorKind::Voice => Credential::Voice { phone: "+14155550123".to_owned() },
            _ => Credential::Sms { phone: "+14155550123".to_owned() },
        };
        let evidence = rules::factor::prove::prove(&to, &device, Some(&asked), &text("123456"), &keys(), NOW);
        let target = Target::Wire { wire_id: asked.wire_id, purpose: Purpose::Enrol, device: None };
        move |view: &View| answer(view, &target, &evidence, &context(), NOW)
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Accepted { .. })).count(), 1);
    let view = store.view(user).await.unwrap();
    let [device] = &view.devices[..] else { panic!("one device: {:?}", view.devices) };
    assert_eq!(device.status, DeviceStatus::Active);
    assert_eq!(store.invited(open.token).await.unwrap(), None);
    let [next] = &view.sessions[..] else { panic!("one link: {:?}", view.sessions) };
    assert!(begun.iter().any(|begun| begun.next == next.token));
    assert_eq!(store.invited(next.token).await.unwrap(), Some(user));
    let removed = device.id;
    assert!(store.decide(user, move |view| enrolment::remove(view, removed, &context(), NOW)).await.unwrap());
    assert_eq!(store.invited(next.token).await.unwrap(), None, "it rested on the device (SEC 56)");
}
