//! Failed logins per account and client network.
//!
//! So many failures within a minute (ten by default) close the pair until the minute is over, even
//! for the right password. Counted per network, so that nobody can lock another out.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::limits::{THROTTLE_ENTRIES_MAX, THROTTLE_STRIPES, THROTTLE_WINDOW};
use crate::name::AccountName;

const STRIPE_ENTRIES_MAX: usize = THROTTLE_ENTRIES_MAX / THROTTLE_STRIPES;
const _: () = assert!(STRIPE_ENTRIES_MAX > 0);

/// Shared by all shards and the hashing threads.
pub(crate) struct Throttle {
    failures_max: u32,
    hasher: RandomState,
    stripes: Box<[Mutex<HashMap<Key, Window>>]>,
}

#[derive(PartialEq, Eq, Hash, Clone)]
struct Key {
    name: AccountName,
    network: Network,
}

/// An IPv4 address, or the /64 that one customer has in IPv6.
#[derive(PartialEq, Eq, Hash, Clone, Copy)]
enum Network {
    V4([u8; 4]),
    V6(u64),
}

struct Window {
    began: Instant,
    failures: u32,
}

/// What is known about a pair at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// May try.
    Open,
    /// Must wait until its window is over.
    Closed,
}

impl Throttle {
    /// `None` counts, but never closes.
    pub(crate) fn new(failures_max: Option<u32>) -> Self {
        Self {
            failures_max: failures_max.unwrap_or(u32::MAX),
            hasher: RandomState::new(),
            stripes: (0..THROTTLE_STRIPES).map(|_| Mutex::default()).collect(),
        }
    }

    /// The verdict, or `None` if another thread holds the stripe at this moment. Never blocks.
    pub(crate) fn try_verdict(
        &self,
        name: &AccountName,
        remote: IpAddr,
        now: Instant,
    ) -> Option<Verdict> {
        let key = Key::new(name, remote);
        let stripe = self.stripe(&key).try_lock().ok()?;
        Some(self.judge(stripe.get(&key), now))
    }

    /// The verdict, for side threads, which may wait.
    pub(crate) fn verdict(&self, name: &AccountName, remote: IpAddr, now: Instant) -> Verdict {
        let key = Key::new(name, remote);
        let stripe = self
            .stripe(&key)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.judge(stripe.get(&key), now)
    }

    /// Counts a failed login.
    pub(crate) fn failed(&self, name: &AccountName, remote: IpAddr, now: Instant) {
        let key = Key::new(name, remote);
        let mut stripe = self
            .stripe(&key)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = stripe.get_mut(&key) {
            if is_over(window, now) {
                *window = Window {
                    began: now,
                    failures: 0,
                };
            }
            window.failures = window.failures.saturating_add(1);
            return;
        }
        if stripe.len() >= STRIPE_ENTRIES_MAX {
            stripe.retain(|_, window| !is_over(window, now));
        }
        if stripe.len() >= STRIPE_ENTRIES_MAX {
            // Guessing at so many names at once: the oldest windows would end first anyway.
            let oldest = stripe.iter().min_by_key(|(_, window)| window.began);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                stripe.remove(&oldest);
            }
        }
        stripe.insert(
            key,
            Window {
                began: now,
                failures: 1,
            },
        );
    }

    fn judge(&self, window: Option<&Window>, now: Instant) -> Verdict {
        match window {
            Some(window) if window.failures >= self.failures_max && !is_over(window, now) => {
                Verdict::Closed
            }
            Some(_) | None => Verdict::Open,
        }
    }

    fn stripe(&self, key: &Key) -> &Mutex<HashMap<Key, Window>> {
        let hash = usize::try_from(self.hasher.hash_one(key) % THROTTLE_STRIPES as u64);
        &self.stripes[hash.unwrap_or(0)]
    }
}

impl Key {
    fn new(name: &AccountName, remote: IpAddr) -> Self {
        Self {
            name: name.clone(),
            network: Network::of(remote),
        }
    }
}

impl Network {
    fn of(remote: IpAddr) -> Self {
        // A listener for both families shows IPv4 clients as mapped addresses.
        match remote.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

fn is_over(window: &Window, now: Instant) -> bool {
    now.saturating_duration_since(window.began) >= THROTTLE_WINDOW
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn name(text: &str) -> AccountName {
        AccountName::parse(text, "x").unwrap()
    }

    #[test]
    fn ten_failures_close_the_pair_until_the_window_is_over() {
        let (throttle, start) = (Throttle::new(Some(10)), Instant::now());
        let [here, there] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        for _ in 0..10 {
            assert_eq!(throttle.verdict(&name("a"), here, start), Verdict::Open);
            throttle.failed(&name("a"), here, start);
        }
        assert_eq!(throttle.verdict(&name("a"), here, start), Verdict::Closed);
        assert_eq!(
            throttle.try_verdict(&name("a"), here, start),
            Some(Verdict::Closed)
        );
        assert_eq!(throttle.verdict(&name("a"), there, start), Verdict::Open);
        assert_eq!(throttle.verdict(&name("b"), here, start), Verdict::Open);
        let later = start + THROTTLE_WINDOW;
        assert_eq!(throttle.verdict(&name("a"), here, later), Verdict::Open);
        throttle.failed(&name("a"), here, later);
        assert_eq!(throttle.verdict(&name("a"), here, later), Verdict::Open);
    }

    #[test]
    fn one_customer_of_ipv6_is_one_network() {
        let network = |text: &str| Network::of(text.parse().unwrap());
        assert!(network("2001:db8::1") == network("2001:db8::ffff:1"));
        assert!(network("2001:db8:0:1::1") != network("2001:db8::1"));
        assert!(network("::ffff:192.0.2.1") == network("192.0.2.1"));
    }

    #[test]
    fn the_table_is_bounded() {
        let (throttle, start) = (Throttle::new(Some(10)), Instant::now());
        let remote = "192.0.2.1".parse().unwrap();
        for i in 0..THROTTLE_ENTRIES_MAX as u64 + 3_000 {
            let now = start + Duration::from_nanos(i);
            throttle.failed(&name(&format!("a{i}")), remote, now);
        }
        let entries: usize = throttle
            .stripes
            .iter()
            .map(|s| s.lock().unwrap().len())
            .sum();
        assert!(entries <= THROTTLE_ENTRIES_MAX);
    }
}
