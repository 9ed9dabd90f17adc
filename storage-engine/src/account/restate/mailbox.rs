//! The bytes of one mailbox.

use std::sync::Arc;

use super::{Form, Shape, StateError, sections};
use crate::account::{ExpungeHistory, Mailbox};
use crate::ids::{MailboxId, ModSeq, Uid, UidValidity};
use crate::index::{MailboxIndex, Oldest, PageSlot};
use crate::record::{ENTRY_BYTES, Reader, Writer};
use crate::record::{decode_bool, decode_entry, decode_place, encode_entry, encode_place};
use crate::request::{Flags, UidRange};
use crate::state_limits::EXPUNGE_HISTORY_MAX;

/// Bytes of a mailbox with nothing in it, by which a count of mailboxes is checked.
pub(super) fn mailbox_bytes_min(shape: Shape) -> usize {
    70 + if shape.has_sections() { 4 } else { 0 }
}

pub(super) fn encode_mailbox(
    held: &Mailbox,
    form: Form,
    out: &mut Writer<'_>,
) -> Result<(), StateError> {
    out.u32(held.id.0);
    out.text(&held.name);
    out.u8(u8::from(held.noselect));
    out.u8(held.special_use);
    out.u32(held.uid_validity.0);
    out.u32(held.uid_next.0);
    out.u64(held.mod_seq.0);
    out.u32(held.first_recent.0);
    out.u32(held.unseen);
    out.u32(held.deleted);
    out.u32(held.recent);
    out.u64(held.bytes);
    out.count(held.keywords.len());
    for keyword in held.keywords.iter() {
        out.text(keyword);
    }
    out.u64(held.history.floor.0);
    out.count(held.history.ranges.len());
    for (range, mod_seq) in &held.history.ranges {
        out.u32(range.first.0);
        out.u32(range.last.0);
        out.u64(mod_seq.0);
    }
    match form {
        Form::Whole => {
            out.u32(held.index.len());
            held.index
                .iter()
                .for_each(|entry| encode_entry(&entry, out));
        }
        Form::Pages => {
            if held.index.overlay_len() > 0 {
                return Err(StateError::NotFolded);
            }
            out.count(held.index.pages().len());
            for slot in held.index.pages() {
                out.u32(slot.first.0);
                out.u32(slot.last.0);
                out.u32(slot.count);
                encode_place(&slot.place.ok_or(StateError::NotFolded)?, out);
            }
        }
    }
    sections::encode_mailbox(held, form, out);
    Ok(())
}

pub(super) fn decode_mailbox(shape: Shape, input: &mut Reader<'_>) -> Result<Mailbox, StateError> {
    let (id, name) = (MailboxId(input.u32()?), input.text()?);
    let mut mailbox = Mailbox::new(id, name, UidValidity(0), 0);
    mailbox.noselect = decode_bool(input)?;
    mailbox.special_use = input.u8()?;
    mailbox.uid_validity = UidValidity(input.u32()?);
    mailbox.uid_next = Uid(input.u32()?);
    mailbox.mod_seq = ModSeq(input.u64()?);
    mailbox.first_recent = Uid(input.u32()?);
    mailbox.unseen = input.u32()?;
    mailbox.deleted = input.u32()?;
    mailbox.recent = input.u32()?;
    mailbox.bytes = input.u64()?;
    let keywords = (0..input.count(4)?).map(|_| input.text());
    mailbox.keywords = Arc::new(keywords.collect::<Result<Vec<_>, _>>()?);
    if mailbox.keywords.len() > Flags::KEYWORDS_MAX {
        return Err(StateError::Contradiction("too many keywords"));
    }
    for (number, keyword) in mailbox.keywords.clone().iter().enumerate() {
        mailbox.note_keyword(number, keyword);
    }
    mailbox.history = decode_history(input)?;
    mailbox.index = match shape.form {
        Form::Whole => decode_messages(input)?,
        Form::Pages => decode_pages(input)?,
    };
    let last = mailbox
        .index
        .pages()
        .last()
        .map_or(Uid(0), |slot| slot.last);
    if last >= mailbox.uid_next {
        return Err(StateError::Contradiction("UIDNEXT"));
    }
    let most = mailbox.index.len();
    if mailbox.unseen > most || mailbox.deleted > most || mailbox.recent > most {
        return Err(StateError::Contradiction("counters"));
    }
    match shape.form {
        Form::Whole => mailbox.check_counters()?,
        // A section says it, if there can be any.
        Form::Pages if mailbox.media != Flags(0) => mailbox.unseen_media = None,
        Form::Pages => {}
    }
    if shape.has_sections() {
        sections::decode_mailbox(&mut mailbox, input)?;
    }
    mailbox.complete_deleted_bytes(shape);
    Ok(mailbox)
}

