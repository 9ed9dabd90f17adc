//! When the operations of an open loop are meant to start.
//!
//! **Invariant:** pure; time is an argument. The plan never waits for the server: an arrival has
//! its time whether or not anybody is free to make it.

use crate::random::Random;

/// How the gaps between arrivals are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Gaps {
    /// As of many clients that know nothing of each other (a Poisson process).
    Exponential,
    /// All the same.
    Fixed,
}

/// The arrivals of one run.
#[derive(Debug)]
pub struct Pacing {
    gaps: Gaps,
    mean_ns: f64,
    /// The next arrival, kept as a fraction so that a rate is met over hours.
    next_ns: f64,
    random: Random,
}

impl Pacing {
    /// `rate_per_s` arrivals a second from `start_ns` on; the rate is above zero.
    pub fn new(gaps: Gaps, rate_per_s: f64, start_ns: u64, random: Random) -> Self {
        let mut pacing = Self {
            gaps,
            mean_ns: 1e9 / rate_per_s,
            next_ns: float(start_ns),
            random,
        };
        pacing.advance();
        pacing
    }

    /// When the next arrival is meant to be.
    pub fn next_ns(&self) -> u64 {
        whole(self.next_ns)
    }

    /// The next arrival, if its time has come.
    pub fn due(&mut self, now_ns: u64) -> Option<u64> {
        let next_ns = self.next_ns();
        if next_ns > now_ns {
            return None;
        }
        self.advance();
        Some(next_ns)
    }

    fn advance(&mut self) {
        self.next_ns += match self.gaps {
            Gaps::Fixed => self.mean_ns,
            // The inverse of the distribution's function; the fraction is never zero.
            Gaps::Exponential => -self.random.fraction().ln() * self.mean_ns,
        };
    }
}

#[allow(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "nanoseconds of a run stay far below 2^53"
)]
fn float(nanoseconds: u64) -> f64 {
    nanoseconds as f64
}

#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` from a float saturates, and the value is not negative"
)]
fn whole(nanoseconds: f64) -> u64 {
    nanoseconds as u64
}

#[cfg(test)]
mod tests {
    use super::{Gaps, Pacing};
    use crate::random::Random;

    fn arrivals(gaps: Gaps, rate_per_s: f64, end_ns: u64) -> Vec<u64> {
        let mut pacing = Pacing::new(gaps, rate_per_s, 1_000, Random::new(11, 0));
        std::iter::from_fn(|| pacing.due(end_ns)).collect()
    }

    #[test]
    fn fixed_gaps_are_all_the_same_and_do_not_drift() {
        let found = arrivals(Gaps::Fixed, 3.0, 1_000 + 3_000_000_000);
        assert_eq!(found.len(), 9);
        assert_eq!(found.first(), Some(&333_334_333));
        assert_eq!(found.last(), Some(&3_000_001_000));
    }

    #[test]
    fn exponential_gaps_keep_the_rate_and_vary() {
        let found = arrivals(Gaps::Exponential, 10_000.0, 10_000_000_000);
        // 100,000 are expected; the deviation of a Poisson process is 316.
        assert!((98_000..102_000).contains(&found.len()), "{}", found.len());
        let gaps: Vec<u64> = found.windows(2).map(|pair| pair[1] - pair[0]).collect();
        // A share of 1/e is longer than the mean.
        let long = gaps.iter().filter(|gap| **gap > 100_000).count();
        assert!((35_000..39_000).contains(&long), "{long}");
    }

    #[test]
    fn arrivals_keep_their_times_however_late_they_are_asked_for() {
        let mut early = Pacing::new(Gaps::Exponential, 100.0, 0, Random::new(5, 0));
        let mut late = Pacing::new(Gaps::Exponential, 100.0, 0, Random::new(5, 0));
        let mut expected = Vec::new();
        for now in (0..1_000_000_000).step_by(1_000_000) {
            expected.extend(std::iter::from_fn(|| early.due(now)));
        }
        let found: Vec<u64> = std::iter::from_fn(|| late.due(999_000_000)).collect();
        assert_eq!(found, expected);
        assert!(!found.is_empty());
    }
}
