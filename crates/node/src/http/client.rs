//! The address that a request comes from, which a proxy in between may tell.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::HttpRequest;

use crate::config::Network;

/// What proxies append the address of their peer to.
const FORWARDED: &str = "x-forwarded-for";

/// The client's address: the peer's, or what a trusted peer says. None only without a network.
pub(crate) fn address(request: &HttpRequest, trusted: &[Network]) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let headers: Vec<&str> =
        request.headers().get_all(FORWARDED).map(|value| value.to_str().unwrap_or_default()).collect();
    Some(behind(peer, &headers, trusted))
}

/// Whether somebody says of whom this is, and is not trusted to.
pub(crate) fn is_distrusted(request: &HttpRequest, trusted: &[Network]) -> bool {
    let peer = request.peer_addr().map(|peer| peer.ip());
    request.headers().contains_key(FORWARDED) && !peer.is_some_and(|peer| is_in(peer, trusted))
}

/// Whoever is counted as one: an address, or a whole network that IPv6 gives to one customer.
pub(crate) fn counted_as(address: IpAddr) -> IpAddr {
    const CUSTOMER: u128 = u128::MAX << 64;
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & CUSTOMER)),
    }
}

/// The rightmost address that no trusted proxy has: what stands left of it, anybody may have written.
fn behind(peer: IpAddr, headers: &[&str], trusted: &[Network]) -> IpAddr {
    let mut client = peer;
    let mut told = headers.iter().rev().flat_map(|header| header.rsplit(','));
    while is_in(client, trusted)
        && let Some(next) = told.next().and_then(parse)
    {
        client = next;
    }
    client
}

fn is_in(address: IpAddr, networks: &[Network]) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// Some proxies add a port.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse().ok().map(|address: std::net::SocketAddr| address.ip());
    text.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rightmost_address_that_is_not_trusted_is_the_client() {
        let trusted = ["10.0.0.0/8", "::1"].map(|text| Network::try_from(text.to_owned()).unwrap());
        for (peer, headers, client) in [
            ("192.0.2.1", &[][..], "192.0.2.1"),
            ("192.0.2.1", &["198.51.100.1"], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("::1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", &["203.0.113.9, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.9", "198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["198.51.100.1, nonsense, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["10.0.0.3,10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &[""], "10.0.0.1"),
        ] {
            let found = behind(peer.parse().unwrap(), headers, &trusted);
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{peer} {headers:?}");
        }
    }

    #[test]
    fn ipv6_is_counted_by_network() {
        let counted = |text: &str| counted_as(text.parse().unwrap()).to_string();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(counted("192.0.2.1"), "192.0.2.1");
    }
}
