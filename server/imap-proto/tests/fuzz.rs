//! Random and mutated inputs through fragmenter and grammar: no panic, bounded memory, always in
//! step. `FUZZ_ITERATIONS` sets how many, `FUZZ_SEED` repeats a run.

mod random;

use imap_proto::command::{Command, SaslLine};
use imap_proto::fragmenter::{Event, Fragmenter};
use imap_proto::limits::Limits;
use imap_proto::request::Request;
use random::Random;

const ITERATIONS_DEFAULT: usize = 20_000;

const CORPUS: &[&str] = &[
    "a1 LOGIN \"fred\" {6}\r\nsesame\r\n",
    "a LOGIN {3+}\r\nabc {3+}\r\ndef\r\n",
    "A001 AUTHENTICATE PLAIN dGVzdAB0ZXN0AHRlc3Q=\r\n",
    "a SELECT &U,BTFw-/&ZeVnLIqe- (CONDSTORE)\r\n",
    "a CREATE x (USE (\\Drafts \\Sent))\r\n",
    "a RENAME \"a b\" {3}\r\nc d\r\n",
    "a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (INBOX *) \
     RETURN (CHILDREN STATUS (MESSAGES SIZE))\r\n",
    "a LSUB \"\" %\r\n",
    "a SETACL INBOX -anyone@x {4}\r\n+lrs\r\n",
    "a LISTRIGHTS \"a b\" #team\r\n",
    "a STATUS INBOX (MESSAGES UIDNEXT HIGHESTMODSEQ)\r\n",
    "a APPEND INBOX (\\Seen $x) \" 5-Nov-2020 10:00:00 +0100\" {10}\r\n0123456789\r\n",
    "a APPEND {5+}\r\nINBOX {4+}\r\nmail (\\Seen) {1+}\r\nx\r\n",
    "a UID FETCH 1:*,7 (UID FLAGS BODY.PEEK[1.2.HEADER.FIELDS (From \"To\")]<0.100>) \
     (CHANGEDSINCE 9)\r\n",
    "a FETCH 1 FULL\r\n",
    "a UID STORE 6,4,8 (UNCHANGEDSINCE 121) +FLAGS.SILENT (\\Deleted $Junk)\r\n",
    "a SEARCH RETURN (MIN COUNT) CHARSET UTF-8 OR (SEEN NOT FROM {2}\r\nxy) HEADER X \"\" \
     SINCE 1-Feb-1994 MODSEQ \"/flags/\\\\draft\" all 7\r\n",
    "a UID MOVE 42:69 foo\r\n",
    "a ID (\"name\" NIL \"version\" \"1\")\r\n",
    "a ENABLE CONDSTORE\r\n",
    "a IDLE\r\nDONE\r\n",
    "a UID EXPUNGE 1:3,*\r\n",
];

/// Bytes that mean something to the grammar.
const SPICE: &[u8] = b"(){}[]<>\"\\*%&-+~:,. \r\n\0\x7f\x80\xff019aZ=";

fn iterations() -> usize {
    let given = std::env::var("FUZZ_ITERATIONS").ok();
    given
        .and_then(|count| count.parse().ok())
        .unwrap_or(ITERATIONS_DEFAULT)
}

fn mutated(random: &mut Random) -> Vec<u8> {
    let mut input = Vec::new();
    for _ in 0..=random.below(3) {
        input.extend_from_slice(random.pick(CORPUS).as_bytes());
    }
    for _ in 0..random.below(6) {
        let place = random.below(input.len() + 1);
        match random.below(5) {
            0 => input.insert(place, *random.pick(SPICE)),
            1 if place < input.len() => input[place] = *random.pick(SPICE),
            2 if place < input.len() => {
                input.remove(place);
            }
            3 => {
                let end = (place + random.below(12)).min(input.len());
                let copy = input[place..end].to_vec();
                let repeats = 1 + random.below(40);
                input.splice(place..place, copy.repeat(repeats));
            }
            _ => input.truncate(place.max(1)),
        }
    }
    input
}

fn noise(random: &mut Random) -> Vec<u8> {
    let length = random.below(200);
    (0..length)
        .map(|_| match random.below(3) {
            0 => random.next() as u8,
            _ => *random.pick(SPICE),
        })
        .collect()
}

