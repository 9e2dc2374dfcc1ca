//! Rows that the server refuses, found by halving: a trigger, a check, a domain, an index in the target that the audit
//! could not know.
//!
//! In: a chunk whose COPY was refused. Its rows are read once more, in blocks that are kept in memory, and each block is
//! copied under a savepoint. A block that is refused is copied again in halves, so that what is good stays, and what is
//! refused alone is a refused row. Where the mapping says `on_invalid: reject` for the table, such rows go to the rejects;
//! else the first one stops the run, by name. A row in a block of n rows costs at most 2 log2(n) COPYs, and how many rows
//! may be refused is bounded ([`super::rejects::Allowance`]), so the whole ends.
//!
//! The rows of a chunk are copied from the first to the last, so that of two rows that cannot both be there (a unique
//! index) the first one stays. Where rows refer to one another (a foreign key of the table to itself, in the target
//! already), a half without the other would be refused too: such a key is checked when all parts are there.

use std::{collections::HashMap, ops::Range, sync::Arc};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, postgres::PgDatabaseError};
use tokio::sync::mpsc;

mod block;
mod halves;
mod refusal;

pub(super) use refusal::is_about_rows;

use super::{
    ApplyError, Event,
    data::{BEGIN, Worker, copy_statement},
    encode,
    queue::Task,
    reader::{self, Counts},
    rejects::{Refusal, Refusals},
};
use crate::{
    mapping::OnInvalid,
    schema::{TableCopy, render},
    target::{ChunkCounts, RefusedBy, server_error},
};
use block::{Block, Blocks};
use halves::Halves;
use refusal::{column_in, is_refusal};

/// Bytes that are sent at once.
const PIECE_BYTES: usize = 256 << 10;

/// Said of a row that COPY did not count.
const DROPPED: &str = "the server took the row and wrote none: a trigger or a rule of the target drops it";

/// Copies a chunk, refused rows left out, in a transaction of its own. `refused` is what the server said of the whole.
///
/// # Errors
/// [`ApplyError::Refused`] names the first refused row, where the mapping does not send it to the rejects.
pub(super) async fn copy_chunk(
    worker: &Worker,
    connection: &mut PgConnection,
    task: &Task,
    refused: ApplyError,
) -> Result<(), ApplyError> {
    let Task { table, copy, chunk } = task;
    let what = || format!("table {} could not be copied", table.target);
    let mut transaction = connection.begin_with(BEGIN).await.map_err(ApplyError::server(what()))?;
    if !worker.ledger.claim_chunk(&mut transaction, &table.target, copy, chunk.number).await? {
        return transaction.rollback().await.map_err(ApplyError::server(what()));
    }
    let mut halving = Halving {
        worker,
        table: Arc::clone(table),
        relation: format!("{}.{}", render::quoted(&worker.target.schema), render::quoted(&table.target)),
        chunk_range: chunk.range,
        columns: HashMap::new(),
        counts: ChunkCounts::default(),
        refusals: Refusals::new(&worker.allowance),
        stops_at: None,
    };
    let Some(own_keys) = halving.put_off(&mut transaction).await? else { return Err(refused) };
    let copied = halving.copy(&mut transaction).await;
    if copied.is_err() {
        (worker.listener)(Event::TakenBack { rows: halving.counts.written });
    }
    let read = copied?;
    own_keys.check(&mut transaction).await.map_err(ApplyError::server(what()))?;
    // The rows that a type refuses, which the reader found, and those that the server did.
    let mut refusals = halving.refusals;
    refusals.merge(read.refusals);
    refusals.record((&mut transaction, &worker.ledger), &worker.source, table, *chunk).await?;
    let counts = ChunkCounts { rejected: refusals.len(), ..halving.counts };
    worker.ledger.finish_chunk(&mut transaction, &table.target, chunk.number, counts).await?;
    transaction.commit().await.map_err(ApplyError::server(what()))?;
    refusals.keep();
    Ok(())
}

/// The foreign keys of a table to itself, while they are checked only when all parts are there.
struct OwnKeys {
    /// Statements that make them what they were.
    back: Vec<String>,
}

impl OwnKeys {
    /// Checks them, and makes them what they were.
    async fn check(self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        transaction.execute("SET CONSTRAINTS ALL IMMEDIATE").await?;
        for statement in self.back {
            transaction.execute(AssertSqlSafe(statement)).await?;
        }
        Ok(())
    }
}

