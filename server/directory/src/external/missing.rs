//! Names that the back end did not have a moment ago: mail for names that were guessed comes in
//! floods, and each would be a question.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::limits::{MISSING_LIFE, MISSING_NAMES_MAX};
use crate::name::AccountName;

/// Names with the time when they were missed.
#[derive(Default)]
pub(super) struct Missing(Mutex<HashMap<AccountName, Instant>>);

impl Missing {
    /// Whether the name was missed within [`MISSING_LIFE`].
    pub(super) fn has(&self, name: &AccountName, now: Instant) -> bool {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(name).is_some_and(|missed| is_fresh(*missed, now))
    }

    /// Notes a name. Where there are too many, the stale go; if none is stale, all go.
    pub(super) fn insert(&self, name: &AccountName, now: Instant) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= MISSING_NAMES_MAX {
            names.retain(|_, missed| is_fresh(*missed, now));
        }
        if names.len() >= MISSING_NAMES_MAX {
            names.clear();
        }
        names.insert(name.clone(), now);
    }
}

fn is_fresh(missed: Instant, now: Instant) -> bool {
    now.saturating_duration_since(missed) < MISSING_LIFE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_missing_for_a_moment_and_the_table_is_bounded() {
        let name = |text: &str| AccountName::parse(text, "x").unwrap();
        let (missing, start) = (Missing::default(), Instant::now());
        missing.insert(&name("a"), start);
        assert!(missing.has(&name("a"), start) && !missing.has(&name("b"), start));
        assert!(!missing.has(&name("a"), start + MISSING_LIFE));
        for number in 0..MISSING_NAMES_MAX + 10 {
            missing.insert(&name(&format!("n{number}")), start);
        }
        assert!(missing.0.lock().unwrap().len() <= MISSING_NAMES_MAX);
    }
}
