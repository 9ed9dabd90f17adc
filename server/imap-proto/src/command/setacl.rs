//! SETACL (RFC 4314 3.1).

use super::{Arguments, Command};
use crate::grammar::{AclIdentifier, MailboxName, Parsed, SyntaxError, acl_identifier};

/// SETACL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAcl {
    /// The mailbox.
    pub mailbox: MailboxName,
    /// Whose entry.
    pub identifier: AclIdentifier,
    /// What happens to its rights.
    pub action: SetAclAction,
    /// The letters. Which of them are rights is not grammar.
    pub rights: String,
}

/// What SETACL does to the rights of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetAclAction {
    /// They become these.
    Replace,
    /// `+`
    Add,
    /// `-`
    Remove,
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    cursor.sp()?;
    let identifier = acl_identifier(cursor)?;
    cursor.sp()?;
    let wire = cursor.astring()?;
    let text = std::str::from_utf8(&wire).map_err(|_| SyntaxError::Expected("rights"))?;
    let (action, rights) = match text.split_at_checked(1) {
        Some(("+", rights)) => (SetAclAction::Add, rights),
        Some(("-", rights)) => (SetAclAction::Remove, rights),
        _ => (SetAclAction::Replace, text),
    };
    Ok(Command::SetAcl(SetAcl {
        mailbox,
        identifier,
        action,
        rights: rights.to_owned(),
    }))
}
