//! Bounds of LMTP sessions, with their reasons. Those that operators set are in the configuration.

use std::time::Duration;

/// Longest command line without its line end. RFC 5321 4.5.3.1.4 asks for 512 octets, and the
/// parameters of extensions add some; a longer one is thrown away and answered with 500.
pub const LINE_BYTES_MAX: usize = 2048;

/// Longest address. RFC 5321 4.5.3.1.3 asks for 256 octets; a folder name after the delimiter
/// may need more. With the most recipients this bounds what one transaction holds.
pub const ADDRESS_BYTES_MAX: usize = 1024;

/// Octets of an address in a reply, whose line is to stay below 512 (RFC 5321 4.5.3.1.5).
pub const REPLY_ADDRESS_BYTES_MAX: usize = 320;

/// Recipients that get their copy at the same time: they share syncs, while the work of one
/// transaction that waits in the owners' queues stays small.
pub const DELIVERIES_AT_ONCE: usize = 64;

/// A client may be silent for so long, also inside a message (RFC 5321 4.5.3.2.7).
pub const SILENCE: Duration = Duration::from_secs(300);
