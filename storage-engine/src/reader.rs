//! Reads bodies and summaries from any segment, on any shard, without asking the owner.
//!
//! A place is a hint: the frame there must name the account and the body that were asked for, so a
//! mistake elsewhere becomes an error and never another user's mail.

mod cache;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashSet;
use std::ops::Range;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};

use crate::disk::{Disk, DiskError, DiskFile};
use crate::error::ReadError;
use crate::ids::{AccountId, BodyId, Place, SegmentId, Slice};
use crate::limits::{
    BODY_CHUNKS_MAX, BODY_INLINE_BYTES_MAX, FRAME_PAYLOAD_BYTES_MAX, TABLE_CACHE_BYTES,
};
use crate::log::{
    FRAME_HEADER_BYTES, Fields, FrameError, FrameHeader, FrameKind, decode_frame, segment_name,
};
use crate::recovery::slice_table::SliceTable;
use crate::recovery::{Options, Sabotage};
use cache::{BodyCache, Descriptors};

/// Reads frames. One per shard; clones share its caches.
pub struct BodyReader<D: Disk> {
    inner: Rc<Inner<D>>,
}

struct Inner<D: Disk> {
    disk: D,
    files: RefCell<Descriptors<D::File>>,
    cache: RefCell<BodyCache>,
    tables: RefCell<BodyCache>,
    /// Removed by compaction, or about to be: never opened again.
    gone: RefCell<HashSet<SegmentId>>,
    sabotage: Option<Sabotage>,
}

impl<D: Disk> Clone for BodyReader<D> {
    fn clone(&self) -> Self {
        BodyReader {
            inner: self.inner.clone(),
        }
    }
}

impl<D: Disk> BodyReader<D> {
    /// With room for this many bytes of bodies and this many open files.
    pub fn new(disk: D, options: &Options) -> BodyReader<D> {
        let files = RefCell::new(Descriptors::new(options.descriptors_max));
        let cache = RefCell::new(BodyCache::new(options.body_cache_bytes));
        BodyReader {
            inner: Rc::new(Inner {
                disk,
                files,
                cache,
                tables: RefCell::new(BodyCache::new(TABLE_CACHE_BYTES)),
                gone: RefCell::default(),
                sabotage: options.sabotage,
            }),
        }
    }

    /// The octets of a message in `range`, clipped to its size. Keep ranges below a mebibyte.
    pub async fn read_body(
        &self,
        account: AccountId,
        body: BodyId,
        place: Place,
        range: Range<u64>,
    ) -> Result<Bytes, ReadError> {
        let kinds = &[FrameKind::Body, FrameKind::Chunk, FrameKind::BodyMap];
        let (kind, payload) = self.read_cached(account, body, place, kinds).await?;
        if kind != FrameKind::BodyMap {
            return Ok(clip(&payload, range));
        }
        let map = BodyMap::decode(&payload).ok_or(ReadError::Damaged)?;
        let mut out = BytesMut::new();
        for (start, chunk) in map.overlapping(&range) {
            let kinds = &[FrameKind::Chunk];
            let (_, payload) = self.read_cached(account, body, chunk, kinds).await?;
            let from = range.start.saturating_sub(start);
            let part = clip(&payload, from..range.end.saturating_sub(start));
            if part.len() == payload.len() && map.chunks.len() == 1 {
                return Ok(part);
            }
            out.extend_from_slice(&part);
        }
        Ok(out.freeze())
    }

    /// The summary of a message.
    pub async fn read_summary(
        &self,
        account: AccountId,
        body: BodyId,
        place: Place,
    ) -> Result<Bytes, ReadError> {
        let (_, payload) = self
            .read_cached(account, body, place, &[FrameKind::Summary])
            .await?;
        Ok(payload)
    }

    /// Puts what was just enqueued where reads find it.
    pub(crate) fn remember(&self, place: Place, frame: CachedFrame) {
        self.inner.cache.borrow_mut().put(place, frame);
    }

    /// Compaction is going to remove this file: no read may use it any more. Reads in progress
    /// hold the file open, so they end well whatever happens to its name.
    pub(crate) fn forget(&self, segment: SegmentId) {
        self.inner.gone.borrow_mut().insert(segment);
        self.inner.files.borrow_mut().remove(segment);
        self.inner.cache.borrow_mut().forget(segment);
        self.inner.tables.borrow_mut().forget(segment);
    }

    /// One frame of one of these kinds, from the disk.
    pub(crate) async fn read_frame(
        &self,
        account: AccountId,
        id: u64,
        place: Place,
        kinds: &[FrameKind],
    ) -> Result<(FrameKind, Bytes), ReadError> {
        let (header, payload) = self.read_any(place).await?;
        if header.account != account || header.id != id || !kinds.contains(&header.kind) {
            return Err(ReadError::Missing);
        }
        Ok((header.kind, payload))
    }

    /// The table of a slice, from memory or the disk.
    pub(crate) async fn read_table(
        &self,
        slice: Slice,
        place: Place,
    ) -> Result<SliceTable, ReadError> {
        let found = self.inner.tables.borrow_mut().get(place);
        if let Some(found) = found {
            return Ok(SliceTable::of_parsed(found.payload));
        }
        let (header, payload) = self.read_any(place).await?;
        if header.kind != FrameKind::SliceTable || header.slice != slice {
            return Err(ReadError::Missing);
        }
        let table = SliceTable::parse(payload).ok_or(ReadError::Damaged)?;
        self.remember_table(place, &table);
        Ok(table)
    }

