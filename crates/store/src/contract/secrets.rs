//! What was used of a secret outlives its device and its user (SEC 96).

use domain::model::device::BEFORE_FIRST_COUNTER;
use domain::model::user_patch::UserPatch;
use domain::rules::user;
use domain::*;

use super::world::*;
use crate::{IdKind, Store};

/// A device with this secret, as an enrolment or an import hands it in.
async fn with_secret(store: &Store, user: UserId, secret: SecretMark, last_counter: i64) -> Device {
    Device {
        id: DeviceId(store.next_id(IdKind::Device).await.unwrap()),
        user_id: user,
        factor: if secret.counts == Counts::Codes { FactorKind::Hotp } else { FactorKind::Totp },
        display_name: "Pocket".to_owned(),
        status: DeviceStatus::Active,
        credential: Sealed(vec![1, 2, 3]),
        secret: Some(secret),
        last_counter,
        created_at: NOW,
        last_used_at: None,
        subscription: None,
    }
}

async fn bring(store: &Store, user: UserId, secret: SecretMark, last_counter: i64) -> DeviceId {
    let device = with_secret(store, user, secret, last_counter).await;
    put(store, user, vec![Change::CreateDevice(device.clone())]).await.unwrap();
    device.id
}

async fn use_up(store: &Store, user: UserId, device: DeviceId, counter: i64) {
    put(store, user, vec![Change::AdvanceCounter { device, counter, at: NOW }]).await.unwrap();
}

async fn last(store: &Store, user: UserId, device: DeviceId) -> i64 {
    store.view(user).await.unwrap().device(device).unwrap().last_counter
}

/// Where a new device with this secret begins, for somebody who never had it.
async fn begins(store: &Store, secret: SecretMark) -> i64 {
    let user = somebody(store).await;
    let device = bring(store, user, secret, BEFORE_FIRST_COUNTER).await;
    let last = last(store, user, device).await;
    // What was not used here is remembered as it was.
    put(store, user, vec![Change::DeleteDevice(device)]).await.unwrap();
    last
}

pub(crate) async fn what_was_used_outlives_the_device(store: &Store) {
    let user = somebody(store).await;
    let secret = fresh_secret(FactorKind::Hotp);
    assert_eq!(begins(store, secret).await, BEFORE_FIRST_COUNTER);
    let first = bring(store, user, secret, 3).await;
    use_up(store, user, first, 5).await;
    put(store, user, vec![Change::DeleteDevice(first)]).await.unwrap();
    assert_eq!(begins(store, secret).await, 5);
    // What the list says counts where it is further, and what is remembered never gets less.
    let second = bring(store, user, secret, 9).await;
    assert_eq!(last(store, user, second).await, 9);
    put(store, user, vec![Change::LowerCounter { device: second, counter: 1 }]).await.unwrap();
    put(store, user, vec![Change::DeleteDevice(second)]).await.unwrap();
    assert_eq!(begins(store, secret).await, 5);
    assert_eq!(begins(store, fresh_secret(FactorKind::Hotp)).await, BEFORE_FIRST_COUNTER);
}

pub(crate) async fn what_was_used_outlives_the_user(store: &Store) {
    let user = somebody(store).await;
    let (codes, steps) = (fresh_secret(FactorKind::Hotp), fresh_secret(FactorKind::Totp));
    let (first, second) = (bring(store, user, codes, -1).await, bring(store, user, steps, -1).await);
    use_up(store, user, first, 7).await;
    use_up(store, user, second, 56_666_666).await;
    store.decide(user, |view| user::delete(view, &context(), NOW)).await.unwrap();
    assert_eq!(begins(store, codes).await, 7);
    assert_eq!(begins(store, steps).await, 56_666_666);
    // In steps of another length no second of it is fresh.
    let twice = SecretMark { counts: Counts::Seconds(60), ..steps };
    assert_eq!(begins(store, twice).await, 28_333_333);
}

pub(crate) async fn a_revised_device_leaves_what_it_used(store: &Store) {
    let user = somebody(store).await;
    let secret = fresh_secret(FactorKind::Totp);
    let device = bring(store, user, secret, -1).await;
    use_up(store, user, device, 9).await;
    let revised = SecretMark { counts: Counts::Seconds(60), ..secret };
    let revise = |secret, last_counter| Change::ReviseDevice {
        device,
        credential: Sealed(vec![7]),
        secret: Some(secret),
        display_name: "Another".to_owned(),
        last_counter,
    };
    put(store, user, vec![revise(revised, 4)]).await.unwrap();
    let stored = store.view(user).await.unwrap().devices.remove(0);
    assert_eq!((stored.secret, stored.last_counter), (Some(revised), 4));
    assert_eq!(begins(store, secret).await, 9, "as it lives");
    // Should a device ever get another secret, the first one's use stays.
    let other = fresh_secret(FactorKind::Totp);
    put(store, user, vec![revise(other, -1)]).await.unwrap();
    assert_eq!(begins(store, secret).await, 9);
    put(store, user, vec![Change::DeleteDevice(device)]).await.unwrap();
    assert_eq!((begins(store, secret).await, begins(store, other).await), (9, -1));
}

