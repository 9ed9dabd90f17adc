//! Octets of stored messages, read on the connection's core; the owner is asked only when a place
//! has gone stale.

use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use futures_lite::future::poll_once;
use storage_engine::error::ReadError;
use storage_engine::ids::MailboxKey;
use storage_engine::index::Entry;
use storage_engine::request::{Actor, Operation, Refusal, Reply};

use crate::runtime::Runtime;
use crate::shard::Shard;

use super::selected::Row;

/// Larger bodies are not read ahead.
const READ_AHEAD_BYTES_MAX: u64 = 64 * 1024;

/// Octets read at a time.
const READ_BYTES_MAX: u64 = 512 * 1024;

/// Why a message cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It was expunged, and its octets are gone too.
    Gone,
    /// What is stored is damaged, or the disk does not give it.
    Unreadable,
}

impl Trouble {
    /// Whether the message is gone, rather than damaged.
    pub fn is_gone(self) -> bool {
        self == Trouble::Gone
    }
}

/// A message of the selected mailbox, with the places where it was last seen.
pub struct Stored<'a, R: Runtime> {
    shard: &'a Shard<R>,
    key: MailboxKey,
    entry: Entry,
}

impl<'a, R: Runtime> Stored<'a, R> {
    /// The message `entry` of mailbox `key`.
    pub fn new(shard: &'a Shard<R>, key: MailboxKey, entry: Entry) -> Self {
        Stored { shard, key, entry }
    }

    /// Octets `range` of the message; the range lies inside it.
    pub async fn octets(&mut self, range: Range<u64>) -> Result<Bytes, Trouble> {
        loop {
            let entry = &self.entry;
            let reader = self.shard.reader();
            match reader
                .read_body(
                    self.key.account,
                    entry.body,
                    entry.body_place,
                    range.clone(),
                )
                .await
            {
                Err(ReadError::Missing) => self.locate().await?,
                Err(_) => return Err(Trouble::Unreadable),
                Ok(octets) => return Ok(octets),
            }
        }
    }

    /// All octets of the message, in one piece.
    pub async fn whole(&mut self) -> Result<Bytes, Trouble> {
        let size = u64::from(self.entry.size);
        if size <= READ_BYTES_MAX {
            return self.octets(0..size).await;
        }
        let mut octets = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        let mut at = 0;
        while at < size {
            let end = size.min(at + READ_BYTES_MAX);
            octets.extend_from_slice(&self.octets(at..end).await?);
            at = end;
        }
        Ok(octets.into())
    }

    /// The summary that was made when the message came.
    pub async fn summary(&mut self) -> Result<Bytes, Trouble> {
        loop {
            let entry = &self.entry;
            let reader = self.shard.reader();
            match reader
                .read_summary(self.key.account, entry.body, entry.summary_place)
                .await
            {
                Err(ReadError::Missing) => self.locate().await?,
                Err(_) => return Err(Trouble::Unreadable),
                Ok(summary) => return Ok(summary),
            }
        }
    }

    /// Asks the owner; an error unless the places are new.
    async fn locate(&mut self) -> Result<(), Trouble> {
        let operation = Operation::Locate {
            mailbox: self.key.mailbox,
            uid: self.entry.uid,
        };
        // The session has the message in its view already.
        let asked = self
            .shard
            .request(self.key.account, Actor::System, operation);
        match asked.await {
            Ok(Reply::Located {
                body,
                body_place,
                summary_place,
            }) => {
                let known = (self.entry.body_place, self.entry.summary_place);
                if known == (body_place, summary_place) || body != self.entry.body {
                    return Err(Trouble::Unreadable);
                }
                self.entry.body_place = body_place;
                self.entry.summary_place = summary_place;
                Ok(())
            }
            Err(Refusal::MessageGone | Refusal::NoSuchMailbox) => Err(Trouble::Gone),
            Ok(_) | Err(_) => Err(Trouble::Unreadable),
        }
    }
}

/// What a command will want of each of some messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// The summary.
    pub summary: bool,
    /// Octets.
    pub octets: bool,
}

/// Reads what will be wanted of these messages at the same time, so that a cold disk is waited for
/// once and not once a message; it is then in the cache. Troubles come up where it is wanted.
/// Where the first message is in the cache already, the others are taken to be so too.
pub async fn read_ahead<R: Runtime>(
    shard: &Shard<R>,
    key: MailboxKey,
    rows: &[Row],
    wanted: Ahead,
) {
    let mut reads: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
    for row in rows {
        let mut read: Pin<Box<dyn Future<Output = ()> + '_>> =
            Box::pin(read_one(shard, key, row.entry, wanted));
        if reads.is_empty() && poll_once(&mut read).await.is_some() {
            return;
        }
        reads.push(read);
    }
    poll_fn(|context| {
        reads.retain_mut(|read| read.as_mut().poll(context).is_pending());
        if reads.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

async fn read_one<R: Runtime>(shard: &Shard<R>, key: MailboxKey, entry: Entry, wanted: Ahead) {
    let mut stored = Stored::new(shard, key, entry);
    let size = u64::from(entry.size);
    if wanted.summary {
        let _ = stored.summary().await;
    }
    if wanted.octets && size <= READ_AHEAD_BYTES_MAX {
        // A small body is one frame, which is read as a whole.
        let _ = stored.octets(0..size.min(1)).await;
    }
}
