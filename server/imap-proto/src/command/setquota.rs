//! SETQUOTA (RFC 9208 4.1.3).

use super::{Arguments, Command};
use crate::grammar::{Cursor, Parsed, QuotaResource, SyntaxError};

/// SETQUOTA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetQuota {
    /// The quota root as sent.
    pub root: Vec<u8>,
    /// The limits that it is to have; each resource at most once, and none of the others.
    pub limits: Vec<(QuotaResource, u64)>,
}

/// Parses the arguments. A resource that this server does not know is an error: to take the
/// command without it would say that something is limited which is not.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let root = cursor.astring()?.into_owned();
    cursor.sp()?;
    let limits = cursor.list_or_empty(limit)?;
    for (at, (resource, _)) in limits.iter().enumerate() {
        if limits
            .iter()
            .skip(at + 1)
            .any(|(other, _)| other == resource)
        {
            return Err(SyntaxError::Conflict("A resource is named twice"));
        }
    }
    Ok(Command::SetQuota(SetQuota { root, limits }))
}

fn limit(cursor: &mut Cursor<'_>) -> Parsed<(QuotaResource, u64)> {
    let resource = QuotaResource::from_name(cursor.atom()?);
    let resource = resource.ok_or(SyntaxError::Unknown("quota resource"))?;
    cursor.sp()?;
    Ok((resource, cursor.number64()?))
}
