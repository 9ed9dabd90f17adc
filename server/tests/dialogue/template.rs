//! Text of a transcript into bytes: variables, repetitions, odd octets, inline literals.

use base64::Engine as _;
use std::collections::BTreeMap;

/// What has been captured so far, by name.
pub type Variables = BTreeMap<String, Vec<u8>>;

/// Expands `$name`, `$$`, `$repeat(n,text)`, `$hex(..)` and `$base64(..)`.
///
/// A name that is not bound stays as it is: in a pattern it captures.
pub fn expand(text: &str, variables: &Variables) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push(b'$');
            rest = after;
            continue;
        }
        let length = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(length);
        rest = after;
        if let Some((argument, after)) = call_argument(after) {
            out.extend_from_slice(&call(name, &expand(argument, variables)));
            rest = after;
        } else if let Some(value) = variables.get(name) {
            out.extend_from_slice(value);
        } else {
            out.push(b'$');
            out.extend_from_slice(name.as_bytes());
        }
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

fn call_argument(after_name: &str) -> Option<(&str, &str)> {
    let inner = after_name.strip_prefix('(')?;
    let close = inner.find(')')?;
    Some((&inner[..close], &inner[close + 1..]))
}

fn call(name: &str, argument: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(argument);
    match name {
        "hex" => {
            let digits: Vec<u8> = argument.iter().copied().filter(|b| *b != b' ').collect();
            let octet = |pair: &[u8]| {
                let pair = std::str::from_utf8(pair).expect("hex digits");
                u8::from_str_radix(pair, 16).expect("hex digits")
            };
            digits.chunks(2).map(octet).collect()
        }
        "repeat" => {
            let (count, text) = text.split_once(',').expect("$repeat(count,text)");
            let text = text
                .replace("\\r", "\r")
                .replace("\\n", "\n")
                .replace('[', "(");
            text.as_bytes()
                .repeat(count.trim().parse().expect("a count"))
        }
        "base64" => {
            let plain = text.replace("\\0", "\0");
            base64::engine::general_purpose::STANDARD
                .encode(plain)
                .into_bytes()
        }
        "size" => argument.len().to_string().into_bytes(),
        _ => panic!("no function ${name}(..)"),
    }
}
