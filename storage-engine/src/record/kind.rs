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
pub const CERTIFICATE_SET: u8 = 34;
