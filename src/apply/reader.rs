//! One chunk of a source table, read and encoded in a thread of its own: SQLite's API blocks, the network's does not.

use std::sync::Arc;

use rusqlite::types::ValueRef;
use tokio::sync::mpsc;

use super::{
    ApplyError, encode,
    rejects::{Allowance, Refusal, Refusals},
};
use crate::{
    mapping::OnInvalid,
    schema::{ColumnCopy, PgType, TableCopy, render},
    source::Source,
    target::{ChunkRange, RefusedBy, Reject},
    value::{self, Value},
};

/// Bytes of COPY data sent at once. Larger buffers gain nothing and cost memory; smaller ones cost system calls.
pub(super) const BUFFER_BYTES: usize = 256 * 1024;

/// Filled buffers that may wait for the network: with those in hand, what a session holds at most.
pub(super) const BUFFERS_WAITING: usize = 4;

/// What a chunk came to.
#[derive(Debug)]
pub(super) struct Counts {
    /// Rows that were encoded.
    pub(super) rows: u64,
    /// Values written as NULL, since the mapping says `on_invalid: set_null`.
    pub(super) nulled: u64,
    /// Rows that were not, since the mapping says `on_invalid: reject`.
    pub(super) refusals: Refusals,
}

/// Who takes the encoded rows.
pub(super) trait RowsOut {
    /// A row stands at the buffer's end. Gives whether there is to be another.
    fn row(&mut self, buffer: &mut Vec<u8>, row_number: u64, nulled: u64) -> bool;
}

/// Sends rows in the order in which they are read, in buffers as they come.
struct Stream<'a> {
    buffers: &'a mpsc::Sender<Vec<u8>>,
    progress: &'a (dyn Fn(u64) + Send + Sync),
    unreported: u64,
}

impl RowsOut for Stream<'_> {
    fn row(&mut self, buffer: &mut Vec<u8>, _: u64, _: u64) -> bool {
        self.unreported += 1;
        if buffer.len() < BUFFER_BYTES {
            return true;
        }
        (self.progress)(std::mem::take(&mut self.unreported));
        send(buffer, self.buffers)
    }
}

/// Reads a chunk and sends its rows, encoded, down the channel. Ends early, without an error, when nobody listens.
pub(super) fn read_chunk(
    source: &Source,
    table: &TableCopy,
    range: ChunkRange,
    buffers: &mpsc::Sender<Vec<u8>>,
    allowance: &Arc<Allowance>,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<Counts, ApplyError> {
    let mut buffer = Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4);
    buffer.extend_from_slice(encode::HEADER);
    let mut stream = Stream { buffers, progress, unreported: 0 };
    let (counts, whole) = encode_rows((source, table, range), allowance, &mut buffer, &mut stream)?;
    progress(stream.unreported);
    if whole {
        buffer.extend_from_slice(&encode::TRAILER);
        send(&mut buffer, buffers);
    }
    Ok(counts)
}

/// Reads a chunk and appends its rows, encoded, to the buffer. Gives whether all of them were wanted.
pub(super) fn encode_rows(
    (source, table, range): (&Source, &TableCopy, ChunkRange),
    allowance: &Arc<Allowance>,
    buffer: &mut Vec<u8>,
    out: &mut impl RowsOut,
) -> Result<(Counts, bool), ApplyError> {
    let failed = |error: rusqlite::Error| ApplyError::Read { table: table.source.clone(), source: error };
    let reader = source.reader();
    let mut statement = reader.prepare(&select(source, table, range, None)).map_err(failed)?;
    let bounds: Vec<i64> = range.lower.into_iter().chain(range.upper).collect();
    let mut rows = statement.query(rusqlite::params_from_iter(bounds)).map_err(failed)?;
    let widths: Vec<encode::IntegerWidth> = table.columns.iter().map(width).collect();
    let fields = i16::try_from(table.columns.len()).map_err(|_| ApplyError::TooManyColumns {
        table: table.source.clone(),
        columns: table.columns.len(),
    })?;
    let mut encoder = encode::Encoder::default();
    let mut counts = Counts { rows: 0, nulled: 0, refusals: Refusals::new(allowance) };
    'rows: while let Some(row) = rows.next().map_err(failed)? {
        let (start, mut nulled) = (buffer.len(), 0);
        encoder.begin_row(buffer, fields);
        for (at, column) in table.columns.iter().enumerate() {
            let cell = row.get_ref(at).map_err(failed)?;
            let read = if column.proven { value::read_proven } else { value::read };
            let value = match read(cell, &column.pg_type, &column.reading) {
                Ok(value) => value,
                Err(_) if column.on_invalid == OnInvalid::SetNull => {
                    nulled += 1;
                    Value::Null
                }
                Err(misfit) if column.on_invalid == OnInvalid::Reject => {
                    buffer.truncate(start);
                    let row_number = counts.rows + counts.refusals.len();
                    let column = Some(column.source.clone());
                    let (reason, refused_by) = (misfit.to_string(), RefusedBy::Type);
                    counts.refusals.push(table, Refusal { row_number, column, reason, refused_by })?;
                    continue 'rows;
                }
                Err(misfit) => {
                    return Err(unfit(table, column, row, misfit.to_string()));
                }
            };
            if !encoder.field(buffer, &value, widths[at]) {
                return Err(unfit(
                    table,
                    column,
                    row,
                    "it is longer than PostgreSQL's protocol can carry".to_owned(),
                ));
            }
        }
        let row_number = counts.rows + counts.refusals.len();
        counts.rows += 1;
        counts.nulled += nulled;
        if !out.row(buffer, row_number, nulled) {
            return Ok((counts, false));
        }
    }
    Ok((counts, true))
}

