//! One TLS connection on a stream, on rustls's unbuffered interface.
//!
//! rustls's buffered connection keeps 4 KB for each session; here an idle session keeps only its
//! keys. Ciphertext is read into the shard's scratch and decrypted there, plaintext is encrypted
//! in another scratch, and what is left over between two polls (half a record, the unsent rest
//! of a write) is kept in vectors that are freed when they are empty.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::task::{Context, Poll, Waker, ready};

use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus, WriteTraffic,
};

use super::tls::{TlsServer, take_server_name};
use crate::runtime::{Stream, with_read_scratch};

/// Plaintext that is encrypted in one go: two records of the largest size. Bounds what a client
/// that does not read makes us keep.
const WRITE_PIECE_BYTES: usize = 32 * 1024;

/// Room beside the plaintext: headers and tags of the records, and a key update. A guess that
/// saves a second try; rustls says when it needs more.
const SEAL_OVERHEAD_BYTES: usize = 256;

/// Alerts are one small record; more than a few steps to fetch one is a bug of ours.
const ALERT_STEPS_MAX: usize = 4;

thread_local! {
    /// One buffer per shard for records on their way out, lent for the length of one poll.
    static SEAL_SCRATCH: RefCell<Vec<u8>> =
        RefCell::new(vec![0; WRITE_PIECE_BYTES + SEAL_OVERHEAD_BYTES]);
}

/// A TLS connection. Lives in the session's task.
pub(super) struct TlsSession<S> {
    stream: S,
    tls: UnbufferedServerConnection,
    /// Bytes of a record or handshake message that is not whole yet. rustls decrypts in place
    /// and remembers positions, so they are kept exactly as it left them.
    pending: Vec<u8>,
    /// Decrypted, but not yet taken by the reader.
    plain: Vec<u8>,
    /// Records that are not sent yet; `0 <= outbox_sent <= outbox.len()`, empty when all is sent.
    outbox: Vec<u8>,
    outbox_sent: usize,
    /// The peer has said its last.
    ended: bool,
    /// The host name that the client asked for, in lower case.
    server_name: Option<Box<str>>,
    /// We have said ours.
    goodbye_said: bool,
    failed: bool,
}

impl<S: Stream> TlsSession<S> {
    /// Runs the handshake. Dropped while pending, the connection is lost.
    pub(super) async fn accept(stream: S, tls: &TlsServer) -> io::Result<Box<Self>> {
        let tls = UnbufferedServerConnection::new(tls.config()).map_err(io::Error::other)?;
        let mut session = Box::new(Self {
            stream,
            tls,
            pending: Vec::new(),
            plain: Vec::new(),
            outbox: Vec::new(),
            outbox_sent: 0,
            ended: false,
            server_name: None,
            goodbye_said: false,
            failed: false,
        });
        let outcome = poll_fn(|context| session.poll_handshake(context)).await;
        if outcome.is_err() {
            session.stream.close();
        }
        outcome.map(|()| session)
    }

    pub(super) async fn readable(&mut self) -> io::Result<()> {
        poll_fn(|context| {
            if !self.plain.is_empty() || self.ended {
                return Poll::Ready(Ok(()));
            }
            self.poll_fill(context)
        })
        .await
    }

    pub(super) async fn read_into(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        self.readable().await?;
        // The vector is taken, not cleared: an idle session keeps no buffer.
        let plain = std::mem::take(&mut self.plain);
        buffer.extend_from_slice(&plain);
        Ok(plain.len())
    }

