//! HTML as it reads: without tags, with its entities, white space as one space. Says exactly what
//! `mail_parser::decoders::html::html_to_text` says (a test holds the two together), but step by
//! step, so that nobody waits for a page of many megabytes.

use mail_parser::decoders::html::add_html_token;

/// Elements whose text is not shown, as bits of `hidden`.
const HIDING: [(&[u8], u8); 4] = [
    (b"head", HEAD),
    (b"style", 2),
    (b"script", 4),
    (b"template", 8),
];

/// Entities and semicolons are nothing special in a head, and are passed over in the others.
const HEAD: u8 = 1;

/// Where an octet ends a run of others: in text, or in a tag.
const IN_TEXT: u8 = 1;
const IN_TAG: u8 = 2;

#[expect(clippy::indexing_slicing, reason = "computed by the compiler")]
const ENDS: [u8; 256] = {
    let mut ends = [0; 256];
    let mut at = 0;
    while at < ends.len() {
        ends[at] = match at {
            // White space and `<`.
            0x09 | 0x0a | 0x0d | 0x20 | 0x3c => IN_TEXT | IN_TAG,
            // `&` and `;`
            0x26 | 0x3b => IN_TEXT,
            // `!`, `/` and `>`
            0x21 | 0x2f | 0x3e => IN_TAG,
            _ => 0,
        };
        at += 1;
    }
    ends
};

/// Where the reading of one text stands. Octets before `at` are read; a token, if there is one,
/// is `token_start..token_end`, with `token_start < token_end <= at`.
#[derive(Debug)]
pub(super) struct HtmlText {
    at: usize,
    place: Place,
    hidden: u8,
    has_token: bool,
    token_start: usize,
    token_end: usize,
    /// Tokens of the tag so far, and whether it began with `/`.
    tag_tokens: usize,
    tag_closes: bool,
    comment_dashes: usize,
    after_space: bool,
    new_line: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Tag,
    Comment,
}

impl HtmlText {
    /// At the beginning.
    pub fn new() -> Self {
        Self {
            at: 0,
            place: Place::Text,
            hidden: 0,
            has_token: false,
            token_start: 0,
            token_end: 0,
            tag_tokens: 0,
            tag_closes: false,
            comment_dashes: 0,
            after_space: false,
            new_line: true,
        }
    }

    /// Reads `html`, which is UTF-8 and the same at each call, up to `until` at most, and adds
    /// what it says to `out`. True once all of it is read.
    pub fn read(&mut self, html: &[u8], until: usize, out: &mut Vec<u8>) -> bool {
        let until = until.min(html.len());
        while self.at < until {
            match self.place {
                Place::Text => self.text(html, until, out),
                Place::Tag => self.tag(html, until, out),
                Place::Comment => self.comment(html, until),
            }
        }
        let is_all = until == html.len();
        if is_all && self.place == Place::Text && self.has_token && self.hidden == 0 {
            self.say(
                html,
                self.token_end,
                self.after_space && !self.new_line,
                out,
            );
            self.has_token = false;
        }
        is_all
    }

    /// How far it has come.
    pub fn at(&self) -> usize {
        self.at
    }

    fn text(&mut self, html: &[u8], until: usize, out: &mut Vec<u8>) {
        let (Some(octet), shown) = (html.get(self.at), self.hidden == 0) else {
            return;
        };
        let is_entity_octet = self.has_token && self.hidden & HEAD == 0;
        match octet {
            b'<' => {
                if shown && self.has_token {
                    self.say(html, self.token_end, self.after_space, out);
                    self.after_space = false;
                }
                self.begin_tag();
            }
            b' ' | b'\t' | b'\r' | b'\n' => {
                if shown {
                    if self.has_token {
                        self.say(
                            html,
                            self.token_end,
                            self.after_space && !self.new_line,
                            out,
                        );
                        self.new_line = false;
                    }
                    self.after_space = true;
                }
                self.has_token = false;
                self.at += 1;
            }
            b'&' | b';' if is_entity_octet && !shown => self.at += 1,
            b'&' if is_entity_octet => {
                self.say(
                    html,
                    self.token_end,
                    self.after_space && !self.new_line,
                    out,
                );
                (self.new_line, self.after_space, self.has_token) = (false, false, false);
                self.run(html, until, IN_TEXT);
            }
            b';' if is_entity_octet => {
                let end = self.at + 1;
                self.say(html, end, self.after_space && !self.new_line, out);
                (self.new_line, self.after_space, self.has_token) = (false, false, false);
                self.at = end;
            }
            _ if shown && !self.has_token && self.words(html, until, out) => {}
            _ => self.run(html, until, IN_TEXT),
        }
    }

