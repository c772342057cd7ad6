//! Who is at the other end of a connection, and how that was learnt.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The address of the client.
    pub address: PeerAddress,
    /// Where that address comes from.
    pub learnt: Learnt,
    /// What the TLS handshake settled; `None` on a plain connection. In a box, since every silent client pays for it.
    pub tls: Option<Box<Tls>>,
}

/// The address of a peer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PeerAddress {
    /// A TCP client.
    Ip(SocketAddr),
    /// A client on a Unix socket, with the user id that the kernel vouches for, where it does.
    Unix {
        /// The effective user id of the process at connect time.
        uid: Option<u32>,
    },
}

impl PeerAddress {
    /// Returns the IP address, with an IPv4-mapped IPv6 address as IPv4; `None` for a Unix socket.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(address.ip().to_canonical()),
            Self::Unix { .. } => None,
        }
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix { uid: Some(uid) } => write!(f, "unix:uid={uid}"),
            Self::Unix { uid: None } => f.write_str("unix"),
        }
    }
}

/// How a peer's address was learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Learnt {
    /// The kernel says so: it is the other end of the socket.
    Socket,
    /// A named proxy says so in a PROXY protocol header of this version (1 or 2).
    ProxyProtocol(u8),
}

/// What a TLS handshake settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The protocol chosen by ALPN, such as `h2` or `http/1.1`.
    pub alpn: Option<Vec<u8>>,
    /// The name the client asked for by SNI.
    pub server_name: Option<String>,
    /// The protocol version, such as `TLSv1.3`.
    pub version: &'static str,
}
