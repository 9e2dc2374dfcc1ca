//! Why a target cannot be reached, each cause with its way out.

use std::time::Duration;

use crate::ServerError;

/// Why a target cannot be reached. No variant holds a password or a whole URL.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing says which target is meant: a usage error.
    #[error(
        "no target is given: pass --target URL, or set MTM_TARGET, DATABASE_URL, or libpq's PGHOST or PGDATABASE"
    )]
    NoTarget,
    /// The URL cannot be used.
    #[error(
        "the target's URL (from {origin}) cannot be used: {reason}. It looks like \
         postgresql://user:password@host:5432/database, with special characters in the password percent-encoded"
    )]
    BadUrl {
        /// What it was read from.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// One of libpq's variables cannot be used.
    #[error("the environment variable {name} cannot be used: {reason}")]
    BadVariable {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The schema's name cannot be used.
    #[error("the schema's name {schema:?} cannot be used: {reason}; pass another with --schema")]
    BadSchema {
        /// The name as given.
        schema: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Nobody listens there.
    #[error(
        "there is no PostgreSQL server at {server} ({reason}): check the host and the port, and that it runs"
    )]
    NoServer {
        /// Host and port, or socket directory and port.
        server: String,
        /// What the operating system said.
        reason: String,
    },
    /// The server did not answer.
    #[error(
        "the server at {server} did not answer within {} s: check the host, the port, and firewalls between",
        waited.as_secs()
    )]
    TimedOut {
        /// Host and port.
        server: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The password is wrong, or none was given.
    #[error(
        "the server at {server} refuses the password of the role {user:?}: check the password in the URL (special \
         characters percent-encoded), PGPASSWORD, or ~/.pgpass"
    )]
    WrongPassword {
        /// Host and port.
        server: String,
        /// The role.
        user: String,
    },
    /// There is no such role, it may not log in, or `pg_hba.conf` does not let it in.
    #[error("the server at {server} does not let the role {user:?} log in: check the user in the URL")]
    RoleRefused {
        /// Host and port.
        server: String,
        /// The role.
        user: String,
        /// What the server said.
        #[source]
        source: ServerError,
    },
    /// There is no such database.
    #[error(
        "the server at {server} has no database {database:?}: create it (createdb), or name another in the URL"
    )]
    NoDatabase {
        /// Host and port.
        server: String,
        /// The database.
        database: String,
    },
    /// The role may not connect to the database.
    #[error(
        "the role {user:?} may not connect to the database {database:?} at {server}: as its owner run \
         GRANT CONNECT ON DATABASE"
    )]
    DatabaseRefused {
        /// Host and port.
        server: String,
        /// The database.
        database: String,
        /// The role.
        user: String,
    },
    /// Encryption could not be agreed on.
    #[error(
        "no encrypted connection to the server at {server} came about ({reason}): check sslmode and sslrootcert"
    )]
    Tls {
        /// Host and port.
        server: String,
        /// What went wrong.
        reason: String,
    },
    /// The session is not one of the server's own: what is sent on it may end up in somebody else's.
    #[error(
        "{server} is a connection pooler that shares sessions between transactions, which copying and locking cannot \
         use: set DATABASE_UNPOOLED_URL, or pass --target, with the server's direct URL"
    )]
    TransactionPooler {
        /// Host and port.
        server: String,
    },
    /// The server refused for another reason.
    #[error("the server at {server} refused the connection")]
    Refused {
        /// Host and port.
        server: String,
        /// What it said.
        #[source]
        source: ServerError,
    },
    /// The server did not answer a question about itself.
    #[error("the server at {server} could not be asked about itself")]
    Question {
        /// Host and port.
        server: String,
        /// What it said.
        #[source]
        source: ServerError,
    },
}

impl ConnectError {
    /// What the server said, where it said something; a server that cannot be reached counts as a lost connection.
    #[must_use]
    pub fn server(&self) -> Option<ServerError> {
        match self {
            ConnectError::NoServer { .. } | ConnectError::TimedOut { .. } => {
                Some(ServerError::of_lost_connection(self.to_string()))
            }
            ConnectError::RoleRefused { source, .. }
            | ConnectError::Refused { source, .. }
            | ConnectError::Question { source, .. } => Some(source.clone()),
            _ => None,
        }
    }

    /// Whether the command line or the environment asks for what cannot be, rather than that a server says no.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, ConnectError::NoTarget | ConnectError::BadUrl { .. } | ConnectError::BadSchema { .. })
    }
}
