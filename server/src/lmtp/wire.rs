//! A connection's bytes both ways: lines and octets in, a bounded buffer of replies out.

use std::ops::{Deref, DerefMut};

use crate::runtime::Runtime;
use crate::transport::{Gone, Transport};

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

/// Both ways of one connection: the transport, in lines on the way in. Lives in the session's task.
pub struct Wire<R: Runtime> {
    transport: Transport<R>,
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
        Wire { transport }
    }

    /// The next line; sends what waits before it waits itself, so that a client which pipelines
    /// gets its replies together. Ends with LF; a CR in front of that belongs to the end.
    pub async fn line(&mut self) -> Result<Line, Gone> {
        self.expect_client(SILENCE);
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

    /// Sends what waits, then waits for more; the client's silence begins anew.
    pub async fn fill(&mut self) -> Result<(), Gone> {
        self.transport.flush().await?;
        self.transport.expect_client(SILENCE);
        self.transport.fill().await
    }

    /// Says why if it still can, and closes.
    pub async fn close(mut self, gone: &Gone) {
        if let Some(farewell) = reply::farewell(gone) {
            farewell.encode(&mut self.out);
        }
        self.transport.close().await;
    }
}
