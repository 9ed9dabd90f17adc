//! The folded text that is looked through, piece by piece.

use super::fold::{begins_anew, fold_into};
use super::{Scope, TextKeys};

/// Folded octets that are gathered before they are looked through: few enough to stay in the
/// processor's cache. Tests use a few, so that random mails cross them everywhere.
const WINDOW_BYTES: usize = if cfg!(test) { 24 } else { 32 * 1024 };

/// Octets without ASCII that may wait for their end; beyond it another place to cut is looked for.
const CARRIED_BYTES: usize = if cfg!(test) { 32 } else { 16 * 1024 };

/// How far back that place is looked for. Sixteen characters are as good as many: where none of
/// them begins anew, somebody has piled up marks, and waiting costs nothing but memory.
const CUT_BYTES: usize = 64;

/// Stands between two texts that belong to different fields: no needle has it, as it is not UTF-8.
const SEPARATOR: u8 = 0xff;

/// A text in the making. Its buffers are used again for each text and each message.
#[derive(Debug, Default)]
pub(super) struct Haystack {
    folded: Vec<u8>,
    /// The end of what was fed, not folded yet: no ASCII is in it.
    carried: Vec<u8>,
    /// `carried` was looked through for a cut when it had this length.
    cut_tried: usize,
}

impl Haystack {
    /// More of the text, cut anywhere; all of it together is UTF-8.
    pub fn feed(&mut self, text: &[u8], scope: Scope, keys: &TextKeys, found: &mut Found) {
        for window in text.chunks(WINDOW_BYTES) {
            self.feed_window(window);
            if self.folded.len() >= WINDOW_BYTES {
                self.look(scope, keys, found);
                self.forget_all_but(keys.longest.saturating_sub(1));
            }
        }
    }

    /// A text that is whole, apart from those before and behind it.
    pub fn feed_apart(&mut self, text: &[u8]) {
        fold_into(text, &mut self.folded);
        self.folded.push(SEPARATOR);
    }

    /// The text is at its end.
    pub fn end(&mut self, scope: Scope, keys: &TextKeys, found: &mut Found) {
        self.fold_carried(self.carried.len());
        self.look(scope, keys, found);
        self.clear();
    }

    /// Forgets what has been fed.
    pub fn clear(&mut self) {
        self.folded.clear();
        self.carried.clear();
        self.cut_tried = 0;
    }

    /// Gives the memory of large texts back.
    pub fn shrink(&mut self, bytes_max: usize) {
        self.folded.shrink_to(bytes_max);
        self.carried.shrink_to(bytes_max);
    }

    fn feed_window(&mut self, window: &[u8]) {
        // Whatever stands before and behind an ASCII character folds by itself.
        let last = window.iter().rposition(u8::is_ascii);
        let (whole, rest) = match last.and_then(|last| window.split_at_checked(last + 1)) {
            Some(cut) => cut,
            None => (&b""[..], window),
        };
        if !whole.is_empty() && !self.carried.is_empty() {
            let first = whole.iter().position(u8::is_ascii).unwrap_or(0);
            let (joined, others) = whole.split_at_checked(first).unwrap_or((b"", whole));
            self.carried.extend_from_slice(joined);
            self.fold_carried(self.carried.len());
            fold_into(others, &mut self.folded);
        } else {
            fold_into(whole, &mut self.folded);
        }
        self.carried.extend_from_slice(rest);
        if self.carried.len() >= self.cut_tried + CARRIED_BYTES {
            let cut = cut_near_end(&self.carried);
            self.fold_carried(cut);
            self.cut_tried = self.carried.len();
        }
    }

    /// Folds the first `end` carried octets.
    fn fold_carried(&mut self, end: usize) {
        if end > 0 {
            let ready = self.carried.get(..end).unwrap_or_default();
            fold_into(ready, &mut self.folded);
            self.carried.drain(..end);
            self.cut_tried = 0;
        }
    }

    fn look(&self, scope: Scope, keys: &TextKeys, found: &mut Found) {
        for (key, found) in keys.keys.iter().zip(&mut found.keys) {
            let counts = scope == Scope::Body || key.scope == Scope::Text;
            if counts && !*found {
                *found = key.needle.finder.find(&self.folded).is_some();
            }
        }
    }

    /// Keeps what a needle that goes on in the next octets may have begun in.
    fn forget_all_but(&mut self, kept: usize) {
        let end = self.folded.len().saturating_sub(kept);
        self.folded.drain(..end);
    }
}

/// Which keys have been found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// One for each key, in their order.
    pub keys: Vec<bool>,
}

/// The last place where a text without ASCII may be folded in two pieces; 0 when none is near.
fn cut_near_end(text: &[u8]) -> usize {
    let mut start = text.len().saturating_sub(CUT_BYTES);
    // To the beginning of a character.
    while text.get(start).is_some_and(|octet| octet & 0xc0 == 0x80) {
        start += 1;
    }
    let end = text.get(start..).unwrap_or_default();
    let end = match std::str::from_utf8(end) {
        Ok(end) => end,
        // The last character is not whole yet.
        Err(error) => {
            let whole = end.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(whole).unwrap_or_default()
        }
    };
    let mut characters = end.char_indices().rev();
    let cut = characters.find(|(_, character)| begins_anew(*character));
    cut.map_or(0, |(at, _)| start + at)
}

#[cfg(test)]
mod tests {
    use super::super::Needle;
    use super::*;

    /// A cut before a mark would leave it where it is, and the text would not be found in itself.
    #[test]
    fn a_text_without_ascii_is_found_in_itself_however_it_is_fed() {
        let pieces = [
            "\u{e4}", "\u{308}", "\u{323}", "\u{fc}", "\u{4e2d}", "\u{ac01}",
        ];
        for seed in 1..=300_usize {
            let mut random = seed;
            let mut below = |bound: usize| {
                random = random.wrapping_mul(6_364_136_223_846_793_005) + 1;
                (random >> 40) % bound
            };
            let text: String = (0..90).map(|_| pieces[below(pieces.len())]).collect();
            let mut keys = TextKeys::default();
            keys.push(Scope::Body, Needle::new(&text));
            let (mut haystack, mut found) = (Haystack::default(), Found { keys: vec![false] });
            for piece in text.as_bytes().chunks(1 + below(50)) {
                haystack.feed(piece, Scope::Body, &keys, &mut found);
            }
            haystack.end(Scope::Body, &keys, &mut found);
            assert_eq!(found.keys, [true], "seed {seed}: {text:?}");
        }
    }
}
