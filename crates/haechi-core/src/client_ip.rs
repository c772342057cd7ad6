//! Who a request comes from, and how that was learnt.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address of the client, with its source: an address is only as true as whoever told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientIp {
    address: Option<IpAddr>,
    source: ClientIpSource,
}

/// How a [`ClientIp`] was learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientIpSource {
    /// From our own socket.
    Socket,
    /// From the PROXY protocol of a named proxy.
    ProxyProtocol,
    /// From a `Forwarded` or `X-Forwarded-For` field of a named proxy.
    Forwarded,
}

impl ClientIp {
    /// Takes an address and its source; an IPv4 address written as IPv6 counts as IPv4.
    #[must_use]
    pub fn new(address: IpAddr, source: ClientIpSource) -> Self {
        Self { address: Some(address.to_canonical()), source }
    }

    /// The client of a Unix socket, which has no address.
    #[must_use]
    pub const fn unix_socket() -> Self {
        Self { address: None, source: ClientIpSource::Socket }
    }

    /// Returns the address; `None` for a Unix socket.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Returns how the address was learnt.
    #[must_use]
    pub const fn source(&self) -> ClientIpSource {
        self.source
    }

    /// Returns the network that limits count by.
    #[must_use]
    pub fn network(&self) -> ClientNetwork {
        ClientNetwork(self.address.map(|address| match address {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        }))
    }
}

impl fmt::Display for ClientIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => address.fmt(f),
            None => f.write_str("unix"),
        }
    }
}

/// One client as limits count it: an IPv4 address, or the /64 that a provider gives to one IPv6 customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientNetwork(Option<IpAddr>);

impl ClientNetwork {
    /// Returns the 16 bytes that stand for this network: IPv4 addresses as `::ffff:a.b.c.d`, Unix sockets as zeros.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        match self.0 {
            None => [0; 16],
            Some(IpAddr::V4(address)) => address.to_ipv6_mapped().octets(),
            Some(IpAddr::V6(address)) => address.octets(),
        }
    }
}

impl fmt::Display for ClientNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("unix"),
            Some(IpAddr::V4(address)) => write!(f, "{address}/32"),
            Some(IpAddr::V6(address)) => write!(f, "{address}/64"),
        }
    }
}

impl From<Ipv4Addr> for ClientIp {
    fn from(address: Ipv4Addr) -> Self {
        Self::new(address.into(), ClientIpSource::Socket)
    }
}

impl From<IpAddr> for ClientIp {
    fn from(address: IpAddr) -> Self {
        Self::new(address, ClientIpSource::Socket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_one_customer_each() {
        #[track_caller]
        fn check(address: &str, expected: &str) {
            let client = ClientIp::from(address.parse::<IpAddr>().unwrap());
            assert_eq!(client.network().to_string(), expected);
        }
        check("192.0.2.7", "192.0.2.7/32");
        check("::ffff:192.0.2.7", "192.0.2.7/32");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64");
        check("2001:db8:1:2::", "2001:db8:1:2::/64");
        check("::1", "::/64");
        assert_eq!(ClientIp::unix_socket().network().to_string(), "unix");
        assert_eq!(ClientIp::unix_socket().to_string(), "unix");
    }

    #[test]
    fn different_networks_have_different_bytes() {
        let bytes = |address: &str| ClientIp::from(address.parse::<IpAddr>().unwrap()).network().to_bytes();
        assert_ne!(bytes("192.0.2.7"), bytes("192.0.2.8"));
        assert_ne!(bytes("2001:db8:0:1::1"), bytes("2001:db8:0:2::1"));
        assert_eq!(bytes("2001:db8:0:1::1"), bytes("2001:db8:0:1:ffff::1"));
    }
}
