//! A HOTP token of a user: a secret, a counter, and the next code (RFC 4226). It shares no code with the server, so that
//! each checks the other.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// How far the server looks ahead of the last accepted counter.
const LOOK_AHEAD: u64 = 10;
/// Number of counters whose codes the server treats as a replay: the last accepted one and those before it.
const RECENT: usize = 11;

/// The body of a verification, before the digits are written into it.
const BODY: &str = r#"{"otp_token":"000000"}"#;

/// From the end of the request to its first digit.
const DIGITS_FROM_END: usize = 8;

/// Makes the codes of one secret.
#[derive(Clone)]
pub(crate) struct Token {
    key: Hmac<Sha1>,
    /// The counter of the next code.
    next: u64,
    /// The codes of the counters before: the server treats these digits as a replay.
    recent: [u32; RECENT],
}

/// A token, with the request that verifies its codes.
#[derive(Clone)]
pub(crate) struct Device {
    token: Token,
    request: Vec<u8>,
    pub(crate) user: i64,
}

impl Token {
    /// The token of this secret whose next code is that of counter `next`.
    pub(crate) fn new(secret: &[u8], next: u64) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let key = Hmac::new_from_slice(secret).expect("HMAC takes keys of any length");
        let mut token = Self { key, next, recent: [u32::MAX; RECENT] };
        for counter in next.saturating_sub(LOOK_AHEAD + 1)..next {
            let code = token.code(counter);
            token.remember(code);
        }
        token
    }

    /// The next fresh code, which then counts as used. It skips a code whose digits were used recently, like a user who
    /// presses the button again.
    pub(crate) fn fresh(&mut self) -> u32 {
        loop {
            let code = self.code(self.next);
            self.next += 1;
            let is_spent = self.recent.contains(&code);
            self.remember(code);
            if !is_spent {
                return code;
            }
        }
    }

    /// The smallest counter within the look-ahead whose code this is.
    pub(crate) fn counter_of(&self, code: u32) -> Option<u64> {
        (self.next..self.next + LOOK_AHEAD).find(|counter| self.code(*counter) == code)
    }

    /// Goes on behind this counter.
    pub(crate) fn move_past(&mut self, counter: u64) {
        self.next = self.next.max(counter + 1);
    }

    fn remember(&mut self, code: u32) {
        self.recent.rotate_left(1);
        self.recent[RECENT - 1] = code;
    }

    /// The code used `back` codes ago, unless it happens to be one of the next codes too.
    fn old(&self, back: u64) -> Option<u32> {
        let old = self.code(self.next.checked_sub(back)?);
        (!self.comes(old)).then_some(old)
    }

    /// This number of different codes that the server cannot accept.
    pub(crate) fn wrong(&self, count: usize) -> Vec<u32> {
        // Any six digits will do; each token starts at another number.
        let first = self.code(u64::MAX);
        let all = (0..1_000_000).map(|step| (first + step * 7) % 1_000_000);
        all.filter(|code| !self.comes(*code) && !self.recent.contains(code)).take(count).collect()
    }

    /// A code that was never used and is not a next one, different for each `turn` below 1,000.
    fn guess(&self, turn: u32) -> u32 {
        let near: Vec<u32> = (0..self.next + LOOK_AHEAD).map(|counter| self.code(counter)).collect();
        (turn * 1_000..1_000_000).find(|guess| !near.contains(guess)).unwrap_or_default()
    }

    fn comes(&self, code: u32) -> bool {
        (self.next..=self.next + LOOK_AHEAD).any(|counter| self.code(counter) == code)
    }

    /// RFC 4226 section 5.3, six digits.
    fn code(&self, counter: u64) -> u32 {
        let mut mac = self.key.clone();
        mac.update(&counter.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let offset = usize::from(digest[19] & 0x0f);
        let cut = [digest[offset] & 0x7f, digest[offset + 1], digest[offset + 2], digest[offset + 3]];
        u32::from_be_bytes(cut) % 1_000_000
    }
}

