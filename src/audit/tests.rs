use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::{
    mapping::EpochUnit,
    schema::PgType,
    source::{SourceError, SourceOptions},
    value::Reading,
};

/// A database made from SQL, and its audit.
fn audit(sql: &str) -> Audit {
    let (_folder, source) = source(sql).unwrap();
    scan(&source, Depth::Whole, &[], &|_| {}).unwrap()
}

fn source(sql: &str) -> Result<(TempDir, Source), SourceError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.db");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let options = SourceOptions { readers: 2, busy_timeout: Duration::from_secs(1) };
    Source::open(&path, options).map(|source| (folder, source))
}

fn column(sql: &str) -> ColumnAudit {
    audit(sql).tables.remove(0).columns.pop().unwrap()
}

/// A column without a type that holds these literals, one a row.
fn holding(literals: &str) -> ColumnAudit {
    column(&format!("CREATE TABLE t (v); INSERT INTO t VALUES {literals};"))
}

fn first(outcome: Result<(), Misfits>) -> Option<(u64, String, String)> {
    outcome
        .err()
        .map(|misfits| (misfits.rows, misfits.examples[0].key.clone(), misfits.examples[0].reason.clone()))
}

#[test]
fn a_table_as_it_was_declared() {
    let audit = audit(
        r#"CREATE TABLE tracks (track_id TEXT PRIMARY KEY, name TEXT NOT NULL DEFAULT 'x', n INT CHECK (n > 0),
             twice INT GENERATED ALWAYS AS (n * 2) VIRTUAL);
           CREATE TABLE "odd ""name" (id INTEGER PRIMARY KEY AUTOINCREMENT, rowid TEXT, v ANY) STRICT;
           CREATE TABLE pairs (a, b COLLATE NOCASE, c REFERENCES tracks, PRIMARY KEY (b, a)) WITHOUT ROWID;
           CREATE TABLE hidden (rowid, _rowid_, oid);
           CREATE UNIQUE INDEX by_name ON tracks (name COLLATE NOCASE DESC, length(name)) WHERE n > 1;
           CREATE VIEW v AS SELECT no_such_function(1) AS x FROM tracks;
           CREATE TRIGGER g AFTER INSERT ON tracks BEGIN SELECT 1; END;
           CREATE VIRTUAL TABLE search USING fts5(name);
           INSERT INTO tracks (track_id, n) VALUES ('a', 1), (NULL, 2);
           INSERT INTO "odd ""name" (rowid) VALUES ('x'), ('y'), ('z');
           DELETE FROM "odd ""name" WHERE id = 3;
           INSERT INTO pairs VALUES (1, 2, NULL);
           INSERT INTO hidden VALUES (1, 2, 3);
           ANALYZE;"#,
    );
    let names: Vec<_> = audit.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["tracks", "odd \"name", "pairs", "hidden"]);
    let others: Vec<_> = audit
        .others
        .iter()
        .map(|other| (other.kind, other.name.as_str(), other.belongs_to.as_deref()))
        .collect();
    assert!(others.contains(&("view", "v", None)), "{others:?}");
    assert!(others.contains(&("trigger", "g", Some("tracks"))), "{others:?}");
    assert!(others.contains(&("virtual table", "search", None)), "{others:?}");
    assert!(others.contains(&("shadow table", "search_data", Some("search"))), "{others:?}");
    assert!(others.contains(&("internal table", "sqlite_sequence", None)), "{others:?}");
    assert!(others.contains(&("internal table", "sqlite_stat1", None)), "{others:?}");
    assert_eq!((audit.quick_check.as_deref(), audit.journal_mode.as_str()), (Some([].as_slice()), "delete"));

    let tracks = audit.table("TRACKS").unwrap();
    assert_eq!(
        (tracks.rows, tracks.rowid_name.as_deref(), tracks.rowid_alias.as_deref()),
        (2, Some("rowid"), None)
    );
    assert_eq!(
        (tracks.max_rowid, &tracks.primary_key, &tracks.checks),
        (Some(2), &vec!["track_id".to_owned()], &vec!["n > 0".to_owned()])
    );
    let nulls = Violation { rows: 1, first_key: "track_id=NULL, rowid=2".to_owned() };
    assert_eq!(tracks.primary_key_nulls, Some(nulls));
    let name = tracks.column("name").unwrap();
    assert_eq!((name.not_null, name.default.as_deref(), name.affinity), (true, Some("'x'"), Affinity::Text));
    assert!(tracks.column("twice").unwrap().generated);
    assert_eq!(tracks.column("twice").unwrap().integer_range, Some((2, 4)));
    let by_name = tracks.indexes.iter().find(|index| index.name == "by_name").unwrap();
    assert!(by_name.unique && by_name.partial && by_name.sql.is_some());
    let part = |column: Option<&str>, descending, collation: &str| IndexPartAudit {
        column: column.map(str::to_owned),
        descending,
        collation: collation.to_owned(),
    };
    assert_eq!(by_name.parts, [part(Some("name"), true, "NOCASE"), part(None, false, "BINARY")]);
    assert!(tracks.indexes.iter().any(|index| index.origin == "pk" && index.unique));

    let odd = audit.table("odd \"name").unwrap();
    assert_eq!((odd.rowid_alias.as_deref(), odd.rowid_name.as_deref()), (Some("id"), Some("id")));
    assert_eq!((odd.autoincrement, odd.strict, odd.sequence, odd.max_rowid), (true, true, Some(3), Some(2)));
    assert_eq!(odd.column("v").unwrap().affinity, Affinity::Blob);

    let pairs = audit.table("pairs").unwrap();
    assert_eq!(
        (pairs.without_rowid, &pairs.rowid_name, pairs.primary_key.join(",")),
        (true, &None, "b,a".to_owned())
    );
    assert_eq!(pairs.foreign_keys[0].parent_columns, ["track_id"]);
    assert!(pairs.foreign_keys[0].parent_exists && pairs.foreign_keys[0].orphans.is_none());
    assert_eq!(audit.table("hidden").unwrap().rowid_name, None);
}

