//! The responses ACL, LISTRIGHTS and MYRIGHTS (RFC 4314 3.6 to 3.8).

use super::list::mailbox;
use super::string::astring;

/// Writes `* ACL mailbox` and pairs of identifier and rights.
pub fn acl(out: &mut Vec<u8>, name: &str, entries: &[(String, String)]) {
    out.extend_from_slice(b"* ACL ");
    mailbox(out, name);
    for (identifier, rights) in entries {
        out.push(b' ');
        astring(out, identifier.as_bytes());
        out.push(b' ');
        astring(out, rights.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes `* LISTRIGHTS mailbox identifier required optional...`; each optional right is one that
/// can be given without the others.
pub fn list_rights(
    out: &mut Vec<u8>,
    name: &str,
    identifier: &str,
    required: &str,
    optional: impl Iterator<Item = char>,
) {
    out.extend_from_slice(b"* LISTRIGHTS ");
    mailbox(out, name);
    for word in [identifier, required] {
        out.push(b' ');
        astring(out, word.as_bytes());
    }
    for right in optional {
        out.push(b' ');
        astring(out, right.encode_utf8(&mut [0; 4]).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes `* MYRIGHTS mailbox rights`.
pub fn my_rights(out: &mut Vec<u8>, name: &str, rights: &str) {
    out.extend_from_slice(b"* MYRIGHTS ");
    mailbox(out, name);
    out.push(b' ');
    astring(out, rights.as_bytes());
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(write: impl FnOnce(&mut Vec<u8>), expected: &str) {
        let mut out = Vec::new();
        write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn rights_stand_behind_their_identifier() {
        let entry = |identifier: &str, rights: &str| (identifier.to_owned(), rights.to_owned());
        check(|out| acl(out, "INBOX", &[]), "* ACL INBOX\r\n");
        let entries = [
            entry("fred", "lrswi"),
            entry("-anyone@", "w"),
            entry("#the team", "l"),
        ];
        check(
            |out| acl(out, "a b", &entries),
            "* ACL \"a b\" fred lrswi -anyone@ w \"#the team\" l\r\n",
        );
        check(
            |out| list_rights(out, "INBOX", "fred", "", "lrs".chars()),
            "* LISTRIGHTS INBOX fred \"\" l r s\r\n",
        );
        check(
            |out| list_rights(out, "INBOX", "fred", "lr", "".chars()),
            "* LISTRIGHTS INBOX fred lr\r\n",
        );
        check(
            |out| my_rights(out, "INBOX", "lr"),
            "* MYRIGHTS INBOX lr\r\n",
        );
        check(
            |out| my_rights(out, "INBOX", ""),
            "* MYRIGHTS INBOX \"\"\r\n",
        );
    }
}
