//! The admin thread: one tokio executor for HTTP and the socket.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use async_channel::{Receiver, Sender, bounded};
use mail_directory::DirectoryHandle;

use super::http::{Status, router};
use super::http_connections::{self, Bounds};
use super::jobs::ShardJob;
use super::limits::{HTTP_CONNECTIONS_MAX, HTTP_TIMEOUT};
use super::socket::{AdminSocket, SocketName, serve};

/// What the admin thread works with.
pub struct AdminOptions {
    /// Where HTTP is served, bound already; `None` serves none.
    pub listener: Option<TcpListener>,
    /// The admin socket; who connected early is answered from now on.
    pub socket: AdminSocket,
    /// Health and counters.
    pub status: Arc<dyn Status>,
    /// Accounts and domains.
    pub directory: DirectoryHandle,
    /// Where the shards take their jobs; bounded by [`super::SHARD_JOBS_WAITING_MAX`].
    pub jobs: Sender<ShardJob>,
}

/// The running admin thread.
pub struct AdminServer {
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
    name: Option<SocketName>,
}

/// Starts the thread. When this returns, both are being served.
pub fn start(options: AdminOptions) -> io::Result<AdminServer> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let entered = runtime.enter();
    let AdminSocket { listener, name } = options.socket;
    let socket = tokio::net::UnixListener::from_std(listener)?;
    let http = options.listener.map(|listener| {
        listener.set_nonblocking(true)?;
        tokio::net::TcpListener::from_std(listener)
    });
    let http = http.transpose()?;
    drop(entered);
    let (stop, stopped) = bounded(1);
    let AdminOptions {
        status,
        directory,
        jobs,
        ..
    } = options;
    let thread = std::thread::Builder::new()
        .name("admin".to_owned())
        .spawn(move || {
            let tasks = tokio::task::LocalSet::new();
            tasks.block_on(
                &runtime,
                run(http, socket, status, directory, jobs, stopped),
            );
            drop(tasks);
            // Requests in flight are given up; the next start finishes what they left half done.
            runtime.shutdown_background();
        })?;
    Ok(AdminServer {
        stop,
        thread: Some(thread),
        name: Some(name),
    })
}

impl AdminServer {
    /// Ends the thread and removes the socket.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.close();
        if let Some(thread) = self.thread.take() {
            // A panic there is in the trace; stopping goes on.
            let _ = thread.join();
            self.name = None;
        }
    }
}

impl Drop for AdminServer {
    fn drop(&mut self) {
        self.end();
    }
}

async fn run(
    http: Option<tokio::net::TcpListener>,
    socket: tokio::net::UnixListener,
    status: Arc<dyn Status>,
    directory: DirectoryHandle,
    jobs: Sender<ShardJob>,
    stopped: Receiver<()>,
) {
    let serve_http = async {
        match http {
            Some(listener) => {
                let bounds = Bounds {
                    connections_max: HTTP_CONNECTIONS_MAX,
                    timeout: HTTP_TIMEOUT,
                };
                http_connections::serve(listener, router(status), bounds).await;
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = stopped.recv() => {}
        () = serve(socket, directory, jobs) => {}
        () = serve_http => {}
    }
}
