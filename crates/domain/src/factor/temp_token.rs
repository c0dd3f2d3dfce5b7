//! The temporary token's proof: eight digits an administrator hands to somebody who has lost their device (SEC 17).

use super::{Alphabet, Evidence, Freshness, Proof, Response, Subject};
use crate::digest::MacKeys;
use crate::id::{DeviceId, UserId};
use crate::temp_token::TempToken;

/// Digits in a temporary token.
pub const LENGTH: usize = 8;

/// What a temporary token is bound to before it is hashed.
pub fn context(user: UserId) -> String {
    format!("temp-token/{user}")
}

/// Whether `response` has the form of a temporary token.
pub fn has_form(response: &Response) -> bool {
    response.as_code(LENGTH, Alphabet::Digits).is_some()
        && match response {
            // A shorter number could be any other code; tokens are drawn without a leading zero for this reason.
            Response::Number(number) => *number >= 10_000_000,
            _ => true,
        }
}

/// Judges `response` against the user's live token, if there is one.
pub fn prove(user: UserId, token: Option<&TempToken>, response: &Response, keys: &MacKeys) -> Evidence {
    if response.is_absent() {
        return Evidence::Absent;
    }
    let matching = token.filter(|token| {
        response.as_code(LENGTH, Alphabet::Digits).is_some_and(|code| keys.matches(&token.hash, &context(user), &code))
    });
    match matching {
        Some(token) => Evidence::Proved(Proof {
            subject: Subject::TempToken(token.hash),
            freshness: if token.reusable { Freshness::Reusable } else { Freshness::ThisToken },
        }),
        None => Evidence::Refuted(response.fingerprint(DeviceId(0), None, keys)),
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
        assert!(!has_form(&Response::None));
    }
}
