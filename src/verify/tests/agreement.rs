//! Verify's reader of the source and the writer's take the same cells.
//!
//! Where they did not, a value that became NULL because its type cannot hold it would be reported as lost, or a NULL
//! that stands for a value would pass. They share no code, so only this test holds them together: a cell has a normal
//! form here if and only if the writer reads it. What they make of it is compared with PostgreSQL's own answer elsewhere.

use ValueRef::{Blob, Integer, Real, Text};
use proptest::{prelude::*, sample::select};
use rusqlite::types::ValueRef;

use crate::verify::source_cell::{Appended, CellForm, Workshop};
use crate::{
    mapping::OnInvalid,
    schema::PgType,
    value::{self, Reading},
};

/// Every type, those with modifiers with several.
const TYPES: [PgType; 22] = [
    PgType::Boolean,
    PgType::SmallInt,
    PgType::Integer,
    PgType::BigInt,
    PgType::DoublePrecision,
    PgType::Numeric(None),
    PgType::Numeric(Some((4, 2))),
    PgType::Numeric(Some((20, 0))),
    PgType::Numeric(Some((2, 2))),
    PgType::Numeric(Some((8, 8))),
    PgType::Numeric(Some((30, 12))),
    PgType::Numeric(Some((1000, 400))),
    PgType::Text,
    PgType::Varchar(1),
    PgType::Varchar(12),
    PgType::Bytea,
    PgType::Jsonb,
    PgType::Date,
    PgType::Time,
    PgType::Timestamp,
    PgType::Timestamptz,
    PgType::Uuid,
];

fn zone(name: &str) -> Reading {
    Reading::AssumeZone(name.to_owned())
}

fn readings() -> Vec<Reading> {
    let epochs =
        [Reading::Plain, Reading::EpochSeconds, Reading::EpochMilliseconds, Reading::EpochMicroseconds];
    // Apia skipped a whole day, Monrovia had an offset with odd seconds, Lord Howe moves its clocks by half an hour.
    let zones = [
        "UTC",
        "utc",
        "Etc/UTC",
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kolkata",
        "Pacific/Apia",
        "Africa/Monrovia",
        "Australia/Lord_Howe",
        "Etc/GMT+12",
        "Etc/GMT-14",
    ];
    epochs.into_iter().chain(zones.map(zone)).collect()
}

fn has_normal_form(cell: ValueRef<'_>, pg_type: PgType, reading: &Reading) -> bool {
    let form = CellForm::new(pg_type, reading, OnInvalid::SetNull).expect("a known zone");
    form.append(cell, &mut Vec::new(), &mut Workshop::default()) == Appended::Plain
}

/// Where the two readers disagree on a cell, over all types and readings: the type, the reading, and whether the writer
/// reads it.
fn disagreements(cell: ValueRef<'_>) -> Vec<(PgType, Reading, bool)> {
    let mut found = Vec::new();
    for reading in readings() {
        for pg_type in TYPES {
            let is_read = value::read(cell, &pg_type, &reading).is_ok();
            if is_read != has_normal_form(cell, pg_type, &reading) {
                found.push((pg_type, reading.clone(), is_read));
            }
        }
    }
    found
}

fn text(text: &str) -> ValueRef<'_> {
    Text(text.as_bytes())
}

/// What each type takes and refuses, both readers alike.
#[track_caller]
fn both(pg_type: &str, reading: &Reading, taken: &[ValueRef<'_>], refused: &[ValueRef<'_>]) {
    let parsed = PgType::parse(pg_type).expect(pg_type);
    for (cells, expected) in [(taken, true), (refused, false)] {
        for &cell in cells {
            let is_read = value::read(cell, &parsed, reading).is_ok();
            let has_form = has_normal_form(cell, parsed, reading);
            assert_eq!((is_read, has_form), (expected, expected), "{pg_type} {reading:?} {cell:?}");
            assert_eq!(disagreements(cell), [], "{cell:?}");
        }
    }
}

