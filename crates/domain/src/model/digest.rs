//! Digests for things that must be recognised but never read back.
//!
//! Two kinds. Values of 160 bits and more (tokens, client secrets) are stored as a plain SHA-256 [`Digest`]: there are
//! too many to try. Short codes are stored as a [`KeyedHash`] under a server key and bound to what they belong to: somebody
//! who steals the table could try a million codes in a moment (SEC 10, SEC 17).

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::model::secret::Secret;

/// SHA-256 of a long random value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Compares without telling where two digests differ.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// HMAC-SHA-256 of a short value, with the id of the key that made it, so that keys can be rotated while it lives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyedHash {
    key_id: u32,
    mac: [u8; 32],
}

impl KeyedHash {
    /// A hash of nothing: no value has it.
    pub const NONE: Self = Self { key_id: 0, mac: [0; 32] };

    /// 36 bytes: key id, big endian, and the MAC.
    pub fn to_bytes(self) -> [u8; 36] {
        let mut bytes = [0; 36];
        bytes[..4].copy_from_slice(&self.key_id.to_be_bytes());
        bytes[4..].copy_from_slice(&self.mac);
        bytes
    }

    /// The inverse of [`Self::to_bytes`]; `None` for any other length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 36] = bytes.try_into().ok()?;
        let (id, mac) = bytes.split_first_chunk::<4>()?;
        Some(Self { key_id: u32::from_be_bytes(*id), mac: mac.try_into().ok()? })
    }
}

impl std::fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyedHash(…)")
    }
}

/// The server's keys for [`KeyedHash`], newest first.
#[derive(Clone, Debug)]
pub struct MacKeys(Vec<(u32, Secret)>);

impl MacKeys {
    /// Keys with their ids, newest first; the first one makes new hashes. At least one is needed.
    pub fn new(keys: Vec<(u32, Secret)>) -> Self {
        Self(keys)
    }

    /// Hashes `value`, bound to `context` (what the code belongs to), under the newest key.
    pub fn hash(&self, context: &str, value: &str) -> KeyedHash {
        let (key_id, key) = &self.0[0];
        KeyedHash { key_id: *key_id, mac: mac(key, context, value.as_bytes()) }
    }

    /// Whether `value` in `context` is what `expected` was made of, in constant time.
    pub fn matches(&self, expected: &KeyedHash, context: &str, value: &str) -> bool {
        self.0
            .iter()
            .find(|(id, _)| *id == expected.key_id)
            .is_some_and(|(_, key)| mac(key, context, value.as_bytes()).ct_eq(&expected.mac).into())
    }
}

/// The installation's own key: 32 random bytes, made once and kept sealed. What must be recognised for longer than a master
/// key is in use is hashed under it: forgetting an old master key forgets no used secret and no count.
#[derive(Clone, Debug)]
pub struct OwnKey(Secret);

impl OwnKey {
    /// From its bytes.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Secret::new(key.to_vec()))
    }

    /// HMAC-SHA-256 of `value`, bound to `context` (what kind of thing it is).
    pub fn mac(&self, context: &str, value: &[u8]) -> [u8; 32] {
        mac(&self.0, context, value)
    }

    /// The same as a hash among those of other keys. There is one such key, so its id says no more than that it is this.
    pub fn hash(&self, context: &str, value: &str) -> KeyedHash {
        KeyedHash { key_id: 0, mac: self.mac(context, value.as_bytes()) }
    }
}

fn mac(key: &Secret, context: &str, value: &[u8]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut hmac = Hmac::<Sha256>::new_from_slice(key.expose()).expect("HMAC takes keys of any length");
    // The length keeps "a" + "bc" apart from "ab" + "c".
    hmac.update(&(context.len() as u64).to_be_bytes());
    hmac.update(context.as_bytes());
    hmac.update(value);
    hmac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_recognised_only_in_its_own_context_and_under_a_known_key() {
        let old = MacKeys::new(vec![(1, Secret::new(vec![1; 32]))]);
        let both = MacKeys::new(vec![(2, Secret::new(vec![2; 32])), (1, Secret::new(vec![1; 32]))]);
        let new = MacKeys::new(vec![(2, Secret::new(vec![2; 32]))]);
        let hash = old.hash("verification", "123456");
        assert!(both.matches(&hash, "verification", "123456"));
        assert!(!both.matches(&hash, "verification", "123457"));
        assert!(!both.matches(&hash, "verificatio", "n123456"));
        assert!(!new.matches(&hash, "verification", "123456"));
        assert_eq!(KeyedHash::from_bytes(&hash.to_bytes()), Some(hash));
    }
}
