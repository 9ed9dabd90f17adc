//! Index of a mailbox: archived pages read in place, and an overlay of what changed since.
//!
//! A page holds at most [`crate::state_limits::PAGE_MESSAGES_MAX`] messages in columns, is
//! immutable and shared by reference count; so a snapshot, and a second state of the same account,
//! cost the overlay only. Pages may be *cold*: place, UIDs and count are known, the bytes are not.

mod archive;
mod entry;
mod entry_ref;
mod fold;
mod iterate;
mod mailbox_index;
mod oldest;
mod snapshot;
#[cfg(test)]
mod tests;
mod unseen;

pub use archive::{Page, PageError};
pub use entry::Entry;
pub use entry_ref::EntryRef;
pub use iterate::{Entries, EntryRefs};
pub use mailbox_index::{MailboxIndex, PageSlot};
pub use oldest::{InternalDate, Oldest};
pub use snapshot::MailboxSnapshot;
