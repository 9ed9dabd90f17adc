//! Accounts come into memory when they are used: state frame, tail, index pages.

use std::rc::Rc;
use std::sync::Arc;

use crate::account::AccountState;
use crate::disk::Disk;
use crate::error::{OpenError, ReadError};
use crate::ids::{AccountId, ChangeNumber, Lsn, MailboxId, MailboxKey, Place, Uid};
use crate::index::Page;
use crate::log::FrameKind;
use crate::log::wake::Signal;
use crate::mail_store::MailStore;
use crate::mail_store::held::{Held, Slot, States, Stored};
use crate::record::{Record, decode_frame};
use crate::recovery::{AccountStart, Base};
use crate::request::{Refusal, Reply};

/// A page that must be read: mailbox, its number there, where it is.
type ColdPage = (MailboxId, usize, Place);

impl<D: Disk> MailStore<D> {
    /// At open: accounts whose newest state a checkpoint wrote stay on the disk, all others are
    /// built from their records.
    ///
    /// An I/O error may pass, so it fails the start: an account that was opened without its tail
    /// would lose that to the next checkpoint. Damage does not pass; it closes the account.
    pub(crate) async fn open_account(
        &self,
        account: AccountId,
        begin: AccountStart,
    ) -> Result<(), OpenError> {
        let slot = match begin.base {
            Base::At { lsn, place } if begin.tail.is_empty() => {
                self.count_read_only(begin.gap);
                Slot::Cold(Stored {
                    lsn,
                    place,
                    gap: begin.gap,
                })
            }
            Base::Deleted { lsn } => Slot::Deleted { lsn },
            Base::At { .. } | Base::Nothing => {
                let rebuilt = self.rebuild(account, begin).await?;
                self.inner.checkpoint.borrow_mut().note_dirty(account);
                match rebuilt {
                    Ok(held) => Slot::Held(held),
                    Err(stored) => Slot::Cold(stored),
                }
            }
        };
        self.inner.accounts.borrow_mut().insert(account, slot);
        Ok(())
    }

