use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_lite::future::block_on;

use super::accounts::{Gathered, settle};
use super::envelope::EnvelopeError;
use super::manifest::{Manifest, manifest_name};
use super::slice_table::{SliceTable, StatePlace, TableEntry};
use super::start_file::{ListedSegment, ReplayFrom, StartFile};
use super::*;
use crate::disk::sim::SimDisk;
use crate::record::{Record, encode_frame};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn place() -> Place {
    Place {
        segment: SegmentId(3),
        offset: 0x1040,
        len: 9,
    }
}

#[test]
fn start_file_is_golden() {
    let start = StartFile {
        epoch: Epoch(2),
        shards: 4,
        segments: BTreeMap::from([(
            SegmentId(1),
            ListedSegment {
                end: 0x2000,
                live_bytes: -1,
            },
        )]),
        replay: vec![ReplayFrom {
            segment: SegmentId(1),
            from: 0x1000,
        }],
        tables: BTreeMap::from([(Slice(5), place())]),
    };
    let bytes = start.encode();
    assert_eq!(StartFile::decode(&bytes), Ok(start));
    assert_eq!(&bytes[..8], b"CPSTART1");
    assert_eq!(
        hex(&bytes[12..]),
        concat!(
            "02000000",
            "54000000",
            "02000000",
            "04000000",
            "01000000",
            "0100000000000000",
            "00200000",
            "00000000",
            "ffffffffffffffff",
            "01000000",
            "0100000000000000",
            "00100000",
            "00000000",
            "01000000",
            "0500",
            "0000",
            "09000000",
            "0300000000000000",
            "40100000",
            "00000000",
        )
    );
    for byte in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[byte] ^= 4;
        assert!(StartFile::decode(&bad).is_err(), "byte {byte}");
    }
}

#[test]
fn manifest_is_golden() {
    let manifest = Manifest {
        epoch: Epoch(2),
        shard: 1,
        replay: ReplayFrom {
            segment: SegmentId(7),
            from: 0x3000,
        },
        tables: BTreeMap::from([(Slice(5), place())]),
        live_bytes: BTreeMap::from([(SegmentId(1), -8)]),
        removed: BTreeSet::from([SegmentId(9)]),
    };
    let bytes = manifest.encode();
    assert_eq!(Manifest::decode(&bytes), Ok(manifest));
    assert_eq!(
        hex(&bytes[12..]),
        concat!(
            "02000000",
            "54000000",
            "02000000",
            "01000000",
            "0700000000000000",
            "00300000",
            "00000000",
            "01000000",
            "0500",
            "0000",
            "09000000",
            "0300000000000000",
            "40100000",
            "00000000",
            "01000000",
            "0100000000000000",
            "f8ffffffffffffff",
            "01000000",
            "0900000000000000",
        )
    );
}

#[test]
fn an_older_format_is_read() {
    let start = StartFile::default();
    let mut bytes = start.encode();
    bytes[12] = 1;
    let crc = crc32fast::hash(&bytes[12..]).to_le_bytes();
    bytes[8..12].copy_from_slice(&crc);
    assert_eq!(StartFile::decode(&bytes), Ok(start));
}

#[test]
fn newer_format_is_refused() {
    let mut bytes = StartFile::default().encode();
    bytes[12] = 3;
    let crc = crc32fast::hash(&bytes[12..]).to_le_bytes();
    bytes[8..12].copy_from_slice(&crc);
    assert_eq!(StartFile::decode(&bytes), Err(EnvelopeError::Newer(3)));
    let disk = SimDisk::new(1);
    block_on(async {
        write_whole(&disk, "start-00000001", &bytes).await.unwrap();
        let refused = recover(&disk, 1, &Options::default()).await.unwrap_err();
        let text = refused.to_string();
        assert!(text.contains("start-00000001 has format 3"), "{text}");
    });
}

#[test]
fn slice_table_reads_back() {
    let account = |n| AccountId([n; 16]);
    let entry = |lsn, state| TableEntry {
        lsn: Lsn(lsn),
        state,
    };
    let table = BTreeMap::from([
        (account(1), entry(1, StatePlace::At(place()))),
        (account(2), entry(9, StatePlace::Deleted)),
        (account(3), entry(4, StatePlace::Gap(place()))),
    ]);
    let written = SliceTable::default().with(&table);
    let bytes = written.payload().clone();
    assert_eq!((bytes.len(), written.len()), (8 + 3 * 48, 3));
    assert_eq!(SliceTable::parse(bytes.clone()), Some(written.clone()));
    let read: BTreeMap<_, _> = written.iter().collect();
    assert_eq!(read, table);
    for n in 0..6 {
        let expected = table.get(&account(n)).copied();
        assert_eq!(written.get(account(n)), expected, "account {n}");
    }
    assert_eq!(SliceTable::parse(bytes.slice(..50)), None);
    let swapped = [&bytes[..8], &bytes[56..104], &bytes[8..56], &bytes[104..]].concat();
    assert_eq!(SliceTable::parse(swapped.into()), None, "not ascending");
    let changes = BTreeMap::from([
        (account(0), entry(1, StatePlace::At(place()))),
        (account(2), entry(10, StatePlace::At(place()))),
        (account(9), entry(3, StatePlace::Deleted)),
    ]);
    let merged: Vec<_> = written.with(&changes).iter().collect();
    let mut expected = table;
    expected.extend(changes);
    assert_eq!(merged, expected.into_iter().collect::<Vec<_>>());
}