#[test]
fn cells_are_counted_by_storage_class() {
    let column = holding("(NULL), (1), (-5), (2.5), (-0.5), ('äöü'), (x'00ff00ff')");
    let expected = StorageClasses { null: 1, integer: 2, real: 2, text: 1, blob: 1 };
    assert_eq!(
        (column.storage, column.integer_range, column.real_range),
        (expected, Some((-5, 1)), Some((-0.5, 2.5)))
    );
    assert_eq!((column.longest_text_chars, column.longest_bytes), (Some(3), Some(6)));
}

#[test]
fn what_fits_by_rule_and_on_demand() {
    use PgType::{
        BigInt, Boolean, Bytea, Date, DoublePrecision, Integer, Jsonb, Numeric, SmallInt, Text, Time,
        Timestamp, Timestamptz, Uuid, Varchar,
    };
    let types = [
        Boolean,
        SmallInt,
        Integer,
        BigInt,
        Numeric(Some((5, 2))),
        Numeric(None),
        DoublePrecision,
        Text,
        Varchar(5),
        Bytea,
        Jsonb,
        Date,
        Time,
        Timestamp,
        Timestamptz,
        Uuid,
    ];
    for (literals, by_rule, only_on_demand) in [
        ("(NULL)", &types[..], &[][..]),
        (
            "(0), (1), (NULL)",
            &[
                Boolean,
                SmallInt,
                Integer,
                BigInt,
                Numeric(Some((5, 2))),
                Numeric(None),
                DoublePrecision,
                Text,
                Varchar(5),
                Bytea,
            ],
            &[],
        ),
        ("(40000)", &[Integer, BigInt, Numeric(None), DoublePrecision, Text, Varchar(5), Bytea], &[]),
        ("(9007199254740993)", &[BigInt, Numeric(None), Text, Bytea], &[]),
        ("(999.99), (1)", &[Numeric(Some((5, 2))), Numeric(None), DoublePrecision, Text, Bytea], &[]),
        ("(9e999)", &[Numeric(None), DoublePrecision, Text, Bytea], &[]),
        (
            "(1), ('1')",
            &[Text, Varchar(5), Bytea],
            &[SmallInt, Integer, BigInt, Numeric(Some((5, 2))), Numeric(None)],
        ),
        ("('70000')", &[Text, Varchar(5), Bytea, Jsonb], &[Integer, BigInt, Numeric(None)]),
        ("('true'), ('F')", &[Boolean, Text, Varchar(5), Bytea], &[]),
        ("('2024-02-29')", &[Text, Bytea, Date], &[]),
        ("('10:00:00')", &[Text, Bytea, Time], &[]),
        ("('2024-02-29 10:00:00')", &[Text, Bytea, Timestamp], &[]),
        ("('2024-02-29T10:00:00Z')", &[Text, Bytea, Timestamptz], &[]),
        ("('123e4567-e89b-12d3-a456-426614174000')", &[Text, Bytea, Uuid], &[]),
        ("('{}'), ('[1]')", &[Text, Varchar(5), Bytea, Jsonb], &[]),
        ("(x'00')", &[Bytea], &[]),
        ("(CAST(x'ff' AS TEXT))", &[Bytea], &[]),
    ] {
        let column = holding(literals);
        for pg_type in types {
            let rule = column.fits(&pg_type, false);
            assert_eq!(rule.is_ok(), by_rule.contains(&pg_type), "{literals} {pg_type} {rule:?}");
            let demand = column.fits(&pg_type, true);
            assert_eq!(
                demand.is_ok(),
                by_rule.contains(&pg_type) || only_on_demand.contains(&pg_type),
                "{literals} {pg_type} {demand:?}"
            );
        }
    }
}

