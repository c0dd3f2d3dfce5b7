//! How a call of a route counts in the account's quota (contract 1.8). The route table names it for each route that differs
//! from the usual call. What a call costs its client's rate beyond one is known only once it was answered
//! ([`crate::bursts::Bursts::charge`]).

/// How a call counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Whether it may go on out of the reserve when the hour's quota is used up.
    pub has_reserve: bool,
}

impl Cost {
    /// The usual call.
    pub const CALL: Self = Self { has_reserve: false };
    /// What people wait for: logging in, and sending and judging codes.
    pub const LOG_IN: Self = Self { has_reserve: true };
}