    /// Puts a table where the next look finds it.
    pub(crate) fn remember_table(&self, place: Place, table: &SliceTable) {
        let frame = CachedFrame {
            account: AccountId([0; 16]),
            body: BodyId(0),
            kind: FrameKind::SliceTable,
            payload: table.payload().clone(),
        };
        self.inner.tables.borrow_mut().put(place, frame);
    }

    /// There is a newer table.
    pub(crate) fn forget_table(&self, place: Place) {
        self.inner.tables.borrow_mut().remove(place);
    }

    async fn read_any(&self, place: Place) -> Result<(FrameHeader, Bytes), ReadError> {
        let len = usize::try_from(place.len).unwrap_or(usize::MAX);
        if len > FRAME_PAYLOAD_BYTES_MAX {
            return Err(ReadError::Damaged);
        }
        let file = self.file(place.segment).await?;
        let bytes = file
            .read_at(u64::from(place.offset), FRAME_HEADER_BYTES + len)
            .await?;
        let header = match decode_frame(place.segment, &bytes) {
            Ok((header, payload, _)) if payload.len() == len => header,
            Ok(_) => return Err(ReadError::Missing),
            Err(FrameError::Damaged(Some(header)))
                if self.inner.sabotage == Some(Sabotage::SkipChecksum) =>
            {
                header
            }
            Err(FrameError::Cut | FrameError::Damaged(_)) => return Err(ReadError::Damaged),
        };
        let payload = Bytes::from(bytes).slice(FRAME_HEADER_BYTES..);
        Ok((header, payload))
    }

    async fn read_cached(
        &self,
        account: AccountId,
        body: BodyId,
        place: Place,
        kinds: &[FrameKind],
    ) -> Result<(FrameKind, Bytes), ReadError> {
        let found = self.inner.cache.borrow_mut().get(place);
        if let Some(found) = found {
            let right = found.account == account && found.body == body;
            return match right && kinds.contains(&found.kind) {
                true => Ok((found.kind, found.payload)),
                false => Err(ReadError::Missing),
            };
        }
        let (kind, payload) = self.read_frame(account, body.0, place, kinds).await?;
        self.remember(
            place,
            CachedFrame {
                account,
                body,
                kind,
                payload: payload.clone(),
            },
        );
        Ok((kind, payload))
    }

    async fn file(&self, segment: SegmentId) -> Result<Rc<D::File>, ReadError> {
        if let Some(file) = self.inner.files.borrow_mut().get(segment) {
            return Ok(file);
        }
        if self.inner.gone.borrow().contains(&segment) {
            return Err(ReadError::Missing);
        }
        match self.inner.disk.open(&segment_name(segment)).await {
            Ok(file) => {
                let file = Rc::new(file);
                self.inner.files.borrow_mut().put(segment, file.clone());
                Ok(file)
            }
            Err(DiskError::NotFound(_)) => Err(ReadError::Missing),
            Err(error) => Err(error.into()),
        }
    }
}

/// What the cache knows of a frame.
#[derive(Debug, Clone)]
pub(crate) struct CachedFrame {
    pub account: AccountId,
    pub body: BodyId,
    pub kind: FrameKind,
    pub payload: Bytes,
}

/// Payload of a body map frame: the chunks of a large message in order. All but the last are of
/// [`BODY_INLINE_BYTES_MAX`] octets.
///
/// ```text
///  0  octets u64
///  8  count u32, zero u32
/// 16  chunks: segment u64, offset u32, length u32
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BodyMap {
    pub octets: u64,
    pub chunks: Vec<Place>,
}

impl BodyMap {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + self.chunks.len() * 16);
        out.extend_from_slice(&self.octets.to_le_bytes());
        out.extend_from_slice(&u32::try_from(self.chunks.len()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        for chunk in &self.chunks {
            out.extend_from_slice(&chunk.segment.0.to_le_bytes());
            out.extend_from_slice(&chunk.offset.to_le_bytes());
            out.extend_from_slice(&chunk.len.to_le_bytes());
        }
        out
    }

    pub(crate) fn decode(payload: &[u8]) -> Option<BodyMap> {
        let mut fields = Fields::new(payload);
        let octets = fields.u64()?;
        let count = usize::try_from(fields.u32()?)
            .ok()
            .filter(|count| *count <= BODY_CHUNKS_MAX)?;
        fields.u32()?;
        let mut chunks = Vec::with_capacity(count);
        for _ in 0..count {
            let segment = SegmentId(fields.u64()?);
            chunks.push(Place {
                segment,
                offset: fields.u32()?,
                len: fields.u32()?,
            });
        }
        fields.is_empty().then_some(BodyMap { octets, chunks })
    }

    /// Chunks that have octets of the range, each with the offset of its first octet.
    fn overlapping<'m>(&'m self, range: &Range<u64>) -> impl Iterator<Item = (u64, Place)> + 'm {
        let chunk_bytes = u64::try_from(BODY_INLINE_BYTES_MAX).unwrap_or(1);
        let end = range.end.min(self.octets);
        let first = range.start / chunk_bytes;
        let last = end.div_ceil(chunk_bytes);
        (first..last).filter_map(move |n| {
            let at = usize::try_from(n).ok()?;
            Some((n * chunk_bytes, *self.chunks.get(at)?))
        })
    }
}

fn clip(payload: &Bytes, range: Range<u64>) -> Bytes {
    let bound = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(payload.len());
    let (from, to) = (bound(range.start), bound(range.end));
    if from < to {
        payload.slice(from..to)
    } else {
        Bytes::new()
    }
}
