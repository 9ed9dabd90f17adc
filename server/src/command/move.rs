//! MOVE and UID MOVE (RFC 6851).

use imap_proto::command::Move;
use imap_proto::response::code::Code;
use imap_proto::response::status::{self, Condition};
use storage_engine::request::TransferKind;

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Gone, Session};

use super::copy::{Transferred, transfer};

/// Moves at the owner, all or nothing. RFC 6851 4.3: COPYUID comes before the EXPUNGEs.
pub async fn execute<R: Runtime>(command: Move, session: &mut Session<R>) -> Execution {
    let Some(selected) = session.selected() else {
        return Err(Gone::Closed);
    };
    if selected.is_read_only() {
        return Ok(Completion::no_with(
            Code::Cannot,
            "Mailbox is selected read-only",
        ));
    }
    let Move {
        numbering,
        set,
        mailbox,
    } = command;
    match transfer(session, numbering, &set, &mailbox, TransferKind::Move).await? {
        Transferred::Nothing => Ok(Completion::ok()),
        Transferred::NoSuchMessages => Ok(Completion::bad("No such messages")),
        Transferred::Refused(refusal) => refused(&refusal, Missing::Destination),
        Transferred::Done { code, mod_seq, .. } => {
            status::untagged(&mut session.wire.out, Condition::Ok, Some(&code), "Moved");
            Ok(if session.condstore {
                Completion::ok_with(Code::HighestModSeq(mod_seq.0))
            } else {
                Completion::ok()
            })
        }
    }
}
