//! Every bound of an account's state, each with its reason (`limits.rs` has those of the disk).

/// Messages of one index page: a page (about 90 KiB) is rewritten whole at a checkpoint when one
/// of its messages changed, so it must be small beside a mailbox and large beside its own header.
pub const PAGE_MESSAGES_MAX: usize = 1024;

/// Bytes of a mailbox name: what clients can show, and what keeps a LIST answer bounded.
pub const MAILBOX_NAME_BYTES_MAX: usize = 1000;

/// Bytes of the class of a mailbox: those in use have a dozen, and LIST repeats it.
pub const CLASS_BYTES_MAX: usize = 64;

/// Levels of a mailbox name: each missing parent is a record of its own.
pub const MAILBOX_LEVELS_MAX: usize = 64;

/// Mailboxes of one account: all of them are in memory while the account is in use.
pub const MAILBOXES_MAX: usize = 20_000;

/// Subscriptions of one account (they need not name a mailbox): same reason.
pub const SUBSCRIPTIONS_MAX: usize = 40_000;

/// Bytes of one keyword: the table of a mailbox is repeated in each FLAGS answer.
pub const KEYWORD_BYTES_MAX: usize = 255;

/// Keywords of one mailbox as a number in a record; see `Flags::KEYWORDS_MAX`.
pub const KEYWORDS_MAX_U8: u8 = 59;
const _: () = assert!(crate::request::Flags::KEYWORDS_MAX == 59);

/// Alerts that wait for one account: they are shown all at once at its next login.
pub const ALERTS_MAX: usize = 32;

/// Bytes of an alert's text: it goes out as one line, and clients that read lines into buffers of
/// 1,000 octets still have all of it.
pub const ALERT_TEXT_BYTES_MAX: usize = 900;

/// Bytes of an account's S/MIME certificate: real ones have 1 to 4 KiB.
pub const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;

/// Messages that one APPEND may bring: its records are one frame.
pub const APPEND_MESSAGES_MAX: usize = 1_000;

/// Ranges of the expunge history of a mailbox: what a later QRESYNC answers from; beyond it the
/// floor rises and a client that is older than the floor gets the whole mailbox.
pub const EXPUNGE_HISTORY_MAX: usize = 4_096;

/// Messages that went but that some session has not been told of, per view: about 30 MB. Beyond
/// it the slowest session is ended by BYE, so that a silent client pins no memory for ever.
pub const GHOSTS_MAX: usize = 262_144;

/// Messages of a mailbox that may be changed, gone or new since its pages were made when somebody
/// takes a snapshot: copying more would take longer than a millisecond, at each SELECT again.
pub const SNAPSHOT_OVERLAY_MAX: usize = 8_192;

/// Entries of one mailbox's list of rights: each is looked at whenever a guest asks something, and
/// GETACL tells all of them in one answer.
pub const ACL_ENTRIES_MAX: usize = 256;

/// Bytes of a domain or group in such a list: what a mail domain can have.
pub const ACL_NAME_BYTES_MAX: usize = 255;

/// Messages that one COPY or step of a MOVE takes to another account: all of them are uploads that
/// are open at once.
pub const TAKEN_OUT_MESSAGES_MAX: usize = 1_000;

/// Moves to or from other accounts that are open at once: each is a session at work, or waits for
/// an account that does not answer.
pub const MOVES_OPEN_MAX: usize = 1_024;
