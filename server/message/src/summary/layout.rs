//! The stored bytes of a summary.
//!
//! ```text
//! offset  0  u8   version = 1
//!         1  u8   flags: 1 has a sent date, 2 has a search header
//!         2  u16  year   \
//!         4  u8   month   } local day in the Date field
//!         5  u8   day    /
//!         6  i64  Unix seconds of the Date field
//!        14  u64  octets of the message
//!        22  u32  number of parts, at least 1
//!        26  u32  length of the charsets
//!        30  u32  length of ENVELOPE
//!        34  u32  length of BODY
//!        38  u32  length of BODYSTRUCTURE
//!        42  u32  length of the search header
//!        46       parts (40 bytes each), charsets, ENVELOPE, BODY, BODYSTRUCTURE, search header
//! ```
//!
//! All numbers are little-endian; nothing is aligned; nothing follows. A new version adds
//! fields under a new version byte, and readers of it keep reading version 1.

use imap_proto::grammar::date::Date;

use super::Summary;
use super::part::{NO_PARENT, PART_BYTES, PartEntry, PartRef};
use crate::date::SentDate;
use crate::octets::from_len;
use crate::scanner::Kind;

const VERSION: u8 = 1;
const HAS_SENT: u8 = 1;
const HAS_SEARCH_HEADER: u8 = 2;

/// Why stored bytes are not a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SummaryError {
    /// Written by a newer release.
    #[error("summary has version {0}, this release reads version 1")]
    Version(u8),
    /// The lengths do not add up to what is there.
    #[error("summary is cut short or too long")]
    Length,
    /// A part lies outside its parent, or has a value that does not exist.
    #[error("part {0} of the summary is not possible")]
    Part(usize),
}

impl Summary {
    /// The stored bytes. [`SummaryRef`] documents the layout.
    pub fn encode(&self) -> Vec<u8> {
        let search_header = self.search_header.as_deref().unwrap_or_default();
        let blobs = [
            &self.charsets,
            &self.envelope,
            &self.body,
            &self.body_structure,
        ]
        .map(Vec::as_slice);
        let mut out = Vec::new();
        out.push(VERSION);
        let mut flags = 0;
        if self.sent.is_some() {
            flags |= HAS_SENT;
        }
        if self.search_header.is_some() {
            flags |= HAS_SEARCH_HEADER;
        }
        out.push(flags);
        let none = SentDate {
            local: Date {
                year: 0,
                month: 0,
                day: 0,
            },
            unix_seconds: 0,
        };
        let sent = self.sent.unwrap_or(none);
        out.extend_from_slice(&sent.local.year.to_le_bytes());
        out.extend_from_slice(&[sent.local.month, sent.local.day]);
        out.extend_from_slice(&sent.unix_seconds.to_le_bytes());
        out.extend_from_slice(&self.size.to_le_bytes());
        let lengths = [self.parts.len()]
            .into_iter()
            .chain(blobs.iter().map(|blob| blob.len()))
            .chain([search_header.len()]);
        for length in lengths {
            // The scanner's bounds keep all of these far below 4 GiB.
            out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        }
        for part in &self.parts {
            part.encode(&mut out);
        }
        for blob in blobs {
            out.extend_from_slice(blob);
        }
        out.extend_from_slice(search_header);
        out
    }
}

/// A stored summary, read in place.
///
/// Invariant: every part lies inside its parent and inside the message, a parent stands before
/// its children, and there is a part 0, the message itself.
#[derive(Debug, Clone, Copy)]
pub struct SummaryRef<'a> {
    size: u64,
    sent: Option<SentDate>,
    root: PartEntry,
    parts: &'a [u8],
    charsets: &'a [u8],
    envelope: &'a [u8],
    body: &'a [u8],
    body_structure: &'a [u8],
    search_header: Option<&'a [u8]>,
}

