//! Every bound of the engine's disk side, with its reason. Bounds of state are beside the state.

/// Granule of O_DIRECT on every disk that matters; batches begin on it.
pub const BLOCK_BYTES: usize = 4096;

/// Default size of a segment: large enough that headers, syncs of the directory and descriptors
/// cost nothing, small enough that compaction moves little at a time.
pub const SEGMENT_BYTES_DEFAULT: u64 = 64 << 20;

/// Smallest segment: tests use it; a batch of the largest metadata frame must fit a segment.
pub const SEGMENT_BYTES_MIN: u64 = 256 << 10;

/// Largest segment: recovery holds one in memory, and offsets inside it are `u32`.
pub const SEGMENT_BYTES_MAX: u64 = 256 << 20;

/// Bytes of slice tables that a shard keeps in memory: all of them up to some 100,000 accounts of
/// the shard; beyond that an account that comes into memory costs one more read of a few KiB.
pub const TABLE_CACHE_BYTES: usize = 8 << 20;

/// Usual capacity of a batch buffer. One write of it takes well below a millisecond, and 64
/// appenders of 4 KiB fit twice. A larger single frame gets a buffer of its own size.
pub const BATCH_BYTES: usize = 512 << 10;

/// Largest payload of one frame: bounds what one read for a frame can allocate. A metadata frame
/// of a MOVE of 100,000 messages is about 10 MiB.
pub const FRAME_PAYLOAD_BYTES_MAX: usize = 24 << 20;

/// Up to this size a body is one frame; beyond it is cut into chunks of this size, so that a slow
/// upload holds one chunk in memory and a partial FETCH reads little more than it sends.
pub const BODY_INLINE_BYTES_MAX: usize = 64 << 10;

/// Most chunks of a body: 4 GiB of RFC822.SIZE, which is a u32 (RFC 3501 `number`).
pub const BODY_CHUNKS_MAX: usize = 65_536;

/// Most bytes that wait in the log's queue before requests wait for room: bounds memory when the
/// disk is slow. One request of the largest size may stand above it.
pub const LOG_QUEUE_BYTES_MAX: usize = 16 << 20;

/// One I/O request to the kernel is at most this long (a wrapped size would loop for ever in the
/// I/O library, a huge one would panic); longer reads are cut into pieces.
pub const IO_BYTES_MAX: usize = 1 << 20;

/// Bytes of reads in flight per shard: beyond it reads queue. Bounds memory under many FETCHes.
pub const READ_BUDGET_BYTES: u64 = 8 << 20;

/// Attempts of one file operation that the ring cancelled by mistake before it is an error.
pub const IO_ATTEMPTS_MAX: u32 = 5;

/// Quiet time after which the log writes a mark, so that later rot is told from a torn tail.
pub const MARK_QUIET_MS: u64 = 1_000;

/// Uploads open per shard; beyond it a chunk 0 is refused. Each holds a list of chunk places.
pub const UPLOADS_MAX: usize = 4_096;

/// Largest start file or manifest: 24 bytes for each of 4,096 tables and for each segment.
pub const RECOVERY_FILE_BYTES_MAX: usize = 16 << 20;

/// A checkpoint is not worth it before the log has grown by this much: replaying it takes
/// milliseconds.
pub const CHECKPOINT_LOG_BYTES_MIN: u64 = 16 << 20;

/// The log grows by this many times the bytes of a checkpoint before the next one, so that
/// checkpoints are about a tenth of what is written.
pub const CHECKPOINT_COST_SHARE: u64 = 10;

/// An account with fewer metadata frames than this since its last restatement is not restated:
/// copying them is cheaper.
pub const RESTATE_FRAMES_MIN: u64 = 64;

/// A restatement is cut into parts of this size, so that each fits a usual batch.
pub const RESTATE_PART_BYTES: usize = 128 << 10;
