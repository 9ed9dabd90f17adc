//! What one shard runs: its listeners, its sweeper, and its orderly end.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use storage_engine::mail_store::{Health, MailStore, Publish};
use storage_engine::recovery::{Options as StoreOptions, ShardStart};

use crate::admission::{Admission, Admitted, Refused};
use crate::jobs;
use crate::limits;
use crate::lmtp;
use crate::net::listener::accept_connections;
use crate::net::network::Networks;
use crate::net::proxy::read_header;
use crate::net::stream::Connection;
use crate::runtime::{Peer, Runtime, Stop, Stream, abort_on_panic, within};
use crate::session;
use crate::shard::evacuation::OtherShards;
use crate::shard::mesh::Ends;
use crate::shard::sessions::EndReason;
use crate::shard::watchers::Watchers;
use crate::shard::{Shard, Shared};
use crate::store_clock::StoreClock;

/// What is spoken on a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// IMAP in plaintext, with STARTTLS.
    Imap,
    /// IMAP with TLS from the first byte.
    Imaps,
    /// LMTP.
    Lmtp,
}

/// What holds for the connections of one listening socket.
#[derive(Debug)]
pub struct Rule {
    /// What is spoken.
    pub service: Service,
    /// Who may connect; empty is everybody.
    pub allow: Networks,
    /// Who may not, even if `allow` has them.
    pub deny: Networks,
    /// Whose connections begin with a PROXY header.
    pub proxy_from: Networks,
}

impl Rule {
    /// Everybody may connect, and nobody is a proxy.
    pub fn open(service: Service) -> Self {
        Rule {
            service,
            allow: Networks::default(),
            deny: Networks::default(),
            proxy_from: Networks::default(),
        }
    }

    /// Whether who connects is a load balancer, which speaks for others.
    fn is_proxy(&self, peer: Peer) -> bool {
        peer.ip()
            .is_some_and(|address| self.proxy_from.contain(address))
    }

    /// Whether a client may be here. Local processes on a UNIX socket may: its folder's permissions
    /// say who they are.
    fn permits(&self, peer: Peer) -> bool {
        peer.ip().is_none_or(|address| {
            let is_allowed = self.allow.is_empty() || self.allow.contain(address);
            is_allowed && !self.deny.contain(address)
        })
    }
}

/// How often the sweeper looks at a part of the sessions; and how many parts there are.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
const SWEEP_PARTS: usize = 5;

/// Sessions ended at a time when the server stops: the executor's limit on what may be woken at
/// once is far above it.
const STOP_CHUNK: usize = 64;

/// Counts the shards that have come to a point which all must reach.
#[derive(Clone)]
pub struct Rendezvous(Arc<AtomicUsize>);

impl Rendezvous {
    /// For this many shards.
    pub fn new(shards: usize) -> Self {
        Rendezvous(Arc::new(AtomicUsize::new(shards)))
    }

    /// Arrives, and waits for the others, but not for ever.
    async fn arrive<R: Runtime>(&self, runtime: &R) {
        self.0.fetch_sub(1, Ordering::AcqRel);
        let deadline = runtime.now() + limits::STOP;
        while self.0.load(Ordering::Acquire) > 0 && runtime.now() < deadline {
            runtime.sleep(Duration::from_millis(1)).await;
        }
    }
}

/// What one shard is opened with.
pub struct ShardParts {
    /// What recovery found for it.
    pub start: ShardStart,
    /// Its ends of the mesh.
    pub ends: Ends,
    /// How the store is opened.
    pub options: StoreOptions,
    /// What all shards share.
    pub shared: Shared,
    /// What administrators ask.
    pub jobs: jobs::Receiver,
}

