//! How the readers come to see one snapshot, and how the folder is left as it was.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use tempfile::TempDir;

use super::{
    Snapshot, SourceError, SourceOptions,
    header::{Header, beside, length},
};

/// Page cache of a reader, in KiB (negative is SQLite's way of saying KiB). A scan reads each page once, so more would
/// only cost memory.
const CACHE_KIB: i64 = -4096;

/// How often a copy is tried again when the file changed under it.
const COPY_ATTEMPTS: usize = 5;

/// Between two tries to get all readers into one snapshot.
const PAUSE: Duration = Duration::from_millis(50);

/// What must outlive the readers.
#[derive(Debug)]
pub(super) struct Frozen {
    /// The read-write handle of a file in WAL mode.
    keeper: Option<Keeper>,
    /// The folder of a copy, removed in the end.
    aside: Option<TempDir>,
}

/// The read-write handle that opened the WAL, and never writes.
#[derive(Debug)]
struct Keeper {
    connection: Connection,
    wal: PathBuf,
    /// Whether there was a WAL before.
    found_wal: bool,
}

impl Frozen {
    /// Leaves the folder as it was. The readers must be closed.
    pub(super) fn thaw(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            // An empty WAL that was not there before goes as it came: the last handle to close removes it, and has
            // nothing to checkpoint. A WAL with frames is another program's, and stays as it is.
            if !keeper.found_wal && length(&keeper.wal) == 0 {
                let _ = keeper.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
            }
            let _ = keeper.connection.close();
        }
        drop(self.aside.take());
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.thaw();
    }
}

/// Opens the readers in one snapshot.
pub(super) fn freeze(
    named: &Path,
    header: &Header,
    options: SourceOptions,
) -> Result<(Frozen, Vec<Connection>, Snapshot), SourceError> {
    let deadline = Instant::now() + options.busy_timeout;
    let mut frozen = Frozen { keeper: None, aside: None };
    if !header.wal {
        let readers = retried(deadline, options, || readers(named, &header.path, options, deadline))?;
        return Ok((frozen, readers, Snapshot::RollbackJournal));
    }
    if let Some(keeper) = keeper(named, header, deadline)? {
        let connection = &keeper.connection;
        let of = |error| SourceError::of(named, error);
        let begun = retried(deadline, options, || {
            connection.busy_timeout(remaining(deadline)).map_err(of)?;
            connection.execute_batch("BEGIN IMMEDIATE").map_err(of)?;
            let readers = readers(named, &header.path, options, deadline);
            connection.execute_batch("ROLLBACK").map_err(of)?;
            readers
        });
        frozen.keeper = Some(keeper);
        return match begun {
            // Another program has a write transaction open, and may have it open for long. One reader needs no lock to
            // see one snapshot.
            Err(error) if error.is_locked() => {
                let alone = SourceOptions { readers: 1, ..options };
                let readers = readers(named, &header.path, alone, Instant::now() + options.busy_timeout)?;
                Ok((frozen, readers, Snapshot::WalWhileWritten))
            }
            begun => Ok((frozen, begun?, Snapshot::Wal)),
        };
    }
    let (folder, copy) = copy_aside(named, &header.path)?;
    frozen.aside = Some(folder);
    let readers = readers(named, &copy, options, deadline)?;
    Ok((frozen, readers, Snapshot::CopiedAside))
}

/// Runs until it is no longer the lock that stands in the way, or the time is over.
fn retried<T>(
    deadline: Instant,
    options: SourceOptions,
    mut attempt: impl FnMut() -> Result<T, SourceError>,
) -> Result<T, SourceError> {
    loop {
        match attempt() {
            Err(error) if error.is_locked() && Instant::now() < deadline => thread::sleep(PAUSE),
            Err(SourceError::Locked { path, .. }) => {
                return Err(SourceError::Locked { path, waited: options.busy_timeout });
            }
            other => return other,
        }
    }
}

fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Opens all readers, each with a transaction that has read. On failure all let go, so that a writer that waits for them
/// can finish.
fn readers(
    named: &Path,
    path: &Path,
    options: SourceOptions,
    deadline: Instant,
) -> Result<Vec<Connection>, SourceError> {
    let mut readers: Vec<Connection> = Vec::new();
    let mut first = None;
    for _ in 0..options.readers.max(1) {
        let (reader, state) = reader(path, deadline).map_err(|error| SourceError::of(named, error))?;
        if *first.get_or_insert_with(|| state.clone()) != state {
            return Err(SourceError::NotOneSnapshot { path: named.to_owned() });
        }
        readers.push(reader);
    }
    Ok(readers)
}

