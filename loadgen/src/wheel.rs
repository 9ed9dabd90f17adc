//! Timers of many connections: one wheel, no timer of the kernel's each.
//!
//! **Invariant:** pure; time is an argument. An entry fires in the turn of its slot, at most one
//! tick late and never early. Entries are not taken out: whoever set one checks, when it fires,
//! whether it still matters.

/// Slots of the wheel. With ticks of a millisecond it turns in 4 s, and longer waits go round.
const SLOTS: usize = 4_096;
/// The same for ticks.
const SLOT_MASK: u64 = 4_095;

/// A wheel of entries that carry the number of a connection.
#[derive(Debug)]
pub struct Wheel {
    slots: Vec<Vec<Entry>>,
    tick_ns: u64,
    /// The last tick that has fired.
    now: u64,
    count: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    tick: u64,
    owner: u32,
}

impl Wheel {
    /// An empty wheel that starts at `now_ns`.
    pub fn new(tick_ns: u64, now_ns: u64) -> Self {
        Self {
            slots: vec![Vec::new(); SLOTS],
            tick_ns,
            now: now_ns / tick_ns,
            count: 0,
        }
    }

    /// Fires `owner` at `at_ns` or at most a tick later.
    pub fn set(&mut self, owner: u32, at_ns: u64) {
        let tick = at_ns.div_ceil(self.tick_ns).max(self.now + 1);
        if let Some(slot) = self.slots.get_mut(place(tick)) {
            slot.push(Entry { tick, owner });
            self.count += 1;
        }
    }

    /// When the wheel wants to be turned, if that is within so many ticks from the last turn.
    pub fn next_ns(&self, ticks: u64) -> Option<u64> {
        if self.count == 0 {
            return None;
        }
        (self.now + 1..=self.now + ticks)
            .find(|tick| {
                self.slots
                    .get(place(*tick))
                    .is_some_and(|slot| !slot.is_empty())
            })
            .map(|tick| tick * self.tick_ns)
    }

    /// Turns the wheel to `now_ns`; `fired` gets the owners whose time has come.
    pub fn turn(&mut self, now_ns: u64, fired: &mut Vec<u32>) {
        let end = now_ns / self.tick_ns;
        // After a long sleep one round visits every slot.
        let start = (self.now + 1).max(end.saturating_sub(SLOT_MASK));
        for tick in start..=end {
            let Some(slot) = self.slots.get_mut(place(tick)) else {
                continue;
            };
            if slot.is_empty() {
                continue;
            }
            let before = slot.len();
            slot.retain(|entry| {
                let is_due = entry.tick <= end;
                if is_due {
                    fired.push(entry.owner);
                }
                !is_due
            });
            self.count -= before - slot.len();
        }
        self.now = self.now.max(end);
    }
}

fn place(tick: u64) -> usize {
    usize::try_from(tick & SLOT_MASK).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Wheel;

    /// Sets entries at these times and turns the wheel to each time: who fires then?
    fn check(entries: &[u64], turns: &[(u64, &[u32])]) {
        let mut wheel = Wheel::new(10, 1_000);
        for (owner, at) in (0..).zip(entries) {
            wheel.set(owner, *at);
        }
        for (now, expected) in turns {
            let mut fired = Vec::new();
            wheel.turn(*now, &mut fired);
            fired.sort_unstable();
            assert_eq!(&fired, expected, "{entries:?} at {now}");
        }
    }

    #[test]
    fn entries_fire_in_time_and_once() {
        check(&[1_010], &[(1_009, &[]), (1_010, &[0]), (1_020, &[])]);
        check(&[1_011], &[(1_019, &[]), (1_020, &[0])]);
        check(&[1_030, 1_020], &[(1_020, &[1]), (1_500, &[0])]);
        check(&[5], &[(1_005, &[]), (1_010, &[0])]);
    }

    #[test]
    fn entries_of_later_rounds_wait() {
        let round = 4_096 * 10;
        check(
            &[1_010 + round, 1_010],
            &[(1_010, &[1]), (1_000 + round, &[]), (1_010 + round, &[0])],
        );
    }

    #[test]
    fn a_long_sleep_loses_nothing() {
        let late = 1_000_000_000;
        check(&[1_010, 2_000, 50_000, 900_000], &[(late, &[0, 1, 2, 3])]);
    }

    #[test]
    fn the_wheel_tells_when_it_wants_to_be_turned() {
        let mut wheel = Wheel::new(10, 1_000);
        assert_eq!(wheel.next_ns(20), None);
        wheel.set(3, 1_095);
        assert_eq!(wheel.next_ns(20), Some(1_100));
        assert_eq!(wheel.next_ns(9), None);
        let mut fired = Vec::new();
        wheel.turn(90_000, &mut fired);
        assert_eq!((wheel.next_ns(20), fired), (None, vec![3]));
    }
}
