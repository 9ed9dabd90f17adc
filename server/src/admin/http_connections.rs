//! The connections that monitoring makes: how many, how long, how large.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::limits::{ACCEPT_PAUSE, HTTP_BUFFER_BYTES_MAX};

/// What peers may take of the admin thread.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Connections at once; further ones wait to be accepted.
    pub connections_max: usize,
    /// From accept to the last byte of the answer.
    pub timeout: Duration,
}

/// Serves until it is dropped. Runs in a `LocalSet`.
pub(super) async fn serve(listener: TcpListener, router: Router, bounds: Bounds) {
    let places = Arc::new(Semaphore::new(bounds.connections_max));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let router = router.clone();
                tokio::task::spawn_local(async move {
                    if timeout(bounds.timeout, answer(stream, router))
                        .await
                        .is_err()
                    {
                        tracing::debug!("a monitoring connection took too long");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                // Out of descriptors, most likely: accepting again at once would only spin.
                tracing::warn!(%error, "cannot accept at the admin address");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One request and its answer. No keep-alive: then one bound of time covers a slow header, a slow
/// body and a slow reader alike, and no place is held by somebody who asks nothing. A body is never
/// read, since no route wants one.
async fn answer(stream: TcpStream, router: Router) {
    let served = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(HTTP_BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a monitoring connection failed");
    }
}

#[cfg(test)]
mod tests;
