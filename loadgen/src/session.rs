//! One session: the commands in their order, and the check of every answer.
//!
//! **Invariant:** pure. Bytes come in, bytes go out; sockets and time are the scenario's.

use std::rc::Rc;

use imap_proto::response::string::number;

use crate::fault::{Fault, FaultKind};
use crate::op::fetch::Fetch;
use crate::op::select::Select;
use crate::op::store::{Company, Store};
use crate::op::survey::Survey;
use crate::op::{Command, Message, Operation, login, logout, noop};
use crate::random::Random;
use crate::reply::{Reply, ReplyReader, Status, Untagged};

/// What all sessions of a run have in common.
#[derive(Debug)]
pub struct Script {
    /// What is measured.
    pub operation: Operation,
    /// The password of every user.
    pub password: String,
    /// The mailbox to select, where the operation needs one.
    pub mailbox: String,
    /// Whether sessions share mailboxes.
    pub company: Company,
}

/// What a session has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// An answer is under way.
    Waiting,
    /// The session is prepared and may start operations.
    Prepared,
    /// An operation ended well.
    Finished,
}

/// A session over one connection at a time.
#[derive(Debug)]
pub struct Session {
    script: Rc<Script>,
    user: String,
    random: Random,
    reader: ReplyReader,
    stage: Stage,
    /// The number in the tag of the command under way.
    tag: u32,
    messages: Vec<Message>,
}

#[derive(Debug)]
enum Stage {
    /// The greeting is due.
    Greeting,
    /// The answer to a command is due.
    Command(Command),
    /// Nothing is due.
    Idle,
    /// LOGOUT has been answered; the server closes.
    LoggedOut,
}

impl Session {
    /// A session of `user`, not connected yet.
    pub fn new(script: Rc<Script>, user: String, random: Random) -> Self {
        Self {
            script,
            user,
            random,
            reader: ReplyReader::default(),
            stage: Stage::Greeting,
            tag: 0,
            messages: Vec::new(),
        }
    }

    /// A new connection is there; the server speaks first.
    pub fn connected(&mut self) {
        self.reader = ReplyReader::default();
        self.stage = Stage::Greeting;
        self.tag = 0;
        self.messages.clear();
    }

