//! Ends a connection or an accept loop from elsewhere on the same shard.
//!
//! A cancelled glommio task leaks its memory and a dropped accept loses a connection, so nobody
//! cancels: the socket is shut down, the task's own read, write or accept returns, and the task
//! ends by itself.

use std::cell::Cell;
use std::rc::Rc;

use super::simulated::SimulatedKick;

/// Handle to the socket of one connection or listener. Lives on the socket's shard. It does
/// nothing once the socket is closed, also when the descriptor's number is used again.
#[derive(Debug, Clone)]
pub struct Kick(Target);

#[derive(Debug, Clone)]
enum Target {
    Socket(Rc<SocketNumber>),
    Simulated(SimulatedKick),
}

/// Descriptor number shared between a socket's owner and its kick handles; the owner clears it
/// before it closes the descriptor.
#[derive(Debug)]
pub(super) struct SocketNumber(Cell<Option<i32>>);

impl SocketNumber {
    pub(super) fn new(number: i32) -> Rc<Self> {
        Rc::new(Self(Cell::new(Some(number))))
    }

    /// The owner is about to close the descriptor.
    pub(super) fn clear(&self) {
        self.0.set(None);
    }

    fn shutdown(&self, how: i32) {
        if let Some(number) = self.0.get() {
            // SAFETY: shutdown(2) takes no pointers; the owner clears the number before it closes
            // the descriptor, and both live on one thread, so the number names our own socket.
            unsafe { libc::shutdown(number, how) };
        }
    }
}

impl Kick {
    pub(super) fn socket(number: Rc<SocketNumber>) -> Self {
        Self(Target::Socket(number))
    }

    pub(super) fn simulated(kick: SimulatedKick) -> Self {
        Self(Target::Simulated(kick))
    }

    /// Ends a pending read as if the client had closed, so that the session can look why and
    /// still say BYE. Bytes that arrived before (or still arrive) may be read first: the session
    /// checks the reason after each read.
    pub fn reader(&self) {
        match &self.0 {
            Target::Socket(number) => number.shutdown(libc::SHUT_RD),
            Target::Simulated(kick) => kick.reader(),
        }
    }

    /// Ends pending reads and writes; nothing more can be said. For a session that sits in a
    /// write which its client does not read.
    pub fn both(&self) {
        match &self.0 {
            Target::Socket(number) => number.shutdown(libc::SHUT_RDWR),
            Target::Simulated(kick) => kick.both(),
        }
    }

    /// Ends the accept loop of a listener: its accept returns an error.
    pub fn listener(&self) {
        match &self.0 {
            Target::Socket(number) => number.shutdown(libc::SHUT_RD),
            Target::Simulated(kick) => kick.both(),
        }
    }
}
