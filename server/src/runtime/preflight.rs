//! Start-up checks: does this machine let a shard run, and if not, what exactly has to change.
//!
//! T25: without io_uring glommio's thread panics with a joke, so nothing of it starts before
//! these checks have passed.

use std::io;

use io_uring::{IoUring, Probe, opcode};

/// Locked memory that the executors ask for at least; below it none starts.
const MEMLOCK_BYTES_MIN: u64 = 512 * 1024;

/// Locked memory of one shard: its rings (4,096 entries) and its registered I/O memory.
const MEMLOCK_BYTES_PER_SHARD: u64 = 4 * 1024 * 1024;

/// Descriptors of one shard besides its connections: three rings, an event descriptor,
/// listeners, open segments of the log, and room.
const FILES_PER_SHARD: u64 = 128;

/// Descriptors of the process besides its shards.
const FILES_BASE: u64 = 64;

/// io_uring entries of the probe ring; it runs nothing.
const PROBE_ENTRIES: u32 = 8;

/// The io_uring operations that a shard uses, with the kernel that brought the youngest of them.
const OPERATIONS: [(&str, u8); 18] = [
    ("read", opcode::Read::CODE),
    ("write", opcode::Write::CODE),
    ("readv", opcode::Readv::CODE),
    ("writev", opcode::Writev::CODE),
    ("read_fixed", opcode::ReadFixed::CODE),
    ("write_fixed", opcode::WriteFixed::CODE),
    ("fsync", opcode::Fsync::CODE),
    ("fallocate", opcode::Fallocate::CODE),
    ("openat", opcode::OpenAt::CODE),
    ("close", opcode::Close::CODE),
    ("statx", opcode::Statx::CODE),
    ("poll_add", opcode::PollAdd::CODE),
    ("poll_remove", opcode::PollRemove::CODE),
    ("timeout", opcode::Timeout::CODE),
    ("accept", opcode::Accept::CODE),
    ("connect", opcode::Connect::CODE),
    ("send", opcode::Send::CODE),
    ("recv", opcode::Recv::CODE),
];

/// Why the server cannot start here. The text names the cause and the change.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// The kernel is older than io_uring or built without it.
    #[error(
        "this kernel ({0}) offers no io_uring; run Linux 5.8 or newer (built with CONFIG_IO_URING)"
    )]
    NoIoUring(String),
    /// Something forbids io_uring to this process.
    #[error(
        "io_uring is forbidden to this process: {0}. In a container, allow the system calls \
         io_uring_setup, io_uring_enter and io_uring_register in its seccomp profile (docker: \
         --security-opt seccomp=<profile>, or seccomp=unconfined to try); on the host, set \
         sysctl kernel.io_uring_disabled=0"
    )]
    Forbidden(String),
    /// io_uring is there but lacks operations.
    #[error("the io_uring of this kernel ({kernel}) lacks {missing}; run Linux 5.8 or newer")]
    OperationsMissing {
        /// Kernel release.
        kernel: String,
        /// Names of the operations.
        missing: String,
    },
    /// A ring could not be made for another reason.
    #[error("io_uring does not start: {0}")]
    Ring(#[source] io::Error),
    /// Too little locked memory.
    #[error(
        "locked memory is limited to {have} bytes and the hard limit forbids raising it; \
         {need} bytes are needed: set LimitMEMLOCK={need} in the service unit, \
         --ulimit memlock={need} for a container, or ulimit -l {kib} in the shell",
        kib = need.div_ceil(1024)
    )]
    LockedMemory {
        /// The hard limit.
        have: u64,
        /// What suffices.
        need: u64,
    },
    /// Too few descriptors.
    #[error(
        "open files are limited to {have} and the hard limit forbids raising it; {need} are \
         needed: set LimitNOFILE={need} in the service unit, --ulimit nofile={need} for a \
         container, or ulimit -n {need} in the shell"
    )]
    OpenFiles {
        /// The hard limit.
        have: u64,
        /// What suffices.
        need: u64,
    },
    /// The limits or the CPU set could not be read.
    #[error("the kernel did not tell {what}: {source}")]
    Unreadable {
        /// What was asked for.
        what: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
}

