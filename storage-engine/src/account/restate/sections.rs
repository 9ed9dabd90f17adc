//! What was added to the state after its first version: tagged sections at the end of the account
//! and of each mailbox. What is empty has no section.
//!
//! A section's kind is the number of the record that first said such a thing, so that no two
//! meanings share one. An unknown kind is refused: to pass over it would lose what it says.

use super::StateError;
use crate::account::{AccountState, Mailbox};
use crate::record::{Reader, RecordError, Writer, decode_acl, encode_acl, kind};

/// Bytes of a section with nothing in it.
const SECTION_BYTES_MIN: usize = 5;

/// Sections on their way out, in ascending order of their kinds.
#[derive(Default)]
struct Sections {
    written: Vec<(u8, Vec<u8>)>,
}

impl Sections {
    /// The section of this kind. Without any bytes it is left out.
    fn add(&mut self, kind: u8, write: impl FnOnce(&mut Writer<'_>)) {
        let mut bytes = Vec::new();
        write(&mut Writer::new(&mut bytes));
        if !bytes.is_empty() {
            self.written.push((kind, bytes));
        }
    }

    fn finish(self, out: &mut Writer<'_>) {
        out.count(self.written.len());
        for (kind, bytes) in self.written {
            out.u8(kind);
            out.bytes(&bytes);
        }
    }
}

/// Visits the sections; each visit must take all of its bytes.
fn decode_sections<'b>(
    input: &mut Reader<'b>,
    mut visit: impl FnMut(u8, &mut Reader<'b>) -> Result<(), StateError>,
) -> Result<(), StateError> {
    let mut last = None;
    for _ in 0..input.count(SECTION_BYTES_MIN)? {
        let kind = input.u8()?;
        if last.replace(kind) >= Some(kind) {
            return Err(StateError::Contradiction("order of sections"));
        }
        let mut body = Reader::new(input.bytes()?);
        visit(kind, &mut body)?;
        body.finish()?;
    }
    Ok(())
}

/// Of the account.
pub(super) fn encode_account(state: &AccountState, out: &mut Writer<'_>) {
    let mut sections = Sections::default();
    if let Some(certificate) = state.certificate() {
        sections.add(kind::CERTIFICATE_SET, |out| out.bytes(&certificate));
    }
    sections.finish(out);
}

/// Of the account.
pub(super) fn decode_account(
    state: &mut AccountState,
    input: &mut Reader<'_>,
) -> Result<(), StateError> {
    decode_sections(input, |kind, body| match kind {
        kind::CERTIFICATE_SET => {
            state.set_certificate(body.bytes()?);
            Ok(())
        }
        unknown => Err(RecordError::UnknownKind(unknown).into()),
    })
}

/// Of one mailbox.
pub(super) fn encode_mailbox(held: &Mailbox, out: &mut Writer<'_>) {
    let mut sections = Sections::default();
    if !held.acl.is_empty() {
        sections.add(kind::ACL_SET, |out| encode_acl(&held.acl, out));
    }
    sections.finish(out);
}

/// Of one mailbox.
pub(super) fn decode_mailbox(held: &mut Mailbox, input: &mut Reader<'_>) -> Result<(), StateError> {
    decode_sections(input, |kind, body| match kind {
        kind::ACL_SET => {
            held.acl = decode_acl(body)?;
            Ok(())
        }
        unknown => Err(RecordError::UnknownKind(unknown).into()),
    })
}
