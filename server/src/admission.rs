//! How many connections there may be, in all and from one address.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::counters::Counters;
use crate::runtime::Peer;

/// Buckets of addresses. Addresses that share one are counted together, which may refuse a little
/// early; with a keyed hash nobody can aim for a bucket.
const BUCKETS: usize = 65_536;

/// Shared by all shards; counts without a lock.
pub struct Admission {
    connections_max: usize,
    connections: AtomicUsize,
    per_address: Option<PerAddress>,
    counters: Arc<Counters>,
}

struct PerAddress {
    max: u32,
    hasher: RandomState,
    buckets: Box<[AtomicU32]>,
}

/// Why a connection is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// `limits.connections_max`
    TooMany,
    /// `limits.connections_per_address_max`
    TooManyFromAddress,
}

impl Refused {
    /// What the client is told.
    pub fn text(self) -> &'static str {
        match self {
            Refused::TooMany => "too many connections, try again later",
            Refused::TooManyFromAddress => "too many connections from your address",
        }
    }
}

/// A place among the connections; given back when dropped.
pub struct Admitted {
    admission: Arc<Admission>,
    bucket: Option<usize>,
}

impl Admission {
    /// With these bounds.
    pub fn new(
        connections_max: usize,
        per_address_max: Option<usize>,
        counters: Arc<Counters>,
    ) -> Arc<Self> {
        let per_address = per_address_max.map(|max| PerAddress {
            max: u32::try_from(max).unwrap_or(u32::MAX),
            hasher: RandomState::new(),
            buckets: (0..BUCKETS).map(|_| AtomicU32::new(0)).collect(),
        });
        let connections = AtomicUsize::new(0);
        Arc::new(Admission {
            connections_max,
            connections,
            per_address,
            counters,
        })
    }

    /// Takes a place for a connection from `peer`.
    pub fn admit(self: &Arc<Self>, peer: Peer) -> Result<Admitted, Refused> {
        if self.connections.fetch_add(1, Ordering::Relaxed) >= self.connections_max {
            self.connections.fetch_sub(1, Ordering::Relaxed);
            return Err(Refused::TooMany);
        }
        // From here on dropping it gives everything back.
        let mut admitted = Admitted {
            admission: self.clone(),
            bucket: None,
        };
        self.counters.connections.add(1);
        if let (Some(per_address), Some(address)) = (&self.per_address, peer.ip()) {
            let index = per_address.bucket(address);
            let bucket = per_address.buckets.get(index);
            admitted.bucket = Some(index);
            let before = bucket.map_or(0, |count| count.fetch_add(1, Ordering::Relaxed));
            if before >= per_address.max {
                return Err(Refused::TooManyFromAddress);
            }
        }
        Ok(admitted)
    }
}

impl PerAddress {
    fn bucket(&self, address: IpAddr) -> usize {
        let hash = self.hasher.hash_one(address);
        usize::try_from(hash).unwrap_or(0) % BUCKETS
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.admission.connections.fetch_sub(1, Ordering::Relaxed);
        self.admission.counters.connections.sub(1);
        if let (Some(per_address), Some(index)) = (&self.admission.per_address, self.bucket)
            && let Some(bucket) = per_address.buckets.get(index)
        {
            bucket.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    #[test]
    fn places_are_bounded_and_come_back() {
        let admission = Admission::new(3, Some(2), Arc::default());
        let peer = |last| Peer::tcp(SocketAddr::from(([192, 0, 2, last], 1000)));
        let one = admission.admit(peer(1)).ok();
        let two = admission.admit(peer(1)).ok();
        assert!(one.is_some() && two.is_some());
        assert_eq!(
            admission.admit(peer(1)).err(),
            Some(Refused::TooManyFromAddress)
        );
        drop(one);
        assert!(admission.admit(peer(1)).is_ok());
    }
}
