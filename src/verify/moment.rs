//! Dates and times of the source, as PostgreSQL counts them.
//!
//! In: a cell's text, or a number with the unit that the mapping names. Out: days, or microseconds, since 2000-01-01
//! (PostgreSQL's manual, 8.5 "Date/Time Types"). The calendar is jiff's. The texts are those that the mapping's types
//! take, and no others, though PostgreSQL would take more: `YYYY-MM-DD` in the years 0001 to 9999, `HH:MM:SS` with up
//! to six digits behind a point, both with a blank or `T` between, and an offset right behind (`Z`, `±HH`, `±HH:MM`,
//! `±HHMM`). An instant, too, is in those years by UTC. A number must name a whole microsecond.

use jiff::{
    civil::{Date, DateTime, Time, date},
    tz::{AmbiguousOffset, TimeZone},
};

/// Where PostgreSQL's counting begins.
const EPOCH: Date = date(2000, 1, 1);
/// Microseconds from 1970-01-01 to 2000-01-01.
const UNIX_TO_POSTGRES: i64 = 946_684_800_000_000;
/// Microseconds in a day.
const DAY: i64 = 86_400_000_000;
/// The first instant of the year 0001, in microseconds: a text names none before it, so a number may not either.
const FIRST_INSTANT: i64 = -730_119 * DAY;
/// The end of the year 9999, exclusive.
const END_OF_INSTANTS: i64 = 2_921_940 * DAY;

/// The time zone of the texts that name no offset.
#[derive(Debug)]
pub(super) enum Zone {
    /// Every local time is an instant, by arithmetic alone.
    Utc,
    /// A zone of the IANA database, as jiff knows it.
    Named(TimeZone),
}

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
/// Nor does a time that the zone's clocks showed twice or skipped: it names no one instant.
pub(super) fn timestamptz_microseconds(text: &[u8], zone: Option<&Zone>) -> Option<i64> {
    let (moment, rest) = read_moment(text)?;
    if !rest.is_empty() {
        let offset_minutes = read_offset(rest)?;
        return in_range(civil_microseconds(moment)?.checked_sub(offset_minutes * 60_000_000)?);
    }
    match zone? {
        Zone::Utc => civil_microseconds(moment),
        Zone::Named(zone) => {
            // Not the library's own instant: those end before the year 9999 does.
            let AmbiguousOffset::Unambiguous { offset } = zone.to_ambiguous_timestamp(moment).offset() else {
                return None;
            };
            in_range(civil_microseconds(moment)?.checked_sub(i64::from(offset.seconds()) * 1_000_000)?)
        }
    }
}

/// Microseconds since 2000-01-01 UTC of a whole number of units since 1970-01-01.
pub(super) fn epoch_integer(value: i64, microseconds_a_unit: i64) -> Option<i64> {
    in_range(value.checked_mul(microseconds_a_unit)?.checked_sub(UNIX_TO_POSTGRES)?)
}

/// The same of a finite real number, given as its shortest decimal form (`-12.5`, without an exponent). It may have no
/// more digits behind the point than make a microsecond.
pub(super) fn epoch_decimal(decimal: &[u8], microseconds_a_unit: i64) -> Option<i64> {
    let decimal = std::str::from_utf8(decimal).ok()?;
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let units_of_last_digit = 10_i64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    (microseconds_a_unit % units_of_last_digit == 0).then_some(())?;
    let of_last_digit = [whole, fraction].concat().parse::<i64>().ok()?;
    epoch_integer(of_last_digit, microseconds_a_unit / units_of_last_digit)
}

/// The day of a moment that is midnight.
pub(super) fn day_of(microseconds: i64) -> Option<i32> {
    (microseconds.rem_euclid(DAY) == 0).then(|| i32::try_from(microseconds.div_euclid(DAY)).ok())?
}

fn in_range(microseconds: i64) -> Option<i64> {
    (FIRST_INSTANT..END_OF_INSTANTS).contains(&microseconds).then_some(microseconds)
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
    let (second, rest) = read_two(rest.strip_prefix(b":")?)?;
    let Some(rest) = rest.strip_prefix(b".") else {
        return Some((Time::new(hour, minute, second, 0).ok()?, rest));
    };
    let (fraction, rest) = rest.split_at(rest.iter().take_while(|byte| byte.is_ascii_digit()).count());
    (1..=6).contains(&fraction.len()).then_some(())?;
    let digits = fraction.iter().chain(std::iter::repeat(&b'0')).take(6);
    let microseconds = digits.fold(0, |value, digit| value * 10 + i32::from(digit - b'0'));
    Some((Time::new(hour, minute, second, microseconds * 1000).ok()?, rest))
}

/// A date and a time.
fn read_moment(text: &[u8]) -> Option<(DateTime, &[u8])> {
    let (date, rest) = read_date(text)?;
    let (b' ' | b'T', rest) = rest.split_first()? else { return None };
    let (time, rest) = read_time(rest)?;
    Some((date.to_datetime(time), rest))
}

