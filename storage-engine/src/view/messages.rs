//! Walks a session's messages with their sequence numbers: one step a message.

use std::borrow::Cow;
use std::iter::Peekable;
use std::ops::ControlFlow;

use super::ghosts::Ghost;
use super::{SessionView, View};
use crate::ids::Uid;
use crate::index::{EntryRef, EntryRefs};
use crate::request::UidRange;

/// Messages of ascending UID ranges, `(sequence number, message)`, those included that went but
/// that the session has not been told of.
pub struct Messages<'a> {
    view: &'a View,
    end: Uid,
    ranges: Cow<'a, [UidRange]>,
    next_range: usize,
    range_last: Uid,
    live: Peekable<EntryRefs<'a>>,
    ghosts: Peekable<Box<dyn Iterator<Item = &'a Ghost> + 'a>>,
    /// The session's ghosts below where the walk is.
    ghosts_passed: u32,
    sequence: u32,
}

impl<'a> Messages<'a> {
    pub(super) fn new(
        session: &SessionView,
        view: &'a View,
        uids: Cow<'a, [UidRange]>,
    ) -> Messages<'a> {
        let ghosts: Box<dyn Iterator<Item = &'a Ghost> + 'a> =
            Box::new(view.ghosts.range(session.went, Uid(1), session.told_next));
        Messages {
            view,
            end: session.told_next,
            ranges: uids,
            next_range: 0,
            range_last: Uid(0),
            live: view.index.refs(Uid(1), Uid(0)).peekable(),
            ghosts: ghosts.peekable(),
            ghosts_passed: 0,
            sequence: 0,
        }
    }

    /// Shows what is left until `look` has enough. Where no message went that the session still
    /// counts, it is a walk over pages alone, several times as fast as one by [`Iterator::next`].
    pub fn walk(
        &mut self,
        mut look: impl FnMut(u32, EntryRef<'a>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        loop {
            let last = self.range_last;
            let ghost = self.ghosts.peek();
            if ghost.is_some_and(|ghost| ghost.entry.uid <= last) {
                while let Some(message) = self.next_in_range() {
                    self.sequence += 1;
                    look(self.sequence, message)?;
                }
            } else {
                let sequence = &mut self.sequence;
                self.live.try_for_each(|message| {
                    *sequence += 1;
                    look(*sequence, message)
                })?;
            }
            if self.next_range().is_none() {
                return ControlFlow::Continue(());
            }
        }
    }

    /// Goes to the next range; None when there is none.
    fn next_range(&mut self) -> Option<()> {
        let range = *self.ranges.get(self.next_range)?;
        self.next_range += 1;
        while self
            .ghosts
            .next_if(|ghost| ghost.entry.uid < range.first)
            .is_some()
        {
            self.ghosts_passed += 1;
        }
        self.range_last = range.last.min(Uid(self.end.0.saturating_sub(1)));
        self.live = self
            .view
            .index
            .refs(range.first, self.range_last)
            .peekable();
        self.sequence = self.view.index.rank(range.first) + self.ghosts_passed;
        Some(())
    }

    fn next_in_range(&mut self) -> Option<EntryRef<'a>> {
        let last = self.range_last;
        let before = self.live.peek().map(EntryRef::uid);
        let ghost = self.ghosts.next_if(|ghost| {
            ghost.entry.uid <= last && before.is_none_or(|live| ghost.entry.uid < live)
        });
        match ghost {
            Some(ghost) => {
                self.ghosts_passed += 1;
                Some(EntryRef::apart(&ghost.entry))
            }
            None => self.live.next(),
        }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = (u32, EntryRef<'a>);

    fn next(&mut self) -> Option<(u32, EntryRef<'a>)> {
        loop {
            if let Some(message) = self.next_in_range() {
                self.sequence += 1;
                return Some((self.sequence, message));
            }
            self.next_range()?;
        }
    }
}
