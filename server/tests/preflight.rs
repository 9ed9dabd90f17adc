//! A machine that lacks something: the server says what has to change, and does not start.

mod harness;

use harness::server::{Scratch, demo_command, free_port_base, is_corepost};
use std::process::Command;

/// Runs its arguments where io_uring_setup (425 on every architecture) is answered with an error,
/// as seccomp profiles of containers do.
const WITHOUT_IO_URING: &str = r#"
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
errno = int(sys.argv[1])
rules = struct.pack("HBBI", 0x20, 0, 0, 0)            # load the number of the call
rules += struct.pack("HBBI", 0x15, 0, 1, 425)         # io_uring_setup?
rules += struct.pack("HBBI", 0x06, 0, 0, 0x50000 | errno)
rules += struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000)  # all else is allowed
buffer = ctypes.create_string_buffer(rules)
program = struct.pack("HxxxxxxP", 4, ctypes.addressof(buffer))
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.c_char_p(program), 0, 0):
    sys.exit(99)
os.execv(sys.argv[2], sys.argv[2:])
"#;

/// How a test is told that the machine does not let it make the lack.
const CANNOT: i32 = 99;

/// Starts the demo behind `wrapper` and looks for `words` in what it says.
fn check(what: &str, wrapper: &[&str], words: &[&str]) {
    if !is_corepost() {
        println!("SKIPPED: other servers need other things");
        return;
    }
    let scratch = Scratch::new(what);
    let demo = demo_command(&scratch.path().join("data"), free_port_base(), 1);
    let Some((tool, arguments)) = wrapper.split_first() else {
        panic!("a wrapper has a name");
    };
    let output = Command::new(tool)
        .args(arguments)
        .arg(demo.get_program())
        .args(demo.get_args())
        .output();
    let Ok(output) = output else {
        println!("SKIPPED: {tool} is not installed");
        return;
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(CANNOT) || errors.starts_with(tool) {
        println!("SKIPPED: this machine does not let {tool} limit a process: {errors}");
        return;
    }
    assert_eq!(output.status.code(), Some(1), "{errors}");
    for word in words {
        assert!(errors.contains(word), "{word:?} is not said: {errors}");
    }
    // It ended before it made anything but the directory that it holds.
    assert!(!scratch.path().join("data/store").exists());
}

/// A limit that root may not raise either: the right to do so is taken from what is started.
fn limited(limit: &str) -> Vec<&str> {
    let mut wrapper = vec!["prlimit", limit];
    let is_root = Command::new("id").arg("-u").output();
    if is_root.is_ok_and(|id| id.stdout == b"0\n") {
        wrapper.extend([
            "setpriv",
            "--bounding-set=-sys_resource",
            "--inh-caps=-sys_resource",
        ]);
    }
    wrapper
}

#[test]
fn too_few_descriptors_are_told() {
    let words = ["open files are limited to 64", "LimitNOFILE=", "ulimit -n "];
    check("few-files", &limited("--nofile=64:64"), &words);
}

#[test]
fn too_little_locked_memory_is_told() {
    let words = [
        "locked memory is limited to 65536",
        "LimitMEMLOCK=",
        "ulimit -l ",
    ];
    check("little-memory", &limited("--memlock=65536:65536"), &words);
}

#[test]
fn a_container_that_forbids_io_uring_is_told() {
    let words = ["io_uring is forbidden", "seccomp", "io_uring_setup"];
    let eperm = ["python3", "-c", WITHOUT_IO_URING, "1"];
    check("no-ring", &eperm, &words);
}

#[test]
fn a_filter_that_hides_io_uring_is_told_from_an_old_kernel() {
    let words = if std::path::Path::new("/proc/sys/kernel/io_uring_disabled").exists() {
        ["the kernel has it, but a filter answers", "seccomp"]
    } else {
        ["offers no io_uring", "Linux 5.8"]
    };
    let enosys = ["python3", "-c", WITHOUT_IO_URING, "38"];
    check("hidden-ring", &enosys, &words);
}
