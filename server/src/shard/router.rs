//! A request finds the shard that owns its account, here or by message; and what peers ask of us.

use std::rc::Rc;
use std::sync::Arc;

use storage_engine::ids::{AccountId, MailboxKey};
use storage_engine::index::MailboxSnapshot;
use storage_engine::request::{Actor, Operation, Refusal, Reply, Request};
use storage_engine::view::Change;

use crate::runtime::{Runtime, vital};

use super::Shard;
use super::alerts;
use super::message::{Answer, Message, Question};
use super::view::SharedView;

impl<R: Runtime> Shard<R> {
    /// The shard that owns `account`.
    pub fn owner(&self, account: AccountId) -> usize {
        account.slice().shard(self.0.outboxes.len())
    }

    /// Asks the owner of `account` on behalf of `actor`; ends when the answer may be told to a
    /// client.
    pub async fn request(
        &self,
        account: AccountId,
        actor: Actor,
        operation: Operation,
    ) -> Result<Reply, Refusal> {
        let request = Request {
            account,
            actor,
            now_s: self.runtime().wall_s(),
            operation,
        };
        let owner = self.owner(account);
        if owner == self.index() {
            return self.execute(request).await;
        }
        match self.ask(owner, Question::Request(Box::new(request))).await {
            Answer::Reply(reply) => reply,
            Answer::Done(_) => Err(Refusal::Unknown),
        }
    }

    /// Waits until the views here have every change of `account`'s mailboxes that was published
    /// before: what another connection was told as done is then seen here too.
    pub async fn catch_up(&self, account: AccountId) -> Result<(), Refusal> {
        let owner = self.owner(account);
        if owner == self.index() {
            return Ok(());
        }
        self.ask_done(owner, Question::CatchUp).await
    }

    /// Asks the owner whether a session of `account` may begin. The session is in the table with
    /// its account before this is called, so that a deletion either refuses it or ends it.
    pub async fn admit(&self, account: AccountId) -> Result<(), Refusal> {
        self.ask_done(self.owner(account), Question::Admit(account))
            .await
    }

    /// Has the owner refuse new sessions of `account`, then ends those there are, on all shards.
    pub async fn close_account(&self, account: AccountId) -> Result<(), Refusal> {
        self.ask_done(self.owner(account), Question::Close(account))
            .await?;
        self.ask_all(|| Question::EndSessions(account)).await
    }

    /// Ends the sessions of `account` on all shards; new ones may begin at once.
    pub async fn end_account_sessions(&self, account: AccountId) -> Result<(), Refusal> {
        self.ask_all(|| Question::EndSessions(account)).await
    }

    /// Has every session that is logged in look for alerts of its domain and of the server.
    pub async fn ring_all(&self) -> Result<(), Refusal> {
        self.ask_all(|| Question::RingAll).await
    }

    /// Asks every shard, this one included, one after the other.
    async fn ask_all(&self, question: impl Fn() -> Question) -> Result<(), Refusal> {
        self.ask_done(self.index(), question()).await?;
        self.ask_others(question).await
    }

    /// Asks every other shard, one after the other.
    pub(super) async fn ask_others(&self, question: impl Fn() -> Question) -> Result<(), Refusal> {
        for shard in (0..self.0.outboxes.len()).filter(|shard| *shard != self.index()) {
            self.ask_done(shard, question()).await?;
        }
        Ok(())
    }

    /// The view of a mailbox on this core; made from the owner's snapshot for the first session.
    /// The caller has entered it and leaves it with [`Shard::unwatch`].
    pub fn watch(&self, key: MailboxKey) -> Rc<SharedView> {
        if let Some(view) = self
            .0
            .views
            .borrow()
            .get(&key)
            .filter(|view| !view.is_ended())
        {
            view.enter();
            return view.clone();
        }
        let watch = self.0.sessions.next_number();
        let view = SharedView::pending(key, watch);
        view.enter();
        self.0.views.borrow_mut().insert(key, view.clone());
        let owner = self.owner(key.account);
        if owner == self.index() {
            self.watch_for(owner, key, watch);
        } else if let Some(outbox) = self.0.outboxes.get(owner) {
            outbox.push(Message::Watch(key, watch));
        }
        view
    }

