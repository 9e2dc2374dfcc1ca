//! `mtm schema`

use crate::{
    audit::Depth,
    cli::{
        args::{SchemaArgs, SchemaFormat},
        error::{CliError, Exit},
        output::Output,
        prepare,
    },
    report,
    schema::Severity,
};

pub(in crate::cli) async fn run(args: &SchemaArgs, output: Output) -> Result<Exit, CliError> {
    let mapping = prepare::mapping(args.scope.mapping.as_deref())?;
    let source = prepare::open(&args.source, prepare::jobs(None)).await?;
    let audit = prepare::audit(&source, Depth::Whole, Some(&mapping), output).await?;
    let desired = prepare::desired(&mapping, &audit, &args.scope)?;
    output
        .data(|out| match args.format {
            SchemaFormat::Sql => report::schema_sql(&desired, out),
            SchemaFormat::Json => report::json(&desired.schema, out),
        })
        .map_err(|error| CliError::io("the schema could not be written", error))?;
    let mut exit = Exit::Done;
    for finding in desired.findings.iter().filter(|finding| finding.severity == Severity::Blocker) {
        output.error(&finding.message, &[], None);
        exit = Exit::Refused;
    }
    Ok(exit)
}
