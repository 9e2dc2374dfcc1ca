//! Verify against a real PostgreSQL: what is equal is found equal, and every change is found and named.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::{
    ops::Deref,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use mtm::{
    mapping::OnInvalid,
    schema::{ColumnCopy, Grounds, PgType, TableCopy},
    value::Reading,
    verify::{DifferenceKind, NAMED_DIFFERENCES, Readers, Side, TableComparison, VerifyError, compare_rows},
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use sqlx::{PgPool, postgres::PgPoolOptions};

use crate::support::{TestDatabase, sqlite_file};

/// Opens a connection each time one is asked for.
struct Files(PathBuf);

struct Own(rusqlite::Connection);

impl Deref for Own {
    type Target = rusqlite::Connection;
    fn deref(&self) -> &rusqlite::Connection {
        &self.0
    }
}

impl Readers for Files {
    fn reader(&self) -> impl Deref<Target = rusqlite::Connection> {
        Own(rusqlite::Connection::open(&self.0).expect("open"))
    }
}

/// A SQLite file and a PostgreSQL database, to be compared.
struct Pair {
    target: TestDatabase,
    pool: PgPool,
    directory: tempfile::TempDir,
    file: PathBuf,
}

impl Pair {
    async fn new(source_sql: &str, target_sql: &str) -> Pair {
        let directory = tempfile::tempdir().expect("directory");
        let file = sqlite_file(directory.path(), "source.db", source_sql);
        let target = TestDatabase::new().await;
        target.execute(target_sql).await;
        let pool = PgPoolOptions::new().max_connections(4).connect(&target.url).await.expect("pool");
        Pair { target, pool, directory, file }
    }

    async fn compare(&self, tables: &[TableCopy]) -> Vec<TableComparison> {
        self.try_compare(tables).await.expect("comparison")
    }

    async fn try_compare(&self, tables: &[TableCopy]) -> Result<Vec<TableComparison>, VerifyError> {
        let readers = Arc::new(Files(self.file.clone()));
        compare_rows(tables, "public", readers, &self.pool, 2, Arc::new(|_| {})).await
    }
}

fn column(name: &str, pg_type: &str) -> ColumnCopy {
    ColumnCopy {
        source: name.to_owned(),
        target: name.to_owned(),
        pg_type: PgType::parse(pg_type).expect(pg_type),
        reading: Reading::Plain,
        on_invalid: OnInvalid::Fail,
        proven: false,
        texts_alone: false,
        reason: String::new(),
        grounds: Grounds::default(),
    }
}

fn table(name: &str, columns: &[(&str, &str)], key: &[usize]) -> TableCopy {
    TableCopy {
        on_invalid: OnInvalid::Fail,
        source: name.to_owned(),
        target: name.to_owned(),
        columns: columns.iter().map(|(name, pg_type)| column(name, pg_type)).collect(),
        key: key.to_vec(),
        rowid_name: Some("rowid".to_owned()),
        rows: 0,
        chunk_starts: Vec::new(),
        sequence: None,
        fills: Vec::new(),
    }
}

/// Differences as `key: what`.
fn named(comparison: &TableComparison) -> Vec<String> {
    let what = |kind: &DifferenceKind| match kind {
        DifferenceKind::MissingInTarget => "missing".to_owned(),
        DifferenceKind::ExtraInTarget => "extra".to_owned(),
        DifferenceKind::CellsDiffer { columns } => columns.join("+"),
        other => format!("{other:?}"),
    };
    for difference in &comparison.differences {
        assert_eq!(difference.table, comparison.target);
    }
    assert_eq!(comparison.digest == comparison.target_digest, comparison.differences.is_empty());
    comparison.differences.iter().map(|found| format!("{}: {}", found.key, what(&found.kind))).collect()
}

const SOURCE: &str = "
    CREATE TABLE tracks (
        track_id TEXT PRIMARY KEY, name TEXT, duration INTEGER, energy REAL, raw_json TEXT, added_at TEXT, price TEXT
    );
    INSERT INTO tracks VALUES
        ('a', 'First', 1000, 0.0, '{\"id\": \"a\", \"n\": 1.10, \"z\": {}}', '2024-01-01T10:00:00Z', '1.10'),
        ('b', 'tab\there, new
line, back\\slash, 🎵 Жук', NULL, 0.5, '[1e2, -0.0, \"\\u00e9\\n\"]', '2024-06-01 10:00:00.5+02:00', '-0.001'),
        ('c', '', 3000, 1e300, '{\"id\": {\"b\": 1, \"a\": 2}}', '1999-12-31T23:59:59.999999+00', '12345678901234567890.5'),
        ('d', NULL, 4000, -1.5, 'null', '9999-12-31 23:59:59Z', '0');
    CREATE TABLE snapshots (track_id TEXT, snapshot_date TEXT, rank INTEGER, PRIMARY KEY (track_id, snapshot_date)) WITHOUT ROWID;
    INSERT INTO snapshots SELECT track_id, date('2024-01-01', '+' || value || ' days'), value
        FROM tracks, (WITH RECURSIVE n(value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM n WHERE value < 999) SELECT value FROM n);
    CREATE TABLE plays (track_id TEXT, at INTEGER);
    INSERT INTO plays VALUES ('a', 1), ('a', 1), ('b', 2), (NULL, NULL);
";

const TARGET: &str = r#"
    CREATE TABLE tracks (
        track_id varchar(64) PRIMARY KEY, name text, duration integer, energy double precision, raw_json jsonb,
        added_at timestamptz, price numeric
    );
    INSERT INTO tracks VALUES
        ('a', 'First', 1000, 0.0, '{"z": {}, "n": 1.10, "id": "a"}', '2024-01-01T10:00:00Z', 1.1000),
        ('b', E'tab\there, new\nline, back\\slash, 🎵 Жук', NULL, 0.5, '[100, 0.0, "é\n"]', '2024-06-01 08:00:00.5Z', -0.001),
        ('c', '', 3000, 1e300, '{"id": {"a": 2, "b": 1}}', '1999-12-31T23:59:59.999999+00', 12345678901234567890.5),
        ('d', NULL, 4000, -1.5, 'null', '9999-12-31 23:59:59Z', 0);
    CREATE TABLE snapshots (track_id varchar(64), snapshot_date date, rank integer);
    INSERT INTO snapshots SELECT track_id, date '2024-01-01' + value, value FROM tracks, generate_series(0, 999) AS value;
    CREATE TABLE plays (track_id text, at bigint);
    INSERT INTO plays VALUES (NULL, NULL), ('a', 1), ('b', 2), ('a', 1);
"#;

fn tables() -> Vec<TableCopy> {
    let tracks = [
        ("track_id", "varchar(64)"),
        ("name", "text"),
        ("duration", "integer"),
        ("energy", "double precision"),
        ("raw_json", "jsonb"),
        ("added_at", "timestamptz"),
        ("price", "numeric"),
    ];
    let mut snapshots = table(
        "snapshots",
        &[("track_id", "varchar(64)"), ("snapshot_date", "date"), ("rank", "integer")],
        &[0, 1],
    );
    snapshots.rowid_name = None;
    let plays = table("plays", &[("track_id", "text"), ("at", "bigint")], &[]);
    vec![table("tracks", &tracks, &[0]), snapshots, plays]
}

/// A change to the target, and what has to be said of it: table, key, columns.
const MUTATIONS: &[(&str, &str, &[&str])] = &[
    ("UPDATE tracks SET name = 'Firsu' WHERE track_id = 'a'", "tracks", &["track_id=a: name"]),
    ("UPDATE tracks SET name = name || ' ' WHERE track_id = 'c'", "tracks", &["track_id=c: name"]),
    ("UPDATE tracks SET name = NULL WHERE track_id = 'c'", "tracks", &["track_id=c: name"]),
    ("UPDATE tracks SET name = '' WHERE track_id = 'd'", "tracks", &["track_id=d: name"]),
    ("UPDATE tracks SET duration = 0 WHERE track_id = 'b'", "tracks", &["track_id=b: duration"]),
    ("UPDATE tracks SET energy = '-0' WHERE track_id = 'a'", "tracks", &["track_id=a: energy"]),
    (
        "UPDATE tracks SET energy = 0.50000000000000011 WHERE track_id = 'b'",
        "tracks",
        &["track_id=b: energy"],
    ),
    (
        "UPDATE tracks SET raw_json = jsonb_set(raw_json, '{n}', '1.11') WHERE track_id = 'a'",
        "tracks",
        &["track_id=a: raw_json"],
    ),
    (
        "UPDATE tracks SET raw_json = to_jsonb(raw_json::text) WHERE track_id = 'a'",
        "tracks",
        &["track_id=a: raw_json"],
    ),
    ("UPDATE tracks SET raw_json = NULL WHERE track_id = 'd'", "tracks", &["track_id=d: raw_json"]),
    (
        "UPDATE tracks SET added_at = added_at + interval '1 hour' WHERE track_id = 'b'",
        "tracks",
        &["track_id=b: added_at"],
    ),
    (
        "UPDATE tracks SET added_at = added_at - interval '1 microsecond' WHERE track_id = 'c'",
        "tracks",
        &["track_id=c: added_at"],
    ),
    ("UPDATE tracks SET price = 1.1000000001 WHERE track_id = 'a'", "tracks", &["track_id=a: price"]),
    (
        "UPDATE tracks AS x SET name = y.name, price = y.price FROM tracks AS y
         WHERE (x.track_id, y.track_id) IN (('a', 'c'), ('c', 'a'))",
        "tracks",
        &["track_id=a: name+price", "track_id=c: name+price"],
    ),
    ("DELETE FROM tracks WHERE track_id = 'b'", "tracks", &["track_id=b: missing"]),
    ("INSERT INTO tracks VALUES ('e')", "tracks", &["track_id=e: extra"]),
    (
        "UPDATE tracks SET track_id = 'A' WHERE track_id = 'a'",
        "tracks",
        &["track_id=A: extra", "track_id=a: missing"],
    ),
    (
        "TRUNCATE tracks",
        "tracks",
        &["track_id=a: missing", "track_id=b: missing", "track_id=c: missing", "track_id=d: missing"],
    ),
    (
        "UPDATE snapshots SET rank = rank + 1 WHERE track_id = 'c' AND snapshot_date = '2024-02-29'",
        "snapshots",
        &["track_id=c, snapshot_date=2024-02-29: rank"],
    ),
    (
        "DELETE FROM snapshots WHERE track_id = 'd' AND rank = 0",
        "snapshots",
        &["track_id=d, snapshot_date=2024-01-01: missing"],
    ),
    (
        "INSERT INTO snapshots SELECT * FROM snapshots WHERE track_id = 'd' AND rank = 1",
        "snapshots",
        &["track_id=d, snapshot_date=2024-01-02: extra"],
    ),
    (
        "INSERT INTO plays VALUES ('b', 2)",
        "plays",
        &["ctid=(0,5), a row that the source has 1 times and the target 2 times: extra"],
    ),
    ("DELETE FROM plays WHERE track_id = 'b'", "plays", &["rowid=3: missing"]),
    ("UPDATE plays SET at = 0 WHERE at IS NULL", "plays", &["ctid=(0,5): extra", "rowid=4: missing"]),
    (
        "DELETE FROM plays WHERE ctid = '(0,2)'",
        "plays",
        &["rowid=2, a row that the source has 2 times and the target 1 times: missing"],
    ),
    ("ALTER TABLE tracks DROP COLUMN name", "tracks", &[": ColumnMissing { column: \"name\" }"]),
    (
        "ALTER TABLE tracks ALTER raw_json TYPE text",
        "tracks",
        &[": ColumnType { column: \"raw_json\", expected: \"jsonb\", found: \"text\" }"],
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_sides_are_equal_and_every_mutation_is_found_and_named() {
    let pair = Pair::new(SOURCE, TARGET).await;
    let tables = tables();
    let equal = pair.compare(&tables).await;
    for comparison in &equal {
        assert_eq!(named(comparison), Vec::<String>::new());
        assert_eq!(comparison.differences_total, 0);
        assert_eq!(comparison.digest.len(), 32);
    }
    let rows: Vec<_> = equal.iter().map(|table| (table.source_rows, table.target_rows)).collect();
    assert_eq!(rows, [(4, 4), (4000, 4000), (4, 4)]);
    let reset = format!("DROP TABLE tracks, snapshots, plays; {TARGET}");
    for (sql, changed, expected) in MUTATIONS {
        pair.target.execute(sql).await;
        let found = pair.compare(&tables).await;
        for comparison in &found {
            let structural =
                comparison.digest == comparison.target_digest && !comparison.differences.is_empty();
            let names = if structural {
                comparison
                    .differences
                    .iter()
                    .map(|found| format!("{}: {:?}", found.key, found.kind))
                    .collect()
            } else {
                named(comparison)
            };
            let expected = if comparison.target == *changed { *expected } else { &[] };
            assert_eq!(names, expected, "{sql}");
            assert_eq!(comparison.differences_total, expected.len() as u64, "{sql}");
            assert!(!comparison.differences_at_least, "{sql}");
        }
        pair.target.execute(&reset).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_table_is_a_difference_with_all_its_rows() {
    let pair = Pair::new(SOURCE, "CREATE TABLE tracks (track_id integer)").await;
    let found = pair.compare(&tables()).await;
    assert_eq!(found[1].differences[0].kind, DifferenceKind::TableMissing);
    assert_eq!(found[1].differences[1].key, "track_id=a, snapshot_date=2024-01-01");
    assert_eq!(found[1].differences[1].kind, DifferenceKind::MissingInTarget);
    assert_eq!((found[1].differences_total, found[1].differences.len()), (4001, NAMED_DIFFERENCES));
    assert_eq!((found[1].source_rows, found[1].target_rows), (4000, 0));
    // Nothing of the columns can be compared there; the number of rows can.
    assert_eq!(found[0].differences.len(), 7 + 4);
    assert!(matches!(found[0].differences[0].kind, DifferenceKind::ColumnType { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_rows_are_read_in_pieces_and_all_of_them_may_differ() {
    let count = 60_000;
    let numbers = format!(
        "CREATE TABLE n (id INTEGER PRIMARY KEY, v TEXT);
         INSERT INTO n WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {count}) SELECT id, 'v' || id FROM n;"
    );
    let target = format!(
        "CREATE TABLE n (id bigint PRIMARY KEY, v text) WITH (fillfactor = 10);
         INSERT INTO n SELECT id, 'v' || id FROM generate_series(1, {count}) AS id ORDER BY -id; ANALYZE n"
    );
    let pair = Pair::new(&numbers, &target).await;
    let mut numbers = table("n", &[("id", "bigint"), ("v", "text")], &[0]);
    numbers.chunk_starts = vec![1, 10_000, 10_001, 50_000, 70_000];
    numbers.rows = count;
    let (rows, seen) = (Arc::new(Mutex::new([0, 0])), Arc::new(AtomicU64::new(0)));
    let progress = {
        let (rows, seen) = (rows.clone(), seen.clone());
        Arc::new(move |progress: mtm::verify::Progress| {
            rows.lock().expect("lock")[usize::from(progress.side == Side::Target)] += progress.rows;
            seen.fetch_add(1, Ordering::Relaxed);
        })
    };
    let readers = Arc::new(Files(pair.file.clone()));
    let equal =
        compare_rows(&[numbers.clone()], "public", readers, &pair.pool, 3, progress).await.expect("equal");
    assert!(equal[0].is_equal());
    assert_eq!((equal[0].source_rows, equal[0].target_rows), (count, count));
    assert_eq!(*rows.lock().expect("lock"), [count, count]);
    assert!(seen.load(Ordering::Relaxed) > 10);
    pair.target.execute("UPDATE n SET v = 'x' WHERE id = 59999; DELETE FROM n WHERE id = 1; INSERT INTO n VALUES (0, 'v0')").await;
    let found = pair.compare(&[numbers.clone()]).await;
    assert_eq!(named(&found[0]), ["id=0: extra", "id=1: missing", "id=59999: v"]);
    pair.target.execute("UPDATE n SET v = v || '!'").await;
    let found = pair.compare(&[numbers]).await;
    assert_eq!(found[0].differences.len(), NAMED_DIFFERENCES);
    assert!(found[0].differences_total <= count + 1 && found[0].differences_total > 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_set_to_null_are_exceptions_and_others_are_differences() {
    let source = "CREATE TABLE t (id INTEGER PRIMARY KEY, j TEXT, d TEXT, n, v TEXT);
        INSERT INTO t VALUES (1, '{\"a\": 1}', '2024-02-29', 5, 'ok'),
            (2, '{bad', '2023-02-29', 'five', 'too long'),
            (3, '{\"a\": 1, \"a\": 2}', '', 9223372036854775807, char(0)),
            (4, NULL, NULL, NULL, CAST(x'ff' AS TEXT));";
    let target = "CREATE TABLE t (id integer, j jsonb, d date, n integer, v varchar(4));
        INSERT INTO t VALUES (1, '{\"a\": 1}', '2024-02-29', 5, 'ok'); INSERT INTO t VALUES (2), (3), (4)";
    let pair = Pair::new(source, target).await;
    let columns = [("id", "integer"), ("j", "jsonb"), ("d", "date"), ("n", "integer"), ("v", "varchar(4)")];
    let mut copy = table("t", &columns, &[0]);
    let strict = pair.compare(&[copy.clone()]).await;
    assert_eq!(named(&strict[0]), ["id=2: j+d+n+v", "id=3: j+d+n+v", "id=4: v"]);
    copy.columns.iter_mut().for_each(|column| column.on_invalid = OnInvalid::SetNull);
    let lenient = pair.compare(&[copy]).await;
    assert_eq!(named(&lenient[0]), Vec::<String>::new());
    assert_eq!(lenient[0].exceptions, 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_name_the_table_and_not_the_servers_code() {
    let pair = Pair::new(
        "CREATE TABLE t (a INTEGER); CREATE TABLE u (a INTEGER); INSERT INTO u VALUES (1)",
        "CREATE TABLE t (a integer); CREATE TABLE u (a integer);
         CREATE FUNCTION fail() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no luck'; END $$;
         CREATE VIEW v AS SELECT fail() AS a",
    )
    .await;
    let mut missing = table("t", &[("b", "integer")], &[]);
    missing.columns[0].target = "a".to_owned();
    let error = pair.try_compare(&[missing]).await.expect_err("no such column");
    assert_eq!(error.to_string(), "table `t` of the source cannot be read");
    let mut view = table("u", &[("a", "integer")], &[]);
    view.target = "v".to_owned();
    let error = pair.try_compare(&[view]).await.expect_err("the server complains");
    assert_eq!(error.to_string(), "table `v` of the target cannot be read: no luck");
    let mut zone = table("t", &[("a", "timestamptz")], &[]);
    zone.columns[0].reading = Reading::AssumeZone("Mars/Olympus".to_owned());
    pair.target.execute("ALTER TABLE t ALTER a TYPE timestamptz USING NULL").await;
    let error = pair.try_compare(&[zone]).await.expect_err("no such zone");
    assert!(error.to_string().contains("`Mars/Olympus`"), "{error}");
    // The pool still works after failures.
    assert!(pair.compare(&[table("u", &[("a", "bigint")], &[])]).await[0].differences_total > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readings_and_awkward_names() {
    let source = r#"CREATE TABLE "we""ird" ("k""1" INTEGER PRIMARY KEY, "select" INTEGER, ms REAL, us INTEGER, local TEXT);
        INSERT INTO "we""ird" VALUES (1, 1717149600, 1717149600123.456, 1717149600123456, '2024-05-31 12:00:00'),
            (2, -1, -0.5, -1, '2024-12-31T12:00:00.25'), (3, NULL, NULL, NULL, '2024-05-31 12:00:00-07')"#;
    let target = r#"CREATE TABLE "we""ird" ("k""1" integer PRIMARY KEY, "select" timestamptz, ms timestamp, us timestamptz, local timestamptz);
        INSERT INTO "we""ird" VALUES
            (1, '2024-05-31 10:00Z', '2024-05-31 10:00:00.123456', '2024-05-31 10:00:00.123456Z', '2024-05-31 10:00Z'),
            (2, '1969-12-31 23:59:59Z', '1969-12-31 23:59:59.9995', '1969-12-31 23:59:59.999999Z', '2024-12-31 11:00:00.25Z'),
            (3, NULL, NULL, NULL, '2024-05-31 19:00Z')"#;
    let pair = Pair::new(source, target).await;
    let columns = [
        ("k\"1", "integer"),
        ("select", "timestamptz"),
        ("ms", "timestamp"),
        ("us", "timestamptz"),
        ("local", "timestamptz"),
    ];
    let mut copy = table("we\"ird", &columns, &[0]);
    copy.columns[1].reading = Reading::EpochSeconds;
    copy.columns[2].reading = Reading::EpochMilliseconds;
    copy.columns[3].reading = Reading::EpochMicroseconds;
    copy.columns[4].reading = Reading::AssumeZone("Europe/Berlin".to_owned());
    assert_eq!(named(&pair.compare(&[copy.clone()]).await[0]), Vec::<String>::new());
    copy.columns[4].reading = Reading::AssumeZone("UTC".to_owned());
    assert_eq!(named(&pair.compare(&[copy]).await[0]), ["k\"1=1: local", "k\"1=2: local"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_in_utf_16_are_read_as_they_are() {
    for encoding in ["UTF-16le", "UTF-16be"] {
        let source = format!(
            "PRAGMA encoding = '{encoding}'; CREATE TABLE t (k TEXT, v, PRIMARY KEY (k)) WITHOUT ROWID;
             INSERT INTO t VALUES ('é🎵', x'00ff'), ('b', 5), ('c', NULL), ('d', 'Жук'), ('', 'half');
             CREATE TABLE u (v);
             INSERT INTO u VALUES ('🎵'), (1);"
        );
        let target = "CREATE TABLE t (k text, v bytea); CREATE TABLE u (v text);
             INSERT INTO t VALUES ('é🎵', '\\x00ff'), ('b', '5'), ('c', NULL), ('d', 'Жук'), ('', 'half');
             INSERT INTO u VALUES ('🎵'), ('1')";
        let pair = Pair::new(&source, target).await;
        let mut keyed = table("t", &[("k", "text"), ("v", "bytea")], &[0]);
        keyed.rowid_name = None;
        let tables = [keyed, table("u", &[("v", "text")], &[])];
        for comparison in pair.compare(&tables).await {
            assert_eq!(named(&comparison), Vec::<String>::new(), "{encoding}");
        }
        // Half a surrogate pair, which SQLite itself would read as another character.
        let half = if encoding == "UTF-16le" { "00d84100" } else { "d8000041" };
        let connection = rusqlite::Connection::open(&pair.file).expect("open");
        connection
            .execute_batch(&format!("UPDATE u SET v = CAST(x'{half}' AS TEXT) WHERE rowid = 1"))
            .expect("update");
        let read: String = connection.query_row("SELECT v FROM u", [], |row| row.get(0)).expect("read");
        sqlx::query("UPDATE u SET v = $1 WHERE ctid = '(0,1)'")
            .bind(read)
            .execute(&pair.pool)
            .await
            .expect("update");
        let found = pair.compare(&tables).await;
        assert_eq!(named(&found[1]), ["ctid=(0,3): extra", "rowid=1: missing"], "{encoding}");
    }
}

/// Inserts texts on both sides, in PostgreSQL through a cast, and requires that they compare equal; texts that
/// PostgreSQL refuses must not fit either. PostgreSQL takes more than the mapping's types do: the texts are of the forms
/// that these take.
async fn agrees_with_server(pair: &Pair, pg_type: &str, texts: Vec<String>) {
    pair.target.execute(&format!("DROP TABLE IF EXISTS t; CREATE TABLE t (id integer, v {pg_type})")).await;
    let file = pair.directory.path().join("oracle.db");
    std::fs::remove_file(&file).ok();
    let connection = rusqlite::Connection::open(&file).expect("open");
    connection.execute_batch("CREATE TABLE t (id INTEGER, v BLOB); BEGIN").expect("table");
    // A cast to varchar(n) cuts; an assignment refuses, as COPY does.
    let cast = if pg_type.starts_with("varchar") { "text" } else { pg_type };
    let insert = format!("INSERT INTO t VALUES ($1, $2::{cast})");
    for (id, text) in (0_i32..).zip(&texts) {
        connection.execute("INSERT INTO t VALUES (?, ?)", (id, text)).expect("insert");
        let cast =
            sqlx::query(sqlx::AssertSqlSafe(insert.clone())).bind(id).bind(text).execute(&pair.pool).await;
        if let Err(error) = cast {
            assert!(error.as_database_error().is_some(), "{error}");
            // The server refuses it: the source's side must say so too.
            sqlx::query("INSERT INTO t VALUES ($1, NULL)")
                .bind(id)
                .execute(&pair.pool)
                .await
                .expect("insert");
        }
    }
    connection.execute_batch("COMMIT").expect("commit");
    let mut copy = table("t", &[("id", "integer"), ("v", pg_type)], &[0]);
    copy.columns[1].on_invalid = OnInvalid::SetNull;
    let readers = Arc::new(Files(file));
    let found =
        compare_rows(&[copy], "public", readers, &pair.pool, 1, Arc::new(|_| {})).await.expect("compare");
    if let Some(difference) = found[0].differences.first() {
        let id: usize = difference.key.trim_start_matches("id=").parse().expect("id");
        let text = &texts[id];
        let server = pair.target.value(&format!("SELECT v FROM t WHERE id = {id}")).await;
        panic!("{pg_type}: {text:?} is {server:?} for the server ({difference:?})");
    }
    assert_eq!(found[0].digest, found[0].target_digest);
}

fn samples<S: Strategy>(strategy: S, count: u32) -> Vec<S::Value>
where
    S::Value: Clone,
{
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    (0..count).map(|_| strategy.new_tree(&mut runner).expect("sample").current()).collect()
}

/// JSON texts of every shape, with white space, escapes, odd numbers; keys are made not to repeat.
fn json() -> impl Strategy<Value = String> {
    let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?";
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9 _/.:\u{7f}]{0,8}",
        1 => "[\u{80}-\u{24f}\u{400}-\u{4ff}\u{1f3b5}-\u{1f3ff}]{1,3}",
        2 => prop::sample::select(vec![
            "\\n", "\\t", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\r", "\\u0001", "\\u001F", "\\u0041", "\\u00e9", "\\u20AC",
            "\\ud83c\\udfb5", "\\u0022", "\\u005c", "\\u007f",
        ]).prop_map(str::to_owned),
    ];
    let string = prop::collection::vec(piece, 0..5).prop_map(|pieces| format!("\"{}\"", pieces.concat()));
    let space = prop::sample::select(vec!["", "", " ", "\n\t", "\r "]);
    let leaf = prop_oneof![
        string.clone(),
        number,
        prop::sample::select(vec!["true", "false", "null"]).prop_map(str::to_owned),
    ];
    let keys = string;
    leaf.prop_recursive(6, 60, 8, move |inner| {
        let space = space.clone();
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..6), space.clone()).prop_map(|(items, space)| format!(
                "[{space}{}{space}]",
                items.join(&format!("{space},{space}"))
            )),
            (prop::collection::vec((keys.clone(), inner), 0..12), space).prop_map(|(members, space)| {
                let member = |(index, (key, value)): (usize, &(String, String))| {
                    // The number makes the key one of its kind, at either end so that lengths and bytes both vary.
                    let key = if index % 2 == 0 {
                        format!("\"{index}{}", &key[1..])
                    } else {
                        format!("{}{index}\"", &key[..key.len() - 1])
                    };
                    format!("{space}{key}{space}:{space}{value}")
                };
                let members: Vec<String> = members.iter().enumerate().map(member).collect();
                format!("{{{space}{}{space}}}", members.join(","))
            }),
        ]
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jsonb_agrees_with_the_server() {
    let pair = Pair::new("", "").await;
    agrees_with_server(&pair, "jsonb", samples(json(), 1500)).await;
    // Texts that are nearly JSON: one byte is taken out, doubled or replaced.
    let broken = samples((json(), any::<prop::sample::Index>(), 0..4_u8, "[\\x20-\\x7e]"), 1000);
    let broken = broken.into_iter().map(|(text, at, how, other)| {
        let mut characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len());
        match how {
            0 => drop(characters.remove(at)),
            1 => characters.insert(at, characters[at]),
            2 => characters[at] = other.chars().next().unwrap_or('x'),
            _ => characters.truncate(at),
        }
        characters.into_iter().collect()
    });
    // A damaged key may repeat another one, which is a loss and no matter of syntax.
    let broken = broken.filter(|text: &String| !text.contains('{')).collect();
    agrees_with_server(&pair, "jsonb", broken).await;
    let numbers = [
        "1e2",
        "1.50e1",
        "-0.0",
        "-0",
        "0e5",
        "0E-5",
        "0.0e3",
        "-0e0",
        "1.10",
        "1E+2",
        "12345e-3",
        "12345e-7",
        "1e131071",
        "1e131072",
        "1e-16383",
        "1e-16384",
        "0e-16384",
        "0e999999",
        "0e1073741822",
        "0e1073741823",
        "1e99999999999",
        "0.0001e4",
        "0.0001e5",
        "01",
        "+1",
        ".5",
        "5.",
        "1e",
        "--1",
        "NaN",
        "Infinity",
        "[1 2]",
        "[1,]",
        "{\"a\":1,}",
        "",
        " ",
        "{",
        "\"",
        "\"\\",
        "\"\\u",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\u0000\"",
        "\"\u{1}\"",
        "'a'",
        "tru",
        "truex",
        "nul",
        "[]]",
        "{}{}",
        "{\"a\"}",
        "{a:1}",
        "\u{feff}1",
        "\u{a0}1",
        "1 1",
        " \r\n\t[ ] ",
        "{ }",
    ];
    let mut texts: Vec<String> = numbers.iter().map(|&text| text.to_owned()).collect();
    texts.push(format!("{}.{}", "9".repeat(131_072), "1".repeat(16_383)));
    texts.push("9".repeat(131_073));
    texts.push(format!("-0.{}", "0".repeat(16_384)));
    texts.push(format!("{}{}", "[".repeat(1000), "]".repeat(1000)));
    texts.push(format!("{}1{}", "{\"b\": 1, \"a\": ".repeat(500), "}".repeat(500)));
    agrees_with_server(&pair, "jsonb", texts).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicate_keys_take_the_last_value() {
    let texts = [
        r#"{"a": 1, "a": 2}"#,
        r#"{"b": 0, "a": {"x": 1, "x": {"z": 1, "z": 3, "y": 2}}, "b": [1]}"#,
        r#"{"a": 1, "bb": 2, "a": 3, "bb": 4, "a": 5}"#,
        r#"{"a": 1, "\u0061": 2}"#,
        r#"{"\"": 1, "\u0022": 2, "z": 3, "\n": 4, "\u000a": 5}"#,
    ];
    let pair = Pair::new("CREATE TABLE t (id INTEGER, v TEXT)", "CREATE TABLE t (id integer, v jsonb)").await;
    let connection = rusqlite::Connection::open(&pair.file).expect("open");
    for (id, text) in (0_i32..).zip(texts) {
        connection.execute("INSERT INTO t VALUES (?, ?)", (id, text)).expect("insert");
        sqlx::query("INSERT INTO t VALUES ($1, $2::jsonb)")
            .bind(id)
            .bind(text)
            .execute(&pair.pool)
            .await
            .expect("insert");
    }
    let found = pair.compare(&[table("t", &[("id", "integer"), ("v", "jsonb")], &[0])]).await;
    assert_eq!(named(&found[0]), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_types_agree_with_the_server() {
    let pair = Pair::new("", "").await;
    let strings = |pattern: &'static str| samples(pattern, 400);
    agrees_with_server(&pair, "text", samples("[^\u{0}]{0,20}", 400)).await;
    agrees_with_server(&pair, "varchar(5)", samples("[^\u{0} ]{0,7}", 400)).await;
    let mut decimals = strings("-?[0-9]{1,30}(\\.[0-9]{1,20})?");
    decimals.extend(strings("-?(0{1,6}\\.0{0,9}[0-9]{1,3}|[0-9]0{0,12}|0)"));
    // A negative zero is refused, since `numeric` would lose its sign.
    decimals.retain(|text| !text.starts_with('-') || text.contains(|digit| matches!(digit, '1'..='9')));
    decimals.push("1e".to_owned());
    agrees_with_server(&pair, "numeric", decimals).await;
    agrees_with_server(&pair, "bigint", strings("-?[1-9][0-9]{0,18}")).await;
    agrees_with_server(&pair, "smallint", strings("-?[1-9][0-9]{0,4}")).await;
    agrees_with_server(&pair, "boolean", strings("[tTfF]|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]")).await;
    agrees_with_server(
        &pair,
        "uuid",
        strings("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\\{[0-9a-f]{30}\\}|[0-9a-g]{31}"),
    )
    .await;
    let date = "[0-9]{4}-(0[0-9]|1[0-3])-([0-2][0-9]|3[01])";
    let time = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?";
    let strings = |pattern: String| samples(proptest::string::string_regex(&pattern).expect("pattern"), 400);
    agrees_with_server(&pair, "date", strings(date.to_owned())).await;
    agrees_with_server(&pair, "time", strings(time.to_owned())).await;
    agrees_with_server(&pair, "timestamp", strings(format!("{date}[ T]{time}"))).await;
    agrees_with_server(
        &pair,
        "timestamptz",
        strings(format!("{date}[ T]{time}(Z|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)")),
    )
    .await;
    let bytes = strings("[a-zA-Z0-9 é]{0,20}".to_owned());
    agrees_with_server(&pair, "bytea", bytes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_agree_with_the_server() {
    let pair = Pair::new(
        // No affinity: SQLite makes 0.0 of -0.0 in a REAL column.
        "CREATE TABLE t (id INTEGER PRIMARY KEY, i INTEGER, r)",
        "CREATE TABLE t (id integer, i bigint, n numeric, d double precision, m numeric)",
    )
    .await;
    let connection = rusqlite::Connection::open(&pair.file).expect("open");
    let mut values =
        samples((any::<i64>(), any::<f64>().prop_filter("NaN is NULL", |value| !value.is_nan())), 300);
    values.extend([
        (i64::MIN, f64::INFINITY),
        (i64::MAX, f64::NEG_INFINITY),
        (0, -0.0),
        (10_000, 1e22),
        (100_000_000, 5e-324),
    ]);
    for (id, (integer, real)) in (0_i32..).zip(values) {
        connection.execute("INSERT INTO t VALUES (?, ?, ?)", (id, integer, real)).expect("insert");
        // The shortest text of a double is exact as a numeric; PostgreSQL's own cast rounds to 15 digits.
        sqlx::query("INSERT INTO t VALUES ($1, $2, $2::numeric, $3, $4::numeric)")
            .bind(id)
            .bind(integer)
            .bind(real)
            .bind(if real == 0.0 && real.is_sign_negative() {
                // `numeric` would lose its sign, so it does not fit.
                None
            } else if real.is_infinite() {
                Some(real.to_string().replace("inf", "Infinity"))
            } else {
                Some(format!("{real:e}"))
            })
            .execute(&pair.pool)
            .await
            .expect("insert");
    }
    let columns =
        [("id", "integer"), ("i", "bigint"), ("n", "numeric"), ("d", "double precision"), ("m", "numeric")];
    let mut copy = table("t", &columns, &[0]);
    for (column, source) in copy.columns.iter_mut().zip(["id", "i", "i", "r", "r"]) {
        column.source = source.to_owned();
    }
    copy.columns[4].on_invalid = OnInvalid::SetNull;
    assert_eq!(named(&pair.compare(&[copy]).await[0]), Vec::<String>::new());
}
