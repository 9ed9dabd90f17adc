//! What the command line needs of the server: serving, the demo, the engine at rest.

use std::process::ExitCode;

use mail_directory::Password;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::LevelFilter;

use crate::admin::{AdminReply, AdminRequest, OfflineEngine, ask};
use crate::cli::{DEMO_ACCOUNT, DEMO_PASSWORD, DemoOptions, DemoReady, OfflineError, Program};
use crate::config::{Config, Level, Log, LogTarget};
use crate::offline::Offline;
use crate::start::{self, Addresses};

/// The real program.
pub struct Corepost;

impl Program for Corepost {
    fn demo(&self, options: DemoOptions) -> ExitCode {
        let DemoOptions { config, json } = options;
        let _writer = match start_trace(&config.log) {
            Ok(writer) => writer,
            Err(error) => return failed(&error),
        };
        let data_dir = config.data_dir.clone();
        let served = start::run(config, |addresses| {
            let request = AdminRequest::AccountAdd {
                name: DEMO_ACCOUNT.to_owned(),
                password: Password::new(DEMO_PASSWORD),
                quota: Default::default(),
            };
            // A demo that runs again has its account already.
            if let Ok(AdminReply::Failed { reason }) = ask(&data_dir, &request)
                && !reason.contains("exists")
            {
                tracing::warn!(reason, "the demo's account was not made");
            }
            if let Some(ready) = demo_ready(addresses) {
                // Whoever started it may not read what it prints.
                let _ = ready.print(json, &mut std::io::stdout().lock());
            }
        });
        ended(served)
    }

    fn serve(&self, config: Config) -> ExitCode {
        let _writer = match start_trace(&config.log) {
            Ok(writer) => writer,
            Err(error) => return failed(&error),
        };
        let served = start::run(config, |addresses| {
            tracing::info!(
                imap = ?addresses.imap,
                imaps = ?addresses.imaps,
                lmtp = ?addresses.lmtp,
                admin = ?addresses.admin,
                "ready"
            );
        });
        ended(served)
    }

    fn open_offline(&self, config: &Config) -> Result<Box<dyn OfflineEngine>, OfflineError> {
        Ok(Box::new(Offline::open(config)?))
    }
}

fn demo_ready(addresses: &Addresses) -> Option<DemoReady> {
    Some(DemoReady {
        imap: *addresses.imap.first()?,
        imaps: *addresses.imaps.first()?,
        lmtp: *addresses.lmtp.first()?,
        admin: addresses.admin?,
        account: DEMO_ACCOUNT.to_owned(),
        password: DEMO_PASSWORD.to_owned(),
    })
}

fn ended(served: Result<(), start::StartError>) -> ExitCode {
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error.to_string()),
    }
}

fn failed(reason: &str) -> ExitCode {
    eprintln!("corepost: {reason}");
    ExitCode::FAILURE
}

/// Lines go through a bounded queue to a thread of their own; a full queue drops lines rather than
/// block a shard. The guard writes what is left when it is dropped.
fn start_trace(log: &Log) -> Result<WorkerGuard, String> {
    let (writer, guard) = match &log.target {
        LogTarget::Stderr => tracing_appender::non_blocking(std::io::stderr()),
        LogTarget::File(path) => {
            let opened = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path);
            let file = opened.map_err(|error| format!("log file {}: {error}", path.display()))?;
            tracing_appender::non_blocking(file)
        }
    };
    let level = match log.level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    tracing_subscriber::fmt()
        .with_writer(writer)
        .with_max_level(level)
        .with_ansi(false)
        .init();
    Ok(guard)
}
