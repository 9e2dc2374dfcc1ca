//! `mtm mapping`

use crate::{
    audit::Depth,
    cli::{
        args::{Format, SourceArgs},
        error::{CliError, Exit},
        mapping_args::{CheckArgs, MappingArgs, MappingCommand, ShowArgs},
        output::Output,
        prepare,
    },
    mapping::{Mapping, MappingError},
    report::{self, MappingReport, TypesReport},
    schema::{Desired, Finding, nearest},
};

pub(in crate::cli) async fn run(args: &MappingArgs, output: Output) -> Result<Exit, CliError> {
    match &args.command {
        MappingCommand::Check(args) => check(args, output).await,
        MappingCommand::Show(args) => show(args, output).await,
        MappingCommand::Schema => output
            .data(|out| out.write_all(Mapping::json_schema().as_bytes()))
            .map(|()| Exit::Done)
            .map_err(|error| CliError::io("the schema could not be written", error)),
    }
}

async fn check(args: &CheckArgs, output: Output) -> Result<Exit, CliError> {
    let write = |report: &MappingReport| {
        let text = |out: &mut dyn std::io::Write| report::mapping_text(report, output.paint(), out);
        match args.format {
            // What forbids a plan is no mere report.
            Format::Text if report.blockers() > 0 => output.data(text),
            Format::Text => output.report(text),
            Format::Json => output.data(|out| report::json(report, out)),
        }
        .map_err(|error| CliError::io("the report could not be written", error))
    };
    match look(args, output).await {
        Ok((mapping, findings)) => {
            let report = MappingReport::new(&mapping, args.source.as_deref(), findings);
            write(&report)?;
            Ok(if report.blockers() > 0 { Exit::Refused } else { Exit::Done })
        }
        // For a program, mistakes are what it has asked for.
        Err(CliError::Mapping(error @ MappingError::Mistakes { .. })) if args.format == Format::Json => {
            write(&MappingReport::of_mistakes(&error, args.source.as_deref()))?;
            Ok(Exit::Failed)
        }
        Err(error) => Err(error),
    }
}

/// The mapping, and what the source says of it, where one is named.
async fn look(args: &CheckArgs, output: Output) -> Result<(Mapping, Vec<Finding>), CliError> {
    let scope = args.scope();
    let mapping = prepare::mapping(scope.mapping.as_deref())?;
    let Some(source) = &args.source else { return Ok((mapping, Vec::new())) };
    let source = prepare::open(&SourceArgs { source: source.clone() }, prepare::jobs(None)).await?;
    let audit = prepare::audit(&source, Depth::Whole, Some(&mapping), output).await?;
    let mut findings = prepare::desired_and_tried(&mapping, &source, &audit, &scope).await?.findings;
    findings.sort_by_key(|finding| finding.severity);
    Ok((mapping, findings))
}

async fn show(args: &ShowArgs, output: Output) -> Result<Exit, CliError> {
    let mapping = prepare::mapping(args.scope.mapping.as_deref())?;
    let source = prepare::open(&args.source, prepare::jobs(None)).await?;
    let audit = prepare::audit(&source, Depth::Whole, Some(&mapping), output).await?;
    let desired = prepare::desired(&mapping, &audit, &args.scope)?;
    for name in &args.table {
        is_there(name, &desired, &audit.path)?;
    }
    let asked_for =
        |table: &str| args.table.is_empty() || args.table.iter().any(|name| name.eq_ignore_ascii_case(table));
    let report = TypesReport::new(&mapping, &audit, &desired, |copy| {
        asked_for(&copy.source) || asked_for(&copy.target)
    });
    output
        .data(|out| match args.format {
            Format::Text => report::types_text(&report, output.paint(), out),
            Format::Json => report::json(&report, out),
        })
        .map_err(|error| CliError::io("the report could not be written", error))?;
    Ok(Exit::Done)
}

/// Refuses a table that does not go over.
fn is_there(name: &str, desired: &Desired, source: &str) -> Result<(), CliError> {
    let mut known = desired.tables.iter().flat_map(|table| [table.source.as_str(), table.target.as_str()]);
    if known.clone().any(|table| table.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    let hint = nearest(name, &mut known).map_or_else(
        || "`mtm audit` lists the tables".to_owned(),
        |table| format!("did you mean `--table {table}`?"),
    );
    let message = format!("no table `{name}` of {source} is carried over");
    Err(CliError::Usage { message, hint: Some(hint) })
}
