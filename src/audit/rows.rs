//! The scan of one table: every row once, in rowid order.

use rusqlite::{Connection, types::ValueRef};

use super::{
    AuditError, CHUNK_BYTES, Violation,
    catalogue::Table,
    column::ColumnScan,
    evidence::FoundColumn,
    fingerprint::RowDigest,
    keys::{Names, Place},
};
use crate::{
    schema::EnumType,
    source::{Source, quoted},
};

/// Rows, or bytes of cells, between two reports of progress: often enough for an eye, rarely enough to cost nothing.
const REPORT_ROWS: u64 = 16_384;
const REPORT_BYTES: u64 = 4 << 20;

/// What the rows of a table turned out to be.
pub(super) struct TableRows {
    pub(super) rows: u64,
    pub(super) max_rowid: Option<i64>,
    pub(super) chunk_starts: Vec<i64>,
    pub(super) cell_bytes: u64,
    pub(super) primary_key_nulls: Option<Violation>,
    /// The sum of the rows' digests.
    pub(super) digest: u128,
    pub(super) columns: Vec<FoundColumn>,
}

/// A table while it is scanned.
struct Scan<'a> {
    columns: Vec<ColumnScan>,
    /// Whether the column at that position is in a primary key that may hold NULL.
    nullable_key: Vec<bool>,
    digest: RowDigest,
    rows: u64,
    cell_bytes: u64,
    key_nulls: Option<(u64, Place)>,
    max_rowid: Option<i64>,
    /// Rowids at which chunks begin, and the bytes of the chunk that is being filled.
    chunks: Option<(Vec<i64>, u64)>,
    report: Report<'a>,
}

/// Tells how far the scan is.
struct Report<'a> {
    table: &'a str,
    to: &'a dyn Fn(&str, u64, u64),
    rows: u64,
    cell_bytes: u64,
}

impl Report<'_> {
    fn at(&mut self, rows: u64, cell_bytes: u64, finished: bool) {
        if finished || rows - self.rows >= REPORT_ROWS || cell_bytes - self.cell_bytes >= REPORT_BYTES {
            (self.to)(self.table, rows, cell_bytes - self.cell_bytes);
            (self.rows, self.cell_bytes) = (rows, cell_bytes);
        }
    }
}

/// Reads all rows of a table.
pub(super) fn scan(
    source: &Source,
    reader: &Connection,
    (table, enums): (&Table, &[EnumType]),
    report: &dyn Fn(&str, u64, u64),
) -> Result<TableRows, AuditError> {
    let mut scan = Scan::of(table, enums, report);
    let path = source.path().display().to_string();
    let fault = |rows| {
        let path = path.clone();
        move |source| AuditError::Table { path, table: table.name.clone(), rows, source }
    };
    if let Err(error) = scan.run(source, reader, table) {
        return Err(fault(scan.rows)(error));
    }
    scan.report.at(scan.rows, scan.cell_bytes, true);
    let key_null_place = scan.key_nulls.map(|(_, place)| place);
    let places = scan.columns.iter().flat_map(ColumnScan::places).chain(key_null_place).collect();
    let names = Names::fetch(source, reader, table, places).map_err(fault(scan.rows))?;
    Ok(scan.finish(&names))
}

impl<'a> Scan<'a> {
    fn of(table: &'a Table, enums: &[EnumType], report: &'a dyn Fn(&str, u64, u64)) -> Scan<'a> {
        // SQLite itself keeps NULL out of the keys of WITHOUT ROWID tables, and out of the rowid.
        let may_be_null = !table.without_rowid && table.rowid_alias.is_none();
        Scan {
            columns: table.columns.iter().map(|_| ColumnScan::new(enums)).collect(),
            nullable_key: table
                .columns
                .iter()
                .map(|column| may_be_null && table.primary_key.contains(&column.name))
                .collect(),
            digest: RowDigest::default(),
            rows: 0,
            cell_bytes: 0,
            key_nulls: None,
            max_rowid: None,
            chunks: table.rowid_name.as_ref().map(|_| (Vec::new(), 0)),
            report: Report { table: &table.name, to: report, rows: 0, cell_bytes: 0 },
        }
    }

    fn run(&mut self, source: &Source, reader: &Connection, table: &Table) -> rusqlite::Result<()> {
        let rowid = table.rowid();
        let cells: Vec<String> = std::iter::once(rowid.clone().unwrap_or_else(|| "NULL".to_owned()))
            .chain(table.columns.iter().map(|column| source.cell(&column.name)))
            .collect();
        // NOT INDEXED: the table's own tree, in its order, and no index with a collation that only its application has.
        let sql = format!("SELECT {} FROM {} NOT INDEXED", cells.join(", "), quoted(&table.name));
        let mut statement = reader.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let rowid = match row.get_ref(0)? {
                ValueRef::Integer(rowid) => Some(rowid),
                _ => None,
            };
            let place = rowid.unwrap_or_else(|| i64::try_from(self.rows).unwrap_or(i64::MAX - 1) + 1);
            let mut row_bytes = 0;
            let mut key_null = false;
            for (at, (column, in_key)) in self.columns.iter_mut().zip(&self.nullable_key).enumerate() {
                let cell = row.get_ref(at + 1)?;
                key_null |= *in_key && cell == ValueRef::Null;
                row_bytes += column.see(cell, place);
                self.digest.cell(cell);
            }
            self.digest.row();
            self.end_row(rowid, place, row_bytes, key_null);
        }
        Ok(())
    }

    fn end_row(&mut self, rowid: Option<i64>, place: Place, row_bytes: u64, key_null: bool) {
        if key_null {
            let (rows, _) = self.key_nulls.get_or_insert((0, place));
            *rows += 1;
        }
        self.max_rowid = self.max_rowid.max(rowid);
        if let (Some((starts, filled)), Some(rowid)) = (&mut self.chunks, rowid) {
            if *filled >= CHUNK_BYTES {
                starts.push(rowid);
                *filled = 0;
            }
            *filled += row_bytes;
        }
        self.rows += 1;
        self.cell_bytes += row_bytes;
        self.report.at(self.rows, self.cell_bytes, false);
    }

    fn finish(self, names: &Names) -> TableRows {
        TableRows {
            rows: self.rows,
            max_rowid: self.max_rowid,
            chunk_starts: self.chunks.map(|(starts, _)| starts).unwrap_or_default(),
            cell_bytes: self.cell_bytes,
            primary_key_nulls: self
                .key_nulls
                .map(|(rows, place)| Violation { rows, first_key: names.of(place) }),
            digest: self.digest.sum(),
            columns: self.columns.into_iter().map(|column| column.finish(names)).collect(),
        }
    }
}
