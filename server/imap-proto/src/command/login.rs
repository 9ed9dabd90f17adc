//! LOGIN (RFC 3501 6.2.3).

use std::fmt;

use super::{Arguments, Command};
use crate::grammar::Parsed;

/// LOGIN.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user's name as sent.
    pub user: Vec<u8>,
    /// The password as sent.
    pub password: Vec<u8>,
}

/// Never shows the password.
impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let user = cursor.login_string()?.into_owned();
    cursor.sp()?;
    let password = cursor.login_string()?.into_owned();
    Ok(Command::Login(Login { user, password }))
}
