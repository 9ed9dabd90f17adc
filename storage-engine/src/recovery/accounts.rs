//! What recovery found of each account, put in order.

use std::collections::HashMap;

use crate::ids::{AccountId, Epoch, Lsn, Place};
use crate::record::{Record, decode_frame};
use crate::recovery::{Indexes, LSN_NONE, RecoveryReport};

/// What an account begins with: a state on the disk and the records behind it.
#[derive(Debug, Clone)]
pub struct AccountStart {
    /// The state.
    pub base: Base,
    /// Metadata frames behind it, LSNs ascending without a hole.
    pub tail: Vec<Tail>,
    /// A record is lost: the account is read-only from here on.
    pub gap: bool,
}

/// The newest state of an account that a checkpoint wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// None: all comes from the tail.
    Nothing,
    /// In this frame.
    At {
        /// The state holds everything up to here.
        lsn: Lsn,
        /// The account state frame.
        place: Place,
    },
    /// The account was deleted by this record.
    Deleted {
        /// The record.
        lsn: Lsn,
    },
}

/// The payload of one metadata frame.
#[derive(Debug, Clone)]
pub struct Tail {
    /// Its LSN.
    pub lsn: Lsn,
    /// Who wrote it.
    pub epoch: Epoch,
    /// The records.
    pub payload: Box<[u8]>,
}

impl Base {
    /// The newest LSN that is in it.
    pub fn lsn(&self) -> Lsn {
        match self {
            Base::Nothing => LSN_NONE,
            Base::At { lsn, .. } | Base::Deleted { lsn } => *lsn,
        }
    }
}

/// One account while the log is read: frames in any order, some of them twice.
#[derive(Debug)]
pub(super) struct Gathered {
    pub base: Base,
    pub frames: Vec<Tail>,
    /// Records were lost in an earlier process.
    pub gap: bool,
    /// Highest LSN of a damaged frame that seems to be this account's.
    pub damaged: Lsn,
}

impl Gathered {
    pub(super) fn new(base: Base) -> Gathered {
        Gathered {
            base,
            frames: Vec::new(),
            gap: false,
            damaged: LSN_NONE,
        }
    }

    /// A frame was read.
    pub(super) fn push(&mut self, tail: Tail) {
        if tail.lsn > self.base.lsn() {
            self.frames.push(tail);
        }
    }

    /// The tables were asked. False: they have everything.
    pub(super) fn begin_with(&mut self, begin: Gathered) -> bool {
        (self.base, self.gap) = (begin.base, begin.gap);
        let base = self.base.lsn();
        self.frames.retain(|frame| frame.lsn > base);
        !self.frames.is_empty()
    }
}

/// Orders each account's frames, drops doubles, finds gaps. Accounts of which nothing holds are
/// dropped, and those of which the tables say all.
pub(super) fn settle(
    gathered: HashMap<AccountId, Gathered>,
    indexes: Indexes,
    report: &mut RecoveryReport,
) -> HashMap<AccountId, AccountStart> {
    let mut settled = HashMap::with_capacity(gathered.len());
    for (account, one) in gathered {
        let (damaged, known_gap) = (one.damaged, one.gap);
        let in_tables = one.base != Base::Nothing;
        let begin = settle_one(one, indexes);
        let newest = begin.tail.last().map_or(begin.base.lsn(), |tail| tail.lsn);
        if newest == LSN_NONE && !begin.gap {
            continue;
        }
        let begin = AccountStart {
            gap: begin.gap || damaged > newest,
            ..begin
        };
        let is_in_table = begin.base != Base::Nothing && begin.tail.is_empty();
        if is_in_table && begin.gap == known_gap {
            continue;
        }
        report.accounts += u64::from(!in_tables);
        report.read_only.remove(&account);
        if begin.gap {
            tracing::error!(%account, ?newest, "records are lost: the account is read-only");
            report.read_only.insert(account);
        }
        report.frames += u64::try_from(begin.tail.len()).unwrap_or(0);
        settled.insert(account, begin);
    }
    settled
}

fn settle_one(one: Gathered, indexes: Indexes) -> AccountStart {
    let mut frames = one.frames;
    // Copies made by compaction are equal; where two are not, the newer process knew better.
    frames.sort_by(|a, b| a.lsn.cmp(&b.lsn).then(b.epoch.cmp(&a.epoch)));
    frames.dedup_by_key(|frame| frame.lsn);
    let base = match indexes {
        Indexes::Use => one.base,
        Indexes::Ignore => Base::Nothing,
    };
    let lost = one.gap && base != Base::Nothing;
    let next = Lsn(base.lsn().0 + 1);
    frames.retain(|frame| frame.lsn >= next);
    let (mut tail, mut rest) = contiguous(frames, next);
    let mut base = base;
    let mut gap = lost || !rest.is_empty();
    // The records before a restatement may be gone, all of them or some: it begins anew.
    while !rest.is_empty() {
        let at = first_restatement(&rest);
        let behind = rest.split_off(at);
        let Some(first) = behind.first().map(|frame| frame.lsn) else {
            break;
        };
        (tail, rest) = contiguous(behind, first);
        (base, gap) = (Base::Nothing, !rest.is_empty());
    }
    AccountStart { base, tail, gap }
}

/// Frames from `next` on without a hole, and those behind the hole.
fn contiguous(mut frames: Vec<Tail>, next: Lsn) -> (Vec<Tail>, Vec<Tail>) {
    let hole = (next.0..)
        .zip(&frames)
        .position(|(expected, frame)| frame.lsn.0 != expected);
    let rest = frames.split_off(hole.unwrap_or(frames.len()));
    (frames, rest)
}

/// Index of the first frame from which on the frames say all of the account, or their number.
fn first_restatement(frames: &[Tail]) -> usize {
    (0..frames.len())
        .find(|at| frames.get(*at..).is_some_and(is_whole))
        .unwrap_or(frames.len())
}

/// Whether a restatement begins with the first of these frames and all its parts are there, one
/// behind the other. One that a crash cut short says nothing.
fn is_whole(frames: &[Tail]) -> bool {
    let Some(first) = frames.first() else {
        return false;
    };
    let parts = match first_record(first) {
        Some(Record::AccountDeleted) => return true,
        Some(Record::Restated { part: 0, parts, .. }) => parts,
        _ => return false,
    };
    let mut behind = frames.iter();
    (0..parts).all(|expected| {
        behind.next().is_some_and(|frame| {
            let part = match first_record(frame) {
                Some(Record::Restated {
                    part, parts: of, ..
                }) if of == parts => part,
                _ => return false,
            };
            part == expected && frame.lsn.0 == first.lsn.0 + u64::from(expected)
        })
    })
}

fn first_record(frame: &Tail) -> Option<Record> {
    decode_frame(&frame.payload).ok()?.into_iter().next()
}
