//! Reads keys out of a TOML document and gathers what is wrong with it.
//!
//! The keys that the code asks for are the keys that exist: whatever else is in the document is a
//! fault. So no list of keys can differ from the code.

use std::fmt;
use std::net::SocketAddr;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Keys more different than this are not taken for a misspelling (1 is equal).
const LIKENESS_MIN: f64 = 0.75;

/// Why there is no configuration.
#[derive(Debug)]
pub enum ConfigError {
    /// The file cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file has faults.
    Invalid {
        /// The file.
        path: PathBuf,
        /// All that is wrong, in the order of lines.
        faults: Vec<Fault>,
    },
}

/// One thing that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, naming the key.
    pub text: String,
}

/// Gives out values and remembers which keys were asked for.
pub(super) struct Reader<'a> {
    text: &'a str,
    document: &'a DeTable<'a>,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
}

/// Reads a whole document by `build`. All faults are reported, sorted by line.
pub(super) fn read<T>(
    text: &str,
    build: impl FnOnce(&mut Reader<'_>) -> T,
) -> Result<T, Vec<Fault>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader {
        text,
        document: document.get_ref(),
        known: Vec::new(),
        faults: Vec::new(),
    };
    for error in errors {
        reader.fault(error.span().unwrap_or_default(), error.message().to_owned());
    }
    let value = build(&mut reader);
    reader.report_unknown();
    if reader.faults.is_empty() {
        return Ok(value);
    }
    reader.faults.sort_by_key(|fault| fault.line);
    Err(reader.faults)
}

impl<'a> Reader<'a> {
    /// A text.
    pub(super) fn string(&mut self, key: &'static str, default: &str) -> String {
        self.value(key, default.to_owned(), "a string", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    /// A path; relative ones are relative to where the program runs.
    pub(super) fn path(&mut self, key: &'static str, default: &str) -> PathBuf {
        PathBuf::from(self.string(key, default))
    }

    /// A path, where the empty text is none.
    pub(super) fn optional_path(&mut self, key: &'static str) -> Option<PathBuf> {
        Some(self.path(key, "")).filter(|path| !path.as_os_str().is_empty())
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, key: &'static str, default: bool) -> bool {
        self.value(key, default, "true or false", |value| value.as_bool())
    }

    /// A whole number within a range.
    pub(super) fn integer(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> u64 {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.value(key, default, &expected, |value| {
            integer_of(value).filter(|number| range.contains(number))
        })
    }

    /// A size: a number of bytes, or a text with a unit such as "64MiB".
    pub(super) fn size(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> u64 {
        let expected = format!(
            "a size from {} to {} bytes, such as 65536 or \"64MiB\"",
            range.start(),
            range.end()
        );
        self.value(key, default, &expected, |value| {
            let size = match value.as_str() {
                Some(text) => mail_directory::import::parse_size(text),
                None => integer_of(value),
            };
            size.filter(|size| range.contains(size))
        })
    }

    /// One of several words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
        default: T,
    ) -> T {
        let words: Vec<String> = choices
            .iter()
            .map(|(word, _)| format!("{word:?}"))
            .collect();
        let expected = format!("one of {}", words.join(", "));
        self.value(key, default, &expected, |value| {
            let text = value.as_str()?;
            choices
                .iter()
                .find(|(word, _)| *word == text)
                .map(|(_, choice)| *choice)
        })
    }

    /// What `parse` reads from a text; `expected` says what that is.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        default: T,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        self.value(key, default, expected, |value| parse(value.as_str()?))
    }

    /// A list of addresses with ports.
    pub(super) fn addresses(
        &mut self,
        key: &'static str,
        default: &[SocketAddr],
    ) -> Vec<SocketAddr> {
        let expected = "a list of addresses with ports, such as [\"127.0.0.1:143\", \"[::]:143\"]";
        self.value(key, default.to_vec(), expected, |value| {
            let items = value.as_array()?.iter();
            items
                .map(|item| item.get_ref().as_str()?.parse().ok())
                .collect()
        })
    }

    /// A list of tables whose fields are texts or switches; `None` where the key is missing. Each
    /// field is named with whether it must be there.
    pub(super) fn tables(
        &mut self,
        key: &'static str,
        fields: &[(&'static str, Need)],
    ) -> Option<Vec<Fields<'a>>> {
        let list = self.find(key)?;
        let Some(items) = list.get_ref().as_array() else {
            self.wrong(key, list, "a list of tables");
            return Some(Vec::new());
        };
        let mut tables = Vec::new();
        for item in items.iter() {
            let Some(table) = item.get_ref().as_table() else {
                self.wrong(key, item, "a table");
                continue;
            };
            let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
            for found in table.keys() {
                if !names.contains(&found.get_ref().as_ref()) {
                    let text = unknown(&format!("{key}.{}", found.get_ref()), &names);
                    self.fault(found.span(), text);
                }
            }
            for (name, need) in fields {
                if *need == Need::Required && table.get(*name).is_none() {
                    self.fault(item.span(), format!("{key}: {name} is missing"));
                }
            }
            tables.push(Fields { key, table });
        }
        Some(tables)
    }

    /// Notes a fault of a key that was read well but cannot be used.
    pub(super) fn refuse(&mut self, key: &'static str, reason: &str) {
        let span = lookup(self.document, key)
            .map(|value| value.span())
            .unwrap_or_default();
        self.fault(span, format!("{key}: {reason}"));
    }

    fn value<T>(
        &mut self,
        key: &'static str,
        default: T,
        expected: &str,
        read: impl FnOnce(&DeValue<'a>) -> Option<T>,
    ) -> T {
        let Some(value) = self.find(key) else {
            return default;
        };
        match read(value.get_ref()) {
            Some(value) => value,
            None => {
                self.wrong(key, value, expected);
                default
            }
        }
    }

    fn find(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.push(key);
        lookup(self.document, key)
    }

    fn wrong(&mut self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) {
        let found = self.text.get(value.span()).unwrap_or_default();
        // A long value would hide the message.
        let found: String = found
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(40)
            .collect();
        self.fault(
            value.span(),
            format!("{key}: expected {expected}, found {found}"),
        );
    }

    fn fault(&mut self, span: Range<usize>, text: String) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
        self.faults.push(Fault { line, text });
    }

    fn report_unknown(&mut self) {
        let document = self.document;
        let sections: Vec<&str> = self
            .known
            .iter()
            .filter_map(|key| key.split_once('.'))
            .map(|(name, _)| name)
            .collect();
        for (key, value) in document {
            let name = key.get_ref().as_ref();
            match (sections.contains(&name), value.get_ref().as_table()) {
                (true, Some(section)) => {
                    for key in section.keys() {
                        self.report_if_unknown(format!("{name}.{}", key.get_ref()), key.span());
                    }
                }
                (true, None) => {
                    let text = format!("{name}: expected a section, written as [{name}]");
                    self.fault(key.span(), text);
                }
                (false, Some(_)) => {
                    let text = match nearest(name, &sections) {
                        Some(near) => format!("{name}: unknown section; did you mean [{near}]?"),
                        None => format!("{name}: unknown section"),
                    };
                    self.fault(key.span(), text);
                }
                (false, None) => self.report_if_unknown(name.to_owned(), key.span()),
            }
        }
    }

    fn report_if_unknown(&mut self, name: String, span: Range<usize>) {
        if !self.known.contains(&name.as_str()) {
            let text = unknown(&name, &self.known);
            self.fault(span, text);
        }
    }

    /// The keys that were asked for, for the test of the sample.
    #[cfg(test)]
    pub(super) fn known(&self) -> &[&'static str] {
        &self.known
    }
}

/// Whether a field of a table in a list must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

/// One table in a list.
pub(super) struct Fields<'a> {
    key: &'static str,
    table: &'a DeTable<'a>,
}

impl Fields<'_> {
    /// A text; empty where it is missing, which [`Reader::tables`] has reported.
    pub(super) fn string(&self, reader: &mut Reader<'_>, name: &str) -> String {
        self.read(reader, name, "a string", |value| {
            value.as_str().map(str::to_owned)
        })
        .unwrap_or_default()
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, reader: &mut Reader<'_>, name: &str, default: bool) -> bool {
        self.read(reader, name, "true or false", |value| value.as_bool())
            .unwrap_or(default)
    }

    fn read<T>(
        &self,
        reader: &mut Reader<'_>,
        name: &str,
        expected: &str,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) -> Option<T> {
        let value = self.table.get(name)?;
        let read = read(value.get_ref());
        if read.is_none() {
            reader.wrong(&format!("{}.{name}", self.key), value, expected);
        }
        read
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Invalid { path, faults } => write_faults(f, path, faults),
        }
    }
}

