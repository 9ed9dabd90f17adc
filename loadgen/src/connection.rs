//! Sockets on one io_uring: connects, sends and receives are queued and go to the kernel in one
//! call with the wait for what has ended.
//!
//! **Invariant:** the kernel holds at most one receive and one connect or send of a slot, and a
//! slot's buffers stay where they are until it has given them back. This is the only module with
//! `unsafe`.

use std::collections::VecDeque;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use io_uring::{IoUring, opcode, squeue, types};

use crate::limits::{OUTBOX_BYTES_MAX, RECEIVE_BUFFER_BYTES, RELEASE_WAIT_MS, RING_ENTRIES_MAX};

/// What happened to a slot.
#[derive(Debug)]
pub enum Event {
    /// The connect has succeeded.
    Connected,
    /// Bytes came; [`Connections::received`] shows them until the next [`Connections::receive`].
    Received,
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
    pub slot: usize,
    /// What happened.
    pub event: Event,
}

/// A fixed number of slots, each with at most one connection to the one target.
pub struct Connections {
    ring: IoUring,
    slots: Vec<Slot>,
    target: Box<Target>,
    /// Entries that the submission ring had no room for; at most two a slot.
    backlog: VecDeque<squeue::Entry>,
    /// Results taken off the completion ring, before they become events.
    results: Vec<(u64, i32)>,
    released: Vec<usize>,
    /// Entries of all slots that have not ended.
    in_flight: usize,
}

/// `sent <= outbox.len()`, `received <= inbox.len()`.
struct Slot {
    stream: Option<TcpStream>,
    inbox: Box<[u8]>,
    received: usize,
    /// What the kernel is sending. It must not move or grow while `sending`.
    outbox: Vec<u8>,
    sent: usize,
    sending: bool,
    /// What is to be sent after `outbox`.
    waiting: Vec<u8>,
    in_flight: u8,
    closing: bool,
}

enum Target {
    V4(libc::sockaddr_in),
    V6(libc::sockaddr_in6),
}

/// The lowest bits of an entry's user data; the slot's number is above them.
const KIND_BITS: u32 = 2;
const CONNECT: u64 = 0;
const RECEIVE: u64 = 1;
const SEND: u64 = 2;

impl Connections {
    /// A ring for `count` connections to `target`.
    pub fn new(count: u32, target: SocketAddr) -> io::Result<Self> {
        let entries = count.saturating_mul(2).next_power_of_two();
        let slots = (0..count).map(|_| Slot::new()).collect();
        Ok(Self {
            ring: ring(entries.clamp(8, RING_ENTRIES_MAX))?,
            slots,
            target: Box::new(Target::new(target)),
            backlog: VecDeque::new(),
            results: Vec::new(),
            released: Vec::new(),
            in_flight: 0,
        })
    }

    /// Starts to connect a free slot.
    pub fn connect(&mut self, slot: usize) -> io::Result<()> {
        let stream = new_stream(self.target.domain())?;
        let (address, length) = self.target.raw();
        let entry = opcode::Connect::new(types::Fd(stream.as_raw_fd()), address, length).build();
        let Some(owner) = self.slots.get_mut(slot) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        assert!(
            owner.stream.is_none() && owner.in_flight == 0,
            "slot in use"
        );
        owner.stream = Some(stream);
        self.push(slot, CONNECT, entry);
        Ok(())
    }

    /// What the last [`Event::Received`] of the slot brought.
    pub fn received(&self, slot: usize) -> &[u8] {
        self.slots
            .get(slot)
            .and_then(|slot| slot.inbox.get(..slot.received))
            .unwrap_or_default()
    }

    /// Asks for bytes. There is one receive at a time: the next after its [`Event::Received`].
    pub fn receive(&mut self, slot: usize) {
        let Some(owner) = self.slots.get_mut(slot) else {
            return;
        };
        let Some(stream) = owner.stream.as_ref().filter(|_| !owner.closing) else {
            return;
        };
        owner.received = 0;
        let length = u32::try_from(owner.inbox.len()).unwrap_or(u32::MAX);
        let fd = types::Fd(stream.as_raw_fd());
        let entry = opcode::Recv::new(fd, owner.inbox.as_mut_ptr(), length).build();
        self.push(slot, RECEIVE, entry);
    }

