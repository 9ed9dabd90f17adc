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
        }
    }
}

fn word_and_number(out: &mut Vec<u8>, word: &[u8], value: u64) {
    out.extend_from_slice(word);
    number64(out, value);
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