    /// Words with single spaces between them read as they stand: takes all of them but the last,
    /// which may go on. False when there is no more than one.
    fn words(&mut self, html: &[u8], until: usize, out: &mut Vec<u8>) -> bool {
        let rest = html.get(self.at..until).unwrap_or_default();
        let rest = before(rest, memchr::memchr3(b'<', b'&', b';', rest));
        let rest = before(rest, memchr::memchr3(b'\t', b'\r', b'\n', rest));
        let words = before(rest, memchr::memmem::find(rest, b"  "));
        let Some(last_space) = memchr::memrchr(b' ', words) else {
            return false;
        };
        if self.after_space && !self.new_line {
            out.push(b' ');
        }
        out.extend_from_slice(words.get(..last_space).unwrap_or_default());
        (self.after_space, self.new_line) = (true, false);
        self.at += last_space + 1;
        true
    }

    fn tag(&mut self, html: &[u8], until: usize, out: &mut Vec<u8>) {
        let Some(octet) = html.get(self.at) else {
            return;
        };
        match octet {
            b'<' => self.begin_tag(),
            b'>' => {
                if self.tag_tokens == 1 {
                    let name = html.get(self.token_start..self.token_end);
                    self.end_tag(name.unwrap_or_default(), out);
                }
                self.place = Place::Text;
                self.has_token = false;
                self.at += 1;
            }
            b'/' => {
                self.tag_closes |= self.tag_tokens == 0;
                self.at += 1;
            }
            b'!' if self.tag_tokens == 0 && is_comment(html, self.at) => {
                self.place = Place::Comment;
                self.at += 1;
            }
            b' ' | b'\t' | b'\r' | b'\n' => {
                self.has_token = false;
                self.at += 1;
            }
            _ => {
                self.tag_tokens += usize::from(!self.has_token);
                self.run(html, until, IN_TAG);
            }
        }
    }

    fn comment(&mut self, html: &[u8], until: usize) {
        let rest = html.get(self.at..until).unwrap_or_default();
        let skipped = memchr::memchr2(b'-', b'>', rest).unwrap_or(rest.len());
        if skipped > 0 {
            self.comment_dashes = 0;
        }
        self.at += skipped;
        match html.get(self.at).filter(|_| self.at < until) {
            Some(b'-') => self.comment_dashes += 1,
            Some(_) if self.comment_dashes == 2 => {
                self.comment_dashes = 0;
                self.place = Place::Text;
                self.has_token = false;
            }
            Some(_) => self.comment_dashes = 0,
            None => return,
        }
        self.at += 1;
    }

    fn begin_tag(&mut self) {
        self.place = Place::Tag;
        (self.tag_tokens, self.tag_closes, self.has_token) = (0, false, false);
        self.at += 1;
    }

    fn end_tag(&mut self, name: &[u8], out: &mut Vec<u8>) {
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        if is(b"br") || (self.tag_closes && is(b"p")) {
            out.push(b'\n');
            (self.after_space, self.new_line) = (false, true);
        } else if let Some((_, bit)) = HIDING.iter().find(|(hiding, _)| is(hiding)) {
            self.hidden = if self.tag_closes {
                self.hidden & !bit
            } else {
                self.hidden | bit
            };
        }
    }

    /// The token takes the octet at hand, and all behind it that end nothing.
    fn run(&mut self, html: &[u8], until: usize, place: u8) {
        if !self.has_token {
            self.token_start = self.at;
            self.has_token = true;
        }
        let rest = html.get(self.at + 1..until).unwrap_or_default();
        let ends = |octet: &u8| {
            ENDS.get(usize::from(*octet))
                .is_none_or(|end| end & place != 0)
        };
        let run = rest.iter().position(ends).unwrap_or(rest.len());
        self.at += 1 + run;
        self.token_end = self.at;
    }

    /// Adds the token up to `end`, as a character where it is an entity.
    fn say(&self, html: &[u8], end: usize, after_space: bool, out: &mut Vec<u8>) {
        let token = html.get(self.token_start..end).unwrap_or_default();
        if let [b'&', .., b';'] = token {
            let mut said = String::new();
            add_html_token(&mut said, token, after_space);
            out.extend_from_slice(said.as_bytes());
            return;
        }
        if after_space {
            out.push(b' ');
        }
        out.extend_from_slice(token);
    }
}

fn before(bytes: &[u8], end: Option<usize>) -> &[u8] {
    end.and_then(|end| bytes.get(..end)).unwrap_or(bytes)
}

/// Whether `<!--` stands where the `!` at `at` is.
fn is_comment(html: &[u8], at: usize) -> bool {
    matches!(html.get(at + 1..), Some([b'-', b'-', ..]))
}

#[cfg(test)]
mod tests;