    /// Queues `bytes` to be sent.
    pub fn send(&mut self, slot: usize, bytes: &[u8]) -> io::Result<()> {
        let Some(owner) = self.slots.get_mut(slot) else {
            return Ok(());
        };
        if owner.waiting.len() + bytes.len() > OUTBOX_BYTES_MAX {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        owner.waiting.extend_from_slice(bytes);
        self.continue_send(slot);
        Ok(())
    }

    /// Ends the slot's connection, whatever is under way; [`Event::Released`] follows, and no
    /// other event of this connection comes before it.
    pub fn close(&mut self, slot: usize) {
        let Some(owner) = self.slots.get_mut(slot) else {
            return;
        };
        if owner.closing {
            return;
        }
        owner.closing = true;
        if let Some(stream) = owner.stream.as_ref() {
            // It fails on a socket that is not connected, which has nothing to end.
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.release_if_quiet(slot);
    }

    /// Submits what is queued and waits for at least one event, `timeout` at most.
    pub fn wait(&mut self, timeout: Duration, completions: &mut Vec<Completion>) -> io::Result<()> {
        completions.clear();
        let timeout = if self.released.is_empty() {
            timeout
        } else {
            Duration::ZERO
        };
        self.enter(timeout)?;
        let mut results = std::mem::take(&mut self.results);
        results.extend(
            self.ring
                .completion()
                .map(|entry| (entry.user_data(), entry.result())),
        );
        for (user_data, result) in results.drain(..) {
            let Ok(slot) = usize::try_from(user_data >> KIND_BITS) else {
                continue;
            };
            let kind = user_data & ((1 << KIND_BITS) - 1);
            if let Some(event) = self.ended(slot, kind, result) {
                completions.push(Completion { slot, event });
            }
        }
        self.results = results;
        completions.extend(self.released.drain(..).map(|slot| Completion {
            slot,
            event: Event::Released,
        }));
        Ok(())
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

    fn push(&mut self, slot: usize, kind: u64, entry: squeue::Entry) {
        let Some(owner) = self.slots.get_mut(slot) else {
            return;
        };
        owner.in_flight += 1;
        self.in_flight += 1;
        let number = u64::try_from(slot).unwrap_or(u64::MAX >> KIND_BITS);
        let entry = entry.user_data((number << KIND_BITS) | kind);
        // SAFETY: the entry points at the boxed target, at the slot's boxed inbox or at its
        // outbox. The target lives as long as the ring. The buffers are neither freed, moved nor
        // touched before the entry's completion: `inbox` has one receive at a time, `outbox` is
        // left alone while `sending`, and `drop` waits for all entries or leaks the buffers. The
        // descriptor stays open until the slot has nothing in flight.
        if unsafe { self.ring.submission().push(&entry) }.is_err() {
            self.backlog.push_back(entry);
        }
    }

    /// The event of an entry that has ended, unless it is a send that went well or a matter of a
    /// connection that is being closed.
    fn ended(&mut self, slot: usize, kind: u64, result: i32) -> Option<Event> {
        self.in_flight = self.in_flight.saturating_sub(1);
        let owner = self.slots.get_mut(slot)?;
        owner.in_flight = owner.in_flight.saturating_sub(1);
        if kind == SEND {
            owner.sending = false;
        }
        if owner.closing {
            self.release_if_quiet(slot);
            return None;
        }
        let Ok(bytes) = usize::try_from(result) else {
            return Some(Event::Failed(io::Error::from_raw_os_error(-result)));
        };
        match kind {
            CONNECT => Some(Event::Connected),
            RECEIVE if bytes == 0 => Some(Event::Ended),
            RECEIVE => {
                owner.received = bytes.min(owner.inbox.len());
                Some(Event::Received)
            }
            _ => {
                owner.sent += bytes;
                self.continue_send(slot);
                None
            }
        }
    }

    /// Sends what is left of the outbox, or what waits behind it.
    fn continue_send(&mut self, slot: usize) {
        let Some(owner) = self.slots.get_mut(slot) else {
            return;
        };
        let Some(stream) = owner.stream.as_ref() else {
            return;
        };
        if owner.sending || owner.closing {
            return;
        }
        if owner.sent >= owner.outbox.len() {
            owner.outbox.clear();
            owner.sent = 0;
            std::mem::swap(&mut owner.outbox, &mut owner.waiting);
        }
        let rest = owner.outbox.get(owner.sent..).unwrap_or_default();
        if rest.is_empty() {
            return;
        }
        let length = u32::try_from(rest.len()).unwrap_or(u32::MAX);
        let fd = types::Fd(stream.as_raw_fd());
        // A peer that is gone must be an error of the entry, not a signal.
        let entry = opcode::Send::new(fd, rest.as_ptr(), length)
            .flags(libc::MSG_NOSIGNAL)
            .build();
        owner.sending = true;
        self.push(slot, SEND, entry);
    }

    fn release_if_quiet(&mut self, slot: usize) {
        let Some(owner) = self.slots.get_mut(slot) else {
            return;
        };
        if owner.in_flight > 0 {
            return;
        }
        owner.stream = None;
        owner.closing = false;
        owner.received = 0;
        owner.outbox.clear();
        owner.waiting.clear();
        owner.sent = 0;
        self.released.push(slot);
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        for slot in 0..self.slots.len() {
            self.close(slot);
        }
        let end = Instant::now() + Duration::from_millis(RELEASE_WAIT_MS);
        let mut completions = Vec::new();
        while self.in_flight > 0 && Instant::now() < end {
            if self
                .wait(Duration::from_millis(10), &mut completions)
                .is_err()
            {
                break;
            }
        }
        if self.in_flight > 0 {
            // The kernel may still write into the buffers, so they must outlive this value.
            std::mem::forget(std::mem::take(&mut self.slots));
        }
    }
}

impl Slot {
    fn new() -> Self {
        Self {
            stream: None,
            inbox: vec![0; RECEIVE_BUFFER_BYTES].into_boxed_slice(),
            received: 0,
            outbox: Vec::new(),
            sent: 0,
            sending: false,
            waiting: Vec::new(),
            in_flight: 0,
            closing: false,
        }
    }
}

impl Target {
    fn new(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(address) => Self::V4(libc::sockaddr_in {
                sin_family: family(libc::AF_INET),
                sin_port: address.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(address.ip().octets()),
                },
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(address) => Self::V6(libc::sockaddr_in6 {
                sin6_family: family(libc::AF_INET6),
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: address.ip().octets(),
                },
                sin6_scope_id: address.scope_id(),
            }),
        }
    }

    fn domain(&self) -> libc::c_int {
        match self {
            Self::V4(_) => libc::AF_INET,
            Self::V6(_) => libc::AF_INET6,
        }
    }

    fn raw(&self) -> (*const libc::sockaddr, libc::socklen_t) {
        let (address, length) = match self {
            Self::V4(address) => ((&raw const *address).cast(), size_of_val(address)),
            Self::V6(address) => ((&raw const *address).cast(), size_of_val(address)),
        };
        (address, libc::socklen_t::try_from(length).unwrap_or(0))
    }
}

/// Processor time of this process so far, its kernel threads for the ring included.
pub fn cpu_time() -> io::Result<Duration> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the pointer is valid for a write of one `rusage`, which is all the call does.
    if unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has succeeded, so it has filled the structure.
    let usage = unsafe { usage.assume_init() };
    let duration = |time: libc::timeval| {
        Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0))
            + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
    };
    Ok(duration(usage.ru_utime) + duration(usage.ru_stime))
}

fn family(domain: libc::c_int) -> libc::sa_family_t {
    libc::sa_family_t::try_from(domain).unwrap_or(0)
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

/// A ring for one thread. Kernels before 6.1 do not know the options that save interrupts.
fn ring(entries: u32) -> io::Result<IoUring> {
    IoUring::builder()
        .setup_clamp()
        .setup_cqsize(entries.saturating_mul(2))
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
