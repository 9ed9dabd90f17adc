//! Address lists (RFC 5322 3.4 and 4.4) as ENVELOPE shows them: raw, quotes removed.
//!
//! Real mail breaks the grammar in every way there is. What cannot be read is kept as a name or
//! a mailbox rather than dropped, because it is what the user looks for.

use imap_proto::response::envelope::Address;

use super::token::Cursor;
use super::{fields, unfold};
use crate::limits::{ADDRESSES_MAX, ROUTE_BYTES_MAX};

/// The addresses of all fields `name` in `header`.
pub fn in_header(header: &[u8], name: &[u8]) -> Vec<Address> {
    let mut addresses = Vec::new();
    for field in fields(header).filter(|field| field.is(name)) {
        let room = ADDRESSES_MAX.saturating_sub(addresses.len());
        addresses.extend(parse(&unfold(field.value), room));
    }
    addresses
}

/// Reads an unfolded value, up to `max` addresses; group marks count as addresses.
pub fn parse(value: &[u8], max: usize) -> Vec<Address> {
    let mut list = List::default();
    let mut cursor = Cursor::new(value);
    while list.addresses.len() < max {
        let space = skip_space(&mut cursor);
        match cursor.peek() {
            None => break,
            Some(b'(') => list.comment = Some(cursor.comment()),
            Some(b',') => {
                cursor.bump();
                list.flush();
            }
            Some(b';') => {
                cursor.bump();
                list.end_group();
            }
            Some(b':') => {
                cursor.bump();
                list.begin_group();
            }
            Some(b'<') => {
                cursor.bump();
                list.angle(&mut cursor);
            }
            Some(b'@') => {
                cursor.bump();
                list.at(&mut cursor);
            }
            Some(_) => list.word(&mut cursor, space),
        }
    }
    if list.addresses.len() < max {
        list.end_group();
    }
    list.addresses
}

#[derive(Default)]
struct List {
    addresses: Vec<Address>,
    /// Words that may turn out a name, a local part or a group's name. Those that stand without
    /// space between them are one.
    words: Vec<Vec<u8>>,
    comment: Option<Vec<u8>>,
    /// An address that may still get the comment behind it as its name.
    pending: Option<Address>,
    in_group: bool,
}

impl List {
    fn word(&mut self, cursor: &mut Cursor<'_>, space: bool) {
        let word = one_word(cursor);
        match self.words.last_mut() {
            Some(last) if !space => last.extend_from_slice(&word),
            _ => self.words.push(word),
        }
    }

    /// `<` was taken: a route, an address, `>`.
    fn angle(&mut self, cursor: &mut Cursor<'_>) {
        self.flush_pending();
        cursor.skip_cfws();
        let mut adl = None;
        if cursor.peek() == Some(b'@') {
            // RFC 5322 4.4: obs-route.
            let mut ahead = cursor.clone();
            let route = ahead.take_while_up_to(ROUTE_BYTES_MAX, |byte| !b":><".contains(&byte));
            if ahead.eat(b':') {
                adl = Some(route.trim_ascii_end().to_vec());
                *cursor = ahead;
            }
        }
        let mut local = Vec::new();
        loop {
            cursor.skip_cfws();
            match cursor.peek() {
                None | Some(b'>' | b'@' | b',' | b'<') => break,
                Some(b';' | b':') => local.extend(cursor.bump()),
                Some(_) => local.extend_from_slice(&one_word(cursor)),
            }
        }
        let (mailbox, host) = if cursor.eat(b'@') {
            host_behind(local, cursor)
        } else {
            (local, Vec::new())
        };
        // Anything else inside the brackets has no place in an envelope.
        cursor.take_while(|byte| byte != b'>' && byte != b',');
        cursor.eat(b'>');
        let name = (!self.words.is_empty()).then(|| self.words.join(&b' '));
        self.words.clear();
        self.pending = Some(Address {
            name,
            adl,
            mailbox: Some(mailbox),
            host: Some(host),
        });
    }

