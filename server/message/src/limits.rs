//! Every bound on what a mail may cost, with its reason.

/// Levels of nesting that are looked into, the message itself being level 0.
///
/// Real mail rarely passes 10. BODYSTRUCTURE is a recursive value, so this also bounds the
/// stack of everybody who walks it, clients included.
pub const DEPTH_MAX: usize = 50;

/// Parts of one message that are told apart; the last one takes all that follows.
///
/// Bounds the part table and BODYSTRUCTURE (about 100 bytes a part). Digests of mailing lists
/// reach some hundred.
pub const PARTS_MAX: usize = 2_000;

/// Octets of header fields kept per part, after leaving out the fields that nobody reads.
///
/// Holds a To field of some thousand addresses.
pub const PART_HEADER_BYTES_MAX: usize = 64 * 1024;

/// Octets of header fields kept per message: what one upload may hold in memory.
pub const HEADER_BYTES_MAX: usize = 1024 * 1024;

/// Longest boundary that is understood. RFC 2046 5.1.1 allows 70; some mailers exceed that.
pub const BOUNDARY_BYTES_MAX: usize = 256;

/// Octets of a line that are looked at for a delimiter: boundary, dashes and padding.
pub const DELIMITER_LINE_BYTES_MAX: usize = 512;

/// Addresses in one field of an ENVELOPE; a longer list is cut here.
pub const ADDRESSES_MAX: usize = 4_096;

/// Octets of a source route in an address (RFC 5322 4.4). The end of a route is looked for from
/// its start, so without a bound a list of broken ones would cost the square of its length.
pub const ROUTE_BYTES_MAX: usize = 1_000;

/// Parameters of one MIME field (RFC 2045 5.1); the rest is dropped.
pub const PARAMETERS_MAX: usize = 64;

/// Languages of one Content-Language field; the rest is dropped.
pub const LANGUAGES_MAX: usize = 64;

/// Octets of the fields kept in a summary so that SEARCH need not read the message. Longer
/// ones are read from the message itself.
pub const SEARCH_HEADER_BYTES_MAX: usize = 2 * 1024;

/// Depth of comments in a structured field (RFC 5322 3.2.2). They are counted, not recursed
/// into; this only keeps the counter small.
pub const COMMENT_DEPTH_MAX: usize = 1_000;

/// Folded octets of one line in a trace field (RFC 5322 2.1.1 wants less than 79).
pub const TRACE_LINE_BYTES: usize = 76;

/// Octets of one value in a trace field, such as a HELO name. RFC 5321 4.5.3.1 bounds names at
/// 255 and paths at 256; longer ones are cut rather than trusted.
pub const TRACE_VALUE_BYTES_MAX: usize = 512;
