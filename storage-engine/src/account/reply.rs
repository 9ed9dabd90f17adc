//! The answer to a plan, as far as planning knows it.

use std::sync::Arc;

use super::{AccountState, Mailbox};
use crate::acl::{Acl, Rights};
use crate::actor::Actor;
use crate::alert::Alerts;
use crate::ids::{ChangeNumber, MailboxId, ModSeq, Uid, UidValidity};
use crate::index::Entry;
use crate::request::{Access, Refusal, Reply, Selected};

/// An answer without its change numbers and counters: those are the published state's, and are
/// filled in once the records are durable and published.
#[derive(Debug, Clone)]
pub enum ReplyDraft {
    /// [`Reply::Done`]
    Done,
    /// [`Reply::Account`]
    Account {
        /// As who asks may see it.
        actor: Actor,
    },
    /// [`Reply::Usage`]
    Usage,
    /// [`Reply::Alerts`]
    Alerts(Alerts),
    /// [`Reply::Status`]
    Status {
        /// The mailbox.
        mailbox: MailboxId,
        /// As who asks may see it.
        actor: Actor,
    },
    /// [`Reply::TakenOut`]
    TakenOut {
        /// Source.
        mailbox: MailboxId,
        /// The messages.
        messages: Vec<Entry>,
        /// Keywords of the mailbox.
        keywords: Arc<Vec<String>>,
        /// Of the move.
        number: Option<u64>,
    },
    /// [`Reply::MoveState`]
    MoveState(bool),
    /// [`Reply::Acl`]
    Acl(Acl),
    /// [`Reply::Rights`]
    Rights(Rights),
    /// [`Reply::Selected`]
    Selected {
        /// The mailbox.
        mailbox: MailboxId,
        /// Who asks.
        actor: Actor,
        /// How it is selected, as far as the rights allow.
        access: Access,
        /// The first UID that is recent for the session.
        first_recent: Uid,
    },
    /// [`Reply::Appended`]
    Appended {
        /// Where.
        mailbox: MailboxId,
        /// Its UIDVALIDITY.
        uid_validity: UidValidity,
        /// One a message.
        uids: Vec<Uid>,
    },
    /// [`Reply::Stored`]
    Stored {
        /// The mailbox.
        mailbox: MailboxId,
        /// Named but not there.
        gone: Vec<Uid>,
        /// Passed over by UNCHANGEDSINCE.
        modified: Vec<Uid>,
        /// Of the change, if any.
        mod_seq: Option<ModSeq>,
    },
    /// [`Reply::Expunged`]
    Expunged {
        /// The mailbox.
        mailbox: MailboxId,
        /// HIGHESTMODSEQ after it.
        mod_seq: ModSeq,
    },
    /// [`Reply::Certificate`]
    Certificate,
    /// [`Reply::Transferred`]
    Transferred {
        /// Source.
        from: MailboxId,
        /// Destination.
        to: MailboxId,
        /// Its UIDVALIDITY.
        uid_validity: UidValidity,
        /// Source and destination.
        uids: Vec<(Uid, Uid)>,
        /// HIGHESTMODSEQ of the source after it.
        mod_seq: ModSeq,
    },
}

impl ReplyDraft {
    /// Completes the answer. `published` has this plan's records, `change` gives the number of a
    /// mailbox's newest published change.
    pub fn finish(
        self,
        published: &AccountState,
        change: &dyn Fn(MailboxId) -> ChangeNumber,
    ) -> Result<Reply, Refusal> {
        Ok(match self {
            ReplyDraft::Done => Reply::Done,
            ReplyDraft::Account { actor } => Reply::Account(Arc::new(published.describe(&actor))),
            ReplyDraft::Acl(acl) => Reply::Acl(acl),
            ReplyDraft::MoveState(state) => Reply::MoveState(state),
            ReplyDraft::Rights(rights) => Reply::Rights(rights),
            ReplyDraft::Usage => Reply::Usage(published.usage()),
            ReplyDraft::Alerts(alerts) => Reply::Alerts(alerts),
            ReplyDraft::Status { mailbox, actor } => {
                let mailbox = published.selectable_id(mailbox)?;
                Reply::Status(mailbox.status(&actor))
            }
            ReplyDraft::Selected {
                mailbox,
                actor,
                first_recent,
                ..
            } => {
                // Deleted by somebody between the plan and now: then it can't be selected.
                let held = published.selectable_id(mailbox)?;
                Reply::Selected(held.selected(&actor, first_recent, change(mailbox)))
            }
            ReplyDraft::Certificate => Reply::Certificate(published.certificate()),
            of_messages => of_messages.finish_messages(change),
        })
    }

    /// Answers of commands that name messages: all that is missing is the change.
    fn finish_messages(self, change: &dyn Fn(MailboxId) -> ChangeNumber) -> Reply {
        match self {
            ReplyDraft::TakenOut {
                mailbox,
                messages,
                keywords,
                number,
            } => Reply::TakenOut {
                messages,
                keywords,
                number,
                change: change(mailbox),
            },
            ReplyDraft::Appended {
                mailbox,
                uid_validity,
                uids,
            } => Reply::Appended {
                mailbox,
                uid_validity,
                uids,
                change: change(mailbox),
            },
            ReplyDraft::Stored {
                mailbox,
                gone,
                modified,
                mod_seq,
            } => Reply::Stored {
                gone,
                modified,
                mod_seq,
                change: change(mailbox),
            },
            ReplyDraft::Expunged { mailbox, mod_seq } => Reply::Expunged {
                change: change(mailbox),
                mod_seq,
            },
            ReplyDraft::Transferred {
                from,
                to,
                uid_validity,
                uids,
                mod_seq,
            } => Reply::Transferred {
                uid_validity,
                uids,
                to,
                change: change(from),
                mod_seq,
            },
            _ => unreachable!("finish has the others"),
        }
    }
}

impl Mailbox {
    fn selected(&self, actor: &Actor, first_recent: Uid, change: ChangeNumber) -> Selected {
        Selected {
            status: self.status(actor),
            keywords: self.keywords.to_vec(),
            rights: self.acl.rights_of(actor),
            first_recent,
            change,
        }
    }
}
