//! Golden bytes of every kind, and decoding of damaged ones.

use super::*;
use crate::acl::{AclEntry, Identifier, Rights};
use crate::ids::{AccountId, BodyId, SegmentId};
use crate::testing::Rng;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn range(first: u32, last: u32) -> UidRange {
    UidRange {
        first: Uid(first),
        last: Uid(last),
    }
}

fn place(segment: u64, offset: u32, len: u32) -> Place {
    Place {
        segment: SegmentId(segment),
        offset,
        len,
    }
}

fn entry() -> Entry {
    Entry {
        uid: Uid(0x01020304),
        mod_seq: ModSeq(5),
        flags: Flags(0x18),
        internal_date_s: -1,
        zone_min: -60,
        saved_s: 7,
        size: 8,
        body: BodyId(9),
        body_place: place(10, 11, 12),
        summary_place: place(13, 14, 15),
    }
}

const PLACE_A: &str = "0a000000000000000b0000000c000000";
const PLACE_B: &str = "0d000000000000000e0000000f000000";

const NAME: &str = "a/\u{e9}";
const NAME_BYTES: &str = "04000000612fc3a9";

fn samples() -> Vec<(Record, String)> {
    let mut all = mailbox_samples();
    all.extend(message_samples());
    all.extend(upkeep_samples());
    all.extend(acl_samples());
    all.extend(alert_samples());
    all.extend(move_samples());
    all
}

fn mailbox_samples() -> Vec<(Record, String)> {
    let mailbox = MailboxId(2);
    let name = || NAME.to_owned();
    let text = NAME_BYTES;
    vec![
        (Record::AccountCreated, "0100000000".to_owned()),
        (Record::AccountDeleted, "0200000000".to_owned()),
        (
            Record::MailboxCreated {
                mailbox,
                name: name(),
                uid_validity: UidValidity(0x0a0b),
                special_use: 0x20,
                noselect: true,
            },
            format!("0312000000020000000b0a00002001{text}"),
        ),
        (
            Record::MailboxRenamed {
                mailbox,
                name: name(),
            },
            format!("040c00000002000000{text}"),
        ),
        (
            Record::MailboxDeleted { mailbox },
            "050400000002000000".to_owned(),
        ),
        (
            Record::MailboxNoselect { mailbox },
            "060400000002000000".to_owned(),
        ),
        (
            Record::MailboxClassed {
                mailbox,
                class: name(),
            },
            format!("170c00000002000000{text}"),
        ),
        (
            Record::Subscribed { name: name() },
            format!("0708000000{text}"),
        ),
        (
            Record::Unsubscribed { name: name() },
            format!("0808000000{text}"),
        ),
    ]
}

fn message_samples() -> Vec<(Record, String)> {
    let mailbox = MailboxId(2);
    let name = || NAME.to_owned();
    let text = NAME_BYTES;
    let uids = || vec![range(1, 3), range(9, 9)];
    let ranges = "0200000001000000030000000900000009000000";
    vec![
        (
            Record::MessageAdded {
                mailbox,
                entry: entry(),
            },
            format!(
                "095600000002000000{}{PLACE_A}{PLACE_B}",
                "0403020105000000000000001800000000000000ffffffffffffffffc4ff\
                 0700000000000000080000000900000000000000"
            ),
        ),
        (
            Record::Copied {
                from: mailbox,
                uids: uids(),
                to: MailboxId(3),
                first_uid: Uid(4),
                mod_seq: ModSeq(5),
                saved_s: 6,
                keywords: vec![(0, 58)],
            },
            format!(
                "0a36000000020000000300000004000000{}{ranges}01000000003a",
                "05000000000000000600000000000000"
            ),
        ),
        (
            Record::KeywordAdded {
                mailbox,
                name: name(),
            },
            format!("0b0c00000002000000{text}"),
        ),
        (
            Record::FlagsChanged {
                mailbox,
                uids: uids(),
                set: Flags(1),
                clear: Flags(2),
                mod_seq: ModSeq(3),
            },
            format!("0c3000000002000000030000000000000001000000000000000200000000000000{ranges}"),
        ),
        (
            Record::Expunged {
                mailbox,
                uids: uids(),
                mod_seq: ModSeq(3),
            },
            format!("0d20000000020000000300000000000000{ranges}"),
        ),
    ]
}

fn upkeep_samples() -> Vec<(Record, String)> {
    let mailbox = MailboxId(2);
    vec![
        (
            Record::RecentTaken {
                mailbox,
                first_recent: Uid(7),
            },
            "0e080000000200000007000000".to_owned(),
        ),
        (
            Record::Moved {
                mailbox,
                places: vec![(Uid(7), place(10, 11, 12), place(13, 14, 15))],
            },
            format!("0f2c000000020000000100000007000000{PLACE_A}{PLACE_B}"),
        ),
        (
            Record::CertificateSet {
                certificate: vec![0x30, 0],
            },
            "2206000000020000003000".to_owned(),
        ),
        (
            Record::Restated {
                part: 1,
                parts: 2,
                bytes: vec![0xfe],
            },
            "100d000000010000000200000001000000fe".to_owned(),
        ),
    ]
}