#[test]
fn epoch_numbers() {
    for pg_type in ["timestamp", "timestamptz"] {
        both(
            pg_type,
            &Reading::EpochSeconds,
            &[
                Integer(253_402_300_799),
                Integer(-62_135_596_800),
                Real(0.0),
                Real(1.5e9),
                Real(946_684_800.123_456),
                Real(253_402_300_799.5),
            ],
            &[
                Integer(1_627_303_906_122),
                Integer(253_402_300_800),
                Integer(-62_135_596_801),
                Integer(i64::MAX),
                Integer(i64::MIN),
                text("946684800"),
                text("0"),
                Real(946_684_800.123_456_7),
                Real(0.000_000_5),
                Real(-0.0),
                Real(5e-324),
                Real(1e300),
                Real(253_402_300_800.0),
                Real(f64::INFINITY),
                Real(f64::NEG_INFINITY),
            ],
        );
        both(
            pg_type,
            &Reading::EpochMilliseconds,
            &[Integer(1_627_303_906_122), Real(1_627_303_906_122.125)],
            &[Integer(253_402_300_800_000), Real(0.0001), text("1627303906122")],
        );
        both(
            pg_type,
            &Reading::EpochMicroseconds,
            &[Integer(253_402_300_799_999_999), Real(1e15), Real(-1.0)],
            &[Integer(253_402_300_800_000_000), Integer(-62_135_596_800_000_001), Real(0.5), Real(-0.0)],
        );
    }
    both(
        "date",
        &Reading::EpochSeconds,
        &[Integer(0), Integer(-86_400), Real(86_400.0), Integer(253_402_214_400)],
        &[Integer(1), Real(0.5), Real(-0.0), Integer(253_402_300_800), text("0"), text("1970-01-01")],
    );
    // `time` has no epoch reading: it reads its text in each.
    both("time", &Reading::EpochSeconds, &[text("12:00:00")], &[Integer(0), Real(0.5)]);
}

#[test]
fn dates_and_times() {
    both(
        "date",
        &Reading::Plain,
        &[text("0001-01-01"), text("2024-02-29"), text("9999-12-31")],
        &[
            text("0000-12-31"),
            text("2023-02-29"),
            text("10000-01-01"),
            text("2024-1-01"),
            text("2024-01-01T00:00:00"),
        ],
    );
    both(
        "time",
        &Reading::Plain,
        &[text("00:00:00"), text("23:59:59.9"), text("12:00:00.123456"), text("12:00:00.000000")],
        &[
            text("12:00"),
            text("12:00:00."),
            text("12:00:00.1234567"),
            text("12:00:00.1230000"),
            text("12:00:00.0000000"),
            text("24:00:00"),
            text("23:59:60"),
            text("12:00:00Z"),
        ],
    );
    both(
        "timestamp",
        &Reading::Plain,
        &[text("2024-02-29 12:00:00"), text("2024-02-29T12:00:00.5"), text("0001-01-01 00:00:00")],
        &[
            text("2024-02-29"),
            text("2024-02-29 12:00"),
            text("2024-02-29t12:00:00"),
            text("2024-02-29 12:00:00.1230000"),
            text("2024-02-29 12:00:00.1234567"),
            text("2024-02-29 12:00:00Z"),
            text("2024-02-29  12:00:00"),
            text("2024-02-29 "),
        ],
    );
}

