//! `mtm audit`

use crate::{
    cli::{
        args::{AuditArgs, Format},
        error::{CliError, Exit},
        output::Output,
        prepare,
    },
    report,
};

pub(in crate::cli) async fn run(args: &AuditArgs, output: Output) -> Result<Exit, CliError> {
    let audited = prepare::audit(&args.source.source, prepare::jobs(None), output).await?;
    output
        .data(|out| match args.format {
            Format::Text => report::audit_text(&audited.audit, output.paint(), out),
            Format::Json => report::json(&audited.audit, out),
        })
        .map_err(|error| CliError::io("the report could not be written", error))?;
    Ok(Exit::Done)
}
