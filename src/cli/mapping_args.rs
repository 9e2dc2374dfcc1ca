//! The arguments of `mtm mapping`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::args::{Format, ScopeArgs, SourceArgs};

#[derive(Debug, Args)]
pub(super) struct MappingArgs {
    #[command(subcommand)]
    pub(super) command: MappingCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum MappingCommand {
    /// Whether the mapping is right: every mistake with its line and the way out; asks no database
    Check(CheckArgs),
    /// Each column's type, the rule that gave it, and what the values say; asks no PostgreSQL
    Show(ShowArgs),
    /// The mapping's JSON Schema, for editors
    Schema,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The mapping; `none`: the built-in rules alone [env: MTM_MAPPING] [default: mappings/types.yaml, where it exists]
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,

    /// The mapping, as every other command takes it
    // The environment is read by hand: `clap` would call it a conflict with FILE.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub(super) mapping: Option<PathBuf>,

    /// Check it against this SQLite file too: whether it has the tables and columns, and its values fit the types
    // Not from MTM_SOURCE: reading a whole file is to be asked for.
    #[arg(long, value_name = "FILE")]
    pub(super) source: Option<PathBuf>,

    /// Only these source tables (`*` and `?` as in a shell; may be repeated)
    #[arg(long, value_name = "GLOB", requires = "source")]
    pub(super) include: Vec<String>,

    /// Not these source tables
    #[arg(long, value_name = "GLOB", requires = "source")]
    pub(super) exclude: Vec<String>,

    /// The report's form
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

impl CheckArgs {
    /// What goes along the way, where there is a source. No type depends on the target schema's name.
    pub(super) fn scope(&self) -> ScopeArgs {
        let from_environment = || std::env::var_os("MTM_MAPPING").filter(|name| !name.is_empty());
        let named = self.file.clone().or_else(|| self.mapping.clone());
        ScopeArgs {
            mapping: named.or_else(|| from_environment().map(PathBuf::from)),
            schema: None,
            include: self.include.clone(),
            exclude: self.exclude.clone(),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) scope: ScopeArgs,

    /// Only this source table (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub(super) table: Vec<String>,

    /// The report's form
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}
