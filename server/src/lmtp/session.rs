//! One client's session: the order of its commands, and the transaction they build.

use std::convert::Infallible;

use storage_engine::request::Refusal;

use crate::limits::BAD_COMMANDS_MAX;
use crate::net::stream::Connection;
use crate::runtime::{Peer, Runtime};
use crate::session::Gone;
use crate::shard::Shard;
use crate::upload::Upload;

use super::command::{Address, Command, Mail, SyntaxError};
use super::data::Unstuffer;
use super::delivery::{self, Origin, Recipient};
use super::limits::{DELIVERIES_AT_ONCE, SILENCE};
use super::reply::{self, Reply};
use super::wire::{Line, Wire};

/// Serves one connection until it ends.
pub async fn serve<R: Runtime>(shard: Shard<R>, connection: Connection<R::Stream>) {
    let entered = shard.enter(&connection);
    let entry = entered.entry().clone();
    let peer = entry.peer;
    tracing::debug!(session = entry.session, %peer, "lmtp connected");
    let wire = Wire::new(shard.transport(connection, &entry));
    let mut session = Session {
        shard,
        wire,
        peer,
        helo: None,
        transaction: None,
        bad_commands: 0,
    };
    let gone = match session.run().await {
        Ok(never) => match never {},
        Err(gone) => gone,
    };
    tracing::debug!(
        session = entered.entry().session,
        ?gone,
        "lmtp disconnected"
    );
    session.transaction = None;
    session.wire.close(&gone).await;
}

/// One session. Lives in its connection's task.
struct Session<R: Runtime> {
    shard: Shard<R>,
    wire: Wire<R>,
    peer: Peer,
    /// The name from LHLO, once that has come.
    helo: Option<String>,
    transaction: Option<Transaction<R>>,
    bad_commands: u32,
}

/// From MAIL to the last reply about its message.
struct Transaction<R: Runtime> {
    mail: Mail,
    recipients: Vec<Recipient>,
    /// The message, once it has begun.
    message: Option<Message<R>>,
}

/// A message under way.
struct Message<R: Runtime> {
    id: String,
    /// Nothing once it is too large; the rest is read and thrown away.
    upload: Option<Upload<R>>,
    bytes: u64,
    bytes_max: u64,
}

impl<R: Runtime> Session<R> {
    /// Greets, then runs commands; never ends well.
    async fn run(&mut self) -> Result<Infallible, Gone> {
        reply::greeting(&mut self.wire.out, self.shard.hostname());
        loop {
            let line = match self.wire.line().await? {
                Line::Whole(line) => line,
                Line::TooLong => {
                    self.bad(&Reply::LINE_TOO_LONG)?;
                    continue;
                }
            };
            match Command::parse(&line) {
                Ok(command) => {
                    self.bad_commands = 0;
                    self.execute(command).await?;
                }
                Err(error) => {
                    self.bad(&Reply::from(error))?;
                    if error == SyntaxError::BdatArguments {
                        // A message follows, and nobody knows where it ends: its text must not
                        // be run as commands. Everything has been said.
                        return Err(Gone::Logout);
                    }
                }
            }
            self.wire.flush_if_full().await?;
        }
    }

    async fn execute(&mut self, command: Command) -> Result<(), Gone> {
        let reply = match command {
            Command::Lhlo(name) => {
                self.lhlo(name);
                return Ok(());
            }
            Command::Mail(mail) => self.mail(mail),
            Command::Rcpt(address) => match self.rcpt(&address).await {
                Ok(()) => Reply::RECIPIENT_OK.about(&address.text),
                Err(refusal) => refusal.about(&address.text),
            },
            Command::Data => return self.data().await,
            Command::Bdat { bytes, last } => return self.bdat(bytes, last).await,
            Command::Rset => {
                self.transaction = None;
                Reply::OK
            }
            Command::Noop => Reply::OK,
            Command::Vrfy => Reply::CANNOT_VERIFY,
            Command::Help => Reply::HELP,
            Command::Quit => {
                Reply::BYE.encode(&mut self.wire.out);
                return Err(Gone::Logout);
            }
        };
        reply.encode(&mut self.wire.out);
        Ok(())
    }

