//! PLAIN (RFC 4616): `[authzid] NUL authcid NUL passwd`.

use mail_directory::Password;

use super::Step;

/// Takes the one message.
pub fn step(message: &[u8]) -> Step {
    let mut parts = message.splitn(3, |byte| *byte == 0);
    let (Some(identity), Some(user), Some(password)) = (parts.next(), parts.next(), parts.next())
    else {
        return Step::Malformed;
    };
    if user.is_empty() || password.contains(&0) {
        return Step::Malformed;
    }
    // RFC 4616 2: acting as oneself needs no right, acting as another is not offered.
    if !identity.is_empty() && !identity.eq_ignore_ascii_case(user) {
        return Step::NotAuthorized;
    }
    Step::Credentials {
        user: user.to_vec(),
        password: Password::new(password),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(message: &[u8]) -> Option<Vec<u8>> {
        match step(message) {
            Step::Credentials { user, .. } => Some(user),
            Step::Challenge(_) | Step::Malformed | Step::NotAuthorized => None,
        }
    }

    #[test]
    fn the_example_of_rfc_4616_gives_its_user() {
        assert_eq!(user(b"\0tim\0tanstaaftanstaaf"), Some(b"tim".to_vec()));
        assert_eq!(user(b"Ursel\0Kurt\0xipj3plmq"), None);
        assert_eq!(user(b"tim\0tim\0x"), Some(b"tim".to_vec()));
        assert_eq!(user(b"tim"), None);
    }
}
