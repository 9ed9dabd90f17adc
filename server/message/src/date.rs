//! The Date field (RFC 5322 3.3 and 4.3), read as leniently as mail needs it.

use imap_proto::grammar::date::Date;
use jiff::civil;
use jiff::tz::Offset;

use crate::field::token::Cursor;
use crate::field::unfold;

/// Names of months, found by their first three letters.
const MONTHS: [&[u8]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

/// RFC 5322 4.3: obsolete zones and their hours; all other names mean UTC.
const ZONES: [(&[u8], i32); 8] = [
    (b"EST", -5),
    (b"EDT", -4),
    (b"CST", -6),
    (b"CDT", -5),
    (b"MST", -7),
    (b"MDT", -6),
    (b"PST", -8),
    (b"PDT", -7),
];

/// When a message says it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentDate {
    /// The day as it is written: RFC 3501 6.4.4 has SENTBEFORE and its like disregard time and
    /// zone.
    pub local: Date,
    /// The moment, for sorting.
    pub unix_seconds: i64,
}

/// Reads the value of a Date field, folded or not. `None` when there is no day, month and year.
///
/// Words are told apart by their form and not by their place, so that the orders of RFC 5322,
/// asctime and some broken mailers are all understood.
pub fn parse(value: &[u8]) -> Option<SentDate> {
    let value = unfold(value);
    let mut words = Words::default();
    let mut cursor = Cursor::new(&value);
    loop {
        cursor.skip_cfws();
        let word = cursor.take_while(|byte| !byte.is_ascii_whitespace() && !b",(".contains(&byte));
        if !word.is_empty() {
            words.take(word);
        } else if cursor.bump().is_none() {
            break;
        }
    }
    let day = civil::Date::new(words.year?, words.month?, words.day?).ok()?;
    let moment = day.to_datetime(words.time.unwrap_or(civil::Time::midnight()));
    let offset = Offset::from_seconds(words.zone_seconds.unwrap_or(0)).unwrap_or(Offset::UTC);
    Some(SentDate {
        local: Date {
            year: u16::try_from(day.year()).ok()?,
            month: u8::try_from(day.month()).ok()?,
            day: u8::try_from(day.day()).ok()?,
        },
        unix_seconds: offset.to_timestamp(moment).ok()?.as_second(),
    })
}

#[derive(Default)]
struct Words {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    time: Option<civil::Time>,
    zone_seconds: Option<i32>,
}

impl Words {
    fn take(&mut self, word: &[u8]) {
        match word {
            [b'0'..=b'9', ..] if word.contains(&b':') => self.time = self.time.or(time(word)),
            [b'0'..=b'9', ..] if word.contains(&b'-') => {
                // 01-Jan-2020, as INTERNALDATE has it and some mailers do.
                word.split(|byte| *byte == b'-')
                    .for_each(|word| self.take(word));
            }
            [b'0'..=b'9', ..] => self.number(word),
            [b'+' | b'-', ..] => self.zone_seconds = self.zone_seconds.or(zone(word)),
            _ => self.name(word),
        }
    }

    fn number(&mut self, word: &[u8]) {
        let Some(value) = number(word) else { return };
        if self.day.is_none() && word.len() <= 2 {
            self.day = i8::try_from(value).ok();
        } else if self.year.is_none() {
            // RFC 5322 4.3: years of two and three digits.
            let century = match (word.len(), value) {
                (1 | 2, 0..50) => 2000,
                (1..=3, _) => 1900,
                _ => 0,
            };
            self.year = i16::try_from(value.saturating_add(century)).ok();
        }
    }

    fn name(&mut self, word: &[u8]) {
        let start = word.get(..3).unwrap_or(word);
        let found = MONTHS
            .iter()
            .position(|month| start.eq_ignore_ascii_case(month));
        if let Some(index) = found
            && self.month.is_none()
        {
            self.month = i8::try_from(index.saturating_add(1)).ok();
        } else if self.time.is_some() && self.zone_seconds.is_none() {
            let known = ZONES
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(word));
            self.zone_seconds = match known {
                Some((_, hours)) => Some(hours.saturating_mul(3600)),
                // GMT+0200 is wrong and common.
                None => word.get(3..).and_then(zone),
            };
        }
    }
}

fn number(word: &[u8]) -> Option<i32> {
    if word.is_empty() || word.len() > 6 {
        return None;
    }
    word.iter().try_fold(0_i32, |value, byte| {
        let digit = char::from(*byte).to_digit(10)?;
        value
            .checked_mul(10)?
            .checked_add(i32::try_from(digit).ok()?)
    })
}

fn time(word: &[u8]) -> Option<civil::Time> {
    let mut fields = word.split(|byte| *byte == b':').map(number);
    let hour = fields.next()??;
    let minute = fields.next()??;
    // A leap second counts as the second before it.
    let second = fields.next().unwrap_or(Some(0)).unwrap_or(0).min(59);
    let narrow = |value: i32| i8::try_from(value).ok();
    civil::Time::new(narrow(hour)?, narrow(minute)?, narrow(second)?, 0).ok()
}

/// `+hhmm` and what comes near it.
fn zone(word: &[u8]) -> Option<i32> {
    let (sign, digits) = match word {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let value = match digits.len() {
        1 | 2 => number(digits)?.checked_mul(100)?,
        4 => number(digits)?,
        _ => return None,
    };
    let minutes = (value / 100).checked_mul(60)?.checked_add(value % 100)?;
    minutes.checked_mul(60)?.checked_mul(sign)
}

#[cfg(test)]
mod tests;
