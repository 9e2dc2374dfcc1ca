//! What every command needs before its own work: the mapping, the source, the target, and the plan between them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, ToSpan, civil::DateTime, tz::TimeZone};

use super::{
    args::{EndsArgs, ScopeArgs, SourceArgs, TargetArgs},
    error::CliError,
    output::Output,
    placement::{Placement, placement},
    progress::Bar,
    tried_checks::broken_checks,
};
use crate::{
    audit::{self, Audit, Depth},
    diff::{self, Found},
    inspect::{self, InspectError, Live, Normal},
    local::LocalServer,
    mapping::{Mapping, Scope},
    plan::{Compared, MadeFor, Pending, Plan},
    schema::{Desired, render},
    source::{Source, SourceOptions},
    target::{
        self, Ledger, MigrateError, SchemaMove, State, Step, Target, TargetOptions, Version, VersionStatus,
    },
};

/// Where the mapping is looked for when none is named.
pub(super) const DEFAULT_MAPPING: &str = "mappings/types.yaml";

/// How long a reader waits for a writer to let go of the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The mapping that was named, or the one that lies where mappings lie, or the built-in rules.
pub(super) fn mapping(named: Option<&Path>) -> Result<Mapping, CliError> {
    let default = Path::new(DEFAULT_MAPPING);
    match named {
        Some(path) if path == Path::new("none") => Ok(Mapping::built_in()),
        Some(path) => Ok(Mapping::load(path)?),
        None if default.exists() => Ok(Mapping::load(default)?),
        None => Ok(Mapping::built_in()),
    }
}

/// Sessions for copying and comparing: as many as the machine has processors, at most four, since the server needs as many.
pub(super) fn jobs(named: Option<u32>) -> usize {
    named.map_or_else(
        || std::thread::available_parallelism().map_or(2, |processors| processors.get().clamp(2, 4)),
        |jobs| jobs as usize,
    )
}

/// Opens the source with so many readers and holds it still. What is wrong with the file is said here, before anything
/// else is looked at.
pub(super) async fn open(args: &SourceArgs, readers: usize) -> Result<Arc<Source>, CliError> {
    let path = args.source.clone();
    let options = SourceOptions { readers, busy_timeout: BUSY_TIMEOUT };
    Ok(Arc::new(blocking(move || Source::open(&path, options)).await?))
}

/// Reads all of the source; a mapping's enumerated types are tried on it.
pub(super) async fn audit(
    source: &Arc<Source>,
    depth: Depth,
    mapping: Option<&Mapping>,
    output: Output,
) -> Result<Audit, CliError> {
    let source = Arc::clone(source);
    let enums = mapping.map(Mapping::enum_types).unwrap_or_default();
    let bar = Bar::unbounded(output, "audit");
    let audit = {
        let bar = bar.clone();
        blocking(move || {
            audit::scan(&source, depth, &enums, &|progress: audit::Progress| bar.advance(progress.rows))
        })
        .await
    };
    bar.finish();
    Ok(audit?)
}

/// Runs what blocks in a thread of its own: SQLite's API does; the runtime's own threads are for the network.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Resolves the mapping against the audit.
pub(super) fn desired(mapping: &Mapping, audit: &Audit, scope: &ScopeArgs) -> Result<Desired, CliError> {
    let scope = Scope {
        schema: placement(mapping, scope.schema.as_deref())?.schema,
        include: scope.include.clone(),
        exclude: scope.exclude.clone(),
    };
    let desired = mapping.resolve(audit, &scope)?;
    // Nothing copied and nothing compared would look like a success.
    if desired.tables.is_empty() && !audit.tables.is_empty() {
        return Err(CliError::Usage {
            message: "--include and --exclude leave no table of the source".to_owned(),
            hint: Some("`mtm audit` lists the tables".to_owned()),
        });
    }
    Ok(desired)
}

