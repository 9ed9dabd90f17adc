//! What one session has been told of its mailbox, and whether it could be told that.
//!
//! The rules are those of RFC 3501 7.3.1, 7.4.1 and 2.3.1.1 and RFC 7162 3.1.

use crate::dialogue::token::{Token, tokenize};
use std::collections::BTreeSet;

/// What runs while a response arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum During {
    /// No command is in progress: no EXPUNGE (RFC 3501 7.4.1).
    Nothing,
    /// FETCH, STORE or SEARCH by sequence number: no EXPUNGE either.
    Numbers,
    /// Any other command.
    Other,
}

/// A message as this session knows it.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// None until a FETCH told it.
    pub uid: Option<u32>,
    /// None when unknown, for example after an own silent STORE. Without `\Recent`.
    pub flags: Option<BTreeSet<String>>,
    /// 0 when unknown.
    pub mod_seq: u64,
}

/// Something that a response told and that others may compare.
#[derive(Debug, Default)]
pub struct Told {
    /// The UID of a message that an EXPUNGE took away.
    pub expunged: Option<u32>,
    /// The UID of a message with `\Recent`.
    pub recent: Option<u32>,
    /// UID, flags and MODSEQ that came in one response.
    pub state: Option<(u32, BTreeSet<String>, u64)>,
}

/// The mailbox in the order of its sequence numbers.
#[derive(Debug, Default)]
pub struct Mirror {
    /// Message n is at n - 1.
    pub messages: Vec<Known>,
}

impl Mirror {
    /// Follows an untagged response, or says what is impossible about it.
    pub fn follow(&mut self, response: &[u8], during: During) -> Result<Told, String> {
        let tokens = tokenize(response);
        let words: Vec<&[u8]> = tokens
            .iter()
            .take(3)
            .map(|token| match token {
                Token::Atom(atom) => atom.as_slice(),
                _ => b"",
            })
            .collect();
        let [b"*", first, rest @ ..] = words.as_slice() else {
            return Err("not an untagged response".into());
        };
        let Ok(number) = std::str::from_utf8(first)
            .unwrap_or_default()
            .parse::<usize>()
        else {
            return self.follow_search(first, &tokens);
        };
        let word = rest
            .first()
            .copied()
            .unwrap_or_default()
            .to_ascii_uppercase();
        match word.as_slice() {
            b"EXISTS" => self.exists(number),
            b"RECENT" if number <= self.messages.len() => Ok(Told::default()),
            b"RECENT" => Err(format!(
                "more recent than the {} there are",
                self.messages.len()
            )),
            b"EXPUNGE" => self.expunge(number, during),
            b"FETCH" => self.fetch(number, tokens.get(3)),
            _ => Err("an unknown response".into()),
        }
    }

    fn exists(&mut self, number: usize) -> Result<Told, String> {
        // RFC 3501 7.3.1: only EXPUNGE makes the mailbox smaller.
        if number < self.messages.len() {
            return Err(format!("EXISTS fell from {}", self.messages.len()));
        }
        self.messages.resize(number, Known::default());
        Ok(Told::default())
    }

    fn expunge(&mut self, number: usize, during: During) -> Result<Told, String> {
        if during != During::Other {
            return Err(format!("EXPUNGE while {during:?} runs"));
        }
        if number == 0 || number > self.messages.len() {
            return Err(format!("EXPUNGE of one out of {}", self.messages.len()));
        }
        let gone = self.messages.remove(number - 1);
        Ok(Told {
            expunged: gone.uid,
            ..Told::default()
        })
    }

    fn fetch(&mut self, number: usize, items: Option<&Token>) -> Result<Told, String> {
        let Some(Token::List(items)) = items else {
            return Err("FETCH without a list".into());
        };
        if number == 0 || number > self.messages.len() {
            return Err(format!("FETCH of one out of {}", self.messages.len()));
        }
        let mut news = Known::default();
        let mut is_recent = false;
        for pair in items.chunks(2) {
            let [Token::Atom(name), value] = pair else {
                return Err("FETCH items are not in pairs".into());
            };
            match (name.to_ascii_uppercase().as_slice(), value) {
                (b"UID", Token::Atom(uid)) => news.uid = number_of(uid),
                (b"MODSEQ", Token::List(list)) => {
                    news.mod_seq = list.first().and_then(atom_number).ok_or("a bad MODSEQ")?;
                }
                (b"FLAGS", Token::List(list)) => {
                    let mut flags: BTreeSet<String> = list.iter().map(flag_name).collect();
                    is_recent = flags.remove("\\recent");
                    news.flags = Some(flags);
                }
                _ => {}
            }
        }
        self.merge(number - 1, &news)?;
        let uid = self.messages[number - 1].uid;
        let state = match (uid, news.flags, news.mod_seq) {
            (Some(uid), Some(flags), mod_seq) if mod_seq > 0 => Some((uid, flags, mod_seq)),
            _ => None,
        };
        Ok(Told {
            recent: uid.filter(|_| is_recent),
            state,
            expunged: None,
        })
    }

