//! Random mails and strings: the search in steps finds what the search by the book finds.

use std::cell::RefCell;

use super::*;

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

const WORDS: &[&str] = &[
    "meeting",
    "Invoice",
    "GR\u{dc}SSE",
    "gr\u{fc}\u{df}e",
    "u\u{308}",
    "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}",
    "\u{4e2d}\u{6587}",
    "\u{ac00}\u{b098}",
    "\u{ff21}\u{ff22}",
    "\u{308}\u{323}",
    "<b>",
    "</b>",
    "<p>x</p>",
    "&auml;",
    "&#65;",
    "=41",
    "=\r\n",
    "= \r\n",
    "=C3=A4",
    "\r\n",
    "\r\n\r\n",
    " ",
    "-",
    "<!-- c -->",
    "a",
    "\u{e01}\u{e33}",
    "=?utf-8?q?=C3=A4?=",
    "\u{1f600}",
    "\u{feff}",
];

const CHARSETS: &[&str] = &[
    "",
    "us-ascii",
    "utf-8",
    "UTF8",
    "iso-8859-1",
    "koi8-r",
    "windows-1252",
    "shift_jis",
    "utf-16le",
    "utf-16",
    "utf-7",
    "iso-2022-jp",
    "nonsense",
    "iso-2022-kr",
    "unicode-1-1-utf-8",
    "gb18030",
];

const ENCODINGS: &[&str] = &["7bit", "8bit", "base64", "quoted-printable"];

fn text(random: &mut Random, words: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..words {
        if random.below(200) == 0 {
            text.push(0x80 + random.below(128) as u8);
        }
        text.extend_from_slice(random.one_of(WORDS).as_bytes());
        if random.below(30) == 0 {
            // Without ASCII, and with marks that change places when they are folded.
            for _ in 0..random.below(60) {
                let pieces = [
                    "\u{e4}", "\u{308}", "\u{323}", "\u{fc}", "\u{4e2d}", "\u{ac01}",
                ];
                text.extend_from_slice(random.one_of(&pieces).as_bytes());
            }
        }
    }
    text
}

fn encoded(random: &mut Random, body: &[u8], encoding: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    match encoding {
        "base64" if random.below(8) > 0 => {
            let mut out = Vec::new();
            for (n, group) in body.chunks(3).enumerate() {
                let mut octets = [0; 4];
                octets[1..=group.len()].copy_from_slice(group);
                let bits = u32::from_be_bytes(octets);
                for at in 0..=group.len() {
                    out.push(alphabet[(bits >> (18 - 6 * at) & 63) as usize]);
                }
                out.extend(std::iter::repeat_n(b'=', 3 - group.len()));
                if n % 19 == 18 {
                    out.extend_from_slice(b"\r\n");
                }
                if random.below(500) == 0 {
                    out.push(b"=!A"[random.below(3)]);
                }
            }
            out
        }
        "quoted-printable" if random.below(8) > 0 => {
            let mut out = Vec::new();
            for octet in body {
                match octet {
                    b'\r' | b'\n' | b' '..=b'<' | b'>'..=b'~' => out.push(*octet),
                    other => out.extend_from_slice(format!("={other:02X}").as_bytes()),
                }
                if random.below(60) == 0 {
                    out.extend_from_slice(
                        random
                            .one_of(&["=\r\n", "=\n", "= \t\r\n", "=", "=4"])
                            .as_bytes(),
                    );
                }
            }
            out
        }
        _ => body.to_vec(),
    }
}

fn part(random: &mut Random, words: usize) -> Vec<u8> {
    let (charset, encoding) = (random.one_of(CHARSETS), random.one_of(ENCODINGS));
    let kind = random.one_of(&["text/plain", "text/html", "text/html", "image/png"]);
    let mut part = format!("Content-Type: {kind}; charset=\"{charset}\"\r\n").into_bytes();
    part.extend_from_slice(format!("Content-Transfer-Encoding: {encoding}\r\n\r\n").as_bytes());
    let words = random.below(words);
    let body = text(random, words);
    part.extend_from_slice(&encoded(random, &body, encoding));
    part
}

fn mail(random: &mut Random, words: usize) -> Vec<u8> {
    let mut mail = b"Subject: ".to_vec();
    mail.extend_from_slice(&text(random, 3).replace_line_ends());
    mail.extend_from_slice(b"\r\n");
    match random.below(4) {
        0 => {
            mail.extend_from_slice(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n");
            for _ in 0..1 + random.below(3) {
                mail.extend_from_slice(b"\r\n--b\r\n");
                if random.below(3) == 0 {
                    mail.extend_from_slice(b"Content-Type: message/rfc822\r\n\r\nSubject: inner ");
                    mail.extend_from_slice(&text(random, 2).replace_line_ends());
                    mail.extend_from_slice(b"\r\n");
                }
                mail.extend_from_slice(&part(random, words));
            }
            mail.extend_from_slice(b"\r\n--b--\r\n");
        }
        _ => mail.extend_from_slice(&part(random, words)),
    }
    mail
}

trait ReplaceLineEnds {
    fn replace_line_ends(&self) -> Vec<u8>;
}

impl ReplaceLineEnds for Vec<u8> {
    /// Folded, as a header field must be.
    fn replace_line_ends(&self) -> Vec<u8> {
        let lines: Vec<&[u8]> = self.split(|octet| *octet == b'\n').collect();
        lines.join(&b"\n "[..])
    }
}

/// Strings that are there, nearly there, or not.
fn needles(random: &mut Random, mail: &[u8]) -> Vec<String> {
    let mut needles = vec![
        "inner".to_owned(),
        "nowhere".to_owned(),
        random.one_of(WORDS).to_owned(),
    ];
    let joined = [random.one_of(WORDS), random.one_of(WORDS)].concat();
    needles.push(joined);
    let decoded = String::from_utf8_lossy(mail);
    let characters: Vec<char> = decoded.chars().collect();
    for _ in 0..4 {
        let start = random.below(characters.len());
        let end = characters.len().min(start + 1 + random.below(12));
        needles.push(characters[start..end].iter().collect());
    }
    needles
}

fn check(seed: u64, words: usize, scratch: &RefCell<Scratch>) {
    let random = &mut Random(seed * 0x9e37_79b9);
    let mail = mail(random, words);
    let needles = needles(random, &mail);
    let step = 1 + random.below(2 * mail.len());
    with_summary(&mail, |summary| {
        let mut keys = TextKeys::default();
        let mut expected = Vec::new();
        for needle in needles.iter().map(|needle| Needle::new(needle)) {
            expected.push(reference::body_contains(&mail, summary, &needle));
            expected.push(reference::text_contains(&mail, summary, &needle));
            keys.push(Scope::Body, needle.clone());
            keys.push(Scope::Text, needle);
        }
        let mut scratch = scratch.borrow_mut();
        let mut search = TextSearch::new(&mail, summary, &keys, &mut scratch);
        while search.step(step) == Progress::More {}
        assert_eq!(
            search.found(),
            expected,
            "seed {seed}, {needles:?}, step {step}"
        );
    });
}

#[test]
fn a_search_in_steps_finds_what_is_there() {
    let scratch = RefCell::default();
    (1..=2_000).for_each(|seed| check(seed, 40, &scratch));
}

/// Many of the windows that texts are cut into.
#[test]
fn a_search_over_many_windows_finds_what_is_there() {
    let scratch = RefCell::default();
    (1..=100).for_each(|seed| check(seed, 2_000, &scratch));
}
