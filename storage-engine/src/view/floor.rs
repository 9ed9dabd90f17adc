//! The least of many positions, kept up to date in O(log n).

use std::collections::BTreeMap;

use crate::ids::ChangeNumber;

/// A multiset of change numbers.
#[derive(Debug, Default)]
pub(super) struct Floor {
    positions: BTreeMap<ChangeNumber, usize>,
}

impl Floor {
    pub fn enter(&mut self, at: ChangeNumber) {
        *self.positions.entry(at).or_insert(0) += 1;
    }

    pub fn leave(&mut self, at: ChangeNumber) {
        if let Some(held) = self.positions.get_mut(&at) {
            *held -= 1;
            if *held == 0 {
                self.positions.remove(&at);
            }
        }
    }

    pub fn least(&self) -> Option<ChangeNumber> {
        self.positions.keys().next().copied()
    }
}
