//! The kind byte of each record: never reused for another meaning.

pub const ACCOUNT_CREATED: u8 = 1;
pub const ACCOUNT_DELETED: u8 = 2;
pub const MAILBOX_CREATED: u8 = 3;
pub const MAILBOX_RENAMED: u8 = 4;
pub const MAILBOX_DELETED: u8 = 5;
pub const MAILBOX_NOSELECT: u8 = 6;
pub const SUBSCRIBED: u8 = 7;
pub const UNSUBSCRIBED: u8 = 8;
pub const MESSAGE_ADDED: u8 = 9;
pub const COPIED: u8 = 10;
pub const KEYWORD_ADDED: u8 = 11;
pub const FLAGS_CHANGED: u8 = 12;
pub const EXPUNGED: u8 = 13;
pub const RECENT_TAKEN: u8 = 14;
pub const MOVED: u8 = 15;
pub const RESTATED: u8 = 16;
pub const ACL_SET: u8 = 17;
pub const MAILBOX_CLASSED: u8 = 23;
/// No record: the kind of a section of account states.
pub const PAGES_COUNTED: u8 = 24;
pub const MOVE_BEGUN: u8 = 36;
pub const MOVE_ENDED: u8 = 37;
pub const MOVE_KNOWN: u8 = 38;
pub const MOVE_FORGOTTEN: u8 = 39;
pub const ALERT_POSTED: u8 = 30;
pub const ALERTS_REMOVED: u8 = 31;
pub const ALERTS_SEEN: u8 = 32;
pub const QUOTA_MARK: u8 = 33;
pub const CERTIFICATE_SET: u8 = 34;
