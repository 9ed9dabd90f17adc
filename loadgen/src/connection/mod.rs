//! Sockets on one io_uring: connects and sends are queued and go to the kernel in one call with
//! the wait for what has happened; receives stay armed and take a buffer only when bytes come.
//!
//! **Invariant:** the kernel holds at most one receive and one connect or send of a slot, and a
//! slot's outbox stays where it is until it has given it back. This is the only module with
//! `unsafe`.

mod address;
mod buffers;
mod process;

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use io_uring::{IoUring, cqueue, opcode, squeue, types};

use self::address::Address;
use self::buffers::{BufferRing, GROUP};
use crate::limits::{
    OUTBOX_BYTES_MAX, OUTBOX_KEPT_BYTES_MAX, OUTBOXES_KEPT_MAX, RELEASE_WAIT_MS, RING_ENTRIES_MAX,
};

pub use self::buffers::Buffer;
pub use self::process::{cpu_time, open_files_max};

/// What happened to a slot.
#[derive(Debug)]
pub enum Event {
    /// The connect has succeeded.
    Connected,
    /// Bytes came; the buffer must go back with [`Connections::give_back`].
    Received(Buffer),
    /// The peer has closed.
    Ended,
    /// The kernel refused a connect, send or receive.
    Failed(io::Error),
    /// After [`Connections::close`]: the slot is free for another connect.
    Released,
}

/// An event and whose it is.
#[derive(Debug)]
pub struct Completion {
    /// The slot, as in the call that began it.
    pub slot: u32,
    /// What happened.
    pub event: Event,
}

/// A fixed number of slots, each with at most one connection.
pub struct Connections {
    /// Dropped before the buffers and addresses that it points at.
    ring: IoUring,
    buffers: BufferRing,
    slots: Vec<Slot>,
    targets: Box<[Address]>,
    sources: Box<[Address]>,
    /// Entries that the submission ring had no room for; at most two a slot.
    backlog: VecDeque<squeue::Entry>,
    /// Results taken off the completion ring, before they become events.
    results: VecDeque<(u64, i32, u32)>,
    released: Vec<u32>,
    /// Outboxes that no slot needs.
    outboxes: Vec<Vec<u8>>,
    /// Entries of all slots that have not ended.
    in_flight: usize,
    open: u32,
}

/// `sent <= outbox.len()`.
#[derive(Default)]
struct Slot {
    stream: Option<TcpStream>,
    /// What the kernel is sending. It must not move or grow while `is_sending`.
    outbox: Vec<u8>,
    /// What is to be sent after `outbox`.
    waiting: Vec<u8>,
    sent: usize,
    is_sending: bool,
    is_receiving: bool,
    in_flight: u8,
    is_closing: bool,
}

/// The lowest bits of an entry's user data; the slot's number is above them.
const KIND_BITS: u32 = 2;
const CONNECT: u64 = 0;
const RECEIVE: u64 = 1;
const SEND: u64 = 2;

impl Connections {
    /// A ring for `count` connections to `targets`, from `sources` in turn if there are any.
    pub fn new(count: u32, targets: &[SocketAddr], sources: &[IpAddr]) -> io::Result<Self> {
        let ring = ring(count.saturating_mul(2).next_power_of_two())?;
        let buffers = BufferRing::register(&ring).map_err(|error| {
            io::Error::other(format!(
                "the kernel lends no buffers to receives ({error}): Linux 6.0 or newer is needed"
            ))
        })?;
        Ok(Self {
            ring,
            buffers,
            slots: (0..count).map(|_| Slot::default()).collect(),
            targets: targets.iter().map(|target| Address::new(*target)).collect(),
            sources: sources
                .iter()
                .map(|source| Address::source(*source))
                .collect(),
            backlog: VecDeque::new(),
            results: VecDeque::new(),
            released: Vec::new(),
            outboxes: Vec::new(),
            in_flight: 0,
            open: 0,
        })
    }

    /// How many slots have a connection, or try to get one.
    pub fn open(&self) -> u32 {
        self.open
    }

