//! Whether the back end is worth a question: one that is down is asked once in a while only, so
//! that clients hear of it at once and nothing piles up behind time-outs.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::limits::DOWN_PAUSE;

/// What is known of the back end.
#[derive(Default)]
pub(super) struct Health(Mutex<Option<Down>>);

struct Down {
    since: Instant,
    ask_again: Instant,
}

impl Health {
    /// Whether to ask now. Of those who come when a pause is over, one is let through.
    pub(super) fn may_ask(&self, now: Instant) -> bool {
        match &mut *self.lock() {
            None => true,
            Some(down) if now < down.ask_again => false,
            Some(down) => {
                down.ask_again = now + DOWN_PAUSE;
                true
            }
        }
    }

    /// It answered.
    pub(super) fn answered(&self) {
        if let Some(down) = self.lock().take() {
            let down_s = down.since.elapsed().as_secs();
            tracing::info!(down_s, "the back end of the directory answers again");
        }
    }

    /// It could not be asked.
    pub(super) fn failed(&self, now: Instant, reason: &str) {
        let mut down = self.lock();
        if down.is_none() {
            tracing::error!(reason, "the back end of the directory is not available");
        }
        let since = down.as_ref().map_or(now, |down| down.since);
        *down = Some(Down {
            since,
            ask_again: now + DOWN_PAUSE,
        });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Down>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_down_is_asked_once_in_a_pause() {
        let (health, start) = (Health::default(), Instant::now());
        assert!(health.may_ask(start));
        health.failed(start, "test");
        assert!(!health.may_ask(start));
        let later = start + DOWN_PAUSE;
        assert!(health.may_ask(later));
        assert!(!health.may_ask(later));
        health.answered();
        assert!(health.may_ask(later) && health.may_ask(later));
    }
}
