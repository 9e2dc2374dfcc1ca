//! Plans as files: written by `mtm plan --out`, held by `mtm apply FILE` against what is to be done now.

use std::{
    fs::Permissions,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::{
    args::ScopeArgs,
    error::CliError,
    prepare::{DEFAULT_MAPPING, Prepared},
};
use crate::{
    plan::{Circumstances, SavedPlan, SavedVersion},
    target::{self, Ledger, State},
};

/// Readable by others, as the user's umask allows: nothing in a plan is a secret.
const MODE: u32 = 0o666;

/// Where a plan is to be saved: tried before anything is read.
#[derive(Debug)]
pub(super) struct PlanFile {
    path: PathBuf,
    unfinished: NamedTempFile,
}

impl PlanFile {
    pub(super) fn at(path: &Path) -> Result<PlanFile, CliError> {
        if path.is_dir() || path.file_name().is_none() {
            let message = format!("--out {} names no file", path.display());
            return Err(CliError::Usage { message, hint: Some("`--out plan.json`".to_owned()) });
        }
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".mtm-plan-").permissions(Permissions::from_mode(MODE));
        let unfinished = builder.tempfile_in(folder).map_err(|error| not_written(path, error))?;
        Ok(PlanFile { path: path.to_owned(), unfinished })
    }

    /// Writes the plan, whole or not at all.
    pub(super) fn write(mut self, plan: &SavedPlan) -> Result<(), CliError> {
        let file = self.unfinished.as_file_mut();
        let json = serde_json::to_vec_pretty(plan).map_err(|error| not_written(&self.path, error.into()))?;
        let written =
            file.write_all(&json).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
        written.map_err(|error| not_written(&self.path, error))?;
        self.unfinished.persist(&self.path).map_err(|error| not_written(&self.path, error.error))?;
        Ok(())
    }
}

fn not_written(path: &Path, error: std::io::Error) -> CliError {
    CliError::io(format!("the plan could not be written to {}", path.display()), error)
}

/// A plan out of a file.
#[derive(Debug)]
pub(super) struct PlanOfFile {
    pub(super) path: PathBuf,
    pub(super) plan: SavedPlan,
}

impl PlanOfFile {
    pub(super) fn read(path: &Path) -> Result<PlanOfFile, CliError> {
        let text = std::fs::read(path)
            .map_err(|error| CliError::io(format!("the plan {} cannot be read", path.display()), error))?;
        let plan = SavedPlan::from_document(&String::from_utf8_lossy(&text))
            .map_err(|source| CliError::SavedPlan { path: path.to_owned(), source })?;
        Ok(PlanOfFile { path: path.to_owned(), plan })
    }

    /// Refuses what is to be done now where it is not what was saved.
    pub(super) async fn hold_against(&self, prepared: &Prepared, scope: &ScopeArgs) -> Result<(), CliError> {
        let changes = self.plan.stale(&saved(prepared, scope).await?);
        if changes.is_empty() {
            return Ok(());
        }
        Err(CliError::StalePlan { path: self.path.clone(), changes })
    }
}

/// What is kept of a plan that was made with these flags.
pub(super) async fn saved(prepared: &Prepared, scope: &ScopeArgs) -> Result<SavedPlan, CliError> {
    let Prepared { folder, there, plan, .. } = prepared;
    let target = prepared.place();
    let statuses = target::status(target, folder).await?;
    let recorded = match Ledger::find(target).await? {
        Some(ledger) => ledger.versions().await?,
        None => Vec::new(),
    };
    let has =
        |name: &str| statuses.iter().any(|status| status.name == name && status.state != State::Pending);
    let applied = recorded.into_iter().filter(|recorded| has(&recorded.version.name));
    let circumstances = Circumstances {
        mapping: mapping_name(scope),
        include: scope.include.clone(),
        exclude: scope.exclude.clone(),
        catalogue: there.catalogue.clone(),
        applied_versions: applied
            .map(|recorded| SavedVersion { name: recorded.version.name, checksum: recorded.checksum })
            .collect(),
    };
    Ok(SavedPlan::of(plan, circumstances))
}

/// The mapping that these flags come to, by name.
fn mapping_name(scope: &ScopeArgs) -> String {
    let built_in = || if Path::new(DEFAULT_MAPPING).exists() { DEFAULT_MAPPING } else { "none" }.to_owned();
    scope.mapping.as_ref().map_or_else(built_in, |path| path.display().to_string())
}
