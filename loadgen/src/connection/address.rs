//! Socket addresses as the kernel reads them.

use std::net::{IpAddr, SocketAddr};

/// One address, in the kernel's shape.
pub enum Address {
    V4(libc::sockaddr_in),
    V6(libc::sockaddr_in6),
}

impl Address {
    /// The kernel's shape of `address`.
    pub fn new(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(address) => Self::V4(libc::sockaddr_in {
                sin_family: family(libc::AF_INET),
                sin_port: address.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(address.ip().octets()),
                },
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(address) => Self::V6(libc::sockaddr_in6 {
                sin6_family: family(libc::AF_INET6),
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: address.ip().octets(),
                },
                sin6_scope_id: address.scope_id(),
            }),
        }
    }

    /// A source: the address alone, the port is the kernel's choice.
    pub fn source(address: IpAddr) -> Self {
        Self::new(SocketAddr::new(address, 0))
    }

    /// The family of sockets that take it.
    pub fn domain(&self) -> libc::c_int {
        match self {
            Self::V4(_) => libc::AF_INET,
            Self::V6(_) => libc::AF_INET6,
        }
    }

    /// Where it lies, and how long it is.
    pub fn raw(&self) -> (*const libc::sockaddr, libc::socklen_t) {
        let (address, length) = match self {
            Self::V4(address) => ((&raw const *address).cast(), size_of_val(address)),
            Self::V6(address) => ((&raw const *address).cast(), size_of_val(address)),
        };
        (address, libc::socklen_t::try_from(length).unwrap_or(0))
    }
}

fn family(domain: libc::c_int) -> libc::sa_family_t {
    libc::sa_family_t::try_from(domain).unwrap_or(0)
}
