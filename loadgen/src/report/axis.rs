//! Where the numbers beside a chart stand, and what they say.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::number::{grouped, quotient};

/// Numbers that a linear axis has at most.
const TICKS_MAX: f64 = 5.0;
/// Decades from which on a logarithmic axis shows whole ones only.
const DECADES_WHOLE: f64 = 2.5;
/// How far a logarithmic axis reaches beyond what it shows, in decades.
const LOG_MARGIN: f64 = 0.06;
/// What a logarithmic axis shows of nothing: a microsecond, in milliseconds.
const SMALLEST_MS: f64 = 0.001;

/// One axis of a chart.
#[derive(Clone, Debug)]
pub struct Axis {
    /// Its ends. A logarithmic axis has powers of ten here.
    low: f64,
    high: f64,
    /// Where it has numbers.
    ticks: Vec<f64>,
    /// What a number says.
    label: fn(f64) -> String,
}

impl Axis {
    /// From zero to a round number beyond `most`.
    pub fn from_zero(most: f64, label: fn(f64) -> String) -> Self {
        let most = if most > 0.0 { most } else { 1.0 };
        let step = round_step(most / TICKS_MAX);
        let count = (most / step).ceil();
        Self {
            low: 0.0,
            high: step * count,
            ticks: ticks(step, count),
            label,
        }
    }

    /// Seconds of a run: it ends where the run ends.
    pub fn seconds(last_s: f64) -> Self {
        let mut axis = Self::from_zero(last_s, |at_s| format!("{at_s} s"));
        axis.high = if last_s > 0.0 { last_s } else { 1.0 };
        axis.ticks.retain(|tick| *tick <= last_s);
        axis
    }

    /// Powers of ten of milliseconds, around what is shown.
    pub fn latencies(shown_ms: impl Iterator<Item = f64> + Clone) -> Self {
        let exponents = shown_ms.map(latency_position);
        let least = exponents.clone().fold(f64::INFINITY, f64::min);
        let most = exponents.fold(f64::NEG_INFINITY, f64::max);
        let (least, most) = if least <= most {
            (least, most)
        } else {
            (0.0, 0.0)
        };
        let factors: &[f64] = if most - least > DECADES_WHOLE {
            &[1.0]
        } else {
            &[1.0, 2.0, 5.0]
        };
        let position = |decade: f64, factor: f64| decade + factor.log10();
        let decades = decades(least.floor() - 1.0, most.ceil() + 1.0);
        let all: Vec<f64> = decades
            .iter()
            .flat_map(|decade| factors.iter().map(move |factor| position(*decade, *factor)))
            .collect();
        let below = all.iter().copied().filter(|tick| *tick <= least);
        let above = all.iter().copied().filter(|tick| *tick >= most);
        let low = below.fold(least - 1.0, f64::max);
        let high = above.fold(most + 1.0, f64::min);
        Self {
            low: low - LOG_MARGIN,
            high: high + LOG_MARGIN,
            ticks: all
                .into_iter()
                .filter(|tick| low <= *tick && *tick <= high)
                .collect(),
            label: |exponent| time(10_f64.powf(exponent)),
        }
    }

    /// Shares of all operations, each step a tenth of what the last left: 0, 90 %, 99 % ...
    pub fn shares(last: f64) -> Self {
        let high = last.max(1.0);
        Self {
            low: 0.0,
            high,
            ticks: decades(0.0, high),
            label: share,
        }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        plotters::coord::types::RangedCoordf64::from(self.low..self.high).map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        value.to_string()
    }

    fn format_ext(&self, value: &f64) -> String {
        (self.label)(*value)
    }
}

/// Where a latency stands on its axis.
pub fn latency_position(latency_ms: f64) -> f64 {
    latency_ms.max(SMALLEST_MS).log10()
}

/// Where a share of all operations stands on its axis; all of them stand nowhere.
pub fn share_position(share: f64) -> f64 {
    -(1.0 - share).max(f64::MIN_POSITIVE).log10()
}

/// The next of 1, 2, 5, 10, 20 ... that is not below `least`.
fn round_step(least: f64) -> f64 {
    let decade = 10_f64.powf(least.log10().floor());
    let candidates = [1.0, 2.0, 5.0].map(|factor| factor * decade);
    let is_enough = |step: &f64| *step >= least * 0.999;
    candidates
        .into_iter()
        .find(is_enough)
        .unwrap_or(decade * 10.0)
}

fn ticks(step: f64, count: f64) -> Vec<f64> {
    decades(0.0, count).into_iter().map(|n| n * step).collect()
}

/// Whole numbers from `first` to `last`.
fn decades(first: f64, last: f64) -> Vec<f64> {
    let next = |n: &f64| Some(n + 1.0).filter(|n| *n <= last);
    std::iter::successors(Some(first), next).collect()
}

/// A count on an axis.
pub fn count(value: f64) -> String {
    if value > 0.0 && value < 10.0 {
        return format!("{value:.1}").trim_end_matches(".0").to_owned();
    }
    let whole = format!("{value:.0}");
    whole.parse().map_or(whole, grouped)
}

/// Per cent on an axis.
pub fn percent(value: f64) -> String {
    format!("{} %", count(value))
}

fn time(milliseconds: f64) -> String {
    let (value, unit) = if milliseconds < 0.9 {
        (milliseconds * 1e3, "us")
    } else if milliseconds < 900.0 {
        (milliseconds, "ms")
    } else {
        (milliseconds / 1e3, "s")
    };
    format!("{value:.0} {unit}")
}

fn share(position: f64) -> String {
    let digits = if position < 2.5 { 0 } else { 3 };
    let left = quotient(100.0, 10_f64.powf(position));
    let shown = format!("{:.digits$}", 100.0 - left);
    let shown = if digits == 0 {
        &shown
    } else {
        shown.trim_end_matches('0')
    };
    format!("{shown} %")
}
