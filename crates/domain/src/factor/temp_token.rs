//! The temporary token's proof: eight digits an administrator hands to somebody who has lost their device (SEC 17).

use super::Response;
#[cfg(feature = "testing")]
pub use super::prove::prove_temp_token as prove;
#[cfg(not(feature = "testing"))]
pub(crate) use super::prove::prove_temp_token as prove;
use crate::id::UserId;

/// Digits in a temporary token.
pub const LENGTH: usize = 8;

/// What a temporary token is bound to before it is hashed.
pub fn context(user: UserId) -> String {
    format!("temp-token/{user}")
}

/// Whether `response`, as it was sent, is exactly eight digits, and so may be a temporary token wherever one is taken.
/// Nothing is padded to become one: a shorter text or number could be any other code. Tokens are drawn without a leading
/// zero for this reason.
pub fn has_form(response: &Response) -> bool {
    response.is_digits(LENGTH)
}
