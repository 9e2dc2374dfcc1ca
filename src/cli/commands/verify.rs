//! `mtm verify`

use std::{io::Write, sync::Arc};

use crate::{
    audit::Depth,
    cli::{
        args::{Format, VerifyArgs},
        error::{CliError, Exit},
        output::Output,
        prepare::{self, Prepared},
        progress::Bar,
    },
    report,
    verify::{self, Certificate, Sides},
};

pub(in crate::cli) async fn run(args: &VerifyArgs, output: Output) -> Result<Exit, CliError> {
    let jobs = prepare::jobs(args.jobs);
    let mapping = prepare::mapping(args.ends.scope.mapping.as_deref())?;
    let source = prepare::open(&args.ends.source, jobs).await?;
    // The target before the scan: a wrong password should not cost the reading of a whole file.
    let target = prepare::connect(
        &args.ends.target,
        &args.ends.scope.schema,
        Some(&args.ends.source.source),
        false,
        jobs,
    )
    .await?;
    // The file's structure was looked at when the plan was made.
    let prepared = prepare::prepare(&mapping, target, source, &args.ends.scope, Depth::Rows, output).await?;
    if prepared.plan.source_changed() {
        output.error(super::apply::SOURCE_CHANGED, &[], Some(super::apply::SOURCE_CHANGED_HINT));
        return Ok(Exit::ChangedSource);
    }
    let certificate = prove(&prepared, jobs, output).await?;
    let write = |out: &mut dyn Write| match args.format {
        Format::Text => report::certificate_text(&certificate, output.paint(), out),
        Format::Json => report::json(&certificate, out),
    };
    output
        .answer(args.format, write)
        .map_err(|error| CliError::io("the certificate could not be written", error))?;
    Ok(if certificate.equal { Exit::Done } else { Exit::Differences })
}

/// Compares both sides with a progress bar.
async fn prove(prepared: &Prepared, jobs: usize, output: Output) -> Result<Certificate, CliError> {
    let Prepared { source, audit, target, normal, live, plan, .. } = prepared;
    // Both sides are read, each once.
    let bar = Bar::rows(output, "verify", 2 * audit.fingerprint.rows);
    let progress = {
        let bar = bar.clone();
        Arc::new(move |progress: verify::Progress| bar.advance(progress.rows))
    };
    let sides = Sides { audit, desired: &plan.desired, normal, live };
    let certificate = verify::prove(sides, Arc::clone(source), target, jobs, progress).await;
    bar.finish();
    Ok(certificate?)
}
