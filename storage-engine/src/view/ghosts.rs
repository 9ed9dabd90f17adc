//! Messages that went but that some session of the core has not been told of.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::{ChangeNumber, ModSeq, Uid};
use crate::index::Entry;

/// A message that went.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ghost {
    /// Its last state.
    pub entry: Entry,
    /// The change in which it went.
    pub went: ChangeNumber,
}

/// All ghosts, by UID and in the order they went.
#[derive(Debug, Default)]
pub(super) struct Ghosts {
    by_uid: BTreeMap<Uid, Ghost>,
    order: VecDeque<Going>,
}

#[derive(Debug)]
struct Going {
    went: ChangeNumber,
    mod_seq: ModSeq,
    uids: Vec<Uid>,
}

impl Ghosts {
    /// These messages went in this change, the newest of all.
    pub fn note(&mut self, entries: Vec<Entry>, went: ChangeNumber, mod_seq: ModSeq) {
        if entries.is_empty() {
            return;
        }
        let uids = entries.iter().map(|entry| entry.uid).collect();
        let ghosts = entries.into_iter();
        let ghosts = ghosts.map(|entry| (entry.uid, Ghost { entry, went }));
        self.by_uid.extend(ghosts);
        let going = Going {
            went,
            mod_seq,
            uids,
        };
        self.order.push_back(going);
    }

    pub fn len(&self) -> usize {
        self.by_uid.len()
    }

    pub fn get(&self, uid: Uid) -> Option<&Ghost> {
        self.by_uid.get(&uid)
    }

    /// The change of the newest going that is still held.
    pub fn newest(&self) -> ChangeNumber {
        let newest = self.order.back();
        newest.map_or(ChangeNumber(0), |going| going.went)
    }

    /// MODSEQ of the first going after this change.
    pub fn first_mod_seq_after(&self, told: ChangeNumber) -> Option<ModSeq> {
        let at = self.order.partition_point(|going| going.went <= told);
        self.order.get(at).map(|going| going.mod_seq)
    }

    /// Ghosts that went after `told`, with `first <= uid < end`, ascending by UID.
    pub fn range(
        &self,
        told: ChangeNumber,
        first: Uid,
        end: Uid,
    ) -> impl Iterator<Item = &Ghost> + use<'_> {
        // Most sessions have been told of everything: then there is nothing to search.
        let some = (self.newest() > told && first < end).then_some(first..end);
        let ghosts = some.into_iter().flat_map(|range| self.by_uid.range(range));
        ghosts
            .map(|(_, ghost)| ghost)
            .filter(move |ghost| ghost.went > told)
    }

    /// Everybody has been told of what went up to here.
    pub fn trim(&mut self, told: ChangeNumber) {
        while self.order.front().is_some_and(|going| going.went <= told) {
            for uid in self
                .order
                .pop_front()
                .into_iter()
                .flat_map(|going| going.uids)
            {
                self.by_uid.remove(&uid);
            }
        }
    }

    /// Frames of a message that went may still move while it is served.
    pub fn entry_mut(&mut self, uid: Uid) -> Option<&mut Entry> {
        self.by_uid.get_mut(&uid).map(|ghost| &mut ghost.entry)
    }
}