    /// Starts to connect a free slot to the target of that number.
    pub fn connect(&mut self, slot: u32, target: usize) -> io::Result<()> {
        let at = index(slot);
        let target = self.targets.get(target).ok_or(io::ErrorKind::NotFound)?;
        let stream = new_stream(target.domain())?;
        let sources = self.sources.len();
        if let Some(source) = at.checked_rem(sources).and_then(|at| self.sources.get(at)) {
            bind(&stream, source)?;
        }
        let (address, length) = target.raw();
        let entry = opcode::Connect::new(types::Fd(stream.as_raw_fd()), address, length).build();
        let owner = self.slots.get_mut(at).ok_or(io::ErrorKind::NotFound)?;
        assert!(
            owner.stream.is_none() && owner.in_flight == 0,
            "slot in use"
        );
        owner.stream = Some(stream);
        self.open += 1;
        self.push(slot, CONNECT, entry);
        Ok(())
    }

    /// What an [`Event::Received`] brought.
    pub fn bytes(&mut self, buffer: &Buffer) -> &mut [u8] {
        self.buffers.bytes(buffer)
    }

    /// Gives the buffer of an [`Event::Received`] back.
    pub fn give_back(&mut self, buffer: Buffer) {
        self.buffers.give_back(buffer);
    }

