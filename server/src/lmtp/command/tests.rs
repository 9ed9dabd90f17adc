use super::*;

#[track_caller]
fn check(line: &str, expected: Result<Command, SyntaxError>) {
    assert_eq!(Command::parse(line.as_bytes()), expected, "{line:?}");
}

fn sent(sender: &str) -> Mail {
    Mail {
        sender: sender.to_owned(),
        size: None,
        smtputf8: false,
    }
}

#[track_caller]
fn check_rcpt(path: &str, text: &str, local: &str, domain: &str) {
    let address = Address {
        text: text.to_owned(),
        local: local.to_owned(),
        domain: domain.to_owned(),
    };
    check(&format!("RCPT TO:{path}"), Ok(Command::Rcpt(address)));
}

#[test]
fn verbs_are_known_in_any_case() {
    check(
        "LHLO mx.example.org",
        Ok(Command::Lhlo("mx.example.org".to_owned())),
    );
    check(
        "lhlo [192.0.2.1]",
        Ok(Command::Lhlo("[192.0.2.1]".to_owned())),
    );
    check("DATA", Ok(Command::Data));
    check("data  ", Ok(Command::Data));
    check("Rset", Ok(Command::Rset));
    check("NOOP whatever", Ok(Command::Noop));
    check("VRFY someone", Ok(Command::Vrfy));
    check("HELP", Ok(Command::Help));
    check("HELP MAIL", Ok(Command::Help));
    check("QUIT", Ok(Command::Quit));
}

#[test]
fn what_is_no_command_is_told_apart() {
    check("", Err(SyntaxError::Unknown));
    check("NONSENSE", Err(SyntaxError::Unknown));
    check("STARTTLS", Err(SyntaxError::Unknown));
    check("HELO x", Err(SyntaxError::NotLmtp));
    check("EHLO x", Err(SyntaxError::NotLmtp));
    check("LHLO", Err(SyntaxError::Arguments));
    check("VRFY", Err(SyntaxError::Arguments));
    check("DATA now", Err(SyntaxError::Arguments));
    check("RSET x", Err(SyntaxError::Arguments));
    check("QUIT x", Err(SyntaxError::Arguments));
    check("NOOP\r", Err(SyntaxError::Octets));
    check("NOOP \0", Err(SyntaxError::Octets));
    assert_eq!(Command::parse(b"NOOP \xff"), Err(SyntaxError::Octets));
}

#[test]
fn mail_takes_a_sender_or_none_and_its_parameters() {
    check(
        "MAIL FROM:<a@b.example>",
        Ok(Command::Mail(sent("a@b.example"))),
    );
    check(
        "mail from: <a@b.example>",
        Ok(Command::Mail(sent("a@b.example"))),
    );
    check("MAIL FROM:<>", Ok(Command::Mail(sent(""))));
    check("MAIL FROM:<> BODY=7BIT", Ok(Command::Mail(sent(""))));
    check(
        "MAIL FROM:<MAILER-DAEMON>",
        Ok(Command::Mail(sent("MAILER-DAEMON"))),
    );
    check(
        "MAIL FROM:<a@b> body=8bitmime",
        Ok(Command::Mail(sent("a@b"))),
    );
    check(
        "MAIL FROM:<a@b> SIZE=1000 SMTPUTF8 BODY=8BITMIME",
        Ok(Command::Mail(Mail {
            size: Some(1000),
            smtputf8: true,
            ..sent("a@b")
        })),
    );
    check(
        "MAIL FROM:<a@b> SIZE=99999999999999999999",
        Ok(Command::Mail(Mail {
            size: Some(u64::MAX),
            ..sent("a@b")
        })),
    );
}

#[test]
fn mail_refuses_what_was_not_advertised() {
    check("MAIL", Err(SyntaxError::Arguments));
    check("MAIL TO:<a@b>", Err(SyntaxError::Arguments));
    check("MAIL FROM:", Err(SyntaxError::Sender));
    check("MAIL FROM:a@b", Err(SyntaxError::Sender));
    check("MAIL FROM:<a@b", Err(SyntaxError::Sender));
    check("MAIL FROM:<a@b>SIZE=1", Err(SyntaxError::Sender));
    check("MAIL FROM:<a b@c>", Err(SyntaxError::Sender));
    check("MAIL FROM:<\"a\tb\"@c>", Err(SyntaxError::Sender));
    check("MAIL FROM:<\"a\\\tb\"@c>", Err(SyntaxError::Sender));
    check("MAIL FROM:<a@b> SIZE=", Err(SyntaxError::ParameterValue));
    check("MAIL FROM:<a@b> SIZE=-1", Err(SyntaxError::ParameterValue));
    check(
        "MAIL FROM:<a@b> SIZE=999999999999999999999",
        Err(SyntaxError::ParameterValue),
    );
    check("MAIL FROM:<a@b> SIZE", Err(SyntaxError::ParameterValue));
    check(
        "MAIL FROM:<a@b> BODY=BINARYMIME",
        Err(SyntaxError::ParameterValue),
    );
    check(
        "MAIL FROM:<a@b> SMTPUTF8=yes",
        Err(SyntaxError::ParameterValue),
    );
    check(
        "MAIL FROM:<a@b> RET=FULL",
        Err(SyntaxError::UnknownParameter),
    );
}

