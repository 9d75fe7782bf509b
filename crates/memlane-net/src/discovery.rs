//! Hosts that say by mDNS where they are, for those who do not know an address.
//!
//! Whoever is in the same network can see and say such things: what is found is a place to try, with the token and the
//! fingerprint that come from elsewhere.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use mdns_sd::{ResolvedService, ScopedIp, ServiceDaemon, ServiceEvent, ServiceInfo};

use crate::protocol::VERSION;

/// The service as DNS names it.
const SERVICE: &str = "_memlane._tcp.local.";
const PROTOCOL: &str = "protocol";
const TLS: &str = "tls";
/// How long a host that ends takes to say so.
const GOODBYE: Duration = Duration::from_millis(200);

/// Why nothing can be said or heard.
#[derive(Debug, thiserror::Error)]
#[error("no mDNS: {0}; is there a network?")]
pub struct DiscoveryError(#[from] mdns_sd::Error);

/// A host that says where it is, until this is dropped.
pub struct Announcement {
    daemon: ServiceDaemon,
    name: String,
}

impl Announcement {
    /// Says that `machine` has a host at `address`; at an unspecified one, on all its networks.
    pub fn new(machine: &str, address: SocketAddr, tls: bool) -> Result<Self, DiscoveryError> {
        let (host, version) = (machine.split('.').next().unwrap_or(machine), VERSION.to_string());
        let properties = [(PROTOCOL, version.as_str()), (TLS, if tls { "1" } else { "0" })];
        let instance = format!("{host} {}", address.port());
        let name = format!("{host}.local.");
        let ip = address.ip();
        let service = if ip.is_unspecified() {
            ServiceInfo::new(SERVICE, &instance, &name, "", address.port(), &properties[..])?
                .enable_addr_auto()
        } else {
            ServiceInfo::new(SERVICE, &instance, &name, ip, address.port(), &properties[..])?
        };
        let name = service.get_fullname().to_owned();
        let daemon = ServiceDaemon::new()?;
        daemon.register(service)?;
        Ok(Self { daemon, name })
    }
}

impl std::fmt::Debug for Announcement {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Announcement({})", self.name)
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        if let Ok(done) = self.daemon.unregister(&self.name) {
            let _ = done.recv_timeout(GOODBYE);
        }
        let _ = self.daemon.shutdown();
    }
}

/// A host that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The machine, as it calls itself.
    pub machine: String,
    /// Where to connect, IPv4 first.
    pub addresses: Vec<SocketAddr>,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// The version of the protocol.
    pub protocol: u32,
}

/// Listens for so long who is there.
///
/// ```no_run
/// for host in memlane_net::discovery::discover(std::time::Duration::from_secs(2))? {
///     println!("{} at {:?}", host.machine, host.addresses);
/// }
/// # Ok::<(), memlane_net::discovery::DiscoveryError>(())
/// ```
pub fn discover(wait: Duration) -> Result<Vec<Found>, DiscoveryError> {
    let daemon = ServiceDaemon::new()?;
    let events = daemon.browse(SERVICE)?;
    let deadline = Instant::now() + wait;
    let mut found = BTreeMap::new();
    while let Ok(event) = events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        match event {
            ServiceEvent::ServiceResolved(service) => {
                drop(found.insert(service.fullname.clone(), of(&service)))
            }
            ServiceEvent::ServiceRemoved(_, name) => drop(found.remove(&name)),
            _ => {}
        }
    }
    let _ = daemon.shutdown();
    Ok(found.into_values().collect())
}

fn of(service: &ResolvedService) -> Found {
    let property = |name| service.get_property_val_str(name);
    let mut ips: Vec<IpAddr> = service.addresses.iter().map(ScopedIp::to_ip_addr).collect();
    ips.sort_unstable();
    Found {
        machine: service.host.trim_end_matches('.').trim_end_matches(".local").to_owned(),
        addresses: ips.into_iter().map(|ip| (ip, service.port).into()).collect(),
        tls: property(TLS) == Some("1"),
        protocol: property(PROTOCOL).and_then(|version| version.parse().ok()).unwrap_or(0),
    }
}
