//! What messages to telephones cost, and which of them were answered, as the store answers it.

use domain::{Channel, Charge, ClientId, Timestamp};

/// A message to a telephone that was handed over. It names no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentMessage {
    /// When it was queued.
    pub at: Timestamp,
    /// What it was counted for, and what it cost.
    pub charge: Charge,
    /// Whether it was answered with the right code.
    pub is_verified: bool,
}

/// What messages to telephones cost that went over one provider and channel to one country for one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spending {
    /// The provider that took them; none where it is unknown whether one did.
    pub provider: Option<String>,
    pub channel: Channel,
    /// The country of the numbers.
    pub country: String,
    /// The client that had them sent, if one had.
    pub client: Option<ClientId>,
    /// How many messages.
    pub messages: u64,
    /// How many of them were answered with the right code.
    pub verified: u64,
    /// What they cost, or may have, in micro-units.
    pub micros: i64,
}
