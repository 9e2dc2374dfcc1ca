//! `tables.NAME`: its checks and foreign keys, and what the other modules read of it.

use super::super::{
    CheckEntry, ForeignKeyEntry, Placed, TableEntry,
    yaml::{Kind, Node},
};
use super::column::{ADD_COLUMN, COLUMN};
use super::index::INDEX;
use super::keys::{Key, Keys, Shape};
use super::partition::PARTITION;
use super::primitives::{Case, Object, Reader};
use super::renames::{FORMER_NAMES, RENAMED_FROM};
use super::words::{ACTIONS, TABLE_ON_INVALID};

pub(super) const TABLE: Keys = Keys {
    built: &[
        Key::optional(
            "columns",
            Shape::Named(&Shape::Either(&[Shape::Type, Shape::Object(&COLUMN)])),
            "The source's columns by name, each with its type or with more to say; those not named follow the rules.",
        ),
        Key::optional(
            "add_columns",
            Shape::Named(&Shape::Either(&[Shape::Type, Shape::Object(&ADD_COLUMN)])),
            "Columns that the source does not have, by name.",
        ),
        Key::optional(
            "indexes",
            Shape::List(&Shape::Object(&INDEX)),
            "Indexes beside the source's own, which are carried over by themselves.",
        ),
        Key::optional(
            "checks",
            Shape::List(&Shape::Object(&CHECK)),
            "Checks over several columns; the source's own are carried over where they mean the same.",
        ),
        Key::optional(
            "foreign_keys",
            Shape::List(&Shape::Object(&FOREIGN_KEY)),
            "Foreign keys; over columns that have one in the source, this one takes its place.",
        ),
        Key::optional(
            "partition_by",
            Shape::Object(&PARTITION),
            "Lays the rows out on native partitions, by ranges of a column.",
        ),
        Key::optional(
            "existing",
            Shape::Word(&EXISTING),
            "What to do with a target table that holds rows already.",
        ),
        Key::optional(
            "on_invalid",
            Shape::Word(&TABLE_ON_INVALID),
            "What happens to a row that the server refuses: `fail` stops the run, `reject` puts the row aside.",
        ),
        Key::optional(
            RENAMED_FROM,
            FORMER_NAMES,
            "What the table was called before, in the source or in the target: it is renamed, with all that is named after it.",
        ),
        Key::optional("comment", Shape::Text, "What PostgreSQL's catalogue says of the table."),
    ],
    planned: &["distribute_by"],
    relations: &[],
};

const CHECK: Keys = Keys {
    built: &[
        Key::required(
            "name",
            Shape::Text,
            "The constraint's name; the source's check of this name is replaced.",
        ),
        Key::required(
            "expression",
            Shape::Text,
            "What every row meets, an expression in PostgreSQL's own SQL with the target's names.",
        ),
    ],
    planned: &["on_invalid"],
    relations: &[],
};

const FOREIGN_KEY: Keys = Keys {
    built: &[
        Key::optional("name", Shape::Text, "The constraint's name; `TABLE_COLUMN_fkey` unless it is said."),
        Key::required(
            "columns",
            Shape::FilledList(&Shape::Text),
            "The columns of this table that refer to the parent.",
        ),
        Key::required("references", Shape::Object(&REFERENCES), "What they refer to."),
        Key::optional("on_update", Shape::Word(&ACTIONS), "What happens when the parent's key changes."),
        Key::optional("on_delete", Shape::Word(&ACTIONS), "What happens when the parent row is deleted."),
    ],
    planned: &["on_invalid"],
    relations: &[],
};

const REFERENCES: Keys = Keys {
    built: &[
        Key::required("table", Shape::Text, "The parent table, by the source's name."),
        Key::optional(
            "columns",
            Shape::List(&Shape::Text),
            "The parent's columns, one for each; its primary key unless they are said.",
        ),
    ],
    planned: &[],
    relations: &[],
};

/// What to do with rows that are in the target already.
const EXISTING: &[(&str, ())] = &[("refuse", ())];
const EXISTING_PLANNED: &[&str] = &["upsert", "skip", "truncate"];

