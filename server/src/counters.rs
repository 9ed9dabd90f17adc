//! Counters that every shard adds to and the admin thread reads.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::admin::{self, Health, Status};

/// A counter over 64 bits.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `amount`.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// Takes `amount` off (a gauge).
    pub fn sub(&self, amount: u64) {
        self.0.fetch_sub(amount, Ordering::Relaxed);
    }

    /// Its value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All of them. Cheap, as they are added to once a connection or message, never once a command.
#[derive(Debug, Default)]
pub struct Counters {
    /// Sessions that are connected now.
    pub connections: Counter,
    /// Connections accepted since the start.
    pub connections_accepted: Counter,
    /// Connections turned away at the limits.
    pub connections_refused: Counter,
    /// Good logins.
    pub logins: Counter,
    /// Failed logins.
    pub login_failures: Counter,
    /// Messages that LMTP delivered (one a recipient).
    pub deliveries: Counter,
    /// Messages that APPEND stored.
    pub appends: Counter,
    /// Connections that each shard holds, by its number.
    pub shard_connections: Vec<Counter>,
    /// Set once a shard's log is fenced after a failed write or sync.
    pub fenced_shards: Counter,
}

impl Counters {
    /// For a server of `shards` shards.
    pub fn new(shards: usize) -> Self {
        Counters {
            shard_connections: (0..shards).map(|_| Counter::default()).collect(),
            ..Counters::default()
        }
    }
}

impl Status for Counters {
    fn health(&self) -> Health {
        match self.fenced_shards.get() {
            0 => Health::Good,
            shards => Health::Bad(format!("{shards} shards refuse writes until a restart")),
        }
    }

    fn counters(&self) -> Vec<admin::Counter> {
        let row = |name, help, counter: &Counter| admin::Counter {
            name,
            help,
            value: counter.get(),
            shard: None,
        };
        let mut rows = vec![
            row("connections", "Connections now", &self.connections),
            row(
                "connections_accepted_total",
                "Connections accepted",
                &self.connections_accepted,
            ),
            row(
                "connections_refused_total",
                "Turned away at limits",
                &self.connections_refused,
            ),
            row("logins_total", "Good logins", &self.logins),
            row(
                "login_failures_total",
                "Failed logins",
                &self.login_failures,
            ),
            row(
                "deliveries_total",
                "Messages delivered by LMTP",
                &self.deliveries,
            ),
            row("appends_total", "Messages stored by APPEND", &self.appends),
            row(
                "fenced_shards",
                "Shards that refuse writes",
                &self.fenced_shards,
            ),
        ];
        let by_shard = self.shard_connections.iter().enumerate();
        rows.extend(by_shard.map(|(shard, counter)| admin::Counter {
            name: "shard_connections",
            help: "Connections now, by shard",
            value: counter.get(),
            shard: Some(shard),
        }));
        rows
    }
}
