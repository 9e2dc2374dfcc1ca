//! `tables.NAME.indexes[]`.

use super::super::{
    IndexEntry, Placed,
    yaml::{Kind, Node},
};
use super::keys::{Key, Keys, Relation, Shape};
use super::primitives::{Object, Reader};
use super::words::{METHODS, NULLS, ORDERS};
use crate::schema::{IndexKey, IndexPart};

pub(super) const INDEX: Keys = Keys {
    built: &[
        Key::required(
            "name",
            Shape::Text,
            "The index's name, unique over all tables; under the name of an index of the source, the two are one.",
        ),
        Key::optional(
            "method",
            Shape::Word(&METHODS),
            "The access method; `btree` unless another one is named.",
        ),
        Key::optional("unique", Shape::Truth, "Whether no two rows may be equal in it."),
        Key::optional(
            "columns",
            Shape::FilledList(&Shape::Either(&[Shape::Text, Shape::Object(&PART)])),
            "What is indexed, in this order: the source's column names, or columns and expressions with more to say.",
        ),
        Key::optional(
            "expression",
            Shape::Text,
            "The one expression that is indexed, in PostgreSQL's own SQL.",
        ),
        Key::optional("opclass", Shape::Text, "The operator class of `expression`."),
        Key::optional(
            "include",
            Shape::FilledList(&Shape::Text),
            "Columns whose values lie in the index beside what is searched by, so that a query need not look at the table.",
        ),
        Key::optional(
            "nulls_distinct",
            Shape::Truth,
            "Of a unique index, `false` lets NULL stand in one row only; from PostgreSQL 15 on.",
        ),
        Key::optional("where", Shape::Text, "An expression: only the rows that meet it are indexed."),
    ],
    planned: &["comment"],
    relations: &[
        Relation::ExactlyOne(&["columns", "expression"]),
        Relation::Needs("opclass", "expression"),
        Relation::Needs("nulls_distinct", "unique"),
    ],
};

const PART: Keys = Keys {
    built: &[
        Key::optional("column", Shape::Text, "The source's column."),
        Key::optional("expression", Shape::Text, "An expression, in PostgreSQL's own SQL."),
        Key::optional("opclass", Shape::Text, "The operator class, such as `jsonb_path_ops`."),
        Key::optional("order", Shape::Word(&ORDERS), "The direction; `asc` unless `desc` is said."),
        Key::optional(
            "nulls",
            Shape::Word(&NULLS),
            "Where NULL stands: `last` in ascending order and `first` in descending, unless it is said.",
        ),
    ],
    planned: &[],
    relations: &[Relation::ExactlyOne(&["column", "expression"])],
};

impl Reader {
    pub(super) fn index(&mut self, node: &Node) -> Option<IndexEntry> {
        let object = self.object(node, &INDEX)?;
        let name = self.required_text(&object, "name");
        let method = object.get("method").and_then(|node| self.word(node, "index method", METHODS, &[]));
        let unique = self.truth(&object, "unique").unwrap_or(false);
        let predicate = self.optional_text(&object, "where").map(|predicate| predicate.value);
        let nulls_not_distinct = self.truth(&object, "nulls_distinct") == Some(false);
        if !unique && let Some(place) = object.key_place("nulls_distinct") {
            self.mistake(place, "`nulls_distinct` is for a unique index", Some("add `unique: true`"));
        }
        let include = object.node("include").map(|node| {
            let items = self.filled_list(node, "`include` names at least one column", None);
            self.names(items)
        });
        let parts = self.index_parts(&object);
        Some(IndexEntry {
            name: name?,
            method: method.unwrap_or("btree").to_owned(),
            unique,
            parts: parts?,
            include: include.unwrap_or_default(),
            nulls_not_distinct,
            predicate,
        })
    }

    /// Reads `columns`, or `expression` with its `opclass`.
    fn index_parts(&mut self, object: &Object<'_>) -> Option<Vec<Placed<IndexPart>>> {
        match (object.key_place("columns"), object.key_place("expression")) {
            (Some(_), None) => {
                if let Some(place) = object.key_place("opclass") {
                    let hint = "write `columns: [{column: NAME, opclass: …}]`";
                    self.mistake(place, "an operator class belongs to a column", Some(hint));
                }
                let columns = self.required(object, "columns")?;
                let nodes = self.filled_list(columns, "an index has at least one column or expression", None);
                Some(nodes.iter().filter_map(|node| self.index_part(node)).collect())
            }
            (None, Some(_)) => {
                let expression = self.required_text(object, "expression")?;
                let opclass = self.optional_text(object, "opclass").map(|opclass| opclass.value);
                let key = IndexKey::Expression(expression.value);
                let value = IndexPart { opclass, ..IndexPart::plain(key) };
                Some(vec![Placed { value, place: expression.place }])
            }
            (Some(_), Some(place)) => {
                let hint = "put the expression into the list: `columns: [NAME, {expression: \"…\"}]`";
                self.mistake(place, "an index has either `columns` or `expression`", Some(hint));
                None
            }
            (None, None) => {
                self.mistake(object.place, "the key `columns` or `expression` is missing here", None);
                None
            }
        }
    }

    /// Reads a column's name, or `{column | expression, opclass, order, nulls}`.
    fn index_part(&mut self, node: &Node) -> Option<Placed<IndexPart>> {
        if !matches!(node.kind, Kind::Mapping(_)) {
            let name = self.text(node)?;
            let value = IndexPart::plain(IndexKey::Column(name.value));
            return Some(Placed { value, place: name.place });
        }
        let object = self.object(node, &PART)?;
        let opclass = self.optional_text(&object, "opclass").map(|opclass| opclass.value);
        let order = object.get("order").and_then(|node| self.word(node, "order", ORDERS, &[]));
        let nulls = object.get("nulls").and_then(|node| self.word(node, "place of NULL", NULLS, &[]));
        let column = self.optional_text(&object, "column");
        let expression = self.optional_text(&object, "expression");
        let (key, place) = match (column, expression) {
            (Some(column), None) => (IndexKey::Column(column.value), column.place),
            (None, Some(expression)) => (IndexKey::Expression(expression.value), expression.place),
            (Some(_), Some(expression)) => {
                self.mistake(&expression.place, "either `column` or `expression`, not both", None);
                return None;
            }
            (None, None) => {
                if object.key_place("column").or(object.key_place("expression")).is_none() {
                    self.mistake(object.place, "the key `column` or `expression` is missing here", None);
                }
                return None;
            }
        };
        Some(Placed { value: IndexPart { key, opclass, descending: order.unwrap_or(false), nulls }, place })
    }
}