impl Device {
    /// A user's token in use. `verify` makes the request from its body.
    pub(crate) fn new(token: Token, user: i64, verify: impl FnOnce(&str) -> Vec<u8>) -> Self {
        Self { token, request: verify(BODY), user }
    }

    /// The request with the next fresh code; the code counts as used.
    pub(crate) fn fresh(&mut self) -> &[u8] {
        let code = self.token.fresh();
        self.request_with(code)
    }

    /// The request with the last used code, unless that code happens to be one of the next codes too.
    pub(crate) fn spent(&mut self) -> Option<&[u8]> {
        self.again(1)
    }

    /// The request with the code before the last one, which is a replay too.
    pub(crate) fn long_spent(&mut self) -> Option<&[u8]> {
        self.again(2)
    }

    /// The request with the code used `back` codes ago; 1 is the last one.
    pub(crate) fn again(&mut self, back: u64) -> Option<&[u8]> {
        self.token.old(back).map(|code| self.request_with(code))
    }

    /// The request with a wrong code, different for each `turn` below 1,000: neither used nor a next one.
    pub(crate) fn guess(&mut self, turn: u32) -> &[u8] {
        let code = self.token.guess(turn);
        self.request_with(code)
    }

    /// This number of different wrong codes.
    pub(crate) fn wrong(&self, count: usize) -> Vec<u32> {
        self.token.wrong(count)
    }

    /// The request with these digits.
    pub(crate) fn request_with(&mut self, code: u32) -> &[u8] {
        let first = self.request.len() - DIGITS_FROM_END;
        put_digits(&mut self.request[first..first + 6], code);
        &self.request
    }

    /// The same device with another token.
    pub(crate) fn with(self, token: Token) -> Self {
        Self { token, ..self }
    }

    /// Whether any code was used.
    pub(crate) fn is_used(&self) -> bool {
        self.token.next > 0
    }

    /// The request as it was made last.
    pub(crate) fn request(&self) -> &[u8] {
        &self.request
    }
}

/// Writes the digits of a code.
pub(crate) fn put_digits(place: &mut [u8], code: u32) {
    let mut rest = code;
    for digit in place.iter_mut().rev() {
        *digit = b"0123456789"[(rest % 10) as usize];
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(next: u64) -> Token {
        Token::new(b"12345678901234567890", next)
    }

    fn device() -> Device {
        Device::new(token(1), 1, |body| body.as_bytes().to_vec())
    }

    fn shown(request: &[u8]) -> &str {
        std::str::from_utf8(request).unwrap()
    }

    /// RFC 4226 appendix D.
    #[test]
    fn codes_come_in_the_order_of_the_rfc() {
        assert_eq!(token(0).fresh(), 755_224);
        let mut device = device();
        assert_eq!(shown(device.fresh()), r#"{"otp_token":"287082"}"#);
        assert_eq!(shown(device.fresh()), r#"{"otp_token":"359152"}"#);
    }

    #[test]
    fn a_spent_code_is_the_one_before() {
        let mut device = device();
        device.fresh();
        device.fresh();
        assert_eq!(shown(device.spent().unwrap()), r#"{"otp_token":"359152"}"#);
        assert_eq!(shown(device.long_spent().unwrap()), r#"{"otp_token":"287082"}"#);
        assert_eq!(shown(device.fresh()), r#"{"otp_token":"969429"}"#);
    }

    #[test]
    fn a_code_is_found_ahead_until_its_counter_is_passed() {
        let mut token = token(0);
        assert_eq!((token.counter_of(755_224), token.counter_of(969_429)), (Some(0), Some(3)));
        token.move_past(3);
        assert_eq!((token.counter_of(755_224), token.counter_of(969_429)), (None, None));
        token.move_past(1);
        assert_eq!((token.fresh(), token.counter_of(338_314)), (338_314, None));
    }

    #[test]
    fn wrong_codes_are_none_that_could_be_right() {
        let mut token = token(3);
        let wrong = token.wrong(1_000);
        assert_eq!(wrong.len(), 1_000);
        for _ in 0..10 {
            assert!(!wrong.contains(&token.fresh()));
        }
    }
}
