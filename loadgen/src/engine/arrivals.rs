//! Who begins an iteration when.

use std::collections::VecDeque;

use super::{Engine, RolePlan};
use crate::fault::FaultKind;
use crate::limits::BACKLOG_MAX;
use crate::pacing::{Gaps, Pacing};
use crate::random::Random;

/// How iterations come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrival {
    /// When the last one of the same connection is over.
    Closed,
    /// At times of their own.
    Open {
        /// How many a second.
        rate_per_s: f64,
        /// What lies between them.
        gaps: Gaps,
    },
}

/// The arrivals of an open loop, and who is free to make them.
pub struct Arrivals {
    arrival: Arrival,
    pacing: Option<Pacing>,
    random: Random,
    roles: Vec<Waiting>,
    weights: u64,
    /// How many waited for somebody to be free.
    pub late: u64,
}

#[derive(Default)]
struct Waiting {
    weight: u64,
    /// Connections that are free.
    free: VecDeque<u32>,
    /// Intended times of those that nobody was free to make.
    backlog: VecDeque<u64>,
}

impl Arrivals {
    /// No arrivals yet.
    pub fn new(arrival: Arrival, roles: &[RolePlan], random: Random) -> Self {
        let roles: Vec<Waiting> = roles
            .iter()
            .map(|role| Waiting {
                weight: if role.background {
                    0
                } else {
                    u64::from(role.weight)
                },
                ..Waiting::default()
            })
            .collect();
        Self {
            arrival,
            pacing: None,
            random,
            weights: roles.iter().map(|role| role.weight).sum(),
            roles,
            late: 0,
        }
    }

    /// Whether connections of that role wait for arrivals.
    pub fn governs(&self, role: usize) -> bool {
        self.arrival != Arrival::Closed && self.roles.get(role).is_some_and(|role| role.weight > 0)
    }

    /// Arrivals begin.
    pub fn start(&mut self, now_ns: u64) {
        if let Arrival::Open { rate_per_s, gaps } = self.arrival {
            let random = Random::new(self.random.next(), 0);
            self.pacing = Some(Pacing::new(gaps, rate_per_s, now_ns, random));
        }
    }

    /// There are no more arrivals. Those that wait may still be made.
    pub fn stop(&mut self) {
        self.pacing = None;
        for role in &mut self.roles {
            role.free.clear();
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.roles.iter().map(|role| role.backlog.len()).sum()
    }

    /// Forgets those that wait; returns how many these were.
    pub fn drop_waiting(&mut self) -> usize {
        let backlogs = self.roles.iter_mut().map(|role| &mut role.backlog);
        backlogs.map(|backlog| std::mem::take(backlog).len()).sum()
    }

    /// The intended time of the one that has waited longest.
    pub fn take(&mut self, role: usize) -> Option<u64> {
        self.roles.get_mut(role)?.backlog.pop_front()
    }

    /// When the next arrival is.
    pub fn next_ns(&self) -> Option<u64> {
        self.pacing.as_ref().map(Pacing::next_ns)
    }

    /// A connection is free: the intended time of what it begins at once, if anything waits.
    pub fn free(&mut self, role: usize, client: u32) -> Option<u64> {
        let intended_ns = self.take(role);
        if intended_ns.is_none() {
            self.roles.get_mut(role)?.free.push_back(client);
        }
        intended_ns
    }

    fn draw(&mut self) -> Option<&mut Waiting> {
        let mut drawn = self.random.between(1, self.weights.max(1));
        self.roles.iter_mut().find(|role| {
            let is_it = drawn <= role.weight;
            drawn = drawn.saturating_sub(role.weight);
            is_it
        })
    }
}

impl Engine<'_> {
    /// Begins the iterations whose time has come.
    pub(super) fn arrive(&mut self, now_ns: u64) {
        while let Some(intended_ns) = self.arrivals.pacing.as_mut().and_then(|p| p.due(now_ns)) {
            let Some(waiting) = self.arrivals.draw() else {
                return;
            };
            if let Some(client) = waiting.free.pop_front() {
                self.begin_iteration(client, intended_ns, now_ns);
            } else if waiting.backlog.len() < BACKLOG_MAX {
                waiting.backlog.push_back(intended_ns);
                self.arrivals.late += 1;
            } else {
                let kind = FaultKind::Dropped.name();
                self.recorder.fail(None, kind, "nobody was free to make it");
            }
        }
    }
}
