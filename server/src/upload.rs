//! A message on its way in: scanned as it comes, sent to the log in chunks when it is large.
//!
//! APPEND has one target; LMTP one for each recipient, and what fails for one goes on for the
//! others. No more than a chunk and one read of the message is in memory at a time.

use std::sync::Arc;

use mail_message::scanner::{Limits, Scanner};
use mail_message::summary::summarize;
use storage_engine::ids::AccountId;
use storage_engine::limits::BODY_INLINE_BYTES_MAX;
use storage_engine::request::{Actor, NewBody, Operation, Refusal, Reply, UploadId};

use crate::runtime::Runtime;
use crate::shard::Shard;

/// One message under way. Lives in its session's task.
pub struct Upload<R: Runtime> {
    shard: Shard<R>,
    scanner: Scanner,
    /// Octets that no chunk holds yet.
    pending: Vec<u8>,
    size: u64,
    chunks: u32,
    targets: Vec<Target>,
}

/// An account that is to get the message.
struct Target {
    account: AccountId,
    upload: UploadId,
    failed: Option<Refusal>,
}

/// A message that has come whole.
pub struct Uploaded {
    /// RFC822.SIZE.
    pub size: u32,
    /// What is stored beside it.
    pub summary: Arc<[u8]>,
    /// For each target, in order: its body, or why it has none.
    pub bodies: Vec<Result<NewBody, Refusal>>,
}

impl<R: Runtime> Upload<R> {
    /// A message for these accounts.
    pub fn new(shard: Shard<R>, accounts: impl IntoIterator<Item = AccountId>) -> Self {
        let targets = accounts
            .into_iter()
            .map(|account| Target {
                account,
                upload: shard.next_upload(),
                failed: None,
            })
            .collect();
        Upload {
            shard,
            scanner: Scanner::new(Limits::default()),
            pending: Vec::new(),
            size: 0,
            chunks: 0,
            targets,
        }
    }

    /// Takes the next octets; the caller calls [`Upload::drain`] before it reads more.
    pub fn push(&mut self, octets: &[u8]) {
        self.scanner.feed(octets);
        self.pending.extend_from_slice(octets);
        // A usize always fits.
        self.size += u64::try_from(octets.len()).unwrap_or(u64::MAX);
    }

    /// Sends whole chunks to the log. Keeps what may still be a small message in one piece.
    pub async fn drain(&mut self) {
        while self.pending.len() > BODY_INLINE_BYTES_MAX {
            let rest = self.pending.split_off(BODY_INLINE_BYTES_MAX);
            let chunk = std::mem::replace(&mut self.pending, rest);
            self.send_chunk(chunk.into()).await;
        }
    }

    /// Everything has come.
    pub async fn finish(mut self) -> Result<Uploaded, Refusal> {
        self.drain().await;
        let size = u32::try_from(self.size).map_err(|_| Refusal::Limit("Message is too large"))?;
        let pending: Arc<[u8]> = std::mem::take(&mut self.pending).into();
        if self.chunks > 0 && !pending.is_empty() {
            self.send_chunk(pending.clone()).await;
        }
        let scanner = std::mem::replace(&mut self.scanner, Scanner::new(Limits::default()));
        let summary = summarize(&scanner.finish()).encode().into();
        let chunked = self.chunks > 0;
        let mut bodies = Vec::with_capacity(self.targets.len());
        for target in std::mem::take(&mut self.targets) {
            bodies.push(match target.failed {
                Some(refusal) => {
                    // Chunks before the one that failed are in the log.
                    let body = NewBody::Uploaded(target.upload);
                    abandon(&self.shard, target.account, body, &refusal).await;
                    Err(refusal)
                }
                None if chunked => Ok(NewBody::Uploaded(target.upload)),
                None => Ok(NewBody::Inline(pending.clone())),
            });
        }
        Ok(Uploaded {
            size,
            summary,
            bodies,
        })
    }

    async fn send_chunk(&mut self, bytes: Arc<[u8]>) {
        let index = self.chunks;
        self.chunks = self.chunks.saturating_add(1);
        for target in self
            .targets
            .iter_mut()
            .filter(|target| target.failed.is_none())
        {
            let operation = Operation::UploadChunk {
                body: target.upload,
                index,
                bytes: bytes.clone(),
            };
            // Chunks are nothing before a message names them, and that is planned for who asks.
            let asked = self.shard.request(target.account, Actor::System, operation);
            target.failed = match asked.await {
                Ok(Reply::Chunk) => None,
                Ok(_) => Some(Refusal::Unknown),
                Err(refusal) => Some(refusal),
            };
        }
    }
}

/// The message was refused after it had come: its chunks become dead space. Where the outcome is
/// unknown they may belong to a message and stay.
pub async fn abandon<R: Runtime>(
    shard: &Shard<R>,
    account: AccountId,
    body: NewBody,
    refusal: &Refusal,
) {
    if let NewBody::Uploaded(body) = body
        && *refusal != Refusal::Unknown
    {
        // If that fails too, recovery finds the chunks unreferenced.
        let _ = shard
            .request(account, Actor::System, Operation::AbandonUpload { body })
            .await;
    }
}

/// Given up half-way: the chunks become dead space.
impl<R: Runtime> Drop for Upload<R> {
    fn drop(&mut self) {
        if self.chunks == 0 {
            return;
        }
        for target in std::mem::take(&mut self.targets) {
            let shard = self.shard.clone();
            self.shard.runtime().spawn(async move {
                let operation = Operation::AbandonUpload {
                    body: target.upload,
                };
                // If even that fails, recovery finds the chunks unreferenced.
                let _ = shard
                    .request(target.account, Actor::System, operation)
                    .await;
            });
        }
    }
}
