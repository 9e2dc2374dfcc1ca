//! The ways in which a file is not a readable SQLite database, each with its way out.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::ErrorCode;

/// Why a file cannot be the source.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is nothing at the path.
    #[error("{path}: there is no such file; check the path given as --source", path = .path.display())]
    NotFound {
        /// The file as it was named.
        path: PathBuf,
    },
    /// The path is a folder.
    #[error("{path} is a directory; --source takes the SQLite file inside it", path = .path.display())]
    Directory {
        /// The path as it was named.
        path: PathBuf,
    },
    /// The path is neither a file nor a folder.
    #[error("{path} is not a regular file; --source takes a SQLite file", path = .path.display())]
    NotAFile {
        /// The path as it was named.
        path: PathBuf,
    },
    /// The file has no bytes. SQLite would take it for a new database.
    #[error("{path} is empty (0 bytes); was the database written, or its copy cut short?", path = .path.display())]
    Empty {
        /// The file as it was named.
        path: PathBuf,
    },
    /// The first bytes are not SQLite's.
    #[error("{path} is not a SQLite database: it does not begin with \"SQLite format 3\"{hint}", path = .path.display())]
    NotSqlite {
        /// The file as it was named.
        path: PathBuf,
        /// What it looks like instead, and what to do; may be empty.
        hint: &'static str,
    },
    /// The bytes look random.
    #[error("{path} looks encrypted (SQLCipher or the like): it does not begin with \"SQLite format 3\", and its bytes look random; decrypt it first, for example with sqlcipher_export()", path = .path.display())]
    LooksEncrypted {
        /// The file as it was named.
        path: PathBuf,
    },
    /// The file is shorter than its header says.
    #[error("{path} is truncated: its header counts {expected_bytes} bytes, the file has {actual_bytes}; copy it again, or save what is left with the sqlite3 shell's .recover", path = .path.display())]
    Truncated {
        /// The file as it was named.
        path: PathBuf,
        /// Pages times page size.
        expected_bytes: u64,
        /// The file's length.
        actual_bytes: u64,
    },
    /// A writer holds the file.
    #[error("{path} is locked by another program that is writing to it (waited {waited:?}); stop the program, or try again later", path = .path.display())]
    Locked {
        /// The file as it was named.
        path: PathBuf,
        /// How long was waited.
        waited: Duration,
    },
    /// The system does not let us read.
    #[error("{path}: no permission to read it; run as a user who may, or change the file's mode", path = .path.display())]
    PermissionDenied {
        /// The file as it was named.
        path: PathBuf,
    },
    /// A rollback journal of a writer that died has still to be played back.
    #[error("{path} has a hot journal beside it ({journal}): a program died while writing, and the file must be rolled back first; open it once with the program itself or with the sqlite3 shell", path = .path.display(), journal = .journal.display())]
    HotJournal {
        /// The file as it was named.
        path: PathBuf,
        /// The journal.
        journal: PathBuf,
    },
    /// `sqlite_schema` holds something that SQLite does not parse.
    #[error("{path}: SQLite cannot read the schema: {detail}; repair it with the sqlite3 shell (PRAGMA writable_schema), or save the data with its .recover", path = .path.display())]
    MalformedSchema {
        /// The file as it was named.
        path: PathBuf,
        /// SQLite's own words.
        detail: String,
    },
    /// The file is damaged.
    #[error("{path} is damaged: {detail}; save what is left with the sqlite3 shell's .recover", path = .path.display())]
    Damaged {
        /// The file as it was named.
        path: PathBuf,
        /// SQLite's own words.
        detail: String,
    },
    /// The file was written by a later SQLite than is built in.
    #[error("{path} has a file format that this program's SQLite ({sqlite}) does not know; update the program, or write the file anew with VACUUM INTO", path = .path.display())]
    NewerFormat {
        /// The file as it was named.
        path: PathBuf,
        /// The SQLite version that is built in.
        sqlite: &'static str,
    },
    /// The file changed each time that it was copied aside.
    #[error("{path} changes while it is copied aside; stop the program that writes to it, or give write permission on its folder so that it can be read in place", path = .path.display())]
    Changing {
        /// The file as it was named.
        path: PathBuf,
    },
    /// The file could not be copied to a place where it can be read.
    #[error("{path} cannot be read in place, and copying it to {to} failed; TMPDIR can name a folder with room", path = .path.display(), to = .to.display())]
    CopyAside {
        /// The file as it was named.
        path: PathBuf,
        /// The folder of the copy.
        to: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The readers came to see different states of the file.
    #[error("{path}: another program wrote to it while it was being opened; try again", path = .path.display())]
    NotOneSnapshot {
        /// The file as it was named.
        path: PathBuf,
    },
    /// Reading failed in the system.
    #[error("{path} cannot be read", path = .path.display())]
    Io {
        /// The file as it was named.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Any other refusal of SQLite's.
    #[error("{path}: SQLite cannot open it", path = .path.display())]
    Sqlite {
        /// The file as it was named.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
}

/// `SQLITE_READONLY_ROLLBACK`: a hot journal, and no right to roll back.
const READONLY_ROLLBACK: i32 = 776;

impl SourceError {
    /// Finds the variant for what the system said.
    pub(super) fn of_io(path: &Path, source: io::Error) -> SourceError {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SourceError::NotFound { path },
            io::ErrorKind::PermissionDenied => SourceError::PermissionDenied { path },
            _ => SourceError::Io { path, source },
        }
    }

    /// Finds the variant for what SQLite said (SQLite, "Result and Error Codes").
    pub(super) fn of(path: &Path, source: rusqlite::Error) -> SourceError {
        let path = path.to_owned();
        let rusqlite::Error::SqliteFailure(failure, message) = &source else {
            return SourceError::Sqlite { path, source };
        };
        let detail = message.clone().unwrap_or_else(|| failure.to_string());
        match failure.code {
            _ if detail.starts_with("malformed database schema") => {
                SourceError::MalformedSchema { path, detail }
            }
            _ if detail.contains("unsupported file format") => {
                SourceError::NewerFormat { path, sqlite: rusqlite::version() }
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                SourceError::Locked { path, waited: Duration::ZERO }
            }
            ErrorCode::ReadOnly if failure.extended_code == READONLY_ROLLBACK => {
                let journal = super::header::beside(&path, "-journal");
                SourceError::HotJournal { path, journal }
            }
            ErrorCode::DatabaseCorrupt => SourceError::Damaged { path, detail },
            ErrorCode::NotADatabase => SourceError::Damaged {
                path,
                detail: "its first page is not that of a database, or is encrypted".to_owned(),
            },
            ErrorCode::PermissionDenied => SourceError::PermissionDenied { path },
            _ => SourceError::Sqlite { path, source },
        }
    }

    /// Whether waiting may help.
    pub(super) fn is_locked(&self) -> bool {
        matches!(self, SourceError::Locked { .. } | SourceError::NotOneSnapshot { .. })
    }
}