/// What two readers of one snapshot agree on. (`PRAGMA data_version` of two connections cannot be compared, and the file
/// itself must not be opened by hand while it is locked: closing it would let go of the locks.)
#[derive(Clone, PartialEq)]
struct State {
    page_count: i64,
    schema_version: i64,
}

fn reader(path: &Path, deadline: Instant) -> rusqlite::Result<(Connection, State)> {
    // Each connection is used by one thread at a time, so SQLite needs no mutex of its own.
    let reader = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    reader.busy_timeout(remaining(deadline))?;
    // Nothing in the file's schema may run code; nothing is written; damaged cells are errors, not garbage; a mapped
    // file would count as this program's memory; a CHECK or a DEFAULT in double quotes stays readable.
    reader.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    reader.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    reader.pragma_update(None, "query_only", true)?;
    reader.pragma_update(None, "cell_size_check", true)?;
    reader.pragma_update(None, "mmap_size", 0)?;
    reader.pragma_update(None, "cache_size", CACHE_KIB)?;
    // Sorting is small here, and a temporary file could end up anywhere.
    reader.pragma_update(None, "temp_store", "MEMORY")?;
    reader.execute_batch("BEGIN")?;
    reader.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let number = |name: &str| reader.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let state = State { page_count: number("page_count")?, schema_version: number("schema_version")? };
    Ok((reader, state))
}

/// Opens the read-write handle of a file in WAL mode; `None` where it cannot be had without leaving something behind.
fn keeper(named: &Path, header: &Header, deadline: Instant) -> Result<Option<Keeper>, SourceError> {
    let wal = beside(&header.path, "-wal");
    let found_wal = wal.exists();
    // The wal-index would be made, and stay: nobody else is there to remove it.
    let orphaned_wal = found_wal && !beside(&header.path, "-shm").exists();
    if orphaned_wal || (found_wal && !writable(&header.path)) {
        return Ok(None);
    }
    let of = |error| SourceError::of(named, error);
    let opened = Connection::open_with_flags(
        &header.path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    );
    let Ok(connection) = opened else { return Ok(None) };
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(of)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false).map_err(of)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(of)?;
    // Opening falls back to read-only where the file cannot be written.
    if connection.is_readonly(rusqlite::MAIN_DB).map_err(of)? {
        return Ok(None);
    }
    connection.busy_timeout(remaining(deadline)).map_err(of)?;
    let keeper = Keeper { connection, wal, found_wal };
    match keeper.connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(of) {
        Ok(()) => Ok(Some(keeper)),
        Err(error) => {
            Frozen { keeper: Some(keeper), aside: None }.thaw();
            match error {
                SourceError::Sqlite { .. } | SourceError::PermissionDenied { .. } => Ok(None),
                error => Err(error),
            }
        }
    }
}

/// Whether the file, and what SQLite keeps beside it, can be opened for writing. Nothing is written to find out.
fn writable(path: &Path) -> bool {
    [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")]
        .iter()
        .all(|path| fs::OpenOptions::new().write(true).open(path).is_ok())
}

/// Copies file and WAL into a temporary folder, and makes sure that they did not change meanwhile.
fn copy_aside(named: &Path, path: &Path) -> Result<(TempDir, PathBuf), SourceError> {
    let failed =
        |to: PathBuf| move |source| SourceError::CopyAside { path: named.to_owned(), to: to.clone(), source };
    let folder =
        tempfile::Builder::new().prefix("mtm-source-").tempdir().map_err(failed(std::env::temp_dir()))?;
    let failed = failed(folder.path().to_owned());
    let copy = folder.path().join("source.db");
    for _ in 0..COPY_ATTEMPTS {
        let before = condition(path);
        copy_bytes(path, &copy).map_err(&failed)?;
        let (wal, wal_copy) = (beside(path, "-wal"), beside(&copy, "-wal"));
        if wal.exists() {
            copy_bytes(&wal, &wal_copy).map_err(&failed)?;
        } else if wal_copy.exists() {
            fs::remove_file(&wal_copy).map_err(&failed)?;
        }
        if condition(path) == before {
            return Ok((folder, copy));
        }
    }
    Err(SourceError::Changing { path: named.to_owned() })
}

/// Copies a file's bytes without its mode: the copy must be writable, whatever the original is.
fn copy_bytes(from: &Path, to: &Path) -> io::Result<u64> {
    io::copy(&mut File::open(from)?, &mut File::create(to)?)
}

/// Length and time of the last change of the file, its WAL and its wal-index.
fn condition(path: &Path) -> [Option<(u64, Option<SystemTime>)>; 3] {
    [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")]
        .map(|path| fs::metadata(path).ok().map(|metadata| (metadata.len(), metadata.modified().ok())))
}
