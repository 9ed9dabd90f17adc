//! The rules of the house that a machine can check (see `.github/CONTRIBUTING.md`), std only.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Columns of a line.
const COLUMNS_MAX: usize = 100;
/// Lines of a function, signature and braces included.
const FUNCTION_LINES_MAX: usize = 70;
/// Lines of a file.
const FILE_LINES_MAX: usize = 500;
/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 5] = ["utils", "common", "helpers", "misc", "types"];

/// Which folders or files may name a package; everything else goes through them.
const HOMES: [(&str, &[&str]); 11] = [
    (
        "glommio",
        &[
            "server/src/runtime/",
            "storage-engine/src/disk/glommio",
            "storage-engine/tests/",
            "bench/benches/",
        ],
    ),
    (
        "rustls",
        &[
            "server/src/net/",
            "server/tests/",
            "bench/",
            "loadgen/src/tls",
        ],
    ),
    (
        "io_uring",
        &["server/src/runtime/", "loadgen/src/connection"],
    ),
    (
        "crc32fast",
        &[
            "storage-engine/src/log/",
            "storage-engine/src/recovery/",
            "storage-engine/src/ids.rs",
            "loadgen/src/mail.rs",
            "loadgen/src/reply/digest",
        ],
    ),
    ("rkyv", &["storage-engine/src/index/"]),
    ("rusqlite", &["server/directory/"]),
    ("argon2", &["server/directory/"]),
    ("axum", &["server/src/admin/"]),
    ("hyper", &["server/src/admin/"]),
    ("hyper_util", &["server/src/admin/"]),
    ("mail_parser", &["server/message/"]),
];

/// What a part of the tree must never name: the arrows between the parts.
const ARROWS: [(&str, &[&str]); 8] = [
    (
        "storage-engine/src/",
        &[
            "imap_proto::",
            "mail_message::",
            "corepost::",
            "mail_directory::",
        ],
    ),
    (
        "server/imap-proto/src/",
        &[
            "storage_engine::",
            "mail_message::",
            "std::net::",
            "std::fs::",
        ],
    ),
    (
        "server/message/src/",
        &["storage_engine::", "std::net::Tcp", "std::fs::"],
    ),
    (
        "storage-engine/src/account/",
        &["crate::log", "crate::disk"],
    ),
    (
        "storage-engine/src/record/",
        &["crate::log", "crate::disk", "crate::account"],
    ),
    ("storage-engine/src/view/", &["crate::log", "crate::disk"]),
    ("storage-engine/src/index/", &["crate::log", "crate::disk"]),
    (
        "server/src/command/",
        &["rustls", "glommio", "std::fs::", "std::net::Tcp"],
    ),
];

/// Where `unsafe` is allowed, each block with a `SAFETY:` comment.
const UNSAFE_HOMES: [&str; 4] = [
    "storage-engine/src/disk/",
    "storage-engine/src/index/archive",
    "server/src/runtime/",
    "loadgen/src/connection",
];

struct Source {
    name: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_path_buf()
}

fn walk(folder: &Path, wanted: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a folder entry").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && !path.is_symlink() {
            if name != "target" && name != ".git" && name != "node_modules" {
                walk(&path, wanted);
            }
        } else {
            wanted(&path);
        }
    }
}

fn sources(endings: &[&str]) -> Vec<Source> {
    let root = root();
    let mut sources = Vec::new();
    walk(&root, &mut |path| {
        let ending = path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if endings.contains(&ending.as_str()) {
            let name = path
                .strip_prefix(&root)
                .expect("below the root")
                .to_string_lossy();
            // A file may vanish while somebody edits the tree.
            if let Ok(bytes) = std::fs::read(path) {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                sources.push(Source {
                    name: name.into_owned(),
                    text,
                });
            }
        }
    });
    assert!(!sources.is_empty(), "no source found");
    sources
}

fn rust() -> Vec<Source> {
    sources(&["rs"])
}

/// The code of a line without its comment; good enough for names of packages.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

