//! The PostgreSQL side: several sessions on one snapshot, each copying out one piece of a table after the other.

use std::sync::Arc;

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, pool::PoolConnection};

use crate::schema::render::quoted;

use super::{
    Progress, Side, VerifyError,
    copy_rows::CopyReader,
    pass::{Pass, Pieces},
    shape::TableShape,
};

/// Rows between two reports.
const ROWS_A_REPORT: u64 = 4096;
/// The fewest blocks (of 8 KB) that are worth a COPY of their own.
const FEWEST_BLOCKS: u64 = 256;
/// The first server version that scans a range of `ctid` without reading the whole table.
const TID_RANGE_SCAN: i32 = 140_000;

/// Sessions that see one state of the target.
pub(super) struct Sessions {
    sessions: Vec<PoolConnection<Postgres>>,
    can_cut: bool,
}

/// A part of a table, or of one of its partitions: blocks from, inclusive, and to, exclusive.
#[derive(Debug, Clone, Copy)]
pub(super) struct TargetPiece {
    pub(super) table: usize,
    /// The position among the table's partitions; `None`: the table itself.
    partition: Option<usize>,
    from: Option<u64>,
    to: Option<u64>,
}

impl Sessions {
    /// Opens up to `jobs` sessions, as many as the pool has room for, at least one.
    ///
    /// # Errors
    /// The target cannot be reached, or does not give out its snapshot.
    pub(super) async fn open(pool: &PgPool, jobs: usize) -> Result<Sessions, VerifyError> {
        let fault = |error: sqlx::Error| VerifyError::target("the target cannot be read", &error);
        let in_use = pool.size().saturating_sub(u32::try_from(pool.num_idle()).unwrap_or(0));
        let free = pool.options().get_max_connections().saturating_sub(in_use) as usize;
        let mut first = begin(pool, None).await.map_err(fault)?;
        let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int")
            .fetch_one(&mut *first)
            .await
            .map_err(fault)?;
        let mut sessions = vec![first];
        if jobs.min(free) > 1 {
            let snapshot: String = sqlx::query_scalar("SELECT pg_export_snapshot()")
                .fetch_one(&mut *sessions[0])
                .await
                .map_err(fault)?;
            while sessions.len() < jobs.min(free) {
                sessions.push(begin(pool, Some(&snapshot)).await.map_err(fault)?);
            }
        }
        Ok(Sessions { sessions, can_cut: version >= TID_RANGE_SCAN })
    }

    /// A session for queries of the caller's own, in the snapshot.
    pub(super) fn first(&mut self) -> &mut PgConnection {
        &mut self.sessions[0]
    }

    /// Cuts a table into ranges of blocks, so that every session has its share of a large one.
    pub(super) fn pieces(&self, table: usize, shape: &TableShape) -> Vec<TargetPiece> {
        if !shape.in_target {
            return Vec::new();
        }
        if shape.partitions.is_empty() {
            return self.cut(table, None, shape.blocks);
        }
        // A row's place is one within its partition.
        let partitions = shape.partitions.iter().enumerate();
        partitions.flat_map(|(at, (_, blocks))| self.cut(table, Some(at), *blocks)).collect()
    }

    fn cut(&self, table: usize, partition: Option<usize>, blocks: u64) -> Vec<TargetPiece> {
        let sessions = self.sessions.len() as u64;
        let wanted = if sessions > 1 && self.can_cut { sessions * 4 } else { 1 };
        let count = (blocks / FEWEST_BLOCKS).clamp(1, wanted);
        let mut bounds: Vec<Option<u64>> = (0..count).map(|piece| Some(blocks * piece / count)).collect();
        bounds[0] = None;
        // Open at the end: rows may lie behind the blocks that were counted.
        bounds.push(None);
        bounds.windows(2).map(|pair| TargetPiece { table, partition, from: pair[0], to: pair[1] }).collect()
    }

