//! Messages on their way to another account. COPY and MOVE copy the bytes there; a MOVE goes by
//! three steps, each in one frame of one account:
//!
//! 1. the source notes the messages and where they go: from here on a plan sees them no more;
//! 2. the destination takes the copies, and notes that it has;
//! 3. the source expunges them, or has them back if the destination has not taken them.
//!
//! What a crash leaves open is settled by asking the destination, which refuses from then on what
//! it has not taken. So a message is in one place or, for a while, in both: never in none.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::keywords::KeywordPlan;
use super::normalize_name;
use super::{AccountState, Mailbox, PlanContext, Planned, RangeBuilder, ReplyDraft};
use crate::ids::{AccountId, MailboxId, Uid};
use crate::record::{Reader, Record, RecordError, Writer};
use crate::record::{decode_bool, decode_ranges, encode_ranges};
use crate::request::{GoneMessages, Receive, Refusal, TakeOut, UidRange};
use crate::state_limits::{MOVES_OPEN_MAX, TAKEN_OUT_MESSAGES_MAX};

/// Bytes of a move out of the account without messages, and of one into it.
const OUT_BYTES_MIN: usize = 32;
const INTO_BYTES: usize = 25;

/// Moves of an account that are not over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Moves {
    /// The highest number that a move out of this account was given.
    pub last: u64,
    /// Out of this account.
    pub out: BTreeMap<u64, MoveOut>,
    /// Into it, by source and number: whether it has taken the messages, or refuses them.
    pub into: BTreeMap<(AccountId, u64), bool>,
}

/// Messages that are on their way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MoveOut {
    pub mailbox: MailboxId,
    pub uids: Vec<UidRange>,
    pub to: AccountId,
}

/// A move that an account knows of and that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMove {
    /// Out of it.
    Out {
        /// Its number in the account.
        number: u64,
        /// Where the messages go.
        to: AccountId,
    },
    /// Into it.
    Into {
        /// Where the messages come from.
        from: AccountId,
        /// Its number in that account.
        number: u64,
    },
}

impl Moves {
    pub(super) fn encode_out(&self, out: &mut Writer<'_>) {
        out.u64(self.last);
        out.count(self.out.len());
        for (number, open) in &self.out {
            out.u64(*number);
            out.u32(open.mailbox.0);
            out.array(&open.to.0);
            encode_ranges(&open.uids, out);
        }
    }

    pub(super) fn decode_out(&mut self, input: &mut Reader<'_>) -> Result<(), RecordError> {
        self.last = input.u64()?;
        for _ in 0..input.count(OUT_BYTES_MIN)? {
            let number = input.u64()?;
            let open = MoveOut {
                mailbox: MailboxId(input.u32()?),
                to: AccountId(input.array()?),
                uids: decode_ranges(input)?,
            };
            if number > self.last || self.out.insert(number, open).is_some() {
                return Err(RecordError::Invalid("move"));
            }
        }
        Ok(())
    }

    pub(super) fn encode_into(&self, out: &mut Writer<'_>) {
        out.count(self.into.len());
        for ((from, number), taken) in &self.into {
            out.array(&from.0);
            out.u64(*number);
            out.u8(u8::from(*taken));
        }
    }

    pub(super) fn decode_into(&mut self, input: &mut Reader<'_>) -> Result<(), RecordError> {
        for _ in 0..input.count(INTO_BYTES)? {
            let key = (AccountId(input.array()?), input.u64()?);
            if self.into.insert(key, decode_bool(input)?).is_some() {
                return Err(RecordError::Invalid("move"));
            }
        }
        Ok(())
    }
}

impl AccountState {
    /// The moves that are not over.
    pub fn open_moves(&self) -> Vec<OpenMove> {
        let out = self.moves.out.iter();
        let out = out.map(|(number, open)| OpenMove::Out {
            number: *number,
            to: open.to,
        });
        let into = self.moves.into.keys();
        let into = into.map(|(from, number)| OpenMove::Into {
            from: *from,
            number: *number,
        });
        out.chain(into).collect()
    }

