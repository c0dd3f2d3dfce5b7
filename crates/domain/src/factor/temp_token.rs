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
    match response {
        Response::None => false,
        Response::Text(text) => text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_digit()),
        Response::Number(number) => (10_000_000..100_000_000).contains(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_eight_digits_have_the_form_of_a_token() {
        for text in ["55647655", "05564765"] {
            assert!(has_form(&Response::Text(text.to_owned())), "{text}");
        }
        assert!(has_form(&Response::Number(55_647_655)));
        for text in ["", "123456", "556476550", "5564765x", " 5564765", "５５６４７６５５"] {
            assert!(!has_form(&Response::Text(text.to_owned())), "{text}");
        }
        assert!(!has_form(&Response::Number(5_564_765)), "a shorter number may be another code");
        assert!(!has_form(&Response::Number(155_647_655)));
        assert!(!has_form(&Response::None));
    }
}
