//! The desired schema as one SQL file.

use std::io::{self, Write};

use crate::{
    diff,
    schema::{Change, Desired, render},
};

/// Writes the whole desired schema, so that `psql -f` on an empty database makes the target.
///
/// # Errors
/// Whatever the writer says.
pub fn schema_sql(desired: &Desired, out: &mut dyn Write) -> io::Result<()> {
    let schema = render::quoted(&desired.schema.name);
    writeln!(
        out,
        "-- The PostgreSQL schema that the mapping asks for, written by mtm {}.",
        env!("CARGO_PKG_VERSION")
    )?;
    writeln!(out, "-- On an empty database: psql -v ON_ERROR_STOP=1 -f schema_postgres.sql\n")?;
    writeln!(out, "BEGIN;")?;
    if desired.schema.name != "public" {
        writeln!(out, "CREATE SCHEMA IF NOT EXISTS {schema};")?;
    }
    writeln!(out, "SET LOCAL search_path = {schema};")?;
    let mut changes: Vec<Change> = desired.schema.enums.iter().copied().map(Change::CreateType).collect();
    changes.extend(desired.schema.tables.iter().flat_map(diff::creation));
    changes.sort_by_key(Change::rank);
    let mut last_rank = None;
    for change in changes {
        if last_rank != Some(change.rank()) || matches!(change, Change::CreateTable(_)) {
            writeln!(out)?;
            last_rank = Some(change.rank());
        }
        writeln!(out, "{};", render::statement(&change))?;
    }
    writeln!(out, "\nCOMMIT;")
}