    /// `@` was taken, outside brackets: the word before it is the local part, those before that
    /// can only be a name.
    fn at(&mut self, cursor: &mut Cursor<'_>) {
        self.flush_pending();
        // RFC 5322 4.4: white space may stand around the dots.
        let dotted = |pair: &&[Vec<u8>]| match pair {
            [before, after] => before.ends_with(b".") || after.starts_with(b"."),
            _ => false,
        };
        let joined = self.words.windows(2).rev().take_while(dotted).count();
        let start = self.words.len().saturating_sub(joined.saturating_add(1));
        let local = self.words.split_off(start).concat();
        let (mailbox, host) = host_behind(local, cursor);
        let name = (!self.words.is_empty()).then(|| self.words.join(&b' '));
        self.words.clear();
        self.pending = Some(Address {
            name,
            adl: None,
            mailbox: Some(mailbox),
            host: Some(host),
        });
    }

    fn flush_pending(&mut self) {
        if let Some(mut address) = self.pending.take() {
            // RFC 822's old way of giving a name: joe@example.org (Joe).
            if address.name.is_none() {
                address.name = self.comment.take().filter(|comment| !comment.is_empty());
            }
            self.addresses.push(address);
        }
        self.comment = None;
    }

    /// An address ends. Words alone are a mailbox without a domain, which is not NIL: that would
    /// begin a group (RFC 3501 7.4.2).
    fn flush(&mut self) {
        if self.pending.is_none() && !self.words.is_empty() {
            let mailbox = self.words.join(&b' ');
            self.pending = Some(Address {
                name: None,
                adl: None,
                mailbox: Some(mailbox),
                host: Some(Vec::new()),
            });
        }
        self.words.clear();
        self.flush_pending();
    }

    fn begin_group(&mut self) {
        if self.in_group || self.pending.is_some() {
            // A stray colon.
            return;
        }
        let name = self.words.join(&b' ');
        self.words.clear();
        self.comment = None;
        self.in_group = true;
        self.addresses.push(Address::group_start(name));
    }

    fn end_group(&mut self) {
        self.flush();
        if self.in_group {
            self.in_group = false;
            self.addresses.push(Address::group_end());
        }
    }
}

fn skip_space(cursor: &mut Cursor<'_>) -> bool {
    !cursor
        .take_while(|byte| byte.is_ascii_whitespace())
        .is_empty()
}

/// A quoted string without its quotes, or a run of octets that are not special. Takes at least
/// one octet.
fn one_word(cursor: &mut Cursor<'_>) -> Vec<u8> {
    match cursor.peek() {
        Some(b'"') => cursor.quoted(),
        _ => {
            let word = cursor
                .take_while(|byte| !byte.is_ascii_whitespace() && !b"()<>@,;:\"".contains(&byte));
            if word.is_empty() {
                cursor.bump().into_iter().collect()
            } else {
                word.to_vec()
            }
        }
    }
}

/// What follows `@`. More than one `@` moves all but the last into the local part.
fn host_behind(local: Vec<u8>, cursor: &mut Cursor<'_>) -> (Vec<u8>, Vec<u8>) {
    let mut local = local;
    loop {
        let host = domain(cursor);
        if !cursor.eat(b'@') {
            return (local, host);
        }
        local.push(b'@');
        local.extend_from_slice(&host);
    }
}

/// RFC 5322 3.4.1 and 4.4: a domain, white space around its dots allowed, or a literal.
fn domain(cursor: &mut Cursor<'_>) -> Vec<u8> {
    let mut domain = Vec::new();
    loop {
        let mut ahead = cursor.clone();
        ahead.take_while(|byte| byte.is_ascii_whitespace());
        let joined = domain.is_empty() || domain.ends_with(b".") || ahead.peek() == Some(b'.');
        if !joined {
            return domain;
        }
        let piece = if ahead.peek() == Some(b'[') {
            let mut literal = ahead
                .take_while(|byte| byte != b']' && byte != b'>')
                .to_vec();
            if ahead.eat(b']') {
                literal.push(b']');
            }
            literal
        } else {
            ahead
                .take_while(|byte| !byte.is_ascii_whitespace() && !b"()<>@,;:\"".contains(&byte))
                .to_vec()
        };
        if piece.is_empty() {
            return domain;
        }
        domain.extend_from_slice(&piece);
        *cursor = ahead;
    }
}

#[cfg(test)]
mod tests;
