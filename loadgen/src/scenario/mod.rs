//! What a run does, as a file says it: populations, roles and their steps.
//!
//! **Invariant:** a [`Scenario`] that exists can be run; what is wrong with a file is told with
//! its line.

pub mod program;
mod shipped;
mod step;

use serde::Deserialize;
use thiserror::Error;

use crate::pacing::Gaps;
use crate::random::Random;

pub use self::shipped::{SHIPPED, shipped};
use self::step::is_size;
pub use self::step::{SearchKey, Span, Step};

/// Why a file is no scenario.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// The text is no TOML, or has keys that there are not.
    #[error("{error}{place}")]
    Syntax {
        /// What the reader says, with the place of the value that it could not take.
        error: toml::de::Error,
        /// The line of the very word, where that is within the value.
        place: String,
    },
    /// The text is understood, and makes no sense.
    #[error("{0}")]
    Sense(String),
}

/// A whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// One line that says what it is for.
    pub about: String,
    /// How much of it, unless the command line says otherwise.
    #[serde(default)]
    pub load: Load,
    /// The mailbox that sessions select, and what is in it before they do.
    #[serde(default)]
    pub mailbox: Population,
    /// Who does what.
    pub roles: Vec<Role>,
}

/// How much load there is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Load {
    /// How many connections there are at a time.
    pub connections: u32,
    /// How many users they belong to: so many, or with 0 one for each connection.
    pub users: u32,
    /// How long to measure, in seconds.
    pub duration_s: u64,
    /// Iterations a second, over all roles that are not in the background; without it the loop is
    /// closed.
    pub rate_per_s: Option<f64>,
    /// How the gaps between them are made.
    pub gaps: Gaps,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            connections: 10,
            users: 1,
            duration_s: 10,
            rate_per_s: None,
            gaps: Gaps::Exponential,
        }
    }
}

/// What a mailbox holds at least when the measurement starts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Population {
    /// The name of the mailbox; one that is not there is created.
    pub name: String,
    /// How many messages.
    pub messages: u32,
    /// How long messages are, here and where one is appended or delivered.
    pub sizes: Vec<Size>,
}

impl Default for Population {
    fn default() -> Self {
        Self {
            name: "INBOX".to_owned(),
            messages: 0,
            sizes: vec![Size {
                bytes: Span::exactly(4_096),
                weight: 1,
            }],
        }
    }
}

/// A share of all messages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Size {
    /// Their length in octets.
    pub bytes: Span,
    /// How often it is drawn, beside the other weights.
    pub weight: u32,
}

/// What a connection does.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Role {
    /// The name, in error messages.
    pub name: String,
    /// The protocol that it speaks.
    #[serde(default)]
    pub protocol: Protocol,
    /// How many connections have it: exactly so many,
    pub count: Option<u32>,
    /// or this share of those that are left.
    #[serde(default = "one")]
    pub weight: u32,
    /// Whether every iteration has a connection of its own.
    #[serde(default)]
    pub reconnect: bool,
    /// Whether it goes on by itself in an open loop.
    #[serde(default)]
    pub background: bool,
    /// Under this name a whole iteration is one operation, and its commands are none.
    pub measure_as: Option<String>,
    /// What is done once, before the measurement.
    #[serde(default)]
    pub setup: Vec<Step>,
    /// What is done again and again.
    pub steps: Vec<Step>,
}

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// RFC 3501
    #[default]
    Imap,
    /// RFC 2033
    Lmtp,
}

impl Scenario {
    /// Reads a file's text.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text).map_err(|error| ScenarioError::Syntax {
            place: place(text, &error),
            error,
        })?;
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), ScenarioError> {
        let sense = |why: &str| Err(ScenarioError::Sense(why.to_owned()));
        if self.roles.is_empty() {
            return sense("there is no role");
        }
        if self.mailbox.sizes.iter().all(|size| size.weight == 0) {
            return sense("mailbox.sizes: no size has a weight");
        }
        if self.mailbox.sizes.iter().any(|size| !is_size(size.bytes)) {
            return sense("mailbox.sizes: a message is larger than can be made");
        }
        if self.load.rate_per_s.is_some_and(|rate| rate <= 0.0) {
            return sense("load.rate-per-s must be above 0");
        }
        for role in &self.roles {
            let name = &role.name;
            if role.steps.is_empty() {
                return sense(&format!("role {name}: there is no step"));
            }
            if role.reconnect && !role.setup.is_empty() {
                return sense(&format!("role {name}: with reconnect there is no setup"));
            }
            for step in role.setup.iter().chain(&role.steps) {
                step.check(role.protocol, 0)
                    .map_err(|why| ScenarioError::Sense(format!("role {name}: {why}")))?;
            }
        }
        Ok(())
    }

    /// Whether any step of IMAP is such.
    pub fn any_step(&self, wanted: &dyn Fn(&Step) -> bool) -> bool {
        self.roles
            .iter()
            .flat_map(|role| role.setup.iter().chain(&role.steps))
            .any(|step| step.any(wanted))
    }
}

impl Population {
    /// The length of the message of that number: the same for every run.
    pub fn size(&self, number: u64) -> usize {
        let mut random = Random::new(number, 0x517e);
        let total: u64 = self.sizes.iter().map(|size| u64::from(size.weight)).sum();
        let mut drawn = random.between(1, total.max(1));
        for size in &self.sizes {
            let weight = u64::from(size.weight);
            if drawn <= weight {
                return usize::try_from(size.bytes.draw(&mut random)).unwrap_or(usize::MAX);
            }
            drawn -= weight;
        }
        0
    }
}

/// Where the word is that an error quotes. The reader only knows where the list of steps begins,
/// because a step is read whole before it is known which one it is.
fn place(text: &str, error: &toml::de::Error) -> String {
    let word = error.message().split('`').nth(1).unwrap_or_default();
    let start = error.span().map_or(0, |span| span.start);
    let found = text.get(start..).and_then(|rest| rest.find(word));
    let Some(before) = found.and_then(|at| text.get(..start + at)) else {
        return String::new();
    };
    format!("`{word}` is in line {}\n", before.matches('\n').count() + 1)
}

fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests;