/// Minutes east of UTC.
fn read_offset(text: &[u8]) -> Option<i64> {
    if text == b"Z" {
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
            ("00:00:00", Some(0)),
            ("23:59:59.999999", Some(DAY - 1)),
            ("01:02:03.5", Some(3_723_500_000)),
            ("01:02:03.500000", Some(3_723_500_000)),
            ("01:02:03.5000000", None),
            ("01:02:03.5000001", None),
            ("00:00", None),
            ("24:00:00", None),
            ("23:59:60", None),
            ("1:02:03", None),
            ("01:02:03.", None),
            ("01:02:03Z", None),
        ] {
            assert_eq!(time_microseconds(text.as_bytes()), microseconds, "{text}");
        }
    }

    #[test]
    fn moments() {
        for (text, microseconds) in [
            ("2000-01-01 00:00:00.000001", Some(1)),
            ("1999-12-31T23:59:00", Some(-60_000_000)),
            ("2000-01-01", None),
            ("1999-12-31T23:59", None),
            ("2000-01-01t00:00:00", None),
            ("2000-01-01 00:00:00Z", None),
            ("2000-01-01  00:00:00", None),
        ] {
            assert_eq!(timestamp_microseconds(text.as_bytes()), microseconds, "{text}");
        }
        let berlin = Zone::Named(TimeZone::get("Europe/Berlin").expect("Berlin"));
        let hour = 3_600_000_000;
        for (text, zone, microseconds) in [
            ("2000-01-01 00:00:00", None, None),
            ("2000-01-01 00:00:00Z", None, Some(0)),
            ("2000-01-01 00:00:00z", None, None),
            ("2000-01-01 00:00Z", None, None),
            ("2000-01-01T02:00:00+02", None, Some(0)),
            ("2000-01-01T02:30:00+0230", None, Some(0)),
            ("1999-12-31 16:00:00-08:00", None, Some(0)),
            ("1999-12-31 16:00:00 -08:00", None, None),
            ("2000-01-01 00:00:00+16", None, None),
            ("2000-01-01 00:00:00+02:60", None, None),
            ("2000-01-01 00:00:00+2", None, None),
            ("0001-01-01 00:00:00-01", None, Some(FIRST_INSTANT + hour)),
            ("0001-01-01 00:00:00+01", None, None),
            ("9999-12-31 23:59:59-01", None, None),
            ("2000-01-01 01:00:00", Some(&berlin), Some(0)),
            ("2000-01-01 01:00:00Z", Some(&berlin), Some(hour)),
            ("2000-07-01 02:00:00", Some(&berlin), Some(182 * DAY)),
            // Shown twice, and skipped.
            ("2000-10-29 02:30:00", Some(&berlin), None),
            ("2000-03-26 02:30:00", Some(&berlin), None),
            ("0001-01-01 00:00:00", Some(&berlin), None),
            ("9999-12-31 23:59:59", Some(&berlin), Some(END_OF_INSTANTS - hour - 1_000_000)),
            ("0001-01-01 00:00:00", Some(&Zone::Utc), Some(FIRST_INSTANT)),
            ("9999-12-31 23:59:59", Some(&Zone::Utc), Some(END_OF_INSTANTS - 1_000_000)),
        ] {
            assert_eq!(timestamptz_microseconds(text.as_bytes(), zone), microseconds, "{text}");
        }
    }

    #[test]
    fn epochs() {
        assert_eq!(epoch_integer(946_684_800, 1_000_000), Some(0));
        assert_eq!(epoch_integer(-1, 1), Some(-UNIX_TO_POSTGRES - 1));
        assert_eq!(epoch_integer(i64::MAX, 1_000_000), None);
        assert_eq!(epoch_integer(i64::MAX, 1), None);
        assert_eq!(epoch_integer(i64::MIN, 1), None);
        assert_eq!(epoch_integer(253_402_300_799, 1_000_000), Some(END_OF_INSTANTS - 1_000_000));
        assert_eq!(epoch_integer(253_402_300_800, 1_000_000), None);
        assert_eq!(epoch_integer(-62_135_596_800, 1_000_000), Some(FIRST_INSTANT));
        assert_eq!(epoch_integer(-62_135_596_801, 1_000_000), None);
        assert_eq!(epoch_decimal(b"946684800.123456", 1_000_000), Some(123_456));
        assert_eq!(epoch_decimal(b"946684800.1234567", 1_000_000), None);
        assert_eq!(epoch_decimal(b"946684800000.5", 1_000), Some(500));
        assert_eq!(epoch_decimal(b"946684800000000.5", 1), None);
        assert_eq!(epoch_decimal(b"-0.5", 1_000_000), Some(-UNIX_TO_POSTGRES - 500_000));
        assert_eq!(epoch_decimal(b"1000000000000000000000", 1), None);
        assert_eq!(day_of(-DAY), Some(-1));
        assert_eq!(day_of(-DAY + 1), None);
    }
}
