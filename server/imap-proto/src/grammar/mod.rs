//! The words that commands and responses share.

pub mod acl_identifier;
pub mod cursor;
pub mod date;
pub mod error;
pub mod flag;
pub mod list_value;
pub mod mailbox_name;
pub mod quota_resource;
pub mod search_key;
pub mod section;
pub mod sequence_set;
pub mod special_use;
pub mod status_item;

pub use acl_identifier::{AclIdentifier, acl_identifier};
pub use cursor::{Cursor, Parsed};
pub use date::{Date, DateTime};
pub use error::SyntaxError;
pub use flag::Flag;
pub use list_value::ListValue;
pub use mailbox_name::MailboxName;
pub use quota_resource::QuotaResource;
pub use search_key::SearchKey;
pub use section::{Partial, Section, SectionText};
pub use sequence_set::{NumberRange, NumberSet, SequenceBound, SequenceRange, SequenceSet};
pub use special_use::SpecialUse;
pub use status_item::StatusItem;

/// RFC 3501 `ATOM-CHAR`.
pub fn is_atom_char(byte: u8) -> bool {
    !matches!(
        byte,
        b'(' | b')' | b'{' | b' ' | b'%' | b'*' | b'"' | b'\\' | b']'
    ) && (0x21..0x7f).contains(&byte)
}

/// RFC 3501 `ASTRING-CHAR`.
pub fn is_astring_char(byte: u8) -> bool {
    is_atom_char(byte) || byte == b']'
}

/// RFC 3501 `tag`: an astring character other than `+`.
pub fn is_tag_char(byte: u8) -> bool {
    is_astring_char(byte) && byte != b'+'
}