    fn merge(&mut self, at: usize, news: &Known) -> Result<(), String> {
        if let Some(uid) = news.uid {
            self.check_uid(at, uid)?;
        }
        let known = &mut self.messages[at];
        known.uid = news.uid.or(known.uid);
        if news.mod_seq > 0 {
            if news.mod_seq < known.mod_seq {
                return Err(format!("MODSEQ fell from {}", known.mod_seq));
            }
            known.mod_seq = news.mod_seq;
        }
        if news.flags.is_some() {
            known.flags.clone_from(&news.flags);
        }
        Ok(())
    }

    /// RFC 3501 2.3.1.1: a message keeps its UID, and UIDs ascend with the sequence numbers.
    fn check_uid(&self, at: usize, uid: u32) -> Result<(), String> {
        if self.messages[at].uid.is_some_and(|known| known != uid) {
            return Err(format!("the UID was {:?}", self.messages[at].uid));
        }
        let before = self.messages[..at].iter().rev().find_map(|known| known.uid);
        let behind = self.messages[at + 1..].iter().find_map(|known| known.uid);
        if before.is_some_and(|before| before >= uid) || behind.is_some_and(|behind| behind <= uid)
        {
            return Err(format!("UIDs do not ascend: {before:?}, {uid}, {behind:?}"));
        }
        Ok(())
    }

    fn follow_search(&self, word: &[u8], tokens: &[Token]) -> Result<Told, String> {
        if word.eq_ignore_ascii_case(b"SEARCH") {
            let highest = tokens[2..]
                .iter()
                .filter_map(atom_number)
                .max()
                .unwrap_or(0);
            if highest > self.messages.len() as u64 {
                return Err(format!("SEARCH found one out of {}", self.messages.len()));
            }
        }
        Ok(Told::default())
    }
}

fn number_of(atom: &[u8]) -> Option<u32> {
    std::str::from_utf8(atom).ok()?.parse().ok()
}

fn atom_number(token: &Token) -> Option<u64> {
    match token {
        Token::Atom(atom) => std::str::from_utf8(atom).ok()?.parse().ok(),
        _ => None,
    }
}

fn flag_name(token: &Token) -> String {
    match token {
        Token::Atom(atom) => String::from_utf8_lossy(atom).to_ascii_lowercase(),
        _ => String::new(),
    }
}

#[test]
fn impossible_responses_are_seen() {
    let check = |before: &str, response: &str, during: During, possible: bool| {
        let mut mirror = Mirror::default();
        for line in before.split('|').filter(|line| !line.is_empty()) {
            mirror
                .follow(line.as_bytes(), During::Other)
                .expect("a possible beginning");
        }
        let result = mirror.follow(response.as_bytes(), during);
        assert_eq!(
            result.is_ok(),
            possible,
            "{before} then {response}: {result:?}"
        );
    };
    check("* 3 EXISTS", "* 2 EXISTS", During::Other, false);
    check("* 3 EXISTS", "* 3 EXPUNGE", During::Other, true);
    check("* 3 EXISTS", "* 4 EXPUNGE", During::Other, false);
    check("* 3 EXISTS", "* 0 EXPUNGE", During::Other, false);
    check("* 3 EXISTS", "* 1 EXPUNGE", During::Numbers, false);
    check("* 3 EXISTS", "* 1 EXPUNGE", During::Nothing, false);
    check("* 3 EXISTS", "* 4 FETCH (FLAGS ())", During::Other, false);
    check(
        "* 2 EXISTS|* 1 FETCH (UID 7)",
        "* 2 FETCH (UID 7)",
        During::Other,
        false,
    );
    check(
        "* 2 EXISTS|* 1 FETCH (UID 7)",
        "* 1 FETCH (UID 8)",
        During::Other,
        false,
    );
    check(
        "* 2 EXISTS|* 2 FETCH (UID 7)",
        "* 1 FETCH (UID 6)",
        During::Other,
        true,
    );
    check(
        "* 1 EXISTS|* 1 FETCH (MODSEQ (9))",
        "* 1 FETCH (MODSEQ (8))",
        During::Other,
        false,
    );
    check("* 1 EXISTS", "* SEARCH 1 2", During::Numbers, false);
    check("* 1 EXISTS", "* 2 RECENT", During::Other, false);
}
