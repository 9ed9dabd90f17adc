//! A connection's bytes both ways: fragments in, a bounded buffer of responses out.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use imap_proto::fragmenter::{Event, Fragmenter, Rejection, RejectionReason};
use imap_proto::limits::Limits;
use imap_proto::request::{LiteralHeader, Request};
use imap_proto::response::status;

use crate::limits;
use crate::net::stream::Connection;
use crate::net::tls::TlsServer;
use crate::runtime::{Runtime, within};
use crate::shard::sessions::{EndReason, SessionEntry};

/// The connection is over, or is to end now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// The client has closed, or the network has.
    Closed,
    /// Ended from outside; BYE says why if it still can.
    Ended(EndReason),
    /// Ended by what happened here; BYE with this text, and no tagged answer.
    Bye(&'static str),
    /// LOGOUT: everything has been said.
    Logout,
}

impl From<io::Error> for Gone {
    fn from(_: io::Error) -> Self {
        Gone::Closed
    }
}

/// What has come in.
#[derive(Debug)]
pub enum Incoming {
    /// A complete command.
    Request(Request),
    /// An APPEND up to its message literal, which wants a decision.
    AppendLiteral(Request, LiteralHeader),
    /// The rest of the line after a message literal.
    AppendEnd(Request),
    /// A line that was asked for.
    Line(Vec<u8>),
    /// A command that was thrown away.
    Rejected(Rejection),
    /// The stream cannot be brought back into step.
    Fatal(RejectionReason),
}

/// What the bytes at hand came to.
enum Parsed {
    Incoming(Incoming),
    Piece,
    NeedsMore,
}

/// Both ways of one connection. Lives in the session's task.
///
/// `0 <= used <= input.len()`; bytes before `used` are done with. While it waits for the client
/// it holds no buffer at all.
pub struct Wire<R: Runtime> {
    connection: Connection<R::Stream>,
    runtime: R,
    entry: Rc<SessionEntry>,
    fragmenter: Fragmenter,
    input: Vec<u8>,
    used: usize,
    /// A client gets this long to take what is sent to it.
    output_stall: Duration,
    /// Responses not yet sent.
    pub out: Vec<u8>,
}

impl<R: Runtime> Wire<R> {
    /// Over a fresh connection.
    pub fn new(
        connection: Connection<R::Stream>,
        runtime: R,
        entry: Rc<SessionEntry>,
        output_stall: Duration,
    ) -> Self {
        Wire {
            connection,
            runtime,
            entry,
            fragmenter: Fragmenter::new(Limits::BEFORE_LOGIN),
            input: Vec::new(),
            used: 0,
            output_stall,
            out: Vec::new(),
        }
    }

    /// The splitter, to change its limits or to answer for a literal.
    pub fn fragmenter(&mut self) -> &mut Fragmenter {
        &mut self.fragmenter
    }

    /// The connection, to ask it what it is.
    pub fn connection(&self) -> &Connection<R::Stream> {
        &self.connection
    }

    /// Runs the handshake of STARTTLS. What was sent ahead of it in plaintext may come from
    /// somebody in between, and is thrown away (RFC 3501 6.2.1).
    pub async fn start_tls(&mut self, tls: &TlsServer) -> Result<(), Gone> {
        let handshake = self.connection.start_tls(tls, &mut self.input);
        let done = within(&self.runtime, limits::HANDSHAKE, handshake).await;
        self.used = 0;
        self.fragmenter = Fragmenter::new(Limits::BEFORE_LOGIN);
        match done {
            Some(Ok(_)) => Ok(()),
            Some(Err(_)) | None => Err(Gone::Closed),
        }
    }

    /// The next fragment that wants a decision; sends what waits before it waits itself.
    /// Continuation requests for small literals are answered here.
    pub async fn next(&mut self) -> Result<Incoming, Gone> {
        loop {
            match self.parse(&mut |_| {}) {
                Parsed::Incoming(incoming) => return Ok(incoming),
                Parsed::Piece => {}
                Parsed::NeedsMore => {
                    self.flush().await?;
                    self.fill().await?;
                }
            }
        }
    }

