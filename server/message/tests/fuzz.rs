//! Random mails, made of the pieces that hurt: nothing panics, and what the scanner says holds.
//!
//! `FUZZ_ITERATIONS` sets how many (10,000 when it is not set), `FUZZ_SEED` where to begin; a
//! failure prints the seed of its mail.

use std::ops::Range;

use imap_proto::grammar::section::SectionText;
use imap_proto::response::body_structure::BodyStructure;
use mail_message::field::address;
use mail_message::scanner::{Kind, Limits, Scanner, Structure};
use mail_message::section::{Resolved, header_fields, resolve};
use mail_message::summary::{SummaryRef, body_structure, summarize};
use mail_message::text::{Needle, body_contains, decode_value, header_contains, text_contains};
use mail_message::{charset, date};

/// Pieces of mails; most random mails of these are nested, broken, or both.
const PIECES: &[&[u8]] = &[
    b"Content-Type: multipart/mixed; boundary=b\r\n",
    b"Content-Type: multipart/digest; boundary=\"c\"\r\n",
    b"Content-Type: multipart/alternative;\r\n boundary=bb\r\n",
    b"Content-Type: multipart/mixed; boundary=b--\r\n",
    b"Content-Type: multipart/mixed\r\n",
    b"Content-Type: message/rfc822\r\n",
    b"Content-Type: text/plain; charset=utf-7\r\n",
    b"Content-Type: text/html; charset=iso-2022-jp\r\n",
    b"Content-Type: image/png; name*0*=utf-8''%C3; name*1*=%A4\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"Content-Disposition: attachment; filename=\"x\r\n y\"\r\n",
    b"Content-Language: en, de\r\n",
    b"Subject: =?utf-8?q?=C3?= =?utf-8?b?pA==?=\r\n",
    b"From: \"A, B\" <a@b>, C: d@e, <f@g>;, h (i)\r\n",
    b"Date: Fri, 21 Nov 1997 09:55:06 -0600 (x)\r\n",
    b" folded\r\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\n\n",
    b"\r",
    b"--b\r\n",
    b"\r\n--b\r\n",
    b"\n--b\n",
    b"--b--\r\n",
    b"--c\r\n",
    b"\r\n--c \t\r\n",
    b"--c--",
    b"--bb\r\n",
    b"\r\n--bb--\r\n",
    b"--b----\r\n",
    b"--",
    b"-",
    b"text",
    b"aGVsbG8=\r\n",
    b"=C3=A4=\r\n",
    b"<p>a&amp;b<!-- x --></p>",
    b"<style>&;</style>&#x;&#99999999;",
    b"+AOQ-+2D3-",
    b"\x1b$B\"\x1b(B",
    b"\xc3\xa4\xff\x00",
];

struct Random(u64);

