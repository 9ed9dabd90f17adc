//! Good logins of late, so that a client that logs in again does not cost an argon2 hash, and
//! accounts of late, so that a delivery does not wait for the database.
//!
//! Not the password is kept but a digest of it under a key that exists in this process only. A
//! change of an account takes its entry out and raises the stripe's generation, in one step: a
//! check that began before the change cannot enter its result afterwards.

use std::hash::{BuildHasher, RandomState};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};
use std::time::Instant;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::account::Account;
use crate::limits::{CACHE_ACCOUNTS_MAX, CACHE_STRIPES};
use crate::name::AccountName;
use crate::password::Password;

const STRIPE_ACCOUNTS_MAX: usize = CACHE_ACCOUNTS_MAX / CACHE_STRIPES;
const _: () = assert!(STRIPE_ACCOUNTS_MAX > 0);

/// Shared by all shards and the hashing threads.
pub(crate) struct LoginCache {
    /// One block of the hash function, as HMAC takes it.
    key: Zeroizing<[u8; 64]>,
    hasher: RandomState,
    stripes: Box<[RwLock<Stripe>]>,
}

#[derive(Default)]
struct Stripe {
    /// Raised by every invalidation.
    generation: u64,
    logins: BoundedMap<Login>,
    /// Active accounts as they were last read.
    known: BoundedMap<Known>,
}

struct Login {
    digest: [u8; 32],
    account: Account,
    until: Option<Instant>,
}

struct Known {
    account: Account,
    until: Option<Instant>,
}

mod bounded_map;

use bounded_map::BoundedMap;

/// What [`LoginCache::begin`] saw: an entry may only be made while it still holds.
#[derive(Clone, Copy)]
pub(crate) struct Generation(u64);

impl LoginCache {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut key = Zeroizing::new([0; 64]);
        getrandom::fill(key.as_mut_slice())?;
        let stripes = (0..CACHE_STRIPES).map(|_| RwLock::default()).collect();
        Ok(Self {
            key,
            hasher: RandomState::new(),
            stripes,
        })
    }

    /// The account, if this very password was good lately. Never blocks: if another thread holds
    /// the stripe at this moment, the answer is `None` and the slow way finds out.
    pub(crate) fn try_get(&self, name: &AccountName, password: &Password) -> Option<Account> {
        let digest = self.digest(name, password);
        let stripe = self.stripe(name).try_read().ok()?;
        stripe.get(name, &digest)
    }

    /// The same for side threads, which may wait.
    pub(crate) fn get(&self, name: &AccountName, password: &Password) -> Option<Account> {
        let digest = self.digest(name, password);
        let stripe = self
            .stripe(name)
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        stripe.get(name, &digest)
    }

    /// To be called before the account is read from the database.
    pub(crate) fn begin(&self, name: &AccountName) -> Generation {
        let stripe = self
            .stripe(name)
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Generation(stripe.generation)
    }

    /// Remembers a good login, unless an account of this stripe changed since `began`: then it
    /// answers `false`, and the caller looks again whether it was this one.
    pub(crate) fn insert(&self, began: Generation, account: &Account, password: &Password) -> bool {
        self.insert_login(began, account, password, None)
    }

    /// The same for an account whose changes are not told here: until then.
    pub(crate) fn insert_until(
        &self,
        began: Generation,
        account: &Account,
        password: &Password,
        until: Instant,
    ) -> bool {
        self.insert_login(began, account, password, Some(until))
    }

    fn insert_login(
        &self,
        began: Generation,
        account: &Account,
        password: &Password,
        until: Option<Instant>,
    ) -> bool {
        let digest = self.digest(&account.name, password);
        let mut stripe = self.write(&account.name);
        if stripe.generation != began.0 {
            return false;
        }
        let login = Login {
            digest,
            account: account.clone(),
            until,
        };
        stripe
            .logins
            .insert(&account.name, login, STRIPE_ACCOUNTS_MAX);
        true
    }

    /// Forgets an account. When this returns, no login with its old password succeeds from here.
    pub(crate) fn invalidate(&self, name: &AccountName) {
        let mut stripe = self.write(name);
        stripe.generation += 1;
        stripe.logins.remove(name);
        stripe.known.remove(name);
    }

    /// Forgets every account, as what holds for many has changed.
    pub(crate) fn invalidate_all(&self) {
        for stripe in &self.stripes {
            let mut stripe = stripe.write().unwrap_or_else(PoisonError::into_inner);
            let generation = stripe.generation + 1;
            *stripe = Stripe {
                generation,
                ..Stripe::default()
            };
        }
    }

    /// The account, if it was found or logged in lately. Never blocks, as [`Self::try_get`].
    pub(crate) fn try_known(&self, name: &AccountName) -> Option<Account> {
        let stripe = self.stripe(name).try_read().ok()?;
        let known = stripe.known.get(name);
        let known = known.filter(|known| is_valid(known.until));
        // A change of the account takes both away, so what a login saw is as good.
        let login = || {
            let login = stripe.logins.get(name)?;
            is_valid(login.until).then(|| login.account.clone())
        };
        known.map(|known| known.account.clone()).or_else(login)
    }

    /// Remembers an active account. Only for the thread that changes accounts: what it has just
    /// read cannot change before this returns.
    pub(crate) fn insert_known(&self, account: &Account) {
        self.insert_known_account(account, None);
    }

    /// The same for an account whose changes are not told here: until then.
    pub(crate) fn insert_known_until(&self, account: &Account, until: Instant) {
        self.insert_known_account(account, Some(until));
    }

    fn insert_known_account(&self, account: &Account, until: Option<Instant>) {
        let mut stripe = self.write(&account.name);
        let known = Known {
            account: account.clone(),
            until,
        };
        stripe
            .known
            .insert(&account.name, known, STRIPE_ACCOUNTS_MAX);
    }

    fn write(&self, name: &AccountName) -> RwLockWriteGuard<'_, Stripe> {
        self.stripe(name)
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn stripe(&self, name: &AccountName) -> &RwLock<Stripe> {
        let hash = usize::try_from(self.hasher.hash_one(name) % CACHE_STRIPES as u64);
        &self.stripes[hash.unwrap_or(0)]
    }

    /// The name is part of the digest, with its length before it, so that equal passwords of two
    /// accounts do not show as equal.
    fn digest(&self, name: &AccountName, password: &Password) -> [u8; 32] {
        let key: &[u8; 64] = &self.key;
        Hmac::<Sha256>::new(key.into())
            .chain_update((name.as_str().len() as u64).to_le_bytes())
            .chain_update(name.as_str())
            .chain_update(password.as_bytes())
            .finalize()
            .into_bytes()
            .into()
    }
}

impl Stripe {
    fn get(&self, name: &AccountName, digest: &[u8; 32]) -> Option<Account> {
        let login = self.logins.get(name)?;
        let is_same = bool::from(login.digest.ct_eq(digest));
        (is_same && is_valid(login.until)).then(|| login.account.clone())
    }
}

fn is_valid(until: Option<Instant>) -> bool {
    until.is_none_or(|until| Instant::now() < until)
}

#[cfg(test)]
mod tests;