impl<'a> SummaryRef<'a> {
    /// Checks stored bytes, all parts included, and reads them in place.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, SummaryError> {
        let mut reader = Reader { rest: bytes };
        let [version, flags] = reader.array()?;
        if version != VERSION {
            return Err(SummaryError::Version(version));
        }
        let year = u16::from_le_bytes(reader.array()?);
        let [month, day] = reader.array()?;
        let unix_seconds = i64::from_le_bytes(reader.array()?);
        let sent = SentDate {
            local: Date { year, month, day },
            unix_seconds,
        };
        let size = u64::from_le_bytes(reader.array()?);
        let part_count = reader.length()?;
        let mut lengths = [0; 5];
        for length in &mut lengths {
            *length = reader.length()?;
        }
        let part_bytes = part_count
            .checked_mul(PART_BYTES)
            .ok_or(SummaryError::Length)?;
        let [charsets, envelope, body, body_structure, search_header] = lengths;
        let parts = reader.bytes(part_bytes)?;
        let (root, _) = parts
            .split_at_checked(PART_BYTES)
            .ok_or(SummaryError::Length)?;
        let summary = Self {
            size,
            sent: (flags & HAS_SENT != 0).then_some(sent),
            root: PartEntry::decode(root).ok_or(SummaryError::Part(0))?,
            parts,
            charsets: reader.bytes(charsets)?,
            envelope: reader.bytes(envelope)?,
            body: reader.bytes(body)?,
            body_structure: reader.bytes(body_structure)?,
            search_header: Some(reader.bytes(search_header)?)
                .filter(|_| flags & HAS_SEARCH_HEADER != 0),
        };
        if !reader.rest.is_empty() {
            return Err(SummaryError::Length);
        }
        summary.check_parts()?;
        Ok(summary)
    }

    /// Octets of the message (RFC822.SIZE).
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where the message's header ends, its empty line included.
    pub fn header_end(&self) -> u64 {
        self.root.body_start
    }

    /// When the Date field says the message was sent.
    pub fn sent(&self) -> Option<SentDate> {
        self.sent
    }

    /// ENVELOPE as it goes to the client, without the word.
    pub fn envelope(&self) -> &'a [u8] {
        self.envelope
    }

    /// BODY as it goes to the client, without the word.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// BODYSTRUCTURE as it goes to the client, without the word.
    pub fn body_structure(&self) -> &'a [u8] {
        self.body_structure
    }

    /// The message's fields Date, Subject, From, Sender, Reply-To, To, Cc, Bcc, In-Reply-To and
    /// Message-ID, all of them and raw: enough to search and sort by them without the message.
    /// `None` when they are long; read the message's header then.
    pub fn search_header(&self) -> Option<&'a [u8]> {
        self.search_header
    }

    /// [`Self::search_header`] when it answers for the field `name`; read the message's header
    /// when this is `None`.
    pub fn search_header_for(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.search_header
            .filter(|_| super::build::in_search_header(name))
    }

    /// The message itself.
    pub fn root(&self) -> PartRef<'a> {
        self.with_charset(0, self.root)
    }

    /// The part at `index` of the table.
    pub fn part(&self, index: usize) -> Option<PartRef<'a>> {
        let start = index.checked_mul(PART_BYTES)?;
        let row = self.parts.get(start..start.checked_add(PART_BYTES)?)?;
        Some(self.with_charset(index, PartEntry::decode(row)?))
    }

    /// All parts, parents before children, in the order in which they begin.
    pub fn parts(&self) -> impl Iterator<Item = PartRef<'a>> + use<'a> {
        let this = *self;
        (0..self.part_count()).filter_map(move |index| this.part(index))
    }

    /// How many parts there are, the message itself included.
    pub fn part_count(&self) -> usize {
        self.parts.len() / PART_BYTES
    }

    /// The child `number` of `parent`.
    pub fn child(&self, parent: PartRef<'_>, number: u32) -> Option<PartRef<'a>> {
        // Children stand behind their parent; those of others among them are skipped.
        (parent.index().saturating_add(1)..self.part_count())
            .filter_map(|index| self.part(index))
            .find(|part| part.parent() == Some(parent.index()) && part.number() == number)
    }

    fn with_charset(&self, index: usize, entry: PartEntry) -> PartRef<'a> {
        let start = usize::try_from(entry.charset_start).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::from(entry.charset_len));
        PartRef {
            index,
            entry,
            charset: self.charsets.get(start..end).unwrap_or_default(),
        }
    }

    fn check_parts(&self) -> Result<(), SummaryError> {
        for index in 0..self.part_count() {
            let part = self.part(index).ok_or(SummaryError::Part(index))?;
            let outer = match (index, part.parent()) {
                (0, None) => 0..self.size,
                (_, Some(parent)) if parent < index => {
                    let parent = self.part(parent).ok_or(SummaryError::Part(index))?;
                    if !matches!(parent.kind(), Kind::Multipart | Kind::Message) {
                        return Err(SummaryError::Part(index));
                    }
                    parent.body()
                }
                _ => return Err(SummaryError::Part(index)),
            };
            let entry = part.entry;
            let ordered = outer.start <= entry.header_start
                && entry.header_start <= entry.body_start
                && entry.body_start <= entry.body_end
                && entry.body_end <= outer.end;
            let charset_end =
                u64::from(entry.charset_start).saturating_add(u64::from(entry.charset_len));
            if !ordered || charset_end > from_len(self.charsets.len()) {
                return Err(SummaryError::Part(index));
            }
        }
        Ok(())
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], SummaryError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(SummaryError::Length)?;
        self.rest = rest;
        Ok(*array)
    }

    fn length(&mut self) -> Result<usize, SummaryError> {
        usize::try_from(u32::from_le_bytes(self.array()?)).map_err(|_| SummaryError::Length)
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], SummaryError> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(SummaryError::Length)?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// The value of a parent field for `parent`.
pub(super) fn parent_value(parent: Option<usize>) -> u32 {
    parent
        .and_then(|parent| u32::try_from(parent).ok())
        .unwrap_or(NO_PARENT)
}
