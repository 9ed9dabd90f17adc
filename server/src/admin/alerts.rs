//! Alerts, as an administrator posts, lists and removes them. Those of an account are the engine's,
//! those of domains and of the server the directory's.

use mail_directory::alerts::{Alert, alert_text};
use mail_directory::{Account, ChangeError, DirectoryHandle};
use storage_engine::request::{AlertOperation, Operation, Reply};

use super::accounts::Failure;
use super::engine::Engine;
use super::requests::{AdminReply, AlertAudience, AlertRequest};
use crate::quota::limit_of;

/// Carries out one request.
pub(super) async fn run(
    directory: &DirectoryHandle,
    engine: &mut Engine,
    request: AlertRequest,
) -> Result<AdminReply, Failure> {
    match request {
        AlertRequest::Post { audience, text } => post(directory, engine, audience, &text).await,
        AlertRequest::List { audience } => list(directory, engine, audience).await,
        AlertRequest::Remove { audience, number } => {
            remove(directory, engine, audience, number).await
        }
    }
}

/// Sessions that are logged in hear of it before this returns, or very soon after.
async fn post(
    directory: &DirectoryHandle,
    engine: &mut Engine,
    audience: AlertAudience,
    text: &str,
) -> Result<AdminReply, Failure> {
    let domain = match audience {
        AlertAudience::Account { name } => {
            let text = alert_text(text)?;
            ask(directory, engine, &name, AlertOperation::Post { text }).await?;
            return Ok(AdminReply::Done);
        }
        AlertAudience::Domain { name } => Some(name),
        AlertAudience::Server => None,
    };
    let audience = directory.audience(domain.as_deref())?;
    directory.alert_post(audience, text).await?;
    engine.ring_all().await?;
    Ok(AdminReply::Done)
}

/// Those that stand, oldest first; of an account those that nobody was shown yet.
async fn list(
    directory: &DirectoryHandle,
    engine: &mut Engine,
    audience: AlertAudience,
) -> Result<AdminReply, Failure> {
    let domain = match audience {
        AlertAudience::Account { name } => {
            let answer = ask(directory, engine, &name, AlertOperation::List).await?;
            let Reply::Alerts(alerts) = answer else {
                return Err(Failure::Engine("the owner did not answer".to_owned()));
            };
            let alerts = alerts.posted.into_iter().map(|alert| Alert {
                number: alert.number,
                posted_s: alert.posted_s,
                text: alert.text,
            });
            let alerts = alerts.collect();
            return Ok(AdminReply::Alerts { alerts });
        }
        AlertAudience::Domain { name } => Some(name),
        AlertAudience::Server => None,
    };
    let audience = directory.audience(domain.as_deref())?;
    let alerts = directory.alerts().of(&audience).to_vec();
    Ok(AdminReply::Alerts { alerts })
}

/// Nobody is shown it any more.
async fn remove(
    directory: &DirectoryHandle,
    engine: &mut Engine,
    audience: AlertAudience,
    number: u64,
) -> Result<AdminReply, Failure> {
    let domain = match audience {
        AlertAudience::Account { name } => {
            let remove = AlertOperation::Remove { number };
            ask(directory, engine, &name, remove).await?;
            return Ok(AdminReply::Done);
        }
        AlertAudience::Domain { name } => Some(name),
        AlertAudience::Server => None,
    };
    let audience = directory.audience(domain.as_deref())?;
    directory.alert_remove(audience, number).await?;
    Ok(AdminReply::Done)
}

/// What an account may hold has changed: its owner is told if it holds more than is well.
pub(super) async fn check_quota(engine: &mut Engine, account: &Account) {
    let limit = limit_of(account);
    let check = Operation::Alerts(AlertOperation::CheckQuota { limit });
    // The quota is in force whether an alert about it could be written or not.
    let _ = engine.operation(account.id, check).await;
}

async fn ask(
    directory: &DirectoryHandle,
    engine: &mut Engine,
    name: &str,
    operation: AlertOperation,
) -> Result<Reply, Failure> {
    let found = directory.lookup(name).await?;
    let account = found.ok_or(ChangeError::NoSuchAccount)?;
    engine
        .operation(account.id, Operation::Alerts(operation))
        .await
}
