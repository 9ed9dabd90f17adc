//! On real executors and real sockets: what the simulation cannot show.

use std::io::{Read, Write};
use std::net::TcpStream as StdTcpStream;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{
    GlommioListener, GlommioRuntime, GlommioStream, ShardThreads, ShardsConfig, run_shards,
};
use crate::net::listener::{accept_connections, bind_tcp, bind_unix};
use crate::runtime::channel::bounded;
use crate::runtime::{Listener, Peer, Runtime, Stop, StopSource, Stream, preflight};

fn config(directory: &std::path::Path) -> ShardsConfig {
    ShardsConfig {
        cpus: preflight::usable_cpus().unwrap(),
        data_dirs: vec![directory.to_owned()],
    }
}

/// Runs one task on one shard and hands its result out.
fn on_shard<T, F>(task: impl FnOnce(GlommioRuntime) -> F + Send + 'static) -> T
where
    T: Send + 'static,
    F: Future<Output = T> + 'static,
{
    let directory = tempfile::tempdir().unwrap();
    let (sender, receiver) = bounded(1);
    let task = Arc::new(std::sync::Mutex::new(Some(task)));
    let threads = run_shards(
        &config(directory.path()),
        vec![()],
        move |_, runtime, ()| {
            let (sender, task) = (sender.clone(), task.lock().unwrap().take().unwrap());
            async move {
                let result = task(runtime).await;
                let _ = sender.send(result).await;
            }
        },
    );
    threads.unwrap().join().unwrap();
    receiver.recv_blocking().unwrap()
}

async fn echo(mut stream: GlommioStream) {
    let mut bytes = Vec::new();
    while stream
        .read_into(&mut bytes)
        .await
        .is_ok_and(|read| read > 0)
    {
        if stream.write_all(&bytes).await.is_err() {
            break;
        }
        bytes.clear();
    }
    stream.close();
}

/// Echo on two shards (more than there may be CPUs) until the source asks to stop.
fn echo_server(
    directory: &std::path::Path,
    sockets: Vec<OwnedFd>,
    stop: &Stop,
    served: &Arc<AtomicU64>,
) -> ShardThreads {
    let (stop, served) = (stop.clone(), served.clone());
    run_shards(
        &config(directory),
        sockets,
        move |_, runtime: GlommioRuntime, socket| {
            let (stop, served) = (stop.clone(), served.clone());
            async move {
                let listener = GlommioListener::from_socket(socket);
                let spawner = runtime.clone();
                accept_connections(runtime, listener, stop, move |stream| {
                    served.fetch_add(1, Ordering::Relaxed);
                    spawner.spawn(echo(stream));
                })
                .await;
            }
        },
    )
    .unwrap()
}

#[test]
fn echo_over_tcp_on_three_shards_until_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let bound = bind_tcp("127.0.0.1:0".parse().unwrap(), 3).unwrap();
    let (source, stop) = StopSource::new();
    let served = Arc::default();
    let threads = echo_server(directory.path(), bound.sockets, &stop, &served);
    for round in 0..50u8 {
        let mut client = StdTcpStream::connect(bound.address).unwrap();
        client.write_all(&[round; 5000]).unwrap();
        let mut answer = [0; 5000];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [round; 5000]);
    }
    let asked = Instant::now();
    source.request();
    threads.join().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(2));
    assert_eq!(served.load(Ordering::Relaxed), 50);
    assert!(StdTcpStream::connect(bound.address).is_err());
}

#[test]
fn unix_socket_knows_its_peer_and_replaces_a_stale_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lmtp");
    drop(bind_unix(&path, 0o600, 1).unwrap());
    assert!(path.exists());
    let sockets = bind_unix(&path, 0o600, 2).unwrap();
    let error = bind_unix(&path, 0o600, 1).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    let (source, stop) = StopSource::new();
    let served = Arc::default();
    let threads = echo_server(directory.path(), sockets, &stop, &served);
    let mut client = StdUnixStream::connect(&path).unwrap();
    client.write_all(b"LHLO").unwrap();
    let mut answer = [0; 4];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"LHLO");
    drop(client);
    source.request();
    threads.join().unwrap();

    let (_client, server) = StdUnixStream::pair().unwrap();
    let peer = on_shard(move |_| async move { GlommioStream::from_socket(server.into()).peer() });
    // SAFETY: geteuid has no arguments and cannot fail.
    assert_eq!(
        peer,
        Peer::Unix {
            uid: Some(unsafe { libc::geteuid() })
        }
    );
}

