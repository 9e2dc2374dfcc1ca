//! Native partitions: one for each period of a column's values, and one for all else.
//!
//! In: a column, a period and the days that the values reach. Out: the partitions by name, with their bounds in the words in
//! which the server itself gives them back (`pg_get_expr` of `relpartbound` in UTC), so that they compare as they are.

use jiff::civil::{Date, date};
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::{PgType, render::quoted};

/// The most partitions of a table. A server has 6,400 locks by default, and a transaction that makes a partition takes about
/// six: of its table, of what lies behind it (TOAST), of its indexes.
pub const MOST_PARTITIONS: usize = 500;

/// The bounds of the partition for what no other one takes, NULL included.
const DEFAULT: &str = "DEFAULT";

/// PostgreSQL's limit for an identifier (NAMEDATALEN - 1).
const NAME_BYTES: usize = 63;

/// How long the time is that a partition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// A day.
    Day,
    /// A week of ISO 8601, from Monday.
    Week,
    /// A month.
    Month,
    /// A quarter of a year, from January, April, July, October.
    Quarter,
    /// A year.
    Year,
}

impl Period {
    /// Every period with its word, shortest first.
    pub const ALL: [(&'static str, Period); 5] = [
        ("day", Period::Day),
        ("week", Period::Week),
        ("month", Period::Month),
        ("quarter", Period::Quarter),
        ("year", Period::Year),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Period::ALL.iter().find(|(_, period)| *period == self).map_or("", |(word, _)| word)
    }

    /// The first day of the period in which a day lies.
    fn start(self, day: Date) -> Option<Date> {
        match self {
            Period::Day => Some(day),
            Period::Week => {
                day.checked_sub(jiff::Span::new().days(i64::from(day.weekday().to_monday_zero_offset()))).ok()
            }
            Period::Month => Some(day.first_of_month()),
            Period::Quarter => Date::new(day.year(), (day.month() - 1) / 3 * 3 + 1, 1).ok(),
            Period::Year => Some(day.first_of_year()),
        }
    }

    /// The first day of the period behind the one that begins with `start`; `None`: the calendar ends.
    fn next(self, start: Date) -> Option<Date> {
        let span = jiff::Span::new();
        let span = match self {
            Period::Day => span.days(1),
            Period::Week => span.weeks(1),
            Period::Month => span.months(1),
            Period::Quarter => span.months(3),
            Period::Year => span.years(1),
        };
        start.checked_add(span).ok()
    }

    /// What a partition's name ends in.
    fn suffix(self, start: Date) -> String {
        let (year, month, day) = (start.year(), start.month(), start.day());
        match self {
            Period::Day => format!("_{year:04}_{month:02}_{day:02}"),
            Period::Week => {
                let week = start.iso_week_date();
                format!("_{:04}_w{:02}", week.year(), week.week())
            }
            Period::Month => format!("_{year:04}_{month:02}"),
            Period::Quarter => format!("_{year:04}_q{}", (month - 1) / 3 + 1),
            Period::Year => format!("_{year:04}"),
        }
    }
}

/// How a table's rows are to lie on partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Partitioning {
    /// The column whose value says to which partition a row belongs.
    pub column: String,
    /// Its type: `date`, `timestamp` or `timestamptz`.
    pub pg_type: PgType,
    /// How long the time is that a partition holds.
    pub every: Period,
    /// The first and the last day of the values, in days since 2000-01-01 (of a `timestamptz` in UTC); `None`: there is none.
    pub days: Option<(i64, i64)>,
}

impl Partitioning {
    /// Whether a column of this type can say to which period a row belongs.
    #[must_use]
    pub fn takes(pg_type: PgType) -> bool {
        matches!(pg_type, PgType::Date | PgType::Timestamp | PgType::Timestamptz)
    }

