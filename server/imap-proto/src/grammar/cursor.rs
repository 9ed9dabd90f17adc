//! A cursor over one request; its methods carry the names of RFC 3501's formal syntax.

use std::borrow::Cow;

use super::mailbox_name::{self, MailboxName};
use super::{SyntaxError, is_astring_char, is_atom_char, is_tag_char};
use crate::limits::{LIST_ITEMS_MAX, TAG_BYTES_MAX};

/// What grammar functions return.
pub type Parsed<T> = Result<T, SyntaxError>;

/// Reads from the front of a request's bytes. What a method has read is gone, also when it fails.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'r> {
    rest: &'r [u8],
}

impl<'r> Cursor<'r> {
    /// A cursor at the start of `bytes`.
    pub fn new(bytes: &'r [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read.
    pub fn rest(&self) -> &'r [u8] {
        self.rest
    }

    /// The next byte, not read.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Reads `byte` if it is next.
    pub fn take_byte(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Reads `byte`, which must be next; `what` names it.
    pub fn expect_byte(&mut self, byte: u8, what: &'static str) -> Parsed<()> {
        if self.take_byte(byte) {
            Ok(())
        } else {
            Err(SyntaxError::Expected(what))
        }
    }

    /// `SP`. Clients that send several are forgiven.
    pub fn sp(&mut self) -> Parsed<()> {
        self.expect_byte(b' ', "space")?;
        self.skip_spaces();
        Ok(())
    }

    /// Reads spaces, if there are any.
    pub fn skip_spaces(&mut self) {
        while self.take_byte(b' ') {}
    }

    /// The end of the command. Spaces before it are forgiven.
    pub fn end(&mut self) -> Parsed<()> {
        self.skip_spaces();
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(SyntaxError::Trailing)
        }
    }