#[test]
fn accepted_sockets_have_the_options_of_their_listener() {
    let bound = bind_tcp("127.0.0.1:0".parse().unwrap(), 1).unwrap();
    let socket = bound.sockets.into_iter().next().unwrap();
    let client = StdTcpStream::connect(bound.address).unwrap();
    let local = client.local_addr().unwrap();
    let options = on_shard(move |_| async move {
        let stream = GlommioListener::from_socket(socket).accept().await.unwrap();
        assert_eq!(stream.peer(), Peer::Tcp(local));
        let socket = socket2::SockRef::from(&stream);
        // SAFETY: F_GETFD takes no pointers.
        let flags = unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_GETFD) };
        (
            socket.tcp_nodelay().unwrap(),
            socket.keepalive().unwrap(),
            socket.tcp_user_timeout().unwrap(),
            flags & libc::FD_CLOEXEC,
        )
    });
    assert_eq!(
        options,
        (true, true, Some(Duration::from_secs(180)), libc::FD_CLOEXEC)
    );
}

#[test]
fn panic_ends_its_own_task_only_and_is_counted() {
    let panics = on_shard(|runtime| async move {
        for _ in 0..3 {
            runtime.spawn(async { panic!("this one only") });
        }
        let (sender, receiver) = bounded(1);
        runtime.spawn(async move { sender.send(()).await.unwrap() });
        receiver.recv().await.unwrap();
        while runtime.tasks_live() > 0 {
            runtime.sleep(Duration::from_millis(1)).await;
        }
        runtime.task_panics()
    });
    assert_eq!(panics, 3);
}

#[test]
fn spawned_task_never_runs_inside_its_spawner() {
    on_shard(|runtime| async move {
        let cell = std::rc::Rc::new(std::cell::RefCell::new(0));
        let borrowed = cell.borrow_mut();
        let other = cell.clone();
        runtime.spawn(async move { *other.borrow_mut() += 1 });
        drop(borrowed);
        while runtime.tasks_live() > 0 {
            runtime.sleep(Duration::from_millis(1)).await;
        }
        assert_eq!((*cell.borrow(), runtime.task_panics()), (1, 0));
    });
}

#[test]
fn timers_fire_in_order_of_their_time() {
    let order = on_shard(|runtime| async move {
        let (sender, receiver) = bounded(3);
        for wait in [30u64, 10, 20] {
            let (sender, timer) = (sender.clone(), runtime.clone());
            runtime.spawn(async move {
                timer.sleep(Duration::from_millis(wait)).await;
                sender.send(wait).await.unwrap();
            });
        }
        let mut order = Vec::new();
        for _ in 0..3 {
            order.push(receiver.recv().await.unwrap());
        }
        order
    });
    assert_eq!(order, [10, 20, 30]);
}

/// T6: an accept or file read that is polled again in each select would count its wakers until
/// the shard dies; the readiness wait of a stream does not.
#[test]
fn readable_may_be_selected_against_wakeups_for_ever() {
    let (mut client, server) = StdUnixStream::pair().unwrap();
    let rounds = on_shard(move |runtime| async move {
        let mut stream = GlommioStream::from_socket(server.into());
        let (sender, receiver) = bounded::<()>(1);
        let wakes = 40_000;
        runtime.spawn(async move {
            for _ in 0..wakes {
                sender.send(()).await.unwrap();
            }
            client.write_all(b"x").unwrap();
            // Held open until the other side has read.
            sender.closed().await;
        });
        let mut rounds = 0;
        loop {
            let woken = futures_lite::future::or(async { receiver.recv().await.is_ok() }, async {
                stream.readable().await.is_err()
            });
            if !woken.await {
                break;
            }
            rounds += 1;
        }
        let mut bytes = Vec::new();
        stream.read_into(&mut bytes).await.unwrap();
        assert_eq!(bytes, b"x");
        rounds
    });
    assert_eq!(rounds, 40_000);
}

