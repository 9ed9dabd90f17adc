//! Sequence sets (RFC 3501 `sequence-set`), and sets of plain numbers for responses.

use super::{Cursor, Parsed, SyntaxError};
use crate::limits::SEQUENCE_RANGES_MAX;
use crate::response::string::number;

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequenceBound {
    /// A sequence number or UID; never zero.
    Number(u32),
    /// `*`: the largest number in use.
    Star,
}

/// A range as the client wrote it: either end may be the larger one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceRange {
    /// The first bound written.
    pub start: SequenceBound,
    /// The second bound written; equal to `start` for a single number.
    pub end: SequenceBound,
}

/// A sequence set as the client wrote it. Not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequenceSet {
    ranges: Vec<SequenceRange>,
}

/// An ascending range of numbers, both ends included, `1 <= first <= last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberRange {
    /// The smallest number.
    pub first: u32,
    /// The largest number.
    pub last: u32,
}

/// A set of numbers for a response code (COPYUID, APPENDUID, MODIFIED) or ESEARCH. Keeps the order
/// in which numbers were pushed, because COPYUID's two sets correspond by position (RFC 4315 3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberSet {
    ranges: Vec<NumberRange>,
}

impl SequenceSet {
    /// A set of these ranges; `None` if there are none, or a number is zero.
    pub fn new(ranges: Vec<SequenceRange>) -> Option<Self> {
        let zero = |bound: SequenceBound| bound == SequenceBound::Number(0);
        let valid = !ranges
            .iter()
            .any(|range| zero(range.start) || zero(range.end));
        (valid && !ranges.is_empty()).then_some(Self { ranges })
    }

    /// A set of one number, which must not be zero.
    pub fn single(number: u32) -> Option<Self> {
        let bound = SequenceBound::Number(number);
        Self::new(vec![SequenceRange {
            start: bound,
            end: bound,
        }])
    }

    /// The ranges as the client wrote them.
    pub fn ranges(&self) -> &[SequenceRange] {
        &self.ranges
    }

    /// Whether `*` occurs.
    pub fn has_star(&self) -> bool {
        self.ranges
            .iter()
            .any(|range| [range.start, range.end].contains(&SequenceBound::Star))
    }

    /// The ranges ascending, merged, and cut to `1..=max`, where `max` is the largest number in use
    /// (messages in the mailbox, or the largest UID) and what `*` stands for.
    ///
    /// RFC 3501 section 9: the ends may be in either order, and `559:*` includes the last message
    /// even when 559 is beyond it. With `max` zero nothing is in use and the result is empty.
    pub fn resolve(&self, max: u32) -> Vec<NumberRange> {
        let value = |bound| match bound {
            SequenceBound::Number(number) => number,
            SequenceBound::Star => max,
        };
        let mut resolved: Vec<NumberRange> = Vec::with_capacity(self.ranges.len());
        let mut ascending = true;
        for range in &self.ranges {
            let (start, end) = (value(range.start), value(range.end));
            let (first, last) = (start.min(end).max(1), start.max(end).min(max));
            if first <= last {
                ascending &= resolved.last().is_none_or(|before| before.last < first);
                resolved.push(NumberRange { first, last });
            }
        }
        if !ascending {
            resolved.sort_unstable_by_key(|range| range.first);
        }
        merge(&mut resolved);
        resolved
    }

    /// Whether the set names a number beyond `max` other than as an end of a range with `*`: for a
    /// sequence number that is an error of the client's (RFC 3501 section 9, `seq-number`).
    pub fn exceeds(&self, max: u32) -> bool {
        use SequenceBound::{Number, Star};
        self.ranges
            .iter()
            .any(|range| match (range.start, range.end) {
                (Number(start), Number(end)) => start.max(end) > max,
                (Star, Star) => max == 0,
                (Number(_), Star) | (Star, Number(_)) => max == 0,
            })
    }

    /// Writes the set as the client wrote it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for (index, range) in self.ranges.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            encode_bound(out, range.start);
            if range.start != range.end {
                out.push(b':');
                encode_bound(out, range.end);
            }
        }
    }
}

impl NumberSet {
    /// A set of one number.
    pub fn single(number: u32) -> Self {
        Self {
            ranges: vec![NumberRange {
                first: number,
                last: number,
            }],
        }
    }

    /// A set of these ranges, in this order.
    pub fn from_ranges(ranges: Vec<NumberRange>) -> Self {
        Self { ranges }
    }

    /// Adds `number` at the end, growing the last range where it follows on.
    pub fn push(&mut self, number: u32) {
        self.push_range(NumberRange {
            first: number,
            last: number,
        });
    }

    /// Adds a range at the end, growing the last range where it follows on.
    pub fn push_range(&mut self, range: NumberRange) {
        match self.ranges.last_mut() {
            Some(last) if last.last.checked_add(1) == Some(range.first) => last.last = range.last,
            _ => self.ranges.push(range),
        }
    }

    /// The ranges in order.
    pub fn ranges(&self) -> &[NumberRange] {
        &self.ranges
    }

    /// Every number in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges
            .iter()
            .flat_map(|range| range.first..=range.last)
    }

    /// Whether there are no numbers.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Writes the set, such as `1:3,7`. The grammar has no empty set: do not send one.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for (index, range) in self.ranges.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            number(out, range.first);
            if range.first != range.last {
                out.push(b':');
                number(out, range.last);
            }
        }
    }
}

impl FromIterator<u32> for NumberSet {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut set = Self::default();
        for number in numbers {
            set.push(number);
        }
        set
    }
}

/// Joins ranges that touch or overlap; they are sorted by their first number.
fn merge(ranges: &mut Vec<NumberRange>) {
    ranges.dedup_by(|next, kept| {
        let touches = next.first <= kept.last.saturating_add(1);
        if touches {
            kept.last = kept.last.max(next.last);
        }
        touches
    });
}

fn encode_bound(out: &mut Vec<u8>, bound: SequenceBound) {
    match bound {
        SequenceBound::Number(value) => number(out, value),
        SequenceBound::Star => out.push(b'*'),
    }
}

/// RFC 3501 `sequence-set`
pub fn sequence_set(cursor: &mut Cursor<'_>) -> Parsed<SequenceSet> {
    let mut ranges = Vec::new();
    loop {
        if ranges.len() >= SEQUENCE_RANGES_MAX {
            return Err(SyntaxError::TooMany("ranges in a sequence set"));
        }
        let start = sequence_bound(cursor)?;
        let end = if cursor.take_byte(b':') {
            sequence_bound(cursor)?
        } else {
            start
        };
        ranges.push(SequenceRange { start, end });
        if !cursor.take_byte(b',') {
            return Ok(SequenceSet { ranges });
        }
    }
}

/// RFC 3501 `seq-number`
fn sequence_bound(cursor: &mut Cursor<'_>) -> Parsed<SequenceBound> {
    if cursor.take_byte(b'*') {
        Ok(SequenceBound::Star)
    } else {
        cursor.nz_number().map(SequenceBound::Number)
    }
}

#[cfg(test)]
mod tests;
