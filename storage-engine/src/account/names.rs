//! Mailbox names: UTF-8, `/` between levels, INBOX in any case.

use crate::request::Refusal;
use crate::state_limits::{CLASS_BYTES_MAX, MAILBOX_LEVELS_MAX, MAILBOX_NAME_BYTES_MAX};

/// The one mailbox that every account has.
pub(super) const INBOX: &str = "INBOX";

/// RFC 3501 5.1: INBOX is the same in any case. So is it as the first level of its children.
pub fn normalize_name(name: &str) -> String {
    let (first, rest) = match name.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (name, None),
    };
    if !first.eq_ignore_ascii_case(INBOX) {
        return name.to_owned();
    }
    match rest {
        Some(rest) => format!("{INBOX}/{rest}"),
        None => INBOX.to_owned(),
    }
}

/// Whether a (normalized) name may be given to a mailbox.
pub fn validate_name(name: &str) -> Result<(), Refusal> {
    if name.len() > MAILBOX_NAME_BYTES_MAX {
        return Err(Refusal::Limit("mailbox name is too long"));
    }
    if name.split('/').count() > MAILBOX_LEVELS_MAX {
        return Err(Refusal::Limit("mailbox name has too many levels"));
    }
    if name.split('/').any(str::is_empty) {
        return Err(Refusal::NotAllowed("empty level in the name"));
    }
    // RFC 3501 5.1: control characters cause grief, and `%` and `*` are LIST's wildcards.
    if name.chars().any(|c| c.is_control() || c == '%' || c == '*') {
        return Err(Refusal::NotAllowed("character in the name"));
    }
    Ok(())
}

/// Whether a mailbox may be of this class; the empty one is mail. Classes are words such as
/// `IPF.Contact`, and are told in quotes.
pub fn validate_class(class: &str) -> Result<(), Refusal> {
    if class.len() > CLASS_BYTES_MAX {
        return Err(Refusal::Limit("class is too long"));
    }
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    match class.bytes().all(is_word) {
        true => Ok(()),
        false => Err(Refusal::NotAllowed("character in the class")),
    }
}

/// The names above this one, topmost first.
pub(super) fn parents(name: &str) -> impl DoubleEndedIterator<Item = &str> {
    name.match_indices('/').filter_map(|(at, _)| name.get(..at))
}
