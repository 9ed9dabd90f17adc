//! ENABLE (RFC 5161).

use super::{Arguments, Command};
use crate::grammar::{Parsed, SyntaxError};
use crate::limits::LIST_ITEMS_MAX;

/// ENABLE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enable {
    /// The names in upper case, known or not. Not empty.
    pub capabilities: Vec<String>,
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let cursor = &mut arguments.cursor;
    let mut capabilities = Vec::new();
    cursor.sp()?;
    loop {
        if capabilities.len() >= LIST_ITEMS_MAX {
            return Err(SyntaxError::TooMany("capabilities"));
        }
        capabilities.push(String::from_utf8_lossy(cursor.atom()?).to_ascii_uppercase());
        cursor.skip_spaces();
        if cursor.rest().is_empty() {
            return Ok(Command::Enable(Enable { capabilities }));
        }
    }
}
