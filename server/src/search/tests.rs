use super::*;
use imap_proto::command::Command;
use imap_proto::request::Request;
use mail_message::scanner::{Limits, Scanner};
use mail_message::summary::summarize;
use mail_message::text::{Progress, Scratch, TextSearch};
use storage_engine::ids::{BodyId, Place, SegmentId, Uid};
use storage_engine::index::Entry;

const MESSAGE: &[u8] = b"Date: Mon, 7 Feb 1994 23:30:00 -0800\r\n\
    From: Fred Foobar <foobar@example.org>\r\n\
    Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from home\r\n\
    To: mooch@example.net\r\n\
    X-Empty:\r\n\
    \r\n\
    Hello Joe, do you think we can meet at 3:30 tomorrow?\r\n";

/// How much of the message decides.
#[derive(Debug, PartialEq, Eq)]
enum Reads {
    Nothing,
    Summary,
    Octets,
}

use Reads::{Nothing, Octets, Summary};

fn row() -> Row {
    let place = Place {
        segment: SegmentId(1),
        offset: 0,
        len: 0,
    };
    Row {
        seq: 2,
        entry: Entry {
            uid: Uid(20),
            mod_seq: ModSeq(7),
            flags: Flags(Flags::SEEN.0 | Flags::FLAGGED.0 | 1 << (Flags::KEYWORD_SHIFT + 1)),
            // 17-Jul-1996 23:44:25 -0700, which is the 18th in Greenwich.
            internal_date_s: 837_672_265,
            zone_min: -7 * 60,
            saved_s: 0,
            size: u32::try_from(MESSAGE.len()).unwrap(),
            body: BodyId(1),
            body_place: place,
            summary_place: place,
        },
        recent: true,
    }
}

fn key(text: &str) -> (SearchKey, Option<String>) {
    let request = Request::new(format!("a SEARCH {text}").into_bytes());
    match Command::parse(&request) {
        Ok((_, Command::Search(search))) => (search.key, search.charset),
        other => panic!("{text}: {other:?}"),
    }
}

fn compiled(text: &str) -> Result<Compiled, CompileError> {
    let (key, charset) = key(text);
    let context = Context {
        exists: 3,
        uid_max: 30,
        keywords: &["$Other".to_owned(), "$Work".to_owned()],
        charset: charset.as_deref().unwrap_or("UTF-8"),
    };
    compile(&key, &context)
}

/// Checks as the caller does: with nothing, then the summary, then the octets.
fn found(text: &str) -> (bool, Reads) {
    let Compiled { condition, texts } = compiled(text).unwrap();
    let row = row();
    let mut scanner = Scanner::new(Limits::default());
    scanner.feed(MESSAGE);
    let summary = summarize(&scanner.finish()).encode();
    let summary = SummaryRef::decode(&summary).unwrap();
    let mut known = Known::row(&row);
    if let Some(fits) = condition.check(known) {
        return (fits, Nothing);
    }
    known.summary = Some(&summary);
    if let Some(fits) = condition.check(known) {
        return (fits, Summary);
    }
    known.octets = Some(MESSAGE);
    let mut scratch = Scratch::default();
    let mut search = TextSearch::new(MESSAGE, &summary, &texts, &mut scratch);
    while search.step(1) == Progress::More {}
    known.texts = Some(Texts {
        found: search.found(),
        is_all: true,
    });
    let fits = condition.check(known);
    (fits.expect("everything is known"), Octets)
}

#[test]
fn keys_of_rfc_3501_find_what_they_say_and_read_no_more_than_they_need() {
    for (text, fits, reads) in [
        ("ALL", true, Nothing),
        ("SEEN FLAGGED", true, Nothing),
        ("UNSEEN", false, Nothing),
        ("DELETED", false, Nothing),
        ("KEYWORD $work", true, Nothing),
        ("KEYWORD $Other", false, Nothing),
        ("KEYWORD $Never", false, Nothing),
        ("UNKEYWORD $Never", true, Nothing),
        ("RECENT", true, Nothing),
        ("OLD", false, Nothing),
        ("NEW", false, Nothing),
        ("2", true, Nothing),
        ("1,3", false, Nothing),
        ("2:*", true, Nothing),
        ("3:*", false, Nothing),
        ("9", false, Nothing),
        ("UID 20", true, Nothing),
        ("UID 1:19,21:*", false, Nothing),
        ("UID 40:*", false, Nothing),
        ("ON 17-Jul-1996", true, Nothing),
        ("ON 18-Jul-1996", false, Nothing),
        ("BEFORE 17-Jul-1996", false, Nothing),
        ("SINCE 17-Jul-1996", true, Nothing),
        ("SENTON 7-Feb-1994", true, Summary),
        ("SENTON 8-Feb-1994", false, Summary),
        ("SENTBEFORE 8-Feb-1994", true, Summary),
        ("SENTSINCE 8-Feb-1994", false, Summary),
        ("LARGER 10", true, Nothing),
        ("SMALLER 10", false, Nothing),
        ("MODSEQ 7", true, Nothing),
        ("MODSEQ 8", false, Nothing),
        ("FROM foobar", true, Summary),
        ("FROM FRED", true, Summary),
        ("TO fred", false, Summary),
        ("CC \"\"", false, Summary),
        ("SUBJECT \"from HOME\"", true, Summary),
        ("SUBJECT \"=?utf-8\"", false, Summary),
        ("HEADER X-Empty \"\"", true, Octets),
        ("HEADER X-Missing \"\"", false, Octets),
        ("BODY \"can meet\"", true, Octets),
        ("BODY foobar", false, Octets),
        ("TEXT foobar", true, Octets),
        ("TEXT \"meet AT\"", true, Octets),
    ] {
        assert_eq!(found(text), (fits, reads), "{text}");
    }
}

#[test]
fn the_cheap_part_of_a_condition_decides_first() {
    for (text, fits, reads) in [
        ("TEXT tomorrow UNSEEN", false, Nothing),
        ("UNDELETED TEXT tomorrow", true, Octets),
        ("FROM nobody BODY tomorrow", false, Summary),
        ("OR BODY tomorrow SEEN", true, Nothing),
        ("OR UNSEEN FROM fred", true, Summary),
        ("NOT (BODY tomorrow UNSEEN)", true, Nothing),
        ("NOT BODY tomorrow", false, Octets),
        ("OR (OR DELETED DRAFT) NOT UID 20", false, Nothing),
    ] {
        assert_eq!(found(text), (fits, reads), "{text}");
    }
}

#[test]
fn a_charset_is_known_or_refused_even_if_no_text_needs_it() {
    assert!(compiled("CHARSET ISO-8859-1 SUBJECT home").is_ok());
    for text in ["CHARSET X-NONE SUBJECT home", "CHARSET X-NONE ALL"] {
        let refused = compiled(text).err();
        assert_eq!(refused, Some(CompileError::BadCharset), "{text}");
    }
}

#[test]
fn what_is_found_decides_before_all_is_looked_through() {
    let Compiled { condition, .. } = compiled("OR BODY one TEXT two").unwrap();
    let row = row();
    let check = |found: &[bool], is_all| {
        let texts = Some(Texts { found, is_all });
        condition.check(Known {
            texts,
            ..Known::row(&row)
        })
    };
    assert_eq!(check(&[false, false], false), None);
    assert_eq!(check(&[false, true], false), Some(true));
    assert_eq!(check(&[false, false], true), Some(false));
}
