//! What has changed since the last time (RFC 7162): with QRESYNC in the SELECT itself, with
//! CONDSTORE in a FETCH behind it, without both by all flags.

use std::io::Write as _;

use imap_proto::response::string::astring;

use super::select::Select;
use crate::fault::{Fault, FaultKind};
use crate::reply::{Code, Status, Untagged};
use crate::session::{Capabilities, Capability};
use crate::shadow::Mailbox;

/// A synchronisation under way.
#[derive(Debug)]
pub struct Sync {
    select: Select,
    phase: Phase,
    /// What the session has seen before; 0 is nothing.
    since: u64,
    highest: Option<u64>,
    has_mod_seqs: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// ENABLE QRESYNC
    Enabling,
    Selecting {
        is_whole: bool,
    },
    Fetching,
}

impl Sync {
    /// Writes the first command. `since` is the modification sequence of the last time.
    pub fn write(
        name: &str,
        capabilities: Capabilities,
        (since, is_enabled): (u64, bool),
        mailbox: &Mailbox,
        out: &mut Vec<u8>,
    ) -> Self {
        let mut sync = Self {
            select: Select::new(mailbox),
            phase: Phase::Enabling,
            since,
            highest: None,
            has_mod_seqs: capabilities.has(Capability::CondStore)
                || capabilities.has(Capability::QResync),
        };
        if capabilities.has(Capability::QResync) && !is_enabled {
            out.extend_from_slice(b"ENABLE QRESYNC\r\n");
        } else {
            sync.select(name, is_enabled, mailbox, out);
        }
        sync
    }

    /// Whether it was ENABLE that has ended.
    pub fn has_enabled(&self) -> bool {
        self.phase == Phase::Enabling
    }

    /// Whether another command comes after the one that has ended.
    pub fn needs_more(&self) -> bool {
        match self.phase {
            Phase::Enabling => true,
            Phase::Selecting { is_whole } => !is_whole && self.select.exists() > 0,
            Phase::Fetching => false,
        }
    }

    /// Writes the next command.
    pub fn go_on(&mut self, name: &str, mailbox: &Mailbox, out: &mut Vec<u8>) {
        if self.phase == Phase::Enabling {
            self.select(name, true, mailbox, out);
            return;
        }
        out.extend_from_slice(b"UID FETCH 1:* (FLAGS)");
        if self.has_mod_seqs && self.since > 0 {
            // Writing into a vector cannot fail.
            let _ = write!(out, " (CHANGEDSINCE {})", self.since);
        }
        out.extend_from_slice(b"\r\n");
        self.phase = Phase::Fetching;
    }

    /// What the session has seen now.
    pub fn highest(&self) -> u64 {
        self.highest.unwrap_or(self.since)
    }

    /// Takes in counts and changes.
    pub fn untagged(
        &mut self,
        untagged: &Untagged<'_>,
        mailbox: &mut Mailbox,
    ) -> Result<(), Fault> {
        self.select.untagged(untagged, mailbox)?;
        match untagged {
            Untagged::Status(Status::Ok, Code::HighestModSeq(highest)) => {
                self.highest = Some(*highest);
                if *highest < self.since {
                    return Err(Fault::because(
                        FaultKind::WrongModSeq,
                        format_args!("HIGHESTMODSEQ {highest} was {}", self.since),
                    ));
                }
            }
            Untagged::Fetch(fetched) => {
                // RFC 7162 3.1.4.1: only what is above is told.
                if let Some(mod_seq) = fetched.mod_seq
                    && mod_seq <= self.since
                {
                    return Err(Fault::because(
                        FaultKind::WrongModSeq,
                        format_args!("MODSEQ {mod_seq} is not above {}", self.since),
                    ));
                }
                if let (Some(uid), Some(flags)) = (fetched.uid, fetched.flags) {
                    mailbox.told_flags(uid, flags);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Judges the command that has ended.
    pub fn finish(&self) -> Result<(), Fault> {
        match self.phase {
            Phase::Selecting { .. } => self.select.finish(),
            Phase::Enabling | Phase::Fetching => Ok(()),
        }
    }

    fn select(&mut self, name: &str, is_enabled: bool, mailbox: &Mailbox, out: &mut Vec<u8>) {
        out.extend_from_slice(b"SELECT ");
        astring(out, name.as_bytes());
        let known = mailbox.known_validity().filter(|_| self.since > 0);
        let is_whole = is_enabled && known.is_some();
        // Writing into a vector cannot fail.
        let _ = match known.filter(|_| is_enabled) {
            Some(validity) => write!(out, " (QRESYNC ({validity} {}))", self.since),
            None if self.has_mod_seqs => write!(out, " (CONDSTORE)"),
            None => Ok(()),
        };
        out.extend_from_slice(b"\r\n");
        self.phase = Phase::Selecting { is_whole };
    }
}
