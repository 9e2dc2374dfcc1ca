//! The command line: the only part that sees every stage, and the only one that prints.

mod args;
mod commands;
mod error;
mod output;
mod prepare;
mod progress;

use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use error::{CliError, Exit};
use output::Output;
use tracing_subscriber::EnvFilter;

/// Runs the command line of this process, and gives its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for; everything else is a usage error. A closed pipe is nobody's fault.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            error.print().ok();
            return exit.into();
        }
    };
    let output = Output::new(cli.quiet, cli.color);
    log_to_stderr(cli.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return CliError::io("no threads could be started", error).report(output).into(),
    };
    let code = runtime.block_on(async {
        tokio::select! {
            done = dispatch(&cli.command, output) => done.unwrap_or_else(|error| error.report(output)).into(),
            code = interrupted() => {
                output.error("interrupted", &[], Some("what is done is kept; the same command goes on from there"));
                ExitCode::from(code)
            }
        }
    });
    // A thread may still wait for SQLite; what it would read is no longer wanted.
    runtime.shutdown_background();
    code
}

async fn dispatch(command: &Command, output: Output) -> Result<Exit, CliError> {
    match command {
        Command::Demo => commands::demo::run(output).await,
        Command::Audit(args) => commands::audit::run(args, output).await,
        Command::Plan(args) => commands::plan::run(args, output).await,
        Command::Apply(args) => commands::apply::run(args, output).await,
        Command::Verify(args) => commands::verify::run(args, output).await,
        Command::Schema(args) => commands::schema::run(args, output).await,
        Command::Migrate(args) => commands::migrate::run(args, output).await,
        Command::Local(args) => commands::local::run(args, output),
    }
}

/// Waits for SIGINT or SIGTERM, and gives the exit code that a shell expects: 128 and the signal's number.
async fn interrupted() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => 143,
        asked = tokio::signal::ctrl_c() => match asked {
            Ok(()) => 130,
            Err(_) => std::future::pending().await,
        },
    }
}

fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        // sqlx warns of what it then gives back as an error.
        0 => "warn,sqlx=error",
        1 => "mtm=info,migration=info,warn,sqlx=error",
        _ => "mtm=debug,migration=debug,sqlx=debug,info",
    };
    let filter = EnvFilter::try_from_env("MTM_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().init();
}
