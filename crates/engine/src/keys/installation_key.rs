//! The installation's own key, and the marks by which secrets are recognised (SEC 96).
//!
//! An engine cannot be made without a [`InstallationKey`], and there is none before every secret here has its mark: what opens an
//! installation to change it, a server or a command, does that first.

use domain::{DeviceId, Keyring, OwnKey, Place, Sealed, SecretMark, UserId};
use store::Store;

use crate::chance::Chance;
use crate::keys::KeyError;

/// The key of `meta` that holds the installation's own key.
const NAME: &str = "own_key";
const PLACE: Place<'static> = Place { table: "meta", column: NAME, row: 0, owner: 0 };
/// Devices whose secrets are marked in one transaction.
const PIECE: u32 = 25_000;

/// An installation whose secrets all have their marks, with the key these are made with.
#[derive(Debug, Clone)]
pub struct InstallationKey(OwnKey);

impl InstallationKey {
    /// Makes the key of an installation that has none, seals it anew if the newest master key has not sealed it, and marks
    /// the secrets that earlier versions have left without a mark. If this is broken off, the next call does the rest.
    /// `progress` hears how many of how many are done; it hears nothing if there are none.
    pub async fn prepare(
        keys: &Keyring,
        store: &Store,
        chance: &dyn Chance,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Self, KeyError> {
        let fresh = zeroize::Zeroizing::new(chance.bytes::<32>());
        let fresh = keys.seal(PLACE, chance.bytes(), &*fresh);
        let sealed = Sealed(store.set_meta_if_absent(NAME, &fresh.0).await?);
        let key = opened(keys, &sealed)?;
        if !keys.is_newest(&sealed) {
            let anew = keys.open(PLACE, &sealed).map_err(|_| KeyError::Own)?;
            let anew = keys.seal(PLACE, chance.bytes(), anew.expose());
            // Another node may have been faster.
            store.swap_meta(NAME, &sealed.0, &anew.0).await?;
        }
        let all = store.unmarked_devices().await?;
        if all > 0 {
            mark_all(keys, &key, store, |done| progress(done, all)).await?;
        }
        Ok(Self(key))
    }

    /// The same for an installation that is only read: nothing is written. Where there is no key yet, nothing was made
    /// with one either.
    pub async fn for_reading(keys: &Keyring, store: &Store, chance: &dyn Chance) -> Result<Self, KeyError> {
        match store.meta(NAME).await? {
            Some(sealed) => opened(keys, &Sealed(sealed)).map(Self),
            None => Ok(Self(OwnKey::new(chance.bytes()))),
        }
    }

    pub(crate) fn key(&self) -> &OwnKey {
        &self.0
    }
}

fn opened(keys: &Keyring, sealed: &Sealed) -> Result<OwnKey, KeyError> {
    let plain = keys.open(PLACE, sealed).map_err(|_| KeyError::Own)?;
    plain.expose().try_into().map(OwnKey::new).map_err(|_| KeyError::Own)
}

type Piece = (Option<DeviceId>, Vec<(UserId, DeviceId, SecretMark)>);

async fn mark_all(
    keys: &Keyring,
    key: &OwnKey,
    store: &Store,
    mut progress: impl FnMut(u64),
) -> Result<(), store::Error> {
    let (mut last, mut marks) = piece(keys, key, store, DeviceId(i64::MIN)).await?;
    let mut done = 0;
    while let Some(after) = last {
        done += marks.len() as u64;
        // The next ones are opened while these are written.
        let (written, next) = tokio::join!(store.mark_secrets(marks), piece(keys, key, store, after));
        written?;
        progress(done);
        (last, marks) = next?;
    }
    tracing::info!(devices = done, "the secrets of devices have their marks");
    Ok(())
}

/// The marks of the next devices that have none, and the last device that was looked at.
async fn piece(keys: &Keyring, key: &OwnKey, store: &Store, after: DeviceId) -> Result<Piece, store::Error> {
    let (keys, key, store) = (keys.clone(), key.clone(), store.clone());
    let devices = store.unmarked_after(after, PIECE).await?;
    let made = tokio::task::spawn_blocking(move || {
        let mark = |device: &domain::Device| match crate::keys::credential::open_credential(&keys, device) {
            Ok(credential) => SecretMark::of(&credential, &key).map(|mark| (device.user_id, device.id, mark)),
            // It makes no code either. The rest must not wait for it.
            Err(error) => {
                tracing::warn!(device = device.id.0, %error, "a secret without a mark is left as it is");
                None
            }
        };
        (devices.last().map(|device| device.id), devices.iter().filter_map(mark).collect())
    });
    made.await.map_err(|_| store::Error::Corrupt("marking secrets ended"))
}

#[cfg(test)]
mod tests {
    use domain::model::hotp::Hotp;
    use domain::{Credential, Recipient, Secret};
    use store::SqliteOptions;

    use super::*;
    use crate::chance::SystemChance;

    #[tokio::test]
    async fn forgetting_an_old_master_key_forgets_no_used_secret_and_no_count() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
        let ring = |masters: &[[u8; 32]]| Keyring::new(masters).unwrap();
        let token = Credential::Hotp(Hotp { secret: Secret::new(vec![7; 20]), digits: 6 });
        let phone = Credential::Sms { phone: "+14155550123".to_owned() };
        let settle = async |masters: &[[u8; 32]]| {
            let marked =
                InstallationKey::prepare(&ring(masters), &store, &SystemChance, |_, _| panic!("nothing to mark"))
                    .await?;
            Ok::<_, KeyError>((SecretMark::of(&token, marked.key()), Recipient::of(&phone, marked.key())))
        };
        let first = settle(&[[1; 32]]).await.unwrap();
        assert!(first.0.is_some() && first.1.is_some());
        assert_eq!(settle(&[[2; 32], [1; 32]]).await.unwrap(), first, "a new key is in front");
        assert_eq!(settle(&[[2; 32]]).await.unwrap(), first, "and the old one gone");
        assert!(matches!(settle(&[[3; 32]]).await, Err(KeyError::Own)));
        let read = InstallationKey::for_reading(&ring(&[[2; 32]]), &store, &SystemChance).await.unwrap();
        assert_eq!(SecretMark::of(&token, read.key()), first.0);

        let other = tempfile::tempdir().unwrap();
        let other = Store::open_sqlite(other.path(), SqliteOptions::default()).unwrap();
        InstallationKey::for_reading(&ring(&[[1; 32]]), &other, &SystemChance).await.unwrap();
        assert_eq!(other.meta(NAME).await, Ok(None), "reading writes nothing");
        let theirs = InstallationKey::prepare(&ring(&[[1; 32]]), &other, &SystemChance, |_, _| {}).await.unwrap();
        assert_ne!(SecretMark::of(&token, theirs.key()), first.0, "each installation has its own");
    }
}
