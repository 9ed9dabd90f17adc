//! The commands without arguments: CAPABILITY, NOOP, LOGOUT, STARTTLS, NAMESPACE, CHECK, CLOSE,
//! UNSELECT and IDLE. That nothing follows the verb is checked for all commands alike.

use super::{Arguments, Command};
use crate::grammar::Parsed;

/// CAPABILITY (RFC 3501 6.1.1).
pub(super) fn capability(_: &mut Arguments<'_>) -> Parsed<Command> {
    Ok(Command::Capability)
}

/// NOOP (RFC 3501 6.1.2).
pub(super) fn noop(_: &mut Arguments<'_>) -> Parsed<Command> {
    Ok(Command::Noop)
}

/// LOGOUT (RFC 3501 6.1.3).
pub(super) fn logout(_: &mut Arguments<'_>) -> Parsed<Command> {
    Ok(Command::Logout)
}

/// STARTTLS (RFC 3501 6.2.1).
pub(super) fn start_tls(_: &mut Arguments<'_>) -> Parsed<Command> {
    Ok(Command::StartTls)
}

/// NAMESPACE (RFC 2342).
pub(super) fn namespace(_: &mut Arguments<'_>) -> Parsed<Command> {
    Ok(Command::Namespace)
}

/// CHECK (RFC 3501 6.4.1).
pub(super) fn check(_: &mut Arguments<'_>) -> Parsed<Command> {
    Ok(Command::Check)
}

/// CLOSE (RFC 3501 6.4.2).
pub(super) fn close(_: &mut Arguments<'_>) -> Parsed<Command> {
    Ok(Command::Close)
}

/// UNSELECT (RFC 3691).
pub(super) fn unselect(_: &mut Arguments<'_>) -> Parsed<Command> {
    Ok(Command::Unselect)
}

/// IDLE (RFC 2177).
pub(super) fn idle(_: &mut Arguments<'_>) -> Parsed<Command> {
    Ok(Command::Idle)
}
