//! Reports of records that are always the same.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

use super::{Arrival, Gauges, Recorder, Report, Sample, Setting};
use crate::limits::{OPERATION_NAME_BYTES_MAX, OPERATIONS_MAX};

/// A second of these reports.
const S: u64 = 1_000_000_000;
/// A microsecond of them.
const US: u64 = 1_000;
/// When the measurement starts: not at the origin, so that nothing rests on that.
const START: u64 = 5 * S;

fn recorder(arrival: Arrival) -> Recorder {
    Recorder::new(Setting {
        scenario: "golden <mix> & more".to_owned(),
        target: "127.0.0.1:1143".to_owned(),
        command: "loadgen golden --connections 12".to_owned(),
        arrival,
        connections: 12,
        started_at: UNIX_EPOCH + Duration::from_secs(1_800_000_000),
    })
    .unwrap()
}

fn gauges(connections: u32, own_cpu_ms: u64) -> Gauges {
    Gauges {
        connections,
        own_cpu: Duration::from_millis(own_cpu_ms),
    }
}

/// Three seconds: 1,000 fetches in each, answered in 101 us up to 1,100 us, begun up to 50 us
/// late; ten stores; four errors; an answer after the end.
fn record(recorder: &mut Recorder) {
    let fetch = recorder.add_operation("fetch").unwrap();
    let store = recorder.add_operation("store").unwrap();
    let sample = |operation, intended_ns, late_ns, response_ns| Sample {
        operation,
        intended_ns,
        started_ns: intended_ns + late_ns,
        ended_ns: intended_ns + response_ns,
        sent_bytes: 40,
        received_bytes: 4_200,
    };
    recorder.record(&sample(fetch, START - S, 0, S));
    recorder.start(START, 11, Duration::from_millis(500));
    for second in 0..3 {
        for n in 0..1_000 {
            let intended_ns = START + second * S + n * 900 * US;
            recorder.record(&sample(fetch, intended_ns, (n % 50) * US, (n + 101) * US));
        }
        if second < 2 {
            let now_ns = START + (second + 1) * S;
            recorder
                .tick(now_ns, gauges(11, 600 + 100 * second))
                .unwrap();
        }
    }
    for n in 0..10 {
        recorder.record(&sample(store, START + n * S / 10, 0, 20_000 * US));
    }
    recorder.fail(
        Some(store),
        "wrong_flags",
        "* 1 FETCH (FLAGS (\\Seen \"<b>\"))",
    );
    recorder.fail(Some(store), "wrong_flags", "another");
    recorder.fail(Some(fetch), "timed_out", "no answer in 30.0 s");
    recorder.fail(None, "connect", "refused");
    recorder.stop(START + 3 * S);
    recorder.record(&sample(fetch, START + 2 * S, 0, S + S / 2));
    recorder.record(&sample(fetch, START + 4 * S, 0, S));
}

fn report(arrival: Arrival) -> Report {
    let mut recorder = recorder(arrival);
    record(&mut recorder);
    recorder
        .finish(START + 3 * S + S / 2, gauges(3, 800))
        .unwrap()
}

const OPEN: Arrival = Arrival::Open {
    rate_per_s: 1_003.0,
};

const OPEN_TEXT: &str = "\
golden <mix> & more against 127.0.0.1:1143, open loop, 1,003 /s asked
11 of 12 connections ready, 3.0 s measured

ms                  rate /s        count   errors       p50       p90       p99     p99.9       max
fetch                 1,000        3,001        1     0.601     1.001     1.092     1.101    1500.5
  service time alone                                  0.601     1.001     1.052     1.052    1500.5
store                   3.3           10        2     20.00     20.00     20.00     20.00     20.00
  service time alone                                  20.00     20.00     20.00     20.00     20.00
total                 1,003        3,011        4     0.602     1.004     1.095     20.00    1500.5
  service time alone                                  0.601     1.001     1.052     20.00    1500.5