    /// Queues `bytes` to be sent.
    pub fn send(&mut self, slot: u32, bytes: &[u8]) -> io::Result<()> {
        let Some(owner) = self.slots.get_mut(index(slot)) else {
            return Ok(());
        };
        if owner.waiting.len() + bytes.len() > OUTBOX_BYTES_MAX {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if owner.waiting.capacity() == 0
            && let Some(outbox) = self.outboxes.pop()
        {
            owner.waiting = outbox;
        }
        owner.waiting.extend_from_slice(bytes);
        self.continue_send(slot);
        Ok(())
    }

    /// Ends the slot's connection, whatever is under way; [`Event::Released`] follows, and no
    /// other event of this connection comes before it.
    pub fn close(&mut self, slot: u32) {
        let Some(owner) = self.slots.get_mut(index(slot)) else {
            return;
        };
        if owner.is_closing {
            return;
        }
        owner.is_closing = true;
        if owner.in_flight > 0
            && let Some(stream) = owner.stream.as_ref()
        {
            // It fails on a socket that is not connected, which has nothing to end.
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.release_if_quiet(slot);
    }

    /// Submits what is queued and waits for at least one event, `timeout` at most. The events are
    /// taken with [`Connections::next`], all of them before the next wait.
    pub fn wait(&mut self, timeout: Duration) -> io::Result<()> {
        let timeout = if self.released.is_empty() && self.results.is_empty() {
            timeout
        } else {
            Duration::ZERO
        };
        self.enter(timeout)?;
        self.results.extend(
            self.ring
                .completion()
                .map(|entry| (entry.user_data(), entry.result(), entry.flags())),
        );
        Ok(())
    }

    /// The next event of those that the last wait found.
    pub fn next(&mut self) -> Option<Completion> {
        while let Some((user_data, result, flags)) = self.results.pop_front() {
            let Ok(slot) = u32::try_from(user_data >> KIND_BITS) else {
                continue;
            };
            let kind = user_data & ((1 << KIND_BITS) - 1);
            let event = if kind == RECEIVE {
                self.received(slot, result, flags)
            } else {
                self.ended(slot, kind, result)
            };
            if let Some(event) = event {
                return Some(Completion { slot, event });
            }
        }
        self.released.pop().map(|slot| Completion {
            slot,
            event: Event::Released,
        })
    }

    fn enter(&mut self, timeout: Duration) -> io::Result<()> {
        while let Some(entry) = self.backlog.front() {
            // SAFETY: as in `push`, which put the entry here.
            if unsafe { self.ring.submission().push(entry) }.is_ok() {
                self.backlog.pop_front();
            } else if !tolerate(self.ring.submit())? {
                break;
            }
        }
        let timespec = types::Timespec::from(timeout);
        let arguments = types::SubmitArgs::new().timespec(&timespec);
        tolerate(self.ring.submitter().submit_with_args(1, &arguments))?;
        Ok(())
    }

    fn push(&mut self, slot: u32, kind: u64, entry: squeue::Entry) {
        let Some(owner) = self.slots.get_mut(index(slot)) else {
            return;
        };
        owner.in_flight += 1;
        self.in_flight += 1;
        let entry = entry.user_data((u64::from(slot) << KIND_BITS) | kind);
        // SAFETY: the entry points at a boxed target or at the slot's outbox, or it receives into
        // the registered buffers. All of them live as long as the ring. An outbox is neither
        // freed, moved nor touched before the entry's completion: it is left alone while
        // `is_sending`, and `drop` waits for all entries or leaks the outboxes. The descriptor
        // stays open until the slot has nothing in flight.
        if unsafe { self.ring.submission().push(&entry) }.is_err() {
            self.backlog.push_back(entry);
        }
    }

    /// Asks for bytes once and for all, until the kernel says that it has stopped.
    fn receive(&mut self, slot: u32) {
        let Some(owner) = self.slots.get_mut(index(slot)) else {
            return;
        };
        let Some(stream) = owner.stream.as_ref().filter(|_| !owner.is_closing) else {
            return;
        };
        owner.is_receiving = true;
        let entry = opcode::RecvMulti::new(types::Fd(stream.as_raw_fd()), GROUP).build();
        self.push(slot, RECEIVE, entry);
    }

    /// The event of a receive's result.
    fn received(&mut self, slot: u32, result: i32, flags: u32) -> Option<Event> {
        let buffer = cqueue::buffer_select(flags).map(|number| {
            let length = usize::try_from(result).unwrap_or(0);
            BufferRing::taken(number, length)
        });
        let goes_on = cqueue::more(flags);
        let owner = self.slots.get_mut(index(slot))?;
        if !goes_on {
            self.in_flight = self.in_flight.saturating_sub(1);
            owner.in_flight = owner.in_flight.saturating_sub(1);
            owner.is_receiving = false;
        }
        if owner.is_closing {
            if let Some(buffer) = buffer {
                self.buffers.give_back(buffer);
            }
            self.release_if_quiet(slot);
            return None;
        }
        match (result, buffer) {
            (1.., Some(buffer)) => {
                if !goes_on {
                    self.receive(slot);
                }
                Some(Event::Received(buffer))
            }
            // All buffers were taken. They come back before the entry reaches the kernel.
            (result, None) if result == -libc::ENOBUFS => {
                self.receive(slot);
                None
            }
            (result, buffer) => {
                if let Some(buffer) = buffer {
                    self.buffers.give_back(buffer);
                }
                Some(match result {
                    ..0 => Event::Failed(io::Error::from_raw_os_error(-result)),
                    _ => Event::Ended,
                })
            }
        }
    }

    /// The event of a connect or send that has ended; a send that went well is none.
    fn ended(&mut self, slot: u32, kind: u64, result: i32) -> Option<Event> {
        self.in_flight = self.in_flight.saturating_sub(1);
        let owner = self.slots.get_mut(index(slot))?;
        owner.in_flight = owner.in_flight.saturating_sub(1);
        if kind == SEND {
            owner.is_sending = false;
        }
        if owner.is_closing {
            self.release_if_quiet(slot);
            return None;
        }
        let Ok(bytes) = usize::try_from(result) else {
            return Some(Event::Failed(io::Error::from_raw_os_error(-result)));
        };
        if kind == CONNECT {
            self.receive(slot);
            return Some(Event::Connected);
        }
        owner.sent += bytes;
        self.continue_send(slot);
        None
    }

    /// Sends what is left of the outbox, or what waits behind it.
    fn continue_send(&mut self, slot: u32) {
        let Some(owner) = self.slots.get_mut(index(slot)) else {
            return;
        };
        let Some(stream) = owner.stream.as_ref() else {
            return;
        };
        if owner.is_sending || owner.is_closing {
            return;
        }
        if owner.sent >= owner.outbox.len() {
            owner.outbox.clear();
            owner.sent = 0;
            std::mem::swap(&mut owner.outbox, &mut owner.waiting);
        }
        let rest = owner.outbox.get(owner.sent..).unwrap_or_default();
        if rest.is_empty() {
            // Nothing is under way: a connection that is silent keeps no buffer.
            let both = [&mut owner.outbox, &mut owner.waiting].map(std::mem::take);
            both.into_iter().for_each(|outbox| self.keep(outbox));
            return;
        }
        let length = u32::try_from(rest.len()).unwrap_or(u32::MAX);
        let fd = types::Fd(stream.as_raw_fd());
        // A peer that is gone must be an error of the entry, not a signal.
        let entry = opcode::Send::new(fd, rest.as_ptr(), length)
            .flags(libc::MSG_NOSIGNAL)
            .build();
        owner.is_sending = true;
        self.push(slot, SEND, entry);
    }

    /// Keeps an outbox for another slot.
    fn keep(&mut self, mut outbox: Vec<u8>) {
        let is_fit = (1..=OUTBOX_KEPT_BYTES_MAX).contains(&outbox.capacity());
        if is_fit && self.outboxes.len() < OUTBOXES_KEPT_MAX {
            outbox.clear();
            self.outboxes.push(outbox);
        }
    }

    fn release_if_quiet(&mut self, slot: u32) {
        let Some(owner) = self.slots.get_mut(index(slot)) else {
            return;
        };
        if owner.in_flight > 0 {
            return;
        }
        self.open -= u32::from(owner.stream.is_some());
        *owner = Slot::default();
        self.released.push(slot);
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        for slot in 0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX) {
            self.close(slot);
        }
        let end = Instant::now() + Duration::from_millis(RELEASE_WAIT_MS);
        while self.in_flight > 0 && Instant::now() < end {
            if self.wait(Duration::from_millis(10)).is_err() {
                break;
            }
            while self.next().is_some() {}
        }
        if self.in_flight > 0 {
            // The kernel may still read the outboxes, so they must outlive this value.
            std::mem::forget(std::mem::take(&mut self.slots));
        }
    }
}

fn index(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

fn new_stream(domain: libc::c_int) -> io::Result<TcpStream> {
    // SAFETY: the call takes no pointers.
    let fd = unsafe { libc::socket(domain, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is fresh from the kernel and nobody else's.
    let stream = TcpStream::from(unsafe { OwnedFd::from_raw_fd(fd) });
    // Commands are small, and each waits for its answer.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Gives the socket its source address. The port is chosen when the connect knows the other end,
/// so that each source has its own range of ports to each target.
fn bind(stream: &TcpStream, source: &Address) -> io::Result<()> {
    let yes: libc::c_int = 1;
    let length = libc::socklen_t::try_from(size_of::<libc::c_int>()).unwrap_or(0);
    let fd = stream.as_raw_fd();
    let (address, address_length) = source.raw();
    // SAFETY: the pointers are to a live integer and a live address, with their true lengths.
    let result = unsafe {
        libc::setsockopt(
            fd,
            libc::IPPROTO_IP,
            libc::IP_BIND_ADDRESS_NO_PORT,
            (&raw const yes).cast(),
            length,
        );
        libc::bind(fd, address, address_length)
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// A ring for one thread. Kernels before 6.1 do not know the options that save interrupts.
fn ring(entries: u32) -> io::Result<IoUring> {
    let entries = entries.clamp(64, RING_ENTRIES_MAX);
    IoUring::builder()
        .setup_clamp()
        .setup_cqsize(entries.saturating_mul(4))
        .setup_single_issuer()
        .setup_defer_taskrun()
        .build(entries)
        .or_else(|_| IoUring::builder().setup_clamp().build(entries))
}

/// Whether a call did all it should; a wait that ended early or a full completion ring is no
/// error, because the completions are taken off next.
fn tolerate(result: io::Result<usize>) -> io::Result<bool> {
    match result {
        Ok(_) => Ok(true),
        Err(error) => match error.raw_os_error() {
            Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN) => Ok(false),
            _ => Err(error),
        },
    }
}
