//! Sequence sets (RFC 3501 9, `sequence-set`) against a session's messages.

use std::ops::ControlFlow;

use super::{SessionView, View};
use crate::account::RangeBuilder;
use crate::ids::Uid;
use crate::request::UidRange;

/// A number of a sequence set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceNumber {
    /// `nz-number`
    Number(u32),
    /// `*`: the largest in use.
    Star,
}

/// `first:last`, in either order; a single number is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceRange {
    /// One end.
    pub first: SequenceNumber,
    /// The other.
    pub last: SequenceNumber,
}

impl SequenceRange {
    /// The ends in order, `*` being `star`.
    fn resolve(&self, star: u32) -> (u32, u32) {
        let number = |number| match number {
            SequenceNumber::Number(number) => number,
            SequenceNumber::Star => star,
        };
        let (first, last) = (number(self.first), number(self.last));
        (first.min(last), first.max(last))
    }
}

impl SessionView {
    /// Messages with these sequence numbers, as UID ranges without holes; None when a number is
    /// above EXISTS (RFC 3501 9: the server answers BAD).
    pub fn resolve_sequence(&self, view: &View, set: &[SequenceRange]) -> Option<Vec<UidRange>> {
        let exists = self.exists(view);
        let ranges = ascending(set, exists);
        let within = |(first, last): &(u32, u32)| 0 < *first && *last <= exists;
        if !ranges.iter().all(within) {
            return None;
        }
        let mut uids = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            uids.push(UidRange {
                first: self.uid_at(view, first)?,
                last: self.uid_at(view, last)?,
            });
        }
        Some(self.present(view, &uids))
    }

    /// Messages of the session with these UIDs, as UID ranges without holes. Others are passed
    /// over (RFC 3501 6.4.8).
    pub fn resolve_uids(&self, view: &View, set: &[SequenceRange]) -> Vec<UidRange> {
        let Some(highest) = self.uid_at(view, self.exists(view)) else {
            return Vec::new();
        };
        let ranges = ascending(set, highest.0).into_iter();
        let ranges = ranges.map(|(first, last)| UidRange {
            first: Uid(first),
            last: Uid(last),
        });
        self.present(view, &ranges.collect::<Vec<_>>())
    }

    /// All messages of the session, as UID ranges without holes.
    pub fn all_uids(&self, view: &View) -> Vec<UidRange> {
        let every = UidRange {
            first: Uid(1),
            last: Uid(u32::MAX),
        };
        self.present(view, &[every])
    }

    fn present(&self, view: &View, uids: &[UidRange]) -> Vec<UidRange> {
        let mut present = RangeBuilder::default();
        let _to_the_end = self.messages(view, uids).walk(|_, message| {
            present.push(message.uid());
            ControlFlow::Continue(())
        });
        present.finish()
    }
}

/// The ranges in order, joined where they overlap.
fn ascending(set: &[SequenceRange], star: u32) -> Vec<(u32, u32)> {
    let mut ranges: Vec<_> = set.iter().map(|range| range.resolve(star)).collect();
    ranges.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match joined.last_mut() {
            Some((_, end)) if first <= *end => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    joined
}
