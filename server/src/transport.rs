//! A connection's bytes both ways, as every session holds them: what has come and was not looked at
//! yet, and a bounded buffer of answers.

use std::io;
use std::rc::Rc;
use std::time::Duration;

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
    /// Ended from outside; a farewell says why if it still can.
    Ended(EndReason),
    /// Ended by what happened here; a farewell with this text, and no other answer.
    Bye(&'static str),
    /// The client has said goodbye: everything has been said.
    Logout,
}

impl From<io::Error> for Gone {
    fn from(_: io::Error) -> Self {
        Gone::Closed
    }
}

/// Both ways of one connection. Lives in the session's task.
///
/// `0 <= used <= input.len()`; bytes before `used` are done with. While it waits for the client
/// it holds no more than what was not looked at yet: between commands, nothing.
pub struct Transport<R: Runtime> {
    connection: Connection<R::Stream>,
    runtime: R,
    entry: Rc<SessionEntry>,
    input: Vec<u8>,
    used: usize,
    output_stall: Duration,
    /// Answers not yet sent.
    pub out: Vec<u8>,
}

impl<R: Runtime> Transport<R> {
    /// Over a fresh connection, whose client may leave answers unread for `output_stall`.
    pub fn new(
        connection: Connection<R::Stream>,
        runtime: R,
        entry: Rc<SessionEntry>,
        output_stall: Duration,
    ) -> Self {
        Transport {
            connection,
            runtime,
            entry,
            input: Vec::new(),
            used: 0,
            output_stall,
            out: Vec::new(),
        }
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
        match done {
            Some(Ok(_)) => Ok(()),
            Some(Err(_)) | None => Err(Gone::Closed),
        }
    }

    /// What has come and was not looked at yet.
    pub fn unread(&self) -> &[u8] {
        self.input.get(self.used..).unwrap_or_default()
    }

    /// The first `bytes` of [`Transport::unread`] are done with.
    pub fn consume(&mut self, bytes: usize) {
        self.used = self.used.saturating_add(bytes).min(self.input.len());
    }

    /// Waits until the client sends something or goes. May be dropped.
    pub async fn readable(&mut self) -> Result<(), Gone> {
        self.release();
        let ready = self.connection.readable().await;
        ready.map_err(|_| self.ended())
    }

    /// Sends what waits, then waits for more than [`Transport::unread`] has.
    pub async fn fill(&mut self) -> Result<(), Gone> {
        self.flush().await?;
        self.release();
        // Reading waits by itself, so asking first would only be one more system call.
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

    /// Acknowledges what has come, in the middle of something that the client has begun to send.
    ///
    /// Many clients send a literal and the end of its line apart and without TCP_NODELAY: Nagle's
    /// algorithm holds the second back until the first is acknowledged, which a kernel delays by
    /// 40 ms in the hope of an answer to send along. Unless there is one, it is done at once.
    pub fn acknowledge(&self) {
        if self.out.is_empty() {
            self.connection.acknowledge();
        }
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
        sent.map_err(|_| self.ended())
    }

    /// Sends what waits once it is much.
    pub async fn flush_if_full(&mut self) -> Result<(), Gone> {
        if self.out.len() >= limits::OUTPUT_BYTES {
            self.flush().await
        } else {
            Ok(())
        }
    }

    /// The client may be silent for `time` from now on.
    pub fn expect_client(&self, time: Duration) {
        self.entry
            .set_deadline(self.runtime.now() + time, EndReason::Autologout);
    }

    /// Sends what waits, if the client is still there, and closes.
    pub async fn close(&mut self) {
        // Best effort: the client may be gone already.
        let _ = self.flush().await;
        self.connection.close();
    }

    fn ended(&self) -> Gone {
        self.entry.why().map_or(Gone::Closed, Gone::Ended)
    }

    /// Gives the buffers back before a wait, but for what was not looked at yet.
    fn release(&mut self) {
        if self.used == self.input.len() {
            self.input = Vec::new();
        } else {
            self.input.drain(..self.used);
        }
        self.used = 0;
        if self.out.is_empty() {
            self.out = Vec::new();
        }
    }
}
