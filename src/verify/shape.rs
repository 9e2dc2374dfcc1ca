//! What of a table can be compared: the columns as planned, held against the columns that the target really has.

use std::{collections::HashMap, sync::Arc};

use sqlx::{PgConnection, Row};

use super::{
    ComparedColumn, Difference, DifferenceKind, VerifyError, copy_rows::Fields, row::KeyCells,
    source_cell::CellForm,
};
use crate::schema::{PgType, TableCopy};

/// Rows that a bucket should hold: few enough to be read again and kept, many enough that buckets stay few.
const ROWS_A_BUCKET: u64 = 128;
/// The most buckets of one table: half a megabyte.
const MOST_BUCKETS: u64 = 1 << 14;
/// The most buckets of all tables: sixteen megabytes a side.
const MOST_BUCKETS_IN_ALL: u64 = 1 << 19;

/// A table as it is compared.
#[derive(Debug)]
pub(super) struct TableShape {
    pub(super) source: String,
    pub(super) target: String,
    /// Columns that both sides have in the same type.
    pub(super) columns: Vec<ColumnShape>,
    /// Positions in `columns`; empty: a multiset.
    pub(super) key: Vec<usize>,
    pub(super) key_cells: KeyCells,
    pub(super) rowid_name: Option<String>,
    pub(super) chunk_starts: Vec<i64>,
    /// Whether the target has the table.
    pub(super) in_target: bool,
    /// The target's size; 0 where it cannot be cut by blocks.
    pub(super) blocks: u64,
    /// The partitions that hold its rows, each as an SQL name, with its blocks; none: it is an ordinary table.
    pub(super) partitions: Vec<(String, u64)>,
    pub(super) bytes: u64,
    /// A power of two.
    pub(super) buckets: usize,
    /// What differs before any row was read.
    pub(super) differences: Vec<Difference>,
}

/// A column that is compared.
#[derive(Debug)]
pub(super) struct ColumnShape {
    pub(super) source: String,
    pub(super) target: String,
    pub(super) form: CellForm,
}

#[derive(Debug, Default)]
struct LiveTable {
    columns: HashMap<String, String>,
    estimated_rows: f64,
    blocks: i64,
    partitions: Vec<(String, u64)>,
    bytes: i64,
}

impl TableShape {
    /// What a COPY of the target's table sends.
    pub(super) fn fields(&self, ctid: bool) -> Fields {
        let numeric = |column: &ColumnShape| matches!(column.form.pg_type, PgType::Numeric(_));
        Fields { numeric: self.columns.iter().map(numeric).collect(), ctid }
    }

    /// The columns that are compared, for a certificate.
    pub(super) fn compared(&self) -> Vec<ComparedColumn> {
        let compared = |column: &ColumnShape| ComparedColumn {
            name: column.target.clone(),
            pg_type: column.form.pg_type,
        };
        self.columns.iter().map(compared).collect()
    }

    /// The names of the columns at these positions, as the target has them.
    pub(super) fn target_names(&self, positions: impl Iterator<Item = usize>) -> Vec<String> {
        positions.map(|position| self.columns[position].target.clone()).collect()
    }
}

/// Asks the target for its columns and works out what can be compared.
///
/// # Errors
/// The catalogue cannot be read, or a time zone is unknown.
pub(super) async fn table_shapes(
    connection: &mut PgConnection,
    schema: &str,
    tables: &[TableCopy],
) -> Result<Arc<Vec<TableShape>>, VerifyError> {
    let names: Vec<&str> = tables.iter().map(|table| table.target.as_str()).collect();
    let rows = sqlx::query(include_str!("live_columns.sql"))
        .bind(schema)
        .bind(&names)
        .fetch_all(connection)
        .await
        .map_err(|error| VerifyError::target("the target's catalogue cannot be read", &error))?;
    let mut live: HashMap<String, LiveTable> = HashMap::new();
    for row in rows {
        let read = || -> Result<_, sqlx::Error> {
            let column: Option<String> = row.try_get("column_name")?;
            let type_name: Option<String> = row.try_get("type_name")?;
            let names: Vec<String> = row.try_get("partitions")?;
            let blocks: Vec<i64> = row.try_get("partition_blocks")?;
            let blocks = blocks.into_iter().map(|blocks| u64::try_from(blocks).unwrap_or(0));
            let table = LiveTable {
                partitions: names.into_iter().zip(blocks).collect(),
                columns: HashMap::new(),
                estimated_rows: row.try_get("estimated_rows")?,
                blocks: row.try_get("blocks")?,
                bytes: row.try_get("bytes")?,
            };
            Ok((row.try_get::<String, _>("table_name")?, table, column.zip(type_name)))
        };
        let (name, table, column) =
            read().map_err(|error| VerifyError::target("the target's catalogue cannot be read", &error))?;
        live.entry(name).or_insert(table).columns.extend(column);
    }
    let mut shapes: Vec<TableShape> =
        tables.iter().map(|table| shape(table, live.get(&table.target))).collect::<Result<_, _>>()?;
    let all: u64 = shapes.iter().map(|shape| shape.buckets as u64).sum();
    let shrink = (all / MOST_BUCKETS_IN_ALL + 1).next_power_of_two();
    for shape in &mut shapes {
        shape.buckets = (shape.buckets / shrink as usize).max(1);
    }
    Ok(Arc::new(shapes))
}

