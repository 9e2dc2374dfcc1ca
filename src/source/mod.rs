//! The SQLite file, opened without ever changing it, and held still while it is read.
//!
//! In: a path. Out: a [`Source`], a pool of connections that all see one snapshot of the file, WAL included. Every stage
//! that reads rows reads them here, so all of them read the same ones.
//!
//! How the file is held still depends on what lies beside it (SQLite, "File Locking" and "Write-Ahead Logging"):
//!
//! - *Rollback journal*: while one reader holds a SHARED lock nothing can be committed, so readers that have all begun
//!   see one state; their `PRAGMA data_version` bears witness.
//! - *WAL*: a read-write handle holds the write lock (`BEGIN IMMEDIATE`) while the readers begin. It never checkpoints, and
//!   removes only an empty WAL that it made itself.
//! - *WAL without its `-shm`, or a file or folder that cannot be written*: nothing may be made beside the file, so file and
//!   WAL are copied aside and read there. `immutable` is never used: it would leave the WAL out.

mod error;
mod freeze;
mod header;
mod reader;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::Connection;

pub use error::SourceError;
pub use reader::ReaderGuard;

pub(crate) use crate::schema::render::quoted;

/// How a source is opened.
#[derive(Debug, Clone, Copy)]
pub struct SourceOptions {
    /// Connections, each for one thread at a time; at least one is made.
    pub readers: usize,
    /// How long to wait for a writer that has the file locked.
    pub busy_timeout: Duration,
}

impl Default for SourceOptions {
    fn default() -> SourceOptions {
        SourceOptions { readers: 2, busy_timeout: Duration::from_secs(5) }
    }
}

/// How all readers came to see the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Snapshot {
    /// A rollback journal: readers hold off whoever would commit.
    RollbackJournal,
    /// A write-ahead log, as it was at one moment; others go on writing behind it.
    Wal,
    /// The same, begun while another program had a write open: by one reader alone.
    WalWhileWritten,
    /// A copy of file and write-ahead log.
    CopiedAside,
}

impl fmt::Display for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Snapshot::RollbackJournal => "rollback journal: who writes waits until all is read",
            Snapshot::Wal => "write-ahead log: what others write from now on is not in it",
            Snapshot::WalWhileWritten => {
                "write-ahead log: another program has a write open, which is not in it; one reader at a time"
            }
            Snapshot::CopiedAside => "file and write-ahead log, copied aside",
        })
    }
}

/// A SQLite file, frozen: as long as this value lives, all its readers see the same rows.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    encoding: String,
    journal_mode: String,
    snapshot: Snapshot,
    file_bytes: u64,
    /// Taken apart in [`Drop`], in the order that leaves the folder as it was.
    frozen: Mutex<freeze::Frozen>,
    readers: Vec<Mutex<Connection>>,
    /// Positions in `readers` of those that are not lent.
    idle: Mutex<Vec<usize>>,
    returned: Condvar,
}

impl Source {
    /// Opens a file read-only and freezes it.
    ///
    /// # Errors
    /// [`SourceError`] has a variant for each way in which a file is not a readable SQLite database, with the way out.
    pub fn open(path: &Path, options: SourceOptions) -> Result<Source, SourceError> {
        let header = header::examine(path)?;
        let (frozen, readers, snapshot) = freeze::freeze(path, &header, options)?;
        let fault = |error| SourceError::of(path, error);
        let text = |name: &str| match readers.first() {
            Some(reader) => {
                reader.pragma_query_value(None, name, |row| row.get::<_, String>(0)).map_err(fault)
            }
            None => Ok(String::new()),
        };
        let encoding = text("encoding")?;
        let journal_mode = if header.wal { "wal".to_owned() } else { text("journal_mode")? };
        Ok(Source {
            path: path.to_owned(),
            encoding,
            journal_mode,
            snapshot,
            file_bytes: header.file_bytes,
            frozen: Mutex::new(frozen),
            idle: Mutex::new((0..readers.len()).collect()),
            readers: readers.into_iter().map(Mutex::new).collect(),
            returned: Condvar::new(),
        })
    }

    /// The file as it was named.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `PRAGMA encoding`: `UTF-8`, `UTF-16le`, `UTF-16be`.
    #[must_use]
    pub fn encoding(&self) -> &str {
        &self.encoding
    }

    /// `PRAGMA journal_mode` of the file: `delete`, `wal`, …
    #[must_use]
    pub fn journal_mode(&self) -> &str {
        &self.journal_mode
    }

    /// How its readers came to see the same rows.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot
    }

    /// Bytes of the main file, for progress.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// How many readers there are.
    #[must_use]
    pub fn readers(&self) -> usize {
        self.readers.len()
    }

    /// Lends a connection; waits while all are lent. It is inside the snapshot's transaction: do not end that.
    #[must_use]
    pub fn reader(&self) -> ReaderGuard<'_> {
        ReaderGuard::borrow(self)
    }

    /// The SQL expression that reads a column without loss, whatever the file's encoding; every stage that reads cells
    /// must select it, so that all see the same.
    ///
    /// In a UTF-8 file that is the column: SQLite hands out a text's bytes as they are. A UTF-16 file's texts SQLite
    /// converts, and changes what has no UTF-8 form (half of a surrogate pair becomes another character): a text that does
    /// not survive the way to UTF-8 and back (or holds a NUL) is read as the blob of its UTF-16 bytes instead.
    #[must_use]
    pub fn cell(&self, column: &str) -> String {
        let column = quoted(column);
        if self.encoding == "UTF-8" {
            return column;
        }
        // printf() works in UTF-8, so its result has gone there and back. The collation is named because the column's own
        // may be one that only its application has.
        format!(
            "CASE WHEN typeof({column}) = 'text' AND printf('%s', {column}) COLLATE BINARY IS NOT {column} \
             THEN CAST({column} AS BLOB) ELSE {column} END"
        )
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.readers.clear();
        self.frozen.get_mut().unwrap_or_else(PoisonError::into_inner).thaw();
    }
}

#[cfg(test)]
mod tests;
