//! The key pairs that sign assertions: made when first needed, sealed, and replaced with an overlap.

use std::sync::atomic::Ordering;

use domain::model::time::DAY;
use domain::{Place, Sealed};
use saml::{Certificate, CertifiedKey, KeySize, SelfSigned};
use serde::{Deserialize, Serialize};

use super::assertion::moment;
use crate::{Engine, Fault};

const KEYS: &str = "saml_keys";
const PLACE: Place<'static> = Place { table: "meta", column: "saml_keys", row: 0, owner: 0 };
/// How long a certificate is valid. It only carries the key; metadata makes it trusted.
const CERTIFICATE_TTL: i64 = 3650 * DAY;
/// Keys that are published: the one that signs, and the one before it.
const PUBLISHED: usize = 2;
/// A key pair as stored, within a sealed list, newest first.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pkcs8: domain::Secret,
    pub(super) certificate: Vec<u8>,
}

impl Engine {
    /// Makes a new key pair that signs from now on. The one before stays in the metadata until the next time.
    pub async fn rotate_saml_key(&self) -> Result<(), Fault> {
        let mut kept = self.kept_keys().await?;
        kept.insert(0, self.draw_key().await?);
        kept.truncate(PUBLISHED);
        Ok(self.store.set_meta(KEYS, &self.seal_keys(&kept)?.0).await?)
    }

    pub(super) async fn signing_key(&self) -> Result<CertifiedKey, Fault> {
        let kept = self.kept_keys().await?;
        let newest = kept.into_iter().next().ok_or_else(|| Fault::internal("a list of keys without one"))?;
        CertifiedKey::new(newest.pkcs8.expose(), Certificate::from_der(newest.certificate)).map_err(Fault::internal)
    }

    /// The keys, newest first. The first call of an installation makes one; of several nodes that do, one wins.
    pub(super) async fn kept_keys(&self) -> Result<Vec<Kept>, Fault> {
        let sealed = match self.store.meta(KEYS).await? {
            Some(sealed) => sealed,
            None => self.first_keys().await?,
        };
        let plain = self.keys.open(PLACE, &Sealed(sealed)).map_err(Fault::internal)?;
        serde_json::from_slice(plain.expose()).map_err(Fault::internal)
    }

    /// Makes the first key. Metadata is public and a key is expensive to make, so of many calls that find none one makes it.
    async fn first_keys(&self) -> Result<Vec<u8>, Fault> {
        let _turn = self.first_key.lock().await;
        if let Some(sealed) = self.store.meta(KEYS).await? {
            return Ok(sealed);
        }
        let fresh = self.seal_keys(&[self.draw_key().await?])?;
        Ok(self.store.set_meta_if_absent(KEYS, &fresh.0).await?)
    }

    /// How many keys this process has made.
    pub fn saml_keys_made(&self) -> u64 {
        self.keys_made.load(Ordering::Relaxed)
    }

    fn seal_keys(&self, kept: &[Kept]) -> Result<Sealed, Fault> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(kept).map_err(Fault::internal)?);
        Ok(self.keys.seal(PLACE, self.chance.bytes(), &plain))
    }

    async fn draw_key(&self) -> Result<Kept, Fault> {
        // Readers compare it with the time of day.
        let now = self.time.read().wall;
        let host = url::Url::parse(self.public_url()).ok().and_then(|url| url.host_str().map(str::to_owned));
        let told = SelfSigned {
            common_name: host.filter(|host| host.len() <= 64).unwrap_or_else(|| "Countersign".to_owned()),
            serial: self.chance.bytes(),
            not_before: moment(now.plus(-DAY)),
            not_after: moment(now.plus(CERTIFICATE_TTL)),
        };
        let made = tokio::task::spawn_blocking(move || {
            let pkcs8 = saml::generate_private_key(KeySize::Rsa2048)?;
            let certificate = Certificate::self_signed(&pkcs8, &told)?.der().to_vec();
            Ok::<_, saml::Error>(Kept { pkcs8: domain::Secret::new(pkcs8.to_vec()), certificate })
        });
        self.keys_made.fetch_add(1, Ordering::Relaxed);
        made.await.map_err(Fault::internal)?.map_err(Fault::internal)
    }
}
