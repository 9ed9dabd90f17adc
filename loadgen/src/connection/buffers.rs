//! Buffers that the kernel takes by itself when bytes come, so that a connection that is silent
//! holds none (`IORING_REGISTER_PBUF_RING`, Linux 5.19; multishot receive, Linux 6.0).
//!
//! **Invariant:** a buffer is either the kernel's (its number is between the kernel's head and our
//! tail) or belongs to the one [`Buffer`] that names it.

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::{IoUring, types::BufRingEntry};

use crate::limits::{RECEIVE_BUFFER_BYTES, RECEIVE_BUFFERS};

/// The group that receives name; there is one.
pub const GROUP: u16 = 0;

/// Bytes that came. It must be given back with [`BufferRing::give_back`].
#[derive(Debug)]
pub struct Buffer {
    number: u16,
    length: usize,
}

/// The buffers and the ring of those the kernel may take.
pub struct BufferRing {
    memory: NonNull<u8>,
    memory_bytes: usize,
    storage: Box<[u8]>,
    /// The next place of the ring to fill; the kernel reads what we store of it.
    tail: u16,
}

impl BufferRing {
    /// Makes the buffers known to `ring`. The value must outlive the ring's receives.
    pub fn register(ring: &IoUring) -> io::Result<Self> {
        let count = usize::from(RECEIVE_BUFFERS);
        let memory_bytes = count * size_of::<BufRingEntry>();
        // SAFETY: an anonymous mapping of our own; the kernel chooses where, so nothing of ours
        // is replaced. Pages are zeroed, which is a valid state of every entry.
        let memory = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                memory_bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory = NonNull::new(memory.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        let mut buffers = Self {
            memory,
            memory_bytes,
            storage: vec![0; count * RECEIVE_BUFFER_BYTES].into_boxed_slice(),
            tail: 0,
        };
        let address = u64::try_from(memory.as_ptr().addr()).map_err(io::Error::other)?;
        // SAFETY: the mapping holds exactly so many entries, is aligned to a page, and lives as
        // long as this value, which the owner of the ring drops after the ring.
        unsafe {
            ring.submitter()
                .register_buf_ring_with_flags(address, RECEIVE_BUFFERS, GROUP, 0)?;
        }
        for number in 0..RECEIVE_BUFFERS {
            buffers.give_back(Buffer { number, length: 0 });
        }
        Ok(buffers)
    }

    /// The buffer that a completion names.
    pub fn taken(number: u16, length: usize) -> Buffer {
        Buffer {
            number,
            length: length.min(RECEIVE_BUFFER_BYTES),
        }
    }

    /// What came. It may be changed in place: TLS decrypts it there.
    pub fn bytes(&mut self, buffer: &Buffer) -> &mut [u8] {
        let start = usize::from(buffer.number) * RECEIVE_BUFFER_BYTES;
        self.storage
            .get_mut(start..start + buffer.length)
            .unwrap_or_default()
    }

    /// Lets the kernel have the buffer again.
    pub fn give_back(&mut self, buffer: Buffer) {
        let start = usize::from(buffer.number) * RECEIVE_BUFFER_BYTES;
        let Some(storage) = self.storage.get_mut(start..start + RECEIVE_BUFFER_BYTES) else {
            return;
        };
        let address = u64::try_from(storage.as_mut_ptr().addr()).unwrap_or(0);
        let place = usize::from(self.tail & (RECEIVE_BUFFERS - 1));
        let base = self.memory.as_ptr().cast::<BufRingEntry>();
        // SAFETY: `place` is below the number of entries, so the entry is inside the mapping; it
        // is ours until the tail below is stored, because the ring has as many places as there
        // are buffers. The fields set leave the tail (in the first entry's last bytes) alone.
        unsafe {
            let entry = &mut *base.add(place);
            entry.set_addr(address);
            entry.set_len(u32::try_from(RECEIVE_BUFFER_BYTES).unwrap_or(0));
            entry.set_bid(buffer.number);
        }
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: the tail is two aligned bytes inside the mapping; the kernel reads them while
        // we write, so both sides treat them as an atomic.
        unsafe {
            let tail = BufRingEntry::tail(base).cast_mut();
            AtomicU16::from_ptr(tail).store(self.tail, Ordering::Release);
        }
    }
}

impl Drop for BufferRing {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, of that length, and nothing refers to it any more: the
        // ring that knew it is gone (see `register`).
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.memory_bytes) };
    }
}
