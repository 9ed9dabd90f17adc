//! i;unicode-casemap (RFC 5051 2): simple titlecase of each character, then decomposition for
//! compatibility.

use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use unicode_normalization::UnicodeNormalization;

static CASE_MAPPER: CaseMapperBorrowed<'static> = CaseMapper::new();

/// Folds `text`. Two texts are equal under the collation when their folded forms are.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        // ASCII is its own decomposition, and no mark moves across it: runs can go apart.
        let end = rest
            .bytes()
            .position(|byte| !byte.is_ascii())
            .unwrap_or(rest.len());
        let (ascii, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let start = out.len();
        out.push_str(ascii);
        if let Some(ascii) = out.get_mut(start..) {
            ascii.make_ascii_uppercase();
        }
        let end = tail
            .bytes()
            .position(|byte| byte.is_ascii())
            .unwrap_or(tail.len());
        let (other, tail) = tail.split_at_checked(end).unwrap_or((tail, ""));
        out.extend(
            other
                .chars()
                .map(|c| CASE_MAPPER.simple_titlecase(c))
                .nfkd(),
        );
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::fold;

    fn check(left: &str, right: &str, equal: bool) {
        assert_eq!(fold(left) == fold(right), equal, "{left:?} and {right:?}");
    }

    #[test]
    fn texts_that_differ_in_case_or_composition_are_equal() {
        check("Subject", "sUBJECT", true);
        check("\u{e4}\u{f6}\u{fc}", "\u{c4}\u{d6}\u{dc}", true);
        check("a\u{308}", "\u{c4}", true);
        check("\u{3b1}\u{3b2}", "\u{391}\u{392}", true);
        check("\u{43f}\u{440}", "\u{41f}\u{420}", true);
        // Full width letters decompose to ASCII.
        check("\u{ff21}", "A", true);
        check("a", "b", false);
        check("a", "\u{e4}", false);
        // Simple case mapping keeps sharp s apart from ss.
        check("\u{df}", "ss", false);
    }
}
