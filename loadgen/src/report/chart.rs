//! Charts as SVG that stands inside a page.
//!
//! The colours drawn here are only names: the page gives each of them its own colour in a light
//! and in a dark setting.

use plotters::coord::Shift;
use plotters::prelude::{
    ChartBuilder, Color, DrawingArea, DrawingAreaErrorKind, IntoDrawingArea, LineSeries, RGBColor,
    SVGBackend,
};
use plotters::style::IntoFont;

use super::axis::{self, Axis};
use super::figures::Report;
use super::interval::Interval;
use super::number::{float, grouped, quotient};

/// Width and height of a chart in its own units.
const SIZE: (u32, u32) = (920, 540);
/// Height of the axes' letters. A phone shows them at a third of this.
const LETTER: f64 = 33.0;
/// Room for the numbers beside the vertical axis.
const LEFT: u32 = 124;
/// Room for the numbers below the horizontal axis.
const BELOW: u32 = 56;
/// Room above and to the right, where half a number stands.
const AROUND: u32 = 40;
/// Width of a line.
const STROKE: u32 = 4;
/// Points of a line; more than this nobody can see.
const POINTS_MAX: usize = 300;
/// Seconds of waiting for the last answers that are shown as an interval of their own.
const WAIT_SHOWN_S: f64 = 0.5;
/// Curves of one chart; more than this nobody can tell apart.
const CURVES_MAX: usize = 8;
/// The names of the lines' colours.
const LINES: [RGBColor; CURVES_MAX] = [
    RGBColor(1, 0, 0),
    RGBColor(2, 0, 0),
    RGBColor(3, 0, 0),
    RGBColor(4, 0, 0),
    RGBColor(5, 0, 0),
    RGBColor(6, 0, 0),
    RGBColor(7, 0, 0),
    RGBColor(8, 0, 0),
];
/// The names of the colours of axes, grid and letters.
const AXIS: RGBColor = RGBColor(0, 1, 0);
const GRID: RGBColor = RGBColor(0, 2, 0);
const LETTERS: RGBColor = RGBColor(0, 3, 0);

/// A chart could not be drawn.
pub type ChartError = DrawingAreaErrorKind<std::io::Error>;

/// One chart and what its lines are.
#[derive(Debug)]
pub struct Chart {
    /// What it shows.
    pub title: &'static str,
    /// More about it.
    pub note: String,
    /// The lines' names in the order of their colours.
    pub legend: Vec<String>,
    /// The drawing.
    pub svg: String,
}

type Points = Vec<(f64, f64)>;

/// Every chart of a report.
pub fn charts(report: &Report) -> Result<Vec<Chart>, ChartError> {
    let (mut intervals, group) = thin_out(&report.intervals);
    // After the end there is only the wait for what is still due. A short one says nothing.
    let is_within = |it: &&Interval| it.start_s < report.window_s;
    intervals.retain(|it| is_within(&it) || it.length_s >= WAIT_SHOWN_S);
    let within: Vec<Interval> = intervals.iter().filter(is_within).cloned().collect();
    Ok(vec![
        rate(report, &within)?,
        latency(&intervals, group)?,
        curves(report)?,
        own_cpu(report, &within)?,
    ])
}

/// Puts neighbours together until there are few enough, and tells how many went into one. The
/// slowest of them stands for all.
fn thin_out(intervals: &[Interval]) -> (Vec<Interval>, usize) {
    let group = intervals.len().div_ceil(POINTS_MAX).max(1);
    let merged = intervals.chunks(group).filter_map(|chunk| {
        let (first, rest) = chunk.split_first()?;
        Some(rest.iter().fold(first.clone(), |sum, next| Interval {
            start_s: sum.start_s,
            length_s: sum.length_s + next.length_s,
            count: sum.count + next.count,
            errors: sum.errors + next.errors,
            rate_per_s: quotient(float(sum.count + next.count), sum.length_s + next.length_s),
            p50_ms: sum.p50_ms.max(next.p50_ms),
            p99_ms: sum.p99_ms.max(next.p99_ms),
            max_ms: sum.max_ms.max(next.max_ms),
            connections: next.connections,
            own_cpu_s: sum.own_cpu_s + next.own_cpu_s,
        }))
    });
    (merged.collect(), group)
}

/// Steps, since a figure belongs to an interval and not to a moment.
fn over_time(intervals: &[Interval], value: impl Fn(&Interval) -> f64) -> Points {
    let step = |it: &Interval| [(it.start_s, value(it)), (end_s(it), value(it))];
    intervals.iter().flat_map(step).collect()
}

fn end_s(interval: &Interval) -> f64 {
    interval.start_s + interval.length_s
}

fn time_axis(intervals: &[Interval]) -> Axis {
    Axis::seconds(intervals.last().map_or(0.0, end_s))
}

fn highest(points: &[(f64, f64)]) -> f64 {
    points.iter().map(|point| point.1).fold(0.0, f64::max)
}

