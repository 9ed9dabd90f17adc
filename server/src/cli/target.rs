//! The server that a command is for: one that runs, or a data directory at rest.

use std::path::PathBuf;
use std::time::Duration;

use futures_lite::future::block_on;
use mail_directory::{Directory, Options};

use super::arguments::Which;
use super::{OfflineError, Program};
use crate::admin::{self, AdminReply, AdminRequest, AskError, Engine, OfflineEngine};
use crate::config::Config;

/// How often a data directory is tried that somebody holds who cannot be asked; 3 s in all, longer
/// than a server needs between its lock and its socket, or between its socket and its end.
const HELD_ATTEMPTS_MAX: u32 = 30;
/// The pause between two attempts.
const HELD_PAUSE: Duration = Duration::from_millis(100);

/// Carries out requests.
pub(super) enum Target {
    /// A server runs; asked by its admin socket.
    Running { data_dir: PathBuf },
    /// No server runs; the engine is open and locked until this is dropped.
    Offline {
        directory: Option<Directory>,
        engine: Engine,
    },
}

/// How the directory of this configuration is opened.
pub fn directory_options(config: &Config) -> Options {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    Options {
        path: config.data_dir.join("directory.sqlite"),
        default_domain: config.default_domain.clone(),
        template: config.accounts.template.clone(),
        hash_threads: match config.auth.hash_threads {
            0 => cores,
            threads => threads,
        },
        failures_per_minute_max: config.auth.failures_per_minute_max,
    }
}

impl Target {
    /// Finds out which it is. An addition or deletion that a crash left half done is finished first
    /// where no server would do it.
    pub(super) fn open(which: &Which, program: &dyn Program) -> Result<Self, String> {
        let config = match (&which.config, &which.data_dir) {
            (Some(path), _) => Config::load(path).map_err(|error| error.to_string())?,
            (None, Some(data_dir)) => Config {
                data_dir: data_dir.clone(),
                ..Config::default()
            },
            (None, None) => return Err("which server? --data-dir or --config".to_owned()),
        };
        // The engine first: it holds the lock that keeps servers and other commands away.
        let Some(engine) = open_engine(&config, program)? else {
            return Ok(Self::Running {
                data_dir: config.data_dir,
            });
        };
        let mut engine = Engine::Offline(engine);
        let directory =
            Directory::open(&directory_options(&config)).map_err(|error| error.to_string())?;
        block_on(admin::finish_pending(&directory.handle(), &mut engine))?;
        Ok(Self::Offline {
            directory: Some(directory),
            engine,
        })
    }

    /// Carries out one request; a refusal is an error with its reason.
    pub(super) fn ask(&mut self, request: AdminRequest) -> Result<AdminReply, String> {
        let reply = match self {
            Self::Running { data_dir } => {
                admin::ask(data_dir, &request).map_err(|error| error.to_string())?
            }
            Self::Offline { directory, engine } => {
                let directory = directory.as_ref().ok_or("the directory is closed")?;
                block_on(admin::execute(request, &directory.handle(), engine))
            }
        };
        match reply {
            AdminReply::Failed { reason } => Err(reason),
            AdminReply::Done
            | AdminReply::Settings { .. }
            | AdminReply::Accounts { .. }
            | AdminReply::Alerts { .. }
            | AdminReply::Domains { .. }
            | AdminReply::Mailboxes { .. }
            | AdminReply::Rights { .. }
            | AdminReply::Imported { .. }
            | AdminReply::Routes { .. }
            | AdminReply::Route { .. } => Ok(reply),
        }
    }
}

/// The engine at rest; `None` if a server runs and can be asked. A server that starts or stops, or
/// another command, holds the lock for a moment without being there to be asked: it is waited for.
fn open_engine(
    config: &Config,
    program: &dyn Program,
) -> Result<Option<Box<dyn OfflineEngine>>, String> {
    let mut attempts = 1;
    loop {
        let failed = match admin::ask(&config.data_dir, &AdminRequest::Ping) {
            Ok(_) => return Ok(None),
            Err(AskError::NoServer) => match program.open_offline(config) {
                Ok(engine) => return Ok(Some(engine)),
                Err(OfflineError::Failed(reason)) => return Err(reason),
                Err(OfflineError::Held(holder)) => holder,
            },
            Err(error @ AskError::Ended) => error.to_string(),
            Err(error) => return Err(error.to_string()),
        };
        if attempts >= HELD_ATTEMPTS_MAX {
            return Err(failed);
        }
        attempts += 1;
        std::thread::sleep(HELD_PAUSE);
    }
}

impl Drop for Target {
    /// What was asked for is finished before the engine's lock is given back.
    fn drop(&mut self) {
        if let Self::Offline { directory, .. } = self
            && let Some(directory) = directory.take()
        {
            directory.close();
        }
    }
}