    /// RFC 5321 4.1.4: LHLO ends a transaction as RSET does.
    fn lhlo(&mut self, name: String) {
        self.transaction = None;
        self.helo = Some(name);
        let message_bytes_max = self.shard.config().limits.message_bytes_max;
        reply::extensions(&mut self.wire.out, self.shard.hostname(), message_bytes_max);
    }

    fn mail(&mut self, mail: Mail) -> Reply {
        if self.helo.is_none() {
            return Reply::LHLO_FIRST;
        }
        if self.transaction.is_some() {
            return Reply::MAIL_TWICE;
        }
        if mail
            .size
            .is_some_and(|size| size > self.shard.config().limits.message_bytes_max)
        {
            return Reply::TOO_LARGE;
        }
        if !mail.smtputf8 && !mail.sender.is_ascii() {
            return Reply::NEEDS_SMTPUTF8;
        }
        self.transaction = Some(Transaction {
            mail,
            recipients: Vec::new(),
            message: None,
        });
        Reply::SENDER_OK
    }

    async fn rcpt(&mut self, address: &Address) -> Result<(), Reply> {
        let transaction = self.transaction.as_mut().ok_or(Reply::MAIL_FIRST)?;
        if transaction.message.is_some() {
            return Err(Reply::CHUNKS_BEGUN);
        }
        if transaction.recipients.len() >= self.shard.config().lmtp.recipients_max {
            return Err(Reply::TOO_MANY_RECIPIENTS);
        }
        if !transaction.mail.smtputf8 && !address.text.is_ascii() {
            return Err(Reply::NEEDS_SMTPUTF8);
        }
        let recipient = delivery::resolve(&self.shard, address, &transaction.mail).await?;
        transaction.recipients.push(recipient);
        Ok(())
    }

    async fn data(&mut self) -> Result<(), Gone> {
        let (mut transaction, mut message) = match self.begin() {
            Ok((transaction, None)) => {
                let message = self.new_message(&transaction);
                (transaction, message)
            }
            Ok((transaction, begun)) => {
                self.transaction = Some(Transaction {
                    message: begun,
                    ..transaction
                });
                Reply::CHUNKS_BEGUN.encode(&mut self.wire.out);
                return Ok(());
            }
            Err(refusal) => {
                refusal.encode(&mut self.wire.out);
                return Ok(());
            }
        };
        Reply::GO_ON.encode(&mut self.wire.out);
        let mut unstuffer = Unstuffer::default();
        loop {
            let progress =
                unstuffer.advance(self.wire.unread(), &mut |content| message.push(content));
            self.wire.consume(progress.used);
            message.drain().await;
            if progress.ended {
                break;
            }
            self.shard.runtime().yield_if_needed().await;
            self.wire.acknowledge();
            self.wire.fill().await?;
        }
        self.conclude(&mut transaction, message).await
    }

    /// RFC 3030 2: the octets follow the line whether they are wanted or not.
    async fn bdat(&mut self, bytes: u64, last: bool) -> Result<(), Gone> {
        let (mut transaction, begun) = match self.begin() {
            Ok(parts) => parts,
            Err(refusal) => {
                self.take_chunk(bytes, None).await?;
                refusal.encode(&mut self.wire.out);
                return Ok(());
            }
        };
        let mut message = match begun {
            Some(message) => message,
            None => self.new_message(&transaction),
        };
        self.take_chunk(bytes, Some(&mut message)).await?;
        if last {
            return self.conclude(&mut transaction, message).await;
        }
        let reply = if message.upload.is_some() {
            Reply::CHUNK_OK
        } else {
            Reply::TOO_LARGE
        };
        reply.encode(&mut self.wire.out);
        transaction.message = Some(message);
        self.transaction = Some(transaction);
        Ok(())
    }

    /// Takes the transaction, and what of its message has come, if it may have a message.
    #[allow(clippy::type_complexity, reason = "a pair that is taken apart at once")]
    fn begin(&mut self) -> Result<(Transaction<R>, Option<Message<R>>), Reply> {
        let without_recipients = self
            .transaction
            .as_ref()
            .is_some_and(|transaction| transaction.recipients.is_empty());
        if without_recipients {
            return Err(Reply::NO_RECIPIENTS);
        }
        let mut transaction = self.transaction.take().ok_or(Reply::MAIL_FIRST)?;
        let message = transaction.message.take();
        Ok((transaction, message))
    }

