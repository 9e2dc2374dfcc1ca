//! The closed sets of words in a mapping: types, units, actions.

use super::super::{EpochUnit, OnInvalid, Placed, yaml::Node};
use super::primitives::{Object, Reader};
use crate::{
    audit::Affinity,
    schema::{NullsOrder, Period, PgType, PgTypeError, ReferentialAction, nearest},
};

pub(super) const EPOCHS: &[(&str, EpochUnit)] = &[
    ("epoch_s", EpochUnit::Seconds),
    ("epoch_ms", EpochUnit::Milliseconds),
    ("epoch_us", EpochUnit::Microseconds),
];

pub(super) const EPOCHS_PLANNED: &[&str] = &["julian_day"];

pub(super) const ON_INVALID: &[(&str, OnInvalid)] = &[
    ("fail", OnInvalid::Fail),
    ("set_null", OnInvalid::SetNull),
    ("text", OnInvalid::Text),
    ("reject", OnInvalid::Reject),
];

pub(super) const ON_INVALID_PLANNED: &[&str] = &["strip", "replace"];

/// Of a table as a whole: a row is written or it is not.
pub(super) const TABLE_ON_INVALID: &[(&str, OnInvalid)] =
    &[("fail", OnInvalid::Fail), ("reject", OnInvalid::Reject)];

pub(super) const AFFINITIES: &[(&str, Affinity)] = &[
    ("integer", Affinity::Integer),
    ("text", Affinity::Text),
    ("blob", Affinity::Blob),
    ("real", Affinity::Real),
    ("numeric", Affinity::Numeric),
];

/// How long the time is that a partition holds.
pub(super) const PERIODS: &[(&str, Period)] = &Period::ALL;

/// PostgreSQL's own access methods, and those of well-known extensions.
pub(super) const METHODS: &[(&str, &str)] = &[
    ("btree", "btree"),
    ("gin", "gin"),
    ("gist", "gist"),
    ("hash", "hash"),
    ("brin", "brin"),
    ("spgist", "spgist"),
    ("bloom", "bloom"),
    ("rum", "rum"),
    ("hnsw", "hnsw"),
    ("ivfflat", "ivfflat"),
];

pub(super) const ORDERS: &[(&str, bool)] = &[("asc", false), ("desc", true)];

pub(super) const NULLS: &[(&str, NullsOrder)] = &[("first", NullsOrder::First), ("last", NullsOrder::Last)];

pub(super) const ACTIONS: &[(&str, ReferentialAction)] = &[
    ("no action", ReferentialAction::NoAction),
    ("restrict", ReferentialAction::Restrict),
    ("cascade", ReferentialAction::Cascade),
    ("set null", ReferentialAction::SetNull),
    ("set default", ReferentialAction::SetDefault),
    ("no_action", ReferentialAction::NoAction),
    ("set_null", ReferentialAction::SetNull),
    ("set_default", ReferentialAction::SetDefault),
];

impl Reader {
    /// Reads a PostgreSQL type.
    pub(super) fn pg_type(&mut self, node: &Node) -> Option<Placed<PgType>> {
        let written = self.text(node)?;
        let value = self.type_of(&written)?;
        Some(Placed { value, place: written.place })
    }

    /// The type of a name: the mapping's own, or PostgreSQL's.
    pub(super) fn type_of(&mut self, written: &Placed<String>) -> Option<PgType> {
        match self.enum_type(&written.value).map_or_else(|| PgType::parse(&written.value), Ok) {
            Ok(pg_type) => Some(pg_type),
            Err(error) => {
                self.type_mistake(written, error);
                None
            }
        }
    }

    /// Says what is wrong with a type.
    pub(super) fn type_mistake(&mut self, written: &Placed<String>, error: PgTypeError) {
        let (message, hint) = match error {
            PgTypeError::Unknown { name, nearest: built_in } => (
                format!("unknown type `{name}`"),
                self.nearest_type(&name, built_in).map_or_else(
                    || "docs/mapping.md lists the types".to_owned(),
                    |word| format!("did you mean `{word}`?"),
                ),
            ),
            PgTypeError::Modifiers { text, expected: _ } if text.contains('(') && !text.contains(')') => (
                format!("the type `{text}` ends too early"),
                "inside `{ }` and `[ ]` a comma ends the value: write it in quotes, as in `\"numeric(10,2)\"`".to_owned(),
            ),
            PgTypeError::Modifiers { text, expected } => (format!("`{text}` is not a type"), expected.to_owned()),
        };
        self.mistake(&written.place, &message, Some(&hint));
    }

    /// The nearest of the mapping's own types and the nearest of PostgreSQL's.
    fn nearest_type(&self, written: &str, built_in: Option<&'static str>) -> Option<&'static str> {
        let own = self.enums.iter().map(|known| known.value.name());
        nearest(written, own.chain(built_in))
    }

    /// Reads `on_update` or `on_delete`; `NO ACTION` where nothing is said, as in SQL.
    pub(super) fn action(&mut self, object: &Object<'_>, key: &str) -> ReferentialAction {
        let node = object.get(key);
        node.and_then(|node| self.word(node, "action", ACTIONS, &[])).unwrap_or(ReferentialAction::NoAction)
    }
}
