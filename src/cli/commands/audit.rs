//! `mtm audit`

use crate::{
    audit::Depth,
    cli::{
        args::{AuditArgs, Format},
        error::{CliError, Exit},
        output::Output,
        prepare,
    },
    report,
};

pub(in crate::cli) async fn run(args: &AuditArgs, output: Output) -> Result<Exit, CliError> {
    let source = prepare::open(&args.source, prepare::jobs(None)).await?;
    let audit = prepare::audit(&source, Depth::Whole, None, output).await?;
    output
        .data(|out| match args.format {
            Format::Text => report::audit_text(&audit, output.paint(), out),
            Format::Json => report::json(&audit, out),
        })
        .map_err(|error| CliError::io("the report could not be written", error))?;
    Ok(Exit::Done)
}
