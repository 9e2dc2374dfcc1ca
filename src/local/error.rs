//! What can go wrong with the private server, and the way out of each.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why the private server cannot be found, started, stopped or used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The machine has no PostgreSQL server programs, or none that the server's account may run.
    #[error(
        "PostgreSQL's server programs (initdb, pg_ctl, postgres) are not on this machine, or may not be run by {account}; \
         install them with `apt-get install postgresql` (Debian, Ubuntu), `dnf install postgresql-server` (Fedora) or \
         `brew install postgresql` (macOS), or put their directory on PATH"
    )]
    BinariesMissing {
        /// Who would run them.
        account: String,
    },

    /// The data directory was made by another major version than any that is installed.
    #[error(
        "the data in {data} was made by PostgreSQL {data_major}, and this machine has {installed}; install PostgreSQL \
         {data_major}, or move {data} away to begin with an empty server"
    )]
    OtherMajorVersion {
        /// The data directory.
        data: PathBuf,
        /// The major version, as its `PG_VERSION` has it.
        data_major: String,
        /// The major versions that were found, in words.
        installed: String,
    },

    /// Root has no account to hand the server to.
    #[error(
        "PostgreSQL does not run as root, and the accounts `postgres` and `nobody` do not exist; add one, or run as a plain \
         user"
    )]
    NoUnprivilegedAccount,

    /// The files belong to somebody else.
    #[error(
        "{path} belongs to the account number {owner}, which PostgreSQL cannot run as from here; run as that account or \
         as root, or remove the `.mtm` directory that leads there and start again"
    )]
    ForeignOwner {
        /// What belongs to somebody else.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },

    /// The server already runs, and listens elsewhere than asked.
    #[error(
        "the private PostgreSQL already runs {actual}, not on TCP port {asked}; stop it first with `mtm local stop`, or \
         leave --port out"
    )]
    OtherPort {
        /// The port that was asked for.
        asked: u16,
        /// Where it listens, in words.
        actual: String,
    },

    /// A server process is there that takes no connections.
    #[error(
        "the private PostgreSQL (process {pid}) is there but takes no connections yet; wait a moment, or read {log}"
    )]
    StillStarting {
        /// The postmaster's process id.
        pid: u32,
        /// The server's log.
        log: PathBuf,
    },

    /// A server runs, and its socket was deleted from under it.
    #[error(
        "the private PostgreSQL (process {pid}) runs, but its socket directory {socket_directory} is gone; run `mtm local \
         stop`, then `mtm local start`"
    )]
    SocketGone {
        /// The postmaster's process id.
        pid: u32,
        /// Where the socket was.
        socket_directory: PathBuf,
    },

    /// Nothing runs here.
    #[error("no private PostgreSQL runs in {workdir}; start it with `mtm local start`")]
    NotRunning {
        /// The working directory.
        workdir: PathBuf,
    },

    /// `initdb` failed.
    #[error("initdb could not make the data directory {data}: {reason}")]
    Initialise {
        /// The data directory that it should have made.
        data: PathBuf,
        /// What initdb said.
        reason: String,
    },

    /// `pg_ctl start` failed.
    #[error("PostgreSQL did not start: {reason}; the whole log is {log}")]
    Start {
        /// What the server said.
        reason: String,
        /// The server's log.
        log: PathBuf,
    },

    /// `pg_ctl stop` failed.
    #[error("PostgreSQL did not stop: {reason}; end its connections and try again, or read {log}")]
    Stop {
        /// What pg_ctl said.
        reason: String,
        /// The server's log.
        log: PathBuf,
    },

    /// The password for TCP connections could not be set.
    #[error(
        "the password for TCP connections could not be set: {reason}; start without --port to use the socket alone"
    )]
    Password {
        /// What the server said.
        reason: String,
    },

    /// A file or directory could not be handled.
    #[error(
        "could not {action} {path}; check that it may be read and written, or use another working directory"
    )]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// A program could not be run.
    #[error("could not run {program}; check that it is installed and may be run by this account")]
    Run {
        /// The program.
        program: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// A database could not be looked up or made.
    #[error("could not make the database {database} on the private PostgreSQL; its log is {log}")]
    Database {
        /// Its name.
        database: String,
        /// The server's log.
        log: PathBuf,
        /// What sqlx or the server said.
        #[source]
        source: sqlx::Error,
    },
}

impl LocalError {
    /// Wraps an I/O error with what was tried on what.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> LocalError {
        let path = path.into();
        move |source| LocalError::Io { action, path, source }
    }
}