#[test]
fn counter_examples_name_rows_and_never_show_values() {
    let sql = "CREATE TABLE t (id TEXT PRIMARY KEY, v);
        INSERT INTO t SELECT 'k' || value, value FROM generate_series(1, 9);";
    let sql = sql.replace(
        "SELECT 'k' || value, value FROM generate_series(1, 9)",
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT 'k' || i, i FROM n",
    );
    let column = column(&format!("{sql} INSERT INTO t VALUES ('secret\nkey', 'secret'), ('k11', x'01');"));
    let jsonb = column.fits(&PgType::Jsonb, true).unwrap_err();
    assert_eq!((jsonb.rows, jsonb.examples.len()), (11, EXAMPLES));
    assert_eq!(jsonb.examples[0].key, "id=k1");
    assert_eq!(first(column.fits(&PgType::BigInt, false)).unwrap().1, "id=secret\u{fffd}key");
    let demanded = first(column.fits(&PgType::BigInt, true)).unwrap();
    assert_eq!((demanded.0, demanded.1.as_str()), (2, "id=secret\u{fffd}key"));
    assert!(!demanded.2.contains("secret"), "{}", demanded.2);
    assert_eq!(first(column.fits(&PgType::Text, true)).unwrap().1, "id=k11");
    let long = holding(&format!("('{}'), ('short')", "x".repeat(70)));
    assert_eq!(
        first(long.fits(&PgType::Varchar(64), true)),
        Some((1, "rowid=1".to_owned(), "the text has 70 characters, more than 64".to_owned()))
    );
    assert_eq!(first(holding("(5), (70000), (6)").fits(&PgType::SmallInt, true)).unwrap().1, "rowid=2");
    assert_eq!(
        first(holding("(5), (1.125)").fits(&PgType::Numeric(Some((5, 2))), true)).unwrap().1,
        "rowid=2"
    );
}

#[test]
fn probes_that_count_count_to_the_end() {
    let column = holding(&vec!["('x')"; 40].join(", "));
    assert_eq!(column.evidence.misfits[&Probe::Jsonb].rows, 40);
    assert_eq!(column.evidence.misfits[&Probe::Date].rows, 40);
    assert_eq!(column.evidence.misfits[&Probe::Uuid].rows, 6);
    // A value that fits does not bring a hopeless probe back.
    let mixed = holding(&format!("{}, ('2024-01-01 00:00:00')", vec!["('x')"; 40].join(", ")));
    assert!(mixed.fits(&PgType::Timestamp, true).is_err());
}

#[test]
fn epochs_from_the_range() {
    let timestamp = |column: &ColumnAudit, unit| column.fits_epoch(unit, &PgType::Timestamptz).is_ok();
    let seconds = holding("(1627303906), (0), (NULL)");
    assert!(timestamp(&seconds, EpochUnit::Seconds) && timestamp(&seconds, EpochUnit::Microseconds));
    let milliseconds = holding("(1627303906122)");
    assert!(
        !timestamp(&milliseconds, EpochUnit::Seconds) && timestamp(&milliseconds, EpochUnit::Milliseconds)
    );
    let fractions = holding("(1627303906.122), (5)");
    assert!(timestamp(&fractions, EpochUnit::Seconds) && !timestamp(&fractions, EpochUnit::Microseconds));
    for literals in ["('5')", "(x'05')", "(9e999)", "(-0.0 * 1), (1)"] {
        assert!(!timestamp(&holding(literals), EpochUnit::Seconds), "{literals}");
    }
    let midnight = holding("(86400), (172800)");
    assert!(midnight.fits_epoch(EpochUnit::Seconds, &PgType::Date).is_ok());
    assert!(midnight.fits_epoch(EpochUnit::Milliseconds, &PgType::Date).is_err());
    let reading = Reading::EpochSeconds;
    assert!(midnight.fits_reading(&PgType::Timestamp, &reading, true).is_ok());
    assert!(midnight.fits_reading(&PgType::Time, &reading, true).is_err());
    let mixed = holding("('2024-01-01 00:00:00'), ('2024-01-01 00:00:00+02')");
    let utc = Reading::AssumeZone("UTC".to_owned());
    assert!(mixed.fits_reading(&PgType::Timestamptz, &utc, true).is_ok());
    assert!(mixed.fits(&PgType::Timestamptz, true).is_err() && mixed.fits(&PgType::Timestamp, true).is_err());
}

