//! SETQUOTA (RFC 9208 4.1.3), for administrators.

use imap_proto::command::SetQuota;
use imap_proto::grammar::QuotaResource;
use imap_proto::response::code::Code;
use mail_directory::{Account, AccountName, ChangeError, Quota};
use storage_engine::ids::AccountId;
use storage_engine::request::{Actor, AlertOperation, Operation};

use super::getquota::{STORAGE_UNIT_BYTES, named, tell, unavailable};
use crate::quota::limit_of;
use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Session};

/// Sets the limits of an account's root; those that are not named are lifted. To everybody else
/// the answer is the same for every name, so that nobody learns which accounts exist.
pub async fn execute<R: Runtime>(command: SetQuota, session: &mut Session<R>) -> Execution {
    let refused = || Completion::no_with(Code::NoPerm, "Only administrators set quotas");
    let Some(name) = named(&command.root, session) else {
        return Ok(refused());
    };
    if !session.administers().await.has(name.domain()) {
        return Ok(refused());
    }
    let account = match change(&name, &command, session).await {
        Ok(account) => account,
        Err(completion) => return Ok(completion),
    };
    tracing::info!(
        root = account.name.as_str(),
        by = session.login().map(|login| login.name.as_str()),
        "quota set"
    );
    tell(&account, session).await
}

async fn change<R: Runtime>(
    name: &AccountName,
    command: &SetQuota,
    session: &Session<R>,
) -> Result<Account, Completion> {
    let limit = |wanted| {
        let mut limits = command.limits.iter();
        limits
            .find(|(resource, _)| *resource == wanted)
            .map(|(_, most)| *most)
    };
    let too_large = || Completion::no_with(Code::Limit, "Quota is too large");
    let bytes = limit(QuotaResource::Storage).map(|kib| kib.checked_mul(STORAGE_UNIT_BYTES));
    let quota = Quota {
        bytes: bytes.map(|bytes| bytes.ok_or_else(too_large)).transpose()?,
        messages: limit(QuotaResource::Message),
    };
    let mailboxes = match limit(QuotaResource::Mailbox) {
        None => String::new(),
        Some(most) => u32::try_from(most).map_err(|_| too_large())?.to_string(),
    };
    let directory = session.shard.directory();
    let set = directory.set_quota(name.as_str(), quota).await;
    set.map_err(|error| failed(&error))?;
    let mailboxes = vec![("mailboxes-max".to_owned(), mailboxes)];
    let set = directory
        .set_account_settings(name.as_str(), mailboxes)
        .await;
    let account = set.map_err(|error| failed(&error))?;
    let check = Operation::Alerts(AlertOperation::CheckQuota {
        limit: limit_of(&account),
    });
    let id = AccountId(account.id.to_bytes());
    // The quota is in force; an alert about it is worth no refusal.
    let _ = session.shard.request(id, Actor::System, check).await;
    Ok(account)
}

fn failed(error: &ChangeError) -> Completion {
    match error {
        ChangeError::NoSuchAccount => Completion::no_with(Code::NonExistent, "No such quota root"),
        ChangeError::TooLarge(text) => Completion::no_with(Code::Limit, text),
        _ => unavailable(),
    }
}
