//! One client's session: its state, the loop that runs its commands, and what it is told.
//!
//! ```text
//! wire -> Request -> Command -> state check -> command::execute -> updates -> tagged -> wire
//! ```

use std::rc::Rc;
use std::time::Duration;

use imap_proto::command::{Command, Numbering};
use imap_proto::connection_state::ConnectionState;
use imap_proto::grammar::{self, SequenceBound, SequenceSet};
use imap_proto::limits::Limits;
use imap_proto::request::{LiteralHeader, Request};
use imap_proto::response::code::Code;
use imap_proto::response::status::{self, Condition};
use mail_directory::Account;
use storage_engine::request::{Actor, Operation, Refusal, Reply, UidRange};
use storage_engine::view::{SequenceNumber, SequenceRange};

use crate::command;
use crate::limits;
use crate::net::stream::Connection;
use crate::runtime::Runtime;
use crate::shard::Shard;
use crate::shard::sessions::{EndReason, SessionEntry};

pub mod alerts;
pub mod body;
pub mod capability;
pub mod completion;
pub mod domain;
pub mod foreign;
pub mod location;
pub mod login;
pub mod principal;
pub mod refusal;
pub mod running;
pub mod selected;
pub mod wire;

#[cfg(test)]
mod tests;

pub use crate::transport::Gone;
pub use completion::{Completion, Then};
pub use location::Location;
pub use login::Login;
pub use running::Running;
pub use selected::Selected;
pub use wire::{Incoming, Wire};

/// What a command ends with: the tagged answer, or the end of the connection.
pub type Execution = Result<Completion, Gone>;

/// One session. Lives in its connection's task.
pub struct Session<R: Runtime> {
    /// The core that holds the connection.
    pub shard: Shard<R>,
    /// Bytes both ways.
    pub wire: Wire<R>,
    /// How far it has come.
    pub state: State<R>,
    /// CONDSTORE was enabled (RFC 7162 3.1): FETCH answers carry MODSEQ.
    pub condstore: bool,
    /// EXTENSIONS was enabled: mailboxes and messages are shown that other clients do not know
    /// what to do with.
    pub extensions: bool,
    entry: Rc<SessionEntry>,
    login_failures: u32,
    bad_commands: u32,
    tag: Vec<u8>,
}

/// State of the connection, with what belongs to it.
pub enum State<R: Runtime> {
    /// Nobody has logged in.
    NotAuthenticated,
    /// Logged in.
    Authenticated(Login),
    /// With a mailbox selected.
    Selected(Login, Box<Selected<R>>),
}

impl<R: Runtime> State<R> {
    /// The selected mailbox.
    pub fn selected(&mut self) -> Option<&mut Selected<R>> {
        match self {
            State::Selected(_, selected) => Some(selected),
            State::NotAuthenticated | State::Authenticated(_) => None,
        }
    }
}

/// Serves one connection until it ends, and drops `held` then.
///
/// Not an `async fn`: that would hold what it was given beside the session it makes of it, and an
/// idle session is little else than this future.
pub fn serve<R: Runtime>(
    shard: Shard<R>,
    connection: Connection<R::Stream>,
    held: impl Sized + 'static,
) -> impl Future<Output = ()> {
    let entered = shard.enter(&connection);
    let entry = entered.entry().clone();
    tracing::debug!(session = entry.session, peer = %entry.peer, "connected");
    let wire = Wire::new(shard.transport(connection, &entry));
    let mut session = Session {
        shard,
        wire,
        state: State::NotAuthenticated,
        condstore: false,
        extensions: false,
        entry,
        login_failures: 0,
        bad_commands: 0,
        tag: Vec::new(),
    };
    async move {
        let gone = match session.run().await {
            Ok(never) => never,
            Err(gone) => gone,
        };
        tracing::debug!(session = session.entry.session, ?gone, "disconnected");
        session.state = State::NotAuthenticated;
        session.wire.close(&gone).await;
        drop(session);
        drop((entered, held));
    }
}

