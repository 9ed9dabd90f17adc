//! Parameters that RFC 2231 splits into pieces or encodes.

use imap_proto::response::body_structure::Params;

/// One parameter, put together from its pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extended {
    /// The name without its suffix.
    pub name: Vec<u8>,
    /// The charset that the first piece names, or empty.
    pub charset: Vec<u8>,
    /// The value in that charset.
    pub octets: Vec<u8>,
}

/// The value of the parameter `name`, plain or put together. Its charset is ignored: this
/// serves names in ASCII, not file names.
pub fn parameter(params: &Params, name: &[u8]) -> Option<Vec<u8>> {
    if let Some((_, value)) = params
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
    {
        return Some(value.clone());
    }
    let found = extended(params)
        .into_iter()
        .find(|found| found.name.eq_ignore_ascii_case(name));
    found
        .map(|found| found.octets)
        .filter(|octets| !octets.is_empty())
}

/// All parameters of `params` that are split or encoded (RFC 2231 3 and 4), in the order in
/// which they first appear.
pub fn extended(params: &Params) -> Vec<Extended> {
    let mut found: Vec<(&[u8], Vec<Piece<'_>>)> = Vec::new();
    for (key, value) in params {
        let Some(star) = memchr::memchr(b'*', key) else {
            continue;
        };
        let (name, suffix) = key.split_at_checked(star).unwrap_or((key, b""));
        let digits = suffix.iter().filter(|byte| byte.is_ascii_digit());
        let digits: String = digits.map(|byte| char::from(*byte)).collect();
        let piece = Piece {
            number: digits.parse().unwrap_or(0),
            encoded: suffix.ends_with(b"*"),
            value,
        };
        match found
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            Some((_, pieces)) => pieces.push(piece),
            None => found.push((name, vec![piece])),
        }
    }
    found
        .into_iter()
        .map(|(name, pieces)| join(name, pieces))
        .collect()
}

/// RFC 2231 4: `%` and two hexadecimal digits.
pub fn percent_decode(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte == b'%'
            && let [high, low, after @ ..] = tail
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.push((high << 4) | low);
            rest = after;
        } else {
            out.push(*byte);
        }
    }
    out
}

/// The value of a hexadecimal digit.
pub fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte.saturating_sub(b'0')),
        b'a'..=b'f' => Some(byte.saturating_sub(b'a').saturating_add(10)),
        b'A'..=b'F' => Some(byte.saturating_sub(b'A').saturating_add(10)),
        _ => None,
    }
}

struct Piece<'a> {
    number: usize,
    encoded: bool,
    value: &'a [u8],
}

fn join(name: &[u8], mut pieces: Vec<Piece<'_>>) -> Extended {
    pieces.sort_by_key(|piece| piece.number);
    let mut joined = Extended {
        name: name.to_vec(),
        charset: Vec::new(),
        octets: Vec::new(),
    };
    for (index, piece) in pieces.iter().enumerate() {
        if !piece.encoded {
            joined.octets.extend_from_slice(piece.value);
            continue;
        }
        // The first encoded piece starts with charset'language'.
        let mut fields = piece.value.splitn(3, |byte| *byte == b'\'');
        let value = match (index, fields.next(), fields.nth(1)) {
            (0, Some(charset), Some(text)) => {
                joined.charset = charset.to_vec();
                text
            }
            _ => piece.value,
        };
        joined.octets.extend_from_slice(&percent_decode(value));
    }
    joined
}
