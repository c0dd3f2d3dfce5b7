//! Passwords: Argon2id, few at a time (SEC 43).

use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::error::Error;

/// Memory, in KiB.
const MEMORY: u32 = 47_104;
/// Hashes computed at once.
const AT_ONCE: usize = 2;
/// Callers that may wait for their turn.
const WAITING: usize = 64;
/// Fewest characters, whatever the policy.
const MIN: usize = 8;
/// Most characters. Longer ones are refused, never cut.
const MAX: usize = 128;
/// Bytes in a salt.
pub const SALT: usize = 16;

/// Computes password hashes off the request threads, two at a time.
#[derive(Debug)]
pub struct Hasher {
    turns: Semaphore,
    places: Semaphore,
}

impl Default for Hasher {
    fn default() -> Self {
        Self { turns: Semaphore::new(AT_ONCE), places: Semaphore::new(AT_ONCE + WAITING) }
    }
}

/// Whether a password may be set. The floor always holds; `validate` adds the block-list.
pub fn judge(password: &str, validate: bool) -> Result<(), Error> {
    let length = password.chars().count();
    if length < MIN {
        return Err(Error::BadPassword("Password is too short (minimum is 8 characters)"));
    }
    if length > MAX {
        return Err(Error::BadPassword("Password is too long (maximum is 128 characters)"));
    }
    if validate && is_common(password) {
        return Err(Error::BadPassword("Password is too common"));
    }
    Ok(())
}

/// Whether a password is among those tried first: it is guessed within the ten thousand likeliest.
fn is_common(password: &str) -> bool {
    zxcvbn::zxcvbn(password, &[]).guesses() <= 10_000
}

/// What stands before a hash that came from elsewhere: how its password was digested before it was hashed here.
const LEGACY: &str = "legacy:";

/// How another system digested a password with its salt before it gave it to us (contract 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaltOrder {
    /// SHA-256 of salt, then password.
    SaltFirst,
    /// SHA-256 of password, then salt.
    PasswordFirst,
}

/// Whether a stored hash is to be renewed by the next right password: it came from elsewhere, or its cost is below
/// today's (SEC 43).
pub fn is_old(stored: &str) -> bool {
    !stored.starts_with(&format!("$argon2id$v=19$m={MEMORY},t=1,p=1$"))
}

/// What is compared with the Argon2id part of a stored hash, and that part.
fn taken_apart(stored: &str, password: Zeroizing<String>) -> (Zeroizing<String>, &str) {
    let legacy = stored.strip_prefix(LEGACY).and_then(|rest| {
        let (order, rest) = rest.split_once(':')?;
        let (salt, hash) = rest.split_once(':')?;
        Some((order, data_encoding::HEXLOWER.decode(salt.as_bytes()).ok()?, hash))
    });
    let Some((order, salt, hash)) = legacy else { return (password, stored) };
    let order = if order == "salt+sha256" { SaltOrder::SaltFirst } else { SaltOrder::PasswordFirst };
    (digested(&password, &salt, order), hash)
}

/// Lower-case hexadecimal SHA-256 of a password and its salt.
fn digested(password: &str, salt: &[u8], order: SaltOrder) -> Zeroizing<String> {
    let both = Zeroizing::new(match order {
        SaltOrder::SaltFirst => [salt, password.as_bytes()].concat(),
        SaltOrder::PasswordFirst => [password.as_bytes(), salt].concat(),
    });
    Zeroizing::new(data_encoding::HEXLOWER.encode(&domain::Digest::of(&both).0))
}

