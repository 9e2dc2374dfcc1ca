//! One column during the scan: what each of its cells adds to the evidence.
//!
//! Most of what can be said follows from the storage class alone, or from the ends of a range, and is worked out in the
//! end ([`super::evidence`]); a cell itself costs a few comparisons. Only texts are read as each type that is still in
//! question.

use rusqlite::types::ValueRef;

use super::{EXAMPLES, Probe, StorageClasses, keys::Place, labels::LabelScan};
use crate::{
    schema::{EnumType, PgType},
    value::{self, Misfit, Reading, Value},
};

/// Characters of a JSON sample.
const SAMPLE_CHARACTERS: usize = 200;

/// Seconds, milliseconds, microseconds of a day.
const DAYS: [i64; 3] = [86_400, 86_400_000, 86_400_000_000];

/// Integers up to this one, either side of 0, are all exact in 8 bytes of floating point.
const EXACT_IN_DOUBLE: u64 = 1 << 53;

/// What each probe reads as, and the storage classes beside BLOB that it takes at all.
pub(super) const PROBES: [(Probe, PgType, [bool; 3]); 12] = [
    // In brackets: INTEGER, REAL, TEXT.
    (Probe::Boolean, PgType::Boolean, [true, false, true]),
    (Probe::BigInt, PgType::BigInt, [true, false, true]),
    (Probe::Numeric, PgType::Numeric(None), [true, true, true]),
    (Probe::DoublePrecision, PgType::DoublePrecision, [true, true, false]),
    (Probe::Text, PgType::Text, [true, true, true]),
    (Probe::Jsonb, PgType::Jsonb, [false, false, true]),
    (Probe::Date, PgType::Date, [false, false, true]),
    (Probe::Time, PgType::Time, [false, false, true]),
    (Probe::Timestamp, PgType::Timestamp, [false, false, true]),
    (Probe::Timestamptz, PgType::Timestamptz, [false, false, true]),
    (Probe::TimestamptzAssumed, PgType::Timestamptz, [false, false, true]),
    (Probe::Uuid, PgType::Uuid, [false, false, true]),
];

/// A lowest and a highest value with their rows.
pub(super) type Range<T> = Option<[(T, Place); 2]>;

pub(super) fn widen<T: PartialOrd + Copy>(range: &mut Range<T>, value: T, place: Place) {
    match range {
        None => *range = Some([(value, place); 2]),
        Some([low, high]) => {
            if value < low.0 {
                *low = (value, place);
            } else if value > high.0 {
                *high = (value, place);
            }
        }
    }
}

/// Keeps the larger of two, and the first of equals.
pub(super) fn raise<T: PartialOrd>(highest: &mut Option<(T, Place)>, value: T, place: Place) {
    if highest.as_ref().is_none_or(|(known, _)| value > *known) {
        *highest = Some((value, place));
    }
}

/// The first few of something.
fn keep_first<T>(kept: &mut Vec<T>, new: T) {
    if kept.len() < EXAMPLES {
        kept.push(new);
    }
}

/// A text of a few bytes, and which probes have refused it.
///
/// Texts that repeat from row to row (the day of a log, a state, a kind) need to be read once: what one says of the column,
/// the next says too.
#[derive(Default)]
struct LastText {
    bytes: [u8; LastText::LONGEST],
    length: usize,
    /// A bit for each probe, by its position.
    refused: u16,
    known: bool,
}

impl LastText {
    const LONGEST: usize = 32;

    fn is(&self, bytes: &[u8]) -> bool {
        self.known && self.bytes.get(..self.length) == Some(bytes)
    }

    fn set(&mut self, bytes: &[u8], refused: u16) {
        self.known = bytes.len() <= LastText::LONGEST;
        if let Some(place) = self.bytes.get_mut(..bytes.len()) {
            place.copy_from_slice(bytes);
            self.length = bytes.len();
            self.refused = refused;
        }
    }
}

/// The cells that one probe does not take, of those whose storage class it does.
pub(super) struct ProbeScan {
    pub(super) probe: Probe,
    pub(super) pg_type: PgType,
    pub(super) reading: Reading,
    pub(super) rows: u64,
    pub(super) examples: Vec<(Place, Misfit)>,
    /// The lowest and the highest moment that it has read, in the unit of its type.
    pub(super) moments: Option<(i64, i64)>,
}

