//! Every bound of the server, with its reason. The grammar's and the engine's are in theirs.

use std::time::Duration;

/// Batches that may lie in the channel between two shards: enough to keep a busy peer fed for a
/// turn, few enough that a stuck one is felt at once as back-pressure.
pub const MESH_BATCHES_MAX: usize = 64;

/// Messages that may wait for one peer before connections stop being read.
pub const OUTBOX_MESSAGES_MAX: usize = 4096;

/// Changes of mailboxes that may wait for one peer; beyond it the peer gets a snapshot of the
/// mailbox instead, which costs the same however far behind it is.
pub const CHANGES_WAITING_MAX: usize = 65_536;

/// Changes that may arrive at a view before its snapshot does.
pub const CHANGES_BEFORE_SNAPSHOT_MAX: usize = 16_384;

/// Bytes of responses gathered before they are sent: one large write costs less than many small
/// ones, and this much is all that a client which does not read can make us hold.
pub const OUTPUT_BYTES: usize = 64 * 1024;

/// How often a client hears how far its command has come: RFC 9585's advice.
pub const IN_PROGRESS_EVERY: Duration = Duration::from_secs(15);

/// Threads that encrypt messages: what one COPY ENCRYPTED can keep busy, and one for the others.
pub const ENCRYPTION_THREADS: usize = 2;

/// Messages that wait for such a thread; whoever comes later waits before it hands its own over.
pub const ENCRYPTIONS_WAITING_MAX: usize = 16;

/// Bytes of messages that are being encrypted, and of encrypted ones that are not stored yet, for
/// all sessions of a shard: one of the largest size, or hundreds of the usual.
pub const ENCRYPTING_BYTES_MAX: u64 = 192 * 1024 * 1024;

/// Messages of one COPY ENCRYPTED: the small ones among them are held until all are stored in one
/// step, and each large one is an upload of which the store has a bounded number.
pub const ENCRYPTED_MESSAGES_MAX: usize = 256;

/// Commands that may be refused with BAD in a row before the connection is closed.
pub const BAD_COMMANDS_MAX: u32 = 50;

/// Failed logins on one connection before it is closed (each also costs a delay).
pub const LOGIN_FAILURES_MAX: u32 = 5;

/// Time for a TLS handshake.
pub const HANDSHAKE: Duration = Duration::from_secs(30);

/// Time for a PROXY header: the load balancer is near and sends it at once.
pub const PROXY_HEADER: Duration = Duration::from_secs(5);

/// Time that sessions get to say BYE when the server stops.
pub const STOP: Duration = Duration::from_secs(5);

/// Bytes of messages that all searches of a shard, and all that copy to other accounts, hold: one
/// at its largest, or hundreds of the usual size. SEARCH looks at messages in one piece.
pub const SEARCHED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Messages of a FETCH or SEARCH that are read from the disk at the same time: a queue that keeps
/// a disk busy, and at most a megabyte (larger messages are not read ahead).
pub const READ_AHEAD_MESSAGES: usize = 16;

/// Messages whose new flags are written before the client must take them: one STORE may change a
/// million, in a mailbox that a thousand sessions watch.
pub const TOLD_FLAGS_MAX: usize = 1024;

/// Rows that one turn of SEARCH looks at before others run.
pub const SEARCH_TURN_ROWS: usize = 64;

/// Octets of one message that SEARCH looks through before others run: about a tenth of a
/// millisecond, whatever the size of the message.
pub const SEARCH_STEP_BYTES: usize = 128 * 1024;

/// What is refused of other accounts' mailboxes leaves at multiples of this time, so that it does
/// not tell a missing account from one without rights: longer than any of the ways takes, a read
/// from a disk included, and short for whoever has mistyped a name.
pub const FOREIGN_REFUSAL_QUANTUM: Duration = Duration::from_millis(20);

/// Other accounts that one LIST may ask: each is a request to its owner, and all must answer.
pub const LIST_FOREIGN_ACCOUNTS_MAX: usize = 16;

/// Sessions of a shard that are told at a time of an alert which is for all of them: each asks the
/// owner of its account, which notes in its log that it was told.
pub const RUNG_AT_ONCE: usize = 64;

/// The pause between them: 64,000 sessions a second, beside everything else.
pub const RING_PAUSE: Duration = Duration::from_millis(1);

/// Time that the directory has to say what an account may hold before a message is stored by what
/// it said last: far more than its cache or its own database take.
pub const LIMIT_LOOKUP: Duration = Duration::from_millis(250);

/// Messages that one step of a MOVE to another account takes: each step is three frames and three
/// syncs, and what is on its way is neither here nor there for other sessions' changes meanwhile.
pub const MOVED_AT_ONCE_MESSAGES: usize = 100;

/// Octets of small messages that a COPY or a step of a MOVE to another account holds; larger ones,
/// and what is beyond this, are written to the other account's log piece by piece.
pub const CROSSING_INLINE_BYTES_MAX: usize = 1024 * 1024;

/// Octets of summaries that it holds; a usual one has one or two KiB.
pub const CROSSING_SUMMARY_BYTES_MAX: usize = 8 * 1024 * 1024;
