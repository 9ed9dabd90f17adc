//! Dates (RFC 3501 `date`, `date-time`): the calendar, without a clock.

use super::{Cursor, Parsed, SyntaxError};
use crate::response::string::number;

/// A day of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Year, 0 to 9999.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
}

/// A moment as a client writes it: local time and the zone's distance from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// The local day.
    pub date: Date,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 60.
    pub second: u8,
    /// Minutes east of UTC.
    pub zone_minutes: i16,
}

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

const DAY_SECONDS: i64 = 86_400;

impl Date {
    /// The day, if there is such a day.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let valid = year <= 9999 && (1..=days_in_month(year, month)).contains(&day);
        valid.then_some(Self { year, month, day })
    }

    /// Days since 1970-01-01; negative before.
    pub fn to_unix_days(self) -> i64 {
        // Years begin in March here, so that the leap day is the last one; eras have 400 years.
        let month = i64::from(self.month);
        let year = i64::from(self.year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// The day that is `days` after 1970-01-01; what lies outside the years 0 to 9999 becomes the
    /// nearest day inside.
    pub fn from_unix_days(days: i64) -> Self {
        let earliest = Self {
            year: 0,
            month: 1,
            day: 1,
        };
        let latest = Self {
            year: 9999,
            month: 12,
            day: 31,
        };
        let days = days.clamp(earliest.to_unix_days(), latest.to_unix_days()) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year: u16::try_from(year).unwrap_or(0),
            month: u8::try_from(month).unwrap_or(1),
            day: u8::try_from(day).unwrap_or(1),
        }
    }

    /// Writes `17-Jul-1996`, as SEARCH has it.
    pub fn encode(self, out: &mut Vec<u8>) {
        number(out, u32::from(self.day));
        self.encode_month_and_year(out);
    }

    fn encode_month_and_year(self, out: &mut Vec<u8>) {
        out.push(b'-');
        let index = usize::from(self.month.saturating_sub(1));
        out.extend_from_slice(MONTHS.get(index).copied().unwrap_or(b"Jan"));
        out.push(b'-');
        two_digits(out, self.year / 100);
        two_digits(out, self.year % 100);
    }
}

