//! What a guest may do: the rights that each operation needs (RFC 4314 4). Nothing else in the
//! server decides it. Who has neither `l` nor `r` hears what a missing mailbox would say.

#[cfg(test)]
mod tests;

use super::names::parents;
use super::{AccountState, Mailbox, normalize_name};
use crate::acl::Rights;
use crate::actor::{Actor, Principal};
use crate::ids::MailboxId;
use crate::request::{FlagNames, Flags, Operation, Refusal, Target, TransferKind};

impl AccountState {
    /// Refuses what a guest's rights deny. Which flags it may change is part of the plans.
    pub(super) fn permit(&self, operation: &Operation, actor: &Actor) -> Result<(), Refusal> {
        let Actor::Guest(guest) = actor else {
            return Ok(());
        };
        let removal = Rights::DELETE_MESSAGES.union(Rights::EXPUNGE);
        match operation {
            Operation::CreateAccount { .. }
            | Operation::DeleteAccount
            | Operation::Usage
            | Operation::Alerts(_)
            | Operation::SetCertificate { .. }
            | Operation::Certificate
            | Operation::Subscribe { .. }
            | Operation::Unsubscribe { .. }
            | Operation::EndMove { .. }
            | Operation::AskMove { .. }
            | Operation::ForgetMove { .. }
            | Operation::IsMoveOpen { .. } => Err(Refusal::NoPermission),
            // What is described is what the guest may see; chunks are nothing yet.
            Operation::Describe
            | Operation::Deselect { .. }
            | Operation::UploadChunk { .. }
            | Operation::AbandonUpload { .. } => Ok(()),
            Operation::MyRights { name } => self.permit_named(name, guest, Rights::NONE),
            Operation::Status { name } | Operation::Select { name, .. } => {
                self.permit_named(name, guest, Rights::READ)
            }
            Operation::ChangeAcl { name, .. }
            | Operation::Acl { name }
            | Operation::SetClass { name, .. } => {
                self.permit_named(name, guest, Rights::ADMINISTER)
            }
            Operation::CreateMailbox { mailbox, .. } => self.permit_create(&mailbox.name, guest),
            Operation::DeleteMailbox { name } => self.permit_removal(name, guest),
            Operation::RenameMailbox { from, to, .. } => self.permit_rename(from, to, guest),
            Operation::Append {
                mailbox, replaces, ..
            } => {
                let (Target::Name(name) | Target::NameOrInbox(name)) = mailbox;
                // What is replaced goes as by STORE and EXPUNGE.
                let needs = match replaces {
                    None => Rights::INSERT,
                    Some(_) => Rights::INSERT.union(removal),
                };
                self.permit_named(name, guest, needs)
            }
            Operation::Snapshot { mailbox } | Operation::Locate { mailbox, .. } => {
                self.permit_id(*mailbox, guest, Rights::READ)
            }
            Operation::Store(store) => self.permit_id(store.mailbox, guest, Rights::READ),
            Operation::Expunge { mailbox, .. } => {
                self.permit_id(*mailbox, guest, Rights::READ.union(Rights::EXPUNGE))
            }
            Operation::TakeOut(take) => {
                self.permit_taking(take.mailbox, guest, take.moves_to.is_some())
            }
            Operation::Receive(receive) => {
                self.permit_named(&receive.mailbox, guest, Rights::INSERT)
            }
            Operation::Transfer(transfer) => {
                let moves = transfer.kind == TransferKind::Move;
                self.permit_taking(transfer.from, guest, moves)?;
                self.permit_named(&transfer.to, guest, Rights::INSERT)
            }
        }
    }

    fn permit_rename(&self, from: &str, to: &str, guest: &Principal) -> Result<(), Refusal> {
        self.permit_removal(from, guest)?;
        match self.rights_on_outer(to, guest).contains(Rights::CREATE) {
            true => Ok(()),
            false => Err(Refusal::NoPermission),
        }
    }