bytes    120.4 kB sent, 12.6 MB received (40 and 4200 an operation)
own CPU  0.300 s, 99.63 us an operation
error    1 connect, first: refused
error    1 timed_out, first in fetch: no answer in 30.0 s
error    2 wrong_flags, first in store: * 1 FETCH (FLAGS (\\Seen \"<b>\"))
";

#[test]
fn the_text_of_an_open_loop_tells_service_time_too() {
    assert_eq!(report(OPEN).text(), OPEN_TEXT);
}

#[test]
fn the_text_of_a_closed_loop_knows_one_time_only() {
    let text = report(Arrival::Closed).text();
    assert!(text.starts_with("golden <mix> & more against 127.0.0.1:1143, closed loop\n"));
    assert!(!text.contains("service"), "{text}");
}

#[test]
fn the_json_report_keeps_its_fields() {
    let json = report(OPEN).json().unwrap();
    assert_eq!(json.matches('\n').count(), 1, "one line");
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let golden: serde_json::Value = serde_json::from_str(include_str!("tests/open.json")).unwrap();
    assert_eq!(value, golden, "{value:#}");
}

#[test]
fn a_run_of_nothing_has_a_report() {
    let recorder = recorder(Arrival::Closed);
    let report = recorder.finish(START, gauges(0, 0)).unwrap();
    assert_eq!((report.count(), report.errors()), (0, 0));
    assert!(report.text().contains("total"), "{}", report.text());
    report.json().unwrap();
}

#[test]
fn the_progress_line_tells_the_second() {
    let mut recorder = recorder(Arrival::Closed);
    let noop = recorder.add_operation("noop").unwrap();
    recorder.start(START, 1, Duration::ZERO);
    recorder.record(&Sample {
        operation: noop,
        intended_ns: START,
        started_ns: START,
        ended_ns: START + 2_000 * US,
        sent_bytes: 0,
        received_bytes: 0,
    });
    let interval = recorder.tick(START + 2 * S, gauges(1, 50)).unwrap();
    assert_eq!(
        interval.line(),
        "     2 s        0.5 /s  p50   2.001 ms  p99   2.001 ms  max   2.001 ms  0 errors  \
         1 connections  own CPU 2 %"
    );
}

#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_interval_log_holds_what_the_report_holds() {
    let sink = Shared::default();
    let mut recorder = recorder(OPEN);
    recorder.log_intervals_to(Box::new(sink.clone())).unwrap();
    record(&mut recorder);
    let report = recorder.finish(START + 4 * S, gauges(3, 800)).unwrap();
    let log = sink.0.borrow();
    assert!(log.starts_with(b"#[Histogram log format version 1.3]\n"));

    let mut sum = Histogram::<u64>::new(3).unwrap();
    let mut seen = Vec::new();
    for entry in IntervalLogIterator::new(&log) {
        match entry.unwrap() {
            LogEntry::StartTime(at) | LogEntry::BaseTime(at) => {
                assert_eq!(at, Duration::from_secs(1_800_000_000));
            }
            LogEntry::Interval(interval) => {
                let bytes = STANDARD.decode(interval.encoded_histogram()).unwrap();
                let part: Histogram<u64> = Deserializer::new()
                    .deserialize(&mut io::Cursor::new(bytes))
                    .unwrap();
                sum.add(&part).unwrap();
                let tag = interval.tag().unwrap().as_str().to_owned();
                seen.push((tag, interval.start_timestamp().as_secs(), part.len()));
            }
        }
    }
    let expected = [
        ("fetch", 0, 1_000),
        ("store", 0, 0),
        ("fetch", 1, 1_000),
        ("store", 1, 0),
        ("fetch", 2, 1_001),
        ("store", 2, 10),
    ];
    let expected = expected.map(|(tag, at_s, count)| (tag.to_owned(), at_s, count));
    assert_eq!(seen, expected);
    assert_eq!(sum.len(), report.count());
}

#[test]
fn names_that_would_break_the_log_are_refused() {
    let mut recorder = recorder(Arrival::Closed);
    for name in [
        "",
        "a,b",
        "a b",
        "a\nb",
        &"a".repeat(OPERATION_NAME_BYTES_MAX + 1),
    ] {
        assert!(recorder.add_operation(name).is_err(), "{name:?}");
    }
    for n in 0..OPERATIONS_MAX {
        recorder.add_operation(&format!("op-{n}")).unwrap();
    }
    assert!(recorder.add_operation("one-more").is_err());
}

/// The words of a page, each element's apart, and the colours that its drawings name.
fn read_page(html: &str) -> (Vec<String>, Vec<String>) {
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..Default::default()
    };
    let page = roxmltree::Document::parse_with_options(html, options).unwrap();
    let words = page.descendants().filter(|node| node.is_text());
    let words = words
        .filter_map(|node| node.text())
        .map(|text| text.trim().to_owned());
    let lines = page
        .descendants()
        .filter(|node| node.has_tag_name("polyline"));
    let lines = lines
        .filter_map(|line| line.attribute("stroke"))
        .map(str::to_owned);
    let lines = lines.collect();
    assert!(!page.descendants().any(|node| node.has_tag_name("script")));
    assert!(!html.contains("href=") && !html.contains("src=") && !html.contains("url("));
    (words.collect(), lines)
}

