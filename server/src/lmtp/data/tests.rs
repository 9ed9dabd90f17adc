use super::*;

/// What comes out of `stream` when it arrives in these pieces, and what follows the end.
fn unstuff<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, Option<Vec<u8>>) {
    let mut unstuffer = Unstuffer::default();
    let mut content = Vec::new();
    let mut behind: Option<Vec<u8>> = None;
    for piece in pieces {
        if let Some(behind) = &mut behind {
            behind.extend_from_slice(piece);
            continue;
        }
        let progress = unstuffer.advance(piece, &mut |run| content.extend_from_slice(run));
        if progress.ended {
            behind = Some(piece[progress.used..].to_vec());
        } else {
            assert_eq!(progress.used, piece.len());
        }
    }
    (content, behind)
}

/// The same result however the stream is split in two or three, or comes octet by octet.
#[track_caller]
fn check(stream: &str, content: &str, behind: Option<&str>) {
    let stream = stream.as_bytes();
    let expected = (
        content.as_bytes().to_vec(),
        behind.map(|text| text.as_bytes().to_vec()),
    );
    assert_eq!(unstuff(stream.chunks(1)), expected, "octet by octet");
    for first in 0..=stream.len() {
        for second in first..=stream.len() {
            let pieces = [&stream[..first], &stream[first..second], &stream[second..]];
            assert_eq!(
                unstuff(pieces.into_iter()),
                expected,
                "split at {first} and {second}"
            );
        }
    }
}

#[test]
fn the_message_ends_at_a_dot_alone_between_two_crlf() {
    check("a\r\n.\r\n", "a\r\n", Some(""));
    check("a\r\n.\r\nQUIT\r\n", "a\r\n", Some("QUIT\r\n"));
    check(".\r\nQUIT\r\n", "", Some("QUIT\r\n"));
    check("\r\n.\r\n.\r\n", "\r\n", Some(".\r\n"));
    check("a\r\nb", "a\r\nb", None);
}

#[test]
fn the_first_dot_of_a_line_is_taken_off() {
    check(
        "..\r\n...\r\n.a\r\nb.c\r\n.\r\n",
        ".\r\n..\r\na\r\nb.c\r\n",
        Some(""),
    );
    check(".\ra\r\n.\r\n", "\ra\r\n", Some(""));
    check(".\r\r\n.\r\n", "\r\r\n", Some(""));
}

#[test]
fn bare_line_feeds_are_content_and_end_nothing() {
    check("a\n.\nb\r\n.\r\n", "a\n.\nb\r\n", Some(""));
    check("a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n", Some(""));
    check("a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", Some(""));
    check("\n.\r\n.\r\n", "\n.\r\n", Some(""));
    check("a\n..b\r\n.\r\n", "a\n..b\r\n", Some(""));
}

#[test]
fn bare_carriage_returns_are_content_and_end_nothing() {
    check("a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n", Some(""));
    check("a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n", Some(""));
    check("a\r\r\n.\r\n", "a\r\r\n", Some(""));
    check("a\r\n\r.\r\nb\r\n.\r\n", "a\r\n\r.\r\nb\r\n", Some(""));
}

#[test]
fn any_octets_survive_stuffing_and_unstuffing() {
    let seed = 0x5eed_u64;
    let mut random = seed;
    for round in 0..2_000 {
        let mut message = Vec::new();
        for _ in 0..round % 40 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            message.push(b"\r\n.a\0"[(random >> 33) as usize % 5]);
        }
        message.extend_from_slice(b"\r\n");
        let mut stream = Vec::new();
        for (index, &octet) in message.iter().enumerate() {
            if octet == b'.' && (index == 0 || message[..index].ends_with(b"\r\n")) {
                stream.push(b'.');
            }
            stream.push(octet);
        }
        stream.extend_from_slice(b".\r\nNOOP\r\n");
        let piece = 1 + round % 7;
        let result = unstuff(stream.chunks(piece));
        assert_eq!(
            result,
            (message, Some(b"NOOP\r\n".to_vec())),
            "seed {seed} round {round}"
        );
    }
}
