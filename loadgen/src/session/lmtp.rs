//! An LMTP session (RFC 2033): deliveries of messages to one or more users.

use std::io::Write as _;

use super::{Begun, Context, Progress};
use crate::fault::{Fault, FaultKind};
use crate::random::Random;
use crate::reply::reader::{Framing, ReplyReader};
use crate::scenario::Step;

/// A session over one connection at a time.
pub struct Lmtp {
    pub(super) random: Random,
    reader: ReplyReader,
    stage: Stage,
    user: u32,
    /// Whether commands may be sent without waiting (RFC 2920).
    has_pipelining: bool,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Greeting,
    /// LHLO has been sent.
    Hello,
    Ready,
    /// A transaction; so many replies have come.
    Transaction {
        recipients: u32,
        first: u32,
        replies: u32,
    },
}

impl Lmtp {
    /// A session that delivers to the user of that number first, not connected yet.
    pub fn new(user: u32, random: Random) -> Self {
        Self {
            random,
            reader: ReplyReader::new(Framing::Lmtp),
            stage: Stage::Greeting,
            user,
            has_pipelining: false,
        }
    }

    /// A new connection is there; the server speaks first.
    pub fn connected(&mut self) {
        self.reader = ReplyReader::new(Framing::Lmtp);
        self.stage = Stage::Greeting;
        self.has_pipelining = false;
    }

    /// Lets go of memory: nothing is under way.
    pub fn release(&mut self) {
        self.reader.release();
    }

    /// Writes the beginning of a delivery.
    pub fn begin(
        &mut self,
        step: &Step,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Begun, Fault> {
        let Step::Deliver { recipients } = step else {
            return Ok(Begun::Nothing);
        };
        let count = context.world.users.count.max(1);
        let recipients = u32::try_from(recipients.draw(&mut self.random))
            .unwrap_or(1)
            .clamp(1, count);
        // Each session starts at its own user and moves on, so that all get their share.
        let first = self.user % count;
        self.user = (first + recipients) % count;
        self.stage = Stage::Transaction {
            recipients,
            first,
            replies: 0,
        };
        let together = if self.has_pipelining {
            recipients + 1
        } else {
            0
        };
        for at in 0..=together {
            self.write(at, recipients, first, context, out);
        }
        Ok(Begun::Sent)
    }

    /// Takes in replies and writes what follows them.
    pub fn receive(
        &mut self,
        mut input: &[u8],
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Progress, Fault> {
        let mut progress = Progress::Waiting;
        let mut reader = std::mem::take(&mut self.reader);
        while let Some(line) = reader.next(&mut input, None)? {
            match self.line(line, context, out)? {
                Progress::Waiting => {}
                news => progress = news,
            }
        }
        self.reader = reader;
        Ok(progress)
    }

    fn line(
        &mut self,
        line: &[u8],
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Progress, Fault> {
        // RFC 5321 4.2.1: three digits, and a hyphen when more lines follow.
        let code = line
            .get(..3)
            .and_then(|code| std::str::from_utf8(code).ok())
            .and_then(|code| code.parse::<u16>().ok())
            .ok_or_else(|| Fault::said(FaultKind::Malformed, line))?;
        let is_last = line.get(3) != Some(&b'-');
        if matches!(self.stage, Stage::Hello) {
            let word = line.get(4..).unwrap_or_default();
            self.has_pipelining |= word.eq_ignore_ascii_case(b"PIPELINING");
        }
        if !is_last {
            return Ok(Progress::Waiting);
        }
        let wanted = match self.stage {
            Stage::Greeting => 220,
            Stage::Transaction {
                recipients,
                replies,
                ..
            } if replies == recipients + 1 => 354,
            _ => 250,
        };
        if code != wanted {
            return Err(Fault::said(FaultKind::Refused, line));
        }
        match &mut self.stage {
            Stage::Greeting => {
                out.extend_from_slice(b"LHLO loadgen.example\r\n");
                self.stage = Stage::Hello;
                Ok(Progress::Waiting)
            }
            Stage::Hello => {
                self.stage = Stage::Ready;
                Ok(Progress::Ready)
            }
            Stage::Ready => Err(Fault::said(FaultKind::Surplus, line)),
            Stage::Transaction {
                recipients,
                first,
                replies,
            } => {
                *replies += 1;
                let (recipients, first, replies) = (*recipients, *first, *replies);
                // RFC 2033 4.2: after the message there is a reply for each recipient.
                if replies == 2 * recipients + 2 {
                    self.stage = Stage::Ready;
                    return Ok(Progress::Ready);
                }
                let is_message = replies == recipients + 2;
                if is_message || (!self.has_pipelining && replies < recipients + 2) {
                    self.write(replies, recipients, first, context, out);
                }
                Ok(Progress::Waiting)
            }
        }
    }

    /// Writes the part of a transaction at `at`: MAIL, each RCPT, DATA, the message.
    fn write(
        &self,
        at: u32,
        recipients: u32,
        first: u32,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) {
        let world = &mut *context.world;
        if at == 0 {
            out.extend_from_slice(b"MAIL FROM:<sender@loadgen.example>\r\n");
        } else if at <= recipients {
            let name = world.users.name(first + at - 1);
            // Writing into a vector cannot fail.
            let _ = write!(out, "RCPT TO:<{name}>\r\n");
        } else if at == recipients + 1 {
            out.extend_from_slice(b"DATA\r\n");
        } else {
            let number = world.added_number();
            let bytes = world.population.size(number);
            // No line begins with a dot, so none is doubled (RFC 5321 4.5.2).
            world.writer.write(number, bytes, out);
            out.extend_from_slice(b".\r\n");
        }
    }
}
