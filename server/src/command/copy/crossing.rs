//! COPY and MOVE to a mailbox of another account: the octets are read here, piece by piece, and
//! written into the other account's log; the messages come to be in one step when all are there.
//!
//! A MOVE goes in steps of some messages each, so that each step holds little; each of its messages
//! is in one of the two mailboxes whenever anybody looks, and a crash leaves a copy at most.

use std::sync::Arc;

use imap_proto::response::status::{self, Condition};
use storage_engine::acl::Rights;
use storage_engine::ids::{ChangeNumber, MailboxKey, ModSeq, Uid, UidValidity};
use storage_engine::index::Entry;
use storage_engine::limits::BODY_INLINE_BYTES_MAX;
use storage_engine::request::{
    Actor, GoneMessages, NewBody, NewMessage, Operation, Receive, Refusal, Reply, TakeOut,
    TransferKind, UidRange,
};

use crate::flags;
use crate::limits;
use crate::runtime::Runtime;
use crate::session::body::{Stored, Trouble};
use crate::session::{Gone, Location, Session};
use crate::shard::Shard;
use crate::shard::moves::Moving;

use super::{Transferred, copy_uid};

/// What a step has come to.
struct Step {
    uid_validity: UidValidity,
    uids: Vec<(Uid, Uid)>,
    change: ChangeNumber,
    mod_seq: ModSeq,
}

/// A refusal, or the end of the connection.
enum Stop {
    Refused(Refusal),
    Gone(Gone),
}

