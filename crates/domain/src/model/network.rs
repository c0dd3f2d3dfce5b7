//! Networks as an operator writes them: `192.0.2.0/24`, `2001:db8::/32`, or one address.

use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A network. An IPv4 network written as mapped IPv6 (`::ffff:192.0.2.0/120`) is the IPv4 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// Not a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a network is written as 192.0.2.0/24 or 2001:db8::/32")]
pub struct BadNetwork;

impl Network {
    /// Whether an address is in it. A mapped IPv6 address is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                net.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(net), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                net.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| BadNetwork)?;
        let most: u8 = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or(BadNetwork)?,
            None => most,
        };
        Ok(match (address.to_canonical(), bits.checked_sub(MAPPED)) {
            (mapped @ IpAddr::V4(_), Some(bits)) if address.is_ipv6() => Self { address: mapped, bits },
            _ => Self { address, bits },
        })
    }
}

/// Bits of an IPv6 address before the IPv4 address that is mapped into it.
const MAPPED: u8 = 96;

impl TryFrom<String> for Network {
    type Error = BadNetwork;

    fn try_from(text: String) -> Result<Self, BadNetwork> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let holds =
            |network: &str, address: &str| network.parse::<Network>().unwrap().contains(address.parse().unwrap());
        assert!(holds("192.0.2.0/24", "192.0.2.255"));
        assert!(holds("192.0.2.0/24", "::ffff:192.0.2.1"));
        assert!(!holds("192.0.2.0/24", "192.0.3.0"));
        assert!(holds("0.0.0.0/0", "203.0.113.9"));
        assert!(!holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(!holds("2001:db8::/32", "2001:db9::1"));
        assert!(holds("192.0.2.7", "192.0.2.7") && !holds("192.0.2.7", "192.0.2.8"));
    }

    #[test]
    fn a_network_has_both_spellings_of_an_address() {
        let read = |text: &str| text.parse::<Network>().unwrap();
        assert_eq!(read("::ffff:192.0.2.0/120"), read("192.0.2.0/24"));
        assert_eq!(read("::ffff:192.0.2.7"), read("192.0.2.7"));
        assert!(read("::ffff:192.0.2.0/120").contains("192.0.2.9".parse().unwrap()));
        assert!(!read("::/0").contains("192.0.2.9".parse().unwrap()));
        let stored = serde_json::to_string(&[read("192.0.2.0/24"), read("2001:db8::/32")]).unwrap();
        assert_eq!(stored, r#"["192.0.2.0/24","2001:db8::/32"]"#);
        assert_eq!(serde_json::from_str::<Vec<Network>>(&stored).unwrap()[0], read("192.0.2.0/24"));
    }

    #[test]
    fn what_is_not_a_network_is_refused() {
        for bad in ["", "192.0.2.0/33", "192.0.2/24", "::/129", "a/8", "192.0.2.0/"] {
            assert_eq!(bad.parse::<Network>(), Err(BadNetwork), "{bad}");
        }
    }
}
