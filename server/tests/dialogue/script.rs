//! A transcript file as a list of steps.

use std::iter::Peekable;
use std::path::Path;

/// A piece of what a client sends or a server is expected to send.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Plain text; `template::expand` makes bytes of it.
    Text(String),
    /// A literal; its length is computed.
    Literal {
        /// The octets, before expansion.
        content: String,
        /// `{n+}`: sent without waiting.
        non_synchronising: bool,
    },
}

/// What an entry of an unordered block demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Exactly one response is like this.
    Must,
    /// One response may be like this.
    May,
    /// No response is like this.
    Not,
}

/// One thing to do.
#[derive(Debug, Clone)]
pub enum Action {
    /// `! word argument ...`
    Directive(Vec<String>),
    /// `C1:` sends, `C1~` gathers so that it leaves in one packet with the next `C1:`.
    Send {
        connection: String,
        pieces: Vec<Piece>,
        flush: bool,
    },
    /// `S1:` the next response.
    Expect {
        connection: String,
        pieces: Vec<Piece>,
    },
    /// `S1: {` ... `}`: all responses up to the next tagged one, in any order.
    Block {
        connection: String,
        entries: Vec<(Demand, Vec<Piece>)>,
        others_allowed: bool,
    },
}

/// An action with the line where it stands.
#[derive(Debug, Clone)]
pub struct Step {
    /// Line in the file, from 1.
    pub line: usize,
    /// The line as written, for messages.
    pub source: String,
    /// What to do.
    pub action: Action,
}

/// A parsed transcript.
#[derive(Debug)]
pub struct Script {
    /// File name.
    pub name: String,
    /// The comment at its head: what it shows.
    pub shows: String,
    /// `! server ...` at its head: it has a server of its own, with these lines of configuration.
    pub server: Option<String>,
    /// In order.
    pub steps: Vec<Step>,
}

/// Reads and parses a transcript; a malformed one fails the test.
pub fn load(path: &Path) -> Script {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let text = std::fs::read_to_string(path).expect("a readable transcript");
    let shows: Vec<&str> = text
        .lines()
        .take_while(|l| l.starts_with('#'))
        .map(|l| l.trim_start_matches(['#', ' ']))
        .collect();
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line))
        .peekable();
    let (mut steps, mut server) = (Vec::new(), None);
    while let Some((line, source)) = lines.next() {
        let trimmed = source.trim_end();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if let Some(line) = trimmed.strip_prefix("! server") {
            assert!(steps.is_empty(), "{name}: `! server` stands at the head");
            let config = server.get_or_insert_with(String::new);
            config.push_str(line.trim_start());
            config.push('\n');
            continue;
        }
        let action = parse_action(&name, line, source, &mut lines);
        steps.push(Step {
            line,
            source: source.to_string(),
            action,
        });
    }
    Script {
        name,
        shows: shows.join(" "),
        server,
        steps,
    }
}

fn parse_action<'a, L>(name: &str, line: usize, source: &str, lines: &mut Peekable<L>) -> Action
where
    L: Iterator<Item = (usize, &'a str)>,
{
    if let Some(words) = source.strip_prefix("! ") {
        return Action::Directive(words.split_whitespace().map(str::to_string).collect());
    }
    let mark = source
        .find([':', '~'])
        .unwrap_or_else(|| panic!("{name}:{line}: {source}"));
    let (who, rest) = source.split_at(mark);
    let text = rest[1..].strip_prefix(' ').unwrap_or(&rest[1..]);
    let connection = who.get(1..).unwrap_or_default().to_string();
    match who.as_bytes().first() {
        Some(b'C') => Action::Send {
            connection,
            pieces: parse_pieces(text, lines),
            flush: rest.starts_with(':'),
        },
        Some(b'S') if text.trim() == "{" => parse_block(name, connection, lines),
        Some(b'S') => Action::Expect {
            connection,
            pieces: parse_pieces(text, lines),
        },
        _ => panic!("{name}:{line}: neither C, S, ! nor #: {source}"),
    }
}

fn parse_block<'a, L>(name: &str, connection: String, lines: &mut Peekable<L>) -> Action
where
    L: Iterator<Item = (usize, &'a str)>,
{
    let mut entries = Vec::new();
    let mut others_allowed = false;
    while let Some((_, source)) = lines.next() {
        let text = source.trim();
        if text == "}" {
            return Action::Block {
                connection,
                entries,
                others_allowed,
            };
        }
        if text == "..." {
            others_allowed = true;
        } else if let Some(text) = text.strip_prefix("not ") {
            entries.push((Demand::Not, parse_pieces(text, lines)));
        } else if let Some(text) = text.strip_prefix("maybe ") {
            entries.push((Demand::May, parse_pieces(text, lines)));
        } else {
            entries.push((Demand::Must, parse_pieces(text, lines)));
        }
    }
    panic!("{name}: a block is not closed");
}

/// Splits a line at its literals: `{{=inline}}`, `{{+=inline}}`, or `{{` with the lines up to `}}`.
fn parse_pieces<'a, L>(text: &str, lines: &mut Peekable<L>) -> Vec<Piece>
where
    L: Iterator<Item = (usize, &'a str)>,
{
    let mut pieces = Vec::new();
    let mut rest = text.to_string();
    while let Some(at) = rest.find("{{") {
        pieces.push(Piece::Text(rest[..at].to_string()));
        let inside = rest[at + 2..].to_string();
        let (non_synchronising, inside) = match inside.strip_prefix('+') {
            Some(after) => (true, after.to_string()),
            None => (false, inside),
        };
        let content;
        if let Some(inline) = inside.strip_prefix('=') {
            let close = inline.find("}}").expect("an inline literal ends with }}");
            content = inline[..close].to_string();
            rest = inline[close + 2..].to_string();
        } else {
            (content, rest) = block_literal(lines);
        }
        pieces.push(Piece::Literal {
            content,
            non_synchronising,
        });
    }
    pieces.push(Piece::Text(rest));
    pieces
}

fn block_literal<'a, L>(lines: &mut Peekable<L>) -> (String, String)
where
    L: Iterator<Item = (usize, &'a str)>,
{
    let mut content = String::new();
    for (_, line) in lines.by_ref() {
        if let Some(rest) = line.trim_start().strip_prefix("}}") {
            return (content, rest.to_string());
        }
        content.push_str(line);
        content.push_str("\r\n");
    }
    panic!("a literal is not closed: {content}");
}
