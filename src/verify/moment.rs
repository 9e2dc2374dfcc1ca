//! Dates and times of the source, as PostgreSQL counts them.
//!
//! In: a cell's text, or a number with the unit that the mapping names. Out: days, or microseconds, since 2000-01-01
//! (PostgreSQL's manual, 8.5 "Date/Time Types"). The calendar is jiff's. The texts are those that SQLite's own
//! functions write (its manual, "Date And Time Functions", 2 "Time Values"): `YYYY-MM-DD`, `HH:MM[:SS[.ffffff]]`,
//! both with a blank or `T` between, and an offset behind (`Z`, `±HH`, `±HH:MM`, `±HHMM`). What is finer than a
//! microsecond does not fit.

use jiff::{
    civil::{Date, DateTime, Time, date},
    tz::TimeZone,
};

/// Where PostgreSQL's counting begins.
const EPOCH: Date = date(2000, 1, 1);
/// Microseconds from 1970-01-01 to 2000-01-01.
const UNIX_TO_POSTGRES: i64 = 946_684_800_000_000;
/// Microseconds in a day.
const DAY: i64 = 86_400_000_000;
/// PostgreSQL's first moment, 4713-11-24 BC, in microseconds; the last is far past every date that jiff knows.
const FIRST_MOMENT: i64 = -211_813_488_000_000_000;
/// The end of PostgreSQL's time, 294277-01-01, exclusive.
const END_OF_TIME: i64 = 9_223_371_331_200_000_000;

/// Days since 2000-01-01.
pub(super) fn date_days(text: &[u8]) -> Option<i32> {
    let (date, rest) = read_date(text)?;
    rest.is_empty().then(|| days(date))?
}

/// Microseconds since midnight.
pub(super) fn time_microseconds(text: &[u8]) -> Option<i64> {
    let (time, rest) = read_time(text)?;
    rest.is_empty().then(|| since_midnight(time))
}

/// Microseconds since 2000-01-01 00:00:00, of a text without an offset.
pub(super) fn timestamp_microseconds(text: &[u8]) -> Option<i64> {
    let (moment, rest) = read_moment(text)?;
    rest.is_empty().then(|| civil_microseconds(moment))?
}

/// Microseconds since 2000-01-01 00:00:00 UTC. A text without an offset is in `zone`; without a zone it does not fit.
/// A time that the zone's clocks showed twice is the earlier one, and one that they skipped is as far behind the gap.
pub(super) fn timestamptz_microseconds(text: &[u8], zone: Option<&TimeZone>) -> Option<i64> {
    let (moment, rest) = read_moment(text)?;
    if !rest.is_empty() {
        let offset_minutes = read_offset(rest)?;
        return civil_microseconds(moment)?.checked_sub(offset_minutes * 60_000_000);
    }
    let zone = zone?;
    if *zone == TimeZone::UTC {
        return civil_microseconds(moment);
    }
    let timestamp = zone.to_ambiguous_timestamp(moment).compatible().ok()?;
    timestamp.as_microsecond().checked_sub(UNIX_TO_POSTGRES)
}

/// Microseconds since 2000-01-01 UTC of a whole number of units since 1970-01-01.
pub(super) fn epoch_integer(value: i64, microseconds_a_unit: i64) -> Option<i64> {
    in_range(value.checked_mul(microseconds_a_unit)?.checked_sub(UNIX_TO_POSTGRES)?)
}

/// The same of a real number, to the nearest microsecond.
pub(super) fn epoch_real(value: f64, microseconds_a_unit: i64) -> Option<i64> {
    let microseconds = (value * microseconds_a_unit as f64).round();
    // Beyond this a double precision number does not name a microsecond.
    (microseconds.abs() < 9.2e18).then_some(())?;
    in_range((microseconds as i64).checked_sub(UNIX_TO_POSTGRES)?)
}

