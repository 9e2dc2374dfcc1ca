//! Drift for people.

use std::io::{self, Write};

use super::text::{Paint, counted};
use crate::inspect::Drift;

/// Writes what differs from the applied versions, object by object, and what could not be compared.
///
/// # Errors
/// Whatever the writer says.
pub fn drift_text(drift: &Drift, target: &str, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let schema = &drift.target_schema;
    writeln!(out, "{} {target}, schema {schema}, beside its versions", paint.bold("Drift:"))?;
    if drift.versions.is_empty() {
        writeln!(out, "\nNo version is applied, so there is nothing to compare with.")?;
    }
    if !drift.differences.is_empty() {
        writeln!(out)?;
    }
    for difference in &drift.differences {
        let object = difference.object();
        let line = match (&difference.before, &difference.after) {
            (Some(before), Some(after)) => format!("{object} is {after}; the versions say {before}"),
            (Some(_), None) => format!("{object} is missing"),
            (None, after) => format!("{object} was added by hand: {}", after.as_deref().unwrap_or_default()),
        };
        writeln!(out, "  {} {line}", paint.yellow("~"))?;
    }
    if !drift.not_replayed.is_empty() {
        writeln!(out, "\nNot replayed, so that what it made is not known:")?;
        drift.not_replayed.iter().try_for_each(|what| writeln!(out, "  {what}"))?;
    }
    if !drift.not_compared.is_empty() {
        writeln!(out, "Not compared: {}", drift.not_compared.join(", "))?;
    }
    let tables = counted(drift.tables.len() as u64, "table");
    let versions = counted(drift.versions.len() as u64, "version");
    match drift.differences.len() as u64 {
        0 if drift.versions.is_empty() => Ok(()),
        0 => writeln!(out, "\n{}", paint.green(&format!("No drift: {tables} as {versions} made them."))),
        found => writeln!(out, "\n{} in {tables} made by {versions}.", counted(found, "difference")),
    }
}
