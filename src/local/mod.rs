//! The private PostgreSQL: a server of one's own in `.mtm/`, for the demo, for a first look, for the tests.
//!
//! It exists so that nobody must ask an administrator for a database before seeing what `mtm` does. In comes a working
//! directory; out comes a running server and its URL. The server programs are the machine's own. The server listens on a
//! unix socket in a directory of mode 0700, so that file permissions are its authentication; on TCP it listens only when
//! asked to, and then wants a password (SCRAM).
//!
//! PostgreSQL refuses to run as root. Root's server therefore runs as an unprivileged account, with its files under
//! `/var/tmp`, where that account can reach them, and a pointer in `.mtm/`.

mod account;
mod binaries;
mod database;
mod error;
mod initialise;
mod lifecycle;
mod place;
mod postmaster;
mod secret;

use std::path::{Path, PathBuf};

pub use self::{
    binaries::{Binaries, find_binaries},
    error::LocalError,
};

/// The role that owns the private server's databases: the name that every PostgreSQL tool expects.
pub const SUPERUSER: &str = "postgres";

/// The socket's number when no TCP port is asked for: libpq's default. The socket's directory is private, so that the
/// number never clashes with another server's.
pub const SOCKET_PORT: u16 = 5432;

/// The private server of one working directory.
#[derive(Clone, Debug)]
pub struct LocalServer {
    workdir: PathBuf,
}

/// How the server is to listen.
#[derive(Clone, Copy, Debug, Default)]
pub struct StartOptions {
    /// Listens on this TCP port of `localhost` too, with a generated password.
    pub port: Option<u16>,
}

/// What the server of a working directory is doing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Status {
    /// It was never started here.
    Absent,
    /// Its data is there; no process serves it.
    Stopped {
        /// Its data directory.
        data: PathBuf,
    },
    /// A process is there, and does not take connections yet (or no longer).
    Starting {
        /// The postmaster's process id.
        pid: u32,
        /// What the server has to say about it.
        log: PathBuf,
    },
    /// It takes connections.
    Running(Running),
}

/// A server that takes connections.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Running {
    /// The postmaster's process id.
    pub pid: u32,
    /// The number in the socket's name, and the TCP port if there is one.
    pub port: u16,
    /// Whether it listens on TCP too.
    pub tcp: bool,
    /// The directory of its unix socket, of mode 0700.
    pub socket_directory: PathBuf,
    /// Its data directory.
    pub data: PathBuf,
    /// The server's log.
    pub log: PathBuf,
    /// The file, of mode 0600, with the password that TCP connections need.
    pub password_file: Option<PathBuf>,
}

impl LocalServer {
    /// Names the server of a working directory; its state lies under `workdir/.mtm/`. Touches nothing.
    pub fn at(workdir: &Path) -> LocalServer {
        LocalServer { workdir: workdir.to_owned() }
    }

    /// Gives the URL of a database on the running server, as `--target` takes it.
    ///
    /// # Errors
    /// [`LocalError::NotRunning`], and whatever [`LocalServer::status`] finds.
    pub fn url(&self, database: &str) -> Result<String, LocalError> {
        match self.status()? {
            Status::Running(running) => Ok(running.url(database)),
            _ => Err(LocalError::NotRunning { workdir: self.workdir.clone() }),
        }
    }
}