fn frame(lsn: u64, records: &[Record]) -> Tail {
    let mut payload = Vec::new();
    encode_frame(records, &mut payload);
    Tail {
        lsn: Lsn(lsn),
        epoch: Epoch(1),
        payload: payload.into(),
    }
}

fn restated(part: u32) -> Record {
    Record::Restated {
        part,
        parts: 2,
        bytes: vec![],
    }
}

/// Settles one account; the LSNs of its tail, whether it has a base, whether there is a gap.
fn check(base: Base, frames: Vec<Tail>, lsns: &[u64], on_base: bool, gap: bool) {
    let account = AccountId([1; 16]);
    let gathered = Gathered {
        frames,
        ..Gathered::new(base)
    };
    let mut report = RecoveryReport::default();
    let all = HashMap::from([(account, gathered)]);
    let settled = settle(all, Indexes::Use, &mut report);
    let Some(begin) = settled.get(&account) else {
        assert!(on_base && lsns.is_empty() && !gap, "the table says all");
        return;
    };
    let found: Vec<u64> = begin.tail.iter().map(|tail| tail.lsn.0).collect();
    assert_eq!(found, lsns);
    assert_eq!(begin.base != Base::Nothing, on_base);
    assert_eq!(begin.gap, gap);
    assert_eq!(report.read_only.len(), usize::from(gap));
}

#[test]
fn records_are_put_in_order_and_gaps_show() {
    let plain = |lsn| frame(lsn, &[Record::AccountCreated]);
    let base = Base::At {
        lsn: Lsn(3),
        place: place(),
    };
    let first = frame(7, &[restated(0)]);
    let second = frame(8, &[restated(1)]);
    check(
        Base::Nothing,
        vec![plain(2), plain(1), plain(1)],
        &[1, 2],
        false,
        false,
    );
    check(
        base,
        vec![plain(5), plain(4), plain(2)],
        &[4, 5],
        true,
        false,
    );
    check(base, vec![plain(4), plain(6)], &[4], true, true);
    check(base, vec![], &[], true, false);
    let rest = vec![plain(5), first.clone(), second.clone(), plain(9)];
    check(Base::Nothing, rest.clone(), &[7, 8, 9], false, false);
    check(base, rest, &[7, 8, 9], false, false);
    check(Base::Nothing, vec![plain(1), second], &[1], false, true);
    let cut = vec![plain(4), first.clone(), plain(9)];
    check(base, cut.clone(), &[4], true, true);
    let cut_then_whole = vec![
        plain(4),
        first,
        frame(10, &[restated(0)]),
        frame(11, &[restated(1)]),
    ];
    check(base, cut_then_whole, &[10, 11], false, false);
    check(Base::Nothing, cut, &[], false, true);
    let deleted = frame(9, &[Record::AccountDeleted]);
    check(Base::Nothing, vec![plain(2), deleted], &[9], false, false);
}

#[test]
fn unreadable_start_file_with_segments_is_refused() {
    let disk = SimDisk::new(1);
    block_on(async {
        let recovered = recover(&disk, 2, &Options::default()).await.unwrap();
        assert_eq!((recovered.epoch, recovered.shards.len()), (Epoch(1), 2));
        disk.create("seg-0000000100000000", 4096).await.unwrap();
        disk.flip("start-00000001", 9, 1);
        let refused = recover(&disk, 1, &Options::default()).await.unwrap_err();
        assert!(
            matches!(refused, RecoveryError::NoStart(Epoch(1))),
            "{refused}"
        );
    });
}

#[test]
fn empty_segments_and_leftovers_are_removed() {
    let disk = SimDisk::new(1);
    block_on(async {
        recover(&disk, 1, &Options::default()).await.unwrap();
        disk.create("seg-0000000100000000", 8192).await.unwrap();
        disk.create("start-00000009.new", 4096).await.unwrap();
        let name = manifest_name(Epoch(1), 0);
        disk.create(&name, 4096).await.unwrap();
        let recovered = recover(&disk, 1, &Options::default()).await.unwrap();
        assert_eq!(recovered.epoch, Epoch(2));
        assert_eq!(disk.list().await.unwrap(), ["start-00000002"]);
    });
}
