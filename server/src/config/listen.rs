//! Sockets with rules of their own, and what holds for all addresses together.

use std::net::SocketAddr;

use crate::net::network::Networks;

use super::reader::{Fields, Need, Reader};
use super::{Listen, ListenSocket, Protocol};

/// What a list of networks looks like.
pub(super) const NETWORKS: &str =
    "addresses and networks with commas between them, such as \"192.0.2.0/24, 2001:db8::1\"";

pub(super) fn sockets(reader: &mut Reader<'_>) -> Vec<ListenSocket> {
    let fields = [
        ("address", Need::Required),
        ("protocol", Need::Optional),
        ("tls", Need::Optional),
        ("allow", Need::Optional),
        ("deny", Need::Optional),
        ("proxy_from", Need::Optional),
    ];
    let tables = reader.tables("listen.sockets", &fields);
    let sockets = tables.unwrap_or_default().into_iter();
    sockets.filter_map(|table| socket(reader, &table)).collect()
}

fn socket(reader: &mut Reader<'_>, table: &Fields<'_>) -> Option<ListenSocket> {
    let Ok(address) = table.string(reader, "address").parse() else {
        reader.refuse(
            "listen.sockets",
            "an address with a port is missing or wrong",
        );
        return None;
    };
    let protocol = match table.string(reader, "protocol").as_str() {
        "" | "imap" => Protocol::Imap,
        "lmtp" => Protocol::Lmtp,
        _ => {
            reader.refuse("listen.sockets", "protocol is \"imap\" or \"lmtp\"");
            return None;
        }
    };
    let tls = table.boolean(reader, "tls", false);
    if tls && protocol == Protocol::Lmtp {
        reader.refuse("listen.sockets", "LMTP has no TLS here");
    }
    let mut networks = |name| {
        let text = table.string(reader, name);
        Networks::parse(&text).unwrap_or_else(|| {
            reader.refuse("listen.sockets", &format!("{name}: expected {NETWORKS}"));
            Networks::default()
        })
    };
    Some(ListenSocket {
        address,
        protocol,
        tls,
        allow: networks("allow"),
        deny: networks("deny"),
        proxy_from: networks("proxy_from"),
    })
}

/// A port may be there twice with different addresses of this machine, but not once for all of
/// them and once for one: which socket got a connection would depend on the kernel.
pub(super) fn check_ports(reader: &mut Reader<'_>, listen: &Listen) {
    let named = [
        ("listen.imap", listen.imap.as_slice()),
        ("listen.imaps", listen.imaps.as_slice()),
        ("listen.lmtp", listen.lmtp.as_slice()),
    ];
    let named = named.into_iter();
    let mut all: Vec<(&'static str, SocketAddr)> = named
        .flat_map(|(key, addresses)| addresses.iter().map(move |address| (key, *address)))
        .collect();
    let sockets = listen.sockets.iter();
    all.extend(sockets.map(|socket| ("listen.sockets", socket.address)));
    for (at, (key, address)) in all.iter().enumerate() {
        let mut before = all.iter().take(at);
        if let Some((other, _)) = before.find(|(_, before)| overlap(address, before)) {
            reader.refuse(key, &format!("{address} is listened on by {other} already"));
        }
    }
}

/// Port 0 is any free one, each time another.
fn overlap(one: &SocketAddr, other: &SocketAddr) -> bool {
    one.port() == other.port()
        && one.port() != 0
        && one.is_ipv4() == other.is_ipv4()
        && (one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified())
}
