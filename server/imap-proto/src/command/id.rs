//! ID (RFC 2971).

use std::borrow::Cow;

use super::{Arguments, Command};
use crate::grammar::{Parsed, SyntaxError};
use crate::limits::ID_FIELDS_MAX;

/// ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id {
    /// Pairs of field and value; empty for NIL.
    pub fields: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    if cursor.take_word("NIL") {
        return Ok(Command::Id(Id { fields: Vec::new() }));
    }
    let fields = cursor.list_or_empty(|cursor| {
        let field = cursor.string()?.into_owned();
        cursor.sp()?;
        let value = cursor.nstring()?.map(Cow::into_owned);
        Ok((field, value))
    })?;
    if fields.len() > ID_FIELDS_MAX {
        return Err(SyntaxError::TooMany("ID fields"));
    }
    Ok(Command::Id(Id { fields }))
}
