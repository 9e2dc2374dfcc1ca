//! Native partitions, from a new table to one that has been in use for years.

use std::{fs, path::Path};

use mtm::demo::{SampleOptions, write_sample};

use crate::{
    cases::ALL_HAZARDS,
    command::{Outcome, Way, Workplace},
    support::TestDatabase,
};

/// Days over a turn of the year, one without a day; moments as texts with offsets, and as numbers.
const SOURCE: &str = "CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, day TEXT, at TEXT, ms INTEGER, words TEXT);
    WITH RECURSIVE k (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM k WHERE i < 60)
    INSERT INTO log (day, at, ms, words) SELECT date('2025-12-01', i || ' days'),
        strftime('%Y-%m-%d %H:%M:%S+02:00', '2025-12-01 01:00:00', i || ' days'), 1764547200000 + i * 86400000, 'word ' || i FROM k;
    INSERT INTO log (words) VALUES ('of no day');
    CREATE TABLE plain AS SELECT day, at, ms, words FROM log;";

/// A folder with a mapping, and both ends.
struct Scene {
    way: Way,
}

impl Scene {
    async fn of(source: &str) -> Scene {
        Scene { way: Way::from_sql(source).await }
    }

    fn run(&self, verb: &str, tables: &str, more: &[&str]) -> Outcome {
        let mapping = self.way.place.write("types.yaml", format!("version: 1\ntables:\n{tables}"));
        self.way.run(verb, &[&["--mapping", mapping.to_str().unwrap()], more].concat())
    }

    async fn value(&self, sql: &str) -> String {
        self.way.target.value(sql).await.unwrap_or_else(|| "NULL".to_owned())
    }

