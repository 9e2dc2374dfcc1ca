//! Expressions in, PostgreSQL's SQL or the reason out.

use super::{
    condition,
    facts::{ColumnFacts, Facts},
    part,
};
use crate::{
    audit::{Affinity, StorageClasses},
    schema::PgType,
};

fn column(source: &str, pg_type: PgType, affinity: Affinity, storage: StorageClasses) -> ColumnFacts {
    ColumnFacts {
        source: source.to_owned(),
        target: format!("t_{source}"),
        pg_type,
        affinity,
        storage,
        integer_range: (storage.integer > 0).then_some((-10, 1000)),
        real_range: (storage.real > 0).then_some((-0.5, 1.5e9)),
        plain: true,
        sets_null: source == "nulled",
    }
}

/// A table with columns of every kind.
fn facts() -> Facts {
    let none = StorageClasses::default();
    let (integers, reals) = (StorageClasses { integer: 9, ..none }, StorageClasses { real: 9, ..none });
    let texts = StorageClasses { text: 9, ..none };
    let mixed = StorageClasses { text: 9, integer: 9, ..none };
    let decimals = StorageClasses { integer: 9, real: 9, ..none };
    let columns = vec![
        column("n", PgType::BigInt, Affinity::Integer, integers),
        column("m", PgType::Integer, Affinity::Integer, integers),
        column("r", PgType::DoublePrecision, Affinity::Real, reals),
        column("d", PgType::Numeric(None), Affinity::Numeric, decimals),
        column("s", PgType::Text, Affinity::Text, texts),
        column("v", PgType::Varchar(9), Affinity::Text, texts),
        column("w", PgType::Text, Affinity::Numeric, texts),
        column("mixed", PgType::Text, Affinity::Integer, mixed),
        column("digits", PgType::BigInt, Affinity::Text, texts),
        column("flag", PgType::Boolean, Affinity::Numeric, integers),
        column("word", PgType::Boolean, Affinity::Numeric, texts),
        column("day", PgType::Date, Affinity::Numeric, texts),
        column("at", PgType::Timestamp, Affinity::Numeric, texts),
        column("doc", PgType::Jsonb, Affinity::Text, texts),
        column("hash", PgType::Bytea, Affinity::Blob, StorageClasses { blob: 9, ..none }),
        column("nulled", PgType::Integer, Affinity::Integer, integers),
        column("a \"b", PgType::Integer, Affinity::Integer, integers),
    ];
    Facts { columns, collated: false, target_collated: false, ordered_as_utf8: true }
}

