//! Which cores hear of a mailbox's changes. Lives on the shard that owns the mailbox.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;
use storage_engine::ids::MailboxKey;
use storage_engine::view::Change;

type Publish = Box<dyn Fn(&MailboxKey, &Arc<Change>, &[usize])>;

/// The cores that watch each mailbox, and the way to them.
#[derive(Default)]
pub struct Watchers {
    cores: RefCell<HashMap<MailboxKey, SmallVec<[usize; 4]>>>,
    publish: RefCell<Option<Publish>>,
}

impl Watchers {
    /// The way to the cores, known once the shard stands.
    pub fn attach(&self, publish: impl Fn(&MailboxKey, &Arc<Change>, &[usize]) + 'static) {
        *self.publish.borrow_mut() = Some(Box::new(publish));
    }

    /// `core` hears of changes from now on.
    pub fn add(&self, key: MailboxKey, core: usize) {
        let mut cores = self.cores.borrow_mut();
        let watching = cores.entry(key).or_default();
        if !watching.contains(&core) {
            watching.push(core);
        }
    }

    /// `core` does not any more.
    pub fn remove(&self, key: MailboxKey, core: usize) {
        let mut cores = self.cores.borrow_mut();
        if let Some(watching) = cores.get_mut(&key) {
            watching.retain(|watcher| *watcher != core);
            if watching.is_empty() {
                cores.remove(&key);
            }
        }
    }

    /// Tells the cores that watch the mailbox.
    pub fn published(&self, key: &MailboxKey, change: &Arc<Change>) {
        let Some(watching) = self.cores.borrow().get(key).cloned() else {
            return;
        };
        if let Some(publish) = &*self.publish.borrow() {
            publish(key, change, &watching);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    use storage_engine::ids::{AccountId, ChangeNumber, MailboxId};
    use storage_engine::view::ChangeKind;

    fn key(mailbox: u32) -> MailboxKey {
        MailboxKey {
            account: AccountId([7; 16]),
            mailbox: MailboxId(mailbox),
        }
    }

    #[test]
    fn a_change_reaches_the_cores_that_watch_its_mailbox_once_each() {
        let watchers = Watchers::default();
        let heard: Rc<RefCell<Vec<Vec<usize>>>> = Rc::default();
        let hearing = heard.clone();
        watchers.attach(move |_, _, cores| hearing.borrow_mut().push(cores.to_vec()));
        let change = Arc::new(Change {
            number: ChangeNumber(1),
            kind: ChangeKind::Ended,
        });
        let publish = |mailbox| watchers.published(&key(mailbox), &change);
        publish(1);
        watchers.add(key(1), 0);
        watchers.add(key(1), 3);
        watchers.add(key(1), 3);
        watchers.add(key(2), 5);
        publish(1);
        watchers.remove(key(1), 0);
        watchers.remove(key(2), 0);
        publish(1);
        watchers.remove(key(1), 3);
        publish(1);
        assert_eq!(*heard.borrow(), [vec![0, 3], vec![3]]);
        assert_eq!(
            watchers.cores.borrow().len(),
            1,
            "nothing is kept for nobody"
        );
    }
}