fn report(rule: &str, complaints: &[String]) {
    assert!(
        complaints.is_empty(),
        "{rule}:\n  {}",
        complaints.join("\n  ")
    );
}

#[test]
fn lines_and_files_are_short() {
    let mut complaints = Vec::new();
    for source in rust() {
        let count = source.text.lines().count();
        if count > FILE_LINES_MAX {
            complaints.push(format!("{}: {count} lines", source.name));
        }
        for (at, line) in source.text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > COLUMNS_MAX {
                complaints.push(format!("{}:{}: {columns} columns", source.name, at + 1));
            }
            if line.ends_with(' ') || line.contains('\t') {
                complaints.push(format!(
                    "{}:{}: blanks at the end or a tab",
                    source.name,
                    at + 1
                ));
            }
        }
    }
    report("files of 500 lines, lines of 100 columns", &complaints);
}

#[test]
fn functions_are_short() {
    let mut complaints = Vec::new();
    for source in rust() {
        for (line, name, length) in functions(&source.text) {
            if length > FUNCTION_LINES_MAX {
                complaints.push(format!("{}:{line}: {name} has {length} lines", source.name));
            }
        }
    }
    report("functions of 70 lines", &complaints);
}

/// First line, name and length of every function, by the indentation that rustfmt gives.
fn functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let indentation = line.len() - line.trim_start().len();
        let close = format!("{}}}", " ".repeat(indentation));
        let body = &lines[at..];
        let is_declaration = body
            .iter()
            .take_while(|l| !l.contains('{'))
            .any(|l| l.ends_with(';'));
        if is_declaration || (line.contains('{') && line.ends_with('}')) {
            continue;
        }
        if let Some(end) = body.iter().position(|l| *l == close) {
            found.push((at + 1, name, end + 1));
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    loop {
        match words.next()? {
            "fn" => break,
            "pub" | "async" | "const" | "unsafe" | "extern" | "\"C\"" => {}
            word if word.starts_with("pub(") => {}
            _ => return None,
        }
    }
    let name = words.next()?;
    Some(
        name.split(['(', '<'])
            .next()
            .unwrap_or_default()
            .to_string(),
    )
}

#[test]
fn the_length_of_functions_is_counted_right() {
    let text = [
        "fn short() {\n    body();\n}\n\nimpl X {\n    pub async ",
        "fn longer(\n        a: u8,\n    ) -> u8 {\n        1\n    }\n    ",
        "fn declared(&self);\n}\n",
    ]
    .concat();
    let found = functions(&text);
    assert_eq!(
        found,
        vec![(1, "short".to_string(), 3), (6, "longer".to_string(), 5)]
    );
}

#[test]
fn source_is_ascii() {
    let mut complaints = Vec::new();
    for source in sources(&["rs", "toml", "imap", "lmtp", "sh", "py"]) {
        for (at, line) in source.text.lines().enumerate() {
            if !line.is_ascii() {
                complaints.push(format!("{}:{}: {line}", source.name, at + 1));
            }
        }
    }
    report("ASCII source", &complaints);
}

#[test]
fn names_say_what_is_inside() {
    let mut complaints = Vec::new();
    for source in rust() {
        let path = Path::new(&source.name);
        let parts = path.with_extension("");
        for part in parts.components() {
            let part = part.as_os_str().to_string_lossy();
            if EMPTY_NAMES.contains(&part.as_ref()) {
                complaints.push(source.name.clone());
            }
        }
        for line in source.text.lines() {
            let declared = EMPTY_NAMES
                .iter()
                .any(|name| code(line).contains(&format!("mod {name} ")));
            if declared {
                complaints.push(format!("{}: {line}", source.name));
            }
        }
    }
    report("no utils, common, helpers, misc, types", &complaints);
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let words = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["#[ig", "nore"].concat(),
    ];
    let mut complaints = Vec::new();
    for source in rust() {
        for (at, line) in source.text.lines().enumerate() {
            // With owner and reason it may stay: `TODO(name): why`.
            let marked = words
                .iter()
                .any(|w| line.contains(w) && !line.contains(&format!("{w}(")));
            if marked {
                complaints.push(format!("{}:{}: {line}", source.name, at + 1));
            }
        }
    }
    report("no unowned work, no ignored tests", &complaints);
}

