//! The summary: what is stored beside each message, so that mail is never parsed twice.
//!
//! [`summarize`] makes it from the scanner's structure; [`Summary::encode`] gives the stored
//! bytes; [`SummaryRef`] reads them in place.

mod build;
mod layout;
mod part;

pub use build::{body_structure, envelope, summarize};
pub use layout::{SummaryError, SummaryRef};
pub use part::{Class, PartRef};

use crate::date::SentDate;
use part::PartEntry;

/// A summary in memory, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Octets of the message.
    pub size: u64,
    /// When the Date field says it was sent.
    pub sent: Option<SentDate>,
    /// ENVELOPE as it goes to the client, without the word.
    pub envelope: Vec<u8>,
    /// BODY as it goes to the client, without the word.
    pub body: Vec<u8>,
    /// BODYSTRUCTURE as it goes to the client, without the word.
    pub body_structure: Vec<u8>,
    /// The fields of the message that search and sort ask for, raw; `None` when they are long
    /// and better read from the message.
    pub search_header: Option<Vec<u8>>,
    parts: Vec<PartEntry>,
    /// Names of charsets, one after the other; parts point into it.
    charsets: Vec<u8>,
}

#[cfg(test)]
mod tests;
