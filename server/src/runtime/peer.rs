//! Who is at the other end of a connection.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The other end of a connection. Lives in the connection's task; copied into traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A TCP address. IPv4-mapped IPv6 addresses are already unmapped.
    Tcp(SocketAddr),
    /// A local process on a UNIX socket, with its user id as the kernel tells it (SO_PEERCRED).
    Unix {
        /// User id of the process that connected, where known.
        uid: Option<u32>,
    },
}

impl Peer {
    /// The address as clients and traces know it: `::ffff:192.0.2.1` becomes `192.0.2.1`.
    pub fn tcp(address: SocketAddr) -> Self {
        Peer::Tcp(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }

    /// The IP address, if there is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Peer::Tcp(address) => Some(address.ip()),
            Peer::Unix { .. } => None,
        }
    }

    /// Whether the bytes never leave this machine, so that plaintext logins are harmless.
    pub fn is_local(&self) -> bool {
        match self {
            Peer::Tcp(address) => address.ip().is_loopback(),
            Peer::Unix { .. } => true,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Tcp(address) => address.fmt(formatter),
            Peer::Unix { uid: Some(uid) } => write!(formatter, "unix:uid={uid}"),
            Peer::Unix { uid: None } => formatter.write_str("unix"),
        }
    }
}
