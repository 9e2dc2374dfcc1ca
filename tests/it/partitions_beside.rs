//! Partitions beside what else may become of a table: other names, another schema, types, generated and filled columns,
//! comments, versions for other targets.

use crate::{
    cases::ALL_HAZARDS,
    command::{Outcome, Way},
};

const SOURCE: &str = "CREATE TABLE log (n INTEGER, day TEXT NOT NULL, words TEXT, size TEXT, PRIMARY KEY (n, day));
    WITH RECURSIVE k (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 60)
    INSERT INTO log SELECT i, date('2025-12-01', i || ' days'), 'word ' || i, iif(i % 2, 'small', 'large') FROM k;";

fn run(way: &Way, verb: &str, yaml: &str, more: &[&str]) -> Outcome {
    way.place.write("types.yaml", yaml);
    way.run(verb, &[&["--mapping", "types.yaml"], more].concat())
}

/// Applies a mapping; afterwards nothing is to do, and the rows are proven.
fn applied(way: &Way, yaml: &str) {
    run(way, "apply", yaml, &["--yes", "--allow", ALL_HAZARDS]).ends_with(0);
    run(way, "plan", yaml, &["--exit-code"]).ends_with(0).says(&["Nothing to do"]);
    run(way, "verify", yaml, &[]).ends_with(0);
}

const PARTITIONS: &str =
    "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class JOIN pg_inherits ON inhrelid = oid";

/// All at once, there and back.
#[tokio::test(flavor = "multi_thread")]
async fn everything_at_once() {
    let way = Way::from_sql(SOURCE).await;
    let before = "version: 1
enums: {size: [small, large]}
tables:
  log:
    renamed_from: diary
    comment: A log
    columns:
      day: {type: date, comment: When}
      words: {renamed_from: said}
      size: size
    add_columns:
      long: {type: integer, generated: length(words), comment: How long}
      loud: {type: text, generated: upper(words)}
      plain: text
    indexes: [{name: log_words, columns: [words]}]
";
    let after = "version: 1
prune: true
enums: {size: [large, small, none]}
tables:
  diary:
    renamed_from: log
    comment: A diary
    partition_by: {range: day, every: month}
    columns:
      day: {type: date, comment: When}
      said: {type: varchar(40), renamed_from: words}
      size: size
    add_columns:
      long: {type: bigint, generated: length(said) + n, comment: How long}
      loud: text
      plain: {type: text, generated: lower(said)}
      first: {type: text, as: left(said, 4)}
    indexes: [{name: log_words, columns: [words]}]
";
    applied(&way, before);
    applied(&way, after);
    way.holds(&[
        (PARTITIONS, "diary_2025_12 diary_2026_01 diary_2026_02 diary_default"),
        ("SELECT obj_description('diary'::regclass)", "A diary"),
        ("SELECT col_description('diary'::regclass, attnum) FROM pg_attribute WHERE attrelid = 'diary'::regclass AND attname = 'day'", "When"),
        ("SELECT count(*)::text FROM diary WHERE long = length(said) + n AND loud = upper(said) AND plain = lower(said) AND first = 'word'", "60"),
    ])
    .await;
    applied(&way, &before.replace("enums:", "prune: true\nenums:"));
    way.holds(&[
        ("SELECT count(*)::text FROM pg_inherits", "0"),
        ("SELECT obj_description('log'::regclass)", "A log"),
        ("SELECT count(*)::text FROM log WHERE long = length(words) AND loud = upper(words)", "60"),
    ])
    .await;
}

const BY_MONTH: &str = "columns: {day: date}\n    partition_by: {range: day, every: month}\n";

/// Partitions of our own are named after their table; others keep their names.
#[tokio::test(flavor = "multi_thread")]
async fn partitions_follow_their_tables_name() {
    let way = Way::from_sql(SOURCE).await;
    applied(&way, &format!("version: 1\ntables:\n  log:\n    {BY_MONTH}"));
    way.target
        .execute("CREATE TABLE log_2030_01 PARTITION OF log FOR VALUES FROM ('2030-01-01') TO ('2030-02-01')")
        .await;
    let renamed = format!("version: 1\ntables:\n  diary:\n    renamed_from: log\n    {BY_MONTH}");
    let plan = run(&way, "plan", &renamed, &[]).ends_with(0).says(&["table diary: renamed from log"]).stdout;
    assert!(!plan.contains("diary_2026_01"), "{plan}");
    applied(&way, &renamed);
    way.holds(&[
        (PARTITIONS, "diary_2025_12 diary_2026_01 diary_2026_02 diary_default log_2030_01"),
        ("SELECT count(*)::text FROM diary_2026_01", "31"),
    ])
    .await;
    // And on.
    let other = renamed.replace("every: month", "every: quarter");
    way.target.execute("DROP TABLE log_2030_01").await;
    applied(&way, &other);
    way.holds(&[(PARTITIONS, "diary_2025_q4 diary_2026_q1 diary_2026_q2 diary_default")]).await;
}

