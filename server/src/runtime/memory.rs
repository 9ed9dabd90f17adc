//! How the allocator deals with large blocks.

/// Blocks from this size on are pages of their own, given back to the system when they are freed.
/// Above what sessions and batches take in their ordinary work.
const OWN_PAGES_BYTES: i32 = 1024 * 1024;

/// Keeps large blocks apart from small ones. Call once, before threads start.
///
/// glibc raises its threshold to the size of the largest block that was ever freed, up to 32 MiB,
/// and serves the next ones from its heaps. A password hash takes 19 MiB and leaves a small block
/// behind (the login that is remembered), which is cut from the place where the large one was, so
/// the next hash needs a heap of its own: a hundred first logins held a gigabyte. A threshold that
/// was set stays.
pub fn keep_large_blocks_apart() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt takes no pointers and changes nothing of what is allocated already.
    let accepted = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_PAGES_BYTES) };
    #[cfg(not(target_env = "gnu"))]
    let accepted = 1;
    if accepted == 0 {
        tracing::warn!("the allocator takes no threshold; password hashes may keep memory");
    }
}
