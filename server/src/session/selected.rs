//! The selected mailbox of one session: the shared view, and what this client has been told of it.

use std::ops::ControlFlow;
use std::rc::Rc;

use imap_proto::command::Numbering;
use imap_proto::grammar::Flag;
use imap_proto::response::code::Code;
use imap_proto::response::fetch::FetchResponse;
use imap_proto::response::flags::flags as tell_flags;
use imap_proto::response::message_count;
use imap_proto::response::status::{self, Condition};
use storage_engine::acl::{Acl, Rights};
use storage_engine::ids::{ChangeNumber, MailboxKey, ModSeq, SessionKey, Uid, UidValidity};
use storage_engine::index::{Entry, EntryRef};
use storage_engine::request::{self, Access, Actor, Flags, Operation, Refusal, UidRange};
use storage_engine::view::{Condstore, Event, Expunges, SequenceRange, SessionView, View};

use crate::flags;
use crate::limits;
use crate::runtime::Runtime;
use crate::shard::Shard;
use crate::shard::view::SharedView;

use super::{Gone, Session, UpdateRules};

/// A mailbox that ended under the session: deleted, or this core lost sight of it.
const ENDED: Gone = Gone::Bye("Mailbox is gone; connect again");

/// The owner has taken the right to read it away (RFC 4314 5.1.1).
const NO_LONGER_READABLE: Gone = Gone::Bye("You may not read this mailbox any more");

/// Whatever a view holds.
pub const EVERY_UID: [UidRange; 1] = [UidRange {
    first: Uid(1),
    last: Uid(u32::MAX),
}];

/// One message as this session numbers it.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its sequence number.
    pub seq: u32,
    /// What the index knows of it.
    pub entry: Entry,
    /// Whether it is `\Recent` for this session.
    pub recent: bool,
}

/// A [`Row`] where it lies in the view, for a walk that does not wait.
#[derive(Debug, Clone, Copy)]
pub struct RowRef<'v> {
    /// Its sequence number.
    pub seq: u32,
    /// What the index knows of it.
    pub message: EntryRef<'v>,
    /// Whether it is `\Recent` for this session.
    pub recent: bool,
}

impl RowRef<'_> {
    /// To be kept.
    pub fn to_row(self) -> Row {
        Row {
            seq: self.seq,
            entry: self.message.entry(),
            recent: self.recent,
        }
    }
}

/// A selected mailbox. Lives in its session's task; leaves the view when dropped.
pub struct Selected<R: Runtime> {
    /// Its UIDVALIDITY.
    pub uid_validity: UidValidity,
    access: Access,
    actor: Actor,
    /// What the client has been told that it may do, by the list below.
    rights: Rights,
    acl: Acl,
    view: Rc<SharedView>,
    position: Option<SessionView>,
    shard: Shard<R>,
    selection: SessionKey,
}

impl<R: Runtime> Selected<R> {
    /// Enters the view, which the caller has begun to watch, once it has reached the selection.
    pub async fn enter(
        session: &Session<R>,
        view: Rc<SharedView>,
        (access, actor): (Access, Actor),
        selection: SessionKey,
        answer: request::Selected,
    ) -> Result<Self, Refusal> {
        let recent = answer.recent();
        let mut selected = Selected {
            uid_validity: answer.status.uid_validity,
            access,
            actor,
            rights: Rights::NONE,
            acl: Acl::default(),
            view,
            position: None,
            shard: session.shard.clone(),
            selection,
        };
        selected.view.reached(answer.change).await?;
        session.entry().set_selection(selection.session);
        let position = {
            let mut view = selected.view.view_mut().ok_or(Refusal::Unknown)?;
            SessionView::new(&mut view, selected.selection, recent)
        };
        selected.position = Some(position);
        // From here on the view's list counts, which may be newer than the answer's.
        let acl = selected.view.view().map(|view| view.acl().clone());
        selected.acl = acl.ok_or(Refusal::Unknown)?;
        selected.rights = selected.acl.rights_of(&selected.actor);
        match selected.rights.contains(Rights::READ) {
            true => Ok(selected),
            false => Err(Refusal::NoSuchMailbox),
        }
    }