impl ProbeScan {
    /// Whether the probe is no longer tried.
    fn is_hopeless(&self) -> bool {
        self.rows > EXAMPLES as u64 && !matches!(self.probe, Probe::Jsonb | Probe::Text | Probe::Date)
    }

    /// Takes a moment into the range.
    fn reach(&mut self, value: &Value<'_>) {
        let moment = match value {
            Value::Date(day) => i64::from(*day),
            Value::Timestamp(at) | Value::Timestamptz(at) => *at,
            _ => return,
        };
        self.moments =
            Some(self.moments.map_or((moment, moment), |(low, high)| (low.min(moment), high.max(moment))));
    }

    fn refuse(&mut self, place: Place, misfit: Misfit) {
        self.rows += 1;
        keep_first(&mut self.examples, (place, misfit));
    }
}

/// A column while it is scanned.
pub(super) struct ColumnScan {
    pub(super) storage: StorageClasses,
    /// The first rows with an integer, a real, a text, a blob.
    pub(super) first: [Vec<Place>; 4],
    pub(super) integers: Range<i64>,
    pub(super) reals: Range<f64>,
    /// Over texts that read as `bigint`.
    pub(super) text_integers: Range<i64>,
    pub(super) longest_text: Option<(usize, Place)>,
    /// The longest text form of a real.
    pub(super) longest_real: Option<(usize, Place)>,
    pub(super) longest_bytes: Option<usize>,
    pub(super) json_sample: Option<String>,
    /// Over reals and texts that read as `numeric`.
    pub(super) integer_digits: Option<(u32, Place)>,
    pub(super) fraction_digits: Option<(u32, Place)>,
    pub(super) infinities: Vec<Place>,
    pub(super) not_midnight: [Option<Place>; 3],
    pub(super) probes: Vec<ProbeScan>,
    pub(super) labels: Vec<LabelScan>,
    last_text: LastText,
}

impl ColumnScan {
    pub(super) fn new(enums: &[EnumType]) -> ColumnScan {
        let probes = PROBES.iter().map(|(probe, pg_type, _)| ProbeScan {
            probe: *probe,
            pg_type: *pg_type,
            reading: match probe {
                Probe::TimestamptzAssumed => Reading::AssumeZone("UTC".to_owned()),
                _ => Reading::Plain,
            },
            rows: 0,
            examples: Vec::new(),
            moments: None,
        });
        ColumnScan {
            storage: StorageClasses::default(),
            first: Default::default(),
            integers: None,
            reals: None,
            text_integers: None,
            longest_text: None,
            longest_real: None,
            longest_bytes: None,
            json_sample: None,
            integer_digits: None,
            fraction_digits: None,
            infinities: Vec::new(),
            not_midnight: [None; 3],
            probes: probes.collect(),
            labels: enums.iter().copied().map(LabelScan::new).collect(),
            last_text: LastText::default(),
        }
    }

    /// Takes a cell in; returns its bytes (8 for a number).
    pub(super) fn see(&mut self, cell: ValueRef<'_>, place: Place) -> u64 {
        if cell != ValueRef::Null {
            self.labels.iter_mut().for_each(|scan| scan.see(cell, place));
        }
        let [integers, reals, texts, blobs] = &mut self.first;
        match cell {
            ValueRef::Null => {
                self.storage.null += 1;
                0
            }
            ValueRef::Integer(integer) => {
                keep_first(integers, place);
                self.storage.integer += 1;
                self.see_integer(integer, place);
                8
            }
            ValueRef::Real(real) => {
                keep_first(reals, place);
                self.storage.real += 1;
                self.see_real(real, place);
                8
            }
            ValueRef::Text(bytes) => {
                keep_first(texts, place);
                self.storage.text += 1;
                self.longest_bytes = self.longest_bytes.max(Some(bytes.len()));
                self.see_text(bytes, place);
                bytes.len() as u64
            }
            ValueRef::Blob(bytes) => {
                keep_first(blobs, place);
                self.storage.blob += 1;
                self.longest_bytes = self.longest_bytes.max(Some(bytes.len()));
                bytes.len() as u64
            }
        }
    }

    /// The probe, if it is still in question.
    fn open(&mut self, probe: Probe) -> Option<&mut ProbeScan> {
        self.probes.iter_mut().find(|scan| scan.probe == probe && !scan.is_hopeless())
    }