impl From<Gone> for Stop {
    fn from(gone: Gone) -> Self {
        Stop::Gone(gone)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

/// Copies or moves messages of the selected mailbox to `to`, which another account owns.
pub(super) async fn transfer<R: Runtime>(
    session: &mut Session<R>,
    uids: Vec<UidRange>,
    to: &Location,
    kind: TransferKind,
    gone: GoneMessages,
) -> Result<Transferred, Gone> {
    // Nothing is read, and nothing of the source told, for who may not put it there.
    let name = to.name.clone();
    match session.request_at(to, Operation::MyRights { name }).await {
        Ok(Reply::Rights(rights)) if rights.contains(Rights::INSERT) => {}
        Ok(_) => return Ok(Transferred::Refused(Refusal::NoPermission)),
        Err(refusal) => return Ok(Transferred::Refused(refusal)),
    }
    match kind {
        TransferKind::Copy => match step(session, uids, to, kind, gone).await {
            Ok(done) => Ok(done.map_or(Transferred::Nothing, Step::done)),
            Err(Stop::Refused(refusal)) => Ok(Transferred::Refused(refusal)),
            Err(Stop::Gone(gone)) => Err(gone),
        },
        TransferKind::Move => move_in_steps(session, &uids, to, gone).await,
    }
}

/// RFC 6851 4.3: what was moved is told whatever becomes of the rest.
async fn move_in_steps<R: Runtime>(
    session: &mut Session<R>,
    uids: &[UidRange],
    to: &Location,
    gone: GoneMessages,
) -> Result<Transferred, Gone> {
    let mut moved: Option<Step> = None;
    let (mut after, mut most) = (None, limits::MOVED_AT_ONCE_MESSAGES);
    loop {
        let Some(selected) = session.selected() else {
            return Err(Gone::Closed);
        };
        let rows = selected.rows(uids, after, most)?;
        let Some(last) = rows.last() else {
            return Ok(moved.map_or(Transferred::Nothing, Step::done));
        };
        let next_after = Some(last.entry.uid);
        let each = rows.iter().map(|row| UidRange {
            first: row.entry.uid,
            last: row.entry.uid,
        });
        let each = each.collect();
        match step(session, each, to, TransferKind::Move, gone).await {
            Ok(None) => {}
            Ok(Some(next)) => match &mut moved {
                Some(moved) if moved.uid_validity == next.uid_validity => moved.join(next),
                _ => {
                    // The destination was made anew between two steps.
                    tell(session, moved.replace(next));
                }
            },
            // Too much for one step: one by one, then.
            Err(Stop::Refused(Refusal::Limit(_))) if rows.len() > 1 => {
                most = 1;
                continue;
            }
            Err(Stop::Refused(refusal)) => {
                tell(session, moved);
                return Ok(Transferred::Refused(refusal));
            }
            Err(Stop::Gone(gone)) => {
                tell(session, moved);
                return Err(gone);
            }
        }
        after = next_after;
        session.pause().await?;
    }
}

/// RFC 6851 4.3: COPYUID comes before the EXPUNGEs.
fn tell<R: Runtime>(session: &mut Session<R>, moved: Option<Step>) {
    if let Some(moved) = moved {
        let code = copy_uid(moved.uid_validity, &moved.uids);
        status::untagged(&mut session.wire.out, Condition::Ok, Some(&code), "Moved");
    }
}

impl Step {
    fn join(&mut self, next: Step) {
        self.uids.extend(next.uids);
        (self.change, self.mod_seq) = (next.change, next.mod_seq);
    }

    fn done(self) -> Transferred {
        Transferred::Done {
            code: copy_uid(self.uid_validity, &self.uids),
            change: self.change,
            mod_seq: self.mod_seq,
        }
    }
}

/// Takes messages out, copies them, and ends the move if it is one. `None`: all are gone.
async fn step<R: Runtime>(
    session: &mut Session<R>,
    uids: Vec<UidRange>,
    to: &Location,
    kind: TransferKind,
    gone: GoneMessages,
) -> Result<Option<Step>, Stop> {
    let Some(from) = session.selected().map(|selected| selected.key()) else {
        return Err(Gone::Closed.into());
    };
    let shard = session.shard.clone();
    let held = limits::CROSSING_INLINE_BYTES_MAX + limits::CROSSING_SUMMARY_BYTES_MAX;
    let held = u64::try_from(held).unwrap_or(u64::MAX);
    let _held = shard.searched().take(held).await;
    let take = Operation::TakeOut(TakeOut {
        mailbox: from.mailbox,
        uids,
        gone,
        moves_to: (kind == TransferKind::Move).then_some(to.owner),
    });
    let Reply::TakenOut {
        messages,
        keywords,
        number,
        change,
    } = session.request_selected(take).await?
    else {
        return Err(Gone::Bye("Internal error").into());
    };
    // From here on the move comes to its end whatever happens to this session.
    let moving = number.map(|number| Moving::new(shard.clone(), from.account, to.owner, number));
    if messages.is_empty() {
        return Ok(None);
    }
    let received = receive(session, from, &messages, &keywords, to, moving.as_ref()).await;
    let (uid_validity, targets) = match received {
        Ok(received) => received,
        Err(stop) => {
            // Where the outcome is not known, the destination is asked.
            if let (Some(moving), Stop::Refused(refusal)) = (moving, &stop)
                && *refusal != Refusal::Unknown
            {
                moving.refused().await;
            }
            return Err(stop);
        }
    };
    let (mut change, mut mod_seq) = (change, ModSeq(0));
    if let Some(moving) = moving
        && let Reply::Expunged {
            change: ended,
            mod_seq: highest,
        } = moving.taken().await?
    {
        (change, mod_seq) = (ended, highest);
    }
    if let Some(selected) = session.selected() {
        selected.reached(change).await?;
    }
    let sources = messages.iter().map(|entry| entry.uid);
    Ok(Some(Step {
        uid_validity,
        uids: sources.zip(targets).collect(),
        change,
        mod_seq,
    }))
}

/// Copies the messages into the other account.
async fn receive<R: Runtime>(
    session: &mut Session<R>,
    from: MailboxKey,
    messages: &[Entry],
    keywords: &[String],
    to: &Location,
    moving: Option<&Moving<R>>,
) -> Result<(UidValidity, Vec<Uid>), Stop> {
    let shard = session.shard.clone();
    let mut copies = Copies::new(&shard, to);
    for entry in messages {
        session.pause().await?;
        copies.add(from, entry, keywords).await?;
    }
    let receive = Operation::Receive(Receive {
        mailbox: to.name.clone(),
        messages: std::mem::take(&mut copies.messages),
        limit: to.limit,
        move_of: moving.map(Moving::key),
    });
    match session.request_at(to, receive).await {
        Ok(Reply::Appended {
            uid_validity, uids, ..
        }) => {
            copies.uploads.clear();
            Ok((uid_validity, uids))
        }
        Ok(_) => Err(Gone::Bye("Internal error").into()),
        Err(refusal) => {
            if refusal == Refusal::Unknown {
                // They may belong to messages.
                copies.uploads.clear();
            }
            Err(refusal.into())
        }
    }
}

/// Messages on their way. Chunks that no message comes to use are given up.
struct Copies<'c, R: Runtime> {
    shard: &'c Shard<R>,
    to: &'c Location,
    messages: Vec<NewMessage>,
    uploads: Vec<NewBody>,
    /// Octets of small bodies, and of summaries, that are held here.
    inline: usize,
    summaries: usize,
}

impl<'c, R: Runtime> Copies<'c, R> {
    fn new(shard: &'c Shard<R>, to: &'c Location) -> Self {
        Copies {
            shard,
            to,
            messages: Vec::new(),
            uploads: Vec::new(),
            inline: 0,
            summaries: 0,
        }
    }

