//! Whose turn it is to send a message.

use crate::value::Value;

/// Which messages of a channel a route may claim: those for which it is the next that is up, in the order of the routes
/// and, after the last, from the first on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// The route's place in the order of its channel, from 0.
    pub position: u32,
    /// The place of the nearest route before it that is up.
    pub before: Option<u32>,
    /// The place of the last route that is up.
    pub last: u32,
    /// How many routes the channel has, up or not.
    pub of: u32,
}

impl Turn {
    /// The turn of the only route.
    pub const ONLY: Self = Self { position: 0, before: None, last: 0, of: 1 };

    /// What a message has passed once this route has claimed it, from what it had passed before.
    pub fn passed(self, before: u32) -> u32 {
        let of = self.of.max(1);
        let (rounds, at) = (before / of, before % of);
        (rounds + u32::from(at > self.position)) * of + self.position + 1
    }

    /// The parameters of the statements: how many routes there are, and which places count.
    pub(crate) fn values(self) -> [Value; 4] {
        let (after, beyond) = match self.before {
            Some(before) => (i64::from(before), i64::from(self.of)),
            None => (-1, i64::from(self.last)),
        };
        [i64::from(self.of.max(1)), after, i64::from(self.position), beyond].map(Value::Int)
    }
}
