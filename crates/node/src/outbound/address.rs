//! Which addresses belong to the public Internet: by the registries of RFC 6890 and what was added to them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address that must not be asked, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address} is not public ({kind}); outbound.allow_private allows such addresses")]
pub(super) struct NotPublic {
    address: IpAddr,
    kind: &'static str,
}

/// IPv4 networks that are not public: first address, bits, what they are for.
const NETWORKS: [(Ipv4Addr, u32, &str); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8, "this host"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by a carrier"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// Whether the address is public.
///
/// # Errors
/// What it is instead.
pub(super) fn check(address: IpAddr) -> Result<(), NotPublic> {
    let kind = match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    };
    kind.map_or(Ok(()), |kind| Err(NotPublic { address, kind }))
}

fn kind_v4(address: Ipv4Addr) -> Option<&'static str> {
    let is_in =
        |(first, bits, _): &&(Ipv4Addr, u32, &str)| (address.to_bits() ^ first.to_bits()).leading_zeros() >= *bits;
    NETWORKS.iter().find(is_in).map(|(_, _, kind)| *kind)
}

fn kind_v6(address: Ipv6Addr) -> Option<&'static str> {
    let [first, second, third, ..] = address.segments();
    if let Some(embedded) = embedded_v4(address) {
        return kind_v4(embedded);
    }
    match (first, second, third) {
        (0, ..) => Some("loopback, unspecified or reserved"),
        (0xfc00..=0xfdff, ..) => Some("unique local"),
        (0xfe80..=0xfebf, ..) => Some("link-local"),
        (0xff00..=0xffff, ..) => Some("multicast"),
        (0x2001, 0x0db8, _) | (0x3fff, 0..=0x0fff, _) => Some("documentation"),
        // Tunnels: what is at their other end cannot be told.
        (0x2002, ..) | (0x2001, 0..=0x01ff, _) => Some("tunnel or reserved"),
        (0x2000..=0x3fff, ..) => None,
        _ => Some("reserved"),
    }
}

/// The IPv4 address that a mapped or a NAT64 address (RFC 6052) stands for.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., high, low] = address.segments();
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    let is_nat64 = address.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    address.to_ipv4_mapped().or(is_nat64.then_some(Ipv4Addr::new(a, b, c, d)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_told_from_all_others() {
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860::8888",
            "2001:200::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "3fff:1000::1",
        ] {
            assert_eq!(check(public.parse().unwrap()), Ok(()), "{public}");
        }
        for other in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::10.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(check(other.parse().unwrap()).is_err(), "{other}");
        }
    }

    #[test]
    fn a_refusal_names_the_address_and_the_setting() {
        let refusal = check("169.254.169.254".parse().unwrap()).unwrap_err().to_string();
        assert_eq!(refusal, "169.254.169.254 is not public (link-local); outbound.allow_private allows such addresses");
    }
}
