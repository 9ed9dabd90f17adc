//! A connection's bytes both ways: fragments in, a bounded buffer of responses out.

use std::ops::{Deref, DerefMut};

use imap_proto::fragmenter::{Event, Fragmenter, Rejection, RejectionReason};
use imap_proto::limits::Limits;
use imap_proto::request::{LiteralHeader, Request};
use imap_proto::response::status;

use crate::net::tls::TlsServer;
use crate::runtime::Runtime;
use crate::shard::sessions::EndReason;
use crate::transport::{Gone, Transport};

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

/// Both ways of one connection: the transport, split into fragments on the way in. Lives in the
/// session's task.
pub struct Wire<R: Runtime> {
    transport: Transport<R>,
    fragmenter: Fragmenter,
}

impl<R: Runtime> Deref for Wire<R> {
    type Target = Transport<R>;

    fn deref(&self) -> &Transport<R> {
        &self.transport
    }
}

impl<R: Runtime> DerefMut for Wire<R> {
    fn deref_mut(&mut self) -> &mut Transport<R> {
        &mut self.transport
    }
}

impl<R: Runtime> Wire<R> {
    /// Over a fresh connection.
    pub fn new(transport: Transport<R>) -> Self {
        Wire {
            transport,
            fragmenter: Fragmenter::new(Limits::BEFORE_LOGIN),
        }
    }

    /// The splitter, to change its limits or to answer for a literal.
    pub fn fragmenter(&mut self) -> &mut Fragmenter {
        &mut self.fragmenter
    }

    /// Runs the handshake of STARTTLS; the client begins anew behind it.
    pub async fn start_tls(&mut self, tls: &TlsServer) -> Result<(), Gone> {
        self.fragmenter = Fragmenter::new(Limits::BEFORE_LOGIN);
        self.transport.start_tls(tls).await
    }

    /// The next fragment that wants a decision; sends what waits before it waits itself.
    /// Continuation requests for small literals are answered here.
    pub async fn next(&mut self) -> Result<Incoming, Gone> {
        loop {
            match self.parse(&mut |_| {}) {
                Parsed::Incoming(incoming) => return Ok(incoming),
                Parsed::Piece => {}
                Parsed::NeedsMore => self.fill_more().await?,
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
                Parsed::NeedsMore => self.fill_more().await?,
            }
        }
    }

    async fn fill_more(&mut self) -> Result<(), Gone> {
        if !self.fragmenter.is_idle() {
            self.transport.acknowledge();
        }
        self.transport.fill().await
    }

    /// Waits until the client sends something or goes, unless it has. May be dropped.
    pub async fn readable(&mut self) -> Result<(), Gone> {
        if self.unread().is_empty() {
            self.transport.readable().await
        } else {
            Ok(())
        }
    }

    /// Says BYE if it still can, and closes.
    pub async fn close(&mut self, gone: &Gone) {
        let text = match gone {
            Gone::Closed | Gone::Logout | Gone::Ended(EndReason::OutputStalled) => None,
            Gone::Bye(text) => Some(*text),
            Gone::Ended(EndReason::Autologout) => Some("Autologout; idle for too long"),
            Gone::Ended(EndReason::LoginTimeout) => Some("Too long without a login"),
            Gone::Ended(EndReason::ServerStops) => Some("Server is stopping; come back soon"),
            Gone::Ended(EndReason::FarBehind) => Some("Too many expunges untold; connect again"),
            Gone::Ended(EndReason::AccountEnded) => Some("Account is no longer served"),
        };
        if let Some(text) = text {
            status::untagged(&mut self.out, status::Condition::Bye, None, text);
        }
        self.transport.close().await;
    }

    fn parse(&mut self, piece: &mut impl FnMut(&[u8])) -> Parsed {
        let transport = &mut self.transport;
        while !transport.unread().is_empty() {
            let (used, event) = self.fragmenter.advance(transport.unread());
            let incoming = match event {
                None if used == 0 => break,
                None => {
                    transport.consume(used);
                    continue;
                }
                Some(Event::LiteralData(data)) => {
                    piece(data);
                    transport.consume(used);
                    return Parsed::Piece;
                }
                Some(Event::Continue) => {
                    transport.consume(used);
                    let text = "Send the additional command text";
                    status::continuation(&mut transport.out, text);
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
            transport.consume(used);
            return Parsed::Incoming(incoming);
        }
        Parsed::NeedsMore
    }
}