/// Reads the cells of refused rows once more and sends them, each with its key. Ends early when nobody listens.
pub(super) fn read_refused(
    source: &Source,
    table: &TableCopy,
    range: ChunkRange,
    refusals: Vec<Refusal>,
    rejects: &mpsc::Sender<Reject>,
) -> Result<(), ApplyError> {
    let failed = |error: rusqlite::Error| ApplyError::Read { table: table.source.clone(), source: error };
    let reader = source.reader();
    let rowid = table.rowid_name.as_deref().filter(|_| table.key.is_empty());
    let mut statement = reader.prepare(&select(source, table, range, rowid)).map_err(failed)?;
    let bounds: Vec<i64> = range.lower.into_iter().chain(range.upper).collect();
    let mut rows = statement.query(rusqlite::params_from_iter(bounds)).map_err(failed)?;
    let mut next = 0;
    for refusal in refusals {
        let row = loop {
            let Some(row) = rows.next().map_err(failed)? else { return Ok(()) };
            next += 1;
            if next > refusal.row_number {
                break row;
            }
        };
        let key = match rowid {
            Some(rowid) => {
                let value = row.get_ref(table.columns.len()).map_err(failed)?;
                format!("{rowid}={}", shown(value))
            }
            None => key_of(table, row),
        };
        let cells = (0..table.columns.len()).map(|at| row.get_ref(at));
        let cells: Vec<ValueRef<'_>> = cells.collect::<Result<_, _>>().map_err(failed)?;
        if rejects.blocking_send(refusal.with_row(key, table, cells.into_iter())?).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Sends what has gathered; a row of many megabytes in pieces, so that what waits is bounded in bytes, not in rows. Gives
/// whether anybody listens.
fn send(buffer: &mut Vec<u8>, buffers: &mpsc::Sender<Vec<u8>>) -> bool {
    if buffer.len() <= 2 * BUFFER_BYTES {
        let full = std::mem::replace(buffer, Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4));
        return buffers.blocking_send(full).is_ok();
    }
    let sent = buffer.chunks(BUFFER_BYTES).all(|piece| buffers.blocking_send(piece.to_vec()).is_ok());
    *buffer = Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4);
    sent
}

fn select(source: &Source, table: &TableCopy, range: ChunkRange, last: Option<&str>) -> String {
    let cells = table.columns.iter().map(|column| source.cell(&column.source));
    let columns: Vec<String> = cells.chain(last.map(render::quoted)).collect();
    let rowid = table.rowid_name.as_deref().map(render::quoted).unwrap_or_default();
    let conditions: Vec<String> = [
        range.lower.map(|_| format!("{rowid} >= ?1")),
        range.upper.map(|_| format!("{rowid} < ?{}", if range.lower.is_some() { 2 } else { 1 })),
    ]
    .into_iter()
    .flatten()
    .collect();
    let condition =
        if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    // NOT INDEXED: a covering index may use a collation that only the application has.
    format!(
        "SELECT {} FROM main.{} NOT INDEXED{condition}",
        columns.join(", "),
        render::quoted(&table.source)
    )
}

fn width(column: &ColumnCopy) -> encode::IntegerWidth {
    match column.pg_type {
        PgType::SmallInt => encode::IntegerWidth::Two,
        PgType::Integer => encode::IntegerWidth::Four,
        _ => encode::IntegerWidth::Eight,
    }
}

/// The error for a value that does not fit, with its row's key.
fn unfit(table: &TableCopy, column: &ColumnCopy, row: &rusqlite::Row<'_>, reason: String) -> ApplyError {
    ApplyError::Unfit {
        table: table.source.clone(),
        column: column.source.clone(),
        key: key_of(table, row),
        reason,
    }
}

/// The row's key for people.
fn key_of(table: &TableCopy, row: &rusqlite::Row<'_>) -> String {
    let key: Vec<String> = table
        .key
        .iter()
        .map(|&at| {
            let value = row.get_ref(at).map_or_else(|_| "?".to_owned(), shown);
            format!("{}={value}", table.columns[at].source)
        })
        .collect();
    if key.is_empty() { "a row without a key".to_owned() } else { key.join(", ") }
}

/// A key's value for people, cut to 80 characters.
fn shown(cell: ValueRef<'_>) -> String {
    match cell {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(integer) => integer.to_string(),
        ValueRef::Real(real) => format!("{real:?}"),
        ValueRef::Text(text) => String::from_utf8_lossy(text).chars().take(80).collect(),
        ValueRef::Blob(blob) => {
            let hex: String = blob.iter().take(40).map(|byte| format!("{byte:02x}")).collect();
            format!("x'{hex}'")
        }
    }
}

/// Splits a table where the audit says that a chunk begins.
pub(super) fn ranges(table: &TableCopy) -> Vec<ChunkRange> {
    let starts = if table.rowid_name.is_some() { table.chunk_starts.as_slice() } else { &[] };
    let mut lower = None;
    let mut ranges = Vec::with_capacity(starts.len() + 1);
    for &start in starts {
        ranges.push(ChunkRange { lower, upper: Some(start) });
        lower = Some(start);
    }
    ranges.push(ChunkRange { lower, upper: None });
    ranges
}
