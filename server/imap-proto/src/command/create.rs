//! CREATE (RFC 3501 6.3.3) with special use (RFC 6154 3) and class.

use super::{Arguments, Command};
use crate::grammar::{Cursor, MailboxName, Parsed, SpecialUse, SyntaxError};

/// CREATE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// The name, with the trailing delimiter if the client gave one.
    pub mailbox: MailboxName,
    /// `(USE (...))`; empty without it.
    pub special_use: Vec<SpecialUse>,
    /// `(CLASS "...")`: what the mailbox is for, where that is not mail.
    pub class: Option<String>,
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    let (mut special_use, mut class) = (None, None);
    if cursor.peek() == Some(b' ') {
        cursor.sp()?;
    }
    // RFC 4466 `create-param`
    if cursor.peek() == Some(b'(') {
        cursor.list(|cursor| parameter(cursor, &mut special_use, &mut class))?;
    }
    Ok(Command::Create(Create {
        mailbox,
        special_use: special_use.unwrap_or_default(),
        class,
    }))
}

fn parameter(
    cursor: &mut Cursor<'_>,
    special_use: &mut Option<Vec<SpecialUse>>,
    class: &mut Option<String>,
) -> Parsed<()> {
    let is_new = if cursor.take_word("USE") {
        cursor.sp()?;
        // RFC 6154 section 6: `"USE" SP "(" [use-attr *(SP use-attr)] ")"`
        let uses = cursor.list_or_empty(use_attribute)?;
        special_use.replace(uses).is_none()
    } else if cursor.take_word("CLASS") {
        cursor.sp()?;
        let text = cursor.astring()?.into_owned();
        let text = String::from_utf8(text).map_err(|_| SyntaxError::Expected("class"))?;
        class.replace(text).is_none()
    } else {
        return Err(SyntaxError::Unknown("CREATE parameter"));
    };
    match is_new {
        true => Ok(()),
        false => Err(SyntaxError::Conflict("A CREATE parameter comes twice")),
    }
}

fn use_attribute(cursor: &mut Cursor<'_>) -> Parsed<SpecialUse> {
    cursor.expect_byte(b'\\', "special-use attribute")?;
    let name = String::from_utf8_lossy(cursor.atom()?);
    Ok(SpecialUse::from_name(&format!("\\{name}")))
}
