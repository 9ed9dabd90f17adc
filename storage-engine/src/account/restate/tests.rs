//! Bytes of account states, written out.

use super::*;
use crate::actor::Actor;
use crate::ids::{ModSeq, Place, Uid};
use crate::index::Entry;
use crate::request::{Flags, Operation};

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

/// A mailbox with a class and three messages, two of which are `$Media` that nobody has seen.
fn contacts() -> AccountState {
    let mailbox = MailboxId(1);
    let mut state = AccountState::default();
    for record in [
        Record::AccountCreated,
        Record::MailboxCreated {
            mailbox,
            name: "INBOX".to_owned(),
            uid_validity: UidValidity(5),
            special_use: 0,
            noselect: false,
        },
        Record::MailboxClassed {
            mailbox,
            class: "IPF.Contact".to_owned(),
        },
        Record::KeywordAdded {
            mailbox,
            name: "$media".to_owned(),
        },
    ] {
        state.apply(&record);
    }
    for (uid, date, flags) in [(1, 300, 1 << 5), (2, 100, 1 << 5), (3, 200, 0)] {
        let entry = Entry {
            uid: Uid(uid),
            mod_seq: ModSeq(1 + u64::from(uid)),
            flags: Flags(flags),
            internal_date_s: date,
            zone_min: -60,
            saved_s: 0,
            size: 10,
            body: BodyId(u64::from(uid)),
            body_place: Place::NONE,
            summary_place: Place::NONE,
        };
        state.apply(&Record::MessageAdded { mailbox, entry });
    }
    state
}

#[test]
fn what_status_tells_is_known_while_the_pages_are_cold() {
    let mut state = contacts();
    let index = state.index_mut(MailboxId(1)).unwrap();
    index.fold();
    index.set_page_place(0, Place::NONE);
    let read = AccountState::decode(&state.encode(Form::Pages).unwrap()).unwrap();
    assert!(read.mailbox(MailboxId(1)).unwrap().index.cold());
    let status = |state: &AccountState| {
        let held = state.mailbox(MailboxId(1)).unwrap();
        held.status(&Actor::Owner)
    };
    for told in [status(&state), status(&read)] {
        let oldest = told.oldest.map(|date| (date.unix_s, date.zone_min));
        assert_eq!((oldest, told.unseen_media), (Some((100, -60)), 2));
        assert_eq!((told.messages, told.class.as_str()), (3, "IPF.Contact"));
    }
    let describe = Operation::Describe;
    assert_eq!(read.pages_needed(&describe, &Actor::Owner), []);
}

#[test]
fn pages_of_version_1_are_read_before_they_are_told_of() {
    let mut state = contacts();
    let index = state.index_mut(MailboxId(1)).unwrap();
    index.fold();
    index.set_page_place(0, Place::NONE);
    // Version 1 had no sections: without the class, and with the pages not counted, none is left.
    let held = state.mailboxes.get_mut(&MailboxId(1)).unwrap();
    held.class.clear();
    held.unseen_media = None;
    let mut bytes = state.encode(Form::Pages).unwrap();
    // No sections of the account are the last 4 bytes, none of the mailbox those before the 4 that
    // say that no body is shared.
    bytes.truncate(bytes.len() - 4);
    bytes.drain(bytes.len() - 8..bytes.len() - 4);
    bytes[0] = 1;
    let mut old = AccountState::decode(&bytes).unwrap();
    let describe = Operation::Describe;
    assert_eq!(old.pages_needed(&describe, &Actor::Owner), [MailboxId(1)]);
    let page = state.mailbox(MailboxId(1)).unwrap().index.pages()[0]
        .page
        .clone();
    assert!(old.index_mut(MailboxId(1)).unwrap().warm(0, page.unwrap()));
    let told = old.mailbox(MailboxId(1)).unwrap().status(&Actor::Owner);
    assert_eq!(told.unseen_media, 2);
    assert_eq!(told.oldest.map(|date| date.unix_s), Some(100));
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
