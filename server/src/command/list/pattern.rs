//! LIST patterns: `*` matches anything, `%` anything but the delimiter (RFC 3501 6.3.8).

use super::SEPARATOR;

/// A pattern with its reference in front. Matching takes at most name times pattern steps,
/// whatever the wildcards.
pub struct Pattern(Vec<char>);

impl Pattern {
    /// RFC 3501 6.3.8: the reference is simply put before the pattern here.
    pub fn new(reference: &str, pattern: &str) -> Self {
        let mut joined: Vec<char> = reference.chars().chain(pattern.chars()).collect();
        joined.dedup_by(|next, last| *next == '*' && *last == '*');
        let first: String = joined
            .iter()
            .take_while(|c| **c != SEPARATOR)
            .collect::<String>()
            .to_uppercase();
        if first == "INBOX" {
            joined.splice(..5, first.chars());
        }
        Pattern(joined)
    }

    /// Whether the whole name matches. INBOX matches in any case.
    pub fn matches(&self, name: &str) -> bool {
        self.matches_exactly(name.chars())
            || (name == "INBOX" && Pattern(self.folded()).matches_exactly(name.chars()))
    }

    fn folded(&self) -> Vec<char> {
        self.0.iter().map(|c| c.to_ascii_uppercase()).collect()
    }

    /// `reached[i]`: the first `i` characters of the pattern can match the name so far.
    fn matches_exactly(&self, name: impl Iterator<Item = char>) -> bool {
        let mut reached = vec![false; self.0.len() + 1];
        if let Some(start) = reached.first_mut() {
            *start = true;
        }
        self.skip_wildcards(&mut reached);
        for c in name {
            let mut next = vec![false; self.0.len() + 1];
            for (at, expected) in self.0.iter().enumerate() {
                if !reached.get(at).copied().unwrap_or(false) {
                    continue;
                }
                let (stays, moves) = match expected {
                    '*' => (true, false),
                    '%' => (c != SEPARATOR, false),
                    expected => (false, *expected == c),
                };
                set(&mut next, at, stays);
                set(&mut next, at + 1, moves);
            }
            self.skip_wildcards(&mut next);
            reached = next;
        }
        reached.last().copied().unwrap_or(false)
    }

    /// A wildcard may match nothing.
    fn skip_wildcards(&self, reached: &mut [bool]) {
        for (at, expected) in self.0.iter().enumerate() {
            if matches!(expected, '*' | '%') && reached.get(at).copied().unwrap_or(false) {
                set(reached, at + 1, true);
            }
        }
    }
}

fn set(flags: &mut [bool], at: usize, value: bool) {
    if let Some(flag) = flags.get_mut(at) {
        *flag |= value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stop_where_rfc_3501_says() {
        for (reference, pattern, name, expected) in [
            ("", "*", "a/b/c", true),
            ("", "%", "a/b", false),
            ("", "%", "a", true),
            ("a/", "%", "a/b", true),
            ("", "%/%", "a/b", true),
            ("", "a*c", "a/b/c", true),
            ("", "a%c", "a/b/c", false),
            ("", "", "a", false),
            ("", "inbox", "INBOX", true),
            ("", "InBo%", "INBOX", true),
            ("", "inbox/x", "INBOX/x", true),
            ("", "Work", "work", false),
            ("", "**%*", "x/y", true),
        ] {
            assert_eq!(
                Pattern::new(reference, pattern).matches(name),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