impl DateTime {
    /// The moment `seconds` after 1970-01-01T00:00:00Z, as a clock shows it that is `zone_minutes`
    /// east of UTC.
    pub fn from_unix_seconds(seconds: i64, zone_minutes: i16) -> Self {
        let local = seconds.saturating_add(i64::from(zone_minutes) * 60);
        let of_day = local.rem_euclid(DAY_SECONDS);
        let part = |value: i64| u8::try_from(value).unwrap_or(0);
        Self {
            date: Date::from_unix_days(local.div_euclid(DAY_SECONDS)),
            hour: part(of_day / 3600),
            minute: part(of_day / 60 % 60),
            second: part(of_day % 60),
            zone_minutes,
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn to_unix_seconds(self) -> i64 {
        self.date.to_unix_days() * DAY_SECONDS
            + i64::from(self.hour) * 3600
            + i64::from(self.minute) * 60
            + i64::from(self.second)
            - i64::from(self.zone_minutes) * 60
    }

    /// Writes `"17-Jul-1996 02:44:25 -0700"` with its quotes, as INTERNALDATE has it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        // RFC 3501 `date-day-fixed`: a space stands before a single digit.
        if self.date.day < 10 {
            out.push(b' ');
        }
        self.date.encode(out);
        for (separator, part) in [(b' ', self.hour), (b':', self.minute), (b':', self.second)] {
            out.push(separator);
            two_digits(out, u16::from(part));
        }
        out.extend_from_slice(if self.zone_minutes < 0 { b" -" } else { b" +" });
        let zone = self.zone_minutes.unsigned_abs();
        two_digits(out, zone / 60);
        two_digits(out, zone % 60);
        out.push(b'"');
    }
}

/// RFC 3501 `date`: `date-text`, perhaps in quotes.
pub fn date(cursor: &mut Cursor<'_>) -> Parsed<Date> {
    let quoted = cursor.take_byte(b'"');
    let date = date_text(cursor)?;
    if quoted {
        cursor.expect_byte(b'"', "date")?;
    }
    Ok(date)
}

/// RFC 3501 `date-time`. One digit for the day is forgiven, with or without its space.
pub fn date_time(cursor: &mut Cursor<'_>) -> Parsed<DateTime> {
    cursor.expect_byte(b'"', "date-time")?;
    cursor.skip_spaces();
    let date = date_text(cursor)?;
    time_of(date, cursor)
}

/// `date-time`, or a date alone in quotes: its first moment, in UTC.
pub fn append_date(cursor: &mut Cursor<'_>) -> Parsed<DateTime> {
    cursor.expect_byte(b'"', "date-time")?;
    cursor.skip_spaces();
    let date = date_text(cursor)?;
    if !cursor.take_byte(b'"') {
        return time_of(date, cursor);
    }
    Ok(DateTime {
        date,
        hour: 0,
        minute: 0,
        second: 0,
        zone_minutes: 0,
    })
}

/// What follows the date in a `date-time`.
fn time_of(date: Date, cursor: &mut Cursor<'_>) -> Parsed<DateTime> {
    const WHAT: SyntaxError = SyntaxError::Expected("date-time");
    cursor.sp()?;
    let hour = digits(cursor, 2, 23).ok_or(WHAT)?;
    cursor.expect_byte(b':', "date-time")?;
    let minute = digits(cursor, 2, 59).ok_or(WHAT)?;
    cursor.expect_byte(b':', "date-time")?;
    // 60 is a leap second.
    let second = digits(cursor, 2, 60).ok_or(WHAT)?;
    cursor.sp()?;
    let east = cursor.take_byte(b'+');
    if !east && !cursor.take_byte(b'-') {
        return Err(SyntaxError::Expected("time zone"));
    }
    let hours = digits(cursor, 2, 99).ok_or(WHAT)?;
    let minutes = digits(cursor, 2, 59).ok_or(WHAT)?;
    cursor.expect_byte(b'"', "date-time")?;
    let zone = i16::from(hours) * 60 + i16::from(minutes);
    let zone_minutes = if east { zone } else { -zone };
    Ok(DateTime {
        date,
        hour,
        minute,
        second,
        zone_minutes,
    })
}

/// RFC 3501 `date-text`
fn date_text(cursor: &mut Cursor<'_>) -> Parsed<Date> {
    const WHAT: SyntaxError = SyntaxError::Expected("date");
    let day = cursor.number()?;
    cursor.expect_byte(b'-', "date")?;
    let month = cursor.take(3).and_then(month_from_name).ok_or(WHAT)?;
    cursor.expect_byte(b'-', "date")?;
    let year = cursor.take_while(|byte| byte.is_ascii_digit());
    let year = match year.len() {
        4 => Cursor::new(year).number()?,
        _ => return Err(WHAT),
    };
    let (year, day) = (u16::try_from(year), u8::try_from(day));
    let (Ok(year), Ok(day)) = (year, day) else {
        return Err(WHAT);
    };
    Date::new(year, month, day).ok_or(WHAT)
}

/// Exactly `count` digits, at most `max`.
fn digits(cursor: &mut Cursor<'_>, count: usize, max: u8) -> Option<u8> {
    let digits = cursor.take(count)?;
    let text = std::str::from_utf8(digits).ok()?;
    let valid = digits.iter().all(u8::is_ascii_digit);
    text.parse::<u8>()
        .ok()
        .filter(|value| valid && *value <= max)
}

/// The number of the month called `name`, in any case.
fn month_from_name(name: &[u8]) -> Option<u8> {
    let index = MONTHS
        .iter()
        .position(|month| name.eq_ignore_ascii_case(month.as_slice()))?;
    u8::try_from(index + 1).ok()
}

fn days_in_month(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

fn two_digits(out: &mut Vec<u8>, value: u16) {
    let digit = |value: u16| b'0' + u8::try_from(value % 10).unwrap_or(0);
    out.push(digit(value / 10));
    out.push(digit(value));
}

#[cfg(test)]
mod tests;
