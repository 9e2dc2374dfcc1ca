//! `mtm migrate`

use crate::{
    cli::{
        args::{MigrateArgs, MigrateCommand, VersionArgs},
        error::{CliError, Exit},
        output::Output,
        prepare,
    },
    target::{self, Ledger, Lock, Target, UpTo, Version},
};

pub(in crate::cli) async fn run(args: &MigrateArgs, output: Output) -> Result<Exit, CliError> {
    match &args.command {
        MigrateCommand::Up { versions, wait, allow } => {
            let (target, versions) = open(versions).await?;
            let lock = Lock::wait(&target, *wait).await?;
            let done = up(&target, &versions, allow, output).await;
            lock.release().await;
            done
        }
        MigrateCommand::Down { versions, steps, allow } => {
            let (target, versions) = open(versions).await?;
            let lock = Lock::try_acquire(&target).await?;
            let done = down(&target, &versions, *steps, allow, output).await;
            lock.release().await;
            done
        }
        MigrateCommand::Status { versions } => {
            let (target, versions) = open(versions).await?;
            status(&target, &versions, output).await
        }
    }
}

async fn open(args: &VersionArgs) -> Result<(Target, Vec<Version>), CliError> {
    let mapping = prepare::mapping(args.mapping.as_deref())?;
    let versions = prepare::versions(mapping.versions_dir.as_ref())?;
    let target = prepare::connect(&args.target, &args.schema, None, true, 2).await?;
    Ok((target, versions))
}

async fn up(
    target: &Target,
    versions: &[Version],
    allow: &[String],
    output: Output,
) -> Result<Exit, CliError> {
    let ledger = Ledger::install(target).await?;
    let applied = target::up(target, &ledger, versions, UpTo::All, allow).await?;
    say(output, "applied", &applied, "Nothing to do: the target has every version.")
}

async fn down(
    target: &Target,
    versions: &[Version],
    steps: u32,
    allow: &[String],
    output: Output,
) -> Result<Exit, CliError> {
    let ledger = Ledger::install(target).await?;
    let taken_back = target::down(target, &ledger, versions, steps, allow).await?;
    say(output, "taken back", &taken_back, "Nothing to do: the target has no version.")
}

async fn status(target: &Target, versions: &[Version], output: Output) -> Result<Exit, CliError> {
    let statuses = target::status(target, versions).await?;
    output
        .data(|out| {
            if statuses.is_empty() {
                return writeln!(out, "There are no versions, in the folder or in the target.");
            }
            statuses.iter().try_for_each(|status| writeln!(out, "{}  {status}", status.name))
        })
        .map_err(|error| CliError::io("the status could not be written", error))?;
    Ok(Exit::Done)
}

fn say(output: Output, what: &str, names: &[String], nothing: &str) -> Result<Exit, CliError> {
    output
        .report(|out| {
            if names.is_empty() {
                return writeln!(out, "{nothing}");
            }
            names.iter().try_for_each(|name| writeln!(out, "{what} {name}"))
        })
        .map_err(|error| CliError::io("the status could not be written", error))?;
    Ok(Exit::Done)
}
