//! The simulation keeps its promises: same seed, same run; bytes arrive whole; ends are seen.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::{SeededRandom, Simulation};
use crate::runtime::channel::bounded;
use crate::runtime::{Listener, Peer, Runtime, Stream, within};

const LOCAL: Peer = Peer::Unix { uid: None };

/// Tasks on two shards that sleep, talk over a channel and over streams; returns the trace and
/// the order in which the tasks ended.
fn busy_run(seed: u64) -> (u64, Vec<usize>) {
    let simulation = Simulation::new(seed);
    let shards = [simulation.runtime(), simulation.runtime()];
    let order = Rc::new(RefCell::new(Vec::new()));
    let (sender, receiver) = bounded::<usize>(2);
    for task in 0..20 {
        let (mut client, mut server) = simulation.connect_pair(LOCAL);
        let [first, second] = shards.clone();
        let (order, sender) = (order.clone(), sender.clone());
        shards[task % 2].spawn(async move {
            let pause = first.random_u64() % 50;
            first.sleep(Duration::from_millis(pause)).await;
            client.write_all(&vec![7; 3000]).await.unwrap();
            client.end_writes();
        });
        shards[(task + 1) % 2].spawn(async move {
            let mut received = Vec::new();
            while server.read_into(&mut received).await.unwrap() > 0 {
                second.yield_if_needed().await;
            }
            assert_eq!(received.len(), 3000);
            order.borrow_mut().push(task);
            sender.send(task).await.unwrap();
        });
    }
    drop(sender);
    let count = simulation.run_until(async move {
        let mut count = 0;
        while receiver.recv().await.is_ok() {
            count += 1;
        }
        count
    });
    assert_eq!(count, Ok(20));
    let order = order.borrow().clone();
    (simulation.trace(), order)
}

#[test]
fn same_seed_gives_the_same_run() {
    for seed in 0..20 {
        assert_eq!(busy_run(seed), busy_run(seed), "seed {seed}");
    }
}

#[test]
fn other_seeds_give_other_runs() {
    let runs: Vec<_> = (0..10).map(busy_run).collect();
    let mut orders: Vec<_> = runs.iter().map(|(_, order)| order.clone()).collect();
    orders.sort();
    orders.dedup();
    assert!(orders.len() > 5, "{} orders in 10 runs", orders.len());
}

#[test]
fn clock_stands_still_while_anything_can_run() {
    let simulation = Simulation::new(1);
    let runtime = simulation.runtime();
    let outcome = simulation.run_until(async move {
        let start = runtime.now();
        for _ in 0..1000 {
            runtime.yield_if_needed().await;
        }
        assert_eq!(runtime.now(), start);
        let wall = runtime.wall_s();
        runtime.sleep(Duration::from_secs(1800)).await;
        assert_eq!(runtime.wall_s() - wall, 1800);
        runtime.now() - start
    });
    assert_eq!(outcome, Ok(Duration::from_secs(1800)));
}

#[test]
fn panic_ends_its_own_task_only_and_is_counted() {
    let simulation = Simulation::new(2);
    let runtime = simulation.runtime();
    let (sender, receiver) = bounded(1);
    runtime.spawn(async { panic!("this one only") });
    runtime.spawn(async move { sender.send(5).await.unwrap() });
    assert_eq!(
        simulation.run_until(async move { receiver.recv().await }),
        Ok(Ok(5))
    );
    let waiting = runtime.clone();
    let rest = simulation.run_until(async move { waiting.sleep(Duration::from_secs(1)).await });
    assert_eq!(rest, Ok(()));
    assert_eq!((runtime.task_panics(), runtime.tasks_live()), (1, 0));
}

#[test]
fn run_that_cannot_go_on_says_so() {
    let simulation = Simulation::new(3);
    let stalled = simulation
        .run_until(std::future::pending::<()>())
        .unwrap_err();
    assert_eq!((stalled.seed, stalled.tasks), (3, 1));
}

