//! A connection's bytes both ways: lines and octets in, a bounded buffer of replies out.

use std::rc::Rc;
use std::time::Duration;

use crate::limits;
use crate::net::stream::Connection;
use crate::runtime::Runtime;
use crate::session::Gone;
use crate::shard::sessions::{EndReason, SessionEntry};

use super::limits::{LINE_BYTES_MAX, SILENCE};
use super::reply;

/// What the next line is.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A line without its line end.
    Whole(Vec<u8>),
    /// A line that was thrown away.
    TooLong,
}

/// Both ways of one connection. Lives in the session's task.
///
/// `0 <= used <= input.len()`; bytes before `used` are done with. While it waits for the client
/// it holds no more than the beginning of a line.
pub struct Wire<R: Runtime> {
    connection: Connection<R::Stream>,
    runtime: R,
    entry: Rc<SessionEntry>,
    output_stall: Duration,
    input: Vec<u8>,
    used: usize,
    /// Replies not yet sent.
    pub out: Vec<u8>,
}

impl<R: Runtime> Wire<R> {
    /// Over a fresh connection, whose client may leave replies unread for `output_stall`.
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
            output_stall,
            input: Vec::new(),
            used: 0,
            out: Vec::new(),
        }
    }

    /// The next line; sends what waits before it waits itself, so that a client which pipelines
    /// gets its replies together. Ends with LF; a CR in front of that belongs to the end.
    pub async fn line(&mut self) -> Result<Line, Gone> {
        self.expect_client();
        let mut scanned = 0;
        let mut too_long = false;
        loop {
            let unread = self.unread();
            let unscanned = unread.get(scanned..).unwrap_or_default();
            if let Some(line_feed) = memchr::memchr(b'\n', unscanned) {
                let end = scanned + line_feed;
                let line = unread.get(..end).unwrap_or_default();
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let line = match too_long || line.len() > LINE_BYTES_MAX {
                    true => Line::TooLong,
                    false => Line::Whole(line.to_vec()),
                };
                self.consume(end + 1);
                return Ok(line);
            }
            scanned = unread.len();
            // One more for the CR of a longest line.
            if scanned > LINE_BYTES_MAX + 1 {
                too_long = true;
                self.consume(scanned);
                scanned = 0;
            }
            self.fill().await?;
        }
    }

    /// What has come and was not looked at yet.
    pub fn unread(&self) -> &[u8] {
        self.input.get(self.used..).unwrap_or_default()
    }

    /// The first `bytes` of [`Wire::unread`] are done with.
    pub fn consume(&mut self, bytes: usize) {
        self.used = self.used.saturating_add(bytes).min(self.input.len());
    }

    /// Sends what waits, then waits for more than [`Wire::unread`] has.
    pub async fn fill(&mut self) -> Result<(), Gone> {
        self.flush().await?;
        self.expect_client();
        self.release();
        if let Err(error) = self.connection.readable().await {
            return Err(self.entry.why().map_or(Gone::from(error), Gone::Ended));
        }
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

    /// The time that the client may be silent begins anew.
    pub fn expect_client(&self) {
        self.entry
            .set_deadline(self.runtime.now() + SILENCE, EndReason::Autologout);
    }

    /// Says why if it still can, and closes.
    pub async fn close(mut self, gone: &Gone) {
        if let Some(farewell) = reply::farewell(gone) {
            farewell.encode(&mut self.out);
        }
        // Best effort: the client may be gone already.
        let _ = self.flush().await;
        self.connection.close();
    }

    /// Gives the buffers back before a wait, but for what was not looked at yet.
    fn release(&mut self) {
        self.input = self.unread().to_vec();
        self.used = 0;
        if self.out.is_empty() {
            self.out = Vec::new();
        }
    }
}
