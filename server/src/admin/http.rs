//! `/health` and `/metrics` over HTTP, for monitoring.

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

/// What the server knows about itself. Called on the admin thread; reads atomics and never blocks.
pub trait Status: Send + Sync {
    /// Whether the server does its work.
    fn health(&self) -> Health;

    /// All counters, in the order to show.
    fn counters(&self) -> Vec<Counter>;
}

/// Whether the server does its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It serves, and takes mail.
    Good,
    /// It does not, or not all of it; the text says why.
    Bad(String),
}

/// One number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Lower case, with the unit at the end: `imap_connections_total`.
    pub name: &'static str,
    /// What it counts, in one line.
    pub help: &'static str,
    /// Its value.
    pub value: u64,
    /// The shard that it is about; `None` for the whole server. Rows of one name stand together.
    pub shard: Option<usize>,
}

pub(super) fn router(status: Arc<dyn Status>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .with_state(status)
}

async fn health(State(status): State<Arc<dyn Status>>) -> impl IntoResponse {
    match status.health() {
        Health::Good => (StatusCode::OK, "ok\n".to_owned()),
        Health::Bad(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

async fn metrics(State(status): State<Arc<dyn Status>>) -> impl IntoResponse {
    // The text format of Prometheus, version 0.0.4.
    let mut text = String::new();
    let mut described = "";
    for counter in status.counters() {
        let (name, help, value) = (counter.name, counter.help, counter.value);
        let kind = if name.ends_with("_total") {
            "counter"
        } else {
            "gauge"
        };
        // Writing to a String cannot fail.
        if described != name {
            described = name;
            let _ = write!(
                text,
                "# HELP corepost_{name} {help}\n# TYPE corepost_{name} {kind}\n"
            );
        }
        let _ = match counter.shard {
            None => writeln!(text, "corepost_{name} {value}"),
            Some(shard) => writeln!(text, "corepost_{name}{{shard=\"{shard}\"}} {value}"),
        };
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
