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

impl Hasher {
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
    async fn a_hash_is_in_phc_form_and_any_verifier_accepts_it() {
        use argon2::password_hash::{PasswordVerifier, phc::PasswordHash};
        let hash = Hasher::default().hash(Zeroizing::new("open sesame".to_owned()), [7; SALT]).await.unwrap();
        let parsed = PasswordHash::new(&hash).unwrap();
        assert!(Argon2::default().verify_password(b"open sesame", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"open sesam", &parsed).is_err());
    }
}
