//! COPY ... ENCRYPTED: the copies are S/MIME messages that only a certificate's holder can read.
//!
//! One message after the other is read, encrypted on a side thread and put into the log; then one
//! step makes all of them messages, or none.

use imap_proto::command::{Encrypted, Numbering};
use imap_proto::grammar::{MailboxName, SequenceSet};
use imap_proto::response::code::Code;
use mail_smime::Certificate;
use mail_smime::limits::{MEMORY_FACTOR, MESSAGE_BYTES_MAX};
use storage_engine::ids::MailboxKey;
use storage_engine::limits::BODY_INLINE_BYTES_MAX;
use storage_engine::request::{
    FlagNames, Flags, NewMessage, Operation, Refusal, Reply, Target, UidRange,
};

use crate::command::append;
use crate::flags;
use crate::limits::ENCRYPTED_MESSAGES_MAX;
use crate::runtime::Runtime;
use crate::session::body::Stored;
use crate::session::refusal::{Missing, refused};
use crate::session::selected::Row;
use crate::session::{Completion, Execution, Gone, Location, Running, Session};
use crate::upload::{self, Upload};

/// Why there are no copies.
enum Failure {
    /// The client is told this.
    Told(Completion),
    /// The owner of the source or the destination refused.
    Refused(Refusal),
    /// The session ends.
    Gone(Gone),
}

impl From<Gone> for Failure {
    fn from(gone: Gone) -> Self {
        Failure::Gone(gone)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal)
    }
}

/// Encrypts and copies, all or nothing.
pub async fn execute<R: Runtime>(
    session: &mut Session<R>,
    (numbering, set): (Numbering, SequenceSet),
    to: &MailboxName,
    whose: Encrypted,
) -> Execution {
    let mut running = Running::begin(session);
    let Some(uids) = session.resolve(&set, numbering).await else {
        return Ok(Completion::bad("No such messages"));
    };
    let to = match append::locate(session, to.as_str()).await {
        Ok(location) => location,
        Err(refusal) => return refused(&refusal, Missing::Destination),
    };
    let mut copies = Vec::new();
    let work = Work {
        session,
        running: &mut running,
        to: &to,
        copies: &mut copies,
    };
    let failure = match work.run(numbering, &uids, whose).await {
        Ok(completion) => return Ok(completion),
        Err(failure) => failure,
    };
    let refusal = match &failure {
        Failure::Refused(refusal) => refusal.clone(),
        Failure::Told(_) | Failure::Gone(_) => Refusal::MessageGone,
    };
    for copy in copies {
        upload::abandon(&session.shard, to.owner, copy.body, &refusal).await;
    }
    match failure {
        Failure::Told(completion) => Ok(completion),
        Failure::Refused(refusal) => refused(&refusal, Missing::Destination),
        Failure::Gone(gone) => Err(gone),
    }
}

/// One command under way.
struct Work<'w, R: Runtime> {
    session: &'w mut Session<R>,
    running: &'w mut Running,
    to: &'w Location,
    /// What is in the log, but no message yet.
    copies: &'w mut Vec<NewMessage>,
}