impl Random {
    /// xorshift64*: good enough to pick pieces.
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound.max(1)
    }

    fn mail(&mut self) -> Vec<u8> {
        let mut mail = Vec::new();
        for _ in 0..self.below(60) {
            mail.extend_from_slice(PIECES[self.below(PIECES.len())]);
        }
        for _ in 0..self.below(4) {
            if mail.is_empty() {
                break;
            }
            let at = self.below(mail.len());
            match self.below(3) {
                0 => mail[at] = self.next() as u8,
                1 => drop(mail.remove(at)),
                _ => mail.insert(at, self.next() as u8),
            }
        }
        mail
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

fn limits(random: &mut Random) -> Limits {
    if random.below(4) > 0 {
        return Limits::default();
    }
    Limits {
        depth_max: 1 + random.below(4),
        parts_max: 1 + random.below(6),
        part_header_bytes_max: random.below(200),
        header_bytes_max: random.below(400),
    }
}

fn bytes(mail: &[u8], range: Range<u64>) -> &[u8] {
    &mail[range.start as usize..range.end as usize]
}

fn line_feeds(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

#[test]
fn random_mails_keep_every_promise() {
    let first = setting("FUZZ_SEED", 1);
    let iterations = setting("FUZZ_ITERATIONS", 10_000);
    for seed in first..first + iterations {
        // The harness shows this only when the test fails.
        let result = std::panic::catch_unwind(|| check_seed(seed));
        assert!(
            result.is_ok(),
            "FUZZ_SEED={seed} FUZZ_ITERATIONS=1 shows the failure"
        );
    }
}

fn check_seed(seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mail = random.mail();
    let limits = limits(&mut random);
    let mut scanner = Scanner::new(limits);
    scanner.feed(&mail);
    let structure = scanner.finish();
    check_splits(&mail, limits, &structure, &mut random);
    check_structure(&mail, limits, &structure);
    let stored = summarize(&structure).encode();
    let summary = SummaryRef::decode(&stored).expect("what was written is read");
    check_leaves(&mail, &summary, &body_structure(&structure));
    check_search(&mail, &summary);
    check_values(&mail);
    let mut damaged = stored.clone();
    let at = random.below(damaged.len());
    damaged[at] = random.next() as u8;
    if let Ok(summary) = SummaryRef::decode(&damaged) {
        check_search(&mail, &summary);
    }
}

fn check_splits(mail: &[u8], limits: Limits, whole: &Structure, random: &mut Random) {
    let mut scanner = Scanner::new(limits);
    let mut rest = mail;
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at(1 + random.below(rest.len().min(20)));
        scanner.feed(piece);
        rest = tail;
    }
    assert_eq!(&scanner.finish(), whole);
}

fn check_structure(mail: &[u8], limits: Limits, structure: &Structure) {
    let parts = structure.parts();
    assert_eq!(structure.size(), mail.len() as u64);
    assert!(parts.len() <= limits.parts_max.max(1) + limits.depth_max + 1);
    let mut ends = vec![(0, 0); parts.len()];
    for (index, part) in parts.iter().enumerate() {
        assert!(part.header_start <= part.body_start && part.body_start <= part.body_end);
        assert!(part.depth <= limits.depth_max);
        let body = bytes(mail, part.body_start..part.body_end);
        assert_eq!(part.lines as usize, line_feeds(body), "part {index}");
        assert!(structure.header(part).len() <= limits.part_header_bytes_max);
        match part.parent {
            None => assert_eq!((index, part.body_end), (0, structure.size())),
            Some(parent) => {
                assert!(parent < index);
                let (last_end, last_number) = ends[parent];
                assert!(part.header_start >= parts[parent].body_start.max(last_end));
                assert!(part.body_end <= parts[parent].body_end);
                assert_eq!(part.number, last_number + 1);
                assert_eq!(part.depth, parts[parent].depth + 1);
                ends[parent] = (part.body_end, part.number);
            }
        }
    }
    for (part, (_, children)) in parts.iter().zip(ends) {
        match part.kind {
            Kind::Multipart => assert!(children > 0),
            Kind::Message => assert_eq!(children, 1),
            _ => assert_eq!(children, 0),
        }
    }
}

/// For every leaf of BODYSTRUCTURE, BODY[n] has the octets and lines that it says.
fn check_leaves(mail: &[u8], summary: &SummaryRef<'_>, body: &BodyStructure) {
    let root = match body {
        BodyStructure::Multipart { .. } => vec![],
        _ => vec![1],
    };
    let mut todo = vec![(root, body)];
    while let Some((path, body)) = todo.pop() {
        let found = || match resolve(summary, &path, &SectionText::All) {
            Resolved::Range(range) => bytes(mail, range),
            other => panic!("{path:?} is {other:?}"),
        };
        let child = |number: usize| [&path[..], &[number as u32]].concat();
        match body {
            BodyStructure::Multipart { parts, .. } => {
                assert!(!parts.is_empty());
                todo.extend(
                    parts
                        .iter()
                        .enumerate()
                        .map(|(at, part)| (child(at + 1), part)),
                );
            }
            BodyStructure::Message {
                basic, body, lines, ..
            } => {
                assert_eq!(found().len(), basic.octets as usize);
                assert_eq!(line_feeds(found()), *lines as usize);
                let multipart = matches!(**body, BodyStructure::Multipart { .. });
                todo.push((if multipart { path.clone() } else { child(1) }, body));
            }
            BodyStructure::Text { basic, lines } => {
                assert_eq!(found().len(), basic.octets as usize);
                assert_eq!(line_feeds(found()), *lines as usize);
            }
            BodyStructure::Basic { basic } => assert_eq!(found().len(), basic.octets as usize),
        }
    }
}

fn check_search(mail: &[u8], summary: &SummaryRef<'_>) {
    let needle = Needle::new("nowhere \u{e4}");
    body_contains(mail, summary, &needle);
    text_contains(mail, summary, &needle);
    header_contains(mail, "subject", &needle);
    assert!(text_contains(mail, summary, &Needle::new("")));
}

fn check_values(mail: &[u8]) {
    date::parse(mail);
    address::parse(mail, 100);
    decode_value(b"content-type", mail);
    for name in ["utf-7", "utf-16", "iso-2022-jp", "gb18030", "cp850", "x"] {
        charset::decode(name.as_bytes(), mail);
    }
    mail_message::summary::envelope(mail);
    let kept = header_fields(mail, &["subject"], false).len();
    let left = header_fields(mail, &["subject"], true).len();
    assert!(kept + left <= mail.len() + 8);
}
