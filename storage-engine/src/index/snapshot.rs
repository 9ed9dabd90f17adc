//! A mailbox as published at one change: what a view starts from.

use std::sync::Arc;

use super::MailboxIndex;
use crate::acl::Acl;
use crate::ids::{ChangeNumber, MailboxId, ModSeq, Uid, UidValidity};

/// Everything a view needs; crosses shards (pages are shared, the overlay is copied).
#[derive(Debug, Clone)]
pub struct MailboxSnapshot {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Its messages.
    pub index: MailboxIndex,
    /// Its keywords in bit order.
    pub keywords: Arc<Vec<String>>,
    /// The newest change that is in here.
    pub change: ChangeNumber,
    /// UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// UIDNEXT.
    pub uid_next: Uid,
    /// HIGHESTMODSEQ.
    pub highest_mod_seq: ModSeq,
    /// Who else may do what.
    pub acl: Acl,
}
