//! The target schema: its model, its types, and how it is written as SQL. Pure: no I/O.

mod change;
mod conversion;
mod desired;
mod enum_type;
mod former;
mod hazard;
mod model;
mod order;
mod partition;
mod pg_type;
pub mod render;
mod staged;
mod text_forms;
mod words;

pub use change::{Action, Change};
pub use conversion::Conversion;
pub use desired::{
    ColumnCopy, Desired, Fate, Fill, Finding, Grounds, Outcome, Refusal, Sequence, Severity, TableCopy,
};
pub(crate) use enum_type::is_taken_by_server;
pub use enum_type::{EnumType, LabelPlace, MAX_LABEL_BYTES};
pub use former::FormerNames;
pub use hazard::{Hazard, hazards};
pub use model::{
    Check, Column, ForeignKey, Index, IndexKey, IndexPart, Key, NullsOrder, ReferentialAction, Schema, Table,
};
pub use order::Section;
pub use partition::{
    Layout, MOST_PARTITIONS, Partition, Partitioning, Period, covers, day_number, fitting, overlap,
};
pub use pg_type::{PgType, PgTypeError};
pub(crate) use render::literal;
pub use staged::{Staged, StagedIndex};

/// Finds the known word nearest to what was written, if one is near enough to be meant.
pub(crate) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|word| (strsim::damerau_levenshtein(&written.to_lowercase(), &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= 1 + word.chars().count() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}
