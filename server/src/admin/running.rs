//! How often clients hear 'Running': a setting of the server that runs.

use super::accounts::Failure;
use super::engine::{Engine, ask_shards};
use super::jobs::ShardJob;

impl Engine {
    pub(super) async fn set_running(&mut self, every_s: Option<u64>) -> Result<(), Failure> {
        match self {
            Self::Shards { jobs, sleep } => {
                ask_shards(jobs, *sleep, |reply| ShardJob::SetRunning {
                    every_s,
                    reply,
                })
                .await
            }
            Self::Offline(_) => {
                let text = "no server runs; the configuration's limits.running_s is for the next";
                Err(Failure::Engine(text.to_owned()))
            }
        }
    }
}