pub(crate) async fn a_device_begins_where_living_ones_are(store: &Store) {
    let (one, other, third) = (somebody(store).await, somebody(store).await, somebody(store).await);
    let secret = fresh_secret(FactorKind::Hotp);
    let first = bring(store, one, secret, -1).await;
    let second = bring(store, other, secret, -1).await;
    use_up(store, one, first, 3).await;
    use_up(store, other, second, 8).await;
    let now = bring(store, third, secret, -1).await;
    assert_eq!(last(store, third, now).await, 8);
    let holders = store.secret_holders(&[secret.mac, fresh_secret(FactorKind::Hotp).mac]).await.unwrap();
    let mut users = holders.get(&secret.mac).cloned().unwrap();
    users.sort_unstable();
    assert_eq!((users, holders.len()), (vec![one, other, third], 1));
    // All within one decision: used, gone, and back.
    let back = with_secret(store, third, secret, -1).await;
    let changes = vec![
        Change::AdvanceCounter { device: now, counter: 11, at: NOW },
        Change::DeleteDevice(now),
        Change::CreateDevice(back.clone()),
    ];
    put(store, third, changes).await.unwrap();
    assert_eq!(last(store, third, back.id).await, 11);
}

/// Whether the one or the other comes first: what was used is used.
pub(crate) async fn a_secret_that_goes_and_comes_at_once_stays_used(store: &Store) {
    for round in 0..40_i64 {
        let (secret, used) = (fresh_secret(FactorKind::Hotp), 100 + round);
        let owner = somebody(store).await;
        let device = bring(store, owner, secret, -1).await;
        use_up(store, owner, device, used).await;
        let mut coming = Vec::new();
        for _ in 0..4 {
            let user = UserId(store.next_id(IdKind::User).await.unwrap());
            coming.push(with_secret(store, user, secret, -1).await);
        }
        let go = {
            let store = store.clone();
            tokio::spawn(async move {
                if round % 2 == 0 {
                    put(&store, owner, vec![Change::DeleteDevice(device)]).await.unwrap();
                } else {
                    store.decide(owner, |view| user::delete(view, &context(), NOW)).await.map(|_| ()).unwrap();
                }
            })
        };
        let come: Vec<_> = coming
            .iter()
            .cloned()
            .map(|device| {
                let store = store.clone();
                tokio::spawn(async move {
                    let id = device.user_id;
                    let decide = move |_: &View| {
                        user::create(id, &UserPatch::default(), &context(), NOW)
                            .with(Change::CreateDevice(device.clone()))
                    };
                    store.decide(id, decide).await.map(|_| ()).unwrap();
                })
            })
            .collect();
        for task in come.into_iter().chain([go]) {
            task.await.unwrap();
        }
        for device in coming {
            assert_eq!(last(store, device.user_id, device.id).await, used, "round {round}");
        }
    }
}

pub(crate) async fn a_secret_without_a_mark_is_found_and_marked_once(store: &Store) {
    let user = somebody(store).await;
    let mut unmarked = Vec::new();
    for factor in [FactorKind::Totp, FactorKind::Hotp, FactorKind::Sms] {
        let device = device_in(store, user, factor, DeviceStatus::Pending).await;
        // As an earlier version has left it.
        let unmark = Change::ActivateDevice {
            device: device.id,
            counter: None,
            credential: Some(Sealed(vec![9, factor.number().to_le_bytes()[0]])),
            at: NOW,
        };
        put(store, user, vec![unmark]).await.unwrap();
        unmarked.push(device.id);
    }
    let marked = device(store, user, FactorKind::Totp).await;
    assert_eq!(store.unmarked_devices().await, Ok(2));
    let found = async |after, limit| -> Vec<DeviceId> {
        store.unmarked_after(after, limit).await.unwrap().iter().map(|device| device.id).collect()
    };
    assert_eq!(found(DeviceId(0), 10).await, unmarked[..2]);
    assert_eq!(found(DeviceId(0), 1).await, unmarked[..1]);
    assert_eq!(found(unmarked[0], 10).await, unmarked[1..2]);
    let mark = fresh_secret(FactorKind::Totp);
    let marks = [unmarked[0], marked.id, DeviceId(i64::from(i32::MAX))].map(|device| (user, device, mark)).to_vec();
    store.mark_secrets(marks).await.unwrap();
    store.mark_secrets(vec![(user, unmarked[0], fresh_secret(FactorKind::Totp))]).await.unwrap();
    let view = store.view(user).await.unwrap();
    assert_eq!(view.device(unmarked[0]).unwrap().secret, Some(mark));
    assert_eq!(view.device(marked.id).unwrap().secret, marked.secret, "it has one");
    assert_eq!(store.unmarked_devices().await, Ok(1));
    use_up(store, user, unmarked[0], 4).await;
    put(store, user, vec![Change::DeleteDevice(unmarked[0])]).await.unwrap();
    assert_eq!(begins(store, mark).await, 4);
}
