//! The mapping: what the user wants of the target, over the built-in rules.
//!
//! [`Mapping`] is the YAML as a value, each part with the place where it stands, so that a later complaint about it
//! can point there. Resolving it against an audit is pure.

mod load;
mod mistake;
mod model;
mod read;
mod resolve;
mod yaml;

pub use resolve::Scope;

pub use mistake::{MappingError, Mistake};
pub use model::{
    AddColumn, CheckEntry, ColumnEntry, EpochUnit, ForeignKeyEntry, IdentifierPolicy, IndexEntry, Mapping,
    OnInvalid, PartitionEntry, Place, Placed, Rule, Rung, SchemaEntry, TableEntry,
};

#[cfg(test)]
mod tests;
