//! What an operator may set and decisions obey. The guess limits are not here: they are fixed in [`crate::throttle`].

use crate::factor::FactorKind;

/// The rules in force.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Factors that can be enrolled and challenged: those whose last hop works (rulings 5).
    pub factors: Vec<FactorKind>,
    /// Country prefixes that may receive text messages and calls, as `+1`. None by default (SEC 18).
    pub country_prefixes: Vec<String>,
    /// Whether the message limits of SEC 33 are enforced.
    pub message_limits: bool,
    /// The account's name in `otpauth` addresses.
    pub issuer: String,
}

impl Policy {
    /// Whether devices of this kind can be enrolled and challenged.
    pub fn offers(&self, factor: FactorKind) -> bool {
        self.factors.contains(&factor)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            factors: vec![FactorKind::Totp, FactorKind::Hotp],
            country_prefixes: Vec::new(),
            message_limits: true,
            issuer: "Countersign".to_owned(),
        }
    }
}