fn acl_samples() -> Vec<(Record, String)> {
    let entry = |identifier, negative, letters| AclEntry {
        identifier,
        negative,
        rights: Rights::from_letters(letters).unwrap(),
    };
    let entries = [
        entry(Identifier::Account(AccountId([7; 16])), false, "lr"),
        entry(Identifier::Account(AccountId([7; 16])), true, "a"),
        entry(Identifier::Anyone, false, "l"),
        entry(Identifier::AnyoneOwnersDomain, false, "s"),
        entry(Identifier::AnyoneDomain("x".to_owned()), false, "w"),
        entry(Identifier::Group("y".to_owned()), true, "te"),
    ];
    let mailbox = MailboxId(2);
    let id = "07".repeat(16);
    let acl = Acl::from_entries(entries).unwrap();
    let golden = format!(
        concat!(
            "114a0000000200000006000000",
            "00{id}000300",
            "00{id}010004",
            "01000100",
            "02000400",
            "030100000078000800",
            "040100000079010003",
        ),
        id = id
    );
    let none = Acl::default();
    vec![
        (Record::AclSet { mailbox, acl }, golden),
        (
            Record::AclSet { mailbox, acl: none },
            "11080000000200000000000000".to_owned(),
        ),
    ]
}

fn alert_samples() -> Vec<(Record, String)> {
    let alert = crate::alert::Alert {
        number: 1,
        posted_s: -1,
        text: NAME.to_owned(),
    };
    let text = NAME_BYTES;
    let all = [
        (
            AlertRecord::Posted(alert),
            format!("1e180000000100000000000000ffffffffffffffff{text}"),
        ),
        (
            AlertRecord::Removed { first: 1, last: 2 },
            "1f1000000001000000000000000200000000000000".to_owned(),
        ),
        (
            AlertRecord::Seen { through: 3 },
            "20080000000300000000000000".to_owned(),
        ),
        (
            AlertRecord::QuotaMark { above: true },
            "210100000001".to_owned(),
        ),
    ];
    let records = all.into_iter();
    records
        .map(|(record, bytes)| (Record::Alert(record), bytes))
        .collect()
}

fn move_samples() -> Vec<(Record, String)> {
    let (account, number) = (AccountId([7; 16]), 9);
    let id = "07".repeat(16);
    vec![
        (
            Record::MoveBegun {
                number,
                mailbox: MailboxId(2),
                uids: vec![range(1, 3)],
                to: account,
            },
            format!("2428000000090000000000000002000000{id}010000000100000003000000"),
        ),
        (
            Record::MoveEnded { number },
            "25080000000900000000000000".to_owned(),
        ),
        (
            Record::MoveKnown {
                from: account,
                number,
                taken: true,
            },
            format!("2619000000{id}090000000000000001"),
        ),
        (
            Record::MoveForgotten {
                from: account,
                number,
            },
            format!("2718000000{id}0900000000000000"),
        ),
    ]
}

#[test]
fn every_kind_has_its_golden_bytes_and_reads_back() {
    for (record, golden) in samples() {
        let mut bytes = Vec::new();
        encode_frame(std::slice::from_ref(&record), &mut bytes);
        assert_eq!(hex(&bytes), golden, "{record:?}");
        assert_eq!(decode_frame(&bytes), Ok(vec![record]));
    }
}

#[test]
fn a_frame_is_all_its_records() {
    let records: Vec<Record> = samples().into_iter().map(|(record, _)| record).collect();
    let mut bytes = Vec::new();
    encode_frame(&records, &mut bytes);
    assert_eq!(decode_frame(&bytes), Ok(records));
    for len in 0..bytes.len() {
        // A cut frame is either an error or a shorter list, never other records.
        if let Ok(shorter) = decode_frame(&bytes[..len]) {
            let mut again = Vec::new();
            encode_frame(&shorter, &mut again);
            assert_eq!(again, &bytes[..len]);
        }
    }
}

#[test]
fn damaged_bytes_never_panic_and_what_is_read_writes_the_same_bytes() {
    let mut rng = Rng::new(3);
    let all: Vec<Record> = samples().into_iter().map(|(record, _)| record).collect();
    let mut whole = Vec::new();
    encode_frame(&all, &mut whole);
    for _ in 0..100_000 {
        let mut bytes = whole.clone();
        for _ in 0..1 + rng.below(4) {
            let at = usize::try_from(rng.below(bytes.len() as u64)).unwrap();
            bytes[at] = rng.next_u64() as u8;
        }
        if let Ok(records) = decode_frame(&bytes) {
            let mut again = Vec::new();
            encode_frame(&records, &mut again);
            assert_eq!(again, bytes);
        }
        let noise: Vec<u8> = (0..rng.below(60)).map(|_| rng.below(20) as u8).collect();
        let _ = decode_frame(&noise);
    }
}

#[test]
fn bad_values_are_refused() {
    let cases = [
        ("05040000000200", RecordError::Short),
        ("05050000000200000000", RecordError::TrailingBytes),
        ("6300000000", RecordError::UnknownKind(0x63)),
        ("070100000000", RecordError::Short),
        ("07050000000100000080", RecordError::Invalid("text")),
        (
            "0d1800000002000000030000000000000001000000050000000400000",
            RecordError::Short,
        ),
    ];
    for (hex, error) in cases {
        let bytes: Vec<u8> = (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap())
            .collect();
        assert_eq!(decode_frame(&bytes), Err(error), "{hex}");
    }
}