impl Reader {
    pub(super) fn table(&mut self, name: &Placed<String>, node: &Node) -> Option<TableEntry> {
        let mut table = TableEntry {
            name: name.clone(),
            renamed_from: Vec::new(),
            on_invalid: None,
            partition_by: None,
            comment: None,
            columns: Vec::new(),
            add_columns: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            foreign_keys: Vec::new(),
        };
        // `tracks:` with all below it commented out is a table that is left as it is.
        if node.kind == Kind::Nothing {
            return Some(table);
        }
        let object = self.object(node, &TABLE)?;
        table.renamed_from = self.former_names(name, &object);
        if let Some(existing) = object.get("existing") {
            self.word(existing, "value of `existing`:", EXISTING, EXISTING_PLANNED);
        }
        table.on_invalid = self.placed_word(&object, "on_invalid", |reader, node| {
            reader.word(node, "value of a table's `on_invalid`:", TABLE_ON_INVALID, &[])
        });
        table.partition_by = object.get("partition_by").and_then(|node| self.partition_by(node));
        table.comment = self.optional_text(&object, "comment").map(|comment| comment.value);
        for (name, node) in
            object.get("columns").map(|node| self.named(node, Case::Ignored)).unwrap_or_default()
        {
            table.columns.extend(self.column(name, node));
        }
        for (name, node) in
            object.get("add_columns").map(|node| self.named(node, Case::Matters)).unwrap_or_default()
        {
            table.add_columns.extend(self.add_column(name, node));
        }
        for node in self.items(&object, "indexes") {
            table.indexes.extend(self.index(node));
        }
        for node in self.items(&object, "checks") {
            table.checks.extend(self.check(node));
        }
        for node in self.items(&object, "foreign_keys") {
            table.foreign_keys.extend(self.foreign_key(node));
        }
        self.check_unique("check", Case::Matters, table.checks.iter().map(|check| &check.name));
        self.check_added(&table);
        self.check_renamed_columns(&table);
        Some(table)
    }

    fn items<'n>(&mut self, object: &Object<'n>, key: &str) -> &'n [Node] {
        object.get(key).map(|node| self.list(node)).unwrap_or_default()
    }

    /// A column is either the source's or a new one.
    fn check_added(&mut self, table: &TableEntry) {
        for added in &table.add_columns {
            if let Some(column) =
                table.columns.iter().find(|column| column.name.value.eq_ignore_ascii_case(&added.name.value))
            {
                let message = format!("the column `{}` stands under `columns` too", added.name.value);
                let hint = "`columns` is for the source's columns, `add_columns` for new ones";
                let mistake = super::Mistake::at(&added.name.place, &message, Some(hint));
                self.mistakes.push(mistake.and_at(&column.name.place));
            }
        }
    }

    pub(super) fn placed_word<T>(
        &mut self,
        object: &Object<'_>,
        key: &str,
        read: impl FnOnce(&mut Reader, &Node) -> Option<T>,
    ) -> Option<Placed<T>> {
        let node = object.get(key)?;
        read(self, node).map(|value| Placed { value, place: node.place.clone() })
    }

    fn check(&mut self, node: &Node) -> Option<CheckEntry> {
        let object = self.object(node, &CHECK)?;
        let name = self.required_text(&object, "name");
        let expression = self.required_text(&object, "expression");
        Some(CheckEntry { name: name?, expression: expression? })
    }

    fn foreign_key(&mut self, node: &Node) -> Option<ForeignKeyEntry> {
        let object = self.object(node, &FOREIGN_KEY)?;
        let name = self.optional_text(&object, "name").map(|name| name.value);
        let columns = self.required(&object, "columns").map(|node| {
            let items = self.filled_list(node, "a foreign key has at least one column", None);
            self.names(items)
        });
        let references = self.required(&object, "references").and_then(|node| self.object(node, &REFERENCES));
        let on_update = self.action(&object, "on_update");
        let on_delete = self.action(&object, "on_delete");
        let references = references?;
        let parent_table = self.required_text(&references, "table");
        let parent_columns = self.items(&references, "columns");
        let parent_columns = self.names(parent_columns);
        let columns = columns?;
        if !columns.is_empty() && !parent_columns.is_empty() && parent_columns.len() != columns.len() {
            let message =
                format!("columns here: {}; under `references`: {}", columns.len(), parent_columns.len());
            let place = object.key_place("columns").unwrap_or(object.place);
            self.mistake(place, &message, Some("each column refers to one"));
        }
        Some(ForeignKeyEntry {
            name,
            columns,
            parent_table: parent_table?,
            parent_columns,
            on_update,
            on_delete,
        })
    }
}
