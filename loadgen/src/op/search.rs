//! UID SEARCH (RFC 3501 6.4.4): exactly the messages that must be found, among those known.

use crate::fault::{Fault, FaultKind};
use crate::mail::marker;
use crate::reply::Untagged;
use crate::scenario::SearchKey;
use crate::shadow::Mailbox;

/// A SEARCH under way.
#[derive(Debug)]
pub struct Search {
    word: &'static str,
    /// Messages above are newer than the command.
    uid_max: u32,
    found: Option<Vec<u32>>,
}

impl Search {
    /// Writes the command that looks for `word`, a marker of subjects.
    pub fn write(key: SearchKey, word: &'static str, mailbox: &Mailbox, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(match key {
            SearchKey::Subject => b"UID SEARCH SUBJECT ".as_slice(),
            SearchKey::Text => b"UID SEARCH TEXT ".as_slice(),
        });
        out.extend_from_slice(word.as_bytes());
        out.extend_from_slice(b"\r\n");
        Self {
            word,
            uid_max: mailbox.messages.last().map_or(0, |message| message.uid),
            found: None,
        }
    }

    /// Takes in the answer; RFC 3501 7.2.5 lets it come in parts.
    pub fn untagged(&mut self, untagged: &Untagged<'_>) -> Result<(), Fault> {
        let Untagged::Search(line) = untagged else {
            return Ok(());
        };
        let found = self.found.get_or_insert_default();
        // RFC 7162 3.1.5 may put a modification sequence in parentheses at the end.
        let end = memchr::memchr(b'(', line).unwrap_or(line.len());
        let words = line.get(..end).unwrap_or_default().split(|b| *b == b' ');
        for word in words.filter(|word| !word.is_empty()) {
            let uid = std::str::from_utf8(word)
                .ok()
                .and_then(|word| word.parse().ok())
                .ok_or_else(|| Fault::said(FaultKind::Malformed, line))?;
            found.push(uid);
        }
        Ok(())
    }

    /// Every known message is found if, and only if, its subject has the word.
    pub fn finish(&mut self, mailbox: &Mailbox) -> Result<(), Fault> {
        let wrong = |why: std::fmt::Arguments<'_>| Err(Fault::because(FaultKind::WrongResult, why));
        let Some(mut found) = self.found.take() else {
            return Err(Fault::because(FaultKind::Missing, "no SEARCH response"));
        };
        found.sort_unstable();
        let before = found.len();
        found.dedup();
        if found.len() != before {
            return wrong(format_args!("{}: a message was found twice", self.word));
        }
        for message in &mailbox.messages {
            let Some(number) = message.number.filter(|_| message.uid <= self.uid_max) else {
                continue;
            };
            let is_found = found.binary_search(&message.uid).is_ok();
            if is_found != (marker(u64::from(number)) == self.word) {
                return wrong(format_args!(
                    "{}: UID {} found: {is_found}",
                    self.word, message.uid
                ));
            }
        }
        let unknown = found.iter().find(|uid| {
            **uid <= self.uid_max && mailbox.is_known && mailbox.message(**uid).is_none()
        });
        match unknown {
            Some(uid) => wrong(format_args!("{}: UID {uid} is not there", self.word)),
            None => Ok(()),
        }
    }
}