/// Resolves the mapping against the audit, and tries the checks that come of it on the rows.
pub(super) async fn desired_and_tried(
    mapping: &Mapping,
    source: &Arc<Source>,
    audit: &Audit,
    scope: &ScopeArgs,
) -> Result<Desired, CliError> {
    let mut desired = desired(mapping, audit, scope)?;
    let broken = {
        let (source, audit, desired) = (Arc::clone(source), audit.clone(), desired.clone());
        blocking(move || broken_checks(&source, &audit, &desired)).await
    };
    desired.findings.extend(broken);
    Ok(desired)
}

/// The database of the private server that goes with a source file: `mtm_` and the file's name.
fn local_database(source: Option<&Path>) -> String {
    let stem = source.and_then(Path::file_stem).map_or_else(|| "demo".into(), |stem| stem.to_string_lossy());
    let plain: String = stem
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .take(50)
        .collect();
    format!("mtm_{plain}")
}

/// Connects to the target: `local` is the private server of this folder, and its database is made where it is missing.
pub(super) async fn connect(
    args: &TargetArgs,
    schema: &str,
    source: Option<&Path>,
    prefer_unpooled: bool,
    sessions: usize,
) -> Result<Target, CliError> {
    let named =
        args.target.clone().or_else(|| std::env::var("MTM_TARGET").ok().filter(|url| !url.is_empty()));
    let local = match named.as_deref() {
        Some("local") => Some(local_database(source)),
        Some(other) => other.strip_prefix("local/").map(str::to_owned),
        None => None,
    };
    let url = match local {
        None => named,
        Some(database) => {
            let here =
                std::env::current_dir().map_err(|e| CliError::io("the working directory is not there", e))?;
            let server = LocalServer::at(&here);
            let crate::local::Status::Running(running) = server.status()? else {
                return Err(crate::local::LocalError::NotRunning { workdir: here }.into());
            };
            running.ensure_database(&database).await?;
            Some(running.url(&database))
        }
    };
    let options = TargetOptions {
        url,
        schema: schema.to_owned(),
        lock_timeout: args.lock_timeout,
        statement_timeout: args.statement_timeout,
        prefer_unpooled,
        // A session that copies may build an index through another, and two are for the ledger's own statements.
        max_connections: 2 * u32::try_from(sessions).unwrap_or(4) + 2,
    };
    Ok(target::connect(&options).await?)
}

impl Prepared {
    /// Plans again, after a part of the plan was carried out.
    pub(super) async fn plan_again(&mut self) -> Result<(), CliError> {
        let again = plan(&self.audit, &self.plan.desired, &self.target, self.from.as_ref()).await?;
        (self.normal, self.there, self.live) = (again.normal, again.there, again.live);
        (self.plan, self.folder) = (again.plan, again.folder);
        Ok(())
    }

    /// The target with the schema in which the tables are.
    pub(super) fn place(&self) -> &Target {
        match (&self.plan.moves, &self.from) {
            (Some(_), Some(from)) => from,
            _ => &self.target,
        }
    }

    /// The version for what no pending version covers, made for this target or for any; `None`: they cover all.
    pub(super) async fn new_version(
        &self,
        slug: &str,
        made_for: MadeFor,
    ) -> Result<Option<Version>, CliError> {
        // Names order the versions: a new one comes after all that are known, whatever the clock says.
        let known = target::status(self.place(), &self.folder).await?;
        let moment_of = |name: &str| DateTime::strptime("%Y%m%d_%H%M%S", name.get(1..16)?).ok();
        let last = known.iter().filter_map(|status| moment_of(&status.name)).max();
        let now = Timestamp::now().to_zoned(TimeZone::UTC).datetime();
        let moment = last.map_or(now, |last| now.max(last.saturating_add(1.second())));
        Ok(self.plan.new_version(format!("m{}_{slug}", moment.strftime("%Y%m%d_%H%M%S")), made_for))
    }
}