/// The day of a moment that is midnight.
pub(super) fn day_of(microseconds: i64) -> Option<i32> {
    (microseconds.rem_euclid(DAY) == 0).then(|| i32::try_from(microseconds.div_euclid(DAY)).ok())?
}

fn in_range(microseconds: i64) -> Option<i64> {
    (FIRST_MOMENT..END_OF_TIME).contains(&microseconds).then_some(microseconds)
}

fn days(date: Date) -> Option<i32> {
    i32::try_from(date.duration_since(EPOCH).as_secs() / 86_400).ok()
}

fn since_midnight(time: Time) -> i64 {
    time.duration_since(Time::midnight()).as_micros() as i64
}

fn civil_microseconds(moment: DateTime) -> Option<i64> {
    i64::from(days(moment.date())?).checked_mul(DAY)?.checked_add(since_midnight(moment.time()))
}

/// `count` digits at the start.
fn read_digits(text: &[u8], count: usize) -> Option<(i16, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let value = digits.iter().try_fold(0_i16, |value, digit| {
        digit.is_ascii_digit().then(|| value * 10 + i16::from(digit - b'0'))
    })?;
    Some((value, rest))
}

/// Two digits at the start.
fn read_two(text: &[u8]) -> Option<(i8, &[u8])> {
    let (value, rest) = read_digits(text, 2)?;
    Some((i8::try_from(value).ok()?, rest))
}

fn read_date(text: &[u8]) -> Option<(Date, &[u8])> {
    let (year, rest) = read_digits(text, 4)?;
    let (month, rest) = read_two(rest.strip_prefix(b"-")?)?;
    let (day, rest) = read_two(rest.strip_prefix(b"-")?)?;
    // PostgreSQL has no year zero.
    (year > 0).then_some(())?;
    Some((Date::new(year, month, day).ok()?, rest))
}

fn read_time(text: &[u8]) -> Option<(Time, &[u8])> {
    let (hour, rest) = read_two(text)?;
    let (minute, rest) = read_two(rest.strip_prefix(b":")?)?;
    let Some(rest) = rest.strip_prefix(b":") else {
        return Some((Time::new(hour, minute, 0, 0).ok()?, rest));
    };
    let (second, rest) = read_two(rest)?;
    let Some(rest) = rest.strip_prefix(b".") else {
        return Some((Time::new(hour, minute, second, 0).ok()?, rest));
    };
    let (fraction, rest) = rest.split_at(rest.iter().take_while(|byte| byte.is_ascii_digit()).count());
    let (kept, finer) = fraction.split_at(fraction.len().min(6));
    if kept.is_empty() || finer.iter().any(|&digit| digit != b'0') {
        return None;
    }
    let digits = kept.iter().chain(std::iter::repeat(&b'0')).take(6);
    let microseconds = digits.fold(0, |value, digit| value * 10 + i32::from(digit - b'0'));
    Some((Time::new(hour, minute, second, microseconds * 1000).ok()?, rest))
}

/// A date, and a time where there is one; else midnight.
fn read_moment(text: &[u8]) -> Option<(DateTime, &[u8])> {
    let (date, rest) = read_date(text)?;
    match rest.split_first() {
        Some((b' ' | b'T' | b't', rest)) => {
            let (time, rest) = read_time(rest)?;
            Some((date.to_datetime(time), rest))
        }
        _ => Some((date.to_datetime(Time::midnight()), rest)),
    }
}

