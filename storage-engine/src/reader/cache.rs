//! What a reader keeps: bodies within a budget of bytes, open files within a number.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::ids::{Place, SegmentId};
use crate::reader::CachedFrame;

/// Bodies, summaries and maps that were written or read last.
/// `bytes` = sum of the payloads held, `<= bytes_max`; `by_age` and `frames` have the same keys.
pub(super) struct BodyCache {
    bytes_max: usize,
    bytes: usize,
    clock: u64,
    frames: HashMap<Place, (u64, CachedFrame)>,
    by_age: BTreeMap<u64, Place>,
}

impl BodyCache {
    pub(super) fn new(bytes_max: usize) -> BodyCache {
        let (frames, by_age) = (HashMap::new(), BTreeMap::new());
        BodyCache {
            bytes_max,
            bytes: 0,
            clock: 0,
            frames,
            by_age,
        }
    }

    pub(super) fn get(&mut self, place: Place) -> Option<CachedFrame> {
        let (age, frame) = self.frames.get_mut(&place)?;
        self.by_age.remove(age);
        self.clock += 1;
        *age = self.clock;
        self.by_age.insert(self.clock, place);
        Some(frame.clone())
    }

    pub(super) fn put(&mut self, place: Place, frame: CachedFrame) {
        // One frame may not push out everything else.
        if frame.payload.len() > self.bytes_max / 4 {
            return;
        }
        self.remove(place);
        self.bytes += frame.payload.len();
        self.clock += 1;
        self.by_age.insert(self.clock, place);
        self.frames.insert(place, (self.clock, frame));
        while self.bytes > self.bytes_max
            && let Some((_, oldest)) = self.by_age.first_key_value().map(|(a, p)| (*a, *p))
        {
            self.remove(oldest);
        }
    }

    pub(super) fn forget(&mut self, segment: SegmentId) {
        let gone: Vec<Place> = self
            .frames
            .keys()
            .filter(|place| place.segment == segment)
            .copied()
            .collect();
        gone.into_iter().for_each(|place| self.remove(place));
    }

    pub(super) fn remove(&mut self, place: Place) {
        if let Some((age, frame)) = self.frames.remove(&place) {
            self.by_age.remove(&age);
            self.bytes -= frame.payload.len();
        }
    }
}

/// Open files; the one that was used longest ago is closed first.
pub(super) struct Descriptors<F> {
    max: usize,
    clock: u64,
    files: HashMap<SegmentId, (u64, Rc<F>)>,
}

impl<F> Descriptors<F> {
    pub(super) fn new(max: usize) -> Descriptors<F> {
        Descriptors {
            max: max.max(1),
            clock: 0,
            files: HashMap::new(),
        }
    }

    pub(super) fn get(&mut self, segment: SegmentId) -> Option<Rc<F>> {
        self.clock += 1;
        let (age, file) = self.files.get_mut(&segment)?;
        *age = self.clock;
        Some(file.clone())
    }

    pub(super) fn put(&mut self, segment: SegmentId, file: Rc<F>) {
        if self.files.len() >= self.max {
            let oldest = self
                .files
                .iter()
                .min_by_key(|(_, (age, _))| *age)
                .map(|(id, _)| *id);
            oldest.map(|id| self.files.remove(&id));
        }
        self.clock += 1;
        self.files.insert(segment, (self.clock, file));
    }

    pub(super) fn remove(&mut self, segment: SegmentId) {
        self.files.remove(&segment);
    }
}
