//! What accounts in memory are made of: state frame, tail, index pages.

use std::rc::Rc;
use std::sync::Arc;

use crate::account::AccountState;
use crate::disk::Disk;
use crate::error::{OpenError, ReadError};
use crate::ids::{AccountId, ChangeNumber, Lsn, MailboxId, Place, Uid};
use crate::index::Page;
use crate::log::FrameKind;
use crate::mail_store::MailStore;
use crate::mail_store::held::{Held, Slot, States, Stored};
use crate::record::{Record, decode_frame};
use crate::recovery::{AccountStart, Base};
use crate::request::{Refusal, Reply};

/// A page that must be read: mailbox, its number there, where it is.
type ColdPage = (MailboxId, usize, Place);

impl<D: Disk> MailStore<D> {
    /// At open: accounts with records behind the newest checkpoint are built from them.
    ///
    /// An I/O error may pass, so it fails the start: an account that was opened without its tail
    /// would lose that to the next checkpoint. Damage does not pass; it closes the account.
    pub(crate) async fn open_account(
        &self,
        account: AccountId,
        begin: AccountStart,
    ) -> Result<(), OpenError> {
        // The table says it already, and nothing comes after it.
        if let Base::Deleted { .. } = begin.base {
            return Ok(());
        }
        let slot = match self.rebuild(account, begin).await? {
            Ok(held) => Slot::Held(held),
            Err(stored) => Slot::Closed(stored),
        };
        self.inner.checkpoint.borrow_mut().note_dirty(account);
        self.inner.accounts.borrow_mut().insert(account, slot);
        Ok(())
    }

    /// Applies the tail to the base. On a damaged base the account is closed.
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
                        gap: false,
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
        let held = Rc::new(Held::new(state, stored, ChangeNumber::default()));
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

    fn count_read_only(&self, read_only: bool) {
        self.note_writable(true, !read_only);
    }

    /// For the health: an account came to be read-only, or no more.
    pub(crate) fn note_writable(&self, was: bool, is: bool) {
        let read_only = self.inner.read_only.get() + usize::from(was);
        self.inner
            .read_only
            .set(read_only.saturating_sub(usize::from(is)));
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

    pub(super) async fn read_state(
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
        self.fold_for_snapshot(account, &held, mailbox);
        let states = held.states.borrow();
        if !states.published.exists() {
            return Err(Refusal::NoSuchAccount);
        }
        let change = held.change(mailbox);
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
