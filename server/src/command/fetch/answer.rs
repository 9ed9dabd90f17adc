//! One message's FETCH answer.

use std::ops::Range;

use imap_proto::command::{Fetch, FetchAttribute};
use imap_proto::grammar::{DateTime, Partial, Section, SectionText};
use imap_proto::response::fetch::{FetchResponse, Rfc822Item};
use imap_proto::response::string::literal_octets;
use mail_message::section::{Resolved, header_fields, resolve};
use mail_message::summary::SummaryRef;

use storage_engine::request::UidRange;

use crate::flags;
use crate::runtime::Runtime;
use crate::session::body::{self, Ahead, Stored, Trouble};
use crate::session::selected::Row;
use crate::session::{Gone, Session};

/// Octets of a body that are read and sent at a time.
const PIECE_BYTES: u64 = 128 * 1024;

/// What the command wants of every message.
pub struct Wanted<'a> {
    pub(super) attributes: &'a [FetchAttribute],
    /// RFC 3501 6.4.5: an item without `.PEEK` sets `\Seen`.
    pub sets_seen: bool,
    ahead: Ahead,
    asks_flags: bool,
    pub(super) adds_uid: bool,
    pub(super) adds_mod_seq: bool,
}

/// Where an item's octets come from.
enum Octets {
    /// Straight from the store, in pieces.
    Stored(Range<u64>),
    /// Made here.
    Made(Vec<u8>),
    /// There is no such part.
    Nil,
}

impl<'a> Wanted<'a> {
    /// Of a command, in a session with or without CONDSTORE.
    pub fn new(command: &'a Fetch, condstore: bool) -> Self {
        let attributes = &command.attributes;
        let asked = |attribute: &FetchAttribute| attributes.contains(attribute);
        // RFC 7162 3.1.4.1: CHANGEDSINCE implies MODSEQ; 3.2: so do FLAGS once it is enabled.
        let implied =
            command.changed_since.is_some() || (condstore && asked(&FetchAttribute::Flags));
        Wanted {
            attributes,
            sets_seen: attributes.iter().any(sets_seen),
            ahead: Ahead {
                summary: attributes.iter().any(needs_summary),
                octets: attributes.iter().any(needs_octets),
            },
            asks_flags: asked(&FetchAttribute::Flags),
            adds_uid: super::tells_uid(command),
            adds_mod_seq: implied && !asked(&FetchAttribute::ModSeq),
        }
    }

    /// Whether the index has all of it.
    pub fn is_in_index(&self) -> bool {
        !self.ahead.summary && !self.ahead.octets
    }

    /// Reads what the answers for these messages will need.
    pub async fn read_ahead<R: Runtime>(&self, session: &mut Session<R>, rows: &[Row]) {
        let Some(key) = session.selected().map(|selected| selected.key()) else {
            return;
        };
        if rows.len() > 1 && (self.ahead.summary || self.ahead.octets) {
            body::read_ahead(&session.shard, key, rows, self.ahead).await;
        }
    }

    /// Writes one message's answer. What is stored is read before the first item is written, so
    /// that a message which cannot be read leaves no half answer.
    pub async fn tell<R: Runtime>(
        &self,
        session: &mut Session<R>,
        row: &Row,
        keywords: &[String],
        marked: &[UidRange],
    ) -> Result<Option<Trouble>, Gone> {
        let Some(key) = session.selected().map(|selected| selected.key()) else {
            return Err(Gone::Closed);
        };
        let shard = session.shard.clone();
        let mut stored = Stored::new(&shard, key, row.entry);
        let summary = if self.ahead.summary {
            match stored.summary().await {
                Ok(summary) => Some(summary),
                Err(trouble) => return Ok(Some(trouble)),
            }
        } else {
            None
        };
        let summary = match summary.as_deref().map(SummaryRef::decode) {
            None => None,
            Some(Ok(summary)) => Some(summary),
            Some(Err(_)) => return Ok(Some(Trouble::Unreadable)),
        };
        let mut items = Vec::with_capacity(self.attributes.len());
        for attribute in self.attributes {
            match octets_of(attribute, row, summary.as_ref(), &mut stored).await {
                Ok(octets) => items.push((attribute, octets)),
                Err(trouble) => return Ok(Some(trouble)),
            }
        }
        let first = self.first_piece(&items, &mut stored).await;
        let mut first = match first {
            Ok(first) => first,
            Err(trouble) => return Ok(Some(trouble)),
        };
        let mut open = FetchResponse::new(&mut session.wire.out, row.seq);
        if self.adds_uid {
            open = open.uid(row.entry.uid.0);
        }
        if self.adds_mod_seq {
            open = open.mod_seq(row.entry.mod_seq.0);
        }
        for (attribute, octets) in items {
            match octets {
                None => open = tell_small(open, attribute, row, keywords, summary.as_ref()),
                Some(Octets::Nil) => open = tell_octets(open, attribute, None),
                Some(Octets::Made(made)) => open = tell_octets(open, attribute, Some(&made)),
                Some(Octets::Stored(range)) => {
                    announce(open, attribute, range.end - range.start);
                    send(session, &mut stored, range, first.take()).await?;
                    open = FetchResponse::resume(&mut session.wire.out);
                }
            }
        }
        if !self.asks_flags && super::within(marked, row.entry.uid) {
            open = open.flags(flags::told(row.entry.flags, keywords, row.recent));
        }
        open.finish();
        Ok(None)
    }

