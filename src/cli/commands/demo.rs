//! `mtm demo`: the whole way on a sample, each step shown as a user would run it.

use std::path::Path;

use clap::Parser;

use crate::{
    apply::Interrupt,
    cli::{
        args::Cli,
        error::{CliError, Exit},
        output::Output,
        prepare::DEFAULT_MAPPING,
    },
    demo::{self, SampleOptions},
    local::{LocalServer, StartOptions},
};

/// Where the sample lies.
const SAMPLE: &str = ".mtm/demo.db";

/// The sample's mapping, where none lies here yet.
const MAPPING: &str = include_str!("../../../mappings/types.yaml");

/// The steps, as they are shown and as they are run.
const STEPS: [&str; 4] = [
    "mtm audit --source .mtm/demo.db",
    "mtm plan --source .mtm/demo.db --target local",
    "mtm apply --source .mtm/demo.db --target local --yes",
    "mtm verify --source .mtm/demo.db --target local",
];

const NEXT: &str = "
What to try next:
  see the site, at http://localhost:8000:  mtm serve --target local
  edit mappings/types.yaml, and see what would change:  mtm plan --source .mtm/demo.db --target local
  ask inside the payload:  psql \"$(mtm local url mtm_demo)\" -c \"SELECT name FROM tracks WHERE raw_json @> '{\\\"explicit\\\": true}' LIMIT 5\"
  change a row, and let it be found:  psql \"$(mtm local url mtm_demo)\" -c \"UPDATE tracks SET name = name || ' ' WHERE track_id = (SELECT min(track_id) FROM tracks)\"
                                      mtm verify --source .mtm/demo.db --target local
  your own file:  mtm plan --source FILE --target local --mapping none
  stop the private PostgreSQL:  mtm local stop";

pub(in crate::cli) async fn run(output: Output, interrupt: &Interrupt) -> Result<Exit, CliError> {
    let here = std::env::current_dir().map_err(|e| CliError::io("the working directory is not there", e))?;
    let sample = Path::new(SAMPLE);
    let say = |text: &str| -> Result<(), CliError> {
        output
            .report(|out| writeln!(out, "{text}"))
            .map_err(|error| CliError::io("the report could not be written", error))
    };
    if sample.exists() {
        say(&format!("The sample is there: {SAMPLE}"))?;
    } else {
        make_folder_of(sample)?;
        let summary = demo::write_sample(sample, SampleOptions::default())?;
        say(&format!(
            "A sample Music Time Machine, {SAMPLE}: {} tracks, {} snapshots",
            summary.tracks, summary.snapshots
        ))?;
    }
    let mapping = Path::new(DEFAULT_MAPPING);
    if !mapping.exists() {
        write_new(mapping, MAPPING)?;
        say(&format!("Its mapping, {DEFAULT_MAPPING}"))?;
    }
    let running = LocalServer::at(&here).start(StartOptions::default())?;
    say(&format!("A private PostgreSQL is running, its data in {}", running.data.display()))?;
    for step in STEPS {
        say(&format!("\n{}", output.paint().bold(&format!("$ {step}"))))?;
        let cli = Cli::try_parse_from(step.split(' '))
            .map_err(|error| CliError::Usage { message: error.to_string(), hint: None })?;
        let exit = Box::pin(crate::cli::dispatch(&cli.command, output, interrupt)).await?;
        if exit != Exit::Done {
            return Ok(exit);
        }
    }
    say(NEXT)?;
    Ok(Exit::Done)
}

fn make_folder_of(file: &Path) -> Result<(), CliError> {
    let Some(folder) = file.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder)
        .map_err(|error| CliError::io(format!("{} could not be made", folder.display()), error))
}

fn write_new(file: &Path, text: &str) -> Result<(), CliError> {
    make_folder_of(file)?;
    std::fs::write(file, text)
        .map_err(|error| CliError::io(format!("{} could not be written", file.display()), error))
}
