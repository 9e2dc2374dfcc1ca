//! The command line: the only part that sees every stage, and the only one that prints.

mod args;
mod commands;
mod error;
mod mapping_args;
mod output;
mod placement;
mod plan_args;
mod prepare;
mod progress;
mod saved_plan;
mod serve_args;
mod tried_checks;

use std::{io::IsTerminal, pin::pin, process::ExitCode};

use args::{Cli, Command, MigrateArgs, MigrateCommand};
use clap::Parser;
use error::{CliError, Exit};
use output::Output;
use serve_args::LogFormat;
use tokio::signal::unix::{self, SignalKind};
use tracing_subscriber::EnvFilter;

use crate::apply::{Interrupt, Signal};

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
    log_to_stderr(&cli);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return CliError::io("no threads could be started", error).report(output).into(),
    };
    let code = runtime.block_on(async {
        let mut signals = Signals::listen();
        let interrupt = Interrupt::new();
        let mut work = pin!(dispatch(&cli.command, output, &interrupt));
        loop {
            tokio::select! {
                done = &mut work => return done.unwrap_or_else(|error| error.report(output)).into(),
                signal = signals.next() => {
                    // Rows that are on their way arrive first; being asked once more is to be dropped.
                    if !interrupt.ask(signal) {
                        output.error("interrupted", &[], way_on(&cli.command));
                        return Exit::Interrupted(signal).into();
                    }
                }
            }
        }
    });
    // A thread may still wait for SQLite; what it would read is no longer wanted.
    runtime.shutdown_background();
    code
}

/// What is said to whoever interrupts a command, of what it has written.
fn way_on(command: &Command) -> Option<&'static str> {
    match command {
        Command::Demo
        | Command::Apply(_)
        | Command::Migrate(MigrateArgs { command: MigrateCommand::Up { .. } }) => {
            Some("what is done is kept; the same command goes on from there")
        }
        // The same command would take back as many versions once more.
        Command::Migrate(MigrateArgs {
            command: MigrateCommand::Down { .. } | MigrateCommand::Redo { .. },
        }) => Some("what is done is kept; `mtm migrate status` says how far it has come"),
        Command::Migrate(MigrateArgs { command: MigrateCommand::Status { .. } })
        | Command::Audit(_)
        | Command::Plan(_)
        | Command::Verify(_)
        | Command::Schema(_)
        | Command::Serve(_)
        | Command::Local(_)
        | Command::Mapping(_) => None,
    }
}

async fn dispatch(command: &Command, output: Output, interrupt: &Interrupt) -> Result<Exit, CliError> {
    match command {
        Command::Demo => commands::demo::run(output, interrupt).await,
        Command::Audit(args) => commands::audit::run(args, output).await,
        Command::Plan(args) => commands::plan::run(args, output).await,
        Command::Apply(args) => commands::apply::run(args, output, interrupt).await,
        Command::Verify(args) => commands::verify::run(args, output).await,
        Command::Schema(args) => commands::schema::run(args, output).await,
        Command::Serve(args) => commands::serve::run(args, output, interrupt).await,
        Command::Migrate(args) => commands::migrate::run(args, output).await,
        Command::Local(args) => commands::local::run(args, output),
        Command::Mapping(args) => commands::mapping::run(args, output).await,
    }
}

/// SIGINT and SIGTERM, heard from the beginning, so that none gets lost between two.
struct Signals {
    interrupt: Option<unix::Signal>,
    terminate: Option<unix::Signal>,
}

impl Signals {
    fn listen() -> Signals {
        let listen = |kind| unix::signal(kind).ok();
        Signals { interrupt: listen(SignalKind::interrupt()), terminate: listen(SignalKind::terminate()) }
    }

    /// Waits for the next.
    async fn next(&mut self) -> Signal {
        async fn heard(signal: Option<&mut unix::Signal>) {
            let heard = match signal {
                Some(signal) => signal.recv().await,
                None => None,
            };
            if heard.is_none() {
                std::future::pending().await
            }
        }
        tokio::select! {
            () = heard(self.terminate.as_mut()) => Signal::Terminate,
            () = heard(self.interrupt.as_mut()) => Signal::Interrupt,
        }
    }
}

fn log_to_stderr(cli: &Cli) {
    let serve = if let Command::Serve(args) = &cli.command { Some(args) } else { None };
    let level = match cli.verbose {
        // A site's requests are what its log is for.
        0 if serve.is_some() && !cli.quiet => "mtm=info,warn,sqlx=error",
        // sqlx warns of what it then gives back as an error.
        0 => "warn,sqlx=error",
        1 => "mtm=info,migration=info,warn,sqlx=error",
        _ => "mtm=debug,migration=debug,sqlx=debug,info",
    };
    let filter = EnvFilter::try_from_env("MTM_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let terminal = std::io::stderr().is_terminal();
    match serve.map(|args| args.log_format) {
        None => log.without_time().init(),
        Some(Some(LogFormat::Text)) => log.with_ansi(terminal).init(),
        Some(None) if terminal => log.init(),
        Some(_) => log.json().flatten_event(true).init(),
    }
}
