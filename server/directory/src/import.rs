//! The import file: one account per line, `name:hash`, `name:hash:quota` or
//! `name:hash:quota=QUOTA`.
//!
//! The hash is any that [`StoredHash::parse`] reads. The quota is a number of bytes, with `K`, `M`,
//! `G` or `T` for powers of 1,024, or `none`. Empty lines and lines that begin with `#` are
//! skipped.
//!
//! No hash has a colon in it, but a password in plain text may. So such a line must say where the
//! password ends if there is a colon behind `{PLAIN}`, by a last field: `:quota=2G`, `:quota=none`.
//! All between is the password, whatever it looks like; without that field the line is refused
//! rather than cut. Lines of Dovecot's passwd-file have more fields after the hash (uid, gid, home,
//! ...): a file of them must be cut to its first two fields.

use crate::account::{NewAccount, Quota, Secret};
use crate::error::HashError;
use crate::hash::StoredHash;

/// Why a line is not an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// There is no colon after the name.
    #[error("expected name:hash, name:hash:quota or name:hash:quota=QUOTA")]
    Fields,
    /// Nobody can tell the password from what may follow it.
    #[error("a colon behind {{PLAIN}}: end the line with :quota=none or such as :quota=2G")]
    PlainEnd,
    /// The hash cannot be verified here.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The quota is not a size.
    #[error("the quota is not none or a size such as 500M or 2G")]
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
    let (hash, quota) = split_hash(rest)?;
    let bytes = match quota {
        None | Some("" | "none") => None,
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

/// The hash and what is said of the quota.
fn split_hash(text: &str) -> Result<(&str, Option<&str>), LineError> {
    let last = text.rsplit_once(':');
    if let Some((hash, quota)) = last
        && let Some(quota) = quota.strip_prefix("quota=")
    {
        return Ok((hash, Some(quota)));
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some(_) if StoredHash::is_plain(text) => Err(LineError::PlainEnd),
        Some((hash, quota)) => Ok((hash, Some(quota))),
    }
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
        check("a", Some(Err(LineError::Fields)));
        check("a:b", Some(Err(LineError::Hash(HashError::Scheme))));
    }

    #[test]
    fn a_quota_may_follow_a_hash() {
        let hash = "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=";
        for (quota, bytes) in [
            ("", None),
            (":", None),
            (":2G", Some(2 << 30)),
            (":quota=2G", Some(2 << 30)),
            (":quota=none", None),
        ] {
            check(&format!("a:{hash}{quota}"), Some(Ok(("a", bytes))));
        }
        for quota in [":c", ":1000:1000::/home/a::", ":quota=c", ":1G:quota"] {
            let line = format!("a:{hash}{quota}");
            check(&line, Some(Err(LineError::Quota)));
        }
    }

    /// `{PLAIN}a:1G` was cut to the password `a`, and `{PLAIN}a:b` could not be imported at all.
    #[test]
    fn a_plain_password_is_never_cut() {
        let check = |text: &str, expected: Result<(&str, Option<u64>), LineError>| {
            let line = format!("a:{text}");
            let parsed = parse_line(&line).unwrap().map(|new| match new.secret {
                Secret::Hash(hash) => (hash.as_str().to_owned(), new.quota.bytes),
                Secret::Password(_) => unreachable!("lines have hashes"),
            });
            let expected = expected.map(|(hash, bytes)| (format!("{{PLAIN}}{hash}"), bytes));
            assert_eq!(parsed, expected, "{text}");
        };
        check("{PLAIN}b", Ok(("b", None)));
        check("{PLAIN}b:2G", Err(LineError::PlainEnd));
        check("{plain}b:c", Err(LineError::PlainEnd));
        check("{CLEARTEXT}b:", Err(LineError::PlainEnd));
        check("{PLAIN}b:quota=2G", Ok(("b", Some(2 << 30))));
        check("{PLAIN}b:2G:quota=none", Ok(("b:2G", None)));
        check("{PLAIN}b::quota=", Ok(("b:", None)));
        check("{PLAIN}b:quota=2G:quota=none", Ok(("b:quota=2G", None)));
        check("{PLAIN}b:quota=c", Err(LineError::Quota));
    }

    #[test]
    fn faulty_lines_do_not_show_the_password() {
        for line in [
            "a:{PLAIN}hunter2:c",
            "a:hunter2",
            "a:{PLAIN}hunter2:quota=c",
        ] {
            let error = parse_line(line).unwrap().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
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
