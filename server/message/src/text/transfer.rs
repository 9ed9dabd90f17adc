//! Transfer encodings, decoded leniently: damage costs the damaged octets, not the text.

use crate::field::parameter::hex;

/// RFC 2045 6.8. Octets outside the alphabet are skipped; padding may stand in the middle, where
/// encoded pieces were put together.
pub fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity((bytes.len() / 4).saturating_mul(3));
    let mut group = 0_u32;
    let mut bits = 0_u32;
    for byte in bytes {
        let value = match byte {
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                bits = 0;
                continue;
            }
            _ => continue,
        };
        group = (group << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            let [.., octet] = (group >> bits).to_be_bytes();
            out.push(octet);
        }
    }
    out
}

/// RFC 2045 6.7. What is not an escape stands for itself.
pub fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
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
    out
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
