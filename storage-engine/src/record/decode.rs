//! Bytes to records. Any bytes are answered by records or by an error; a count never reserves
//! more than the bytes that are there.

use super::{AlertRecord, Reader, Record, decode_acl, kind, moves};
use crate::ids::{BodyId, MailboxId, ModSeq, Place, SegmentId, Uid, UidValidity};
use crate::index::Entry;
use crate::request::{Flags, UidRange};

/// Bytes of an encoded entry.
pub(crate) const ENTRY_BYTES: usize = 82;

/// Why a metadata payload could not be read. Its checksum held, so this is another version's or
/// our own mistake: recovery treats it like a gap.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Ends too early.
    #[error("record ends too early")]
    Short,
    /// Goes on too long.
    #[error("record has bytes left over")]
    TrailingBytes,
    /// A kind of a newer version.
    #[error("unknown record kind {0}")]
    UnknownKind(u8),
    /// A value that no version writes.
    #[error("record with an invalid {0}")]
    Invalid(&'static str),
}

/// Reads the payload of one metadata frame.
pub fn decode_frame(payload: &[u8]) -> Result<Vec<Record>, RecordError> {
    let mut input = Reader::new(payload);
    let mut records = Vec::new();
    while !input.is_empty() {
        let kind = input.u8()?;
        let mut body = Reader::new(input.bytes()?);
        records.push(decode_body(kind, &mut body)?);
        body.finish()?;
    }
    Ok(records)
}

fn decode_body(kind: u8, body: &mut Reader<'_>) -> Result<Record, RecordError> {
    Ok(match kind {
        kind::ACCOUNT_CREATED => Record::AccountCreated,
        kind::ACCOUNT_DELETED => Record::AccountDeleted,
        kind::MAILBOX_CREATED => Record::MailboxCreated {
            mailbox: MailboxId(body.u32()?),
            uid_validity: UidValidity(body.u32()?),
            special_use: body.u8()?,
            noselect: decode_bool(body)?,
            name: body.text()?,
        },
        kind::MAILBOX_RENAMED => Record::MailboxRenamed {
            mailbox: MailboxId(body.u32()?),
            name: body.text()?,
        },
        kind::MAILBOX_CLASSED => Record::MailboxClassed {
            mailbox: MailboxId(body.u32()?),
            class: body.text()?,
        },
        kind::MAILBOX_DELETED => Record::MailboxDeleted {
            mailbox: MailboxId(body.u32()?),
        },
        kind::MAILBOX_NOSELECT => Record::MailboxNoselect {
            mailbox: MailboxId(body.u32()?),
        },
        kind::SUBSCRIBED => Record::Subscribed { name: body.text()? },
        kind::UNSUBSCRIBED => Record::Unsubscribed { name: body.text()? },
        kind::KEYWORD_ADDED => Record::KeywordAdded {
            mailbox: MailboxId(body.u32()?),
            name: body.text()?,
        },
        kind::RECENT_TAKEN => Record::RecentTaken {
            mailbox: MailboxId(body.u32()?),
            first_recent: Uid(body.u32()?),
        },
        kind::ACL_SET => Record::AclSet {
            mailbox: MailboxId(body.u32()?),
            acl: decode_acl(body)?,
        },
        kind::MOVE_BEGUN | kind::MOVE_ENDED | kind::MOVE_KNOWN | kind::MOVE_FORGOTTEN => {
            moves::decode(kind, body)?
        }
        kind::CERTIFICATE_SET => Record::CertificateSet {
            certificate: body.bytes()?.to_vec(),
        },
        _ => decode_message(kind, body)?,
    })
}

