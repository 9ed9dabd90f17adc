//! A response as structure: atoms, strings, lists. Quoted and literal strings are the same here.

/// One piece of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// Anything without delimiters, also `BODY[HEADER.FIELDS (TO)]<0>`.
    Atom(Vec<u8>),
    /// A quoted string or a literal.
    Text(Vec<u8>),
    /// `( ... )`
    List(Vec<Token>),
    /// The `[ ... ]` of a status response.
    Code(Vec<Token>),
}

/// Splits a response (or a pattern, which has the same form) into tokens.
pub fn tokenize(response: &[u8]) -> Vec<Token> {
    let mut reader = Reader {
        bytes: response,
        at: 0,
    };
    let mut tokens = Vec::new();
    for _ in 0..2 {
        reader.skip_spaces();
        if reader.peek().is_none() {
            return tokens;
        }
        tokens.push(Token::Atom(reader.word()));
        if tokens == [Token::Atom(b"+".to_vec())] {
            tokens.extend(reader.free_text());
            return tokens;
        }
    }
    let is_status = matches!(&tokens[1], Token::Atom(word) if is_status_word(word));
    if is_status {
        reader.skip_spaces();
        if reader.peek() == Some(b'[') {
            reader.at += 1;
            tokens.push(Token::Code(reader.sequence(b']')));
        }
        tokens.extend(reader.free_text());
    } else {
        tokens.extend(reader.sequence(0));
    }
    tokens
}

fn is_status_word(word: &[u8]) -> bool {
    ["OK", "NO", "BAD", "BYE", "PREAUTH"]
        .iter()
        .any(|s| word.eq_ignore_ascii_case(s.as_bytes()))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    fn word(&mut self) -> Vec<u8> {
        let from = self.at;
        while self.peek().is_some_and(|b| b != b' ') {
            self.at += 1;
        }
        self.bytes[from..self.at].to_vec()
    }

    fn free_text(&mut self) -> Vec<Token> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at = self.bytes.len();
        let words = rest.split(|b| *b == b' ').filter(|word| !word.is_empty());
        words.map(|word| Token::Atom(word.to_vec())).collect()
    }

    fn sequence(&mut self, close: u8) -> Vec<Token> {
        let mut tokens = Vec::new();
        loop {
            self.skip_spaces();
            match self.peek() {
                None => return tokens,
                Some(b) if b == close => {
                    self.at += 1;
                    return tokens;
                }
                Some(b'(') => {
                    self.at += 1;
                    tokens.push(Token::List(self.sequence(b')')));
                }
                Some(b'"') => tokens.push(Token::Text(self.quoted())),
                Some(b'{') if self.literal_length().is_some() => {
                    tokens.push(Token::Text(self.literal()));
                }
                Some(_) => tokens.push(Token::Atom(self.atom(close))),
            }
        }
    }

    fn quoted(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                _ => text.push(byte),
            }
        }
        text
    }

    /// The length of `{42}CRLF` here, with the place where its octets begin.
    fn literal_length(&self) -> Option<(usize, usize)> {
        let rest = &self.bytes[self.at..];
        let close = rest.windows(3).position(|w| w == b"}\r\n")?;
        let length = std::str::from_utf8(&rest[1..close]).ok()?.parse().ok()?;
        Some((length, self.at + close + 3))
    }

    fn literal(&mut self) -> Vec<u8> {
        let (length, from) = self.literal_length().expect("asked before");
        let end = (from + length).min(self.bytes.len());
        self.at = end;
        self.bytes[from..end].to_vec()
    }

    fn atom(&mut self, close: u8) -> Vec<u8> {
        let from = self.at;
        let mut brackets = 0_u32;
        while let Some(byte) = self.peek() {
            let ends = matches!(byte, b' ' | b'(' | b')' | b'"') || byte == close;
            match byte {
                b'[' => brackets += 1,
                b']' if brackets > 0 => brackets -= 1,
                _ if brackets == 0 && ends && self.at > from => break,
                _ => {}
            }
            self.at += 1;
        }
        self.bytes[from..self.at].to_vec()
    }
}
