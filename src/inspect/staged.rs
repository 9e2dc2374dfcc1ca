//! Columns that are to take other ones' places: those that are underway, and those whose place none can take.

use std::collections::BTreeSet;

use sqlx::{PgConnection, postgres::types::Oid};

use super::{Catalogue, InspectError, LiveColumn};
use crate::{schema::render, target::identifiers};

/// Columns, each with its table, of which the server keeps something that a new one would not have.
pub(super) async fn irreplaceable(
    connection: &mut PgConnection,
    schema: Oid,
    tables: &[String],
) -> Result<BTreeSet<(String, String)>, InspectError> {
    let query = sqlx::query_as(include_str!("irreplaceable.sql"));
    let found: Vec<(String, String)> =
        query.bind(schema).bind(tables).bind(render::TRIGGER_PREFIX).fetch_all(connection).await?;
    Ok(found.into_iter().collect())
}

/// Takes out of a catalogue what a version that is half done has made beside a column: it is nobody's wish, and goes when the
/// version is done.
pub(super) async fn without_underway(
    connection: &mut PgConnection,
    schema: Oid,
    catalogue: &mut Catalogue,
) -> Result<(), InspectError> {
    let tables: Vec<&String> = catalogue.tables.keys().collect();
    let query = sqlx::query_as(include_str!("underway.sql"));
    let found: Vec<(String, String)> =
        query.bind(schema).bind(&tables).bind(render::TRIGGER_PREFIX).fetch_all(connection).await?;
    for (table, trigger) in found {
        let Some(table) = catalogue.tables.get_mut(&table) else { continue };
        let is_filled_by = |column: &&LiveColumn| render::trigger_beside(&column.name) == trigger;
        let Some(column) = table.columns.iter().find(is_filled_by) else { continue };
        let beside = render::column_beside(&column.name);
        table.columns.retain(|column| column.name != beside);
        table.constraints.retain(|_, constraint| !identifiers(&constraint.sql).contains(&beside));
        table.indexes.retain(|_, index| !identifiers(&index.sql).contains(&beside));
    }
    Ok(())
}