impl<R: Runtime> Work<'_, R> {
    async fn run(
        mut self,
        numbering: Numbering,
        uids: &[UidRange],
        whose: Encrypted,
    ) -> Result<Completion, Failure> {
        let certificate = self.certificate(whose).await?;
        let rows = self.rows(uids)?;
        let shard = self.session.shard.clone();
        let bytes = memory_bytes(&rows);
        let _memory = self
            .running
            .wait(self.session, shard.encrypting().take(bytes))
            .await;
        let goal = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let mut source = Vec::with_capacity(rows.len());
        for (done, row) in (0..).zip(&rows) {
            self.running.has_done(done, goal);
            match self.copy(row, &certificate).await {
                Ok(()) => source.push(row.entry.uid.0),
                // As COPY does: by UID what is gone is passed over.
                Err(Failure::Refused(Refusal::MessageGone)) if numbering == Numbering::Uid => {}
                Err(failure) => return Err(failure),
            }
        }
        self.running.has_done(goal, goal);
        if source.is_empty() {
            return Ok(Completion::ok());
        }
        self.store(source).await
    }

    async fn certificate(&mut self, whose: Encrypted) -> Result<Certificate, Failure> {
        let shard = self.session.shard.clone();
        let read = match whose {
            Encrypted::To(text) => {
                let read = shard.encryption().read(text);
                self.running.wait(self.session, read).await
            }
            Encrypted::Own => {
                let Reply::Certificate(kept) = self.session.request(Operation::Certificate).await?
                else {
                    return Err(Gone::Bye("Internal error").into());
                };
                let Some(der) = kept else {
                    let text = "Account has no certificate";
                    return Err(Failure::Told(Completion::no(text)));
                };
                let read = shard.encryption().read_der(der.to_vec());
                self.running.wait(self.session, read).await
            }
        };
        read.map_err(|error| Failure::Told(Completion::no(error.text())))
    }

    /// The messages, unless they are too many or too large.
    fn rows(&mut self, uids: &[UidRange]) -> Result<Vec<Row>, Failure> {
        let limit = |text| Err(Failure::Told(Completion::no_with(Code::Limit, text)));
        let Some(selected) = self.session.selected() else {
            return Err(Gone::Closed.into());
        };
        let rows = selected.rows(uids, None, ENCRYPTED_MESSAGES_MAX + 1)?;
        if rows.len() > ENCRYPTED_MESSAGES_MAX {
            return limit("Too many messages to encrypt at once; copy fewer at a time");
        }
        if rows.iter().any(|row| bytes_of(row) > MESSAGE_BYTES_MAX) {
            return limit("Message is too large to be encrypted");
        }
        Ok(rows)
    }

    /// Reads one message and puts it encrypted into the log.
    async fn copy(&mut self, row: &Row, certificate: &Certificate) -> Result<(), Failure> {
        let shard = self.session.shard.clone();
        let Some(selected) = self.session.selected() else {
            return Err(Gone::Closed.into());
        };
        let (key, keywords) = (selected.key(), selected.keywords());
        // A message that has gone may still be readable, but is not copied.
        let operation = Operation::Locate {
            mailbox: key.mailbox,
            uid: row.entry.uid,
        };
        self.session.request_selected(operation).await?;
        let mut stored = Stored::new(&shard, key, row.entry);
        let original = match self.running.wait(self.session, stored.whole()).await {
            Ok(original) => original,
            Err(trouble) if trouble.is_gone() => return Err(Refusal::MessageGone.into()),
            Err(_) => return Err(Refusal::Unreadable.into()),
        };
        let encrypt = shard.encryption().encrypt(original, certificate.clone());
        let encrypted = self.running.wait(self.session, encrypt).await;
        let encrypted = encrypted.map_err(|_| {
            let text = "Message cannot be encrypted to this certificate";
            Failure::Told(Completion::no(text))
        })?;
        let mut upload = Upload::new(shard.clone(), [self.to.owner]);
        for piece in encrypted.chunks(BODY_INLINE_BYTES_MAX) {
            upload.push(piece);
            self.running.wait(self.session, upload.drain()).await;
            self.session.pause().await?;
        }
        drop(encrypted);
        let uploaded = self.running.wait(self.session, upload.finish()).await?;
        let Some(body) = uploaded.bodies.into_iter().next() else {
            return Err(Gone::Closed.into());
        };
        self.copies.push(NewMessage {
            flags: names_of(row.entry.flags, &keywords),
            internal_date_s: row.entry.internal_date_s,
            internal_date_zone_min: row.entry.zone_min,
            size: uploaded.size,
            body: body?,
            summary: uploaded.summary,
        });
        Ok(())
    }

    /// Makes all of them messages in one step.
    async fn store(&mut self, source: Vec<u32>) -> Result<Completion, Failure> {
        let limit = self.session.limit_at(self.to).await;
        let operation = Operation::Append {
            mailbox: Target::Name(self.to.name.clone()),
            messages: self.copies.clone(),
            replaces: None,
            limit,
        };
        let asked = self.session.asking_at(self.to, operation);
        match self.running.wait(self.session, asked).await? {
            Reply::Appended {
                mailbox,
                uid_validity,
                uids,
                change,
            } => {
                // They are messages now: nothing is left to be given up.
                self.copies.clear();
                let account = self.to.owner;
                if let Some(selected) = self.session.selected()
                    && selected.key() == (MailboxKey { account, mailbox })
                {
                    selected.reached(change).await?;
                }
                Ok(Completion::ok_with(Code::CopyUid {
                    uid_validity: uid_validity.0,
                    source: source.into_iter().collect(),
                    target: uids.iter().map(|uid| uid.0).collect(),
                }))
            }
            _ => Err(Gone::Bye("Internal error").into()),
        }
    }
}

/// The flags that the copy gets, `\Recent` excepted.
fn names_of(bits: Flags, keywords: &[String]) -> FlagNames {
    let system = flags::SYSTEM.iter().map(|(flag, _)| *flag);
    let system = system.filter(|flag| bits.contains(*flag));
    let own = (Flags::KEYWORD_SHIFT..).zip(keywords);
    let own = own.filter(|(bit, _)| bits.0 >> bit & 1 == 1);
    FlagNames {
        system: system.fold(Flags::default(), Flags::union),
        keywords: own.map(|(_, name)| name.clone()).collect(),
    }
}

fn bytes_of(row: &Row) -> usize {
    usize::try_from(row.entry.size).unwrap_or(usize::MAX)
}

/// What is held at most: the largest message while it is encrypted, and all that are small enough
/// to be held until the end, which grow by half.
fn memory_bytes(rows: &[Row]) -> u64 {
    let held = |row| bytes_of(row).saturating_mul(2).min(BODY_INLINE_BYTES_MAX);
    let held: usize = rows.iter().map(held).sum();
    let largest = rows.iter().map(bytes_of).max().unwrap_or(0);
    let bytes = held.saturating_add(largest.saturating_mul(MEMORY_FACTOR));
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
