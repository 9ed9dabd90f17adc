//! Ascending UIDs as ranges.

use crate::ids::Uid;
use crate::request::UidRange;

/// Joins ascending UIDs into as few ranges as possible.
#[derive(Debug, Default)]
pub struct RangeBuilder {
    ranges: Vec<UidRange>,
}

impl RangeBuilder {
    /// Adds a UID above all that were added before.
    pub fn push(&mut self, uid: Uid) {
        match self.ranges.last_mut() {
            Some(range) if range.last.0.checked_add(1) == Some(uid.0) => range.last = uid,
            _ => self.ranges.push(UidRange {
                first: uid,
                last: uid,
            }),
        }
    }

    /// The ranges.
    pub fn finish(self) -> Vec<UidRange> {
        self.ranges
    }
}

impl FromIterator<Uid> for RangeBuilder {
    fn from_iter<T: IntoIterator<Item = Uid>>(uids: T) -> RangeBuilder {
        let mut builder = RangeBuilder::default();
        uids.into_iter().for_each(|uid| builder.push(uid));
        builder
    }
}
