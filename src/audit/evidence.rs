//! The end of a column's scan: what follows from storage classes and from the ends of ranges.

use super::{
    CounterExample, EXAMPLES, Evidence, Misfits, StorageClasses,
    column::{ColumnScan, PROBES, ProbeScan, Range, raise, widen},
    keys::{Names, Place},
    labels::LabelScan,
};
use crate::value::{Misfit, StorageClass};

/// What a column turned out to hold.
pub(super) struct FoundColumn {
    pub(super) storage: StorageClasses,
    pub(super) integer_range: Option<(i64, i64)>,
    pub(super) real_range: Option<(f64, f64)>,
    pub(super) longest_text_chars: Option<u64>,
    pub(super) longest_bytes: Option<u64>,
    pub(super) json_sample: Option<String>,
    pub(super) evidence: Evidence,
}

impl ColumnScan {
    /// The rows whose names [`ColumnScan::finish`] asks for.
    pub(super) fn places(&self) -> Vec<Place> {
        let ends = |range: Option<[Place; 2]>| range.into_iter().flatten();
        let integers = self.integers.map(|ends| ends.map(|(_, place)| place));
        let reals = self.reals.map(|ends| ends.map(|(_, place)| place));
        let texts = self.text_integers.map(|ends| ends.map(|(_, place)| place));
        self.first
            .iter()
            .flatten()
            .copied()
            .chain(ends(integers))
            .chain(ends(reals))
            .chain(ends(texts))
            .chain(self.longest_text.map(|(_, place)| place))
            .chain(self.longest_real.map(|(_, place)| place))
            .chain(self.integer_digits.map(|(_, place)| place))
            .chain(self.fraction_digits.map(|(_, place)| place))
            .chain(self.infinities.iter().copied())
            .chain(self.not_midnight.iter().flatten().copied())
            .chain(self.labels.iter().flat_map(LabelScan::places))
            .chain(self.probes.iter().flat_map(|scan| scan.examples.iter().map(|(place, _)| *place)))
            .collect()
    }

    /// Works out the evidence.
    pub(super) fn finish(mut self, names: &Names) -> FoundColumn {
        let probes = std::mem::take(&mut self.probes);
        let moments = probes.iter().filter_map(|scan| Some((scan.probe, scan.moments?))).collect();
        let misfits = probes.into_iter().map(|scan| (scan.probe, self.all_misfits(scan, names))).collect();
        let labels = std::mem::take(&mut self.labels);
        let labels = labels.into_iter().map(|scan| (scan.of, scan.finish(names))).collect();
        let named = |(value, place): (i64, Place)| (value, names.of(place));
        let keys = |ends: [Place; 2]| ends.map(|place| names.of(place));
        let [_, _, texts, _] = &self.first;
        let evidence = Evidence {
            misfits,
            labels,
            bigint_range: joined(self.integers, self.text_integers).map(|ends| ends.map(named)),
            numeric_digits: self.numeric_digits(names),
            longest_text: self.longest_as_text().map(|(length, place)| (length as u64, names.of(place))),
            texts: texts.iter().map(|place| names.of(*place)).collect(),
            infinities: self.infinities.iter().map(|place| names.of(*place)).collect(),
            not_midnight: self.not_midnight.map(|place| place.map(|place| names.of(place))),
            integer_keys: self.integers.map(|ends| keys(ends.map(|(_, place)| place))),
            real_keys: self.reals.map(|ends| keys(ends.map(|(_, place)| place))),
            moments,
        };
        FoundColumn {
            storage: self.storage,
            integer_range: self.integers.map(|[(low, _), (high, _)]| (low, high)),
            real_range: self.reals.map(|[(low, _), (high, _)]| (low, high)),
            longest_text_chars: self.longest_text.map(|(length, _)| length as u64),
            longest_bytes: self.longest_bytes.map(|length| length as u64),
            json_sample: self.json_sample,
            evidence,
        }
    }

    /// A probe's misfits together with the cells whose storage class it does not take.
    fn all_misfits(&self, scan: ProbeScan, names: &Names) -> Misfits {
        let StorageClasses { integer, real, text, blob, .. } = self.storage;
        let [takes_integer, takes_real, takes_text] =
            PROBES.iter().find(|(probe, ..)| *probe == scan.probe).map_or([true; 3], |(.., takes)| *takes);
        let classes = [
            (takes_integer, StorageClass::Integer, integer),
            (takes_real, StorageClass::Real, real),
            (takes_text, StorageClass::Text, text),
            (false, StorageClass::Blob, blob),
        ];
        let mut rows = scan.rows;
        let mut examples = scan.examples;
        for ((taken, class, count), places) in classes.into_iter().zip(&self.first) {
            if !taken {
                rows += count;
                let misfit = Misfit::StorageClass { class, pg_type: scan.pg_type };
                examples.extend(places.iter().map(|place| (*place, misfit.clone())));
            }
        }
        examples.sort_by_key(|(place, _)| *place);
        examples.truncate(EXAMPLES);
        let examples = examples
            .into_iter()
            .map(|(place, misfit)| CounterExample { key: names.of(place), reason: misfit.to_string() })
            .collect();
        Misfits { rows, examples }
    }

    /// The longest text form, of texts, reals and integers. The longest integer is one of the two ends.
    fn longest_as_text(&self) -> Option<(usize, Place)> {
        let mut longest = self.longest_text;
        if let Some((length, place)) = self.longest_real {
            raise(&mut longest, length, place);
        }
        for (integer, place) in self.integers.into_iter().flatten() {
            raise(&mut longest, integer.to_string().len(), place);
        }
        longest
    }

    fn numeric_digits(&self, names: &Names) -> Option<[(u32, String); 2]> {
        let mut integer_digits = self.integer_digits;
        let mut fraction_digits = self.fraction_digits;
        for (integer, place) in self.integers.into_iter().flatten() {
            raise(
                &mut integer_digits,
                integer.unsigned_abs().checked_ilog10().map_or(0, |log| log + 1),
                place,
            );
            raise(&mut fraction_digits, 0, place);
        }
        let (integer, fraction) = integer_digits.zip(fraction_digits)?;
        Some([(integer.0, names.of(integer.1)), (fraction.0, names.of(fraction.1))])
    }
}

/// The ends of two ranges together.
fn joined(a: Range<i64>, b: Range<i64>) -> Range<i64> {
    let mut range = a;
    for (integer, place) in b.into_iter().flatten() {
        widen(&mut range, integer, place);
    }
    range
}
