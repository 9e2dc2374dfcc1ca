//! `mtm plan`

use crate::{
    audit::Depth,
    cli::{
        args::{PlanArgs, PlanFormat},
        error::{CliError, Exit},
        output::Output,
        prepare::{self, Ends},
    },
    report,
};

pub(in crate::cli) async fn run(args: &PlanArgs, output: Output) -> Result<Exit, CliError> {
    let jobs = prepare::jobs(None);
    let prepared = Ends::open(&args.ends, false, jobs).await?.prepare(Depth::Whole, output).await?;
    let plan = &prepared.plan;
    output
        .data(|out| match args.format {
            PlanFormat::Text => report::plan_text(plan, &prepared.target.display, output.paint(), out),
            PlanFormat::Json => report::json(plan, out),
            PlanFormat::Sql => report::plan_sql(plan, out),
        })
        .map_err(|error| CliError::io("the plan could not be written", error))?;
    if plan.blockers().next().is_some() {
        return Ok(Exit::Refused);
    }
    if plan.source_changed() {
        output.error(super::apply::SOURCE_CHANGED, &[], Some(super::apply::SOURCE_CHANGED_HINT));
        return Ok(Exit::ChangedSource);
    }
    Ok(if args.exit_code && !plan.is_empty() { Exit::Differences } else { Exit::Done })
}
