//! LOGIN: asks for a name, then for a password. Old clients know nothing else.

use mail_directory::Password;

use super::Step;

/// `Username:`; clients compare it, so it is not translated or prettified.
pub const ASK_USER: &[u8] = b"Username:";
const ASK_PASSWORD: &[u8] = b"Password:";

/// What has come so far.
#[derive(Default)]
pub struct State {
    user: Option<Vec<u8>>,
}

impl State {
    /// Takes the next message.
    pub fn step(&mut self, message: &[u8]) -> Step {
        match self.user.take() {
            None if message.is_empty() => Step::Malformed,
            None => {
                self.user = Some(message.to_vec());
                Step::Challenge(ASK_PASSWORD)
            }
            Some(user) => Step::Credentials {
                user,
                password: Password::new(message),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_then_a_password() {
        let mut state = State::default();
        let asked = state.step(b"tim");
        assert!(matches!(asked, Step::Challenge(b"Password:")));
        match state.step(b"secret") {
            Step::Credentials { user, .. } => assert_eq!(user, b"tim"),
            _ => panic!("both have come"),
        }
    }

    #[test]
    fn nobody_is_called_nothing() {
        assert!(matches!(State::default().step(b""), Step::Malformed));
    }
}