    /// A session leaves the view; the last one ends it.
    pub fn unwatch(&self, view: &Rc<SharedView>) {
        if view.leave() > 0 {
            return;
        }
        let mut views = self.0.views.borrow_mut();
        // An ended view may have been replaced by a fresh one under the same key.
        if views
            .get(&view.key)
            .is_some_and(|current| Rc::ptr_eq(current, view))
        {
            views.remove(&view.key);
            drop(views);
            let owner = self.owner(view.key.account);
            if owner == self.index() {
                self.0.watchers.remove(view.key, owner);
            } else if let Some(outbox) = self.0.outboxes.get(owner) {
                outbox.push(Message::Unwatch(view.key));
            }
        }
    }

    /// Asks one shard; itself too.
    async fn ask(&self, shard: usize, question: Question) -> Answer {
        if shard == self.index() {
            return self.answer(question).await;
        }
        let Some(outbox) = self.0.outboxes.get(shard) else {
            return Answer::Done(Err(Refusal::Unknown));
        };
        outbox.room().await;
        let call = self.0.calls.open(shard);
        outbox.push(Message::Call {
            id: call.id(),
            question,
        });
        call.await
    }

    async fn ask_done(&self, shard: usize, question: Question) -> Result<(), Refusal> {
        match self.ask(shard, question).await {
            Answer::Done(done) => done,
            Answer::Reply(reply) => reply.map(drop),
        }
    }

    /// A message from `peer`. Never waits: what takes time gets a task.
    pub(super) fn receive(&self, peer: usize, message: Message) {
        match message {
            Message::Call { id, question } => {
                let shard = self.clone();
                self.runtime().spawn(async move {
                    let answer = shard.answer(question).await;
                    if let Some(outbox) = shard.0.outboxes.get(peer) {
                        outbox.push(Message::Answer { id, answer });
                    }
                });
            }
            Message::Answer { id, answer } => self.0.calls.answer(id, answer),
            Message::Watch(key, watch) => self.watch_for(peer, key, watch),
            Message::Unwatch(key) => self.0.watchers.remove(key, peer),
            Message::Watched(key, watch, snapshot) => self.watched(key, watch, snapshot),
            Message::Missed(key) => self.watch_again(peer, key),
            Message::Changed(key, change) => self.changed(key, &change),
            Message::Alerted(account) => self.sessions().ring_account(account),
        }
    }

    /// The snapshot for a view has come. One that an earlier view asked for is not for this one:
    /// changes between the two watches were not sent here.
    fn watched(&self, key: MailboxKey, watch: u64, snapshot: Result<MailboxSnapshot, Refusal>) {
        if let Some(view) = self.view_of(key).filter(|view| view.watch() == watch) {
            view.install(snapshot);
            self.end_laggards(&view);
        }
    }

    /// This core was too slow for the owner's changes: it makes up for them by a new snapshot, so
    /// that its sessions go on.
    fn watch_again(&self, owner: usize, key: MailboxKey) {
        let watch = self.0.sessions.next_number();
        if let Some(view) = self.view_of(key)
            && view.missed(watch)
            && let Some(outbox) = self.0.outboxes.get(owner)
        {
            tracing::debug!(?key, "changes were missed; asking for a snapshot");
            outbox.push(Message::Watch(key, watch));
        }
    }

    /// A change of a mailbox that has a view here.
    fn changed(&self, key: MailboxKey, change: &Arc<Change>) {
        if let Some(view) = self.view_of(key) {
            view.apply(change);
            self.end_laggards(&view);
        }
    }

    /// A client that is silent hears of nothing; it would pin what went until its time-out.
    fn end_laggards(&self, view: &SharedView) {
        for selection in view.laggards() {
            self.0.sessions.end_selection(selection.session);
        }
    }

