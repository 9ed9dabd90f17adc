//! Command lines of LMTP (RFC 2033, RFC 5321 4.1, RFC 1870, RFC 6152, RFC 6531, RFC 3030). Pure.

use super::limits::ADDRESS_BYTES_MAX;

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// LHLO, with the name that the client gives itself.
    Lhlo(String),
    /// MAIL FROM.
    Mail(Mail),
    /// RCPT TO.
    Rcpt(Address),
    /// DATA.
    Data,
    /// BDAT: so many octets follow the line.
    Bdat {
        /// How many.
        bytes: u64,
        /// They are the last ones of the message.
        last: bool,
    },
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// VRFY.
    Vrfy,
    /// HELP.
    Help,
    /// QUIT.
    Quit,
}

/// MAIL FROM with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The sender as it was written, without brackets and route; empty for a bounce.
    pub sender: String,
    /// Octets of the message as announced (RFC 1870).
    pub size: Option<u64>,
    /// The client speaks of UTF-8 in addresses and header (RFC 6531).
    pub smtputf8: bool,
}

/// A mailbox address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// As it was written, without brackets and route.
    pub text: String,
    /// Before the `@`, without quotes.
    pub local: String,
    /// Behind the `@`; empty if there is none.
    pub domain: String,
}

/// Why a line is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// Control characters, or not UTF-8.
    #[error("octets that do not belong into a command")]
    Octets,
    /// No such command.
    #[error("unknown command")]
    Unknown,
    /// RFC 2033 4.1: HELO and EHLO are not for LMTP.
    #[error("this is LMTP, which begins with LHLO")]
    NotLmtp,
    /// Arguments missing, or too many.
    #[error("bad arguments")]
    Arguments,
    /// BDAT without a readable size: where the next command begins is unknown.
    #[error("bad arguments to BDAT")]
    BdatArguments,
    /// The sender's address.
    #[error("bad sender address")]
    Sender,
    /// The recipient's address.
    #[error("bad recipient address")]
    Recipient,
    /// A parameter that was not advertised.
    #[error("parameter not recognized")]
    UnknownParameter,
    /// A value that the parameter does not have.
    #[error("bad value of a parameter")]
    ParameterValue,
}

impl Command {
    /// Reads a line without its line end.
    pub fn parse(line: &[u8]) -> Result<Self, SyntaxError> {
        let text = std::str::from_utf8(line).map_err(|_| SyntaxError::Octets)?;
        if text.chars().any(|c| c.is_control() && c != '\t') {
            return Err(SyntaxError::Octets);
        }
        let text = text.trim_end_matches([' ', '\t']);
        let (verb, arguments) = text.split_once(' ').unwrap_or((text, ""));
        match verb.to_ascii_uppercase().as_str() {
            "LHLO" => lhlo(arguments),
            "MAIL" => mail(arguments),
            "RCPT" => rcpt(arguments),
            "DATA" => alone(arguments, Command::Data),
            "BDAT" => bdat(arguments),
            "RSET" => alone(arguments, Command::Rset),
            "NOOP" => Ok(Command::Noop),
            "VRFY" if arguments.is_empty() => Err(SyntaxError::Arguments),
            "VRFY" => Ok(Command::Vrfy),
            "HELP" => Ok(Command::Help),
            "QUIT" => alone(arguments, Command::Quit),
            "HELO" | "EHLO" => Err(SyntaxError::NotLmtp),
            _ => Err(SyntaxError::Unknown),
        }
    }
}

fn alone(arguments: &str, command: Command) -> Result<Command, SyntaxError> {
    if arguments.is_empty() {
        Ok(command)
    } else {
        Err(SyntaxError::Arguments)
    }
}

fn lhlo(arguments: &str) -> Result<Command, SyntaxError> {
    // RFC 5321 4.1.4: a name that cannot be verified is no reason to refuse; it is only traced.
    match arguments.split_ascii_whitespace().next() {
        Some(name) => Ok(Command::Lhlo(name.to_owned())),
        None => Err(SyntaxError::Arguments),
    }
}

fn mail(arguments: &str) -> Result<Command, SyntaxError> {
    let path = keyword(arguments, "FROM:").ok_or(SyntaxError::Arguments)?;
    let (sender, parameters) = match path.strip_prefix("<>") {
        Some(parameters) => (String::new(), parameters),
        None => {
            let (address, parameters) = address(path).ok_or(SyntaxError::Sender)?;
            (address.text, parameters)
        }
    };
    if !parameters.is_empty() && !parameters.starts_with(' ') {
        return Err(SyntaxError::Sender);
    }
    let mut mail = Mail {
        sender,
        size: None,
        smtputf8: false,
    };
    for parameter in parameters.split_ascii_whitespace() {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (parameter, None),
        };
        match (name.to_ascii_uppercase().as_str(), value) {
            ("SIZE", Some(value)) => {
                mail.size = Some(octets(value).ok_or(SyntaxError::ParameterValue)?);
            }
            ("BODY", Some(value))
                if ["7BIT", "8BITMIME"]
                    .iter()
                    .any(|known| value.eq_ignore_ascii_case(known)) => {}
            ("SMTPUTF8", None) => mail.smtputf8 = true,
            ("SIZE" | "BODY" | "SMTPUTF8", _) => return Err(SyntaxError::ParameterValue),
            _ => return Err(SyntaxError::UnknownParameter),
        }
    }
    Ok(Command::Mail(mail))
}

