//! Drift: what is there beside what the applied versions say, so that changes made by hand are found.
//!
//! The ledger keeps each version's SQL; it is replayed in scratch, and what comes of it is held against the tables
//! themselves. No source, no mapping and no folder is needed.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    Catalogue, InspectError, ObjectDifference, differences,
    scratch::{self, Replayed},
    tables,
};
use crate::target::{Ledger, MigrateError, Section, State, Step, Target, status};

/// What the target is, beside what its versions say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The target schema.
    pub target_schema: String,
    /// The versions that were replayed, oldest first.
    pub versions: Vec<String>,
    /// The tables that were compared.
    pub tables: Vec<String>,
    /// Objects that are not as the versions say: `before` is what they say, `after` what is there.
    pub differences: Vec<ObjectDifference>,
    /// What could not be replayed, a sentence each.
    pub not_replayed: Vec<String>,
    /// Tables that were not compared, since what could not be replayed is about them.
    pub not_compared: Vec<String>,
}

/// Why drift could not be looked for.
#[derive(Debug, thiserror::Error)]
pub enum DriftError {
    /// The target could not be read.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// Its versions could not be read.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
}

/// A statement of a version: its name for people, and its SQL.
pub(super) type Statement = (String, String);

/// Compares the tables that the applied versions made with what they are now.
///
/// # Errors
/// [`DriftError`], where the server does not answer. A step that scratch does not take is no error: it is told.
pub async fn drift(target: &Target) -> Result<Drift, DriftError> {
    let mut drift = Drift { target_schema: target.schema.clone(), ..Drift::default() };
    let statements = applied_statements(target, &mut drift).await?;
    let Replayed { catalogue: said, refused, doubtful } = scratch::replay_each(target, statements).await?;
    drift.not_replayed.extend(refused);
    let names: Vec<String> = said.tables.keys().filter(|name| !doubtful.contains(*name)).cloned().collect();
    let live = tables(target, &names).await?;
    let types = said.types_of(&names);
    let compared = said.tables.into_iter().filter(|(name, _)| names.contains(name)).collect();
    drift.differences = differences(&Catalogue { tables: compared, types }, &live);
    drift.tables = names;
    drift.not_compared = doubtful.into_iter().collect();
    Ok(drift)
}

/// The steps that the target has, of its versions in the order of their names.
async fn applied_statements(target: &Target, drift: &mut Drift) -> Result<Vec<Statement>, DriftError> {
    let Some(ledger) = Ledger::find(target).await.map_err(InspectError::from)? else { return Ok(Vec::new()) };
    let mut recorded = ledger.versions().await.map_err(InspectError::from)?;
    let mut statements = Vec::new();
    for found in status(target, &[]).await? {
        let Some(at) = recorded.iter().position(|recorded| recorded.version.name == found.name) else {
            drift
                .not_replayed
                .push(format!("{}: something else made it, and its SQL is not known", found.name));
            continue;
        };
        let version = recorded.swap_remove(at).version;
        let done: BTreeSet<u32> = match found.state {
            State::Pending => continue,
            State::PreData => {
                ledger.steps_done(&version.name, Section::PostData).await.map_err(InspectError::from)?
            }
            State::Applied => (0..).take(version.post_data.len()).collect(),
        };
        let post_data = (0..).zip(&version.post_data).filter(|(number, _)| done.contains(number));
        let steps = version.pre_data.iter().chain(post_data.map(|(_, step)| step));
        statements.extend(steps.map(|step| (format!("a step of version {}", version.name), plain(step))));
        drift.versions.push(version.name.clone());
    }
    Ok(statements)
}

/// Scratch is one transaction, in which nothing is built concurrently; the outcome is the same.
fn plain(step: &Step) -> String {
    if step.concurrent { step.sql.replacen("CONCURRENTLY ", "", 1) } else { step.sql.clone() }
}
