//! Responses: values to bytes, written into the caller's buffer. One file per response.

pub mod acl;
pub mod body_structure;
pub mod capability;
pub mod code;
pub mod envelope;
pub mod fetch;
pub mod flags;
pub mod id;
pub mod list;
pub mod mailbox_status;
pub mod message_count;
pub mod namespace;
pub mod quota;
pub mod search;
pub mod status;
pub mod string;

pub use acl::{acl, list_rights, my_rights};
pub use body_structure::{Basic, BodyStructure, Disposition, Params};
pub use capability::{capability, enabled};
pub use code::Code;
pub use envelope::{Address, Envelope};
pub use fetch::{FetchResponse, Rfc822Item};
pub use flags::flags;
pub use id::id;
pub use list::{ListResponse, ListResponseVerb, MailboxAttribute, MailboxValue};
pub use mailbox_status::{StatusValue, status as mailbox_status};
pub use message_count::{exists, expunge, recent};
pub use namespace::{Namespace, namespace};
pub use quota::{QuotaUsage, quota, quota_root};
pub use search::{ESearchResponse, search};
pub use status::{Condition, challenge, continuation, tagged, untagged};

#[cfg(test)]
mod tests;