    pub(super) async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.goodbye_said {
            return Err(failed());
        }
        for piece in bytes.chunks(WRITE_PIECE_BYTES) {
            poll_fn(|context| {
                ready!(self.poll_flush(context))?;
                Poll::Ready(self.seal_and_send(context, piece))
            })
            .await?;
        }
        poll_fn(|context| self.poll_flush(context)).await
    }

    pub(super) fn local_ip(&self) -> Option<IpAddr> {
        self.stream.local_ip()
    }

    pub(super) fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    pub(super) fn acknowledge(&self) {
        self.stream.acknowledge();
    }

    /// Sends what is left and the goodbye, so that the client knows that nothing was cut off.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll_flush(context)).await?;
        self.outbox = self.goodbye()?;
        poll_fn(|context| self.poll_flush(context)).await
    }

    /// Says goodbye if there is room to, and closes. Never waits.
    pub(super) fn close(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        if !self.failed && self.outbox.is_empty() {
            self.outbox = self.goodbye().unwrap_or_default();
        }
        // If it does not fit, the client does not read; there is nobody to tell.
        let _ = self.poll_flush(&mut context);
        self.failed = true;
        self.stream.close();
    }

    /// The close_notify alert, once (RFC 8446 6.1); nothing the second time.
    fn goodbye(&mut self) -> io::Result<Vec<u8>> {
        let mut goodbye = Vec::new();
        if !std::mem::replace(&mut self.goodbye_said, true) {
            self.seal(&mut goodbye, |traffic, out| {
                write_growing(out, SEAL_OVERHEAD_BYTES, |room| {
                    traffic.queue_close_notify(room)
                })
            })?;
        }
        Ok(goodbye)
    }

    fn poll_handshake(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_flush(context))?;
            if !self.tls.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            if self.ended {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            ready!(self.poll_receive(context))?;
        }
    }

    /// Ready when `plain` has bytes or the peer has ended.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.plain.is_empty() && !self.ended {
            // Alerts and key updates go out before more is taken in, so that a peer which only
            // provokes answers and never reads them is held up.
            ready!(self.poll_flush(context))?;
            ready!(self.poll_receive(context))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Reads once and digests what came.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.failed {
            return Poll::Ready(Err(failed()));
        }
        with_read_scratch(|scratch| {
            let held = self.pending.len();
            let Some((front, room)) = scratch.split_at_mut_checked(held) else {
                return Poll::Ready(Err(too_long()));
            };
            if room.is_empty() {
                return Poll::Ready(Err(too_long()));
            }
            let read = ready!(self.stream.poll_read(context, room))?;
            if read == 0 {
                // Many clients end without close_notify. A cut in the middle of a command shows
                // in the command, so the end needs no proof here.
                self.ended = true;
                return Poll::Ready(Ok(()));
            }
            front.copy_from_slice(&self.pending);
            let received = scratch.get_mut(..held + read).unwrap_or_default();
            let outcome = self.digest(received);
            if let Err(error) = outcome {
                // The alert is worth one try; nobody waits for it.
                self.failed = true;
                let _ = self.poll_flush(&mut Context::from_waker(Waker::noop()));
                return Poll::Ready(Err(error));
            }
            Poll::Ready(Ok(()))
        })
    }

    /// Lets rustls work through `received`: plaintext to `plain`, answers to `outbox`, the rest to
    /// `pending`.
    fn digest(&mut self, received: &mut [u8]) -> io::Result<()> {
        let mut start = 0;
        let outcome = loop {
            let rest = received.get_mut(start..).unwrap_or_default();
            let UnbufferedStatus { mut discard, state } = self.tls.process_tls_records(rest);
            if let Some(name) = take_server_name() {
                self.server_name = Some(name);
            }
            let step = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    let mut step = Ok(Step::Again);
                    while let Some(record) = traffic.next_record() {
                        match record {
                            Ok(record) => {
                                discard += record.discard;
                                self.plain.extend_from_slice(record.payload);
                            }
                            Err(error) => step = Err(invalid(error)),
                        }
                    }
                    step
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    encode(&mut data, &mut self.outbox).map(|()| Step::Again)
                }
                Ok(ConnectionState::TransmitTlsData(data)) => {
                    // It is in the outbox, which goes out before anything else.
                    data.done();
                    Ok(Step::Again)
                }
                Ok(ConnectionState::PeerClosed) => {
                    self.ended = true;
                    Ok(Step::Again)
                }
                Ok(
                    ConnectionState::WriteTraffic(_)
                    | ConnectionState::BlockedHandshake
                    | ConnectionState::Closed,
                ) => Ok(Step::Done),
                // Early data is never offered.
                Ok(_) => Err(io::Error::other("TLS state that was not asked for")),
                Err(error) => Err(invalid(error)),
            };
            start += discard;
            match step {
                Ok(Step::Again) => {}
                Ok(Step::Done) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let rest = received.get_mut(start..).unwrap_or_default();
        if outcome.is_err() {
            self.fetch_alert(rest);
        }
        self.pending = if self.ended {
            Vec::new()
        } else {
            rest.to_vec()
        };
        outcome
    }

    /// After an error rustls has an alert for the peer, given out by further steps. Not one step
    /// more than that: it would look at the faulty bytes again.
    fn fetch_alert(&mut self, rest: &mut [u8]) {
        for _ in 0..ALERT_STEPS_MAX {
            if !self.tls.wants_write() {
                return;
            }
            let state = self.tls.process_tls_records(rest).state;
            let Ok(ConnectionState::EncodeTlsData(mut data)) = state else {
                return;
            };
            if encode(&mut data, &mut self.outbox).is_err() {
                return;
            }
        }
    }

    /// Ready when the outbox is empty.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self
            .outbox
            .get(self.outbox_sent..)
            .filter(|rest| !rest.is_empty())
        {
            self.outbox_sent += ready!(self.stream.poll_write(context, rest))?;
        }
        self.outbox_sent = 0;
        self.outbox = Vec::new();
        Poll::Ready(Ok(()))
    }

    /// Encrypts `piece` and sends what the socket takes at once; the rest waits in the outbox,
    /// which must be empty before.
    fn seal_and_send(&mut self, context: &mut Context<'_>, piece: &[u8]) -> io::Result<()> {
        SEAL_SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            self.seal(scratch, |traffic, out| {
                let room = piece.len() + SEAL_OVERHEAD_BYTES;
                write_growing(out, room, |room| traffic.encrypt(piece, room))
            })?;
            let mut sent = 0;
            while let Some(rest) = scratch.get(sent..).filter(|rest| !rest.is_empty()) {
                match self.stream.poll_write(context, rest) {
                    Poll::Ready(outcome) => sent += outcome?,
                    Poll::Pending => {
                        self.outbox = rest.to_vec();
                        break;
                    }
                }
            }
            Ok(())
        })
    }

    /// Appends to `out` what rustls has to say first, and then what `write` makes.
    fn seal(
        &mut self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Writer<'_>, &mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.failed {
            return Err(failed());
        }
        loop {
            // All whole records were digested when they came, so nothing is read here.
            match self.tls.process_tls_records(&mut self.pending).state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, out)?,
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::WriteTraffic(mut traffic)) => return write(&mut traffic, out),
                Ok(_) => return Err(failed()),
                Err(error) => return Err(invalid(error)),
            }
        }
    }
}

