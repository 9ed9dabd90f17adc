//! What the admin thread asks of the shards.

use async_channel::Sender;
use mail_directory::{Quota, Template};
use storage_engine::ids::AccountId;
use storage_engine::request::{Operation, Reply};

/// Where a shard answers, once what was asked for is durable. The error is for an administrator.
pub type JobReply = Sender<Result<(), String>>;

/// A change of an account that its owning shard carries out. Jobs of different accounts should be
/// served at the same time: an import puts many into the channel before it awaits the first.
#[derive(Debug)]
pub enum ShardJob {
    /// Make the account known, with INBOX and the template's mailboxes. Fine if it is known
    /// already: the step is repeated after a crash.
    CreateAccount {
        /// The new account.
        account: AccountId,
        /// Its mailboxes beside INBOX.
        template: Template,
        /// What it may hold.
        quota: Quota,
        /// Answered when durable.
        reply: JobReply,
    },
    /// Delete the account and all its mail. Fine if it is gone or was never there.
    DeleteAccount {
        /// The account, which the directory has closed.
        account: AccountId,
        /// Answered when durable.
        reply: JobReply,
    },
    /// Tell every session of the account BYE, on every shard.
    EndSessions {
        /// The account.
        account: AccountId,
        /// What clients are told.
        reason: String,
        /// Answered when no session of the account can change anything any more.
        reply: JobReply,
    },
    /// How often clients hear 'Running' while a command takes long.
    SetRunning {
        /// Seconds; `None` is never.
        every_s: Option<u64>,
        /// Answered when it is in force.
        reply: JobReply,
    },
    /// The account's quota changed.
    SetQuota {
        /// The account.
        account: AccountId,
        /// What it may hold from now on.
        quota: Quota,
        /// Answered when it is in force.
        reply: JobReply,
    },
    /// Have every session that is logged in look for alerts of its domain and of the server.
    RingAll {
        /// Answered when all shards know.
        reply: JobReply,
    },
    /// Anything else that the owner of an account can do, as the system: mailboxes, rights and the
    /// like.
    Operation {
        /// The account.
        account: AccountId,
        /// What to do.
        operation: Box<Operation>,
        /// The owner's answer, durable.
        reply: Sender<Result<Reply, String>>,
    },
}
