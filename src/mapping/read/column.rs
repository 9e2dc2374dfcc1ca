//! `tables.NAME.columns` and `add_columns`.

use super::super::{
    AddColumn, ColumnEntry, OnInvalid, Place, Placed,
    yaml::{Kind, Node},
};
use super::keys::{Key, Keys, Relation, Shape};
use super::primitives::{Object, Reader};
use super::renames::{FORMER_NAMES, RENAMED_FROM};
use super::words::{EPOCHS, EPOCHS_PLANNED, ON_INVALID, ON_INVALID_PLANNED};
use crate::schema::PgType;

pub(super) const COLUMN: Keys = Keys {
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

pub(super) const ADD_COLUMN: Keys = Keys {
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

impl Reader {
    pub(super) fn column(&mut self, name: &Placed<String>, node: &Node) -> Option<ColumnEntry> {
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

    /// Keys of a column that contradict one another.
    pub(super) fn check_column(&mut self, column: &ColumnEntry, object: &Object<'_>) {
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

    pub(super) fn add_column(&mut self, name: &Placed<String>, node: &Node) -> Option<AddColumn> {
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
}
