//! The members of a body that set a password (contract 3.2).

use engine::{ForeignPassword, PasswordFault, SaltOrder};
use zeroize::Zeroizing;

use super::lenient::Body;
use super::user_field::BadUserField;

/// Longest password that is read, in characters; the engine decides which may be set.
const PASSWORD: usize = 1_024;

/// The members about a password. `Debug` shows none.
#[derive(Default)]
pub(crate) struct PasswordFields {
    /// In clear, unless there is an algorithm or a salt.
    pub password: Option<String>,
    pub confirmation: Option<String>,
    /// How another system hashed it.
    pub algorithm: Option<String>,
    pub salt: Option<String>,
}

/// Why a password that another system hashed is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotHashed {
    /// It was not repeated.
    Unconfirmed,
    /// Its algorithm is unknown.
    Algorithm,
}

impl PasswordFields {
    /// Whether it is one that another system has hashed.
    pub(crate) fn is_hashed(&self) -> bool {
        self.algorithm.is_some() || self.salt.is_some()
    }

    /// The digest of another system. Without an algorithm it is the first of the list of contract 3.2.
    pub(crate) fn foreign(self) -> Result<ForeignPassword, NotHashed> {
        let digest = self.password.filter(|password| self.confirmation.as_ref() == Some(password));
        let digest = Zeroizing::new(digest.ok_or(NotHashed::Unconfirmed)?);
        let salt = self.salt.unwrap_or_default();
        match self.algorithm.as_deref() {
            None | Some("salt+sha256") => Ok(ForeignPassword::Salted { digest, salt, order: SaltOrder::SaltFirst }),
            Some("sha256+salt") => Ok(ForeignPassword::Salted { digest, salt, order: SaltOrder::PasswordFirst }),
            Some("bcrypt") => Ok(ForeignPassword::Bcrypt(digest)),
            Some(_) => Err(NotHashed::Algorithm),
        }
    }
}

impl std::fmt::Debug for PasswordFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordFields(..)")
    }
}

/// Reads the members about a password; `salt` is the name of the salt's member. Empty ones are absent.
pub(crate) fn read(body: &Body, salt: &str) -> Result<Option<PasswordFields>, BadUserField> {
    let text = |field: &str| {
        let text = body.text(field, PASSWORD).map_err(|wrong| BadUserField::Wrong(wrong.field))?;
        Ok(text.filter(|text| !text.is_empty()))
    };
    let given = PasswordFields {
        password: text("password")?,
        confirmation: text("password_confirmation")?,
        algorithm: text("password_algorithm")?,
        salt: text(salt)?,
    };
    let any = given.password.is_some() || given.confirmation.is_some() || given.is_hashed();
    Ok(any.then_some(given))
}

/// The words for a password that was not accepted (contract 3.2).
pub(crate) fn fault(fault: PasswordFault) -> &'static str {
    match fault {
        PasswordFault::TooShort => "Password is too short (minimum is 8 characters)",
        PasswordFault::TooLong => "Password is too long (maximum is 128 characters)",
        PasswordFault::TooCommon => "Password is too common",
        PasswordFault::NoDigest => "Password is not a lower-case hexadecimal SHA-256",
        PasswordFault::SaltTooLong => "Salt is too long (maximum is 40 characters)",
        PasswordFault::NoBcrypt => "Password is not a bcrypt hash",
        PasswordFault::BcryptCost => "The cost of the bcrypt hash is not between 4 and 14",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Option<PasswordFields> {
        read(&Body::parse(text.as_bytes()).unwrap(), "salt").unwrap()
    }

    #[test]
    fn a_password_is_any_member_about_one() {
        assert!(given(r#"{"password":"","salt":null}"#).is_none());
        let hashed = given(r#"{"password_algorithm":"salt+sha256"}"#).unwrap();
        assert!(hashed.is_hashed());
        let clear = given(r#"{"password":"a","password_confirmation":"b"}"#).unwrap();
        assert_eq!((clear.password.as_deref(), clear.confirmation.as_deref()), (Some("a"), Some("b")));
        assert!(!clear.is_hashed());
        assert_eq!(format!("{clear:?}"), "PasswordFields(..)");
    }
}
