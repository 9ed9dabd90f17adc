//! The resources that a quota limits (RFC 9208 5).

/// One resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaResource {
    /// STORAGE: the messages' octets, in units of 1,024.
    Storage,
    /// MESSAGE: how many messages.
    Message,
    /// MAILBOX: how many mailboxes.
    Mailbox,
}

impl QuotaResource {
    /// Every resource, in the order in which they are told.
    pub const ALL: [Self; 3] = [Self::Storage, Self::Message, Self::Mailbox];

    /// The resource as on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Storage => "STORAGE",
            Self::Message => "MESSAGE",
            Self::Mailbox => "MAILBOX",
        }
    }

    /// The resource called `name`, in any case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|resource| name.eq_ignore_ascii_case(resource.name().as_bytes()))
    }
}