    /// Reads the pieces with all sessions and hands the rows to the pass.
    ///
    /// # Errors
    /// A table cannot be read.
    pub(super) async fn read<P: Pass>(
        &mut self,
        schema: &str,
        pass: &Arc<P>,
        pieces: Vec<TargetPiece>,
    ) -> Result<(), VerifyError> {
        let (schema, pieces): (Arc<str>, _) = (schema.into(), Arc::new(Pieces::new(pieces)));
        let mut workers = tokio::task::JoinSet::new();
        for mut session in self.sessions.drain(..) {
            let (schema, pass, pieces) = (schema.clone(), pass.clone(), pieces.clone());
            workers.spawn(async move {
                while let Some(piece) = pieces.next() {
                    let mut sink = pass.open(piece.table);
                    read_piece(&mut session, &schema, &*pass, *piece, &mut sink).await?;
                    pass.close(piece.table, sink);
                }
                Ok::<_, VerifyError>(session)
            });
        }
        while let Some(ended) = workers.join_next().await {
            self.sessions.push(ended.map_err(|_| VerifyError::Reader { side: "target" })??);
        }
        Ok(())
    }

    /// Ends the transactions and gives the sessions up.
    pub(super) async fn close(self) {
        for session in self.sessions {
            // All that a failure could leave behind is a session that the server ends by itself.
            session.close().await.ok();
        }
    }
}

/// A session in a read-only transaction. Row security must not hide rows from the comparison: where it would, the
/// server is to say so. The transaction of a session that has no work waits for the others, so it must not time out.
async fn begin(pool: &PgPool, snapshot: Option<&str>) -> sqlx::Result<PoolConnection<Postgres>> {
    let mut session = pool.acquire().await?;
    // Dropped in the middle of a COPY, a session is of no more use.
    session.close_on_drop();
    let snapshot = snapshot.map(|id| format!("SET TRANSACTION SNAPSHOT '{}';", id.replace('\'', "''")));
    let sql = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {} SET LOCAL row_security = off; \
         SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL jit = off",
        snapshot.unwrap_or_default()
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *session).await?;
    Ok(session)
}

async fn read_piece<P: Pass>(
    session: &mut PgConnection,
    schema: &str,
    pass: &P,
    piece: TargetPiece,
    sink: &mut P::Sink,
) -> Result<(), VerifyError> {
    let shape = &pass.shapes()[piece.table];
    let with_place = pass.wants_places() && shape.blocks > 0;
    let fault = |error: sqlx::Error| {
        VerifyError::target(format!("table `{}` of the target cannot be read", shape.target), &error)
    };
    let protocol = |fault| VerifyError::Protocol { table: shape.target.clone(), fault };
    let statement = copy(shape, schema, piece, with_place);
    let mut reader = CopyReader::new(shape.fields(with_place));
    let mut stream = session.copy_out_raw(&statement).await.map_err(fault)?;
    let mut unreported = 0;
    while let Some(message) = stream.try_next().await.map_err(fault)? {
        unreported += reader.message(&message, sink).map_err(protocol)?;
        if unreported >= ROWS_A_REPORT {
            pass.report(Progress { side: Side::Target, table: piece.table, rows: unreported });
            unreported = 0;
        }
    }
    reader.finish().map_err(protocol)?;
    pass.report(Progress { side: Side::Target, table: piece.table, rows: unreported });
    Ok(())
}

fn copy(shape: &TableShape, schema: &str, piece: TargetPiece, with_place: bool) -> String {
    let mut columns: Vec<String> =
        shape.columns.iter().map(|column| format!("target.{}", quoted(&column.target))).collect();
    if with_place {
        columns.push("target.ctid".to_owned());
    }
    let lower = piece.from.map(|block| format!("target.ctid >= '({block},0)'::tid"));
    let upper = piece.to.map(|block| format!("target.ctid < '({block},0)'::tid"));
    let bounds: Vec<String> = lower.into_iter().chain(upper).collect();
    let condition =
        if bounds.is_empty() { String::new() } else { format!(" WHERE {}", bounds.join(" AND ")) };
    let partition = piece.partition.and_then(|at| shape.partitions.get(at)).map(|(name, _)| name.clone());
    let relation = partition.unwrap_or_else(|| format!("{}.{}", quoted(schema), quoted(&shape.target)));
    format!(
        "COPY (SELECT {} FROM {relation} AS target{condition}) TO STDOUT (FORMAT binary)",
        columns.join(", ")
    )
}
