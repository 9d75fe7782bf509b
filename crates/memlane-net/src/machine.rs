//! What this machine is called, which addresses are its own, and which one to tell others.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs, UdpSocket};

use crate::protocol::DEFAULT_PORT;

/// An address of a network that exists in documentation only. The system says from where it would send
/// there; nothing is sent.
const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);

/// What the machine calls itself.
pub fn name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Whether the address is this machine's: only then can something be bound to it.
///
/// ```
/// # use memlane_net::machine::is_local;
/// assert!(is_local("127.0.0.1".parse().unwrap()));
/// assert!(!is_local("192.0.2.1".parse().unwrap()));
/// ```
pub fn is_local(address: IpAddr) -> bool {
    UdpSocket::bind((address.to_canonical(), 0)).is_ok()
}

/// The address to tell others of a host that listens on `listening`: that one if it is a certain one, else the one
/// from which this machine reaches the world, else the one its name has, else the loopback.
pub fn reached_at(listening: SocketAddr) -> SocketAddr {
    if !listening.ip().is_unspecified() {
        return listening;
    }
    let ip = towards_elsewhere().or_else(of_name).unwrap_or(Ipv4Addr::LOCALHOST.into());
    SocketAddr::new(ip, listening.port())
}

/// Where `ADDRESS[:PORT]` is, for who wants to listen there; without a port at the usual one. Or why it is no such
/// place.
///
/// ```
/// # use memlane_net::machine::listening;
/// assert_eq!(listening("0.0.0.0"), Ok("0.0.0.0:7440".parse().unwrap()));
/// assert_eq!(listening("[::1]:80"), Ok("[::1]:80".parse().unwrap()));
/// assert!(listening("nowhere at all").is_err());
/// ```
pub fn listening(place: &str) -> Result<SocketAddr, String> {
    if let Ok(ip) = place.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok((ip, DEFAULT_PORT).into());
    }
    let addresses =
        if place.contains(':') { place.to_socket_addrs() } else { (place, DEFAULT_PORT).to_socket_addrs() };
    let advice = "expected an address of this machine, as `0.0.0.0`, `192.168.1.5:7440` or `[::1]:7440`";
    let refused = |why: String| format!("`{place}` is no place to listen: {why}; {advice}");
    let found = addresses.map_err(|error| refused(error.to_string()))?.next();
    found.ok_or_else(|| refused("the name has no address".into()))
}

fn towards_elsewhere() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(ELSEWHERE).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

fn of_name() -> Option<IpAddr> {
    let mut addresses = (name().as_str(), 0).to_socket_addrs().ok()?;
    addresses.find(SocketAddr::is_ipv4).map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shown_address_is_this_machine_s() {
        let reached = reached_at((Ipv4Addr::UNSPECIFIED, 7440).into());
        assert!(is_local(reached.ip()) && reached.port() == 7440);
        assert!(of_name().is_none_or(is_local));
        let certain = "192.0.2.7:7440".parse().unwrap();
        assert_eq!(reached_at(certain), certain);
    }

    #[test]
    fn all_of_the_loopback_is_local() {
        for address in ["127.0.0.1", "127.1.2.3", "::ffff:127.0.0.1"] {
            assert!(is_local(address.parse().unwrap()), "{address}");
        }
    }
}
