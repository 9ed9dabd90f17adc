//! Serves what administrators ask of the shards: the life of accounts.
//!
//! One bounded queue for all shards: whichever takes a job routes it to the account's owner.

use mail_directory::Template;
use storage_engine::request::{Actor, NewMailbox, Operation, Refusal, SpecialUse};

use crate::admin::ShardJob;
use crate::runtime::{Runtime, Stop};
use crate::shard::Shard;

/// A shard's end of the queue.
pub type Receiver = async_channel::Receiver<ShardJob>;

/// Takes jobs until the server stops. Each runs in a task of its own.
pub async fn serve<R: Runtime>(shard: Shard<R>, jobs: Receiver, stop: Stop) {
    loop {
        let stopped = async {
            stop.requested().await;
            None
        };
        let job = async { jobs.recv().await.ok() };
        let Some(job) = futures_lite::future::or(job, stopped).await else {
            return;
        };
        let worker = shard.clone();
        shard
            .runtime()
            .spawn(async move { run(&worker, job).await });
    }
}

async fn run<R: Runtime>(shard: &Shard<R>, job: ShardJob) {
    let (done, reply) = match job {
        ShardJob::CreateAccount {
            account,
            template,
            reply,
            quota: _,
        } => {
            let mailboxes = new_mailboxes(&template);
            let create = Operation::CreateAccount { mailboxes };
            let done = match shard.request(account, Actor::System, create).await {
                // A crash came between the engine's step and the directory's.
                Ok(_) | Err(Refusal::AccountExists) => Ok(()),
                Err(refusal) => Err(refusal),
            };
            (done, reply)
        }
        ShardJob::DeleteAccount { account, reply } => {
            let done = match shard.close_account(account).await {
                Ok(()) => shard
                    .request(account, Actor::System, Operation::DeleteAccount)
                    .await
                    .map(drop),
                Err(refusal) => Err(refusal),
            };
            (
                if done == Err(Refusal::NoSuchAccount) {
                    Ok(())
                } else {
                    done
                },
                reply,
            )
        }
        ShardJob::EndSessions {
            account,
            reason: _,
            reply,
        } => (shard.end_account_sessions(account).await, reply),
        ShardJob::Operation {
            account,
            operation,
            reply,
        } => {
            let answer = shard.request(account, Actor::System, *operation).await;
            // Whoever asked may have given up waiting.
            let _ = reply.try_send(answer.map_err(|refusal| refusal.to_string()));
            return;
        }
        ShardJob::RingAll { reply } => (shard.ring_all().await, reply),
        ShardJob::SetRunning { every_s, reply } => {
            shard.set_running_every(every_s);
            (Ok(()), reply)
        }
        // The directory holds the quota; every login and delivery brings the newest with it.
        ShardJob::SetQuota { reply, .. } => (Ok(()), reply),
    };
    // Whoever asked may have given up waiting.
    let _ = reply.try_send(done.map_err(|refusal| refusal.to_string()));
}

/// The engine's words for a template.
pub fn new_mailboxes(template: &Template) -> Vec<NewMailbox> {
    template
        .mailboxes
        .iter()
        .map(|mailbox| NewMailbox {
            name: mailbox.name.clone(),
            special_use: mailbox
                .special_use
                .iter()
                .filter_map(|name| special_use(name))
                .collect(),
            class: mailbox.class.clone().unwrap_or_default(),
            subscribe: mailbox.subscribed,
            ..NewMailbox::default()
        })
        .collect()
}

fn special_use(name: &str) -> Option<SpecialUse> {
    match name.trim_start_matches('\\').to_ascii_lowercase().as_str() {
        "archive" => Some(SpecialUse::Archive),
        "drafts" => Some(SpecialUse::Drafts),
        "junk" => Some(SpecialUse::Junk),
        "sent" => Some(SpecialUse::Sent),
        "trash" => Some(SpecialUse::Trash),
        _ => None,
    }
}
