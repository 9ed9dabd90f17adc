//! One message where it lies: in a page, column by column, or in an overlay.

use super::{Entry, Page};
use crate::ids::{ModSeq, Uid};
use crate::request::Flags;

/// A message of an index. What is not asked for is not read: a walk over a hundred thousand
/// messages for their flags touches two columns of fourteen.
#[derive(Debug, Clone, Copy)]
pub struct EntryRef<'a> {
    uid: Uid,
    held: Held<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Held<'a> {
    /// In a page at a position below its length.
    Paged(&'a Page, usize),
    /// Newer than the pages, or gone from them.
    Apart(&'a Entry),
}

impl<'a> EntryRef<'a> {
    /// The message at a position of a page, where it has this UID.
    #[inline]
    pub(super) fn paged(page: &'a Page, at: usize, uid: Uid) -> Self {
        let held = Held::Paged(page, at);
        EntryRef { uid, held }
    }

    /// A message that is not in a page, or not as it is there.
    pub(crate) fn apart(entry: &'a Entry) -> Self {
        EntryRef {
            uid: entry.uid,
            held: Held::Apart(entry),
        }
    }

    /// Its UID.
    #[inline]
    pub fn uid(&self) -> Uid {
        self.uid
    }

    /// MODSEQ of its newest change.
    #[inline]
    pub fn mod_seq(&self) -> ModSeq {
        match self.held {
            Held::Paged(page, at) => present(page.mod_seq(at)),
            Held::Apart(entry) => entry.mod_seq,
        }
    }

    /// Its flags.
    #[inline]
    pub fn flags(&self) -> Flags {
        match self.held {
            Held::Paged(page, at) => present(page.flags(at)),
            Held::Apart(entry) => entry.flags,
        }
    }

    /// RFC822.SIZE.
    pub fn size(&self) -> u32 {
        match self.held {
            Held::Paged(page, at) => present(page.size(at)),
            Held::Apart(entry) => entry.size,
        }
    }

    /// INTERNALDATE in seconds since the Unix epoch, and its zone in minutes east of UTC.
    pub fn internal_date(&self) -> (i64, i16) {
        match self.held {
            Held::Paged(page, at) => present(page.internal_date(at)),
            Held::Apart(entry) => (entry.internal_date_s, entry.zone_min),
        }
    }

    /// All that is known of it.
    pub fn entry(&self) -> Entry {
        match self.held {
            Held::Paged(page, at) => present(page.entry(at)),
            Held::Apart(entry) => *entry,
        }
    }
}

fn present<T>(value: Option<T>) -> T {
    match value {
        Some(value) => value,
        None => panic!("a message is not in its page"),
    }
}
