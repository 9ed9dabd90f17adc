//! Mail as the benches need it: the same octets in every run.

use std::fmt::Write as _;

/// Letters of a line of base64.
const BASE64_LINE: &str =
    "VGhpcyBpcyBub3QgYSBzZWNyZXQgYW5kIGl0IGlzIG5vdCBhIHBpY3R1cmUgZWl0aGVyLCBqdXN0";
/// Words that lines of text are made of.
const WORDS: [&str; 24] = [
    "meeting", "the", "invoice", "of", "server", "and", "tomorrow", "a", "schedule", "to",
    "customer", "in", "project", "is", "attached", "that", "regards", "for", "budget", "it",
    "quarter", "with", "report", "on",
];

/// A mail of `octets` of plain text, or a little less.
pub fn plain(number: usize, octets: usize) -> Vec<u8> {
    let mut mail = header(number, "text/plain; charset=us-ascii");
    mail.push_str("\r\n");
    text(&mut mail, number, octets);
    mail.into_bytes()
}

/// A newsletter: plain text and HTML, quoted-printable, in UTF-8.
pub fn newsletter(number: usize) -> Vec<u8> {
    let mut mail = header(number, "multipart/alternative; boundary=\"=_half\"");
    mail.push_str("\r\nTwo forms of one text.\r\n");
    for kind in ["plain", "html"] {
        // Writing into a String cannot fail.
        let _ = write!(
            mail,
            "--=_half\r\nContent-Type: text/{kind}; charset=utf-8\r\n\
             Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        );
        for line in 0..200 {
            if kind == "html" {
                mail.push_str("<p style=3D\"margin:0\">");
            }
            mail.push_str("Gr=C3=BC=C3=9Fe ");
            let before = mail.len();
            text(&mut mail, number + line, before + 40);
            mail.push_str("=\r\n");
        }
        mail.push_str("\r\n");
    }
    mail.push_str("--=_half--\r\n");
    mail.into_bytes()
}

/// A short text with an attachment of `octets` in base64.
pub fn attachment(number: usize, octets: usize) -> Vec<u8> {
    let mut mail = header(number, "multipart/mixed; boundary=cut");
    mail.push_str("\r\n--cut\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
    let before = mail.len();
    text(&mut mail, number, before + 400);
    mail.push_str(
        "\r\n--cut\r\nContent-Type: application/pdf; name=\"report.pdf\"\r\n\
         Content-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"report.pdf\"\r\n\r\n",
    );
    let end = mail.len() + octets;
    while mail.len() < end {
        mail.push_str(BASE64_LINE);
        mail.push_str("\r\n");
    }
    mail.push_str("--cut--\r\n");
    mail.into_bytes()
}

fn header(number: usize, content_type: &str) -> String {
    format!(
        "Return-Path: <sender{number}@example.org>\r\n\
         Received: from mx.example.org (mx.example.org [192.0.2.1])\r\n\
         \tby mail.example.net with ESMTPS id {number:08}\r\n\
         \tfor <reader@example.net>; Mon, 1 Jan 2024 10:00:00 +0000\r\n\
         From: \"A. Sender {number}\" <sender{number}@example.org>\r\n\
         To: Reader <reader@example.net>, team@example.net\r\n\
         Cc: =?utf-8?q?Ren=C3=A9?= <rene@example.com>\r\n\
         Subject: =?utf-8?b?QW5nZWJvdCBmw7xy?= project {number}\r\n\
         Date: Mon, 1 Jan 2024 10:00:00 +0000\r\n\
         Message-ID: <{number}.mail@example.org>\r\n\
         In-Reply-To: <{}.mail@example.org>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: {content_type}\r\n",
        number / 2
    )
}

/// Adds lines of words until `mail` would be longer than `end`.
fn text(mail: &mut String, seed: usize, end: usize) {
    let mut column = 0;
    for step in 0.. {
        let place = seed.wrapping_mul(31).wrapping_add(step * (seed % 7 + 5));
        let Some(word) = WORDS.get(place % WORDS.len()) else {
            return;
        };
        if mail.len() + word.len() + 3 > end {
            break;
        }
        let is_full = column + word.len() > 70;
        mail.push_str(if is_full { "\r\n" } else { " " });
        column = if is_full { 0 } else { column + 1 } + word.len();
        mail.push_str(word);
    }
    mail.push_str("\r\n");
}