impl<R: Runtime> Session<R> {
    /// Greets, then runs commands; never ends well.
    async fn run(&mut self) -> Result<Gone, Gone> {
        self.greet();
        loop {
            self.set_idle_deadline();
            // What was pipelined behind the command under way is not begun any more.
            self.wanted()?;
            match self.wire.next().await? {
                // What follows is boxed, so that a session which waits, here or in IDLE, has no
                // room for it.
                Incoming::Request(request) => {
                    let Some((rules, execute)) = self.begin(request)? else {
                        continue;
                    };
                    let completion = execute.await?;
                    Box::pin(self.finish(rules, completion)).await?;
                }
                Incoming::AppendLiteral(prefix, literal) => {
                    Box::pin(self.run_append(&prefix, literal)).await?;
                }
                Incoming::Rejected(rejection) => {
                    let text = rejection.reason.to_string();
                    self.bad(rejection.tag.as_deref(), &text)?;
                }
                Incoming::Fatal(_) => return Err(Gone::Bye("More data announced than is allowed")),
                // Neither can come here: both follow what only a command asks for.
                Incoming::Line(_) | Incoming::AppendEnd(_) => self.bad(None, "Unexpected line")?,
            }
        }
    }

    /// The command that the client wants, if it may have it now; what was wrong is told.
    #[allow(clippy::type_complexity, reason = "a pair that is taken apart at once")]
    fn begin(
        &mut self,
        request: Request,
    ) -> Result<Option<(UpdateRules, command::Execute<'_>)>, Gone> {
        let (tag, command) = match Command::parse(&request) {
            Ok(parsed) => parsed,
            Err(error) => {
                self.bad(request.tag(), &error.to_string())?;
                return Ok(None);
            }
        };
        let facts = command.row();
        if !facts.states.allow(self.connection_state()) {
            self.bad(Some(&tag), "Command not allowed in this state")?;
            return Ok(None);
        }
        self.bad_commands = 0;
        self.tag = tag;
        let rules = UpdateRules {
            expunge: facts.may_tell_expunge,
            uid: facts.numbering == Numbering::Uid,
        };
        Ok(Some((rules, command::execute(command, self))))
    }

    async fn run_append(&mut self, prefix: &Request, literal: LiteralHeader) -> Result<(), Gone> {
        self.tag = prefix.tag().unwrap_or(b"*").to_vec();
        let completion = command::append::receive(self, prefix, literal).await?;
        self.finish(UpdateRules::AFTER_ANY, completion).await
    }

    /// Updates first, so that the tagged answer says that they are complete.
    async fn finish(&mut self, rules: UpdateRules, completion: Completion) -> Result<(), Gone> {
        self.tell(rules).await?;
        self.tell_alerts().await;
        completion.encode(&self.tag, &mut self.wire.out);
        match completion.then() {
            Then::Next => self.wire.flush_if_full().await,
            Then::Logout => {
                self.wire.flush().await?;
                Err(Gone::Logout)
            }
            Then::StartTls => {
                self.wire.flush().await?;
                let Some(tls) = self.shard.tls().cloned() else {
                    return Err(Gone::Closed);
                };
                Box::pin(self.wire.start_tls(&tls)).await
            }
        }
    }

    /// Tells what has changed in the selected mailbox, as far as the rules allow it.
    pub async fn tell(&mut self, rules: UpdateRules) -> Result<(), Gone> {
        let condstore = self.condstore;
        while let State::Selected(_, selected) = &mut self.state {
            if selected.tell(rules, condstore, &mut self.wire.out)? {
                break;
            }
            self.wire.flush_if_full().await?;
            self.pause().await?;
        }
        Ok(())
    }

