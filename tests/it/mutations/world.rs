//! What the mutations are made in: a small file with every type and every kind of key, migrated once.

use serde_json::Value;

use crate::{
    command::{Outcome, Way, Workplace},
    support::TestDatabase,
};

/// The tables, in an order in which they can be filled.
pub const TABLES: [&str; 4] = ["albums", "kinds", "charts", "plays"];

const SOURCE: &str = r#"
    CREATE TABLE albums (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL UNIQUE);
    INSERT INTO albums WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
        SELECT i, 'Album ' || i FROM n;
    -- A higher id was in use once.
    INSERT INTO albums VALUES (90, 'gone'); DELETE FROM albums WHERE id = 90;

    CREATE TABLE kinds (
        id INTEGER PRIMARY KEY, flag INTEGER, small INTEGER, medium INTEGER, large INTEGER, exact TEXT, money TEXT,
        -- Without affinity: SQLite makes 0.0 of -0.0 in a REAL column.
        approximate,
        words TEXT, code TEXT NOT NULL DEFAULT 'none', bytes BLOB, payload TEXT, day TEXT, clock TEXT, local_time TEXT,
        moment TEXT, uuid TEXT, album_id INTEGER REFERENCES albums (id)
    );
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 119)
    INSERT INTO kinds SELECT
        i, i % 2, i * 7 % 1000 - 300, i * 7919 - 400000, i * 1234567890123 - 9000000000000,
        (i * 31 - 700) || '.' || (100000 + i * 17) || '50', (i * 3 - 100) || '.' || (100 + i),
        CASE i % 10 WHEN 0 THEN 0.0 WHEN 1 THEN -0.0 WHEN 2 THEN 5e-324 WHEN 3 THEN 1e300 * i WHEN 4 THEN 9e999
            WHEN 5 THEN -i / 3.0 WHEN 6 THEN NULL ELSE i * 0.1 END,
        CASE i % 9 WHEN 0 THEN '' WHEN 1 THEN NULL WHEN 2 THEN 'Café ' || i WHEN 3 THEN 'Cafe' || char(769) || ' ' || i
            WHEN 4 THEN ' padded ' || i || ' ' WHEN 5 THEN '🎵 Жук ' || i WHEN 6 THEN 'tab' || char(9) || 'line' || char(10) || i
            WHEN 7 THEN 'back\slash "' || i || '"' ELSE 'Plain words ' || i END,
        'Code-' || printf('%03d', i),
        CASE i % 5 WHEN 0 THEN x'' WHEN 1 THEN NULL ELSE CAST(printf('\%04d', i) AS BLOB) END,
        CASE i % 8 WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN 'null' WHEN 3 THEN '[' || i || ', [], "x", 1.10]'
            WHEN 4 THEN '"text ' || i || '"'
            ELSE '{"id": "' || i || '", "n": ' || i || '.10, "deep": {"a": [1, 2, ' || i || '], "b": null, "é": "\u00e9"}, "z": true}' END,
        date('2020-01-01', '+' || (i * 11) || ' days'),
        printf('%02d:%02d:%02d.%06d', i % 24, i % 60, i * 7 % 60, i * 8123 % 1000000),
        date('1999-12-31', '+' || i || ' days') || ' ' || printf('%02d:%02d:%02d.%03d', i % 24, i * 3 % 60, i % 60, i),
        CASE WHEN i % 7 = 0 THEN NULL ELSE date('2024-02-28', '+' || i || ' days') || 'T' || printf('%02d:30:00+02:00', i % 24) END,
        printf('%08x-0000-4000-8000-%012x', i * 65537, i * 99991),
        CASE WHEN i % 3 = 0 THEN NULL ELSE i % 40 + 1 END
    FROM n;

    CREATE TABLE charts (
        track TEXT NOT NULL, day TEXT NOT NULL, span TEXT NOT NULL, rank INTEGER NOT NULL, note TEXT DEFAULT 'none',
        PRIMARY KEY (track, day, span), CONSTRAINT charts_rank_check CHECK (rank > 0)
    ) WITHOUT ROWID;
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 399)
    INSERT INTO charts SELECT
        'track' || (i / 20), date('2024-01-01', '+' || (i % 20 / 2 * 7) || ' days'), CASE i % 2 WHEN 0 THEN 'short' ELSE 'long' END,
        i % 50 + 1, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'note ' || i END
    FROM n;
    CREATE INDEX charts_day ON charts (day, span);
    CREATE INDEX charts_top ON charts (rank) WHERE rank <= 10;

    -- No key, and every row twice.
    CREATE TABLE plays (track TEXT, at INTEGER, rating REAL);
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199)
    INSERT INTO plays SELECT 'track' || (i % 100), i % 100 * 1000, i % 100 / 8.0 FROM n;
"#;

