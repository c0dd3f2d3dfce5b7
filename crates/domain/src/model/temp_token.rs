//! A temporary MFA token: at most one lives per user (decision 12).

use crate::model::digest::KeyedHash;
use crate::model::id::UserId;
use crate::model::time::Timestamp;

/// Digits in a temporary token.
pub const LENGTH: usize = 8;

/// What a temporary token is bound to before it is hashed.
pub fn context(user: UserId) -> String {
    format!("temp-token/{user}")
}

/// Shortest life, in milliseconds: 120 s (contract 4.7).
pub const MIN_TTL: i64 = 120_000;
/// Longest life and default, in milliseconds: 72 h (contract 4.7).
pub const MAX_TTL: i64 = 259_200_000;

/// A temporary token as stored; the token itself cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TempToken {
    /// The eight digits, bound to the user.
    pub hash: KeyedHash,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether it may be used more than once.
    pub reusable: bool,
    /// When it was first used.
    pub used_at: Option<Timestamp>,
}

impl TempToken {
    /// Whether it can still be used at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at && (self.reusable || self.used_at.is_none())
    }
}
