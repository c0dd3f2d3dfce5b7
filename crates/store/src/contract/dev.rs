//! The dev world's own rows (decision 4).

use domain::model::device::BEFORE_FIRST_COUNTER;
use domain::rules::user;
use domain::*;

use super::world::*;
use crate::{DevClock, DevFilter, DevMessage, Store, Turn};

fn recorded(user: UserId, device: i64, to: &str) -> DevMessage {
    DevMessage {
        id: 0,
        channel: Channel::Email,
        to: to.to_owned(),
        body: "Your code is 123456".to_owned(),
        subject: Some("Your code".to_owned()),
        code: Some("123456".to_owned()),
        link: None,
        nonce: None,
        user_id: user,
        device_id: Some(DeviceId(device)),
        verification_id: VerificationId(uuid::Uuid::from_u128(fresh().into())),
        created_at: NOW,
    }
}

pub(crate) async fn the_dev_world_keeps_its_messages_and_forgets_them(store: &Store) {
    store.dev_prepare().await.unwrap();
    store.dev_prepare().await.unwrap();
    let messages = [recorded(UserId(1), 1, "a"), recorded(UserId(1), 2, "b"), recorded(UserId(2), 3, "b")];
    let mut ids = Vec::new();
    for message in &messages {
        ids.push(store.dev_record(message.clone()).await.unwrap());
    }
    assert!(ids.is_sorted());
    let filter = DevFilter::default;
    for (filter, expected) in [
        (filter(), vec![0, 1, 2]),
        (DevFilter { after: Some(ids[0]), ..filter() }, vec![1, 2]),
        (DevFilter { user_id: Some(UserId(1)), ..filter() }, vec![0, 1]),
        (DevFilter { device_id: Some(DeviceId(2)), ..filter() }, vec![1]),
        (DevFilter { verification_id: Some(messages[2].verification_id), ..filter() }, vec![2]),
        (DevFilter { channel: Some(Channel::Sms), ..filter() }, vec![]),
        (DevFilter { to: Some("b".into()), user_id: Some(UserId(2)), ..filter() }, vec![2]),
    ] {
        let expected: Vec<_> = expected.iter().map(|n| DevMessage { id: ids[*n], ..messages[*n].clone() }).collect();
        assert_eq!(store.dev_outbox(&filter).await.unwrap(), expected, "{filter:?}");
    }
    store.dev_reset().await.unwrap();
    assert!(store.dev_outbox(&filter()).await.unwrap().is_empty());
    let next = store.dev_record(messages[0].clone()).await.unwrap();
    assert!(next > ids[2], "an id is never used again");
}

pub(crate) async fn a_reset_keeps_clients_and_users_only(store: &Store) {
    store.dev_prepare().await.unwrap();
    let user = somebody(store).await;
    let phone = device(store, user, FactorKind::Sms).await;
    let asked = verification(&phone, sent_code("1"));
    open(store, &asked).await;
    put(
        store,
        user,
        vec![Change::Enqueue(message(1, &asked)), Change::SetThrottle(user, Throttle::new(ThrottleKey::User))],
    )
    .await
    .unwrap();
    let status = Some(UserStatus::PasswordExpired.into());
    let expired = domain::model::user_patch::UserPatch { status, ..domain::model::user_patch::UserPatch::default() };
    store.decide(user, move |view| user::update(view, &expired, &context(), NOW)).await.unwrap();
    store.decide(user, |view| user::lock(view, 0, &context(), NOW)).await.unwrap();
    let client = client(store).await;
    let set = token_set(store, client.id).await;
    let access = set.access;
    let create = move |_: &ClientView| Decision::reply(()).with(Change::CreateTokenSet(set.clone()));
    store.decide_client(client.id, None, create).await.unwrap();
    assert_eq!(store.dev_clock().await.unwrap(), DevClock::default());
    for clock in [DevClock { offset: -5, frozen: None }, DevClock { offset: 7, frozen: Some(NOW) }] {
        store.set_dev_clock(clock).await.unwrap();
        assert_eq!(store.dev_clock().await.unwrap(), clock);
    }

    let used = device(store, user, FactorKind::Hotp).await;
    let advance = Change::AdvanceCounter { device: used.id, counter: 5, at: NOW };
    put(store, user, vec![advance, Change::DeleteDevice(used.id)]).await.unwrap();

    store.dev_reset().await.unwrap();
    put(store, user, vec![Change::CreateDevice(used)]).await.unwrap();
    let view = store.view(user).await.unwrap();
    assert_eq!(view.devices[0].last_counter, BEFORE_FIRST_COUNTER, "a world begins anew");
    put(store, user, vec![Change::DeleteDevice(view.devices[0].id)]).await.unwrap();
    let view = store.view(user).await.unwrap();
    let shown = view.user.map(|user| user.shown(NOW).0);
    assert_eq!(shown, Some(UserStatus::PasswordExpired.into()), "a lock that is lifted leaves what was before");
    assert!(view.devices.is_empty() && view.verifications.is_empty() && view.throttles.is_empty());
    assert_eq!(store.whose_verification(asked.id).await.unwrap(), None);
    assert_eq!(store.next_message_at(Channel::Sms, Turn::ONLY).await.unwrap(), None);
    assert_eq!(store.token(access).await.unwrap(), None);
    assert_eq!(store.clients().await.unwrap(), [client]);
    assert_eq!(store.dev_clock().await.unwrap(), DevClock::default());
}