    /// The UIDs that a sequence set names, ascending; `None` where RFC 3501 calls it an error (a
    /// number beyond the mailbox). Sets that reach beyond what this session knows first see what
    /// has just come, from whatever connection.
    pub async fn resolve(
        &mut self,
        set: &SequenceSet,
        numbering: Numbering,
    ) -> Option<Vec<UidRange>> {
        let known = match numbering {
            Numbering::Uid => self.selected()?.uid_max().ok()?,
            Numbering::Sequence => u32::MAX,
        };
        // Another account's mailbox is shown as far as its owner allows at this moment.
        let foreign = self.selected()?.is_foreign();
        if set.has_star() || set.exceeds(known) || foreign {
            self.see_arrivals().await;
        } else if numbering == Numbering::Uid {
            self.tell_arrivals();
        } else if let State::Selected(_, selected) = &mut self.state {
            selected.see_keywords(&mut self.wire.out).ok()?;
        }
        let selected = self.selected()?;
        let exists = selected.exists().ok()?;
        let set: Vec<SequenceRange> = set
            .ranges()
            .iter()
            .map(|range| view_range(range, numbering, exists))
            .collect();
        selected.resolve(&set, numbering).ok().flatten()
    }

    /// Tells EXISTS alone, if it has grown, with all that was acknowledged to anybody before.
    pub async fn see_arrivals(&mut self) {
        self.catch_up().await;
        self.tell_arrivals();
    }

    /// Waits until the view of the selected mailbox has all that was acknowledged before.
    pub async fn catch_up(&mut self) {
        if let State::Selected(_, selected) = &self.state {
            // An owner that is gone ends the session at the end of the command.
            let _ = self.shard.catch_up(selected.key().account).await;
            selected.view().settled().await;
        }
    }

    fn tell_arrivals(&mut self) {
        if let State::Selected(_, selected) = &mut self.state {
            // An ended view ends the session at the end of the command.
            let _ = selected.see_arrivals(&mut self.wire.out);
        }
    }

    /// RFC 7162 3.1: CONDSTORE stays enabled; a selected mailbox's HIGHESTMODSEQ is told.
    pub fn enable_condstore(&mut self) {
        if std::mem::replace(&mut self.condstore, true) {
            return;
        }
        if let State::Selected(_, selected) = &self.state
            && let Ok(highest) = selected.highest_mod_seq()
        {
            let code = Code::HighestModSeq(highest.0);
            status::untagged(&mut self.wire.out, Condition::Ok, Some(&code), "highest");
        }
    }

    /// The tag of the command under way.
    pub fn tag(&self) -> &[u8] {
        &self.tag
    }

    /// Asks the owner of the session's account.
    pub async fn request(&self, operation: Operation) -> Result<Reply, Refusal> {
        let Some(login) = self.login() else {
            return Err(Refusal::NoSuchAccount);
        };
        let owner = self.shard.request(login.account, Actor::Owner, operation);
        owner.await
    }

    /// Who has logged in.
    pub fn login(&self) -> Option<&Login> {
        match &self.state {
            State::NotAuthenticated => None,
            State::Authenticated(login) | State::Selected(login, _) => Some(login),
        }
    }

    /// The selected mailbox.
    pub fn selected(&mut self) -> Option<&mut Selected<R>> {
        self.state.selected()
    }

    /// Leaves the selected mailbox, if any.
    pub fn deselect(&mut self) {
        let state = std::mem::replace(&mut self.state, State::NotAuthenticated);
        self.state = match state {
            State::Selected(login, _) => State::Authenticated(login),
            other => other,
        };
    }

    /// Login has succeeded in the directory; the owner of the account has the last word.
    pub async fn log_in(&mut self, account: &Account) -> Result<(), Refusal> {
        let login = Login::new(account);
        if !self.shard.take_account_place(&self.entry, login.account) {
            return Err(Refusal::Limit("Too many sessions of this account"));
        }
        let sessions = self.shard.sessions();
        sessions.set_account(&self.entry, Some(login.account));
        if let Err(refusal) = self.shard.admit(login.account).await {
            self.shard.sessions().set_account(&self.entry, None);
            self.entry.set_place(None);
            return Err(refusal);
        }
        self.wire.fragmenter().set_limits(Limits::AFTER_LOGIN);
        let limit = login.limit;
        self.state = State::Authenticated(login);
        self.take_alerts(Some(limit)).await;
        Ok(())
    }

    /// A login has failed; too many of them end the connection.
    pub fn login_failed(&mut self) -> Result<(), Gone> {
        self.login_failures += 1;
        if self.login_failures >= limits::LOGIN_FAILURES_MAX {
            return Err(Gone::Bye("Too many failed logins"));
        }
        Ok(())
    }

