//! SEARCH and UID SEARCH (RFC 3501 6.4.4), with ESEARCH (RFC 4731) and MODSEQ (RFC 7162 3.1.5).

use imap_proto::command::{Numbering, Search, SearchReturn};
use imap_proto::grammar::NumberSet;
use imap_proto::response::code::Code;
use imap_proto::response::search::{ESearchResponse, search};
use mail_message::charset::SUPPORTED;
use mail_message::summary::SummaryRef;
use mail_message::text::{Progress, Scratch, TextSearch};
use storage_engine::ids::ModSeq;

use crate::limits;
use crate::runtime::Runtime;
use crate::search::{CompileError, Compiled, Condition, Context, Known, Texts, compile};
use crate::session::body::{Ahead, Stored, read_ahead};
use crate::session::selected::{EVERY_UID, Row};
use crate::session::{Completion, Execution, Gone, Running, Session};

/// What was found, in the command's numbering, ascending.
#[derive(Default)]
struct Found {
    numbers: Vec<u32>,
    /// MODSEQ of the first, of the last, and the highest of all.
    mod_seq_first: ModSeq,
    mod_seq_last: ModSeq,
    mod_seq_highest: ModSeq,
    unreadable: bool,
}

impl Found {
    fn push(&mut self, number: u32, mod_seq: ModSeq) {
        if self.numbers.is_empty() {
            self.mod_seq_first = mod_seq;
        }
        self.numbers.push(number);
        self.mod_seq_last = mod_seq;
        self.mod_seq_highest = self.mod_seq_highest.max(mod_seq);
    }

    /// The MODSEQ that goes with what is returned (RFC 7162 3.1.10): where MIN and MAX are all
    /// that is asked for, only theirs count.
    fn mod_seq(&self, returns: Option<SearchReturn>) -> ModSeq {
        match returns {
            Some(returns) if !returns.all && !returns.count => {
                let first = returns.min.then_some(self.mod_seq_first);
                let last = returns.max.then_some(self.mod_seq_last);
                first.max(last).unwrap_or(self.mod_seq_highest)
            }
            _ => self.mod_seq_highest,
        }
    }
}

/// Checks every message of the view and answers with numbers.
pub async fn execute<R: Runtime>(command: Search, session: &mut Session<R>) -> Execution {
    let asks_mod_seq = command.key.names_mod_seq();
    if asks_mod_seq {
        session.enable_condstore();
    }
    session.see_arrivals().await;
    let Some(selected) = session.selected() else {
        return Err(Gone::Closed);
    };
    let keywords = selected.keywords();
    let context = Context {
        exists: selected.exists()?,
        uid_max: selected.uid_max()?,
        keywords: &keywords,
        // RFC 3501 6.4.4 says US-ASCII; UTF-8 without a word is what clients send.
        charset: command.charset.as_deref().unwrap_or("UTF-8"),
    };
    let compiled = match compile(&command.key, &context) {
        Ok(compiled) => compiled,
        Err(CompileError::BadCharset) => {
            let known = SUPPORTED.iter().map(|name| (*name).to_owned()).collect();
            return Ok(Completion::no_with(
                Code::BadCharset(known),
                "Charset is not known",
            ));
        }
    };
    let found = find(session, command.numbering, &compiled).await?;
    if found.unreadable {
        let text = "Some of the messages cannot be read";
        return Ok(Completion::no_with(Code::Corruption, text));
    }
    answer(session, &command, &found, asks_mod_seq);
    Ok(Completion::ok())
}

async fn find<R: Runtime>(
    session: &mut Session<R>,
    numbering: Numbering,
    compiled: &Compiled,
) -> Result<Found, Gone> {
    let mut found = Found::default();
    let mut scratch = Scratch::default();
    let mut running = Running::begin(session);
    let (mut after, mut done) = (None, 0_u32);
    loop {
        let Some(selected) = session.selected() else {
            return Err(Gone::Closed);
        };
        running.has_done(done, selected.exists()?);
        let rows = selected.rows(&EVERY_UID, after, limits::SEARCH_TURN_ROWS)?;
        let Some(last) = rows.last() else {
            return Ok(found);
        };
        after = Some(last.entry.uid);
        for rows in rows.chunks(limits::READ_AHEAD_MESSAGES) {
            read_summaries(session, rows, &compiled.condition, &mut running).await;
            for row in rows {
                done = done.saturating_add(1);
                match fits(session, row, compiled, &mut scratch, &mut running).await {
                    Some(true) => {
                        let number = match numbering {
                            Numbering::Sequence => row.seq,
                            Numbering::Uid => row.entry.uid.0,
                        };
                        found.push(number, row.entry.mod_seq);
                    }
                    Some(false) => {}
                    None => found.unreadable = true,
                }
            }
        }
        session.pause().await?;
        running.check(session).await?;
    }
}

