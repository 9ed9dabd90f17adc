//! IDLE (RFC 2177): the updates are told as they come.

use std::rc::Rc;
use std::time::Duration;

use imap_proto::response::status::{self, Condition, continuation};

use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Gone, Incoming, Session, UpdateRules};
use crate::shard::view::SharedView;

/// What has ended a wait.
enum Woken {
    /// The client has sent something, or is gone.
    Client(Result<(), Gone>),
    /// The mailbox has changed, or alerts wait.
    News,
    /// It is time to say that we are still here.
    StillHere,
}

/// Tells updates until the client says DONE.
pub async fn execute<R: Runtime>(session: &mut Session<R>) -> Execution {
    session.wire.fragmenter().expect_line();
    continuation(&mut session.wire.out, "idling");
    let view = session.selected().map(|selected| selected.view().clone());
    loop {
        // Before the wait: what came since the last look is told at once.
        let seen = view.as_ref().map_or(0, |view| view.signal().version());
        session.tell(UpdateRules::AFTER_ANY).await?;
        session.tell_alerts().await;
        session.wire.flush().await?;
        match wait(session, view.as_ref(), seen).await {
            Woken::News => {}
            Woken::StillHere => {
                status::untagged(&mut session.wire.out, Condition::Ok, None, "Still here");
            }
            Woken::Client(came) => {
                came?;
                match session.wire.next().await? {
                    Incoming::Line(line) if line.eq_ignore_ascii_case(b"DONE") => {
                        return Ok(Completion::ok());
                    }
                    Incoming::Line(_) | Incoming::Rejected(_) => {
                        return Ok(Completion::bad("Expected DONE"));
                    }
                    Incoming::Request(_)
                    | Incoming::AppendLiteral(..)
                    | Incoming::AppendEnd(_)
                    | Incoming::Fatal(_) => return Err(Gone::Bye("Out of step")),
                }
            }
        }
    }
}

async fn wait<R: Runtime>(
    session: &mut Session<R>,
    view: Option<&Rc<SharedView>>,
    seen: u64,
) -> Woken {
    let runtime = session.shard.runtime().clone();
    let still_here_s = session.shard.config().limits.still_here_s;
    let entry = session.entry_handle();
    let alerts = async {
        entry.bell.rung().await;
        Woken::News
    };
    let client = async { Woken::Client(session.wire.readable().await) };
    let mailbox = async {
        match view {
            Some(view) => view.signal().changed(seen).await,
            None => std::future::pending().await,
        }
        Woken::News
    };
    let still_here = async {
        match still_here_s {
            Some(seconds) => runtime.sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
        Woken::StillHere
    };
    let news = futures_lite::future::or(mailbox, alerts);
    futures_lite::future::or(client, futures_lite::future::or(news, still_here)).await
}
