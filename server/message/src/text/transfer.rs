//! Transfer encodings, decoded leniently: damage costs the damaged octets, not the text.

use crate::field::parameter::hex;

/// RFC 2045 6.8. Octets outside the alphabet are skipped; padding may stand in the middle, where
/// encoded pieces were put together.
pub fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Base64::default().decode(bytes, &mut out);
    out
}

/// Base64 that comes in pieces, cut anywhere. `bits` of `group` have not gone out; `bits < 8`.
#[derive(Debug, Default)]
pub struct Base64 {
    group: u32,
    bits: u32,
}

/// What an octet says: a value below 64, or one of these two.
const PADDING: u8 = 0x40;
const NOTHING: u8 = 0x80;

#[expect(clippy::indexing_slicing, reason = "computed by the compiler")]
const VALUES: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [NOTHING; 256];
    let mut octet = 0;
    while octet < values.len() {
        let mut value = 0;
        while value < 64 {
            #[expect(clippy::as_conversions, reason = "computed by the compiler, lossless")]
            if alphabet[value as usize] as usize == octet {
                values[octet] = value;
            }
            value += 1;
        }
        octet += 1;
    }
    values[0x3d] = PADDING;
    values
};

impl Base64 {
    /// Decodes the next piece.
    pub fn decode(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.reserve((bytes.len() / 4).saturating_mul(3));
        let value = |octet: u8| VALUES.get(usize::from(octet)).copied().unwrap_or(NOTHING);
        let mut rest = bytes;
        while let [first, behind @ ..] = rest {
            if self.bits == 0
                && let [a, b, c, d, groups @ ..] = rest
            {
                let (a, b, c, d) = (value(*a), value(*b), value(*c), value(*d));
                if (a | b | c | d) < PADDING {
                    let group = u32::from_be_bytes([0, a, b, c]);
                    // Six bits each, from the left: the upper two of every octet are free.
                    let group = (group & 0x3f) | (group & 0x3f00) >> 2 | (group & 0x3f_0000) >> 4;
                    let [_, one, two, three] = (group << 6 | u32::from(d)).to_be_bytes();
                    out.extend_from_slice(&[one, two, three]);
                    rest = groups;
                    continue;
                }
            }
            rest = behind;
            match value(*first) {
                PADDING => self.bits = 0,
                NOTHING => {}
                value => self.push(value, out),
            }
        }
    }

    fn push(&mut self, value: u8, out: &mut Vec<u8>) {
        self.group = (self.group << 6) | u32::from(value);
        self.bits += 6;
        if self.bits >= 8 {
            self.bits -= 8;
            let [.., octet] = (self.group >> self.bits).to_be_bytes();
            out.push(octet);
        }
    }
}

/// RFC 2045 6.7. What is not an escape stands for itself.
pub fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    quoted_printable_into(bytes, &mut out);
    out
}

/// Where text of which more is to come may be cut, so that its pieces decode as the whole does:
/// behind about `bytes` octets, not inside what may be an escape or a soft line break.
pub fn quoted_printable_cut(text: &[u8], bytes: usize) -> usize {
    let may_cut = |at: &usize| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        let earlier = at.checked_sub(2).and_then(|earlier| text.get(earlier));
        earlier != Some(&b'=') && !matches!(before, None | Some(b'=' | b' ' | b'\t' | b'\r'))
    };
    if text.len() <= bytes {
        return text.len();
    }
    let near = (1..=bytes).rev().find(may_cut);
    near.or_else(|| (bytes..text.len()).find(may_cut))
        .unwrap_or(text.len())
}

/// [`quoted_printable`], added to what `out` has.
pub fn quoted_printable_into(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'=', rest) {
        let (plain, escape) = rest.split_at_checked(at).unwrap_or((rest, b""));
        out.extend_from_slice(plain);
        let behind = escape.get(1..).unwrap_or_default();
        if let [high, low, after @ ..] = behind
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.push((high << 4) | low);
            rest = after;
        } else if let Some(after) = soft_break(behind) {
            rest = after;
        } else {
            out.push(b'=');
            rest = behind;
        }
    }
    out.extend_from_slice(rest);
}

/// RFC 2047 4.2: like quoted-printable, with `_` for a space.
pub fn q_word(bytes: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = bytes
        .iter()
        .map(|byte| if *byte == b'_' { b' ' } else { *byte })
        .collect();
    quoted_printable(&spaced)
}

/// What follows a soft line break; gateways may have added white space before it. At the end of
/// the text the line break may be missing.
fn soft_break(behind: &[u8]) -> Option<&[u8]> {
    let spaces = behind
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    match behind.get(spaces..)? {
        [] => Some(&[]),
        [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] => Some(after),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{base64, q_word, quoted_printable};

    #[test]
    fn base64_survives_damage() {
        let check = |encoded: &str, text: &str| {
            assert_eq!(base64(encoded.as_bytes()), text.as_bytes(), "{encoded:?}");
        };
        check("aGVsbG8=", "hello");
        check("aGVs\r\nbG8=\r\n", "hello");
        check("aGVs!!bG8", "hello");
        check("aGVsbG8=aGVsbG8=", "hellohello");
        check("", "");
    }

    #[test]
    fn quoted_printable_survives_damage() {
        let check = |encoded: &str, text: &[u8]| {
            assert_eq!(quoted_printable(encoded.as_bytes()), text, "{encoded:?}");
        };
        check("a=3Db", b"a=b");
        check("a=\r\nb=\nc= \r\nd=", b"abcd");
        check("=c3=A4", b"\xc3\xa4");
        check("=ZZ=4", b"=ZZ=4");
        assert_eq!(q_word(b"a_b=5F"), b"a b_");
    }
}
