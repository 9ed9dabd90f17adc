//! One process per data directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::LockError;

/// Name of the lock file.
pub const LOCK_NAME: &str = "lock";

/// Holds the directory until dropped. The kernel drops it with the process, so a crash leaves
/// no stale lock.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Locks the directory, which must exist, and writes down who holds it.
    pub fn take(directory: &Path) -> Result<DirectoryLock, LockError> {
        let io = |cause| LockError::Io {
            directory: directory.display().to_string(),
            cause,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join(LOCK_NAME))
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                Read::take(&file, 256)
                    .read_to_string(&mut holder)
                    .map_err(io)?;
                return Err(LockError::Held {
                    directory: directory.display().to_string(),
                    holder: holder.trim().to_owned(),
                });
            }
            Err(TryLockError::Error(cause)) => return Err(io(cause)),
        }
        let started_s = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        file.set_len(0).map_err(io)?;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        writeln!(file, "process {} since {started_s}", std::process::id()).map_err(io)?;
        Ok(DirectoryLock { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_holder_is_told_who_holds_it() {
        let directory = std::env::temp_dir().join(format!("lock-test-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let first = DirectoryLock::take(&directory).unwrap();
        let refused = DirectoryLock::take(&directory).unwrap_err().to_string();
        assert!(
            refused.contains(&format!("process {}", std::process::id())),
            "{refused}"
        );
        drop(first);
        DirectoryLock::take(&directory).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
