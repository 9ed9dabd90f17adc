//! Dovecot's passwd-file as a back end: `user:password:uid:gid:gecos:home:shell:extra fields`.
//!
//! The password may be anything that [`StoredHash::parse`] reads; without a `{SCHEME}` it is
//! crypt's. Of the extra fields, `nologin` closes the account, and `userdb_quota_rule` (or
//! `userdb_quota_storage_size`) says what it may hold. All else is of no use here.
//!
//! The file is read again when it changes, once it has not changed for a second: half a file would
//! make mail for the other half bounce. Better still, replace it by a rename.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Instant, SystemTime};

use crate::account::Quota;
use crate::backend::{Answer, Backend, BackendError, Entry, Proof};
use crate::hash::StoredHash;
use crate::import::parse_size;
use crate::limits::{PASSWD_FILE_BYTES_MAX, PASSWD_FILE_EVERY};
use crate::name::AccountName;
use crate::password::Password;

/// Fields of a line; the last may have colons in it.
const FIELDS: usize = 8;

/// The accounts of one file.
pub struct PasswdFile {
    path: PathBuf,
    default_domain: String,
    loaded: RwLock<Option<Loaded>>,
    /// Held by whoever looks at the file.
    looking: tokio::sync::Mutex<()>,
}

/// What was read, and from which file.
#[derive(Clone)]
struct Loaded {
    accounts: Arc<HashMap<AccountName, Entry>>,
    stamp: Stamp,
    looked: Instant,
}

/// Tells two contents of the file apart.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    changed: Option<SystemTime>,
    bytes: u64,
    inode: u64,
}

impl PasswdFile {
    /// The accounts of this file. Names without a domain belong to the default one. Nothing is read
    /// before the first question.
    pub fn new(path: PathBuf, default_domain: String) -> Self {
        Self {
            path,
            default_domain,
            loaded: RwLock::default(),
            looking: tokio::sync::Mutex::default(),
        }
    }

    async fn accounts(&self) -> Result<Arc<HashMap<AccountName, Entry>>, BackendError> {
        let loaded = self.loaded();
        let is_fresh = |loaded: &Loaded| loaded.looked.elapsed() < PASSWD_FILE_EVERY;
        if let Some(loaded) = loaded.as_ref().filter(|loaded| is_fresh(loaded)) {
            return Ok(loaded.accounts.clone());
        }
        let _looking = match (self.looking.try_lock(), loaded) {
            (Ok(looking), _) => looking,
            // Somebody looks already; what was read before will do.
            (Err(_), Some(loaded)) => return Ok(loaded.accounts),
            (Err(_), None) => self.looking.lock().await,
        };
        let before = self.loaded();
        if let Some(loaded) = before.as_ref().filter(|loaded| is_fresh(loaded)) {
            return Ok(loaded.accounts.clone());
        }
        let (path, default_domain) = (self.path.clone(), self.default_domain.clone());
        let looked = move || look(&path, &default_domain, before);
        let loaded = tokio::task::spawn_blocking(looked).await;
        let loaded = loaded.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        let loaded = loaded.map_err(|error| {
            BackendError::Unavailable(format!("{}: {error}", self.path.display()))
        })?;
        let accounts = loaded.accounts.clone();
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded);
        Ok(accounts)
    }

    fn loaded(&self) -> Option<Loaded> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.clone()
    }
}

impl Backend for PasswdFile {
    fn kind(&self) -> &'static str {
        "passwd-file"
    }

    fn find<'a>(&'a self, name: &'a AccountName) -> Answer<'a, Option<Entry>> {
        Box::pin(async { Ok(self.accounts().await?.get(name).cloned()) })
    }

    fn bind<'a>(&'a self, _who: &'a str, _password: &'a Password) -> Answer<'a, bool> {
        Box::pin(async { Err(BackendError::Entry("a file binds nobody".to_owned())) })
    }
}

