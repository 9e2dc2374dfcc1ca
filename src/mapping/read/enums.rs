//! `enums`: the enumerated types that columns may be of, each with its labels in their order.

use super::super::{Placed, yaml::Node};
use super::keys::Shape;
use super::primitives::{Case, Reader};
use crate::schema::{EnumType, MAX_LABEL_BYTES, PgType, is_taken_by_server};

/// What may stand behind `enums`.
pub(super) const ENUMS: Shape = Shape::NamedTypes(&Shape::FilledList(&Shape::Text));

/// An enumerated type's name as a regular expression: one that PostgreSQL takes without quotes, in types and in expressions.
pub(super) const NAME: &str = "[a-z][a-z0-9_]*";

impl Reader {
    /// Reads `enums`. Those with a mistake are known by their names, so that a column that is of one is no second mistake.
    pub(super) fn enums(&mut self, node: &Node) {
        for (name, labels) in self.named(node, Case::Matters) {
            self.enum_name(name);
            let hint = format!("as in `{}: [low, high]`", name.value);
            let items = self.filled_list(labels, "an enumerated type has at least one label", Some(&hint));
            let labels = self.names(items);
            self.check_unique("label", Case::Matters, labels.iter());
            for label in labels.iter().filter(|label| label.value.len() > MAX_LABEL_BYTES) {
                let message = format!("a label of {} bytes is too long", label.value.len());
                let hint = format!("PostgreSQL takes {MAX_LABEL_BYTES} bytes at most");
                self.mistake(&label.place, &message, Some(&hint));
            }
            let labels = labels.into_iter().map(|label| label.value).collect();
            let value = EnumType::new(&name.value, labels);
            self.enums.push(Placed { value, place: name.place.clone() });
        }
    }

    fn enum_name(&mut self, name: &Placed<String>) {
        let Placed { value, place } = name;
        let begins = value.starts_with(|c: char| c.is_ascii_lowercase());
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if value.len() > MAX_LABEL_BYTES || !begins || !value.chars().all(is_plain) {
            let message = format!("`{value}` is no name for an enumerated type");
            let hint = format!(
                "it begins with a small letter, and has small letters, digits and `_`, at most {MAX_LABEL_BYTES} of them"
            );
            self.mistake(place, &message, Some(&hint));
        } else if PgType::parse(value).is_ok() || is_taken_by_server(value) {
            let message = format!("`{value}` means something of PostgreSQL's own");
            let hint = format!("choose another name, such as `{value}_kind`");
            self.mistake(place, &message, Some(&hint));
        }
    }

    /// The enumerated type of that name, in any case, as PostgreSQL reads a name without quotes.
    pub(super) fn enum_type(&self, name: &str) -> Option<PgType> {
        let found = self.enums.iter().find(|known| known.value.name().eq_ignore_ascii_case(name.trim()));
        found.map(|known| PgType::Enum(known.value))
    }
}
