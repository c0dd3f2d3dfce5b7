//! Which addresses this server may call when a caller or a browser names the URL (SEC 69).
//!
//! The address is judged after resolution, and it is the very address that is then connected to: a name can resolve to
//! another address at any time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far an outbound call may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses only, over TLS only.
    Public,
    /// The installation's own network too, and loopback, there also without TLS.
    Private,
}

/// Whether a call may go to this address. Whatever the reach, it never goes to a link-local address or a cloud's
/// metadata service, to a multicast or reserved address, or to one that wraps another (mapped, NAT64, 6to4, Teredo): those
/// would carry it past this very judgement.
pub fn may_call(address: IpAddr, reach: Reach) -> bool {
    let kind = match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    };
    match kind {
        Kind::Public => true,
        Kind::Own => reach == Reach::Private,
        Kind::Never => false,
    }
}

/// Whether a call to this address may do without TLS.
pub fn may_be_plain(address: IpAddr, reach: Reach) -> bool {
    reach == Reach::Private && address.is_loopback() && may_call(address, reach)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Public,
    /// Loopback, and the private ranges of RFC 1918, RFC 6598 and RFC 4193.
    Own,
    Never,
}

/// Where clouds answer for themselves though the range is somebody's: Azure, Alibaba.
const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200)];
/// The same in IPv6: Amazon, Google.
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// By the registry of special addresses (RFC 6890 and what followed).
fn kind_v4(address: Ipv4Addr) -> Kind {
    if METADATA_V4.contains(&address) {
        return Kind::Never;
    }
    match address.octets() {
        [10 | 127, ..] | [192, 168, ..] => Kind::Own,
        [172, b, ..] if (16..32).contains(&b) => Kind::Own,
        [100, b, ..] if (64..128).contains(&b) => Kind::Own,
        // This network, link-local (where metadata lives), protocol assignments, documentation, the relay of 6to4,
        // benchmarks, multicast, reserved and broadcast.
        [0 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Kind::Never,
        _ => Kind::Public,
    }
}

/// Only global unicast is public, but for what wraps IPv4 or is for documents.
fn kind_v6(address: Ipv6Addr) -> Kind {
    if METADATA_V6.contains(&address) {
        return Kind::Never;
    }
    if address == Ipv6Addr::LOCALHOST {
        return Kind::Own;
    }
    match address.segments() {
        [a, ..] if a & 0xfe00 == 0xfc00 => Kind::Own,
        // Teredo and other protocol assignments, documentation, 6to4.
        [0x2001, 0..0x200 | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..0x1000, ..] => Kind::Never,
        [a, ..] if a & 0xe000 == 0x2000 => Kind::Public,
        _ => Kind::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_called_and_its_own_if_asked() {
        let table: [(Kind, &[&str]); 3] = [
            (
                Kind::Public,
                &[
                    "1.1.1.1",
                    "93.184.216.34",
                    "172.15.0.1",
                    "172.32.0.1",
                    "100.63.0.1",
                    "100.128.0.1",
                    "192.0.1.1",
                    "198.20.0.1",
                    "223.255.255.255",
                    "2606:4700::1111",
                    "2a00:1450::1",
                    "2001:200::1",
                ],
            ),
            (
                Kind::Own,
                &[
                    "10.0.0.1",
                    "127.0.0.1",
                    "127.9.9.9",
                    "172.16.0.1",
                    "172.31.255.255",
                    "192.168.1.1",
                    "100.64.0.1",
                    "::1",
                    "fc00::1",
                    "fd12:3456::1",
                ],
            ),
            (
                Kind::Never,
                &[
                    "0.0.0.0",
                    "0.1.2.3",
                    "169.254.169.254",
                    "169.254.0.1",
                    "168.63.129.16",
                    "100.100.100.200",
                    "192.0.0.1",
                    "192.0.2.1",
                    "192.88.99.1",
                    "198.18.0.1",
                    "198.51.100.1",
                    "203.0.113.1",
                    "224.0.0.1",
                    "239.255.255.255",
                    "240.0.0.1",
                    "255.255.255.255",
                    "::",
                    "::ffff:10.0.0.1",
                    "::ffff:1.1.1.1",
                    "::127.0.0.1",
                    "64:ff9b::a00:1",
                    "64:ff9b:1::1",
                    "100::1",
                    "2001::1",
                    "2001:10::1",
                    "2001:db8::1",
                    "2002:a00:1::1",
                    "3fff::1",
                    "fe80::1",
                    "fec0::1",
                    "ff02::1",
                    "fd00:ec2::254",
                    "fd20:ce::254",
                ],
            ),
        ];
        for (kind, addresses) in table {
            for text in addresses {
                let address: IpAddr = text.parse().unwrap();
                assert_eq!(may_call(address, Reach::Public), kind == Kind::Public, "{text}");
                assert_eq!(may_call(address, Reach::Private), kind != Kind::Never, "{text}");
                assert!(!may_be_plain(address, Reach::Public), "{text}");
                let loopback = matches!(*text, "127.0.0.1" | "127.9.9.9" | "::1");
                assert_eq!(may_be_plain(address, Reach::Private), loopback, "{text}");
            }
        }
    }
}
