//! What real SQLite files become: SQL text in, the desired schema with its findings and fates out, as snapshots.

use std::fmt::Write;

use super::Scope;
use crate::{
    audit,
    mapping::Mapping,
    report::schema_sql,
    schema::{Desired, Outcome},
    source::{Source, SourceOptions},
};

fn resolve(source_sql: &str, mapping: &str) -> Result<Desired, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("source.db");
    // Foreign keys off, as in the applications that leave orphans behind.
    let sql = format!("PRAGMA foreign_keys = OFF; {source_sql}");
    rusqlite::Connection::open(&file).and_then(|db| db.execute_batch(&sql)).expect(source_sql);
    let source = Source::open(&file, SourceOptions::default()).expect("opens");
    let mapping = if mapping.is_empty() {
        Mapping::built_in()
    } else {
        Mapping::parse(mapping, "types.yaml").map_err(|error| error.to_string())?
    };
    let audit = audit::scan(&source, audit::Depth::Whole, &mapping.enum_types(), &|_| {}).expect("audits");
    let scope = Scope { schema: "public".to_owned(), ..Scope::default() };
    mapping.resolve(&audit, &scope).map_err(|error| error.to_string())
}

/// The outcome as text: the SQL, each column's reason, the findings, the fates.
fn outcome(source_sql: &str, mapping: &str) -> String {
    let desired = match resolve(source_sql, mapping) {
        Ok(desired) => desired,
        Err(error) => return error,
    };
    let mut sql = Vec::new();
    schema_sql(&desired, &mut sql).expect("writes");
    let mut text: String =
        String::from_utf8(sql).expect("UTF-8").lines().skip(4).collect::<Vec<_>>().join("\n");
    text.push('\n');
    for table in &desired.tables {
        for column in &table.columns {
            writeln!(text, "{}.{}: {} ({})", table.target, column.target, column.pg_type, column.reason)
                .expect("writes");
        }
        writeln!(text, "{}: key {:?}, sequence {:?}", table.target, table.key, table.sequence)
            .expect("writes");
    }
    for finding in &desired.findings {
        writeln!(text, "{:?} {}: {}", finding.severity, finding.code, finding.message).expect("writes");
    }
    for fate in desired.fates.iter().filter(|fate| !matches!(fate.outcome, Outcome::Migrated(_))) {
        writeln!(text, "{} {}: {:?}", fate.kind, fate.name, fate.outcome).expect("writes");
    }
    text
}

#[test]
fn music_time_machine() {
    let sql = "CREATE TABLE snapshots(track_id TEXT NOT NULL, snapshot_date TEXT NOT NULL, time_range TEXT NOT NULL,
                 rank INTEGER NOT NULL, PRIMARY KEY(track_id, snapshot_date, time_range),
                 FOREIGN KEY(track_id) REFERENCES tracks(track_id));
               CREATE TABLE tracks(track_id TEXT PRIMARY KEY, name TEXT NOT NULL, artist_name TEXT NOT NULL,
                 album_name TEXT, duration_ms INTEGER, spotify_url TEXT, raw_json TEXT);
               INSERT INTO tracks VALUES('a', 'n', 'r', NULL, 1, NULL, '{}');
               INSERT INTO snapshots VALUES('a', '2026-01-31', 'short_term', 1);";
    insta::assert_snapshot!(outcome(sql, include_str!("../../../mappings/types.yaml")));
}

#[test]
fn types_are_proven() {
    let sql = "CREATE TABLE proven(id INTEGER PRIMARY KEY AUTOINCREMENT, flag BOOLEAN DEFAULT 1, maybe_flag BOOLEAN,
                 price DECIMAL(10,2), too_fine DECIMAL(10,2), at DATETIME DEFAULT CURRENT_TIMESTAMP, with_offset DATETIME,
                 day DATE, not_a_day DATE, doc JSON, mixed, bytes BLOB, real REAL, whole INTEGER, odd \"my own type\");
               INSERT INTO proven VALUES(7, 1, 2, 9.99, 0.123, '2026-01-31 10:00:00', '2026-01-31T10:00:00+01:00',
                 '2026-01-31', 'soon', '{\"a\": 1}', 1, x'00', 1.5, 9007199254740993, 'x');
               INSERT INTO proven VALUES(8, 0, 1, 10, 1, '2026-01-31 10:00:00.5', '2026-01-31T10:00:00Z',
                 '2026-02-28', '2026-02-28', NULL, 'one', NULL, 1, 0.5, 2);
               DELETE FROM proven WHERE id = 8; INSERT INTO proven(id, whole, too_fine, mixed) VALUES(2, 0.5, 1, 'one');";
    insta::assert_snapshot!(outcome(sql, ""));
}

