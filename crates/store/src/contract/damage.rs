//! A row that the disk has damaged: its user is refused, and no other is.

use domain::rules::client::revoke_client;
use domain::*;

use super::world::*;
use crate::{Error, Store};

pub(crate) async fn a_damaged_user_is_an_error_of_that_user_alone(store: &Store) {
    let client = client(store).await.id;
    let mut asked = Vec::new();
    for _ in 0..3 {
        let user = somebody(store).await;
        let device = device(store, user, FactorKind::Sms).await;
        let of_client = Verification { client_id: Some(client), ..verification(&device, sent_code("1")) };
        let of_none = verification(&device, sent_code("2"));
        open(store, &of_client).await;
        open(store, &of_none).await;
        asked.push(of_none);
    }
    let [before, damaged, after] = [0, 1, 2].map(|n: usize| asked[n].user_id);
    damage(store, damaged).await;

    let refused = store.view(damaged).await.map(|_| ());
    assert!(matches!(refused, Err(Error::Corrupt(_))), "{refused:?}");
    // At once, so that they may share a transaction.
    let touch = |asked: &Verification| {
        put(store, asked.user_id, vec![Change::TouchDevice { device: asked.device_id, at: NOW.plus(1) }])
    };
    let (first, second, third) = tokio::join!(touch(&asked[0]), touch(&asked[1]), touch(&asked[2]));
    assert!(matches!(second, Err(Error::Corrupt(_))), "{second:?}");
    assert_eq!((first, third), (Ok(()), Ok(())));

    // The end of a client reaches everybody else.
    store.decide_client(client, None, |view| revoke_client(view, NOW)).await.unwrap().unwrap();
    store.sweep_begun().await.unwrap();
    assert_eq!(begun_by_revoked(store).await, [], "the damaged one is looked at once");
    for user in [before, after] {
        let view = store.view(user).await.unwrap();
        assert_eq!(view.verifications.iter().map(|known| known.client_id).collect::<Vec<_>>(), [None]);
    }

    // So does the clean-up, which looks at the damaged one once.
    let over = NOW.plus(600_000);
    assert_eq!(store.sweep(over).await.unwrap().closed, 2);
    for user in [before, after] {
        assert_eq!(store.view(user).await.unwrap().verifications, []);
    }
    let again = store.sweep(over).await.unwrap();
    assert_eq!((again.closed, again.more), (0, false));
    assert!(store.view(damaged).await.is_err(), "it is left as it is");
}
