//! Response codes (RFC 3501 7.1, 3516 family, 4315, 5530, 6154, 7162, 7889).

use super::flags::flag_list;
use super::string::{astring, number, number64};
use crate::grammar::{Flag, NumberSet};

/// The machine-readable part of a status response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// ALERT: the text must be shown to the user.
    Alert,
    /// BADCHARSET with the charsets that are supported.
    BadCharset(Vec<String>),
    /// CAPABILITY with the words as `capability::words` writes them.
    Capability(Vec<u8>),
    /// PARSE
    Parse,
    /// PERMANENTFLAGS
    PermanentFlags {
        /// Flags that can be changed for good.
        flags: Vec<Flag>,
        /// `\*`: new keywords may be made.
        new_keywords: bool,
    },
    /// READ-ONLY
    ReadOnly,
    /// READ-WRITE
    ReadWrite,
    /// TRYCREATE
    TryCreate,
    /// UIDNEXT
    UidNext(u32),
    /// UIDVALIDITY
    UidValidity(u32),
    /// UNSEEN: sequence number of the first message without `\Seen`.
    Unseen(u32),
    /// APPENDUID (RFC 4315)
    AppendUid {
        /// UIDVALIDITY of the mailbox.
        uid_validity: u32,
        /// UIDs given, in order.
        uids: NumberSet,
    },
    /// COPYUID (RFC 4315); the sets correspond by position.
    CopyUid {
        /// UIDVALIDITY of the target.
        uid_validity: u32,
        /// UIDs of the originals.
        source: NumberSet,
        /// UIDs of the copies.
        target: NumberSet,
    },
    /// UIDNOTSTICKY (RFC 4315)
    UidNotSticky,
    /// CLOSED (RFC 7162 3.2.11)
    Closed,
    /// HIGHESTMODSEQ (RFC 7162)
    HighestModSeq(u64),
    /// NOMODSEQ (RFC 7162)
    NoModSeq,
    /// MODIFIED (RFC 7162): the messages that STORE left alone.
    Modified(NumberSet),
    /// UNAVAILABLE (RFC 5530, as all down to CANNOT)
    Unavailable,
    /// AUTHENTICATIONFAILED
    AuthenticationFailed,
    /// AUTHORIZATIONFAILED
    AuthorizationFailed,
    /// EXPIRED
    Expired,
    /// PRIVACYREQUIRED
    PrivacyRequired,
    /// CONTACTADMIN
    ContactAdmin,
    /// NOPERM
    NoPerm,
    /// INUSE
    InUse,
    /// EXPUNGEISSUED
    ExpungeIssued,
    /// CORRUPTION
    Corruption,
    /// SERVERBUG
    ServerBug,
    /// CLIENTBUG
    ClientBug,
    /// CANNOT
    Cannot,
    /// LIMIT
    Limit,
    /// OVERQUOTA
    OverQuota,
    /// ALREADYEXISTS
    AlreadyExists,
    /// NONEXISTENT
    NonExistent,
    /// USEATTR (RFC 6154)
    UseAttr,
    /// TOOBIG (RFC 4469, named for APPENDLIMIT by RFC 7889)
    TooBig,
    /// HASCHILDREN (RFC 9051)
    HasChildren,
    /// INPROGRESS (RFC 9585)
    InProgress {
        /// The tag of the command that is at work.
        tag: Vec<u8>,
        /// How far it has come.
        progress: Progress,
    },
    /// REFERRAL (RFC 2221): where to log in instead.
    Referral {
        /// The name there, as it is.
        user: String,
        /// The system.
        host: String,
    },
}

