//! Which versions there are, and how far the target has each.

use std::fmt;

use super::{
    MigrateError,
    history::{Origin, entries},
};
use crate::{Ledger, Target, Version, version::Section};

/// What a version is to the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionStatus {
    /// The version's name.
    pub name: String,
    /// How far it is applied.
    pub state: State,
    /// Whether the folder has it.
    pub in_folder: bool,
    /// Whether its SQL is known, from the folder or the ledger: something else's migration has none here.
    pub sql_known: bool,
    /// For a pending version: the last one that is applied although its name sorts after this one's. Two branches have
    /// saved versions side by side.
    pub overtaken_by: Option<String>,
    /// Whether the folder's content is another than the one that was applied.
    pub edited: bool,
    /// When it was applied, in UTC (RFC 3339), if the ledger knows.
    pub applied_at: Option<String>,
    /// How many of its post-data steps are done.
    pub post_steps_done: usize,
    /// How many it has.
    pub post_steps: usize,
}

/// How far a version is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not at all.
    Pending,
    /// Its pre-data is; rows and post-data are to come.
    PreData,
    /// Wholly.
    Applied,
}

impl fmt::Display for VersionStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state {
            State::Pending => formatter.write_str("pending")?,
            State::PreData => {
                write!(
                    formatter,
                    "pre-data applied, post-data {} of {}",
                    self.post_steps_done, self.post_steps
                )?;
            }
            State::Applied => formatter.write_str("applied")?,
        }
        if let Some(later) = &self.overtaken_by {
            write!(formatter, ", though {later} is applied")?;
        }
        match (self.in_folder, self.sql_known) {
            (true, _) => {}
            (false, true) => formatter.write_str(", not in the folder (the ledger has its SQL)")?,
            (false, false) => formatter.write_str(", not in the folder (something else made it)")?,
        }
        if self.edited {
            formatter.write_str(", edited since")?;
        }
        Ok(())
    }
}

/// What is applied, what is pending, oldest first. Creates and changes nothing.
///
/// # Errors
/// [`MigrateError`] when the target cannot be read.
pub async fn status(target: &Target, versions: &[Version]) -> Result<Vec<VersionStatus>, MigrateError> {
    let ledger = Ledger::find(target).await?;
    let mut found = Vec::new();
    for entry in entries(target, ledger.as_ref(), versions).await? {
        let state = match (entry.pre_applied, entry.post_applied) {
            (false, _) => State::Pending,
            (true, true) => State::Applied,
            // Something else's migration has no second half.
            (true, false) if entry.origin == Origin::Unknown => State::Applied,
            (true, false) => State::PreData,
        };
        let name = entry.version.name;
        let post_steps = entry.version.post_data.len();
        let post_steps_done = match (&ledger, state) {
            (_, State::Applied) => post_steps,
            (Some(ledger), State::PreData) => ledger.steps_done(&name, Section::PostData).await?.len(),
            _ => 0,
        };
        let (in_folder, sql_known) = (entry.origin == Origin::Folder, entry.origin != Origin::Unknown);
        let (edited, applied_at) = (entry.edited, entry.applied_at);
        found.push(VersionStatus {
            name,
            state,
            in_folder,
            sql_known,
            overtaken_by: None,
            edited,
            applied_at,
            post_steps_done,
            post_steps,
        });
    }
    mark_overtaken(&mut found);
    Ok(found)
}

/// Finds the versions that are pending before one that is applied; both come in the order of their names.
fn mark_overtaken(found: &mut [VersionStatus]) {
    let is_applied = |status: &&VersionStatus| status.sql_known && status.state != State::Pending;
    let Some(last) = found.iter().rfind(is_applied).map(|status| status.name.clone()) else { return };
    for status in found.iter_mut().filter(|status| status.state == State::Pending && status.name < last) {
        status.overtaken_by = Some(last.clone());
    }
}
