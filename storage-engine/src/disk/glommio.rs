//! The disk on io_uring: files opened with O_DIRECT inside one directory.
//!
//! A wrapper around the I/O library that keeps to what was measured to be safe: one probe file
//! per thread and directory before any other, aligned reads only, sizes checked before each call,
//! operations that the ring cancelled by mistake repeated, bytes of reads in flight bounded.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use futures_lite::FutureExt;
use glommio::GlommioError;
use glommio::io::{Directory, DmaBuffer, DmaFile, OpenOptions};
use glommio::sync::Semaphore;

use crate::disk::{Disk, DiskBuffer, DiskError, DiskFile};
use crate::limits::{BLOCK_BYTES, FRAME_PAYLOAD_BYTES_MAX, IO_ATTEMPTS_MAX, IO_BYTES_MAX};
use crate::limits::{READ_BUDGET_BYTES, SEGMENT_BYTES_MAX};

/// Files of this prefix are nobody's data.
const PROBE_PREFIX: &str = "probe-";

/// A data directory, as one shard's thread sees it.
#[derive(Clone)]
pub struct GlommioDisk {
    shared: Rc<Shared>,
}

struct Shared {
    directory: PathBuf,
    read_budget: Semaphore,
}

/// An open file.
pub struct GlommioFile {
    name: String,
    file: DmaFile,
    shared: Rc<Shared>,
}

impl GlommioDisk {
    /// Opens a directory on this thread's executor; to be called by each shard before it opens
    /// any file there. `shard` keeps the probe files apart.
    pub async fn open(directory: &Path, shard: usize) -> Result<GlommioDisk, DiskError> {
        let shared = Rc::new(Shared {
            directory: directory.to_owned(),
            read_budget: Semaphore::new(READ_BUDGET_BYTES),
        });
        // The first file that a thread opens on a device decides whether its reads poll for
        // completion, and an empty one decides wrongly for ever. A write-only file switches
        // polling off. One line of the I/O library's own trace is expected here.
        let name = format!("{PROBE_PREFIX}{shard}");
        let probe = DmaFile::create(directory.join(&name))
            .await
            .map_err(|error| refused("create", &name, &error))?;
        probe
            .close()
            .await
            .map_err(|error| refused("close", &name, &error))?;
        Ok(GlommioDisk { shared })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.shared.directory.join(name)
    }

    fn file(&self, name: &str, file: DmaFile) -> GlommioFile {
        GlommioFile {
            name: name.to_owned(),
            file,
            shared: self.shared.clone(),
        }
    }
}

impl Disk for GlommioDisk {
    type File = GlommioFile;
    type Buffer = DmaBuffer;

    fn buffer(&self, bytes: usize) -> Result<DmaBuffer, DiskError> {
        // One block of header and padding may come on top of the largest frame.
        let bytes_max = FRAME_PAYLOAD_BYTES_MAX + 2 * BLOCK_BYTES;
        if bytes == 0 || bytes > bytes_max || !bytes.is_multiple_of(BLOCK_BYTES) {
            return Err(DiskError::Bounds("buffer"));
        }
        Ok(glommio::allocate_dma_buffer(bytes))
    }

