//! `mtm verify`

mod files;

use std::{
    ffi::OsStr,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;

use self::files::CertificateFiles;
use crate::{
    audit::Depth,
    cli::{
        args::{EndsArgs, Format, SourceArgs, VerifyArgs},
        error::{CliError, Exit},
        output::Output,
        prepare::{self, Ends, Prepared},
        progress::Bar,
    },
    inspect, report,
    target::{Ledger, LedgerError, Target},
    verify::{self, Certificate, ProofOptions, Sides},
};

pub(in crate::cli) async fn run(args: &VerifyArgs, output: Output) -> Result<Exit, CliError> {
    let options = ProofOptions {
        jobs: prepare::jobs(args.jobs),
        writers: args.writers.unwrap_or(0) as usize,
        started: Timestamp::now(),
    };
    // A folder that cannot be written to should not cost the reading of two databases.
    let files = args.certificate.as_deref().map(CertificateFiles::at).transpose()?;
    let certificate = match &args.against {
        Some(path) => Some(recheck(args, path, options, output).await?),
        None => prove(args, options, output).await?,
    };
    let Some((certificate, target)) = certificate else { return Ok(Exit::ChangedSource) };
    if let Some(files) = files {
        files.write(&certificate)?;
        output.note(&format!("The certificate: {files}"));
    }
    record(&certificate, &target).await;
    let write = |out: &mut dyn Write| match args.format {
        Format::Text => report::certificate_text(&certificate, output.paint(), out),
        Format::Json => report::certificate_json(&certificate, out),
    };
    output
        .answer(args.format, write)
        .map_err(|error| CliError::io("the certificate could not be written", error))?;
    Ok(if certificate.equal { Exit::Done } else { Exit::Differences })
}

/// Compares both sides; `None`: the source is not the one that was copied.
async fn prove(
    args: &VerifyArgs,
    options: ProofOptions,
    output: Output,
) -> Result<Option<(Certificate, Target)>, CliError> {
    let Some(source) = args.source.clone() else {
        // The command line asks for one of the two.
        return Err(usage("no source is given", "name it with --source, or a certificate with --against"));
    };
    let ends = EndsArgs { source: SourceArgs { source }, target: args.target.clone(), scope: args.scope() };
    // The file's structure was looked at when the plan was made.
    let prepared = Ends::open(&ends, false, options.jobs).await?.prepare(Depth::Rows, output).await?;
    if prepared.plan.source_changed() {
        output.error(super::apply::SOURCE_CHANGED, &[], Some(super::apply::SOURCE_CHANGED_HINT));
        return Ok(None);
    }
    if let Some(moves) = &prepared.plan.moves {
        return Err(CliError::Refused {
            message: format!("the tables are still in schema {}, and should be in {}", moves.from, moves.to),
            hint: Some("`mtm apply` moves them; then verify".to_owned()),
        });
    }
    let Prepared { source, audit, target, normal, there: live, plan, .. } = &prepared;
    let sides = Sides { audit, desired: &plan.desired, normal: &normal.catalogue, live };
    // Both sides are read, each once.
    let (bar, progress) = bar(output, 2 * audit.fingerprint.rows);
    let certificate = verify::prove(sides, Arc::clone(source), target, options, progress).await;
    bar.finish();
    Ok(Some((certificate?, target.clone())))
}

/// Says in the target's ledger what was found, where this role may write there: a proof is none the worse without.
async fn record(certificate: &Certificate, target: &Target) {
    let recorded = async {
        let Some(ledger) = Ledger::find(target).await? else { return Ok(false) };
        ledger.record_certificate(certificate.equal, &certificate.summary()).await
    };
    let recorded: Result<bool, LedgerError> = recorded.await;
    match recorded {
        Ok(true) => tracing::info!("the ledger has the proof's outcome"),
        Ok(false) => tracing::info!("the ledger is not there, or not to be written to"),
        Err(error) => tracing::warn!(%error, "the ledger does not have the proof's outcome"),
    }
}

/// Checks the target alone, against a certificate.
async fn recheck(
    args: &VerifyArgs,
    path: &Path,
    options: ProofOptions,
    output: Output,
) -> Result<(Certificate, Target), CliError> {
    for (flag, variable, given) in
        [("--source", "MTM_SOURCE", &args.source), ("--mapping", "MTM_MAPPING", &args.mapping)]
    {
        // What stands in the environment for every command is not meant for this one.
        let from_environment = std::env::var_os(variable);
        if given.as_ref().is_some_and(|given| Some(given.as_os_str()) != from_environment.as_deref()) {
            let message = format!("--against and {flag} exclude one another");
            return Err(usage(&message, "with --against the certificate stands for source and mapping"));
        }
    }
    let (certificate, checksum) = read(path)?;
    let schema = args.schema.clone().unwrap_or_else(|| certificate.target_schema.clone());
    let source = PathBuf::from(&certificate.source);
    // The source's name alone, which names the database of a private server.
    let target = prepare::connect(&args.target, &schema, Some(&source), false, options.jobs).await?;
    let names: Vec<String> = certificate.tables.iter().map(|table| table.target.clone()).collect();
    let live = inspect::tables(&target, &names).await?;
    let rows = certificate.tables.iter().map(|table| table.source_rows).sum();
    let (bar, progress) = bar(output, rows);
    let certificate = verify::recheck(certificate, checksum, &live, &target, options, progress).await;
    bar.finish();
    Ok((certificate?, target))
}

/// Reads a certificate: the file that was named, or the one beside the page for people.
fn read(path: &Path) -> Result<(Certificate, String), CliError> {
    let beside = path.with_extension("json");
    let path = if path.extension() == Some(OsStr::new("md")) { &beside } else { path };
    let text = std::fs::read(path)
        .map_err(|error| CliError::io(format!("the certificate {} cannot be read", path.display()), error))?;
    let text = String::from_utf8_lossy(&text);
    Certificate::from_document(&text)
        .map_err(|source| CliError::Certificate { path: path.to_owned(), source })
}

fn usage(message: &str, hint: &str) -> CliError {
    CliError::Usage { message: message.to_owned(), hint: Some(hint.to_owned()) }
}

/// A progress bar, and what moves it.
fn bar(output: Output, rows: u64) -> (Bar, Arc<dyn Fn(verify::Progress) + Send + Sync>) {
    let bar = Bar::rows(output, "verify", rows);
    let progress = {
        let bar = bar.clone();
        Arc::new(move |progress: verify::Progress| bar.advance(progress.rows))
    };
    (bar, progress)
}
