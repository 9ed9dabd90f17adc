//! A role's steps as a flat list, so that a session's place in it is two small numbers.

use super::{Role, Span, Step};
use crate::random::Random;
use crate::report::OperationId;

/// One entry of a program.
#[derive(Debug)]
enum Instruction {
    Do(Step, Option<OperationId>),
    Think(Span),
    /// Choices with their weights so far, and where each begins.
    Pick(Vec<(u64, usize)>),
    Jump(usize),
    /// Sets the counter; without any times goes to `end`.
    Repeat {
        times: Span,
        end: usize,
    },
    /// Goes back to `start` while the counter lasts.
    Again {
        start: usize,
    },
    End,
}

/// What a role does, ready to be followed.
#[derive(Debug)]
pub struct Program {
    instructions: Vec<Instruction>,
    /// Where the steps that are repeated begin.
    start: usize,
}

/// A session's place in its program.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    at: u16,
    times_left: u16,
}

/// What the program says next.
#[derive(Debug)]
pub enum Next<'p> {
    /// This step, counted as that operation.
    Do(&'p Step, Option<OperationId>),
    /// Wait for so many milliseconds.
    Think(u64),
    /// The setup or an iteration is over; the cursor is at the beginning of the next one.
    End,
}

impl Program {
    /// Flattens a role; `operation` gives the number of the operation of a name.
    pub fn new<E>(
        role: &Role,
        mut operation: impl FnMut(&str) -> Result<OperationId, E>,
    ) -> Result<Self, E> {
        let mut instructions = Vec::new();
        let mut setup_operation = |_: &Step| Ok(None);
        flatten(&role.setup, &mut instructions, &mut setup_operation)?;
        if !role.setup.is_empty() {
            instructions.push(Instruction::End);
        }
        let start = instructions.len();
        let is_whole = role.measure_as.is_some();
        let mut step_operation = |step: &Step| match step.operation() {
            Some(name) if !is_whole => operation(name).map(Some),
            _ => Ok(None),
        };
        flatten(&role.steps, &mut instructions, &mut step_operation)?;
        instructions.push(Instruction::End);
        Ok(Self {
            instructions,
            start,
        })
    }

    /// Whether anything is done before the measurement.
    pub fn has_setup(&self) -> bool {
        self.start > 0
    }

    /// Follows the program to the next thing to do.
    pub fn next(&self, cursor: &mut Cursor, random: &mut Random) -> Next<'_> {
        loop {
            let at = usize::from(cursor.at);
            let mut next = at + 1;
            let found = match self.instructions.get(at) {
                Some(Instruction::Do(step, operation)) => Some(Next::Do(step, *operation)),
                Some(Instruction::Think(span)) => Some(Next::Think(span.draw(random))),
                Some(Instruction::Pick(choices)) => {
                    next = pick(choices, random).unwrap_or(next);
                    None
                }
                Some(Instruction::Jump(to)) => {
                    next = *to;
                    None
                }
                Some(Instruction::Repeat { times, end }) => {
                    let times = u16::try_from(times.draw(random)).unwrap_or(u16::MAX);
                    cursor.times_left = times.saturating_sub(1);
                    if times == 0 {
                        next = *end;
                    }
                    None
                }
                Some(Instruction::Again { start }) => {
                    if cursor.times_left > 0 {
                        cursor.times_left -= 1;
                        next = *start;
                    }
                    None
                }
                Some(Instruction::End) | None => {
                    next = self.start;
                    Some(Next::End)
                }
            };
            cursor.at = u16::try_from(next).unwrap_or(0);
            if let Some(found) = found {
                return found;
            }
        }
    }
}

impl Cursor {
    /// The same step again.
    pub fn back(&mut self) {
        self.at = self.at.saturating_sub(1);
    }
}

fn flatten<E>(
    steps: &[Step],
    out: &mut Vec<Instruction>,
    operation: &mut dyn FnMut(&Step) -> Result<Option<OperationId>, E>,
) -> Result<(), E> {
    for step in steps {
        match step {
            Step::Think { ms } => out.push(Instruction::Think(*ms)),
            Step::Idle { ms } => {
                // IDLE and its DONE are two entries with the time in between.
                out.push(Instruction::Do(step.clone(), operation(step)?));
                out.push(Instruction::Think(*ms));
                out.push(Instruction::Do(step.clone(), None));
            }
            Step::Notify => {
                out.push(Instruction::Do(step.clone(), operation(step)?));
                // Once more, to wait for those who must hear of it.
                out.push(Instruction::Do(step.clone(), None));
            }
            Step::Repeat { times, steps } => {
                let at = out.len();
                out.push(Instruction::End);
                flatten(steps, out, operation)?;
                out.push(Instruction::Again { start: at + 1 });
                let end = out.len();
                if let Some(place) = out.get_mut(at) {
                    *place = Instruction::Repeat { times: *times, end };
                }
            }
            Step::Pick { of } => {
                let at = out.len();
                out.push(Instruction::End);
                let mut choices = Vec::new();
                let mut jumps = Vec::new();
                let mut weight = 0;
                for pick in of {
                    weight += u64::from(pick.weight);
                    choices.push((weight, out.len()));
                    flatten(&pick.steps, out, operation)?;
                    jumps.push(out.len());
                    out.push(Instruction::End);
                }
                let end = out.len();
                for jump in jumps {
                    if let Some(place) = out.get_mut(jump) {
                        *place = Instruction::Jump(end);
                    }
                }
                if let Some(place) = out.get_mut(at) {
                    *place = Instruction::Pick(choices);
                }
            }
            _ => out.push(Instruction::Do(step.clone(), operation(step)?)),
        }
    }
    Ok(())
}

fn pick(choices: &[(u64, usize)], random: &mut Random) -> Option<usize> {
    let (total, _) = choices.last()?;
    let drawn = random.between(1, *total);
    choices
        .iter()
        .find(|(weight, _)| drawn <= *weight)
        .map(|(_, start)| *start)
}