/// Opens the store and starts the shard's tasks. The error is for the trace.
pub async fn open<R: Runtime>(
    index: usize,
    runtime: R,
    disk: R::Disk,
    parts: ShardParts,
    stop: Stop,
) -> Result<Shard<R>, String> {
    let watchers = Rc::new(Watchers::default());
    let publishing = watchers.clone();
    let publish: Publish = Rc::new(move |key, change| publishing.published(&key, &change));
    let others = OtherShards::unattached();
    let clock = Rc::new(StoreClock::new(runtime.clone()));
    let (start, options) = (parts.start, parts.options);
    let store = MailStore::open(disk, start, options, clock, publish, others.clone())
        .await
        .map_err(|error| error.to_string())?;
    let counters = parts.shared.counters.clone();
    let shard = Shard::start(index, runtime, store, watchers, parts.ends, parts.shared);
    let runtime = shard.runtime();
    let log = shard.store().clone();
    // What the store left half done must not be served: a panic in its loops ends the process.
    runtime.spawn(abort_on_panic(async move {
        log.run_log().await;
        if let Health::Fenced(cause) = log.health() {
            tracing::error!(
                shard = index,
                cause,
                "the log is fenced: writes are refused"
            );
            counters.fenced_shards.add(1);
        }
    }));
    others.attach(shard.clone());
    let store = shard.store().clone();
    runtime.spawn_bulk(abort_on_panic(async move {
        store.run_maintenance().await;
        // The shard and its way to the others hold each other until here.
        others.detach();
    }));
    runtime.spawn(jobs::serve(shard.clone(), parts.jobs, stop));
    Ok(shard)
}

/// Serves until the stop is requested, then ends sessions, and last the store.
pub async fn run<R: Runtime>(
    shard: Shard<R>,
    listeners: Vec<(Arc<Rule>, R::Listener)>,
    admission: Arc<Admission>,
    stop: Stop,
    drained: Rendezvous,
) {
    let runtime = shard.runtime().clone();
    for (rule, listener) in listeners {
        runtime.spawn(listen(
            shard.clone(),
            rule,
            listener,
            admission.clone(),
            stop.clone(),
        ));
    }
    runtime.spawn(sweep(shard.clone(), stop.clone()));
    stop.requested().await;
    end_sessions(&shard).await;
    // Peers may still ask for what we own until their sessions have ended too.
    drained.arrive(&runtime).await;
    shard.close().await;
}

async fn listen<R: Runtime>(
    shard: Shard<R>,
    rule: Arc<Rule>,
    listener: R::Listener,
    admission: Arc<Admission>,
    stop: Stop,
) {
    let runtime = shard.runtime().clone();
    accept_connections(runtime.clone(), listener, stop, move |stream| {
        shard.counters().connections_accepted.add(1);
        let (shard, rule) = (shard.clone(), rule.clone());
        match admission.admit(rule.service) {
            Ok(admitted) if rule.is_proxy(stream.peer()) => {
                runtime.spawn(behind_proxy(shard, rule, stream, admitted));
            }
            Ok(admitted) => {
                let peer = stream.peer();
                enter(shard, &rule, Connection::plain(stream), peer, admitted);
            }
            Err(refused) => turn_away(&shard, rule.service, Connection::plain(stream), refused),
        }
    })
    .await;
}

/// Waits for the PROXY header. The connection is the balancer's until then: whose it is decides
/// whether it is served.
async fn behind_proxy<R: Runtime>(
    shard: Shard<R>,
    rule: Arc<Rule>,
    mut stream: R::Stream,
    admitted: Admitted,
) {
    let proxy = stream.peer();
    let header = Box::pin(read_header(&mut stream));
    match within(shard.runtime(), limits::PROXY_HEADER, header).await {
        Some(Ok(client)) => {
            let peer = client.map_or(proxy, Peer::tcp);
            let connection = Connection::plain(stream).of_client(peer);
            enter(shard, &rule, connection, peer, admitted);
        }
        Some(Err(error)) => {
            shard.counters().connections_refused.add(1);
            tracing::info!(%proxy, %error, "connection without a PROXY header closed");
        }
        None => {
            shard.counters().connections_refused.add(1);
            tracing::info!(%proxy, "no PROXY header in time");
        }
    }
}

/// Serves a connection whose client is known, if the rules of its socket let it in.
fn enter<R: Runtime>(
    shard: Shard<R>,
    rule: &Rule,
    connection: Connection<R::Stream>,
    peer: Peer,
    admitted: Admitted,
) {
    if !rule.permits(peer) {
        // No word either: who is kept out learns nothing about what is here.
        shard.counters().connections_refused.add(1);
        tracing::debug!(%peer, "connection from a network that is kept out");
        return;
    }
    match admitted.from(peer.ip()) {
        Ok(admitted) => serve(shard, rule.service, connection, admitted),
        Err(refused) => turn_away(&shard, rule.service, connection, refused),
    }
}