    /// The first stored piece that will be sent: proof that the body can be read.
    async fn first_piece<R: Runtime>(
        &self,
        items: &[(&FetchAttribute, Option<Octets>)],
        stored: &mut Stored<'_, R>,
    ) -> Result<Option<bytes::Bytes>, Trouble> {
        for (_, octets) in items {
            if let Some(Octets::Stored(range)) = octets {
                let end = range.end.min(range.start + PIECE_BYTES);
                return stored.octets(range.start..end).await.map(Some);
            }
        }
        Ok(None)
    }
}

fn sets_seen(attribute: &FetchAttribute) -> bool {
    matches!(
        attribute,
        FetchAttribute::Rfc822
            | FetchAttribute::Rfc822Text
            | FetchAttribute::BodySection { peek: false, .. }
    )
}

fn needs_summary(attribute: &FetchAttribute) -> bool {
    match attribute {
        FetchAttribute::Envelope
        | FetchAttribute::Rfc822Header
        | FetchAttribute::Rfc822Text
        | FetchAttribute::Body
        | FetchAttribute::BodyStructure => true,
        FetchAttribute::BodySection { section, .. } => !is_whole(section),
        FetchAttribute::Flags
        | FetchAttribute::InternalDate
        | FetchAttribute::Rfc822
        | FetchAttribute::Rfc822Size
        | FetchAttribute::Uid
        | FetchAttribute::ModSeq => false,
    }
}

fn needs_octets(attribute: &FetchAttribute) -> bool {
    match attribute {
        FetchAttribute::Rfc822
        | FetchAttribute::Rfc822Header
        | FetchAttribute::Rfc822Text
        | FetchAttribute::BodySection { .. } => true,
        FetchAttribute::Flags
        | FetchAttribute::InternalDate
        | FetchAttribute::Rfc822Size
        | FetchAttribute::Envelope
        | FetchAttribute::Body
        | FetchAttribute::BodyStructure
        | FetchAttribute::Uid
        | FetchAttribute::ModSeq => false,
    }
}

fn is_whole(section: &Section) -> bool {
    section.part.is_empty() && section.text == SectionText::All
}

/// Finds the octets of an item; `None` for items that have none.
async fn octets_of<R: Runtime>(
    attribute: &FetchAttribute,
    row: &Row,
    summary: Option<&SummaryRef<'_>>,
    stored: &mut Stored<'_, R>,
) -> Result<Option<Octets>, Trouble> {
    let whole = 0..u64::from(row.entry.size);
    let (part, text, partial): (&[u32], &SectionText, _) = match attribute {
        FetchAttribute::Rfc822 => return Ok(Some(Octets::Stored(whole))),
        FetchAttribute::Rfc822Header => (&[], &SectionText::Header, None),
        FetchAttribute::Rfc822Text => (&[], &SectionText::Text, None),
        FetchAttribute::BodySection {
            section, partial, ..
        } if is_whole(section) => {
            return Ok(Some(Octets::Stored(cut(whole, *partial))));
        }
        FetchAttribute::BodySection {
            section, partial, ..
        } => (&section.part, &section.text, *partial),
        FetchAttribute::Flags
        | FetchAttribute::InternalDate
        | FetchAttribute::Rfc822Size
        | FetchAttribute::Envelope
        | FetchAttribute::Body
        | FetchAttribute::BodyStructure
        | FetchAttribute::Uid
        | FetchAttribute::ModSeq => return Ok(None),
    };
    let Some(summary) = summary else {
        return Err(Trouble::Unreadable);
    };
    Ok(Some(match resolve(summary, part, text) {
        Resolved::Missing => Octets::Nil,
        Resolved::Range(range) => Octets::Stored(cut(range, partial)),
        Resolved::HeaderToFilter(range) => {
            let header = stored.octets(range).await?;
            let made = match text {
                SectionText::HeaderFieldsNot(names) => header_fields(&header, names, true),
                SectionText::HeaderFields(names) => header_fields(&header, names, false),
                _ => header.to_vec(),
            };
            let length = u64::try_from(made.len()).unwrap_or(u64::MAX);
            let range = cut(0..length, partial);
            let bound = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            let kept = made
                .get(bound(range.start)..bound(range.end))
                .unwrap_or_default();
            Octets::Made(kept.to_vec())
        }
    }))
}