#[test]
fn keys_that_the_rows_break() {
    let sql = "CREATE TABLE parent(id INT PRIMARY KEY, code, UNIQUE(code));
               CREATE TABLE child(parent_id INT REFERENCES parent(id), nobody INT REFERENCES nowhere(id),
                 code TEXT REFERENCES parent(code), self INT UNIQUE, up INT REFERENCES child(self));
               CREATE TABLE keyless(a, b);
               CREATE UNIQUE INDEX partial ON child(self) WHERE self > 3;
               CREATE INDEX by_case ON child(code COLLATE NOCASE DESC);
               CREATE INDEX by_expression ON child(lower(code));
               INSERT INTO parent VALUES(NULL, 1), (NULL, '1'), (3, x'31');
               INSERT INTO child VALUES(3, 1, NULL, 1, 1), (4, 2, NULL, 2, 1);";
    insta::assert_snapshot!(outcome(sql, ""));
}

#[test]
fn columns_of_a_foreign_key_climb_together() {
    let sql = "CREATE TABLE parent(id TEXT PRIMARY KEY); CREATE TABLE child(parent_id INTEGER REFERENCES parent(id));
               INSERT INTO parent VALUES('1'); INSERT INTO child VALUES(1), (NULL);";
    insta::assert_snapshot!(outcome(sql, ""));
}

#[test]
fn foreign_keys_that_sqlite_compares_otherwise() {
    let sql = "CREATE TABLE by_case(code TEXT COLLATE NOCASE PRIMARY KEY);
               CREATE TABLE child(code TEXT REFERENCES by_case(code), number TEXT REFERENCES numbers(n));
               CREATE TABLE numbers(n NUMERIC UNIQUE, other TEXT);
               INSERT INTO by_case VALUES('ABC'); INSERT INTO numbers VALUES(1, 'x'), ('one', 'y');
               INSERT INTO child VALUES('abc', '01'), ('ABC', 'one');";
    insta::assert_snapshot!(outcome(sql, ""));
}

#[test]
fn names_and_other_objects() {
    let sql =
        "CREATE TABLE \"Order Items\"(\"xmin\" INT, \"Größe\" TEXT, \"\" TEXT, \"semi;colon\"\"quote\" TEXT);
               CREATE TABLE orderItems(a INT CHECK (a > 0), b INT GENERATED ALWAYS AS (a * 2));
               CREATE VIEW v AS SELECT 1; CREATE TRIGGER t AFTER INSERT ON orderItems BEGIN SELECT 1; END;
               CREATE VIRTUAL TABLE f USING fts5(x);";
    insta::assert_snapshot!(outcome(sql, "version: 1\nidentifiers: snake\n"));
}

#[test]
fn what_the_mapping_demands_and_the_rows_refuse() {
    let sql = "CREATE TABLE t(id TEXT PRIMARY KEY, doc TEXT, n TEXT);
               INSERT INTO t VALUES('a', '{\"k\": 1, \"k\": 2}', '12'), ('b', '', 'x'), ('c', '\"\\u0000\"', '3');";
    for (name, on_invalid) in
        [("fail", "fail"), ("set_null", "set_null"), ("text", "text"), ("reject", "reject")]
    {
        let mapping = format!(
            "version: 1\ntables:\n  t:\n    columns:\n      doc: {{type: jsonb, on_invalid: {on_invalid}}}\n      \
             n: {{type: integer, on_invalid: {on_invalid}}}\n"
        );
        insta::assert_snapshot!(format!("demanded_{name}"), outcome(sql, &mapping));
    }
}

#[test]
fn what_the_mapping_gets_wrong_about_the_source() {
    let sql = "CREATE TABLE tracks(track_id TEXT PRIMARY KEY, name TEXT);";
    let mapping = "version: 1
tables:
  track:
    columns: {name: text}
  tracks:
    columns:
      nam: text
    add_columns:
      name: {type: text}
    indexes:
      - {name: tracks, columns: [name]}
      - {name: i, columns: [artist]}
    foreign_keys:
      - {columns: [name], references: {table: trakcs}}
      - {columns: [name], references: {table: tracks, columns: [name]}}
";
    insta::assert_snapshot!(outcome(sql, mapping));
}
