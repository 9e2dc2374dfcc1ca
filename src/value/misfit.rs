//! Why a PostgreSQL type cannot hold a cell, in words that never show the cell.

use std::fmt;

use rusqlite::types::ValueRef;

use super::JsonFault;
use crate::schema::{EnumType, PgType};

/// Why a cell does not fit a type. Its message names the reason, never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The type takes no cell of this storage class.
    #[error("{class} cannot become {pg_type} without loss")]
    StorageClass {
        /// What the cell is.
        class: StorageClass,
        /// What was asked for.
        pg_type: PgType,
    },
    /// The number lies outside the type's range.
    #[error("the number is outside the range of {pg_type} ({range})")]
    OutOfRange {
        /// What was asked for.
        pg_type: PgType,
        /// The type's range.
        range: &'static str,
    },
    /// `double precision` has 53 bits for the digits.
    #[error("the integer is beyond 2^53, where double precision skips integers")]
    Inexact,
    /// `numeric` knows no negative zero.
    #[error("the number is negative zero, which {pg_type} does not have")]
    NegativeZero {
        /// What was asked for.
        pg_type: PgType,
    },
    /// `numeric` with modifiers knows no infinity.
    #[error("the number is infinite, which {pg_type} does not hold")]
    Infinite {
        /// What was asked for.
        pg_type: PgType,
    },
    /// More digits than `numeric(precision,scale)` keeps.
    #[error(
        "the number has {integer} digits before the point and {fraction} behind it, too many for {pg_type}"
    )]
    Digits {
        /// Digits before the point, without leading zeros.
        integer: u32,
        /// Digits behind the point, without trailing zeros.
        fraction: u32,
        /// What was asked for.
        pg_type: PgType,
    },
    /// The text is not of the form that the type reads.
    #[error("the text is not of the form that {pg_type} takes: {expected}")]
    Form {
        /// What was asked for.
        pg_type: PgType,
        /// The form, in words.
        expected: &'static str,
    },
    /// The text has the form of a date or a time, but there is no such day or time.
    #[error("there is no such {what} in the calendar (years 0001 to 9999)")]
    NoSuchTime {
        /// `day`, `time`, `offset`, `instant`.
        what: &'static str,
    },
    /// A point in time without an offset, for a type that needs one.
    #[error("the text has no time zone offset; `assume_tz` in the mapping can give one")]
    NoOffset,
    /// The local time is skipped or comes twice when the zone changes its clocks.
    #[error("the time does not exist, or exists twice, in the time zone {zone}")]
    AmbiguousLocalTime {
        /// The zone that was assumed.
        zone: String,
    },
    /// The zone is not in this machine's time zone database.
    #[error("the time zone {zone} is not in this machine's time zone database")]
    UnknownZone {
        /// The zone that was assumed.
        zone: String,
    },
    /// More digits of a second than PostgreSQL keeps.
    #[error("the number is finer than a microsecond")]
    FinerThanMicrosecond,
    /// A point in time that is not a whole day, for `date`.
    #[error("the point in time is not midnight UTC, so a date would lose its time of day")]
    NotMidnight,
    /// The text is not UTF-8.
    #[error("the text is not valid UTF-8 (byte {offset})")]
    NotUtf8 {
        /// The first wrong byte, from 0.
        offset: usize,
    },
    /// PostgreSQL's text cannot hold a zero byte.
    #[error("the text holds a NUL character (byte {offset}), which PostgreSQL's text cannot")]
    Nul {
        /// Where the first one is, from 0.
        offset: usize,
    },
    /// More characters than `varchar(n)` takes.
    #[error("the text has {characters} characters, more than {limit}")]
    TooLong {
        /// Characters (code points) of the text.
        characters: usize,
        /// The type's limit.
        limit: u32,
    },
    /// The text is over the size of a PostgreSQL value.
    #[error("the value has {bytes} bytes, more than the 1 GB that PostgreSQL takes in one field")]
    TooLarge {
        /// Bytes of the value.
        bytes: usize,
    },
    /// The text is none of an enumerated type's labels.
    #[error("the text is no label of {of}")]
    NoLabel {
        /// What was asked for.
        of: EnumType,
    },
    /// Not a JSON text that `jsonb` keeps without loss.
    #[error("not JSON that jsonb keeps: {fault} (byte {offset})")]
    Json {
        /// What is wrong.
        fault: JsonFault,
        /// Where, from 0.
        offset: usize,
    },
}

/// SQLite's storage classes (SQLite, "Datatypes", 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageClass {
    /// NULL
    Null,
    /// INTEGER
    Integer,
    /// REAL
    Real,
    /// TEXT
    Text,
    /// BLOB
    Blob,
}

impl StorageClass {
    /// The class of a cell.
    #[must_use]
    pub fn of(cell: ValueRef<'_>) -> StorageClass {
        match cell {
            ValueRef::Null => StorageClass::Null,
            ValueRef::Integer(_) => StorageClass::Integer,
            ValueRef::Real(_) => StorageClass::Real,
            ValueRef::Text(_) => StorageClass::Text,
            ValueRef::Blob(_) => StorageClass::Blob,
        }
    }
}

impl fmt::Display for StorageClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StorageClass::Null => "a NULL",
            StorageClass::Integer => "an integer",
            StorageClass::Real => "a real",
            StorageClass::Text => "a text",
            StorageClass::Blob => "a blob",
        })
    }
}

impl Misfit {
    /// The misfit of a cell whose storage class the type does not take.
    pub(super) fn class(cell: ValueRef<'_>, pg_type: PgType) -> Misfit {
        Misfit::StorageClass { class: StorageClass::of(cell), pg_type }
    }
}