    /// What stands behind `PARTITION BY`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("RANGE ({})", quoted(&self.column))
    }

    /// The same, reaching so far too; but not farther than there can be partitions for.
    #[must_use]
    pub fn reaching(&self, days: Option<(i64, i64)>) -> Partitioning {
        let both = match (self.days, days) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
        let wider = Partitioning { days: both, ..self.clone() };
        if wider.is_too_many() { self.clone() } else { wider }
    }

    /// Whether there would be more partitions than a server can be asked to make.
    #[must_use]
    pub fn is_too_many(&self) -> bool {
        self.starts().take(MOST_PARTITIONS).count() == MOST_PARTITIONS
    }

    /// The partitions of a table of that name: for each period from the first value to one beyond the last, and one for all
    /// else.
    #[must_use]
    pub fn partitions(&self, table: &str) -> Vec<Partition> {
        let at = |day: Date| match self.pg_type {
            PgType::Timestamp => format!("{day} 00:00:00"),
            PgType::Timestamptz => format!("{day} 00:00:00+00"),
            _ => day.to_string(),
        };
        let of_period = |(start, end): (Date, Date)| Partition {
            name: fitting(table, &self.every.suffix(start)),
            bounds: format!("FOR VALUES FROM ('{}') TO ('{}')", at(start), at(end)),
        };
        let rest = Partition { name: fitting(table, "_default"), bounds: DEFAULT.to_owned() };
        self.starts().map(of_period).chain([rest]).collect()
    }

    /// First day and end of each period.
    fn starts(&self) -> impl Iterator<Item = (Date, Date)> + '_ {
        let day = |number: i64| date(2000, 1, 1).checked_add(jiff::Span::new().days(number)).ok();
        let ends = self.days.and_then(|(low, high)| {
            let last = self.every.start(day(high)?)?;
            Some((self.every.start(day(low)?)?, self.every.next(last).unwrap_or(last)))
        });
        let (mut next, last) = ends.map_or((None, Date::MIN), |(first, last)| (Some(first), last));
        std::iter::from_fn(move || {
            let start = next.filter(|start| *start <= last)?;
            next = self.every.next(start);
            Some((start, next?))
        })
    }
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Partition {
    /// Its name.
    pub name: String,
    /// Which rows it takes, in the server's words: `FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')`, or `DEFAULT`.
    pub bounds: String,
}

impl Partition {
    /// A condition that is true for the rows that it takes; `None`: those that no other one does.
    #[must_use]
    pub fn condition(&self, column: &str) -> Option<String> {
        let (from, to) =
            self.bounds.strip_prefix("FOR VALUES FROM (")?.strip_suffix(')')?.split_once(") TO (")?;
        let column = quoted(column);
        Some(format!("r.{column} >= {from} AND r.{column} < {to}"))
    }
}

/// What a table is laid out on: partitions, or nothing of the kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// What stands behind `PARTITION BY`; `None`: an ordinary table.
    pub key: Option<String>,
    /// The partitions.
    pub partitions: Vec<Partition>,
}

impl Partition {
    /// Its name once its table has another one; `None`: it is not named after the table as ours are.
    #[must_use]
    pub fn renamed(&self, from: &str, to: &str) -> Option<String> {
        let suffixes =
            match self.bounds.strip_prefix("FOR VALUES FROM ('").and_then(|bounds| bounds.get(..10)) {
                _ if self.bounds == DEFAULT => vec!["_default".to_owned()],
                Some(start) => {
                    let start: Date = start.parse().ok()?;
                    Period::ALL.iter().map(|(_, period)| period.suffix(start)).collect()
                }
                None => Vec::new(),
            };
        let suffix = suffixes.iter().find(|suffix| fitting(from, suffix) == self.name)?;
        Some(fitting(to, suffix))
    }
}

/// The days from 2000-01-01 to a day (`2026-01-31`); `None`: there is no such day.
#[must_use]
pub fn day_number(day: &str) -> Option<i64> {
    let day: Date = day.parse().ok()?;
    Some(i64::from(date(2000, 1, 1).until(day).ok()?.get_days()))
}

/// One end of a partition's range, as it sorts: below everything, a moment, above everything.
type End = (u8, usize, String);

/// The ends of a range out of a partition's bounds; `None`: it has none (`DEFAULT`, a list, a hash).
fn range(bounds: &str) -> Option<(End, End)> {
    let (from, to) = bounds.strip_prefix("FOR VALUES FROM (")?.strip_suffix(')')?.split_once(") TO (")?;
    let end = |text: &str| match text.trim_matches('\'') {
        "MINVALUE" | "-infinity" => (0, 0, String::new()),
        "MAXVALUE" | "infinity" => (2, 0, String::new()),
        before if before.ends_with("BC") => (0, 1, String::new()),
        // Moments are written alike, so that they sort as texts where their years have as many digits.
        moment => (1, moment.find('-').unwrap_or_default(), moment.to_owned()),
    };
    Some((end(from), end(to)))
}

/// Whether a row could belong to both.
#[must_use]
pub fn overlap(one: &str, other: &str) -> bool {
    match (range(one), range(other)) {
        (Some(one), Some(other)) => one.0 < other.1 && other.0 < one.1,
        _ => false,
    }
}

/// Whether every row of the second belongs to the first.
#[must_use]
pub fn covers(one: &str, other: &str) -> bool {
    match (range(one), range(other)) {
        (Some(one), Some(other)) => one.0 <= other.0 && other.1 <= one.1,
        _ => false,
    }
}

