//! The values that a cell can become, and the ways of reading one.

use std::borrow::Cow;

/// A SQLite cell converted to a PostgreSQL type, before it is encoded. Borrows SQLite's memory where it can.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// `boolean`.
    Boolean(bool),
    /// `smallint`, `integer`, `bigint`: range-checked for the type that was asked for.
    Integer(i64),
    /// `double precision`.
    Double(f64),
    /// `numeric`.
    Numeric(Decimal),
    /// `text`, `varchar`: valid UTF-8 without NUL.
    Text(Cow<'a, str>),
    /// `bytea`.
    Bytea(Cow<'a, [u8]>),
    /// `jsonb`: a JSON text that PostgreSQL takes without loss.
    Jsonb(&'a str),
    /// `date`: days since 2000-01-01.
    Date(i32),
    /// `time`: microseconds since midnight.
    Time(i64),
    /// `timestamp`: microseconds since 2000-01-01 00:00:00.
    Timestamp(i64),
    /// `timestamptz`: microseconds since 2000-01-01 00:00:00 UTC.
    Timestamptz(i64),
    /// `uuid`.
    Uuid([u8; 16]),
}

/// An exact decimal number, or one of `numeric`'s infinities (PostgreSQL 14 and later).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decimal {
    /// Sign, decimal digits (ASCII, no leading zeros, at least one digit) and how many of them stand behind the point.
    Finite {
        /// Whether the number is below zero.
        negative: bool,
        /// ASCII digits, most significant first.
        digits: Vec<u8>,
        /// Digits behind the decimal point; may exceed `digits.len()`.
        scale: u16,
    },
    /// `Infinity` or `-Infinity`.
    Infinity {
        /// Whether it is `-Infinity`.
        negative: bool,
    },
}

/// How a number or a text is read as a point in time. What the mapping's `from:` and `assume_tz:` say.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// As the type itself reads it.
    #[default]
    Plain,
    /// Seconds since 1970-01-01 UTC, as integer or real.
    EpochSeconds,
    /// Milliseconds since 1970-01-01 UTC.
    EpochMilliseconds,
    /// Microseconds since 1970-01-01 UTC.
    EpochMicroseconds,
    /// For `timestamptz`: a text without an offset is in this IANA time zone (`UTC`, `Europe/Berlin`).
    AssumeZone(String),
}

impl std::fmt::Display for Decimal {
    /// As PostgreSQL's `numeric` writes it: plain digits with a point, never an exponent.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Decimal::Infinity { negative } => f.write_str(if *negative { "-Infinity" } else { "Infinity" }),
            Decimal::Finite { negative, digits, scale } => {
                let sign = if *negative { "-" } else { "" };
                let digits = String::from_utf8_lossy(digits);
                let padded = format!("{digits:0>width$}", width = usize::from(*scale) + 1);
                let (whole, fraction) = padded.split_at(padded.len() - usize::from(*scale));
                let point = if fraction.is_empty() { "" } else { "." };
                write!(f, "{sign}{whole}{point}{fraction}")
            }
        }
    }
}
