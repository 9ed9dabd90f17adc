//! Which messages went with which MODSEQ: what QRESYNC will answer from (RFC 7162 3.2.5.2).

use std::collections::VecDeque;

use crate::ids::ModSeq;
use crate::request::UidRange;
use crate::state_limits::EXPUNGE_HISTORY_MAX;

/// Complete for every expunge with a MODSEQ above `floor`; at most `EXPUNGE_HISTORY_MAX` ranges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpungeHistory {
    pub(super) floor: ModSeq,
    pub(super) ranges: VecDeque<(UidRange, ModSeq)>,
}

impl ExpungeHistory {
    /// Notes an expunge, with a MODSEQ above all noted before.
    pub fn note(&mut self, uids: &[UidRange], mod_seq: ModSeq) {
        self.ranges
            .extend(uids.iter().map(|range| (*range, mod_seq)));
        while self.ranges.len() > EXPUNGE_HISTORY_MAX {
            if let Some((_, dropped)) = self.ranges.pop_front() {
                self.floor = dropped;
            }
        }
        // An expunge of which a part was dropped is not known any more.
        while self.ranges.front().is_some_and(|(_, at)| *at <= self.floor) {
            self.ranges.pop_front();
        }
    }

    /// What went after `since`, in the order it went; None when that is too long ago to say.
    pub fn since(&self, since: ModSeq) -> Option<impl Iterator<Item = UidRange> + '_> {
        let later = self.ranges.iter().filter(move |(_, at)| *at > since);
        (since >= self.floor).then(|| later.map(|(range, _)| *range))
    }
}
