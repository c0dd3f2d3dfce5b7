//! A HOTP device as its holder knows it: the secret, and the next counter.

use domain::Secret;
use domain::model::hotp::{Algorithm, LOOK_AHEAD, code};

/// A counter-based token whose codes this program makes.
#[derive(Debug)]
pub(super) struct HotpDevice {
    pub(super) user: i64,
    pub(super) device: i64,
    secret: Secret,
    /// The lowest counter whose code was never sent.
    next: u64,
}

impl HotpDevice {
    /// A device whose codes below `next` are used up.
    pub(super) fn new(user: i64, device: i64, secret: Secret, next: u64) -> Self {
        Self { user, device, secret, next }
    }

    fn code(&self, counter: u64) -> String {
        code(&self.secret, Algorithm::Sha1, counter, 6)
    }

    /// The next unused code. It skips a code that equals another one within the look-ahead by chance: sent again, it would
    /// rightly count as the other one, and look like a second success.
    pub(super) fn next_code(&mut self) -> String {
        loop {
            let counter = self.next;
            self.next += 1;
            let text = self.code(counter);
            let near = counter.saturating_sub(1)..=counter + LOOK_AHEAD.unsigned_abs();
            if near.filter(|other| *other != counter).all(|other| self.code(other) != text) {
                return text;
            }
        }
    }

    /// `count` distinct codes that are wrong, also for the next few counters.
    pub(super) fn wrong_codes(&self, count: usize) -> Vec<String> {
        let near = self.next.saturating_sub(2)..=self.next + 2 * LOOK_AHEAD.unsigned_abs();
        let right: Vec<String> = near.map(|counter| self.code(counter)).collect();
        // A step that has no divisor in common with a million visits every code once.
        let all = (0..1_000_000_u64).map(|n| format!("{:06}", (n * 7_919 + self.next) % 1_000_000));
        all.filter(|code| !right.contains(code)).take(count).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn device() -> HotpDevice {
        HotpDevice::new(1, 2, Secret::new(b"12345678901234567890".to_vec()), 0)
    }

    #[test]
    fn codes_come_in_the_order_of_their_counters() {
        let mut device = device();
        assert_eq!([device.next_code(), device.next_code(), device.next_code()], ["755224", "287082", "359152"]);
    }

    #[test]
    fn wrong_codes_are_distinct_and_wrong() {
        let mut device = device();
        let wrong = device.wrong_codes(1_000);
        assert_eq!(wrong.iter().collect::<HashSet<_>>().len(), 1_000);
        for _ in 0..=LOOK_AHEAD {
            assert!(!wrong.contains(&device.next_code()));
        }
    }
}
