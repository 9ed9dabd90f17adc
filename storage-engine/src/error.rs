//! One error enum per operation of the store.

use crate::ids::{Epoch, SegmentId, Slice};

/// Why an operation of a [`Disk`](crate::disk::Disk) failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiskError {
    /// No space is left, or the configured size is reached.
    #[error("no space left")]
    Full,
    /// No file of that name.
    #[error("no such file: {0}")]
    NotFound(String),
    /// A file of that name is there already.
    #[error("file exists: {0}")]
    Exists(String),
    /// A length or offset that the disk layer refuses (see `limits`).
    #[error("request out of bounds: {0}")]
    Bounds(&'static str),
    /// The simulated machine lost its power.
    #[error("the machine is off")]
    Off,
    /// What the operating system said.
    #[error("{operation} {name}: {cause} (errno {errno:?})")]
    Io {
        /// The system call in words.
        operation: &'static str,
        /// The file.
        name: String,
        /// The error number, when known.
        errno: Option<i32>,
        /// The text of the error.
        cause: String,
    },
}

/// Why a body or summary was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The place is out of date (compaction moved it): ask the owner by `Operation::Locate`.
    #[error("not at this place any more")]
    Missing,
    /// The bytes are there and wrong.
    #[error("damaged on disk")]
    Damaged,
    /// The disk refused.
    #[error(transparent)]
    Io(#[from] DiskError),
}

/// Why a data directory was not opened.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Written by a newer version.
    #[error("{name} has format {found}, this program reads up to {known}; use a newer one")]
    NewerFormat {
        /// The file.
        name: String,
        /// Its format.
        found: u32,
        /// Newest format known here.
        known: u32,
    },
    /// All start files are unreadable though segments of earlier starts exist.
    #[error("no readable start file for epoch {0:?}, and there are segments")]
    NoStart(Epoch),
    /// A segment that a start file names is gone.
    #[error("segment {0:?} is missing")]
    SegmentMissing(SegmentId),
    /// A slice table that was readable a moment ago is not any more.
    #[error("the table of slice {0:?} was not read a second time")]
    TableUnreadable(Slice),
    /// No more epochs, or more shards than a segment id can name.
    #[error("limit of the format reached: {0}")]
    Limit(&'static str),
}

/// Why a store was not opened on recovered data.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Why a directory was not locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("data directory {directory} is in use by {holder}")]
    Held {
        /// The directory.
        directory: String,
        /// What the holder wrote into the lock file: process id and start time.
        holder: String,
    },
    /// What the operating system said.
    #[error("lock of {directory}: {cause}")]
    Io {
        /// The directory.
        directory: String,
        /// The error.
        cause: std::io::Error,
    },
}
