//! Sealing: how a secret is encrypted in the database (SEC 38–40).
//!
//! A sealed value is `format (1) | key id (4) | nonce (24) | ciphertext`. The associated data names the table, the
//! column, the row, the owner and the key, so a value copied to another row does not open there. Several keys may be
//! known; the first seals.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

use crate::model::digest::MacKeys;
use crate::model::secret::Secret;

/// XChaCha20-Poly1305 with a random 192-bit nonce.
const FORMAT: u8 = 1;
const HEADER: usize = 1 + 4 + NONCE;
/// Length of the random nonce a caller must draw for each sealing, in bytes.
pub const NONCE: usize = 24;

/// A sealed value as stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub Vec<u8>);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// Where a sealed value belongs. It opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub table: &'a str,
    pub column: &'a str,
    pub row: i64,
    /// Id of the owning user or client.
    pub owner: i64,
}

/// Why a sealed value did not open. Never says more: the difference is of use only to an attacker.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// The key that sealed this is not among the known ones.
    #[error("sealed under an unknown key")]
    UnknownKey,
    /// Damaged, moved from another row, or not a sealed value.
    #[error("a sealed value does not open here")]
    Corrupt,
}

/// The master keys, newest first. Cheap to clone: a decision takes them along to where it is made.
#[derive(Clone)]
pub struct Keyring(Arc<Keys>);

struct Keys {
    seal: Vec<(u32, XChaCha20Poly1305)>,
    mac: MacKeys,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({} keys)", self.0.seal.len())
    }
}

impl Keyring {
    /// From 32-byte master keys, newest first; `None` without any. The sealing key and the hashing key are derived
    /// from each master key under separate labels, so that neither says anything about the other.
    pub fn new(masters: &[[u8; 32]]) -> Option<Self> {
        let mut keys = Vec::new();
        let mut mac_keys = Vec::new();
        for master in masters {
            let derived = |label: &str| -> [u8; 32] {
                let mut hash = Sha256::new();
                hash.update(label.as_bytes());
                hash.update([0]);
                hash.update(master);
                hash.finalize().into()
            };
            let [a, b, c, d, ..] = derived("countersign key id v1");
            let id = u32::from_be_bytes([a, b, c, d]);
            keys.push((id, XChaCha20Poly1305::new(&derived("countersign seal v1").into())));
            mac_keys.push((id, Secret::new(derived("countersign code hash v1").to_vec())));
        }
        (!keys.is_empty()).then(|| Self(Arc::new(Keys { seal: keys, mac: MacKeys::new(mac_keys) })))
    }

    /// The keys for hashes of short codes.
    pub fn mac_keys(&self) -> &MacKeys {
        &self.0.mac
    }

    /// Seals `plain` for `place` under the newest key. `nonce` must be freshly drawn.
    #[expect(clippy::missing_panics_doc, reason = "a value of ours is far below the cipher's limit")]
    pub fn seal(&self, place: Place<'_>, nonce: [u8; NONCE], plain: &[u8]) -> Sealed {
        let (id, cipher) = &self.0.seal[0];
        let aad = associated_data(place, *id);
        #[expect(clippy::expect_used, reason = "fails only beyond 256 GiB")]
        let ciphertext = cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
            .expect("a value of ours is far below the cipher's limit");
        let mut sealed = Vec::with_capacity(HEADER + ciphertext.len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(&id.to_be_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Sealed(sealed)
    }

    /// Whether the newest key has sealed this.
    pub fn is_newest(&self, sealed: &Sealed) -> bool {
        let id = sealed.0.get(1..).and_then(|rest| rest.first_chunk::<4>());
        id.is_some_and(|id| u32::from_be_bytes(*id) == self.0.seal[0].0)
    }

    /// Opens a value sealed for exactly this `place`.
    pub fn open(&self, place: Place<'_>, sealed: &Sealed) -> Result<Secret, SealError> {
        let (header, ciphertext) = sealed.0.split_at_checked(HEADER).ok_or(SealError::Corrupt)?;
        let (&format, rest) = header.split_first().ok_or(SealError::Corrupt)?;
        let (id, nonce) = rest.split_first_chunk::<4>().ok_or(SealError::Corrupt)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| SealError::Corrupt)?;
        if format != FORMAT {
            return Err(SealError::Corrupt);
        }
        let id = u32::from_be_bytes(*id);
        let (_, cipher) = self.0.seal.iter().find(|(known, _)| *known == id).ok_or(SealError::UnknownKey)?;
        let aad = associated_data(place, id);
        cipher
            .decrypt(&XNonce::from(nonce), Payload { msg: ciphertext, aad: &aad })
            .map(Secret::new)
            .map_err(|_| SealError::Corrupt)
    }
}

fn associated_data(place: Place<'_>, key_id: u32) -> Vec<u8> {
    // Table and column names are ours and hold no NUL, so the joined form is unambiguous.
    format!("{}\0{}\0{}\0{}\0{key_id}", place.table, place.column, place.row, place.owner).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'_> = Place { table: "device", column: "credential", row: 7, owner: 1 };

    #[test]
    fn a_value_opens_only_where_it_was_sealed() {
        let ring = Keyring::new(&[[9; 32]]).unwrap();
        let sealed = ring.seal(HERE, [3; NONCE], b"secret");
        assert_eq!(ring.open(HERE, &sealed).unwrap().expose(), b"secret");
        for elsewhere in [
            Place { row: 8, ..HERE },
            Place { owner: 2, ..HERE },
            Place { table: "outbox", ..HERE },
            Place { column: "other", ..HERE },
        ] {
            assert_eq!(ring.open(elsewhere, &sealed), Err(SealError::Corrupt));
        }
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let ring = Keyring::new(&[[9; 32]]).unwrap();
        let sealed = ring.seal(HERE, [3; NONCE], b"secret");
        for i in 0..sealed.0.len() {
            let mut broken = sealed.clone();
            broken.0[i] ^= 1;
            assert!(ring.open(HERE, &broken).is_err(), "byte {i}");
        }
        assert_eq!(ring.open(HERE, &Sealed(vec![1, 2, 3])), Err(SealError::Corrupt));
    }

    #[test]
    fn an_older_key_opens_and_the_newest_seals() {
        let old = Keyring::new(&[[1; 32]]).unwrap();
        let both = Keyring::new(&[[2; 32], [1; 32]]).unwrap();
        let new = Keyring::new(&[[2; 32]]).unwrap();
        let sealed = old.seal(HERE, [3; NONCE], b"secret");
        assert!(both.open(HERE, &sealed).is_ok());
        assert!(old.is_newest(&sealed) && !both.is_newest(&sealed));
        assert_eq!(new.open(HERE, &sealed), Err(SealError::UnknownKey));
        assert!(new.open(HERE, &both.seal(HERE, [4; NONCE], b"x")).is_ok());
    }
}
