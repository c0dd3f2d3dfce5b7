//! The keys of the simulated phone: real P-256 keys, one for each device that it is paired as. `phone_calls` signs with them.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use anyhow::Context as _;
use domain::DeviceId;
use domain::rules::factor::push::pairing_text;
use engine::Chance;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};

use crate::installation::data_dir::{DataDir, write_private};

const FILE: &str = "dev-phone.json";
const LOCK: &str = "dev-phone.lock";

/// The phone, with a key for each paired device. The keys are in a file of the world's folder.
#[derive(Debug)]
pub(super) struct Phone {
    file: PathBuf,
    /// Locked while the file is replaced, because nodes of one world share the phone.
    lock: PathBuf,
}

/// A key that is not yet bound to a device.
pub(super) struct FreshKey {
    key: SigningKey,
    /// Uncompressed SEC 1 point.
    pub public_key: Vec<u8>,
}

impl Phone {
    /// The phone whose keys are in this folder.
    pub(super) fn load(folder: &DataDir) -> anyhow::Result<Self> {
        let phone = Self { file: folder.file(FILE), lock: folder.file(LOCK) };
        phone.stored()?;
        Ok(phone)
    }

    /// Draws a key for a pairing.
    pub(super) fn fresh_key(chance: &dyn Chance) -> FreshKey {
        loop {
            // Almost all 32-byte values are keys.
            if let Ok(key) = SigningKey::from_slice(&chance.bytes::<32>()) {
                let public_key = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
                return FreshKey { key, public_key };
            }
        }
    }

    /// Stores a key that the server has accepted.
    pub(super) fn remember(&self, device: DeviceId, fresh: &FreshKey) -> anyhow::Result<()> {
        let _writing = self.writing()?;
        let mut keys = self.stored()?;
        keys.insert(device.0, data_encoding::HEXLOWER.encode(&fresh.key.to_bytes()));
        write_private(&self.file, &serde_json::to_string(&keys)?)
    }

    /// As which devices the phone is paired.
    pub(super) fn devices(&self) -> anyhow::Result<Vec<DeviceId>> {
        Ok(self.stored()?.into_keys().map(DeviceId).collect())
    }

    /// The keys by which the phone signs, by device.
    pub(super) fn keys(&self) -> anyhow::Result<BTreeMap<DeviceId, SigningKey>> {
        let key = |hex: &str| anyhow::Ok(SigningKey::from_slice(&data_encoding::HEXLOWER.decode(hex.as_bytes())?)?);
        self.stored()?.into_iter().map(|(device, hex)| Ok((DeviceId(device), key(&hex)?))).collect()
    }

    /// Deletes every key.
    pub(super) fn reset(&self) -> anyhow::Result<()> {
        let _writing = self.writing()?;
        write_private(&self.file, "{}")
    }

    fn writing(&self) -> std::io::Result<File> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&self.lock)?;
        file.lock()?;
        Ok(file)
    }

    fn stored(&self) -> anyhow::Result<BTreeMap<i64, String>> {
        match std::fs::read_to_string(&self.file) {
            Ok(text) => serde_json::from_str(&text).with_context(|| format!("{} is damaged", self.file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.file.display())),
        }
    }
}

impl FreshKey {
    /// Signs the pairing: the phone holds the key.
    pub(super) fn sign_pairing(&self, pairing_code: &str) -> Vec<u8> {
        sign(&self.key, &pairing_text(pairing_code, &self.public_key))
    }
}

/// The phone's signature below a text: 64 bytes.
pub(super) fn sign(key: &SigningKey, text: &str) -> Vec<u8> {
    let signature: Signature = key.sign(text.as_bytes());
    signature.to_bytes().to_vec()
}