const MAPPING: &str = r#"
version: 1
tables:
  albums:
    columns: {title: {type: text, collate: C}}
  kinds:
    columns:
      flag: boolean
      small: smallint
      medium: integer
      large: bigint
      exact: numeric
      money: "numeric(12,3)"
      approximate: double precision
      words: text
      code: varchar(40)
      bytes: bytea
      payload: jsonb
      day: date
      clock: time
      local_time: timestamp
      moment: timestamptz
      uuid: uuid
    add_columns:
      created_at: {type: timestamptz, default: now(), not_null: true}
    indexes:
      - {name: kinds_payload, method: gin, columns: [{column: payload, opclass: jsonb_path_ops}]}
      - {name: kinds_deep, method: gin, expression: "payload -> 'deep'"}
      - {name: kinds_search, method: gin, expression: "to_tsvector('english', coalesce(words, ''))"}
      - {name: kinds_year, expression: "left(payload ->> 'id', 4)"}
      - {name: kinds_code, columns: [code], unique: true}
  charts:
    columns: {track: varchar(64), day: date, span: varchar(32), rank: integer}
"#;

/// The two sides, and copies of the target's tables to go back to.
pub struct World {
    pub way: Way,
}

impl World {
    /// Makes the file and migrates it.
    pub async fn new() -> World {
        let place = Workplace::new();
        place.write("mappings/types.yaml", MAPPING);
        let source = place.sqlite("source.db", SOURCE);
        let world = World { way: Way { place, target: TestDatabase::new().await, source } };
        world.way.run("apply", &["--yes"]).ends_with(0);
        let kept: String =
            TABLES.iter().map(|table| format!("CREATE TABLE kept.{table} AS TABLE {table};")).collect();
        world.way.target.execute(&format!("CREATE SCHEMA kept; {kept}")).await;
        world
            .way
            .run("verify", &["--certificate", "proof"])
            .ends_with(0)
            .says(&["Proven: 760 rows in 4 tables", "indexes: 12 questions, 12 answered by an index"]);
        world
    }

    /// Puts every row back.
    pub async fn restore(&self) {
        let tables: String = TABLES
            .iter()
            .map(|table| {
                format!("DELETE FROM {table}; INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM kept.{table};")
            })
            .collect();
        // As a replica: no foreign key is in the way of a deletion.
        let sql = format!("BEGIN; SET LOCAL session_replication_role = replica; {tables} COMMIT");
        self.way.target.execute(&sql).await;
    }

    /// The same, in a database of its own, for what a restoring of rows does not undo.
    pub async fn twin(&self) -> TestDatabase {
        TestDatabase::copy_of(&self.way.target).await
    }

    /// Verifies the target, or a twin of it.
    pub fn verify(&self, target: &TestDatabase) -> Outcome {
        self.way.place.mtm(&[
            "verify",
            "--format",
            "json",
            "--source",
            self.way.source.to_str().unwrap(),
            "--target",
            &target.url,
        ])
    }

    /// Checks the target, or a twin of it, against the certificate that was made when all was well.
    pub fn recheck(&self, target: &TestDatabase) -> Outcome {
        self.way.place.mtm(&[
            "verify",
            "--against",
            "proof.json",
            "--format",
            "json",
            "--target",
            &target.url,
        ])
    }
}

/// The tables that a certificate finds other rows in.
pub fn changed_tables(certificate: &Value) -> Vec<&str> {
    let tables = certificate["tables"].as_array().unwrap().iter();
    let changed = tables.filter(|table| {
        table["differences"].as_array().unwrap().iter().any(|difference| difference["kind"] == "rows_differ")
    });
    changed.map(|table| table["target"].as_str().unwrap()).collect()
}

/// A key without the numbers of a place in the target, which depend on what was there before.
fn without_place(key: &str) -> String {
    match key.split_once("ctid=(").and_then(|(before, place)| Some((before, place.split_once(')')?))) {
        Some((before, (_, after))) => format!("{before}ctid=(block,line){after}"),
        None => key.to_owned(),
    }
}

/// The differences of rows as the certificate names them: `charts track=…, day=…: rank+note`. Sorted.
pub fn named(certificate: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for table in certificate["tables"].as_array().unwrap() {
        for difference in table["differences"].as_array().unwrap() {
            let text = |field: &str| difference[field].as_str().unwrap();
            let what = match text("kind") {
                "cells_differ" => difference["columns"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|column| column.as_str().unwrap())
                    .collect::<Vec<_>>()
                    .join("+"),
                "missing_in_target" => "missing".to_owned(),
                "extra_in_target" => "extra".to_owned(),
                other => panic!("{other}: {difference}"),
            };
            found.push(format!("{} {}: {what}", text("table"), without_place(text("key"))));
        }
    }
    found.sort();
    found
}
