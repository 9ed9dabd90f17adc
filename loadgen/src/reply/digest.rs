//! What is remembered of the octets of literals: their checksum, and whether a message that this
//! program made is as it was made.
//!
//! **Invariant:** pure, and the same whatever pieces the octets come in.

use crc32fast::Hasher;

use crate::limits::HEADER_BYTES_MAX;
use crate::mail::{CERTIFICATE, CERTIFICATE_VALUE_BYTES};

/// What one literal held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Literal {
    /// How many octets.
    pub bytes: u64,
    /// Their CRC-32.
    pub crc: u32,
    /// What its header says of the rest.
    pub certificate: Certificate,
}

/// Whether a message is one of ours, and whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// There is no such header: somebody else's message.
    Absent,
    /// The rest is as it was written.
    Kept {
        /// The message's number.
        number: u64,
    },
    /// The rest is not as it was written.
    Broken {
        /// The number that the message claims.
        number: u64,
    },
}

/// Takes in the literals of one answer.
#[derive(Debug, Default)]
pub struct Digest {
    done: Vec<Literal>,
    whole: Hasher,
    bytes: u64,
    seal: Seal,
}

#[derive(Debug, Default)]
enum Seal {
    /// The header may still come: what of the literal has been seen is kept.
    #[default]
    Unknown,
    Seeking(Vec<u8>),
    Claimed {
        claim: Claim,
        rest: Hasher,
        rest_bytes: u64,
    },
    Absent,
}

#[derive(Clone, Copy, Debug)]
struct Claim {
    number: u64,
    rest_bytes: u64,
    rest_crc: u32,
}

impl Digest {
    /// The literals that have ended since the last [`Digest::clear`], in their order.
    pub fn literals(&self) -> &[Literal] {
        &self.done
    }

    /// Forgets the literals that have ended.
    pub fn clear(&mut self) {
        self.done.clear();
    }

    /// Takes in octets of the literal under way.
    pub fn feed(&mut self, octets: &[u8]) {
        self.whole.update(octets);
        self.bytes += length(octets);
        match &mut self.seal {
            Seal::Absent => {}
            Seal::Claimed {
                rest, rest_bytes, ..
            } => {
                rest.update(octets);
                *rest_bytes += length(octets);
            }
            Seal::Unknown => self.seal = seek(octets).unwrap_or_else(|| keep(octets.to_vec())),
            Seal::Seeking(head) => {
                let mut head = std::mem::take(head);
                head.extend_from_slice(octets);
                self.seal = seek(&head).unwrap_or_else(|| keep(head));
            }
        }
    }

    /// The literal has ended.
    pub fn end(&mut self) {
        let certificate = match std::mem::take(&mut self.seal) {
            Seal::Unknown | Seal::Seeking(_) | Seal::Absent => Certificate::Absent,
            Seal::Claimed {
                claim,
                rest,
                rest_bytes,
            } => {
                if rest_bytes == claim.rest_bytes && rest.finalize() == claim.rest_crc {
                    Certificate::Kept {
                        number: claim.number,
                    }
                } else {
                    Certificate::Broken {
                        number: claim.number,
                    }
                }
            }
        };
        self.done.push(Literal {
            bytes: std::mem::take(&mut self.bytes),
            crc: std::mem::take(&mut self.whole).finalize(),
            certificate,
        });
    }
}

/// The claim in the head of a literal, once the whole header line is there.
fn seek(head: &[u8]) -> Option<Seal> {
    let at = memchr::memmem::find(head, CERTIFICATE)?;
    let value = head.get(at + CERTIFICATE.len()..)?;
    let (value, rest) = value.split_at_checked(CERTIFICATE_VALUE_BYTES)?;
    let Some(claim) = claim(value) else {
        return Some(Seal::Absent);
    };
    let mut hasher = Hasher::new();
    hasher.update(rest);
    Some(Seal::Claimed {
        claim,
        rest: hasher,
        rest_bytes: length(rest),
    })
}

fn keep(head: Vec<u8>) -> Seal {
    if head.len() > HEADER_BYTES_MAX {
        Seal::Absent
    } else {
        Seal::Seeking(head)
    }
}

fn claim(value: &[u8]) -> Option<Claim> {
    let value = std::str::from_utf8(value).ok()?;
    let mut words = value.split_ascii_whitespace();
    Some(Claim {
        number: u64::from_str_radix(words.next()?, 16).ok()?,
        rest_bytes: words.next()?.parse().ok()?,
        rest_crc: u32::from_str_radix(words.next()?, 16).ok()?,
    })
}

fn length(octets: &[u8]) -> u64 {
    u64::try_from(octets.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Certificate, Digest};
    use crate::mail::MailWriter;

    fn digest(pieces: &[&[u8]]) -> super::Literal {
        let mut digest = Digest::default();
        pieces.iter().for_each(|piece| digest.feed(piece));
        digest.end();
        digest.literals()[0]
    }

    /// However the message is cut, the verdict is this.
    fn check(message: &[u8], expected: Certificate) {
        let whole = digest(&[message]);
        assert_eq!(whole.certificate, expected);
        assert_eq!(whole.crc, crc32fast::hash(message));
        for cut in 0..=message.len() {
            let (front, back) = message.split_at(cut);
            assert_eq!(digest(&[front, back]), whole, "cut at {cut}");
        }
        let single: Vec<&[u8]> = message.chunks(1).collect();
        assert_eq!(digest(&single), whole, "byte by byte");
    }

    fn message() -> Vec<u8> {
        let mut out = Vec::new();
        MailWriter::new().write(4_711, 900, &mut out);
        out
    }

    #[test]
    fn a_message_of_ours_is_known_by_its_header() {
        let kept = Certificate::Kept { number: 4_711 };
        check(&message(), kept);
        let mut delivered = b"Return-Path: <>\r\nReceived: by mx\r\n".to_vec();
        delivered.extend_from_slice(&message());
        check(&delivered, kept);
        check(b"Subject: other\r\n\r\nbody\r\n", Certificate::Absent);
        check(b"", Certificate::Absent);
    }

    #[test]
    fn a_message_that_was_changed_is_broken() {
        let broken = Certificate::Broken { number: 4_711 };
        let mut changed = message();
        *changed.last_mut().unwrap() = b'x';
        check(&changed, broken);
        let mut longer = message();
        longer.push(b'x');
        check(&longer, broken);
        let mut shorter = message();
        shorter.truncate(899);
        check(&shorter, broken);
    }
}