    /// The mailbox.
    pub fn key(&self) -> MailboxKey {
        self.view.key
    }

    /// What the session is to the owner of the mailbox.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The engine's name for this selection.
    pub fn selection(&self) -> SessionKey {
        self.selection
    }

    /// What this session may do, as its client knows it.
    pub fn rights(&self) -> Rights {
        self.rights
    }

    /// Whether it is another account's: what may be seen of it can end at any time.
    pub fn is_foreign(&self) -> bool {
        matches!(self.actor, Actor::Guest(_))
    }

    /// Whether it was EXAMINEd, or nothing in it may be changed (RFC 4314 5.2).
    pub fn is_read_only(&self) -> bool {
        self.access == Access::ReadOnly || !self.rights.changes_messages()
    }

    /// The rights that PERMANENTFLAGS tells of: none in a mailbox that is read-only.
    pub fn permanent_rights(&self) -> Rights {
        match self.is_read_only() {
            true => Rights::NONE,
            false => self.rights,
        }
    }

    /// The view that it shares with the other sessions of the core.
    pub fn view(&self) -> &Rc<SharedView> {
        &self.view
    }

    /// Waits until the view has reached a change.
    pub async fn reached(&self, change: ChangeNumber) -> Result<(), Gone> {
        self.view.reached(change).await.map_err(|_| ENDED)
    }

    /// Tells a part of what has changed, in the order of RFC 3501 7.3 and 7.4: what went, what
    /// came, flags. False when more is to be told at once.
    pub fn tell(
        &mut self,
        rules: UpdateRules,
        condstore: bool,
        out: &mut Vec<u8>,
    ) -> Result<bool, Gone> {
        self.see_rights(out)?;
        let permanent = self.permanent_rights();
        let mut view = self.view.view_mut().ok_or(ENDED)?;
        let position = self.position.as_mut().ok_or(ENDED)?;
        if view.ended() || view.laggards().contains(&self.selection) {
            return Err(ENDED);
        }
        let expunges = if rules.expunge {
            Expunges::Tell
        } else {
            Expunges::Hold
        };
        let tells_mod_seq = if condstore {
            Condstore::On
        } else {
            Condstore::Off
        };
        let most = limits::TOLD_FLAGS_MAX;
        let part = position.tell_part(&mut view, expunges, tells_mod_seq, most);
        let keywords = view.keywords();
        for event in part.events {
            match event {
                Event::Expunge(seq) => message_count::expunge(out, seq),
                Event::Exists(messages) => message_count::exists(out, messages),
                Event::Recent(messages) => message_count::recent(out, messages),
                Event::Keywords => tell_keywords(keywords, permanent, out),
                Event::Fetch {
                    sequence,
                    uid,
                    flags,
                    mod_seq,
                } => {
                    let mut answer = FetchResponse::new(out, sequence);
                    if rules.uid {
                        answer = answer.uid(uid.0);
                    }
                    if let Some(mod_seq) = mod_seq {
                        answer = answer.mod_seq(mod_seq.0);
                    }
                    if let Some(flags) = flags {
                        let recent = position.is_recent(uid);
                        answer = answer.flags(flags::told(flags, keywords, recent));
                    }
                    answer.finish();
                }
            }
        }
        Ok(part.is_last)
    }

    /// Looks at the list of rights, if it is another one: an error if the mailbox may not be read
    /// any more. RFC 4314 5.1.1: what else has changed shows in FLAGS and PERMANENTFLAGS.
    fn see_rights(&mut self, out: &mut Vec<u8>) -> Result<(), Gone> {
        let (acl, keywords) = {
            let view = self.view.view().ok_or(ENDED)?;
            if view.acl().is_same(&self.acl) {
                return Ok(());
            }
            (view.acl().clone(), view.keywords().to_vec())
        };
        let rights = acl.rights_of(&self.actor);
        self.acl = acl;
        if !rights.contains(Rights::READ) {
            return Err(NO_LONGER_READABLE);
        }
        if std::mem::replace(&mut self.rights, rights) != rights {
            tell_keywords(&keywords, self.permanent_rights(), out);
        }
        Ok(())
    }

