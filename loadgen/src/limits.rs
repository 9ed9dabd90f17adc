//! Every bound of the load generator, with its reason.

/// Connections of one run: a bound on memory (about 1 KiB a connection here, several more in the
/// kernel), not on the ring, where a slot's number has 62 bits.
pub const CONNECTIONS_MAX: u32 = 1_000_000;

/// Bytes that one receive takes: half a page of small answers is wasted, and a message of the
/// usual size comes in one piece.
pub const RECEIVE_BUFFER_BYTES: usize = 8 * 1024;

/// Buffers that receives share; a power of two, as the kernel's ring of them wants it. They are
/// given back before the next wait, so this bounds how much one wait can bring (8 MiB).
pub const RECEIVE_BUFFERS: u16 = 1_024;

/// Bytes of one response, its literals apart. The longest that is asked for is a SEARCH over a
/// large mailbox; a server that sends more is either broken or answers something else.
pub const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Octets of one literal. Literals are not kept, so this only tells nonsense from mail.
pub const LITERAL_BYTES_MAX: u64 = 1 << 30;

/// Octets of a literal in which the header of a message of ours is looked for.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;

/// Bytes that wait while a socket is full: one message and its command, and some more.
pub const OUTBOX_BYTES_MAX: usize = 80 * 1024 * 1024;

/// Capacity of a send buffer that is kept for the next sender; a larger one is given back.
pub const OUTBOX_KEPT_BYTES_MAX: usize = 64 * 1024;

/// Send buffers that are kept: as many as connections that send between two waits.
pub const OUTBOXES_KEPT_MAX: usize = 1_024;

/// Plaintext of one TLS record (RFC 8446 5.1).
pub const TLS_RECORD_BYTES_MAX: usize = 16 * 1024;

/// Bytes of TLS that wait for the rest of their record: one record with its overhead, or one
/// handshake flight with a long chain of certificates.
pub const TLS_INCOMING_BYTES_MAX: usize = 128 * 1024;

/// TLS sessions that are kept to be resumed; a store holds some for each server's name, and there
/// is one name.
pub const TLS_SESSIONS_KEPT: usize = 1_024;

/// Octets of a message that is made: its header must fit.
pub const MAIL_BYTES_MIN: usize = 512;

/// Octets of the largest one.
pub const MESSAGE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Recipients of one delivery; servers take 100 at least (RFC 5321 4.5.3.1.8).
pub const RECIPIENTS_MAX: u64 = 100;

/// How deep steps nest: enough for a choice within a repetition within a choice.
pub const STEP_DEPTH_MAX: usize = 8;

/// Messages of a mailbox that a run knows: 40 bytes each, and the largest mailbox that a scenario
/// fills within minutes.
pub const MESSAGES_KNOWN_MAX: u32 = 200_000;

/// Sessions that are set up at the same time before the measurement starts. Password checks are
/// slow on purpose, and a burst of thousands would only find out how long the accept queue is.
pub const PREPARATIONS_MAX: u32 = 128;

/// Arrivals of an open loop that wait for somebody to be free, for each role. More than this is
/// no queue but a server that does not keep up, and they are counted as dropped.
pub const BACKLOG_MAX: usize = 100_000;

/// Entries of the submission ring; the kernel allows 32,768. What does not fit waits in a queue
/// of at most two entries a connection.
pub const RING_ENTRIES_MAX: u32 = 4_096;

/// How long a session that failed stays away, in milliseconds. Without a pause a server that is
/// down would be measured by how fast it refuses.
pub const RECONNECT_PAUSE_MS: u64 = 100;

/// How often the phase of a run is looked at, in milliseconds. It bounds how late an end is
/// noticed.
pub const TICK_MS: u64 = 20;

/// The wheel's tick, in nanoseconds: how late a pause or a deadline may end.
pub const WHEEL_TICK_NS: u64 = 1_000_000;

/// Ticks of the wheel that are looked at for the next wake: up to the next look at the phase.
pub const TICKS_AHEAD: u64 = 20;

/// How long the end of the ring waits for the kernel to give back its buffers, in milliseconds.
pub const RELEASE_WAIT_MS: u64 = 2_000;

/// Open files beside the connections: the ring, the report's files, the standard streams.
pub const FILES_BESIDE: u64 = 32;

/// Source addresses of one run: more than any number of connections needs.
pub const SOURCES_MAX: usize = 65_536;

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
