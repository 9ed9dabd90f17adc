//! The answer to a plan, as far as planning knows it.

use std::sync::Arc;

use super::AccountState;
use crate::ids::{ChangeNumber, MailboxId, ModSeq, Uid, UidValidity};
use crate::request::{Refusal, Reply, Selected};

/// An answer without its change numbers and counters: those are the published state's, and are
/// filled in once the records are durable and published.
#[derive(Debug, Clone)]
pub enum ReplyDraft {
    /// [`Reply::Done`]
    Done,
    /// [`Reply::Account`]
    Account,
    /// [`Reply::Status`]
    Status {
        /// The mailbox.
        mailbox: MailboxId,
    },
    /// [`Reply::Selected`]
    Selected {
        /// The mailbox.
        mailbox: MailboxId,
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
            ReplyDraft::Account => Reply::Account(Arc::new(published.describe())),
            ReplyDraft::Status { mailbox } => {
                let mailbox = published.selectable_id(mailbox)?;
                Reply::Status(mailbox.status())
            }
            ReplyDraft::Selected {
                mailbox,
                first_recent,
            } => {
                // Deleted by somebody between the plan and now: then it can't be selected.
                let held = published.selectable_id(mailbox)?;
                Reply::Selected(Selected {
                    status: held.status(),
                    keywords: held.keywords.to_vec(),
                    first_recent,
                    change: change(mailbox),
                })
            }
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
        })
    }
}
