use super::{Trace, received, return_path};

const TRACE: Trace<'static> = Trace {
    helo: "mx.example.org",
    client: None,
    host: "imap.example.org",
    protocol: "LMTP",
    id: "0123456789abcdef",
    recipient: Some("joe@example.org"),
    date: "Fri, 21 Nov 1997 09:55:06 -0600",
};

#[test]
fn trace_fields_are_folded_fields() {
    assert_eq!(return_path("a@b"), b"Return-Path: <a@b>\r\n");
    assert_eq!(return_path(""), b"Return-Path: <>\r\n");
    let text = String::from_utf8(received(&TRACE)).unwrap();
    assert_eq!(
        text,
        "Received: from mx.example.org (local) by imap.example.org with LMTP\r\n\
         \tid 0123456789abcdef for <joe@example.org>;\r\n\
         \tFri, 21 Nov 1997 09:55:06 -0600\r\n"
    );
    let trace = Trace {
        client: Some("::1".parse().unwrap()),
        recipient: None,
        ..TRACE
    };
    let text = String::from_utf8(received(&trace)).unwrap();
    assert!(
        text.contains("from mx.example.org ([IPv6:::1]) by"),
        "{text}"
    );
    assert!(text.contains("id 0123456789abcdef; Fri,"), "{text}");
}

#[test]
fn a_client_cannot_forge_a_field() {
    let helo = format!("x\r\nBcc: a@b\r\n\r\n{}", "y".repeat(10_000));
    let text = String::from_utf8(received(&Trace {
        helo: &helo,
        ..TRACE
    }))
    .unwrap();
    assert!(text.len() < 2_000);
    for line in text.split_inclusive("\r\n").skip(1) {
        assert!(line.starts_with('\t') && line.ends_with("\r\n"), "{line:?}");
    }
    assert_eq!(return_path("a\r\nb\n c@d"), b"Return-Path: <abc@d>\r\n");
}

#[test]
fn blanks_of_a_quoted_local_part_stay() {
    let check = |path: &str, kept: &str| {
        let field = String::from_utf8(return_path(path)).unwrap();
        assert_eq!(field, format!("Return-Path: <{kept}>\r\n"));
        let recipient = Some(path);
        let field = received(&Trace { recipient, ..TRACE });
        let field = String::from_utf8(field).unwrap();
        assert!(field.contains(&format!(" for <{kept}>;")), "{field}");
    };
    check(
        r#""John Q.  Public"@example.org"#,
        r#""John Q.  Public"@example.org"#,
    );
    check(r#""a\" b\\" c@d"#, r#""a\" b\\"c@d"#);
    check("\"a\r\nBcc: b\"@c d", "\"aBcc: b\"@cd");
    check("a b@c", "ab@c");
}
