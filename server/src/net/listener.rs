//! Listening sockets and accept loops.
//!
//! Each shard has its own socket for every address (SO_REUSEPORT), so the kernel deals the
//! connections and they stay on the core that accepted them. A UNIX socket cannot be bound
//! twice; its shards share one by duplicates of the descriptor.
//! `GlommioListener::from_socket` takes a socket over on its shard.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, TcpKeepalive, Type};

use crate::runtime::{Listener, Runtime, Stop};

/// Connections that the kernel completes while a shard is busy; net.core.somaxconn caps it.
const BACKLOG: i32 = 4096;

/// T9: an accept that fails (EMFILE) returns at once and would spin.
const ACCEPT_ERROR_PAUSE: Duration = Duration::from_millis(50);

/// How often a failing accept is worth a line.
const ACCEPT_ERROR_LINE_EVERY: Duration = Duration::from_secs(1);

/// First keep-alive probe after this much silence; NAT tables forget after a few minutes.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(120);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_PROBES: u32 = 4;

/// Unacknowledged bytes for this long mean that the client is gone.
const USER_TIMEOUT: Duration = Duration::from_secs(180);

/// The sockets of one address, one for each shard, in order of shards.
#[derive(Debug)]
pub struct BoundAddress {
    /// What was bound; port 0 has become the kernel's choice.
    pub address: SocketAddr,
    /// One listening socket per shard. Hand each to its shard.
    pub sockets: Vec<OwnedFd>,
}

/// Binds a TCP address for `shards` shards. An IPv6 address takes IPv6 only, so that `0.0.0.0`
/// and `[::]` can both be configured.
pub fn bind_tcp(address: SocketAddr, shards: usize) -> io::Result<BoundAddress> {
    let first = tcp_socket(address)?;
    let address = first
        .local_addr()?
        .as_socket()
        .ok_or_else(|| io::Error::other("a TCP socket has a TCP address"))?;
    let mut sockets = vec![OwnedFd::from(first)];
    while sockets.len() < shards {
        sockets.push(tcp_socket(address)?.into());
    }
    Ok(BoundAddress { address, sockets })
}

/// Binds a UNIX socket for `shards` shards, with `mode` as its file's permissions. A socket file
/// that nobody listens on any more is replaced; any other file is left alone.
pub fn bind_unix(path: &Path, mode: u32, shards: usize) -> io::Result<Vec<OwnedFd>> {
    remove_stale_socket(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM.cloexec(), None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    socket.listen(BACKLOG)?;
    let mut sockets = Vec::with_capacity(shards);
    while sockets.len() + 1 < shards {
        sockets.push(socket.try_clone()?.into());
    }
    sockets.push(socket.into());
    Ok(sockets)
}

/// Accepts until `stop` is requested (or the listener is kicked) and hands every connection to
/// `serve`, which spawns its task. Returns once no further connection will be accepted. T6, T10:
/// accept is never polled in a select and never dropped while pending; a second task waits for
/// the stop and shuts the socket down, which ends the accept with an error.
pub async fn accept_connections<R: Runtime>(
    runtime: R,
    listener: R::Listener,
    stop: Stop,
    mut serve: impl FnMut(R::Stream),
) {
    let kick = listener.kick_handle();
    let requested = stop.clone();
    runtime.spawn(async move {
        requested.requested().await;
        kick.listener();
    });
    let mut line_at = None;
    loop {
        match listener.accept().await {
            Ok(stream) => serve(stream),
            Err(_) if stop.is_requested() => return,
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return,
            Err(error) => {
                let now = runtime.now();
                if line_at.is_none_or(|at| now >= at) {
                    tracing::warn!(%error, "cannot accept connections");
                    line_at = Some(now + ACCEPT_ERROR_LINE_EVERY);
                }
                runtime.sleep(ACCEPT_ERROR_PAUSE).await;
            }
        }
        runtime.yield_if_needed().await;
    }
}

fn tcp_socket(address: SocketAddr) -> io::Result<Socket> {
    // T17: glommio's own bind takes only the first address, sets neither REUSEADDR nor V6ONLY,
    // and panics on a bad name.
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM.cloexec(), Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    set_for_accepted(&socket)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

/// Sets what every accepted connection shall have; Linux hands these options of the listening
/// socket on, which saves five system calls per connection. No delay, because answers are
/// written whole; keep-alive and user time-out, because RFC 3501 lets a client idle for half an
/// hour and a dead one is to be found earlier.
fn set_for_accepted(socket: &Socket) -> io::Result<()> {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_PROBES);
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))
}

fn remove_stale_socket(path: &Path) -> io::Result<()> {
    let Ok(metadata) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("{} exists and is not a socket", path.display()),
        ));
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            format!("another process listens on {}", path.display()),
        ));
    }
    std::fs::remove_file(path)
}
