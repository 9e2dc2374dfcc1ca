//! `date`, `time`, `timestamp`, `timestamptz` (PostgreSQL's manual, 8.5), from ISO 8601 text or from epoch numbers.
//!
//! Text, and nothing looser: `YYYY-MM-DD`, years 0001 to 9999 of the Gregorian calendar; `HH:MM:SS`, from 00:00:00 to
//! 23:59:59, with up to six digits of a fraction; both joined by a space or a `T`; behind them, for `timestamptz`, `Z`,
//! `±HH`, `±HHMM` or `±HH:MM`. (SQLite's own forms, "Date And Time Functions", 2, are among these.) A `timestamptz` is
//! an instant: which offset it was written with is not kept.
//!
//! Numbers count from 1970-01-01 UTC in the unit that the [`Reading`] names; a real stands for its shortest decimal form,
//! which must not be finer than a microsecond.
//!
//! The calendar is computed here by hand, so that `verify`, which uses a library, checks it.

use jiff::{
    civil,
    tz::{AmbiguousOffset, TimeZone},
};
use rusqlite::types::ValueRef;

use super::{Decimal, Misfit, Reading, numbers};
use crate::schema::PgType;

const MICROSECONDS: i64 = 1_000_000;
const DAY_MICROSECONDS: i64 = 86_400 * MICROSECONDS;
/// Days from 1970-01-01 to PostgreSQL's own epoch, 2000-01-01.
const POSTGRES_EPOCH_DAYS: i64 = 10_957;
/// 0001-01-01 and 10000-01-01 in days since 2000-01-01.
const FIRST_DAY: i64 = -730_119;
const END_DAY: i64 = 2_921_940;

/// Reads `date`: days since 2000-01-01.
pub(super) fn date(cell: ValueRef<'_>, reading: &Reading) -> Result<i32, Misfit> {
    if let Some(unit) = epoch_unit(reading) {
        let microseconds = epoch(cell, unit, PgType::Date)?;
        if microseconds.rem_euclid(DAY_MICROSECONDS) != 0 {
            return Err(Misfit::NotMidnight);
        }
        return i32::try_from(microseconds.div_euclid(DAY_MICROSECONDS))
            .map_err(|_| Misfit::NoSuchTime { what: "day" });
    }
    let mut text = Cursor::of(cell, PgType::Date, "YYYY-MM-DD")?;
    let day = text.day()?;
    text.end()?;
    i32::try_from(day.number()?).map_err(|_| Misfit::NoSuchTime { what: "day" })
}

/// Reads `time`: microseconds since midnight.
pub(super) fn time(cell: ValueRef<'_>) -> Result<i64, Misfit> {
    let mut text = Cursor::of(cell, PgType::Time, "HH:MM:SS, with up to six digits behind a point")?;
    let clock = text.clock()?;
    text.end()?;
    clock.microseconds()
}

/// Reads `timestamp`: microseconds since 2000-01-01 00:00:00.
pub(super) fn timestamp(cell: ValueRef<'_>, reading: &Reading) -> Result<i64, Misfit> {
    if let Some(unit) = epoch_unit(reading) {
        return epoch(cell, unit, PgType::Timestamp);
    }
    let mut text = Cursor::of(
        cell,
        PgType::Timestamp,
        "YYYY-MM-DD HH:MM:SS (or with a T), with up to six digits behind a point and no offset",
    )?;
    let (day, clock) = text.day_and_clock()?;
    text.end()?;
    Ok(day.number()? * DAY_MICROSECONDS + clock.microseconds()?)
}

/// Reads `timestamptz`: microseconds since 2000-01-01 00:00:00 UTC.
pub(super) fn timestamptz(cell: ValueRef<'_>, reading: &Reading) -> Result<i64, Misfit> {
    if let Some(unit) = epoch_unit(reading) {
        return epoch(cell, unit, PgType::Timestamptz);
    }
    let mut text = Cursor::of(
        cell,
        PgType::Timestamptz,
        "YYYY-MM-DD HH:MM:SS (or with a T), with up to six digits behind a point, then Z, +HH, +HHMM or +HH:MM",
    )?;
    let (day, clock) = text.day_and_clock()?;
    let local = day.number()? * DAY_MICROSECONDS + clock.microseconds()?;
    if text.rest.is_empty() {
        return match reading {
            Reading::AssumeZone(zone) if zone == "UTC" => Ok(local),
            Reading::AssumeZone(zone) => in_zone(&day, &clock, zone),
            _ => Err(Misfit::NoOffset),
        };
    }
    let offset = text.offset_seconds()?;
    text.end()?;
    instant(local - offset * MICROSECONDS)
}

