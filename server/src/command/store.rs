//! STORE and UID STORE (RFC 3501 6.4.6, RFC 7162 3.1.3).

use imap_proto::command::{self, Numbering};
use imap_proto::grammar::NumberSet;
use imap_proto::response::code::Code;
use imap_proto::response::fetch::FetchResponse;
use imap_proto::response::status::Condition;
use storage_engine::ids::{ModSeq, Uid};
use storage_engine::request::{Operation, Reply, Store, StoreAction, UidRange};

use crate::flags;
use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Gone, Session};

use super::fetch;

/// Messages whose new flags are told at a time.
const ROWS_A_TURN: usize = 256;

/// Changes flags at the owner; what is gone or was changed meanwhile is told by number.
pub async fn execute<R: Runtime>(command: command::Store, session: &mut Session<R>) -> Execution {
    if command.unchanged_since.is_some() {
        session.enable_condstore();
    }
    let Some(ranges) = session.resolve(&command.set, command.numbering).await else {
        return Ok(Completion::bad("No such messages"));
    };
    if flags::has_unknown(&command.flags) {
        return Ok(Completion::bad("No such system flag"));
    }
    let Some(selected) = session.selected() else {
        return Err(Gone::Closed);
    };
    if selected.is_read_only() {
        return Ok(Completion::no_with(
            Code::Cannot,
            "Mailbox is selected read-only",
        ));
    }
    if ranges.is_empty() {
        return Ok(Completion::ok());
    }
    let store = Store {
        mailbox: selected.key().mailbox,
        uids: ranges.clone(),
        action: match command.action {
            command::StoreAction::Replace => StoreAction::Replace,
            command::StoreAction::Add => StoreAction::Add,
            command::StoreAction::Remove => StoreAction::Remove,
        },
        flags: flags::names(&command.flags),
        unchanged_since: command.unchanged_since.map(ModSeq),
        session: selected.selection(),
        silent: command.silent,
    };
    match session.request_selected(Operation::Store(store)).await {
        Ok(Reply::Stored {
            gone,
            modified,
            mod_seq,
            change,
        }) => {
            if let Some(selected) = session.selected() {
                selected.reached(change).await?;
            }
            if !command.silent {
                tell_unchanged(session, &command, &ranges, mod_seq, &modified).await?;
            }
            finish(session, &command, &gone, &modified)
        }
        Ok(_) => Err(Gone::Bye("Internal error")),
        Err(refusal) => fetch::refusal(&refusal),
    }
}

/// RFC 3501 6.4.6: the flags of each message are told. What has changed is told with the other
/// updates at the end of the command; what was so already is told here.
async fn tell_unchanged<R: Runtime>(
    session: &mut Session<R>,
    command: &command::Store,
    ranges: &[UidRange],
    changed: Option<ModSeq>,
    modified: &[Uid],
) -> Result<(), Gone> {
    let mut after = None;
    loop {
        let condstore = session.condstore;
        let Some(selected) = session.selected() else {
            return Err(Gone::Closed);
        };
        let keywords = selected.keywords();
        let rows = selected.rows(ranges, after, ROWS_A_TURN)?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = Some(last.entry.uid);
        let unchanged = rows.iter().filter(|row| {
            Some(row.entry.mod_seq) != changed && modified.binary_search(&row.entry.uid).is_err()
        });
        for row in unchanged {
            let mut answer = FetchResponse::new(&mut session.wire.out, row.seq);
            if command.numbering == Numbering::Uid {
                answer = answer.uid(row.entry.uid.0);
            }
            if condstore {
                answer = answer.mod_seq(row.entry.mod_seq.0);
            }
            answer
                .flags(flags::told(row.entry.flags, &keywords, row.recent))
                .finish();
        }
        session.wire.flush_if_full().await?;
        session.pause().await?;
    }
}

fn finish<R: Runtime>(
    session: &mut Session<R>,
    command: &command::Store,
    gone: &[Uid],
    modified: &[Uid],
) -> Execution {
    if !modified.is_empty() {
        let Some(selected) = session.selected() else {
            return Err(Gone::Closed);
        };
        // RFC 7162 3.1.3: by number, or by UID for UID STORE.
        let set: NumberSet = match command.numbering {
            Numbering::Uid => modified.iter().map(|uid| uid.0).collect(),
            Numbering::Sequence => modified
                .iter()
                .filter_map(|uid| selected.seq_of(*uid))
                .collect(),
        };
        let code = Some(Code::Modified(set));
        return Ok(if gone.is_empty() {
            Completion::new(Condition::Ok, code, "Conditional STORE failed for some")
        } else {
            Completion::new(Condition::No, code, "Some of the messages are gone")
        });
    }
    if !gone.is_empty() && command.numbering == Numbering::Sequence {
        let text = "Some of the messages are gone; the rest was changed";
        return Ok(Completion::no_with(Code::ExpungeIssued, text));
    }
    Ok(Completion::ok())
}
