//! What the server has acknowledged to anyone, and so must keep for ever.

use super::mirror::Told;
use std::collections::{BTreeMap, BTreeSet};

/// The token of a message: what its subject says.
pub type Mark = String;

/// Everything that all sessions together know for certain.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Acknowledged by APPENDUID or COPYUID.
    pub stored: BTreeMap<u32, Mark>,
    /// Somebody has asked for `\Deleted` on it, so that any EXPUNGE may take it.
    pub doomed: BTreeSet<u32>,
    /// Somebody was told that it went.
    pub gone: BTreeSet<u32>,
    /// How often a mark may be there: once per APPEND or COPY that was sent.
    pub attempts: BTreeMap<Mark, u32>,
    /// Keywords that one session alone sets: (UID, keyword) and what was acknowledged last.
    pub keywords: BTreeMap<(u32, String), bool>,
    recent: BTreeMap<u32, usize>,
    states: BTreeMap<(u32, u64), BTreeSet<String>>,
    mod_seqs: BTreeMap<u32, u64>,
}

impl Ledger {
    /// Compares what one session was told with what others were told.
    pub fn hear(&mut self, member: usize, told: &Told) -> Result<(), String> {
        if let Some(uid) = told.expunged {
            self.gone.insert(uid);
        }
        if let Some(uid) = told.recent {
            // RFC 3501 2.3.2: a message is recent in one session only.
            let first = *self.recent.entry(uid).or_insert(member);
            if first != member {
                return Err(format!("UID {uid} is recent in {first} and in {member}"));
            }
        }
        let Some((uid, flags, mod_seq)) = &told.state else {
            return Ok(());
        };
        let newest = self.mod_seqs.entry(*uid).or_insert(0);
        *newest = (*newest).max(*mod_seq);
        // A MODSEQ stands for one state of a message, for everybody and over crashes.
        let other = self
            .states
            .entry((*uid, *mod_seq))
            .or_insert_with(|| flags.clone());
        if other != flags {
            return Err(format!(
                "UID {uid} at MODSEQ {mod_seq}: {other:?} and {flags:?}"
            ));
        }
        Ok(())
    }

    /// After a crash a message may be recent again, in another session.
    pub fn forget_recent(&mut self) {
        self.recent.clear();
    }

    /// What a fresh session found at the end: UID, mark, flags, MODSEQ.
    pub fn audit(&self, found: &[(u32, Mark, BTreeSet<String>, u64)]) -> Vec<String> {
        let mut complaints = Vec::new();
        let present: BTreeMap<u32, &Mark> = found.iter().map(|row| (row.0, &row.1)).collect();
        let mut counted: BTreeMap<&str, u32> = BTreeMap::new();
        for (uid, mark, flags, mod_seq) in found {
            *counted.entry(mark).or_insert(0) += 1;
            if self.gone.contains(uid) {
                complaints.push(format!("UID {uid} ({mark}) was expunged and is back"));
            }
            if self.mod_seqs.get(uid).is_some_and(|seen| seen > mod_seq) {
                complaints.push(format!("UID {uid}: MODSEQ fell to {mod_seq}"));
            }
            let owned = self.keywords.iter().filter(|((of, _), _)| of == uid);
            for ((_, keyword), set) in owned {
                if flags.contains(keyword) != *set {
                    complaints.push(format!("UID {uid}: {keyword} should be {set}"));
                }
            }
        }
        for (uid, mark) in &self.stored {
            match present.get(uid) {
                Some(found) if *found != mark => {
                    complaints.push(format!("UID {uid} was {mark} and is {found}"));
                }
                None if !self.doomed.contains(uid) => {
                    complaints.push(format!("UID {uid} ({mark}) was acknowledged and is lost"));
                }
                _ => {}
            }
        }
        // Judged at the end: that a copy is doomed too is known only with its COPYUID.
        for uid in self.gone.iter().filter(|uid| self.stored.contains_key(uid)) {
            if !self.doomed.contains(uid) {
                complaints.push(format!(
                    "UID {uid} was expunged, and nobody had asked for it"
                ));
            }
        }
        for (mark, count) in counted {
            let most = self.attempts.get(mark).copied().unwrap_or(0);
            if count > most {
                complaints.push(format!(
                    "{mark} is there {count} times and was sent {most} times"
                ));
            }
        }
        complaints
    }
}