    /// Reads the longest front of which every byte `belongs`.
    pub fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> &'r [u8] {
        let end = self
            .rest
            .iter()
            .position(|byte| !belongs(*byte))
            .unwrap_or(self.rest.len());
        self.take(end).unwrap_or_default()
    }

    /// Reads `word` if it is next, in any case, and no atom character follows.
    pub fn take_word(&mut self, word: &str) -> bool {
        let mut ahead = *self;
        let taken = ahead.take_prefix(word) && !ahead.peek().is_some_and(is_atom_char);
        if taken {
            *self = ahead;
        }
        taken
    }

    /// Reads `prefix` if it is next, in any case.
    pub fn take_prefix(&mut self, prefix: &str) -> bool {
        match self.rest.split_at_checked(prefix.len()) {
            Some((front, rest)) if front.eq_ignore_ascii_case(prefix.as_bytes()) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// `tag`
    pub fn tag(&mut self) -> Parsed<&'r [u8]> {
        let tag = self.take_while(is_tag_char);
        if tag.is_empty() || tag.len() > TAG_BYTES_MAX {
            return Err(SyntaxError::Expected("tag"));
        }
        Ok(tag)
    }

    /// `atom`
    pub fn atom(&mut self) -> Parsed<&'r [u8]> {
        let atom = self.take_while(is_atom_char);
        if atom.is_empty() {
            Err(SyntaxError::Expected("atom"))
        } else {
            Ok(atom)
        }
    }

    /// `astring`
    pub fn astring(&mut self) -> Parsed<Cow<'r, [u8]>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => {
                let atom = self.take_while(is_astring_char);
                if atom.is_empty() {
                    return Err(SyntaxError::Expected("astring"));
                }
                Ok(Cow::Borrowed(atom))
            }
        }
    }

    /// The arguments of LOGIN: `astring`, or an atom with what people write without quotes all the
    /// same, as `user%domain` and passwords with `*`.
    pub fn login_string(&mut self) -> Parsed<Cow<'r, [u8]>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => {
                let plain = |byte| is_astring_char(byte) || matches!(byte, b'%' | b'*' | b'\\');
                let atom = self.take_while(plain);
                if atom.is_empty() {
                    return Err(SyntaxError::Expected("astring"));
                }
                Ok(Cow::Borrowed(atom))
            }
        }
    }

    /// `nstring`: `None` for NIL.
    pub fn nstring(&mut self) -> Parsed<Option<Cow<'r, [u8]>>> {
        if self.take_word("NIL") {
            Ok(None)
        } else {
            self.string().map(Some)
        }
    }

    /// `string`: quoted or literal.
    pub fn string(&mut self) -> Parsed<Cow<'r, [u8]>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal().map(Cow::Borrowed),
            _ => Err(SyntaxError::Expected("string")),
        }
    }

    /// `quoted`. Bytes above 127 are let pass, as UTF-8 clients send them.
    pub fn quoted(&mut self) -> Parsed<Cow<'r, [u8]>> {
        self.expect_byte(b'"', "quoted string")?;
        let plain = self.take_while(|byte| !matches!(byte, b'"' | b'\\' | b'\r' | b'\n' | 0));
        if self.take_byte(b'"') {
            return Ok(Cow::Borrowed(plain));
        }
        let mut owned = plain.to_vec();
        loop {
            match self.next_byte() {
                Some(b'"') => return Ok(Cow::Owned(owned)),
                Some(b'\\') => match self.next_byte() {
                    // RFC 3501: only a quote and a backslash may be escaped. Others are taken as
                    // they stand, since passwords are quoted badly by many clients.
                    Some(b'\r' | b'\n' | 0) | None => return Err(SyntaxError::Unterminated),
                    Some(escaped @ (b'"' | b'\\')) => owned.push(escaped),
                    Some(other) => owned.extend_from_slice(&[b'\\', other]),
                },
                Some(b'\r' | b'\n' | 0) | None => return Err(SyntaxError::Unterminated),
                Some(byte) => owned.push(byte),
            }
        }
    }

    /// `literal`, whose data the fragmenter has put inline.
    pub fn literal(&mut self) -> Parsed<&'r [u8]> {
        self.expect_byte(b'{', "literal")?;
        let bytes = usize::try_from(self.number64()?).map_err(|_| SyntaxError::Number)?;
        self.take_byte(b'+');
        self.expect_byte(b'}', "literal")?;
        self.take_byte(b'\r');
        self.expect_byte(b'\n', "literal")?;
        let data = self
            .take(bytes)
            .ok_or(SyntaxError::Expected("literal data"))?;
        // RFC 3501 `CHAR8` excludes NUL.
        if data.contains(&0) {
            return Err(SyntaxError::Nul);
        }
        Ok(data)
    }

    /// `number`, of 32 bits.
    pub fn number(&mut self) -> Parsed<u32> {
        u32::try_from(self.number64()?).map_err(|_| SyntaxError::Number)
    }

    /// `nz-number`
    pub fn nz_number(&mut self) -> Parsed<u32> {
        match self.number()? {
            0 => Err(SyntaxError::Number),
            number => Ok(number),
        }
    }

    /// `number64` (RFC 9051): up to 2^63 - 1.
    pub fn number64(&mut self) -> Parsed<u64> {
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        if digits.is_empty() {
            return Err(SyntaxError::Expected("number"));
        }
        let mut value = 0_u64;
        for digit in digits {
            value = value
                .checked_mul(10)
                .and_then(|value| value.checked_add(u64::from(digit.wrapping_sub(b'0'))))
                .ok_or(SyntaxError::Number)?;
        }
        if value > u64::MAX >> 1 {
            Err(SyntaxError::Number)
        } else {
            Ok(value)
        }
    }

    /// `mod-sequence-valzer` (RFC 7162)
    pub fn mod_seq(&mut self) -> Parsed<u64> {
        self.number64()
    }

    /// `mailbox`
    pub fn mailbox(&mut self) -> Parsed<MailboxName> {
        let wire = self.astring()?;
        let name = mailbox_name::decode(&wire)?;
        if name.is_empty() {
            return Err(SyntaxError::Expected("mailbox name"));
        }
        Ok(MailboxName::new(name))
    }

    /// A parenthesised list of at least one item, separated by spaces.
    pub fn list<T>(&mut self, item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let items = self.list_or_empty(item)?;
        if items.is_empty() {
            Err(SyntaxError::Expected("list item"))
        } else {
            Ok(items)
        }
    }

    /// A parenthesised list, perhaps empty, separated by spaces.
    pub fn list_or_empty<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        self.expect_byte(b'(', "(")?;
        self.skip_spaces();
        let mut items = Vec::new();
        loop {
            if self.take_byte(b')') {
                return Ok(items);
            }
            if items.len() >= LIST_ITEMS_MAX {
                return Err(SyntaxError::TooMany("list items"));
            }
            items.push(item(self)?);
            if self.peek() != Some(b')') {
                self.sp()?;
            }
        }
    }

    /// Reads `count` bytes, if there are as many.
    pub fn take(&mut self, count: usize) -> Option<&'r [u8]> {
        let (front, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(front)
    }

    fn next_byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }
}

#[cfg(test)]
mod tests;