/// Reads the summaries ahead that will be wanted.
async fn read_summaries<R: Runtime>(
    session: &mut Session<R>,
    rows: &[Row],
    condition: &Condition,
    running: &mut Running,
) {
    let is_undecided = |row: &&Row| condition.check(Known::row(row)).is_none();
    let undecided: Vec<Row> = rows.iter().filter(is_undecided).copied().collect();
    let Some(key) = session.selected().map(|selected| selected.key()) else {
        return;
    };
    let wanted = Ahead {
        summary: true,
        octets: false,
    };
    if undecided.len() > 1 {
        let shard = session.shard.clone();
        let read = read_ahead(&shard, key, &undecided, wanted);
        running.wait(session, read).await;
    }
}

/// Reads only as much of the message as decides; `None` when it cannot be read. A message that
/// was expunged meanwhile and whose octets are gone does not fit.
async fn fits<R: Runtime>(
    session: &mut Session<R>,
    row: &Row,
    Compiled { condition, texts }: &Compiled,
    scratch: &mut Scratch,
    running: &mut Running,
) -> Option<bool> {
    let known = Known::row(row);
    if let Some(decided) = condition.check(known) {
        return Some(decided);
    }
    let key = session.selected()?.key();
    let shard = session.shard.clone();
    let mut stored = Stored::new(&shard, key, row.entry);
    let summary = match running.wait(session, stored.summary()).await {
        Ok(summary) => summary,
        Err(trouble) => return trouble.is_gone().then_some(false),
    };
    let summary = SummaryRef::decode(&summary).ok()?;
    if let Some(decided) = condition.check(Known {
        summary: Some(&summary),
        ..known
    }) {
        return Some(decided);
    }
    let memory = shard.searched().take(u64::from(row.entry.size));
    let _searched = running.wait(session, memory).await;
    let octets = match running.wait(session, stored.whole()).await {
        Ok(octets) => octets,
        Err(trouble) => return trouble.is_gone().then_some(false),
    };
    let known = Known {
        summary: Some(&summary),
        octets: Some(&octets),
        ..known
    };
    if let Some(decided) = condition.check(known) {
        return Some(decided);
    }
    let mut search = TextSearch::new(&octets, &summary, texts, scratch);
    loop {
        shard.runtime().yield_if_needed().await;
        // A client that is gone shows at the end of this turn.
        let _ = running.check(session).await;
        let is_all = search.step(limits::SEARCH_STEP_BYTES) == Progress::Done;
        let found = search.found();
        let decided = condition.check(Known {
            texts: Some(Texts { found, is_all }),
            ..known
        });
        if is_all || decided.is_some() {
            return decided;
        }
    }
}

fn answer<R: Runtime>(
    session: &mut Session<R>,
    command: &Search,
    found: &Found,
    asks_mod_seq: bool,
) {
    let has_mod_seq = asks_mod_seq && !found.numbers.is_empty();
    let mod_seq = has_mod_seq.then(|| found.mod_seq(command.returns).0);
    let Some(returns) = command.returns else {
        search(
            &mut session.wire.out,
            found.numbers.iter().copied(),
            mod_seq,
        );
        return;
    };
    let (first, last) = (
        found.numbers.first().copied(),
        found.numbers.last().copied(),
    );
    let tag = session.tag().to_vec();
    ESearchResponse {
        tag: &tag,
        numbering: command.numbering,
        min: first.filter(|_| returns.min),
        max: last.filter(|_| returns.max),
        all: returns
            .all
            .then(|| found.numbers.iter().copied().collect::<NumberSet>()),
        count: returns
            .count
            .then(|| u32::try_from(found.numbers.len()).unwrap_or(u32::MAX)),
        mod_seq,
    }
    .encode(&mut session.wire.out);
}
