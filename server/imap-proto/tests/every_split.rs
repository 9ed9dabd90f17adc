//! However the network cuts a dialogue, it means the same: each input is cut at each byte, and fed
//! byte by byte, and must give the same events as in one piece.

use imap_proto::fragmenter::{Event, Fragmenter};
use imap_proto::limits::Limits;

const LIMITS: Limits = Limits {
    line_bytes_max: 120,
    literal_bytes_max: 64,
    literal_count_max: 4,
    skipped_bytes_max: 600,
};

/// Events without borrows, pieces of message data joined, with what a session answers.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Event(String),
    Data(Vec<u8>),
}

#[derive(Clone, Copy)]
enum Decision {
    Accept,
    Refuse,
}

/// Feeds the pieces one after the other. After a request for IDLE a raw line is expected.
fn feed(pieces: &[&[u8]], decision: Decision) -> Vec<Seen> {
    let mut fragmenter = Fragmenter::new(LIMITS);
    let mut seen = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        loop {
            let (used, event) = fragmenter.advance(rest);
            rest = &rest[used..];
            let Some(event) = event else { break };
            match &event {
                Event::LiteralData(data) => {
                    if let Some(Seen::Data(joined)) = seen.last_mut() {
                        joined.extend_from_slice(data);
                    } else {
                        seen.push(Seen::Data(data.to_vec()));
                    }
                    continue;
                }
                Event::AppendLiteral { .. } => match decision {
                    Decision::Accept => {
                        fragmenter.accept_literal();
                    }
                    Decision::Refuse => fragmenter.refuse_literal(),
                },
                Event::Request(request) if request.bytes().ends_with(b"IDLE") => {
                    fragmenter.expect_line();
                }
                _ => {}
            }
            let bytes = match &event {
                Event::Request(request) | Event::AppendEnd(request) => request.bytes().to_vec(),
                Event::AppendLiteral { prefix, .. } => prefix.bytes().to_vec(),
                _ => Vec::new(),
            };
            seen.push(Seen::Event(format!(
                "{event:?} {:?}",
                String::from_utf8_lossy(&bytes)
            )));
        }
        assert!(rest.is_empty(), "without an event all input is used");
    }
    seen
}

fn check(input: &[u8]) {
    for decision in [Decision::Accept, Decision::Refuse] {
        let whole = feed(&[input], decision);
        for cut in 0..=input.len() {
            let (front, back) = input.split_at(cut);
            assert_eq!(
                feed(&[front, back], decision),
                whole,
                "cut at {cut}: {input:?}"
            );
        }
        let bytes: Vec<&[u8]> = input.chunks(1).collect();
        assert_eq!(feed(&bytes, decision), whole, "byte by byte: {input:?}");
    }
}

#[test]
fn dialogues_mean_the_same_however_they_are_cut() {
    let long = "x".repeat(130);
    let inputs = [
        "a NOOP\r\nb CAPABILITY\nc LOGOUT\r\n".to_owned(),
        "a LOGIN {5}\r\nalice {7+}\r\ns3cr{3}\r\nb NOOP\r\n".to_owned(),
        "a LOGIN {0}\r\n \"\"\r\nb NOOP\r\n".to_owned(),
        "a APPEND INBOX (\\Seen) {12}\r\nSubject: x\r\n\r\nb NOOP\r\n".to_owned(),
        "a APPEND {5+}\r\nINBOX ~{6+}\r\na b NO\r\nb NOOP\r\n".to_owned(),
        "a APPEND x {2+}\r\nab (\\Seen) {2+}\r\ncd\r\nb NOOP\r\n".to_owned(),
        "a IDLE\r\nDONE\r\nb NOOP\r\n".to_owned(),
        "a IDLE\r\n {5}\r\nb IDLE\r\nDONE\n".to_owned(),
        format!("a {long} {{4+}}\r\n\r\n\r\n\r\nb NOOP\r\n"),
        format!("a {long} {{4}}\r\nb NOOP\r\n"),
        format!("a IDLE\r\n{long}\r\nb NOOP\r\n"),
        format!("a APPEND x {{1+}}\r\n.{long}\r\nb NOOP\r\n"),
        "a SEARCH {65}\r\nb SEARCH {65+}\r\n".to_owned() + &long + "\r\nc NOOP\r\n",
        "a X {1+}\r\n.{1+}\r\n.{1+}\r\n.{1+}\r\n.{1+}\r\n.\r\nb NOOP\r\n".to_owned(),
        "a LOGIN {700+}\r\nxxxx".to_owned(),
        long.repeat(6),
        "\r\n\n\r\r\n {\r\n {}\r\n {+}\r\n}\r\n5}\r\n{5}\r\n".to_owned(),
    ];
    for input in &inputs {
        check(input.as_bytes());
    }
}