impl std::error::Error for ConfigError {}

fn write_faults(f: &mut fmt::Formatter<'_>, path: &Path, faults: &[Fault]) -> fmt::Result {
    for (index, fault) in faults.iter().enumerate() {
        if index > 0 {
            writeln!(f)?;
        }
        write!(f, "{}:{}: {}", path.display(), fault.line, fault.text)?;
    }
    Ok(())
}

/// The value of `key` or `section.key`.
fn lookup<'a>(document: &'a DeTable<'a>, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
    match key.split_once('.') {
        None => document.get(key),
        Some((section, key)) => document.get(section)?.get_ref().as_table()?.get(key),
    }
}

fn integer_of(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// The text for an unknown key.
fn unknown(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("{name}: unknown key; did you mean {near}?"),
        None => format!("{name}: unknown key"),
    }
}

/// The most similar known key. One in another section is as similar as its own name is, but less
/// than one in the same section.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    fn parts(key: &str) -> (&str, &str) {
        key.rsplit_once('.').unwrap_or(("", key))
    }
    let (section, own) = parts(name);
    let likeness = |key: &str| {
        let (other_section, other_own) = parts(key);
        let likeness = strsim::jaro_winkler(own, other_own);
        if section == other_section {
            (likeness, 1)
        } else {
            (likeness, 0)
        }
    };
    known
        .iter()
        .map(|key| (likeness(key), *key))
        .filter(|((likeness, _), _)| *likeness >= LIKENESS_MIN)
        .max_by(|((left, l), _), ((right, r), _)| left.total_cmp(right).then(l.cmp(r)))
        .map(|(_, key)| key)
}
