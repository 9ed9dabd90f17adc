//! How many connections there may be: in all, of each kind of listener, and from one address.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::counters::Counters;
use crate::service::Service;
use crate::tally::{Counted, Tally};

/// Shared by all shards.
pub struct Admission {
    all: Places,
    imap: Places,
    lmtp: Places,
    addresses: Option<Arc<Tally<IpAddr>>>,
    counters: Arc<Counters>,
}

/// The bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections of all kinds.
    pub all: usize,
    /// IMAP, in plaintext and with TLS.
    pub imap: usize,
    /// LMTP.
    pub lmtp: usize,
    /// From one address; `None` is no bound.
    pub from_address: Option<usize>,
}

/// A bound, and how many there are.
struct Places {
    max: usize,
    taken: AtomicUsize,
}

/// Why a connection is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// As many as there may be in all, or of this kind.
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
    service: Service,
    _from: Option<Counted<IpAddr>>,
}

impl Admission {
    /// With these bounds.
    pub fn new(bounds: Bounds, counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Admission {
            all: Places::new(bounds.all),
            imap: Places::new(bounds.imap),
            lmtp: Places::new(bounds.lmtp),
            addresses: bounds.from_address.map(Tally::new),
            counters,
        })
    }

    /// Takes a place for a connection; where it comes from may not be known yet.
    pub fn admit(self: &Arc<Self>, service: Service) -> Result<Admitted, Refused> {
        if !self.all.take() {
            return Err(Refused::TooMany);
        }
        if !self.of(service).take() {
            self.all.give_back();
            return Err(Refused::TooMany);
        }
        self.counters.connections.add(1);
        Ok(Admitted {
            admission: self.clone(),
            service,
            _from: None,
        })
    }

    fn of(&self, service: Service) -> &Places {
        match service {
            Service::Imap | Service::Imaps => &self.imap,
            Service::Lmtp => &self.lmtp,
        }
    }
}

impl Admitted {
    /// The connection is from this address; local processes on a UNIX socket have none.
    pub fn from(mut self, address: Option<IpAddr>) -> Result<Self, Refused> {
        let (Some(addresses), Some(address)) = (&self.admission.addresses, address) else {
            return Ok(self);
        };
        match addresses.take(address.to_canonical()) {
            Some(counted) => {
                self._from = Some(counted);
                Ok(self)
            }
            None => Err(Refused::TooManyFromAddress),
        }
    }
}

impl Places {
    fn new(max: usize) -> Self {
        let taken = AtomicUsize::new(0);
        Places { max, taken }
    }

    fn take(&self) -> bool {
        let is_taken = self.taken.fetch_add(1, Ordering::Relaxed) < self.max;
        if !is_taken {
            self.give_back();
        }
        is_taken
    }

    fn give_back(&self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.admission.of(self.service).give_back();
        self.admission.all.give_back();
        self.admission.counters.connections.sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        all: 4,
        imap: 3,
        lmtp: 3,
        from_address: Some(2),
    };

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn places_of_each_address_are_bounded_and_come_back() {
        let admission = Admission::new(BOUNDS, Arc::default());
        let from = |last| {
            admission
                .admit(Service::Imap)
                .and_then(|place| place.from(address(last)))
        };
        let one = from(1).ok();
        let two = from(1).ok();
        assert!(one.is_some() && two.is_some());
        assert_eq!(from(1).err(), Some(Refused::TooManyFromAddress));
        assert!(from(2).is_ok());
        drop(one);
        assert!(from(1).is_ok());
    }

    #[test]
    fn places_are_bounded_by_kind_and_in_all() {
        let admission = Admission::new(BOUNDS, Arc::default());
        let mut held = Vec::new();
        for service in [Service::Imap, Service::Imaps, Service::Imap] {
            held.push(admission.admit(service).ok());
        }
        assert_eq!(
            admission.admit(Service::Imaps).err(),
            Some(Refused::TooMany)
        );
        held.push(admission.admit(Service::Lmtp).ok());
        assert_eq!(admission.admit(Service::Lmtp).err(), Some(Refused::TooMany));
        assert!(held.iter().all(Option::is_some));
        held.clear();
        assert_eq!(admission.counters.connections.get(), 0);
        assert!(admission.admit(Service::Lmtp).is_ok());
    }
}
