//! Connections of a simulation: two bounded pipes that cut the bytes at seeded places.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::executor::World;
use crate::runtime::kick::Kick;
use crate::runtime::{Listener, Peer, Stream};

/// What one direction holds before its writer waits. Small, so that back-pressure is met often.
const PIPE_BYTES_MAX: usize = 8 * 1024;

/// Connections that wait for their accept.
const BACKLOG_MAX: usize = 128;

/// One end of a connection.
pub struct SimulatedStream {
    world: Rc<World>,
    incoming: Rc<RefCell<Pipe>>,
    outgoing: Rc<RefCell<Pipe>>,
    peer: Peer,
}

/// One direction. Invariant: `bytes.len() <= PIPE_BYTES_MAX`.
#[derive(Debug, Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    /// The writer is done: the reader sees the end behind the bytes.
    ended: bool,
    /// The reader is gone: writes fail.
    broken: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What [`Kick`] needs of a simulated connection or listener.
#[derive(Clone)]
pub struct SimulatedKick {
    pipes: Vec<Rc<RefCell<Pipe>>>,
    backlog: Option<Rc<RefCell<Backlog>>>,
}

/// Where simulated connections arrive.
#[derive(Clone)]
pub struct SimulatedListener {
    world: Rc<World>,
    backlog: Rc<RefCell<Backlog>>,
}

#[derive(Default)]
struct Backlog {
    waiting: VecDeque<SimulatedStream>,
    stopped: bool,
    acceptor: Option<Waker>,
}

pub(super) fn pair(world: &Rc<World>, client: Peer) -> (SimulatedStream, SimulatedStream) {
    let to_server = Rc::new(RefCell::new(Pipe::default()));
    let to_client = Rc::new(RefCell::new(Pipe::default()));
    let client_end = SimulatedStream {
        world: world.clone(),
        incoming: to_client.clone(),
        outgoing: to_server.clone(),
        peer: Peer::Unix { uid: None },
    };
    let server_end = SimulatedStream {
        world: world.clone(),
        incoming: to_server,
        outgoing: to_client,
        peer: client,
    };
    (client_end, server_end)
}

impl Pipe {
    fn end(&mut self) {
        self.ended = true;
        wake(&mut self.reader);
    }

    fn break_off(&mut self) {
        self.broken = true;
        self.ended = true;
        self.bytes.clear();
        wake(&mut self.reader);
        wake(&mut self.writer);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

impl SimulatedStream {
    /// Ends the bytes to the other side; it may still answer.
    pub fn end_writes(&mut self) {
        self.outgoing.borrow_mut().end();
    }
}

impl Stream for SimulatedStream {
    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.incoming.borrow_mut();
        if !pipe.bytes.is_empty() || pipe.ended {
            return Poll::Ready(Ok(()));
        }
        pipe.reader = Some(context.waker().clone());
        Poll::Pending
    }

    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.poll_readable(context)?.is_pending() {
            return Poll::Pending;
        }
        let mut pipe = self.incoming.borrow_mut();
        let there = pipe.bytes.len().min(bytes.len());
        let taken = if there == 0 {
            0
        } else {
            1 + self.world.choose(there)
        };
        for (slot, byte) in bytes.iter_mut().zip(pipe.bytes.drain(..taken)) {
            *slot = byte;
        }
        wake(&mut pipe.writer);
        Poll::Ready(Ok(taken))
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut pipe = self.outgoing.borrow_mut();
        if pipe.broken || pipe.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = PIPE_BYTES_MAX
            .saturating_sub(pipe.bytes.len())
            .min(bytes.len());
        if room == 0 && !bytes.is_empty() {
            pipe.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        let sent = if room == 0 {
            0
        } else {
            1 + self.world.choose(room)
        };
        pipe.bytes.extend(bytes.iter().take(sent));
        wake(&mut pipe.reader);
        Poll::Ready(Ok(sent))
    }

    fn close(&mut self) {
        self.outgoing.borrow_mut().end();
        self.incoming.borrow_mut().break_off();
    }

    fn peer(&self) -> Peer {
        self.peer
    }

    fn kick_handle(&self) -> Kick {
        Kick::simulated(SimulatedKick {
            pipes: vec![self.incoming.clone(), self.outgoing.clone()],
            backlog: None,
        })
    }
}

impl Drop for SimulatedStream {
    fn drop(&mut self) {
        self.close();
    }
}

impl SimulatedKick {
    /// As shutdown(SHUT_RD): bytes that are there are still read, then the end is seen.
    pub(crate) fn reader(&self) {
        if let Some(incoming) = self.pipes.first() {
            incoming.borrow_mut().end();
        }
    }

    /// As shutdown(SHUT_RDWR).
    pub(crate) fn both(&self) {
        self.reader();
        if let Some(outgoing) = self.pipes.get(1) {
            let mut outgoing = outgoing.borrow_mut();
            outgoing.end();
            wake(&mut outgoing.writer);
        }
        if let Some(backlog) = &self.backlog {
            let mut backlog = backlog.borrow_mut();
            backlog.stopped = true;
            wake(&mut backlog.acceptor);
        }
    }
}

impl fmt::Debug for SimulatedKick {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SimulatedKick")
    }
}

impl SimulatedListener {
    pub(super) fn new(world: &Rc<World>) -> Self {
        Self {
            world: world.clone(),
            backlog: Rc::default(),
        }
    }

    /// Connects to this listener; refused once it has stopped or its backlog is full.
    pub fn connect(&self, client: Peer) -> io::Result<SimulatedStream> {
        let mut backlog = self.backlog.borrow_mut();
        if backlog.stopped || backlog.waiting.len() >= BACKLOG_MAX {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (client_end, server_end) = pair(&self.world, client);
        backlog.waiting.push_back(server_end);
        wake(&mut backlog.acceptor);
        Ok(client_end)
    }
}

impl Listener for SimulatedListener {
    type Stream = SimulatedStream;

    async fn accept(&self) -> io::Result<SimulatedStream> {
        poll_fn(|context| {
            let mut backlog = self.backlog.borrow_mut();
            if backlog.stopped {
                return Poll::Ready(Err(io::ErrorKind::InvalidInput.into()));
            }
            match backlog.waiting.pop_front() {
                Some(stream) => Poll::Ready(Ok(stream)),
                None => {
                    backlog.acceptor = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn kick_handle(&self) -> Kick {
        Kick::simulated(SimulatedKick {
            pipes: Vec::new(),
            backlog: Some(self.backlog.clone()),
        })
    }
}