#[test]
fn translated() {
    for (sql, expected) in [
        ("n > 0", r#""t_n" > 0"#),
        ("N>=-5", r#""t_n" >= -5"#),
        ("n == 1 or m != 2 and not r < .5", r#""t_n" = 1 OR "t_m" <> 2 AND NOT "t_r" < 0.5"#),
        ("(n = 1 OR m = 2) AND r > 1.", r#"("t_n" = 1 OR "t_m" = 2) AND "t_r" > 1.0"#),
        ("d <= 0.05", r#""t_d" <= 0.05"#),
        ("d = n", r#""t_d" = "t_n""#),
        ("r > m", r#""t_r" > "t_m""#),
        ("1.5 < n", r#"1.5 < "t_n""#),
        ("n", r#""t_n" <> 0"#),
        ("NOT n", r#"NOT "t_n" <> 0"#),
        ("NOT NOT n IS NULL", r#""t_n" IS NULL"#),
        ("flag", r#""t_flag""#),
        ("NOT flag", r#"NOT "t_flag""#),
        ("flag IN (0, 1)", r#""t_flag" IN (false, true)"#),
        ("flag = TRUE", r#""t_flag" = true"#),
        ("0 = flag", r#"false = "t_flag""#),
        ("flag IS NOT TRUE", r#""t_flag" IS NOT TRUE"#),
        ("n IS TRUE", r#"("t_n" <> 0) IS TRUE"#),
        ("s = 'it''s'", r#""t_s" = 'it''s'"#),
        ("s <> \"no column\"", r#""t_s" <> 'no column'"#),
        ("\"s\" <> [v]", r#""t_s" <> "t_v""#),
        ("s < 'b'", r#""t_s" COLLATE "C" < 'b'"#),
        ("s COLLATE BINARY = 'b'", r#""t_s" = 'b'"#),
        ("w = 'x'", r#""t_w" = 'x'"#),
        ("s IN ('a', NULL)", r#""t_s" IN ('a', NULL)"#),
        ("n NOT IN (1, -2.5)", r#""t_n" NOT IN (1, -2.5)"#),
        ("`a \"b` = 1", r#""t_a ""b" = 1"#),
        ("n IS NULL /* x */ OR s NOT NULL -- y", r#""t_n" IS NULL OR "t_s" IS NOT NULL"#),
        ("s ISNULL AND n NOTNULL", r#""t_s" IS NULL AND "t_n" IS NOT NULL"#),
        ("doc IS NOT NULL AND hash IS NULL", r#""t_doc" IS NOT NULL AND "t_hash" IS NULL"#),
        ("n IS 5", r#""t_n" IS NOT DISTINCT FROM 5"#),
        ("s IS NOT 'x'", r#""t_s" IS DISTINCT FROM 'x'"#),
        ("n IS NOT DISTINCT FROM m", r#""t_n" IS NOT DISTINCT FROM "t_m""#),
        ("n BETWEEN 1 AND 5 AND flag", r#""t_n" >= 1 AND "t_n" <= 5 AND "t_flag""#),
        ("s NOT BETWEEN 'a' AND 'b'", r#"NOT ("t_s" COLLATE "C" >= 'a' AND "t_s" COLLATE "C" <= 'b')"#),
        ("n + m * 2 > 5", r#""t_n"::numeric + ("t_m"::numeric * 2::numeric) > 5"#),
        ("n - (m - 1) = 0", r#""t_n"::numeric - ("t_m"::numeric - 1::numeric) = 0"#),
        ("-n < 5", r#"- "t_n"::numeric < 5"#),
        (
            "(n IS NULL) + (m IS NULL) = 1",
            r#"("t_n" IS NULL)::integer::numeric + ("t_m" IS NULL)::integer::numeric = 1"#,
        ),
        ("(n IS NULL) = (m IS NULL)", r#"("t_n" IS NULL) = ("t_m" IS NULL)"#),
        ("length(s) >= 1", r#"length("t_s") >= 1"#),
        ("length(mixed) >= 1", r#"length("t_mixed") >= 1"#),
        ("length(n) >= 1", r#"length("t_n"::text) >= 1"#),
        ("length(hash) = 32", r#"length("t_hash") = 32"#),
        ("abs(n) < 5 AND abs(r) < 5", r#"abs("t_n"::numeric) < 5 AND abs("t_r") < 5"#),
        ("coalesce(n, m, 0) > 0", r#"COALESCE("t_n", "t_m", 0) > 0"#),
        ("ifnull(d, 0) > 0", r#"COALESCE("t_d", 0) > 0"#),
        ("nullif(s, '') IS NOT NULL", r#"NULLIF("t_s", '') IS NOT NULL"#),
        ("ifnull(flag, 0)", r#"COALESCE("t_flag", false)"#),
        ("day >= '2020-01-31'", r#""t_day" >= '2020-01-31'::date"#),
        ("n = NULL", "NULL::boolean"),
        ("1", "true"),
        ("TRUE AND 0", "true AND false"),
    ] {
        assert_eq!(condition(sql, &facts()).as_deref(), Ok(expected), "{sql}");
    }
}

#[test]
fn left_out() {
    for (sql, why) in [
        ("s > 5", "not compared alike"),
        ("n = '5'", "not compared alike"),
        ("w = '5'", "not compared alike"),
        ("w = s", "not compared alike"),
        ("mixed = 'x'", "mixed holds numbers beside texts"),
        ("digits > 5", "digits holds texts where the target holds numbers"),
        ("word = 1", "word holds words for true and false"),
        ("flag = 2", "not compared alike"),
        ("flag = n", "not compared alike"),
        ("r = n", "not compared alike"),
        ("r = d", "not compared alike"),
        ("r > 9007199254740993", "not compared alike"),
        ("r > 1e3", "the number 1e3 may be another"),
        ("r > 0.1234567890123456", "may be another"),
        ("n < 9223372036854775808", "may be another"),
        ("n = 0x10", "may be another"),
        ("r + 1 > 0", "SQLite rounds"),
        ("n * 9223372036854775807 > 0", "may leave 64 bits"),
        ("n / 2 = 1", "/ is not translated"),
        ("n % 2", "% is not translated"),
        ("s || 'x' = 'ax'", "|| is not translated"),
        ("s LIKE 'x%'", "LIKE is not translated"),
        ("s NOT GLOB 'x'", "NOT is not translated"),
        ("lower(s) = 'x'", "lower(…) is not translated"),
        ("typeof(n) = 'integer'", "typeof(…) is not translated"),
        ("CASE WHEN n THEN 1 END", "CASE is not translated"),
        ("cast(n AS TEXT) = '1'", "cast(…) is not translated"),
        ("n IN (SELECT 1)", "SELECT is not translated"),
        ("n IN (m)", "something else than literals"),
        ("n IN ()", ") is not translated"),
        ("t.n > 0", "with its table's name"),
        ("[nowhere] = 1", "\"nowhere\" is not translated"),
        ("s COLLATE NOCASE = 'x'", "no collation NOCASE"),
        ("day > 'soon'", "'soon' is no date"),
        ("day", "is no condition"),
        ("at > '2020-01-31 00:00:00'", "where different texts are one value"),
        ("doc = '{}'", "compares its own way"),
        ("hash = x'00'", "x'…' is not translated"),
        ("s", "is no condition"),
        ("'x'", "is no condition"),
        ("length(r) > 1", "length of r is another"),
        ("nulled IS NOT NULL", "become NULL"),
        ("n >", "it ends where"),
        ("(n > 0", "a ) is missing"),
        ("n > 0)", ") is not translated"),
        ("coalesce(n, 'x') = 1", "not compared alike"),
        ("coalesce(n, 1.5) = 1", "not alike"),
        ("CURRENT_DATE > '2020'", "CURRENT_DATE is not translated"),
        ("", "it ends where"),
    ] {
        let outcome = condition(sql, &facts());
        assert!(outcome.as_ref().is_err_and(|reason| reason.contains(why)), "{sql}: {outcome:?}");
    }
    let deep = format!("{}n{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(condition(&deep, &facts()), Err("it is nested too deeply".to_owned()));
}

#[test]
fn collations_and_encodings() {
    let collated = Facts { collated: true, ..facts() };
    assert!(condition("s = 'x'", &collated).is_err_and(|why| why.contains("collation")));
    assert!(condition("s IN ('x')", &collated).is_err());
    assert!(condition("length(s) = 1 AND n = 1", &collated).is_ok());
    let utf16 = Facts { ordered_as_utf8: false, ..facts() };
    assert!(condition("s < 'x'", &utf16).is_err_and(|why| why.contains("encoding")));
    assert!(condition("s = 'x'", &utf16).is_ok());
    let target_collated = Facts { target_collated: true, ..facts() };
    let expected = Ok(r#""t_s" COLLATE "C" IN ('x', NULL)"#.to_owned());
    assert_eq!(condition("s IN ('x', NULL)", &target_collated), expected);
}

#[test]
fn parts_of_indexes() {
    let translated = part("coalesce(n, length(s))", &facts()).expect("translated");
    assert_eq!(translated.sql, r#"COALESCE("t_n", length("t_s"))"#);
    assert_eq!(translated.columns.into_iter().collect::<Vec<_>>(), [0, 4]);
    for sql in ["1", "lower(s)", "doc", "'x'"] {
        assert!(part(sql, &facts()).is_err(), "{sql}");
    }
}