    /// The partitions with their rows: `name: rows`.
    async fn partitions(&self, table: &str) -> String {
        let names = format!(
            "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class JOIN pg_inherits ON inhrelid = oid WHERE inhparent = '{table}'::regclass"
        );
        let mut told = Vec::new();
        for name in self.value(&names).await.split(' ') {
            told.push(format!("{name}: {}", self.value(&format!("SELECT count(*)::text FROM {name}")).await));
        }
        told.join(", ")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_music_time_machine_by_month() {
    let place = Workplace::new();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mapping = fs::read_to_string(repository.join("mappings/types.yaml")).unwrap();
    let by_month = "  snapshots:\n    partition_by: {range: snapshot_date, every: month}\n";
    let mapping = mapping.replace("  snapshots:\n", by_month).replace("versions_dir:", "# versions_dir:");
    place.write("mappings/types.yaml", mapping);
    let source = place.path().join("music.db");
    write_sample(&source, SampleOptions { tracks: 150, months: 3, seed: 1 }).unwrap();
    let way = Way { place, target: TestDatabase::new().await, source };
    way.run("plan", &[])
        .succeeds()
        .says(&["+ table snapshots", "partitioned by RANGE (\"snapshot_date\"), one for each month"]);
    way.run("apply", &["--yes"]).succeeds();
    way.run("plan", &["--exit-code"]).ends_with(0).says(&["Nothing to do"]);
    way.run("verify", &["--writers", "8"]).succeeds().says(&["Proven"]);
    let rows = way.target.value("SELECT count(*)::text FROM snapshots").await.unwrap();
    way.holds(&[
        ("SELECT relkind::text FROM pg_class WHERE oid = 'snapshots'::regclass", "p"),
        ("SELECT count(*)::text FROM snapshots_default", "0"),
        (
            "SELECT sum(rows)::text FROM (SELECT count(*) AS rows FROM snapshots
             GROUP BY tableoid HAVING count(DISTINCT date_trunc('month', snapshot_date)) = 1) AS one_month",
            &rows,
        ),
        ("SELECT (reltuples > 0)::text FROM pg_class WHERE oid = 'snapshots'::regclass", "true"),
    ])
    .await;
    // A row that is changed in one partition is found.
    way.target.execute("UPDATE snapshots SET rank = rank + 1 WHERE ctid = '(0,1)'::tid").await;
    way.run("verify", &[]).ends_with(2);
    let source = way.source.to_str().unwrap();
    let show = way.place.mtm(&["mapping", "show", "--source", source, "--table", "snapshots"]);
    show.succeeds().says(&["by each month of snapshot_date"]);
    way.place.mtm(&["schema", "--source", source]).succeeds().says(&[
        ") PARTITION BY RANGE (\"snapshot_date\");",
        "CREATE TABLE \"snapshots_default\" PARTITION OF \"snapshots\" DEFAULT;",
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_period_and_every_type() {
    for (column, pg_type, every, expected) in [
        ("day", "date", "day", "log_2025_12_01: 1"),
        ("day", "date", "week", "log_2026_w01: 7"),
        ("day", "timestamp", "month", "NULL"),
        ("at", "timestamptz", "month", "log_2025_11: 1, log_2025_12: 31"),
        ("at", "timestamptz", "quarter", "log_2025_q4: 32, log_2026_q1: 29, log_2026_q2: 0, log_default: 1"),
        (
            "ms",
            "{type: timestamptz, from: epoch_ms}",
            "year",
            "log_2025: 31, log_2026: 30, log_2027: 0, log_default: 1",
        ),
        (
            "ms",
            "{type: timestamp, from: epoch_ms}",
            "month",
            "log_2025_12: 31, log_2026_01: 30, log_2026_02: 0",
        ),
    ] {
        // The same without a key.
        let scene = Scene::of(
            &SOURCE.replace("TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT,", "TABLE log (id INTEGER,"),
        )
        .await;
        let tables = format!(
            "  log:\n    columns: {{{column}: {pg_type}}}\n    partition_by: {{range: {column}, every: {every}}}\n    indexes: [{{name: by, columns: [{column}]}}]\n"
        );
        if expected == "NULL" {
            scene.run("plan", &tables, &[]).ends_with(3).says(&["type-does-not-fit"]);
            continue;
        }
        scene.run("apply", &tables, &["--yes"]).ends_with(0);
        let found = scene.partitions("log").await;
        assert!(found.contains(expected), "{column} {every}: {found}");
        scene.run("plan", &tables, &["--exit-code"]).ends_with(0);
        scene.run("verify", &tables, &["--writers", "4"]).ends_with(0).says(&["Proven"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_said_before() {
    let scene = Scene::of(SOURCE).await;
    let plan = |log: &str| scene.run("plan", &format!("  log:\n{log}"), &[]);
    plan("    columns: {day: date}\n    partition_by: {range: day, every: month}\n").ends_with(3).says(&[
        "key-lacks-partition-column: the primary key log_pkey of log (id) does not hold day",
        "Partition by a column of it",
    ]);
    plan("    columns: {day: text}\n    partition_by: {range: day, every: month}\n")
        .ends_with(3)
        .says(&["partition-column: log.day becomes text"]);
    plan("    partition_by: {range: dai, every: month}\n").fails(1, &["did you mean `day`?"]);
    plan("    partition_by: {range: day, every: mouth}\n")
        .fails(1, &["unknown period `mouth`; did you mean `month`?"]);
    plan("    partition_by: {range: day}\n").fails(1, &["the key `every` is missing"]);
    let far = Scene::of("CREATE TABLE t (d TEXT); INSERT INTO t VALUES ('0001-01-01'), ('2026-01-01')").await;
    let tables = "  t: {columns: {d: date}, partition_by: {range: d, every: day}}\n";
    far.run("plan", tables, &[]).ends_with(3).says(&["too-many-partitions", "Choose a longer `every`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_in_use_is_laid_out_otherwise_and_back() {
    let scene = Scene::of(
        "CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, day TEXT NOT NULL, words TEXT DEFAULT 'none');
         INSERT INTO log (day, words) VALUES ('2025-12-31', 'old'), ('2026-02-01', 'new');",
    )
    .await;
    // The source's key lacks the day, so the table is one without a key here.
    let keyless = Scene::of(
        "CREATE TABLE log (n INTEGER, day TEXT NOT NULL, words TEXT DEFAULT 'none', UNIQUE (n, day));
         INSERT INTO log VALUES (1, '2025-12-31', 'old'), (2, '2026-02-01', 'new');",
    )
    .await;
    drop(scene);
    let plain = "  log:\n    columns: {day: date}\n    indexes: [{name: log_words, columns: [words]}]\n";
    let by_month = format!("{plain}    partition_by: {{range: day, every: month}}\n");
    let text = plain.replace("{day: date}", "{day: text}");
    let scene = keyless;
    scene.run("apply", &text, &["--yes"]).ends_with(0);
    // Rows, columns and texts that the mapping knows nothing of come along; so does a counter.
    scene
        .way
        .target
        .execute(
            "INSERT INTO log VALUES (3, '2027-05-05', 'live'); ALTER TABLE log ADD COLUMN extra bigint GENERATED BY DEFAULT AS IDENTITY;
             COMMENT ON TABLE log IS 'it''s ours'; SELECT setval(pg_get_serial_sequence('log', 'extra'), 100)",
        )
        .await;
    let allow = ["--yes", "--allow", ALL_HAZARDS];
    // Another type and partitions, at once.
    scene.run("plan", &by_month, &[]).ends_with(0).says(&[
        "table log: an ordinary table becomes partitioned by RANGE (day) into",
        "hazards: rewrites-table, blocks-reads, blocks-writes",
    ]);
    scene.run("apply", &by_month, &["--yes"]).ends_with(3);
    scene.run("apply", &by_month, &allow).ends_with(0);
    scene.run("plan", &by_month, &["--exit-code"]).ends_with(0).says(&["Nothing to do"]);
    let partitions = scene.partitions("log").await;
    assert!(partitions.contains("log_2027_05: 1, log_2027_06: 0, log_default: 0"), "{partitions}");
    scene.way.target.execute("INSERT INTO log (n, day) VALUES (4, '2027-06-30')").await;
    scene
        .way
        .holds(&[
            ("SELECT extra::text FROM log WHERE n = 4", "101"),
            ("SELECT words FROM log WHERE n = 4", "none"),
            ("SELECT obj_description('log'::regclass)", "it's ours"),
            ("SELECT count(*)::text FROM log_2027_06", "1"),
            ("SELECT count(*)::text FROM pg_class WHERE relname LIKE '%\\_\\_old%'", "0"),
        ])
        .await;
    let drift = ["plan", "--drift", "--target", &scene.way.target.url, "--exit-code"];
    scene.way.place.mtm(&drift).ends_with(2).says(&["column log.extra was added by hand"]);
    scene.way.target.execute("ALTER TABLE log DETACH PARTITION log_2026_03").await;
    scene.way.place.mtm(&drift).ends_with(2).says(&["partition log_2026_03 of log is missing"]);
    scene
        .way
        .target
        .execute(
            "ALTER TABLE log ATTACH PARTITION log_2026_03 FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')",
        )
        .await;
    // The versions' own way back.
    let target = ["--target", scene.way.target.url.as_str()];
    scene.way.place.mtm(&[&["migrate", "down"], &target[..]].concat()).ends_with(3);
    scene.way.place.mtm(&[&["migrate", "down", "--allow", ALL_HAZARDS], &target[..]].concat()).ends_with(0);
    scene
        .way
        .holds(&[
            ("SELECT relkind::text FROM pg_class WHERE oid = 'log'::regclass", "r"),
            (
                "SELECT string_agg(n || ' ' || day, ', ' ORDER BY n) FROM log",
                "1 2025-12-31, 2 2026-02-01, 3 2027-05-05, 4 2027-06-30",
            ),
            (
                "SELECT count(*)::text FROM pg_constraint WHERE conrelid = 'log'::regclass AND contype = 'u'",
                "1",
            ),
            ("SELECT nextval(pg_get_serial_sequence('log', 'extra'))::text", "102"),
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_made_by_hand_stay() {
    let scene = Scene::of(
        "CREATE TABLE log (day TEXT NOT NULL); INSERT INTO log VALUES ('2026-01-15'), ('2026-03-31')",
    )
    .await;
    let mapping = |every: &str| {
        format!("  log: {{columns: {{day: date}}, partition_by: {{range: day, every: {every}}}}}\n")
    };
    scene.run("apply", &mapping("month"), &["--yes"]).ends_with(0);
    scene
        .way
        .target
        .execute(
            "CREATE TABLE old PARTITION OF log FOR VALUES FROM ('2020-01-01') TO ('2026-01-01');
             ALTER TABLE log DETACH PARTITION log_2026_04; DROP TABLE log_2026_04;
             CREATE TABLE later PARTITION OF log FOR VALUES FROM ('2026-04-01') TO ('2030-01-01')",
        )
        .await;
    // What a wanted one would hold, another one does.
    scene.run("plan", &mapping("month"), &["--exit-code"]).ends_with(0).says(&["Nothing to do"]);
    assert_eq!(
        scene.partitions("log").await,
        "later: 0, log_2026_01: 1, log_2026_02: 0, log_2026_03: 1, log_default: 0, old: 0"
    );
    // Partitions of a table that was never asked to have any.
    let other =
        Scene::of("CREATE TABLE log (day TEXT NOT NULL); INSERT INTO log VALUES ('2026-01-15')").await;
    other
        .way
        .target
        .execute("CREATE TABLE log (day date NOT NULL) PARTITION BY RANGE (day); CREATE TABLE all_of_it PARTITION OF log DEFAULT")
        .await;
    let tables = "  log: {columns: {day: date}, indexes: [{name: by_day, columns: [day]}]}\n";
    other.run("apply", tables, &["--yes"]).ends_with(0);
    other.run("plan", tables, &["--exit-code"]).ends_with(0).says(&["Nothing to do"]);
    other.run("verify", tables, &[]).ends_with(0).says(&["Proven"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_source_grows() {
    let scene = Scene::of("CREATE TABLE log (n INTEGER, day TEXT NOT NULL, PRIMARY KEY (n, day)); INSERT INTO log VALUES (1, '2026-01-15')").await;
    let tables = "  log: {columns: {day: date}, partition_by: {range: day, every: month}}\n";
    scene.run("apply", tables, &["--yes"]).ends_with(0);
    let connection = rusqlite::Connection::open(&scene.way.source).unwrap();
    connection.execute_batch("INSERT INTO log VALUES (2, '2026-03-31'), (3, '2025-11-11')").unwrap();
    drop(connection);
    scene.run("plan", tables, &[]).ends_with(4).says(&[
        "+ partition log_2025_11 of log FOR VALUES FROM ('2025-11-01') TO ('2025-12-01')",
        "+ partition log_2026_04 of log",
    ]);
    scene.run("apply", tables, &["--yes", "--restart", "--allow", "deletes-data"]).ends_with(0);
    scene.run("verify", tables, &[]).ends_with(0).says(&["Proven"]);
    let expected = "log_2025_11: 1, log_2025_12: 0, log_2026_01: 1, log_2026_02: 0, log_2026_03: 1, log_2026_04: 0, log_default: 0";
    assert_eq!(scene.partitions("log").await, expected);
}