#[test]
fn the_page_is_whole_and_holds_the_figures() {
    let html = report(OPEN).html().unwrap();
    let (words, lines) = read_page(&html);
    for figure in [
        "golden <mix> & more",
        "1,003",
        "1.095",
        "1500.5",
        "3,001",
        "12.6 MB",
        "99.6",
        "p99",
        "10 ms",
        "99.9 %",
        "* 1 FETCH (FLAGS (\\Seen \"<b>\"))",
        "loadgen golden --connections 12",
    ] {
        assert!(
            words.iter().any(|word| word == figure),
            "{figure}: {words:?}"
        );
    }
    assert!(html.contains("2027-01-15 08:00:05 UTC"));
    // Of each colour that the page knows, a line in the charts with so many lines.
    let drawn = |colour| lines.iter().filter(|line| *line == colour).count();
    assert!(
        drawn("#010000") >= 4 && drawn("#020000") >= 3 && drawn("#030000") >= 1,
        "{lines:?}"
    );
}

#[test]
fn a_long_run_of_many_operations_has_a_small_page() {
    let mut recorder = recorder(Arrival::Closed);
    let ids: Vec<_> = (0..12)
        .map(|n| recorder.add_operation(&format!("op-{n}")).unwrap())
        .collect();
    recorder.start(0, 12, Duration::ZERO);
    for second in 0..2_000 {
        // Histograms are slow without optimisation, so most seconds have one operation only.
        let busy = if second % 500 == 0 { 12 } else { 1 };
        for (n, id) in (1..).zip(&ids).take(busy) {
            recorder.record(&Sample {
                operation: *id,
                intended_ns: second * S,
                started_ns: second * S,
                ended_ns: second * S + n * 100 * US,
                sent_bytes: 1,
                received_bytes: 1,
            });
        }
        recorder
            .tick((second + 1) * S, gauges(12, second * 500))
            .unwrap();
    }
    recorder.stop(2_000 * S);
    let html = recorder
        .finish(2_000 * S, gauges(12, 2_000 * 500))
        .unwrap()
        .html()
        .unwrap();
    assert!(html.len() < 100_000, "{}", html.len());
    let (words, _) = read_page(&html);
    for figure in [
        "the 8 most frequent of 12 operations",
        "logarithmic, all operations together, the slowest of every 7 seconds",
        "op-11",
        "1.200",
    ] {
        assert!(
            words.iter().any(|word| word == figure),
            "{figure}: {words:?}"
        );
    }
}

#[test]
fn an_interval_without_length_adds_nothing_and_loses_nothing() {
    let mut recorder = recorder(Arrival::Closed);
    let noop = recorder.add_operation("noop").unwrap();
    recorder.start(START, 1, Duration::ZERO);
    recorder.tick(START + S, gauges(1, 0)).unwrap();
    recorder.tick(START + S, gauges(1, 0)).unwrap();
    recorder.stop(START + S);
    recorder.record(&Sample {
        operation: noop,
        intended_ns: START,
        started_ns: START,
        ended_ns: START + S,
        sent_bytes: 0,
        received_bytes: 0,
    });
    let report = recorder.finish(START + S, gauges(1, 0)).unwrap();
    let counts: Vec<u64> = report.intervals.iter().map(|it| it.count).collect();
    assert_eq!((counts, report.count()), (vec![0, 1], 1));
}

#[test]
fn a_run_without_answers_has_a_page() {
    let mut recorder = recorder(OPEN);
    recorder.add_operation("noop").unwrap();
    recorder.start(START, 0, Duration::ZERO);
    recorder.stop(START);
    let html = recorder
        .finish(START, gauges(0, 0))
        .unwrap()
        .html()
        .unwrap();
    read_page(&html);
}
