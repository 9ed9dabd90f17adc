//! Numbers as people and quotients want them.

/// Half the bits of a counter: what a float holds without loss.
const HALF_BITS: u32 = 32;

/// A count as a float; what is lost beyond 2^53 no reader could tell.
pub fn float(count: u64) -> f64 {
    let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).map_or(0.0, f64::from);
    half(count >> HALF_BITS) * (f64::from(u32::MAX) + 1.0) + half(count)
}

/// A quotient that is nothing when there is nothing to divide by.
pub fn quotient(dividend: f64, divisor: f64) -> f64 {
    if divisor > 0.0 {
        dividend / divisor
    } else {
        0.0
    }
}

/// Nanoseconds as seconds.
pub fn seconds(nanoseconds: u64) -> f64 {
    float(nanoseconds) / 1e9
}

/// Nanoseconds as milliseconds.
pub fn milliseconds(nanoseconds: u64) -> f64 {
    float(nanoseconds) / 1e6
}

/// A count with a comma at each thousand.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A rate: with a decimal where it tells something, with commas where there are many digits.
pub fn rate(per_second: f64) -> String {
    if per_second < 1_000.0 {
        return format!("{per_second:.1}");
    }
    let whole = format!("{per_second:.0}");
    whole.parse().map_or(whole, grouped)
}

/// A latency in milliseconds with three digits or more that mean something.
pub fn latency_ms(milliseconds: f64) -> String {
    if milliseconds < 10.0 {
        format!("{milliseconds:.3}")
    } else if milliseconds < 100.0 {
        format!("{milliseconds:.2}")
    } else {
        format!("{milliseconds:.1}")
    }
}

/// Octets in the unit that leaves one to three digits before the point.
pub fn bytes(count: u64) -> String {
    let mut rest = float(count);
    for unit in ["B", "kB", "MB", "GB"] {
        if rest < 1_000.0 {
            let digits = if unit == "B" { 0 } else { 1 };
            return format!("{rest:.digits$} {unit}");
        }
        rest /= 1_000.0;
    }
    format!("{rest:.1} TB")
}
