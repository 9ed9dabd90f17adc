//! Sockets of one shard on glommio: TCP and UNIX streams behind one type.
//!
//! T18: glommio's `UnixStream` hides its descriptor, so UNIX sockets are carried by `TcpStream`
//! and `TcpListener` as well; both work on any stream socket.

use std::io;
use std::net::{IpAddr, Shutdown};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_lite::{AsyncRead, AsyncWrite};
use glommio::net::{TcpListener, TcpStream};
use socket2::SockRef;

use super::io_error;
use crate::runtime::kick::{Kick, SocketNumber};
use crate::runtime::{Listener, Peer, Stream};

/// What a closing socket throws away of what its client still sent: unread bytes would make the
/// kernel send a reset, which can overtake the last reply.
const CLOSE_DRAIN_BYTES_MAX: usize = 64 * 1024;

/// A connection. Lives on the shard that accepted it.
///
/// T14: glommio's read time-outs fire on later reads after one was abandoned, and outlive the
/// stream, so there are none: a sweeper kicks. T19, T20: its buffered streams and `peek` hold
/// 4 to 9 KB per waiting connection, so the stream is unbuffered and waits with an empty read.
pub struct GlommioStream {
    // Dropped in this order: the number is cleared before the descriptor is closed.
    number: NumberGuard,
    socket: TcpStream,
    peer: Peer,
    closed: bool,
}

/// A listening socket of one shard.
pub struct GlommioListener {
    number: NumberGuard,
    socket: TcpListener,
}

/// Clears the number that kick handles share when the socket goes.
struct NumberGuard(Rc<SocketNumber>);

impl Drop for NumberGuard {
    fn drop(&mut self) {
        self.0.clear();
    }
}

impl GlommioStream {
    /// Takes a connected TCP or UNIX stream socket over. Call on the shard that shall own it.
    pub fn from_socket(socket: OwnedFd) -> Self {
        let number = socket.into_raw_fd();
        // SAFETY: `into_raw_fd` gave the ownership up, and nobody else has the number.
        let socket = unsafe { TcpStream::from_raw_fd(number) };
        Self::new(socket)
    }

    fn new(socket: TcpStream) -> Self {
        let peer = peer_of(SockRef::from(&borrow(&socket)));
        let number = NumberGuard(SocketNumber::new(socket.as_raw_fd()));
        Self {
            number,
            socket,
            peer,
            closed: false,
        }
    }
}

impl AsFd for GlommioStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        borrow(&self.socket)
    }
}

impl Stream for GlommioStream {
    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // An empty read waits for readiness and takes no byte. It may be polled again and again
        // in a select: the stream keeps one poll and one waker.
        Pin::new(&mut self.socket)
            .poll_read(context, &mut [])
            .map_ok(drop)
    }

    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_read(context, bytes)
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn acknowledge(&self) {
        // A UNIX socket has no such option and needs none.
        let _ = SockRef::from(&borrow(&self.socket)).set_tcp_quickack(true);
    }

    fn close(&mut self) {
        // A drop closes what was closed before: system calls are most of what a login costs.
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        let descriptor = borrow(&self.socket);
        let socket = SockRef::from(&descriptor);
        // What the client sent meanwhile is thrown away; the end goes out behind the last reply.
        discard_received(&socket);
        // T16: with a poll armed, a drop alone ends the connection only at the next pass of the
        // reactor. This also completes the poll, so that the drop has nothing to cancel (T2).
        let _ = socket.shutdown(Shutdown::Both);
    }

    fn peer(&self) -> Peer {
        self.peer
    }

    fn local_ip(&self) -> Option<IpAddr> {
        let address = SockRef::from(&borrow(&self.socket)).local_addr().ok()?;
        Some(address.as_socket()?.ip().to_canonical())
    }

    fn kick_handle(&self) -> Kick {
        Kick::socket(self.number.0.clone())
    }
}

fn discard_received(socket: &SockRef<'_>) {
    super::super::with_read_scratch(|scratch| {
        let mut discarded = 0;
        // A read that does not fill the buffer has emptied the socket: no second call to hear so.
        let mut full = true;
        while full && discarded < CLOSE_DRAIN_BYTES_MAX {
            // SAFETY: the pointer and length are of a live buffer that nobody else uses now, and
            // the descriptor is open for the length of the borrow.
            let read = unsafe {
                libc::recv(
                    socket.as_raw_fd(),
                    scratch.as_mut_ptr().cast(),
                    scratch.len(),
                    libc::MSG_DONTWAIT,
                )
            };
            match usize::try_from(read) {
                Ok(read) if read > 0 => {
                    discarded += read;
                    full = read == scratch.len();
                }
                _ => return,
            }
        }
    });
}

impl GlommioListener {
    /// Takes a bound and listening TCP or UNIX socket over. Call on the shard that shall own it.
    pub fn from_socket(socket: OwnedFd) -> Self {
        let number = socket.into_raw_fd();
        // SAFETY: `into_raw_fd` gave the ownership up, and nobody else has the number.
        let socket = unsafe { TcpListener::from_raw_fd(number) };
        Self {
            number: NumberGuard(SocketNumber::new(number)),
            socket,
        }
    }
}

impl Listener for GlommioListener {
    type Stream = GlommioStream;

    async fn accept(&self) -> io::Result<GlommioStream> {
        let socket = self.socket.accept().await.map_err(io_error)?;
        // T17: sockets from glommio's accept lack CLOEXEC; a child process would keep them open.
        close_on_exec(&socket);
        Ok(GlommioStream::new(socket))
    }

    fn kick_handle(&self) -> Kick {
        Kick::socket(self.number.0.clone())
    }
}

fn close_on_exec(socket: &impl AsRawFd) {
    // SAFETY: fcntl with F_SETFD takes no pointers, and the descriptor is open.
    unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
}

fn borrow(socket: &TcpStream) -> BorrowedFd<'_> {
    // SAFETY: the descriptor is open as long as the stream that owns it, which is borrowed.
    unsafe { BorrowedFd::borrow_raw(socket.as_raw_fd()) }
}

/// A connection whose client is already gone has no address; it ends at its first read.
fn peer_of(socket: SockRef<'_>) -> Peer {
    match socket
        .peer_addr()
        .ok()
        .and_then(|address| address.as_socket())
    {
        Some(address) => Peer::tcp(address),
        None => Peer::Unix {
            uid: peer_uid(&socket),
        },
    }
}

fn peer_uid(socket: &SockRef<'_>) -> Option<u32> {
    let mut credentials = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let mut bytes = libc::socklen_t::try_from(size_of::<libc::ucred>()).ok()?;
    // SAFETY: both pointers name live values, and `bytes` is the size of the first.
    let outcome = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut bytes,
        )
    };
    (outcome == 0 && credentials.pid != 0).then_some(credentials.uid)
}
