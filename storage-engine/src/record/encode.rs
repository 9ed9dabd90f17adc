//! Records to bytes. FORMAT.md has the table.

use super::{Record, Writer, encode_acl, kind, moves};
use crate::ids::{Place, Uid};
use crate::index::Entry;
use crate::request::UidRange;

/// The payload of one metadata frame: each record as kind, length of its body, body.
pub fn encode_frame(records: &[Record], out: &mut Vec<u8>) {
    for record in records {
        out.push(kind_of(record));
        let length_at = out.len();
        out.extend_from_slice(&[0; 4]);
        encode_body(record, &mut Writer::new(out));
        let body = out.len() - length_at - 4;
        let Ok(length) = u32::try_from(body) else {
            panic!("a record of more than 4 GiB");
        };
        if let Some(hole) = out.get_mut(length_at..length_at + 4) {
            hole.copy_from_slice(&length.to_le_bytes());
        }
    }
}

fn kind_of(record: &Record) -> u8 {
    match record {
        Record::AccountCreated => kind::ACCOUNT_CREATED,
        Record::AccountDeleted => kind::ACCOUNT_DELETED,
        Record::MailboxCreated { .. } => kind::MAILBOX_CREATED,
        Record::MailboxRenamed { .. } => kind::MAILBOX_RENAMED,
        Record::MailboxDeleted { .. } => kind::MAILBOX_DELETED,
        Record::MailboxNoselect { .. } => kind::MAILBOX_NOSELECT,
        Record::Subscribed { .. } => kind::SUBSCRIBED,
        Record::Unsubscribed { .. } => kind::UNSUBSCRIBED,
        Record::MessageAdded { .. } => kind::MESSAGE_ADDED,
        Record::Copied { .. } => kind::COPIED,
        Record::KeywordAdded { .. } => kind::KEYWORD_ADDED,
        Record::FlagsChanged { .. } => kind::FLAGS_CHANGED,
        Record::Expunged { .. } => kind::EXPUNGED,
        Record::RecentTaken { .. } => kind::RECENT_TAKEN,
        Record::Moved { .. } => kind::MOVED,
        Record::Alert(alert) => alert.kind(),
        Record::Restated { .. } => kind::RESTATED,
        Record::AclSet { .. } => kind::ACL_SET,
        Record::MailboxClassed { .. } => kind::MAILBOX_CLASSED,
        Record::MoveBegun { .. } => kind::MOVE_BEGUN,
        Record::MoveEnded { .. } => kind::MOVE_ENDED,
        Record::MoveKnown { .. } => kind::MOVE_KNOWN,
        Record::MoveForgotten { .. } => kind::MOVE_FORGOTTEN,
        Record::CertificateSet { .. } => kind::CERTIFICATE_SET,
    }
}

fn encode_body(record: &Record, out: &mut Writer<'_>) {
    match record {
        Record::AccountCreated | Record::AccountDeleted => {}
        Record::MailboxCreated {
            mailbox,
            name,
            uid_validity,
            special_use,
            noselect,
        } => {
            out.u32(mailbox.0);
            out.u32(uid_validity.0);
            out.u8(*special_use);
            out.u8(u8::from(*noselect));
            out.text(name);
        }
        Record::MailboxRenamed { mailbox, name } | Record::KeywordAdded { mailbox, name } => {
            out.u32(mailbox.0);
            out.text(name);
        }
        Record::MailboxClassed { mailbox, class } => {
            out.u32(mailbox.0);
            out.text(class);
        }
        Record::MailboxDeleted { mailbox } | Record::MailboxNoselect { mailbox } => {
            out.u32(mailbox.0);
        }
        Record::Subscribed { name } | Record::Unsubscribed { name } => out.text(name),
        Record::Alert(alert) => alert.encode(out),
        Record::RecentTaken {
            mailbox,
            first_recent,
        } => {
            out.u32(mailbox.0);
            out.u32(first_recent.0);
        }
        Record::AclSet { mailbox, acl } => {
            out.u32(mailbox.0);
            encode_acl(acl, out);
        }
        Record::MoveBegun { .. }
        | Record::MoveEnded { .. }
        | Record::MoveKnown { .. }
        | Record::MoveForgotten { .. } => moves::encode(record, out),
        Record::CertificateSet { certificate } => out.bytes(certificate),
        _ => encode_message(record, out),
    }
}

fn encode_message(record: &Record, out: &mut Writer<'_>) {
    match record {
        Record::MessageAdded { mailbox, entry } => {
            out.u32(mailbox.0);
            encode_entry(entry, out);
        }
        Record::Copied {
            from,
            uids,
            to,
            first_uid,
            mod_seq,
            saved_s,
            keywords,
        } => {
            out.u32(from.0);
            out.u32(to.0);
            out.u32(first_uid.0);
            out.u64(mod_seq.0);
            out.i64(*saved_s);
            encode_ranges(uids, out);
            out.count(keywords.len());
            for (from, to) in keywords {
                out.u8(*from);
                out.u8(*to);
            }
        }
        Record::FlagsChanged {
            mailbox,
            uids,
            set,
            clear,
            mod_seq,
        } => {
            out.u32(mailbox.0);
            out.u64(mod_seq.0);
            out.u64(set.0);
            out.u64(clear.0);
            encode_ranges(uids, out);
        }
        Record::Expunged {
            mailbox,
            uids,
            mod_seq,
        } => {
            out.u32(mailbox.0);
            out.u64(mod_seq.0);
            encode_ranges(uids, out);
        }
        Record::Moved { mailbox, places } => {
            out.u32(mailbox.0);
            out.count(places.len());
            for (uid, body, summary) in places {
                out.u32(uid.0);
                encode_place(body, out);
                encode_place(summary, out);
            }
        }
        Record::Restated { part, parts, bytes } => {
            out.u32(*part);
            out.u32(*parts);
            out.bytes(bytes);
        }
        _ => unreachable!("encode_body has the kinds without messages"),
    }
}

/// UID ranges: a count, then first and last of each.
pub(crate) fn encode_ranges(ranges: &[UidRange], out: &mut Writer<'_>) {
    out.count(ranges.len());
    for UidRange { first, last } in ranges {
        let (Uid(first), Uid(last)) = (first, last);
        out.u32(*first);
        out.u32(*last);
    }
}

/// One message, 82 bytes.
pub(crate) fn encode_entry(entry: &Entry, out: &mut Writer<'_>) {
    out.u32(entry.uid.0);
    out.u64(entry.mod_seq.0);
    out.u64(entry.flags.0);
    out.i64(entry.internal_date_s);
    out.i16(entry.zone_min);
    out.i64(entry.saved_s);
    out.u32(entry.size);
    out.u64(entry.body.0);
    encode_place(&entry.body_place, out);
    encode_place(&entry.summary_place, out);
}

/// A place, 16 bytes.
pub(crate) fn encode_place(place: &Place, out: &mut Writer<'_>) {
    out.u64(place.segment.0);
    out.u32(place.offset);
    out.u32(place.len);
}
