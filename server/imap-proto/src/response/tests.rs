use super::*;
use crate::command::Numbering;
use crate::command::list::ListVerb;
use crate::grammar::{
    Date, DateTime, Flag, ListValue, NumberRange, NumberSet, Partial, QuotaResource, Section,
    SectionText, SpecialUse, StatusItem,
};
use crate::response::code::Progress;

fn check(write: impl FnOnce(&mut Vec<u8>), expected: &str) {
    let mut out = Vec::new();
    write(&mut out);
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

fn check_code(code: &Code, expected: &str) {
    check(|out| code.encode(out), expected);
}

#[test]
fn progress_is_told_with_the_tag_of_its_command() {
    let check = |tag: &str, progress, expected| {
        let tag = tag.as_bytes().to_vec();
        check_code(&Code::InProgress { tag, progress }, expected);
    };
    check(
        "A1",
        Progress::of(175, 1000),
        "INPROGRESS (\"A1\" 175 1000)",
    );
    check("A1", Progress::of(0, 0), "INPROGRESS (\"A1\" NIL NIL)");
    check("A1", Progress::of(7, 5), "INPROGRESS (\"A1\" 5 5)");
    check("a]b", Progress::Unknown, "INPROGRESS (NIL NIL NIL)");
}

#[test]
fn a_referral_is_a_url_in_which_nothing_can_end_the_code() {
    let check = |user: &str, host: &str, expected| {
        let (user, host) = (user.to_owned(), host.to_owned());
        check_code(&Code::Referral { user, host }, expected);
    };
    check(
        "John",
        "othercompany.com",
        "REFERRAL IMAP://John;AUTH=*@othercompany.com/",
    );
    check(
        "a.b+c;x]\r\n@%",
        "x.org",
        "REFERRAL IMAP://a.b%2Bc%3Bx%5D%0D%0A%40%25;AUTH=*@x.org/",
    );
    check(
        "m\u{fc}",
        "\u{e4}.de",
        "REFERRAL IMAP://m%C3%BC;AUTH=*@%C3%A4.de/",
    );
}

fn numbers(ranges: &[(u32, u32)]) -> NumberSet {
    let range = |&(first, last)| NumberRange { first, last };
    NumberSet::from_ranges(ranges.iter().map(range).collect())
}

#[test]
fn status_responses_are_one_line_whatever_the_text() {
    check(
        |out| {
            tagged(
                out,
                b"a1",
                Condition::Ok,
                Some(&Code::ReadWrite),
                "SELECT completed",
            )
        },
        "a1 OK [READ-WRITE] SELECT completed\r\n",
    );
    check(
        |out| untagged(out, Condition::Bye, None, "gone"),
        "* BYE gone\r\n",
    );
    check(
        |out| tagged(out, b"a", Condition::No, None, "x\r\nb OK"),
        "a NO x??b OK\r\n",
    );
    check(
        |out| untagged(out, Condition::Bad, None, ""),
        "* BAD Done\r\n",
    );
    check(
        |out| untagged(out, Condition::Preauth, None, "hi"),
        "* PREAUTH hi\r\n",
    );
    check(|out| continuation(out, ""), "+ \r\n");
    check(|out| continuation(out, "idling"), "+ idling\r\n");
    check(|out| challenge(out, b"Username:"), "+ VXNlcm5hbWU6\r\n");
    check(|out| challenge(out, b""), "+ \r\n");
}

#[test]
fn response_codes_have_their_arguments() {
    // RFC 4315 section 3 and RFC 7162.
    let uids = numbers(&[(3955, 3955)]);
    check_code(
        &Code::AppendUid {
            uid_validity: 38505,
            uids,
        },
        "APPENDUID 38505 3955",
    );
    let (source, target) = (numbers(&[(304, 304), (319, 320)]), numbers(&[(3956, 3958)]));
    let code = Code::CopyUid {
        uid_validity: 38505,
        source,
        target,
    };
    check_code(&code, "COPYUID 38505 304,319:320 3956:3958");
    check_code(&Code::Modified(numbers(&[(7, 7), (9, 9)])), "MODIFIED 7,9");
    check_code(
        &Code::HighestModSeq(715_194_045_007),
        "HIGHESTMODSEQ 715194045007",
    );
    check_code(&Code::UidNext(4392), "UIDNEXT 4392");
    check_code(&Code::UidValidity(3_857_529_045), "UIDVALIDITY 3857529045");
    check_code(&Code::Unseen(12), "UNSEEN 12");
    let flags = vec![Flag::Deleted, Flag::Seen, Flag::Keyword("$Junk".into())];
    let code = Code::PermanentFlags {
        flags,
        new_keywords: true,
    };
    check_code(&code, "PERMANENTFLAGS (\\Deleted \\Seen $Junk \\*)");
    let code = Code::PermanentFlags {
        flags: vec![],
        new_keywords: false,
    };
    check_code(&code, "PERMANENTFLAGS ()");
    check_code(&Code::BadCharset(vec![]), "BADCHARSET");
    check_code(
        &Code::BadCharset(vec!["UTF-8".into(), "X Y".into()]),
        "BADCHARSET (UTF-8 \"X Y\")",
    );
    check_code(
        &Code::Capability(b"IMAP4rev1 ID".to_vec()),
        "CAPABILITY IMAP4rev1 ID",
    );
    for code in [
        Code::Alert,
        Code::TryCreate,
        Code::Closed,
        Code::NoModSeq,
        Code::OverQuota,
    ] {
        check_code(&code, code.word());
    }
}

#[test]
fn mailbox_sizes_and_flags() {
    check(|out| exists(out, 23), "* 23 EXISTS\r\n");
    check(|out| recent(out, 0), "* 0 RECENT\r\n");
    check(|out| expunge(out, 44), "* 44 EXPUNGE\r\n");
    check(|out| flags(out, ["\\Seen", "x"]), "* FLAGS (\\Seen x)\r\n");
}

#[test]
fn list_responses() {
    let moment = DateTime::from_unix_seconds(1_014_451_182, 0);
    let attributes = [
        MailboxAttribute::HasNoChildren,
        MailboxAttribute::Value(ListValue::Class, MailboxValue::Text("IPF.Contact".into())),
        MailboxAttribute::Value(ListValue::Unseen, MailboxValue::Number(14)),
        MailboxAttribute::Value(ListValue::Oldest, MailboxValue::Moment(moment)),
    ];
    let mut response = ListResponse {
        verb: ListVerb::List.into(),
        attributes: &[
            MailboxAttribute::HasNoChildren,
            MailboxAttribute::SpecialUse(SpecialUse::Sent),
        ],
        delimiter: Some('/'),
        mailbox: "Gel\u{f6}scht",
        child_info_subscribed: false,
    };
    let line = "* LIST (\\HasNoChildren \\Sent) \"/\" \"Gel&APY-scht\"\r\n";
    check(|out| response.encode(out), line);
    response.attributes = &attributes;
    let line = "* LIST (\\HasNoChildren \\CLASS(\"IPF.Contact\") \\UNSEEN(14) \
                \\OLDEST(\"23-Feb-2002 \
                07:59:42 +0000\")) \"/\" \"Gel&APY-scht\"\r\n";
    check(|out| response.encode(out), line);
    response.verb = ListResponseVerb::Lsub;
    (response.attributes, response.delimiter, response.mailbox) = (&[], None, "INBOX");
    check(|out| response.encode(out), "* LSUB () NIL INBOX\r\n");
    (response.verb, response.delimiter) = (ListVerb::Xlist.into(), Some('\\'));
    response.child_info_subscribed = true;
    let line = "* XLIST () \"\\\\\" INBOX (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n";
    check(|out| response.encode(out), line);
}

#[test]
fn status_and_namespace_and_id() {
    let values = [
        (StatusItem::Messages, StatusValue::Number(231)),
        (StatusItem::AppendLimit, StatusValue::Nil),
    ];
    let moment = DateTime::from_unix_seconds(1_014_451_182, 0);
    let sample = [
        (StatusItem::Unseen, StatusValue::Number(14)),
        (StatusItem::Oldest, StatusValue::Moment(moment)),
        (StatusItem::InternalSize, StatusValue::Number(2_345_678)),
        (StatusItem::UnseenMedia, StatusValue::Number(1)),
    ];
    let line = "* STATUS mailbox (UNSEEN 14 OLDEST \"23-Feb-2002 07:59:42 +0000\" \
                INTERNALSIZE 2345678 UNSEENMEDIA 1)\r\n";
    check(|out| mailbox_status(out, "mailbox", &sample), line);
    let line = "* STATUS blurdybloop (MESSAGES 231 APPENDLIMIT NIL)\r\n";
    check(|out| mailbox_status(out, "blurdybloop", &values), line);
    check(
        |out| namespace(out, &[("", Some('/'))], &[], &[("Shared/", Some('/'))]),
        "* NAMESPACE ((\"\" \"/\")) NIL ((\"Shared/\" \"/\"))\r\n",
    );
    check(|out| id(out, &[("name", "x")]), "* ID (\"name\" \"x\")\r\n");
    check(|out| id(out, &[]), "* ID NIL\r\n");
    check(|out| enabled(out, ["CONDSTORE"]), "* ENABLED CONDSTORE\r\n");
    check(
        |out| capability(out, b"IMAP4rev1"),
        "* CAPABILITY IMAP4rev1\r\n",
    );
}

#[test]
fn search_answers() {
    check(
        |out| search(out, [2, 84, 882], None),
        "* SEARCH 2 84 882\r\n",
    );
    check(|out| search(out, [], None), "* SEARCH\r\n");
    check(
        |out| search(out, [2, 5], Some(917_162_500)),
        "* SEARCH 2 5 (MODSEQ 917162500)\r\n",
    );
    // RFC 4731 3.1.
    let mut response = ESearchResponse {
        tag: b"A282",
        numbering: Numbering::Sequence,
        min: Some(2),
        max: None,
        all: None,
        count: Some(3),
        mod_seq: None,
    };
    check(
        |out| response.encode(out),
        "* ESEARCH (TAG \"A282\") MIN 2 COUNT 3\r\n",
    );
    response.numbering = Numbering::Uid;
    (response.min, response.count) = (None, None);
    response.all = Some(numbers(&[(2, 2), (10, 15)]));
    response.mod_seq = Some(9);
    let line = "* ESEARCH (TAG \"A282\") UID ALL 2,10:15 MODSEQ 9\r\n";
    check(|out| response.encode(out), line);
    response.all = Some(NumberSet::default());
    check(
        |out| response.encode(out),
        "* ESEARCH (TAG \"A282\") UID MODSEQ 9\r\n",
    );
}

#[test]
fn fetch_is_built_item_by_item() {
    let date = DateTime {
        date: Date {
            year: 1996,
            month: 7,
            day: 7,
        },
        hour: 2,
        minute: 44,
        second: 25,
        zone_minutes: -420,
    };
    check(
        |out| {
            FetchResponse::new(out, 12)
                .flags(["\\Seen"])
                .uid(7)
                .mod_seq(624_140_003)
                .internal_date(&date)
                .size(4286)
                .raw("ENVELOPE", b"(x)")
                .finish();
        },
        "* 12 FETCH (FLAGS (\\Seen) UID 7 MODSEQ (624140003) \
         INTERNALDATE \" 7-Jul-1996 02:44:25 -0700\" RFC822.SIZE 4286 ENVELOPE (x))\r\n",
    );
}

#[test]
fn fetched_bodies_are_literals_at_hand_or_streamed() {
    let text = Section {
        part: vec![1],
        text: SectionText::Text,
    };
    let partial = Some(Partial {
        offset: 3,
        bytes: 10,
    });
    check(
        |out| {
            FetchResponse::new(out, 1)
                .body_section(&text, partial, Some(b"a\0b"))
                .body_section(&Section::whole(), None, None)
                .rfc822(Rfc822Item::Header, Some(b""))
                .body_section_literal(&Section::whole(), None, 4);
            out.extend_from_slice(b"mail");
            FetchResponse::resume(out).rfc822_literal(Rfc822Item::Text, 2);
            out.extend_from_slice(b"xy");
            FetchResponse::resume(out).uid(9).finish();
        },
        "* 1 FETCH (BODY[1.TEXT]<3> {3}\r\na?b BODY[] NIL RFC822.HEADER {0}\r\n \
         BODY[] {4}\r\nmail RFC822.TEXT {2}\r\nxy UID 9)\r\n",
    );
}

#[test]
fn quotas_name_what_is_limited() {
    let resources = [
        (QuotaResource::Storage, 10, 512),
        (QuotaResource::Message, 0, u64::MAX >> 1),
    ];
    let line = "* QUOTA anna@example.org (STORAGE 10 512 MESSAGE 0 9223372036854775807)\r\n";
    check(|out| quota(out, "anna@example.org", &resources), line);
    check(|out| quota(out, "", &[]), "* QUOTA \"\" ()\r\n");
    check(
        |out| quota_root(out, "INBOX", Some("anna@example.org")),
        "* QUOTAROOT INBOX anna@example.org\r\n",
    );
    check(
        |out| quota_root(out, "~berta/x", None),
        "* QUOTAROOT \"~berta/x\"\r\n",
    );
}