impl Hasher {
    /// Whether `password` is the one whose hash is `stored`. Without a hash the answer is no and takes as long.
    pub async fn matches(&self, password: Zeroizing<String>, stored: Option<String>) -> Result<bool, Error> {
        // A hash that no password has: its digest is all zero.
        let nobody = || format!("$argon2id$v=19$m={MEMORY},t=1,p=1${}${}", "A".repeat(22), "A".repeat(43));
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(nobody);
        let _place = self.places.try_acquire().map_err(|_| Error::Busy)?;
        let _turn = self.turns.acquire().await.map_err(|_| Error::Busy)?;
        tokio::task::spawn_blocking(move || {
            use argon2::password_hash::{PasswordVerifier, phc::PasswordHash};
            let (password, hash) = taken_apart(&stored, password);
            let parsed = PasswordHash::new(hash).map_err(|_| Error::internal("a stored password hash is not one"))?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && exists)
        })
        .await
        .map_err(Error::internal)?
    }

    /// The hash of a password that another system has digested with a salt of up to 40 characters: wrapped in Argon2id,
    /// and replaced by the next right password (contract 3.2, SEC 43).
    pub async fn hash_legacy(
        &self,
        digested: Zeroizing<String>,
        other: &str,
        order: SaltOrder,
        salt: [u8; SALT],
    ) -> Result<String, Error> {
        let hash = self.hash(digested, salt).await?;
        let order = match order {
            SaltOrder::SaltFirst => "salt+sha256",
            SaltOrder::PasswordFirst => "sha256+salt",
        };
        Ok(format!("{LEGACY}{order}:{}:{hash}", data_encoding::HEXLOWER.encode(other.as_bytes())))
    }

    /// The Argon2id hash of `password` in PHC form. Refuses with [`Error::Busy`] when too many wait.
    pub async fn hash(&self, password: Zeroizing<String>, salt: [u8; SALT]) -> Result<String, Error> {
        let _place = self.places.try_acquire().map_err(|_| Error::Busy)?;
        let _turn = self.turns.acquire().await.map_err(|_| Error::Busy)?;
        tokio::task::spawn_blocking(move || {
            let params = Params::new(MEMORY, 1, 1, None).map_err(|e| Error::internal(e.to_string()))?;
            let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let mut hash = [0; 32];
            argon
                .hash_password_into(password.as_bytes(), &salt, &mut hash)
                .map_err(|e| Error::internal(e.to_string()))?;
            let b64 = |bytes: &[u8]| data_encoding::BASE64_NOPAD.encode(bytes);
            Ok(format!("$argon2id$v=19$m={MEMORY},t=1,p=1${}${}", b64(&salt), b64(&hash)))
        })
        .await
        .map_err(Error::internal)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_long_and_common_passwords_are_refused() {
        assert!(judge("seven77", false).is_err());
        assert!(judge(&"x".repeat(129), false).is_err());
        assert!(judge("password1", true).is_err());
        assert!(judge("password1", false).is_ok());
        assert!(judge("correct staple horse", true).is_ok());
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_and_no_other() {
        let hasher = Hasher::default();
        let word = |text: &str| Zeroizing::new(text.to_owned());
        let hash = hasher.hash(word("open sesame"), [7; SALT]).await.unwrap();
        assert!(!is_old(&hash));
        assert!(hasher.matches(word("open sesame"), Some(hash.clone())).await.unwrap());
        assert!(!hasher.matches(word("open sesam"), Some(hash)).await.unwrap());
        assert!(!hasher.matches(word("open sesame"), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_digest_from_elsewhere_is_wrapped_and_known_by_its_password() {
        let hasher = Hasher::default();
        let word = |text: &str| Zeroizing::new(text.to_owned());
        for order in [SaltOrder::SaltFirst, SaltOrder::PasswordFirst] {
            let theirs = digested("open sesame", b"pepper", order);
            let stored = hasher.hash_legacy(theirs.clone(), "pepper", order, [7; SALT]).await.unwrap();
            assert!(is_old(&stored));
            assert!(hasher.matches(word("open sesame"), Some(stored.clone())).await.unwrap(), "{order:?}");
            assert!(!hasher.matches(theirs, Some(stored)).await.unwrap(), "the digest is no password");
        }
    }

    #[tokio::test]
    async fn a_hash_is_in_phc_form_and_any_verifier_accepts_it() {
        use argon2::password_hash::{PasswordVerifier, phc::PasswordHash};
        let hash = Hasher::default().hash(Zeroizing::new("open sesame".to_owned()), [7; SALT]).await.unwrap();
        let parsed = PasswordHash::new(&hash).unwrap();
        assert!(Argon2::default().verify_password(b"open sesame", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"open sesam", &parsed).is_err());
    }
}
