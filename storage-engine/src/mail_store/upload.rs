//! Large bodies come in chunks while they are received; a map of the chunks follows with the
//! message that makes them exist.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::disk::Disk;
use crate::ids::{AccountId, BodyId, Place, SegmentId};
use crate::limits::{BODY_CHUNKS_MAX, BODY_INLINE_BYTES_MAX, UPLOADS_MAX};
use crate::log::{FrameHeader, FrameKind, Purpose, Room};
use crate::mail_store::MailStore;
use crate::reader::{BodyMap, CachedFrame};
use crate::request::{Refusal, Reply, UploadId};

/// Uploads in progress.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    open: HashMap<UploadId, Upload>,
    /// Body ids of all of them, as planning needs them.
    bodies: HashMap<UploadId, BodyId>,
}

#[derive(Debug)]
struct Upload {
    account: AccountId,
    map: BodyMap,
}

impl Uploads {
    pub(crate) fn abandon(&mut self, upload: UploadId) {
        self.open.remove(&upload);
        self.bodies.remove(&upload);
    }

    /// Body ids by upload.
    pub(crate) fn bodies(&self) -> &HashMap<UploadId, BodyId> {
        &self.bodies
    }

    /// The chunks of an upload of this account.
    pub(crate) fn map(&self, account: AccountId, upload: UploadId) -> Option<&BodyMap> {
        let found = self
            .open
            .get(&upload)
            .filter(|open| open.account == account);
        found.map(|open| &open.map)
    }

    /// Whether chunks of open uploads lie there.
    pub(crate) fn use_segment(&self, segment: SegmentId) -> bool {
        let chunks = self.open.values().flat_map(|open| &open.map.chunks);
        chunks.into_iter().any(|chunk| chunk.segment == segment)
    }

    /// Whether an account has uploads open: ids given to them are in no record yet.
    pub(crate) fn are_of(&self, account: AccountId) -> bool {
        self.open.values().any(|open| open.account == account)
    }

    /// Forgets the uploads of an account.
    pub(crate) fn forget(&mut self, account: AccountId) {
        self.open.retain(|_, open| open.account != account);
        self.bodies
            .retain(|upload, _| self.open.contains_key(upload));
    }

    /// Checks that this chunk is the next one, and of a size that a map can address.
    fn check(&self, account: AccountId, upload: UploadId, index: u32) -> Result<(), Refusal> {
        let Some(open) = self.open.get(&upload) else {
            return match (index, self.open.len() < UPLOADS_MAX) {
                (0, true) => Ok(()),
                (0, false) => Err(Refusal::Limit("too many uploads at once")),
                _ => Err(Refusal::NoSuchUpload),
            };
        };
        let full = |chunk: &Place| usize::try_from(chunk.len) == Ok(BODY_INLINE_BYTES_MAX);
        let next = usize::try_from(index) == Ok(open.map.chunks.len());
        if open.account != account || !next || !open.map.chunks.last().is_none_or(full) {
            return Err(Refusal::NoSuchUpload);
        }
        match open.map.chunks.len() < BODY_CHUNKS_MAX {
            true => Ok(()),
            false => Err(Refusal::Limit("message too large")),
        }
    }
}

impl<D: Disk> MailStore<D> {
    /// Puts one chunk into the log. The answer says that there is room for the next one, not that
    /// this one is durable: the message will say that.
    pub(crate) async fn upload_chunk(
        &self,
        account: AccountId,
        upload: UploadId,
        index: u32,
        bytes: Arc<[u8]>,
    ) -> Result<Reply, Refusal> {
        if bytes.is_empty() || bytes.len() > BODY_INLINE_BYTES_MAX {
            return Err(Refusal::Limit("chunk size"));
        }
        let log = &self.inner.log;
        loop {
            let held = self.load(account).await?.ok_or(Refusal::NoSuchAccount)?;
            let seen = log.changed().generation();
            self.inner.uploads.borrow().check(account, upload, index)?;
            match log.room(bytes.len(), 1, Purpose::Growth) {
                Room::Now => {}
                Room::Later => {
                    log.changed().changed_since(seen).await;
                    continue;
                }
                Room::Full => return Err(self.refuse_full()),
                Room::Never => return Err(Refusal::Limit("chunk size")),
                Room::Fenced => return Err(Refusal::ReadOnly),
            }
            let mut states = held.states.borrow_mut();
            if !states.planned.exists() {
                return Err(Refusal::NoSuchAccount);
            }
            if states.gap {
                return Err(Refusal::ReadOnly);
            }
            let mut uploads = self.inner.uploads.borrow_mut();
            let body = match uploads.bodies.get(&upload) {
                Some(body) => *body,
                None => states.planned.reserve_body(),
            };
            let header = FrameHeader::of(FrameKind::Chunk, account, self.inner.epoch, body.0);
            let place = log.enqueue(&header, &[&bytes]).map_err(|_| Refusal::Full)?;
            uploads.bodies.insert(upload, body);
            let open = uploads.open.entry(upload).or_insert_with(|| {
                let map = BodyMap {
                    octets: 0,
                    chunks: Vec::new(),
                };
                Upload { account, map }
            });
            open.map.octets += u64::try_from(bytes.len()).unwrap_or(0);
            open.map.chunks.push(place);
            let payload = Bytes::from_owner(bytes);
            let frame = CachedFrame {
                account,
                body,
                kind: FrameKind::Chunk,
                payload,
            };
            self.inner.reader.remember(place, frame);
            return Ok(Reply::Chunk);
        }
    }

    pub(crate) fn refuse_full(&self) -> Refusal {
        self.count(|counters| counters.refused_full += 1);
        Refusal::Full
    }
}
