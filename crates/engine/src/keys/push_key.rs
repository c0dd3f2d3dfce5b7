//! The key pair that signs what is sent to push services (contract 18.14). It is made once and kept sealed in the database,
//! so it is in every backup and moves with a transfer. It is never replaced: browsers bind their subscriptions to it.

use delivery::VapidKey;
use domain::{Keyring, Place, Sealed};
use store::Store;
use zeroize::Zeroizing;

use crate::chance::Chance;
use crate::keys::KeyError;

/// The key of `meta` that holds the secret.
const NAME: &str = "push_key";
const PLACE: Place<'static> = Place { table: "meta", column: NAME, row: 0, owner: 0 };

/// The installation's key pair, sealed anew if the newest master key has not sealed it. If there is none, one is made where
/// it is `wanted`; of several nodes that do, one wins.
pub async fn prepare(
    keys: &Keyring,
    store: &Store,
    chance: &dyn Chance,
    wanted: bool,
) -> Result<Option<VapidKey>, KeyError> {
    let sealed = match store.meta(NAME).await? {
        Some(sealed) => Sealed(sealed),
        None if !wanted => return Ok(None),
        None => {
            let fresh = keys.seal(PLACE, chance.bytes(), &*drawn(chance));
            Sealed(store.set_meta_if_absent(NAME, &fresh.0).await?)
        }
    };
    let key = opened(keys, &sealed)?;
    if !keys.is_newest(&sealed) {
        let anew = keys.open(PLACE, &sealed).map_err(|_| KeyError::Push)?;
        let anew = keys.seal(PLACE, chance.bytes(), anew.expose());
        // Another node may have been faster.
        store.swap_meta(NAME, &sealed.0, &anew.0).await?;
    }
    Ok(Some(key))
}

/// The installation's key pair, if it has one. Nothing is written.
pub async fn for_reading(keys: &Keyring, store: &Store) -> Result<Option<VapidKey>, KeyError> {
    let sealed = store.meta(NAME).await?;
    sealed.map(|sealed| opened(keys, &Sealed(sealed))).transpose()
}

/// A number of the curve, which all but a few draws are.
fn drawn(chance: &dyn Chance) -> Zeroizing<[u8; 32]> {
    loop {
        let secret = Zeroizing::new(chance.bytes::<32>());
        if VapidKey::of(&secret).is_some() {
            return secret;
        }
    }
}

fn opened(keys: &Keyring, sealed: &Sealed) -> Result<VapidKey, KeyError> {
    let plain = keys.open(PLACE, sealed).map_err(|_| KeyError::Push)?;
    let secret = plain.expose().try_into().map_err(|_| KeyError::Push)?;
    VapidKey::of(secret).ok_or(KeyError::Push)
}

#[cfg(test)]
mod tests {
    use store::SqliteOptions;

    use super::*;
    use crate::chance::SystemChance;

    fn ring(masters: &[[u8; 32]]) -> Keyring {
        Keyring::new(masters).unwrap()
    }

    fn database() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
        (dir, store)
    }

    #[tokio::test]
    async fn the_pair_is_made_once_and_outlives_every_master_key() {
        let (_dir, store) = database();
        let public = async |masters: &[[u8; 32]], wanted| {
            let key = prepare(&ring(masters), &store, &SystemChance, wanted).await?;
            Ok::<_, KeyError>(key.map(|key| key.public().to_owned()))
        };
        assert_eq!(public(&[[1; 32]], false).await.unwrap(), None);
        assert_eq!(store.meta(NAME).await, Ok(None), "none is made where none is wanted");
        let first = public(&[[1; 32]], true).await.unwrap();
        assert!(first.is_some());
        assert_eq!(public(&[[1; 32]], true).await.unwrap(), first);
        assert_eq!(public(&[[2; 32], [1; 32]], false).await.unwrap(), first, "a new key is in front, and push is off");
        assert_eq!(public(&[[2; 32]], true).await.unwrap(), first, "and the old one gone");
        let read = for_reading(&ring(&[[2; 32]]), &store).await.unwrap();
        assert_eq!(read.map(|key| key.public().to_owned()), first);
        assert!(matches!(public(&[[3; 32]], true).await, Err(KeyError::Push)));
    }

    #[tokio::test]
    async fn of_sixteen_nodes_that_start_at_once_one_makes_the_pair() {
        let (_dir, store) = database();
        let keys = ring(&[[1; 32]]);
        let all = futures_util::future::join_all((0..16).map(|_| prepare(&keys, &store, &SystemChance, true))).await;
        let all: Vec<_> = all.into_iter().map(|key| key.unwrap().unwrap().public().to_owned()).collect();
        assert!(all.iter().all(|public| *public == all[0]), "{all:?}");
        assert_eq!(for_reading(&keys, &store).await.unwrap().unwrap().public(), all[0]);
    }
}
