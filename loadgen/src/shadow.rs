//! What each mailbox must hold, as far as this run knows: one picture a mailbox, shared by all
//! sessions that have it selected, so that what one was told binds the answers to all others.
//!
//! **Invariant:** pure. A rule holds whatever the order in which a server does what sessions ask
//! for at the same time: a STORE is judged by its flags only if no other STORE of the message
//! overlapped it, and a count only against what had been answered before the command was sent.

use std::collections::HashMap;

use crate::fault::{Fault, FaultKind};
use crate::reply::Flags;
use crate::reply::digest::{Certificate, Literal};

/// A message as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its UID.
    pub uid: u32,
    /// Its RFC822.SIZE.
    pub size_bytes: u32,
    /// Its flags, as far as a session has been told.
    pub flags: Flags,
    /// Its number, if it is one that this program wrote.
    pub number: Option<u32>,
    /// The CRC-32 of its octets, once it has been fetched.
    crc: Option<u32>,
    /// STORE commands under way.
    stores: u16,
    /// STORE commands begun, modulo 2^16.
    stores_begun: u16,
    /// The connection that began the last one, or [`NOBODY`].
    storer: u32,
}

/// No connection.
const NOBODY: u32 = u32::MAX;

/// A change that every session in IDLE must hear of.
#[derive(Clone, Copy, Debug)]
pub struct Notice {
    /// The connection that made it.
    pub writer: u32,
    /// Which message it concerns.
    pub uid: u32,
    sequence: u32,
    is_flagged: bool,
    /// When the writer was told that it is done.
    done_ns: Option<u64>,
    /// Who has heard of it before that.
    early: u32,
    /// Who has not heard of it yet.
    left: u32,
}

/// A STORE under way.
#[derive(Clone, Copy, Debug)]
pub struct StoreTicket {
    /// Place of the message.
    index: usize,
    /// Its UID.
    pub uid: u32,
    /// What the flag is to become.
    pub is_flagged: bool,
    /// How many had begun when this one did, itself included.
    begun: u16,
    /// Whether it began alone.
    is_alone: bool,
    /// Whether the session knows the state before: no other session has changed it meanwhile.
    is_next: bool,
}

/// One mailbox.
#[derive(Debug, Default)]
pub struct Mailbox {
    validity: Option<u32>,
    /// Whether `messages` are all there were when somebody looked.
    pub is_known: bool,
    /// Ascending by UID.
    pub messages: Vec<Message>,
    /// The highest UID that anybody has been told of.
    uid_max: u32,
    /// Whether messages have gone, so that sequence numbers say nothing of UIDs any more.
    pub has_shrunk: bool,
    /// How many sessions are in IDLE.
    pub idlers: u32,
    /// The number of the last notice.
    pub notices: u32,
    /// The last notice.
    pub notice: Option<Notice>,
}

/// All mailboxes of a run.
#[derive(Debug, Default)]
pub struct Shadow {
    mailboxes: Vec<Mailbox>,
    places: HashMap<(u32, u16), usize>,
}

impl Shadow {
    /// The place of the mailbox of that name's number of that user.
    pub fn place(&mut self, user: u32, name: u16) -> usize {
        let next = self.mailboxes.len();
        let place = *self.places.entry((user, name)).or_insert(next);
        if place == next {
            self.mailboxes.push(Mailbox::default());
        }
        place
    }

    /// The mailbox at that place.
    pub fn at(&mut self, place: usize) -> Option<&mut Mailbox> {
        self.mailboxes.get_mut(place)
    }
}

impl Mailbox {
    /// How many messages are known to be there.
    pub fn count(&self) -> u32 {
        u32::try_from(self.messages.len()).unwrap_or(u32::MAX)
    }

    /// The highest UID that anybody has been told of.
    pub fn uid_max(&self) -> u32 {
        self.uid_max
    }

    /// RFC 3501 2.3.1.1: the validity of UIDs does not change under a run.
    pub fn validity(&mut self, validity: u32) -> Result<(), Fault> {
        match self.validity.replace(validity) {
            Some(before) if before != validity => Err(Fault::because(
                FaultKind::WrongUid,
                format_args!("UIDVALIDITY {validity} was {before}"),
            )),
            _ => Ok(()),
        }
    }

