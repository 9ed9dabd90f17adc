//! The message around an envelope (RFC 8551 3.3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::limits::BASE64_LINE_CHARS;

/// What follows the original's own fields.
const CONTENT_FIELDS: &[u8] = b"MIME-Version: 1.0\r\n\
    Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n name=\"smime.p7m\"\r\n\
    Content-Transfer-Encoding: base64\r\n\
    Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n";

/// Base64 makes four characters of three bytes.
const BASE64_LINE_BYTES: usize = BASE64_LINE_CHARS / 4 * 3;

/// A message whose content is the envelope, and whose other header fields are the original's.
pub(crate) fn around(original: &[u8], envelope: &[u8]) -> Vec<u8> {
    let body_bytes = envelope.len() / BASE64_LINE_BYTES * (BASE64_LINE_CHARS + 2) + 128;
    let mut message = Vec::with_capacity(body_bytes + CONTENT_FIELDS.len() + 1024);
    kept_fields(original, &mut message);
    message.extend_from_slice(CONTENT_FIELDS);
    let mut line = [0; BASE64_LINE_CHARS];
    for bytes in envelope.chunks(BASE64_LINE_BYTES) {
        // A line's worth of bytes always fits a line.
        let chars = STANDARD.encode_slice(bytes, &mut line).unwrap_or(0);
        message.extend_from_slice(line.get(..chars).unwrap_or_default());
        message.extend_from_slice(b"\r\n");
    }
    message
}

/// The header fields that do not describe the content. Lines that are no fields are left out: they
/// are in the envelope, and here they could end the header.
fn kept_fields(original: &[u8], out: &mut Vec<u8>) {
    let mut is_kept = false;
    for line in original.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return;
        }
        let is_continued = line.starts_with(b" ") || line.starts_with(b"\t");
        if !is_continued {
            is_kept = field_name(line).is_some_and(|name| !describes_content(name));
        }
        if is_kept {
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// RFC 5322 3.6.8: printable ASCII without the colon. Old mail has blanks before that.
fn field_name(line: &[u8]) -> Option<&[u8]> {
    let end = line.iter().position(|byte| *byte == b':')?;
    let name = line.get(..end)?.trim_ascii_end();
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(name)
}

fn describes_content(name: &[u8]) -> bool {
    let starts = |prefix: &[u8]| {
        let start = name.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    starts(b"Content-") || name.eq_ignore_ascii_case(b"MIME-Version")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(original: &str, expected: &str) {
        let mut kept = Vec::new();
        kept_fields(original.as_bytes(), &mut kept);
        assert_eq!(String::from_utf8(kept).unwrap(), expected);
    }

    #[test]
    fn fields_that_describe_the_content_stay_inside() {
        check(
            "From: a@x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n\
             Subject: long\r\n and folded\r\nCONTENT-ID: <1>\r\n\r\nTo: not a field\r\n",
            "From: a@x\r\nSubject: long\r\n and folded\r\n",
        );
    }

    #[test]
    fn what_is_no_field_cannot_end_the_header() {
        check(
            "From mbox\n folded\nSubject : old\nno colon\nTo: b@x",
            "Subject : old\r\nTo: b@x\r\n",
        );
        check("\r\nbody: only\r\n", "");
        check("", "");
    }

    #[test]
    fn the_body_is_base64_in_lines() {
        let message = around(b"Subject: x\r\n\r\n", &[7; 200]);
        let text = String::from_utf8(message).unwrap();
        let (header, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            header.starts_with("Subject: x\r\nMIME-Version: 1.0\r\n"),
            "{header}"
        );
        assert!(body.lines().all(|line| line.len() <= BASE64_LINE_CHARS));
        let digits: String = body.split("\r\n").collect();
        assert_eq!(STANDARD.decode(digits).unwrap(), [7; 200]);
    }
}
