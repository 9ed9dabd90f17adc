//! Compaction has copied frames: which messages must learn their new places.

use std::collections::HashMap;

use super::AccountState;
use crate::ids::Place;
use crate::record::Record;

impl AccountState {
    /// One `Moved` a mailbox for all messages that use one of these places (old -> new). On the
    /// planned state, whose pages are warm.
    pub fn plan_moved(&self, moves: &HashMap<Place, Place>) -> Vec<Record> {
        let mut records = Vec::new();
        for mailbox in self.mailboxes.values() {
            let mut places = Vec::new();
            for entry in mailbox.index.iter() {
                let body = moves.get(&entry.body_place);
                let summary = moves.get(&entry.summary_place);
                if body.is_some() || summary.is_some() {
                    let body = *body.unwrap_or(&entry.body_place);
                    let summary = *summary.unwrap_or(&entry.summary_place);
                    places.push((entry.uid, body, summary));
                }
            }
            if !places.is_empty() {
                records.push(Record::Moved {
                    mailbox: mailbox.id,
                    places,
                });
            }
        }
        records
    }
}
