//! A HOTP token as its owner has it: a secret, a counter, and the code that comes next (RFC 4226). Written apart from
//! the server's own, so that the two check one another.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// How far the server looks ahead of the last accepted counter.
const LOOK_AHEAD: u64 = 10;

/// What a verification's body is before the digits are put in.
const BODY: &str = r#"{"otp_token":"000000"}"#;

/// From the end of the request to its first digit.
const DIGITS_FROM_END: usize = 8;

/// A token, with the request that verifies its codes.
#[derive(Clone)]
pub(crate) struct Device {
    key: Hmac<Sha1>,
    /// The counter of the next code.
    next: u64,
    request: Vec<u8>,
    pub(crate) user: i64,
}

impl Device {
    /// The token of this secret whose code of counter 0 has confirmed it. `verify` makes the request from its body.
    pub(crate) fn confirmed(secret: &[u8], user: i64, verify: impl FnOnce(&str) -> Vec<u8>) -> Self {
        Self { key: key(secret), next: 1, request: verify(BODY), user }
    }

    /// The request with the next fresh code; the code counts as used.
    pub(crate) fn fresh(&mut self) -> &[u8] {
        self.next += 1;
        self.request_with(code(&self.key, self.next - 1))
    }

    /// The request with the code last used again, unless that code by chance is also one of those to come.
    pub(crate) fn spent(&mut self) -> Option<&[u8]> {
        self.again(1)
    }

    /// The same with the code before the last: to the server it looks like any wrong code and counts as a guess.
    pub(crate) fn long_spent(&mut self) -> Option<&[u8]> {
        self.again(2)
    }

    /// The same with the code so many uses back; 1 is the one last used.
    pub(crate) fn again(&mut self, back: u64) -> Option<&[u8]> {
        let old = code(&self.key, self.next.checked_sub(back)?);
        let comes_again = (self.next..self.next + LOOK_AHEAD).any(|counter| code(&self.key, counter) == old);
        (!comes_again).then(|| self.request_with(old))
    }

    /// The request with a wrong code, another one for each `turn` below a thousand: none that was used, none to come.
    pub(crate) fn wrong(&mut self, turn: u32) -> &[u8] {
        let near: Vec<u32> = (0..self.next + LOOK_AHEAD).map(|counter| code(&self.key, counter)).collect();
        let mut wrong = (turn * 1_000..1_000_000).filter(|guess| !near.contains(guess));
        let guess = wrong.next().unwrap_or_default();
        self.request_with(guess)
    }

    fn request_with(&mut self, code: u32) -> &[u8] {
        let first = self.request.len() - DIGITS_FROM_END;
        let mut rest = code;
        for digit in self.request[first..first + 6].iter_mut().rev() {
            *digit = b"0123456789"[(rest % 10) as usize];
            rest /= 10;
        }
        &self.request
    }
}

/// The code that confirms an enrolment.
pub(crate) fn first_code(secret: &[u8]) -> String {
    format!("{:06}", code(&key(secret), 0))
}

fn key(secret: &[u8]) -> Hmac<Sha1> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    Hmac::new_from_slice(secret).expect("HMAC takes keys of any length")
}

/// RFC 4226 section 5.3, six digits.
fn code(key: &Hmac<Sha1>, counter: u64) -> u32 {
    let mut mac = key.clone();
    mac.update(&counter.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest[19] & 0x0f);
    let cut = [digest[offset] & 0x7f, digest[offset + 1], digest[offset + 2], digest[offset + 3]];
    u32::from_be_bytes(cut) % 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Device {
        Device::confirmed(b"12345678901234567890", 1, |body| body.as_bytes().to_vec())
    }

    fn shown(request: &[u8]) -> &str {
        std::str::from_utf8(request).unwrap()
    }

    /// RFC 4226 appendix D.
    #[test]
    fn codes_come_in_the_order_of_the_rfc() {
        assert_eq!(first_code(b"12345678901234567890"), "755224");
        let mut token = token();
        assert_eq!(shown(token.fresh()), r#"{"otp_token":"287082"}"#);
        assert_eq!(shown(token.fresh()), r#"{"otp_token":"359152"}"#);
    }

    #[test]
    fn a_spent_code_is_the_one_before() {
        let mut token = token();
        token.fresh();
        token.fresh();
        assert_eq!(shown(token.spent().unwrap()), r#"{"otp_token":"359152"}"#);
        assert_eq!(shown(token.long_spent().unwrap()), r#"{"otp_token":"287082"}"#);
        assert_eq!(shown(token.wrong(755)), r#"{"otp_token":"755000"}"#);
        assert_eq!(shown(token.fresh()), r#"{"otp_token":"969429"}"#);
    }
}