/// RFC 3501 6.4.5: a partial that begins beyond the end is empty.
fn cut(range: Range<u64>, partial: Option<Partial>) -> Range<u64> {
    let Some(partial) = partial else { return range };
    let start = range.start.saturating_add(partial.offset).min(range.end);
    start..start.saturating_add(partial.bytes).min(range.end)
}

fn tell_small<'o>(
    open: FetchResponse<'o>,
    attribute: &FetchAttribute,
    row: &Row,
    keywords: &[String],
    summary: Option<&SummaryRef<'_>>,
) -> FetchResponse<'o> {
    let entry = &row.entry;
    match attribute {
        FetchAttribute::Flags => open.flags(flags::told(entry.flags, keywords, row.recent)),
        FetchAttribute::InternalDate => open.internal_date(&DateTime::from_unix_seconds(
            entry.internal_date_s,
            entry.zone_min,
        )),
        FetchAttribute::Rfc822Size => open.size(u64::from(entry.size)),
        FetchAttribute::Uid => open.uid(entry.uid.0),
        FetchAttribute::ModSeq => open.mod_seq(entry.mod_seq.0),
        FetchAttribute::Envelope => open.raw("ENVELOPE", summary.map_or(b"NIL", |s| s.envelope())),
        FetchAttribute::Body => open.raw("BODY", summary.map_or(b"NIL", |s| s.body())),
        FetchAttribute::BodyStructure => open.raw(
            "BODYSTRUCTURE",
            summary.map_or(b"NIL", |s| s.body_structure()),
        ),
        FetchAttribute::Rfc822
        | FetchAttribute::Rfc822Header
        | FetchAttribute::Rfc822Text
        | FetchAttribute::BodySection { .. } => open,
    }
}

fn tell_octets<'o>(
    open: FetchResponse<'o>,
    attribute: &FetchAttribute,
    value: Option<&[u8]>,
) -> FetchResponse<'o> {
    match attribute {
        FetchAttribute::BodySection {
            section, partial, ..
        } => open.body_section(section, *partial, value),
        attribute => open.rfc822(rfc822_item(attribute), value),
    }
}

/// Writes the item up to its octets.
fn announce(open: FetchResponse<'_>, attribute: &FetchAttribute, bytes: u64) {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    match attribute {
        FetchAttribute::BodySection {
            section, partial, ..
        } => {
            open.body_section_literal(section, *partial, bytes);
        }
        attribute => open.rfc822_literal(rfc822_item(attribute), bytes),
    }
}

fn rfc822_item(attribute: &FetchAttribute) -> Rfc822Item {
    match attribute {
        FetchAttribute::Rfc822Header => Rfc822Item::Header,
        FetchAttribute::Rfc822Text => Rfc822Item::Text,
        _ => Rfc822Item::Whole,
    }
}

/// Sends the announced octets. A failure half-way can only end the connection.
async fn send<R: Runtime>(
    session: &mut Session<R>,
    stored: &mut Stored<'_, R>,
    range: Range<u64>,
    mut first: Option<bytes::Bytes>,
) -> Result<(), Gone> {
    let mut at = range.start;
    while at < range.end {
        let end = range.end.min(at + PIECE_BYTES);
        let piece = match first.take() {
            Some(piece) => piece,
            None => match stored.octets(at..end).await {
                Ok(piece) => piece,
                Err(_) => return Err(Gone::Bye("A message cannot be read to its end")),
            },
        };
        if u64::try_from(piece.len()).unwrap_or(0) != end - at {
            return Err(Gone::Bye("A message cannot be read to its end"));
        }
        literal_octets(&mut session.wire.out, &piece);
        session.wire.flush_if_full().await?;
        // A slow download of one large message is no idle client.
        session.set_idle_deadline();
        at = end;
    }
    Ok(())
}
