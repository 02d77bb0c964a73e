//! Looks names up and keeps back what must not be asked. The client connects to what this returns and looks
//! nothing up itself, so that a name cannot change its meaning after it was checked.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address;

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
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let mut allowed = Vec::new();
            let mut refusal = None;
            for address in found {
                match address::check(address.ip()) {
                    Err(not_public) if !allows_private => refusal = Some(not_public),
                    Ok(()) | Err(_) => allowed.push(address),
                }
            }
            match refusal {
                Some(not_public) if allowed.is_empty() => Err(not_public.into()),
                Some(_) | None => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}