#[test]
fn instants() {
    both(
        "timestamptz",
        &Reading::Plain,
        &[
            text("2024-02-29 12:00:00Z"),
            text("2024-02-29T12:00:00.5+02"),
            text("2024-02-29 12:00:00-0130"),
            text("2024-02-29 12:00:00+15:59"),
            text("0001-01-01 00:00:00-15:59"),
            text("9999-12-31 23:59:59.999999+00:00"),
        ],
        &[
            text("2024-02-29 12:00:00"),
            text("2024-02-29"),
            text("2024-02-29Z"),
            text("2024-02-29 12:00Z"),
            text("2024-02-29t12:00:00Z"),
            text("2024-02-29 12:00:00.1234560Z"),
            text("2024-02-29 12:00:00 Z"),
            text("2024-02-29 12:00:00 +02"),
            text("2024-02-29 12:00:00z"),
            text("2024-02-29 12:00:00+2"),
            text("2024-02-29 12:00:00+02:"),
            text("2024-02-29 12:00:00+16"),
            text("2024-02-29 12:00:00+02:60"),
            text("2024-02-29 12:00:00+02:00:00"),
            text("0001-01-01 00:00:00+00:01"),
            text("9999-12-31 23:59:59-00:01"),
        ],
    );
    both(
        "timestamptz",
        &zone("UTC"),
        &[text("9999-12-31 23:59:59.999999"), text("0001-01-01 00:00:00"), text("2023-03-26 02:30:00")],
        &[text("2024-02-29 12:00"), text("2024-02-29")],
    );
    both(
        "timestamptz",
        &zone("Europe/Berlin"),
        &[
            text("2024-02-29 12:00:00"),
            text("2023-03-26 01:59:59.999999"),
            text("2023-03-26 03:00:00"),
            text("2023-10-29 01:59:59.999999"),
            text("2023-10-29 03:00:00"),
            text("9999-12-31 23:59:59.999999"),
        ],
        &[
            text("2023-03-26 02:00:00"),
            text("2023-03-26 02:30:00"),
            text("2023-10-29 02:00:00"),
            text("2023-10-29 02:59:59.999999"),
            text("0001-01-01 00:00:00"),
        ],
    );
    both(
        "timestamptz",
        &zone("Asia/Kolkata"),
        &[text("0001-01-01 06:00:00"), text("9999-12-31 23:59:59.999999")],
        &[text("0001-01-01 00:00:00")],
    );
    both(
        "timestamptz",
        &zone("America/New_York"),
        &[text("0001-01-01 00:00:00"), text("9999-12-31 18:59:59.999999")],
        &[text("9999-12-31 19:00:00"), text("9999-12-31 23:59:59")],
    );
    both(
        "timestamptz",
        &zone("Pacific/Apia"),
        &[text("2011-12-29 12:00:00")],
        &[text("2011-12-30 12:00:00")],
    );
}

#[test]
fn numbers() {
    let reading = &Reading::Plain;
    let long = format!("1{}", "0".repeat(131_071));
    let fine = format!("0.{}", "1".repeat(16_383));
    both(
        "numeric",
        reading,
        &[
            text("0"),
            text("007.50"),
            text("-0.01"),
            text("0.00"),
            text(&long),
            text(&format!("000{long}")),
            text(&fine),
            Real(0.0),
            Real(5e-324),
            Real(f64::MAX),
            Real(f64::INFINITY),
            Real(f64::NEG_INFINITY),
            Integer(i64::MIN),
        ],
        &[
            text("+1"),
            text(".5"),
            text("1."),
            text("1e3"),
            text("inf"),
            text("-inf"),
            text("Infinity"),
            text("-Infinity"),
            text("NaN"),
            text("-0"),
            text("-0.0"),
            text("-"),
            text(""),
            text(&format!("{long}0")),
            text(&format!("{fine}0")),
            Real(-0.0),
            Blob(b"1"),
        ],
    );
    for (pg_type, fits) in [("numeric(8,8)", 0.5), ("numeric(20,9)", 0.5), ("numeric(4,2)", 99.99)] {
        both(pg_type, reading, &[Real(fits)], &[Real(f64::INFINITY), Real(f64::NEG_INFINITY), Real(-0.0)]);
    }
    both(
        "numeric(4,2)",
        reading,
        &[text("99.9900"), text("0099")],
        &[text("100"), text("1.001"), text("1e1")],
    );
    both(
        "double precision",
        reading,
        &[Integer(1 << 53), Integer(-(1 << 53)), Real(-0.0), Real(f64::INFINITY), Real(5e-324)],
        &[Integer((1 << 53) + 1), Integer(1 << 60), Integer(-(1 << 60)), Integer(i64::MIN), text("1.5")],
    );
    both(
        "bigint",
        reading,
        &[text("-9223372036854775808"), text("0"), Integer(i64::MAX)],
        &[text("9223372036854775808"), text("-0"), text("+1"), text("01"), text("1.0"), Real(1.0)],
    );
}

