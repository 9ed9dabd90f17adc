//! Which messages are `\Recent` for one session, as ascending ranges of UIDs.

use crate::ids::Uid;
use crate::request::UidRange;

/// Ranges ascend and don't touch.
#[derive(Debug, Clone, Default)]
pub(super) struct RecentRanges {
    ranges: Vec<UidRange>,
}

impl RecentRanges {
    /// Adds a range above all others.
    pub fn push(&mut self, range: UidRange) {
        match self.ranges.last_mut() {
            Some(held) if held.last.0.saturating_add(1) >= range.first.0 => {
                held.last = held.last.max(range.last);
            }
            _ => self.ranges.push(range),
        }
    }

    pub fn contains(&self, uid: Uid) -> bool {
        let at = self.ranges.partition_point(|range| range.last < uid);
        self.ranges.get(at).is_some_and(|range| range.first <= uid)
    }

    pub fn iter(&self) -> impl Iterator<Item = &UidRange> {
        self.ranges.iter()
    }
}