/// Spawns the task of one connection; the admission ends with it.
fn serve<R: Runtime>(
    shard: Shard<R>,
    service: Service,
    connection: Connection<R::Stream>,
    admitted: Admitted,
) {
    let runtime = shard.runtime().clone();
    let held = (Counted::new(&shard), admitted);
    match service {
        Service::Imap => runtime.spawn(session::serve(shard, connection, held)),
        Service::Lmtp => runtime.spawn(async move {
            lmtp::serve(shard, connection).await;
            drop(held);
        }),
        Service::Imaps => runtime.spawn(serve_tls(shard, connection, held)),
    }
}

/// The handshake. The session gets a task of its own, which has no room for one.
async fn serve_tls<R: Runtime>(
    shard: Shard<R>,
    mut connection: Connection<R::Stream>,
    held: (Counted<R>, Admitted),
) {
    let Some(tls) = shard.tls().cloned() else {
        return;
    };
    let runtime = shard.runtime().clone();
    let done = {
        let mut nothing_read = Vec::new();
        let handshake = Box::pin(connection.start_tls(&tls, &mut nothing_read));
        within(&runtime, limits::HANDSHAKE, handshake).await
    };
    match done {
        Some(Ok(_)) => runtime.spawn(session::serve(shard, connection, held)),
        Some(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        None => tracing::debug!("TLS handshake took too long"),
    }
}

/// A connection among those of its shard, also until it panics.
struct Counted<R: Runtime>(Shard<R>);

impl<R: Runtime> Counted<R> {
    fn new(shard: &Shard<R>) -> Self {
        if let Some(counter) = shard.counters().shard_connections.get(shard.index()) {
            counter.add(1);
        }
        Counted(shard.clone())
    }
}

impl<R: Runtime> Drop for Counted<R> {
    fn drop(&mut self) {
        if let Some(counter) = self.0.counters().shard_connections.get(self.0.index()) {
            counter.sub(1);
        }
    }
}

/// Over a limit: told in plaintext; before a TLS handshake nothing can be said.
fn turn_away<R: Runtime>(
    shard: &Shard<R>,
    service: Service,
    mut connection: Connection<R::Stream>,
    refused: Refused,
) {
    shard.counters().connections_refused.add(1);
    let text = refused.text();
    let line = match service {
        Service::Imap => format!("* BYE {text}\r\n"),
        Service::Lmtp => format!("421 4.3.2 {text}\r\n"),
        Service::Imaps => String::new(),
    };
    shard.runtime().spawn(async move {
        // A fresh socket takes a line at once; a client that is gone does not matter.
        let _ = connection.write_all(line.as_bytes()).await;
        connection.close();
    });
}

/// Ends sessions past their deadline: one task for all of them, a fifth of them each second.
async fn sweep<R: Runtime>(shard: Shard<R>, stop: Stop) {
    let runtime = shard.runtime().clone();
    let mut after = 0;
    while !stop.is_requested() {
        // Nothing is swept and no timer runs while there is nobody.
        futures_lite::future::or(shard.sessions().occupied(), stop.requested()).await;
        let part = shard.sessions().len() / SWEEP_PARTS + 1;
        let entries = shard.sessions().after(after, part);
        shard.sessions().sweep(&entries, runtime.now());
        after = if entries.len() < part {
            0
        } else {
            entries.last().map_or(0, |entry| entry.session)
        };
        futures_lite::future::or(runtime.sleep(SWEEP_EVERY), stop.requested()).await;
    }
}

/// Ends all sessions, a few at a time, and waits for them for a bounded time.
async fn end_sessions<R: Runtime>(shard: &Shard<R>) {
    let runtime = shard.runtime();
    let mut after = 0;
    let mut deadline = runtime.now() + limits::STOP;
    while !shard.sessions().is_empty() && runtime.now() < deadline {
        // A connection that came with the stop may become a session while we wait.
        let entries = shard.sessions().after(after, STOP_CHUNK);
        if let Some(last) = entries.last() {
            after = last.session;
            deadline = runtime.now() + limits::STOP;
        }
        entries
            .iter()
            .for_each(|entry| entry.end(EndReason::ServerStops));
        runtime.sleep(Duration::from_millis(1)).await;
    }
    if !shard.sessions().is_empty() {
        tracing::warn!(
            sessions = shard.sessions().len(),
            "sessions did not end in time"
        );
    }
}