/// Minutes east of UTC.
fn read_offset(text: &[u8]) -> Option<i64> {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    if matches!(text, b"Z" | b"z") {
        return Some(0);
    }
    let (sign, rest) = match text.split_first()? {
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = read_two(rest)?;
    let minutes = match rest {
        b"" => 0,
        rest => {
            let (minutes, rest) = read_two(rest.strip_prefix(b":").unwrap_or(rest))?;
            rest.is_empty().then_some(minutes)?
        }
    };
    // PostgreSQL takes offsets up to 15:59:59.
    (hours < 16 && minutes < 60).then(|| sign * (i64::from(hours) * 60 + i64::from(minutes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (text, days) in [
            ("2000-01-01", Some(0)),
            ("1999-12-31", Some(-1)),
            ("2024-02-29", Some(8825)),
            ("0001-01-01", Some(-730_119)),
            ("9999-12-31", Some(2_921_939)),
            ("2023-02-29", None),
            ("0000-01-01", None),
            ("2024-1-1", None),
            ("2024-01-01 ", None),
            ("2024-01-01T00:00", None),
            ("", None),
            ("２024-01-01", None),
        ] {
            assert_eq!(date_days(text.as_bytes()), days, "{text}");
        }
    }

    #[test]
    fn times() {
        for (text, microseconds) in [
            ("00:00", Some(0)),
            ("23:59:59.999999", Some(DAY - 1)),
            ("01:02:03.5", Some(3_723_500_000)),
            ("01:02:03.5000000", Some(3_723_500_000)),
            ("01:02:03.5000001", None),
            ("24:00", None),
            ("23:59:60", None),
            ("1:02", None),
            ("01:02:03.", None),
            ("01:02:03Z", None),
        ] {
            assert_eq!(time_microseconds(text.as_bytes()), microseconds, "{text}");
        }
    }

    #[test]
    fn moments() {
        for (text, microseconds) in [
            ("2000-01-01", Some(0)),
            ("2000-01-01 00:00:00.000001", Some(1)),
            ("1999-12-31T23:59", Some(-60_000_000)),
            ("2000-01-01 00:00Z", None),
            ("2000-01-01  00:00", None),
        ] {
            assert_eq!(timestamp_microseconds(text.as_bytes()), microseconds, "{text}");
        }
        let berlin = TimeZone::get("Europe/Berlin").expect("Berlin");
        let hour = 3_600_000_000;
        for (text, zone, microseconds) in [
            ("2000-01-01 00:00", None, None),
            ("2000-01-01 00:00Z", None, Some(0)),
            ("2000-01-01T02:00:00+02", None, Some(0)),
            ("2000-01-01T02:30:00+0230", None, Some(0)),
            ("1999-12-31 16:00 -08:00", None, Some(0)),
            ("2000-01-01 00:00+16", None, None),
            ("2000-01-01 00:00+02:60", None, None),
            ("2000-01-01 00:00+2", None, None),
            ("2000-01-01 01:00", Some(&berlin), Some(0)),
            ("2000-01-01 01:00Z", Some(&berlin), Some(hour)),
            ("2000-07-01 02:00", Some(&berlin), Some(182 * DAY)),
            // Shown twice: the earlier. Skipped: behind the gap.
            ("2000-10-29 02:30", Some(&berlin), Some(302 * DAY + hour / 2)),
            ("2000-03-26 02:30", Some(&berlin), Some(85 * DAY + hour * 3 / 2)),
            ("9999-12-31 23:59:59", Some(&TimeZone::UTC), Some(2_921_940 * DAY - 1_000_000)),
        ] {
            assert_eq!(timestamptz_microseconds(text.as_bytes(), zone), microseconds, "{text}");
        }
    }

    #[test]
    fn epochs() {
        assert_eq!(epoch_integer(946_684_800, 1_000_000), Some(0));
        assert_eq!(epoch_integer(-1, 1), Some(-UNIX_TO_POSTGRES - 1));
        assert_eq!(epoch_integer(i64::MAX, 1_000_000), None);
        assert_eq!(epoch_integer(i64::MAX, 1), Some(i64::MAX - UNIX_TO_POSTGRES));
        assert_eq!(epoch_integer(i64::MIN, 1), None);
        assert_eq!(epoch_real(946_684_800.123_456_7, 1_000_000), Some(123_457));
        assert_eq!(epoch_real(f64::INFINITY, 1), None);
        assert_eq!(day_of(-DAY), Some(-1));
        assert_eq!(day_of(-DAY + 1), None);
    }
}