    fn new_message(&self, transaction: &Transaction<R>) -> Message<R> {
        let runtime = self.shard.runtime();
        let id = format!("{:016x}", runtime.random_u64());
        let origin = Origin {
            helo: self.helo.as_deref().unwrap_or_default(),
            peer: self.peer,
            host: self.shard.hostname(),
            id: &id,
            now_s: runtime.wall_s(),
        };
        let Transaction {
            mail, recipients, ..
        } = transaction;
        let accounts = recipients.iter().map(|recipient| recipient.account);
        let mut upload = Upload::new(self.shard.clone(), accounts);
        upload.push(&delivery::trace_fields(mail, recipients, &origin));
        let bytes_max = self.shard.config().limits.message_bytes_max;
        Message {
            id,
            upload: Some(upload),
            bytes: 0,
            bytes_max,
        }
    }

    /// Reads the octets of a chunk; without a message they are thrown away.
    async fn take_chunk(
        &mut self,
        bytes: u64,
        mut message: Option<&mut Message<R>>,
    ) -> Result<(), Gone> {
        let mut left = bytes;
        while left > 0 {
            if self.wire.unread().is_empty() {
                self.wire.acknowledge();
                self.wire.fill().await?;
            }
            let unread = self.wire.unread();
            // What is left may be more than memory can hold, but not less than a part of it.
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            let octets = unread.get(..most).unwrap_or(unread);
            let taken = octets.len();
            if let Some(message) = &mut message {
                message.push(octets);
                message.drain().await;
            }
            self.wire.consume(taken);
            left = left.saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX));
            self.shard.runtime().yield_if_needed().await;
        }
        Ok(())
    }

    /// Everything has come: one reply for each recipient, in order (RFC 2033 4.2 and 4.3).
    async fn conclude(
        &mut self,
        transaction: &mut Transaction<R>,
        message: Message<R>,
    ) -> Result<(), Gone> {
        let recipients = std::mem::take(&mut transaction.recipients);
        let over_quota = self.shard.config().lmtp.over_quota;
        let Some(upload) = message.upload else {
            return self.answer_all(&recipients, &Reply::TOO_LARGE).await;
        };
        self.wire.expect_client(SILENCE);
        let uploaded = match upload.finish().await {
            Ok(uploaded) => uploaded,
            // With the trace fields it does not fit into RFC822.SIZE any more.
            Err(Refusal::Limit(_)) => {
                return self.answer_all(&recipients, &Reply::TOO_LARGE).await;
            }
            Err(refusal) => {
                let reply = Reply::refused(&refusal, over_quota);
                return self.answer_all(&recipients, &reply).await;
            }
        };
        let groups = recipients
            .chunks(DELIVERIES_AT_ONCE)
            .zip(uploaded.bodies.chunks(DELIVERIES_AT_ONCE));
        for (recipients, bodies) in groups {
            // The client waits for us here, and not the other way round.
            self.wire.expect_client(SILENCE);
            let id = &message.id;
            for reply in delivery::deliver(&self.shard, id, recipients, &uploaded, bodies).await {
                reply.encode(&mut self.wire.out);
            }
            self.wire.flush_if_full().await?;
        }
        Ok(())
    }

    async fn answer_all(&mut self, recipients: &[Recipient], reply: &Reply) -> Result<(), Gone> {
        for recipient in recipients {
            reply
                .clone()
                .about(&recipient.address)
                .encode(&mut self.wire.out);
            self.wire.flush_if_full().await?;
        }
        Ok(())
    }

    fn bad(&mut self, reply: &Reply) -> Result<(), Gone> {
        reply.encode(&mut self.wire.out);
        self.bad_commands += 1;
        if self.bad_commands >= BAD_COMMANDS_MAX {
            return Err(Gone::Bye("Too many bad commands"));
        }
        Ok(())
    }
}

impl<R: Runtime> Message<R> {
    /// Takes the next octets of the message as it is to be stored.
    fn push(&mut self, octets: &[u8]) {
        let more = u64::try_from(octets.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(more);
        if self.bytes > self.bytes_max {
            // Gives its chunks up.
            self.upload = None;
        }
        if let Some(upload) = &mut self.upload {
            upload.push(octets);
        }
    }

    /// Sends whole chunks to their owners; to be awaited before more is read.
    async fn drain(&mut self) {
        if let Some(upload) = &mut self.upload {
            upload.drain().await;
        }
    }
}
