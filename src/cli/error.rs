//! Errors as text and as exit codes: the one place that knows both.

use std::{error::Error, path::PathBuf, process::ExitCode};

use super::output::Output;
use crate::{
    apply::{ApplyError, Signal},
    audit::AuditError,
    dashboard::ServeError,
    inspect::{DriftError, InspectError},
    local::LocalError,
    mapping::MappingError,
    plan::SavedPlanError,
    source::SourceError,
    target::{self, MigrateError, ServerError},
    verify::{CertificateError, VerifyError},
};

/// How a command ended. The numbers are a contract (`mtm --help`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Failed.
    Failed,
    /// There are differences.
    Differences,
    /// Refused: a blocker, or another run holds the lock.
    Refused,
    /// The source is not the one that was copied, or a saved plan is stale.
    ChangedSource,
    /// Done, but for rows that were rejected.
    Rejected,
    /// Usage.
    Usage,
    /// A signal ended it: 128 and the signal's number, as a shell has it.
    Interrupted(Signal),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Differences => 2,
            Exit::Refused => 3,
            Exit::ChangedSource => 4,
            Exit::Rejected => 5,
            Exit::Usage => 64,
            Exit::Interrupted(Signal::Interrupt) => 130,
            Exit::Interrupted(Signal::Terminate) => 143,
        })
    }
}

