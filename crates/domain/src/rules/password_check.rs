//! A password that was compared, before the rule of the log-in judges it.

/// How the password compared with the stored hash. Computed before the lock, since hashes are slow by design. Only
/// [`crate::rules::sign_in::enter`] can read it, and counts a wrong password (SEC 31). It is borrowed there, since a decision may
/// run again.
#[must_use = "a password check that is not judged is a guess that is not counted"]
#[derive(Debug, Clone)]
pub struct PasswordCheck {
    pub(super) with: Option<String>,
    pub(super) is_right: bool,
    pub(super) renewed: Option<String>,
}

impl PasswordCheck {
    /// What came of comparing with the hash `with`, which a user without a password lacks. The decision is void if that is no
    /// longer the user's hash. `renewed` is the same password hashed anew, where the stored hash is of an older kind.
    pub fn new(with: Option<String>, is_right: bool, renewed: Option<String>) -> Self {
        Self { with, is_right, renewed }
    }
}
