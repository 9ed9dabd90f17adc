//! COPY and UID COPY (RFC 3501 6.4.7, RFC 4315), and what MOVE shares with them.

use imap_proto::command::{Copy, Numbering};
use imap_proto::grammar::{MailboxName, SequenceSet};
use imap_proto::response::code::Code;
use storage_engine::ids::{ChangeNumber, ModSeq, Uid, UidValidity};
use storage_engine::request::{
    GoneMessages, Operation, Refusal, Reply, Transfer, TransferKind, UidRange,
};

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Gone, Running, Session};

mod encrypted;

mod crossing;

/// Copies at the owner, all or nothing.
pub async fn execute<R: Runtime>(command: Copy, session: &mut Session<R>) -> Execution {
    let Copy {
        numbering,
        set,
        mailbox,
        encrypted,
    } = command;
    if let Some(whose) = encrypted {
        return encrypted::execute(session, (numbering, set), &mailbox, whose).await;
    }
    match transfer(session, numbering, &set, &mailbox, TransferKind::Copy).await? {
        Transferred::Nothing => Ok(Completion::ok()),
        Transferred::NoSuchMessages => Ok(Completion::bad("No such messages")),
        Transferred::Refused(refusal) => refused(&refusal, Missing::Destination),
        Transferred::Done { code, .. } => Ok(Completion::ok_with(code)),
    }
}

/// How a transfer has ended.
pub enum Transferred {
    /// No message was named.
    Nothing,
    /// A number is beyond the mailbox.
    NoSuchMessages,
    /// The owner refused.
    Refused(Refusal),
    /// Done.
    Done {
        /// COPYUID.
        code: Code,
        /// What it rests on, in the source.
        change: ChangeNumber,
        /// HIGHESTMODSEQ of the source after it.
        mod_seq: ModSeq,
    },
}

fn messages(uids: &[UidRange]) -> u32 {
    let lengths = uids.iter().map(|range| range.last.0 - range.first.0 + 1);
    lengths.fold(0, u32::saturating_add)
}

/// Asks the owner.
pub async fn transfer<R: Runtime>(
    session: &mut Session<R>,
    numbering: Numbering,
    set: &SequenceSet,
    to: &MailboxName,
    kind: TransferKind,
) -> Result<Transferred, Gone> {
    let mut running = Running::begin(session);
    let Some(uids) = session.resolve(set, numbering).await else {
        return Ok(Transferred::NoSuchMessages);
    };
    // It is one step: nothing is done until everything is.
    running.has_done(0, messages(&uids));
    if uids.is_empty() {
        return Ok(Transferred::Nothing);
    }
    let location = match session.locate(to.as_str()).await {
        Ok(location) => location,
        Err(refusal) => return Ok(Transferred::Refused(refusal)),
    };
    let limit = session.limit_at(&location).await;
    let Some(selected) = session.selected() else {
        return Err(Gone::Closed);
    };
    let from = selected.key();
    let gone = match numbering {
        Numbering::Sequence => GoneMessages::Refuse,
        Numbering::Uid => GoneMessages::PassOver,
    };
    if from.account != location.owner {
        return crossing::transfer(session, uids, &location, kind, gone).await;
    }
    let operation = Operation::Transfer(Transfer {
        from: from.mailbox,
        uids,
        to: location.name.clone(),
        kind,
        gone,
        limit,
    });
    let asked = session.asking_at(&location, operation);
    match running.wait(session, asked).await {
        Ok(Reply::Transferred { uids, .. }) if uids.is_empty() => Ok(Transferred::Nothing),
        Ok(Reply::Transferred {
            uid_validity,
            uids,
            change,
            mod_seq,
            ..
        }) => {
            if let Some(selected) = session.selected() {
                selected.reached(change).await?;
            }
            Ok(Transferred::Done {
                code: copy_uid(uid_validity, &uids),
                change,
                mod_seq,
            })
        }
        Ok(_) => Err(Gone::Bye("Internal error")),
        Err(refusal) => Ok(Transferred::Refused(refusal)),
    }
}

fn copy_uid(uid_validity: UidValidity, uids: &[(Uid, Uid)]) -> Code {
    Code::CopyUid {
        uid_validity: uid_validity.0,
        source: uids.iter().map(|(source, _)| source.0).collect(),
        target: uids.iter().map(|(_, target)| target.0).collect(),
    }
}