    /// The validity, if somebody has been told.
    pub fn known_validity(&self) -> Option<u32> {
        self.validity
    }

    /// The message of that UID.
    pub fn message(&self, uid: u32) -> Option<&Message> {
        self.place(uid).and_then(|place| self.messages.get(place))
    }

    /// A message was listed by a session that looks at all of them.
    pub fn listed(
        &mut self,
        uid: u32,
        size_bytes: u64,
        flags: Flags,
        number: Option<u64>,
    ) -> Result<(), Fault> {
        let size_bytes = u32::try_from(size_bytes).unwrap_or(u32::MAX);
        let number = number.and_then(|number| u32::try_from(number).ok());
        self.uid_max = self.uid_max.max(uid);
        match self.messages.binary_search_by_key(&uid, |known| known.uid) {
            Ok(place) => {
                let Some(known) = self.messages.get_mut(place) else {
                    return Ok(());
                };
                known.flags = flags;
                known.number = known.number.or(number);
                same_size(known, size_bytes)
            }
            Err(place) => {
                self.messages
                    .insert(place, Message::new(uid, size_bytes, flags, number));
                Ok(())
            }
        }
    }

    /// An APPEND was answered with a UID; `floor` was the highest known when it was sent.
    pub fn appended(
        &mut self,
        uid: u32,
        bytes: usize,
        number: u64,
        floor: u32,
    ) -> Result<(), Fault> {
        // RFC 3501 2.3.1.1: a message that is added has a higher UID than those before it.
        if uid <= floor {
            return Err(Fault::because(
                FaultKind::WrongUid,
                format_args!("APPENDUID {uid} is not above {floor}"),
            ));
        }
        if self
            .message(uid)
            .is_some_and(|known| known.number.is_some())
        {
            return Err(Fault::because(
                FaultKind::WrongUid,
                format_args!("APPENDUID {uid} was given before"),
            ));
        }
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.listed(uid, bytes, Flags::default(), Some(number))
    }

    /// A message that has been fetched: of its length, of our making, and as it was the last time.
    pub fn body(&mut self, uid: u32, literal: &Literal) -> Result<(), Fault> {
        let Some(known) = self
            .place(uid)
            .and_then(|place| self.messages.get_mut(place))
        else {
            return Ok(());
        };
        if literal.bytes != u64::from(known.size_bytes) {
            return Err(Fault::because(
                FaultKind::WrongLength,
                format_args!(
                    "UID {uid}: {} octets, RFC822.SIZE {}",
                    literal.bytes, known.size_bytes
                ),
            ));
        }
        let number = match literal.certificate {
            Certificate::Kept { number } => u32::try_from(number).ok(),
            Certificate::Absent => None,
            Certificate::Broken { .. } => {
                return Err(Fault::because(
                    FaultKind::WrongBody,
                    format_args!("UID {uid}: not the octets that were written"),
                ));
            }
        };
        let is_other = known.number.is_some() && known.number != number;
        if is_other || known.crc.is_some_and(|crc| crc != literal.crc) {
            return Err(Fault::because(
                FaultKind::WrongBody,
                format_args!("UID {uid}: not the message that it was"),
            ));
        }
        known.number = number;
        known.crc = Some(literal.crc);
        Ok(())
    }

    /// A session was told of a message's flags.
    pub fn told_flags(&mut self, uid: u32, flags: Flags) {
        if let Some(place) = self.place(uid)
            && let Some(known) = self.messages.get_mut(place)
            && known.stores == 0
        {
            known.flags = flags;
        }
    }

    /// A FETCH said so of a message.
    pub fn size(&self, uid: u32, size_bytes: u64) -> Result<(), Fault> {
        let size_bytes = u32::try_from(size_bytes).unwrap_or(u32::MAX);
        self.message(uid)
            .map_or(Ok(()), |known| same_size(known, size_bytes))
    }

    /// A STORE that turns the flag of the message at `index` is about to be sent.
    pub fn begin_store(&mut self, index: usize, writer: u32) -> Option<StoreTicket> {
        let message = self.messages.get_mut(index)?;
        message.stores = message.stores.saturating_add(1);
        message.stores_begun = message.stores_begun.wrapping_add(1);
        let storer = std::mem::replace(&mut message.storer, writer);
        Some(StoreTicket {
            index,
            uid: message.uid,
            is_flagged: !message.flags.contains(Flags::FLAGGED),
            begun: message.stores_begun,
            is_alone: message.stores == 1,
            is_next: storer == writer || storer == NOBODY,
        })
    }