    async fn add(
        &mut self,
        from: MailboxKey,
        entry: &Entry,
        keywords: &[String],
    ) -> Result<(), Refusal> {
        let mut stored = Stored::new(self.shard, from, *entry);
        let summary = stored.summary().await.map_err(refusal)?;
        self.summaries += summary.len();
        if self.summaries > limits::CROSSING_SUMMARY_BYTES_MAX {
            return Err(Refusal::Limit("too much for another account at once"));
        }
        let body = self.copy_body(&mut stored, u64::from(entry.size)).await?;
        self.messages.push(NewMessage {
            flags: flags::named(entry.flags, keywords),
            internal_date_s: entry.internal_date_s,
            internal_date_zone_min: entry.zone_min,
            size: entry.size,
            body,
            summary: Arc::from(&summary[..]),
        });
        Ok(())
    }

    /// Small bodies travel with the message while they are few; of others one piece is here at a
    /// time.
    async fn copy_body(
        &mut self,
        stored: &mut Stored<'_, R>,
        size: u64,
    ) -> Result<NewBody, Refusal> {
        let small = usize::try_from(size).unwrap_or(usize::MAX);
        let held = self.inline.saturating_add(small);
        if small <= BODY_INLINE_BYTES_MAX && held <= limits::CROSSING_INLINE_BYTES_MAX {
            self.inline = held;
            let octets = stored.octets(0..size).await.map_err(refusal)?;
            return Ok(NewBody::Inline(Arc::from(&octets[..])));
        }
        let upload = self.shard.next_upload();
        let piece = u64::try_from(BODY_INLINE_BYTES_MAX).unwrap_or(u64::MAX);
        self.uploads.push(NewBody::Uploaded(upload));
        let (mut at, mut index) = (0, 0);
        while at < size {
            let end = size.min(at + piece);
            let octets = stored.octets(at..end).await.map_err(refusal)?;
            let chunk = Operation::UploadChunk {
                body: upload,
                index,
                bytes: Arc::from(&octets[..]),
            };
            let owner = self.to.owner;
            self.shard.request(owner, Actor::System, chunk).await?;
            (at, index) = (end, index + 1);
        }
        Ok(NewBody::Uploaded(upload))
    }
}

impl<R: Runtime> Drop for Copies<'_, R> {
    fn drop(&mut self) {
        let uploads = std::mem::take(&mut self.uploads);
        if uploads.is_empty() {
            return;
        }
        let (shard, owner) = (self.shard.clone(), self.to.owner);
        self.shard.runtime().spawn(async move {
            for body in uploads {
                crate::upload::abandon(&shard, owner, body, &Refusal::NoSuchUpload).await;
            }
        });
    }
}

/// Why a message was not read, as a refusal of the whole.
fn refusal(trouble: Trouble) -> Refusal {
    match trouble {
        Trouble::Gone => Refusal::MessageGone,
        Trouble::Unreadable => Refusal::Unreadable,
    }
}
