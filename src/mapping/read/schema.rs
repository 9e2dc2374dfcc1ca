//! `schema`: where in the target the tables are, and where they were.

use super::super::{
    SchemaEntry,
    yaml::{Kind, Node},
};
use super::keys::{Key, Keys, Shape};
use super::primitives::Reader;

pub(super) const SCHEMA: Keys = Keys {
    built: &[
        Key::required("name", Shape::Text, "The target schema."),
        Key::optional(
            "moved_from",
            Shape::Text,
            "The schema in which the target may still have the tables: they move, with all that is known of them.",
        ),
    ],
    planned: &[],
    relations: &[],
};

impl Reader {
    pub(super) fn schema(&mut self, node: &Node) -> Option<SchemaEntry> {
        if !matches!(node.kind, Kind::Mapping(_)) {
            return Some(SchemaEntry { name: self.text(node)?, moved_from: None });
        }
        let object = self.object(node, &SCHEMA)?;
        let name = self.required_text(&object, "name");
        let moved_from = self.optional_text(&object, "moved_from");
        let name = name?;
        if let Some(itself) = moved_from.as_ref().filter(|from| from.value == name.value) {
            let message = format!("the schema is `{}` already", name.value);
            self.mistake(
                &itself.place,
                &message,
                Some("`moved_from` says in which one the tables were before"),
            );
        }
        Some(SchemaEntry { name, moved_from })
    }
}
