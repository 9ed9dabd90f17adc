//! A mailbox's view on this core, shared by all its sessions here.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::rc::Rc;
use std::sync::Arc;

use storage_engine::ids::{ChangeNumber, MailboxKey, SessionKey};
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
    watch: Cell<u64>,
    state: RefCell<State>,
    changed: Signal,
    sessions: Cell<usize>,
}

enum State {
    /// The owner was asked; changes that overtake the snapshot wait here.
    Pending(Vec<Arc<Change>>),
    Ready(Box<View>),
    /// Changes were missed, and the owner was asked for a new snapshot. The sessions go on with
    /// what there is; changes that overtake the snapshot wait here.
    CatchingUp(Box<View>, Vec<Arc<Change>>),
    /// No changes come any more: the sessions end.
    Ended(Refusal),
}

impl SharedView {
    /// A view whose snapshot is on its way.
    pub fn pending(key: MailboxKey, watch: u64) -> Rc<Self> {
        Rc::new(SharedView {
            key,
            watch: Cell::new(watch),
            state: RefCell::new(State::Pending(Vec::new())),
            changed: Signal::default(),
            sessions: Cell::new(0),
        })
    }

    /// The number of the watch that feeds it.
    pub fn watch(&self) -> u64 {
        self.watch.get()
    }

    /// The snapshot has come.
    pub fn install(&self, snapshot: Result<MailboxSnapshot, Refusal>) {
        let mut state = self.state.borrow_mut();
        let ended = State::Ended(Refusal::Unknown);
        *state = match (std::mem::replace(&mut *state, ended), snapshot) {
            (State::Pending(_) | State::CatchingUp(..), Err(refusal)) => State::Ended(refusal),
            (State::Pending(waiting), Ok(snapshot)) => {
                caught_up(Box::new(View::new(snapshot)), &waiting)
            }
            (State::CatchingUp(mut view, waiting), Ok(snapshot)) => {
                view.resync(snapshot);
                caught_up(view, &waiting)
            }
            (other @ (State::Ready(_) | State::Ended(_)), _) => other,
        };
        drop(state);
        self.changed.raise();
    }

    /// Changes were missed; the owner will be asked for a snapshot under a new number. False if
    /// that is no use any more.
    pub fn missed(&self, watch: u64) -> bool {
        let mut state = self.state.borrow_mut();
        let ended = State::Ended(Refusal::Unknown);
        *state = match std::mem::replace(&mut *state, ended) {
            // What waited was published before the next snapshot is taken.
            State::Pending(_) => State::Pending(Vec::new()),
            State::Ready(view) | State::CatchingUp(view, _) if !view.ended() => {
                State::CatchingUp(view, Vec::new())
            }
            other => other,
        };
        let asks = matches!(*state, State::Pending(_) | State::CatchingUp(..));
        if asks {
            self.watch.set(watch);
        }
        asks
    }

    /// A published change has come.
    pub fn apply(&self, change: &Arc<Change>) {
        let mut state = self.state.borrow_mut();
        match &mut *state {
            State::Pending(waiting) | State::CatchingUp(_, waiting)
                if waiting.len() < limits::CHANGES_BEFORE_SNAPSHOT_MAX =>
            {
                waiting.push(change.clone());
            }
            State::Pending(_) | State::CatchingUp(..) => *state = State::Ended(Refusal::Unknown),
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

    /// Sessions that pin more of what went than this core can hold.
    pub fn laggards(&self) -> Vec<SessionKey> {
        self.view().map(|view| view.laggards()).unwrap_or_default()
    }

    /// Whether no changes come any more.
    pub fn is_ended(&self) -> bool {
        match &*self.state.borrow() {
            State::Ended(_) => true,
            State::Ready(view) | State::CatchingUp(view, _) => view.ended(),
            State::Pending(_) => false,
        }
    }

    /// No changes come any more, as the owner is gone.
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
                State::Ready(_) | State::CatchingUp(..) | State::Pending(_) => {}
            }
            self.changed.changed(since).await;
        }
    }

    /// Waits until changes that were missed are made up for, if there are any.
    pub async fn settled(&self) {
        loop {
            let since = self.changed.version();
            if !matches!(&*self.state.borrow(), State::CatchingUp(..)) {
                return;
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
            State::Ready(view) | State::CatchingUp(view, _) => Some(&**view),
            State::Pending(_) | State::Ended(_) => None,
        })
        .ok()
    }

    /// As [`SharedView::view`], to change what is kept for the sessions.
    pub fn view_mut(&self) -> Option<RefMut<'_, View>> {
        RefMut::filter_map(self.state.borrow_mut(), |state| match state {
            State::Ready(view) | State::CatchingUp(view, _) => Some(&mut **view),
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

/// The view with the changes that came before its snapshot did.
fn caught_up(mut view: Box<View>, waiting: &[Arc<Change>]) -> State {
    let applied = waiting.iter().all(|change| match view.apply(change) {
        Applied::Done | Applied::Known => true,
        Applied::Gap => false,
    });
    if applied {
        State::Ready(view)
    } else {
        State::Ended(Refusal::Unknown)
    }
}
