//! Every bound that a peer's bytes meet in this crate, each with its reason.

/// Bounds of the fragmenter; the session swaps them at login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one command outside its literals. Clients send long UID sets: 64 KiB holds about
    /// 8,000 of them.
    pub line_bytes_max: usize,
    /// Bytes of all literals that are gathered into one command. They carry names, passwords and
    /// search texts; message literals are streamed and do not count.
    pub literal_bytes_max: usize,
    /// Number of gathered literals in one command. Each costs a round trip or a scan.
    pub literal_count_max: usize,
    /// Bytes thrown away while skipping one refused command before the connection is given up.
    /// Large enough for any message literal that RFC 3501's 32-bit number can announce.
    pub skipped_bytes_max: u64,
}

impl Limits {
    /// Before login a peer is nobody: enough for LOGIN, ID and AUTHENTICATE with a large token.
    pub const BEFORE_LOGIN: Self = Self {
        line_bytes_max: 8 * 1024,
        literal_bytes_max: 8 * 1024,
        literal_count_max: 16,
        skipped_bytes_max: 1024 * 1024,
    };

    /// After login.
    pub const AFTER_LOGIN: Self = Self {
        line_bytes_max: 64 * 1024,
        literal_bytes_max: 64 * 1024,
        literal_count_max: 256,
        skipped_bytes_max: 4 * 1024 * 1024 * 1024,
    };
}

/// Bytes of a tag. Real clients use 2 to 40; a tag is echoed in every answer.
pub const TAG_BYTES_MAX: usize = 128;

/// Items of one parenthesised list (FETCH items, flags, header fields, status items, ID pairs).
/// The line bounds it already; this keeps work per item from being multiplied by it.
pub const LIST_ITEMS_MAX: usize = 1024;

/// Ranges of one sequence set. A line of 64 KiB cannot hold more than 32,768.
pub const SEQUENCE_RANGES_MAX: usize = 16 * 1024;

/// Nesting of search keys: NOT, OR and parentheses recurse, in the parser, in the evaluation and
/// when the value is dropped.
pub const SEARCH_DEPTH_MAX: usize = 32;

/// Search keys in one command. Each is evaluated for every message.
pub const SEARCH_KEYS_MAX: usize = 1024;

/// BODY and TEXT keys in one command. Each decodes and folds the whole message once more, on the
/// shard's thread.
pub const SEARCH_TEXT_KEYS_MAX: usize = 16;

/// Pairs in one ID command: what RFC 2971 3.3 allows.
pub const ID_FIELDS_MAX: usize = 30;

/// Part numbers in one section. Structures are cut at a depth of 64 when they are built.
pub const SECTION_PARTS_MAX: usize = 128;

/// Bytes of a mailbox name once it is decoded.
pub const MAILBOX_NAME_BYTES_MAX: usize = 1024;

/// Bytes of a keyword. It is kept for as long as the mailbox lives.
pub const KEYWORD_BYTES_MAX: usize = 255;

// The tag must fit into any command line, or an error could not name its command.
const _: () = assert!(TAG_BYTES_MAX < Limits::BEFORE_LOGIN.line_bytes_max);
const _: () = assert!(Limits::BEFORE_LOGIN.line_bytes_max <= Limits::AFTER_LOGIN.line_bytes_max);
