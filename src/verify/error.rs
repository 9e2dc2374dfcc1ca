//! Why a comparison could not be made. A difference is no error: it is the comparison's outcome.

use crate::target::ConnectError;

/// What keeps the two sides from being compared.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The SQLite side cannot be read.
    #[error("table `{table}` of the source cannot be read")]
    Source {
        /// The source table.
        table: String,
        /// What SQLite says.
        #[source]
        cause: rusqlite::Error,
    },
    /// The PostgreSQL side cannot be read.
    #[error("{what}: {message}")]
    Target {
        /// What was being done, and to which table.
        what: String,
        /// What the server or the driver says; never the line of the server's own code.
        message: String,
        /// The SQLSTATE, if it was the server that complained.
        code: Option<String>,
    },
    /// What came back from the target is not PostgreSQL's binary COPY format.
    #[error(
        "table `{table}` of the target: the rows came back in an unknown form ({fault}); this is a fault of mtm or of a proxy in between, connect to the server directly"
    )]
    Protocol {
        /// The target table.
        table: String,
        /// What was wrong.
        fault: &'static str,
    },
    /// The ledger's rejects cannot be read.
    #[error(transparent)]
    Ledger(crate::target::LedgerError),
    /// A rejected row in the ledger is not of the form that `mtm` writes.
    #[error(
        "table `{table}`: a rejected row in the ledger is not of the form that mtm writes; `mtm apply --restart` copies the table anew"
    )]
    Reject {
        /// The target table.
        table: String,
    },
    /// A time zone that the mapping names is not known here.
    #[error(
        "table `{table}`, column `{column}`: this machine does not know the time zone `{zone}`; install the package tzdata, or correct `assume_tz`"
    )]
    Zone {
        /// The source table.
        table: String,
        /// The source column.
        column: String,
        /// The zone's name.
        zone: String,
    },
    /// A session beside those that read could not be opened.
    #[error("a further session on the target could not be opened")]
    Session(#[source] ConnectError),
    /// A reader ended without an answer, because the runtime is shutting down or it failed.
    #[error("a reader of the {side} ended before it was done")]
    Reader {
        /// `source` or `target`.
        side: &'static str,
    },
}

impl VerifyError {
    /// Wraps what sqlx says, without the server's C source line.
    pub(super) fn target(what: impl Into<String>, error: &sqlx::Error) -> VerifyError {
        let (message, code) = match error.as_database_error() {
            Some(database) => (database.message().to_owned(), database.code().map(|code| code.into_owned())),
            None => (error.to_string(), None),
        };
        VerifyError::Target { what: what.into(), message, code }
    }
}
