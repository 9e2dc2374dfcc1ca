//! `mtm migrate`

use crate::{
    cli::{
        args::{MigrateArgs, MigrateCommand, VersionArgs},
        error::{CliError, Exit},
        output::Output,
        placement::{Placement, placement},
        prepare,
    },
    target::{self, Redone, State, Target, UpTo, Version, VersionStatus},
};

pub(in crate::cli) async fn run(args: &MigrateArgs, output: Output) -> Result<Exit, CliError> {
    match &args.command {
        MigrateCommand::Up { versions, wait, allow } => {
            is_there(versions)?;
            let (target, versions) = open(versions).await?.settled()?;
            say_overtaken(&target, &versions, output).await?;
            let applied = target::migrate_up(&target, &versions, UpTo::All, allow, *wait).await?;
            say(output, "applied", &applied, "Nothing to do: the target has every version.")
        }
        MigrateCommand::Down { versions, steps, allow } => {
            let (target, versions) = open(versions).await?.settled()?;
            let taken_back = target::migrate_down(&target, &versions, *steps, allow).await?;
            say(output, "taken back", &taken_back, "Nothing to do: the target has no version.")
        }
        MigrateCommand::Redo { versions, allow } => {
            let (target, versions) = open(versions).await?.settled()?;
            let Redone { taken_back, applied } = target::migrate_redo(&target, &versions, allow).await?;
            let Some(taken_back) = taken_back else {
                return say(output, "", &[], "Nothing to do: the target has no version.");
            };
            say(output, "taken back", &[taken_back], "")?;
            say(output, "applied", &applied, "")
        }
        MigrateCommand::Status { versions } => {
            let Place { target, versions, moves_to } = open(versions).await?;
            if let Some(to) = moves_to {
                output.note(&format!(
                    "note: the tables are still in schema {}; `mtm apply` moves them to {to}",
                    target.schema
                ));
            }
            status(&target, &versions, output).await
        }
    }
}

/// Where versions are, and which.
struct Place {
    target: Target,
    versions: Vec<Version>,
    /// The schema to which the tables, and with them the versions, are still to move.
    moves_to: Option<String>,
}

impl Place {
    /// The target, where its tables are as they should be.
    fn settled(self) -> Result<(Target, Vec<Version>), CliError> {
        let Some(to) = self.moves_to else { return Ok((self.target, self.versions)) };
        Err(CliError::Refused {
            message: format!("the tables are still in schema {}, and should be in {to}", self.target.schema),
            hint: Some("`mtm apply` moves them, and the versions with them; no version does".to_owned()),
        })
    }
}

/// Refuses to apply the versions of a folder that is not there: nothing to do would be said of an image that lacks them.
fn is_there(args: &VersionArgs) -> Result<(), CliError> {
    let mapping = prepare::mapping(args.mapping.as_deref())?;
    match &mapping.versions_dir {
        Some(folder) if !folder.is_dir() => Err(CliError::Refused {
            message: format!("the folder of versions, {}, is not there", folder.display()),
            hint: Some(
                "the mapping names it as `versions_dir`; `mtm plan --save SLUG` or `mtm apply` makes it"
                    .to_owned(),
            ),
        }),
        _ => Ok(()),
    }
}

async fn open(args: &VersionArgs) -> Result<Place, CliError> {
    let mapping = prepare::mapping(args.mapping.as_deref())?;
    let versions = prepare::versions(mapping.versions_dir.as_ref())?;
    let Placement { schema, moved_from } = placement(&mapping, args.schema.as_deref())?;
    let target = prepare::connect(&args.target, &schema, None, true, 2).await?;
    // In the new schema the versions would make every table anew.
    if let Some(from) = moved_from {
        let from = target.in_schema(&from).await?;
        let is_recorded = |status: &VersionStatus| status.sql_known && status.state != State::Pending;
        let there = target::status(&from, &[]).await?.iter().any(is_recorded);
        if there && !target::status(&target, &[]).await?.iter().any(is_recorded) {
            return Ok(Place { target: from, versions, moves_to: Some(schema) });
        }
    }
    Ok(Place { target, versions, moves_to: None })
}

/// Names the versions that are pending before one that is applied: two branches saved them side by side. They run all the
/// same, in the order of names.
async fn say_overtaken(target: &Target, versions: &[Version], output: Output) -> Result<(), CliError> {
    for version in target::status(target, versions).await? {
        let VersionStatus { name, overtaken_by: Some(later), .. } = version else { continue };
        output.note(&format!(
            "note: version {name} comes before {later}, which is applied already: the two were saved side by side; {name} \
             runs now"
        ));
    }
    Ok(())
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
