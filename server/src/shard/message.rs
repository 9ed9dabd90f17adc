//! What shards say to each other. Each ordered pair has one bounded channel, so order holds.

use std::sync::Arc;

use storage_engine::ids::{AccountId, MailboxKey, SegmentId};
use storage_engine::index::MailboxSnapshot;
use storage_engine::request::{Refusal, Reply, Request};
use storage_engine::view::Change;

/// One message; they travel in batches, one a turn of the sender's loop.
#[derive(Debug)]
pub enum Message {
    /// Wants an answer under `id`, a slot of the sender's call table.
    Call {
        /// Slot of the asking shard.
        id: usize,
        /// The question.
        question: Question,
    },
    /// Answers a call.
    Answer {
        /// Slot of the asking shard.
        id: usize,
        /// The answer.
        answer: Answer,
    },
    /// The sender holds a view of the mailbox from now on and wants its changes. The number tells
    /// this watch from an earlier one of the same mailbox.
    Watch(MailboxKey, u64),
    /// The sender's last session there has left.
    Unwatch(MailboxKey),
    /// Answers the `Watch` of that number; changes that were published since it was taken may come
    /// first.
    Watched(MailboxKey, u64, Result<MailboxSnapshot, Refusal>),
    /// The receiver fell too far behind and hears of no more changes until it watches again, which
    /// it does at once.
    Missed(MailboxKey),
    /// A published change, before any answer that rests on it.
    Changed(MailboxKey, Arc<Change>),
    /// An alert waits for this account.
    Alerted(AccountId),
}

/// A question to another shard.
#[derive(Debug)]
pub enum Question {
    /// To the owner of an account.
    Request(Box<Request>),
    /// To the owner: every change that was published before this was sent comes before the answer.
    CatchUp,
    /// To the owner: may a session of this account begin?
    Admit(AccountId),
    /// To the owner: refuse new sessions of this account from now on.
    Close(AccountId),
    /// To every shard: end the sessions of this account and answer when they are gone.
    EndSessions(AccountId),
    /// To every shard: alerts of a domain or of the server have changed, whoever is logged in is to
    /// look.
    RingAll,
    /// To every shard: copy what is yours and alive out of this segment.
    Evacuate(SegmentId),
    /// To every shard: end reads of this segment, it is about to be removed.
    Forget(SegmentId),
}

/// The answer to a [`Question`].
#[derive(Debug)]
pub enum Answer {
    /// Of a request.
    Reply(Result<Reply, Refusal>),
    /// Of the rest: it was done, or it was refused.
    Done(Result<(), Refusal>),
}
