//! CREATE (RFC 3501 6.3.3) with special use (RFC 6154 3).

use super::{Arguments, Command};
use crate::grammar::{Cursor, MailboxName, Parsed, SpecialUse, SyntaxError};

/// CREATE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// The name, with the trailing delimiter if the client gave one.
    pub mailbox: MailboxName,
    /// `(USE (...))`; empty without it.
    pub special_use: Vec<SpecialUse>,
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    let mut special_use = Vec::new();
    if cursor.peek() == Some(b' ') {
        cursor.sp()?;
    }
    if cursor.take_byte(b'(') {
        // RFC 6154 section 6: `"USE" SP "(" [use-attr *(SP use-attr)] ")"`
        if !cursor.take_word("USE") {
            return Err(SyntaxError::Unknown("CREATE parameter"));
        }
        cursor.sp()?;
        special_use = cursor.list_or_empty(use_attribute)?;
        cursor.expect_byte(b')', ")")?;
    }
    Ok(Command::Create(Create {
        mailbox,
        special_use,
    }))
}

fn use_attribute(cursor: &mut Cursor<'_>) -> Parsed<SpecialUse> {
    cursor.expect_byte(b'\\', "special-use attribute")?;
    let name = String::from_utf8_lossy(cursor.atom()?);
    Ok(SpecialUse::from_name(&format!("\\{name}")))
}