/// Reads the file, unless it is the one that was read before or is being written.
fn look(
    path: &Path,
    default_domain: &str,
    before: Option<Loaded>,
) -> Result<Loaded, std::io::Error> {
    let looked = Instant::now();
    let file = File::open(path)?;
    let stamp = Stamp::of(&file.metadata()?);
    if let Some(before) = before
        && (before.stamp == stamp || !stamp.is_settled())
    {
        return Ok(Loaded { looked, ..before });
    }
    let mut text = String::new();
    file.take(PASSWD_FILE_BYTES_MAX).read_to_string(&mut text)?;
    if text.len() as u64 >= PASSWD_FILE_BYTES_MAX {
        return Err(std::io::Error::other("the file is too large"));
    }
    let accounts = Arc::new(parse(&text, default_domain));
    tracing::info!(path = %path.display(), accounts = accounts.len(), "accounts were read");
    Ok(Loaded {
        accounts,
        stamp,
        looked,
    })
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            changed: metadata.modified().ok(),
            bytes: metadata.len(),
            inode: metadata.ino(),
        }
    }

    /// Whether nobody is likely to be writing it. A time in the future says nothing.
    fn is_settled(&self) -> bool {
        let age = self.changed.and_then(|changed| changed.elapsed().ok());
        age.is_none_or(|age| age >= PASSWD_FILE_EVERY)
    }
}

/// All accounts of a text. A line that is none is traced by its number, as it may have a password
/// in it; of two lines for one name the first counts, as in Dovecot.
fn parse(text: &str, default_domain: &str) -> HashMap<AccountName, Entry> {
    let mut accounts = HashMap::new();
    for (line, number) in text.lines().zip(1_u64..) {
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        match parse_line(line, default_domain) {
            Ok((name, entry)) => {
                accounts.entry(name).or_insert(entry);
            }
            Err(reason) => tracing::warn!(line = number, reason, "not an account"),
        }
    }
    accounts
}

fn parse_line(line: &str, default_domain: &str) -> Result<(AccountName, Entry), &'static str> {
    let mut fields = line.splitn(FIELDS, ':');
    let name = AccountName::parse(fields.next().unwrap_or_default(), default_domain);
    let name = name.map_err(|_| "the name is no name")?;
    let password = fields.next().unwrap_or_default();
    let secrets = match password {
        "" => Vec::new(),
        text => match StoredHash::parse(text) {
            Ok(hash) => vec![hash],
            // Its mail is delivered all the same.
            Err(_) => {
                tracing::warn!(%name, "the password cannot be verified here");
                Vec::new()
            }
        },
    };
    let extra = fields.nth(FIELDS - 3).unwrap_or_default();
    let (quota, enabled) = parse_extra(extra)?;
    let entry = Entry {
        proof: Proof::Secrets(secrets),
        stable_id: None,
        quota,
        settings: Vec::new(),
        enabled,
    };
    Ok((name, entry))
}

/// What the extra fields say of the quota, and whether the account is open.
fn parse_extra(extra: &str) -> Result<(Option<Quota>, bool), &'static str> {
    let (mut quota, mut enabled) = (None::<Quota>, true);
    for field in extra.split_ascii_whitespace() {
        let (key, value) = field.split_once('=').unwrap_or((field, "y"));
        match key {
            "nologin" => enabled = matches!(value, "n" | "no"),
            "userdb_quota_rule" => {
                let (_, limits) = value.split_once(':').ok_or("the quota rule has no limit")?;
                for limit in limits.split(':') {
                    let quota = quota.get_or_insert_default();
                    let unreadable = "the quota rule cannot be read";
                    match limit.split_once('=').ok_or(unreadable)? {
                        ("storage", text) => {
                            quota.bytes = storage(text).ok_or(unreadable)?;
                        }
                        ("bytes", text) => {
                            quota.bytes = none_if_0(parse_size(text).ok_or(unreadable)?);
                        }
                        ("messages", text) => {
                            let messages = text.parse().map_err(|_| unreadable)?;
                            quota.messages = none_if_0(messages);
                        }
                        _ => return Err(unreadable),
                    }
                }
            }
            "userdb_quota_storage_size" => {
                let bytes = parse_size(value).ok_or("the quota cannot be read")?;
                quota.get_or_insert_default().bytes = none_if_0(bytes);
            }
            _ => {}
        }
    }
    Ok((quota, enabled))
}

/// Without a unit `storage` counts kilobytes.
fn storage(text: &str) -> Option<Option<u64>> {
    let size = parse_size(text)?;
    let has_unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
    let bytes = if has_unit {
        size
    } else {
        size.checked_mul(1024)?
    };
    Some(none_if_0(bytes))
}

/// 0 is no limit there.
fn none_if_0(limit: u64) -> Option<u64> {
    Some(limit).filter(|limit| *limit > 0)
}

#[cfg(test)]
mod tests;
