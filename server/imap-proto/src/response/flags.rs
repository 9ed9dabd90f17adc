//! FLAGS (RFC 3501 7.2.6), and flag lists wherever they stand.

/// Writes `* FLAGS (...)`, with names as `Flag::name` gives them.
pub fn flags<'f>(out: &mut Vec<u8>, names: impl IntoIterator<Item = &'f str>) {
    out.extend_from_slice(b"* FLAGS ");
    flag_list(out, names);
    out.extend_from_slice(b"\r\n");
}

/// Writes a parenthesised list of flags. Names are atoms, with `\` before system flags.
pub fn flag_list<'f>(out: &mut Vec<u8>, names: impl IntoIterator<Item = &'f str>) {
    out.push(b'(');
    let mut first = true;
    for name in names {
        if !first {
            out.push(b' ');
        }
        first = false;
        out.extend_from_slice(name.as_bytes());
    }
    out.push(b')');
}
