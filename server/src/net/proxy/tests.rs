use std::task::{Context, Poll};

use futures_lite::future::block_on;

use super::*;
use crate::runtime::{Kick, Peer};

/// Bytes that come in pieces, then the end.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    piece: usize,
}

impl Stream for Pieces {
    fn poll_readable(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, _: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        let rest = &self.bytes[self.at..];
        let count = rest.len().min(bytes.len()).min(self.piece);
        bytes[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn close(&mut self) {}

    fn peer(&self) -> Peer {
        Peer::Unix { uid: None }
    }

    fn kick_handle(&self) -> Kick {
        unreachable!("nobody kicks it")
    }
}

/// The outcome, and what is left for whoever reads behind the header.
fn read(bytes: &[u8], piece: usize) -> (Result<Option<SocketAddr>, ProxyError>, Vec<u8>) {
    let mut stream = Pieces {
        bytes: bytes.to_vec(),
        at: 0,
        piece,
    };
    let outcome = block_on(read_header(&mut stream));
    let rest = stream.bytes[stream.at..].to_vec();
    (outcome, rest)
}

fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = SIGNATURE.to_vec();
    bytes.extend_from_slice(&[command, family]);
    bytes.extend_from_slice(&u16::try_from(body.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

const V4: [u8; 12] = [192, 0, 2, 7, 198, 51, 100, 1, 0x04, 0xd2, 0, 143];

fn check(header: &[u8], client: Option<&str>) {
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(b"a NOOP\r\n");
    for piece in [1, 3, 7, 1_000] {
        let (outcome, rest) = read(&bytes, piece);
        let client = client.map(|text| text.parse().unwrap());
        assert_eq!(outcome.unwrap(), client, "{header:?}");
        assert_eq!(rest, b"a NOOP\r\n", "{header:?}");
    }
}

#[test]
fn headers_of_both_versions_are_read_and_nothing_behind_them() {
    check(
        b"PROXY TCP4 192.0.2.7 198.51.100.1 1234 143\r\n",
        Some("192.0.2.7:1234"),
    );
    check(
        b"PROXY TCP6 2001:db8::7 2001:db8::1 1234 993\r\n",
        Some("[2001:db8::7]:1234"),
    );
    check(b"PROXY UNKNOWN\r\n", None);
    check(b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None);
    check(&v2(0x21, 0x11, &V4), Some("192.0.2.7:1234"));
    let mut v6 = [0; 36];
    v6[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    v6[15] = 7;
    v6[32..34].copy_from_slice(&[0x04, 0xd2]);
    check(&v2(0x21, 0x21, &v6), Some("[2001:db8::7]:1234"));
    // Extensions behind the addresses are passed over.
    let mut extended = V4.to_vec();
    extended.extend_from_slice(&[0x04, 0, 2, 9, 9]);
    check(&v2(0x21, 0x11, &extended), Some("192.0.2.7:1234"));
    // The balancer's own checks, and clients without an address.
    check(&v2(0x20, 0x00, &[]), None);
    check(&v2(0x20, 0x11, &V4), None);
    check(&v2(0x21, 0x00, &[]), None);
    check(&v2(0x21, 0x31, &[0; 216]), None);
}

#[test]
fn what_is_no_header_is_refused() {
    let long = format!("PROXY TCP4 {}\r\n", "1".repeat(120));
    let bad: [&[u8]; 14] = [
        b"",
        b"a LOGIN x y\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 1234 143\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 1234\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 1234 143 9\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 +123 143\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 99999 143\r\n",
        b"PROXY TCP4 2001:db8::7 2001:db8::1 1234 143\r\n",
        b"PROXY UDP4 192.0.2.7 198.51.100.1 1234 143\r\n",
        b"PROXY TCP4 192.0.2 198.51.100.1 1234 143\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 1234 143",
        b"\r\n\r\n\0\r\nQUIT",
        long.as_bytes(),
        b"PROXY TCP4 \xff 198.51.100.1 1234 143\r\n",
    ];
    for bytes in bad {
        assert!(read(bytes, 5).0.is_err(), "{bytes:?}");
    }
    let mut longer = v2(0x21, 0x11, &[0; V2_BYTES_MAX]);
    longer[14..16].copy_from_slice(&[0x10, 0x01]);
    for bytes in [
        v2(0x11, 0x11, &V4),
        v2(0x22, 0x11, &V4),
        v2(0x21, 0x12, &V4),
        v2(0x21, 0x11, &V4[..11]),
        v2(0x21, 0x21, &V4),
        longer,
    ] {
        assert!(read(&bytes, 5).0.is_err(), "{bytes:?}");
    }
}

#[test]
fn damaged_headers_never_panic_and_read_no_more_than_a_header() {
    let samples = [
        b"PROXY TCP6 2001:db8::7 2001:db8::1 1234 993\r\n".to_vec(),
        v2(0x21, 0x11, &V4),
    ];
    let seed: u64 = std::process::id().into();
    println!("seed {seed}");
    let mut state = seed;
    let mut next = |below: usize| {
        // xorshift64 is random enough to damage bytes.
        state = state.max(1);
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 11).unwrap() % below
    };
    for round in 0..100_000 {
        let mut bytes = samples[round % 2].clone();
        for _ in 0..=next(4) {
            let at = next(bytes.len());
            bytes[at] = u8::try_from(next(256)).unwrap();
        }
        bytes.resize(bytes.len() + 8_000, b'x');
        let (outcome, rest) = read(&bytes, 1 + next(40));
        let read = bytes.len() - rest.len();
        assert!(read <= 16 + V2_BYTES_MAX, "seed {seed}: {read} bytes read");
        if outcome.is_err() {
            continue;
        }
        assert!(read > 12, "seed {seed}");
    }
}