#[test]
fn identifiers() {
    both(
        "uuid",
        &Reading::Plain,
        &[text("123e4567-e89b-12d3-a456-426614174000"), text("123E4567-E89B-12d3-A456-426614174000")],
        &[
            text("{123e4567-e89b-12d3-a456-426614174000}"),
            text("123e4567e89b12d3a456426614174000"),
            text("123e-4567-e89b-12d3-a456-4266-1417-4000"),
            text("123e4567-e89b12d3-a456-4266-14174000"),
            text("123e4567-e89b-12d3-a456-42661417400g"),
            text("123e4567-e89b-12d3-a456-426614174000 "),
            text("+23e4567-e89b-12d3-a456-426614174000"),
            Blob(&[7; 16]),
            Blob(b"123e4567-e89b-12d3-a456-426614174000"),
        ],
    );
}

#[test]
fn json() {
    let arrays = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let objects = |depth: usize| "{\"a\":".repeat(depth) + "{}" + &"}".repeat(depth);
    both(
        "jsonb",
        &Reading::Plain,
        &[
            text(&arrays(1_000)),
            text(&objects(999)),
            text("-0.0"),
            text("1e131071"),
            text("0e200000"),
            text(r#"[{"a":1},{"a":2}]"#),
        ],
        &[
            text(&arrays(1_001)),
            text(&objects(1_000)),
            text(&"[".repeat(2_000)),
            text(r#"{"a":1,"b":2,"a":1}"#),
            text(r#"[0,{"x":{"\u0061":1,"a":2}}]"#),
            text("1e131072"),
            text("1e-16384"),
            text("\u{feff}1"),
            text("\"\\u0000\""),
            text("1\0"),
            Text(b"\"\xff\""),
            Blob(b"{}"),
            Integer(1),
        ],
    );
}

/// The estimate of the binary form is the same on both sides, to the byte. Only `jsonb` is asked: the text is large.
#[test]
fn json_that_is_too_large() {
    // Most of it is one string, which is read fast; a key and the values around it count too.
    const VALUES: usize = 6;
    const ROOM: usize = 0x0fff_ffff - VALUES * 16;
    let (start, end) = ("{\"key\": [0, {}, \"", "\"]}");
    let mut json = start.to_owned() + &"x".repeat(ROOM - start.len() - end.len()) + end;
    for fits in [true, false] {
        let cell = text(&json);
        let is_read = value::read(cell, &PgType::Jsonb, &Reading::Plain).is_ok();
        let has_form = has_normal_form(cell, PgType::Jsonb, &Reading::Plain);
        assert_eq!((is_read, has_form), (fits, fits));
        json.push(' ');
    }
}

/// Texts that a type takes, or nearly.
const FORMS: &[&str] = &[
    "[+-]?[0-9]{0,4}(\\.[0-9]{0,4})?([eE][+-]?[0-9]{1,3})?",
    "-?[0-9]{1,22}(\\.[0-9]{1,14})?",
    "-?(922337203685477580[0-9]|21474836[0-9]{2}|327[0-9]{2})",
    "[tTfF]|true|FALSE|[Ii]nf(inity)?|NaN|null",
    "[0-9]{4}-(0[0-9]|1[0-3])-([0-2][0-9]|3[0-2])",
    "([01][0-9]|2[0-5]):[0-6][0-9](:[0-6][0-9](\\.[0-9]{0,8})?)?",
    "(000[01]|2023|9999)-(01|03|10|12)-(01|26|29|3[01])[ Tt]([01][0-9]|2[0-4]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,7})?",
    "(000[01]|2023|9999)-(01|12)-(01|31)[ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?(\\.[0-9]{1,6})? ?([Zz]|[+-][01][0-9](:?[0-5][0-9])?)",
    "(0001|2024|9999)-(01-01|02-29|12-31)[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-6])(:?[0-5][0-9])?)",
    // Around where clocks change.
    "(2023-03-26|2023-10-29|2023-03-12|2023-11-05|2023-04-02|2023-10-01|2011-12-30|1972-01-07)[ T]0[0-3]:[0-5][0-9]:[0-5][0-9]",
    "[0-9a-fA-F]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}|\\{[0-9a-f]{32}\\}",
    "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9A-F]{12}",
    "[\\[{]?( ?(\"[ab]\"|\"\\\\u006[12]\")[:,] ?(-?[0-9]{1,2}(\\.[0-9])?(e[0-9])?|true|\"[a\\\\n]\")){0,3}[\\]}]?",
    "\\{\"[ab]\":1,\"[ab]\":\\[[0-9],\\{\"[ab]\":0,\"[ab]\":0\\}\\]\\}",
    "[-0-9:. TZa-z+{}\\[\\]\",\\\\]{0,24}",
    "\\PC{0,14}",
];

/// A text of one of the forms, whole or with one character replaced, put in, or taken out.
fn near_texts() -> impl Strategy<Value = String> {
    let forms = FORMS.iter().map(|form| proptest::string::string_regex(form).expect("a pattern").boxed());
    let mutation = prop_oneof![2 => Just(None), 1 => "[-+0-9:. TtZz{}e\"\u{0}é]{0,2}".prop_map(Some)];
    (proptest::strategy::Union::new(forms), mutation, any::<prop::sample::Index>()).prop_map(
        |(text, mutation, at)| {
            let Some(mutation) = mutation else { return text };
            let mut characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len() + 1);
            let end = (at + 1).min(characters.len());
            characters.splice(at..end, mutation.chars());
            characters.into_iter().collect()
        },
    )
}

/// Integers of any size, most of them near an edge of a type, of a calendar, or of a double's digits.
fn near_integers() -> impl Strategy<Value = i64> {
    let edges = vec![
        0,
        1 << 15,
        1 << 31,
        1 << 53,
        1 << 60,
        i64::MAX,
        i64::MIN,
        86_400,
        253_402_300_800,
        253_402_300_800_000,
        253_402_300_800_000_000,
        -62_135_596_800,
        -62_135_596_800_000,
        -62_135_596_800_000_000,
        1_627_303_906_122,
    ];
    let near = (select(edges), -2..=2_i64, any::<bool>()).prop_map(|(edge, step, is_negated)| {
        let integer = edge.saturating_add(step);
        if is_negated { integer.saturating_neg() } else { integer }
    });
    prop_oneof![2 => near, 1 => any::<i64>(), 1 => (0..63_u32, any::<i64>()).prop_map(|(bits, any)| any >> bits)]
}

/// Reals of any bits but NaN (SQLite stores it as NULL), whole ones, ones with few digits, and the edges.
fn near_reals() -> impl Strategy<Value = f64> {
    let edges = vec![
        0.0,
        -0.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
        -5e-324,
        1e-6,
        1e-7,
        253_402_300_799.999_97,
        -62_135_596_800.000_01,
    ];
    prop_oneof![
        1 => select(edges),
        2 => any::<u64>().prop_map(f64::from_bits).prop_filter("NaN is NULL", |real| !real.is_nan()),
        2 => near_integers().prop_map(|integer| integer as f64),
        4 => (near_integers(), 0..14_i32).prop_map(|(integer, digits)| integer as f64 / 10_f64.powi(digits)),
        2 => (-63_000_000_000..254_000_000_000_i64, 0..2_000_000_u32)
            .prop_map(|(seconds, millionths)| seconds as f64 + f64::from(millionths) / 1e6),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn texts_are_taken_alike(text in near_texts()) {
        prop_assert_eq!(disagreements(Text(text.as_bytes())), []);
    }

    #[test]
    fn integers_are_taken_alike(integer in near_integers()) {
        prop_assert_eq!(disagreements(Integer(integer)), []);
        prop_assert_eq!(disagreements(text(&integer.to_string())), []);
    }

    #[test]
    fn reals_are_taken_alike(real in near_reals()) {
        prop_assert_eq!(disagreements(Real(real)), []);
        prop_assert_eq!(disagreements(text(&format!("{real:?}"))), []);
    }

    #[test]
    fn bytes_are_taken_alike(bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..20), prop::collection::vec(any::<u8>(), 16)]) {
        prop_assert_eq!(disagreements(Blob(&bytes)), []);
        prop_assert_eq!(disagreements(Text(&bytes)), []);
    }
}
