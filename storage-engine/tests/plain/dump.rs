//! Mailboxes as the engine tells them, in the model's terms.

use std::collections::BTreeMap;

use storage_engine::index::{Entry, MailboxSnapshot};

use super::{PlainMailbox, PlainMessage, dump_flags, dump_rights};

pub fn check_status(status: &storage_engine::request::MailboxStatus, mailbox: &PlainMailbox) {
    let with = |flag: &str| {
        let messages = mailbox.messages.values();
        messages
            .filter(|message| message.flags.contains(flag))
            .count() as u32
    };
    let messages = mailbox.messages.len() as u32;
    let bytes: u64 = mailbox
        .messages
        .values()
        .map(|message| u64::from(message.size))
        .sum();
    assert_eq!(status.messages, messages);
    assert_eq!(status.unseen, messages - with("\\Seen"));
    assert_eq!(status.deleted, with("\\Deleted"));
    assert_eq!(status.bytes, bytes);
    let deleted = mailbox.messages.values();
    let deleted = deleted.filter(|message| message.flags.contains("\\Deleted"));
    let deleted: u64 = deleted.map(|message| u64::from(message.size)).sum();
    assert_eq!(status.deleted_bytes, deleted);
    assert_eq!(status.uid_next.0, mailbox.uid_next);
    assert_eq!(status.highest_mod_seq.0, mailbox.mod_seq);
}

pub fn dump_mailbox(snapshot: &MailboxSnapshot, recent: u32) -> PlainMailbox {
    let message = |entry: Entry| PlainMessage {
        flags: dump_flags(entry.flags, &snapshot.keywords),
        mod_seq: entry.mod_seq.0,
        tag: entry.internal_date_s,
        size: entry.size,
        saved_s: entry.saved_s,
    };
    let messages = snapshot.index.iter();
    let messages: BTreeMap<u32, PlainMessage> = messages
        .map(|entry| (entry.uid.0, message(entry)))
        .collect();
    let skipped = messages.len() - recent as usize;
    PlainMailbox {
        uid_validity: snapshot.uid_validity.0,
        uid_next: snapshot.uid_next.0,
        mod_seq: snapshot.highest_mod_seq.0,
        first_recent: *messages.keys().nth(skipped).unwrap_or(&snapshot.uid_next.0),
        keywords: snapshot.keywords.to_vec(),
        rights: dump_rights(snapshot),
        messages,
    }
}
