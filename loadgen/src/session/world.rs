//! What all sessions of a run share.

use super::Capabilities;
use crate::mail::MailWriter;
use crate::reply::digest::Digest;
use crate::scenario::Population;
use crate::shadow::Shadow;

/// What `{}` in a user's name stands for.
const USER_NUMBER: &str = "{}";
/// Messages of the population are numbered from the user's number in these upper bits.
const PREPARED_BITS: u32 = 20;
/// Messages that are added in a run are numbered from here.
const ADDED: u32 = 1 << 31;

/// Who logs in.
#[derive(Clone, Debug)]
pub struct Users {
    /// The name; `{}` stands for the number.
    pub pattern: String,
    /// The password of all of them.
    pub password: String,
    /// The number of the first.
    pub first: u32,
    /// How many there are.
    pub count: u32,
}

impl Users {
    /// The name of the user at `index`, counted from 0.
    pub fn name(&self, index: u32) -> String {
        let number = u64::from(self.first) + u64::from(index % self.count.max(1));
        self.pattern.replace(USER_NUMBER, &number.to_string())
    }
}

/// That a session in IDLE heard of a change.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// When the writer was told that the change is done.
    pub done_ns: u64,
    /// When the session heard.
    pub heard_ns: u64,
}

/// What all sessions share.
pub struct World {
    /// What mailboxes must hold.
    pub shadow: Shadow,
    /// Makes messages.
    pub writer: MailWriter,
    /// Who logs in.
    pub users: Users,
    /// The mailbox that sessions select, and what is put there.
    pub population: Population,
    /// Whether sessions begin with STARTTLS.
    pub has_start_tls: bool,
    /// Whether a session must know its messages before it goes on.
    pub needs_messages: bool,
    /// Whether it must know which of them are ours.
    pub needs_numbers: bool,
    /// Whether a session must know what the server can.
    pub needs_capabilities: bool,
    /// What the server can, once a session has logged in.
    pub capabilities: Option<Capabilities>,
    /// Changes that sessions in IDLE have heard of, for the report.
    pub told: Vec<Told>,
    /// Connections whose wait is over.
    pub woken: Vec<u32>,
    /// The digest that no session uses; most runs need one or two at a time.
    pub digest: Option<Box<Digest>>,
    added: u32,
}

impl World {
    /// A world in which nothing has happened.
    pub fn new(users: Users, population: Population, seed: u64) -> Self {
        Self {
            shadow: Shadow::default(),
            writer: MailWriter::new(),
            users,
            population,
            has_start_tls: false,
            needs_messages: false,
            needs_numbers: false,
            needs_capabilities: false,
            capabilities: None,
            told: Vec::new(),
            woken: Vec::new(),
            digest: None,
            added: u32::try_from(seed % u64::from(ADDED)).unwrap_or(0),
        }
    }

    /// The number of the message at `index` of a user's population.
    pub fn prepared_number(user: u32, index: u32) -> u64 {
        u64::from(((user << PREPARED_BITS) | (index & ((1 << PREPARED_BITS) - 1))) % ADDED)
    }

    /// A number for a message that is added.
    pub fn added_number(&mut self) -> u64 {
        self.added = self.added.wrapping_add(1) % ADDED;
        u64::from(ADDED + self.added)
    }
}
