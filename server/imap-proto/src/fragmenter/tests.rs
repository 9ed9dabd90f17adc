use super::*;

/// What a session does with each `AppendLiteral`.
#[derive(Clone, Copy)]
enum Decision {
    Accept,
    Refuse,
}

const LIMITS: Limits = Limits {
    line_bytes_max: 100,
    literal_bytes_max: 20,
    literal_count_max: 3,
    skipped_bytes_max: 1000,
};

/// The events of `input`, as text; pieces of a message are joined.
fn events(input: &[u8], decision: Decision) -> Vec<String> {
    let mut fragmenter = Fragmenter::new(LIMITS);
    let mut seen: Vec<String> = Vec::new();
    let mut rest = input;
    loop {
        let (used, event) = fragmenter.advance(rest);
        rest = &rest[used..];
        let Some(event) = event else { break };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        seen.push(match event {
            Event::Request(request) => format!("request {}", text(request.bytes())),
            Event::Continue => "continue".to_owned(),
            Event::AppendLiteral { prefix, literal } => {
                let kind = match decision {
                    Decision::Accept => fragmenter.accept_literal(),
                    Decision::Refuse => {
                        fragmenter.refuse_literal();
                        literal.kind
                    }
                };
                assert_eq!(kind, literal.kind);
                format!(
                    "append {}{{{}}} {kind:?}",
                    text(prefix.bytes()),
                    literal.bytes
                )
            }
            Event::LiteralData(piece) => format!("data {}", text(piece)),
            Event::AppendEnd(request) => format!("end {}", text(request.bytes())),
            Event::Line(line) => format!("line {}", text(&line)),
            Event::Rejected(Rejection { tag, reason }) => {
                format!("rejected {} {reason}", text(&tag.unwrap_or_default()))
            }
            Event::Fatal(reason) => format!("fatal {reason}"),
        });
    }
    assert!(rest.is_empty());
    seen
}

fn check(input: &str, decision: Decision, expected: &[&str]) {
    assert_eq!(events(input.as_bytes(), decision), expected, "{input:?}");
}

#[test]
fn lines_are_requests() {
    check(
        "a NOOP\r\nb NOOP\nc NO",
        Decision::Accept,
        &["request a NOOP", "request b NOOP"],
    );
    check("\r\n", Decision::Accept, &["request "]);
}

#[test]
fn small_literals_are_gathered() {
    check(
        "a LOGIN {3}\r\nfoo {4+}\r\nb r1\r\n",
        Decision::Accept,
        &["continue", "request a LOGIN {3}\r\nfoo {4+}\r\nb r1"],
    );
    check(
        "a LOGIN {0}\r\n {0+}\r\n\r\n",
        Decision::Accept,
        &["continue", "request a LOGIN {0}\r\n {0+}\r\n"],
    );
}

#[test]
fn data_that_looks_like_a_header_is_data() {
    check(
        "a LOGIN {5}\r\n{99}\n {5+}\r\n{99+}\r\nb NOOP\r\n",
        Decision::Accept,
        &[
            "continue",
            "request a LOGIN {5}\r\n{99}\n {5+}\r\n{99+}",
            "request b NOOP",
        ],
    );
}

#[test]
fn a_message_is_streamed() {
    check(
        "a APPEND {5}\r\nINBOX (\\Seen) {7}\r\nab\r\nc N\r\nb NOOP\r\n",
        Decision::Accept,
        &[
            "continue",
            "append a APPEND {5}\r\nINBOX (\\Seen) {7} Synchronizing",
            "data ab\r\nc N",
            "end ",
            "request b NOOP",
        ],
    );
    check(
        "a append x {3+}\r\nabc {2+}\r\nde\r\n",
        Decision::Accept,
        &[
            "append a append x {3} NonSynchronizing",
            "data abc",
            "append  {2} NonSynchronizing",
            "data de",
            "end ",
        ],
    );
}

#[test]
fn a_literal8_keeps_its_tilde_out_of_the_prefix() {
    check(
        "a APPEND x ~{1+}\r\nb\r\n",
        Decision::Accept,
        &["append a APPEND x {1} NonSynchronizing", "data b", "end "],
    );
}

#[test]
fn a_refused_message_leaves_the_stream_in_step() {
    check(
        "a APPEND x {300}\r\nb NOOP\r\n",
        Decision::Refuse,
        &["append a APPEND x {300} Synchronizing", "request b NOOP"],
    );
    check(
        "a APPEND x {8+}\r\nb NOOP\r\n {3+}\r\nfoo\r\nc NOOP\r\n",
        Decision::Refuse,
        &["append a APPEND x {8} NonSynchronizing", "request c NOOP"],
    );
    check(
        "a APPEND x {0+}\r\n\r\nc NOOP\r\n",
        Decision::Refuse,
        &["append a APPEND x {0} NonSynchronizing", "request c NOOP"],
    );
}

#[test]
fn too_large_literals_are_refused_before_they_are_read() {
    check(
        "a LOGIN {21}\r\nb NOOP\r\n",
        Decision::Accept,
        &["rejected a Literal too large", "request b NOOP"],
    );
    check(
        "a LOGIN {21+}\r\nb NOOP\r\n0123456789abc x\r\nc NOOP\r\n",
        Decision::Accept,
        &["rejected a Literal too large", "request c NOOP"],
    );
    check(
        "a X {9+}\r\n123456789{9+}\r\n123456789 {9+}\r\nb NOOP\r\n \r\nc NOOP\r\n",
        Decision::Accept,
        &["rejected a Literal too large", "request c NOOP"],
    );
    check(
        "a X {1+}\r\na{1+}\r\na{1+}\r\na{1+}\r\na\r\nb NOOP\r\n",
        Decision::Accept,
        &["rejected a Too many literals", "request b NOOP"],
    );
}

