//! What a SQLite cell means in a PostgreSQL type: the writer's side of every conversion.
//!
//! [`read`] turns one cell into the [`Value`] that the target type holds, or says why it cannot ([`Misfit`]). The
//! audit asks it what fits, `apply` encodes what it returns; so what was proven is what is written. `verify` has a
//! reader of its own and shares nothing with this module.

mod json;
mod misfit;
mod model;
mod numbers;
mod text;
mod times;
mod uuid;

use rusqlite::types::ValueRef;

pub use json::{JsonFault, MAX_JSON_DEPTH};
pub use misfit::{Misfit, StorageClass};
pub use model::{Decimal, Reading, Value};

pub(crate) use json::{KeyOrder, validate as check_json};
pub(crate) use numbers::decimal_extent;
pub(crate) use text::{real_text_length, utf8_text};

use crate::schema::PgType;

/// Converts one cell to what a PostgreSQL type holds, without loss.
///
/// NULL is NULL in every type. Each family's module says which storage classes and which forms of text it takes; what it
/// does not take is a [`Misfit`], never a rounded, cut or replaced value. A [`Reading`] that does not concern the type
/// is ignored.
///
/// # Errors
/// [`Misfit`] says why the type cannot hold the cell; it never contains the cell's value.
pub fn read<'a>(cell: ValueRef<'a>, pg_type: &PgType, reading: &Reading) -> Result<Value<'a>, Misfit> {
    if cell == ValueRef::Null {
        return Ok(Value::Null);
    }
    match pg_type {
        PgType::Boolean => numbers::boolean(cell).map(Value::Boolean),
        PgType::SmallInt | PgType::Integer | PgType::BigInt => {
            numbers::integer(cell, *pg_type).map(Value::Integer)
        }
        PgType::Numeric(modifiers) => numbers::numeric(cell, *modifiers).map(Value::Numeric),
        PgType::DoublePrecision => numbers::double_precision(cell).map(Value::Double),
        PgType::Text => text::text(cell, *pg_type).map(Value::Text),
        PgType::Varchar(length) => text::varchar(cell, *length).map(Value::Text),
        PgType::Bytea => Ok(Value::Bytea(text::bytes(cell))),
        PgType::Jsonb => json::jsonb(cell).map(Value::Jsonb),
        PgType::Date => times::date(cell, reading).map(Value::Date),
        PgType::Time => times::time(cell).map(Value::Time),
        PgType::Timestamp => times::timestamp(cell, reading).map(Value::Timestamp),
        PgType::Timestamptz => times::timestamptz(cell, reading).map(Value::Timestamptz),
        PgType::Uuid => uuid::uuid(cell).map(Value::Uuid),
        PgType::Enum(of) => text::label(cell, *of).map(Value::Text),
    }
}

/// Converts a cell of a column whose every value has already been through [`read`], in the same snapshot: what costs time
/// and cannot fail a second time, parsing JSON, is left out.
///
/// # Errors
/// As for [`read`].
pub fn read_proven<'a>(cell: ValueRef<'a>, pg_type: &PgType, reading: &Reading) -> Result<Value<'a>, Misfit> {
    match (pg_type, cell) {
        (PgType::Jsonb, ValueRef::Text(text)) => utf8_text(text).map(Value::Jsonb),
        _ => read(cell, pg_type, reading),
    }
}

/// Says whether [`read`] would succeed, without building the value.
///
/// # Errors
/// The same [`Misfit`] as [`read`].
pub fn check(cell: ValueRef<'_>, pg_type: &PgType, reading: &Reading) -> Result<(), Misfit> {
    match (pg_type, cell) {
        (PgType::Text | PgType::Bytea, ValueRef::Integer(_) | ValueRef::Real(_))
        | (PgType::Numeric(None), ValueRef::Integer(_))
        | (PgType::Bytea, _) => Ok(()),
        (PgType::Numeric(None), _) => numbers::decimal_extent(cell).map(drop),
        _ => read(cell, pg_type, reading).map(drop),
    }
}