    /// Writes the next operation. Only a session that is [`Progress::Prepared`] or has
    /// [`Progress::Finished`] starts one.
    pub fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        debug_assert!(matches!(self.stage, Stage::Idle));
        let chosen = self.random.index(self.messages.len());
        let message = chosen.and_then(|index| Some((index, *self.messages.get(index)?)));
        self.write_tag(out);
        let command = match (self.script.operation, message) {
            (Operation::Noop | Operation::Login, _) => {
                noop::write(out);
                Command::Noop
            }
            (Operation::Fetch, Some((_, message))) => Command::Fetch(Fetch::write(message, out)),
            (Operation::Store, Some((index, message))) => {
                Command::Store(Store::write(index, message, self.script.company, out))
            }
            (Operation::Fetch | Operation::Store, None) => return Err(empty_mailbox()),
        };
        self.stage = Stage::Command(command);
        Ok(())
    }

    /// Takes in what the server sent and writes what preparation sends next.
    pub fn receive(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<Progress, Fault> {
        let mut progress = Progress::Waiting;
        // The reader lends its line, so it is out of the session while the line is looked at.
        let mut reader = std::mem::take(&mut self.reader);
        while let Some(line) = reader.next(&mut input)? {
            match self.line(line, out)? {
                Progress::Waiting => {}
                news => progress = news,
            }
        }
        self.reader = reader;
        Ok(progress)
    }

    /// The server closed the connection, which is right after LOGOUT only.
    pub fn closed(&self) -> Result<(), Fault> {
        match self.stage {
            Stage::LoggedOut => Ok(()),
            _ => Err(Fault::because(FaultKind::Closed, "the server closed")),
        }
    }

    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<Progress, Fault> {
        let reply = Reply::parse(line)?;
        match (&mut self.stage, reply) {
            (Stage::Greeting, Reply::Untagged(Untagged::Status(Status::Ok))) => {
                self.write_tag(out);
                login::write(&self.user, &self.script.password, out);
                self.stage = Stage::Command(Command::Login);
                Ok(Progress::Waiting)
            }
            // RFC 3501 6.1.3: BYE is how a server answers LOGOUT, and may come at no other time
            // without ending the session.
            (Stage::Command(Command::Logout), Reply::Untagged(Untagged::Status(Status::Bye))) => {
                Ok(Progress::Waiting)
            }
            (Stage::Greeting, _) | (_, Reply::Untagged(Untagged::Status(Status::Bye))) => {
                Err(Fault::said(FaultKind::Refused, line))
            }
            (Stage::Command(command), Reply::Untagged(untagged)) => {
                command.untagged(&untagged)?;
                Ok(Progress::Waiting)
            }
            (Stage::Command(_), Reply::Tagged { tag, status }) => {
                if !self.is_own_tag(tag) {
                    return Err(Fault::said(FaultKind::WrongTag, line));
                }
                if status != Status::Ok {
                    return Err(Fault::said(FaultKind::Refused, line));
                }
                self.end_command(out)
            }
            (Stage::Idle | Stage::LoggedOut, Reply::Untagged(_)) => Ok(Progress::Waiting),
            (Stage::Idle | Stage::LoggedOut, Reply::Tagged { .. }) => {
                Err(Fault::said(FaultKind::WrongTag, line))
            }
            // No command here sends a literal, so there is nothing to go on with.
            (_, Reply::Continuation) => Err(Fault::said(FaultKind::Surplus, line)),
        }
    }

    /// Judges the command that has its tagged OK, and writes what preparation needs after it.
    fn end_command(&mut self, out: &mut Vec<u8>) -> Result<Progress, Fault> {
        let Stage::Command(command) = std::mem::replace(&mut self.stage, Stage::Idle) else {
            return Ok(Progress::Waiting);
        };
        command.finish()?;
        let next = match (command, self.script.operation) {
            (Command::Login, Operation::Noop) => return Ok(Progress::Prepared),
            (Command::Login, Operation::Login) => {
                self.write_tag(out);
                logout::write(out);
                Command::Logout
            }
            (Command::Login, Operation::Fetch | Operation::Store) => {
                self.write_tag(out);
                Command::Select(Select::write(&self.script.mailbox, out))
            }
            (Command::Select(select), _) => {
                if select.exists() == 0 {
                    return Err(empty_mailbox());
                }
                self.write_tag(out);
                Command::Survey(Survey::write(select.exists(), out))
            }
            (Command::Survey(survey), _) => {
                self.messages = survey.messages();
                return Ok(Progress::Prepared);
            }
            (Command::Store(store), _) => {
                let (index, flagged) = store.outcome();
                if let Some(message) = self.messages.get_mut(index) {
                    message.flagged = flagged;
                }
                return Ok(Progress::Finished);
            }
            (Command::Logout, _) => {
                self.stage = Stage::LoggedOut;
                return Ok(Progress::Finished);
            }
            (Command::Noop | Command::Fetch(_), _) => return Ok(Progress::Finished),
        };
        self.stage = Stage::Command(next);
        Ok(Progress::Waiting)
    }

    fn write_tag(&mut self, out: &mut Vec<u8>) {
        self.tag = self.tag.wrapping_add(1);
        out.push(b'L');
        number(out, self.tag);
        out.push(b' ');
    }

    fn is_own_tag(&self, tag: &[u8]) -> bool {
        tag.strip_prefix(b"L")
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| digits.parse().ok())
            == Some(self.tag)
    }
}

fn empty_mailbox() -> Fault {
    Fault::because(FaultKind::Missing, "the mailbox holds no message")
}
