use std::cell::RefCell;

use futures_lite::future::{block_on, or};

use super::*;
use crate::disk::sim::{Faults, SimDisk};
use crate::disk::{Disk, DiskFile};
use crate::ids::{AccountId, Epoch, Place, Position, SegmentId};

const SEGMENT: SegmentId = SegmentId(0x0000_0001_0000_0000);
const ACCOUNT: AccountId = AccountId([7; 16]);

fn header(kind: FrameKind, id: u64) -> FrameHeader {
    FrameHeader::of(kind, ACCOUNT, Epoch(1), id)
}

#[test]
fn frame_bytes_are_golden() {
    let mut out = [0xEE; 48];
    let len = encode_frame(
        &mut out,
        SEGMENT,
        &header(FrameKind::Body, 9),
        &[b"hel", b"lo"],
    );
    assert_eq!(len, Some(48));
    let hex: String = out.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        &hex[8..],
        concat!(
            "05000000",
            "02",
            "00",
            "790c",
            "01000000",
            "0900000000000000",
            "07070707070707070707070707070707",
            "68656c6c6f",
            "000000",
        )
    );
    let mut checked = SEGMENT.0.to_le_bytes().to_vec();
    checked.extend_from_slice(&out[4..45]);
    assert_eq!(out[..4], crc32fast::hash(&checked).to_le_bytes());
}

