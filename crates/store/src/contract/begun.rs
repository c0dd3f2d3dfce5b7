//! The end of a client ends what it has begun, with however many people, whatever happens in between (SEC 56).

use std::sync::Arc;

use domain::rules::client::revoke_client;
use domain::*;
use futures_util::future::join_all;
use tokio::sync::Barrier;

use super::world::*;
use crate::Store;
use crate::store::PIECE;

/// As many people as `count`, each with a device, by ascending id.
async fn people(store: &Store, count: usize) -> Vec<Device> {
    let made = (0..count).map(|_| async {
        let user = somebody(store).await;
        device(store, user, FactorKind::Sms).await
    });
    let mut devices = join_all(made).await;
    devices.sort_unstable_by_key(|device| device.user_id.0);
    devices
}

async fn revoke(store: &Store, client: ClientId) {
    let revoked = store.decide_client(client, None, |view| revoke_client(view, NOW)).await.unwrap().unwrap();
    assert!(!revoked.is_live(NOW), "from then on nothing that it asks is answered");
}

/// Begins a challenge and a session for a client.
async fn begin(store: &Store, client: ClientId, device: &Device) {
    let asked = Verification { client_id: Some(client), ..verification(device, sent_code("1")) };
    let session = Session {
        id: SessionId(uuid::Uuid::from_u128(fresh().into())),
        user_id: device.user_id,
        kind: SessionKind::Browsing,
        token: fresh_digest(),
        client_id: Some(client),
        created_at: NOW,
        expires_at: NOW.plus(600_000),
    };
    let changes = vec![Change::OpenVerification(asked), Change::OpenSession(session)];
    put(store, device.user_id, changes).await.unwrap();
}

/// How many of these people have anything open.
async fn open_with(store: &Store, devices: &[Device]) -> usize {
    let views = join_all(devices.iter().map(|device| store.view(device.user_id))).await;
    let is_open = |view: &View| !view.verifications.is_empty() || !view.sessions.is_empty();
    views.into_iter().filter(|view| is_open(view.as_ref().unwrap())).count()
}

pub(crate) async fn what_a_revoked_client_has_begun_ends_in_pieces_that_the_clean_up_finishes(store: &Store) {
    let piece = usize::try_from(PIECE).unwrap();
    let (gone, kept) = (client(store).await.id, client(store).await.id);
    let devices = people(store, 2 * piece + 3).await;
    let others = people(store, 3).await;
    join_all(devices.iter().map(|device| begin(store, gone, device))).await;
    join_all(others.iter().map(|device| begin(store, kept, device))).await;
    store.sweep_begun().await.unwrap();
    assert_eq!(open_with(store, &devices).await, devices.len(), "neither client is revoked");

    revoke(store, gone).await;
    assert_eq!(open_with(store, &devices).await, devices.len(), "none of it is in the commit that revokes");
    // The process that ends it dies behind the first piece.
    let behind = store.end_begun_behind(gone, UserId(0)).await.unwrap();
    assert_eq!(behind, Some(devices[piece - 1].user_id));
    assert_eq!((open_with(store, &devices[..piece]).await, open_with(store, &devices).await), (0, piece + 3));
    assert_eq!(begun_by_revoked(store).await, [gone]);

    store.sweep_begun().await.unwrap();
    assert_eq!((open_with(store, &devices).await, open_with(store, &others).await), (0, 3));
    assert_eq!(begun_by_revoked(store).await, [], "the next turn finds nothing to do");
}

pub(crate) async fn what_is_begun_at_the_end_of_its_client_does_not_survive(store: &Store) {
    begin_and_end_at_once(store, store).await;
}

/// Calls that were let in before open something `there` while the client ends `here`, before a piece or behind it.
pub(crate) async fn begin_and_end_at_once(here: &Store, there: &Store) {
    let devices = people(here, 40).await;
    for round in 0..5 {
        let gone = client(here).await.id;
        // With half of them something is open already.
        join_all(devices.iter().step_by(2).map(|device| begin(here, gone, device))).await;
        let line = Arc::new(Barrier::new(devices.len() + 1));
        let beginning: Vec<_> = devices
            .iter()
            .map(|device| {
                let (there, line, device) = (there.clone(), line.clone(), device.clone());
                tokio::spawn(async move {
                    line.wait().await;
                    begin(&there, gone, &device).await;
                })
            })
            .collect();
        line.wait().await;
        revoke(here, gone).await;
        here.end_begun(gone).await.unwrap();
        for one in beginning {
            one.await.unwrap();
        }
        here.sweep_begun().await.unwrap();
        assert_eq!(open_with(here, &devices).await, 0, "round {round}");
        assert_eq!(begun_by_revoked(here).await, []);
    }
}

/// A user who cannot be read stays where they are, with whatever number of others before and behind.
pub(crate) async fn a_user_whom_a_newer_server_has_written_holds_up_no_end(store: &Store) {
    let piece = usize::try_from(PIECE).unwrap();
    let gone = client(store).await.id;
    let devices = people(store, piece + 2).await;
    join_all(devices.iter().map(|device| begin(store, gone, device))).await;
    let (newer, rest) = devices.split_at(piece);
    for device in newer {
        written_by_a_newer_server(store, device.user_id).await;
    }
    revoke(store, gone).await;
    store.sweep_begun().await.unwrap();
    assert_eq!(open_with(store, rest).await, 0);
    assert_eq!(begun_by_revoked(store).await, [gone], "a newer server still finds them");
}
