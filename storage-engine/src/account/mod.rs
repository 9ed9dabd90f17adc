//! What is true of an account: `plan` turns a request into records and may refuse, `apply` turns
//! records into state and cannot fail.
//!
//! An account in memory has two states. *Planned* has all records that were enqueued and is seen
//! by `plan` alone; *published* has the durable ones and is what everybody else reads. Both, and
//! recovery, run the same `apply`.

mod acl;
mod alerts;
mod apply;
mod certificate;
mod describe;
mod history;
mod keywords;
mod mailbox;
mod message;
mod moved;
mod moves;
mod names;
mod permission;
mod plan;
mod reply;
mod restate;
mod special_use;
mod state;
mod subscription;
#[cfg(test)]
mod tests;
mod transfer;
mod uid_ranges;

pub use apply::{Dead, Effects};
pub use history::ExpungeHistory;
pub use moves::OpenMove;
pub use names::{normalize_name, validate_class, validate_name};
pub use plan::{PlanContext, Planned};
pub use reply::ReplyDraft;
pub use restate::{Form, StateError};
pub use special_use::{special_use_bits, special_uses};
pub use state::{AccountState, Mailbox};
pub use uid_ranges::RangeBuilder;
