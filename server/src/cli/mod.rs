//! Commands of the binary.
//!
//! `arguments` says what can be written; `accounts`, `domains`, `mailboxes`, `routes` and `alerts`
//! carry it out through a `Target`: the server that runs, by its admin socket, or the data
//! directory itself. What this part cannot do itself (serve, open the engine) is a [`Program`]'s.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::admin::{AdminRequest, OfflineEngine};
use crate::config::Config;

mod accounts;
mod alerts;
mod arguments;
mod demo;
mod domains;
mod mailboxes;
mod password;
mod routes;
mod settings;
mod target;

pub use arguments::Arguments;
pub use demo::{DEMO_ACCOUNT, DEMO_PASSWORD, DemoOptions, DemoReady};
pub use target::directory_options;

use arguments::Command;
use target::Target;

/// What the commands need of the rest of the server.
pub trait Program {
    /// `corepost demo`: makes the demo's certificate and account, serves, and prints
    /// [`DemoReady`] when ready. Returns when the server has stopped.
    fn demo(&self, options: DemoOptions) -> ExitCode;

    /// `corepost serve`. Returns when the server has stopped.
    fn serve(&self, config: Config) -> ExitCode;

    /// Locks the data directory and opens the engine in it, for one command.
    fn open_offline(&self, config: &Config) -> Result<Box<dyn OfflineEngine>, OfflineError>;
}

/// Why the engine of a data directory cannot be opened. The texts are for the administrator.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// Another process holds the lock; the text names it.
    #[error("{0}")]
    Held(String),
    /// Something else.
    #[error("{0}")]
    Failed(String),
}

/// Reads the command line and carries it out.
pub fn run(program: &dyn Program) -> ExitCode {
    execute(Arguments::parse(), program, &mut std::io::stdout().lock())
}

/// Carries out a command; what it has to show goes to `output`, what went wrong to standard error.
pub fn execute(arguments: Arguments, program: &dyn Program, output: &mut dyn Write) -> ExitCode {
    let outcome = match arguments.command {
        Command::Demo(arguments) => return program.demo(arguments.options()),
        Command::Serve(file) => match Config::load(&file.config) {
            Ok(config) => return program.serve(config),
            Err(error) => Err(error.to_string()),
        },
        Command::CheckConfig(file) => match Config::load(&file.config) {
            Ok(_) => writeln!(output, "{}: no faults", file.config.display())
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        },
        Command::Account(command) => accounts::execute(command, program, output),
        Command::Domain(command) => domains::execute(command, program, output),
        Command::Alert(command) => alerts::execute(command, program, output),
        Command::Mailbox(command) => mailboxes::execute(command, program, output),
        Command::Running { every, server } => Target::open(&server, program)
            .and_then(|mut target| target.ask(AdminRequest::RunningSet { every_s: every.0 }))
            .map(drop),
        Command::Route(command) => routes::execute(command, program, output),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests;