    /// The table's entry.
    pub fn entry(&self) -> &SessionEntry {
        &self.entry
    }

    /// The table's entry, to wait for it while the session is at work.
    pub fn entry_handle(&self) -> Rc<SessionEntry> {
        self.entry.clone()
    }

    fn connection_state(&self) -> ConnectionState {
        match &self.state {
            State::NotAuthenticated => ConnectionState::NotAuthenticated,
            State::Authenticated(_) => ConnectionState::Authenticated,
            State::Selected(..) => ConnectionState::Selected,
        }
    }

    fn greet(&mut self) {
        let code = Code::Capability(self.capability_words());
        // Where domains have addresses of their own, a client sees the one that it came to.
        let place = self
            .client_domain()
            .unwrap_or_else(|| self.shard.hostname());
        let text = format!(
            "Corepost IMAP Server {} at {place} ready",
            env!("CARGO_PKG_VERSION")
        );
        status::untagged(&mut self.wire.out, Condition::Ok, Some(&code), &text);
    }

    /// The client has been heard: its silence begins anew. RFC 3501 5.4: no autologout before 30
    /// minutes of it.
    pub fn set_idle_deadline(&self) {
        let limits = &self.shard.config().limits;
        let now = self.shard.runtime().now();
        match self.state {
            // Counted from the connection on: commands before login do not extend it.
            State::NotAuthenticated => {
                let until = now + Duration::from_secs(limits.login_timeout_s);
                self.entry
                    .set_first_deadline(until, EndReason::LoginTimeout);
            }
            State::Authenticated(_) | State::Selected(..) => {
                let until = now + Duration::from_secs(limits.idle_timeout_s);
                self.entry.set_deadline(until, EndReason::Autologout);
            }
        }
    }

    /// For commands that take long, between two steps: lets others run, counts as a sign of life,
    /// and ends if the session is to end.
    pub async fn pause(&self) -> Result<(), Gone> {
        self.shard.runtime().yield_if_needed().await;
        self.set_idle_deadline();
        self.wanted()
    }

    /// An error once the session is to end from outside.
    fn wanted(&self) -> Result<(), Gone> {
        self.entry.why().map_or(Ok(()), |why| Err(Gone::Ended(why)))
    }

    fn bad(&mut self, tag: Option<&[u8]>, text: &str) -> Result<(), Gone> {
        match tag {
            Some(tag) => status::tagged(&mut self.wire.out, tag, Condition::Bad, None, text),
            None => status::untagged(&mut self.wire.out, Condition::Bad, None, text),
        }
        self.bad_commands += 1;
        if self.bad_commands >= limits::BAD_COMMANDS_MAX {
            return Err(Gone::Bye("Too many bad commands"));
        }
        Ok(())
    }
}

/// A range in the words of the view. `n:*` names the last message also where n is beyond it, as
/// clients that ask for "what is new" expect (RFC 3501 section 9 says so of UIDs).
fn view_range(range: &grammar::SequenceRange, numbering: Numbering, exists: u32) -> SequenceRange {
    let open = [range.start, range.end].contains(&SequenceBound::Star);
    let number = |bound| match bound {
        SequenceBound::Star => SequenceNumber::Star,
        SequenceBound::Number(number)
            if open && numbering == Numbering::Sequence && number > exists =>
        {
            SequenceNumber::Star
        }
        SequenceBound::Number(number) => SequenceNumber::Number(number),
    };
    SequenceRange {
        first: number(range.start),
        last: number(range.end),
    }
}

/// What a command's end may tell.
#[derive(Debug, Clone, Copy)]
pub struct UpdateRules {
    /// RFC 3501 7.4.1: not during FETCH, STORE, SEARCH by number.
    pub expunge: bool,
    /// RFC 3501 6.4.8: FETCH answers to UID commands carry the UID.
    pub uid: bool,
}

impl UpdateRules {
    /// After commands that use no sequence numbers.
    pub const AFTER_ANY: Self = UpdateRules {
        expunge: true,
        uid: false,
    };
}
