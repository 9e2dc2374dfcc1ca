//! `rules[]`: which columns a rule is for, and the ladder of types to try.

use super::super::{Rule, Rung, yaml::Node};
use super::keys::{Key, Keys, Relation, Shape};
use super::primitives::Reader;
use super::words::AFFINITIES;

pub(super) const RULE: Keys = Keys {
    built: &[
        Key::optional(
            "declared",
            Shape::Text,
            "A pattern for the type as the source declares it, in any case, such as `DATETIME*`.",
        ),
        Key::optional("column", Shape::Text, "A pattern for the column's name, such as `*_at`."),
        Key::optional("affinity", Shape::Word(&AFFINITIES), "The column's affinity in SQLite."),
        Key::required(
            "to",
            Shape::FilledList(&Shape::Rung),
            "The ladder of types, best first: the first one that holds every value, without loss, is taken.",
        ),
    ],
    planned: &[],
    relations: &[Relation::AtLeastOne(&["declared", "column", "affinity"])],
};

/// `numeric` with the declared precision and scale, as it is written in a ladder.
pub(super) const AS_DECLARED: &[&str] = &["numeric(declared)", "decimal(declared)"];

impl Reader {
    pub(super) fn rule(&mut self, node: &Node) -> Option<Rule> {
        let object = self.object(node, &RULE)?;
        let declared = self.optional_text(&object, "declared").map(|glob| glob.value);
        let column = self.optional_text(&object, "column").map(|glob| glob.value);
        let affinity = object.get("affinity").and_then(|node| self.word(node, "affinity", AFFINITIES, &[]));
        if ["declared", "column", "affinity"].iter().all(|key| object.key_place(key).is_none()) {
            let hint = "say it with `declared`, `column` or `affinity`; `column: \"*\"` is every column";
            self.mistake(object.place, "this rule does not say which columns it is for", Some(hint));
        }
        let ladder = self.required(&object, "to")?;
        let hint = "as in `to: [bigint, text, bytea]`";
        let rungs = self.filled_list(ladder, "a ladder has at least one type", Some(hint));
        let to = rungs.iter().filter_map(|node| self.rung(node)).collect();
        Some(Rule { place: object.place.clone(), declared, column, affinity, to })
    }

    fn rung(&mut self, node: &Node) -> Option<Rung> {
        let written = self.text(node)?;
        let lower = written.value.to_ascii_lowercase();
        let brackets = lower.trim().strip_suffix(')').and_then(|text| text.split_once('('));
        let compact = brackets.map(|(name, inside)| format!("{}({})", name.trim(), inside.trim()));
        if compact.is_some_and(|compact| AS_DECLARED.contains(&compact.as_str())) {
            return Some(Rung::NumericAsDeclared);
        }
        self.type_of(&written).map(Rung::Type)
    }
}
