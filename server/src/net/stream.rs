//! One type for a connection's bytes, plain or TLS, that becomes TLS in place.

use std::io;
use std::net::IpAddr;

use super::tls::TlsServer;
use super::tls_session::TlsSession;
use crate::runtime::{Kick, Peer, Stream};

#[cfg(test)]
mod tests;

/// What a session reads from and writes to. Lives in the session's task.
///
/// A plain connection is a few words around its socket; a TLS one has its state boxed, so that a
/// plain one does not pay for it.
pub struct Connection<S: Stream> {
    transport: Transport<S>,
    peer: Peer,
    kick: Kick,
}

enum Transport<S: Stream> {
    Plain(S),
    Tls(Box<TlsSession<S>>),
    /// The handshake of STARTTLS failed or was given up; every use is an error.
    Broken,
}

impl<S: Stream> Connection<S> {
    /// A plaintext connection.
    pub fn plain(stream: S) -> Self {
        let (peer, kick) = (stream.peer(), stream.kick_handle());
        Self {
            transport: Transport::Plain(stream),
            peer,
            kick,
        }
    }

    /// The same, for a client that is not who the socket says: a load balancer forwards it.
    pub fn of_client(self, peer: Peer) -> Self {
        let mut connection = self;
        connection.peer = peer;
        connection
    }

    /// TLS from the first byte (IMAPS): runs the handshake. The caller bounds its time.
    pub async fn accept_tls(stream: S, tls: &TlsServer) -> io::Result<Self> {
        let mut connection = Self::plain(stream);
        connection.start_tls(tls, &mut Vec::new()).await?;
        Ok(connection)
    }

    /// Upgrades in place after STARTTLS was answered; the caller bounds its time. `received` is
    /// what the session has read behind the command: it was sent in plaintext, perhaps by
    /// somebody in between, and is thrown away (RFC 9051 11.3); the count says how much.
    /// After an error, or when dropped while pending, the connection only fails.
    pub async fn start_tls(
        &mut self,
        tls: &TlsServer,
        received: &mut Vec<u8>,
    ) -> io::Result<usize> {
        let discarded = received.len();
        received.clear();
        match std::mem::replace(&mut self.transport, Transport::Broken) {
            Transport::Plain(stream) => {
                let session = TlsSession::accept(stream, tls).await?;
                self.transport = Transport::Tls(session);
                Ok(discarded)
            }
            other => {
                self.transport = other;
                Err(io::Error::other("the connection is not in plaintext"))
            }
        }
    }

    /// Waits until [`Connection::read_into`] has something to give: bytes, end or error. A
    /// waiting connection holds no buffer. May be dropped while pending.
    pub async fn readable(&mut self) -> io::Result<()> {
        match &mut self.transport {
            Transport::Plain(stream) => stream.readable().await,
            Transport::Tls(session) => session.readable().await,
            Transport::Broken => Err(broken()),
        }
    }

    /// Waits for bytes and appends what is there, at most [`crate::runtime::READ_BYTES_MAX`] at a
    /// time; 0 means the end. May be dropped while pending; no byte is lost.
    pub async fn read_into(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        match &mut self.transport {
            Transport::Plain(stream) => stream.read_into(buffer).await,
            Transport::Tls(session) => session.read_into(buffer).await,
            Transport::Broken => Err(broken()),
        }
    }

    /// Sends all of it. Dropped while pending, an unknown part was sent; a TLS connection then
    /// refuses further writes.
    pub async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.transport {
            Transport::Plain(stream) => stream.write_all(bytes).await,
            Transport::Tls(session) => session.write_all(bytes).await,
            Transport::Broken => Err(broken()),
        }
    }

    /// Acknowledges what has come, if it would be delayed.
    pub fn acknowledge(&self) {
        match &self.transport {
            Transport::Plain(stream) => stream.acknowledge(),
            Transport::Tls(session) => session.acknowledge(),
            Transport::Broken => {}
        }
    }

    /// An orderly end: sends what is left and the goodbye of TLS, then closes. The caller bounds
    /// its time; dropped while pending, `close` is still to be called.
    pub async fn finish(&mut self) {
        if let Transport::Tls(session) = &mut self.transport {
            // A client that is gone hears no goodbye; closing is all that is left either way.
            let _ = session.finish().await;
        }
        self.close();
    }

    /// Says goodbye on the TLS level if there is room to, and shuts the socket down. Never waits
    /// for the client, so it is also what a drop does.
    pub fn close(&mut self) {
        match &mut self.transport {
            Transport::Plain(stream) => stream.close(),
            Transport::Tls(session) => session.close(),
            Transport::Broken => self.kick.both(),
        }
    }

    /// Who is at the other end.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Our own address, as the client has used it, if it is one of TCP.
    pub fn local_ip(&self) -> Option<IpAddr> {
        match &self.transport {
            Transport::Plain(stream) => stream.local_ip(),
            Transport::Tls(session) => session.local_ip(),
            Transport::Broken => None,
        }
    }

    /// The host name that the client asked TLS for, in lower case.
    pub fn tls_name(&self) -> Option<&str> {
        match &self.transport {
            Transport::Tls(session) => session.server_name(),
            Transport::Plain(_) | Transport::Broken => None,
        }
    }

    /// Lets a sweeper on the same shard end this connection.
    pub fn kick_handle(&self) -> Kick {
        self.kick.clone()
    }

    /// Whether bytes are encrypted on this connection.
    pub fn is_tls(&self) -> bool {
        matches!(self.transport, Transport::Tls(_))
    }

    /// Whether a login in plaintext would cross the network readable.
    pub fn is_confidential(&self) -> bool {
        self.is_tls() || self.peer.is_local()
    }
}

impl<S: Stream> Drop for Connection<S> {
    fn drop(&mut self) {
        self.close();
    }
}

fn broken() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotConnected,
        "the TLS handshake did not complete",
    )
}