    /// The mailbox that a move takes messages out of.
    pub(super) fn moving_from(&self, number: u64) -> Option<MailboxId> {
        self.moves.out.get(&number).map(|open| open.mailbox)
    }

    pub(super) fn plan_take_out(&self, take: &TakeOut) -> Result<Planned, Refusal> {
        let mailbox = self.selectable_id(take.mailbox)?;
        let (mut going, mut messages) = (RangeBuilder::default(), Vec::new());
        let gone = mailbox.for_each(&take.uids, |entry| {
            if messages.len() <= TAKEN_OUT_MESSAGES_MAX {
                going.push(entry.uid);
                messages.push(entry);
            }
        });
        if !gone.is_empty() && take.gone == GoneMessages::Refuse {
            return Err(Refusal::MessageGone);
        }
        if messages.len() > TAKEN_OUT_MESSAGES_MAX {
            return Err(Refusal::Limit(
                "too many messages for another account at once",
            ));
        }
        let (mut records, mut number) = (Vec::new(), None);
        if let Some(to) = take.moves_to.filter(|_| !messages.is_empty()) {
            if self.moves.out.len() >= MOVES_OPEN_MAX {
                return Err(Refusal::Limit("too many moves at once"));
            }
            let next = self.moves.last + 1;
            number = Some(next);
            records.push(Record::MoveBegun {
                number: next,
                mailbox: mailbox.id,
                uids: going.finish(),
                to,
            });
        }
        let draft = ReplyDraft::TakenOut {
            mailbox: mailbox.id,
            messages,
            keywords: mailbox.keywords.clone(),
            number,
        };
        Ok(Planned::new(records, draft))
    }

    pub(super) fn plan_receive(
        &self,
        receive: &Receive,
        context: &PlanContext<'_>,
    ) -> Result<Planned, Refusal> {
        let mailbox = self.selectable(&normalize_name(&receive.mailbox))?;
        let messages = &receive.messages;
        let bytes = messages.iter().map(|message| u64::from(message.size)).sum();
        self.check_growth(&receive.limit, bytes, messages.len())?;
        let mut keywords = KeywordPlan::lenient(mailbox);
        let added = self.plan_entries(mailbox, messages, &mut keywords, context)?;
        let (id, uids) = (mailbox.id, added.iter().map(|entry| entry.uid).collect());
        let mut records = keywords.into_records();
        let added = added.into_iter();
        records.extend(added.map(|entry| Record::MessageAdded { mailbox: id, entry }));
        if let Some((from, number)) = receive.move_of {
            // Known already: it was given up, and the messages are the source's again.
            if self.moves.into.contains_key(&(from, number)) {
                return Err(Refusal::NotAllowed("this move was given up"));
            }
            if self.moves.into.len() >= MOVES_OPEN_MAX {
                return Err(Refusal::Limit("too many moves at once"));
            }
            records.push(Record::MoveKnown {
                from,
                number,
                taken: true,
            });
        }
        let draft = ReplyDraft::Appended {
            mailbox: id,
            uid_validity: mailbox.uid_validity,
            uids,
        };
        Ok(Planned::new(records, draft))
    }

    /// The end of a move out of this account. One that is over already changes nothing.
    pub(super) fn plan_end_move(&self, number: u64, taken: bool) -> Planned {
        let Some(open) = self.moves.out.get(&number) else {
            return Planned::nothing(ReplyDraft::Done);
        };
        let mut records = Vec::new();
        let mut mod_seq = None;
        // A mailbox that was deleted meanwhile has taken the messages with it.
        if let Some(mailbox) = self.mailboxes.get(&open.mailbox) {
            mod_seq = Some(mailbox.mod_seq);
            let uids = mailbox.still_there(&open.uids);
            if taken && !uids.is_empty() {
                mod_seq = Some(mailbox.next_mod_seq());
                records.push(Record::Expunged {
                    mailbox: mailbox.id,
                    uids,
                    mod_seq: mailbox.next_mod_seq(),
                });
            }
        }
        records.push(Record::MoveEnded { number });
        let draft = match mod_seq {
            Some(mod_seq) => ReplyDraft::Expunged {
                mailbox: open.mailbox,
                mod_seq,
            },
            None => ReplyDraft::Done,
        };
        Planned::new(records, draft)
    }