    /// Registers `peer` first and takes the snapshot then: no change falls between the two, and
    /// those that come twice are told by their number.
    fn watch_for(&self, peer: usize, key: MailboxKey, watch: u64) {
        self.0.watchers.add(key, peer);
        let shard = self.clone();
        self.runtime().spawn(async move {
            let operation = Operation::Snapshot {
                mailbox: key.mailbox,
            };
            let now_s = shard.runtime().wall_s();
            let request = Request {
                account: key.account,
                // A view is the core's, for whoever may select the mailbox.
                actor: Actor::System,
                now_s,
                operation,
            };
            let snapshot = match shard.execute(request).await {
                Ok(Reply::Snapshot(snapshot)) => Ok(snapshot),
                Ok(_) => Err(Refusal::Unknown),
                Err(refusal) => Err(refusal),
            };
            if peer == shard.index() {
                shard.watched(key, watch, snapshot);
            } else if let Some(outbox) = shard.0.outboxes.get(peer) {
                outbox.push(Message::Watched(key, watch, snapshot));
            }
        });
    }

    /// A change has become durable: tells the cores that watch the mailbox. Runs inside the
    /// store's publish step, before any answer that rests on the change.
    pub(super) fn publish(&self, key: &MailboxKey, change: &Arc<Change>, peers: &[usize]) {
        for &peer in peers {
            if peer == self.index() {
                self.changed(*key, change);
                continue;
            }
            let Some(outbox) = self.0.outboxes.get(peer) else {
                continue;
            };
            if outbox.waiting() < self.0.shared.changes_waiting_max {
                outbox.push(Message::Changed(*key, change.clone()));
            } else {
                // The peer watches again and gets a snapshot instead of all these changes.
                self.0.watchers.remove(*key, peer);
                outbox.push(Message::Missed(*key));
            }
        }
    }

    /// A peer has ended: nothing that it owns is answered, or heard of, any more.
    pub(super) fn peer_gone(&self, peer: usize) {
        self.0.calls.peer_gone(peer);
        let views = self.0.views.borrow();
        let theirs = views
            .values()
            .filter(|view| self.owner(view.key.account) == peer);
        theirs.for_each(|view| view.end(Refusal::Unknown));
    }

    /// Has our own store do it. A panic in there would leave half a change behind for others to
    /// read, whoever asked: it ends the process.
    async fn execute(&self, request: Request) -> Result<Reply, Refusal> {
        if self.0.ending.get() {
            return Err(Refusal::Unknown);
        }
        vital(self.store().execute(request)).await
    }

    fn view_of(&self, key: MailboxKey) -> Option<Rc<SharedView>> {
        self.0.views.borrow().get(&key).cloned()
    }

    async fn answer(&self, question: Question) -> Answer {
        match question {
            Question::Request(request) => Answer::Reply(self.execute(*request).await),
            // The channel keeps the order; nothing else is needed.
            Question::CatchUp => Answer::Done(Ok(())),
            Question::Admit(account) => {
                let known = vital(self.store().has_account(account)).await;
                // Looked at last: it may have been closed while the store was asked.
                let closed = self.0.closed.borrow().contains(&account);
                Answer::Done(match known {
                    Ok(true) if !closed => Ok(()),
                    Ok(_) => Err(Refusal::NoSuchAccount),
                    Err(refusal) => Err(refusal),
                })
            }
            Question::Close(account) => {
                self.0.closed.borrow_mut().insert(account);
                Answer::Done(Ok(()))
            }
            Question::EndSessions(account) => {
                self.sessions().end_account(account).await;
                Answer::Done(Ok(()))
            }
            Question::RingAll => {
                // Not waited for: with very many sessions it takes a while.
                self.runtime().spawn(alerts::ring_all(self.clone()));
                Answer::Done(Ok(()))
            }
            Question::Evacuate(segment) => {
                let evacuated = !self.0.ending.get() && self.store().evacuate(segment).await;
                Answer::Done(if evacuated {
                    Ok(())
                } else {
                    Err(Refusal::Unknown)
                })
            }
            Question::Forget(segment) => {
                self.store().forget(segment);
                Answer::Done(Ok(()))
            }
        }
    }
}
