//! Whether a response has the expected structure.

use super::template::Variables;
use super::token::Token;

/// Matches a whole response; captures only when it returns true.
pub fn matches(pattern: &[Token], tokens: &[Token], variables: &mut Variables) -> bool {
    let mut captured = variables.clone();
    let matched = sequence(pattern, tokens, &mut captured);
    if matched {
        *variables = captured;
    }
    matched
}

/// Matches a line of text in which `...` stands for anything; letters match in either case.
pub fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let Some(at) = find(pattern, b"...") else {
        return pattern.eq_ignore_ascii_case(text);
    };
    let (head, tail) = (&pattern[..at], &pattern[at + 3..]);
    let fits = text.len() >= head.len() && text[..head.len()].eq_ignore_ascii_case(head);
    fits && (head.len()..=text.len()).any(|from| glob(tail, &text[from..]))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

fn sequence(pattern: &[Token], tokens: &[Token], variables: &mut Variables) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return tokens.is_empty();
    };
    if is_ellipsis(first) {
        return (0..=tokens.len()).any(|skip| {
            let mut attempt = variables.clone();
            let matched = sequence(rest, &tokens[skip..], &mut attempt);
            if matched {
                *variables = attempt;
            }
            matched
        });
    }
    match tokens.split_first() {
        Some((token, others)) => one(first, token, variables) && sequence(rest, others, variables),
        None => false,
    }
}

fn one(pattern: &Token, token: &Token, variables: &mut Variables) -> bool {
    match (pattern, token) {
        (Token::List(wanted), Token::List(got)) => match wanted.split_first() {
            Some((Token::Atom(mark), rest)) if mark == b"~" => unordered(rest, got, variables),
            _ => sequence(wanted, got, variables),
        },
        (Token::Code(wanted), Token::Code(got)) => sequence(wanted, got, variables),
        (Token::Atom(wanted), _) => atom(wanted, token, variables),
        (Token::Text(wanted), Token::Text(got)) => leaf(wanted, got, variables),
        // Where both forms are legal (mailbox names), a string may come as an atom.
        (Token::Text(wanted), Token::Atom(got)) => {
            !got.eq_ignore_ascii_case(b"NIL") && leaf(wanted, got, variables)
        }
        _ => false,
    }
}

fn atom(wanted: &[u8], token: &Token, variables: &mut Variables) -> bool {
    match (wanted, token) {
        (b"<any>", _) => true,
        (b"<list>", _) => matches!(token, Token::List(_)),
        (b"<num>", Token::Atom(got)) => !got.is_empty() && got.iter().all(u8::is_ascii_digit),
        (b"<num>", _) => false,
        (b"<nstring>", Token::Text(_)) => true,
        (b"<nstring>", Token::Atom(got)) => got.eq_ignore_ascii_case(b"NIL"),
        (b"<string>", Token::Text(_)) => true,
        (b"<string>", _) => false,
        (_, Token::Atom(got)) => leaf(wanted, got, variables),
        (_, Token::Text(got)) => {
            !wanted.eq_ignore_ascii_case(b"NIL") && leaf(wanted, got, variables)
        }
        _ => false,
    }
}

fn leaf(wanted: &[u8], got: &[u8], variables: &mut Variables) -> bool {
    if let Some(name) = wanted.strip_prefix(b"$").filter(|name| is_name(name)) {
        let name = String::from_utf8_lossy(name).into_owned();
        return match variables.get(&name) {
            Some(bound) => bound.as_slice() == got,
            None => {
                variables.insert(name, got.to_vec());
                true
            }
        };
    }
    glob(wanted, got)
}

/// Captures are lower-case words; keywords such as `$Forwarded` are flags.
fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_lowercase) && name.iter().all(u8::is_ascii_alphanumeric)
}

/// Every element of the pattern matches another token; more tokens only behind `...`.
fn unordered(wanted: &[Token], got: &[Token], variables: &mut Variables) -> bool {
    let more = wanted.iter().any(is_ellipsis);
    let wanted: Vec<&Token> = wanted.iter().filter(|token| !is_ellipsis(token)).collect();
    let mut left: Vec<&Token> = got.iter().collect();
    if wanted.len() > left.len() || (!more && wanted.len() != left.len()) {
        return false;
    }
    for element in wanted {
        let Some(at) = left.iter().position(|token| one(element, token, variables)) else {
            return false;
        };
        left.remove(at);
    }
    true
}

fn is_ellipsis(token: &Token) -> bool {
    matches!(token, Token::Atom(text) if text == b"...")
}
