use super::*;

/// The answer of io_uring_setup, what the sysctl says, and words that the administrator needs.
#[track_caller]
fn check_setup(errno: i32, sysctl: Option<&str>, words: &[&str]) {
    let error = explain_setup_error(io::Error::from_raw_os_error(errno), sysctl);
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{errno} {sysctl:?}: {text}");
    }
}

#[test]
fn a_refused_ring_is_explained_by_what_refused_it() {
    for errno in [libc::EPERM, libc::EACCES] {
        let switch = ["sysctl kernel.io_uring_disabled is set", "=0"];
        check_setup(errno, Some("1"), &switch);
        check_setup(errno, Some("2"), &switch);
        let filter = ["\"not permitted\"", "seccomp", "io_uring_setup"];
        check_setup(errno, Some("0"), &filter);
        check_setup(errno, None, &filter);
    }
    check_setup(libc::ENOSYS, Some("0"), &["a filter answers", "seccomp"]);
    check_setup(libc::ENOSYS, None, &["offers no io_uring", "Linux 5.8"]);
    check_setup(
        libc::ENOMEM,
        Some("0"),
        &["locked memory", "LimitMEMLOCK=4194304"],
    );
    check_setup(libc::EMFILE, Some("0"), &["io_uring does not start"]);
}

#[test]
fn missing_operations_are_named() {
    assert!(judge_operations(|_| true).is_ok());
    let lacking = |code| code != opcode::Statx::CODE && code != opcode::Recv::CODE;
    let text = judge_operations(lacking).unwrap_err().to_string();
    assert!(text.contains("lacks statx, recv; run Linux"), "{text}");
}

#[test]
fn descriptors_leave_room_for_connections_or_are_too_few() {
    let ours = own_files(2);
    let check = |have, connections, left: Option<u64>, warns| {
        let judged = judge_open_files(have, 2, connections);
        let seen = judged
            .as_ref()
            .ok()
            .map(|(left, warning)| (*left, warning.is_some()));
        assert_eq!(seen, left.map(|left| (left, warns)), "{have} {connections}");
    };
    check(ours + 100, 100, Some(100), false);
    check(ours + 1_000, 100, Some(100), false);
    check(ours + 40, 100, Some(40), true);
    check(ours, 100, None, false);
    check(64, 100, None, false);
    // A command that opens the store at rest has no connections.
    check(ours, 0, Some(0), false);
    check(ours - 1, 0, None, false);
    check(u64::MAX, u64::MAX, Some(u64::MAX - ours), false);
    let text = judge_open_files(64, 2, 100).unwrap_err().to_string();
    let need = ours + 100;
    assert!(text.contains("limited to 64") && text.contains(&format!("ulimit -n {need}")));
}

#[test]
fn locked_memory_suffices_is_little_or_too_little() {
    let per_shard = MEMLOCK_BYTES_PER_SHARD;
    assert!(judge_locked_memory(2 * per_shard, 2).unwrap().is_none());
    let warning = judge_locked_memory(2 * per_shard - 1, 2).unwrap().unwrap();
    assert!(warning.contains("LimitMEMLOCK=8388608"), "{warning}");
    let text = judge_locked_memory(MEMLOCK_BYTES_MIN - 1, 2)
        .unwrap_err()
        .to_string();
    assert!(text.contains("ulimit -l 8192"), "{text}");
}
