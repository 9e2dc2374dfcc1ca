//! The command line: a contract, since scripts depend on it. What is not built yet is not here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};

use crate::schema::Hazard;

use super::mapping_args::MappingArgs;

use super::plan_args::{NamedEnds, PlanArgs};
use super::serve_args::ServeArgs;

/// Moves a SQLite database into PostgreSQL, and proves that nothing was lost.
#[derive(Debug, Parser)]
#[command(
    name = "mtm",
    version,
    after_help = "First steps: `mtm demo`, then `mtm plan --source FILE --target URL`.\nExit codes: 0 done, 1 failed, 2 there are \
                  differences, 3 refused, 4 stale plan or changed source, 5 done, with rejected rows, 64 usage, 130 and 143 interrupted.",
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,

    /// Say nothing but errors (and, for `plan`, `audit`, `schema` and `mapping show`, what was asked for)
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,

    /// Say more on stderr: -v what is done, -vv every statement
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,

    /// Colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(super) color: Color,
}

/// The hazards' slugs, and nothing else.
fn hazard() -> PossibleValuesParser {
    PossibleValuesParser::new(Hazard::ALL.map(|(_, slug)| slug))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a sample Music Time Machine, start a private PostgreSQL, and go the whole way with it
    Demo,
    /// What the SQLite file holds, by reading every row
    Audit(AuditArgs),
    /// The difference between the mapping and the target; writes nothing
    Plan(PlanArgs),
    /// Show the plan, ask, and carry it out: schema, rows, keys; resumes what an earlier run left
    Apply(ApplyArgs),
    /// Prove that source and target hold the same, row by row and cell by cell
    Verify(VerifyArgs),
    /// The desired schema as one SQL file
    Schema(SchemaArgs),
    /// The versions of the schema, through sea-orm-migration
    Migrate(MigrateArgs),
    /// The private PostgreSQL of this folder
    Local(LocalArgs),
    /// The Music Time Machine's site, on the database that `mtm apply` made
    Serve(Box<ServeArgs>),
    /// The mapping without a target: whether it is right, what it makes of each column, its schema for editors
    Mapping(MappingArgs),
}

