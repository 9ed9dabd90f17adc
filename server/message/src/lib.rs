//! What the server knows about mail: RFC 5322 and MIME, without any I/O.
//!
//! A message passes through this crate once, while it arrives: [`scanner::Scanner`] finds its
//! structure, [`summary::summarize`] turns that into the bytes that are stored beside it. All
//! that IMAP asks later is answered from these: [`section`] finds the octets of `BODY[...]`,
//! [`text`] looks for a string in decoded text.
//!
//! Invariants: nothing here recurses over a mail's nesting except over the bounded tree that
//! [`scanner`] hands out; no time is more than linear in the size of a mail; every bound and
//! its reason is in [`limits`]; no offset that this crate hands out lies outside its message.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::as_conversions
    )
)]

pub mod charset;
pub mod date;
pub mod delivery;
pub mod field;
pub mod limits;
pub mod scanner;
pub mod section;
pub mod summary;
pub mod text;

mod octets;