/// A chunk on its way, in ever smaller parts.
struct Halving<'a> {
    worker: &'a Worker,
    table: Arc<TableCopy>,
    /// The target table, qualified and quoted.
    relation: String,
    chunk_range: crate::target::ChunkRange,
    /// Which column a constraint is about, as far as that was asked for.
    columns: HashMap<String, Option<String>>,
    counts: ChunkCounts,
    refusals: Refusals,
    /// The row that stops the run.
    stops_at: Option<Refusal>,
}

impl Halving<'_> {
    fn failed(&self) -> impl FnOnce(sqlx::Error) -> ApplyError + use<> {
        ApplyError::server(format!("table {} could not be copied", self.table.target))
    }

    /// Has every constraint checked with each part, but for the table's foreign keys to itself, which are put off; for this
    /// transaction alone. `None`: those cannot be put off, since the role does not own the table.
    async fn put_off(&self, transaction: &mut PgConnection) -> Result<Option<OwnKeys>, ApplyError> {
        // What is checked at the end of the transaction otherwise would not be found by halves.
        transaction.execute("SET CONSTRAINTS ALL IMMEDIATE").await.map_err(self.failed())?;
        let keys: Vec<(String, bool, bool)> = sqlx::query_as(include_str!("own_keys.sql"))
            .bind(&self.relation)
            .fetch_all(&mut *transaction)
            .await
            .map_err(self.failed())?;
        let mut own_keys = OwnKeys { back: Vec::new() };
        for (name, deferrable, owned) in keys {
            let key = render::quoted(&name);
            let alter = format!("ALTER TABLE {} ALTER CONSTRAINT {key}", self.relation);
            if !deferrable && !owned {
                return Ok(None);
            }
            if !deferrable {
                let sql = format!("{alter} DEFERRABLE");
                transaction.execute(AssertSqlSafe(sql)).await.map_err(self.failed())?;
                own_keys.back.push(format!("{alter} NOT DEFERRABLE"));
            }
            let sql =
                format!("SET CONSTRAINTS {}.{key} DEFERRED", render::quoted(&self.worker.target.schema));
            transaction.execute(AssertSqlSafe(sql)).await.map_err(self.failed())?;
        }
        Ok(Some(own_keys))
    }

    /// Copies the chunk's rows, block by block. Gives what the reader counted.
    async fn copy(&mut self, transaction: &mut PgConnection) -> Result<Counts, ApplyError> {
        let (sender, mut blocks) = mpsc::channel(1);
        let reading = {
            let (source, table, range) =
                (Arc::clone(&self.worker.source), Arc::clone(&self.table), self.chunk_range);
            let allowance = Arc::clone(&self.worker.allowance);
            tokio::task::spawn_blocking(move || {
                let (mut buffer, mut out) = (Vec::new(), Blocks::new(&sender));
                let (counts, whole) =
                    reader::encode_rows((&source, &table, range), &allowance, &mut buffer, &mut out)?;
                if whole {
                    out.send(&mut buffer);
                }
                Ok(counts)
            })
        };
        while self.stops_at.is_none()
            && let Some(block) = blocks.recv().await
        {
            self.halve(transaction, &block).await?;
        }
        // The reader sees that nobody listens, and gives its connection back.
        drop(blocks);
        let read: Counts = reading
            .await
            .unwrap_or_else(|_| Err(ApplyError::ReaderLost { table: self.table.source.clone() }))?;
        if let Some(refusal) = self.stops_at.take() {
            return Err(self.named(refusal).await);
        }
        let found = self.counts.written + self.refusals.len();
        if read.rows != found {
            let (table, read) = (self.table.source.clone(), read.rows);
            return Err(ApplyError::Miscounted { table, read, written: found });
        }
        Ok(read)
    }

    /// Copies a block; where it is refused, its halves, the first one first. Ends early at a row that stops the run.
    async fn halve(&mut self, transaction: &mut PgConnection, block: &Block) -> Result<(), ApplyError> {
        let mut halves = Halves::of(block.rows.len());
        while self.stops_at.is_none()
            && let Some(part) = halves.next()
        {
            match self.try_part(transaction, block, &part).await? {
                Ok(()) => {
                    self.counts.nulled += block.rows[part.clone()].iter().map(|row| row.nulled).sum::<u64>();
                    self.counts.written += part.len() as u64;
                    let (table, rows) = (self.table.target.clone(), part.len() as u64);
                    (self.worker.listener)(Event::Rows { table, rows });
                }
                Err(refused) => {
                    if let Some(row) = halves.refused(part) {
                        self.refuse(transaction, block.rows[row].number, refused).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Copies some rows under a savepoint. Gives what the server said, where it took them not.
    async fn try_part(
        &self,
        transaction: &mut PgConnection,
        block: &Block,
        part: &Range<usize>,
    ) -> Result<Result<(), Option<sqlx::Error>>, ApplyError> {
        transaction.execute("SAVEPOINT part").await.map_err(self.failed())?;
        let refused = match self.send(transaction, block.bytes_of(part)).await {
            Ok(written) if written == part.len() as u64 => {
                transaction.execute("RELEASE SAVEPOINT part").await.map_err(self.failed())?;
                return Ok(Ok(()));
            }
            Ok(_) => None,
            Err(error) if is_refusal(&error) => Some(error),
            Err(error) => return Err(self.failed()(error)),
        };
        // Released too: a savepoint that stays would be the parent of the next one.
        let back = "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part";
        transaction.execute(back).await.map_err(self.failed())?;
        Ok(Err(refused))
    }

    async fn send(&self, transaction: &mut PgConnection, rows: &[u8]) -> Result<u64, sqlx::Error> {
        let statement = copy_statement(&self.worker.target, &self.table);
        let mut sink = transaction.copy_in_raw(&statement).await?;
        let pieces =
            [&encode::HEADER[..]].into_iter().chain(rows.chunks(PIECE_BYTES)).chain([&encode::TRAILER[..]]);
        let mut lost = None;
        for piece in pieces {
            if let Err(error) = sink.send(piece).await {
                lost = Some(error);
                break;
            }
        }
        // The server says at the end what it did not like in the middle.
        let written = sink.finish().await?;
        lost.map_or(Ok(written), Err)
    }

    /// A row that is refused alone.
    async fn refuse(
        &mut self,
        transaction: &mut PgConnection,
        row_number: u64,
        refused: Option<sqlx::Error>,
    ) -> Result<(), ApplyError> {
        let column = match &refused {
            Some(error) => self.column_of(transaction, error).await?,
            None => None,
        };
        let reason = refused.map_or_else(|| DROPPED.to_owned(), |error| server_error(&error).to_string());
        let refusal = Refusal { row_number, column, reason, refused_by: RefusedBy::Server };
        if self.table.on_invalid == OnInvalid::Reject {
            return self.refusals.push(&self.table, refusal);
        }
        self.stops_at = Some(refusal);
        Ok(())
    }

    /// The error that names a refused row.
    async fn named(&self, refusal: Refusal) -> ApplyError {
        let (sender, mut rows) = mpsc::channel(1);
        let (source, table, range) =
            (Arc::clone(&self.worker.source), Arc::clone(&self.table), self.chunk_range);
        let reading = tokio::task::spawn_blocking(move || {
            reader::read_refused(&source, &table, range, vec![refusal], &sender)
        });
        let row = rows.recv().await;
        let table = self.table.source.clone();
        match (reading.await, row) {
            (Ok(Ok(())), Some(row)) => {
                let place = row.column.map_or_else(|| table.clone(), |column| format!("{table}.{column}"));
                ApplyError::Refused { table, place, key: row.key, reason: row.reason }
            }
            (Ok(Err(error)), _) => error,
            _ => ApplyError::ReaderLost { table },
        }
    }

    /// The source's name of the column that an error is about: the server says it, or its constraint is about one column.
    async fn column_of(
        &mut self,
        transaction: &mut PgConnection,
        error: &sqlx::Error,
    ) -> Result<Option<String>, ApplyError> {
        let Some(error) = error.as_database_error().and_then(|e| e.try_downcast_ref::<PgDatabaseError>())
        else {
            return Ok(None);
        };
        let target = match (error.column().or_else(|| column_in(error.r#where()?)), error.constraint()) {
            (Some(column), _) => Some(column.to_owned()),
            (None, Some(constraint)) => match self.columns.get(constraint) {
                Some(known) => known.clone(),
                None => {
                    let column: Option<String> = sqlx::query_scalar(include_str!("column_of_constraint.sql"))
                        .bind(&self.relation)
                        .bind(constraint)
                        .fetch_optional(transaction)
                        .await
                        .map_err(self.failed())?;
                    self.columns.insert(constraint.to_owned(), column.clone());
                    column
                }
            },
            (None, None) => None,
        };
        let source = |name: String| {
            let copied = self.table.columns.iter().find(|column| column.target == name);
            copied.map_or(name, |column| column.source.clone())
        };
        Ok(target.map(source))
    }
}
