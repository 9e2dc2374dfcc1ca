//! `mtm plan --drift`

use crate::{
    cli::{
        error::{CliError, Exit},
        output::Output,
        placement::{Placement, placement},
        plan_args::{PlanArgs, PlanFormat},
        prepare,
    },
    inspect, report,
};

pub(in crate::cli) async fn run(args: &PlanArgs, output: Output) -> Result<Exit, CliError> {
    if !matches!(args.format, PlanFormat::Text | PlanFormat::Json) {
        return Err(CliError::Usage {
            message: "--drift has the forms text and json".to_owned(),
            hint: Some("leave --format out, or say --format json".to_owned()),
        });
    }
    let ends = &args.ends;
    // The source's name alone, which names the database of a private server.
    let source = ends.source();
    let (mapping, schema) = ends.mapping_and_schema();
    let Placement { schema, .. } = placement(&prepare::mapping(mapping.as_deref())?, schema)?;
    let target = prepare::connect(&ends.target, &schema, source.as_deref(), false, 1).await?;
    let drift = inspect::drift(&target).await?;
    output
        .data(|out| match args.format {
            PlanFormat::Json => report::json(&drift, out),
            _ => report::drift_text(&drift, &target.display, output.paint(), out),
        })
        .map_err(|error| CliError::io("the drift could not be written", error))?;
    Ok(match (args.exit_code, drift.differences.is_empty(), drift.not_replayed.is_empty()) {
        (true, false, _) => Exit::Differences,
        // What could not be compared is not known to be well.
        (true, true, false) => Exit::Failed,
        _ => Exit::Done,
    })
}