/// What was found, for the trace and for the limit of connections.
#[derive(Debug, Clone)]
pub struct Machine {
    /// CPUs that this process may use, ascending; never empty.
    pub cpus: Vec<usize>,
    /// Descriptors that are left for connections.
    pub connections_max: u64,
    /// Things that work but should be better; each is one line for the trace.
    pub warnings: Vec<String>,
}

/// Checks the kernel and raises the limits. `connections_wanted` is how many connections the
/// configuration allows in all.
pub fn check(shards: usize, connections_wanted: u64) -> Result<Machine, PreflightError> {
    check_io_uring()?;
    let shards = u64::try_from(shards).unwrap_or(u64::MAX);
    let wanted = own_files(shards).saturating_add(connections_wanted);
    let have = raise(libc::RLIMIT_NOFILE, "the limit of open files", wanted)?;
    let (connections_max, too_few) = judge_open_files(have, shards, connections_wanted)?;
    let wanted = wanted_locked_memory(shards);
    let have = raise(libc::RLIMIT_MEMLOCK, "the limit of locked memory", wanted)?;
    let too_little = judge_locked_memory(have, shards)?;
    Ok(Machine {
        cpus: usable_cpus()?,
        connections_max,
        warnings: too_few.into_iter().chain(too_little).collect(),
    })
}

fn check_io_uring() -> Result<(), PreflightError> {
    let ring = IoUring::new(PROBE_ENTRIES).map_err(explain_setup)?;
    let mut probe = Probe::new();
    ring.submitter()
        .register_probe(&mut probe)
        .map_err(explain_setup)?;
    judge_operations(|code| probe.is_supported(code))
}

fn judge_operations(is_supported: impl Fn(u8) -> bool) -> Result<(), PreflightError> {
    let missing: Vec<&str> = OPERATIONS
        .iter()
        .filter(|(_, code)| !is_supported(*code))
        .map(|(name, _)| *name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(PreflightError::OperationsMissing {
        kernel: kernel_release(),
        missing: missing.join(", "),
    })
}

fn explain_setup(error: io::Error) -> PreflightError {
    let disabled = std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled");
    explain_setup_error(error, disabled.ok().as_deref().map(str::trim))
}

fn explain_setup_error(error: io::Error, sysctl_disabled: Option<&str>) -> PreflightError {
    match (error.raw_os_error(), sysctl_disabled) {
        // A seccomp profile may answer ENOSYS or EPERM; the kernel's own switch answers EPERM.
        // The switch's file exists only where the kernel has io_uring, so it tells them apart.
        (Some(libc::EPERM | libc::EACCES), Some("1" | "2")) => PreflightError::Forbidden(
            "sysctl kernel.io_uring_disabled is set on this host".to_owned(),
        ),
        (Some(libc::EPERM | libc::EACCES), _) => {
            PreflightError::Forbidden("the kernel answers \"not permitted\"".to_owned())
        }
        (Some(libc::ENOSYS), Some(_)) => PreflightError::Forbidden(
            "the kernel has it, but a filter answers \"no such call\"".to_owned(),
        ),
        (Some(libc::ENOSYS), None) => PreflightError::NoIoUring(kernel_release()),
        // Before 5.12 rings count as locked memory.
        (Some(libc::ENOMEM), _) => PreflightError::LockedMemory {
            have: limit(libc::RLIMIT_MEMLOCK).map_or(0, |limit| limit.rlim_max),
            need: MEMLOCK_BYTES_PER_SHARD,
        },
        _ => PreflightError::Ring(error),
    }
}

fn kernel_release() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").map_or_else(
        |_| "release unknown".to_owned(),
        |release| release.trim().to_owned(),
    )
}

/// Descriptors that `shards` need besides their connections.
fn own_files(shards: u64) -> u64 {
    FILES_BASE.saturating_add(shards.saturating_mul(FILES_PER_SHARD))
}

