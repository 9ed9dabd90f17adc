//! DELETEACL (RFC 4314 3.2).

use imap_proto::command::DeleteAcl;
use storage_engine::acl::{AclAction, Rights};

use crate::runtime::Runtime;
use crate::session::{Execution, Session};

use super::setacl;

/// Removes one entry of the list: it has no rights any more.
pub async fn execute<R: Runtime>(command: DeleteAcl, session: &mut Session<R>) -> Execution {
    let DeleteAcl {
        mailbox,
        identifier,
    } = command;
    setacl::change(
        session,
        &mailbox,
        &identifier,
        AclAction::Replace,
        Rights::NONE,
    )
    .await
}
