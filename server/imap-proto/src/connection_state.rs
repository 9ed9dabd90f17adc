//! The states of a connection (RFC 3501 section 3), and sets of them for the command table.

/// State of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// Nobody has logged in yet.
    NotAuthenticated,
    /// Logged in, no mailbox selected.
    Authenticated,
    /// A mailbox is selected.
    Selected,
    /// The connection is being closed.
    Logout,
}

/// The set of states in which a command is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum States {
    /// In each state but logout.
    Any,
    /// Before login only.
    NotAuthenticated,
    /// After login, selected or not.
    Authenticated,
    /// With a mailbox selected only.
    Selected,
}

impl States {
    /// Whether a command with this set may run in `state`.
    pub fn allow(self, state: ConnectionState) -> bool {
        use ConnectionState as State;
        match state {
            State::NotAuthenticated => matches!(self, Self::Any | Self::NotAuthenticated),
            State::Authenticated => matches!(self, Self::Any | Self::Authenticated),
            State::Selected => {
                matches!(self, Self::Any | Self::Authenticated | Self::Selected)
            }
            State::Logout => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selected_includes_what_authenticated_may_do() {
        assert!(States::Authenticated.allow(ConnectionState::Selected));
        assert!(!States::Selected.allow(ConnectionState::Authenticated));
        assert!(!States::NotAuthenticated.allow(ConnectionState::Selected));
        assert!(States::Any.allow(ConnectionState::NotAuthenticated));
        assert!(!States::Any.allow(ConnectionState::Logout));
    }
}