/// They move to another schema with their table, and what is in the way there is known beforehand.
#[tokio::test(flavor = "multi_thread")]
async fn partitions_move_along() {
    let way = Way::from_sql(SOURCE).await;
    let tables = format!("tables:\n  log:\n    {BY_MONTH}");
    applied(&way, &format!("version: 1\n{tables}"));
    let moved = format!("version: 1\nschema: {{name: music, moved_from: public}}\n{tables}");
    way.target.execute("CREATE SCHEMA music; CREATE TABLE music.log_2026_01 (a text)").await;
    run(&way, "plan", &moved, &[]).ends_with(3).says(&["schema music has a log_2026_01 already"]);
    way.target.execute("DROP TABLE music.log_2026_01").await;
    let sql = run(&way, "plan", &moved, &["--format", "sql"]).ends_with(0).stdout;
    assert!(sql.contains("ALTER TABLE \"public\".\"log_2026_01\" SET SCHEMA \"music\""), "{sql}");
    applied(&way, &moved);
    way.holds(&[
        ("SELECT count(*)::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname LIKE 'log%'", "0"),
        ("SELECT count(*)::text FROM pg_class WHERE relnamespace = 'music'::regnamespace AND relkind IN ('r', 'p') AND relname LIKE 'log%'", "5"),
        ("SELECT count(*)::text FROM music.log_2026_01", "31"),
    ])
    .await;
}

/// A partitioned table in use is filled partition by partition, each in ranges of its pages.
#[tokio::test(flavor = "multi_thread")]
async fn columns_are_filled_partition_by_partition() {
    let way = Way::from_sql(
        "CREATE TABLE log (n INTEGER, day TEXT NOT NULL, words TEXT, PRIMARY KEY (n, day));
         WITH RECURSIVE k (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 24000)
         INSERT INTO log SELECT i, iif(i % 12, '2026-01-05', '2026-02-05'), printf('%0600d', i) FROM k;",
    )
    .await;
    let before = format!("version: 1\ntables:\n  log:\n    {BY_MONTH}");
    applied(&way, &before);
    applied(
        &way,
        &format!("{before}    add_columns: {{last: {{type: text, as: \"right(log.words, 5)\"}}}}\n"),
    );
    way.holds(&[
        ("SELECT count(*)::text FROM log WHERE last = lpad(n::text, 5, '0')", "24000"),
        // Those of a partition were written by more than one transaction, and by others than those of the next one.
        ("SELECT (count(DISTINCT xmin::text) > 1)::text FROM log_2026_01", "true"),
        ("SELECT count(DISTINCT xmin::text)::text FROM log_2026_02", "1"),
    ])
    .await;
}

/// A saved version is for targets whose tables hold rows, whether or not this one's do.
#[tokio::test(flavor = "multi_thread")]
async fn saved_versions_are_careful() {
    let way =
        Way::from_sql("CREATE TABLE log (n INTEGER, day TEXT NOT NULL, words TEXT, PRIMARY KEY (n, day));")
            .await;
    let before = format!("version: 1\nversions_dir: versions\ntables:\n  log:\n    {BY_MONTH}");
    applied(&way, &before);
    let after = format!("{before}    indexes: [{{name: log_words, columns: [words]}}]\n");
    run(&way, "plan", &after, &["--save", "more"]).ends_with(0);
    let saved: String = std::fs::read_dir(way.place.path().join("versions"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with("more"))
        .map(|path| std::fs::read_to_string(path.join("post-data.sql")).unwrap())
        .collect();
    for statement in [
        "CREATE INDEX CONCURRENTLY \"log_default_log_words\" ON \"log_default\"",
        "CREATE INDEX \"log_words\" ON ONLY \"log\"",
        "ALTER INDEX \"log_words\" ATTACH PARTITION \"log_default_log_words\"",
    ] {
        assert!(saved.contains(statement), "{saved}");
    }
    run(&way, "apply", &after, &["--yes", "--allow", ALL_HAZARDS]).ends_with(0);
    run(&way, "plan", &after, &["--exit-code"]).ends_with(0);
}
