//! The trace fields that delivery puts before a message (RFC 5321 4.4).

use crate::limits::{TRACE_LINE_BYTES, TRACE_VALUE_BYTES_MAX};

/// How a message arrived.
#[derive(Debug, Clone, Copy)]
pub struct Trace<'a> {
    /// The name the client gave in LHLO.
    pub helo: &'a str,
    /// The client's address, or nothing for a local socket.
    pub client: Option<std::net::IpAddr>,
    /// This host's name.
    pub host: &'a str,
    /// The word after `with`, such as LMTP, LMTPS or UTF8LMTP (RFC 3848, RFC 6531).
    pub protocol: &'a str,
    /// This delivery's id, as the traces name it.
    pub id: &'a str,
    /// The recipient, unless there are several: a copy must not name the others.
    pub recipient: Option<&'a str>,
    /// The date and time in the form of RFC 5322 3.3.
    pub date: &'a str,
}

/// `Return-Path: <sender>`, with `<>` for a bounce.
pub fn return_path(sender: &str) -> Vec<u8> {
    format!("Return-Path: <{}>\r\n", clean_path(sender)).into_bytes()
}

/// The Received field, folded.
pub fn received(trace: &Trace<'_>) -> Vec<u8> {
    let client = match trace.client {
        Some(std::net::IpAddr::V4(address)) => format!("([{address}])"),
        // RFC 5321 4.1.3: the tag of an IPv6 literal.
        Some(std::net::IpAddr::V6(address)) => format!("([IPv6:{address}])"),
        None => "(local)".to_owned(),
    };
    let helo = clean(trace.helo);
    let mut clauses = vec![
        format!("from {}", if helo.is_empty() { "unknown" } else { &helo }),
        client,
        format!("by {}", clean(trace.host)),
        format!("with {}", clean(trace.protocol)),
        format!("id {}", clean(trace.id)),
    ];
    if let Some(recipient) = trace.recipient {
        clauses.push(format!("for <{}>", clean_path(recipient)));
    }
    if let Some(last) = clauses.last_mut() {
        last.push(';');
    }
    clauses.push(clean_date(trace.date));
    fold("Received:", &clauses)
}

/// Joins clauses with spaces, and with a folded line before one that would get too long.
fn fold(name: &str, clauses: &[String]) -> Vec<u8> {
    let mut out = name.to_owned();
    let mut line_bytes = out.len();
    for clause in clauses {
        if line_bytes.saturating_add(clause.len()) >= TRACE_LINE_BYTES {
            out.push_str("\r\n\t");
            line_bytes = clause.len().saturating_add(8);
        } else {
            out.push(' ');
            line_bytes = line_bytes.saturating_add(clause.len()).saturating_add(1);
        }
        out.push_str(clause);
    }
    out.push_str("\r\n");
    out.into_bytes()
}

/// Values come from clients: no line break, control character or space may get out of its
/// clause and forge a field.
fn clean(value: &str) -> String {
    let kept = value
        .chars()
        .filter(|c| !c.is_control() && !c.is_whitespace());
    let mut out = String::new();
    for c in kept {
        if out.len().saturating_add(c.len_utf8()) > TRACE_VALUE_BYTES_MAX {
            break;
        }
        out.push(c);
    }
    out
}

/// As [`clean`], but blanks inside a quoted local part belong to the address (RFC 5321 4.1.2): a
/// bounce to `"a b"@c` must not go to `"ab"@c`.
fn clean_path(path: &str) -> String {
    let mut out = String::new();
    let (mut is_quoted, mut is_escaped) = (false, false);
    for c in path.chars().filter(|c| !c.is_control()) {
        if !is_quoted && c.is_whitespace() {
            continue;
        }
        if out.len().saturating_add(c.len_utf8()) > TRACE_VALUE_BYTES_MAX {
            break;
        }
        out.push(c);
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = is_quoted && c == '\\' && !is_escaped;
    }
    out
}

fn clean_date(date: &str) -> String {
    date.chars()
        .filter(|c| !c.is_control())
        .take(TRACE_LINE_BYTES)
        .collect()
}

#[cfg(test)]
mod tests;