#[test]
fn the_repository_names_no_machine() {
    let words = [
        ["/wo", "rk/"].concat(),
        ["/tmp/", "plan"].concat(),
        ["/tmp/", "target"].concat(),
    ];
    let mut complaints = Vec::new();
    for source in sources(&["rs", "toml", "md", "imap", "lmtp", "sh", "py", "yml"]) {
        for (at, line) in source.text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                complaints.push(format!("{}:{}: {line}", source.name, at + 1));
            }
        }
    }
    report("no paths of one machine", &complaints);
}

#[test]
fn packages_stay_at_home() {
    let mut complaints = Vec::new();
    for source in rust() {
        for (package, homes) in HOMES {
            if homes.iter().any(|home| source.name.starts_with(home)) {
                continue;
            }
            for (at, line) in source.text.lines().enumerate() {
                if names_package(code(line), package) {
                    complaints.push(format!("{}:{}: {package}", source.name, at + 1));
                }
            }
        }
    }
    report("each package has one home", &complaints);
}

/// `package::` at the beginning of a path (a module of ours may have the same name).
fn names_package(code: &str, package: &str) -> bool {
    let path = format!("{package}::");
    code.match_indices(&path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '"')
    })
}

#[test]
fn the_arrows_point_one_way() {
    let mut complaints = Vec::new();
    for source in rust() {
        for (folder, forbidden) in ARROWS {
            if !source.name.starts_with(folder) || source.name.contains("tests") {
                continue;
            }
            for (at, line) in source.text.lines().enumerate() {
                for word in forbidden.iter().filter(|word| code(line).contains(**word)) {
                    complaints.push(format!("{}:{}: {word}", source.name, at + 1));
                }
            }
        }
    }
    report("the parts use each other in one direction", &complaints);
}

#[test]
fn unsafe_has_its_places_and_reasons() {
    let word = ["uns", "afe"].concat();
    let mut complaints = Vec::new();
    for source in rust() {
        let lines: Vec<&str> = source.text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let opens = [" {", " impl", " fn"]
                .iter()
                .any(|end| code(line).contains(&(word.clone() + end)));
            if !opens {
                continue;
            }
            let before = &lines[at.saturating_sub(8)..=at];
            let has_reason = before
                .iter()
                .any(|l| l.contains("SAFETY:") || l.contains("# Safety"));
            let at_home = UNSAFE_HOMES
                .iter()
                .any(|home| source.name.starts_with(home));
            if !at_home || !has_reason {
                complaints.push(format!("{}:{}: {}", source.name, at + 1, line.trim()));
            }
        }
    }
    report(
        "code that the compiler cannot check has its places and SAFETY comments",
        &complaints,
    );
}

fn file_stems(folder: &str, ending: &str) -> BTreeSet<String> {
    let mut stems = BTreeSet::new();
    let folder = root().join(folder);
    for entry in std::fs::read_dir(&folder).expect("a folder of commands") {
        let path = entry.expect("a folder entry").path();
        if path.extension().is_some_and(|e| e == ending) {
            stems.insert(
                path.file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
            );
        }
    }
    stems
}

#[test]
fn every_verb_is_on_both_sides_and_has_a_transcript() {
    let grammar = file_stems("server/imap-proto/src/command", "rs");
    let execution = file_stems("server/src/command", "rs");
    let transcripts = file_stems("server/tests/transcripts", "imap");
    // What several verbs share is no verb.
    let no_verbs = ["mod", "tests", "table", "plain"];
    let mut complaints = Vec::new();
    for verb in grammar
        .iter()
        .filter(|verb| !no_verbs.contains(&verb.as_str()))
    {
        if !execution.contains(verb) {
            complaints.push(format!("{verb}: not in server/src/command"));
        }
        if !transcripts.contains(verb) {
            complaints.push(format!("{verb}: no transcript"));
        }
    }
    report("every verb has its three files", &complaints);
}