/// Both sides, and the plan between them.
pub(super) struct Prepared {
    pub(super) source: Arc<Source>,
    pub(super) audit: Audit,
    pub(super) target: Target,
    /// The schema in which the tables may still be.
    pub(super) from: Option<Target>,
    pub(super) normal: Normal,
    /// The target as it is.
    pub(super) there: Live,
    /// The target as it is once the declared renames are made.
    pub(super) live: Live,
    pub(super) plan: Plan,
    /// The versions of the mapping's folder.
    pub(super) folder: Vec<Version>,
}

/// Both ends of the way, open, and what is to go along it.
pub(super) struct Ends<'a> {
    pub(super) mapping: Mapping,
    pub(super) source: Arc<Source>,
    pub(super) target: Target,
    /// The schema in which the tables may still be.
    pub(super) from: Option<Target>,
    scope: &'a ScopeArgs,
}

impl<'a> Ends<'a> {
    /// Opens both ends before anything is read: a wrong password should not cost the reading of a whole file.
    pub(super) async fn open(
        args: &'a EndsArgs,
        prefer_unpooled: bool,
        jobs: usize,
    ) -> Result<Ends<'a>, CliError> {
        let EndsArgs { source: named, target, scope } = args;
        let mapping = mapping(scope.mapping.as_deref())?;
        let source = open(named, jobs).await?;
        let Placement { schema, moved_from } = placement(&mapping, scope.schema.as_deref())?;
        let target = connect(target, &schema, Some(&named.source), prefer_unpooled, jobs).await?;
        let from = match moved_from {
            Some(from) => Some(target.in_schema(&from).await?),
            None => None,
        };
        Ok(Ends { mapping, source, target, from, scope })
    }

    /// Reads the source, looks at the target, and plans.
    pub(super) async fn prepare(self, depth: Depth, output: Output) -> Result<Prepared, CliError> {
        let Ends { mapping, source, target, from, scope } = self;
        let audit = audit(&source, depth, Some(&mapping), output).await?;
        let desired = desired_and_tried(&mapping, &source, &audit, scope).await?;
        let Comparison { normal, there, live, plan, folder } =
            plan(&audit, &desired, &target, from.as_ref()).await?;
        Ok(Prepared { source, audit, target, from, normal, there, live, plan, folder })
    }
}

/// What should be beside what is.
struct Comparison {
    normal: Normal,
    there: Live,
    live: Live,
    plan: Plan,
    folder: Vec<Version>,
}

/// Compares what should be with what is; where the tables are still in another schema, there.
async fn plan(
    audit: &Audit,
    desired: &Desired,
    target: &Target,
    from: Option<&Target>,
) -> Result<Comparison, CliError> {
    let Some(from) = from else { return compare(audit, desired, target).await };
    let Some(moves) = SchemaMove::find(from, target, &desired.table_names()).await? else {
        return compare(audit, desired, target).await;
    };
    let comparison = compare(audit, desired, from).await?;
    let plan = comparison.plan.moving(moves, !target.schema_exists);
    Ok(Comparison { plan, ..comparison })
}

async fn compare(audit: &Audit, desired: &Desired, target: &Target) -> Result<Comparison, CliError> {
    let folder = versions(desired.versions_dir.as_ref())?;
    let statuses = target::status(target, &folder).await?;
    let edited: Vec<String> = statuses.iter().filter(|s| s.edited).map(|s| s.name.clone()).collect();
    if !edited.is_empty() {
        return Err(MigrateError::Edited { names: edited }.into());
    }
    let live = inspect::live(target, desired).await?;
    let normal = inspect::normalise(target, desired, &live).await?;
    inspect::try_fills(target, desired, &live).await?;
    let pending = pending(&statuses, &folder, &live, desired, target).await?;
    let OurNames { names: mut ours, types: our_types } = OurNames::in_versions(target).await?;
    ours.extend(live.copies.keys().cloned());
    let found = Found {
        catalogue: &live.catalogue,
        rows: &live.rows,
        hangers: &live.hangers,
        irreplaceable: &live.irreplaceable,
        ours: Some(&ours),
        enums: &live.enums,
        our_types: Some(&our_types),
    };
    let difference = diff::between(desired, &normal.catalogue, found);
    let renamed = live.renamed(&difference);
    let obstacles =
        inspect::obstacles(target, &difference.changes, desired, &renamed, &difference.former).await?;
    let compared = Compared { normal: &normal.catalogue, live: &renamed, difference, obstacles };
    let plan = Plan::between(audit, desired, compared, pending);
    Ok(Comparison { normal, there: live, live: renamed, plan, folder })
}