    fn permit_named(&self, name: &str, guest: &Principal, needs: Rights) -> Result<(), Refusal> {
        let id = self.names.get(&normalize_name(name));
        self.permit_id(*id.ok_or(Refusal::NoSuchMailbox)?, guest, needs)
    }

    fn permit_id(&self, id: MailboxId, guest: &Principal, needs: Rights) -> Result<(), Refusal> {
        let held = self.mailboxes.get(&id).ok_or(Refusal::NoSuchMailbox)?;
        let rights = held.acl.rights_of_guest(guest);
        match (rights.shows_mailbox(), rights.contains(needs)) {
            (false, _) => Err(Refusal::NoSuchMailbox),
            (true, false) => Err(Refusal::NoPermission),
            (true, true) => Ok(()),
        }
    }

    /// COPY reads, MOVE deletes and expunges as well (RFC 6851 3.3).
    fn permit_taking(
        &self,
        from: MailboxId,
        guest: &Principal,
        moves: bool,
    ) -> Result<(), Refusal> {
        let removal = Rights::DELETE_MESSAGES.union(Rights::EXPUNGE);
        let needs = match moves {
            false => Rights::READ,
            true => Rights::READ.union(removal),
        };
        self.permit_id(from, guest, needs)
    }

    /// RFC 4314 4: `k` on the nearest mailbox above that is there. A guest that does not see it
    /// is told nothing of what there is.
    fn permit_create(&self, name: &str, guest: &Principal) -> Result<(), Refusal> {
        let rights = self.rights_on_outer(name, guest);
        match (rights.shows_mailbox(), rights.contains(Rights::CREATE)) {
            (false, _) => Err(Refusal::NoSuchMailbox),
            (true, false) => Err(Refusal::NoPermission),
            (true, true) => Ok(()),
        }
    }

    /// DELETE and RENAME take a mailbox out of the one above it, which needs `k` there as well:
    /// so nobody but the owner takes away what is at the top.
    fn permit_removal(&self, name: &str, guest: &Principal) -> Result<(), Refusal> {
        self.permit_named(name, guest, Rights::DELETE_MAILBOX)?;
        match self.rights_on_outer(name, guest).contains(Rights::CREATE) {
            true => Ok(()),
            false => Err(Refusal::NoPermission),
        }
    }

    fn rights_on_outer(&self, name: &str, guest: &Principal) -> Rights {
        let outer = self.outer(&normalize_name(name));
        outer.map_or(Rights::NONE, |held| held.acl.rights_of_guest(guest))
    }

    /// The nearest mailbox or name above this one that is there.
    pub(super) fn outer(&self, name: &str) -> Option<&Mailbox> {
        let id = parents(name)
            .rev()
            .find_map(|parent| self.names.get(parent))?;
        self.mailboxes.get(id)
    }
}

/// The flags that these rights may set and clear: `s` is for `\Seen`, `t` for `\Deleted`, `w` for
/// all others.
pub(super) fn changeable_flags(rights: Rights) -> Flags {
    let others = Flags(!Flags::SEEN.union(Flags::DELETED).0);
    let of = |right, flags| {
        if rights.contains(right) {
            flags
        } else {
            Flags(0)
        }
    };
    of(Rights::SEEN, Flags::SEEN)
        .union(of(Rights::DELETE_MESSAGES, Flags::DELETED))
        .union(of(Rights::WRITE, others))
}

/// The named flags without those that may not be changed.
pub(super) fn permitted_flags(flags: &FlagNames, changeable: Flags) -> FlagNames {
    // Keywords go together: all of them need `w`.
    let keywords = changeable.0 >> Flags::KEYWORD_SHIFT != 0;
    FlagNames {
        system: Flags(flags.system.0 & changeable.0),
        keywords: match keywords {
            true => flags.keywords.clone(),
            false => Vec::new(),
        },
    }
}
