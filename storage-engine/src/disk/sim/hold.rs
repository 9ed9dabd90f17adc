//! A disk that stands still for a while, as real ones do.

use std::future::poll_fn;
use std::task::{Poll, Waker};

use super::SimDisk;

/// Whether operations wait, and which do.
#[derive(Default)]
pub(super) struct Hold {
    held: bool,
    waiting: Vec<Waker>,
}

impl SimDisk {
    /// From here on every operation waits, reads included.
    pub fn hold(&self) {
        self.state.borrow_mut().hold.held = true;
    }

    /// The operations that wait go on.
    pub fn release(&self) {
        let mut state = self.state.borrow_mut();
        state.hold.held = false;
        state.hold.waiting.drain(..).for_each(Waker::wake);
    }

    /// Waits as long as the disk stands still.
    pub(super) async fn held(&self) {
        poll_fn(|context| {
            let hold = &mut self.state.borrow_mut().hold;
            if !hold.held {
                return Poll::Ready(());
            }
            hold.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
