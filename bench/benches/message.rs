//! Mail: its structure while it arrives, its summary, and the search through its text.

mod cpu;

use std::hint::black_box;

use bench::mail;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use mail_message::scanner::{Limits, Scanner, Structure};
use mail_message::summary::{SummaryRef, summarize};
use mail_message::text::{Needle, text_contains};

use crate::cpu::CpuTime;

/// What an upload hands over at a time.
const PIECE_BYTES: usize = 16 * 1024;
/// Messages of the mailbox that is searched.
const SEARCHED: usize = 10_000;

fn mails() -> [(&'static str, Vec<u8>); 4] {
    [
        ("plain_4k", mail::plain(1, 4 << 10)),
        ("plain_1m", mail::plain(1, 1 << 20)),
        ("newsletter", mail::newsletter(1)),
        ("attachment_1m", mail::attachment(1, 1 << 20)),
    ]
}

fn arrive(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("scan");
    for (name, mail) in mails() {
        group.throughput(throughput(&mail));
        group.bench_function(name, |bencher| bencher.iter(|| scan(black_box(&mail))));
    }
    group.finish();
    let mut group = criterion.benchmark_group("scan_and_summarize");
    for (name, mail) in mails() {
        group.throughput(throughput(&mail));
        group.bench_function(name, |bencher| {
            bencher.iter(|| summarize(&scan(black_box(&mail))).encode());
        });
    }
    group.finish();
    let stored = summarize(&scan(&mail::newsletter(1))).encode();
    criterion.bench_function("summary_read", |bencher| {
        bencher.iter(|| SummaryRef::decode(black_box(&stored)).map(|summary| summary.size()));
    });
}

/// The needle is in no message, so every octet is looked at.
fn search(criterion: &mut Criterion<CpuTime>) {
    let needle = Needle::new("a string that nobody wrote");
    let mut group = criterion.benchmark_group("search_text");
    for (name, mail) in mails() {
        let stored = summarize(&scan(&mail)).encode();
        let Ok(summary) = SummaryRef::decode(&stored) else {
            continue;
        };
        group.throughput(throughput(&mail));
        group.bench_function(name, |bencher| {
            bencher.iter(|| text_contains(black_box(&mail), &summary, &needle));
        });
    }
    let messages: Vec<(Vec<u8>, Vec<u8>)> = (0..SEARCHED)
        .map(|number| {
            let mail = mail::plain(number, 4 << 10);
            let summary = summarize(&scan(&mail)).encode();
            (mail, summary)
        })
        .collect();
    let octets: usize = messages.iter().map(|(mail, _)| mail.len()).sum();
    group.throughput(Throughput::Bytes(u64::try_from(octets).unwrap_or(u64::MAX)));
    group.sample_size(10);
    group.bench_function("10000_messages", |bencher| {
        let found = |(mail, stored): &(Vec<u8>, Vec<u8>)| {
            SummaryRef::decode(stored).is_ok_and(|it| text_contains(mail, &it, &needle))
        };
        bencher.iter_batched(
            || &messages,
            |messages| messages.iter().filter(|message| found(message)).count(),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn scan(mail: &[u8]) -> Structure {
    let mut scanner = Scanner::new(Limits::default());
    for piece in mail.chunks(PIECE_BYTES) {
        scanner.feed(piece);
    }
    scanner.finish()
}

fn throughput(mail: &[u8]) -> Throughput {
    Throughput::Bytes(u64::try_from(mail.len()).unwrap_or(u64::MAX))
}

criterion_group!(name = benches; config = cpu::criterion(); targets = arrive, search);
criterion_main!(benches);
