//! FETCH and UID FETCH (RFC 3501 6.4.5, RFC 7162 3.1.4).

use imap_proto::command::{Fetch, FetchAttribute, Numbering};
use imap_proto::response::code::Code;
use storage_engine::ids::{ModSeq, Uid};
use storage_engine::request::{FlagNames, Flags, Operation, Store, StoreAction, UidRange};

use crate::limits;
use crate::runtime::Runtime;
use crate::session::body::Trouble;
use crate::session::refusal::{Missing, refused};
use crate::session::selected::Row;
use crate::session::{Completion, Execution, Gone, Session};

pub mod answer;
mod listed;

use answer::Wanted;

/// Rows that are looked up at a time.
const ROWS_A_TURN: usize = 256;

/// Tells what was asked for of each message, in order.
pub async fn execute<R: Runtime>(command: Fetch, session: &mut Session<R>) -> Execution {
    // RFC 7162 3.1: both enable CONDSTORE.
    if command.changed_since.is_some() || command.attributes.contains(&FetchAttribute::ModSeq) {
        session.enable_condstore();
    }
    let Some(ranges) = session.resolve(&command.set, command.numbering).await else {
        return Ok(Completion::bad("No such messages"));
    };
    let wanted = Wanted::new(&command, session.condstore);
    if wanted.is_in_index() {
        let changed_since = command.changed_since.map(ModSeq);
        listed::tell(session, &wanted, &ranges, changed_since).await?;
        return Ok(Completion::ok());
    }
    let changed_since = command.changed_since.map(ModSeq);
    let is_asked = |mod_seq: ModSeq| changed_since.is_none_or(|since| mod_seq > since);
    let marked = if wanted.sets_seen {
        mark_seen(session, &ranges, is_asked).await?
    } else {
        Vec::new()
    };
    let mut trouble = None;
    let mut after = None;
    loop {
        let Some(selected) = session.selected() else {
            return Err(Gone::Closed);
        };
        let keywords = selected.keywords();
        let rows = selected.rows(&ranges, after, ROWS_A_TURN)?;
        let Some(last) = rows.last() else { break };
        after = Some(last.entry.uid);
        let asked = rows.iter().filter(|row| is_asked(row.entry.mod_seq));
        let asked: Vec<Row> = asked.copied().collect();
        for rows in asked.chunks(limits::READ_AHEAD_MESSAGES) {
            wanted.read_ahead(session, rows).await;
            for row in rows {
                if let Some(found) = wanted.tell(session, row, &keywords, &marked).await? {
                    trouble = Some(found);
                }
                session.wire.flush_if_full().await?;
            }
            session.pause().await?;
        }
        session.pause().await?;
    }
    Ok(match trouble {
        None => Completion::ok(),
        Some(Trouble::Gone) => {
            Completion::no_with(Code::ExpungeIssued, "Some of the messages are gone")
        }
        Some(Trouble::Unreadable) => {
            Completion::no_with(Code::Corruption, "Some of the messages cannot be read")
        }
    })
}

/// Sets `\Seen` where it is missing in rows that are asked for, and returns where: RFC 3501 6.4.5
/// wants the flags of these messages in their answer. Never the reason why a FETCH fails.
async fn mark_seen<R: Runtime>(
    session: &mut Session<R>,
    ranges: &[UidRange],
    is_asked: impl Fn(ModSeq) -> bool,
) -> Result<Vec<UidRange>, Gone> {
    let Some(selected) = session.selected() else {
        return Ok(Vec::new());
    };
    if selected.is_read_only() {
        return Ok(Vec::new());
    }
    let unseen = selected.uids_where(ranges, |row| {
        !row.message.flags().contains(Flags::SEEN) && is_asked(row.message.mod_seq())
    })?;
    if unseen.is_empty() {
        return Ok(Vec::new());
    }
    let store = Store {
        mailbox: selected.key().mailbox,
        uids: unseen.clone(),
        action: StoreAction::Add,
        flags: FlagNames {
            system: Flags::SEEN,
            keywords: Vec::new(),
        },
        unchanged_since: None,
        session: selected.selection(),
        // Told with the answers.
        silent: true,
    };
    if let Ok(storage_engine::request::Reply::Stored { change, .. }) =
        session.request_selected(Operation::Store(store)).await
        && let Some(selected) = session.selected()
    {
        selected.reached(change).await?;
        return Ok(unseen);
    }
    Ok(Vec::new())
}

/// RFC 3501 6.4.8: UID FETCH tells the UID even when it was not asked for.
pub(super) fn tells_uid(command: &Fetch) -> bool {
    command.numbering == Numbering::Uid && !command.attributes.contains(&FetchAttribute::Uid)
}

/// Whether a UID lies in ranges that ascend.
pub(super) fn within(ranges: &[UidRange], uid: Uid) -> bool {
    let at = ranges.partition_point(|range| range.last < uid);
    ranges.get(at).is_some_and(|range| range.first <= uid)
}

/// What the owner refuses, for commands of this family.
pub(super) fn refusal(refusal: &storage_engine::request::Refusal) -> Execution {
    refused(refusal, Missing::Subject)
}
