//! A visit: the network and the browser of a log-in, remembered as digests for Smart MFA (contract 8).

use serde::{Deserialize, Serialize};
use std::net::IpAddr;

use crate::model::digest::Digest;
use crate::model::id::VerificationId;
use crate::model::time::Timestamp;

/// From where and with what: digests, so that the profile holds neither addresses nor names of browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The network: an IPv4 address, or the first 64 bits of an IPv6 address, the rest of which changes by the day.
    pub(crate) ip: i64,
    /// The user agent.
    pub(crate) agent: i64,
}

impl Visit {
    /// A visit from an address with a user agent.
    pub fn of(ip: IpAddr, agent: &str) -> Self {
        let network = match ip.to_canonical() {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets()[..8].to_vec(),
        };
        Self { ip: short(&network), agent: short(agent.as_bytes()) }
    }
}

fn short(bytes: &[u8]) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&Digest::of(bytes).0[..8]);
    i64::from_be_bytes(first)
}

/// A visit that is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// From where and with what.
    pub visit: Visit,
    /// When it was last made.
    pub at: Timestamp,
    /// The challenge that must be answered before it counts; `None` once it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaits: Option<VerificationId>,
}
