//! Plays every dialogue of `transcripts/` against the real binary with two shards.
//!
//! `TRANSCRIPT=fetch cargo test -p corepost --test transcripts` plays those with that word
//! in their name.

mod dialogue;
mod harness;

use dialogue::play::{Outcome, play};
use dialogue::rows::{self, Results};
use dialogue::script::{Script, load};
use harness::server::Server;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Transcripts that run at the same time; each has an account of its own.
const AT_ONCE: usize = 4;

fn scripts() -> Vec<Script> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of transcripts")
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "imap" || e == "lmtp"))
        .collect();
    paths.sort();
    paths.iter().map(|path| load(path)).collect()
}

#[test]
fn every_transcript_says_what_it_shows() {
    for script in scripts() {
        assert!(
            !script.shows.is_empty(),
            "{} begins with no comment",
            script.name
        );
        assert!(!script.steps.is_empty(), "{} does nothing", script.name);
    }
}

#[test]
fn rows_and_their_tests_know_each_other() {
    let complaints = rows::complaints(&rows::load(), &scripts());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_transcript_plays() {
    let wanted = std::env::var("TRANSCRIPT").unwrap_or_default();
    let scripts: Vec<Script> = scripts()
        .into_iter()
        .filter(|script| script.name.contains(&wanted))
        .collect();
    let server = Server::start("transcripts", 2);
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(script) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let played = std::panic::catch_unwind(|| play(script, &server));
                    let outcome = played.unwrap_or_else(|_| {
                        let why = "the connection failed, see above";
                        Outcome::Failed(format!("{}: {why}", script.name))
                    });
                    let mut outcomes = outcomes.lock().expect("no poison");
                    outcomes.push((script.name.clone(), outcome));
                }
            });
        }
    });
    let mut results = Results::new();
    let mut failures = Vec::new();
    for (name, outcome) in outcomes.into_inner().expect("no poison") {
        let result = match outcome {
            Outcome::Played => {
                println!("played {name}");
                "pass"
            }
            Outcome::Skipped(reason) => {
                println!("SKIPPED {name}: {reason}");
                "SKIPPED"
            }
            Outcome::Failed(why) => {
                failures.push(why);
                "FAILED"
            }
        };
        results.insert(name, result);
    }
    println!(
        "{} transcripts, {} failed, {} skipped",
        scripts.len(),
        failures.len(),
        results.values().filter(|r| **r == "SKIPPED").count()
    );
    assert!(!scripts.is_empty(), "no transcript matches");
    if wanted.is_empty() {
        let missing = rows::print_table(&rows::load(), &results);
        println!("{} rows without a test: {missing:?}", missing.len());
    }
    assert!(
        failures.is_empty(),
        "{} failed:\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}