/// A name with what it ends in, within PostgreSQL's limit: what is cut is marked by a digest, so that long names stay apart.
#[must_use]
pub fn fitting(name: &str, suffix: &str) -> String {
    if name.len() + suffix.len() <= NAME_BYTES {
        return format!("{name}{suffix}");
    }
    let suffix = format!("_{:08x}{suffix}", xxh3_64(name.as_bytes()) & 0xffff_ffff);
    let room = NAME_BYTES.saturating_sub(suffix.len());
    let end = (0..=room.min(name.len())).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    format!("{}{suffix}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> i64 {
        day_number(text).expect(text)
    }

    fn of(every: Period, pg_type: PgType, low: &str, high: &str) -> Partitioning {
        Partitioning { column: "d".to_owned(), pg_type, every, days: Some((day(low), day(high))) }
    }

    #[test]
    fn a_partition_for_each_period_and_one_beyond() {
        for (every, low, high, expected) in [
            (Period::Day, "2026-01-31", "2026-01-31", &["t_2026_01_31", "t_2026_02_01"][..]),
            (Period::Week, "2025-12-31", "2026-01-05", &["t_2026_w01", "t_2026_w02", "t_2026_w03"]),
            (Period::Month, "2025-12-31", "2026-01-01", &["t_2025_12", "t_2026_01", "t_2026_02"]),
            (Period::Quarter, "2026-06-30", "2026-07-01", &["t_2026_q2", "t_2026_q3", "t_2026_q4"]),
            (Period::Year, "2026-06-30", "2026-07-01", &["t_2026", "t_2027"]),
            (Period::Year, "9998-01-01", "9999-01-01", &["t_9998"]),
        ] {
            let partitions = of(every, PgType::Date, low, high).partitions("t");
            let mut names: Vec<&str> = partitions.iter().map(|partition| partition.name.as_str()).collect();
            assert_eq!(names.pop(), Some("t_default"));
            assert_eq!(names, expected, "{every:?}");
        }
        let nothing =
            Partitioning { days: None, ..of(Period::Day, PgType::Date, "2026-01-01", "2026-01-01") };
        assert_eq!(nothing.partitions("t").len(), 1);
    }

    #[test]
    fn bounds_are_in_the_servers_words() {
        for (pg_type, expected) in [
            (PgType::Date, "FOR VALUES FROM ('2026-01-26') TO ('2026-02-02')"),
            (PgType::Timestamp, "FOR VALUES FROM ('2026-01-26 00:00:00') TO ('2026-02-02 00:00:00')"),
            (PgType::Timestamptz, "FOR VALUES FROM ('2026-01-26 00:00:00+00') TO ('2026-02-02 00:00:00+00')"),
        ] {
            let partitions = of(Period::Week, pg_type, "2026-01-31", "2026-01-31").partitions("t");
            assert_eq!(partitions[0].bounds, expected);
            assert_eq!(partitions[0].name, "t_2026_w05");
        }
    }

    #[test]
    fn an_absurd_number_is_seen_without_counting_all() {
        assert!(of(Period::Day, PgType::Date, "0001-01-01", "9999-12-31").is_too_many());
        assert!(!of(Period::Year, PgType::Date, "1900-01-01", "2026-12-31").is_too_many());
        let month = of(Period::Month, PgType::Date, "2026-01-01", "2026-12-31");
        assert_eq!(month.reaching(Some((day("0001-01-01"), day("2026-01-01")))), month);
        assert_eq!(month.reaching(Some((day("2027-01-01"), day("2027-01-01")))).partitions("t").len(), 15);
    }

    #[test]
    fn ranges_are_held_against_one_another() {
        let bounds = |from: &str, to: &str| format!("FOR VALUES FROM ({from}) TO ({to})");
        let month = bounds("'2026-01-01'", "'2026-02-01'");
        for (other, overlaps, covered) in [
            (bounds("'2026-01-01'", "'2026-02-01'"), true, true),
            (bounds("'2026-01-01'", "'2027-01-01'"), true, true),
            (bounds("MINVALUE", "'2026-01-15'"), true, false),
            (bounds("'2026-02-01'", "MAXVALUE"), false, false),
            (bounds("'9999-01-01'", "'10000-01-01'"), false, false),
            ("DEFAULT".to_owned(), false, false),
        ] {
            assert_eq!((overlap(&month, &other), covers(&other, &month)), (overlaps, covered), "{other}");
        }
    }

    #[test]
    fn partitions_are_named_after_their_table() {
        for every in Period::ALL.map(|(_, period)| period) {
            let of_both = of(every, PgType::Timestamp, "2025-12-30", "2026-02-02");
            for (one, other) in of_both.partitions("t").iter().zip(of_both.partitions("u")) {
                assert_eq!(one.renamed("t", "u"), Some(other.name));
            }
        }
        let bounds = "FOR VALUES FROM ('2026-01-26') TO ('2026-02-02')".to_owned();
        assert_eq!(Partition { name: "t_mine".to_owned(), bounds }.renamed("t", "u"), None);
    }

    #[test]
    fn long_names_keep_their_ends() {
        let name = fitting(&"é".repeat(40), "_2026_01");
        assert!(name.len() <= NAME_BYTES && name.ends_with("_2026_01"), "{name}");
        assert_ne!(name, fitting(&"é".repeat(41), "_2026_01"));
    }
}
