//! A whole account as explicit bytes: either with its messages (`restated` records, after which
//! older metadata may go) or with the places of its index pages (`account_state` frames, which
//! may be deleted at any time). FORMAT.md, "account state".

mod mailbox;
mod sections;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use super::AccountState;
use super::state::Life;
use crate::ids::{BodyId, Lsn, MailboxId, UidValidity};
use crate::record::{Reader, Record, RecordError, Writer, decode_bool};
use mailbox::{decode_mailbox, encode_mailbox, mailbox_bytes_min};

/// Version of these bytes: 2 has sections at the end of the account and of each mailbox.
const VERSION: u8 = 2;
/// The oldest version that is read.
const VERSION_MIN: u8 = 1;

/// How the messages are stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Each message: needs nothing else.
    Whole,
    /// By the places of index pages: every mailbox is folded and every page placed.
    Pages,
}

/// What the bytes of a mailbox depend on.
#[derive(Debug, Clone, Copy)]
struct Shape {
    form: Form,
    version: u8,
}

impl Shape {
    fn has_sections(self) -> bool {
        self.version >= 2
    }
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
        sections::encode_account(self, &mut out);
        Ok(bytes)
    }

    /// Reads either form. Pages are cold.
    pub fn decode(bytes: &[u8]) -> Result<AccountState, StateError> {
        let mut input = Reader::new(bytes);
        let version = input.u8()?;
        if !(VERSION_MIN..=VERSION).contains(&version) {
            return Err(StateError::Version(version));
        }
        let form = match decode_bool(&mut input)? {
            true => Form::Pages,
            false => Form::Whole,
        };
        let shape = Shape { form, version };
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
        for _ in 0..input.count(mailbox_bytes_min(shape))? {
            let mailbox = decode_mailbox(shape, &mut input)?;
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
        if shape.has_sections() {
            sections::decode_account(&mut state, &mut input)?;
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
