//! A mailbox's view on this core, shared by all its sessions here.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::rc::Rc;
use std::sync::Arc;

use storage_engine::ids::{ChangeNumber, MailboxKey};
use storage_engine::index::MailboxSnapshot;
use storage_engine::request::Refusal;
use storage_engine::view::{Applied, Change, View};

use crate::limits;

use super::signal::Signal;

#[cfg(test)]
mod tests;

/// One mailbox as this core knows it. Lives on one shard; never borrowed across an await.
pub struct SharedView {
    /// The mailbox.
    pub key: MailboxKey,
    /// The number of the watch that feeds it.
    pub watch: u64,
    state: RefCell<State>,
    changed: Signal,
    sessions: Cell<usize>,
}

enum State {
    /// The owner was asked; changes that overtake the snapshot wait here.
    Pending(Vec<Arc<Change>>),
    Ready(Box<View>),
    /// No changes come any more: the sessions end.
    Ended(Refusal),
}

impl SharedView {
    /// A view whose snapshot is on its way.
    pub fn pending(key: MailboxKey, watch: u64) -> Rc<Self> {
        Rc::new(SharedView {
            key,
            watch,
            state: RefCell::new(State::Pending(Vec::new())),
            changed: Signal::default(),
            sessions: Cell::new(0),
        })
    }

    /// The snapshot has come.
    pub fn install(&self, snapshot: Result<MailboxSnapshot, Refusal>) {
        let mut state = self.state.borrow_mut();
        let State::Pending(waiting) = &mut *state else {
            return;
        };
        let waiting = std::mem::take(waiting);
        *state = match snapshot {
            Ok(snapshot) => {
                let snapshot_now = snapshot.change;
                let mut view = Box::new(View::new(snapshot));
                let applied = waiting
                    .iter()
                    .filter(|change| change.number > snapshot_now)
                    .all(|change| view.apply(change) == Applied::Done);
                if applied {
                    State::Ready(view)
                } else {
                    State::Ended(Refusal::Unknown)
                }
            }
            Err(refusal) => State::Ended(refusal),
        };
        drop(state);
        self.changed.raise();
    }

    /// A published change has come.
    pub fn apply(&self, change: &Arc<Change>) {
        let mut state = self.state.borrow_mut();
        match &mut *state {
            State::Pending(waiting) if waiting.len() < limits::CHANGES_BEFORE_SNAPSHOT_MAX => {
                waiting.push(change.clone());
            }
            State::Pending(_) => *state = State::Ended(Refusal::Unknown),
            State::Ready(view) if change.number > view.now() => {
                if view.apply(change) != Applied::Done {
                    *state = State::Ended(Refusal::Unknown);
                }
            }
            State::Ready(_) | State::Ended(_) => {}
        }
        drop(state);
        self.changed.raise();
    }

    /// Whether no changes come any more.
    pub fn is_ended(&self) -> bool {
        match &*self.state.borrow() {
            State::Ended(_) => true,
            State::Ready(view) => view.ended(),
            State::Pending(_) => false,
        }
    }

    /// No changes come any more, as this core fell too far behind or the owner is gone.
    pub fn end(&self, refusal: Refusal) {
        *self.state.borrow_mut() = State::Ended(refusal);
        self.changed.raise();
    }

    /// Waits until the view has reached `change`.
    pub async fn reached(&self, change: ChangeNumber) -> Result<(), Refusal> {
        loop {
            let since = self.changed.version();
            match &*self.state.borrow() {
                State::Ready(view) if view.now() >= change => return Ok(()),
                State::Ended(refusal) => return Err(refusal.clone()),
                State::Ready(_) | State::Pending(_) => {}
            }
            self.changed.changed(since).await;
        }
    }

    /// Wakes whoever waits for changes here.
    pub fn signal(&self) -> &Signal {
        &self.changed
    }

    /// The view, unless it has ended. Callers have waited with [`SharedView::reached`] before.
    pub fn view(&self) -> Option<Ref<'_, View>> {
        Ref::filter_map(self.state.borrow(), |state| match state {
            State::Ready(view) => Some(&**view),
            State::Pending(_) | State::Ended(_) => None,
        })
        .ok()
    }

    /// As [`SharedView::view`], to change what is kept for the sessions.
    pub fn view_mut(&self) -> Option<RefMut<'_, View>> {
        RefMut::filter_map(self.state.borrow_mut(), |state| match state {
            State::Ready(view) => Some(&mut **view),
            State::Pending(_) | State::Ended(_) => None,
        })
        .ok()
    }

    /// A session enters.
    pub fn enter(&self) {
        self.sessions.set(self.sessions.get() + 1);
    }

    /// A session leaves; the number that stay.
    pub fn leave(&self) -> usize {
        let left = self.sessions.get().saturating_sub(1);
        self.sessions.set(left);
        left
    }
}
