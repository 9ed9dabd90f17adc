//! The published order of a mailbox on one core, and what each session there has been told.

mod change;

pub use change::{By, Change, ChangeKind};
