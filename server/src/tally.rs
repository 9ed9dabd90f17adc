//! How many of something there are at the moment for each key, with a bound: connections of an
//! address, sessions of an account.
//!
//! Exact, as a bound of a few would refuse the wrong ones if keys shared a counter. Shared by all
//! shards behind short locks: one operation on a hash table is all that happens under them.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Locks; so many that two shards rarely want the same.
const STRIPES: usize = 256;

/// Counts by key. What is counted is in memory anyway, so the table is bounded by that.
pub struct Tally<K> {
    max: u32,
    hasher: RandomState,
    stripes: Box<[Mutex<HashMap<K, u32>>]>,
}

/// One that is counted, until it is dropped.
pub struct Counted<K: Hash + Eq> {
    tally: Arc<Tally<K>>,
    key: K,
}

impl<K: Hash + Eq + Copy> Tally<K> {
    /// With this bound for each key.
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Tally {
            max: u32::try_from(max).unwrap_or(u32::MAX),
            hasher: RandomState::new(),
            stripes: (0..STRIPES).map(|_| Mutex::default()).collect(),
        })
    }

    /// Counts one more, unless there are as many as there may be.
    pub fn take(self: &Arc<Self>, key: K) -> Option<Counted<K>> {
        if self.max == 0 {
            return None;
        }
        let mut stripe = self.stripe(&key);
        let count = stripe.entry(key).or_insert(0);
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(Counted {
            tally: self.clone(),
            key,
        })
    }
}

impl<K: Hash + Eq> Tally<K> {
    fn stripe(&self, key: &K) -> MutexGuard<'_, HashMap<K, u32>> {
        let hash = usize::try_from(self.hasher.hash_one(key)).unwrap_or(0);
        let stripe = self.stripes.get(hash % STRIPES).or(self.stripes.first());
        let Some(stripe) = stripe else {
            unreachable!("there are {STRIPES} stripes")
        };
        stripe.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq> Drop for Counted<K> {
    fn drop(&mut self) {
        let mut stripe = self.tally.stripe(&self.key);
        if let Some(count) = stripe.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                stripe.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_bound_and_nothing_is_kept_of_those_that_went() {
        let tally = Tally::new(2);
        let held: Vec<_> = (0..1_000)
            .flat_map(|key| [tally.take(key), tally.take(key)])
            .collect();
        assert!(held.iter().all(Option::is_some));
        assert!((0..1_000).all(|key| tally.take(key).is_none()));
        drop(held);
        assert!(tally.take(7).is_some());
        assert!(
            tally
                .stripes
                .iter()
                .all(|stripe| stripe.lock().unwrap().is_empty())
        );
    }

    #[test]
    fn a_bound_of_nothing_takes_nothing() {
        assert!(Tally::new(0).take(1).is_none());
    }
}