/// What the versions say that the target has.
#[derive(Default)]
struct OurNames {
    /// The names of what they make, and every statement in them that makes a comment.
    names: BTreeSet<String>,
    /// The types that they make.
    types: BTreeSet<String>,
}

impl OurNames {
    async fn in_versions(target: &Target) -> Result<OurNames, CliError> {
        let Some(ledger) = Ledger::find(target).await? else { return Ok(OurNames::default()) };
        let versions = ledger.versions().await?;
        let steps = || {
            let sections = versions.iter().map(|recorded| &recorded.version);
            sections.flat_map(|version| version.pre_data.iter().chain(&version.post_data))
        };
        // A comment has no name: it is known by the statement that made it.
        let comment = |sql: &String| sql.starts_with(render::COMMENT_ON).then(|| sql.clone());
        let named = |step: &Step| target::created_names(&step.sql).into_iter().chain(comment(&step.sql));
        Ok(OurNames {
            names: steps().flat_map(named).collect(),
            types: steps().filter_map(|step| target::created_type(&step.sql)).collect(),
        })
    }
}

/// The versions that are not wholly applied, and what they make of an empty schema, where that can be said.
async fn pending(
    statuses: &[VersionStatus],
    folder: &[Version],
    live: &Live,
    desired: &Desired,
    target: &Target,
) -> Result<Pending, CliError> {
    let unfinished: Vec<&VersionStatus> =
        statuses.iter().filter(|status| status.state != State::Applied).collect();
    if unfinished.is_empty() {
        return Ok(Pending::default());
    }
    let mut versions = folder.to_vec();
    if let Some(ledger) = Ledger::find(target).await? {
        let recorded = ledger.versions().await?.into_iter().map(|recorded| recorded.version);
        let elsewhere: Vec<Version> =
            recorded.filter(|version| folder.iter().all(|known| known.name != version.name)).collect();
        versions.extend(elsewhere);
        versions.sort_by(|one, other| one.name.cmp(&other.name));
    }
    versions.retain(|version| unfinished.iter().any(|status| status.name == version.name));
    if unfinished.iter().any(|status| status.state == State::PreData) {
        return Ok(Pending { versions, begun: true, outcome: None });
    }
    let steps = versions.iter().flat_map(|version| {
        let steps = version.pre_data.iter().chain(&version.post_data);
        // Scratch is one transaction, in which nothing is built concurrently; the outcome is the same.
        let plain = |step: &Step| {
            if step.concurrent { step.sql.replacen("CONCURRENTLY ", "", 1) } else { step.sql.clone() }
        };
        steps.map(move |step| (format!("a step of version {}", version.name), plain(step)))
    });
    let outcome = match inspect::replay(target, steps, desired).await {
        Ok(outcome) => Some(outcome),
        // On top of tables that are there, a version may well not run from nothing.
        Err(InspectError::Refused { .. }) if !live.catalogue.tables.is_empty() => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Pending { versions, begun: false, outcome })
}

/// The versions of the mapping's folder; none where it names none.
pub(super) fn versions(folder: Option<&PathBuf>) -> Result<Vec<Version>, CliError> {
    folder.map_or_else(|| Ok(Vec::new()), |folder| Ok(target::load_folder(folder)?))
}
