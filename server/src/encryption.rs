//! Encryption of messages, on threads of its own: one takes longer than a shard may be held up.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::Builder;

use async_channel::{Sender, bounded};
use bytes::Bytes;
use getrandom::SysRng;
use mail_smime::{Certificate, CertificateError, EncryptError};
use rand_core::UnwrapErr;

use crate::limits::{ENCRYPTION_THREADS, ENCRYPTIONS_WAITING_MAX};

/// Hands work to the threads; a cheap handle that every shard holds. The threads end with the last
/// one.
#[derive(Clone)]
pub struct Encryption {
    jobs: Sender<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Encryption {
    /// Starts the threads.
    pub fn start() -> io::Result<Self> {
        let (jobs, waiting) = bounded::<Job>(ENCRYPTIONS_WAITING_MAX);
        for number in 0..ENCRYPTION_THREADS {
            let waiting = waiting.clone();
            Builder::new()
                .name(format!("encryption-{number}"))
                .spawn(move || {
                    while let Ok(job) = waiting.recv_blocking() {
                        // The caller learns of a panic by the end of its channel.
                        if catch_unwind(AssertUnwindSafe(job)).is_err() {
                            tracing::error!("encrypting a message panicked");
                        }
                    }
                })?;
        }
        Ok(Self { jobs })
    }

    /// The certificate that a client has sent as text.
    pub async fn read(&self, text: Vec<u8>) -> Result<Certificate, CertificateError> {
        let read = self.run(move || Certificate::from_text(&text)).await;
        read.unwrap_or(Err(CertificateError::Malformed))
    }

    /// The certificate that is kept with an account.
    pub async fn read_der(&self, der: Vec<u8>) -> Result<Certificate, CertificateError> {
        let read = self.run(move || Certificate::from_der(der)).await;
        read.unwrap_or(Err(CertificateError::Malformed))
    }

    /// The message encrypted.
    pub async fn encrypt(
        &self,
        original: Bytes,
        certificate: Certificate,
    ) -> Result<Vec<u8>, EncryptError> {
        let encrypt = move || mail_smime::encrypt(&original, &certificate, &mut UnwrapErr(SysRng));
        let encrypted = self.run(encrypt).await;
        encrypted.unwrap_or(Err(EncryptError::Failed))
    }

    /// Waits for its turn and for the outcome; what nobody waits for any more is not begun.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (reply, answer) = bounded(1);
        let job: Job = Box::new(move || {
            if !reply.is_closed() {
                // The caller may have gone meanwhile.
                let _ = reply.try_send(work());
            }
        });
        self.jobs.send(job).await.ok()?;
        answer.recv().await.ok()
    }
}
