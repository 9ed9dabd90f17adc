//! Which messages changed flags, and when, as far as some session has not been told.
//!
//! Changes are coalesced: a message has its newest change and, if that was somebody's silent one,
//! the newest that was not. A log in change order finds those that a session has not been told
//! of without a walk over all; it is compacted when it outgrows the map.

use std::collections::{BTreeMap, VecDeque};

use super::By;
use crate::account::RangeBuilder;
use crate::ids::{ChangeNumber, SessionKey, Uid};
use crate::request::UidRange;

/// Messages that the log may name beyond twice those that changed before it is compacted. Counted
/// one by one, as one change of a whole mailbox is a single range: what a session is told of, and
/// what is forgotten then, costs as much as the messages that are named.
const LOG_SLACK: usize = 64;

/// What is known of one message's flag changes.
#[derive(Debug, Clone, Copy)]
struct Track {
    last: ChangeNumber,
    /// Whose silent change the last one was.
    silent_of: Option<SessionKey>,
    /// The newest change that was not a silent one of `silent_of`; 0 = none.
    last_other: ChangeNumber,
}

/// All of them. `log` names each message at least at its `last`.
#[derive(Debug, Default)]
pub(super) struct FlagChanges {
    tracks: BTreeMap<Uid, Track>,
    log: VecDeque<(ChangeNumber, Vec<UidRange>)>,
    /// Messages that the log names, those several times that changed several times.
    named: usize,
}

impl FlagChanges {
    /// These messages (ascending) changed flags in this change, the newest of all.
    pub fn note(&mut self, number: ChangeNumber, uids: impl Iterator<Item = Uid>, by: Option<By>) {
        let silent_of = by.filter(|by| by.silent).map(|by| by.session);
        let mut named = RangeBuilder::default();
        for uid in uids {
            named.push(uid);
            let track = self.tracks.entry(uid).or_insert(Track {
                last: ChangeNumber(0),
                silent_of: None,
                last_other: ChangeNumber(0),
            });
            if silent_of.is_none() || silent_of != track.silent_of {
                // All that was there before is somebody else's, or not silent.
                track.last_other = track.last;
            }
            track.silent_of = silent_of;
            track.last = number;
        }
        let ranges = named.finish();
        self.named += messages(&ranges);
        self.log.push_back((number, ranges));
        if self.named > 2 * self.tracks.len() + LOG_SLACK {
            self.compact();
        }
    }

    /// The newest change that is still held.
    pub fn newest(&self) -> ChangeNumber {
        let newest = self.log.back();
        newest.map_or(ChangeNumber(0), |(number, _)| *number)
    }

    /// Messages that changed after `told`, ascending.
    pub fn since(&self, told: ChangeNumber) -> Vec<UidRange> {
        let from = self.log.partition_point(|(number, _)| *number <= told);
        let mut later = self.log.iter().skip(from);
        if self.log.len() == from + 1 {
            return later
                .next()
                .map(|(_, uids)| uids.clone())
                .unwrap_or_default();
        }
        let ranges = later.flat_map(|(_, uids)| uids);
        let uids = ranges.flat_map(|range| range.first.0..=range.last.0);
        let mut uids: Vec<u32> = uids.collect();
        uids.sort_unstable();
        uids.dedup();
        RangeBuilder::from_iter(uids.into_iter().map(Uid)).finish()
    }

    /// Whether all changes of this message after `told` are silent ones of this session.
    pub fn only_own_silent(&self, uid: Uid, told: ChangeNumber, session: SessionKey) -> bool {
        let track = self.tracks.get(&uid);
        track.is_some_and(|track| track.silent_of == Some(session) && track.last_other <= told)
    }

    /// Everybody has been told of flags up to here.
    pub fn trim(&mut self, told: ChangeNumber) {
        while self.log.front().is_some_and(|(number, _)| *number <= told) {
            let Some((number, uids)) = self.log.pop_front() else {
                return;
            };
            self.named -= messages(&uids);
            for range in uids {
                for uid in (range.first.0..=range.last.0).map(Uid) {
                    if self
                        .tracks
                        .get(&uid)
                        .is_some_and(|track| track.last == number)
                    {
                        self.tracks.remove(&uid);
                    }
                }
            }
        }
    }

    fn compact(&mut self) {
        let mut log: BTreeMap<ChangeNumber, RangeBuilder> = BTreeMap::new();
        for (uid, track) in &self.tracks {
            log.entry(track.last).or_default().push(*uid);
        }
        let log = log.into_iter();
        self.log = log.map(|(number, uids)| (number, uids.finish())).collect();
        self.named = self.tracks.len();
    }
}

fn messages(ranges: &[UidRange]) -> usize {
    let count = |range: &UidRange| range.last.0.saturating_sub(range.first.0).saturating_add(1);
    let counts = ranges.iter().map(count);
    counts
        .map(|count| usize::try_from(count).unwrap_or(usize::MAX))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each of these changes is one range, so that counting ranges let a client name a mailbox
    /// ten thousand times over: gigabytes for the next session that was told of it.
    #[test]
    fn many_changes_of_a_whole_mailbox_are_coalesced() {
        let mut changes = FlagChanges::default();
        for number in 1..=1_000 {
            changes.note(ChangeNumber(number), (1..=500).map(Uid), None);
            assert!(changes.named <= 2 * 500 + LOG_SLACK, "{}", changes.named);
        }
        let all = [UidRange {
            first: Uid(1),
            last: Uid(500),
        }];
        assert_eq!(changes.since(ChangeNumber(999)), all);
        assert_eq!(changes.since(ChangeNumber(3)), all);
        assert_eq!(changes.since(ChangeNumber(1_000)), []);
        changes.trim(ChangeNumber(1_000));
        assert!(changes.tracks.is_empty() && changes.log.is_empty() && changes.named == 0);
    }
}
