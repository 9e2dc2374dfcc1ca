//! What a change is about, in a line for people.

use super::{Change, Index, IndexPart, LabelPlace, Layout, Partition, PgType};

impl Change {
    /// A line for people, without its sign: `table tracks`, `index tracks_payload on tracks using gin (raw_json)`.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Change::CreateType(of) | Change::DropType(of) => format!("type {of:?}"),
            Change::AddLabel { of, label, place } => match place {
                LabelPlace::Before(next) => format!("type {of}: label {label}, before {next}"),
                LabelPlace::After(last) => format!("type {of}: label {label}, after {last}"),
            },
            Change::ReplaceType { of, wanted } => format!("type {of:?} becomes {wanted:?}"),
            Change::DropReplaced(of) => format!("type {of:?}, which its columns have left"),
            Change::CreateTable(table) => format!("table {}", table.name),
            Change::AddColumn { table, column } => {
                let generated =
                    column.generated.as_ref().map(|expression| format!(" generated as {expression}"));
                format!("column {table}.{} {}{}", column.name, column.pg_type, generated.unwrap_or_default())
            }
            Change::FillColumn { table, fill } => {
                format!(
                    "column {table}.{}: rows that hold nothing get {}",
                    fill.column,
                    in_a_line(&fill.expression)
                )
            }
            Change::AddCheck { table, check } => {
                format!("check {} on {table}: {}", check.name, check.expression)
            }
            Change::AddKey { table, key } => {
                let kind = if key.primary { "primary key" } else { "unique constraint" };
                format!("{kind} {} on {table} ({})", key.name, key.columns.join(", "))
            }
            Change::CreateIndex { table, index } => index_summary(table, index),
            Change::ReplaceIndex { table, index, .. } => {
                format!("{}, in place of the one of that name", index_summary(table, index))
            }
            Change::AddForeignKey { table, foreign_key, .. } => format!(
                "foreign key {} on {table} ({}) to {} ({}){}",
                foreign_key.name,
                foreign_key.columns.join(", "),
                foreign_key.parent_table,
                foreign_key.parent_columns.join(", "),
                if foreign_key.valid { "" } else { ", not valid" }
            ),
            Change::ValidateForeignKey { table, name } => {
                format!("validation of foreign key {name} on {table}")
            }
            Change::DropConstraint { table, name, definition } => {
                format!("constraint {name} on {table}: {definition}")
            }
            Change::DropIndex { table, name, .. } => format!("index {name} on {table}"),
            Change::DropColumn { table, column, definition, .. } => {
                format!("column {table}.{column} {definition}")
            }
            Change::DropExpression { table, column, expression } => {
                format!("column {table}.{column}: is no longer generated as {expression}")
            }
            Change::AlterType { table, column, from, from_collation, conversion, .. } => {
                let words = |pg_type: &PgType, collation: &Option<String>| match (pg_type, collation) {
                    // Where only the labels are others, the name says nothing.
                    (PgType::Enum(of), _) => format!("{of:?}"),
                    (_, Some(collation)) => format!("{pg_type} collate {collation}"),
                    (_, None) => pg_type.to_string(),
                };
                format!(
                    "column {table}.{}: {} becomes {}{}",
                    column.name,
                    words(from, from_collation),
                    words(&column.pg_type, &column.collation),
                    conversion.summary(&column.name)
                )
            }
            Change::SetDefault { table, column, default, from } => {
                let word = |default: &Option<String>| default.clone().unwrap_or_else(|| "none".to_owned());
                format!("default of {table}.{column}: {} becomes {}", word(from), word(default))
            }
            Change::SetIdentity { table, column, identity: true } => {
                format!("column {table}.{column}: becomes an identity column")
            }
            Change::SetIdentity { table, column, identity: false } => {
                format!("column {table}.{column}: is no identity column any more")
            }
            Change::SetNotNull { table, column } => format!("column {table}.{column}: NOT NULL"),
            Change::DropNotNull { table, column } => format!("column {table}.{column}: NULL is allowed"),
            Change::AddPartition { table, partition: Partition { name, bounds }, .. } => {
                format!("partition {name} of {table} {bounds}")
            }
            Change::Repartition { table, from, to, .. } => {
                let words = |layout: &Layout| match &layout.key {
                    None => "an ordinary table".to_owned(),
                    Some(key) => format!("partitioned by {key} into {}", layout.partitions.len()),
                };
                format!("table {table}: {} becomes {}", words(from), words(to))
            }
            Change::SetComment { table, column, comment, from } => {
                let object = match column {
                    None => format!("table {table}"),
                    Some(column) => format!("column {table}.{column}"),
                };
                let words: Vec<String> =
                    [from, comment].into_iter().flatten().map(|text| in_a_line(text)).collect();
                format!("comment on {object}: {}", words.join(" becomes "))
            }
            Change::MoveTable { table, from, .. } => format!("table {table}: moves from schema {from}"),
            Change::RenameTable { table, from } => format!("table {table}: renamed from {from}"),
            Change::RenameColumn { table, column, from } => {
                format!("column {table}.{column}: renamed from {from}")
            }
            Change::RenameConstraint { table, name, from } => {
                format!("constraint {name} on {table}: renamed from {from}")
            }
            Change::RenameIndex { table, name, from } => {
                format!("index {name} on {table}: renamed from {from}")
            }
        }
    }
}

/// A text in one line, cut where it is long.
pub(super) fn in_a_line(text: &str) -> String {
    const ROOM: usize = 60;
    let is_space = |character: char| character.is_whitespace() || character.is_control();
    let words: Vec<&str> = text.split(is_space).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(ROOM) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

/// An index with its table: `index tracks_payload on tracks using gin (raw_json)`.
pub(super) fn index_summary(table: &str, index: &Index) -> String {
    let Index { name, unique, nulls_not_distinct, method, parts, include, predicate } = index;
    let kind = if *unique { "unique index" } else { "index" };
    let part =
        |part: &IndexPart| format!("{} {}", part.key.text(), part.words_behind()).trim_end().to_owned();
    let parts: Vec<String> = parts.iter().map(part).collect();
    let beside = match include.as_slice() {
        [] => String::new(),
        columns => format!(" include ({})", columns.join(", ")),
    };
    let nulls = if *nulls_not_distinct { " nulls not distinct" } else { "" };
    let only = predicate.as_ref().map(|rows| format!(" where {rows}")).unwrap_or_default();
    format!("{kind} {name} on {table} using {method} ({}){beside}{nulls}{only}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_and_stays_in_its_line() {
        assert_eq!(in_a_line("one\n  two\u{1b}[31m\tthree "), "one two [31m three");
        assert_eq!(in_a_line(&"ü".repeat(60)), "ü".repeat(60));
        assert_eq!(in_a_line(&"ü".repeat(61)), format!("{}…", "ü".repeat(60)));
    }
}