fn rate(report: &Report, intervals: &[Interval]) -> Result<Chart, ChartError> {
    let mut lines = vec![over_time(intervals, |interval| interval.rate_per_s)];
    let mut legend = vec!["answered".to_owned()];
    let mut most = lines.iter().map(|line| highest(line)).fold(0.0, f64::max);
    if let Some(asked) = report.asked_rate_per_s {
        lines.push(over_time(intervals, |_| asked));
        legend.push("asked".to_owned());
        most = f64::max(most, asked);
    }
    Ok(Chart {
        title: "Operations per second",
        note: "all operations together".to_owned(),
        legend,
        svg: draw(
            &lines,
            &time_axis(intervals),
            &Axis::from_zero(most, axis::count),
        )?,
    })
}

fn latency(intervals: &[Interval], group: usize) -> Result<Chart, ChartError> {
    // A second without an answer has no latency, so the line goes from the last to the next.
    let answered: Vec<Interval> = intervals
        .iter()
        .filter(|it| it.count > 0)
        .cloned()
        .collect();
    let lines = [
        over_time(&answered, |it| axis::latency_position(it.p50_ms)),
        over_time(&answered, |it| axis::latency_position(it.p99_ms)),
        over_time(&answered, |it| axis::latency_position(it.max_ms)),
    ];
    let shown = answered
        .iter()
        .flat_map(|it| [it.p50_ms, it.p99_ms, it.max_ms]);
    let note = match group {
        1 => "logarithmic, all operations together".to_owned(),
        _ => format!("logarithmic, all operations together, the slowest of every {group} seconds"),
    };
    Ok(Chart {
        title: "Response time",
        note,
        legend: ["p50", "p99", "max"].map(str::to_owned).to_vec(),
        svg: draw(&lines, &time_axis(intervals), &Axis::latencies(shown))?,
    })
}

fn curves(report: &Report) -> Result<Chart, ChartError> {
    let mut operations: Vec<_> = report.operations.iter().filter(|it| it.count > 0).collect();
    let all = operations.len();
    if all > CURVES_MAX {
        operations.sort_by_key(|operation| std::cmp::Reverse(operation.count));
        operations.truncate(CURVES_MAX);
    }
    let finite = operations.iter().map(|operation| {
        // The slowest of a thousand stands where 999 in 1,000 were at least so fast; the share of
        // all of them would stand infinitely far away.
        let last = float(operation.count).log10();
        let steps = operation.curve.iter();
        steps
            .map(|(share, ms)| {
                let position = axis::share_position(*share).min(last);
                (position, axis::latency_position(*ms))
            })
            .collect::<Points>()
    });
    let lines: Vec<Points> = finite.collect();
    let last = lines
        .iter()
        .flatten()
        .map(|point| point.0)
        .fold(0.0, f64::max);
    let shown = operations
        .iter()
        .flat_map(|operation| operation.curve.iter().map(|step| step.1));
    let note = match all {
        ..=CURVES_MAX => {
            "logarithmic; the share of operations that were at least so fast".to_owned()
        }
        _ => format!("the {CURVES_MAX} most frequent of {all} operations"),
    };
    Ok(Chart {
        title: "Response time by share of operations",
        note,
        legend: operations
            .iter()
            .map(|operation| operation.name.clone())
            .collect(),
        svg: draw(&lines, &Axis::shares(last), &Axis::latencies(shown))?,
    })
}

fn own_cpu(report: &Report, intervals: &[Interval]) -> Result<Chart, ChartError> {
    let percent = |it: &Interval| quotient(it.own_cpu_s, it.length_s) * 100.0;
    let line = over_time(intervals, percent);
    let most = highest(&line).max(100.0);
    let open = report.intervals.iter().map(|it| it.connections);
    Ok(Chart {
        title: "CPU of the load generator",
        note: format!(
            "of one core; near 100 % it measures itself; up to {} connections were open",
            grouped(u64::from(open.max().unwrap_or(0)))
        ),
        legend: Vec::new(),
        svg: draw(
            &[line],
            &time_axis(intervals),
            &Axis::from_zero(most, axis::percent),
        )?,
    })
}

fn draw(lines: &[Points], x: &Axis, y: &Axis) -> Result<String, ChartError> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
    draw_on(&area, lines, x, y)?;
    drop(area);
    Ok(svg)
}

fn draw_on(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    lines: &[Points],
    x: &Axis,
    y: &Axis,
) -> Result<(), ChartError> {
    let letters = ("sans-serif", LETTER).into_font().color(&LETTERS);
    let mut chart = ChartBuilder::on(area)
        .margin(AROUND)
        .margin_left(0)
        .margin_bottom(0)
        .set_left_and_bottom_label_area_size(BELOW)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(GRID.mix(0.0))
        .bold_line_style(GRID)
        .axis_style(AXIS)
        .x_label_style(letters.clone())
        .y_label_style(letters)
        .draw()?;
    for (line, colour) in lines.iter().zip(LINES) {
        chart.draw_series(LineSeries::new(
            line.iter().copied(),
            colour.stroke_width(STROKE),
        ))?;
    }
    area.present()
}
