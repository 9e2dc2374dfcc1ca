//! What becomes of values when their column gets another type: nothing is lost that was not allowed to be, and what comes of
//! it is what copying the source anew would give.

use mtm::{
    schema::{Conversion, PgType},
    value::{self, Reading},
};
use rusqlite::types::ValueRef;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    cases::ALL_HAZARDS,
    command::{Outcome, Way},
    faults::Random,
    support::TestDatabase,
};

/// Runs a command on both ends with this text as the mapping.
fn run(way: &Way, verb: &str, yaml: &str, more: &[&str]) -> Outcome {
    let file = way.place.write("types.yaml", yaml);
    way.run(verb, &[&["--mapping", file.to_str().unwrap()], more].concat())
}

/// A mapping of the table `t` with these columns, each `name: type`.
fn columns(columns: &[&str]) -> String {
    let lines: String = columns.iter().map(|column| format!("      {column}\n")).collect();
    format!("version: 1\ntables:\n  t:\n    columns:\n{lines}")
}

/// Texts around what a type's reader takes: forms that PostgreSQL takes too, and forms that look like them.
fn texts() -> Vec<String> {
    let written = [
        "2024-02-29|2023-02-29|1900-02-29|2000-02-29|0000-01-01|0001-01-01|9999-12-31|10000-01-01|2024-1-2|2024-01-31|2024-04-31",
        "2024-01-02 BC|infinity|today|2024-13-01|2024-01-00|20240102|0004-02-29|10:11:12|24:00:00|23:59:59.999999|1:02:03",
        "10:11:60|10:11:12.1234567|10:11:12+05|10:11:12 PM|10:11|2024-01-02 10:11:12|2024-01-02T10:11:12.5|2024-01-02 10:11:12+05",
        "2024-01-02 10:11:12Z|2024-01-02 10:11:12z|2024-01-02 10:11:12+0530|2024-01-02 10:11:12+05:30|2024-01-02 10:11:12 +05",
        "2024-01-02 10:11:12-15:59|2024-01-02 10:11:12+16|2024-01-02 10:00:00 America/New_York|0001-01-01 00:00:00+01",
        "0001-01-01 00:00:00|0001-01-01 00:00:00-01|9999-12-31 23:59:59|9999-12-31 19:00:00|9999-12-31 23:59:59-01|2023-03-26 02:30:00|2023-10-29 02:30:00|2023-10-29 03:00:00",
        "2023-10-29 01:59:59|2023-03-26 03:00:00|2023-03-26 01:59:59.999999|2023-10-28 02:30:00|2023-10-30 02:30:00|1945-05-24 02:30:00",
        "t|F|true|FALSE|tRuE|yes|no|on|off|1|0|y|tr| true|-0|-0.0|007|+1|1e3|NaN|1.|.5| 1 |12|-12|32767|32768|-32768|2147483648",
        "9223372036854775807|9223372036854775808|-9223372036854775808|99999999999999999999|0x10|1_000|1.50|0.00|-0.01|123456.78|123.456",
        "123e4567-e89b-12d3-a456-426614174000|{123e4567-e89b-12d3-a456-426614174000}|123E4567-E89B-12D3-A456-426614174000",
        "123e4567e89b12d3a456426614174000|123e-4567-e89b-12d3-a456-4266-1417-4000||é|٣",
    ];
    written.iter().flat_map(|line| line.split('|')).map(str::to_owned).collect()
}