#[test]
fn recipients_keep_their_case_quotes_and_letters() {
    check_rcpt(
        "<user@example.org>",
        "user@example.org",
        "user",
        "example.org",
    );
    check_rcpt(
        " <User@Example.org>",
        "User@Example.org",
        "User",
        "Example.org",
    );
    check_rcpt("<postmaster>", "postmaster", "postmaster", "");
    check_rcpt("<u+Lists/Rust@b>", "u+Lists/Rust@b", "u+Lists/Rust", "b");
    check_rcpt("<a..b.@c>", "a..b.@c", "a..b.", "c");
    check_rcpt(
        r#"<"u+My Folder"@b>"#,
        r#""u+My Folder"@b"#,
        "u+My Folder",
        "b",
    );
    check_rcpt(
        r#"<"a\"b\\c>@d"@e>"#,
        r#""a\"b\\c>@d"@e"#,
        r#"a"b\c>@d"#,
        "e",
    );
    check_rcpt(
        "<m\u{fc}ller@b\u{fc}cher.example>",
        "m\u{fc}ller@b\u{fc}cher.example",
        "m\u{fc}ller",
        "b\u{fc}cher.example",
    );
    check_rcpt("<u@[192.0.2.1]>", "u@[192.0.2.1]", "u", "[192.0.2.1]");
    check_rcpt("<@one.example,@two.example:u@b>", "u@b", "u", "b");
}

#[test]
fn recipients_that_are_no_addresses_are_refused() {
    for path in [
        "",
        "<>",
        "u@b",
        "<u@b",
        "<u@>",
        "<@b>",
        "<u@b>x",
        "<u@b c>",
        "<u@@b>",
        "<\"u@b>",
        "<\"\"@b>",
        "<u\u{a0}v@b>",
        "<(c)u@b>",
        "<u@b,c>",
        "<u@[1]x>",
        "< u@b>",
    ] {
        check(&format!("RCPT TO:{path}"), Err(SyntaxError::Recipient));
    }
    check(
        &format!("RCPT TO:<{}@b>", "a".repeat(2000)),
        Err(SyntaxError::Recipient),
    );
    check("RCPT FROM:<u@b>", Err(SyntaxError::Arguments));
    check(
        "RCPT TO:<u@b> NOTIFY=NEVER",
        Err(SyntaxError::UnknownParameter),
    );
}

#[test]
fn bdat_needs_a_size_that_can_be_counted() {
    check(
        "BDAT 0",
        Ok(Command::Bdat {
            bytes: 0,
            last: false,
        }),
    );
    check(
        "BDAT 86 LAST",
        Ok(Command::Bdat {
            bytes: 86,
            last: true,
        }),
    );
    check(
        "bdat 86 last",
        Ok(Command::Bdat {
            bytes: 86,
            last: true,
        }),
    );
    for arguments in [
        "",
        " x",
        " -1",
        " 1 FIRST",
        " 1 LAST x",
        " 99999999999999999999",
        " LAST",
    ] {
        check(&format!("BDAT{arguments}"), Err(SyntaxError::BdatArguments));
    }
}

#[test]
fn random_lines_never_panic() {
    let seed = 0x1234_5678_u64;
    let mut random = seed;
    let words = [
        "MAIL FROM:",
        "RCPT TO:",
        "<",
        ">",
        "@",
        "\"",
        "\\",
        ":",
        ",",
        "[",
        "]",
        "a",
        " ",
        "\u{fc}",
        "SIZE=",
        "9",
        "BDAT ",
        "LAST",
        "=",
    ];
    for _ in 0..50_000 {
        let mut line = String::new();
        for _ in 0..12 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            line.push_str(words[(random >> 33) as usize % words.len()]);
        }
        if let Ok(Command::Rcpt(address)) = Command::parse(line.as_bytes()) {
            assert!(!address.local.is_empty(), "seed {seed}: {line:?}");
        }
    }
}
