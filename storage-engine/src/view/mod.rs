//! The published order of a mailbox on one core, and what each session there has been told.
//!
//! One [`View`] per core and selected mailbox; any number of [`SessionView`]s over it, none of
//! which holds anything per message. Message n of a session is the n-th that came before the
//! session was last told of arrivals and had not gone when it was last told of expunges.

mod change;
mod flag_changes;
mod floor;
mod ghosts;
mod mailbox_view;
mod messages;
mod recent;
mod sequence;
mod session;
mod tell;
#[cfg(test)]
mod tests;

pub use change::{By, Change, ChangeKind};
pub use mailbox_view::{Applied, View};
pub use messages::Messages;
pub use sequence::{SequenceNumber, SequenceRange};
pub use session::SessionView;
pub use tell::{Condstore, Event, Expunges, Part};
