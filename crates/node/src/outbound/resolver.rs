//! Looks names up and keeps back what must not be asked. The client connects to what this returns and looks
//! nothing up itself, so that a name cannot change its meaning after it was checked.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{self, NotPublic};

/// See the module.
pub(super) struct PublicOnly {
    /// Whether addresses that are not public may be asked too.
    pub(super) allows_private: bool,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let allows_private = self.allows_private;
        Box::pin(async move {
            // The client puts the URL's port in.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed = if allows_private { found.collect() } else { public(found)? };
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Those that are public. A name with addresses of both kinds is asked at its public ones.
///
/// # Errors
/// There are others only.
fn public(found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, NotPublic> {
    let mut allowed = Vec::new();
    let mut refusal = None;
    for address in found {
        match address::check(address.ip()) {
            Ok(()) => allowed.push(address),
            Err(not_public) => refusal = Some(not_public),
        }
    }
    refusal.filter(|_| allowed.is_empty()).map_or(Ok(allowed), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(addresses: &[&str]) -> impl Iterator<Item = SocketAddr> {
        addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn a_name_is_asked_at_its_public_addresses_only() {
        let mixed = public(found(&["10.0.0.1", "1.1.1.1", "::1", "2606:4700::1111"])).unwrap();
        assert_eq!(mixed, found(&["1.1.1.1", "2606:4700::1111"]).collect::<Vec<_>>());
        assert!(public(found(&["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"])).is_err());
        assert_eq!(public(found(&[])), Ok(Vec::new()));
    }
}
