//! STATUS (RFC 3501 6.3.10), with the items of RFC 7162, 7889, 8438, 9051 and 9208, and three of
//! our own.

use imap_proto::command::Status;
use imap_proto::grammar::{DateTime, StatusItem};
use imap_proto::response::mailbox_status::{self, StatusValue};
use storage_engine::request::{MailboxStatus, Operation, Reply};

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Gone, Session};

/// Tells one mailbox's counters.
pub async fn execute<R: Runtime>(command: Status, session: &mut Session<R>) -> Execution {
    // RFC 7162 3.1.1: asking for HIGHESTMODSEQ enables CONDSTORE.
    if command.items.contains(&StatusItem::HighestModSeq) {
        session.enable_condstore();
    }
    let asked = session.request_named(command.mailbox.as_str(), |name| Operation::Status { name });
    match asked.await {
        Ok((_, Reply::Status(mailbox))) if mailbox.noselect => Ok(Completion::no(
            "This name holds no messages, only other names",
        )),
        Ok((location, Reply::Status(mailbox))) => {
            let append_limit = session.shard.config().limits.message_bytes_max;
            tell(
                &location.shown(&mailbox.name),
                &mailbox,
                &command.items,
                append_limit,
                &mut session.wire.out,
            );
            Ok(Completion::ok())
        }
        Ok(_) => Err(Gone::Bye("Internal error")),
        Err(refusal) => refused(&refusal, Missing::Subject),
    }
}

/// Writes the untagged STATUS.
///
/// `name` is what the client calls the mailbox.
pub fn tell(
    name: &str,
    mailbox: &MailboxStatus,
    items: &[StatusItem],
    append_limit: u64,
    out: &mut Vec<u8>,
) {
    let value = |item: &StatusItem| {
        Some(StatusValue::Number(match item {
            StatusItem::Messages => u64::from(mailbox.messages),
            StatusItem::Recent => u64::from(mailbox.recent),
            StatusItem::UidNext => u64::from(mailbox.uid_next.0),
            StatusItem::UidValidity => u64::from(mailbox.uid_validity.0),
            StatusItem::Unseen => u64::from(mailbox.unseen),
            StatusItem::Size => mailbox.bytes,
            StatusItem::HighestModSeq => mailbox.highest_mod_seq.0,
            StatusItem::Deleted => u64::from(mailbox.deleted),
            StatusItem::DeletedStorage => mailbox.deleted_bytes,
            StatusItem::AppendLimit => append_limit,
            StatusItem::InternalSize => mailbox.internal_bytes,
            StatusItem::UnseenMedia => u64::from(mailbox.unseen_media),
            StatusItem::Oldest => {
                let date = mailbox.oldest?;
                let moment = DateTime::from_unix_seconds(date.unix_s, date.zone_min);
                return Some(StatusValue::Moment(moment));
            }
        }))
    };
    let values: Vec<_> = items
        .iter()
        .filter_map(|item| Some((*item, value(item)?)))
        .collect();
    mailbox_status::status(out, name, &values);
}