    /// Whether the messages of a move were taken here. From now on they are not, if they were not.
    pub(super) fn plan_ask_move(&self, from: AccountId, number: u64) -> Planned {
        let known = self.moves.into.get(&(from, number)).copied();
        let taken = known.unwrap_or(false);
        let record = Record::MoveKnown {
            from,
            number,
            taken,
        };
        let records = known.is_none().then_some(record).into_iter().collect();
        Planned::new(records, ReplyDraft::MoveState(taken))
    }

    /// The source's move is over: nothing needs to be known of it any more.
    pub(super) fn plan_forget_move(&self, from: AccountId, number: u64) -> Planned {
        let record = Record::MoveForgotten { from, number };
        let known = self.moves.into.contains_key(&(from, number));
        let records = known.then_some(record).into_iter().collect();
        Planned::new(records, ReplyDraft::Done)
    }

    /// Whether a move out of this account is not over.
    pub(super) fn plan_is_move_open(&self, number: u64) -> Planned {
        let open = self.moves.out.contains_key(&number);
        Planned::nothing(ReplyDraft::MoveState(open))
    }

    /// Applies a record of moves.
    pub(super) fn apply_move(&mut self, record: &Record) {
        match record {
            Record::MoveBegun {
                number,
                mailbox,
                uids,
                to,
            } => {
                let open = MoveOut {
                    mailbox: *mailbox,
                    uids: uids.clone(),
                    to: *to,
                };
                self.moves.last = self.moves.last.max(*number);
                self.moves.out.insert(*number, open);
                self.note_moving(*mailbox);
            }
            Record::MoveEnded { number } => {
                if let Some(open) = self.moves.out.remove(number) {
                    self.note_moving(open.mailbox);
                }
            }
            Record::MoveKnown {
                from,
                number,
                taken,
            } => {
                self.moves.into.insert((*from, *number), *taken);
            }
            Record::MoveForgotten { from, number } => {
                self.moves.into.remove(&(*from, *number));
            }
            _ => {}
        }
    }

    /// Notes in every mailbox what is on its way out of it: after the state was read.
    pub(super) fn note_all_moving(&mut self) {
        let mailboxes: Vec<MailboxId> = self.moves.out.values().map(|open| open.mailbox).collect();
        mailboxes.into_iter().for_each(|id| self.note_moving(id));
    }

    fn note_moving(&mut self, mailbox: MailboxId) {
        let out = self.moves.out.values();
        let out = out.filter(|open| open.mailbox == mailbox);
        let mut moving: Vec<UidRange> = out.flat_map(|open| open.uids.iter().copied()).collect();
        moving.sort_unstable_by_key(|range| range.first);
        if let Some(held) = self.mailboxes.get_mut(&mailbox) {
            held.moving = moving;
        }
    }
}

impl Mailbox {
    /// Whether a message is on its way to another account: to a plan it is gone.
    pub(super) fn is_moving(&self, uid: Uid) -> bool {
        let at = self.moving.partition_point(|range| range.last < uid);
        self.moving.get(at).is_some_and(|range| range.first <= uid)
    }

    /// The messages of these ranges that are there, on their way or not.
    fn still_there(&self, uids: &[UidRange]) -> Vec<UidRange> {
        let ranges = uids.iter();
        let entries = ranges.flat_map(|range| self.index.range(range.first, range.last));
        RangeBuilder::from_iter(entries.map(|entry| entry.uid)).finish()
    }
}
