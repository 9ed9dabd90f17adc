//! Settles moves between accounts that a crash, or the end of a session, has left open.

use crate::account::OpenMove;
use crate::ids::AccountId;
use crate::request::{Operation, Refusal, Reply};

/// Asks the owner of an account, as the system.
pub trait Ask {
    /// One request.
    fn ask(
        &self,
        account: AccountId,
        operation: Operation,
    ) -> impl Future<Output = Result<Reply, Refusal>>;
}

/// Brings one move of `account` to its end. An error: whoever must be asked did not answer, and
/// the move stays open until the account comes into memory again.
pub async fn settle(owners: &impl Ask, account: AccountId, open: OpenMove) -> Result<(), Refusal> {
    match open {
        OpenMove::Out { number, to } => settle_out(owners, account, number, to).await.map(drop),
        OpenMove::Into { from, number } => {
            let asked = owners.ask(from, Operation::IsMoveOpen { number }).await;
            if is_so(asked)? {
                // Its source settles it, having been asked.
                return Ok(());
            }
            forget(owners, account, from, number).await
        }
    }
}

/// Brings a move out of `from` to its end: whether the destination has taken the messages.
pub async fn settle_out(
    owners: &impl Ask,
    from: AccountId,
    number: u64,
    to: AccountId,
) -> Result<bool, Refusal> {
    let asked = owners.ask(to, Operation::AskMove { from, number }).await;
    let taken = is_so(asked)?;
    owners
        .ask(from, Operation::EndMove { number, taken })
        .await?;
    // What the destination remembers is settled when it is looked at again.
    let _ = forget(owners, to, from, number).await;
    Ok(taken)
}

/// The destination need not remember a move that is over at its source.
pub async fn forget(
    owners: &impl Ask,
    to: AccountId,
    from: AccountId,
    number: u64,
) -> Result<(), Refusal> {
    owners
        .ask(to, Operation::ForgetMove { from, number })
        .await
        .map(drop)
}

/// An account that is no more has no move open and has taken nothing.
fn is_so(asked: Result<Reply, Refusal>) -> Result<bool, Refusal> {
    match asked {
        Ok(Reply::MoveState(state)) => Ok(state),
        Ok(_) => Err(Refusal::Unknown),
        Err(Refusal::NoSuchAccount) => Ok(false),
        Err(refusal) => Err(refusal),
    }
}