#[test]
fn orphans_under_the_parents_affinity_and_collation() {
    let audit = audit(
        "PRAGMA foreign_keys = OFF;
         CREATE TABLE p (id TEXT COLLATE NOCASE PRIMARY KEY, n INTEGER);
         CREATE TABLE c (a REFERENCES p, b REFERENCES p (n), d REFERENCES missing, e REFERENCES p (nope));
         CREATE TABLE w (k TEXT PRIMARY KEY, x, y, FOREIGN KEY (x, y) REFERENCES p (id, n)) WITHOUT ROWID;
         CREATE TABLE same (id INTEGER PRIMARY KEY, up REFERENCES same ON DELETE CASCADE ON UPDATE SET NULL);
         INSERT INTO p VALUES ('One', 1), ('2', 2);
         INSERT INTO c VALUES ('ONE', '1', NULL, NULL), (2, 9, 7, 7), ('x', NULL, 8, NULL);
         INSERT INTO w VALUES ('k1', 'one', 1), ('k2', 'one', 2), ('k3', 'one', NULL);
         INSERT INTO same VALUES (1, NULL), (2, 1), (3, 9);",
    );
    let keys = |table: &str| {
        let table = audit.table(table).unwrap();
        table
            .foreign_keys
            .iter()
            .map(|key| {
                (
                    key.orphans.clone().map(|o| (o.rows, o.first_key)),
                    key.unchecked.is_some(),
                    key.parent_exists,
                )
            })
            .collect::<Vec<_>>()
    };
    let orphans = |rows, key: &str| Some((rows, key.to_owned()));
    assert_eq!(
        keys("c"),
        [
            (orphans(1, "rowid=3"), false, true),
            (orphans(1, "rowid=2"), false, true),
            (orphans(2, "rowid=2"), false, false),
            (None, true, true),
        ]
    );
    assert_eq!(keys("w"), [(orphans(1, "k=k2"), false, true)]);
    assert_eq!(keys("same"), [(orphans(1, "id=3"), false, true)]);
    let same = &audit.table("same").unwrap().foreign_keys[0];
    use crate::schema::ReferentialAction::{Cascade, SetNull};
    assert_eq!((same.on_delete, same.on_update, same.parent_columns[0].as_str()), (Cascade, SetNull, "id"));
}

#[test]
fn orphans_where_an_index_brings_equal_values_together() {
    let audit = audit(
        "PRAGMA foreign_keys = OFF;
         CREATE TABLE p (id TEXT PRIMARY KEY, a, b, UNIQUE (a, b));
         CREATE TABLE plain (x TEXT REFERENCES p, y, PRIMARY KEY (x, y));
         CREATE TABLE loose (x REFERENCES p); CREATE INDEX loose_x ON loose (x);
         CREATE TABLE folded (x TEXT COLLATE NOCASE REFERENCES p); CREATE INDEX folded_x ON folded (x COLLATE BINARY);
         CREATE TABLE partly (x TEXT REFERENCES p, y); CREATE INDEX partly_x ON partly (x) WHERE y > 1;
         CREATE TABLE pair (x INTEGER, y INTEGER, z, FOREIGN KEY (x, y) REFERENCES p (a, b)); CREATE INDEX pair_yxz ON pair (y, x, z);
         CREATE TABLE whole (x TEXT PRIMARY KEY REFERENCES p) WITHOUT ROWID;
         INSERT INTO p VALUES ('1', 1, 1), ('a', 1, 2);
         INSERT INTO plain VALUES ('1', 1), ('1', 2), (NULL, 1), ('b', 1), ('b', 2);
         INSERT INTO loose VALUES (1), (1.0), (NULL);
         INSERT INTO folded VALUES ('a'), ('A');
         INSERT INTO partly VALUES ('a', 2), ('b', 1);
         INSERT INTO pair VALUES (1, 1, 0), (1, 2, 0), (1, 2, 1), (NULL, 7, 0), (2, 1, 0);
         INSERT INTO whole VALUES ('1'), ('a');",
    );
    for (table, orphans) in [
        ("plain", Some((2, "x=b, y=1"))),
        ("loose", Some((1, "rowid=2"))),
        ("folded", Some((1, "rowid=2"))),
        ("partly", Some((1, "rowid=2"))),
        ("pair", Some((1, "rowid=5"))),
        ("whole", None),
    ] {
        let found = &audit.table(table).unwrap().foreign_keys[0];
        let found = found.orphans.as_ref().map(|found| (found.rows, found.first_key.as_str()));
        assert_eq!(found, orphans, "{table}");
    }
}

