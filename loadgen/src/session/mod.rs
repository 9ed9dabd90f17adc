//! One session: its commands in their order, and the check of every answer.
//!
//! **Invariant:** pure. Bytes come in, bytes go out; sockets and time are the engine's.

mod capability;
mod imap;
mod lmtp;
mod world;

use crate::fault::Fault;
use crate::random::Random;
use crate::scenario::{Protocol, Step};

pub use self::capability::{Capabilities, Capability};
pub use self::imap::Imap;
pub use self::lmtp::Lmtp;
pub use self::world::{Told, Users, World};

/// What a session is lent for one event.
pub struct Context<'c> {
    /// What all sessions share.
    pub world: &'c mut World,
    /// Now.
    pub now_ns: u64,
    /// The number of the session's connection.
    pub client: u32,
}

/// What a session has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// An answer is under way, or nothing is.
    Waiting,
    /// The greeting or a command has been answered: the next step may begin.
    Ready,
    /// STARTTLS has been answered: the handshake is next.
    Upgrade,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Its command is written.
    Sent,
    /// Its command is written, and the step comes again after it.
    SentAndAgain,
    /// There is nothing to do.
    Nothing,
    /// It waits for what other sessions hear.
    Wait,
}

/// A session over one connection at a time.
pub enum Session {
    /// RFC 3501
    Imap(Imap),
    /// RFC 2033
    Lmtp(Lmtp),
}

impl Session {
    /// A session of the user of that number, not connected yet.
    pub fn new(protocol: Protocol, user: u32, random: Random, world: &mut World) -> Self {
        match protocol {
            Protocol::Imap => Self::Imap(Imap::new(user, random, world)),
            Protocol::Lmtp => Self::Lmtp(Lmtp::new(user, random)),
        }
    }

    /// The session's own choices.
    pub fn random(&mut self) -> &mut Random {
        match self {
            Self::Imap(imap) => &mut imap.random,
            Self::Lmtp(lmtp) => &mut lmtp.random,
        }
    }

    /// A new connection is there; the server speaks first.
    pub fn connected(&mut self) {
        match self {
            Self::Imap(imap) => imap.connected(),
            Self::Lmtp(lmtp) => lmtp.connected(),
        }
    }

    /// Writes what `step` sends. Only a session that is [`Progress::Ready`] begins one.
    pub fn begin(
        &mut self,
        step: &Step,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Begun, Fault> {
        match self {
            Self::Imap(imap) => imap.begin(step, context, out),
            Self::Lmtp(lmtp) => lmtp.begin(step, context, out),
        }
    }

    /// Takes in what the server sent and writes what the session sends by itself.
    pub fn receive(
        &mut self,
        input: &[u8],
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Progress, Fault> {
        match self {
            Self::Imap(imap) => imap.receive(input, context, out),
            Self::Lmtp(lmtp) => lmtp.receive(input, context, out),
        }
    }

    /// Whether the server has yet to close after LOGOUT.
    pub fn is_logged_out(&self) -> bool {
        matches!(self, Self::Imap(imap) if imap.is_logged_out())
    }

    /// The connection is gone, whoever ended it.
    pub fn gone(&mut self, world: &mut World) {
        if let Self::Imap(imap) = self {
            imap.gone(world);
        }
    }

    /// What is wrong when no answer has come in time.
    pub fn late(&self, world: &mut World) -> Fault {
        match self {
            Self::Imap(imap) => imap.late(world),
            Self::Lmtp(_) => Fault::because(crate::fault::FaultKind::TimedOut, "no answer in time"),
        }
    }

    /// Lets go of memory: nothing is under way.
    pub fn release(&mut self) {
        match self {
            Self::Imap(imap) => imap.release(),
            Self::Lmtp(lmtp) => lmtp.release(),
        }
    }
}
