//! Passwords as other systems kept them (contract 3.2): a digest or a bcrypt hash, which is hashed once more here.

use zeroize::Zeroizing;

use crate::login::password_fault::PasswordFault;

/// Bytes in a salt.
pub(crate) const SALT: usize = 16;
/// Prefix of a hash that came from elsewhere. What follows says how its password was digested before it was hashed here.
pub(crate) const LEGACY: &str = "legacy:";

/// How another system digested a password with its salt before it gave it to us (contract 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaltOrder {
    /// SHA-256 of salt, then password.
    SaltFirst,
    /// SHA-256 of password, then salt.
    PasswordFirst,
}

/// What another system kept of a password (contract 3.2). `Debug` shows none of it.
#[derive(Clone)]
pub enum ForeignPassword {
    /// Lower-case hexadecimal SHA-256 of password and salt.
    Salted {
        digest: Zeroizing<String>,
        /// Up to 40 characters.
        salt: String,
        /// Which of the two came first.
        order: SaltOrder,
    },
    /// A bcrypt hash of 60 characters, with its cost and salt.
    Bcrypt(Zeroizing<String>),
}

impl std::fmt::Debug for ForeignPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ForeignPassword(..)")
    }
}

/// Longest salt from elsewhere, in characters.
const FOREIGN_SALT_MAX: usize = 40;
/// Highest cost of a bcrypt hash that is taken: the first right log-in computes it once more and replaces it.
pub(crate) const BCRYPT_COST_MAX: u32 = 14;

/// How a password is digested before the digest is hashed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recipe {
    Salted(SaltOrder, Vec<u8>),
    Bcrypt { cost: u32, salt: [u8; SALT] },
}

impl Recipe {
    /// Its spelling in a stored hash.
    pub(crate) fn spelled(&self) -> String {
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        match self {
            Self::Salted(SaltOrder::SaltFirst, salt) => format!("salt+sha256:{}", hex(salt)),
            Self::Salted(SaltOrder::PasswordFirst, salt) => format!("sha256+salt:{}", hex(salt)),
            Self::Bcrypt { cost, salt } => format!("bcrypt-{cost}:{}", hex(salt)),
        }
    }

    /// Reads a stored hash: the recipe, and the Argon2id hash of what it makes.
    pub(crate) fn read(stored: &str) -> Option<(Self, &str)> {
        let (name, rest) = stored.strip_prefix(LEGACY)?.split_once(':')?;
        let (salt, hash) = rest.split_once(':')?;
        let salt = data_encoding::HEXLOWER.decode(salt.as_bytes()).ok()?;
        let recipe = match name {
            "salt+sha256" => Self::Salted(SaltOrder::SaltFirst, salt),
            "sha256+salt" => Self::Salted(SaltOrder::PasswordFirst, salt),
            _ => Self::Bcrypt { cost: name.strip_prefix("bcrypt-")?.parse().ok()?, salt: salt.try_into().ok()? },
        };
        Some((recipe, hash))
    }

    /// What it makes of a password. `None` if nothing can be made.
    pub(crate) fn digest(&self, password: &str) -> Option<Zeroizing<String>> {
        match self {
            Self::Salted(order, salt) => {
                let both = Zeroizing::new(match order {
                    SaltOrder::SaltFirst => [salt, password.as_bytes()].concat(),
                    SaltOrder::PasswordFirst => [password.as_bytes(), salt].concat(),
                });
                Some(Zeroizing::new(data_encoding::HEXLOWER.encode(&domain::Digest::of(&both).0)))
            }
            Self::Bcrypt { cost, salt } => {
                let made = bcrypt::hash_with_salt(password, *cost, *salt).ok()?;
                Some(Zeroizing::new(bcrypt_digest(&made)))
            }
        }
    }
}

/// What of a bcrypt hash follows its cost and salt; the same for every version of its spelling.
fn bcrypt_digest(parts: &bcrypt::HashParts) -> String {
    parts.to_string().split_off(29)
}

/// Takes apart what another system kept: how it was made, and what came of it.
pub(crate) fn examined(foreign: ForeignPassword) -> Result<(Recipe, Zeroizing<String>), PasswordFault> {
    match foreign {
        ForeignPassword::Salted { digest, salt, order } => {
            let is_hex = digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            if digest.len() != 64 || !is_hex {
                return Err(PasswordFault::NoDigest);
            }
            if salt.chars().count() > FOREIGN_SALT_MAX {
                return Err(PasswordFault::SaltTooLong);
            }
            Ok((Recipe::Salted(order, salt.into_bytes()), digest))
        }
        ForeignPassword::Bcrypt(hash) => {
            // The old form that mistook characters beyond ASCII makes other hashes of them.
            let parts: Option<bcrypt::HashParts> =
                Some(&*hash).filter(|h| !h.starts_with("$2x")).and_then(|h| h.parse().ok());
            let parts = parts.ok_or(PasswordFault::NoBcrypt)?;
            if !(4..=BCRYPT_COST_MAX).contains(&parts.get_cost()) {
                return Err(PasswordFault::BcryptCost);
            }
            let recipe = Recipe::Bcrypt { cost: parts.get_cost(), salt: parts.get_salt_raw() };
            Ok((recipe, Zeroizing::new(bcrypt_digest(&parts))))
        }
    }
}
