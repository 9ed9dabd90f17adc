//! The rows of the module's behaviour (`rows.txt`) and what tests each: a transcript whose name
//! begins with the row, or a Rust test that the row names.

use super::script::Script;
use std::collections::BTreeMap;
use std::path::Path;

/// One row.
#[derive(Debug)]
pub struct Row {
    /// Such as `B7`.
    pub id: String,
    /// What it demands, in a few words.
    pub text: String,
    /// Rust tests, as `file::name` with the file relative to the workspace.
    pub tests: Vec<String>,
}

/// How a transcript ended, in one word.
pub type Results = BTreeMap<String, &'static str>;

/// Reads `rows.txt`; a malformed line fails the test.
pub fn load() -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rows.txt");
    let text = std::fs::read_to_string(path).expect("the list of rows");
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('|').map(str::trim).collect();
            let [id, text, tests] = columns.as_slice() else {
                panic!("rows.txt: three columns are expected: {line}");
            };
            let tests = tests.split_whitespace().map(str::to_string).collect();
            Row {
                id: (*id).to_string(),
                text: (*text).to_string(),
                tests,
            }
        })
        .collect()
}

/// The row that a transcript is named after: `b7-class.imap` gives `B7`.
pub fn row_of(name: &str) -> Option<String> {
    let (first, _) = name.split_once('-')?;
    let digits = first.strip_prefix(['a', 'b', 'c', 'd', 'e', 'f'])?;
    let is_row = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_row.then(|| first.to_ascii_uppercase())
}

/// Prints row, test and result, one line each; gives the rows that nothing tests.
pub fn print_table(rows: &[Row], results: &Results) -> Vec<String> {
    let mut missing = Vec::new();
    for Row { id, text, tests } in rows {
        let is_of_row = |(name, _): &(&String, _)| row_of(name).as_ref() == Some(id);
        let transcripts = results.iter().filter(is_of_row);
        let mut lines: Vec<String> = transcripts
            .map(|(name, result)| format!("{name}: {result}"))
            .collect();
        // Those run in the same suite, where their own lines say how they ended.
        lines.extend(tests.iter().map(|test| format!("{test}: a test")));
        if lines.is_empty() {
            missing.push(id.clone());
            lines.push("MISSING".to_string());
        }
        for line in lines {
            println!("row {id:<4}{text:<64} {line}");
        }
    }
    missing
}

/// What contradicts between rows, transcripts and Rust tests.
pub fn complaints(rows: &[Row], scripts: &[Script]) -> Vec<String> {
    let mut complaints = Vec::new();
    for script in scripts {
        let Some(id) = row_of(&script.name) else {
            continue;
        };
        if !rows.iter().any(|row| row.id == id) {
            complaints.push(format!("{}: there is no row {id}", script.name));
        }
        if !script.shows.starts_with(&format!("{id}: ")) {
            complaints.push(format!("{}: does not begin with `# {id}: `", script.name));
        }
    }
    for row in rows {
        let lost = row.tests.iter().filter(|test| !exists(test));
        complaints.extend(lost.map(|test| format!("{}: there is no test {test}", row.id)));
    }
    complaints
}

fn exists(test: &str) -> bool {
    let Some((file, name)) = test.split_once("::") else {
        return false;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let path = root.expect("the workspace").join(file);
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut lines = text.lines().map(str::trim);
    let wanted = format!("fn {name}(");
    // Other attributes may stand between the mark and the function.
    let mut is_marked = false;
    lines.any(|line| {
        let found = is_marked && line.starts_with(&wanted);
        is_marked = line.ends_with("test]") || (is_marked && line.starts_with("#["));
        found
    })
}