    /// The STORE was answered with OK; `answer` is the last that was told of the flag.
    pub fn end_store(&mut self, ticket: &StoreTicket, answer: Option<bool>) -> Result<(), Fault> {
        let Some(message) = self.messages.get_mut(ticket.index) else {
            return Ok(());
        };
        message.stores = message.stores.saturating_sub(1);
        let is_judged = ticket.is_alone && message.stores_begun == ticket.begun;
        let is_flagged = answer.unwrap_or(ticket.is_flagged);
        message.flags = message.flags.with(Flags::FLAGGED, is_flagged);
        if is_judged && is_flagged != ticket.is_flagged {
            return Err(Fault::because(
                FaultKind::WrongFlags,
                format_args!("UID {}: flagged is {is_flagged}", ticket.uid),
            ));
        }
        // A session that was not told of another's change may find its own STORE to have undone
        // it, and some servers then tell nothing: for this session nothing has changed.
        if answer.is_none() && is_judged && ticket.is_next {
            return Err(Fault::because(
                FaultKind::Missing,
                format_args!("no flags for UID {}", ticket.uid),
            ));
        }
        Ok(())
    }

    /// The STORE will not be answered.
    pub fn give_up_store(&mut self, ticket: &StoreTicket) {
        if let Some(message) = self.messages.get_mut(ticket.index) {
            message.stores = message.stores.saturating_sub(1);
        }
    }

    /// A change is about to be made that all who are in IDLE must hear of.
    pub fn begin_notice(&mut self, writer: u32, ticket: &StoreTicket) {
        self.notices = self.notices.wrapping_add(1);
        self.notice = Some(Notice {
            writer,
            uid: ticket.uid,
            sequence: u32::try_from(ticket.index + 1).unwrap_or(u32::MAX),
            is_flagged: ticket.is_flagged,
            done_ns: None,
            early: 0,
            left: self.idlers,
        });
    }

    /// The writer was told that its change is done; returns how many had heard before.
    pub fn notice_done(&mut self, now_ns: u64) -> u32 {
        self.notice.as_mut().map_or(0, |notice| {
            notice.done_ns = Some(now_ns);
            std::mem::take(&mut notice.early)
        })
    }

    /// How many have not heard of the last notice.
    pub fn notice_left(&self) -> u32 {
        self.notice.map_or(0, |notice| notice.left)
    }

    /// An idler saw flags. If they are the notice's: when the writer was told, and who it is.
    pub fn hear(&mut self, sequence: u32, flags: Flags) -> Option<(Option<u64>, u32)> {
        let notice = self.notice.as_mut()?;
        let is_it = sequence == notice.sequence
            && flags.contains(Flags::FLAGGED) == notice.is_flagged
            && notice.left > 0;
        if !is_it {
            return None;
        }
        notice.left -= 1;
        notice.early += u32::from(notice.done_ns.is_none());
        Some((notice.done_ns, notice.writer))
    }

    /// An idler that has not heard of the last notice goes away.
    pub fn miss(&mut self) -> Option<u32> {
        let notice = self.notice.as_mut()?;
        notice.left = notice.left.saturating_sub(1);
        Some(notice.writer)
    }

    fn place(&self, uid: u32) -> Option<usize> {
        self.messages
            .binary_search_by_key(&uid, |known| known.uid)
            .ok()
    }
}

impl Message {
    fn new(uid: u32, size_bytes: u32, flags: Flags, number: Option<u32>) -> Self {
        Self {
            uid,
            size_bytes,
            flags,
            number,
            crc: None,
            stores: 0,
            stores_begun: 0,
            storer: NOBODY,
        }
    }
}

/// RFC 3501 2.3.4: a message's size does not change.
fn same_size(known: &Message, size_bytes: u32) -> Result<(), Fault> {
    if known.size_bytes == size_bytes {
        return Ok(());
    }
    Err(Fault::because(
        FaultKind::WrongLength,
        format_args!(
            "UID {}: RFC822.SIZE {size_bytes} was {}",
            known.uid, known.size_bytes
        ),
    ))
}

#[cfg(test)]
mod tests;