impl Mailbox {
    /// Version 1 did not count these. Where the messages are at hand they are counted; where only
    /// their pages' places are, it is an estimate until none has `\Deleted` any more.
    fn complete_deleted_bytes(&mut self, shape: Shape) {
        let messages = u64::from(self.index.len()).max(1);
        if shape.form == Form::Whole {
            let deleted = self.index.iter();
            let deleted = deleted.filter(|entry| entry.flags.contains(Flags::DELETED));
            self.deleted_bytes = deleted.map(|entry| u64::from(entry.size)).sum();
        } else if !shape.has_sections() {
            self.deleted_bytes = self.bytes / messages * u64::from(self.deleted);
        }
    }

    fn check_counters(&mut self) -> Result<(), StateError> {
        let bare = Mailbox::new(self.id, String::new(), UidValidity(0), 0);
        let first_recent = self.first_recent;
        let mut counted = Mailbox {
            first_recent,
            media: self.media,
            ..bare
        };
        for entry in self.index.iter() {
            counted.count_in(&entry);
        }
        self.unseen_media = counted.unseen_media;
        match (self.unseen, self.deleted, self.recent, self.bytes)
            == (
                counted.unseen,
                counted.deleted,
                counted.recent,
                counted.bytes,
            ) {
            true => Ok(()),
            false => Err(StateError::Contradiction("counters")),
        }
    }
}

fn decode_history(input: &mut Reader<'_>) -> Result<ExpungeHistory, StateError> {
    let floor = ModSeq(input.u64()?);
    let mut history = ExpungeHistory {
        floor,
        ..ExpungeHistory::default()
    };
    let count = input.count(16)?;
    if count > EXPUNGE_HISTORY_MAX {
        return Err(StateError::Contradiction("expunge history"));
    }
    for _ in 0..count {
        let (first, last) = (Uid(input.u32()?), Uid(input.u32()?));
        let range = UidRange { first, last };
        history.ranges.push_back((range, ModSeq(input.u64()?)));
    }
    Ok(history)
}

fn decode_messages(input: &mut Reader<'_>) -> Result<MailboxIndex, StateError> {
    let (mut index, mut last) = (MailboxIndex::default(), Uid(0));
    for _ in 0..input.count(ENTRY_BYTES)? {
        let entry = decode_entry(input)?;
        if entry.uid <= last {
            return Err(StateError::Contradiction("order of messages"));
        }
        last = entry.uid;
        index.add(entry);
    }
    index.fold();
    Ok(index)
}

fn decode_pages(input: &mut Reader<'_>) -> Result<MailboxIndex, StateError> {
    let count = input.count(28)?;
    let mut slots = Vec::with_capacity(count);
    for _ in 0..count {
        slots.push(PageSlot {
            first: Uid(input.u32()?),
            last: Uid(input.u32()?),
            count: input.u32()?,
            place: Some(decode_place(input)?),
            oldest: Oldest::Unread,
            page: None,
        });
    }
    MailboxIndex::from_pages(slots).ok_or(StateError::Contradiction("index pages"))
}
