//! Mails that are made to hurt: 100,000 levels, 100,000 parts, and what else grows.

use std::fmt::Write;

use imap_proto::grammar::section::SectionText;
use mail_message::field::address;
use mail_message::limits::{DEPTH_MAX, PARTS_MAX};
use mail_message::scanner::{Kind, Limits, Scanner, Structure};
use mail_message::section::{Resolved, header_fields, resolve};
use mail_message::summary::{SummaryRef, summarize};
use mail_message::text::{Needle, body_contains, text_contains};

const MANY: usize = 100_000;

fn scan(mail: &[u8]) -> Structure {
    let mut scanner = Scanner::new(Limits::default());
    for piece in mail.chunks(64 * 1024) {
        scanner.feed(piece);
    }
    scanner.finish()
}

/// Scans, summarises, and looks for `needle`, which stands at the end of the mail.
fn check(mail: &str, needle: &str, parts: usize, stored_bytes_max: usize) -> Structure {
    let structure = scan(mail.as_bytes());
    assert_eq!(structure.parts().len(), parts);
    let stored = summarize(&structure).encode();
    assert!(
        stored.len() < stored_bytes_max,
        "the summary has {} bytes",
        stored.len()
    );
    let summary = SummaryRef::decode(&stored).unwrap();
    let needle = Needle::new(needle);
    assert!(
        body_contains(mail.as_bytes(), &summary, &needle),
        "nothing is lost"
    );
    assert!(text_contains(mail.as_bytes(), &summary, &needle));
    structure
}

#[test]
fn a_hundred_thousand_messages_in_each_other() {
    let mut mail = "Content-Type: message/rfc822\r\nSubject: x\r\n\r\n".repeat(MANY);
    mail.push_str("\r\nthe last words\r\n");
    let structure = check(&mail, "last words", DEPTH_MAX + 1, 16 * 1024);
    let last = structure.parts().last().unwrap();
    assert_eq!(last.kind, Kind::Opaque);
    let stored = summarize(&structure).encode();
    let summary = SummaryRef::decode(&stored).unwrap();
    // The root is the first 1; each further one goes into a message.
    let path = vec![1; DEPTH_MAX + 1];
    let found = resolve(&summary, &path, &SectionText::All);
    assert_eq!(found, Resolved::Range(last.body_start..last.body_end));
    assert_eq!(
        resolve(&summary, &vec![1; MANY], &SectionText::All),
        Resolved::Missing
    );
}

#[test]
fn a_hundred_thousand_multiparts_in_each_other() {
    let mut mail = String::new();
    for level in 0..MANY {
        write!(
            mail,
            "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"
        )
        .unwrap();
    }
    mail.push_str("\r\nthe last words\r\n");
    check(&mail, "last words", DEPTH_MAX + 1, 16 * 1024);
}

#[test]
fn a_hundred_thousand_parts() {
    let mut mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
    for number in 0..MANY {
        write!(mail, "--b\r\n\r\npart {number}\r\n").unwrap();
    }
    mail.push_str("--b\r\n\r\nthe last words\r\n--b--\r\n");
    let structure = check(&mail, "last words", PARTS_MAX, 512 * 1024);
    let last = structure.parts().last().unwrap();
    assert_eq!(
        (last.kind, last.body_end),
        (Kind::Opaque, mail.len() as u64)
    );
}

#[test]
fn a_hundred_thousand_parts_with_long_headers() {
    let mut mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
    let header = format!("Content-Description: {}\r\n", "x".repeat(1000));
    for number in 0..MANY / 10 {
        write!(mail, "--b\r\n{header}\r\npart {number}\r\n").unwrap();
    }
    mail.push_str("--b\r\n\r\nthe last words\r\n--b--\r\n");
    // The bound on kept headers, rendered twice, and the table.
    check(&mail, "last words", PARTS_MAX, 3 * 1024 * 1024);
}

#[test]
fn delimiters_of_fifty_open_multiparts_that_never_match() {
    let mut mail = String::new();
    for level in 0..DEPTH_MAX {
        write!(
            mail,
            "Content-Type: multipart/mixed; boundary=b{level:03}\r\n\r\n--b{level:03}\r\n"
        )
        .unwrap();
    }
    mail.push_str("\r\n");
    mail.push_str(&"--b999\r\n".repeat(MANY));
    mail.push_str("the last words\r\n");
    check(&mail, "last words", DEPTH_MAX + 1, 16 * 1024);
}

#[test]
fn multiparts_that_open_and_fail_to_close_over_and_over() {
    let mut mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
    for number in 0..MANY {
        write!(
            mail,
            "--b\r\nContent-Type: multipart/mixed; boundary=c{number}\r\n\r\n"
        )
        .unwrap();
    }
    mail.push_str("the last words\r\n");
    let structure = scan(mail.as_bytes());
    assert!(structure.parts().len() <= PARTS_MAX + DEPTH_MAX + 1);
    check(&mail, "last words", structure.parts().len(), 1024 * 1024);
}

#[test]
fn a_header_without_end() {
    let mut mail = "To: a@example.org,\r\n".to_owned();
    mail.push_str(&" b@example.org,\r\n".repeat(MANY));
    mail.push_str(&"(".repeat(MANY));
    let structure = scan(mail.as_bytes());
    let stored = summarize(&structure).encode();
    assert!(
        stored.len() < 512 * 1024,
        "the summary has {} bytes",
        stored.len()
    );
    let summary = SummaryRef::decode(&stored).unwrap();
    assert_eq!(summary.header_end(), summary.size());
}

#[test]
fn address_lists_that_invite_to_look_far_ahead() {
    for broken in ["<@a,", ". ", "<a@b ", "\"a", "(", "a: ;", "@", "=?"] {
        let mail = format!("To: {}\r\n\r\n", broken.repeat(MANY / 2));
        // All of it, beyond what the scanner keeps: only linear work ends soon.
        assert!(address::parse(mail.as_bytes(), usize::MAX).len() <= 2 * MANY);
        let stored = summarize(&scan(mail.as_bytes())).encode();
        assert!(SummaryRef::decode(&stored).is_ok());
    }
}

#[test]
fn a_long_header_and_a_long_list_of_names() {
    let header: String = (0..MANY)
        .map(|number| format!("X-{number}: v\r\n"))
        .collect();
    let names: Vec<String> = (0..MANY)
        .map(|number| format!("x-{}", number * 2))
        .collect();
    let found = header_fields(header.as_bytes(), &names, false);
    assert_eq!(
        found.iter().filter(|byte| **byte == b'\n').count(),
        MANY / 2 + 1
    );
}
