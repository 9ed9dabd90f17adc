//! Responses: values to octets.

mod cpu;

use std::hint::black_box;

use bench::mail;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use imap_proto::response::FetchResponse;
use mail_message::scanner::{Limits, Scanner};
use mail_message::summary::{body_structure, envelope};

use crate::cpu::CpuTime;

/// Lines of one answer.
const LINES: u32 = 1_000;
/// Flags of the messages, in turn.
const FLAGS: [&[&str]; 4] = [
    &["\\Seen"],
    &[],
    &["\\Seen", "\\Answered"],
    &["\\Seen", "$Forwarded", "$Label1"],
];

fn encode(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("encode");
    bench(&mut group, "1000_fetch_flags", |out| {
        for (sequence, flags) in (1..=LINES).zip(FLAGS.iter().cycle()) {
            FetchResponse::new(out, sequence)
                .uid(sequence * 3)
                .flags(flags.iter().copied())
                .finish();
        }
    });
    let mail = mail::newsletter(1);
    let header_end = memchr::memmem::find(&mail, b"\r\n\r\n").map_or(mail.len(), |at| at + 4);
    let (header, _) = mail.split_at(header_end);
    let envelope = envelope(header);
    bench(&mut group, "envelope", |out| envelope.encode(out));
    let mut scanner = Scanner::new(Limits::default());
    scanner.feed(&mail);
    let structure = body_structure(&scanner.finish());
    bench(&mut group, "body_structure", |out| {
        structure.encode_body_structure(out)
    });
    bench(&mut group, "stored_envelope", |out| {
        FetchResponse::new(out, 17)
            .uid(4711)
            .raw("ENVELOPE", header)
            .finish();
    });
    group.finish();
}

fn bench(group: &mut BenchmarkGroup<'_, CpuTime>, name: &str, encode: impl Fn(&mut Vec<u8>)) {
    let mut out = Vec::new();
    encode(&mut out);
    assert!(!out.is_empty(), "{name}");
    group.throughput(Throughput::Bytes(
        u64::try_from(out.len()).unwrap_or(u64::MAX),
    ));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            out.clear();
            encode(&mut out);
            black_box(out.len())
        });
    });
}

criterion_group!(name = benches; config = cpu::criterion(); targets = encode);
criterion_main!(benches);
