//! Random trees of parts, written as a mail and scanned: the same tree comes back, and each
//! part's body and header are found by its numbers. `FUZZ_SEED` and `FUZZ_ITERATIONS` as in
//! `fuzz.rs`.

use imap_proto::grammar::section::SectionText;
use mail_message::scanner::{Limits, Scanner};
use mail_message::section::{Resolved, resolve};
use mail_message::summary::{SummaryRef, summarize};

/// What a mail is made of.
enum Tree {
    Leaf(String),
    /// The second field says whether the closing delimiter is written.
    Multipart(Vec<Tree>, bool),
    Message(Box<Tree>),
}

impl Tree {
    fn parts(&self) -> usize {
        1 + match self {
            Self::Leaf(_) => 0,
            Self::Multipart(parts, _) => parts.iter().map(Self::parts).sum(),
            Self::Message(inner) => inner.parts(),
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    fn tree(&mut self, depth: u64) -> Tree {
        match self.below(3 + depth) {
            0 => Tree::Message(Box::new(self.tree(depth + 1))),
            1 => {
                let parts = (0..=self.below(4)).map(|_| self.tree(depth + 1)).collect();
                Tree::Multipart(parts, self.below(4) > 0)
            }
            _ => {
                let lines = ["", "text", "--", "--b", "-- x--", "A: b", "\u{e4}", "--b1x"];
                let lines = (0..self.below(5)).map(|_| lines[self.below(8) as usize]);
                Tree::Leaf(lines.collect::<Vec<_>>().join("\r\n"))
            }
        }
    }
}

/// A part as expected: its numbers, its header, its body.
type Expected = (Vec<u32>, String, String);

/// Writes `tree` with its header; `own` are the fields of the message that it is the root of.
/// Returns header and body, and adds what is expected below `path`.
fn write(
    tree: &Tree,
    own: &str,
    path: &[u32],
    boundaries: &mut u32,
    expected: &mut Vec<Expected>,
) -> (String, String) {
    match tree {
        Tree::Leaf(text) => (
            format!("{own}Content-Type: text/plain\r\n\r\n"),
            text.clone(),
        ),
        Tree::Message(inner) => {
            let own_subject = "Subject: inner\r\n";
            let (header, body) = write_root(inner, own_subject, path, boundaries, expected);
            (
                format!("{own}Content-Type: message/rfc822\r\n\r\n"),
                header + &body,
            )
        }
        Tree::Multipart(parts, closed) => {
            *boundaries += 1;
            // Each is the beginning of the next ones, to see that none is taken for another.
            let boundary = format!("b{}", "1".repeat(*boundaries as usize));
            let mut body = "preamble".to_owned();
            for (index, part) in parts.iter().enumerate() {
                let path = [path, &[index as u32 + 1]].concat();
                let (part_header, part_body) = write(part, "", &path, boundaries, expected);
                body.push_str(&format!("\r\n--{boundary} \r\n{part_header}{part_body}"));
                expected.push((path, part_header, part_body));
            }
            if *closed {
                body.push_str(&format!("\r\n--{boundary}--\r\nepilogue"));
            }
            let field = format!("Content-Type: multipart/mixed; boundary={boundary}");
            (format!("{own}{field}\r\n\r\n"), body)
        }
    }
}

/// A message that is not multipart has a part 1 (RFC 3501 6.4.5).
fn write_root(
    tree: &Tree,
    own: &str,
    path: &[u32],
    boundaries: &mut u32,
    expected: &mut Vec<Expected>,
) -> (String, String) {
    if matches!(tree, Tree::Multipart(..)) {
        return write(tree, own, path, boundaries, expected);
    }
    let path = [path, &[1]].concat();
    let (header, body) = write(tree, own, &path, boundaries, expected);
    expected.push((path, header.clone(), body.clone()));
    (header, body)
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

#[test]
fn a_written_tree_is_read_back() {
    let first = setting("FUZZ_SEED", 1);
    for seed in first..first + setting("FUZZ_ITERATIONS", 10_000) {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let tree = random.tree(0);
        let mut expected = Vec::new();
        let (header, body) = write_root(&tree, "Subject: outer\r\n", &[], &mut 0, &mut expected);
        check(seed, &(header + &body), &expected, tree.parts());
    }
}

fn check(seed: u64, mail: &str, expected: &[Expected], parts: usize) {
    let mut scanner = Scanner::new(Limits::default());
    scanner.feed(mail.as_bytes());
    let stored = summarize(&scanner.finish()).encode();
    let summary = SummaryRef::decode(&stored).unwrap();
    let found = |path: &[u32], text: &SectionText| match resolve(&summary, path, text) {
        Resolved::Range(range) => &mail[range.start as usize..range.end as usize],
        other => panic!("seed {seed}: {path:?} {text:?} is {other:?} in {mail:?}"),
    };
    for (path, header, body) in expected {
        let what = format!("seed {seed}: {path:?} in {mail:?}");
        assert_eq!(found(path, &SectionText::All), body, "{what}");
        assert_eq!(found(path, &SectionText::Mime), header, "{what}");
    }
    assert_eq!(summary.part_count(), parts, "seed {seed}: {mail:?}");
}