    /// One piece of the accepted message literal into `piece` (at most what one read brings), or
    /// else what follows the literal.
    pub async fn next_piece(
        &mut self,
        piece: &mut impl FnMut(&[u8]),
    ) -> Result<Option<Incoming>, Gone> {
        loop {
            match self.parse(piece) {
                Parsed::Incoming(incoming) => return Ok(Some(incoming)),
                Parsed::Piece => return Ok(None),
                Parsed::NeedsMore => {
                    self.flush().await?;
                    self.fill().await?;
                }
            }
        }
    }

    /// Whether a command, or a part of one, has come and was not looked at yet.
    pub fn has_input(&self) -> bool {
        self.used < self.input.len()
    }

    /// Waits until the client sends something or goes. Holds no buffer; may be dropped.
    pub async fn readable(&mut self) -> Result<(), Gone> {
        if self.has_input() {
            return Ok(());
        }
        self.release();
        let ready = self.connection.readable().await;
        ready.map_err(|_| self.entry.why().map_or(Gone::Closed, Gone::Ended))
    }

    /// Sends what waits. A client that does not read meets the output bound.
    pub async fn flush(&mut self) -> Result<(), Gone> {
        if self.out.is_empty() {
            return Ok(());
        }
        self.entry
            .set_writing(Some(self.runtime.now() + self.output_stall));
        let sent = self.connection.write_all(&self.out).await;
        self.entry.set_writing(None);
        self.out.clear();
        sent.map_err(|_| self.entry.why().map_or(Gone::Closed, Gone::Ended))
    }

    /// Sends what waits once it is much.
    pub async fn flush_if_full(&mut self) -> Result<(), Gone> {
        if self.out.len() >= limits::OUTPUT_BYTES {
            self.flush().await
        } else {
            Ok(())
        }
    }

    /// Says BYE if it still can, and closes.
    pub async fn close(mut self, gone: &Gone) {
        let text = match gone {
            Gone::Closed | Gone::Logout | Gone::Ended(EndReason::OutputStalled) => None,
            Gone::Bye(text) => Some(*text),
            Gone::Ended(EndReason::Autologout) => Some("Autologout; idle for too long"),
            Gone::Ended(EndReason::LoginTimeout) => Some("Too long without a login"),
            Gone::Ended(EndReason::ServerStops) => Some("Server is stopping; come back soon"),
            Gone::Ended(EndReason::AccountEnded) => Some("Account is no longer served"),
        };
        if let Some(text) = text {
            status::untagged(&mut self.out, status::Condition::Bye, None, text);
        }
        // Best effort: the client may be gone already.
        let _ = self.flush().await;
        self.connection.close();
    }

    fn parse(&mut self, piece: &mut impl FnMut(&[u8])) -> Parsed {
        while self.used < self.input.len() {
            let unread = self.input.get(self.used..).unwrap_or_default();
            let (used, event) = self.fragmenter.advance(unread);
            self.used += used;
            let incoming = match event {
                None if used == 0 => break,
                None => continue,
                Some(Event::LiteralData(data)) => {
                    piece(data);
                    return Parsed::Piece;
                }
                Some(Event::Continue) => {
                    status::continuation(&mut self.out, "Send the additional command text");
                    continue;
                }
                Some(Event::Request(request)) => Incoming::Request(request),
                Some(Event::AppendLiteral { prefix, literal }) => {
                    Incoming::AppendLiteral(prefix, literal)
                }
                Some(Event::AppendEnd(request)) => Incoming::AppendEnd(request),
                Some(Event::Line(line)) => Incoming::Line(line),
                Some(Event::Rejected(rejection)) => Incoming::Rejected(rejection),
                Some(Event::Fatal(reason)) => Incoming::Fatal(reason),
            };
            return Parsed::Incoming(incoming);
        }
        Parsed::NeedsMore
    }

    async fn fill(&mut self) -> Result<(), Gone> {
        self.readable().await?;
        self.input.drain(..self.used);
        self.used = 0;
        let read = self.connection.read_into(&mut self.input).await;
        if let Some(why) = self.entry.why() {
            return Err(Gone::Ended(why));
        }
        if read? == 0 {
            Err(Gone::Closed)
        } else {
            Ok(())
        }
    }

    /// Gives the buffers back before a wait.
    fn release(&mut self) {
        self.input = Vec::new();
        self.used = 0;
        if self.out.is_empty() {
            self.out = Vec::new();
        }
    }
}
