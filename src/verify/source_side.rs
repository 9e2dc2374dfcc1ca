//! The SQLite side: several readers, each taking a table, or a range of its rowids, after the other.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rusqlite::{Connection, types::ValueRef};

use crate::schema::render::quoted;

use super::{
    Progress, Side, VerifyError,
    pass::{Pass, Pieces},
    row::{Exceptions, NormalRow, Place, RowSink},
    shape::TableShape,
    source_cell::{Appended, Workshop},
};

/// Rows between two looks at whether to go on, and two reports.
const ROWS_A_REPORT: u64 = 4096;

/// Where the source's read-only connections come from. All of them see one snapshot.
pub trait Readers: Send + Sync + 'static {
    /// Takes a connection; waits until one is free. It is given back when the guard goes.
    fn reader(&self) -> impl Deref<Target = Connection>;
}

impl Readers for crate::source::Source {
    fn reader(&self) -> impl Deref<Target = Connection> {
        crate::source::Source::reader(self)
    }
}

/// A part of a table: rowids from, inclusive, and to, exclusive.
#[derive(Debug, Clone, Copy)]
pub(super) struct SourcePiece {
    pub(super) table: usize,
    from: Option<i64>,
    to: Option<i64>,
}

/// Cuts a table where the audit says that chunks begin.
pub(super) fn pieces(table: usize, shape: &TableShape) -> Vec<SourcePiece> {
    let starts = if shape.rowid_name.is_some() { &shape.chunk_starts[..] } else { &[] };
    let mut bounds: Vec<Option<i64>> = vec![None];
    bounds.extend(starts.iter().copied().map(Some));
    bounds.push(None);
    bounds.windows(2).map(|pair| SourcePiece { table, from: pair[0], to: pair[1] }).collect()
}