/// Whatever can end a command.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The command line asks for what cannot be.
    #[error("{message}")]
    Usage { message: String, hint: Option<String> },
    /// Something forbids it.
    #[error("{message}")]
    Refused { message: String, hint: Option<String> },
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Mapping(#[from] MappingError),
    #[error(transparent)]
    Connect(#[from] target::ConnectError),
    #[error(transparent)]
    Lock(#[from] target::LockError),
    #[error(transparent)]
    Ledger(#[from] target::LedgerError),
    #[error(transparent)]
    Version(#[from] target::VersionError),
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error(transparent)]
    Command(#[from] target::CommandError),
    #[error(transparent)]
    Inspect(#[from] InspectError),
    #[error(transparent)]
    Drift(#[from] DriftError),
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error("the certificate {} cannot be used", path.display())]
    Certificate {
        path: PathBuf,
        #[source]
        source: CertificateError,
    },
    #[error("the plan {} cannot be used", path.display())]
    SavedPlan {
        path: PathBuf,
        #[source]
        source: SavedPlanError,
    },
    /// What is to be done is no longer what was saved.
    #[error("the plan {} is stale: things have changed since it was saved", path.display())]
    StalePlan { path: PathBuf, changes: Vec<String> },
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Local(#[from] LocalError),
    #[error(transparent)]
    Demo(#[from] crate::demo::DemoError),
    #[error("{what}")]
    Io {
        what: String,
        #[source]
        source: std::io::Error,
    },
}

/// Characters of a refused statement that are shown: a table of 1,700 columns would bury the reason.
const SHOWN_SQL: usize = 400;

impl CliError {
    pub(super) fn io(what: impl Into<String>, source: std::io::Error) -> CliError {
        CliError::Io { what: what.into(), source }
    }

    fn exit(&self) -> Exit {
        match self {
            CliError::Usage { .. } => Exit::Usage,
            CliError::Connect(error) if error.is_usage() => Exit::Usage,
            CliError::Refused { .. }
            | CliError::Lock(target::LockError::Held { .. })
            | CliError::Apply(ApplyError::Lock(target::LockError::Held { .. })) => Exit::Refused,
            CliError::StalePlan { .. } => Exit::ChangedSource,
            CliError::Apply(ApplyError::Interrupted { signal, .. }) => Exit::Interrupted(*signal),
            CliError::Command(error) if error.is_refusal() => Exit::Refused,
            CliError::Migrate(error) | CliError::Apply(ApplyError::Migrate(error)) if error.is_refusal() => {
                Exit::Refused
            }
            _ => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            CliError::Usage { hint, .. } | CliError::Refused { hint, .. } => hint.clone(),
            CliError::Inspect(InspectError::Refused { reason, .. })
                if reason.starts_with("permission denied to create temporary tables") =>
            {
                Some("a plan is tried out in temporary tables; as the database's owner run GRANT TEMPORARY ON DATABASE".to_owned())
            }
            CliError::Inspect(InspectError::Refused { reason, .. }) if reason.contains("read-only transaction") => {
                Some("a plan is tried out in temporary tables, which a standby or a read-only role has none of".to_owned())
            }
            CliError::Inspect(InspectError::Refused { sql, .. }) => {
                let shown: String = sql.chars().take(SHOWN_SQL).collect();
                let more = if shown.len() < sql.len() { " …" } else { "" };
                Some(format!("the statement was: {shown}{more}"))
            }
            CliError::StalePlan { .. } => Some(
                "look at what is to be done now, and save it anew with `mtm plan --out FILE`; or carry it out with `mtm \
                 apply` without a file"
                    .to_owned(),
            ),
            CliError::Local(LocalError::NotRunning { .. }) => {
                Some("start it with `mtm local start`".to_owned())
            }
            CliError::Serve(ServeError::NotOurs { .. }) => Some(
                "`mtm apply` with the Music Time Machine's mapping makes it one; `mtm demo` makes a sample".to_owned(),
            ),
            CliError::Serve(ServeError::Listen { .. }) => Some("name another with --port or PORT".to_owned()),
            CliError::Apply(error) => hint_of_run(error),
            _ => None,
        }
    }

    /// Says what happened, and gives the exit code.
    pub(super) fn report(&self, output: Output) -> Exit {
        let mut causes = Vec::new();
        let mut cause = self.source();
        // What the driver says of a server's error is in the message already, without the line of the server's own code.
        while let Some(error) = cause.filter(|error| !error.is::<sqlx::Error>()) {
            // Some libraries say the same once more in each layer.
            let text = error.to_string();
            if causes.last().is_none_or(|last: &String| !text.contains(last)) {
                causes.push(text);
            }
            cause = error.source();
        }
        match self {
            CliError::Mapping(error) => output.diagnostic(error),
            CliError::StalePlan { changes, .. } => {
                output.error(&self.to_string(), changes, self.hint().as_deref());
            }
            _ => output.error(&self.to_string(), &causes, self.hint().as_deref()),
        }
        self.exit()
    }
}

/// What a run that stopped has left, and how to go on.
fn hint_of_run(error: &ApplyError) -> Option<String> {
    let goes_on = "what is done is kept; the same command goes on from there";
    if let Some(server) = error.server_error()
        && let Some((_, way_out)) = WAYS_OUT.iter().find(|(is_meant, _)| is_meant(&server))
    {
        return Some(format!("{way_out}; {goes_on}"));
    }
    match error {
        ApplyError::Lock(target::LockError::Held { .. }) => None,
        ApplyError::Refused { table, .. } => Some(format!(
            "correct the row, or what refuses it; or let the mapping say `on_invalid: reject` for table {table}, and such \
             rows go to the rejects; {goes_on}"
        )),
        ApplyError::TooManyRejects { .. } | ApplyError::Unfit { .. } => Some(goes_on.to_owned()),
        ApplyError::Migrate(error @ MigrateError::Step { .. })
            if error.server().is_some_and(|server| server.code == FOREIGN_KEY_VIOLATION) =>
        {
            Some(
                "the rows that were copied are kept. Where the parent that is missing was rejected, correct the rejected row \
                 and load it, or delete the rows that refer to it; then run the same command again"
                    .to_owned(),
            )
        }
        ApplyError::Migrate(MigrateError::Step { .. }) => Some(
            "the rows that were copied are kept. Correct what the step complains of, and run the same command again; to \
             give the step up, take the version back with `mtm migrate down --allow deletes-data`"
                .to_owned(),
        ),
        ApplyError::Migrate(error) if error.is_refusal() => None,
        _ => Some(goes_on.to_owned()),
    }
}

/// SQLSTATE of a row whose parent is missing.
const FOREIGN_KEY_VIOLATION: &str = "23503";

/// Whether a server's error is meant.
type IsMeant = fn(&ServerError) -> bool;

/// What to do about a server's error before going on.
const WAYS_OUT: &[(IsMeant, &str)] = &[
    // disk_full
    (|error| error.code == "53100", "make room on the server's disk, or in the tablespace"),
    // query_canceled
    (
        |error| error.code == "57014",
        "where a timeout ended it, give it more time with --statement-timeout (0: for ever)",
    ),
    // lock_not_available
    (
        |error| error.code == "55P03",
        "see who holds the lock (pg_blocking_pids), or wait longer for it with --lock-timeout",
    ),
    (
        ServerError::is_out_of_sessions,
        "ask for fewer sessions with --jobs, or raise the server's max_connections",
    ),
    (ServerError::is_connection_lost, "see to the server and the network between"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_version_is_a_refusal_whoever_ran_it() {
        let edited = || MigrateError::Edited { names: vec!["m1".to_owned()] };
        assert_eq!(CliError::from(edited()).exit(), Exit::Refused);
        assert_eq!(CliError::from(ApplyError::from(edited())).exit(), Exit::Refused);
        let missing = MigrateError::NoSchema { schema: "x".to_owned() };
        assert_eq!(CliError::from(missing).exit(), Exit::Failed);
    }
}
