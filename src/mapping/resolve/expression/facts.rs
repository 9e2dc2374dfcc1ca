//! What an expression may rely on: each column's target and what its cells are.

use crate::{
    audit::{Affinity, StorageClasses},
    mapping::{
        OnInvalid,
        resolve::{Draft, entry_of},
    },
    schema::PgType,
    value::Reading,
};

/// Integers up to this one, either side of 0, are exact in a real.
pub(super) const EXACT_IN_REAL: i128 = 1 << 53;

/// The columns of one table.
#[derive(Debug, Clone)]
pub(in crate::mapping::resolve) struct Facts {
    pub(super) columns: Vec<ColumnFacts>,
    /// Whether a column of the source may have a collation other than BINARY.
    pub(super) collated: bool,
    /// Whether a column of the target has a collation of its own, so that a comparison must say which it means.
    pub(super) target_collated: bool,
    /// Whether SQLite orders texts by the bytes of their UTF-8 form, as PostgreSQL's `C` does; in a UTF-16 file it does not.
    pub(super) ordered_as_utf8: bool,
}

/// One column.
#[derive(Debug, Clone)]
pub(super) struct ColumnFacts {
    pub(super) source: String,
    pub(super) target: String,
    pub(super) pg_type: PgType,
    pub(super) affinity: Affinity,
    pub(super) storage: StorageClasses,
    pub(super) integer_range: Option<(i64, i64)>,
    pub(super) real_range: Option<(f64, f64)>,
    /// Whether cells are read as they stand, not as an epoch.
    pub(super) plain: bool,
    /// Whether cells that do not fit become NULL.
    pub(super) sets_null: bool,
}

impl Facts {
    /// Of a table whose types are settled.
    pub(in crate::mapping::resolve) fn of(draft: &Draft<'_>) -> Facts {
        let columns = draft.audit.columns.iter().zip(&draft.column_names).zip(&draft.settled);
        Facts {
            columns: columns
                .map(|((column, target), settled)| ColumnFacts {
                    source: column.name.clone(),
                    target: target.clone(),
                    pg_type: settled.pg_type,
                    affinity: column.affinity,
                    storage: column.storage,
                    integer_range: column.integer_range,
                    real_range: column.real_range,
                    plain: settled.reading == Reading::Plain,
                    sets_null: settled.on_invalid == OnInvalid::SetNull,
                })
                .collect(),
            collated: super::declared::has_other_collation(&draft.audit.sql),
            target_collated: draft
                .audit
                .columns
                .iter()
                .any(|column| entry_of(draft, column).is_some_and(|entry| entry.collate.is_some())),
            ordered_as_utf8: draft.utf8,
        }
    }

    /// The column of this name, any case, with its position.
    pub(super) fn column(&self, name: &str) -> Option<(usize, &ColumnFacts)> {
        self.columns.iter().enumerate().find(|(_, column)| column.source.eq_ignore_ascii_case(name))
    }
}

/// What an operand's values are, as far as comparisons care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Class {
    /// The literal NULL.
    Null,
    /// 64-bit integers.
    Integer {
        /// Lowest and highest of the rows that are there.
        range: (i128, i128),
        /// Whether every value of the type is exact in a real.
        exact_in_real: bool,
    },
    /// `numeric`; `joinable`: it holds no real that stands for another number than its shortest decimal.
    Decimal {
        /// See above.
        joinable: bool,
    },
    /// `double precision`
    Double,
    /// Texts; `numeric_affinity`: SQLite makes a number of a text beside it, where it looks like one.
    Text {
        /// See above.
        numeric_affinity: bool,
    },
    /// 0 and 1 in SQLite, `boolean` in PostgreSQL.
    Boolean,
    /// `date`, each from the one text that stands for it.
    Date,
    /// What is only asked whether it is NULL, and why.
    Other(String),
}

impl ColumnFacts {
    /// What the column holds.
    pub(super) fn class(&self) -> Class {
        let storage = self.storage;
        let other = |why: &str| Class::Other(format!("{} {why}", self.source));
        let numeric_affinity =
            matches!(self.affinity, Affinity::Integer | Affinity::Real | Affinity::Numeric);
        let number = |class| {
            // SQLite compares a column of affinity TEXT as text, a number beside it too.
            if self.affinity == Affinity::Text || storage.text + storage.blob > 0 {
                other("holds texts where the target holds numbers")
            } else {
                class
            }
        };
        match self.pg_type {
            PgType::SmallInt | PgType::Integer | PgType::BigInt => number(Class::Integer {
                range: self.integer_range.map_or((0, 0), |(low, high)| (i128::from(low), i128::from(high))),
                exact_in_real: self.pg_type != PgType::BigInt,
            }),
            PgType::Numeric(_) => {
                let bound = EXACT_IN_REAL as f64;
                let joinable = self.real_range.is_none_or(|(low, high)| low >= -bound && high <= bound);
                number(Class::Decimal { joinable })
            }
            PgType::DoublePrecision => number(Class::Double),
            PgType::Text | PgType::Varchar(_) if storage.integer + storage.real + storage.blob > 0 => {
                other("holds numbers beside texts")
            }
            PgType::Text | PgType::Varchar(_) => Class::Text { numeric_affinity },
            PgType::Boolean if self.affinity == Affinity::Text || storage.text + storage.real > 0 => {
                other("holds words for true and false")
            }
            PgType::Boolean => Class::Boolean,
            PgType::Date if self.plain && storage.integer + storage.real == 0 => Class::Date,
            PgType::Date => other("holds days as numbers"),
            PgType::Time | PgType::Timestamp | PgType::Timestamptz | PgType::Uuid => {
                other(&format!("becomes {}, where different texts are one value", self.pg_type))
            }
            PgType::Enum(of) => {
                other(&format!("becomes {of}, which PostgreSQL compares by the order of its labels"))
            }
            PgType::Bytea | PgType::Jsonb => {
                other(&format!("becomes {}, which PostgreSQL compares its own way", self.pg_type))
            }
        }
    }

    /// `length` of the column as PostgreSQL computes it, given its name in quotes, or why it would differ.
    pub(super) fn length(&self, quoted: &str) -> Result<String, String> {
        let storage = self.storage;
        match self.pg_type {
            // A number's length is that of its text form, which for an integer is the same everywhere.
            PgType::Text | PgType::Varchar(_) if storage.real + storage.blob == 0 => {
                Ok(format!("length({quoted})"))
            }
            PgType::SmallInt | PgType::Integer | PgType::BigInt if storage.real + storage.blob == 0 => {
                Ok(format!("length({quoted}::text)"))
            }
            PgType::Bytea if storage.integer + storage.real + storage.text == 0 => {
                Ok(format!("length({quoted})"))
            }
            _ => Err(format!("the length of {} is another as {}", self.source, self.pg_type)),
        }
    }
}
