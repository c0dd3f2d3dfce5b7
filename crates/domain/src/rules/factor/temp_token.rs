//! The form of a temporary token: eight digits that an administrator hands to somebody who has lost their device (SEC 17).

use crate::model::response::FactorResponse;
use crate::model::temp_token::LENGTH;

/// Whether `response`, as it was sent, is exactly eight digits, and so may be a temporary token wherever one is taken.
/// Nothing is padded to become one: a shorter text or number could be any other code. Tokens are drawn without a leading
/// zero for this reason.
pub fn has_form(response: &FactorResponse) -> bool {
    response.is_digits(LENGTH)
}
