//! Why a change may hurt a database that is in use. Pure.
//!
//! A hazard is one only where rows are: on a table that the same plan makes, or that is empty, there is none. Nothing
//! hazardous runs without `--allow`. Each has a page of its slug in `docs/hazards/`.

use std::fmt;

use serde::Serialize;

use super::{Change, Column};

/// A reason not to make a change without having thought of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hazard {
    /// Rows or values go, and nothing brings them back.
    DeletesData,
    /// Some values become others that do not say as much.
    LossyConversion,
    /// The whole table is written anew: time, and twice the disk.
    RewritesTable,
    /// Whoever reads the table waits meanwhile.
    BlocksReads,
    /// Whoever writes to the table waits meanwhile.
    BlocksWrites,
    /// A row that is written before the change is made may refuse it.
    MayFailOnRows,
    /// An index is built: processor, disk, and time in proportion to the rows.
    BuildsIndex,
}

impl Hazard {
    /// Every hazard, gravest first, with its slug: what `--allow` takes and what its page is called.
    pub const ALL: [(Hazard, &'static str); 7] = [
        (Hazard::DeletesData, "deletes-data"),
        (Hazard::LossyConversion, "lossy-conversion"),
        (Hazard::RewritesTable, "rewrites-table"),
        (Hazard::BlocksReads, "blocks-reads"),
        (Hazard::BlocksWrites, "blocks-writes"),
        (Hazard::MayFailOnRows, "may-fail-on-rows"),
        (Hazard::BuildsIndex, "builds-index"),
    ];

    /// Its slug.
    #[must_use]
    pub fn slug(self) -> &'static str {
        Hazard::ALL.iter().find(|(hazard, _)| *hazard == self).map_or("", |(_, slug)| slug)
    }
}

impl fmt::Display for Hazard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.slug())
    }
}

/// What a change may do to a table with rows, gravest first.
#[must_use]
pub fn hazards(change: &Change) -> Vec<Hazard> {
    use Hazard::{
        BlocksReads, BlocksWrites, BuildsIndex, DeletesData, LossyConversion, MayFailOnRows, RewritesTable,
    };
    match change {
        // What becomes of the columns of a type are changes of their own.
        Change::CreateType(_)
        | Change::AddLabel { .. }
        | Change::ReplaceType { .. }
        | Change::DropReplaced(_)
        | Change::DropType(_)
        | Change::CreateTable(_)
        | Change::DropConstraint { .. }
        | Change::DropIndex { .. }
        | Change::SetDefault { .. }
        | Change::SetIdentity { .. }
        | Change::DropNotNull { .. }
        | Change::MoveTable { .. }
        | Change::RenameTable { .. }
        | Change::RenameColumn { .. }
        | Change::RenameConstraint { .. }
        | Change::RenameIndex { .. }
        | Change::SetComment { .. } => Vec::new(),
        Change::Repartition { .. } => vec![RewritesTable, BlocksReads, BlocksWrites],
        Change::AddForeignKey { at_once: true, .. } => vec![BlocksWrites, MayFailOnRows],
        // The expression may well be one that fails on a row.
        Change::AddColumn { column, .. } if column.generated.is_some() => {
            vec![RewritesTable, BlocksReads, BlocksWrites, MayFailOnRows]
        }
        Change::AddColumn { column, .. } if is_written_row_by_row(column) => {
            vec![RewritesTable, BlocksReads, BlocksWrites]
        }
        Change::AddColumn { .. } => Vec::new(),
        Change::DropColumn { generated: true, .. } | Change::DropExpression { .. } => Vec::new(),
        Change::DropColumn { .. } => vec![DeletesData],
        Change::FillColumn { .. }
        | Change::AddCheck { .. }
        | Change::SetNotNull { .. }
        | Change::AddForeignKey { .. }
        | Change::ValidateForeignKey { .. }
        | Change::AddPartition { .. } => vec![MayFailOnRows],
        Change::AddKey { .. } => vec![MayFailOnRows, BuildsIndex],
        Change::CreateIndex { index, .. } | Change::ReplaceIndex { index, .. } => {
            index.unique.then_some(MayFailOnRows).into_iter().chain([BuildsIndex]).collect()
        }
        Change::AlterType { column, conversion, from_collation, staged, .. } => {
            let blocks = staged.is_none() && (conversion.rewrites || column.collation != *from_collation);
            let builds = staged.as_ref().is_some_and(|staged| !staged.indexes.is_empty());
            let of = |holds: bool, hazard| holds.then_some(hazard);
            [
                of(conversion.keeps_sql(&column.name).is_some(), LossyConversion),
                of(conversion.rewrites, RewritesTable),
                of(blocks, BlocksReads),
                of(blocks, BlocksWrites),
                of(conversion.may_fail, MayFailOnRows),
                of(builds, BuildsIndex),
            ]
            .into_iter()
            .flatten()
            .collect()
        }
    }
}

