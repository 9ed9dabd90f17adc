//! The admin socket: the command line asks, the server answers, one line of JSON each.
//!
//! Who may open the socket may do everything: it has mode 0600, so that is the server's user and
//! root.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mail_directory::DirectoryHandle;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::accounts::execute;
use super::engine::Engine;
use super::jobs::ShardJob;
use super::limits::{ACCEPT_PAUSE, CLIENT_TIMEOUT, CLIENTS_MAX, LINE_BYTES_MAX, REPLY_BYTES_MAX};
use super::requests::{AdminReply, AdminRequest};

/// The socket's name in the data directory.
pub const SOCKET_NAME: &str = "admin.sock";

/// Bytes of one read.
const READ_BYTES: usize = 64 << 10;

/// Why the server could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens: no server runs on this data directory.
    #[error("no server runs")]
    NoServer,
    /// The socket is not ours to open.
    #[error("the admin socket may be used only by the server's user and root")]
    Forbidden,
    /// The connection failed.
    #[error("the admin socket failed: {0}")]
    Socket(#[from] io::Error),
    /// It ended before it answered; whether it did what was asked is not known.
    #[error("the server ended before it answered")]
    Ended,
    /// The answer is no answer: the server is of another version.
    #[error("the server's answer was not understood; is it of another version?")]
    Answer,
}

/// Asks the server that runs on a data directory. Blocks.
pub fn ask(data_dir: &Path, request: &AdminRequest) -> Result<AdminReply, AskError> {
    let stream = StdStream::connect(data_dir.join(SOCKET_NAME)).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => AskError::NoServer,
        io::ErrorKind::PermissionDenied => AskError::Forbidden,
        _ => AskError::Socket(e),
    })?;
    let line = serde_json::to_vec(request).map_err(|error| AskError::Socket(error.into()))?;
    let mut line = Zeroizing::new(line);
    line.push(b'\n');
    (&stream).write_all(&line).map_err(ended)?;
    let mut reply = String::new();
    let bound = u64::try_from(REPLY_BYTES_MAX).unwrap_or(u64::MAX);
    let read = BufReader::new((&stream).take(bound)).read_line(&mut reply);
    if read.map_err(ended)? == 0 {
        return Err(AskError::Ended);
    }
    serde_json::from_str(&reply).map_err(|_| AskError::Answer)
}

fn ended(error: io::Error) -> AskError {
    match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => AskError::Ended,
        _ => AskError::Socket(error),
    }
}

/// The socket, bound: whoever connects waits for the server to start, instead of being told that
/// none runs while the data directory is locked. Its name goes when it is dropped.
pub struct AdminSocket {
    pub(super) listener: StdListener,
    pub(super) name: SocketName,
}

/// Removes the socket's name when dropped.
pub(super) struct SocketName(PathBuf);

impl AdminSocket {
    /// Makes the socket. One that an earlier server left is replaced: the caller holds the lock of
    /// the data directory, so no other server can be using it.
    pub fn bind(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(SOCKET_NAME);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        // Bound under another name first, so that nobody can connect before the mode is set.
        let hidden = path.with_extension("new");
        let _ = std::fs::remove_file(&hidden);
        let listener = StdListener::bind(&hidden)?;
        std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        std::fs::rename(&hidden, &path)?;
        Ok(Self {
            listener,
            name: SocketName(path),
        })
    }
}

impl Drop for SocketName {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Serves administrators until it is dropped. Runs in a `LocalSet`: engines need not be `Send`.
pub(super) async fn serve(
    listener: UnixListener,
    directory: DirectoryHandle,
    jobs: async_channel::Sender<ShardJob>,
) {
    let places = Arc::new(Semaphore::new(CLIENTS_MAX));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (directory, jobs) = (directory.clone(), jobs.clone());
                tokio::task::spawn_local(async move {
                    if let Err(error) = serve_client(stream, &directory, jobs).await {
                        tracing::debug!(%error, "an administrator's connection failed");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                // Out of descriptors, most likely: accepting again at once would only spin.
                tracing::warn!(%error, "cannot accept at the admin socket");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve_client(
    stream: UnixStream,
    directory: &DirectoryHandle,
    jobs: async_channel::Sender<ShardJob>,
) -> io::Result<()> {
    let mut engine = Engine::Shards {
        jobs,
        sleep: |time| Box::pin(tokio::time::sleep(time)),
    };
    let mut pending = Zeroizing::new(Vec::new());
    while let Some(line) = timeout(CLIENT_TIMEOUT, read_line(&stream, &mut pending)).await?? {
        let reply = match serde_json::from_slice::<AdminRequest>(&line) {
            Ok(request) => execute(request, directory, &mut engine).await,
            // The error's text may quote the request, so it is not repeated.
            Err(error) => AdminReply::Failed {
                reason: format!("not a request (column {})", error.column()),
            },
        };
        let mut bytes = serde_json::to_vec(&reply)?;
        bytes.push(b'\n');
        timeout(CLIENT_TIMEOUT, write_all(&stream, &bytes)).await??;
    }
    Ok(())
}

/// The next line without its end; what follows it stays in `pending`. `None` at the end.
async fn read_line(
    stream: &UnixStream,
    pending: &mut Zeroizing<Vec<u8>>,
) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut searched = 0;
    loop {
        let found = pending
            .iter()
            .skip(searched)
            .position(|byte| *byte == b'\n');
        if let Some(end) = found.map(|offset| searched + offset) {
            let rest = pending.split_off(end + 1);
            let mut line = std::mem::replace(&mut **pending, rest);
            line.pop();
            return Ok(Some(Zeroizing::new(line)));
        }
        if pending.len() >= LINE_BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the line is too long",
            ));
        }
        searched = pending.len();
        stream.readable().await?;
        let mut buffer = Zeroizing::new(vec![0; READ_BYTES]);
        match stream.try_read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(count) => pending.extend(buffer.iter().take(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

async fn write_all(stream: &UnixStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