/// One character more, less or other than in a text.
fn changed(random: &mut Random, text: &str) -> String {
    let others: Vec<char> = "0123456789-+.: TZeEabft{}\n".chars().collect();
    let mut characters: Vec<char> = text.chars().collect();
    let at = random.below(characters.len() as u64 + 1) as usize;
    let other = others[random.below(others.len() as u64) as usize];
    match random.below(3) {
        0 => characters.insert(at, other),
        1 if at < characters.len() => characters[at] = other,
        _ if at < characters.len() => drop(characters.remove(at)),
        _ => {}
    }
    characters.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_what_the_reader_takes() {
    let mut random = Random::drawn("what_is_kept_is_what_the_reader_takes");
    let mut tried = texts();
    for text in texts() {
        tried.extend((0..20).map(|_| changed(&mut random, &text)));
    }
    let target = TestDatabase::new().await;
    let mut connection = PgConnection::connect(&target.url).await.unwrap();
    let zone = |zone: &str| Reading::AssumeZone(zone.to_owned());
    for (to, reading) in [
        (PgType::Boolean, Reading::Plain),
        (PgType::SmallInt, Reading::Plain),
        (PgType::Integer, Reading::Plain),
        (PgType::BigInt, Reading::Plain),
        (PgType::Numeric(None), Reading::Plain),
        (PgType::Numeric(Some((5, 2))), Reading::Plain),
        (PgType::Uuid, Reading::Plain),
        (PgType::Date, Reading::Plain),
        (PgType::Time, Reading::Plain),
        (PgType::Timestamp, Reading::Plain),
        (PgType::Timestamptz, Reading::Plain),
        (PgType::Timestamptz, zone("UTC")),
        (PgType::Timestamptz, zone("Europe/Berlin")),
        (PgType::Timestamptz, zone("America/New_York")),
        (PgType::Timestamptz, zone("Australia/Lord_Howe")),
        (PgType::Varchar(3), Reading::Plain),
    ] {
        let conversion = Conversion::between(PgType::Text, to, &reading).unwrap();
        let (keeps, using) = (conversion.keeps_sql("a $ b").unwrap(), conversion.using_sql("a $ b"));
        let using = using.unwrap_or_else(|| "\"a $ b\"".to_owned());
        let sql = format!(
            "SELECT coalesce({keeps}, false), CASE WHEN {keeps} THEN ({using})::{to} END::text \
             FROM unnest($1::text[]) WITH ORDINALITY AS of (\"a $ b\", at) ORDER BY at"
        );
        let found: Vec<(bool, Option<String>)> =
            sqlx::query_as(AssertSqlSafe(sql)).bind(&tried).fetch_all(&mut connection).await.unwrap();
        for (text, (kept, _)) in tried.iter().zip(found) {
            let read = value::read(ValueRef::Text(text.as_bytes()), &to, &reading);
            assert_eq!(kept, read.is_ok(), "{text:?} as {to}, {reading:?}: {read:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_texts_are_kept_where_no_key_comes_twice() {
    let target = TestDatabase::new().await;
    let conversion = Conversion::between(PgType::Text, PgType::Jsonb, &Reading::Plain).unwrap();
    let keeps = conversion.keeps_sql("j").unwrap();
    for text in [
        "{}",
        "[]",
        "1",
        "\"a\\u0022b\"",
        r#"{"a": 1, "b": {"a": 2}}"#,
        r#"{"a": 1, "a": 2}"#,
        r#"{"a": {"b": [1, {"c": 1, "d": 2, "c": 3}]}}"#,
        r#"{"a": "x\u0022y", "a": 2}"#,
        r#"{"a": "\u0022\u0022\u0022", "b": 2, "b": "\u0022"}"#,
        r#"{"a\u0022": 1, "a\"": 2}"#,
        r#"{"a": "\\u0022\\u0022", "b": 1, "b": 2}"#,
        r#"{"a": "\\\u0022", "b": 1}"#,
        r#"{"a": "\\u0022", "b": 1}"#,
        r#"{"a": "\u005c", "b": "\"", "\u0061": 1}"#,
        r#"[{"a": 1}, {"a": 1}]"#,
    ] {
        let sql = format!("SELECT {keeps} FROM (VALUES ('{text}')) AS of (j)");
        let kept = target.value(&sql).await.unwrap() == "true";
        let read = value::read(ValueRef::Text(text.as_bytes()), &PgType::Jsonb, &Reading::Plain);
        assert_eq!(kept, read.is_ok(), "{text}");
    }
}

/// Each of these is read by PostgreSQL's cast as something else than what it says.
#[tokio::test(flavor = "multi_thread")]
async fn values_that_only_a_cast_reads_are_told() {
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, tm TEXT, ts TEXT, tz TEXT, u TEXT, f TEXT, n TEXT, j TEXT, d TEXT);
        INSERT INTO t VALUES (1, '10:00:00', '2024-01-02 10:00:00', '2024-01-02 10:00:00Z',
            '123e4567-e89b-12d3-a456-426614174000', 'true', '1.5', '{}', '2024-01-02');",
    )
    .await;
    let names = ["id", "tm", "ts", "tz", "u", "f", "n", "j", "d"];
    let before: Vec<String> = names[1..].iter().map(|name| format!("{name}: text")).collect();
    let before = columns(&before.iter().map(String::as_str).collect::<Vec<_>>());
    run(&way, "apply", &before, &["--yes"]).ends_with(0);
    let after = columns(&[
        "tm: time",
        "ts: timestamp",
        "tz: timestamptz",
        "u: uuid",
        "f: boolean",
        "n: numeric",
        "j: jsonb",
        "d: date",
    ]);
    // Nothing is lost of what the source holds.
    let plan = run(&way, "plan", &after, &[]).ends_with(0).stdout;
    assert!(!plan.contains("lossy-conversion"), "{plan}");
    let lax = [
        ("tm", "2024-01-02 10:11:12+05"),
        ("ts", "2024-01-02 10:00:00 America/New_York"),
        ("ts", "2024-01-02 10:00:00 PST"),
        ("tz", "2024-01-02 10:00:00 PM Z"),
        ("u", "{123e4567-e89b-12d3-a456-426614174000}"),
        ("f", "yes"),
        ("n", "1e3"),
        ("n", "NaN"),
        ("n", " 1 "),
        ("j", r#"{"a": 1, "a": 2}"#),
        ("d", "2024-01-02 10:00:00"),
        ("d", "infinity"),
    ];
    for (column, text) in lax {
        way.target
            .execute(&format!(
                "DELETE FROM t WHERE id = 2; INSERT INTO t (id, {column}) VALUES (2, '{text}')"
            ))
            .await;
        let plan = run(&way, "plan", &after, &[]).ends_with(0).stdout;
        let told: Vec<&str> = plan.lines().filter(|line| line.contains("something is lost")).collect();
        assert!(
            told.len() == 1 && told[0].contains(&format!("t.{column}:")) && told[0].contains("id=2"),
            "{column} {text}\n{plan}"
        );
        run(
            &way,
            "apply",
            &after,
            &["--yes", "--allow", "rewrites-table,blocks-reads,blocks-writes,may-fail-on-rows"],
        )
        .ends_with(3)
        .complains_of(&["lossy-conversion"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_no_text_tells_are_told() {
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, d TEXT, n INTEGER); INSERT INTO t VALUES (1, '2024-01-02', 5);",
    )
    .await;
    run(&way, "apply", &columns(&["d: date", "n: bigint"]), &["--yes"]).ends_with(0);
    way.target.execute("INSERT INTO t VALUES (2, 'infinity'), (3, '0044-03-15 BC'), (4, '9999-12-31')").await;
    // The lowest integer has no magnitude.
    way.target.execute("INSERT INTO t (id, n) VALUES (5, -9223372036854775808), (6, 9007199254740993)").await;
    let after = columns(&["d: text", "n: double precision"]);
    run(&way, "plan", &after, &[]).ends_with(0).says(&[
        "using to_char(\"d\", 'YYYY-MM-DD'): something is lost in 2 rows, the first at id=2",
        "double precision: something is lost in 2 rows, the first at id=5",
    ]);
}

/// Counts of units since 1970 become the moments that they are, to the microsecond.
#[tokio::test(flavor = "multi_thread")]
async fn epochs_are_exact() {
    let mut random = Random::drawn("epochs_are_exact");
    let bounds = [
        ("s", -62_135_596_800_i64, 253_402_300_799_i64),
        ("ms", -62_135_596_800_000, 253_402_300_799_999),
        ("us", -62_135_596_800_000_000, 253_402_300_799_999_999),
    ];
    let mut rows = vec![
        "(0, 253402300799, 253402300799999, 9007199254740993)".to_owned(),
        "(1, -62135596800, -62135596800000, -62135596800000000)".to_owned(),
        "(2, -1, -1, -1)".to_owned(),
        "(3, 1, 1, 253402300799999999)".to_owned(),
        "(4, 86399, 86399999, -86399999999)".to_owned(),
    ];
    rows.extend((5..3005).map(|id| {
        let drawn = bounds.map(|(_, low, high)| low + random.below(low.abs_diff(high) + 1) as i64);
        format!("({id}, {}, {}, {})", drawn[0], drawn[1], drawn[2])
    }));
    let way = Way::from_sql(&format!(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, s INTEGER, ms INTEGER, us INTEGER); INSERT INTO t VALUES {};",
        rows.join(", ")
    ))
    .await;
    for to in ["timestamptz", "timestamp"] {
        run(&way, "apply", "version: 1\n", &["--yes", "--allow", ALL_HAZARDS, "--restart"]).ends_with(0);
        let column = |(unit, ..): (&str, i64, i64)| format!("{unit}: {{type: {to}, from: epoch_{unit}}}");
        let after = bounds.map(column);
        let after = columns(&after.each_ref().map(String::as_str));
        let plan = run(&way, "plan", &after, &[]).ends_with(0).stdout;
        assert!(!plan.contains("lossy-conversion"), "{plan}");
        run(&way, "apply", &after, &["--yes", "--allow", ALL_HAZARDS]).ends_with(0);
        run(&way, "verify", &after, &[]).succeeds().says(&["Proven"]);
    }
}

/// What the reader refuses becomes NULL as it would in a new copy, though PostgreSQL's cast takes it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_null_becomes_null() {
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, f TEXT, n TEXT, d TEXT, tz TEXT, v TEXT, k TEXT, x);
        INSERT INTO t VALUES (1, 'true', '12', '2024-02-29', '2023-10-28 02:30:00', 'abc', '1.5', 1), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
            (3, 'yes', ' 12', '2023-02-29', '2023-10-29 02:30:00', 'abcdef', '1e3', '1'), (4, 'maybe', 'x', 'today', 'now', '', 'NaN', 'yes');",
    )
    .await;
    let text = ["f: text", "n: text", "d: text", "tz: text", "v: text", "k: text", "x: text"];
    let before = format!("{}\nassume_tz: Europe/Berlin\n", columns(&text));
    run(&way, "apply", &before, &["--yes"]).ends_with(0);
    let null = |column: &str| column.replace(": ", ": {type: ") + ", on_invalid: set_null}";
    let types =
        ["f: boolean", "n: integer", "d: date", "tz: timestamptz", "v: varchar(3)", "k: \"numeric(4,1)\""];
    let mut after: Vec<String> = types.iter().map(|column| null(column)).collect();
    let mapping = |after: &[String], x: &str| {
        let all: Vec<&str> = after.iter().map(String::as_str).chain([x]).collect();
        format!("{}\nassume_tz: Europe/Berlin\n", columns(&all))
    };
    run(&way, "plan", &mapping(&after, "x: text"), &[]).ends_with(0).says(&[
        "t.f: text becomes boolean using \"f\"::boolean, NULL where it does not hold the value",
        "something is lost in 2 rows, the first at id=3",
    ]);
    let all_but_lossy = "rewrites-table,blocks-reads,blocks-writes,may-fail-on-rows";
    run(&way, "apply", &mapping(&after, "x: text"), &["--yes", "--allow", all_but_lossy])
        .ends_with(3)
        .complains_of(&["lossy-conversion"]);
    run(&way, "apply", &mapping(&after, "x: text"), &["--yes", "--allow", ALL_HAZARDS]).ends_with(0);
    run(&way, "verify", &mapping(&after, "x: text"), &[]).succeeds().says(&["Proven"]);
    way.holds(&[(
        "SELECT count(f) || ' ' || count(n) || ' ' || count(d) || ' ' || count(tz) FROM t",
        "1 1 1 1",
    )])
    .await;
    // The number 1 and the text '1' are one text by now; the one would be true, and the other NULL.
    after.push(null("x: boolean"));
    let after = mapping(&after, "id: bigint");
    run(&way, "apply", &after, &["--yes", "--allow", ALL_HAZARDS]).ends_with(4);
    run(&way, "apply", &after, &["--yes", "--allow", ALL_HAZARDS, "--restart"]).ends_with(0);
    run(&way, "verify", &after, &[]).succeeds().says(&["Proven"]);
}
