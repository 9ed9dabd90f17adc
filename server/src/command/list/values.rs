//! Values inside the attributes of a mailbox, as `\UNSEEN(14)`.

use imap_proto::grammar::{DateTime, ListValue};
use imap_proto::response::list::{MailboxAttribute, MailboxValue};
use storage_engine::request::MailboxStatus;

/// What the client asked for, in its order. What a mailbox has not (a class where it is for mail,
/// an oldest message where there is none) is left out.
pub fn attributes<'a>(
    values: &'a [ListValue],
    mailbox: &'a MailboxStatus,
) -> impl Iterator<Item = MailboxAttribute> + 'a {
    values.iter().filter_map(|value| {
        let number = match value {
            ListValue::UidValidity => u64::from(mailbox.uid_validity.0),
            ListValue::Messages => u64::from(mailbox.messages),
            ListValue::UidNext => u64::from(mailbox.uid_next.0),
            ListValue::Unseen => u64::from(mailbox.unseen),
            ListValue::InternalSize => mailbox.internal_bytes,
            ListValue::UnseenMedia => u64::from(mailbox.unseen_media),
            ListValue::Class => {
                let text = Some(mailbox.class.clone()).filter(|class| !class.is_empty())?;
                return Some(MailboxAttribute::Value(*value, MailboxValue::Text(text)));
            }
            ListValue::Oldest => {
                let date = mailbox.oldest?;
                let moment = DateTime::from_unix_seconds(date.unix_s, date.zone_min);
                let moment = MailboxValue::Moment(moment);
                return Some(MailboxAttribute::Value(*value, moment));
            }
        };
        let number = MailboxValue::Number(number);
        Some(MailboxAttribute::Value(*value, number))
    })
}

/// Whether messages came that nobody was told of as recent: the draft in which values stand before
/// the reference tells it of each mailbox.
pub fn mark(mailbox: &MailboxStatus) -> MailboxAttribute {
    match mailbox.recent {
        0 => MailboxAttribute::Unmarked,
        _ => MailboxAttribute::Marked,
    }
}
