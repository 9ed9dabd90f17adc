//! The disk as the engine sees it: one directory of flat file names.
//!
//! Two implementations: [`glommio`] on io_uring, and [`sim`] in memory with faults. Both live on
//! one shard; every shard has its own handle. All methods may be called by several tasks of the
//! shard at once.
#![cfg_attr(not(test), deny(clippy::as_conversions))]

pub mod glommio;
pub mod lock;
pub mod sim;

pub use crate::error::DiskError;

/// A directory of files.
pub trait Disk: Clone + 'static {
    /// An open file.
    type File: DiskFile<Buffer = Self::Buffer>;
    /// Memory that can be written without another copy.
    type Buffer: DiskBuffer;

    /// A buffer of `bytes` (a multiple of 4 KiB, not 0) with any content.
    fn buffer(&self, bytes: usize) -> Result<Self::Buffer, DiskError>;

    /// Makes a new file and takes its space; its content reads as zeroes. Neither its name nor
    /// its size is durable before [`DiskFile::sync`] and [`Disk::sync_directory`].
    async fn create(&self, name: &str, bytes: u64) -> Result<Self::File, DiskError>;

    /// Opens a file for reading and writing.
    async fn open(&self, name: &str) -> Result<Self::File, DiskError>;

    /// Names of all files, sorted.
    async fn list(&self) -> Result<Vec<String>, DiskError>;

    /// Removes a file. Durable after [`Disk::sync_directory`].
    async fn remove(&self, name: &str) -> Result<(), DiskError>;

    /// Renames a file, replacing `to`. Durable after [`Disk::sync_directory`].
    async fn rename(&self, from: &str, to: &str) -> Result<(), DiskError>;

    /// Makes creations, removals and renames durable.
    async fn sync_directory(&self) -> Result<(), DiskError>;
}

/// An open file. Dropping it closes it.
pub trait DiskFile: 'static {
    /// See [`Disk::Buffer`].
    type Buffer: DiskBuffer;

    /// Writes the whole buffer at `offset`; both are multiples of 4 KiB. Not durable before
    /// [`DiskFile::sync`]. Anything but `Ok` leaves the content of the range unknown.
    async fn write_at(&self, buffer: Self::Buffer, offset: u64) -> Result<(), DiskError>;

    /// Reads `bytes` at `offset`, neither of them aligned; fewer where the file ends.
    async fn read_at(&self, offset: u64, bytes: usize) -> Result<Vec<u8>, DiskError>;

    /// Makes all completed writes and the size durable.
    async fn sync(&self) -> Result<(), DiskError>;

    /// Cuts the file, which gives its space back.
    async fn truncate(&self, bytes: u64) -> Result<(), DiskError>;

    /// Its size.
    async fn size(&self) -> Result<u64, DiskError>;

    /// Closes it and waits for that.
    async fn close(self) -> Result<(), DiskError>;
}

/// A writable buffer.
pub trait DiskBuffer: AsRef<[u8]> + AsMut<[u8]> + 'static {
    /// Shortens it to `bytes`, a multiple of 4 KiB and not above its length.
    fn shorten(&mut self, bytes: usize);
}

/// Writes a small file whole: under another name first, then by rename, all durable.
pub async fn write_whole<D: Disk>(disk: &D, name: &str, content: &[u8]) -> Result<(), DiskError> {
    let new_name = format!("{name}.new");
    match disk.remove(&new_name).await {
        Ok(()) | Err(DiskError::NotFound(_)) => {}
        Err(error) => return Err(error),
    }
    let bytes = content
        .len()
        .next_multiple_of(crate::limits::BLOCK_BYTES)
        .max(1);
    let file = disk
        .create(&new_name, u64::try_from(bytes).unwrap_or(u64::MAX))
        .await?;
    write_padded(disk, &file, 0, content).await?;
    file.sync().await?;
    file.close().await?;
    disk.rename(&new_name, name).await?;
    disk.sync_directory().await
}

/// Writes `content` at `offset`, zeroes up to the next 4 KiB, in pieces the disk accepts.
pub async fn write_padded<D: Disk>(
    disk: &D,
    file: &D::File,
    mut offset: u64,
    content: &[u8],
) -> Result<(), DiskError> {
    for piece in content.chunks(crate::limits::IO_BYTES_MAX) {
        let padded = piece.len().next_multiple_of(crate::limits::BLOCK_BYTES);
        let mut buffer = disk.buffer(padded)?;
        let (data, padding) = buffer
            .as_mut()
            .split_at_mut_checked(piece.len())
            .ok_or(DiskError::Bounds("piece"))?;
        data.copy_from_slice(piece);
        padding.fill(0);
        file.write_at(buffer, offset).await?;
        offset += u64::try_from(padded).map_err(|_| DiskError::Bounds("piece"))?;
    }
    Ok(())
}

/// Reads a whole file of at most `bytes_max`.
pub async fn read_whole<D: Disk>(
    disk: &D,
    name: &str,
    bytes_max: usize,
) -> Result<Vec<u8>, DiskError> {
    let file = disk.open(name).await?;
    let size = usize::try_from(file.size().await?).map_err(|_| DiskError::Bounds("file size"))?;
    if size > bytes_max {
        return Err(DiskError::Bounds("file size"));
    }
    let content = file.read_at(0, size).await?;
    file.close().await?;
    Ok(content)
}
