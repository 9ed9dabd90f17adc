//! Every bound of the load generator, with its reason.

/// Connections of one run. A slot's number travels in the upper bits of a ring entry, so this is
/// a bound on memory (about 20 KiB a connection), not on the ring.
pub const CONNECTIONS_MAX: u32 = 100_000;

/// Bytes that one connection receives at a time. Literals are counted and dropped, so a larger
/// buffer only saves system calls, and 16 KiB holds the usual message with its reply line.
pub const RECEIVE_BUFFER_BYTES: usize = 16 * 1024;

/// Bytes of one response, its literals apart. The longest that is asked for is a FETCH of flags;
/// a server that sends more is either broken or answers something else.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// Octets of one literal. Literals are not kept, so this only tells nonsense from mail.
pub const LITERAL_BYTES_MAX: u64 = 1 << 30;

/// Bytes of commands that wait while the socket is full. The loop is closed, one command is under
/// way at a time, so more than this is a mistake of ours.
pub const OUTBOX_BYTES_MAX: usize = 64 * 1024;

/// Messages of a mailbox that a session learns before it starts: enough to spread over, few
/// enough that thousands of sessions can each know their own.
pub const MESSAGES_KNOWN_MAX: u32 = 1_000;

/// Sessions that log in at the same time before the measurement starts. Password checks are slow
/// on purpose, and a burst of thousands would only find out how long the accept queue is.
pub const PREPARATIONS_MAX: u32 = 128;

/// Entries of the submission ring; the kernel allows 32,768. What does not fit waits in a queue
/// of at most two entries a connection.
pub const RING_ENTRIES_MAX: u32 = 32_768;

/// How long a session that failed stays away, in milliseconds. Without a pause a server that is
/// down would be measured by how fast it refuses.
pub const RECONNECT_PAUSE_MS: u64 = 100;

/// How often deadlines are looked at, in milliseconds. It bounds how late an end is noticed.
pub const TICK_MS: u64 = 20;

/// How long the end of the ring waits for the kernel to give back its buffers, in milliseconds.
pub const RELEASE_WAIT_MS: u64 = 2_000;

/// Bytes of what the server said that an error keeps as its example.
pub const EXAMPLE_BYTES_MAX: usize = 200;

/// Slowest operation that the histogram tells apart, in nanoseconds; slower ones count as this.
pub const LATENCY_NS_MAX: u64 = 600_000_000_000;

/// Operations that a report counts apart, each with histograms of half a MiB together.
pub const OPERATIONS_MAX: usize = 64;

/// Octets of an operation's name: a column of the report.
pub const OPERATION_NAME_BYTES_MAX: usize = 40;

/// Kinds of error that a report counts apart: more than there are.
pub const FAULT_KINDS_MAX: usize = 64;

/// Intervals that a report keeps: a day of seconds and what is needed to get ready. What comes
/// later is in the totals and in the interval log.
pub const INTERVALS_MAX: usize = 100_000;