#[test]
fn too_long_lines_are_skipped_to_the_end_of_their_command() {
    let long = "x".repeat(200);
    check(
        &format!("a {long}\r\nb NOOP\r\n"),
        Decision::Accept,
        &["rejected a Command line too long", "request b NOOP"],
    );
    check(
        &format!("a {long} {{8+}}\r\nb NOOP\r\n more\r\nc NOOP\r\n"),
        Decision::Accept,
        &["rejected a Command line too long", "request c NOOP"],
    );
    check(
        &format!("a {long} {{8}}\r\nb NOOP\r\n"),
        Decision::Accept,
        &["rejected a Command line too long", "request b NOOP"],
    );
    check(
        &format!("a APPEND x {{1+}}\r\nm {long}\r\nb NOOP\r\n"),
        Decision::Accept,
        &[
            "append a APPEND x {1} NonSynchronizing",
            "data m",
            "rejected a Command line too long",
            "request b NOOP",
        ],
    );
    check(
        &format!("{long}\r\nb NOOP\r\n"),
        Decision::Accept,
        &["rejected  Command line too long", "request b NOOP"],
    );
}

#[test]
fn what_can_never_be_read_past_is_fatal() {
    check(
        "a LOGIN {1001+}\r\n",
        Decision::Accept,
        &["rejected a Literal too large", "fatal Literal too large"],
    );
    check(
        "a LOGIN {99999999999999999999999+}\r\nxx",
        Decision::Accept,
        &["rejected a Literal too large", "fatal Literal too large"],
    );
    check(
        "a LOGIN {99999999999999999999999}\r\nb NOOP\r\n",
        Decision::Accept,
        &["rejected a Literal too large", "request b NOOP"],
    );
    let digits = "0".repeat(200);
    check(
        &format!("a LOGIN {{{digits}8+}}\r\nb NOOP\r\n"),
        Decision::Accept,
        &[
            "rejected a Command line too long",
            "fatal Literal too large",
        ],
    );
    check(
        &"x".repeat(2000),
        Decision::Accept,
        &[
            "rejected  Command line too long",
            "fatal Command line too long",
        ],
    );
}

#[test]
fn an_expected_line_is_no_command() {
    let mut fragmenter = Fragmenter::new(LIMITS);
    let input = b"a IDLE\r\nDONE\r\nb NOOP\r\n";
    let (used, event) = fragmenter.advance(input);
    assert_eq!(event, Some(Event::Request(Request::new("a IDLE"))));
    fragmenter.expect_line();
    let (more, event) = fragmenter.advance(&input[used..]);
    assert_eq!(event, Some(Event::Line(b"DONE".to_vec())));
    let (_, event) = fragmenter.advance(&input[used + more..]);
    assert_eq!(event, Some(Event::Request(Request::new("b NOOP"))));
    fragmenter.expect_line();
    assert_eq!(
        fragmenter.advance(b"x {5}\r\n").1,
        Some(Event::Line(b"x {5}".to_vec()))
    );
    fragmenter.expect_line();
    fragmenter.expect_command();
    assert!(fragmenter.is_idle());
}

#[test]
fn a_raw_line_that_is_too_long_is_one_rejection() {
    let mut fragmenter = Fragmenter::new(LIMITS);
    fragmenter.expect_line();
    let input = format!("{} {{5+}}\r\nb NOOP\r\n", "x".repeat(300));
    let (used, event) = fragmenter.advance(input.as_bytes());
    let reason = RejectionReason::LineTooLong;
    assert_eq!(
        event,
        Some(Event::Rejected(Rejection { tag: None, reason }))
    );
    let (_, event) = fragmenter.advance(&input.as_bytes()[used..]);
    assert_eq!(event, Some(Event::Request(Request::new("b NOOP"))));
}

#[test]
fn an_undecided_literal_counts_as_refused() {
    let mut fragmenter = Fragmenter::new(LIMITS);
    let input = b"a APPEND x {3+}\r\nfoo\r\nb NOOP\r\n";
    let (used, event) = fragmenter.advance(input);
    assert!(matches!(event, Some(Event::AppendLiteral { .. })));
    let (_, event) = fragmenter.advance(&input[used..]);
    assert_eq!(event, Some(Event::Request(Request::new("b NOOP"))));
}

#[test]
fn between_commands_no_memory_is_held() {
    let mut fragmenter = Fragmenter::new(LIMITS);
    assert_eq!(fragmenter.memory_bytes(), 0);
    fragmenter.advance(b"a LOGIN {3}\r\n");
    fragmenter.advance(b"foo bar");
    assert!(fragmenter.memory_bytes() > 0 && !fragmenter.is_idle());
    let (_, event) = fragmenter.advance(b"\r\n");
    assert!(matches!(event, Some(Event::Request(_))));
    assert_eq!(fragmenter.memory_bytes(), 0);
    assert!(fragmenter.is_idle());
}
