//! What the owner says instead.

/// Why a request was refused. The session maps it to NO, BAD or BYE and a response code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No `account_created` for this id, or it was deleted.
    #[error("no such account")]
    NoSuchAccount,
    /// The id was used already.
    #[error("account exists")]
    AccountExists,
    /// `NO [NONEXISTENT]` / `[TRYCREATE]`.
    #[error("no such mailbox")]
    NoSuchMailbox,
    /// `NO [ALREADYEXISTS]`.
    #[error("mailbox exists")]
    MailboxExists,
    /// `NO [NOPERM]`: a guest sees the mailbox and may not do this to it.
    #[error("no permission")]
    NoPermission,
    /// The name can't be selected or appended to.
    #[error("not a mailbox, only a name")]
    NoSelect,
    /// INBOX can't be deleted; a mailbox can't be renamed into itself; bad name.
    #[error("not allowed on this mailbox: {0}")]
    NotAllowed(&'static str),
    /// DELETE of a `noselect` name with children (RFC 3501 6.3.4).
    #[error("mailbox has children")]
    HasChildren,
    /// `NO [OVERQUOTA]`.
    #[error("over quota")]
    OverQuota,
    /// `NO [LIMIT]`: mailboxes, keywords, messages in one command, name length.
    #[error("limit reached: {0}")]
    Limit(&'static str),
    /// A message named by number is gone: NO, nothing done.
    #[error("message is gone")]
    MessageGone,
    /// `NO [UNAVAILABLE]`: the disk is full for new mail; expunging works.
    #[error("storage is full")]
    Full,
    /// `NO [UNAVAILABLE]`: a sync failed earlier, or this account's log has a gap; reads go on.
    #[error("storage is read-only")]
    ReadOnly,
    /// The outcome is unknown: BYE without a tagged reply, LMTP 451.
    #[error("outcome unknown")]
    Unknown,
    /// Damage on the disk, or a read error; this request alone is refused.
    #[error("stored data cannot be read")]
    Unreadable,
    /// The upload is unknown or incomplete.
    #[error("no such upload")]
    NoSuchUpload,
}