/// Reads the pieces with `jobs` readers and hands the rows to the pass.
///
/// # Errors
/// A table cannot be read.
pub(super) async fn read<R: Readers, P: Pass>(
    readers: &Arc<R>,
    pass: &Arc<P>,
    pieces: Vec<SourcePiece>,
    jobs: usize,
    stop: &Arc<AtomicBool>,
) -> Result<(), VerifyError> {
    let jobs = jobs.min(pieces.len());
    let pieces = Arc::new(Pieces::new(pieces));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..jobs {
        let (readers, pass, pieces, stop) = (readers.clone(), pass.clone(), pieces.clone(), stop.clone());
        workers.spawn_blocking(move || -> Result<(), VerifyError> {
            let reader = readers.reader();
            while let Some(piece) = pieces.next() {
                let mut sink = pass.open(piece.table);
                read_piece(&reader, &*pass, *piece, &mut sink, &stop).map_err(|cause| {
                    VerifyError::Source { table: pass.shapes()[piece.table].source.clone(), cause }
                })?;
                pass.close(piece.table, sink);
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
            Ok(())
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended.map_err(|_| VerifyError::Reader { side: "source" })??;
    }
    Ok(())
}

fn read_piece<P: Pass>(
    connection: &Connection,
    pass: &P,
    piece: SourcePiece,
    sink: &mut P::Sink,
    stop: &AtomicBool,
) -> rusqlite::Result<()> {
    let shape = &pass.shapes()[piece.table];
    let encoding = Encoding::of(connection)?;
    let mut statement = connection.prepare(&select(shape, piece, pass.wants_places(), encoding))?;
    let bounds: Vec<i64> = piece.from.into_iter().chain(piece.to).collect();
    let mut rows = statement.query(rusqlite::params_from_iter(bounds))?;
    let with_place = pass.wants_places() && shape.rowid_name.is_some();
    let (mut bytes, mut ends, mut workshop) = (Vec::new(), Vec::new(), Workshop::default());
    let (mut unreported, mut exceptions) = (0, Exceptions::default());
    let (place_at, mut decoded) = (shape.columns.len(), Vec::new());
    while let Some(row) = rows.next()? {
        bytes.clear();
        ends.clear();
        let (mut nulled, mut rejected) = (0, false);
        for (index, column) in shape.columns.iter().enumerate() {
            let cell = match encoding {
                Encoding::Utf8 => row.get_ref(index)?,
                wide => wide.cell(row.get_ref(index)?, row.get_ref(place_at + 1 + index)?, &mut decoded),
            };
            match column.form.append(cell, &mut bytes, &mut workshop) {
                Appended::Plain => {}
                Appended::Nulled => nulled += 1,
                Appended::Rejected => rejected = true,
            }
            ends.push(bytes.len());
        }
        let place = if with_place {
            match row.get_ref(place_at)? {
                ValueRef::Integer(rowid) => Some(Place::Rowid(rowid)),
                _ => None,
            }
        } else {
            None
        };
        if rejected {
            exceptions.rejected += 1;
        } else {
            exceptions.nulled += nulled;
            sink.row(NormalRow { bytes: &bytes, ends: &ends }, place);
        }
        unreported += 1;
        if unreported == ROWS_A_REPORT {
            pass.report(Progress { side: Side::Source, table: piece.table, rows: unreported });
            unreported = 0;
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
    }
    sink.exceptions(exceptions);
    pass.report(Progress { side: Side::Source, table: piece.table, rows: unreported });
    Ok(())
}

/// How the file keeps its texts. SQLite makes UTF-8 of UTF-16 as it reads, and of half a surrogate pair and what
/// follows it another character; so the texts of such a file are read as bytes, and decoded here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16 { big_endian: bool },
}

impl Encoding {
    fn of(connection: &Connection) -> rusqlite::Result<Encoding> {
        let name: String = connection.query_row("PRAGMA encoding", [], |row| row.get(0))?;
        Ok(match name.as_str() {
            "UTF-16le" => Encoding::Utf16 { big_endian: false },
            "UTF-16be" => Encoding::Utf16 { big_endian: true },
            _ => Encoding::Utf8,
        })
    }

    /// The cell with its text decoded into `decoded`. A text that is no UTF-16, or holds a NUL, has no place in a text of
    /// PostgreSQL's: it counts as the blob of its bytes, as the file keeps them.
    fn cell<'a>(self, cell: ValueRef<'a>, is_text: ValueRef<'_>, decoded: &'a mut Vec<u8>) -> ValueRef<'a> {
        let (Encoding::Utf16 { big_endian }, ValueRef::Blob(bytes), ValueRef::Integer(1)) =
            (self, cell, is_text)
        else {
            return cell;
        };
        if bytes.len() % 2 != 0 {
            return cell;
        }
        decoded.clear();
        let unit = if big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        for character in char::decode_utf16(units) {
            match character {
                Ok(character) if character != '\0' => {
                    decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => return cell,
            }
        }
        ValueRef::Text(decoded)
    }
}

/// Every name is qualified: SQLite takes a bare quoted name that it does not know for a string.
fn select(shape: &TableShape, piece: SourcePiece, with_place: bool, encoding: Encoding) -> String {
    let column = |name: &str| format!("source.{}", quoted(name));
    let names: Vec<String> = shape.columns.iter().map(|shape| column(&shape.source)).collect();
    let rowid = shape.rowid_name.as_deref().map(column);
    // Something always stands in the rowid's place: so the columns behind it are found, and a row of none is a row.
    let place = rowid.clone().filter(|_| with_place).unwrap_or_else(|| "NULL".to_owned());
    let columns: Vec<String> = if encoding == Encoding::Utf8 {
        names.into_iter().chain([place]).collect()
    } else {
        let is_text = |name: &String| format!("typeof({name}) = 'text'");
        let raw =
            |name: &String| format!("CASE WHEN {} THEN CAST({name} AS BLOB) ELSE {name} END", is_text(name));
        names.iter().map(raw).chain([place]).chain(names.iter().map(is_text)).collect()
    };
    let rowid = rowid.unwrap_or_default();
    let lower = piece.from.map(|_| format!("{rowid} >= ?"));
    let upper = piece.to.map(|_| format!("{rowid} < ?"));
    let bounds: Vec<String> = lower.into_iter().chain(upper).collect();
    let condition =
        if bounds.is_empty() { String::new() } else { format!(" WHERE {}", bounds.join(" AND ")) };
    format!("SELECT {} FROM main.{} AS source{condition}", columns.join(", "), quoted(&shape.source))
}