/// What a limit of `have` descriptors means: the connections that it leaves, and the warning if
/// those are fewer than wanted.
fn judge_open_files(
    have: u64,
    shards: u64,
    connections_wanted: u64,
) -> Result<(u64, Option<String>), PreflightError> {
    let ours = own_files(shards);
    let wanted = ours.saturating_add(connections_wanted);
    // Not even one connection would be left; the command line, which opens a store at rest, wants
    // none.
    if have < ours.saturating_add(connections_wanted.min(1)) {
        return Err(PreflightError::OpenFiles { have, need: wanted });
    }
    let connections_max = have.saturating_sub(ours).min(connections_wanted);
    let warning = (have < wanted).then(|| {
        format!(
            "open files are limited to {have}, which leaves {connections_max} connections of the \
             {connections_wanted} configured; set LimitNOFILE={wanted}"
        )
    });
    Ok((connections_max, warning))
}

/// Locked memory that lets `shards` register all their buffers.
fn wanted_locked_memory(shards: u64) -> u64 {
    let wanted = shards.saturating_mul(MEMLOCK_BYTES_PER_SHARD);
    wanted.max(MEMLOCK_BYTES_MIN)
}

/// What a limit of `have` bytes of locked memory means: the warning if it works but slowly.
fn judge_locked_memory(have: u64, shards: u64) -> Result<Option<String>, PreflightError> {
    let wanted = wanted_locked_memory(shards);
    if have < MEMLOCK_BYTES_MIN {
        return Err(PreflightError::LockedMemory { have, need: wanted });
    }
    Ok((have < wanted).then(|| {
        format!(
            "locked memory is limited to {have} bytes, so file I/O runs with unregistered \
             buffers; set LimitMEMLOCK={wanted} to have them registered"
        )
    }))
}

/// Raises the soft limit to `wanted`, the hard one too where that is allowed; answers what holds
/// now.
fn raise(
    resource: libc::__rlimit_resource_t,
    what: &'static str,
    wanted: u64,
) -> Result<u64, PreflightError> {
    let now = limit(resource).map_err(|source| PreflightError::Unreadable { what, source })?;
    if now.rlim_cur >= wanted {
        return Ok(now.rlim_cur);
    }
    let raised_both = libc::rlimit {
        rlim_cur: wanted,
        rlim_max: now.rlim_max.max(wanted),
    };
    if set_limit(resource, raised_both) {
        return Ok(wanted);
    }
    let soft = wanted.min(now.rlim_max);
    if set_limit(
        resource,
        libc::rlimit {
            rlim_cur: soft,
            rlim_max: now.rlim_max,
        },
    ) {
        return Ok(soft);
    }
    Ok(now.rlim_cur)
}

fn limit(resource: libc::__rlimit_resource_t) -> io::Result<libc::rlimit> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer names a live value of the type that the call fills in.
    if unsafe { libc::getrlimit(resource, &raw mut limit) } == 0 {
        Ok(limit)
    } else {
        Err(io::Error::last_os_error())
    }
}

fn set_limit(resource: libc::__rlimit_resource_t, limit: libc::rlimit) -> bool {
    // SAFETY: the pointer names a live value of the type that the call reads.
    unsafe { libc::setrlimit(resource, &raw const limit) == 0 }
}

/// CPUs that this process may use (its affinity, which follows a cpuset), ascending.
pub fn usable_cpus() -> Result<Vec<usize>, PreflightError> {
    // SAFETY: cpu_set_t is a plain bit array, for which all zeroes is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer and size are of the same live value.
    let outcome = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) };
    if outcome != 0 {
        let source = io::Error::last_os_error();
        return Err(PreflightError::Unreadable {
            what: "the usable CPUs",
            source,
        });
    }
    let all = usize::try_from(libc::CPU_SETSIZE).unwrap_or(0);
    // SAFETY: every index is below CPU_SETSIZE, the number of bits in the set.
    Ok((0..all)
        .filter(|cpu| unsafe { libc::CPU_ISSET(*cpu, &set) })
        .collect())
}

#[cfg(test)]
mod tests;
