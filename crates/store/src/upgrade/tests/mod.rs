//! Installations of the version before, written anew: nothing is missing, nothing is there twice, and whatever breaks a
//! rewriting off, the next one goes on.

mod old;
mod postgres;
mod sqlite;

use domain::{DeviceId, FactorKind, Purpose, Status, Timestamp, UserId, VerificationId, View};

use self::old::NOW;
use crate::upgrade::{PIECE, Progress, Rewriting};
use crate::{Page, Store, UserFilter};

/// Users of [`old::CROWD`]: more than go into two pieces.
const CROWD: i64 = 2 * PIECE + 100;

/// A rewriting that ends in a panic once a piece is done.
fn broken_off() -> Rewriting {
    let tell = |done, _| assert!(done == 0, "broken off, as the test wants it");
    Rewriting { progress: Some(Progress::new(tell)), ..Rewriting::default() }
}

fn at_most(users: u64) -> Rewriting {
    Rewriting { most_users: users, progress: None }
}

/// Everything of [`old::EVERYTHING`] is as it was, and found as it was.
async fn everything_is_there(store: &Store) {
    let user = old::USER;
    let view = store.view(user).await.unwrap();
    let expected = old::view();
    assert_eq!(view.user, expected.user);
    assert_eq!(view.devices, expected.devices);
    assert_eq!(view.verifications, expected.verifications);
    assert_eq!(view.sessions, expected.sessions);
    assert_eq!(view.throttles, expected.throttles);
    assert_eq!(store.view(old::EMPTY).await.unwrap().devices, []);

    // Results, and what never had one.
    let standing = async |wire_id: &str, purpose| {
        store
            .verification_by_wire_id(user, wire_id, purpose)
            .await
            .unwrap()
            .map(|known| (known.device_id, known.status))
    };
    let collected = Some(NOW.plus(9_000));
    let accepted = Status::Accepted { at: NOW.plus(8_000), collected };
    assert_eq!(standing("ended-accepted", Purpose::Login).await, Some((DeviceId(204), accepted)));
    let rejected = Status::Rejected { at: NOW.plus(8_500), collected: None };
    assert_eq!(standing("ended-rejected", Purpose::Login).await, Some((DeviceId(205), rejected)));
    assert_eq!(standing("ended-expired", Purpose::Login).await, None);
    assert_eq!(standing("1234567890", Purpose::Login).await, Some((DeviceId(204), Status::Pending { attempts: 2 })));
    let results = store.known_verifications(old::ANSWERED).await.unwrap();
    let newest: Vec<String> = (8..40).map(|n| format!("result-{n}")).collect();
    assert_eq!(results.into_iter().map(|known| known.wire_id).collect::<Vec<_>>(), newest, "the newest 32");

    // What is found without knowing whose it is.
    for (id, holder) in [(303, Some(user)), (304, Some(user)), (305, Some(user)), (306, Some(user)), (307, None)] {
        assert_eq!(store.whose_verification(old::id(id)).await, Ok(holder), "{id}");
    }
    assert_eq!(store.pairing(old::pairing_hash()).await, Ok(Some((user, old::id(306)))));
    assert_eq!(store.user_logging_in(old::LOG_IN).await, Ok(Some(user)));
    assert_eq!(store.user_logging_in(old::CHALLENGED).await, Ok(Some(user)), "by the challenge alone");
    assert_eq!(store.holder_of_session_token(old::SESSION).await, Ok(Some(user)));
    assert_eq!(store.holder_of_session_token(old::OVER).await, Ok(None));
    for origin in ["https://a.example", "https://b.example"] {
        assert_eq!(store.lists_origin(origin, NOW).await, Ok(true), "{origin}");
        assert_eq!(store.lists_origin(origin, NOW.plus(120_000)).await, Ok(false), "{origin}");
    }
    let holders = store.secret_holders(&[old::SHARED_SECRET, old::SECRET]).await.unwrap();
    assert_eq!((holders[&old::SHARED_SECRET].len(), &holders[&old::SECRET]), (2, &vec![user]));
    assert_eq!(store.unmarked_devices().await, Ok(1));
    let unmarked = store.unmarked_after(DeviceId(0), 9).await.unwrap();
    assert_eq!(unmarked.iter().map(|device| device.id).collect::<Vec<_>>(), [DeviceId(203)]);
    assert_eq!(store.user_by_login("ANA@example.com").await, Ok(Some(user)));
    assert_eq!(store.find_user(Some("e-101"), "").await, Ok(Some(user)));

    // The columns that are derived.
    let listed = async |factors: Vec<FactorKind>| {
        let ids = Some(vec![user, old::EMPTY, old::LEFT]);
        let filter = UserFilter { user_ids: ids, without_usable: Some(factors), ..UserFilter::default() };
        let found = store.users(&filter, Page { limit: 9, offset: 0 }).await.unwrap();
        found.users.iter().map(|user| user.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(vec![FactorKind::Totp]).await, [old::LEFT], "whose only device is disabled");
    assert_eq!(listed(vec![FactorKind::Sms]).await, [user, old::LEFT]);
    everything_ends(store).await;
}

/// What is over ends as ever: the column that the clean-up goes by is filled.
async fn everything_ends(store: &Store) {
    let over = Timestamp(i64::MAX / 2);
    while store.sweep(over).await.unwrap().more {}
    let View { devices, verifications, sessions, .. } = store.view(old::USER).await.unwrap();
    assert_eq!((verifications, sessions), (vec![], vec![]));
    let hidden = |device: &DeviceId| !devices.iter().any(|known| known.id == *device);
    assert!(hidden(&DeviceId(201)) && devices.len() == 5, "the one behind a registration that is over");
    assert_eq!(store.known_verifications(old::USER).await, Ok(vec![]));
    assert_eq!(store.whose_verification(VerificationId(old::id(303).0)).await, Ok(None));
    assert_eq!(store.user_logging_in(old::LOG_IN).await, Ok(None));
    assert_eq!(store.known_verifications(old::ANSWERED).await, Ok(vec![]));
}

/// Every user of the crowd is there once, with the device.
async fn the_crowd_is_whole(store: &Store) {
    for user in [1_000, 1_000 + PIECE - 1, 1_000 + PIECE, 1_000 + 2 * PIECE, 999 + CROWD] {
        let view = store.view(UserId(user)).await.unwrap();
        assert!(view.user.is_some(), "{user}");
        assert_eq!(view.devices.iter().map(|device| device.id).collect::<Vec<_>>(), [DeviceId(user)]);
    }
    assert_eq!(store.view(UserId(1_000 + CROWD)).await.unwrap().user, None);
}
