//! SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314 3), of mailboxes and of mere names.

use super::{AccountState, Mailbox, Planned, ReplyDraft, normalize_name};
use crate::acl::{AclChange, Identifier};
use crate::actor::Actor;
use crate::record::Record;
use crate::request::Refusal;
use crate::state_limits::ACL_NAME_BYTES_MAX;

impl AccountState {
    pub(super) fn plan_change_acl(
        &self,
        name: &str,
        changes: &[AclChange],
    ) -> Result<Planned, Refusal> {
        let mailbox = self.named(name)?;
        if changes.iter().any(|change| is_too_long(&change.identifier)) {
            return Err(Refusal::Limit("identifier is too long"));
        }
        let changed = mailbox.acl.changed(changes);
        let acl = changed.ok_or(Refusal::Limit("too many entries in the list of rights"))?;
        let mailbox = match acl == mailbox.acl {
            true => return Ok(Planned::nothing(ReplyDraft::Done)),
            false => mailbox.id,
        };
        let records = vec![Record::AclSet { mailbox, acl }];
        Ok(Planned::new(records, ReplyDraft::Done))
    }

    pub(super) fn plan_acl(&self, name: &str) -> Result<Planned, Refusal> {
        let acl = self.named(name)?.acl.clone();
        Ok(Planned::nothing(ReplyDraft::Acl(acl)))
    }

    pub(super) fn plan_my_rights(&self, name: &str, actor: &Actor) -> Result<Planned, Refusal> {
        let rights = self.named(name)?.acl.rights_of(actor);
        Ok(Planned::nothing(ReplyDraft::Rights(rights)))
    }

    fn named(&self, name: &str) -> Result<&Mailbox, Refusal> {
        let id = self.names.get(&normalize_name(name));
        let held = id.and_then(|id| self.mailboxes.get(id));
        held.ok_or(Refusal::NoSuchMailbox)
    }
}

fn is_too_long(identifier: &Identifier) -> bool {
    match identifier {
        Identifier::AnyoneDomain(name) | Identifier::Group(name) => {
            name.is_empty() || name.len() > ACL_NAME_BYTES_MAX
        }
        Identifier::Account(_) | Identifier::Anyone | Identifier::AnyoneOwnersDomain => false,
    }
}
