//! Whatever stands on the disk: readers of frames, segments, records, tables and pages do not
//! panic and hand out only what checks out.
//!
//! `FUZZ_ITERATIONS` (20,000) says how many inputs, `FUZZ_SEED` where to begin; a failure prints
//! the seed of its input.

use std::collections::BTreeMap;

use storage_engine::account::AccountState;
use storage_engine::ids::{AccountId, Epoch, SegmentId};
use storage_engine::index::Page;
use storage_engine::log::{
    BATCH_HEADER_BYTES, BatchHeader, FrameHeader, FrameKind, Mark, SEGMENT_HEADER_BYTES,
    SegmentBytes, SegmentHeader, decode_frame, encode_frame, frame_bytes, scan,
};
use storage_engine::record::{self, Record};
use storage_engine::recovery::manifest::Manifest;
use storage_engine::recovery::slice_table::SliceTable;
use storage_engine::recovery::start_file::StartFile;
use storage_engine::testing::Rng;

const SEGMENT: SegmentId = SegmentId(77);
const BLOCK: usize = 4096;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn check(what: impl Fn(&mut Rng)) {
    let first = setting("FUZZ_SEED", 1);
    for seed in first..first + setting("FUZZ_ITERATIONS", 20_000) {
        let run = std::panic::AssertUnwindSafe(|| what(&mut Rng::new(seed)));
        if let Err(panic) = std::panic::catch_unwind(run) {
            eprintln!("FUZZ_SEED={seed} FUZZ_ITERATIONS=1");
            std::panic::resume_unwind(panic);
        }
    }
}

fn pick(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.below(u64::try_from(bound).unwrap())).unwrap()
}

fn random_bytes(rng: &mut Rng, bound: usize) -> Vec<u8> {
    let len = pick(rng, bound);
    (0..len)
        .map(|_| u8::try_from(rng.below(256)).unwrap())
        .collect()
}

/// Flips, overwrites, cuts and repeats a few places.
fn mutate(rng: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..pick(rng, 5) {
        if bytes.is_empty() {
            return;
        }
        let at = pick(rng, bytes.len());
        match rng.below(5) {
            0 => bytes[at] ^= 1 << rng.below(8),
            1 => bytes[at] = 0xff,
            2 => bytes.truncate(at),
            3 => bytes[at] = 0,
            _ => {
                let piece = bytes[at..bytes.len().min(at + 64)].to_vec();
                let to = pick(rng, bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
}

fn account(rng: &mut Rng) -> AccountId {
    AccountId([u8::try_from(rng.below(4)).unwrap(); 16])
}

/// A segment of a few batches, as the writer lays them out, and the payloads in it.
fn segment(rng: &mut Rng) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut bytes = vec![0; SEGMENT_HEADER_BYTES];
    let mut payloads = Vec::new();
    for number in 1..=1 + rng.below(4) {
        let at = bytes.len();
        let mut frames = Vec::new();
        for id in 0..1 + rng.below(3) {
            let payload = random_bytes(rng, 600);
            let header = FrameHeader::of(FrameKind::Body, account(rng), Epoch(1), id);
            let start = frames.len();
            frames.resize(start + frame_bytes(payload.len()), 0);
            encode_frame(&mut frames[start..], SEGMENT, &header, &[&payload]).unwrap();
            payloads.push(payload);
        }
        let header = BatchHeader {
            segment: SEGMENT,
            number,
            mark: Mark {
                end: u32::try_from(at).unwrap(),
                previous: None,
            },
            frames_bytes: u32::try_from(frames.len()).unwrap(),
        };
        bytes.extend_from_slice(&header.encode());
        assert_eq!(bytes.len(), at + BATCH_HEADER_BYTES);
        bytes.extend_from_slice(&frames);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    }
    (bytes, payloads)
}

#[test]
fn a_damaged_segment_yields_only_frames_that_were_written() {
    check(|rng| {
        let (mut bytes, written) = segment(rng);
        mutate(rng, &mut bytes);
        let part = SegmentBytes {
            segment: SEGMENT,
            base: 0,
            bytes: &bytes,
        };
        let known_end = rng
            .percent(30)
            .then(|| u32::try_from(rng.below(40_000)).unwrap());
        let scan = scan(part, known_end, &mut |_, place, payload| {
            assert!(
                written.iter().any(|written| written == payload),
                "an invented frame"
            );
            assert_eq!(usize::try_from(place.len).unwrap(), payload.len());
        });
        assert!(known_end.is_some() || usize::try_from(scan.end).unwrap() <= bytes.len() + BLOCK);
    });
}

#[test]
fn an_untouched_segment_yields_every_frame() {
    check(|rng| {
        let (bytes, written) = segment(rng);
        let part = SegmentBytes {
            segment: SEGMENT,
            base: 0,
            bytes: &bytes,
        };
        let mut read = Vec::new();
        let scan = scan(part, None, &mut |_, _, payload| read.push(payload.to_vec()));
        assert_eq!(read, written);
        assert!(scan.damage.is_empty() && !scan.torn);
    });
}

#[test]
fn random_bytes_are_refused_by_every_reader() {
    check(|rng| {
        let bytes = random_bytes(rng, 2_000);
        // What matters is that each returns; a random checksum does not hold.
        assert!(decode_frame(SEGMENT, &bytes).is_err());
        let _ = SegmentHeader::decode(&bytes, SEGMENT);
        let _ = BatchHeader::decode(&bytes, SEGMENT);
        let _ = record::decode_frame(&bytes);
        let _ = SliceTable::parse(bytes.clone().into());
        let _ = StartFile::decode(&bytes);
        let _ = Manifest::decode(&bytes);
        let _ = AccountState::decode(&bytes);
        let _ = Page::from_bytes(&bytes);
    });
}

#[test]
fn records_that_read_are_written_the_same_way() {
    check(|rng| {
        let records = [
            Record::Subscribed { name: "a/b".into() },
            Record::CertificateSet {
                certificate: vec![0x30, 0],
            },
            Record::Unsubscribed {
                name: "INBOX".into(),
            },
        ];
        let mut bytes = Vec::new();
        record::encode_frame(&records, &mut bytes);
        mutate(rng, &mut bytes);
        if let Ok(read) = record::decode_frame(&bytes) {
            let mut again = Vec::new();
            record::encode_frame(&read, &mut again);
            assert_eq!(record::decode_frame(&again).ok(), Some(read));
        }
    });
}

#[test]
fn tables_and_states_survive_what_a_disk_does_to_them() {
    let table = SliceTable::default()
        .with(&BTreeMap::new())
        .payload()
        .to_vec();
    check(|rng| {
        let mut bytes = table.clone();
        bytes.extend(random_bytes(rng, 200));
        mutate(rng, &mut bytes);
        let _ = SliceTable::parse(bytes.clone().into());
        let _ = AccountState::decode(&bytes);
    });
}