#[test]
fn kick_reaches_its_own_socket_only() {
    let (client, server) = StdUnixStream::pair().unwrap();
    let (mut other_client, other_server) = StdUnixStream::pair().unwrap();
    on_shard(move |runtime| async move {
        let mut stream = GlommioStream::from_socket(server.into());
        let kick = stream.kick_handle();
        let sweeper = (kick.clone(), runtime.clone());
        runtime.spawn(async move {
            sweeper.1.sleep(Duration::from_millis(20)).await;
            sweeper.0.reader();
        });
        assert_eq!(stream.read_into(&mut Vec::new()).await.unwrap(), 0);
        stream.write_all(b"* BYE").await.unwrap();
        stream.close();
        drop(stream);
        // The number of the closed descriptor is free now and is used again.
        runtime.sleep(Duration::from_millis(20)).await;
        let mut reused = GlommioStream::from_socket(other_server.try_clone().unwrap().into());
        kick.both();
        reused.write_all(b"fine").await.unwrap();
    });
    let mut answer = [0; 4];
    other_client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"fine");
    let mut said = String::new();
    (&client).read_to_string(&mut said).unwrap();
    assert_eq!(said, "* BYE");
}

#[test]
fn foreign_thread_wakes_a_parked_shard() {
    let (sender, receiver) = bounded::<Instant>(1);
    let thread = std::thread::spawn(move || {
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(5));
            sender.send_blocking(Instant::now()).unwrap();
        }
    });
    let mut waits = on_shard(move |_| async move {
        let mut waits = Vec::new();
        while let Ok(sent) = receiver.recv().await {
            waits.push(sent.elapsed());
        }
        waits
    });
    thread.join().unwrap();
    waits.sort();
    assert_eq!(waits.len(), 20);
    assert!(
        waits[10] < Duration::from_millis(20),
        "median {:?}",
        waits[10]
    );
}

/// T11: beside a task that computes and yields, socket wake-ups must not wait for the default
/// preempt timer of 100 ms.
#[test]
fn busy_shard_still_answers() {
    let bound = bind_tcp("127.0.0.1:0".parse().unwrap(), 1).unwrap();
    let socket = bound.sockets.into_iter().next().unwrap();
    let (source, stop) = StopSource::new();
    let directory = tempfile::tempdir().unwrap();
    let threads = run_shards(
        &config(directory.path()),
        vec![socket],
        move |_, runtime: GlommioRuntime, socket| {
            let stop = stop.clone();
            async move {
                let (computing, until) = (runtime.clone(), stop.clone());
                runtime.spawn_bulk(async move {
                    while !until.is_requested() {
                        let start = Instant::now();
                        while start.elapsed() < Duration::from_micros(50) {}
                        computing.yield_if_needed().await;
                    }
                });
                let listener = GlommioListener::from_socket(socket);
                let spawner = runtime.clone();
                let serve = move |stream| spawner.spawn(echo(stream));
                accept_connections(runtime, listener, stop, serve).await;
            }
        },
    )
    .unwrap();
    let mut client = StdTcpStream::connect(bound.address).unwrap();
    let mut waits = Vec::new();
    for _ in 0..50 {
        let start = Instant::now();
        client.write_all(b"ping").unwrap();
        client.read_exact(&mut [0; 4]).unwrap();
        waits.push(start.elapsed());
    }
    drop(client);
    source.request();
    threads.join().unwrap();
    waits.sort();
    assert!(
        waits[25] < Duration::from_millis(40),
        "median {:?}",
        waits[25]
    );
}