#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// The SQLite file
    #[arg(long, env = "MTM_SOURCE", value_name = "FILE")]
    pub(super) source: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ScopeArgs {
    /// The mapping; `none`: the built-in rules alone [default: mappings/types.yaml, where it exists]
    #[arg(long, env = "MTM_MAPPING", value_name = "FILE")]
    pub(super) mapping: Option<PathBuf>,

    /// The target schema [default: the mapping's, else public]
    #[arg(long, value_name = "NAME")]
    pub(super) schema: Option<String>,

    /// Only these source tables (`*` and `?` as in a shell; may be repeated)
    #[arg(long, value_name = "GLOB")]
    pub(super) include: Vec<String>,

    /// Not these source tables
    #[arg(long, value_name = "GLOB")]
    pub(super) exclude: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub(super) struct TargetArgs {
    /// The PostgreSQL database: a URL, or `local` for the private server [env: MTM_TARGET, DATABASE_URL, PG*]
    #[arg(long, value_name = "URL")]
    pub(super) target: Option<String>,

    /// How long a statement may wait for a lock, such as 3s (0: for ever)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) lock_timeout: Option<std::time::Duration>,

    /// How long a statement may run, such as 10min (0: for ever)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) statement_timeout: Option<std::time::Duration>,
}

/// Reads `500ms`, `3s`, `10min`, `1h`, or a plain number of seconds.
pub(super) fn duration(text: &str) -> Result<std::time::Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 =
        number.parse().map_err(|_| "a duration is a number and a unit: 500ms, 3s, 10min".to_owned())?;
    let milliseconds = match unit.trim() {
        "ms" => 1,
        "" | "s" => 1000,
        "min" | "m" => 60_000,
        "h" => 3_600_000,
        other => return Err(format!("unknown unit `{other}`: ms, s, min or h")),
    };
    number
        .checked_mul(milliseconds)
        // PostgreSQL keeps its timeouts as milliseconds in 31 bits.
        .filter(|milliseconds| *milliseconds <= i32::MAX as u64)
        .map(std::time::Duration::from_millis)
        .ok_or_else(|| "the longest duration is 596h".to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,

    /// The report's form
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

/// Both ends of the way, and what goes along it.
#[derive(Debug)]
pub(super) struct EndsArgs {
    pub(super) source: SourceArgs,
    pub(super) target: TargetArgs,
    pub(super) scope: ScopeArgs,
}

#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// A plan that `mtm plan --out` has saved: carried out where nothing has changed since, with its source, mapping and
    /// schema where no flag names others
    #[arg(value_name = "PLAN", conflicts_with = "restart")]
    pub(super) plan: Option<PathBuf>,

    #[command(flatten)]
    pub(super) ends: NamedEnds,

    /// Do not ask
    #[arg(long, short)]
    pub(super) yes: bool,

    /// Copy tables anew whose source has changed since, or whose rows were rejected in part: empty them first
    #[arg(long)]
    pub(super) restart: bool,

    /// Hazards that are accepted on tables with rows; each has a page in docs/hazards
    #[arg(long, value_name = "HAZARD", value_delimiter = ',', value_parser = hazard())]
    pub(super) allow: Vec<String>,

    /// Where rows go that the mapping rejects, a JSON object a line; made where there are any
    #[arg(long, value_name = "FILE", default_value = "mtm-rejects.ndjson")]
    pub(super) rejects: PathBuf,

    /// Stop when more rows are rejected than this
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) max_rejects: u64,

    /// Sessions that copy at the same time [default: the machine's processors, at most 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(super) jobs: Option<u32>,

    /// How long the server may be silent before another session looks whether the network still carries (0: for ever)
    #[arg(long, value_name = "DURATION", default_value = "2min", value_parser = duration)]
    pub(super) network_timeout: std::time::Duration,

    /// The report's form
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The SQLite file; not with --against
    #[arg(long, env = "MTM_SOURCE", value_name = "FILE", required_unless_present = "against")]
    pub(super) source: Option<PathBuf>,

    #[command(flatten)]
    pub(super) target: TargetArgs,

    /// The mapping; `none`: the built-in rules alone [default: mappings/types.yaml, where it exists]
    #[arg(long, env = "MTM_MAPPING", value_name = "FILE")]
    pub(super) mapping: Option<PathBuf>,

    /// The target schema [default: the mapping's, else public; with --against the certificate's]
    #[arg(long, value_name = "NAME")]
    pub(super) schema: Option<String>,

    /// Only these source tables (`*` and `?` as in a shell; may be repeated)
    #[arg(long, value_name = "GLOB", conflicts_with = "against")]
    pub(super) include: Vec<String>,

    /// Not these source tables
    #[arg(long, value_name = "GLOB", conflicts_with = "against")]
    pub(super) exclude: Vec<String>,

    /// Write the certificate to FILE.json, for programs, and FILE.md, for people; also where there are differences
    #[arg(long, value_name = "FILE")]
    pub(super) certificate: Option<PathBuf>,

    /// Check the target again without the source: against the digests in this certificate (FILE.json). It finds accidents;
    /// rows forged on purpose, by somebody who has the certificate, only --source finds
    #[arg(long, value_name = "FILE")]
    pub(super) against: Option<PathBuf>,

    /// Let so many writers each change a row at once, in transactions that are rolled back, and say whether one had to wait for
    /// another
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(super) writers: Option<u32>,

    /// Sessions that read at the same time [default: the machine's processors, at most 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(super) jobs: Option<u32>,

    /// The certificate's form
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

impl VerifyArgs {
    /// What goes along the way, where there is a source.
    pub(super) fn scope(&self) -> ScopeArgs {
        ScopeArgs {
            mapping: self.mapping.clone(),
            schema: self.schema.clone(),
            include: self.include.clone(),
            exclude: self.exclude.clone(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaFormat {
    /// Statements
    Sql,
    /// The model
    Json,
}

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) scope: ScopeArgs,

    /// The schema's form
    #[arg(long, value_enum, default_value_t = SchemaFormat::Sql)]
    pub(super) format: SchemaFormat,
}

#[derive(Debug, Args)]
pub(super) struct MigrateArgs {
    #[command(subcommand)]
    pub(super) command: MigrateCommand,
}

#[derive(Debug, Args)]
pub(super) struct VersionArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,

    /// The mapping that names the folder of versions [default: mappings/types.yaml, where it exists]
    #[arg(long, env = "MTM_MAPPING", value_name = "FILE")]
    pub(super) mapping: Option<PathBuf>,

    /// The target schema [default: the mapping's, else public]
    #[arg(long, value_name = "NAME")]
    pub(super) schema: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum MigrateCommand {
    /// Apply the versions that the target does not have yet
    Up {
        #[command(flatten)]
        versions: VersionArgs,
        /// How long to wait for another run to end
        #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
        wait: std::time::Duration,
        /// Hazards that are accepted on tables with rows; each has a page in docs/hazards
        #[arg(long, value_name = "HAZARD", value_delimiter = ',', value_parser = hazard())]
        allow: Vec<String>,
    },
    /// Take back the last version
    Down {
        #[command(flatten)]
        versions: VersionArgs,
        /// How many versions
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        steps: u32,
        /// Hazards that are accepted on tables with rows; each has a page in docs/hazards
        #[arg(long, value_name = "HAZARD", value_delimiter = ',', value_parser = hazard())]
        allow: Vec<String>,
    },
    /// Take the last version back and apply it again
    Redo {
        #[command(flatten)]
        versions: VersionArgs,
        /// Hazards that are accepted on tables with rows; each has a page in docs/hazards
        #[arg(long, value_name = "HAZARD", value_delimiter = ',', value_parser = hazard())]
        allow: Vec<String>,
    },
    /// Which versions there are, and which the target has
    Status {
        #[command(flatten)]
        versions: VersionArgs,
    },
}

#[derive(Debug, Args)]
pub(super) struct LocalArgs {
    #[command(subcommand)]
    pub(super) command: LocalCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum LocalCommand {
    /// Start it; make it first where there is none
    Start {
        /// Listen on this TCP port too, with a password
        #[arg(long)]
        port: Option<u16>,
    },
    /// Stop it; the data stays
    Stop,
    /// Whether it runs, and where its data is
    Status,
    /// Its URL, for psql and other programs
    Url {
        /// The database
        #[arg(default_value = "postgres")]
        database: String,
    },
}
