//! `tables.NAME`: its columns, added columns, checks and foreign keys.

use super::super::{
    AddColumn, CheckEntry, ColumnEntry, ForeignKeyEntry, OnInvalid, Place, Placed, TableEntry,
    yaml::{Kind, Node},
};
use super::index::INDEX;
use super::keys::{Key, Keys, Relation, Shape};
use super::partition::PARTITION;
use super::primitives::{Case, Object, Reader};
use super::renames::{FORMER_NAMES, RENAMED_FROM};
use super::words::{ACTIONS, EPOCHS, EPOCHS_PLANNED, ON_INVALID, ON_INVALID_PLANNED, TABLE_ON_INVALID};
use crate::schema::PgType;

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

const COLUMN: Keys = Keys {
    built: &[
        Key::optional(
            "type",
            Shape::Type,
            "The type in PostgreSQL, which every value must hold without loss; without it the rules choose one.",
        ),
        Key::optional(
            "from",
            Shape::Word(&EPOCHS),
            "For timestamptz and timestamp: the number counts these units since 1970, in UTC.",
        ),
        Key::optional(
            "on_invalid",
            Shape::Word(&ON_INVALID),
            "What happens to a value that the type cannot hold: `fail` refuses the plan, `set_null` writes NULL, `text` makes \
             the column text, `reject` puts the row aside.",
        ),
        Key::optional(
            "collate",
            Shape::Text,
            "The collation of a text; `C` sorts by bytes as SQLite does, and fast.",
        ),
        Key::optional(
            "not_null",
            Shape::Truth,
            "Whether NULL is forbidden; as in the source unless it is said.",
        ),
        Key::optional(
            "default",
            Shape::Text,
            "The default, an expression in PostgreSQL's own SQL; the source's unless it is said.",
        ),
        Key::optional("check", Shape::Text, "An expression in PostgreSQL's own SQL that every row meets."),
        Key::optional(
            RENAMED_FROM,
            FORMER_NAMES,
            "What the column was called before, in the source or in the target: it is renamed, and keeps its values.",
        ),
        Key::optional("comment", Shape::Text, "What PostgreSQL's catalogue says of the column."),
    ],
    planned: &["unwrap"],
    relations: &[Relation::Needs("from", "type"), Relation::Needs("on_invalid", "type")],
};

const ADD_COLUMN: Keys = Keys {
    built: &[
        Key::required("type", Shape::Type, "The type in PostgreSQL."),
        Key::optional(
            "default",
            Shape::Text,
            "What the rows that are copied get, an expression in PostgreSQL's own SQL.",
        ),
        Key::optional(
            "generated",
            Shape::Text,
            "What gives each row's value, an expression over the row's other columns in PostgreSQL's own SQL; it is stored.",
        ),
        Key::optional(
            "as",
            Shape::Text,
            "What the rows that are there get once, an expression over the row's other columns in PostgreSQL's own SQL; later \
             rows say it themselves.",
        ),
        Key::optional(
            "not_null",
            Shape::Truth,
            "Whether NULL is forbidden, which needs a default or an expression.",
        ),
        Key::optional(
            RENAMED_FROM,
            FORMER_NAMES,
            "What the column was called before in the target: it is renamed, and keeps its values.",
        ),
        Key::optional("comment", Shape::Text, "What PostgreSQL's catalogue says of the column."),
    ],
    planned: &[],
    relations: &[Relation::AtMostOne(&VALUES)],
};

