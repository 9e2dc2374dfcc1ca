//! Figures as people read them.

use std::time::Duration;

use super::fault::Fault;

/// `840 µs`, `12 ms`, `1.4 s`, `35 s`.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        _ if seconds < 0.001 => format!("{} µs", duration.as_micros()),
        _ if seconds < 1.0 => format!("{} ms", duration.as_millis()),
        _ if seconds < 10.0 => format!("{seconds:.1} s"),
        _ => format!("{seconds:.0} s"),
    }
}

/// How long ago something was: `35 s`, `12 min`, `3 h`.
pub(super) fn age(age: Duration) -> String {
    match age.as_secs() {
        0 => "less than a second".to_owned(),
        seconds @ 1..60 => format!("{seconds} s"),
        seconds @ 60..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// `1,234,567`.
pub(super) fn count(number: &i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if *number < 0 {
        grouped.push('−');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A share as `12.5 %`; of nothing, `–`.
pub(super) fn percent(part: &i64, whole: &i64) -> String {
    if *whole == 0 { "–".to_owned() } else { format!("{:.1} %", *part as f64 * 100.0 / *whole as f64) }
}

/// Bytes as `812 kB`, `1.4 GB`, in steps of a thousand.
pub(super) fn bytes(bytes: &i64) -> String {
    let mut value = *bytes as f64;
    let mut units = ["bytes", "kB", "MB", "GB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for larger in units {
        if value < 1000.0 {
            break;
        }
        (value, unit) = (value / 1000.0, larger);
    }
    if value < 10.0 && unit != "bytes" { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// A track's length as `3:05`.
pub(super) fn minutes(milliseconds: &i32) -> String {
    let seconds = (i64::from(*milliseconds) + 500) / 1000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// A moment to the second, in UTC: `2026-01-31T12:00:00Z`.
pub(super) fn moment(moment: sea_orm::prelude::DateTimeUtc) -> String {
    moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Reads a day, `2026-01-31`, and gives it back as it is written.
pub(super) fn day(text: &str) -> Result<String, Fault> {
    let day: Option<jiff::civil::Date> = (text.len() == 10).then(|| text.parse().ok()).flatten();
    // PostgreSQL has no year nought.
    day.filter(|day| day.year() > 0)
        .map(|day| day.to_string())
        .ok_or_else(|| Fault::BadRequest("a day is written as in 2026-01-31".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        assert_eq!(day("2024-02-29"), Ok("2024-02-29".to_owned()));
        for text in [
            "2023-02-29",
            "2024-2-9",
            "0000-01-01",
            "today",
            "",
            "2024-01-01T00:00",
            "20240101",
            "+002024-01",
        ] {
            assert!(day(text).is_err(), "{text}");
        }
    }

    #[test]
    fn figures() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "−1,234,567")] {
            assert_eq!(count(&number), text);
        }
        assert_eq!(count(&i64::MIN), "−9,223,372,036,854,775,808");
        assert_eq!((percent(&1, &8), percent(&0, &0)), ("12.5 %".to_owned(), "–".to_owned()));
        for (number, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1440, "1.4 kB"),
            (812_000, "812 kB"),
            (1_400_000_000, "1.4 GB"),
        ] {
            assert_eq!(bytes(&number), text);
        }
        for (milliseconds, text) in [(0, "0:00"), (59_499, "0:59"), (59_500, "1:00"), (3_725_000, "62:05")] {
            assert_eq!(minutes(&milliseconds), text);
        }
        for (micros, text) in [(840, "840 µs"), (12_300, "12 ms"), (1_440_000, "1.4 s"), (35_400_000, "35 s")]
        {
            assert_eq!(duration(Duration::from_micros(micros)), text);
        }
    }
}
