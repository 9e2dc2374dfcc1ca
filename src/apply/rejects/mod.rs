//! Rows that do not go into the target: how many are allowed, what is kept of them, and the file that shows them.
//!
//! A row is refused by a column's type (the reader finds it) or by the server ([`super::isolate`]). What is kept of it
//! while its chunk is copied is its position and the reason; its cells are read once more at the end of the chunk, and go
//! into the ledger in the chunk's own transaction. The file of rejects is written from the ledger, so that a chunk that
//! rolls back leaves no line, and a run that is cut off no gap.

mod cells;
mod file;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use rusqlite::types::ValueRef;
use sqlx::PgConnection;
use tokio::sync::mpsc;

pub use file::{Rejects, TableRejects, write_rejects};

use super::{ApplyError, reader};
use crate::{
    schema::TableCopy,
    source::Source,
    target::{Chunk, Ledger, RefusedBy, Reject},
};

/// Bytes of rows that go into the ledger at once; a larger row goes alone.
const BATCH_BYTES: usize = 1 << 20;

/// The largest row that the ledger takes, in bytes of JSON: a PostgreSQL value ends at 1 GB.
const LARGEST_ROW_BYTES: usize = 900 << 20;

/// A row that is not written, as long as its chunk is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Its position among the rows of the chunk, from 0.
    pub(super) row_number: u64,
    /// The source column that it is about, where that is known.
    pub(super) column: Option<String>,
    /// Why, without a value.
    pub(super) reason: String,
    pub(super) refused_by: RefusedBy,
}

/// How many rows a run may reject.
#[derive(Debug)]
pub(super) struct Allowance {
    limit: u64,
    taken: AtomicU64,
}

impl Allowance {
    /// `rejected` rows are in the ledger already.
    pub(super) fn new(limit: u64, rejected: u64) -> Arc<Allowance> {
        Arc::new(Allowance { limit, taken: AtomicU64::new(rejected) })
    }

    /// Counts anew from what is in the ledger.
    pub(super) fn restart(&self, rejected: u64) {
        self.taken.store(rejected, Ordering::Relaxed);
    }
}

/// The refused rows of a chunk. They count from the moment at which they are found, and no longer once the chunk has been
/// rolled back.
#[derive(Debug)]
pub(super) struct Refusals {
    rows: Vec<Refusal>,
    allowance: Arc<Allowance>,
    kept: bool,
}

impl Refusals {
    pub(super) fn new(allowance: &Arc<Allowance>) -> Refusals {
        Refusals { rows: Vec::new(), allowance: Arc::clone(allowance), kept: false }
    }

    /// Takes one more in.
    pub(super) fn push(&mut self, table: &TableCopy, refusal: Refusal) -> Result<(), ApplyError> {
        let taken = self.allowance.taken.fetch_add(1, Ordering::Relaxed);
        let column = refusal.column.clone();
        let reason = refusal.reason.clone();
        self.rows.push(refusal);
        if taken < self.allowance.limit {
            return Ok(());
        }
        let place =
            column.map_or_else(|| table.source.clone(), |column| format!("{}.{column}", table.source));
        Err(ApplyError::TooManyRejects { limit: self.allowance.limit, place, reason })
    }

    pub(super) fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Takes those of another part of the same chunk in.
    pub(super) fn merge(&mut self, mut other: Refusals) {
        self.rows.append(&mut other.rows);
    }

    /// The chunk is committed.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }

    /// Reads the cells of these rows and puts them into the ledger, in the transaction of their chunk.
    pub(super) async fn record(
        &mut self,
        (transaction, ledger): (&mut PgConnection, &Ledger),
        source: &Arc<Source>,
        table: &Arc<TableCopy>,
        chunk: Chunk,
    ) -> Result<(), ApplyError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.rows.sort_by_key(|refusal| refusal.row_number);
        let (sender, mut rows) = mpsc::channel(1);
        let reading = {
            let (source, table, refusals) = (Arc::clone(source), Arc::clone(table), self.rows.clone());
            tokio::task::spawn_blocking(move || {
                reader::read_refused(&source, &table, chunk.range, refusals, &sender)
            })
        };
        let (mut batch, mut bytes, mut recorded) = (Vec::new(), 0, 0);
        loop {
            let row = rows.recv().await;
            if bytes >= BATCH_BYTES || row.is_none() {
                let (target, chunk) = (&table.target, chunk.number);
                ledger.record_rejects(transaction, target, &table.source, chunk, &batch).await?;
                recorded += batch.len() as u64;
                batch.clear();
                bytes = 0;
            }
            let Some(row) = row else { break };
            bytes += row.source_row.len();
            batch.push(row);
        }
        reading.await.unwrap_or_else(|_| Err(ApplyError::ReaderLost { table: table.source.clone() }))?;
        if recorded != self.len() {
            return Err(ApplyError::ReaderLost { table: table.source.clone() });
        }
        Ok(())
    }
}

impl Drop for Refusals {
    fn drop(&mut self) {
        if !self.kept {
            self.allowance.taken.fetch_sub(self.rows.len() as u64, Ordering::Relaxed);
        }
    }
}

impl Refusal {
    /// With the row's key and all of its cells: what the ledger keeps.
    pub(super) fn with_row<'a>(
        self,
        key: String,
        table: &'a TableCopy,
        cells: impl Iterator<Item = ValueRef<'a>>,
    ) -> Result<Reject, ApplyError> {
        let names = table.columns.iter().map(|column| column.source.as_str());
        let source_row = cells::object(names.zip(cells));
        if source_row.len() > LARGEST_ROW_BYTES {
            return Err(ApplyError::Unfit {
                table: table.source.clone(),
                column: self.column.unwrap_or_default(),
                key,
                reason: format!("{}; the row is too large to be kept among the rejects", self.reason),
            });
        }
        let Refusal { row_number, column, reason, refused_by, .. } = self;
        // PostgreSQL's text holds no NUL, and a key's or a trigger's text may.
        let reason = reason.replace('\0', "\\0");
        Ok(Reject { row_number, key: key.replace('\0', "\\0"), column, reason, refused_by, source_row })
    }
}
