//! Failed logins, counted by account and client network.
//!
//! So many failures of a pair within a minute (ten by default) close it until the minute is over,
//! even for the right password. Counted per network, so that nobody can lock another out: what an
//! account gets of all networks together, and a network of all accounts, only makes the next try
//! wait.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::{
    ACCOUNT_FAILURES_FREE, BACK_OFF_FIRST, BACK_OFF_MAX, NETWORK_FAILURES_FREE,
    THROTTLE_ENTRIES_MAX, THROTTLE_STRIPES, THROTTLE_WINDOW,
};
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
enum Key {
    Pair(AccountName, Network),
    Account(AccountName),
    Network(Network),
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
        let key = Key::Pair(name.clone(), Network::of(remote));
        let stripe = self.stripe(&key).try_lock().ok()?;
        Some(self.judge(stripe.get(&key), now))
    }

    /// The verdict, for side threads, which may wait.
    pub(crate) fn verdict(&self, name: &AccountName, remote: IpAddr, now: Instant) -> Verdict {
        let key = Key::Pair(name.clone(), Network::of(remote));
        let stripe = self
            .stripe(&key)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.judge(stripe.get(&key), now)
    }

    /// How long the next try should wait, before anything is looked up for it. Never blocks: where
    /// another thread holds a stripe at this moment, it does not wait.
    pub(crate) fn delay(
        &self,
        name: Option<&AccountName>,
        remote: IpAddr,
        now: Instant,
    ) -> Duration {
        if self.failures_max == u32::MAX {
            return Duration::ZERO;
        }
        let of_account = name.map(|name| (Key::Account(name.clone()), ACCOUNT_FAILURES_FREE));
        // Loopback is this machine: a webmail, perhaps, whose clients must not wait for each other.
        let of_network = (!remote.to_canonical().is_loopback())
            .then(|| (Key::Network(Network::of(remote)), NETWORK_FAILURES_FREE));
        let delays = of_account.into_iter().chain(of_network).map(|(key, free)| {
            let Ok(stripe) = self.stripe(&key).try_lock() else {
                return Duration::ZERO;
            };
            let current = stripe.get(&key).filter(|window| !is_over(window, now));
            back_off(current.map_or(0, |window| window.failures), free)
        });
        delays.max().unwrap_or_default()
    }

    /// Counts a failed login; of a name that is none, for its network alone.
    pub(crate) fn failed(&self, name: Option<&AccountName>, remote: IpAddr, now: Instant) {
        let network = Network::of(remote);
        self.count(Key::Network(network), now);
        if let Some(name) = name {
            self.count(Key::Account(name.clone()), now);
            self.count(Key::Pair(name.clone(), network), now);
        }
    }

    fn count(&self, key: Key, now: Instant) {
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
            // Guessing at so many names at once: the oldest windows would end first anyway. Many of
            // them go, so that not every failure after this looks through all again.
            let mut began: Vec<Instant> = stripe.values().map(|window| window.began).collect();
            let (_, kept, _) = began.select_nth_unstable(STRIPE_ENTRIES_MAX / 4);
            let kept = *kept;
            stripe.retain(|_, window| window.began > kept);
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

impl Network {
    fn of(remote: IpAddr) -> Self {
        // A listener for both families shows IPv4 clients as mapped addresses.
        match remote.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

/// No wait for the first `free` failures, then one that doubles.
fn back_off(failures: u32, free: u32) -> Duration {
    match failures.checked_sub(free) {
        None => Duration::ZERO,
        Some(doublings) => BACK_OFF_FIRST
            .saturating_mul(1 << doublings.min(16))
            .min(BACK_OFF_MAX),
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
            throttle.failed(Some(&name("a")), here, start);
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
        throttle.failed(Some(&name("a")), here, later);
        assert_eq!(throttle.verdict(&name("a"), here, later), Verdict::Open);
    }

    #[test]
    fn failures_of_a_network_and_of_an_account_only_make_the_next_try_wait() {
        let (throttle, start) = (Throttle::new(Some(10)), Instant::now());
        let remote = |n: u32| IpAddr::from([198, 51, (n / 200) as u8, (n % 200) as u8]);
        let delay = |name: Option<&AccountName>, from| throttle.delay(name, from, start);
        for n in 0..NETWORK_FAILURES_FREE {
            assert_eq!(delay(Some(&name("new")), remote(0)), Duration::ZERO);
            throttle.failed(Some(&name(&format!("a{n}"))), remote(0), start);
        }
        assert_eq!(delay(Some(&name("new")), remote(0)), BACK_OFF_FIRST);
        throttle.failed(None, remote(0), start);
        assert_eq!(delay(None, remote(0)), 2 * BACK_OFF_FIRST);
        assert_eq!(delay(Some(&name("new")), remote(1)), Duration::ZERO);
        for n in 0..100 {
            throttle.failed(Some(&name("attacked")), remote(1 + n), start);
        }
        let owner = remote(500);
        assert_eq!(delay(Some(&name("attacked")), owner), BACK_OFF_MAX);
        assert_eq!(
            throttle.verdict(&name("attacked"), owner, start),
            Verdict::Open
        );
        let later = start + THROTTLE_WINDOW;
        assert_eq!(
            throttle.delay(Some(&name("attacked")), owner, later),
            Duration::ZERO
        );
        let unbounded = Throttle::new(None);
        (0..100).for_each(|_| unbounded.failed(Some(&name("a")), owner, start));
        assert_eq!(
            unbounded.delay(Some(&name("a")), owner, start),
            Duration::ZERO
        );
    }

    #[test]
    fn clients_of_this_machine_do_not_wait_for_each_other() {
        let (throttle, start) = (Throttle::new(Some(10)), Instant::now());
        let local = "::ffff:127.0.0.1".parse().unwrap();
        for n in 0..100 {
            throttle.failed(Some(&name(&format!("a{n}"))), local, start);
        }
        assert_eq!(
            throttle.delay(Some(&name("b")), local, start),
            Duration::ZERO
        );
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
            throttle.failed(Some(&name(&format!("a{i}"))), remote, now);
        }
        let entries: usize = throttle
            .stripes
            .iter()
            .map(|s| s.lock().unwrap().len())
            .sum();
        assert!(entries <= THROTTLE_ENTRIES_MAX);
    }
}