/// Defaults that are one value for the whole statement, so that PostgreSQL notes it once instead of writing it into each row
/// (its manual, "ALTER TABLE", Notes: "a non-volatile DEFAULT").
const STABLE: [&str; 7] = [
    "now()",
    "current_timestamp",
    "current_date",
    "localtimestamp",
    "transaction_timestamp()",
    "statement_timestamp()",
    "current_user",
];

/// Whether adding a column writes the table anew: with a default that may differ from row to row, or an identity.
fn is_written_row_by_row(column: &Column) -> bool {
    let calls_something = |default: &String| {
        let default = default.trim();
        !STABLE.iter().any(|stable| stable.eq_ignore_ascii_case(default)) && has_call(default)
    };
    column.identity || column.default.as_ref().is_some_and(calls_something)
}

/// Words that stand before a bracket and call nothing.
const NO_FUNCTIONS: [&str; 16] = [
    "and", "or", "not", "in", "is", "like", "ilike", "between", "case", "when", "then", "else", "any", "all",
    "array", "from",
];

/// Whether an expression calls a function, outside of its texts; there may be space before the bracket.
fn has_call(expression: &str) -> bool {
    let mut in_text = false;
    let mut before = String::new();
    let mut ended = false;
    for character in expression.chars() {
        in_text ^= character == '\'';
        if in_text || character.is_whitespace() {
            ended = true;
        } else if character.is_alphanumeric() || matches!(character, '_' | '"') {
            if std::mem::take(&mut ended) {
                before.clear();
            }
            before.push(character);
        } else if character == '(' && !before.is_empty() {
            let word = before.to_lowercase();
            if !NO_FUNCTIONS.contains(&word.as_str()) {
                return true;
            }
            before.clear();
        } else {
            before.clear();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::PgType;

    #[test]
    fn a_default_that_is_one_value_costs_nothing() {
        let column = |default: &str| Column {
            name: "a".to_owned(),
            pg_type: PgType::Text,
            collation: None,
            not_null: true,
            default: Some(default.to_owned()),
            identity: false,
            generated: None,
            comment: None,
        };
        for (default, rewrites) in [
            ("1", false),
            ("'f(x)'", false),
            ("now()", false),
            ("'2024-01-02'::date", false),
            ("(1 + 2)", false),
            ("(CASE WHEN (true) THEN (1) ELSE 2 END)", false),
            ("'f' || ('x')", false),
            ("gen_random_uuid()", true),
            ("gen_random_uuid ()", true),
            ("1 + \"my f\"\n (2)", true),
            ("nextval('s')", true),
            ("clock_timestamp()", true),
        ] {
            assert_eq!(is_written_row_by_row(&column(default)), rewrites, "{default}");
        }
        assert!(is_written_row_by_row(&Column { identity: true, default: None, ..column("1") }));
    }

    #[test]
    fn every_hazard_has_its_page() {
        for (hazard, slug) in Hazard::ALL {
            let page = format!("{}/docs/hazards/{slug}.md", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(&page).expect(&page);
            assert!(text.starts_with(&format!("# {slug}\n")), "{page}");
            assert_eq!(hazard.slug(), slug);
        }
    }
}
