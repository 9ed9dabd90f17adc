//! The keyword table of a mailbox: compared without case, the spelling of the first use kept.

use super::Mailbox;
use crate::ids::MailboxId;
use crate::record::Record;
use crate::request::{FlagNames, Flags, Refusal};
use crate::state_limits::{KEYWORD_BYTES_MAX, KEYWORDS_MAX_U8};

/// Marks a message that is a piece of media, such as a voice mail.
pub(super) const MEDIA: &str = "$Media";

/// The bit of keyword `number`.
pub(super) fn keyword_bit(number: usize) -> Flags {
    assert!(number < Flags::KEYWORDS_MAX, "keyword number out of range");
    Flags(1 << number << Flags::KEYWORD_SHIFT)
}

/// Maps names to bits of one mailbox and gathers the keywords that it must get first.
#[derive(Debug)]
pub(super) struct KeywordPlan<'a> {
    mailbox: MailboxId,
    held: &'a [String],
    added: Vec<String>,
    /// Keywords without room are dropped instead of refused.
    lenient: bool,
}

impl<'a> KeywordPlan<'a> {
    pub fn new(mailbox: &'a Mailbox) -> KeywordPlan<'a> {
        KeywordPlan {
            mailbox: mailbox.id,
            held: &mailbox.keywords,
            added: Vec::new(),
            lenient: false,
        }
    }

    /// For messages that come with keywords of another mailbox.
    pub fn lenient(mailbox: &'a Mailbox) -> KeywordPlan<'a> {
        KeywordPlan {
            lenient: true,
            ..KeywordPlan::new(mailbox)
        }
    }

    /// The bits of these flags; keywords that the mailbox has not are added.
    pub fn bits(&mut self, flags: &FlagNames) -> Result<Flags, Refusal> {
        let mut bits = Flags(flags.system.0 & SYSTEM_FLAGS);
        for keyword in &flags.keywords {
            match self.number(keyword) {
                Ok(number) => bits = bits.union(keyword_bit(number)),
                Err(_) if self.lenient => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(bits)
    }

    /// The bits of those flags that the mailbox has.
    pub fn known_bits(&self, flags: &FlagNames) -> Flags {
        let numbers = flags.keywords.iter().filter_map(|name| self.find(name));
        numbers.fold(Flags(flags.system.0 & SYSTEM_FLAGS), |bits, number| {
            bits.union(keyword_bit(number))
        })
    }

    /// The number of this keyword, adding it if there is room.
    pub fn number(&mut self, keyword: &str) -> Result<usize, Refusal> {
        if let Some(number) = self.find(keyword) {
            return Ok(number);
        }
        if keyword.len() > KEYWORD_BYTES_MAX || keyword.is_empty() {
            return Err(Refusal::Limit("keyword is too long"));
        }
        let number = self.held.len() + self.added.len();
        if number >= Flags::KEYWORDS_MAX {
            return Err(Refusal::Limit("too many keywords in the mailbox"));
        }
        self.added.push(keyword.to_owned());
        Ok(number)
    }

    /// Maps the keywords of another mailbox that occur in `used`; those without room are dropped.
    pub fn map_from(&mut self, from: &Mailbox, used: Flags) -> Vec<(u8, u8)> {
        let mut pairs = Vec::new();
        for (number, keyword) in (0..KEYWORDS_MAX_U8).zip(from.keywords.iter()) {
            if used.contains(keyword_bit(usize::from(number)))
                && let Ok(to) = self.number(keyword)
                && let Ok(to) = u8::try_from(to)
            {
                pairs.push((number, to));
            }
        }
        pairs
    }

    /// The records that add what is missing.
    pub fn into_records(self) -> Vec<Record> {
        let mailbox = self.mailbox;
        let record = |name| Record::KeywordAdded { mailbox, name };
        self.added.into_iter().map(record).collect()
    }

    fn find(&self, keyword: &str) -> Option<usize> {
        let mut names = self.held.iter().chain(&self.added);
        names.position(|held| held.eq_ignore_ascii_case(keyword))
    }
}

/// Flags of a copy in a mailbox with another table.
pub(super) fn translate(flags: Flags, keywords: &[(u8, u8)]) -> Flags {
    let mut translated = Flags(flags.0 & SYSTEM_FLAGS);
    for (from, to) in keywords {
        if flags.contains(keyword_bit(usize::from(*from))) {
            translated = translated.union(keyword_bit(usize::from(*to)));
        }
    }
    translated
}

/// The bits of `\Answered` to `\Draft`.
pub(super) const SYSTEM_FLAGS: u64 = (1 << Flags::KEYWORD_SHIFT) - 1;
