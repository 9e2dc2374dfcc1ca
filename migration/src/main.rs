//! sea-orm's own command line for the versions of a folder: `cargo run -p migration -- status|up|down|redo`.
//!
//! It takes the subcommands and flags of sea-orm-migration's command line, which cannot be used as it is: it panics on
//! a failed connection, logs to standard output, and its `fresh` drops every table. The lock, the checksums and the
//! refusals are those of `mtm migrate`. `refresh`, which takes every version back, is refused; `redo` is its kin for the
//! last one.

use std::{
    error::Error,
    ffi::OsString,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand, error::ErrorKind};
use migration::{
    ConnectError, TargetOptions, Version,
    command::{self, Redone},
    connect,
    connection::environment,
    migrator::{self, MigrateError, UpTo},
    version::load_folder,
};

/// Something failed.
const FAILED: u8 = 1;
/// Something was refused that a person may allow or mend.
const REFUSED: u8 = 3;
/// The command line or the environment is wrong.
const USAGE: u8 = 64;

/// How long `up` waits for the lock when `MTM_WAIT` does not say, in seconds.
const WAIT_SECONDS: u64 = 60;

/// Runs the versions of a folder (MTM_VERSIONS_DIR) on a PostgreSQL database.
#[derive(Parser)]
#[command(name = "migration", version)]
struct Arguments {
    /// Database URL [env: MTM_TARGET, DATABASE_UNPOOLED_URL, DATABASE_URL, PG*]
    #[arg(short = 'u', long, global = true)]
    database_url: Option<String>,
    /// Database schema
    #[arg(short = 's', long, global = true, env = "DATABASE_SCHEMA", default_value = "public")]
    database_schema: String,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Shows which versions are applied
    Status,
    /// Applies pending versions
    Up {
        /// How many versions
        #[arg(short, long)]
        num: Option<u32>,
    },
    /// Takes the last versions back
    Down {
        /// How many versions
        #[arg(short, long, default_value_t = 1)]
        num: u32,
    },
    /// Takes the last version back and applies it again
    Redo,
    /// Refused: would drop every table
    Fresh,
    /// Refused: would take back every version
    Refresh,
    /// Refused: would take back every version
    Reset,
}

/// What is said at the end, and with which code.
struct Failure {
    error: Box<dyn Error>,
    code: u8,
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure { error: Box::new(error), code: FAILED }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            error.print().ok();
            return if asked { ExitCode::SUCCESS } else { ExitCode::from(USAGE) };
        }
    };
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut text = format!("error: {}", failure.error);
            let mut cause = failure.error.source();
            while let Some(error) = cause {
                text.push_str(&format!("\n  caused by: {error}"));
                cause = error.source();
            }
            writeln!(io::stderr(), "{text}").ok();
            ExitCode::from(failure.code)
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let command = arguments.command.unwrap_or(Command::Up { num: None });
    let refused = match &command {
        Command::Fresh => Some("fresh"),
        Command::Refresh => Some("refresh"),
        Command::Reset => Some("reset"),
        _ => None,
    };
    if let Some(command) = refused {
        return Err(Failure { error: Box::new(MigrateError::Refused { command }), code: REFUSED });
    }
    let patience = patience()?;
    let versions = load_folder(&versions_folder())?;
    let options = TargetOptions {
        url: arguments.database_url,
        schema: arguments.database_schema,
        prefer_unpooled: true,
        ..TargetOptions::default()
    };
    let target = connect(&options).await.map_err(connect_failure)?;
    match command {
        Command::Down { num } => {
            let names = command::down(&target, &versions, num, &allowed()).await.map_err(command_failure)?;
            say_names("took back", &names, "nothing is applied")
        }
        Command::Redo => {
            let Redone { taken_back, applied } =
                command::redo(&target, &versions, &allowed()).await.map_err(command_failure)?;
            let Some(name) = taken_back else { return say("nothing is applied") };
            say(&format!("took back {name}"))?;
            say_names("applied", &applied, "nothing is pending")
        }
        Command::Status => {
            let width = versions.iter().map(|version| version.name.len()).max().unwrap_or(0);
            for version in migrator::status(&target, &versions).await? {
                say(&format!("{:width$}  {version}", version.name))?;
            }
            Ok(())
        }
        _ => up(&target, &versions, &command, patience).await,
    }
}

async fn up(
    target: &migration::Target,
    versions: &[Version],
    command: &Command,
    patience: Duration,
) -> Result<(), Failure> {
    let limit = match command {
        Command::Up { num: Some(num) } => UpTo::Versions(*num),
        _ => UpTo::All,
    };
    for version in migrator::status(target, versions).await? {
        if version.overtaken_by.is_some() {
            writeln!(io::stderr(), "note: {} is {version}", version.name).ok();
        }
    }
    let names = command::up(target, versions, limit, &allowed(), patience).await.map_err(command_failure)?;
    say_names("applied", &names, "nothing is pending")
}

fn connect_failure(error: ConnectError) -> Failure {
    Failure { code: if error.is_usage() { USAGE } else { FAILED }, error: Box::new(error) }
}

fn command_failure(error: command::CommandError) -> Failure {
    Failure { code: if error.is_refusal() { REFUSED } else { FAILED }, error: Box::new(error) }
}

/// `MTM_VERSIONS_DIR`; else the folder beside this crate's manifest when cargo runs it; else `versions`.
fn versions_folder() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
    match (variable("MTM_VERSIONS_DIR"), variable("CARGO_MANIFEST_DIR")) {
        (Some(folder), _) => folder.into(),
        (None, Some(manifest)) => PathBuf::from(manifest).join("versions"),
        (None, None) => "versions".into(),
    }
}

/// `MTM_ALLOW`: hazards with commas between.
fn allowed() -> Vec<String> {
    let value = environment("MTM_ALLOW").unwrap_or_default();
    value.split(',').map(|slug| slug.trim().to_owned()).filter(|slug| !slug.is_empty()).collect()
}

/// `MTM_WAIT`, in seconds.
fn patience() -> Result<Duration, Failure> {
    let Some(value) = environment("MTM_WAIT").filter(|value| !value.is_empty()) else {
        return Ok(Duration::from_secs(WAIT_SECONDS));
    };
    let seconds = value.trim_end_matches('s').parse().map_err(|_| Failure {
        error: format!("the environment variable MTM_WAIT is {value:?}, which is no number of seconds")
            .into(),
        code: USAGE,
    })?;
    Ok(Duration::from_secs(seconds))
}

fn say_names(done: &str, names: &[String], nothing: &str) -> Result<(), Failure> {
    if names.is_empty() {
        return say(nothing);
    }
    names.iter().try_for_each(|name| say(&format!("{done} {name}")))
}

/// A closed pipe ends the program quietly: who reads has read enough.
fn say(line: &str) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