impl Code {
    /// Writes the code without its brackets.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::BadCharset(charsets) => encode_bad_charset(out, charsets),
            Self::Capability(words) => {
                out.extend_from_slice(b"CAPABILITY ");
                out.extend_from_slice(words);
            }
            Self::PermanentFlags {
                flags,
                new_keywords,
            } => {
                out.extend_from_slice(b"PERMANENTFLAGS ");
                let wildcard = new_keywords.then_some("\\*");
                flag_list(out, flags.iter().map(Flag::name).chain(wildcard));
            }
            Self::UidNext(uid) => word_and_number(out, b"UIDNEXT ", u64::from(*uid)),
            Self::UidValidity(value) => word_and_number(out, b"UIDVALIDITY ", u64::from(*value)),
            Self::Unseen(sequence) => word_and_number(out, b"UNSEEN ", u64::from(*sequence)),
            Self::HighestModSeq(value) => word_and_number(out, b"HIGHESTMODSEQ ", *value),
            Self::AppendUid { uid_validity, uids } => {
                out.extend_from_slice(b"APPENDUID ");
                number(out, *uid_validity);
                out.push(b' ');
                uids.encode(out);
            }
            Self::CopyUid {
                uid_validity,
                source,
                target,
            } => {
                out.extend_from_slice(b"COPYUID ");
                number(out, *uid_validity);
                out.push(b' ');
                source.encode(out);
                out.push(b' ');
                target.encode(out);
            }
            Self::Modified(set) => {
                out.extend_from_slice(b"MODIFIED ");
                set.encode(out);
            }
            Self::InProgress { tag, progress } => {
                out.extend_from_slice(b"INPROGRESS (");
                in_progress_tag(out, tag);
                progress.encode(out);
                out.push(b')');
            }
            Self::Referral { user, host } => {
                out.extend_from_slice(b"REFERRAL ");
                imap_url(out, user, host);
            }
            plain => out.extend_from_slice(plain.word().as_bytes()),
        }
    }

    /// The code's name.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Alert => "ALERT",
            Self::BadCharset(_) => "BADCHARSET",
            Self::Capability(_) => "CAPABILITY",
            Self::Parse => "PARSE",
            Self::PermanentFlags { .. } => "PERMANENTFLAGS",
            Self::ReadOnly => "READ-ONLY",
            Self::ReadWrite => "READ-WRITE",
            Self::TryCreate => "TRYCREATE",
            Self::UidNext(_) => "UIDNEXT",
            Self::UidValidity(_) => "UIDVALIDITY",
            Self::Unseen(_) => "UNSEEN",
            Self::AppendUid { .. } => "APPENDUID",
            Self::CopyUid { .. } => "COPYUID",
            Self::UidNotSticky => "UIDNOTSTICKY",
            Self::Closed => "CLOSED",
            Self::HighestModSeq(_) => "HIGHESTMODSEQ",
            Self::NoModSeq => "NOMODSEQ",
            Self::Modified(_) => "MODIFIED",
            Self::Unavailable => "UNAVAILABLE",
            Self::AuthenticationFailed => "AUTHENTICATIONFAILED",
            Self::AuthorizationFailed => "AUTHORIZATIONFAILED",
            Self::Expired => "EXPIRED",
            Self::PrivacyRequired => "PRIVACYREQUIRED",
            Self::ContactAdmin => "CONTACTADMIN",
            Self::NoPerm => "NOPERM",
            Self::InUse => "INUSE",
            Self::ExpungeIssued => "EXPUNGEISSUED",
            Self::Corruption => "CORRUPTION",
            Self::ServerBug => "SERVERBUG",
            Self::ClientBug => "CLIENTBUG",
            Self::Cannot => "CANNOT",
            Self::Limit => "LIMIT",
            Self::OverQuota => "OVERQUOTA",
            Self::AlreadyExists => "ALREADYEXISTS",
            Self::NonExistent => "NONEXISTENT",
            Self::UseAttr => "USEATTR",
            Self::TooBig => "TOOBIG",
            Self::HasChildren => "HASCHILDREN",
            Self::InProgress { .. } => "INPROGRESS",
            Self::Referral { .. } => "REFERRAL",
        }
    }
}

fn word_and_number(out: &mut Vec<u8>, word: &[u8], value: u64) {
    out.extend_from_slice(word);
    number64(out, value);
}

/// How far a command has come (RFC 9585 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not known.
    Unknown,
    /// `done` of `goal` items, `done <= goal`.
    Known {
        /// Items done.
        done: u32,
        /// Items in all, at least 1.
        goal: u32,
    },
}

impl Progress {
    /// So much of so much; nothing is known of a command that has nothing to do.
    pub fn of(done: u32, goal: u32) -> Self {
        match goal {
            0 => Self::Unknown,
            goal => Self::Known {
                done: done.min(goal),
                goal,
            },
        }
    }

    fn encode(self, out: &mut Vec<u8>) {
        match self {
            Self::Unknown => out.extend_from_slice(b" NIL NIL"),
            Self::Known { done, goal } => {
                out.push(b' ');
                number(out, done);
                out.push(b' ');
                number(out, goal);
            }
        }
    }
}

/// A tag has neither quotes nor backslashes, so it is quoted as it is; but a bracket, which a tag
/// may have, would end the code for clients that look for one.
fn in_progress_tag(out: &mut Vec<u8>, tag: &[u8]) {
    if tag.contains(&b']') {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'"');
    out.extend_from_slice(tag);
    out.push(b'"');
}

/// The URL of a server for a user by any mechanism (RFC 5092 3).
fn imap_url(out: &mut Vec<u8>, user: &str, host: &str) {
    out.extend_from_slice(b"IMAP://");
    percent_encode(out, user);
    out.extend_from_slice(b";AUTH=*@");
    percent_encode(out, host);
    out.push(b'/');
}

/// RFC 5092 11: what is not an `achar` (RFC 3986's unreserved and some delimiters, of which none
/// need be left alone) is written by the hexadecimal digits of its octets. So nothing is left that
/// could end the code or the line.
fn percent_encode(out: &mut Vec<u8>, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte);
            continue;
        }
        out.push(b'%');
        for half in [byte >> 4, byte & 15] {
            out.extend(DIGITS.get(usize::from(half)));
        }
    }
}

fn encode_bad_charset(out: &mut Vec<u8>, charsets: &[String]) {
    out.extend_from_slice(b"BADCHARSET");
    if charsets.is_empty() {
        return;
    }
    out.extend_from_slice(b" (");
    for (index, charset) in charsets.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        astring(out, charset.as_bytes());
    }
    out.push(b')');
}
