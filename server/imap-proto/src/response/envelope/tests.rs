use super::*;

fn address(name: Option<&str>, mailbox: &str, host: &str) -> Address {
    Address {
        name: name.map(|name| name.as_bytes().to_vec()),
        adl: None,
        mailbox: Some(mailbox.into()),
        host: Some(host.into()),
    }
}

#[test]
fn rfc3501_example_is_written() {
    // RFC 3501 section 8.
    let terry = vec![address(Some("Terry Gray"), "gray", "cac.washington.edu")];
    let envelope = Envelope {
        date: Some(b"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)".to_vec()),
        subject: Some(b"IMAP4rev1 WG mtg summary and minutes".to_vec()),
        from: terry.clone(),
        sender: terry.clone(),
        reply_to: terry,
        to: vec![address(None, "imap", "cac.washington.edu")],
        cc: vec![
            address(None, "minutes", "CNRI.Reston.VA.US"),
            address(Some("John Klensin"), "KLENSIN", "MIT.EDU"),
        ],
        message_id: Some(b"<B27397-0100000@cac.washington.edu>".to_vec()),
        ..Envelope::default()
    };
    let mut out = Vec::new();
    envelope.encode(&mut out);
    let terry = "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\"))";
    assert_eq!(
        String::from_utf8(out).unwrap(),
        format!(
            "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \
             \"IMAP4rev1 WG mtg summary and minutes\" {terry} {terry} {terry} \
             ((NIL NIL \"imap\" \"cac.washington.edu\")) \
             ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")\
             (\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL \
             \"<B27397-0100000@cac.washington.edu>\")"
        )
    );
}

#[test]
fn a_group_is_two_marks() {
    let envelope = Envelope {
        to: vec![Address::group_start("friends"), Address::group_end()],
        ..Envelope::default()
    };
    let mut out = Vec::new();
    envelope.encode(&mut out);
    assert_eq!(
        out,
        b"(NIL NIL NIL NIL NIL ((NIL NIL \"friends\" NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL)"
    );
}

#[test]
fn raw_bytes_go_out_as_literals() {
    let envelope = Envelope {
        subject: Some(b"caf\xe9\0".to_vec()),
        ..Envelope::default()
    };
    let mut out = Vec::new();
    envelope.encode(&mut out);
    assert_eq!(
        out,
        b"(NIL {5}\r\ncaf\xe9? NIL NIL NIL NIL NIL NIL NIL NIL)"
    );
}
