//! `GET /export.jsonl`: all data, a JSON object a line, as of one moment. Tracks come first, since the rest refers to them; the
//! last line says how many there were, so that a file that was cut off is known for one.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures_util::{TryStreamExt, stream};
use sqlx::{PgPool, Postgres, Transaction};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::dashboard::{fault::Fault, frame, router::Site};

/// Exports at once: each holds a session for as long as its reader takes.
pub(in crate::dashboard) const EXPORTS_AT_ONCE: usize = 2;
/// How long a reader may take for a piece before it is given up.
const READER_WITHIN: Duration = Duration::from_secs(30);
/// Bytes of lines that are sent as one piece.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces that wait for the reader.
const PIECES: usize = 4;

/// Both tables, in the order in which they can be read back.
const TABLES: [(&str, &str); 2] =
    [("tracks", include_str!("export_tracks.sql")), ("snapshots", include_str!("export_snapshots.sql"))];

type Pieces = mpsc::Sender<io::Result<Bytes>>;

pub(super) async fn export(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let Ok(permit) = Arc::clone(&site.exports).try_acquire_owned() else {
        return frame::fault_page(&Fault::Busy, &headers);
    };
    let transaction = match begin(&site.database.target().pool).await {
        Ok(transaction) => transaction,
        Err(error) => return frame::fault_page(&site.database.fault_of(error), &headers),
    };
    let (sender, mut receiver) = mpsc::channel(PIECES);
    tokio::spawn(write(transaction, sender, permit));
    // Whoever reads may ask once more after the end, as a compressor does.
    let pieces = stream::poll_fn(move |context| receiver.poll_recv(context));
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"music-time-machine.jsonl\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}

/// Both tables as of one moment, for as long as the reader takes.
async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let mut transaction = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
    sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *transaction).await?;
    Ok(transaction)
}

/// Sends all lines; where that fails, the reader is told by an error in place of the last one.
async fn write(transaction: Transaction<'static, Postgres>, pieces: Pieces, _permit: OwnedSemaphorePermit) {
    if let Err(error) = lines(transaction, &pieces).await {
        tracing::warn!(%error, "an export was given up");
        pieces.send(Err(error)).await.ok();
    }
}

async fn lines(mut transaction: Transaction<'static, Postgres>, pieces: &Pieces) -> io::Result<()> {
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    let mut end = serde_json::Map::from_iter([("table".to_owned(), "end".into())]);
    for (table, sql) in TABLES {
        let mut rows = sqlx::query_scalar::<_, String>(sql).fetch(&mut *transaction);
        let mut count = 0_u64;
        while let Some(line) = rows.try_next().await.map_err(io::Error::other)? {
            count += 1;
            piece.extend_from_slice(line.as_bytes());
            piece.push(b'\n');
            if piece.len() >= PIECE_BYTES {
                send(pieces, std::mem::replace(&mut piece, Vec::with_capacity(PIECE_BYTES))).await?;
            }
        }
        end.insert(table.to_owned(), count.into());
    }
    piece.extend_from_slice(serde_json::Value::Object(end).to_string().as_bytes());
    piece.push(b'\n');
    send(pieces, piece).await
}

async fn send(pieces: &Pieces, piece: Vec<u8>) -> io::Result<()> {
    let given_up = || io::Error::new(io::ErrorKind::TimedOut, "the reader went away, or takes too long");
    pieces.send_timeout(Ok(piece.into()), READER_WITHIN).await.map_err(|_| given_up())
}
