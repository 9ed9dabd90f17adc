//! The `corepost` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    corepost::cli::run(&corepost::program::Corepost)
}