    fn see_integer(&mut self, integer: i64, place: Place) {
        widen(&mut self.integers, integer, place);
        if !matches!(integer, 0 | 1)
            && let Some(scan) = self.open(Probe::Boolean)
        {
            scan.refuse(place, Misfit::OutOfRange { pg_type: PgType::Boolean, range: "0 or 1" });
        }
        if integer.unsigned_abs() > EXACT_IN_DOUBLE
            && let Some(scan) = self.open(Probe::DoublePrecision)
        {
            scan.refuse(place, Misfit::Inexact);
        }
        for (first, day) in self.not_midnight.iter_mut().zip(DAYS) {
            if first.is_none() && integer % day != 0 {
                *first = Some(place);
            }
        }
    }

    fn see_real(&mut self, real: f64, place: Place) {
        widen(&mut self.reals, real, place);
        for (first, day) in self.not_midnight.iter_mut().zip([86_400.0, 86_400e3, 86_400e6]) {
            if first.is_none() && real % day != 0.0 {
                *first = Some(place);
            }
        }
        if real.is_infinite() {
            keep_first(&mut self.infinities, place);
        }
        if self.is_within_known_digits(real) {
            return;
        }
        raise(&mut self.longest_real, value::real_text_length(real), place);
        self.see_numeric(ValueRef::Real(real), place);
    }

    /// Whether a real has no more digits than were seen, found without writing them out: if it is a whole number of the
    /// known fraction's last place, and survives the way there and back, its shortest form has no digit behind that.
    fn is_within_known_digits(&self, real: f64) -> bool {
        const POWERS: [f64; 7] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];
        let (Some((integer, _)), Some((fraction, _)), Some((longest, _))) =
            (self.integer_digits, self.fraction_digits, self.longest_real)
        else {
            return false;
        };
        let Some(power) = POWERS.get(fraction as usize) else { return false };
        let Some(limit) = POWERS.get(integer as usize) else { return false };
        // A sign, the digits, the point, at least one digit behind it.
        let widest = 1 + integer.max(1) as usize + 1 + fraction.max(1) as usize;
        let magnitude = real.abs();
        (1.0..*limit).contains(&magnitude)
            && widest <= longest + usize::from(real > 0.0)
            && (real * power).round() / power == real
    }

    /// Whether the numeric probe has not refused the cell.
    fn see_numeric(&mut self, cell: ValueRef<'_>, place: Place) -> bool {
        let Some(scan) = self.open(Probe::Numeric) else { return true };
        match value::decimal_extent(cell) {
            Err(misfit) => {
                scan.refuse(place, misfit);
                false
            }
            Ok((integer, fraction)) => {
                raise(&mut self.integer_digits, integer, place);
                raise(&mut self.fraction_digits, fraction, place);
                true
            }
        }
    }

    fn see_text(&mut self, bytes: &[u8], place: Place) {
        if self.last_text.is(bytes) {
            let refused = |at: usize| self.last_text.refused >> at & 1 == 1;
            for (_, scan) in self.probes.iter_mut().enumerate().filter(|(at, _)| refused(*at)) {
                scan.rows += u64::from(!scan.is_hopeless());
            }
            return;
        }
        let refused = self.read_text(bytes, place);
        // While a probe still wants examples, each row is one.
        let mut refusing = self.probes.iter().enumerate().filter(|(at, _)| refused >> at & 1 == 1);
        self.last_text.known = false;
        if refusing.all(|(_, scan)| scan.examples.len() == EXAMPLES) {
            self.last_text.set(bytes, refused);
        }
    }

    /// Reads a text as each type that is still in question; gives a bit for each probe that has refused it.
    fn read_text(&mut self, bytes: &[u8], place: Place) -> u16 {
        let cell = ValueRef::Text(bytes);
        let text = value::utf8_text(bytes);
        if let Ok(text) = text
            // A text has at most as many characters as bytes, so few need counting.
            && self.longest_text.is_none_or(|(longest, _)| text.len() > longest)
        {
            raise(&mut self.longest_text, text.chars().count(), place);
        }
        let numeric = self.see_numeric(cell, place);
        let mut refused = 0;
        for (at, scan) in self.probes.iter_mut().enumerate() {
            let outcome = match (scan.probe, &text) {
                (Probe::Numeric, _) => {
                    refused |= u16::from(!numeric) << at;
                    continue;
                }
                _ if scan.is_hopeless() => continue,
                (Probe::DoublePrecision, _) => continue,
                (Probe::Text | Probe::Jsonb, Err(misfit)) => Err(misfit.clone()),
                (Probe::Text, Ok(_)) => continue,
                (Probe::Jsonb, Ok(text)) => {
                    let outcome = value::check_json(text);
                    if outcome.is_ok() && self.json_sample.is_none() {
                        self.json_sample = sample(text);
                    }
                    outcome
                }
                (Probe::BigInt, _) => match value::read(cell, &scan.pg_type, &scan.reading) {
                    Ok(Value::Integer(integer)) => {
                        widen(&mut self.text_integers, integer, place);
                        continue;
                    }
                    other => other.map(drop),
                },
                _ => value::read(cell, &scan.pg_type, &scan.reading).map(|value| scan.reach(&value)),
            };
            if let Err(misfit) = outcome {
                scan.refuse(place, misfit);
                refused |= 1 << at;
            }
        }
        refused
    }
}

