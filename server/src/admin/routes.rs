//! The routing table, as an administrator asks for it.

use mail_directory::{ChangeError, Destination, DirectoryHandle, RouteRecord};

use super::requests::{AdminReply, RouteLine, RouteRequest};

/// Carries out one request.
pub(super) async fn run(
    directory: &DirectoryHandle,
    request: RouteRequest,
) -> Result<AdminReply, ChangeError> {
    match request {
        RouteRequest::List { after } => return list(directory, &after).await,
        RouteRequest::Test { name } => return test(directory, &name).await,
        RouteRequest::Set { source, target } => directory.route_set(&source, &target).await?,
        RouteRequest::Remove { source } => directory.route_remove(&source).await?,
    }
    Ok(AdminReply::Done)
}

/// A page of records.
async fn list(directory: &DirectoryHandle, after: &str) -> Result<AdminReply, ChangeError> {
    let line = |record: RouteRecord| RouteLine {
        source: record.source.to_string(),
        target: record.target.to_string(),
    };
    let records = directory.route_list(after).await?;
    Ok(AdminReply::Routes {
        routes: records.into_iter().map(line).collect(),
    })
}

/// Where a name leads, in words.
async fn test(directory: &DirectoryHandle, name: &str) -> Result<AdminReply, ChangeError> {
    let tested = directory.route_test(name).await?;
    let end = match tested.destination {
        Destination::Account(account) => format!("account {}", account.name),
        Destination::Moved(address) => format!("moved to {address}"),
        Destination::Rejected(text) => format!("rejected: {text}"),
        Destination::Nobody if tested.is_circle => "nobody: the records go in a circle".to_owned(),
        Destination::Nobody => "nobody".to_owned(),
    };
    Ok(AdminReply::Route {
        via: tested.via,
        end,
    })
}