fn rcpt(arguments: &str) -> Result<Command, SyntaxError> {
    let path = keyword(arguments, "TO:").ok_or(SyntaxError::Arguments)?;
    let (address, parameters) = address(path).ok_or(SyntaxError::Recipient)?;
    match parameters.strip_prefix(' ') {
        None if parameters.is_empty() => Ok(Command::Rcpt(address)),
        None => Err(SyntaxError::Recipient),
        Some(_) => Err(SyntaxError::UnknownParameter),
    }
}

/// RFC 3030 2: `BDAT size [LAST]`.
fn bdat(arguments: &str) -> Result<Command, SyntaxError> {
    let mut words = arguments.split_ascii_whitespace();
    let bytes = words
        .next()
        .and_then(octets)
        .filter(|bytes| *bytes < u64::MAX);
    let (Some(bytes), last, None) = (bytes, words.next(), words.next()) else {
        return Err(SyntaxError::BdatArguments);
    };
    match last {
        None => Ok(Command::Bdat { bytes, last: false }),
        Some(word) if word.eq_ignore_ascii_case("LAST") => Ok(Command::Bdat { bytes, last: true }),
        Some(_) => Err(SyntaxError::BdatArguments),
    }
}

/// A number of at most 20 digits (RFC 1870 4); one beyond 64 bits is as good as the largest.
fn octets(digits: &str) -> Option<u64> {
    let valid = (1..=20).contains(&digits.len()) && digits.bytes().all(|c| c.is_ascii_digit());
    valid.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// What follows the keyword. Blanks behind its colon are not allowed but common.
fn keyword<'a>(text: &'a str, keyword: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(keyword.len())?;
    head.eq_ignore_ascii_case(keyword)
        .then(|| rest.trim_start_matches(' '))
}

/// A path in brackets, and what is behind it.
fn address(path: &str) -> Option<(Address, &str)> {
    let inside = path.strip_prefix('<')?;
    // RFC 5321 4.1.1.3, appendix C: source routes are obsolete; they are read and ignored.
    let inside = match inside.strip_prefix('@') {
        Some(route) => route.split_once(':')?.1,
        None => inside,
    };
    let (local, behind) = match inside.strip_prefix('"') {
        Some(quoted) => quoted_local(quoted)?,
        None => dot_local(inside)?,
    };
    let (domain, behind) = match behind.strip_prefix('@') {
        Some(domain) => domain_name(domain)?,
        None => ("", behind),
    };
    let text_bytes = inside.len().checked_sub(behind.len())?;
    let parameters = behind.strip_prefix('>')?;
    if local.is_empty() || text_bytes > ADDRESS_BYTES_MAX {
        return None;
    }
    let text = inside.get(..text_bytes)?.to_owned();
    Some((
        Address {
            text,
            local,
            domain: domain.to_owned(),
        },
        parameters,
    ))
}

/// A quoted local part behind its first quote (RFC 5321 4.1.2 Quoted-string, which has blanks but
/// no tabs).
fn quoted_local(quoted: &str) -> Option<(String, &str)> {
    let mut local = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next()? {
            '"' => return Some((local, chars.as_str())),
            '\t' => return None,
            '\\' => local.push(chars.next().filter(|c| *c != '\t')?),
            c => local.push(c),
        }
    }
}

/// A local part of atoms and dots. Dots may stand anywhere, as some providers give out such
/// addresses; letters beyond ASCII are RFC 6531's.
fn dot_local(text: &str) -> Option<(String, &str)> {
    let end = text.find(|c: char| !is_atom(c) && c != '.')?;
    let (local, behind) = text.split_at_checked(end)?;
    Some((local.to_owned(), behind))
}

fn domain_name(text: &str) -> Option<(&str, &str)> {
    let (domain, behind) = text.split_at_checked(text.find('>')?)?;
    let literal = domain
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let valid = match literal {
        Some(literal) => literal
            .chars()
            .all(|c| c.is_ascii_graphic() && !"[]\\".contains(c)),
        None => domain
            .chars()
            .all(|c| c.is_alphanumeric() || "-._".contains(c) || !c.is_ascii()),
    };
    (valid && !domain.is_empty() && !domain.contains(char::is_whitespace))
        .then_some((domain, behind))
}

fn is_atom(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
    } else {
        !c.is_whitespace()
    }
}

#[cfg(test)]
mod tests;
