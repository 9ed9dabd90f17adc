//! UID STORE (RFC 3501 6.4.6): `\Flagged` is set where it is clear and cleared where it is set,
//! so that every command changes something.

use imap_proto::response::string::number;

use super::Message;
use crate::fault::{Fault, FaultKind};
use crate::reply::Untagged;

/// Who else may change the flags of the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Company {
    /// Nobody, so the new flags are known beforehand.
    Alone,
    /// Other sessions of this run: the answer may already show what one of them did next.
    Shared,
}

/// A STORE under way.
#[derive(Debug)]
pub struct Store {
    index: usize,
    uid: u32,
    flagged: bool,
    company: Company,
    answer: Option<bool>,
}

impl Store {
    /// Writes the command that turns the flag of `message`, the session's message at `index`.
    pub fn write(index: usize, message: Message, company: Company, out: &mut Vec<u8>) -> Self {
        let flagged = !message.flagged;
        out.extend_from_slice(b"UID STORE ");
        number(out, message.uid);
        out.push(b' ');
        out.push(if flagged { b'+' } else { b'-' });
        out.extend_from_slice(b"FLAGS (\\Flagged)\r\n");
        Self {
            index,
            uid: message.uid,
            flagged,
            company,
            answer: None,
        }
    }

    /// Which message it was, and whether it is flagged now.
    pub fn outcome(&self) -> (usize, bool) {
        (self.index, self.answer.unwrap_or(self.flagged))
    }

    /// The last word on the message counts: news of an earlier change may come before it.
    pub(super) fn untagged(&mut self, untagged: &Untagged) {
        if let Untagged::Fetch(fetched) = untagged
            && fetched.uid == Some(self.uid)
            && fetched.flagged.is_some()
        {
            self.answer = fetched.flagged;
        }
    }

    pub(super) fn finish(&self) -> Result<(), Fault> {
        match self.answer {
            None => Err(Fault::because(
                FaultKind::Missing,
                format_args!("no flags for UID {}", self.uid),
            )),
            Some(flagged) if self.company == Company::Alone && flagged != self.flagged => {
                Err(Fault::because(
                    FaultKind::WrongFlags,
                    format_args!("UID {}: flagged is {flagged}", self.uid),
                ))
            }
            Some(_) => Ok(()),
        }
    }
}