#[test]
fn the_fingerprint_follows_content_and_nothing_else() {
    let of = |sql: &str| audit(sql).fingerprint.content_digest;
    let table = "CREATE TABLE t (a, b);";
    let base = of(&format!("{table} INSERT INTO t VALUES (1, 'x'), (2, NULL), (2, NULL);"));
    for (sql, same) in [
        ("INSERT INTO t VALUES (2, NULL), (2, NULL), (1, 'x')", true),
        (
            "INSERT INTO t VALUES (0, 0), (1, 'x'), (2, NULL), (2, NULL); DELETE FROM t WHERE a = 0; ANALYZE; VACUUM",
            true,
        ),
        ("INSERT INTO t VALUES (1, 'x'), (2, NULL)", false),
        ("INSERT INTO t VALUES (1, 'x'), (2, NULL), ('2', NULL)", false),
        ("INSERT INTO t VALUES (1, x'78'), (2, NULL), (2, NULL)", false),
        ("INSERT INTO t VALUES ('x', 1), (2, NULL), (2, NULL)", false),
        ("INSERT INTO t VALUES (1, 'x'), (2, NULL), (2, NULL); CREATE VIEW v AS SELECT 1", false),
    ] {
        assert_eq!(of(&format!("{table} {sql};")) == base, same, "{sql}");
    }
}

#[test]
fn chunks_begin_where_the_bytes_are_full() {
    let audit = audit(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v);
         WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 40)
         INSERT INTO t SELECT i * 10, zeroblob(1048576) FROM n;
         CREATE TABLE small (v); INSERT INTO small VALUES (1);",
    );
    let starts = &audit.tables[0].chunk_starts;
    assert_eq!(starts, &[170, 330], "16 rows of 1 MiB and a bit in each of the first chunks");
    assert_eq!(audit.tables[0].cell_bytes, 40 * (1_048_576 + 8));
    assert!(audit.tables[1].chunk_starts.is_empty());
}

#[test]
fn what_the_application_brings_is_not_needed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.db");
    let writer = Connection::open(&path).unwrap();
    writer
        .execute_batch(
            "CREATE TABLE p (k TEXT COLLATE NOCASE PRIMARY KEY);
             CREATE TABLE c (k TEXT COLLATE NOCASE REFERENCES p, n INT);
             CREATE INDEX by_k ON c (k);
             PRAGMA writable_schema = 1;
             INSERT INTO sqlite_schema VALUES ('table', 'gone', 'gone', 0, 'CREATE VIRTUAL TABLE gone USING no_such_module(x)');
             INSERT INTO p VALUES ('a'), ('b'); INSERT INTO c VALUES ('b', 1), ('a', 2);
             UPDATE sqlite_schema SET sql = replace(sql, 'NOCASE', 'mine');",
        )
        .unwrap();
    drop(writer);
    let source = Source::open(&path, SourceOptions::default()).unwrap();
    let audit = scan(&source, Depth::Whole, &[], &|_| {}).unwrap();
    assert_eq!((audit.tables.len(), audit.tables[1].rows), (2, 2));
    assert!(audit.tables[1].foreign_keys[0].unchecked.as_ref().unwrap().contains("mine"));
    assert_eq!((audit.others[0].kind, audit.others[0].name.as_str()), ("virtual table", "gone"));
}

#[test]
fn progress_ends_with_all_bytes() {
    let (_folder, source) =
        source("CREATE TABLE t (v); INSERT INTO t VALUES (zeroblob(5000000)), (zeroblob(5000000)), (1);")
            .unwrap();
    let steps = std::cell::RefCell::new(Vec::new());
    let audit = scan(&source, Depth::Whole, &[], &|step| steps.borrow_mut().push(step)).unwrap();
    let steps = steps.into_inner();
    assert!(steps.len() >= 3);
    let last = steps.last().unwrap();
    assert_eq!((last.rows, last.cell_bytes, last.table.as_str()), (3, audit.tables[0].cell_bytes, "t"));
}

#[test]
fn a_damaged_table_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE whole (a); CREATE TABLE broken (a); INSERT INTO broken VALUES (1);")
        .unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096 * 2..].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let source = Source::open(&path, SourceOptions::default()).unwrap();
    let error = scan(&source, Depth::Whole, &[], &|_| {}).unwrap_err();
    assert!(matches!(&error, AuditError::Table { table, .. } if table == "broken"), "{error}");
}
