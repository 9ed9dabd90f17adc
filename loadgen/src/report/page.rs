//! The report as one page that needs nothing else: no network, no script.

use askama::Template;
use jiff::Timestamp;
use thiserror::Error;

use super::chart::{Chart, ChartError, charts};
use super::figures::{FaultFigures, OperationFigures, Report};
use super::number::{bytes, grouped, latency_ms, rate};

/// Why there is no page.
#[derive(Debug, Error)]
pub enum PageError {
    /// A chart could not be drawn.
    #[error("chart: {0}")]
    Chart(#[from] ChartError),
    /// The template could not be filled.
    #[error("page: {0}")]
    Template(#[from] askama::Error),
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    arrival: String,
    started_at: String,
    tiles: Vec<Tile>,
    charts: Vec<Chart>,
    rows: Vec<Row>,
    faults: Vec<Fault<'a>>,
}

/// One figure in large letters.
struct Tile {
    name: &'static str,
    value: String,
    unit: &'static str,
    is_bad: bool,
}

/// A row of the table.
struct Row {
    name: String,
    /// Service times stand under the operation that they belong to.
    is_service: bool,
    counts: Vec<String>,
    latencies: Vec<String>,
}

struct Fault<'a> {
    count: String,
    figures: &'a FaultFigures,
}

impl Report {
    /// The report as a page.
    pub fn html(&self) -> Result<String, PageError> {
        let page = Page {
            report: self,
            arrival: self.arrival(),
            started_at: started_at(self.started_at_s),
            tiles: self.tiles(),
            charts: charts(self)?,
            rows: self.rows().flat_map(rows).collect(),
            faults: self
                .faults
                .iter()
                .map(|figures| Fault {
                    count: grouped(figures.count),
                    figures,
                })
                .collect(),
        };
        Ok(page.render()?)
    }

    fn tiles(&self) -> Vec<Tile> {
        let tile = |name, value, unit| Tile {
            name,
            value,
            unit,
            is_bad: false,
        };
        let total = &self.total;
        vec![
            tile("rate", rate(total.rate_per_s), "/s"),
            tile("p50", latency_ms(total.response.p50_ms), "ms"),
            tile("p99", latency_ms(total.response.p99_ms), "ms"),
            tile("max", latency_ms(total.response.max_ms), "ms"),
            Tile {
                name: "errors",
                value: grouped(total.errors),
                unit: "",
                is_bad: total.errors > 0,
            },
            tile(
                "own CPU",
                format!("{:.1}", self.own_cpu_us_per_operation),
                "us/op",
            ),
            tile("received", bytes(total.received_bytes), ""),
        ]
    }
}

fn rows(figures: &OperationFigures) -> Vec<Row> {
    let latencies = |latency: &super::figures::Latency| {
        let columns = [
            latency.p50_ms,
            latency.p90_ms,
            latency.p99_ms,
            latency.p99_9_ms,
            latency.max_ms,
        ];
        columns.map(latency_ms).to_vec()
    };
    let mut rows = vec![Row {
        name: figures.name.clone(),
        is_service: false,
        counts: vec![
            rate(figures.rate_per_s),
            grouped(figures.count),
            grouped(figures.errors),
        ],
        latencies: latencies(&figures.response),
    }];
    if let Some(service) = &figures.service {
        rows.push(Row {
            name: "service time alone".to_owned(),
            is_service: true,
            counts: vec![String::new(); 3],
            latencies: latencies(service),
        });
    }
    rows
}

fn started_at(seconds: f64) -> String {
    let whole = format!("{seconds:.0}").parse().ok();
    let at = whole.and_then(|whole| Timestamp::from_second(whole).ok());
    at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
        .unwrap_or_default()
}
