//! Index builds that begin before all rows are there.
//!
//! The data stage is bound by processors, and so are index builds; but at the end of either some of them are idle. What
//! needs no table but one may as well begin when that one's rows are there, while others are still copied. A step is
//! recorded with what it does, so that the version's post-data, when it comes, finds it done.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{MigrateError, Migrator, create_index::CreateIndex, history::Origin, runner::Job, sort};
use crate::{Ledger, Target, Version, version::Section};

/// How long to wait for room on the server.
const ROOM: Duration = Duration::from_secs(5);

/// A post-data step that builds an index, and can be run when its table's rows are there.
#[derive(Clone)]
pub struct Build {
    table: String,
    index: usize,
    job: Arc<Job>,
}

impl Build {
    /// The table to index.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Builds the index, and records the step, in one transaction of a session of the target's pool.
    ///
    /// # Errors
    /// [`MigrateError::Step`] when the server refuses it.
    pub async fn run(&self) -> Result<(), MigrateError> {
        let step = &self.job.entry.version.post_data[self.index];
        let setting = if self.job.sessions > 1 { sort::beside_others(step) } else { None };
        self.job.run_step(self.index, setting).await
    }
}

/// The index builds with which the one version begins whose post-data is pending; none if others are pending, too, or the
/// server has no room for sessions that build beside those that copy.
///
/// # Errors
/// [`MigrateError`] when the target cannot be read, or a version was edited after it had been applied.
pub async fn builds(
    target: &Target,
    ledger: &Ledger,
    versions: &[Version],
    allow: &[String],
) -> Result<Vec<Build>, MigrateError> {
    let migrator = Migrator::new(target, ledger, versions, allow).await?;
    let is_pending = |job: &&Arc<Job>| job.entry.origin != Origin::Unknown && !job.entry.post_applied;
    let pending: Vec<&Arc<Job>> = migrator.jobs.iter().filter(is_pending).collect();
    let [job] = pending[..] else { return Ok(Vec::new()) };
    if !job.entry.pre_applied {
        return Ok(Vec::new());
    }
    let version = &job.entry.version;
    let done = ledger.steps_done(&version.name, Section::PostData).await?;
    let first = version.post_data.iter().enumerate().take_while(|(_, step)| step.parallel);
    let builds = first.filter_map(|(index, step)| {
        let is_done = u32::try_from(index).is_ok_and(|number| done.contains(&number));
        let table = CreateIndex::of(&step.sql)?.table.filter(|_| !step.concurrent && !is_done)?;
        Some(Build { table, index, job: Arc::clone(job) })
    });
    let builds: Vec<Build> = builds.collect();
    if builds.is_empty() {
        return Ok(builds);
    }
    // A server without room for twice as many sessions builds the indexes in the end.
    let room = timeout(ROOM, ledger.register_pool(&target.pool, 2 * job.sessions)).await;
    Ok(if matches!(room, Ok(Ok(()))) { builds } else { Vec::new() })
}
