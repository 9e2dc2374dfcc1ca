//! The arguments of `mtm plan`, and both ends as `mtm plan` and `mtm apply` name them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{
    args::{EndsArgs, ScopeArgs, SourceArgs, TargetArgs},
    error::CliError,
};
use crate::{plan::SavedPlan, target::is_version_name};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// The statements
    Sql,
    /// For a pull request's comment
    Markdown,
    /// The desired schema as a diagram (mermaid's erDiagram)
    Mermaid,
}

/// Both ends of the way, and what goes along it, as far as the command line names them.
#[derive(Debug, Args)]
pub(super) struct NamedEnds {
    /// The SQLite file [env: MTM_SOURCE]
    #[arg(long, value_name = "FILE")]
    pub(super) source: Option<PathBuf>,

    #[command(flatten)]
    pub(super) target: TargetArgs,

    /// The mapping; `none`: the built-in rules alone [env: MTM_MAPPING] [default: mappings/types.yaml, where it exists]
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,

    /// The target schema [default: the mapping's, else public]
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,

    /// Only these source tables (`*` and `?` as in a shell; may be repeated)
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,

    /// Not these source tables
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
}

impl NamedEnds {
    /// The source, as the command line or the environment names it.
    pub(super) fn source(&self) -> Option<PathBuf> {
        self.source.clone().or_else(|| environment("MTM_SOURCE"))
    }

    /// The mapping that is named, and the target schema.
    pub(super) fn mapping_and_schema(&self) -> (Option<PathBuf>, Option<&str>) {
        (self.mapping.clone().or_else(|| environment("MTM_MAPPING")), self.schema.as_deref())
    }

    /// Both ends: a flag goes before a saved plan, and a saved plan before the environment.
    pub(super) fn ends(&self, saved: Option<&SavedPlan>) -> Result<EndsArgs, CliError> {
        let of_plan = |path: fn(&SavedPlan) -> &str| saved.map(|saved| PathBuf::from(path(saved)));
        let source = self.source.clone().or_else(|| of_plan(|saved| &saved.source));
        let source = source.or_else(|| self.source()).ok_or_else(|| CliError::Usage {
            message: "no source is given".to_owned(),
            hint: Some("name the SQLite file with --source FILE or in MTM_SOURCE".to_owned()),
        })?;
        let named = |flags: &[String], of_plan: fn(&SavedPlan) -> &Vec<String>| match saved {
            Some(saved) if flags.is_empty() => of_plan(saved).clone(),
            _ => flags.to_vec(),
        };
        let scope = ScopeArgs {
            mapping: self
                .mapping
                .clone()
                .or_else(|| of_plan(|saved| &saved.mapping))
                .or_else(|| environment("MTM_MAPPING")),
            schema: self.schema.clone().or_else(|| saved.map(|saved| saved.target_schema.clone())),
            include: named(&self.include, |saved| &saved.include),
            exclude: named(&self.exclude, |saved| &saved.exclude),
        };
        Ok(EndsArgs { source: SourceArgs { source }, target: self.target.clone(), scope })
    }
}

/// A path out of the environment. Not by clap, which would not tell it from a flag: a saved plan is between the two.
fn environment(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) ends: NamedEnds,

    /// The plan's form
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub(super) format: PlanFormat,

    /// Exit with 2 where something is to do
    #[arg(long)]
    pub(super) exit_code: bool,

    /// Compare the target with what its applied versions made of it, to find changes made by hand; needs no source
    #[arg(long, conflicts_with_all = ["save", "out"])]
    pub(super) drift: bool,

    /// Freeze what the schema lacks as a version of this name in the mapping's versions_dir; the target stays as it is
    #[arg(long, value_name = "SLUG", value_parser = slug)]
    pub(super) save: Option<String>,

    /// Save the plan to a file, which `mtm apply FILE` carries out where nothing has changed since
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

/// Reads the part of a version's name that a person chooses.
fn slug(text: &str) -> Result<String, String> {
    if is_version_name(&format!("m20260101_000000_{text}")) {
        return Ok(text.to_owned());
    }
    Err("a slug is of small letters, digits and underscores, and does not end in __post: add_release_year"
        .to_owned())
}
