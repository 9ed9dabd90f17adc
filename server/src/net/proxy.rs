//! The header of the PROXY protocol, versions 1 and 2: a load balancer says whose connection it
//! forwards.
//!
//! Exactly the header is read, nothing behind it: what follows may be a TLS handshake. Parsed here
//! and not by a library, as those there are want a buffer that they may read beyond the header.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::runtime::Stream;

#[cfg(test)]
mod tests;

/// What version 2 begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// What version 1 begins with, and its longest line with the end, as its text says.
const V1_BEGIN: &[u8] = b"PROXY ";
const V1_BYTES_MAX: usize = 107;

/// Bytes of addresses and extensions in version 2: certificates' names are the longest that
/// balancers add.
const V2_BYTES_MAX: usize = 4096;

/// Why there is no header.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The connection failed or ended.
    #[error("the connection ended in the PROXY header: {0}")]
    Connection(#[from] io::Error),
    /// Something else came.
    #[error("no PROXY header: {0}")]
    Malformed(&'static str),
}

/// Reads the header. The client's address, or `None` where the balancer speaks for itself (its own
/// checks) or for a client whose address is of no kind that we know.
pub async fn read_header<S: Stream>(stream: &mut S) -> Result<Option<SocketAddr>, ProxyError> {
    let mut begin = [0; SIGNATURE.len()];
    read_exact(stream, &mut begin).await?;
    if begin == SIGNATURE {
        return read_v2(stream).await;
    }
    if !begin.starts_with(V1_BEGIN) {
        return Err(ProxyError::Malformed("neither version 1 nor version 2"));
    }
    let mut line = begin.to_vec();
    while !line.ends_with(b"\n") {
        if line.len() >= V1_BYTES_MAX {
            return Err(ProxyError::Malformed("line too long"));
        }
        let mut byte = [0];
        read_exact(stream, &mut byte).await?;
        line.extend_from_slice(&byte);
    }
    parse_v1(&line)
}

async fn read_v2<S: Stream>(stream: &mut S) -> Result<Option<SocketAddr>, ProxyError> {
    let mut head = [0; 4];
    read_exact(stream, &mut head).await?;
    let [version_and_command, family, high, low] = head;
    let bytes = usize::from(u16::from_be_bytes([high, low]));
    if bytes > V2_BYTES_MAX {
        return Err(ProxyError::Malformed("header too long"));
    }
    let mut body = vec![0; bytes];
    read_exact(stream, &mut body).await?;
    parse_v2(version_and_command, family, &body)
}

/// `PROXY TCP4 source destination port port`, up to its CRLF.
fn parse_v1(line: &[u8]) -> Result<Option<SocketAddr>, ProxyError> {
    let malformed = ProxyError::Malformed;
    let line = line.strip_suffix(b"\r\n").ok_or(malformed("line end"))?;
    let line = std::str::from_utf8(line).map_err(|_| malformed("not ASCII"))?;
    let mut words = line.split(' ').skip(1);
    let family = words.next();
    if family == Some("UNKNOWN") {
        // Whatever follows is to be ignored.
        return Ok(None);
    }
    let words: Vec<&str> = words.collect();
    let [source, destination, source_port, destination_port] = words.as_slice() else {
        return Err(malformed("number of words"));
    };
    let source: IpAddr = source.parse().map_err(|_| malformed("source address"))?;
    let destination: IpAddr = destination
        .parse()
        .map_err(|_| malformed("destination address"))?;
    let of_family = match family {
        Some("TCP4") => source.is_ipv4() && destination.is_ipv4(),
        Some("TCP6") => source.is_ipv6() && destination.is_ipv6(),
        _ => return Err(malformed("address family")),
    };
    if !of_family {
        return Err(malformed("address of another family"));
    }
    port(destination_port).ok_or(malformed("destination port"))?;
    let port = port(source_port).ok_or(malformed("source port"))?;
    Ok(Some(SocketAddr::new(source, port)))
}

/// Digits alone: no sign, as `parse` would take.
fn port(text: &str) -> Option<u16> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn parse_v2(
    version_and_command: u8,
    family: u8,
    body: &[u8],
) -> Result<Option<SocketAddr>, ProxyError> {
    match version_and_command {
        // LOCAL: the balancer itself, whatever else it says.
        0x20 => return Ok(None),
        0x21 => {}
        _ => return Err(ProxyError::Malformed("version or command")),
    }
    let short = ProxyError::Malformed("addresses cut short");
    match family {
        0x11 => {
            let (source, rest) = body.split_first_chunk::<4>().ok_or(short)?;
            let port = source_port::<4>(rest)?;
            Ok(Some(SocketAddr::new(Ipv4Addr::from(*source).into(), port)))
        }
        0x21 => {
            let (source, rest) = body.split_first_chunk::<16>().ok_or(short)?;
            let port = source_port::<16>(rest)?;
            Ok(Some(SocketAddr::new(Ipv6Addr::from(*source).into(), port)))
        }
        // A client on a UNIX socket of the balancer, or of a kind that it cannot name.
        0x00 | 0x31 => Ok(None),
        _ => Err(ProxyError::Malformed("address family")),
    }
}

/// The source's port, behind the destination's address of `N` bytes and before its port.
fn source_port<const N: usize>(rest: &[u8]) -> Result<u16, ProxyError> {
    let short = || ProxyError::Malformed("addresses cut short");
    let (_, ports) = rest.split_first_chunk::<N>().ok_or_else(short)?;
    let ([high, low, _, _], _) = ports.split_first_chunk::<4>().ok_or_else(short)?;
    Ok(u16::from_be_bytes([*high, *low]))
}

async fn read_exact<S: Stream>(stream: &mut S, bytes: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < bytes.len() {
        let read = poll_fn(|context| {
            let rest = bytes.get_mut(filled..).unwrap_or_default();
            stream.poll_read(context, rest)
        });
        match read.await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    Ok(())
}
