//! Every bound of the directory, each with its reason.

use std::time::Duration;

/// Account names had up to 128 octets where users come from; RFC 5321 4.5.3.1.1 has senders expect
/// 64.
pub const LOCAL_BYTES_MAX: usize = 128;
/// RFC 5321 4.5.3.1.2: a domain has at most 255 octets.
pub const DOMAIN_BYTES_MAX: usize = 255;
/// The cost of SHA-crypt grows with the password's length: an attacker must not choose it freely.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// A stored hash is one short line; longer text is not a hash.
pub const HASH_BYTES_MAX: usize = 1024;

/// Jobs that wait for the database thread. At about 50 us each, a full queue is worth 50 ms.
pub const STORE_QUEUE_JOBS_MAX: usize = 1024;
/// Jobs that wait for a hashing thread. At about 30 ms each on two threads, a full queue is worth
/// four seconds; whoever comes later hears "busy" at once and tries again.
pub const HASH_QUEUE_JOBS_MAX: usize = 256;
/// Hashing threads, whatever the number of cores: each may hold 19 MiB while it works.
pub const HASH_THREADS_MAX: usize = 64;

/// Accounts whose last good login is remembered, and as many that were looked up (about 250 bytes
/// each).
pub const CACHE_ACCOUNTS_MAX: usize = 65_536;
/// Stripes of the login cache, so that a writer is rarely in a reader's way.
pub const CACHE_STRIPES: usize = 64;

/// Names of accounts that are remembered by id (about 100 bytes each).
pub const NAMES_KNOWN_MAX: usize = 16_384;
/// Names that one question asks for: as many as a list of rights has entries, and its owner. Each
/// takes the database thread some 10 us.
pub const NAMES_ASKED_MAX: usize = 512;

/// Bytes of an alert's text: it goes out as one line, and clients that read lines into buffers of
/// 1,000 octets still have all of it.
pub const ALERT_TEXT_BYTES_MAX: usize = 900;
/// Alerts of one domain, and of the server: all of them are in memory, and shown at once to who
/// logs in for the first time.
pub const ALERTS_EACH_MAX: usize = 32;

/// The window in which failed logins are counted.
pub const THROTTLE_WINDOW: Duration = Duration::from_secs(60);
/// Failures of all clients of one network in a window before each further try of theirs waits:
/// more than a household or an office mistypes, since many may share an address.
pub const NETWORK_FAILURES_FREE: u32 = 20;
/// Failures of one account in a window, from everywhere, before each further try waits. It only
/// waits: nobody can lock another out.
pub const ACCOUNT_FAILURES_FREE: u32 = 20;
/// The first wait; each failure more doubles it.
pub const BACK_OFF_FIRST: Duration = Duration::from_millis(100);
/// The longest wait: an owner whose account is attacked from everywhere can still log in.
pub const BACK_OFF_MAX: Duration = Duration::from_secs(4);
/// Pairs of account and network, networks and accounts that are watched; beyond it the oldest
/// windows are forgotten.
pub const THROTTLE_ENTRIES_MAX: usize = 3 * 65_536;
/// Stripes of the throttle, for the same reason as those of the cache.
pub const THROTTLE_STRIPES: usize = 16;

/// Argon2id memory for new passwords (OWASP's first choice with two passes).
pub const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
/// Argon2id passes for new passwords.
pub const ARGON2_PASSES: u32 = 2;
/// Argon2id lanes for new passwords: one, since a hash runs on one thread.
pub const ARGON2_LANES: u32 = 1;

/// Imported argon2 hashes: memory beyond this would let one login exhaust the machine.
pub const ARGON2_MEMORY_KIB_MAX: u32 = 256 * 1024;
/// Imported argon2 hashes: passes times memory is time on a hashing thread.
pub const ARGON2_PASSES_MAX: u32 = 16;
/// Imported argon2 hashes: lanes run one after the other here.
pub const ARGON2_LANES_MAX: u32 = 16;
/// Imported bcrypt hashes: cost 14 is about one second.
pub const BCRYPT_COST_MAX: u32 = 14;
/// Imported SHA-crypt hashes: the format allows 999,999,999 rounds, minutes of work per login.
pub const SHA_CRYPT_ROUNDS_MAX: u32 = 1_000_000;
/// Imported PBKDF2 hashes: about one second.
pub const PBKDF2_ROUNDS_MAX: u32 = 2_000_000;

/// Accounts in one page of a listing, so that a listing never holds the database thread for long.
pub const LIST_PAGE_MAX: usize = 1_000;
/// Groups of one account: a session carries their names with each request about another account's
/// mailbox.
pub const ACCOUNT_GROUPS_MAX: usize = 256;
/// Accounts in one import batch, which is one transaction.
pub const IMPORT_BATCH_MAX: usize = 25_000;
/// One setting: the longest is a list of SASL mechanisms.
pub const SETTING_BYTES_MAX: usize = 512;
/// Bytes of the class of a mailbox: what the store takes.
pub const CLASS_BYTES_MAX: usize = 64;
/// Mailboxes that a template may name.
pub const TEMPLATE_MAILBOXES_MAX: usize = 64;
/// Records that a name may be led through: people chain two or three; more is a circle.
pub const ROUTE_STEPS_MAX: usize = 16;
/// Records of the routing table, all in memory (about 200 bytes each) and read anew at a change.
pub const ROUTES_MAX: usize = 50_000;
/// The administrator's text of a refusal: it shares a reply line (RFC 5321 4.5.3.1.5: 512 octets)
/// with the address that it is about.
pub const REJECT_TEXT_BYTES_MAX: usize = 200;
/// How long SQLite waits for a lock of another process (a backup, say) before it gives up.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Requests that wait for a back end elsewhere; at a millisecond each on a few connections it works
/// off thousands in a second, so whoever comes later hears "busy".
pub const EXTERNAL_JOBS_MAX: usize = 1024;
/// Threads of the back end's executor for names of hosts and for files.
pub const EXTERNAL_BLOCKING_THREADS_MAX: usize = 4;
/// After a back end failed, it is asked once in this time.
pub const DOWN_PAUSE: Duration = Duration::from_secs(1);
/// Failed logins end at multiples of this time.
pub const FAILURE_STEP: Duration = Duration::from_millis(250);
/// How long the engine has to make an account: it answers when that is durable.
pub const CREATE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a name that a back end did not have is not asked for again by deliveries; short, as
/// mail for a new account is refused for as long.
pub const MISSING_LIFE: Duration = Duration::from_secs(5);
/// Names that are remembered as missing (about 100 bytes each).
pub const MISSING_NAMES_MAX: usize = 65_536;
/// A stable id: an entryUUID has 36 bytes, a DN may be longer.
pub const STABLE_ID_BYTES_MAX: usize = 512;
/// How often a file of accounts is looked at for changes.
pub const PASSWD_FILE_EVERY: Duration = Duration::from_secs(1);
/// A file of accounts: a million lines of a hash and some fields.
pub const PASSWD_FILE_BYTES_MAX: u64 = 512 << 20;
