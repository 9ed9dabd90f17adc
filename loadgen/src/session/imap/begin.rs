//! What each step sends.

use imap_proto::response::string::astring;

use super::{Imap, Stage};
use crate::fault::{Fault, FaultKind};
use crate::limits::MAIL_BYTES_MIN;
use crate::mail::MARKERS;
use crate::op::append::{Append, AppendText};
use crate::op::body::Body;
use crate::op::flags::AllFlags;
use crate::op::headers::Headers;
use crate::op::list::List;
use crate::op::search::Search;
use crate::op::select::Select;
use crate::op::status::Status;
use crate::op::store::Store;
use crate::op::sync::Sync;
use crate::op::{Command, Plain, login};
use crate::scenario::{SearchKey, Span, Step};
use crate::session::{Begun, Capability, Context, World};

impl Imap {
    /// Writes what `step` sends. Only a session that is ready begins one.
    pub fn begin(
        &mut self,
        step: &Step,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Begun, Fault> {
        let world = &mut *context.world;
        match step {
            Step::Login => {
                self.write_tag(out);
                let name = world.users.name(self.user);
                login::write(&name, &world.users.password, out);
                self.stage = Stage::Command(Command::Plain(Plain::Login));
            }
            Step::Logout => self.write_plain(Plain::Logout, b"LOGOUT\r\n", out),
            Step::Noop => self.write_plain(Plain::Noop, b"NOOP\r\n", out),
            Step::List => {
                self.write_tag(out);
                self.stage = Stage::Command(Command::List(List::write(out)));
            }
            Step::Select => self.write_select(world, out),
            Step::Status => {
                self.write_tag(out);
                let name = &world.population.name;
                if let Some(mailbox) = world.shadow.at(self.place) {
                    let status = Status::write(name, mailbox, out);
                    self.stage = Stage::Command(Command::Status(status));
                }
            }
            Step::FetchHeaders { count } => self.write_headers(*count, out)?,
            Step::FetchBody => self.write_body(world, out)?,
            Step::FetchFlags => {
                if self.exists == 0 {
                    return Err(empty());
                }
                self.write_tag(out);
                self.stage = Stage::Command(Command::Flags(AllFlags::write(self.exists, out)));
            }
            Step::StoreFlags => self.write_store(context, out)?,
            Step::Append => {
                let number = world.added_number();
                self.write_append(number, world, out);
            }
            Step::Search { key } => self.write_search(*key, world, out)?,
            Step::Sync => self.write_sync(world, out),
            Step::Idle { .. } => return self.idle(world, out),
            Step::Notify => return self.notify(context, out),
            Step::Fill => return Ok(self.fill(world, out)),
            Step::Deliver { .. } | Step::Think { .. } | Step::Pick { .. } | Step::Repeat { .. } => {
                return Ok(Begun::Nothing);
            }
        }
        Ok(Begun::Sent)
    }

    pub(super) fn write_select(&mut self, world: &mut World, out: &mut Vec<u8>) {
        self.exists = 0;
        self.write_tag(out);
        let name = &world.population.name;
        if let Some(mailbox) = world.shadow.at(self.place) {
            self.stage = Stage::Command(Command::Select(Select::write(name, mailbox, out)));
        }
    }

    pub(super) fn write_create(&mut self, world: &World, out: &mut Vec<u8>) {
        self.write_tag(out);
        out.extend_from_slice(b"CREATE ");
        astring(out, world.population.name.as_bytes());
        out.extend_from_slice(b"\r\n");
        self.stage = Stage::Command(Command::Plain(Plain::Create));
    }

    fn write_headers(&mut self, count: Span, out: &mut Vec<u8>) -> Result<(), Fault> {
        if self.exists == 0 {
            return Err(empty());
        }
        let count = count.draw(&mut self.random);
        let count = u32::try_from(count).unwrap_or(u32::MAX).min(self.exists);
        let first = self.random.between(1, u64::from(self.exists - count) + 1);
        let first = u32::try_from(first).unwrap_or(1);
        self.write_tag(out);
        let headers = Headers::write(first, first + count - 1, out);
        self.stage = Stage::Command(Command::Headers(headers));
        Ok(())
    }

    fn write_body(&mut self, world: &mut World, out: &mut Vec<u8>) -> Result<(), Fault> {
        let index = self.choose(world)?;
        self.digest = Some(world.digest.take().unwrap_or_default());
        let mailbox = world.shadow.at(self.place).ok_or_else(empty)?;
        let uid = mailbox.messages.get(index).ok_or_else(empty)?.uid;
        self.write_tag(out);
        self.stage = Stage::Command(Command::Body(Body::write(uid, out)));
        Ok(())
    }

    fn write_store(&mut self, context: &mut Context<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let index = self.choose(context.world)?;
        let mailbox = context.world.shadow.at(self.place).ok_or_else(empty)?;
        let ticket = mailbox
            .begin_store(index, context.client)
            .ok_or_else(empty)?;
        if self.is_notifying {
            mailbox.begin_notice(context.client, &ticket);
        }
        self.write_tag(out);
        self.stage = Stage::Command(Command::Store(Store::write(ticket, out)));
        Ok(())
    }

    fn write_append(&mut self, number: u64, world: &mut World, out: &mut Vec<u8>) {
        let bytes = world.population.size(number).max(MAIL_BYTES_MIN);
        let can = world.capabilities.unwrap_or_default();
        self.write_tag(out);
        let text = AppendText {
            writer: &world.writer,
            number,
            bytes,
            at_once: can.sends_at_once(bytes),
        };
        let name = &world.population.name;
        if let Some(mailbox) = world.shadow.at(self.place) {
            let append = Append::write(name, &text, mailbox, out);
            self.stage = Stage::Command(Command::Append(append));
        }
    }

    fn write_search(
        &mut self,
        key: SearchKey,
        world: &mut World,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let word = self.random.index(MARKERS.len());
        let word = word.and_then(|at| MARKERS.get(at)).copied();
        let mailbox = world.shadow.at(self.place).ok_or_else(empty)?;
        self.write_tag(out);
        let search = Search::write(key, word.unwrap_or_default(), mailbox, out);
        self.stage = Stage::Command(Command::Search(search));
        Ok(())
    }

    fn write_sync(&mut self, world: &mut World, out: &mut Vec<u8>) {
        self.exists = 0;
        self.write_tag(out);
        let can = world.capabilities.unwrap_or_default();
        let name = &world.population.name;
        if let Some(mailbox) = world.shadow.at(self.place) {
            let seen = (self.since, self.is_enabled);
            let sync = Sync::write(name, can, seen, mailbox, out);
            self.stage = Stage::Command(Command::Sync(sync));
        }
    }

    /// IDLE, or the DONE that ends it.
    fn idle(&mut self, world: &mut World, out: &mut Vec<u8>) -> Result<Begun, Fault> {
        if matches!(self.stage, Stage::Idling) {
            self.leave_idle(world);
            out.extend_from_slice(b"DONE\r\n");
            self.stage = Stage::Command(Command::Plain(Plain::Done));
            return Ok(Begun::Sent);
        }
        if !world.capabilities.unwrap_or_default().has(Capability::Idle) {
            return Err(Fault::because(
                FaultKind::Refused,
                "the server does not offer IDLE",
            ));
        }
        self.write_tag(out);
        out.extend_from_slice(b"IDLE\r\n");
        self.stage = Stage::Command(Command::Idle);
        Ok(Begun::Sent)
    }

    /// The change, and then the wait until all have heard of it.
    fn notify(&mut self, context: &mut Context<'_>, out: &mut Vec<u8>) -> Result<Begun, Fault> {
        if !self.is_notifying {
            self.is_notifying = true;
            self.write_store(context, out)?;
            return Ok(Begun::Sent);
        }
        let mailbox = context.world.shadow.at(self.place);
        if mailbox.is_some_and(|mailbox| mailbox.notice_left() > 0) {
            return Ok(Begun::Wait);
        }
        self.is_notifying = false;
        Ok(Begun::Nothing)
    }

    /// The next message of the population that is not there.
    fn fill(&mut self, world: &mut World, out: &mut Vec<u8>) -> Begun {
        let wanted = world.population.messages;
        if self.exists < wanted {
            let number = World::prepared_number(self.user, self.exists);
            // Some servers tell of the message only later; either way it is there.
            self.write_append(number, world, out);
            self.exists += 1;
            return Begun::SentAndAgain;
        }
        let is_known = world.shadow.at(self.place).is_some_and(|m| m.is_known);
        if is_known {
            return Begun::Nothing;
        }
        self.write_select(world, out);
        Begun::SentAndAgain
    }

    fn choose(&mut self, world: &mut World) -> Result<usize, Fault> {
        let mailbox = world.shadow.at(self.place).ok_or_else(empty)?;
        self.random.index(mailbox.messages.len()).ok_or_else(empty)
    }
}

fn empty() -> Fault {
    Fault::because(FaultKind::Missing, "the mailbox holds no message")
}
