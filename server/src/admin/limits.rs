//! Bounds of the admin thread, each with its reason.

use std::time::Duration;

/// Jobs that wait for the shards. An import keeps this many in flight, so that the log syncs many
/// accounts at once.
pub const SHARD_JOBS_WAITING_MAX: usize = 256;

/// A request is one line. An import batch is the longest: 1,000 accounts of a hash each.
pub const LINE_BYTES_MAX: usize = 4 << 20;

/// A reply is one line. A page of a listing is the longest.
pub const REPLY_BYTES_MAX: usize = 4 << 20;

/// Mailboxes in one page of a listing; fits [`REPLY_BYTES_MAX`] with names of the greatest length.
pub const MAILBOXES_OF_PAGE_MAX: usize = 1_000;

/// Accounts in one request of an import; fits [`LINE_BYTES_MAX`] with room for long hashes.
pub const IMPORT_ACCOUNTS_MAX: usize = 1_000;

/// Administrators at the socket at once.
pub const CLIENTS_MAX: usize = 16;

/// A client that neither asks nor reads for so long is dropped.
pub const CLIENT_TIMEOUT: Duration = Duration::from_secs(60);

/// A shard that does not answer within this time is stuck; the administrator hears that, and the
/// change is finished or undone at the next start.
pub const SHARD_TIMEOUT: Duration = Duration::from_secs(30);

/// How often an administrator's request is tried again while the directory is busy with logins.
pub const BUSY_ATTEMPTS_MAX: u32 = 50;

/// The pause between these attempts.
pub const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// The pause after an accept that failed.
pub const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Monitoring connections at once. Few programs watch one server; the rest wait unaccepted, at most
/// [`HTTP_TIMEOUT`] each time.
pub const HTTP_CONNECTIONS_MAX: usize = 32;

/// A monitoring connection lives this long at most, from accept to the last byte of its only
/// answer. The answers are read from memory, so a slower one has a peer that does not send or read.
pub const HTTP_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a request's header, and of one read of a body that nobody wants. The smallest that
/// hyper takes; the requests that monitoring sends are a tenth of it.
pub const HTTP_BUFFER_BYTES_MAX: usize = 8 << 10;
