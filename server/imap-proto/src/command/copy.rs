//! COPY and UID COPY (RFC 3501 6.4.7), with an extension of our own: the copies are encrypted.
//!
//! ```text
//! copy      =/ "COPY" SP sequence-set SP mailbox SP "ENCRYPTED" SP ("*" / certificate)
//! certificate = astring     ; base64 of DER
//! ```

use super::{Arguments, Command, Numbering};
use crate::grammar::sequence_set::sequence_set;
use crate::grammar::{Cursor, MailboxName, Parsed, SequenceSet, SyntaxError};

/// COPY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// What the set's numbers are.
    pub numbering: Numbering,
    /// Which messages.
    pub set: SequenceSet,
    /// Where to.
    pub mailbox: MailboxName,
    /// For whom the copies are encrypted, if they are.
    pub encrypted: Option<Encrypted>,
}

/// Whose certificate the copies are encrypted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encrypted {
    /// The one that is kept with the account.
    Own,
    /// This one, as text; whether it is one, execution finds out.
    To(Vec<u8>),
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let numbering = arguments.numbering;
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let set = sequence_set(cursor)?;
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    Ok(Command::Copy(Copy {
        numbering,
        set,
        mailbox,
        encrypted: encrypted(cursor)?,
    }))
}

fn encrypted(cursor: &mut Cursor<'_>) -> Parsed<Option<Encrypted>> {
    let mut ahead = *cursor;
    ahead.skip_spaces();
    if ahead.rest().is_empty() {
        return Ok(None);
    }
    cursor.sp()?;
    if !cursor.take_word("ENCRYPTED") {
        return Err(SyntaxError::Trailing);
    }
    cursor.sp()?;
    // An atom has no asterisk, so nothing else begins with one.
    if cursor.take_byte(b'*') {
        return Ok(Some(Encrypted::Own));
    }
    let certificate = cursor.astring()?;
    Ok(Some(Encrypted::To(certificate.into_owned())))
}
