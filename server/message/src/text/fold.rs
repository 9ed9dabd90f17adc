//! i;unicode-casemap (RFC 5051 2): simple titlecase of each character, then decomposition for
//! compatibility.

use std::sync::LazyLock;

use encoding_rs::Encoding;
use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

static CASE_MAPPER: CaseMapperBorrowed<'static> = CaseMapper::new();

/// Characters below this one are two octets in UTF-8: Latin, Greek, Cyrillic, Hebrew, Arabic.
const SHORT_END: u32 = 0x800;

/// Folded forms of the characters below [`SHORT_END`] that begin with no combining mark; they can
/// stand one behind the other as they are. Folding each anew would cost ten times as much.
static SHORT: LazyLock<Vec<Option<Folded>>> = LazyLock::new(|| {
    let folded = |code: u32| {
        let character = char::from_u32(code).filter(|character| begins_anew(*character))?;
        let text: String = fold_characters(std::iter::once(character)).collect();
        let mut folded = Folded::default();
        folded
            .octets
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        folded.len = u8::try_from(text.len()).ok()?;
        Some(folded)
    };
    (0..SHORT_END).map(folded).collect()
});

/// `len <= octets.len()`
#[derive(Debug, Clone, Copy, Default)]
struct Folded {
    len: u8,
    octets: [u8; 7],
}

/// Folds `text`. Two texts are equal under the collation when their folded forms are.
pub fn fold(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    fold_into(text.as_bytes(), &mut out);
    out
}

/// Adds the folded form of `text`, which is UTF-8.
pub(super) fn fold_into(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while !rest.is_empty() {
        // ASCII is its own decomposition, and no mark moves across it: runs can go apart.
        let end = Encoding::ascii_valid_up_to(rest);
        let (ascii, tail) = rest.split_at_checked(end).unwrap_or((rest, b""));
        let start = out.len();
        out.extend_from_slice(ascii);
        if let Some(ascii) = out.get_mut(start..) {
            ascii.make_ascii_uppercase();
        }
        let end = tail.iter().position(u8::is_ascii).unwrap_or(tail.len());
        let (other, tail) = tail.split_at_checked(end).unwrap_or((tail, b""));
        // Lossy never changes anything here; whoever hands us text has seen to it.
        fold_run(&String::from_utf8_lossy(other), out);
        rest = tail;
    }
}

/// Whether a text may be folded in two pieces with this character first in the second: canonical
/// reordering moves combining marks only, and only up to the next character that is none.
pub(super) fn begins_anew(character: char) -> bool {
    let first = fold_characters(std::iter::once(character)).next();
    first.is_some_and(|first| canonical_combining_class(first) == 0)
}

/// A text without ASCII.
fn fold_run(run: &str, out: &mut Vec<u8>) {
    let mut rest = run.char_indices().peekable();
    while let Some((start, character)) = rest.next() {
        let next = rest.peek().map(|(_, next)| *next);
        if next.is_none_or(is_simple) && add_simple(character, out) {
            continue;
        }
        // A mark may follow: all up to the next simple character is folded together.
        while rest.next_if(|(_, next)| !is_simple(*next)).is_some() {}
        let end = rest.peek().map_or(run.len(), |(end, _)| *end);
        let together = run.get(start..end).unwrap_or_default();
        let mut octets = [0; 4];
        for folded in fold_characters(together.chars()) {
            out.extend_from_slice(folded.encode_utf8(&mut octets).as_bytes());
        }
    }
}

fn fold_characters(characters: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    characters
        .map(|character| CASE_MAPPER.simple_titlecase(character))
        .nfkd()
}

fn is_simple(character: char) -> bool {
    is_ideograph(character) || short(character).is_some()
}

fn add_simple(character: char, out: &mut Vec<u8>) -> bool {
    if is_ideograph(character) {
        let mut octets = [0; 4];
        out.extend_from_slice(character.encode_utf8(&mut octets).as_bytes());
        return true;
    }
    let folded = short(character);
    if let Some(folded) = folded {
        let octets = folded.octets.get(..usize::from(folded.len));
        out.extend_from_slice(octets.unwrap_or_default());
    }
    folded.is_some()
}

/// CJK unified ideographs have no case and no decomposition (Unicode 4.4, table of blocks).
fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{4e00}'..='\u{9fff}')
}

fn short(character: char) -> Option<&'static Folded> {
    let at = usize::try_from(u32::from(character)).ok()?;
    SHORT.get(at)?.as_ref()
}

#[cfg(test)]
mod tests {
    use super::{CASE_MAPPER, fold};
    use unicode_normalization::UnicodeNormalization;

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

    /// RFC 5051 2 as it is written.
    fn plainly(text: &str) -> Vec<u8> {
        let titled = text.chars().map(|c| CASE_MAPPER.simple_titlecase(c));
        titled.nfkd().collect::<String>().into_bytes()
    }

    #[test]
    fn every_character_folds_as_the_rfc_says() {
        for character in '\0'..=char::MAX {
            let text = character.to_string();
            assert_eq!(fold(&text), plainly(&text), "{character:?}");
        }
    }

    #[test]
    fn every_mixture_of_characters_folds_as_the_rfc_says() {
        let pieces = [
            'a',
            ' ',
            '\u{e4}',
            '\u{308}',
            '\u{323}',
            '\u{345}',
            '\u{1c4}',
            '\u{390}',
            '\u{149}',
            '\u{4e2d}',
            '\u{ac01}',
            '\u{1100}',
            '\u{1161}',
            '\u{fb01}',
            '\u{5d0}',
            '\u{5b0}',
            '\u{f71}',
            '\u{1f600}',
            '\u{ff21}',
            '\u{3099}',
            '\u{304b}',
            '\u{f900}',
            '\u{e01}',
        ];
        let seed = 0xf01d_u64;
        println!("seed {seed}");
        let mut random = seed;
        for round in 0..20_000 {
            let mut text = String::new();
            for _ in 0..8 {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                text.push(pieces[(random >> 40) as usize % pieces.len()]);
            }
            assert_eq!(fold(&text), plainly(&text), "round {round}: {text:?}");
        }
    }
}
