//! Records of moves between accounts.

use super::decode::{decode_bool, decode_ranges};
use super::encode::encode_ranges;
use super::{Reader, Record, RecordError, Writer, kind};
use crate::ids::{AccountId, MailboxId};

pub(super) fn encode(record: &Record, out: &mut Writer<'_>) {
    match record {
        Record::MoveBegun {
            number,
            mailbox,
            uids,
            to,
        } => {
            out.u64(*number);
            out.u32(mailbox.0);
            out.array(&to.0);
            encode_ranges(uids, out);
        }
        Record::MoveEnded { number } => out.u64(*number),
        Record::MoveKnown {
            from,
            number,
            taken,
        } => {
            out.array(&from.0);
            out.u64(*number);
            out.u8(u8::from(*taken));
        }
        Record::MoveForgotten { from, number } => {
            out.array(&from.0);
            out.u64(*number);
        }
        _ => {}
    }
}

pub(super) fn decode(kind: u8, body: &mut Reader<'_>) -> Result<Record, RecordError> {
    Ok(match kind {
        kind::MOVE_BEGUN => Record::MoveBegun {
            number: body.u64()?,
            mailbox: MailboxId(body.u32()?),
            to: AccountId(body.array()?),
            uids: decode_ranges(body)?,
        },
        kind::MOVE_ENDED => Record::MoveEnded {
            number: body.u64()?,
        },
        kind::MOVE_KNOWN => Record::MoveKnown {
            from: AccountId(body.array()?),
            number: body.u64()?,
            taken: decode_bool(body)?,
        },
        kind::MOVE_FORGOTTEN => Record::MoveForgotten {
            from: AccountId(body.array()?),
            number: body.u64()?,
        },
        unknown => return Err(RecordError::UnknownKind(unknown)),
    })
}