/// Feeds `input` in random pieces, and parses whatever comes out.
fn run(input: &[u8], random: &mut Random) {
    let limits = Limits {
        line_bytes_max: 512,
        literal_bytes_max: 128,
        literal_count_max: 8,
        skipped_bytes_max: 4096,
    };
    let mut fragmenter = Fragmenter::new(limits);
    let mut rest = input;
    // Each event uses up input, or is one of a few that belong to the same byte.
    let mut events_left = 4 * input.len() + 16;
    while !rest.is_empty() {
        let piece_bytes = 1 + random.below(rest.len());
        let (mut piece, later) = rest.split_at(piece_bytes);
        loop {
            let (used, event) = fragmenter.advance(piece);
            piece = &piece[used..];
            assert!(fragmenter.memory_bytes() <= 4096, "memory is bounded");
            let Some(event) = event else { break };
            assert!(events_left > 0, "events come from input: {input:?}");
            events_left -= 1;
            react(event, &mut fragmenter, random);
        }
        assert!(piece.is_empty());
        rest = later;
    }
}

fn react(event: Event<'_>, fragmenter: &mut Fragmenter, random: &mut Random) {
    match event {
        Event::Request(request) | Event::AppendEnd(request) => {
            parse(&request);
            if random.below(8) == 0 {
                fragmenter.expect_line();
            }
        }
        Event::AppendLiteral { prefix, .. } => {
            parse(&prefix);
            match random.below(3) {
                0 => fragmenter.refuse_literal(),
                1 => {}
                _ => {
                    fragmenter.accept_literal();
                }
            }
        }
        Event::Line(line) => drop(SaslLine::parse(&line)),
        Event::Continue | Event::LiteralData(_) | Event::Rejected(_) | Event::Fatal(_) => {}
    }
}

fn parse(request: &Request) {
    match Command::parse(request) {
        Ok((tag, command)) => {
            assert!(!tag.is_empty());
            assert_eq!(command.row().verb, command.verb().0);
            drop(format!("{command:?}"));
        }
        Err(error) => {
            assert!(!error.to_string().contains(['\r', '\n']));
        }
    }
}

#[test]
fn no_input_breaks_the_parser() {
    let seed = random::seed();
    println!("FUZZ_SEED={seed}");
    let mut random = Random::new(seed);
    for _ in 0..iterations() {
        let input = if random.below(4) == 0 {
            noise(&mut random)
        } else {
            mutated(&mut random)
        };
        run(&input, &mut random);
    }
}

#[test]
fn no_line_breaks_the_parser_without_the_fragmenter() {
    let seed = random::seed();
    println!("FUZZ_SEED={seed}");
    let mut random = Random::new(seed);
    for _ in 0..iterations() {
        let mut input = mutated(&mut random);
        input.truncate(2000);
        parse(&Request::new(input));
    }
}

#[test]
fn a_command_after_any_refused_command_is_understood() {
    let seed = random::seed();
    println!("FUZZ_SEED={seed}");
    let mut random = Random::new(seed);
    for _ in 0..iterations() / 10 {
        // Data that reads as commands, in a literal that is too large and comes anyway.
        let data = format!("x LOGOUT\r\ny {{{}+}}\r\n", random.below(50)).repeat(20);
        let input = format!(
            "a SEARCH TEXT {{{}+}}\r\n{data} ALL\r\nlast NOOP\r\n",
            data.len()
        );
        let limits = Limits {
            literal_bytes_max: 100,
            ..Limits::BEFORE_LOGIN
        };
        let mut fragmenter = Fragmenter::new(limits);
        let (mut rejected, mut requests) = (0, Vec::new());
        for piece in input.as_bytes().chunks(1 + random.below(64)) {
            let mut piece = piece;
            while let (used, Some(event)) = fragmenter.advance(piece) {
                piece = &piece[used..];
                match event {
                    Event::Rejected(_) => rejected += 1,
                    Event::Request(request) => requests.push(request.bytes().to_vec()),
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!((rejected, requests), (1, vec![b"last NOOP".to_vec()]));
    }
}
