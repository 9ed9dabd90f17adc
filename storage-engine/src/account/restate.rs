//! A whole account as explicit bytes: either with its messages (`restated` records, after which
//! older metadata may go) or with the places of its index pages (`account_state` frames, which
//! may be deleted at any time). FORMAT.md, "account state".

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::state::Life;
use super::{AccountState, ExpungeHistory, Mailbox};
use crate::ids::{BodyId, Lsn, MailboxId, ModSeq, Uid, UidValidity};
use crate::index::{MailboxIndex, PageSlot};
use crate::record::{ENTRY_BYTES, Reader, Record, RecordError, Writer};
use crate::record::{decode_bool, decode_entry, decode_place, encode_entry, encode_place};
use crate::request::{Flags, UidRange};
use crate::state_limits::EXPUNGE_HISTORY_MAX;

/// Version of these bytes.
const VERSION: u8 = 1;

/// How the messages are stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Each message: needs nothing else.
    Whole,
    /// By the places of index pages: every mailbox is folded and every page placed.
    Pages,
}

/// Why a state could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// `Form::Pages` of an account with an overlay or an unplaced page.
    #[error("account has messages that are in no stored page")]
    NotFolded,
    /// Bytes that no version writes.
    #[error("account state: {0}")]
    Bytes(#[from] RecordError),
    /// A newer version.
    #[error("account state of version {0}")]
    Version(u8),
    /// Parts that contradict each other.
    #[error("account state contradicts itself: {0}")]
    Contradiction(&'static str),
}

impl AccountState {
    /// The account as bytes. `Form::Whole` reads every page, so all must be warm.
    pub fn encode(&self, form: Form) -> Result<Vec<u8>, StateError> {
        let mut bytes = Vec::new();
        let mut out = Writer::new(&mut bytes);
        out.u8(VERSION);
        out.u8(u8::from(form == Form::Pages));
        out.u8(match self.life {
            Life::Unborn => 0,
            Life::Alive => 1,
            Life::Deleted => 2,
        });
        out.u64(self.lsn.0);
        out.u32(self.last_mailbox.0);
        out.u64(self.last_body.0);
        out.u32(self.last_uid_validity.0);
        out.count(self.subscriptions.len());
        for name in &self.subscriptions {
            out.text(name);
        }
        out.count(self.mailboxes.len());
        for mailbox in self.mailboxes.values() {
            encode_mailbox(mailbox, form, &mut out)?;
        }
        let shared: BTreeMap<_, _> = self.shared.iter().collect();
        out.count(shared.len());
        for (body, users) in shared {
            out.u64(body.0);
            out.u32(*users);
        }
        Ok(bytes)
    }

    /// Reads either form. Pages are cold.
    pub fn decode(bytes: &[u8]) -> Result<AccountState, StateError> {
        let mut input = Reader::new(bytes);
        let version = input.u8()?;
        if version != VERSION {
            return Err(StateError::Version(version));
        }
        let form = match decode_bool(&mut input)? {
            true => Form::Pages,
            false => Form::Whole,
        };
        let life = match input.u8()? {
            0 => Life::Unborn,
            1 => Life::Alive,
            2 => Life::Deleted,
            _ => return Err(RecordError::Invalid("life").into()),
        };
        let mut state = AccountState {
            life,
            lsn: Lsn(input.u64()?),
            last_mailbox: MailboxId(input.u32()?),
            last_body: BodyId(input.u64()?),
            last_uid_validity: UidValidity(input.u32()?),
            ..AccountState::default()
        };
        for _ in 0..input.count(4)? {
            state.subscriptions.insert(input.text()?);
        }
        for _ in 0..input.count(MAILBOX_BYTES_MIN)? {
            let mailbox = decode_mailbox(form, &mut input)?;
            let id = mailbox.id;
            if id > state.last_mailbox || state.names.insert(mailbox.name.clone(), id).is_some() {
                return Err(StateError::Contradiction("mailbox names"));
            }
            state.bytes = state.bytes.saturating_add(mailbox.bytes);
            state.messages += u64::from(mailbox.index.len());
            if state.mailboxes.insert(id, mailbox).is_some() {
                return Err(StateError::Contradiction("mailbox ids"));
            }
        }
        for _ in 0..input.count(12)? {
            let (body, users) = (BodyId(input.u64()?), input.u32()?);
            if users < 2 {
                return Err(StateError::Contradiction("users of a body"));
            }
            state.shared.insert(body, users);
        }
        input.finish()?;
        if form == Form::Whole && state.shared != state.count_shared() {
            return Err(StateError::Contradiction("users of a body"));
        }
        Ok(state)
    }

    /// The account as `Restated` records of at most `part_bytes` each: one frame a record, with
    /// consecutive LSNs and nothing of this account between them.
    pub fn restated(&self, part_bytes: usize) -> Result<Vec<Record>, StateError> {
        let bytes = self.encode(Form::Whole)?;
        let chunks: Vec<&[u8]> = bytes.chunks(part_bytes.max(1)).collect();
        let Ok(parts) = u32::try_from(chunks.len()) else {
            return Err(StateError::Contradiction("too many parts"));
        };
        let records = (0..parts)
            .zip(chunks)
            .map(|(part, bytes)| Record::Restated {
                part,
                parts,
                bytes: bytes.to_vec(),
            });
        Ok(records.collect())
    }

    /// One part of a restatement. To an account that is there it says nothing new; to one whose
    /// older records were dropped it is the beginning.
    pub(super) fn restate(&mut self, part: u32, parts: u32, bytes: &[u8]) {
        if self.life != Life::Unborn {
            return;
        }
        if part == 0 {
            self.restating.clear();
            self.restating_parts = 0;
        }
        if part != self.restating_parts {
            self.damaged = true;
            return;
        }
        self.restating.extend_from_slice(bytes);
        self.restating_parts += 1;
        if self.restating_parts == parts {
            match AccountState::decode(&self.restating) {
                Ok(state) => {
                    let lsn = self.lsn;
                    *self = AccountState { lsn, ..state };
                }
                Err(_) => self.damaged = true,
            }
        }
    }

    fn count_shared(&self) -> HashMap<BodyId, u32> {
        let mut users: HashMap<BodyId, u32> = HashMap::new();
        let mailboxes = self.mailboxes.values();
        for entry in mailboxes.flat_map(|mailbox| mailbox.index.iter()) {
            *users.entry(entry.body).or_insert(0) += 1;
        }
        users.retain(|_, users| *users > 1);
        users
    }
}

/// Bytes of a mailbox with nothing in it.
const MAILBOX_BYTES_MIN: usize = 70;

fn encode_mailbox(held: &Mailbox, form: Form, out: &mut Writer<'_>) -> Result<(), StateError> {
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
    Ok(())
}

fn decode_mailbox(form: Form, input: &mut Reader<'_>) -> Result<Mailbox, StateError> {
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
    mailbox.history = decode_history(input)?;
    mailbox.index = match form {
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
    if form == Form::Whole {
        mailbox.check_counters()?;
    }
    Ok(mailbox)
}

impl Mailbox {
    fn check_counters(&self) -> Result<(), StateError> {
        let bare = Mailbox::new(self.id, String::new(), UidValidity(0), 0);
        let first_recent = self.first_recent;
        let mut counted = Mailbox {
            first_recent,
            ..bare
        };
        for entry in self.index.iter() {
            counted.count_in(&entry);
        }
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
            page: None,
        });
    }
    MailboxIndex::from_pages(slots).ok_or(StateError::Contradiction("index pages"))
}
