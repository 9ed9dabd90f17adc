//! What the engine says, in the model's terms.

use std::collections::{BTreeMap, BTreeSet};

use storage_engine::request::Alerts;

use super::alerts::PlainAlerts;
use super::*;

/// What the engine says an account is, in the model's terms. One snapshot for each mailbox that
/// is not a mere name, in the order of the description. `first_recent` is not told by snapshots:
/// it is derived from the RECENT counter where that is possible, else passed over.
pub fn dump(
    description: &AccountDescription,
    alerts: &Alerts,
    snapshots: &[MailboxSnapshot],
    last_uid_validity: u32,
) -> PlainAccount {
    let mut account = PlainAccount {
        subscriptions: description.subscriptions.iter().cloned().collect(),
        last_uid_validity,
        alerts: PlainAlerts::dump(alerts),
        ..PlainAccount::default()
    };
    let mut snapshots = snapshots.iter();
    for status in &description.mailboxes {
        let mailbox = (!status.noselect).then(|| {
            let snapshot = snapshots.next().unwrap();
            assert_eq!(snapshot.mailbox, status.mailbox);
            PlainMailbox {
                class: status.class.clone(),
                ..dump_mailbox(snapshot, status.recent)
            }
        });
        if let Some(mailbox) = &mailbox {
            check_status(status, mailbox);
        }
        let twice = account.mailboxes.insert(status.name.clone(), mailbox);
        assert!(twice.is_none());
    }
    let messages = account.mailboxes.values().flatten();
    let count: usize = messages.map(|mailbox| mailbox.messages.len()).sum();
    assert_eq!(description.messages, count as u64);
    account
}

fn check_status(status: &storage_engine::request::MailboxStatus, mailbox: &PlainMailbox) {
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
    let unseen_media = mailbox
        .messages
        .values()
        .filter(|message| message.flags.contains("$media") && !message.flags.contains("\\Seen"));
    assert_eq!(status.unseen_media as usize, unseen_media.count());
    let oldest = mailbox.messages.values().map(|message| message.tag).min();
    assert_eq!(status.oldest.map(|date| date.unix_s), oldest);
    assert_eq!(status.uid_next.0, mailbox.uid_next);
    assert_eq!(status.highest_mod_seq.0, mailbox.mod_seq);
}

fn dump_mailbox(snapshot: &MailboxSnapshot, recent: u32) -> PlainMailbox {
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
        class: String::new(),
        uid_validity: snapshot.uid_validity.0,
        uid_next: snapshot.uid_next.0,
        mod_seq: snapshot.highest_mod_seq.0,
        first_recent: *messages.keys().nth(skipped).unwrap_or(&snapshot.uid_next.0),
        keywords: snapshot.keywords.to_vec(),
        rights: dump_rights(snapshot),
        messages,
    }
}

fn dump_flags(flags: Flags, keywords: &[String]) -> BTreeSet<String> {
    let mut names = flag_names(Flags(flags.0 & 31), &[]);
    for (number, keyword) in keywords.iter().enumerate() {
        if flags.contains(Flags(1 << (number as u32 + Flags::KEYWORD_SHIFT))) {
            names.insert(keyword.to_lowercase());
        }
    }
    assert_eq!(
        names.len(),
        flags.0.count_ones() as usize,
        "a bit without a keyword"
    );
    names
}
