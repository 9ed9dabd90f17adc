//! What the encoders write, the grammar reads as the same value: random values, seed printed.

mod random;

use imap_proto::grammar::date::{date, date_time};
use imap_proto::grammar::section::section;
use imap_proto::grammar::sequence_set::sequence_set;
use imap_proto::grammar::{
    Cursor, Date, DateTime, MailboxName, Section, SectionText, SequenceBound, SequenceRange,
    SequenceSet, flag, mailbox_name,
};
use imap_proto::response::{list, string};
use random::Random;

const ROUNDS: usize = 5_000;

fn rounds(name: &str, mut check: impl FnMut(&mut Random)) {
    let seed = random::seed();
    println!("{name}: FUZZ_SEED={seed}");
    let mut random = Random::new(seed);
    for _ in 0..ROUNDS {
        check(&mut random);
    }
}

fn bytes(random: &mut Random, alphabet: &[u8]) -> Vec<u8> {
    let length = random.below(20);
    (0..length).map(|_| *random.pick(alphabet)).collect()
}

fn text(random: &mut Random) -> String {
    let letters = [
        'a',
        '/',
        '&',
        '-',
        '"',
        '\\',
        '%',
        ' ',
        '\u{e9}',
        '\u{53f0}',
        '\u{1f600}',
        'Z',
    ];
    let length = random.below(20);
    (0..length).map(|_| *random.pick(&letters)).collect()
}

#[test]
fn strings() {
    rounds("strings", |random| {
        let value = bytes(random, b"ab \"\\{}()\r\n\x80\xffNIL");
        let mut out = Vec::new();
        string::string(&mut out, &value);
        out.push(b' ');
        string::astring(&mut out, &value);
        out.push(b' ');
        string::nstring(&mut out, Some(&value));
        let mut cursor = Cursor::new(&out);
        assert_eq!(&*cursor.string().unwrap(), value);
        cursor.sp().unwrap();
        assert_eq!(&*cursor.astring().unwrap(), value);
        cursor.sp().unwrap();
        assert_eq!(cursor.nstring().unwrap().as_deref(), Some(&value[..]));
        cursor.end().unwrap();
    });
}

#[test]
fn mailbox_names() {
    rounds("mailbox names", |random| {
        let name = text(random);
        let wire = mailbox_name::encode(&name);
        assert!(wire.is_ascii());
        assert_eq!(
            mailbox_name::decode(wire.as_bytes()).as_deref(),
            Ok(name.as_str())
        );
        if !name.is_empty() {
            let mut out = Vec::new();
            list::mailbox(&mut out, &name);
            assert_eq!(Cursor::new(&out).mailbox(), Ok(MailboxName::new(name)));
        }
    });
}

#[test]
fn every_name_that_is_taken_has_one_spelling() {
    rounds("spellings", |random| {
        let wire = bytes(random, b"&&-AOkBTFw+,a/");
        if let Ok(name) = mailbox_name::decode(&wire) {
            assert_eq!(mailbox_name::encode(&name).as_bytes(), wire);
        }
    });
}

fn bound(random: &mut Random) -> SequenceBound {
    match random.below(5) {
        0 => SequenceBound::Star,
        _ => SequenceBound::Number(1 + random.below(40) as u32),
    }
}

#[test]
fn sequence_sets() {
    rounds("sequence sets", |random| {
        let ranges: Vec<SequenceRange> = (0..=random.below(6))
            .map(|_| SequenceRange {
                start: bound(random),
                end: bound(random),
            })
            .collect();
        let set = SequenceSet::new(ranges.clone()).unwrap();
        let mut out = Vec::new();
        set.encode(&mut out);
        assert_eq!(sequence_set(&mut Cursor::new(&out)), Ok(set.clone()));

        // The naive meaning: test each number against each range.
        let max = random.below(40) as u32;
        let value = |bound| match bound {
            SequenceBound::Number(number) => number,
            SequenceBound::Star => max,
        };
        let naive: Vec<u32> = (1..=max)
            .filter(|number| {
                ranges.iter().any(|range| {
                    let (start, end) = (value(range.start), value(range.end));
                    (start.min(end)..=start.max(end)).contains(number)
                })
            })
            .collect();
        let resolved = set.resolve(max);
        let numbers: Vec<u32> = resolved
            .iter()
            .flat_map(|range| range.first..=range.last)
            .collect();
        assert_eq!(numbers, naive);
        assert!(
            resolved
                .windows(2)
                .all(|pair| pair[0].last + 1 < pair[1].first)
        );
    });
}

#[test]
fn dates() {
    rounds("dates", |random| {
        // Years 1 to 9999 at any zone.
        let seconds = -62_000_000_000 + (random.next() % 315_000_000_000) as i64;
        let zone = random.below(1560) as i16 - 780;
        let moment = DateTime::from_unix_seconds(seconds, zone);
        let mut out = Vec::new();
        moment.encode(&mut out);
        assert_eq!(date_time(&mut Cursor::new(&out)), Ok(moment));
        assert_eq!(moment.to_unix_seconds(), seconds);
        let day = Date::from_unix_days(seconds / 86_400);
        let mut out = Vec::new();
        day.encode(&mut out);
        assert_eq!(date(&mut Cursor::new(&out)), Ok(day));
    });
}

#[test]
fn sections() {
    rounds("sections", |random| {
        let part: Vec<u32> = (0..random.below(4))
            .map(|_| 1 + random.below(99) as u32)
            .collect();
        let fields = vec![b"From".to_vec(), bytes(random, b"ab \"]")];
        let text = match random.below(6) {
            0 => SectionText::Header,
            1 => SectionText::Text,
            2 => SectionText::HeaderFields(fields),
            3 => SectionText::HeaderFieldsNot(fields),
            4 if !part.is_empty() => SectionText::Mime,
            _ => SectionText::All,
        };
        let value = Section { part, text };
        let mut out = Vec::new();
        value.encode(&mut out);
        assert_eq!(section(&mut Cursor::new(&out)), Ok(value));
    });
}

#[test]
fn flags() {
    let names = [
        "\\Seen",
        "\\Answered",
        "\\Flagged",
        "\\Deleted",
        "\\Draft",
        "$Forwarded",
        "x",
    ];
    rounds("flags", |random| {
        let chosen: Vec<&str> = (0..random.below(8)).map(|_| *random.pick(&names)).collect();
        let mut out = Vec::new();
        imap_proto::response::flags::flag_list(&mut out, chosen.iter().copied());
        let parsed = flag::flag_list(&mut Cursor::new(&out)).unwrap();
        assert_eq!(
            parsed.iter().map(flag::Flag::name).collect::<Vec<_>>(),
            chosen
        );
    });
}
