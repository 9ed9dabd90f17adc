//! Bytes of account states, written out.

use super::*;

/// An account as version 1 wrote it: INBOX, whose one message was expunged, and a subscription.
const ACCOUNT: &str = concat!(
    "00",
    "01",
    "0700000000000000",
    "01000000",
    "0100000000000000",
    "e8030000",
    "01000000",
    "0700000041726368697665",
    "01000000",
);
const INBOX: &str = concat!(
    "01000000",
    "05000000494e424f58",
    "00",
    "00",
    "e8030000",
    "02000000",
    "0300000000000000",
    "02000000",
    "00000000",
    "00000000",
    "00000000",
    "0000000000000000",
    "00000000",
    "0000000000000000",
    "01000000",
    "01000000",
    "01000000",
    "0300000000000000",
    "00000000",
);
const NONE_SHARED: &str = "00000000";
const NO_SECTIONS: &str = "00000000";

fn bytes(hex: &str) -> Vec<u8> {
    let digits = (0..hex.len()).step_by(2);
    digits
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn subscribed(state: &AccountState) -> Vec<&str> {
    state.subscriptions().collect()
}

#[test]
fn a_state_of_version_1_is_read_and_written_as_version_2() {
    let first = bytes(&format!("01{ACCOUNT}{INBOX}{NONE_SHARED}"));
    let state = AccountState::decode(&first).unwrap();
    assert_eq!(state.lsn(), Lsn(7));
    assert_eq!(subscribed(&state), ["Archive"]);
    let inbox = state.mailbox(MailboxId(1)).unwrap();
    assert_eq!((inbox.name.as_str(), inbox.uid_next.0), ("INBOX", 2));
    let second = bytes(&format!(
        "02{ACCOUNT}{INBOX}{NO_SECTIONS}{NONE_SHARED}{NO_SECTIONS}"
    ));
    assert_eq!(state.encode(Form::Whole).unwrap(), second);
    assert!(AccountState::decode(&second).is_ok());
}

#[test]
fn a_section_of_an_unknown_kind_is_refused_and_so_are_other_versions() {
    let state = AccountState::default();
    let whole = state.encode(Form::Whole).unwrap();
    let end = whole.len() - 4;
    let mut unknown = whole.clone();
    unknown[end] = 1;
    unknown.extend_from_slice(&[0xfe, 0, 0, 0, 0]);
    let error = StateError::Bytes(RecordError::UnknownKind(0xfe));
    assert_eq!(AccountState::decode(&unknown).unwrap_err(), error);
    for version in [0, VERSION + 1] {
        let mut other = whole.clone();
        other[0] = version;
        let error = StateError::Version(version);
        assert_eq!(AccountState::decode(&other).unwrap_err(), error);
    }
}

#[test]
fn a_certificate_is_a_section_of_the_account() {
    let mut state = AccountState::decode(&bytes(&format!("01{ACCOUNT}{INBOX}{NONE_SHARED}")));
    let state = state.as_mut().unwrap();
    let certificate = vec![0x30, 0];
    state.apply(&Record::CertificateSet { certificate });
    let written = state.encode(Form::Whole).unwrap();
    let section = bytes("010000002206000000020000003000");
    assert!(written.ends_with(&section), "{written:02x?}");
    let read = AccountState::decode(&written).unwrap();
    assert_eq!(read.certificate().as_deref(), Some(&[0x30, 0][..]));
    let certificate = Vec::new();
    state.apply(&Record::CertificateSet { certificate });
    assert_eq!(state.certificate(), None);
}
