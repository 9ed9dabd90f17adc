//! Commands: octets to fragments, fragments to a command.

mod cpu;

use std::hint::black_box;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use imap_proto::command::Command;
use imap_proto::fragmenter::{Event, Fragmenter};
use imap_proto::limits::Limits;
use imap_proto::request::Request;

use crate::cpu::CpuTime;

/// What clients send most.
const COMMANDS: [(&str, &str); 7] = [
    ("noop", "A1 NOOP"),
    ("login", "A1 LOGIN reader@example.net \"a pass word\""),
    ("select", "A1 SELECT \"Archive/2024\""),
    (
        "fetch_list",
        "A1 UID FETCH 1,5:9,4711:* (UID FLAGS INTERNALDATE RFC822.SIZE \
         BODY.PEEK[HEADER.FIELDS (FROM TO CC SUBJECT DATE MESSAGE-ID REFERENCES)])",
    ),
    ("fetch_body", "A1 UID FETCH 4711 BODY.PEEK[]<0.65536>"),
    (
        "store",
        "A1 UID STORE 4711:4720 +FLAGS.SILENT (\\Seen $Forwarded)",
    ),
    (
        "search",
        "A1 UID SEARCH CHARSET UTF-8 UNSEEN SINCE 1-Jan-2024 OR FROM sender SUBJECT \"project\" \
         NOT DELETED",
    ),
];
/// Numbers of a set that a client wrote one by one.
const NUMBERS: u32 = 5_000;
/// What a read from a socket gives at most.
const READ_BYTES: usize = 16 * 1024;

fn parse(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("parse");
    for (name, line) in COMMANDS {
        let request = Request::new(line);
        assert!(Command::parse(&request).is_ok(), "{line}");
        group.throughput(Throughput::Bytes(bytes(line.len())));
        group.bench_function(name, |bencher| {
            bencher.iter(|| Command::parse(black_box(&request)));
        });
    }
    let numbers: Vec<String> = (1..=NUMBERS).map(|n| (n * 2).to_string()).collect();
    let line = format!("A1 UID STORE {} +FLAGS (\\Seen)", numbers.join(","));
    let request = Request::new(line.as_str());
    assert!(Command::parse(&request).is_ok());
    group.throughput(Throughput::Bytes(bytes(line.len())));
    group.bench_function("set_of_5000", |bencher| {
        bencher.iter(|| Command::parse(black_box(&request)));
    });
    group.finish();
}

fn fragment(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("fragment");
    let lines: String = COMMANDS
        .map(|(_, line)| format!("{line}\r\n"))
        .concat()
        .repeat(100);
    let expected = COMMANDS.len() * 100;
    bench_stream(&mut group, "pipelined", lines.as_bytes(), expected);
    for (name, octets) in [("append_4k", 4 << 10), ("append_1m", 1 << 20)] {
        let mut stream = format!("A1 APPEND INBOX (\\Seen) {{{octets}+}}\r\n").into_bytes();
        stream.resize(stream.len() + octets, b'x');
        stream.extend_from_slice(b"\r\n");
        bench_stream(&mut group, name, &stream, 1);
    }
    group.finish();
}

fn bench_stream(
    group: &mut BenchmarkGroup<'_, CpuTime>,
    name: &str,
    stream: &[u8],
    expected: usize,
) {
    assert_eq!(run(stream), expected, "{name}");
    group.throughput(Throughput::Bytes(bytes(stream.len())));
    group.bench_function(name, |bencher| bencher.iter(|| run(black_box(stream))));
}

/// Feeds `stream` as a connection would, accepts every message, and counts whole commands.
fn run(stream: &[u8]) -> usize {
    let mut fragmenter = Fragmenter::new(Limits::AFTER_LOGIN);
    let mut commands = 0;
    for piece in stream.chunks(READ_BYTES) {
        let mut rest = piece;
        loop {
            let (used, event) = fragmenter.advance(rest);
            let is_append = match event {
                None => break,
                Some(Event::Request(_) | Event::AppendEnd(_)) => {
                    commands += 1;
                    false
                }
                Some(event) => matches!(event, Event::AppendLiteral { .. }),
            };
            if is_append {
                fragmenter.accept_literal();
            }
            rest = rest.get(used..).unwrap_or_default();
        }
    }
    commands
}

fn bytes(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

criterion_group!(name = benches; config = cpu::criterion(); targets = parse, fragment);
criterion_main!(benches);
