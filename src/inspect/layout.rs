//! What has to be known of a table before its rows can be laid out otherwise: how far they reach, and what hangs on it.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection, postgres::types::Oid};

use super::{Catalogue, InspectError, LiveTable};
use crate::schema::{Desired, Partitioning, PgType, day_number, render::quoted};

/// What of a table stands beside its columns and rows, and would have to come along if it were made anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hangers {
    /// The first and the last day of the column by which the mapping wants it partitioned, in days since 2000-01-01, of its
    /// values in the years 1 to 9999; `None`: there is none.
    pub days: Option<(i64, i64)>,
    /// What would be lost, in the server's words.
    pub lost: Vec<String>,
}

/// Asks about the tables that are partitioned, or are to be.
pub(super) async fn hangers(
    connection: &mut PgConnection,
    schema: Oid,
    catalogue: &Catalogue,
    desired: &Desired,
) -> Result<BTreeMap<String, Hangers>, InspectError> {
    let managed: Vec<&String> = catalogue.tables.keys().collect();
    let mut all = BTreeMap::new();
    for table in &desired.schema.tables {
        let former = desired.former.iter().find(|names| names.table == table.name);
        // Until its renames are made, the target calls it and its columns otherwise.
        let name = former
            .and_then(|names| names.table_there(|name| catalogue.tables.contains_key(name)))
            .unwrap_or(&table.name);
        let Some(live) = catalogue.tables.get(name) else { continue };
        if table.partitioning.is_none() && live.partition_key.is_none() {
            continue;
        }
        let lost = sqlx::query_scalar(include_str!("hangers.sql"))
            .bind(schema)
            .bind(name)
            .bind(&managed)
            .fetch_all(&mut *connection)
            .await?;
        let days = match &table.partitioning {
            Some(partitioning) => {
                let is_there = |name: &str| live.columns.iter().any(|column| column.name == name);
                let renamed = former.map(|names| names.columns_there(is_there)).unwrap_or_default();
                let right = partitioning.column.as_str();
                let column =
                    renamed.iter().find(|(name, _)| *name == right).map_or(right, |(_, former)| former);
                reach(connection, (name, column), live, partitioning).await?
            }
            None => None,
        };
        all.insert(name.to_owned(), Hangers { days, lost });
    }
    Ok(all)
}

/// How far the values of a column reach; of texts that are to become moments, as far as they begin with a day.
async fn reach(
    connection: &mut PgConnection,
    (table, column): (&str, &str),
    live: &LiveTable,
    partitioning: &Partitioning,
) -> Result<Option<(i64, i64)>, InspectError> {
    let Some(column) = live.columns.iter().find(|known| known.name == column) else {
        return Ok(None);
    };
    let name = quoted(&column.name);
    let (day, condition, around) = match column.type_name.as_str() {
        // The session's time zone is UTC.
        "date" | "timestamp without time zone" | "timestamp with time zone" => {
            (name.clone(), format!("{name} >= '0001-01-01' AND {name} < '10000-01-01'"), 0)
        }
        text if text == "text" || text.starts_with("character varying") => (
            format!("left({name}, 10) COLLATE \"C\""),
            format!(r"{name} ~ '^\d{{4}}-\d\d-\d\d'"),
            // An offset may make it the day before or after.
            i64::from(partitioning.pg_type == PgType::Timestamptz),
        ),
        _ => return Ok(None),
    };
    let sql = format!(
        "SELECT left(min({day})::text, 10), left(max({day})::text, 10) FROM {} WHERE {condition}",
        quoted(table)
    );
    let ends: (Option<String>, Option<String>) =
        sqlx::query_as(AssertSqlSafe(sql)).persistent(false).fetch_one(connection).await?;
    let ends = ends.0.zip(ends.1).and_then(|(low, high)| Some((day_number(&low)?, day_number(&high)?)));
    Ok(ends.map(|(low, high)| (low - around, high + around)))
}