/// Refuses an instant outside the years 0001 to 9999.
fn instant(microseconds: i64) -> Result<i64, Misfit> {
    if (FIRST_DAY * DAY_MICROSECONDS..END_DAY * DAY_MICROSECONDS).contains(&microseconds) {
        Ok(microseconds)
    } else {
        Err(Misfit::NoSuchTime { what: "instant" })
    }
}

/// Microseconds of one unit of an epoch number; `None` for the other readings.
fn epoch_unit(reading: &Reading) -> Option<i64> {
    match reading {
        Reading::EpochSeconds => Some(MICROSECONDS),
        Reading::EpochMilliseconds => Some(1_000),
        Reading::EpochMicroseconds => Some(1),
        Reading::Plain | Reading::AssumeZone(_) => None,
    }
}

/// Reads a number of units since 1970 as microseconds since 2000.
fn epoch(cell: ValueRef<'_>, unit: i64, pg_type: PgType) -> Result<i64, Misfit> {
    const BEYOND: Misfit = Misfit::NoSuchTime { what: "instant" };
    let since_1970 = match cell {
        ValueRef::Integer(integer) => integer.checked_mul(unit).ok_or(BEYOND)?,
        ValueRef::Real(_) => match numbers::numeric(cell, None)? {
            Decimal::Infinity { .. } => return Err(Misfit::Infinite { pg_type }),
            Decimal::Finite { negative, digits, scale } => {
                let behind = unit.ilog10();
                let shift = behind.checked_sub(u32::from(scale)).ok_or(Misfit::FinerThanMicrosecond)?;
                let digits =
                    std::str::from_utf8(&digits).ok().and_then(|d| d.parse::<i64>().ok()).ok_or(BEYOND)?;
                let microseconds = digits.checked_mul(10_i64.pow(shift)).ok_or(BEYOND)?;
                if negative { -microseconds } else { microseconds }
            }
        },
        ValueRef::Text(_) | ValueRef::Blob(_) | ValueRef::Null => return Err(Misfit::class(cell, pg_type)),
    };
    instant(since_1970.checked_sub(POSTGRES_EPOCH_DAYS * DAY_MICROSECONDS).ok_or(BEYOND)?)
}

/// A local time as an instant, where the zone's clocks show it exactly once.
fn in_zone(day: &Day, clock: &Clock, zone: &str) -> Result<i64, Misfit> {
    let time_zone = TimeZone::get(zone).map_err(|_| Misfit::UnknownZone { zone: zone.to_owned() })?;
    let small = |number: i64| i8::try_from(number).unwrap_or(-1);
    let local = civil::DateTime::new(
        i16::try_from(day.year).unwrap_or(i16::MAX),
        small(day.month),
        small(day.day),
        small(clock.hour),
        small(clock.minute),
        small(clock.second),
        i32::try_from(clock.microsecond * 1_000).unwrap_or(-1),
    )
    .map_err(|_| Misfit::NoSuchTime { what: "time" })?;
    // The offset alone: the library's own instants end a day before the year 9999 does.
    let AmbiguousOffset::Unambiguous { offset } = time_zone.to_ambiguous_timestamp(local).offset() else {
        return Err(Misfit::AmbiguousLocalTime { zone: zone.to_owned() });
    };
    let local = day.number()? * DAY_MICROSECONDS + clock.microseconds()?;
    instant(local - i64::from(offset.seconds()) * MICROSECONDS)
}

/// A day as written.
struct Day {
    year: i64,
    month: i64,
    day: i64,
}

impl Day {
    /// Days since 2000-01-01: Howard Hinnant's `days_from_civil`
    /// (<https://howardhinnant.github.io/date_algorithms.html>), for days that exist.
    fn number(&self) -> Result<i64, Misfit> {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let length = match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        if self.year < 1 || self.day < 1 || self.day > length {
            return Err(Misfit::NoSuchTime { what: "day" });
        }
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month_from_march = (self.month + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + self.day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Ok(era * 146_097 + day_of_era - 719_468 - POSTGRES_EPOCH_DAYS)
    }
}

/// A time of day as written.
struct Clock {
    hour: i64,
    minute: i64,
    second: i64,
    microsecond: i64,
}

impl Clock {
    /// Microseconds since midnight, for times that exist; leap seconds do not.
    fn microseconds(&self) -> Result<i64, Misfit> {
        if self.hour > 23 || self.minute > 59 || self.second > 59 {
            return Err(Misfit::NoSuchTime { what: "time" });
        }
        Ok(((self.hour * 60 + self.minute) * 60 + self.second) * MICROSECONDS + self.microsecond)
    }
}

/// The text that is still to be read, and what to say if it is not of the form.
struct Cursor<'a> {
    rest: &'a [u8],
    form: Misfit,
}

