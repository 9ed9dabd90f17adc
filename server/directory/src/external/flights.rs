//! One question to the back end for all who ask for the same name at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use crate::backend::Entry;
use crate::error::LookupError;
use crate::name::AccountName;

/// The answer that all of them get.
pub(super) type Flight = Arc<OnceCell<Result<Option<Arc<Entry>>, LookupError>>>;

/// Questions under way: as many as there are jobs, at most.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<AccountName, Flight>>);

impl Flights {
    /// The question for this name that is under way, or a new one.
    pub(super) fn join(&self, name: &AccountName) -> Flight {
        self.lock().entry(name.clone()).or_default().clone()
    }

    /// The question is answered: who comes now asks anew.
    pub(super) fn leave(&self, name: &AccountName, flight: &Flight) {
        let mut flights = self.lock();
        let is_same = |other: &Flight| Arc::ptr_eq(other, flight);
        if flights.get(name).is_some_and(is_same) {
            flights.remove(name);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountName, Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
