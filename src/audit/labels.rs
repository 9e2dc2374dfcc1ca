//! Which enumerated types of the mapping hold a column's values: asked of each cell beside the probes, since which labels there
//! are is the mapping's matter.

use rusqlite::types::ValueRef;

use super::{
    CounterExample, EXAMPLES, Misfits,
    keys::{Names, Place},
};
use crate::{
    schema::{EnumType, PgType},
    value::{self, Misfit, Reading},
};

/// The cells of a column that are no labels of one type.
pub(super) struct LabelScan {
    pub(super) of: EnumType,
    rows: u64,
    examples: Vec<(Place, Misfit)>,
}

impl LabelScan {
    pub(super) fn new(of: EnumType) -> LabelScan {
        LabelScan { of, rows: 0, examples: Vec::new() }
    }

    /// Takes a cell in. Once more rows than examples are wrong, no more are looked at.
    pub(super) fn see(&mut self, cell: ValueRef<'_>, place: Place) {
        if self.rows > EXAMPLES as u64 {
            return;
        }
        if let Err(misfit) = value::check(cell, &PgType::Enum(self.of), &Reading::Plain) {
            self.rows += 1;
            if self.examples.len() < EXAMPLES {
                self.examples.push((place, misfit));
            }
        }
    }

    /// The rows whose names [`LabelScan::finish`] asks for.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        self.examples.iter().map(|(place, _)| *place)
    }

    /// Works out the misfits.
    pub(super) fn finish(self, names: &Names) -> Misfits {
        let example = |(place, misfit): (Place, Misfit)| CounterExample {
            key: names.of(place),
            reason: misfit.to_string(),
        };
        Misfits { rows: self.rows, examples: self.examples.into_iter().map(example).collect() }
    }
}