fn decode_message(kind: u8, body: &mut Reader<'_>) -> Result<Record, RecordError> {
    Ok(match kind {
        kind::MESSAGE_ADDED => Record::MessageAdded {
            mailbox: MailboxId(body.u32()?),
            entry: decode_entry(body)?,
        },
        kind::COPIED => decode_copied(body)?,
        kind::FLAGS_CHANGED => Record::FlagsChanged {
            mailbox: MailboxId(body.u32()?),
            mod_seq: ModSeq(body.u64()?),
            set: Flags(body.u64()?),
            clear: Flags(body.u64()?),
            uids: decode_ranges(body)?,
        },
        kind::EXPUNGED => Record::Expunged {
            mailbox: MailboxId(body.u32()?),
            mod_seq: ModSeq(body.u64()?),
            uids: decode_ranges(body)?,
        },
        kind::MOVED => {
            let mailbox = MailboxId(body.u32()?);
            let count = body.count(36)?;
            let places = (0..count).map(|_| {
                let uid = Uid(body.u32()?);
                Ok((uid, decode_place(body)?, decode_place(body)?))
            });
            let places = places.collect::<Result<Vec<_>, RecordError>>()?;
            Record::Moved { mailbox, places }
        }
        kind::RESTATED => Record::Restated {
            part: body.u32()?,
            parts: body.u32()?,
            bytes: body.bytes()?.to_vec(),
        },
        _ => match AlertRecord::decode(kind, body)? {
            Some(alert) => Record::Alert(alert),
            None => return Err(RecordError::UnknownKind(kind)),
        },
    })
}

fn decode_copied(body: &mut Reader<'_>) -> Result<Record, RecordError> {
    Ok(Record::Copied {
        from: MailboxId(body.u32()?),
        to: MailboxId(body.u32()?),
        first_uid: Uid(body.u32()?),
        mod_seq: ModSeq(body.u64()?),
        saved_s: body.i64()?,
        uids: decode_ranges(body)?,
        keywords: {
            let count = body.count(2)?;
            let pairs = (0..count).map(|_| Ok((body.u8()?, body.u8()?)));
            let pairs = pairs.collect::<Result<Vec<(u8, u8)>, RecordError>>()?;
            let most = crate::state_limits::KEYWORDS_MAX_U8;
            if pairs.iter().any(|(from, to)| *from >= most || *to >= most) {
                return Err(RecordError::Invalid("keyword number"));
            }
            pairs
        },
    })
}

/// UID ranges, which must ascend without touching each other's UIDs.
pub(crate) fn decode_ranges(body: &mut Reader<'_>) -> Result<Vec<UidRange>, RecordError> {
    let count = body.count(8)?;
    let mut ranges = Vec::with_capacity(count);
    let mut above = 0;
    for _ in 0..count {
        let (first, last) = (body.u32()?, body.u32()?);
        if first <= above || last < first {
            return Err(RecordError::Invalid("UID range"));
        }
        above = last;
        ranges.push(UidRange {
            first: Uid(first),
            last: Uid(last),
        });
    }
    Ok(ranges)
}

/// One message.
pub(crate) fn decode_entry(body: &mut Reader<'_>) -> Result<Entry, RecordError> {
    let uid = body.u32()?;
    if uid == 0 {
        return Err(RecordError::Invalid("UID"));
    }
    Ok(Entry {
        uid: Uid(uid),
        mod_seq: ModSeq(body.u64()?),
        flags: Flags(body.u64()?),
        internal_date_s: body.i64()?,
        zone_min: body.i16()?,
        saved_s: body.i64()?,
        size: body.u32()?,
        body: BodyId(body.u64()?),
        body_place: decode_place(body)?,
        summary_place: decode_place(body)?,
    })
}

/// A place.
pub(crate) fn decode_place(body: &mut Reader<'_>) -> Result<Place, RecordError> {
    Ok(Place {
        segment: SegmentId(body.u64()?),
        offset: body.u32()?,
        len: body.u32()?,
    })
}

/// 0 or 1: anything else is damage.
pub(crate) fn decode_bool(body: &mut Reader<'_>) -> Result<bool, RecordError> {
    match body.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(RecordError::Invalid("truth value")),
    }
}