    /// Step 2 of the updates alone: commands that use UIDs or `*` see what has just come.
    pub fn see_arrivals(&mut self, out: &mut Vec<u8>) -> Result<(), Gone> {
        let permanent = self.permanent_rights();
        let mut view = self.view.view_mut().ok_or(ENDED)?;
        let position = self.position.as_mut().ok_or(ENDED)?;
        for event in position.tell_arrivals(&mut view) {
            match event {
                Event::Exists(messages) => message_count::exists(out, messages),
                Event::Recent(messages) => message_count::recent(out, messages),
                Event::Keywords => tell_keywords(view.keywords(), permanent, out),
                Event::Expunge(_) | Event::Fetch { .. } => {}
            }
        }
        Ok(())
    }

    /// New keywords alone, before an answer that may name one.
    pub fn see_keywords(&mut self, out: &mut Vec<u8>) -> Result<(), Gone> {
        let permanent = self.permanent_rights();
        let view = self.view.view().ok_or(ENDED)?;
        let position = self.position.as_mut().ok_or(ENDED)?;
        if position.tell_keywords(&view).is_some() {
            tell_keywords(view.keywords(), permanent, out);
        }
        Ok(())
    }

    /// The next rows in `ranges`, at most `most`, after a UID if one is given.
    pub fn rows(
        &self,
        ranges: &[UidRange],
        after: Option<Uid>,
        most: usize,
    ) -> Result<Vec<Row>, Gone> {
        let mut rows = Vec::new();
        let _is_more = self.walk(ranges, after, |row| {
            rows.push(row.to_row());
            if rows.len() < most {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(rows)
    }

    /// Shows the rows in `ranges`, after a UID if one is given, until `look` has enough.
    pub fn walk(
        &self,
        ranges: &[UidRange],
        after: Option<Uid>,
        mut look: impl FnMut(RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Gone> {
        let after = after.map_or(0, |uid| uid.0);
        let done = ranges.partition_point(|range| range.last.0 <= after);
        let mut rest = ranges.get(done..).unwrap_or_default();
        let mut begun = None;
        if let Some((first, others)) = rest.split_first()
            && first.first.0 <= after
        {
            rest = others;
            begun = Some(UidRange {
                first: Uid(after.saturating_add(1)),
                last: first.last,
            });
        }
        self.with(|position, view| {
            for ranges in [begun.as_slice(), rest] {
                position.messages(view, ranges).walk(|seq, message| {
                    look(RowRef {
                        seq,
                        message,
                        recent: position.is_recent(message.uid()),
                    })
                })?;
            }
            ControlFlow::Continue(())
        })
    }

    /// The UIDs in `ranges` whose row fits, as ranges that ascend and do not touch.
    pub fn uids_where(
        &self,
        ranges: &[UidRange],
        fits: impl Fn(&RowRef<'_>) -> bool,
    ) -> Result<Vec<UidRange>, Gone> {
        let mut found: Vec<UidRange> = Vec::new();
        let _to_the_end = self.walk(ranges, None, |row| {
            let uid = row.message.uid();
            match found.last_mut() {
                _ if !fits(&row) => {}
                Some(range) if range.last.0.checked_add(1) == Some(uid.0) => range.last = uid,
                _ => found.push(UidRange {
                    first: uid,
                    last: uid,
                }),
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// The messages that a set names, as UID ranges without holes; `None` where a sequence number
    /// is beyond the mailbox.
    pub fn resolve(
        &self,
        set: &[SequenceRange],
        numbering: Numbering,
    ) -> Result<Option<Vec<UidRange>>, Gone> {
        self.with(|position, view| match numbering {
            Numbering::Sequence => position.resolve_sequence(view, set),
            Numbering::Uid => Some(position.resolve_uids(view, set)),
        })
    }

    /// The sequence number of a message in the view.
    pub fn seq_of(&self, uid: Uid) -> Option<u32> {
        self.with(|position, view| position.seq_of(view, uid))
            .ok()
            .flatten()
    }

    /// How many messages the session has been told of.
    pub fn exists(&self) -> Result<u32, Gone> {
        self.with(|position, view| position.exists(view))
    }

    /// The largest UID that the session has been told of, or 0.
    pub fn uid_max(&self) -> Result<u32, Gone> {
        self.with(|position, view| {
            position
                .uid_at(view, position.exists(view))
                .map_or(0, |uid| uid.0)
        })
    }

    /// UIDNEXT: above all that it has been told of.
    pub fn uid_next(&self) -> Result<u32, Gone> {
        self.with(|position, _| position.told_uid_next().0)
    }

    /// How many messages are `\Recent` for this session.
    pub fn recent(&self) -> u32 {
        self.with(|position, view| position.recent_count(view))
            .unwrap_or(0)
    }

    /// The sequence number of the first message without `\Seen`, for the answer of SELECT: nothing
    /// that the session has not been told of has come or gone yet.
    pub fn first_unseen(&self) -> Result<Option<u32>, Gone> {
        self.with(|position, view| position.seq_of(view, view.first_unseen()?))
    }

    /// The highest MODSEQ that may be told: below every change that was not (RFC 7162 3.2).
    pub fn highest_mod_seq(&self) -> Result<ModSeq, Gone> {
        self.with(|position, view| position.highest_mod_seq(view))
    }

    /// Whether something went that the session has not been told of.
    pub fn has_untold_expunges(&self) -> bool {
        self.with(|position, view| position.has_untold_expunges(view))
            .unwrap_or(false)
    }

    /// The mailbox's keywords in bit order.
    pub fn keywords(&self) -> Vec<String> {
        self.with(|_, view| view.keywords().to_vec())
            .unwrap_or_default()
    }

    fn with<T>(&self, look: impl FnOnce(&SessionView, &View) -> T) -> Result<T, Gone> {
        let view = self.view.view().ok_or(ENDED)?;
        let position = self.position.as_ref().ok_or(ENDED)?;
        // Nothing is shown to a session between the moment when it may not be and its end.
        if !view.acl().is_same(&self.acl)
            && !view.acl().rights_of(&self.actor).contains(Rights::READ)
        {
            return Err(NO_LONGER_READABLE);
        }
        Ok(look(position, &view))
    }
}

impl<R: Runtime> Drop for Selected<R> {
    fn drop(&mut self) {
        if let (Some(position), Some(mut view)) = (self.position.take(), self.view.view_mut()) {
            view.leave(position);
        }
        self.shard.unwatch(&self.view);
        let (shard, key, session) = (self.shard.clone(), self.view.key, self.selection);
        self.shard.runtime().spawn(async move {
            let operation = Operation::Deselect {
                mailbox: key.mailbox,
                session,
            };
            // The mailbox may be gone, and then so is the registration.
            let _ = shard.request(key.account, Actor::System, operation).await;
        });
    }
}

/// FLAGS and PERMANENTFLAGS, as SELECT tells them and again when a keyword is new or the rights are
/// others. `permanent` are the rights by which flags can be changed.
pub fn tell_keywords(keywords: &[String], permanent: Rights, out: &mut Vec<u8>) {
    let system = flags::SYSTEM.iter().map(|(_, name)| *name);
    tell_flags(out, system.chain(keywords.iter().map(String::as_str)));
    let code = permanent_flags(keywords, permanent);
    status::untagged(out, Condition::Ok, Some(&code), "permanent flags");
}

/// RFC 4314 5.1.1: the flags that these rights can change.
fn permanent_flags(keywords: &[String], rights: Rights) -> Code {
    let system = [
        (Flag::Answered, Rights::WRITE),
        (Flag::Flagged, Rights::WRITE),
        (Flag::Deleted, Rights::DELETE_MESSAGES),
        (Flag::Seen, Rights::SEEN),
        (Flag::Draft, Rights::WRITE),
    ];
    let system = system.into_iter().filter(|(_, of)| rights.contains(*of));
    let writes = rights.contains(Rights::WRITE);
    let own = keywords.iter().filter(|_| writes);
    let own = own.map(|keyword| Flag::Keyword(keyword.clone()));
    Code::PermanentFlags {
        flags: system.map(|(flag, _)| flag).chain(own).collect(),
        new_keywords: writes && keywords.len() < Flags::KEYWORDS_MAX,
    }
}
