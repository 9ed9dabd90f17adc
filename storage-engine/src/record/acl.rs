//! A list of rights as bytes: in its record and in the account state (FORMAT.md, "list of rights").

use super::{Reader, RecordError, Writer, decode_bool};
use crate::acl::{Acl, AclEntry, Identifier, Rights};
use crate::ids::AccountId;

/// Bytes of the shortest entry: an identifier without a name.
const ENTRY_BYTES_MIN: usize = 4;

const ACCOUNT: u8 = 0;
const ANYONE: u8 = 1;
const ANYONE_OWNERS_DOMAIN: u8 = 2;
const ANYONE_DOMAIN: u8 = 3;
const GROUP: u8 = 4;

pub(crate) fn encode_acl(acl: &Acl, out: &mut Writer<'_>) {
    let entries = acl.entries();
    out.count(entries.len());
    for entry in entries {
        match &entry.identifier {
            Identifier::Account(account) => {
                out.u8(ACCOUNT);
                out.array(&account.0);
            }
            Identifier::Anyone => out.u8(ANYONE),
            Identifier::AnyoneOwnersDomain => out.u8(ANYONE_OWNERS_DOMAIN),
            Identifier::AnyoneDomain(domain) => {
                out.u8(ANYONE_DOMAIN);
                out.text(domain);
            }
            Identifier::Group(group) => {
                out.u8(GROUP);
                out.text(group);
            }
        }
        out.u8(u8::from(entry.negative));
        out.u16(entry.rights.bits());
    }
}

pub(crate) fn decode_acl(input: &mut Reader<'_>) -> Result<Acl, RecordError> {
    let mut entries: Vec<AclEntry> = Vec::new();
    for _ in 0..input.count(ENTRY_BYTES_MIN)? {
        let identifier = match input.u8()? {
            ACCOUNT => Identifier::Account(AccountId(input.array()?)),
            ANYONE => Identifier::Anyone,
            ANYONE_OWNERS_DOMAIN => Identifier::AnyoneOwnersDomain,
            ANYONE_DOMAIN => Identifier::AnyoneDomain(input.text()?),
            GROUP => Identifier::Group(input.text()?),
            _ => return Err(RecordError::Invalid("identifier")),
        };
        let negative = decode_bool(input)?;
        let rights = Rights::from_bits(input.u16()?);
        let entry = AclEntry {
            identifier,
            negative,
            rights: rights.ok_or(RecordError::Invalid("rights"))?,
        };
        // One order of one list: what is read writes the same bytes.
        let key = |entry: &AclEntry| (entry.identifier.clone(), entry.negative);
        if entries.last().is_some_and(|last| key(last) >= key(&entry)) {
            return Err(RecordError::Invalid("order of entries"));
        }
        entries.push(entry);
    }
    Acl::from_entries(entries).ok_or(RecordError::Invalid("list of rights"))
}