/// The beginning of a JSON object or array.
fn sample(text: &str) -> Option<String> {
    text.trim_start().starts_with(['{', '[']).then(|| text.chars().take(SAMPLE_CHARACTERS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_storage_classes_says_what_reading_says() {
        let taken: [&[ValueRef<'_>]; 3] = [
            &[ValueRef::Integer(0), ValueRef::Integer(-7)],
            &[ValueRef::Real(1.0), ValueRef::Real(0.5)],
            &[
                ValueRef::Text(b"true"),
                ValueRef::Text(b"1"),
                ValueRef::Text(b"2024-01-02"),
                ValueRef::Text(b"10:00:00"),
                ValueRef::Text(b"2024-01-02 10:00:00"),
                ValueRef::Text(b"2024-01-02 10:00:00Z"),
                ValueRef::Text(b"123e4567-e89b-12d3-a456-426614174000"),
            ],
        ];
        for (probe, pg_type, takes) in PROBES {
            for (cells, takes) in taken.iter().zip(takes) {
                let any = cells.iter().any(|cell| value::check(*cell, &pg_type, &Reading::Plain).is_ok());
                assert_eq!(any, takes, "{probe:?} {cells:?}");
            }
            assert!(value::check(ValueRef::Blob(b"1"), &pg_type, &Reading::Plain).is_err());
        }
    }

    #[test]
    fn texts_that_repeat_count_like_any_other() {
        let texts: Vec<String> = (0..60_u32)
            .flat_map(|n| {
                let text = match n % 6 {
                    0 => "2024-01-02".to_owned(),
                    1 => "{}".to_owned(),
                    2 => "x".repeat(40),
                    3 => "12".to_owned(),
                    4 => "\u{feff}".to_owned(),
                    _ => format!("short_{n}"),
                };
                vec![text; n as usize % 9 + 1]
            })
            .collect();
        let mut scan = ColumnScan::new(&[]);
        let mut each = ColumnScan::new(&[]);
        for (place, text) in (0..).zip(&texts) {
            scan.see(ValueRef::Text(text.as_bytes()), place);
            each.last_text = LastText::default();
            each.see(ValueRef::Text(text.as_bytes()), place);
        }
        for (one, other) in scan.probes.iter().zip(&each.probes) {
            assert_eq!((one.rows, &one.examples), (other.rows, &other.examples), "{:?}", one.probe);
        }
        assert_eq!(scan.storage, each.storage);
        assert_eq!(scan.text_integers, each.text_integers);
        assert_eq!(scan.longest_text, each.longest_text);
        assert!(scan.last_text.known);
    }

    #[test]
    fn the_shortcut_for_reals_finds_the_same_digits() {
        let mut scan = ColumnScan::new(&[]);
        let mut state = 7_u64;
        let (mut integer, mut fraction, mut longest) = (0, 0, 0);
        for place in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let cents = i32::try_from(state >> 44).unwrap() - 500_000;
            let real =
                f64::from(cents) / [1.0, 10.0, 100.0, 1000.0][usize::try_from(state >> 40 & 3).unwrap()];
            scan.see(ValueRef::Real(real), place);
            let (i, f) = value::decimal_extent(ValueRef::Real(real)).unwrap();
            (integer, fraction) = (integer.max(i), fraction.max(f));
            longest = longest.max(format!("{real:?}").len());
            assert_eq!(scan.integer_digits.unwrap().0, integer);
            assert_eq!(scan.fraction_digits.unwrap().0, fraction);
            assert_eq!(scan.longest_real.unwrap().0, longest, "{real:?}");
        }
    }
}
