//! The floor of a server's cost: answers IMAP commands from canned octets and keeps nothing.
//!
//! Every line gets an answer of the size that was asked for, so that a load generator can drive it
//! as if it were a mail server, and what it costs is what the kernel takes for the same octets
//! and the least that a program can do with them: one `recv` and one `send` a command, both
//! through epoll, in one thread a core with a listener of its own (SO_REUSEPORT). No io_uring
//! here: its calls are `unsafe`, and this crate has none.

#![forbid(unsafe_code)]

mod answer;

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::thread;

use clap::Parser;
use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use socket2::{Domain, Protocol, Socket, Type};

use crate::answer::{Canned, Conversation, Next};

/// Connections that may wait for accept: a storm of logins is one of the loads.
const BACKLOG: i32 = 4_096;
/// Octets that a thread takes from a socket at a time.
const RECEIVE_BYTES: usize = 64 * 1024;
/// Events of one look at the kernel.
const EVENTS_MAX: usize = 1_024;
/// The listener's token; connections have those of their slots.
const LISTENER: Token = Token(usize::MAX);

/// Answers IMAP commands from canned octets.
#[derive(Clone, Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen; port 0 takes a free one, and the line that is printed tells it.
    #[arg(default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// How many threads serve.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1_024))]
    threads: u16,
    /// Octets of the answer to a command that has none of its own, such as NOOP.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    reply_bytes: u32,
    /// Octets of every message's body.
    #[arg(long, default_value_t = 4_096,
        value_parser = clap::value_parser!(u32).range(0..=1 << 26))]
    fetch_bytes: u32,
    /// Messages of every mailbox.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=1 << 20))]
    messages: u32,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let canned = Canned::new(
        arguments.reply_bytes,
        arguments.fetch_bytes,
        arguments.messages,
    );
    let first = listen(arguments.listen)?;
    let address = first.local_addr()?;
    let more = (1..arguments.threads).map(|_| listen(address));
    let listeners = [Ok(first)]
        .into_iter()
        .chain(more)
        .collect::<io::Result<Vec<_>>>()?;
    writeln!(io::stdout(), "{{\"imap\":\"{address}\"}}")?;
    thread::scope(|scope| {
        let serving: Vec<_> = listeners
            .into_iter()
            .map(|listener| scope.spawn(|| Service::new(listener, &canned)?.run()))
            .collect();
        for thread in serving {
            thread
                .join()
                .map_err(|_| io::Error::other("a thread panicked"))??;
        }
        Ok(())
    })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// One thread's work.
struct Service<'a> {
    poll: Poll,
    listener: TcpListener,
    clients: Slab<Client>,
    canned: &'a Canned,
    received: Vec<u8>,
    /// An answer that is sent at once never belongs to its client.
    answer: Vec<u8>,
}

struct Client {
    stream: TcpStream,
    conversation: Conversation,
    /// What the socket had no room for.
    unsent: Vec<u8>,
    is_leaving: bool,
}

/// What becomes of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stays,
    Goes,
}

impl<'a> Service<'a> {
    fn new(mut listener: TcpListener, canned: &'a Canned) -> io::Result<Self> {
        let poll = Poll::new()?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            clients: Slab::new(),
            canned,
            received: vec![0; RECEIVE_BYTES],
            answer: Vec::new(),
        })
    }

    fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                if event.token() == LISTENER {
                    self.accept()?;
                } else {
                    self.serve(event);
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            let slot = self.clients.vacant_entry();
            let both = Interest::READABLE | Interest::WRITABLE;
            self.poll
                .registry()
                .register(&mut stream, Token(slot.key()), both)?;
            stream.set_nodelay(true)?;
            let mut client = Client {
                stream,
                conversation: Conversation::default(),
                unsent: Vec::new(),
                is_leaving: false,
            };
            // A fresh socket has room for a line, or there is nobody any more.
            if client.send(self.canned.greeting()) == Fate::Stays {
                slot.insert(client);
            }
        }
    }

    fn serve(&mut self, event: &Event) {
        let slot = event.token().0;
        let Some(client) = self.clients.get_mut(slot) else {
            return;
        };
        let mut fate = client.send(b"");
        if fate == Fate::Stays && event.is_readable() {
            fate = client.receive(self.canned, &mut self.received, &mut self.answer);
        }
        if fate == Fate::Goes {
            // The socket's end takes it out of the poll.
            self.clients.remove(slot);
        }
    }
}

impl Client {
    fn receive(&mut self, canned: &Canned, received: &mut [u8], answer: &mut Vec<u8>) -> Fate {
        loop {
            let count = match self.stream.read(received) {
                Ok(0) => return Fate::Goes,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Fate::Stays,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Fate::Goes,
            };
            let bytes = received.get(..count).unwrap_or_default();
            answer.clear();
            match self.conversation.receive(bytes, canned, answer) {
                Next::Stay => {}
                Next::Leave => self.is_leaving = true,
                Next::Hang => return Fate::Goes,
            }
            if self.send(answer) == Fate::Goes {
                return Fate::Goes;
            }
            // The kernel gave less than there was room for, so there is no more, and it tells
            // when there is.
            if count < received.len() {
                return Fate::Stays;
            }
        }
    }

    /// Sends what waits and then `bytes`; what finds no room waits.
    fn send(&mut self, bytes: &[u8]) -> Fate {
        let mut bytes = bytes;
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            bytes = &[];
        }
        let waiting = std::mem::take(&mut self.unsent);
        let mut rest = if waiting.is_empty() { bytes } else { &waiting };
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Fate::Goes,
            }
        }
        self.unsent = rest.to_vec();
        if self.is_leaving && self.unsent.is_empty() {
            Fate::Goes
        } else {
            Fate::Stays
        }
    }
}