fn shape(table: &TableCopy, live: Option<&LiveTable>) -> Result<TableShape, VerifyError> {
    let mut differences = Vec::new();
    let mut difference = |kind| {
        differences.push(Difference { table: table.target.clone(), key: String::new(), kind });
    };
    if live.is_none() {
        difference(DifferenceKind::TableMissing);
    }
    let mut columns = Vec::new();
    let mut positions: Vec<Option<usize>> = Vec::new();
    for column in &table.columns {
        if let Some(live) = live {
            let found = live.columns.get(&column.target);
            let kind = match found {
                None => Some(DifferenceKind::ColumnMissing { column: column.target.clone() }),
                Some(found) if !same_form(column.pg_type, found) => Some(DifferenceKind::ColumnType {
                    column: column.target.clone(),
                    expected: column.pg_type.to_string(),
                    found: found.clone(),
                }),
                Some(_) => None,
            };
            if let Some(kind) = kind {
                difference(kind);
                positions.push(None);
                continue;
            }
        }
        let form = CellForm::new(column.pg_type, &column.reading, column.on_invalid).map_err(|zone| {
            VerifyError::Zone { table: table.source.clone(), column: column.source.clone(), zone }
        })?;
        positions.push(Some(columns.len()));
        columns.push(ColumnShape { source: column.source.clone(), target: column.target.clone(), form });
    }
    // A key that lost a column identifies nothing: then rows are compared as a multiset.
    let key: Vec<usize> = table
        .key
        .iter()
        .map(|&position| positions.get(position).copied().flatten())
        .collect::<Option<_>>()
        .unwrap_or_default();
    let rows = table.rows.max(live.map_or(0, |live| live.estimated_rows as u64));
    Ok(TableShape {
        source: table.source.clone(),
        target: table.target.clone(),
        key_cells: KeyCells::new(&key),
        columns,
        key,
        rowid_name: table.rowid_name.clone(),
        chunk_starts: table.chunk_starts.clone(),
        in_target: live.is_some(),
        blocks: live.map_or(0, |live| u64::try_from(live.blocks).unwrap_or(0)),
        partitions: live.map(|live| live.partitions.clone()).unwrap_or_default(),
        bytes: live.map_or(0, |live| u64::try_from(live.bytes).unwrap_or(0)),
        buckets: (rows / ROWS_A_BUCKET + 1).next_power_of_two().clamp(16, MOST_BUCKETS) as usize,
        differences,
    })
}

/// Whether a live type has the binary form of the planned one. Lengths and precisions are the schema's concern: a
/// value that they would have changed shows as a difference of its own.
fn same_form(planned: PgType, found: &str) -> bool {
    let bare = |name: &str| match (name.split_once('('), name.rsplit_once(')')) {
        (Some((head, _)), Some((_, tail))) => format!("{head}{tail}"),
        _ => name.to_owned(),
    };
    let (planned, found) = (bare(&planned.to_string()), bare(found));
    let text = |name: &str| matches!(name, "text" | "character varying");
    planned == found || (text(&planned) && text(&found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_compared_by_their_binary_form() {
        for (planned, found, same) in [
            (PgType::Varchar(64), "character varying(32)", true),
            (PgType::Varchar(64), "text", true),
            (PgType::Jsonb, "text", false),
            (PgType::Jsonb, "json", false),
            (PgType::Numeric(Some((10, 2))), "numeric", true),
            (PgType::Integer, "bigint", false),
            (PgType::Timestamptz, "timestamp(3) with time zone", true),
            (PgType::Timestamptz, "timestamp without time zone", false),
            (PgType::Text, "mood", false),
        ] {
            assert_eq!(same_form(planned, found), same, "{planned} and {found}");
        }
    }
}
