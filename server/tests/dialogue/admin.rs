//! Administration inside a dialogue: the command line of the binary, against the same server.

use super::pattern;
use super::template::{Variables, expand};
use crate::harness::server::Server;

/// What the last command printed.
#[derive(Debug, Default)]
pub struct Administrator {
    printed: Vec<String>,
}

impl Administrator {
    /// `! admin ARGS` and `! admin-fails ARGS`, the words with their variables expanded.
    pub fn run(
        &mut self,
        server: &Server,
        text: &str,
        variables: &Variables,
        succeeds: bool,
    ) -> Result<(), String> {
        let expanded = |word: &String| {
            let bytes = expand(word, variables);
            String::from_utf8(bytes).map_err(|_| "arguments are UTF-8".to_string())
        };
        let arguments: Vec<String> = words(text)
            .iter()
            .map(expanded)
            .collect::<Result<_, String>>()?;
        let (succeeded, text) = server.administer(&arguments);
        self.printed = text.lines().map(str::to_string).collect();
        match succeeded == succeeds {
            true => Ok(()),
            false => Err(format!("{arguments:?} printed: {text}")),
        }
    }

    /// `! printed PATTERN`: a line that the last command printed is like this.
    pub fn printed(&self, text: &str, variables: &Variables) -> Result<(), String> {
        let wanted = expand(text, variables);
        let is_like = |line: &String| pattern::glob(&wanted, line.trim().as_bytes());
        match self.printed.iter().any(is_like) {
            true => Ok(()),
            false => Err(format!("printed: {}", self.printed.join("\n"))),
        }
    }
}

/// Words as in a shell: blanks separate, `"..."` keeps them together.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    for c in text.chars() {
        if c == '"' {
            is_quoted = !is_quoted;
            word.get_or_insert_with(String::new);
        } else if c == ' ' && !is_quoted {
            words.extend(word.take());
        } else {
            word.get_or_insert_with(String::new).push(c);
        }
    }
    words.extend(word);
    words
}
