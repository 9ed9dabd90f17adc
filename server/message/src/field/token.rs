//! A cursor over a structured field: white space, comments, quoted strings, words.

use crate::limits::COMMENT_DEPTH_MAX;

/// Reads an unfolded value from left to right.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// At the start of `value`.
    pub fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    /// The next octet, not taken.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Takes one octet.
    pub fn bump(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// Takes `byte` when it is next.
    pub fn eat(&mut self, byte: u8) -> bool {
        if self.peek() == Some(byte) {
            self.bump();
            return true;
        }
        false
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes octets while `wanted` holds.
    pub fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        self.take_while_up_to(usize::MAX, wanted)
    }

    /// Takes at most `max` octets while `wanted` holds.
    pub fn take_while_up_to(&mut self, max: usize, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self
            .rest
            .iter()
            .take(max)
            .take_while(|byte| wanted(**byte))
            .count();
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, b""));
        self.rest = rest;
        taken
    }

    /// RFC 5322 3.2.2: skips white space and comments; whether there was any.
    pub fn skip_cfws(&mut self) -> bool {
        let before = self.rest.len();
        loop {
            self.take_while(|byte| byte.is_ascii_whitespace());
            if self.peek() != Some(b'(') {
                return self.rest.len() < before;
            }
            self.comment();
        }
    }

    /// Takes a comment, which is next: its text without the outer parentheses. One that does
    /// not end reaches to the end of the value.
    pub fn comment(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut depth = 0_usize;
        while let Some(byte) = self.bump() {
            match byte {
                b'(' if depth < COMMENT_DEPTH_MAX => {
                    depth = depth.saturating_add(1);
                    if depth == 1 {
                        continue;
                    }
                }
                b')' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return text;
                    }
                }
                b'\\' => {
                    text.extend(self.bump());
                    continue;
                }
                _ => {}
            }
            text.push(byte);
        }
        text
    }

    /// RFC 5322 3.2.4: takes a quoted string, which is next, without quotes and backslashes.
    pub fn quoted(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        self.eat(b'"');
        while let Some(byte) = self.bump() {
            match byte {
                b'"' => return text,
                b'\\' => text.extend(self.bump()),
                _ => text.push(byte),
            }
        }
        text
    }
}