    async fn create(&self, name: &str, bytes: u64) -> Result<GlommioFile, DiskError> {
        if bytes == 0 || bytes > SEGMENT_BYTES_MAX {
            return Err(DiskError::Bounds("file size"));
        }
        let path = self.path(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .dma_open(&path)
            .await
            .map_err(|error| refused("create", name, &error))?;
        let file = self.file(name, file);
        let taken = repeat("preallocate", name, || file.file.pre_allocate(bytes, false)).await;
        if let Err(error) = taken {
            file.close().await?;
            self.remove(name).await?;
            return Err(error);
        }
        Ok(file)
    }

    async fn open(&self, name: &str) -> Result<GlommioFile, DiskError> {
        let path = self.path(name);
        // The library panics when the file vanishes while it is opened. Compaction removes files
        // under readers that hold an old place.
        let opened = async {
            OpenOptions::new()
                .read(true)
                .write(true)
                .dma_open(&path)
                .await
        };
        match AssertUnwindSafe(opened).catch_unwind().await {
            Ok(Ok(file)) => Ok(self.file(name, file)),
            Ok(Err(error)) => Err(refused("open", name, &error)),
            Err(_) => Err(DiskError::NotFound(name.to_owned())),
        }
    }

    async fn list(&self) -> Result<Vec<String>, DiskError> {
        let io = |error: std::io::Error| DiskError::Io {
            operation: "list",
            name: String::new(),
            errno: error.raw_os_error(),
            cause: error.to_string(),
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.shared.directory).map_err(io)? {
            let entry = entry.map_err(io)?;
            if let Ok(name) = entry.file_name().into_string()
                && !name.starts_with(PROBE_PREFIX)
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    async fn remove(&self, name: &str) -> Result<(), DiskError> {
        let path = self.path(name);
        glommio::io::remove(&path)
            .await
            .map_err(|error| refused("remove", name, &error))
    }

    async fn rename(&self, from: &str, to: &str) -> Result<(), DiskError> {
        glommio::io::rename(self.path(from), self.path(to))
            .await
            .map_err(|error| refused("rename", from, &error))
    }

    async fn sync_directory(&self) -> Result<(), DiskError> {
        let directory = Directory::open(&self.shared.directory)
            .await
            .map_err(|error| refused("open directory", "", &error))?;
        repeat("sync directory", "", || directory.sync()).await?;
        directory
            .close()
            .await
            .map_err(|error| refused("close directory", "", &error))
    }
}

impl DiskFile for GlommioFile {
    type Buffer = DmaBuffer;

    async fn write_at(&self, buffer: DmaBuffer, offset: u64) -> Result<(), DiskError> {
        let len = buffer.len();
        if len == 0 || !len.is_multiple_of(BLOCK_BYTES) || !aligned(offset) {
            return Err(DiskError::Bounds("write"));
        }
        let buffer = Rc::new(buffer);
        let write = || self.file.write_rc_at(buffer.clone(), offset);
        let written = repeat("write", &self.name, write).await?;
        if written != len {
            return Err(self.short("write"));
        }
        Ok(())
    }

    async fn read_at(&self, offset: u64, bytes: usize) -> Result<Vec<u8>, DiskError> {
        if bytes > FRAME_PAYLOAD_BYTES_MAX + 2 * BLOCK_BYTES || offset > SEGMENT_BYTES_MAX {
            return Err(DiskError::Bounds("read"));
        }
        let mut content = Vec::with_capacity(bytes);
        while content.len() < bytes {
            let position = offset.saturating_add(wide(content.len()));
            let skip = usize::try_from(position % wide(BLOCK_BYTES)).unwrap_or(0);
            let wanted = (bytes - content.len()).min(IO_BYTES_MAX - skip);
            let span = (skip + wanted).next_multiple_of(BLOCK_BYTES);
            let start = position - wide(skip);
            let _permit = self
                .shared
                .read_budget
                .acquire_permit(wide(span))
                .await
                .map_err(|error| refused("budget", &self.name, &error))?;
            let read = || self.file.read_at_aligned(start, span);
            let result = repeat("read", &self.name, read).await?;
            let Some(piece) = result.get(skip..result.len().min(skip + wanted)) else {
                break;
            };
            content.extend_from_slice(piece);
            if piece.len() < wanted {
                break;
            }
        }
        Ok(content)
    }

    async fn sync(&self) -> Result<(), DiskError> {
        repeat("sync", &self.name, || self.file.fdatasync()).await
    }

    async fn truncate(&self, bytes: u64) -> Result<(), DiskError> {
        repeat("truncate", &self.name, || self.file.truncate(bytes)).await
    }

    async fn size(&self) -> Result<u64, DiskError> {
        repeat("size", &self.name, || self.file.file_size()).await
    }

    async fn close(self) -> Result<(), DiskError> {
        self.file
            .close()
            .await
            .map_err(|error| refused("close", &self.name, &error))
    }
}

impl GlommioFile {
    fn short(&self, operation: &'static str) -> DiskError {
        let cause = "fewer bytes than asked".to_owned();
        DiskError::Io {
            operation,
            name: self.name.clone(),
            errno: None,
            cause,
        }
    }
}

impl DiskBuffer for DmaBuffer {
    fn shorten(&mut self, bytes: usize) {
        self.trim_to_size(bytes);
    }
}

/// Repeats an operation that came back as cancelled: a full cancel queue of the ring can hit the
/// wrong operation, which says nothing about the disk.
async fn repeat<T, F: Future<Output = Result<T, GlommioError<()>>>>(
    operation: &'static str,
    name: &str,
    attempt: impl Fn() -> F,
) -> Result<T, DiskError> {
    let mut attempts = 1;
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => {
                let cancelled = matches!(
                    error.raw_os_error(),
                    Some(libc::ETIMEDOUT | libc::ECANCELED)
                );
                if !cancelled || attempts >= IO_ATTEMPTS_MAX {
                    return Err(refused(operation, name, &error));
                }
                attempts += 1;
                tracing::warn!(operation, name, "cancelled by the ring, repeated");
            }
        }
    }
}

fn refused(operation: &'static str, name: &str, error: &GlommioError<()>) -> DiskError {
    match error.raw_os_error() {
        Some(libc::ENOSPC | libc::EDQUOT) => DiskError::Full,
        Some(libc::ENOENT) => DiskError::NotFound(name.to_owned()),
        Some(libc::EEXIST) => DiskError::Exists(name.to_owned()),
        errno => DiskError::Io {
            operation,
            name: name.to_owned(),
            errno,
            cause: error.to_string(),
        },
    }
}

fn aligned(offset: u64) -> bool {
    offset.is_multiple_of(wide(BLOCK_BYTES)) && offset <= SEGMENT_BYTES_MAX
}

/// `usize` is at most 64 bits wide on every platform that io_uring runs on.
fn wide(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
