//! Answers that the index alone gives (FLAGS, UID, MODSEQ, INTERNALDATE, RFC822.SIZE), which is
//! what clients ask of all messages of a mailbox: they are written straight from the view's pages
//! into the output, a buffer's worth at a time, with no wait and no allocation for a message.

use std::ops::ControlFlow;

use imap_proto::command::FetchAttribute;
use imap_proto::grammar::DateTime;
use imap_proto::response::fetch::FetchResponse;
use imap_proto::response::flags::flag_list;
use storage_engine::ids::ModSeq;
use storage_engine::request::{Flags, UidRange};

use crate::flags;
use crate::limits;
use crate::runtime::Runtime;
use crate::session::selected::RowRef;
use crate::session::{Gone, Session};

use super::answer::Wanted;

/// Rows that are looked at before others run, where few of them are asked for.
const ROWS_A_TURN: usize = 4096;

/// Combinations of flags whose text is kept: a mailbox has few that are common.
const FLAG_TEXTS: usize = 16;

/// Tells what is wanted of the messages in `ranges` that have changed since.
pub(super) async fn tell<R: Runtime>(
    session: &mut Session<R>,
    wanted: &Wanted<'_>,
    ranges: &[UidRange],
    changed_since: Option<ModSeq>,
) -> Result<(), Gone> {
    let mut after = None;
    let mut texts = FlagTexts::default();
    loop {
        let Some(selected) = session.state.selected() else {
            return Err(Gone::Closed);
        };
        let out = &mut session.wire.out;
        let keywords = selected.keywords();
        let mut left = ROWS_A_TURN;
        let turn = selected.walk(ranges, after, |row| {
            after = Some(row.message.uid());
            if changed_since.is_none_or(|since| row.message.mod_seq() > since) {
                tell_row(out, wanted, &row, &keywords, &mut texts);
            }
            left -= 1;
            if left == 0 || out.len() >= limits::OUTPUT_BYTES {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        session.wire.flush_if_full().await?;
        if turn.is_continue() {
            return Ok(());
        }
        session.pause().await?;
    }
}

fn tell_row(
    out: &mut Vec<u8>,
    wanted: &Wanted<'_>,
    row: &RowRef<'_>,
    keywords: &[String],
    texts: &mut FlagTexts,
) {
    let message = &row.message;
    let mut open = FetchResponse::new(out, row.seq);
    if wanted.adds_uid {
        open = open.uid(message.uid().0);
    }
    if wanted.adds_mod_seq {
        open = open.mod_seq(message.mod_seq().0);
    }
    for attribute in wanted.attributes {
        open = match attribute {
            FetchAttribute::Flags => {
                open.raw("FLAGS", texts.of(message.flags(), row.recent, keywords))
            }
            FetchAttribute::Uid => open.uid(message.uid().0),
            FetchAttribute::ModSeq => open.mod_seq(message.mod_seq().0),
            FetchAttribute::Rfc822Size => open.size(u64::from(message.size())),
            FetchAttribute::InternalDate => {
                let (seconds, zone) = message.internal_date();
                open.internal_date(&DateTime::from_unix_seconds(seconds, zone))
            }
            // `Wanted::is_in_index` is false for these.
            FetchAttribute::Envelope
            | FetchAttribute::Rfc822
            | FetchAttribute::Rfc822Header
            | FetchAttribute::Rfc822Text
            | FetchAttribute::Body
            | FetchAttribute::BodyStructure
            | FetchAttribute::BodySection { .. } => open,
        };
    }
    open.finish();
}

/// Flag lists as they are told, so that each combination is put together once. Keywords only ever
/// join a mailbox, so what is kept stays right while a command runs.
#[derive(Default)]
struct FlagTexts {
    kept: [Option<(Flags, bool, Vec<u8>)>; FLAG_TEXTS],
}

impl FlagTexts {
    fn of(&mut self, flags: Flags, recent: bool, keywords: &[String]) -> &[u8] {
        let slot = self.kept.get_mut(slot_of(flags, recent));
        let Some(slot) = slot else { return b"()" };
        let is_kept = matches!(slot, Some((held, told, _)) if (*held, *told) == (flags, recent));
        if !is_kept {
            let mut text = Vec::new();
            flag_list(&mut text, flags::told(flags, keywords, recent));
            *slot = Some((flags, recent, text));
        }
        slot.as_ref().map_or(b"()", |(_, _, text)| text)
    }
}

/// A multiplication spreads the bits over the few slots there are (Knuth's method).
fn slot_of(flags: Flags, recent: bool) -> usize {
    let spread = (flags.0 << 1 | u64::from(recent)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(spread >> 60).unwrap_or(0) % FLAG_TEXTS
}
