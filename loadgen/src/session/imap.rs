//! An IMAP session (RFC 3501): reads answers, and sends by itself what follows from them.

mod begin;

use imap_proto::response::string::number;

use super::{Capabilities, Context, Progress, World};
use crate::fault::{Fault, FaultKind};
use crate::op::survey::Survey;
use crate::op::{Command, Plain};
use crate::random::Random;
use crate::reply::digest::Digest;
use crate::reply::reader::{Framing, ReplyReader};
use crate::reply::{Code, Reply, Status, Untagged};
use crate::shadow::Mailbox;

/// The number of the scenario's one mailbox among a user's.
const MAILBOX: u16 = 0;

/// A session over one connection at a time.
pub struct Imap {
    pub(super) random: Random,
    reader: ReplyReader,
    stage: Stage,
    /// Takes in the literals of the answer that is due, where they matter.
    digest: Option<Box<Digest>>,
    user: u32,
    /// The number in the tag of the command under way.
    tag: u32,
    place: usize,
    /// How many messages the session has been told of.
    exists: u32,
    /// The modification sequence that it has seen; it outlives connections.
    since: u64,
    /// Whether QRESYNC is enabled on this connection.
    is_enabled: bool,
    /// Whether a CREATE has been tried on this connection.
    has_created: bool,
    /// Whether a change of this session's is waited for.
    is_notifying: bool,
    /// The last notice that the session has heard of, or that is not for it.
    heard: u32,
}

#[derive(Debug)]
enum Stage {
    /// The greeting is due.
    Greeting,
    /// The answer to a command is due.
    Command(Command),
    /// IDLE has its go-ahead.
    Idling,
    /// Nothing is due.
    Ready,
    /// LOGOUT has been answered; the server closes.
    LoggedOut,
}

impl Imap {
    /// A session of the user of that number, not connected yet.
    pub fn new(user: u32, random: Random, world: &mut World) -> Self {
        Self {
            random,
            reader: ReplyReader::default(),
            stage: Stage::Greeting,
            digest: None,
            user,
            tag: 0,
            place: world.shadow.place(user, MAILBOX),
            exists: 0,
            since: 0,
            is_enabled: false,
            has_created: false,
            is_notifying: false,
            heard: 0,
        }
    }

    /// A new connection is there; the server speaks first.
    pub fn connected(&mut self) {
        self.reader = ReplyReader::new(Framing::Imap);
        self.stage = Stage::Greeting;
        self.tag = 0;
        self.exists = 0;
        self.is_enabled = false;
        self.has_created = false;
    }

    /// Whether the server has yet to close.
    pub fn is_logged_out(&self) -> bool {
        matches!(self.stage, Stage::LoggedOut)
    }

    /// The connection is gone: nobody answers any more.
    pub fn gone(&mut self, world: &mut World) {
        if let Stage::Command(Command::Store(store)) = &self.stage
            && let Some(mailbox) = world.shadow.at(self.place)
        {
            store.give_up(mailbox);
        }
        if matches!(self.stage, Stage::Idling) {
            self.leave_idle(world);
        }
        self.is_notifying = false;
        self.stage = Stage::Greeting;
        self.digest = None;
    }

    /// What is wrong when no answer has come in time.
    pub fn late(&self, world: &mut World) -> Fault {
        if !self.is_notifying || !matches!(self.stage, Stage::Ready) {
            return Fault::because(FaultKind::TimedOut, "no answer in time");
        }
        let mailbox = world.shadow.at(self.place);
        let notice = mailbox.and_then(|mailbox| Some((mailbox.notice?.uid, mailbox.notice_left())));
        let (uid, left) = notice.unwrap_or_default();
        Fault::because(
            FaultKind::NotTold,
            format_args!("{left} sessions in IDLE were not told of UID {uid}"),
        )
    }

    /// Lets go of memory: nothing is under way.
    pub fn release(&mut self) {
        self.reader.release();
    }