#[test]
fn frame_reads_back_and_every_flipped_bit_shows() {
    let mut out = vec![0; 48];
    encode_frame(
        &mut out,
        SEGMENT,
        &header(FrameKind::Metadata, 9),
        &[b"hello"],
    )
    .unwrap();
    let (found, payload, len) = decode_frame(SEGMENT, &out).unwrap();
    assert_eq!(
        (found, payload, len),
        (header(FrameKind::Metadata, 9), &b"hello"[..], 48)
    );
    for bit in 0..45 * 8 {
        out[bit / 8] ^= 1 << (bit % 8);
        assert!(decode_frame(SEGMENT, &out).is_err(), "bit {bit}");
        out[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(
        decode_frame(SegmentId(SEGMENT.0 + 1), &out).is_err(),
        "of another segment"
    );
    for cut in 0..45 {
        assert!(decode_frame(SEGMENT, &out[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn random_bytes_are_no_frame_and_no_panic() {
    let mut random = crate::disk::sim::Random::new(1);
    for _ in 0..20_000 {
        let len = usize::try_from(random.below(200)).unwrap();
        let bytes: Vec<u8> = (0..len)
            .map(|_| random.next_u64().to_le_bytes()[0])
            .collect();
        assert!(decode_frame(SEGMENT, &bytes).is_err());
        assert_eq!(BatchHeader::decode(&bytes, SEGMENT), None);
        assert!(SegmentHeader::decode(&bytes, SEGMENT).is_err());
    }
}

#[test]
fn batch_and_segment_headers_are_golden() {
    let mark = Mark {
        end: 0x1000,
        previous: Some((SegmentId(3), 0x2000)),
    };
    let batch = BatchHeader {
        frames_bytes: 48,
        segment: SEGMENT,
        number: 2,
        mark,
    };
    let bytes = batch.encode();
    assert_eq!(BatchHeader::decode(&bytes, SEGMENT), Some(batch));
    assert_eq!(BatchHeader::decode(&bytes, SegmentId(5)), None);
    let hex: String = bytes[12..]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(
        hex,
        concat!(
            "30000000",
            "0000000001000000",
            "0200000000000000",
            "00100000",
            "00200000",
            "0300000000000000",
            "00000000000000000000000000000000",
        )
    );
    let segment = SegmentHeader {
        id: SEGMENT,
        bytes: 64 << 20,
    };
    let bytes = segment.encode();
    assert_eq!(SegmentHeader::decode(&bytes, SEGMENT), Ok(segment));
    let hex: String = bytes[12..32]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, "0200000000000000010000000000000400000000");
    assert_eq!(parse_segment_name(&segment_name(SEGMENT)), Some(SEGMENT));
}

/// A log in one task: commits whatever is enqueued.
fn run<T>(log: &Log<SimDisk>, work: impl Future<Output = T>) -> T {
    block_on(or(work, async {
        let commits =
            async { while let Commit::Durable(_) | Commit::Marked(_) = log.commit_next().await {} };
        let spare = log.keep_spare(async || futures_lite::future::yield_now().await);
        futures_lite::future::zip(commits, spare).await;
        std::future::pending().await
    }))
}

async fn durable(log: &Log<SimDisk>, position: Position) {
    while log.durable() < position && log.fenced().is_none() {
        futures_lite::future::yield_now().await;
    }
}

async fn room(log: &Log<SimDisk>, bytes: usize, purpose: Purpose) -> Room {
    loop {
        match log.room(bytes, 1, purpose) {
            Room::Later => futures_lite::future::yield_now().await,
            other => return other,
        }
    }
}

fn start(disk: &SimDisk, space: Space) -> Log<SimDisk> {
    block_on(Log::start(disk.clone(), Epoch(1), 0, 256 << 10, space)).unwrap()
}

fn scan_whole(disk: &SimDisk, id: SegmentId, end: Option<u32>) -> (Scan, Vec<(u64, Place)>) {
    let bytes = disk.content(&segment_name(id)).unwrap();
    let mut found = Vec::new();
    let part = SegmentBytes {
        segment: id,
        base: 4096,
        bytes: &bytes[4096..],
    };
    let scan = scan(part, end, &mut |header, place, payload| {
        assert_eq!(payload, vec![header.id.to_le_bytes()[0]; payload.len()]);
        found.push((header.id, place));
    });
    (scan, found)
}

fn payload(id: u64, bytes: usize) -> Vec<u8> {
    vec![id.to_le_bytes()[0]; bytes]
}

#[test]
fn frames_are_where_enqueue_said_over_a_change_of_segment() {
    let disk = SimDisk::new(3);
    let log = start(&disk, Space::new(0, None));
    let places = RefCell::new(Vec::new());
    run(&log, async {
        for id in 1..=100 {
            assert_eq!(room(&log, 9_000, Purpose::Growth).await, Room::Now);
            let place = log
                .enqueue(&header(FrameKind::Body, id), &[&payload(id, 9_000)])
                .unwrap();
            places.borrow_mut().push((id, place));
            if id % 3 == 0 {
                durable(&log, log.end()).await;
            }
        }
        durable(&log, log.end()).await;
    });
    let mut found = Vec::new();
    let ended = log.ended_segments();
    assert!(ended.len() >= 3, "{ended:?}");
    for segment in &ended {
        let (scan, frames) = scan_whole(&disk, segment.id, Some(segment.end));
        assert_eq!((scan.damage, scan.torn), (vec![], false));
        found.extend(frames);
    }
    let last = places.borrow().last().unwrap().1.segment;
    let (scan, frames) = scan_whole(&disk, last, None);
    found.extend(frames);
    assert_eq!(found, *places.borrow());
    let newest = ended.last().unwrap();
    assert_eq!(scan.previous, Some((newest.id, newest.end)));
}

#[test]
fn torn_tail_is_cut_and_what_was_durable_stays() {
    let mut cut = 0;
    for seed in 0..200 {
        let disk = SimDisk::new(seed);
        let log = start(&disk, Space::new(0, None));
        disk.set_faults(Faults {
            crash_after: Some(1 + seed % 23),
            ..Faults::default()
        });
        let enqueued = RefCell::new(Vec::new());
        run(&log, async {
            for id in 1..=12 {
                if room(&log, 3_000, Purpose::Growth).await != Room::Now {
                    break;
                }
                log.enqueue(&header(FrameKind::Metadata, id), &[&payload(id, 3_000)])
                    .unwrap();
                enqueued.borrow_mut().push((id, log.end()));
                if id % 2 == 0 {
                    durable(&log, log.end()).await;
                }
            }
            durable(&log, log.end()).await;
        });
        let disk = disk.restart();
        let (scan, found) = scan_whole(&disk, segment_id(Epoch(1), 0, 0).unwrap(), None);
        let ids: Vec<u64> = found.iter().map(|(id, _)| *id).collect();
        let expected: Vec<u64> = (1..=u64::try_from(ids.len()).unwrap()).collect();
        assert_eq!(ids, expected, "seed {seed}: a prefix");
        let synced = enqueued
            .borrow()
            .iter()
            .filter(|(_, at)| *at <= log.durable())
            .count();
        assert!(
            ids.len() >= synced,
            "seed {seed}: {} of {synced}",
            ids.len()
        );
        assert_eq!(scan.damage, vec![], "seed {seed}");
        cut += u32::from(scan.torn);
    }
    assert!(cut > 5, "only {cut} torn tails");
}

#[test]
fn rot_below_the_mark_is_damage_and_the_rest_is_read() {
    let disk = SimDisk::new(5);
    let log = start(&disk, Space::new(0, None));
    let place = run(&log, async {
        let mut places = Vec::new();
        for id in 1..=6 {
            places.push(log.enqueue(&header(FrameKind::Metadata, id), &[&payload(id, 100)]));
            if id == 3 {
                durable(&log, log.end()).await;
            }
        }
        durable(&log, log.end()).await;
        log.enqueue_mark();
        durable(&log, log.end()).await;
        places
    });
    for (bad, byte) in [(1, 60), (5, 4), (2, 0), (0, 24)] {
        let place = place[bad].unwrap();
        let name = segment_name(place.segment);
        let at = usize::try_from(place.offset).unwrap() + byte;
        disk.flip(&name, at, 3);
        let (scan, found) = scan_whole(&disk, place.segment, None);
        let bad_id = u64::try_from(bad).unwrap() + 1;
        assert_eq!(found.len(), 5, "frame {bad}");
        assert!(found.iter().all(|(id, _)| *id != bad_id));
        assert_eq!((scan.damage.len(), scan.torn), (1, false), "frame {bad}");
        assert_eq!(scan.damage[0].from, place.offset);
        disk.flip(&name, at, 3);
    }
    // A whole batch whose header rots.
    let name = segment_name(place[0].unwrap().segment);
    disk.flip(&name, 4096 + 1, 0);
    let (scan, found) = scan_whole(&disk, place[0].unwrap().segment, None);
    assert_eq!(
        found.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        [4, 5, 6]
    );
    assert_eq!(scan.damage.len(), 1);
}

#[test]
fn failed_sync_fences_the_log_for_ever() {
    let disk = SimDisk::new(5);
    let log = start(&disk, Space::new(0, None));
    run(&log, async {
        log.enqueue(&header(FrameKind::Metadata, 1), &[b"\x01"])
            .unwrap();
        durable(&log, log.end()).await;
        disk.set_faults(Faults {
            fail_sync_after: Some(1),
            ..Faults::default()
        });
        log.enqueue(&header(FrameKind::Metadata, 2), &[b"\x02"])
            .unwrap();
        durable(&log, log.end()).await;
        assert_eq!(log.room(1, 1, Purpose::Upkeep), Room::Fenced);
        assert_eq!(log.durable(), Position(1));
    });
    assert!(log.fenced().is_some());
}

#[test]
fn full_disk_refuses_growth_and_keeps_a_reserve() {
    let disk = SimDisk::new(5);
    let log = start(&disk, Space::new(0, Some(512 << 10)));
    let enqueue = async |purpose| {
        let mut count = 0;
        while room(&log, 20_000, purpose).await == Room::Now {
            log.enqueue(&header(FrameKind::Body, 1), &[&payload(1, 20_000)])
                .unwrap();
            durable(&log, log.end()).await;
            count += 1;
        }
        count
    };
    run(&log, async {
        let grown = enqueue(Purpose::Growth).await;
        assert!(grown >= 15, "{grown}");
        assert_eq!(room(&log, 20_000, Purpose::Growth).await, Room::Full);
        let kept = enqueue(Purpose::Upkeep).await;
        assert!(kept >= 1, "{kept}");
        // Space comes back: compaction removed a file.
        log.space().give(256 << 10);
        while log.is_full() {
            futures_lite::future::yield_now().await;
        }
        assert_eq!(room(&log, 20_000, Purpose::Growth).await, Room::Now);
    });
}

#[test]
fn empty_batch_carries_the_mark() {
    let disk = SimDisk::new(5);
    let log = start(&disk, Space::new(0, None));
    run(&log, async {
        log.enqueue(&header(FrameKind::Body, 1), &[&payload(1, 100)])
            .unwrap();
        durable(&log, log.end()).await;
        log.enqueue_mark();
        durable(&log, log.end()).await;
    });
    let bytes = disk
        .content(&segment_name(segment_id(Epoch(1), 0, 0).unwrap()))
        .unwrap();
    let mark = BatchHeader::decode(&bytes[8192..], segment_id(Epoch(1), 0, 0).unwrap()).unwrap();
    assert_eq!(
        (mark.frames_bytes, mark.mark.end, mark.number),
        (0, 8192, 1)
    );
}

#[test]
fn disk_trait_reads_unaligned() {
    let disk = SimDisk::new(5);
    block_on(async {
        let file = disk.create("a", 8192).await.unwrap();
        file.write_at(vec![7; 4096], 4096).await.unwrap();
        assert_eq!(file.read_at(4095, 3).await.unwrap(), [0, 7, 7]);
        assert_eq!(file.read_at(8190, 10).await.unwrap(), [7, 7]);
    });
}