type Data = rustls::server::ServerConnectionData;
type Writer<'a> = WriteTraffic<'a, Data>;

enum Step {
    Again,
    Done,
}

fn encode(data: &mut EncodeTlsData<'_, Data>, out: &mut Vec<u8>) -> io::Result<()> {
    let start = out.len();
    let mut room = 0;
    loop {
        out.resize(start + room, 0);
        match data.encode(out.get_mut(start..).unwrap_or_default()) {
            Ok(written) => {
                out.truncate(start + written);
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(size)) if size.required_size > room => {
                room = size.required_size;
            }
            Err(error) => return Err(io::Error::other(error)),
        }
    }
}

/// Runs `write` on `room` bytes behind `out`, and on more as long as it asks for more.
fn write_growing(
    out: &mut Vec<u8>,
    mut room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, EncryptError>,
) -> io::Result<()> {
    let start = out.len();
    loop {
        out.resize(start + room, 0);
        match write(out.get_mut(start..).unwrap_or_default()) {
            Ok(written) => {
                out.truncate(start + written);
                return Ok(());
            }
            Err(EncryptError::InsufficientSize(size)) if size.required_size > room => {
                room = size.required_size;
            }
            Err(error) => return Err(io::Error::other(error)),
        }
    }
}

fn invalid(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn failed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the TLS connection has ended")
}

fn too_long() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "a TLS handshake message is too long",
    )
}