    /// Applies the tail to the base. On a damaged base the account stays cold, and every request
    /// for it is refused as unreadable.
    async fn rebuild(
        &self,
        account: AccountId,
        begin: AccountStart,
    ) -> Result<Result<Rc<Held>, Stored>, OpenError> {
        let (state, stored) = match begin.base {
            Base::At { lsn, place } => match self.read_state(account, lsn, place).await {
                Ok(state) => (
                    state,
                    Some(Stored {
                        lsn,
                        place,
                        gap: begin.gap,
                    }),
                ),
                Err(ReadError::Io(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(%account, %error, "account state is unreadable");
                    self.count_read_only(true);
                    // What lies behind it is not in memory, so nothing may be written.
                    return Ok(Err(Stored {
                        lsn,
                        place,
                        gap: true,
                    }));
                }
            },
            Base::Nothing | Base::Deleted { .. } => (AccountState::default(), None),
        };
        let held = Rc::new(Held::new(state, stored));
        held.states.borrow_mut().gap = begin.gap;
        let from_nothing = stored.is_none();
        for tail in begin.tail {
            let Ok(records) = decode_frame(&tail.payload) else {
                tracing::error!(%account, lsn = tail.lsn.0, "record is unreadable: read-only");
                held.states.borrow_mut().gap = true;
                break;
            };
            if !self.warm_for(account, &held, &records).await? {
                held.states.borrow_mut().incomplete = true;
                break;
            }
            self.replay(
                account,
                &mut held.states.borrow_mut(),
                &records,
                tail.lsn,
                from_nothing,
            );
        }
        let mut states = held.states.borrow_mut();
        if from_nothing {
            self.inner.live.count_account(account, &states.published);
        }
        states.gap |= states.published.damaged();
        states.replan();
        self.count_read_only(!states.is_writable());
        drop(states);
        Ok(Ok(held))
    }

    /// Reads the pages that the replay of these records needs. False: one of them is damaged.
    async fn warm_for(
        &self,
        account: AccountId,
        held: &Rc<Held>,
        records: &[Record],
    ) -> Result<bool, OpenError> {
        for record in records {
            let pages = held.states.borrow().published.reads_pages(record);
            match self.warm_pages(account, held, &pages).await {
                Ok(()) => {}
                Err(ReadError::Io(error)) => return Err(error.into()),
                Err(ReadError::Missing | ReadError::Damaged) => return Ok(false),
            }
        }
        Ok(true)
    }

    fn count_read_only(&self, gap: bool) {
        self.inner
            .read_only
            .set(self.inner.read_only.get() + usize::from(gap));
    }

    fn replay(
        &self,
        account: AccountId,
        states: &mut States,
        records: &[Record],
        lsn: Lsn,
        from_nothing: bool,
    ) {
        for record in records {
            if let Record::Restated { part, parts, .. } = record
                && part + 1 == *parts
            {
                states.restated = Lsn(lsn.0.saturating_sub(u64::from(*part)));
            }
            if from_nothing {
                states.published.apply(record);
            } else {
                let effects = states.published.apply_published(record, None);
                self.inner.live.note(account, record, &effects);
            }
        }
        states.published.set_lsn(lsn);
        states.planned.set_lsn(lsn);
    }

    /// The account, read from the disk if it has to be. `Ok(None)`: nothing is known of the id.
    pub(crate) async fn load(&self, account: AccountId) -> Result<Option<Rc<Held>>, Refusal> {
        loop {
            match self.look_up(account) {
                Known::Nothing => return Ok(None),
                Known::Held(held) => return Ok(Some(held)),
                Known::Loading(done, seen) => done.changed_since(seen).await,
                Known::Cold(mut load) => {
                    let stored = load.stored;
                    match self.read_state(account, stored.lsn, stored.place).await {
                        Ok(state) => {
                            load.read = Some(Rc::new(Held::new(state, Some(stored))));
                        }
                        Err(error) => {
                            tracing::error!(%account, %error, "account state is unreadable");
                            self.count(|counters| counters.unreadable += 1);
                            return Err(Refusal::Unreadable);
                        }
                    }
                }
            }
        }
    }

    fn look_up(&self, account: AccountId) -> Known<D> {
        let mut accounts = self.inner.accounts.borrow_mut();
        match accounts.get_mut(&account) {
            None => Known::Nothing,
            Some(Slot::Held(held)) => {
                let uses = self.inner.uses.get() + 1;
                self.inner.uses.set(uses);
                held.used.set(uses);
                Known::Held(held.clone())
            }
            Some(Slot::Deleted { lsn }) => {
                Known::Held(Rc::new(Held::new(deleted_state(*lsn), None)))
            }
            Some(Slot::Loading { done, .. }) => Known::Loading(done.clone(), done.generation()),
            Some(slot @ Slot::Cold(_)) => {
                let Slot::Cold(stored) = *slot else {
                    return Known::Nothing;
                };
                let done = Rc::new(Signal::default());
                *slot = Slot::Loading {
                    stored,
                    done: done.clone(),
                };
                Known::Cold(Load {
                    store: self.clone(),
                    account,
                    stored,
                    done,
                    read: None,
                })
            }
        }
    }

    async fn read_state(
        &self,
        account: AccountId,
        lsn: Lsn,
        place: Place,
    ) -> Result<AccountState, ReadError> {
        let kinds = &[FrameKind::AccountState];
        let (_, payload) = self
            .inner
            .reader
            .read_frame(account, lsn.0, place, kinds)
            .await?;
        AccountState::decode(&payload).map_err(|_| ReadError::Damaged)
    }

    /// Reads the pages of these mailboxes that are not in memory, for both states. They stay
    /// until the next `await` of the caller that holds the account.
    pub(crate) async fn warm(
        &self,
        account: AccountId,
        held: &Rc<Held>,
        mailboxes: &[MailboxId],
    ) -> Result<(), Refusal> {
        let warmed = self.warm_pages(account, held, mailboxes).await;
        warmed.map_err(|_| Refusal::Unreadable)
    }

    async fn warm_pages(
        &self,
        account: AccountId,
        held: &Rc<Held>,
        mailboxes: &[MailboxId],
    ) -> Result<(), ReadError> {
        loop {
            let cold = cold_pages(&held.states.borrow(), mailboxes);
            if cold.is_empty() {
                return Ok(());
            }
            for (mailbox, at, place) in cold {
                let read = self.read_page(account, mailbox, place).await;
                let page = read.inspect_err(|error| {
                    tracing::error!(%account, ?mailbox, %error, "index page is unreadable");
                    self.count(|counters| counters.unreadable += 1);
                })?;
                if !warm_page(&mut held.states.borrow_mut(), mailbox, at, place, &page) {
                    tracing::error!(%account, ?mailbox, "index page is another one");
                    return Err(ReadError::Damaged);
                }
            }
        }
    }

    async fn read_page(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        place: Place,
    ) -> Result<Arc<Page>, ReadError> {
        let (id, kinds) = (u64::from(mailbox.0), &[FrameKind::IndexPage]);
        let (_, payload) = self
            .inner
            .reader
            .read_frame(account, id, place, kinds)
            .await?;
        Page::from_bytes(&payload)
            .map(Arc::new)
            .map_err(|_| ReadError::Damaged)
    }

    /// The published state of a mailbox, for a view.
    pub(crate) async fn snapshot(
        &self,
        account: AccountId,
        mailbox: MailboxId,
    ) -> Result<Reply, Refusal> {
        let held = self.load(account).await?.ok_or(Refusal::NoSuchAccount)?;
        self.warm(account, &held, &[mailbox]).await?;
        // Nothing is published between these lines: there is no wait.
        let states = held.states.borrow();
        if !states.published.exists() {
            return Err(Refusal::NoSuchAccount);
        }
        let change = self.change_number(MailboxKey { account, mailbox });
        let snapshot = states.published.snapshot(mailbox, change);
        snapshot.map(Reply::Snapshot).ok_or(Refusal::NoSuchMailbox)
    }

    /// Where a message's frames are now.
    pub(crate) async fn locate(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uid: Uid,
    ) -> Result<Reply, Refusal> {
        let held = self.load(account).await?.ok_or(Refusal::NoSuchAccount)?;
        self.warm(account, &held, &[mailbox]).await?;
        let states = held.states.borrow();
        let mailbox = states
            .published
            .mailbox(mailbox)
            .ok_or(Refusal::NoSuchMailbox)?;
        let entry = mailbox.index.get(uid).ok_or(Refusal::MessageGone)?;
        let (body_place, summary_place) = (entry.body_place, entry.summary_place);
        Ok(Reply::Located {
            body: entry.body,
            body_place,
            summary_place,
        })
    }

    /// A mailbox's newest published change in this process.
    pub(crate) fn change_number(&self, key: MailboxKey) -> ChangeNumber {
        self.inner
            .changes
            .borrow()
            .get(&key)
            .copied()
            .unwrap_or_default()
    }
}

/// What is known of an account id now.
enum Known<D: Disk> {
    Nothing,
    Held(Rc<Held>),
    /// Somebody reads it; wait from this generation of the signal on.
    Loading(Rc<Signal>, u64),
    /// It is ours to read.
    Cold(Load<D>),
}

/// A load in progress. When it is dropped, done or not, whoever waits goes on.
struct Load<D: Disk> {
    store: MailStore<D>,
    account: AccountId,
    stored: Stored,
    done: Rc<Signal>,
    read: Option<Rc<Held>>,
}

impl<D: Disk> Drop for Load<D> {
    fn drop(&mut self) {
        let slot = self.read.take().map_or(Slot::Cold(self.stored), Slot::Held);
        let mut accounts = self.store.inner.accounts.borrow_mut();
        accounts.insert(self.account, slot);
        drop(accounts);
        self.done.notify();
    }
}

/// A deleted account as its records would have left it.
fn deleted_state(lsn: Lsn) -> AccountState {
    let mut state = AccountState::default();
    state.apply(&Record::AccountDeleted);
    state.set_lsn(lsn);
    state
}

fn cold_pages(states: &States, mailboxes: &[MailboxId]) -> Vec<ColdPage> {
    let mut cold = Vec::new();
    for mailbox in mailboxes {
        for state in [&states.published, &states.planned] {
            let pages = state
                .mailbox(*mailbox)
                .map_or(&[][..], |held| held.index.pages());
            for (at, slot) in pages.iter().enumerate() {
                if slot.page.is_none()
                    && let Some(place) = slot.place
                {
                    cold.push((*mailbox, at, place));
                }
            }
        }
    }
    cold.dedup();
    cold
}

/// Puts a page that was read into whichever state still has it there. False: it is not the page
/// that the state describes.
fn warm_page(
    states: &mut States,
    mailbox: MailboxId,
    at: usize,
    place: Place,
    page: &Arc<Page>,
) -> bool {
    let mut fits = true;
    for state in [&mut states.published, &mut states.planned] {
        let Some(index) = state.index_mut(mailbox) else {
            continue;
        };
        let slot = index.pages().get(at);
        if slot.is_some_and(|slot| slot.place == Some(place) && slot.page.is_none()) {
            fits &= index.warm(at, page.clone());
        }
    }
    fits
}
