//! What was added to the state after its first version: tagged sections at the end of the account
//! and of each mailbox. What is empty has no section.
//!
//! A section's kind is the number of the record that first said such a thing, so that no two
//! meanings share one. An unknown kind is refused: to pass over it would lose what it says.

use super::{Form, StateError};
use crate::account::alerts::AlertState;
use crate::account::{AccountState, Mailbox};
use crate::index::{InternalDate, Oldest};
use crate::record::{
    Reader, RecordError, Writer, decode_acl, decode_alert, decode_bool, encode_acl, encode_alert,
    kind,
};
use crate::state_limits::ALERTS_MAX;

/// Bytes of an alert without text.
const ALERT_BYTES_MIN: usize = 20;

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
    sections.add(kind::ALERT_POSTED, |out| encode_alerts(&state.alerts, out));
    if let Some(certificate) = state.certificate() {
        sections.add(kind::CERTIFICATE_SET, |out| out.bytes(&certificate));
    }
    if state.moves.last > 0 {
        sections.add(kind::MOVE_BEGUN, |out| state.moves.encode_out(out));
    }
    if !state.moves.into.is_empty() {
        sections.add(kind::MOVE_KNOWN, |out| state.moves.encode_into(out));
    }
    sections.finish(out);
}

/// Of the account.
pub(super) fn decode_account(
    state: &mut AccountState,
    input: &mut Reader<'_>,
) -> Result<(), StateError> {
    decode_sections(input, |kind, body| match kind {
        kind::ALERT_POSTED => {
            state.alerts = decode_alerts(body)?;
            Ok(())
        }
        kind::CERTIFICATE_SET => {
            state.set_certificate(body.bytes()?);
            Ok(())
        }
        kind::MOVE_BEGUN => Ok(state.moves.decode_out(body)?),
        kind::MOVE_KNOWN => Ok(state.moves.decode_into(body)?),
        unknown => Err(RecordError::UnknownKind(unknown).into()),
    })?;
    state.note_all_moving();
    Ok(())
}

/// Of one mailbox.
pub(super) fn encode_mailbox(held: &Mailbox, form: Form, out: &mut Writer<'_>) {
    let mut sections = Sections::default();
    if !held.acl.is_empty() {
        sections.add(kind::ACL_SET, |out| encode_acl(&held.acl, out));
    }
    if !held.class.is_empty() {
        sections.add(kind::MAILBOX_CLASSED, |out| out.text(&held.class));
    }
    // Where the messages are stated they are counted when they are read.
    if form == Form::Pages {
        sections.add(kind::PAGES_COUNTED, |out| encode_counts(held, out));
    }
    sections.add(kind::QUOTA_MARK, |out| {
        if held.deleted_bytes > 0 {
            out.u64(held.deleted_bytes);
        }
    });
    sections.finish(out);
}

/// Of one mailbox.
pub(super) fn decode_mailbox(held: &mut Mailbox, input: &mut Reader<'_>) -> Result<(), StateError> {
    decode_sections(input, |kind, body| match kind {
        kind::ACL_SET => {
            held.acl = decode_acl(body)?;
            Ok(())
        }
        kind::MAILBOX_CLASSED => {
            held.class = body.text()?;
            Ok(())
        }
        kind::PAGES_COUNTED => decode_counts(held, body),
        kind::QUOTA_MARK => {
            held.deleted_bytes = body.u64()?;
            Ok(())
        }
        unknown => Err(RecordError::UnknownKind(unknown).into()),
    })
}

fn encode_alerts(alerts: &AlertState, out: &mut Writer<'_>) {
    if *alerts == AlertState::default() {
        return;
    }
    out.u64(alerts.last);
    out.u64(alerts.seen);
    out.u8(u8::from(alerts.above_quota_mark));
    out.count(alerts.posted.len());
    for alert in &alerts.posted {
        encode_alert(alert, out);
    }
}

fn decode_alerts(body: &mut Reader<'_>) -> Result<AlertState, StateError> {
    let mut alerts = AlertState {
        last: body.u64()?,
        seen: body.u64()?,
        above_quota_mark: decode_bool(body)?,
        posted: Vec::new(),
    };
    let count = body.count(ALERT_BYTES_MIN)?;
    if count > ALERTS_MAX {
        return Err(StateError::Contradiction("alerts"));
    }
    for _ in 0..count {
        let alert = decode_alert(body)?;
        let above = alerts.posted.last().map_or(0, |before| before.number);
        if alert.number <= above || alert.number > alerts.last {
            return Err(StateError::Contradiction("alerts"));
        }
        alerts.posted.push(alert);
    }
    Ok(alerts)
}

/// What is told of a mailbox and stands in its pages only. Left out where it is not known: an
/// older version wrote them, and they have not been read since.
fn encode_counts(held: &Mailbox, out: &mut Writer<'_>) {
    let oldest = held.index.pages().iter().map(|slot| match slot.oldest {
        Oldest::Known(Some(date)) => Some(date),
        Oldest::Known(None) | Oldest::Unread => None,
    });
    let oldest: Option<Vec<InternalDate>> = oldest.collect();
    let (Some(oldest), Some(unseen_media)) = (oldest, held.unseen_media) else {
        return;
    };
    if oldest.is_empty() {
        return;
    }
    out.u32(unseen_media);
    for date in oldest {
        out.i64(date.unix_s);
        out.i16(date.zone_min);
    }
}

fn decode_counts(held: &mut Mailbox, body: &mut Reader<'_>) -> Result<(), StateError> {
    let unseen_media = body.u32()?;
    if unseen_media > held.index.len() {
        return Err(StateError::Contradiction("counters"));
    }
    held.unseen_media = Some(unseen_media);
    held.index.note_oldest(|| {
        let (unix_s, zone_min) = (body.i64()?, body.i16()?);
        Ok(InternalDate { unix_s, zone_min })
    })
}
