//! The import file: one account per line, `name:hash` or `name:hash:quota`, as in a passwd file.
//!
//! The hash is any that [`StoredHash::parse`] reads. The quota is a number of bytes, with `K`, `M`,
//! `G` or `T` for powers of 1,024. Empty lines and lines that begin with `#` are skipped. Lines of
//! Dovecot's passwd-file have more fields after the hash (uid, gid, home, ...): they are skipped
//! unless the first of them reads as a quota, so such a file must be cut to its first two fields.

use crate::account::{NewAccount, Quota, Secret};
use crate::error::HashError;
use crate::hash::StoredHash;

/// Why a line is not an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// There is no colon after the name.
    #[error("expected name:hash or name:hash:quota")]
    Fields,
    /// The hash cannot be verified here.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The quota is not a size.
    #[error("the quota is not a size such as 500M or 2G")]
    Quota,
}

/// Reads one line; `None` if it is empty or a comment.
pub fn parse_line(line: &str) -> Option<Result<NewAccount, LineError>> {
    let line = line.trim_end_matches(['\r', '\n']);
    if line.trim().is_empty() || line.starts_with('#') {
        return None;
    }
    Some(parse_account(line))
}

/// A size in bytes: a number with an optional `K`, `M`, `G` or `T`, and an optional `B` or `iB`.
pub fn parse_size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..)?.to_ascii_uppercase();
    let shift = match unit.as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        "T" | "TB" | "TIB" => 40,
        _ => return None,
    };
    digits
        .trim_end()
        .parse::<u64>()
        .ok()?
        .checked_mul(1 << shift)
}

fn parse_account(line: &str) -> Result<NewAccount, LineError> {
    let (name, rest) = line.split_once(':').ok_or(LineError::Fields)?;
    // No hash has a colon in it, except a password in plain text: {PLAIN}a:b is read as a quota
    // that is none, and so refused rather than cut.
    let (hash, quota) = match rest.split_once(':') {
        Some((hash, quota)) => (hash, Some(quota)),
        None => (rest, None),
    };
    let bytes = match quota {
        None | Some("") => None,
        Some(text) => Some(parse_size(text).ok_or(LineError::Quota)?),
    };
    Ok(NewAccount {
        name: name.to_owned(),
        secret: Secret::Hash(StoredHash::parse(hash)?),
        quota: Quota {
            bytes,
            messages: None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<Result<(&str, Option<u64>), LineError>>) {
        let parsed = parse_line(line);
        let seen = parsed.as_ref().map(|line| match line {
            Ok(new) => Ok((new.name.as_str(), new.quota.bytes)),
            Err(error) => Err(*error),
        });
        assert_eq!(seen, expected, "{line:?}");
    }

    #[test]
    fn lines_are_accounts_comments_or_errors() {
        check("", None);
        check("# a:b", None);
        check("a@x:{PLAIN}b\r\n", Some(Ok(("a@x", None))));
        check("a:{PLAIN}b:2G", Some(Ok(("a", Some(2 << 30)))));
        check("a:{PLAIN}b:", Some(Ok(("a", None))));
        check("a", Some(Err(LineError::Fields)));
        check("a:{PLAIN}b:c", Some(Err(LineError::Quota)));
        check("a:b", Some(Err(LineError::Hash(HashError::Scheme))));
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("0"), Some(0));
        assert_eq!(parse_size("10k"), Some(10_240));
        assert_eq!(parse_size("1 GiB"), Some(1 << 30));
        assert_eq!(parse_size("99999999999T"), None);
        assert_eq!(parse_size("-1"), None);
        assert_eq!(parse_size("1X"), None);
    }
}