/// The keys of an added column that say where its values come from.
const VALUES: [&str; 3] = ["default", "generated", "as"];

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

    fn column(&mut self, name: &Placed<String>, node: &Node) -> Option<ColumnEntry> {
        let mut column = ColumnEntry {
            name: name.clone(),
            renamed_from: Vec::new(),
            pg_type: None,
            from: None,
            on_invalid: None,
            collate: None,
            not_null: None,
            default: None,
            check: None,
            comment: None,
        };
        match &node.kind {
            Kind::Mapping(_) => {}
            Kind::Nothing | Kind::List(_) => {
                let hint = "write `name: type`, or `name: {type: …}`";
                self.expected(node, "a type, or a mapping of keys to values,", Some(hint));
                return None;
            }
            _ => {
                column.pg_type = Some(self.pg_type(node)?);
                return Some(column);
            }
        }
        let object = self.object(node, &COLUMN)?;
        column.renamed_from = self.former_names(name, &object);
        let type_key = object.get("type");
        column.pg_type = type_key.and_then(|node| self.pg_type(node));
        column.from = self.placed_word(&object, "from", |reader, node| {
            reader.word(node, "value of `from`:", EPOCHS, EPOCHS_PLANNED)
        });
        column.on_invalid = self.placed_word(&object, "on_invalid", |reader, node| {
            reader.word(node, "value of `on_invalid`:", ON_INVALID, ON_INVALID_PLANNED)
        });
        column.collate = self.optional_text(&object, "collate").map(|collation| collation.value);
        column.not_null = self.truth(&object, "not_null");
        column.default = self.optional_text(&object, "default").map(|default| default.value);
        column.check = self.optional_text(&object, "check");
        column.comment = self.optional_text(&object, "comment").map(|comment| comment.value);
        // A type with a mistake has been named; what depends on it is not judged.
        if type_key.is_none() || column.pg_type.is_some() {
            self.check_column(&column, &object);
        }
        Some(column)
    }

    fn placed_word<T>(
        &mut self,
        object: &Object<'_>,
        key: &str,
        read: impl FnOnce(&mut Reader, &Node) -> Option<T>,
    ) -> Option<Placed<T>> {
        let node = object.get(key)?;
        read(self, node).map(|value| Placed { value, place: node.place.clone() })
    }

    /// Keys of a column that contradict one another.
    fn check_column(&mut self, column: &ColumnEntry, object: &Object<'_>) {
        let pg_type = column.pg_type.as_ref().map(|placed| placed.value);
        if let Some(from) = &column.from
            && !matches!(pg_type, Some(PgType::Timestamp | PgType::Timestamptz))
        {
            let hint = "add `type: timestamptz`";
            self.mistake(&from.place, "`from` is for the types timestamptz and timestamp", Some(hint));
        }
        if let Some(on_invalid) = &column.on_invalid {
            if pg_type.is_none() {
                let message = "`on_invalid` is for a column with a `type`: a rule's type always fits";
                self.mistake(&on_invalid.place, message, Some("add `type`, or leave it out"));
            }
            if on_invalid.value == OnInvalid::SetNull && column.not_null == Some(true) {
                let message = "`on_invalid: set_null` writes NULL, which `not_null: true` forbids";
                self.mistake(&on_invalid.place, message, Some("choose one of the two"));
            }
        }
        if let Some(place) = object.key_place("collate")
            && !matches!(pg_type, None | Some(PgType::Text | PgType::Varchar(_)))
        {
            self.mistake(place, "`collate` is for text and varchar", Some("leave it out"));
        }
    }

    fn add_column(&mut self, name: &Placed<String>, node: &Node) -> Option<AddColumn> {
        if !matches!(node.kind, Kind::Mapping(_)) {
            let pg_type = self.pg_type(node)?;
            let (name, renamed_from) = (name.clone(), Vec::new());
            let (default, generated, fill, comment) = (None, None, None, None);
            return Some(AddColumn {
                name,
                renamed_from,
                pg_type,
                default,
                generated,
                fill,
                not_null: false,
                comment,
            });
        }
        let object = self.object(node, &ADD_COLUMN)?;
        let renamed_from = self.former_names(name, &object);
        let pg_type = self.required(&object, "type").and_then(|node| self.pg_type(node));
        let default = self.optional_text(&object, "default").map(|default| default.value);
        let not_null = self.truth(&object, "not_null").unwrap_or(false);
        let generated = self.optional_text(&object, "generated").map(|expression| expression.value);
        let fill = self.optional_text(&object, "as").map(|expression| expression.value);
        let gets_value = object.key_place("default").or(object.key_place("generated"));
        let sources: Vec<&Place> = VALUES.iter().filter_map(|key| object.key_place(key)).collect();
        if let [_, .., place] = sources[..] {
            let hint = "`default` is for rows that say nothing, `generated` for a value that no row may say, `as` for what the \
                        rows that are there get once";
            let place = place.clone();
            self.mistake(&place, "an added column has one of `default`, `generated` and `as`", Some(hint));
        }
        if not_null && gets_value.is_none() {
            let hint = "add `default`, or leave `not_null` out";
            self.mistake(
                &name.place,
                "an added column that is NOT NULL needs a default for the rows",
                Some(hint),
            );
        }
        let comment = self.optional_text(&object, "comment").map(|comment| comment.value);
        Some(AddColumn {
            name: name.clone(),
            renamed_from,
            pg_type: pg_type?,
            default,
            generated,
            fill,
            not_null,
            comment,
        })
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