    /// Takes in what the server sent and writes what the session sends by itself.
    pub fn receive(
        &mut self,
        mut input: &[u8],
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Progress, Fault> {
        let mut progress = Progress::Waiting;
        // The reader lends its line, so it is out of the session while the line is looked at.
        let mut reader = std::mem::take(&mut self.reader);
        while let Some(line) = reader.next(&mut input, self.digest.as_deref_mut())? {
            match self.line(line, context, out)? {
                Progress::Waiting => {}
                news => progress = news,
            }
            if let Some(digest) = self.digest.as_deref_mut() {
                digest.clear();
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
        match Reply::parse(line)? {
            Reply::Untagged(untagged) => self.untagged(&untagged, line, context, out),
            Reply::Tagged { tag, status, code } => {
                self.tagged((tag, status, code), line, context, out)
            }
            Reply::Continuation => self.continuation(line, context, out),
        }
    }

    fn untagged(
        &mut self,
        untagged: &Untagged<'_>,
        line: &[u8],
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Progress, Fault> {
        match (&self.stage, untagged) {
            (Stage::Greeting, Untagged::Status(Status::Ok, _)) => {
                if !context.world.has_start_tls {
                    self.stage = Stage::Ready;
                    return Ok(Progress::Ready);
                }
                self.write_plain(Plain::StartTls, b"STARTTLS\r\n", out);
                return Ok(Progress::Waiting);
            }
            // RFC 3501 6.1.3: BYE is how a server answers LOGOUT, and may come at no other time
            // without ending the session.
            (Stage::Command(Command::Plain(Plain::Logout)), Untagged::Status(Status::Bye, _)) => {
                return Ok(Progress::Waiting);
            }
            (Stage::Greeting, _) | (_, Untagged::Status(Status::Bye, _)) => {
                return Err(Fault::said(FaultKind::Refused, line));
            }
            (Stage::Command(Command::Plain(_)), Untagged::Capability(words)) => {
                context.world.capabilities = Some(Capabilities::parse(words));
            }
            _ => {}
        }
        let Some(mailbox) = context.world.shadow.at(self.place) else {
            return Ok(Progress::Waiting);
        };
        self.counts(untagged, mailbox)?;
        if let Stage::Command(command) = &mut self.stage {
            command.untagged(untagged, self.digest.as_deref(), mailbox)?;
        } else if matches!(self.stage, Stage::Idling) {
            self.hear(untagged, context);
        }
        Ok(Progress::Waiting)
    }

    /// RFC 3501 7.3.1: the count grows, unless EXPUNGE says that a message has gone.
    fn counts(&mut self, untagged: &Untagged<'_>, mailbox: &mut Mailbox) -> Result<(), Fault> {
        match untagged {
            Untagged::Exists(exists) => {
                if *exists < self.exists && !mailbox.has_shrunk {
                    return Err(Fault::because(
                        FaultKind::WrongCount,
                        format_args!("{exists} EXISTS after {}", self.exists),
                    ));
                }
                self.exists = *exists;
            }
            Untagged::Expunge(_) => {
                self.exists = self.exists.saturating_sub(1);
                mailbox.has_shrunk = true;
            }
            Untagged::Vanished => mailbox.has_shrunk = true,
            _ => {}
        }
        Ok(())
    }

    /// A session in IDLE was told of something: is it the change that it must hear of?
    fn hear(&mut self, untagged: &Untagged<'_>, context: &mut Context<'_>) {
        let Some(mailbox) = context.world.shadow.at(self.place) else {
            return;
        };
        let Untagged::Fetch(fetched) = untagged else {
            return;
        };
        let Some(flags) = fetched.flags.filter(|_| self.heard != mailbox.notices) else {
            return;
        };
        let Some((done_ns, writer)) = mailbox.hear(fetched.sequence, flags) else {
            return;
        };
        self.heard = mailbox.notices;
        if let Some(done_ns) = done_ns {
            let heard_ns = context.now_ns;
            context.world.told.push(super::Told { done_ns, heard_ns });
            if mailbox.notice_left() == 0 {
                context.world.woken.push(writer);
            }
        }
    }

    fn tagged(
        &mut self,
        (tag, status, code): (&[u8], Status, Code<'_>),
        line: &[u8],
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Progress, Fault> {
        if !self.is_own_tag(tag) {
            return Err(Fault::said(FaultKind::WrongTag, line));
        }
        let Stage::Command(mut command) = std::mem::replace(&mut self.stage, Stage::Ready) else {
            return Err(Fault::said(FaultKind::WrongTag, line));
        };
        if status != Status::Ok {
            let name = &context.world.population.name;
            let may_create = !self.has_created && !name.eq_ignore_ascii_case("INBOX");
            match (&command, status) {
                (Command::Select(_), Status::No) if may_create => {
                    self.has_created = true;
                    self.write_create(context.world, out);
                    return Ok(Progress::Waiting);
                }
                // Another session may have been first.
                (Command::Plain(Plain::Create), Status::No) => {}
                _ => {
                    self.stage = Stage::Command(command);
                    return Err(Fault::said(FaultKind::Refused, line));
                }
            }
        }
        if let Code::Capability(words) = code {
            context.world.capabilities = Some(Capabilities::parse(words));
        }
        if let Some(mailbox) = context.world.shadow.at(self.place) {
            command.finish(code, mailbox)?;
        }
        if let Some(mut digest) = self.digest.take() {
            digest.clear();
            context.world.digest = Some(digest);
        }
        self.after(command, context, out)
    }

    /// What follows a command that went well.
    fn after(
        &mut self,
        command: Command,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Progress, Fault> {
        let world = &mut *context.world;
        match command {
            Command::Plain(Plain::StartTls) => return Ok(Progress::Upgrade),
            Command::Plain(Plain::Login)
                if world.needs_capabilities && world.capabilities.is_none() =>
            {
                self.write_plain(Plain::Capability, b"CAPABILITY\r\n", out);
                return Ok(Progress::Waiting);
            }
            Command::Plain(Plain::Create) => {
                self.write_select(world, out);
                return Ok(Progress::Waiting);
            }
            Command::Plain(Plain::Logout) => self.stage = Stage::LoggedOut,
            Command::Select(_) => return Ok(self.selected(world, out)),
            Command::Sync(mut sync) => {
                if sync.needs_more() {
                    self.is_enabled |= sync.has_enabled();
                    self.write_tag(out);
                    let name = &world.population.name;
                    if let Some(mailbox) = world.shadow.at(self.place) {
                        sync.go_on(name, mailbox, out);
                    }
                    self.stage = Stage::Command(Command::Sync(sync));
                    return Ok(Progress::Waiting);
                }
                self.since = sync.highest();
            }
            Command::Store(_) if self.is_notifying => {
                let Some(mailbox) = world.shadow.at(self.place) else {
                    return Ok(Progress::Ready);
                };
                let now_ns = context.now_ns;
                // Who heard before the writer did, heard at once.
                let told = super::Told {
                    done_ns: now_ns,
                    heard_ns: now_ns,
                };
                let early = mailbox.notice_done(now_ns);
                world.told.extend((0..early).map(|_| told));
            }
            _ => {}
        }
        Ok(Progress::Ready)
    }

    /// Looks at the messages of a mailbox that nobody has looked at.
    fn selected(&mut self, world: &mut World, out: &mut Vec<u8>) -> Progress {
        let needs_messages = world.needs_messages;
        let numbers = world.needs_numbers;
        let Some(mailbox) = world.shadow.at(self.place) else {
            return Progress::Ready;
        };
        if mailbox.is_known || !needs_messages {
            return Progress::Ready;
        }
        if self.exists == 0 {
            mailbox.is_known = true;
            return Progress::Ready;
        }
        if numbers {
            self.digest = Some(world.digest.take().unwrap_or_default());
        }
        self.write_tag(out);
        self.stage = Stage::Command(Command::Survey(Survey::write(self.exists, numbers, out)));
        Progress::Waiting
    }

    fn continuation(
        &mut self,
        line: &[u8],
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Progress, Fault> {
        if matches!(self.stage, Stage::Command(Command::Idle)) {
            self.stage = Stage::Idling;
            if let Some(mailbox) = context.world.shadow.at(self.place) {
                mailbox.idlers += 1;
                self.heard = mailbox.notices;
            }
            return Ok(Progress::Ready);
        }
        if let Stage::Command(Command::Append(append)) = &mut self.stage
            && append.go_on(&context.world.writer, out)
        {
            return Ok(Progress::Waiting);
        }
        Err(Fault::said(FaultKind::Surplus, line))
    }

    fn leave_idle(&mut self, world: &mut World) {
        let Some(mailbox) = world.shadow.at(self.place) else {
            return;
        };
        mailbox.idlers = mailbox.idlers.saturating_sub(1);
        if self.heard != mailbox.notices && mailbox.notice_left() > 0 {
            let writer = mailbox.miss();
            if mailbox.notice_left() == 0 {
                world.woken.extend(writer);
            }
        }
    }

    fn write_plain(&mut self, plain: Plain, words: &[u8], out: &mut Vec<u8>) {
        self.write_tag(out);
        out.extend_from_slice(words);
        self.stage = Stage::Command(Command::Plain(plain));
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
