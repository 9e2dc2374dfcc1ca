//! `tables.NAME.partition_by`: the column and the period.

use super::super::{PartitionEntry, yaml::Node};
use super::keys::{Key, Keys, Shape};
use super::primitives::Reader;
use super::words::PERIODS;

pub(super) const PARTITION: Keys = Keys {
    built: &[
        Key::required(
            "range",
            Shape::Text,
            "The source's column whose value says to which partition a row belongs: a date, timestamp or timestamptz.",
        ),
        Key::required(
            "every",
            Shape::Word(&PERIODS),
            "How long the time is that a partition holds; a week is one of ISO 8601, from Monday.",
        ),
    ],
    planned: &[],
    relations: &[],
};

impl Reader {
    pub(super) fn partition_by(&mut self, node: &Node) -> Option<PartitionEntry> {
        let object = self.object(node, &PARTITION)?;
        let column = self.required_text(&object, "range");
        let every = self.required(&object, "every");
        let every = every.and_then(|node| self.word(node, "period", PERIODS, &[]));
        Some(PartitionEntry { column: column?, every: every? })
    }
}