impl<'a> Cursor<'a> {
    fn of(cell: ValueRef<'a>, pg_type: PgType, expected: &'static str) -> Result<Cursor<'a>, Misfit> {
        match cell {
            ValueRef::Text(rest) => Ok(Cursor { rest, form: Misfit::Form { pg_type, expected } }),
            _ => Err(Misfit::class(cell, pg_type)),
        }
    }

    /// Exactly so many digits.
    fn digits(&mut self, count: usize) -> Result<i64, Misfit> {
        let Some((digits, rest)) = self.rest.split_at_checked(count) else { return Err(self.form.clone()) };
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(self.form.clone());
        }
        self.rest = rest;
        Ok(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    /// One of these characters, if it is next.
    fn optional(&mut self, any_of: &[u8]) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        if !any_of.contains(first) {
            return None;
        }
        self.rest = rest;
        Some(*first)
    }

    fn required(&mut self, any_of: &[u8]) -> Result<u8, Misfit> {
        self.optional(any_of).ok_or_else(|| self.form.clone())
    }

    fn day(&mut self) -> Result<Day, Misfit> {
        let year = self.digits(4)?;
        self.required(b"-")?;
        let month = self.digits(2)?;
        self.required(b"-")?;
        Ok(Day { year, month, day: self.digits(2)? })
    }

    fn clock(&mut self) -> Result<Clock, Misfit> {
        let hour = self.digits(2)?;
        self.required(b":")?;
        let minute = self.digits(2)?;
        self.required(b":")?;
        let second = self.digits(2)?;
        let mut microsecond = 0;
        if self.optional(b".").is_some() {
            let length = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=6).contains(&length) {
                return Err(self.form.clone());
            }
            let missing = u32::try_from(6 - length).unwrap_or(0);
            microsecond = self.digits(length)? * 10_i64.pow(missing);
        }
        Ok(Clock { hour, minute, second, microsecond })
    }

    fn day_and_clock(&mut self) -> Result<(Day, Clock), Misfit> {
        let day = self.day()?;
        self.required(b" T")?;
        Ok((day, self.clock()?))
    }

    /// `Z`, `±HH`, `±HHMM`, `±HH:MM` as seconds east of UTC; PostgreSQL takes less than 16 hours.
    fn offset_seconds(&mut self) -> Result<i64, Misfit> {
        let sign = match self.required(b"Z+-")? {
            b'Z' => return Ok(0),
            b'+' => 1,
            _ => -1,
        };
        let hours = self.digits(2)?;
        let minutes =
            if self.optional(b":").is_some() || !self.rest.is_empty() { self.digits(2)? } else { 0 };
        if hours > 15 || minutes > 59 {
            return Err(Misfit::NoSuchTime { what: "offset" });
        }
        Ok(sign * (hours * 60 + minutes) * 60)
    }

    fn end(&self) -> Result<(), Misfit> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.form.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> ValueRef<'_> {
        ValueRef::Text(text.as_bytes())
    }

    #[test]
    fn dates_of_the_real_calendar() {
        for (written, expected) in [
            ("2000-01-01", Some(0)),
            ("1999-12-31", Some(-1)),
            ("2024-02-29", Some(8825)),
            ("0001-01-01", Some(-730_119)),
            ("9999-12-31", Some(2_921_939)),
            ("1900-02-29", None),
            ("2023-02-29", None),
            ("2023-04-31", None),
            ("2023-00-10", None),
            ("2023-13-10", None),
            ("2023-01-00", None),
            ("0000-01-01", None),
            ("2023-1-1", None),
            ("2023-01-01 ", None),
            ("2023/01/01", None),
            ("20230101", None),
            ("2023", None),
            ("", None),
            ("2023-01-01T00:00:00", None),
        ] {
            assert_eq!(date(text(written), &Reading::Plain).ok(), expected, "{written}");
        }
        assert!(date(ValueRef::Integer(20_230_101), &Reading::Plain).is_err());
    }

    #[test]
    fn times_of_day() {
        for (written, expected) in [
            ("00:00:00", Some(0)),
            ("23:59:59.999999", Some(86_399_999_999)),
            ("12:00:00.5", Some(43_200_500_000)),
            ("24:00:00", None),
            ("12:60:00", None),
            ("12:00:60", None),
            ("12:00", None),
            ("12:00:00.", None),
            ("12:00:00.1234567", None),
            ("1:00:00", None),
        ] {
            assert_eq!(time(text(written)).ok(), expected, "{written}");
        }
    }

    #[test]
    fn timestamps_with_and_without_an_offset() {
        let berlin = Reading::AssumeZone("Europe/Berlin".to_owned());
        let utc = Reading::AssumeZone("UTC".to_owned());
        let new_york = Reading::AssumeZone("America/New_York".to_owned());
        let hour = 3_600 * MICROSECONDS;
        for (written, reading, plain, zoned) in [
            ("2000-01-01 00:00:00", &Reading::Plain, Some(0), None),
            ("2000-01-01T01:00:00.25", &Reading::Plain, Some(hour + 250_000), None),
            ("2000-01-01 00:00:00Z", &Reading::Plain, None, Some(0)),
            ("2000-01-01 00:00:00+02", &Reading::Plain, None, Some(-2 * hour)),
            ("2000-01-01 00:00:00-0130", &Reading::Plain, None, Some(hour + hour / 2)),
            ("2000-01-01 00:00:00+05:30", &Reading::Plain, None, Some(-5 * hour - hour / 2)),
            ("2000-01-01 00:00:00+16", &Reading::Plain, None, None),
            ("2000-01-01 00:00:00+1", &Reading::Plain, None, None),
            ("2000-01-01 00:00:00+01:", &Reading::Plain, None, None),
            ("2000-01-01 00:00:00 +01", &Reading::Plain, None, None),
            ("0001-01-01 00:00:00+01", &Reading::Plain, None, None),
            ("2000-01-01 01:00:00", &utc, Some(hour), Some(hour)),
            ("2000-01-01 01:00:00", &berlin, Some(hour), Some(0)),
            ("2000-07-01 02:00:00", &berlin, Some(182 * 24 * hour + 2 * hour), Some(182 * 24 * hour)),
            // The clocks go forward at 02:00 and back at 03:00: one local hour is missing, one comes twice.
            ("2023-03-26 02:30:00", &berlin, Some(733_113_000 * MICROSECONDS), None),
            ("2023-10-29 02:30:00", &berlin, Some(751_861_800 * MICROSECONDS), None),
            ("2000-01-01 00:00:00Z", &berlin, None, Some(0)),
            ("0001-01-01 00:00:00", &berlin, Some(FIRST_DAY * 24 * hour), None),
            (
                "9999-12-31 23:59:59",
                &berlin,
                Some(END_DAY * 24 * hour - MICROSECONDS),
                Some(END_DAY * 24 * hour - hour - MICROSECONDS),
            ),
            ("9999-12-31 20:00:00", &new_york, Some(END_DAY * 24 * hour - 4 * hour), None),
            ("2000-01-01 00:00:00", &Reading::AssumeZone("Nowhere/Land".to_owned()), Some(0), None),
            ("2000-01-01", &utc, None, None),
        ] {
            assert_eq!(timestamp(text(written), reading).ok(), plain, "{written} plain");
            assert_eq!(timestamptz(text(written), reading).ok(), zoned, "{written} zoned {reading:?}");
        }
    }

    #[test]
    fn epoch_numbers() {
        let second = 946_684_800;
        for (cell, reading, expected) in [
            (ValueRef::Integer(second), Reading::EpochSeconds, Some(0)),
            (ValueRef::Integer(second * 1_000 + 1), Reading::EpochMilliseconds, Some(1_000)),
            (ValueRef::Integer(second * MICROSECONDS - 1), Reading::EpochMicroseconds, Some(-1)),
            (ValueRef::Real(946_684_800.122), Reading::EpochSeconds, Some(122_000)),
            (ValueRef::Real(0.000_000_5), Reading::EpochSeconds, None),
            (ValueRef::Real(946_684_800_000.5), Reading::EpochMilliseconds, Some(500)),
            (ValueRef::Real(946_684_800_000_000.5), Reading::EpochMicroseconds, None),
            (ValueRef::Real(f64::INFINITY), Reading::EpochSeconds, None),
            (ValueRef::Real(1e300), Reading::EpochSeconds, None),
            (ValueRef::Real(-0.0), Reading::EpochSeconds, None),
            (ValueRef::Integer(i64::MAX), Reading::EpochSeconds, None),
            (ValueRef::Integer(i64::MIN), Reading::EpochMicroseconds, None),
            (ValueRef::Integer(1_627_303_906_122), Reading::EpochSeconds, None),
            (text("946684800"), Reading::EpochSeconds, None),
        ] {
            assert_eq!(timestamp(cell, &reading).ok(), expected, "{cell:?} {reading:?}");
            assert_eq!(timestamptz(cell, &reading).ok(), expected, "{cell:?} {reading:?}");
        }
        assert_eq!(date(ValueRef::Integer(second), &Reading::EpochSeconds), Ok(0));
        assert_eq!(date(ValueRef::Integer(second + 1), &Reading::EpochSeconds), Err(Misfit::NotMidnight));
        assert_eq!(date(ValueRef::Integer(-86_400), &Reading::EpochSeconds), Ok(-10_958));
    }

    proptest! {
        #[test]
        fn days_agree_with_a_calendar_library(day in FIRST_DAY..END_DAY) {
            let base = civil::date(2000, 1, 1);
            let date_there = base.checked_add(jiff::Span::new().days(day)).map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(date(text(&date_there.to_string()), &Reading::Plain), Ok(i32::try_from(day).unwrap()));
        }
    }
}