#[test]
fn bytes_arrive_whole_at_every_fragmentation() {
    for seed in 0..100 {
        let simulation = Simulation::new(seed);
        let (mut client, mut server) = simulation.connect_pair(LOCAL);
        let mut random = SeededRandom::new(seed);
        let sent: Vec<u8> = (0..40_000).map(|_| random.below(256) as u8).collect();
        let expected = sent.clone();
        simulation.runtime().spawn(async move {
            client.write_all(&sent).await.unwrap();
            client.close();
        });
        let received = simulation.run_until(async move {
            let mut received = Vec::new();
            while server.read_into(&mut received).await.unwrap() > 0 {}
            received
        });
        assert!(received.unwrap() == expected, "seed {seed}");
    }
}

#[test]
fn kicked_reader_sees_the_end_and_can_still_answer() {
    let simulation = Simulation::new(4);
    let runtime = simulation.runtime();
    let (mut client, mut server) = simulation.connect_pair(LOCAL);
    let kick = server.kick_handle();
    let sweeper = runtime.clone();
    runtime.spawn(async move {
        sweeper.sleep(Duration::from_secs(5)).await;
        kick.reader();
    });
    runtime.spawn(async move {
        assert_eq!(server.read_into(&mut Vec::new()).await.unwrap(), 0);
        server.write_all(b"* BYE").await.unwrap();
        server.close();
    });
    let said = simulation.run_until(async move {
        let mut said = Vec::new();
        while client.read_into(&mut said).await.unwrap() > 0 {}
        said
    });
    assert_eq!(said.unwrap(), b"* BYE");
}

#[test]
fn kicked_writer_fails() {
    let simulation = Simulation::new(5);
    let runtime = simulation.runtime();
    let (client, mut server) = simulation.connect_pair(LOCAL);
    let kick = server.kick_handle();
    let sweeper = runtime.clone();
    runtime.spawn(async move {
        sweeper.sleep(Duration::from_secs(5)).await;
        kick.both();
    });
    let outcome = simulation.run_until(async move {
        let outcome = server.write_all(&vec![0; 1_000_000]).await;
        drop(client);
        outcome.map_err(|error| error.kind())
    });
    assert_eq!(outcome, Ok(Err(std::io::ErrorKind::BrokenPipe)));
}

#[test]
fn read_given_up_loses_no_byte() {
    for seed in 0..50 {
        let simulation = Simulation::new(seed);
        let runtime = simulation.runtime();
        let (mut client, mut server) = simulation.connect_pair(LOCAL);
        let pauses = runtime.clone();
        runtime.spawn(async move {
            for byte in 0..100 {
                client.write_all(&[byte]).await.unwrap();
                pauses.sleep(Duration::from_millis(7)).await;
            }
            client.close();
        });
        let received = simulation.run_until(async move {
            let mut received = Vec::new();
            loop {
                let read = within(&runtime, Duration::from_millis(3), async {
                    server.readable().await?;
                    server.read_into(&mut received).await
                });
                match read.await {
                    Some(read) if read.as_ref().is_ok_and(|read| *read == 0) => break received,
                    Some(read) => drop(read.unwrap()),
                    None => {}
                }
            }
        });
        assert_eq!(received, Ok((0..100).collect()), "seed {seed}");
    }
}

#[test]
fn stopped_listener_ends_its_accept() {
    let simulation = Simulation::new(6);
    let listener = simulation.listener();
    let door = listener.clone();
    let kick = listener.kick_handle();
    let runtime = simulation.runtime();
    runtime.spawn(async move {
        door.connect(LOCAL).unwrap();
        kick.listener();
        assert!(door.connect(LOCAL).is_err());
    });
    let outcome = simulation.run_until(async move {
        let mut accepted = 0;
        while listener.accept().await.is_ok() {
            accepted += 1;
        }
        accepted
    });
    assert!(outcome.unwrap() <= 1);
}
