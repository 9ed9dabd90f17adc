//! A map that forgets its oldest entries.

use std::collections::{HashMap, VecDeque};

use crate::name::AccountName;

/// Values by account; `order` has each name of `values` once, in the order in which they came.
pub(super) struct BoundedMap<V> {
    values: HashMap<AccountName, V>,
    order: VecDeque<AccountName>,
}

impl<V> BoundedMap<V> {
    pub(super) fn get(&self, name: &AccountName) -> Option<&V> {
        self.values.get(name)
    }

    /// Sets a value; if there are more than `count_max` now, the oldest goes.
    pub(super) fn insert(&mut self, name: &AccountName, value: V, count_max: usize) {
        if self.values.insert(name.clone(), value).is_none() {
            self.order.push_back(name.clone());
        }
        if self.values.len() > count_max
            && let Some(oldest) = self.order.pop_front()
        {
            self.values.remove(&oldest);
        }
    }

    pub(super) fn remove(&mut self, name: &AccountName) {
        if self.values.remove(name).is_some() {
            self.order.retain(|other| other != name);
        }
    }

    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.values.len(), self.order.len())
    }
}

impl<V> Default for BoundedMap<V> {
    fn default() -> Self {
        Self {
            values: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}
