//! The parts of `bench/peers` that compute are tested in Python; this runs those tests.

use std::io::ErrorKind;
use std::process::Command;

#[test]
fn the_peer_benchmark_reads_computes_and_prints_rightly() {
    let ran = Command::new("python3")
        .args(["-B", "-m", "unittest", "peers.test_peers"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let output = match ran {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("SKIPPED: python3 is not installed");
            return;
        }
        Err(error) => panic!("python3: {error}"),
    };
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
}
