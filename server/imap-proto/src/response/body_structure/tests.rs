use super::*;

fn text(charset: &str, octets: u32, lines: u32) -> BodyStructure {
    BodyStructure::Text {
        basic: Basic {
            media_type: b"TEXT".to_vec(),
            subtype: b"PLAIN".to_vec(),
            params: vec![(b"CHARSET".to_vec(), charset.into())],
            encoding: b"7BIT".to_vec(),
            octets,
            ..Basic::default()
        },
        lines,
    }
}

fn body(structure: &BodyStructure) -> String {
    let mut out = Vec::new();
    structure.encode_body(&mut out);
    String::from_utf8(out).unwrap()
}

fn extended(structure: &BodyStructure) -> String {
    let mut out = Vec::new();
    structure.encode_body_structure(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn rfc3501_examples_are_written() {
    // RFC 3501 section 8 and 7.4.2.
    assert_eq!(
        body(&text("US-ASCII", 3028, 92)),
        "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3028 92)"
    );
    let attachment = BodyStructure::Text {
        basic: Basic {
            media_type: b"TEXT".to_vec(),
            subtype: b"PLAIN".to_vec(),
            params: vec![
                (b"CHARSET".to_vec(), b"US-ASCII".to_vec()),
                (b"NAME".to_vec(), b"cc.diff".to_vec()),
            ],
            id: Some(b"<960723163407.20117h@cac.washington.edu>".to_vec()),
            description: Some(b"Compiler diff".to_vec()),
            encoding: b"BASE64".to_vec(),
            octets: 4554,
            ..Basic::default()
        },
        lines: 73,
    };
    let mixed = BodyStructure::Multipart {
        parts: vec![text("US-ASCII", 1152, 23), attachment],
        subtype: b"MIXED".to_vec(),
        params: Vec::new(),
        disposition: None,
        language: Vec::new(),
        location: None,
    };
    assert_eq!(
        body(&mixed),
        "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 1152 23)\
         (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\" \"NAME\" \"cc.diff\") \
         \"<960723163407.20117h@cac.washington.edu>\" \"Compiler diff\" \"BASE64\" 4554 73) \
         \"MIXED\")"
    );
}

#[test]
fn extension_data_stands_in_bodystructure_only() {
    let mixed = BodyStructure::Multipart {
        parts: vec![text("UTF-8", 1, 1)],
        subtype: b"MIXED".to_vec(),
        params: vec![(b"BOUNDARY".to_vec(), b"x".to_vec())],
        disposition: Some(Disposition {
            kind: b"inline".to_vec(),
            params: Vec::new(),
        }),
        language: vec![b"de".to_vec(), b"en".to_vec()],
        location: Some(b"here".to_vec()),
    };
    let part = "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"UTF-8\") NIL NIL \"7BIT\" 1 1";
    assert_eq!(body(&mixed), format!("({part}) \"MIXED\")"));
    assert_eq!(
        extended(&mixed),
        format!(
            "({part} NIL NIL NIL NIL) \"MIXED\" (\"BOUNDARY\" \"x\") (\"inline\" NIL) \
             (\"de\" \"en\") \"here\")"
        )
    );
}

#[test]
fn a_message_carries_its_inner_envelope_and_structure() {
    let message = BodyStructure::Message {
        basic: Basic {
            media_type: b"MESSAGE".to_vec(),
            subtype: b"RFC822".to_vec(),
            octets: 7,
            ..Basic::default()
        },
        envelope: Box::default(),
        body: Box::new(text("US-ASCII", 2, 3)),
        lines: 4,
    };
    assert_eq!(
        body(&message),
        "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 7 \
         (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) \
         (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 2 3) 4)"
    );
}

#[test]
fn empty_values_have_defaults() {
    let nothing = BodyStructure::Basic {
        basic: Basic::default(),
    };
    assert_eq!(
        extended(&nothing),
        "(\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL \"7BIT\" 0 NIL NIL NIL NIL)"
    );
    let multipart = BodyStructure::Multipart {
        parts: Vec::new(),
        subtype: Vec::new(),
        params: Vec::new(),
        disposition: None,
        language: Vec::new(),
        location: None,
    };
    assert_eq!(
        body(&multipart),
        "((\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 0 0) \"MIXED\")"
    );
    assert_eq!(
        extended(&multipart),
        "((\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 0 0 NIL NIL NIL NIL) \"MIXED\" NIL NIL NIL NIL)"
    );
}
