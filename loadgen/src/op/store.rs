//! UID STORE (RFC 3501 6.4.6): `\Flagged` is set where it is clear and cleared where it is set,
//! so that every command changes something.

use imap_proto::response::string::number;

use crate::fault::Fault;
use crate::reply::{Flags, Untagged};
use crate::shadow::{Mailbox, StoreTicket};

/// A STORE under way.
#[derive(Debug)]
pub struct Store {
    ticket: StoreTicket,
    answer: Option<bool>,
}

impl Store {
    /// Writes the command that turns the flag of the ticket's message.
    pub fn write(ticket: StoreTicket, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(b"UID STORE ");
        number(out, ticket.uid);
        out.push(b' ');
        out.push(if ticket.is_flagged { b'+' } else { b'-' });
        out.extend_from_slice(b"FLAGS (\\Flagged)\r\n");
        Self {
            ticket,
            answer: None,
        }
    }

    /// The last word on the message counts: news of an earlier change may come before it.
    pub fn untagged(&mut self, untagged: &Untagged<'_>) {
        if let Untagged::Fetch(fetched) = untagged
            && fetched.uid == Some(self.ticket.uid)
            && let Some(flags) = fetched.flags
        {
            self.answer = Some(flags.contains(Flags::FLAGGED));
        }
    }

    /// RFC 3501 6.4.6: the new flags are told.
    pub fn finish(&self, mailbox: &mut Mailbox) -> Result<(), Fault> {
        mailbox.end_store(&self.ticket, self.answer)
    }

    /// The answer will not come.
    pub fn give_up(&self, mailbox: &mut Mailbox) {
        mailbox.give_up_store(&self.ticket);
    }
}
