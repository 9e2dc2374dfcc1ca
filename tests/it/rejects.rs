//! Rows that do not go into the target: refused by a type or by the server, recorded, shown, counted, proven.

use std::{fs, path::PathBuf, time::Duration};

use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};

use crate::command::{Outcome, Way, contains_all};

const FILE: &str = "mtm-rejects.ndjson";

fn mapping(way: &Way, text: &str) -> String {
    way.place.write("types.yaml", format!("version: 1\n{text}")).to_str().unwrap().to_owned()
}

/// The table `t` rejects what does not fit.
fn rejecting(way: &Way) -> String {
    mapping(way, "tables:\n  t: {on_invalid: reject}\n")
}

fn lines(way: &Way) -> Vec<Value> {
    let text = fs::read_to_string(way.place.path().join(FILE)).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

fn keys(way: &Way) -> Vec<String> {
    lines(way).iter().map(|line| line["key"].as_str().unwrap().to_owned()).collect()
}

fn file(way: &Way) -> PathBuf {
    way.place.path().join(FILE)
}

/// The target's tables as they are desired, before a run, so that a test may add to them.
async fn adopt(way: &Way, sql: &str) {
    let schema = way.place.mtm(&["schema", "--source", way.source.to_str().unwrap()]).succeeds().stdout;
    way.target.execute(&schema).await;
    way.target.execute(sql).await;
}

/// Rows read are rows written and rows rejected, of each chunk and of each table, and the ledger has the latter.
async fn adds_up(way: &Way, table: &str, read: u64, rejected: u64) {
    let written = read - rejected;
    let recorded = format!("SELECT count(*) FROM mtm.reject WHERE table_name = '{table}'");
    let sums = |relation: &str| {
        format!(
            "SELECT sum(rows_written) || ' ' || sum(rows_rejected) FROM mtm.{relation} WHERE table_name = '{table}'"
        )
    };
    let both = format!("{written} {rejected}");
    way.holds(&[
        (&format!("SELECT count(*) FROM {table}"), &written.to_string()),
        (&recorded, &rejected.to_string()),
        (&sums("chunk"), &both),
        (&sums("copied"), &both),
    ])
    .await;
}

const EVERY_KIND: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, n, other);
    INSERT INTO t VALUES (1, 'one', x'00ff'), (2, 2, 1), (3, 3.5, 9223372036854775807), (4, 4, NULL),
        (5, 'x', 0.1), (6, x'06', -9e999), (7, 'x', 'a\"' || char(10) || char(0) || 'é'), (8, 8, 8),
        (9, 'x', CAST(x'ff41' AS TEXT)), (10, 'x', NULL), (11, 1e300, 9e999), (12, '12', -0.0);";

#[tokio::test(flavor = "multi_thread")]
async fn values_that_do_not_fit_their_type() {
    let way = Way::from_sql(EVERY_KIND).await;
    let mapping = mapping(&way, "tables:\n  t: {columns: {n: {type: integer, on_invalid: reject}}}\n");
    let with = ["--mapping", mapping.as_str()];
    let plan = way.run("plan", &with).succeeds();
    plan.says(&["warning type-does-not-fit: t.n cannot be integer", "id=1", "go to the rejects"]);
    assert!(!file(&way).exists(), "a plan writes nothing");

    let applied = way.run("apply", &[&with[..], &["--yes"]].concat()).ends_with(5);
    applied.says(&[
        "t 4 rows 8 rows rejected",
        "8 rows rejected (8 of t): they are in mtm-rejects.ndjson, each with the reason, and in the ledger (mtm.reject).",
    ]);
    adds_up(&way, "t", 12, 8).await;
    way.holds(&[("SELECT string_agg(id::text, ' ' ORDER BY id) FROM t", "2 4 8 12")]).await;

    let lines = lines(&way);
    let first = &lines[0];
    for (key, expected) in [
        ("table", json!("t")),
        ("target", json!("t")),
        ("key", json!("id=1")),
        ("column", json!("n")),
        ("refused_by", json!("type")),
        ("row", json!({"id": 1, "n": "one", "other": {"blob": "00ff"}})),
    ] {
        assert_eq!(first[key], expected, "{key}");
    }
    let reason = first["reason"].as_str().unwrap();
    assert!(reason.contains("integer") || reason.contains("bigint"), "{reason}");
    assert!(!reason.contains("one"), "a value in a reason: {reason}");
    let others: Vec<(&Value, &Value)> =
        lines.iter().map(|line| (&line["row"]["n"], &line["row"]["other"])).collect();
    assert_eq!(
        others[1..],
        [
            (&json!(3.5), &json!(9_223_372_036_854_775_807_i64)),
            (&json!("x"), &json!(0.1)),
            (&json!({"blob": "06"}), &json!({"real": "-Infinity"})),
            (&json!("x"), &json!("a\"\n\0é")),
            (&json!("x"), &json!({"text": "ff41"})),
            (&json!("x"), &json!(null)),
            (&json!(1e300), &json!({"real": "Infinity"})),
        ]
    );
    let raw = fs::read_to_string(file(&way)).unwrap();
    assert!(raw.contains("9223372036854775807") && raw.contains("\"n\":1e300"), "{raw}");

    let verified = way.run("verify", &with).succeeds();
    verified.says(&[
        "source 4 rows target 4 rows equal 8 rows rejected",
        "Proven: 4 rows in 1 table, every cell equal; 8 rows rejected, as the mapping says.",
    ]);
    let certificate = way.run("verify", &[&with[..], &["--format", "json"]].concat()).succeeds().json();
    assert_eq!((&certificate["equal"], &certificate["tables"][0]["rejected"]), (&json!(true), &json!(8)));

    // A certificate keeps them, and a target is held against it without the source.
    way.run("verify", &[&with[..], &["--certificate", "proof"]].concat()).ends_with(0);
    let page = fs::read_to_string(way.place.path().join("proof.md")).unwrap();
    contains_all(&page, &["8 rows rejected, as the mapping says", "| equal | 8 rows rejected |"]);
    let again =
        way.place.mtm(&["verify", "--against", "proof.json", "--target", &way.target.url]).ends_with(0);
    again.says(&["Unchanged: 4 rows in 1 table", "8 rows rejected"]);

    // Nothing is left to do, and the target still lacks the rows; a row that somebody has corrected stays corrected.
    let corrected = raw.replace("\"one\"", "1");
    fs::write(file(&way), &corrected).unwrap();
    way.run("plan", &[&with[..], &["--exit-code"]].concat())
        .succeeds()
        .says(&["Nothing to do", "8 rows rejected"]);
    let again = way.run("apply", &[&with[..], &["--yes", "--format", "json"]].concat()).ends_with(5);
    let report = again.json();
    assert_eq!(report["rejects"]["rows"], json!(8));
    assert_eq!(report["rejects"]["file"], json!(FILE));
    assert_eq!(fs::read_to_string(file(&way)).unwrap(), corrected);
    // Another file, or one that is gone, is written whole.
    way.run("apply", &[&with[..], &["--yes", "--rejects", "again.ndjson"]].concat()).ends_with(5);
    assert_eq!(fs::read_to_string(way.place.path().join("again.ndjson")).unwrap(), raw);
    // What is no file of rejects is not written into.
    way.place.write("notes.txt", "my notes\n");
    way.run("apply", &[&with[..], &["--yes", "--rejects", "notes.txt"]].concat())
        .ends_with(1)
        .complains_of(&["notes.txt could not be written", "no file of rejected rows"]);
    assert_eq!(fs::read_to_string(way.place.path().join("notes.txt")).unwrap(), "my notes\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_is_not_taken_in() {
    let way = Way::from_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT, v INTEGER); INSERT INTO t VALUES (1, '1', 1), (2, 'x', 2), (3, '3', 3), (4, '4', 4);").await;
    let mapping = mapping(
        &way,
        "tables:\n  t: {on_invalid: reject, columns: {n: integer, v: {type: integer, check: 'v <> 3'}}}\n",
    );
    let with = ["--mapping", mapping.as_str()];
    way.run("plan", &with).succeeds().says(&[
        "warning check-broken",
        "first at id=3",
        "They go to the rejects",
    ]);
    way.run("apply", &[&with[..], &["--yes"]].concat()).ends_with(5);
    adds_up(&way, "t", 4, 2).await;
    assert_eq!(keys(&way), ["id=2", "id=3"]);
    assert_eq!((&lines(&way)[1]["column"], &lines(&way)[1]["refused_by"]), (&json!("v"), &json!("server")));
    way.run("verify", &with).succeeds().says(&["2 rows rejected"]);

    // Rejected rows that are there nevertheless.
    way.target.execute("INSERT INTO t VALUES (2, 7, 2)").await;
    way.run("verify", &with).ends_with(2).says(&["t id=2: not in the source"]);
    way.target.execute("DELETE FROM t WHERE id = 2; ALTER TABLE t DROP CONSTRAINT t_v_check; INSERT INTO t VALUES (3, 3, 3)").await;
    way.run("verify", &with).ends_with(2).says(&["t id=3: not in the source"]);
    way.target
        .execute("DELETE FROM t WHERE id = 3; ALTER TABLE t ADD CONSTRAINT t_v_check CHECK (v <> 3)")
        .await;
    way.run("verify", &with).succeeds();
    // A row that is neither here nor there.
    way.target.execute("DELETE FROM t WHERE id = 4").await;
    way.run("verify", &with).ends_with(2).says(&["t id=4: missing in the target"]);
    // Nor does a line in the ledger make it right, unless it says what the source says.
    way.target
        .execute(
            "INSERT INTO mtm.reject SELECT target_schema, table_name, chunk, 99, source_table, source_digest, key, column_name, \
             reason, refused_by, '{\"id\": 4, \"n\": \"5\", \"v\": 4}' FROM mtm.reject WHERE refused_by = 'server'",
        )
        .await;
    way.run("verify", &with).ends_with(2).says(&["t id=4: missing in the target", "the source has it not"]);
}

/// Rows of a table `t` with an id, a value and a text.
fn many(rows: u32) -> String {
    format!(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER, w TEXT); \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
         INSERT INTO t SELECT i, i * 10, 'row ' || i FROM n;"
    )
}

const TRIGGER: &str = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
    'BEGIN RAISE EXCEPTION ''not this one''; END'; \
    CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.id IN (1, 700, 701, 5000)) EXECUTE FUNCTION refuse();";

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_the_server_refuses() {
    for (what, sql, column, reason) in [
        ("a trigger that raises", TRIGGER, json!(null), "not this one (SQLSTATE P0001)"),
        (
            "a trigger with a code of its own",
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no'' USING ERRCODE = ''ZZ001''; END'; \
             CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW \
             WHEN (NEW.id IN (1, 700, 701, 5000)) EXECUTE FUNCTION refuse();",
            json!(null),
            "no (SQLSTATE ZZ001)",
        ),
        (
            "a trigger that drops the row",
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
             CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.id IN (1, 700, 701, 5000)) EXECUTE FUNCTION refuse();",
            json!(null),
            "a trigger or a rule of the target drops it",
        ),
        (
            "a trigger that divides by zero",
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.v := 1 / 0; RETURN NEW; END'; \
             CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.id IN (1, 700, 701, 5000)) EXECUTE FUNCTION refuse();",
            json!(null),
            "division by zero (SQLSTATE 22012)",
        ),
        (
            "a unique index",
            "CREATE UNIQUE INDEX t_of_v ON t ((CASE WHEN v IN (20, 30, 40, 50, 60) THEN 0 ELSE v END))",
            json!(null),
            "duplicate key value violates unique constraint \"t_of_v\" (SQLSTATE 23505)",
        ),
    ] {
        let way = Way::from_sql(&many(5000)).await;
        adopt(&way, sql).await;
        // By default it stops, at the first, by name; and nothing of its chunk is there.
        let stopped = way.run("apply", &["--yes"]).ends_with(1);
        let first = if what == "a unique index" { "t at id=3" } else { "t at id=1" };
        stopped.complains_of(&[first, "the server refuses the row", reason, "on_invalid: reject"]);
        way.holds(&[("SELECT count(*) FROM t", "0"), ("SELECT count(*) FROM mtm.reject", "0")]).await;
        assert!(!file(&way).exists(), "{what}");
        // With the mapping's word the same run goes on.
        let mapping = rejecting(&way);
        let with = ["--mapping", mapping.as_str()];
        way.run("apply", &[&with[..], &["--yes"]].concat())
            .ends_with(5)
            .says(&["t 4,996 rows 4 rows rejected"]);
        adds_up(&way, "t", 5000, 4).await;
        let refused = keys(&way);
        if what == "a unique index" {
            assert_eq!(refused, ["id=3", "id=4", "id=5", "id=6"], "the first of two stays");
        } else {
            assert_eq!(refused, ["id=1", "id=700", "id=701", "id=5000"], "{what}");
        }
        for line in lines(&way) {
            assert_eq!((&line["column"], &line["refused_by"]), (&column, &json!("server")), "{what}");
            assert!(line["reason"].as_str().unwrap().contains(reason), "{line}");
            let id = line["row"]["id"].as_i64().unwrap();
            assert_eq!(line["row"], json!({"id": id, "v": id * 10, "w": format!("row {id}")}));
        }
        way.run("verify", &with).succeeds().says(&["4 rows rejected"]);
        way.run("plan", &[&with[..], &["--exit-code"]].concat()).succeeds();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_column_is_named() {
    for (what, sql, column, reason) in [
        (
            "a check",
            "ALTER TABLE t ADD CONSTRAINT small CHECK (v <> 70)",
            json!("v"),
            "violates check constraint \"small\" (SQLSTATE 23514)",
        ),
        (
            "a check over two columns",
            "ALTER TABLE t ADD CONSTRAINT small CHECK (v <> 70 OR w IS NULL)",
            json!(null),
            "violates check constraint \"small\" (SQLSTATE 23514)",
        ),
        (
            "a unique index",
            "CREATE UNIQUE INDEX once ON t (v) WHERE id IN (6, 7)",
            json!("v"),
            "violates unique constraint \"once\" (SQLSTATE 23505)",
        ),
        (
            "a domain",
            "CREATE DOMAIN not_seven AS bigint CHECK (VALUE <> 70); ALTER TABLE t ALTER COLUMN v TYPE not_seven",
            json!("v"),
            "value for domain not_seven violates check constraint",
        ),
    ] {
        let way = Way::from_sql(&many(10)).await;
        if what == "a unique index" {
            rusqlite::Connection::open(&way.source)
                .unwrap()
                .execute("UPDATE t SET v = 60 WHERE id = 7", [])
                .unwrap();
        }
        let mapping = rejecting(&way);
        let with = ["--mapping", mapping.as_str()];
        adopt(&way, sql).await;
        way.run("apply", &[&with[..], &["--yes"]].concat()).ends_with(5);
        adds_up(&way, "t", 10, 1).await;
        let line = &lines(&way)[0];
        assert_eq!((&line["key"], &line["column"]), (&json!("id=7"), &column), "{what}");
        assert!(line["reason"].as_str().unwrap().contains(reason), "{what}: {line}");
        way.run("verify", &with).ends_with(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_without_rowid_and_without_key() {
    let way = Way::from_sql(
        "CREATE TABLE t (k TEXT PRIMARY KEY, v INTEGER) WITHOUT ROWID;
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO t SELECT printf('k%03d', i), i FROM n;
         CREATE TABLE keyless (v INTEGER); INSERT INTO keyless VALUES (1), (13), (2), (13), (13);",
    )
    .await;
    adopt(
        &way,
        "ALTER TABLE t ADD CONSTRAINT lucky CHECK (v % 100 <> 13); ALTER TABLE keyless ADD CONSTRAINT lucky CHECK (v <> 13)",
    )
    .await;
    let mapping = mapping(&way, "tables:\n  t: {on_invalid: reject}\n  keyless: {on_invalid: reject}\n");
    let with = ["--mapping", mapping.as_str()];
    way.run("apply", &[&with[..], &["--yes"]].concat()).ends_with(5);
    adds_up(&way, "t", 300, 3).await;
    adds_up(&way, "keyless", 5, 3).await;
    assert_eq!(keys(&way), ["rowid=2", "rowid=4", "rowid=5", "k=k013", "k=k113", "k=k213"]);
    way.run("verify", &with).succeeds().says(&["6 rows rejected"]);
    way.target.execute("ALTER TABLE keyless DROP CONSTRAINT lucky; INSERT INTO keyless VALUES (13)").await;
    way.run("verify", &with).ends_with(2).says(&["keyless ctid="]);
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_stops_a_run_in_which_all_is_refused() {
    let way = Way::from_sql(&many(20_000)).await;
    adopt(&way, "ALTER TABLE t ADD CONSTRAINT never CHECK (v < 0)").await;
    let mapping = rejecting(&way);
    let with = ["--mapping", mapping.as_str(), "--yes"];
    for limit in [&[][..], &["--max-rejects", "7"]] {
        let stopped = way.run("apply", &[&with[..], limit].concat()).ends_with(1);
        let number = limit.last().unwrap_or(&"1000");
        stopped.complains_of(&[
            &format!("more than {number} rows are rejected"),
            "t.v",
            "never",
            "--max-rejects",
        ]);
        way.holds(&[("SELECT count(*) FROM t", "0"), ("SELECT count(*) FROM mtm.reject", "0")]).await;
        assert!(!file(&way).exists());
    }
    way.target
        .execute("ALTER TABLE t DROP CONSTRAINT never; ALTER TABLE t ADD CONSTRAINT few CHECK (id > 7)")
        .await;
    way.run("apply", &[&with[..], &["--max-rejects", "6"]].concat()).ends_with(1);
    way.run("apply", &[&with[..], &["--max-rejects", "7"]].concat()).ends_with(5);
    adds_up(&way, "t", 20_000, 7).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_counts_what_a_type_refuses_too() {
    let way = Way::from_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, '4');").await;
    let mapping = mapping(&way, "tables:\n  t: {columns: {n: {type: integer, on_invalid: reject}}}\n");
    let with = ["--mapping", mapping.as_str(), "--yes"];
    let stopped = way.run("apply", &[&with[..], &["--max-rejects", "2"]].concat()).ends_with(1);
    stopped.complains_of(&["more than 2 rows are rejected", "t.n"]);
    way.run("apply", &[&with[..], &["--max-rejects", "3"]].concat()).ends_with(5);
    adds_up(&way, "t", 4, 3).await;
}

/// Four chunks of 16 rows, a megabyte each, some of them with a text where an integer is wanted.
const CHUNKS: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, n, b BLOB); \
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) \
    INSERT INTO t SELECT i, CASE WHEN i IN (3, 20, 59) THEN 'text' ELSE i END, zeroblob(1000000) FROM n;";

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_and_gone_on_with() {
    let way = Way::from_sql(CHUNKS).await;
    let mapping = mapping(&way, "tables:\n  t: {on_invalid: reject, columns: {n: {type: integer}}}\n");
    let with = ["--mapping", mapping.as_str(), "--yes", "--jobs", "1"];
    let schema = way
        .place
        .mtm(&["schema", "--source", way.source.to_str().unwrap(), "--mapping", &mapping])
        .succeeds()
        .stdout;
    way.target.execute(&schema).await;
    way.target
        .execute(
            "CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NEW; END'; \
             CREATE TRIGGER gate BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.id >= 40) EXECUTE FUNCTION wait_at_the_gate(); \
             ALTER TABLE t ADD CONSTRAINT seven CHECK (id NOT IN (7, 60))",
        )
        .await;
    let mut gate = PgConnection::connect(&way.target.url).await.unwrap();
    gate.execute("SELECT pg_advisory_lock(42)").await.unwrap();
    let mut child = way.command("apply", &with).spawn().unwrap();
    let at_the_gate = "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    for _ in 0..1000 {
        if way.target.value(at_the_gate).await.as_deref() == Some("true") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What is committed is recorded; no file has been written yet.
    way.holds(&[(
        "SELECT string_agg(key, ' ' ORDER BY chunk, row_number) FROM mtm.reject",
        "id=3 id=7 id=20",
    )])
    .await;
    assert!(!file(&way).exists());
    gate.close().await.unwrap();
    // A line that an earlier writer has torn.
    fs::write(file(&way), "{\"id\":\"0123").unwrap();
    way.run("apply", &with).ends_with(5).says(&["t 55 rows 5 rows rejected"]);
    adds_up(&way, "t", 60, 5).await;
    assert_eq!(keys(&way), ["id=3", "id=7", "id=20", "id=59", "id=60"]);
    way.run("apply", &with).ends_with(5);
    assert_eq!(keys(&way).len(), 5, "no line twice");
    way.target.execute("DROP TRIGGER gate ON t").await;
    way.run("verify", &["--mapping", &mapping]).succeeds().says(&["5 rows rejected"]);
    // Anew: the rejects of the earlier copy are forgotten.
    rusqlite::Connection::open(&way.source).unwrap().execute("DELETE FROM t WHERE id IN (3, 7)", []).unwrap();
    way.run("apply", &[&with[..], &["--restart", "--allow", "deletes-data"]].concat()).ends_with(5);
    adds_up(&way, "t", 58, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn run_that_stops_says_what_it_has_rejected() {
    let way = Way::from_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT); INSERT INTO t VALUES (1, 'a'), (2, '2'); CREATE TABLE u (v INTEGER); INSERT INTO u VALUES (1);").await;
    let mapping = mapping(&way, "tables:\n  t: {columns: {n: {type: integer, on_invalid: reject}}}\n");
    let with = ["--mapping", mapping.as_str(), "--yes", "--jobs", "1"];
    let schema = way.place.mtm(&["schema", "--source", way.source.to_str().unwrap(), "--mapping", &mapping]);
    way.target.execute(&schema.succeeds().stdout).await;
    way.target.execute("ALTER TABLE u ADD CONSTRAINT two CHECK (v = 2)").await;
    let stopped = way.run("apply", &with).ends_with(1);
    stopped.complains_of(&["u.v at", "1 row rejected so far: mtm-rejects.ndjson"]);
    assert_eq!(keys(&way), ["id=1"]);
    way.target.execute("ALTER TABLE u DROP CONSTRAINT two").await;
    way.run("apply", &with).ends_with(5);
    assert_eq!(keys(&way), ["id=1"]);
}

const FAMILY: &str = "CREATE TABLE p (id INTEGER PRIMARY KEY, n TEXT); \
    CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p(id)); \
    INSERT INTO p VALUES (1, '1'), (2, 'x'), (3, '3'); INSERT INTO c VALUES (10, 1), (20, 2), (30, NULL);";

#[tokio::test(flavor = "multi_thread")]
async fn children_of_a_rejected_parent() {
    // As the audit knows: the foreign key stays NOT VALID.
    let way = Way::from_sql(FAMILY).await;
    let by_type = mapping(&way, "tables:\n  p: {columns: {n: {type: integer, on_invalid: reject}}}\n");
    let with = ["--mapping", by_type.as_str()];
    let plan = way.run("plan", &with).succeeds();
    plan.says(&["foreign-key-not-checked", "rows of p are rejected for their n", "stays NOT VALID"]);
    way.run("apply", &[&with[..], &["--yes"]].concat()).ends_with(5);
    way.holds(&[(
        "SELECT convalidated FROM pg_constraint WHERE contype = 'f' AND conrelid = 'c'::regclass",
        "false",
    )])
    .await;
    way.run("verify", &with).succeeds();
    way.run("plan", &[&with[..], &["--exit-code"]].concat()).succeeds();

    // As only the server knows: the rows are there, the foreign key cannot be, and the error says what to do.
    let way = Way::from_sql(FAMILY).await;
    let mapping = mapping(&way, "tables:\n  p: {on_invalid: reject}\n");
    let with = ["--mapping", mapping.as_str()];
    way.target
        .execute(
            "CREATE TABLE p (id bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL, n text CHECK (n <> 'x'))",
        )
        .await;
    let stopped = way.run("apply", &[&with[..], &["--yes"]].concat()).ends_with(1);
    stopped.complains_of(&["1 row rejected so far", "was rejected, correct the rejected row and load it"]);
    way.target.execute("DELETE FROM c WHERE p = 2").await;
    way.run("apply", &[&with[..], &["--yes"]].concat()).ends_with(5);

    // Where the foreign key is there already, the children are refused in their turn.
    let way = Way::from_sql(FAMILY).await;
    let mapping =
        crate::rejects::mapping(&way, "tables:\n  p: {on_invalid: reject}\n  c: {on_invalid: reject}\n");
    let with = ["--mapping", mapping.as_str()];
    adopt(&way, "ALTER TABLE p ADD CONSTRAINT no_x CHECK (n <> 'x')").await;
    way.run("apply", &[&with[..], &["--yes"]].concat()).ends_with(5);
    assert_eq!(keys(&way), ["id=20", "id=2"]);
    way.run("verify", &with).succeeds().says(&["2 rows rejected"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_refer_to_one_another() {
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, up INTEGER REFERENCES t(id), n TEXT);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO t SELECT i, 401 - i, 'a' FROM n;
         UPDATE t SET up = NULL WHERE id = 361;",
    )
    .await;
    adopt(&way, "ALTER TABLE t ADD CONSTRAINT not_40 CHECK (id <> 40)").await;
    // By name, though the key of the table to itself is there already, and no half has all parents.
    way.run("apply", &["--yes"]).ends_with(1).complains_of(&["t.id at id=40", "not_40"]);
    let mapping = rejecting(&way);
    let with = ["--mapping", mapping.as_str()];
    way.run("apply", &[&with[..], &["--yes"]].concat()).ends_with(5);
    adds_up(&way, "t", 400, 1).await;
    // The key is what it was.
    let key = "SELECT condeferrable || ' ' || convalidated FROM pg_constraint WHERE contype = 'f' AND conrelid = 't'::regclass";
    way.holds(&[(key, "false true")]).await;
    way.run("verify", &with).succeeds().says(&["1 row rejected"]);
    way.run("plan", &[&with[..], &["--exit-code"]].concat()).succeeds();

    // A row of the same table whose parent is refused is nowhere to go.
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, up INTEGER REFERENCES t(id)); INSERT INTO t VALUES (1, NULL), (2, 1), (3, 2);",
    )
    .await;
    adopt(&way, "ALTER TABLE t ADD CONSTRAINT not_1 CHECK (id <> 1)").await;
    let mapping = rejecting(&way);
    let stopped = way.run("apply", &["--mapping", &mapping, "--yes"]).ends_with(1);
    stopped.complains_of(&["table t could not be copied", "violates foreign key constraint"]);
    way.holds(&[("SELECT count(*) FROM t", "0"), ("SELECT count(*) FROM mtm.reject", "0")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_is_named_though_there_is_one_reader() {
    // Several blocks: the reader still has some to send when the row is found.
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) INSERT INTO t SELECT i, zeroblob(400000) FROM n;",
    )
    .await;
    adopt(&way, "ALTER TABLE t ADD CONSTRAINT late CHECK (id <> 3)").await;
    let stopped = way.run("apply", &["--yes", "--jobs", "1"]).ends_with(1);
    stopped.complains_of(&["t.id at id=3", "late"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_rows_and_many_in_one_chunk() {
    // Rows of more than a block, some of them refused, among many small ones.
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO t SELECT i, CASE WHEN i % 1000 = 500 THEN randomblob(6000000) ELSE randomblob(50) END FROM n;",
    )
    .await;
    adopt(&way, "ALTER TABLE t ADD CONSTRAINT odd CHECK (id NOT IN (1, 2, 3, 499, 500, 501, 2500, 3000))")
        .await;
    let mapping = rejecting(&way);
    let with = ["--mapping", mapping.as_str()];
    way.run("apply", &[&with[..], &["--yes"]].concat()).ends_with(5);
    adds_up(&way, "t", 3000, 8).await;
    let lines = lines(&way);
    assert_eq!(lines[4]["row"]["b"]["blob"].as_str().unwrap().len(), 12_000_000);
    way.run("verify", &with).succeeds().says(&["8 rows rejected"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nulls_where_a_value_is_demanded() {
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER); INSERT INTO t VALUES (1, 1), (2, NULL), (3, 3);",
    )
    .await;
    let fails = mapping(&way, "tables:\n  t: {columns: {v: {not_null: true}}}\n");
    way.run("plan", &["--mapping", &fails]).ends_with(3);
    let rejects = mapping(&way, "tables:\n  t: {on_invalid: reject, columns: {v: {not_null: true}}}\n");
    let plan = way.run("plan", &["--mapping", &rejects]).succeeds();
    contains_all(&plan.stdout, &["warning null-in-not-null", "They go to the rejects"]);
    way.run("apply", &["--mapping", &rejects, "--yes"]).ends_with(5);
    assert_eq!((&lines(&way)[0]["key"], &lines(&way)[0]["column"]), (&json!("id=2"), &json!("v")));
    way.run("verify", &["--mapping", &rejects]).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn text_in_utf_16() {
    let way = Way::from_sql(
        "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT, w TEXT);
         INSERT INTO t VALUES (1, 'é', 'Ж'), (2, '2', 'Ж'), (3, '3', CAST(x'00d84100' AS TEXT));",
    )
    .await;
    let mapping =
        mapping(&way, "tables:\n  t: {on_invalid: reject, columns: {n: {type: integer, check: 'n <> 3'}}}\n");
    way.run("apply", &["--mapping", &mapping, "--yes"]).ends_with(5);
    assert_eq!(keys(&way), ["id=1", "id=3"]);
    assert_eq!(lines(&way)[0]["row"], json!({"id": 1, "n": "é", "w": "Ж"}));
    assert_eq!(lines(&way)[1]["row"]["w"], json!({"blob": "00d84100"}));
    let verified: Outcome = way.run("verify", &["--mapping", &mapping]);
    verified.succeeds().says(&["2 rows rejected"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_are_copied_anew_on_request() {
    // All rows are refused: nothing of them is in the target, nor is anything to empty.
    let way = Way::from_sql(&many(3)).await;
    adopt(&way, "ALTER TABLE t ADD CONSTRAINT wrong CHECK (id > 3)").await;
    let mapping = rejecting(&way);
    let with = ["--mapping", mapping.as_str(), "--yes"];
    way.run("apply", &with).ends_with(5).says(&["3 rows rejected", "--restart"]);
    adds_up(&way, "t", 3, 3).await;
    way.target.execute("ALTER TABLE t DROP CONSTRAINT wrong").await;
    way.target.execute("TRUNCATE t; ALTER TABLE t ADD CONSTRAINT right_one CHECK (id <> 2)").await;
    way.run("apply", &with).ends_with(5).says(&["Nothing to do"]);
    way.run("apply", &[&with[..], &["--restart"]].concat()).ends_with(5);
    adds_up(&way, "t", 3, 1).await;
    // Some are there by now: they go only where that is allowed by name.
    way.target.execute("ALTER TABLE t DROP CONSTRAINT right_one").await;
    let refused = way.run("apply", &[&with[..], &["--restart"]].concat()).ends_with(3);
    refused.complains_of(&["would delete the rows of t", "--restart --allow deletes-data"]);
    adds_up(&way, "t", 3, 1).await;
    let allowed = [&with[..], &["--restart", "--allow", "deletes-data"]].concat();
    way.run("apply", &allowed).ends_with(0);
    adds_up(&way, "t", 3, 0).await;
    way.run("verify", &with[..2]).succeeds();
    // Nothing is rejected any more, so nothing is copied anew.
    way.run("apply", &allowed).ends_with(0).says(&["Nothing to do"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn copying_anew_takes_along_what_refers_to_it() {
    let sql = format!("{FAMILY} CREATE TABLE other (v INTEGER); INSERT INTO other VALUES (1);");
    let way = Way::from_sql(&sql).await;
    let mapping = mapping(&way, "tables:\n  p: {on_invalid: reject}\n");
    let with = ["--mapping", mapping.as_str(), "--yes"];
    adopt(&way, "ALTER TABLE p ADD CONSTRAINT no_y CHECK (id <> 3)").await;
    way.run("apply", &with).ends_with(5);
    way.target.execute("ALTER TABLE p DROP CONSTRAINT no_y; INSERT INTO other VALUES (2)").await;
    let refused = way.run("apply", &[&with[..], &["--restart"]].concat()).ends_with(3);
    refused.complains_of(&["would delete the rows of p, c, whose"]);
    way.run("apply", &[&with[..], &["--restart", "--allow", "deletes-data"]].concat()).ends_with(0);
    way.holds(&[
        ("SELECT count(*) FROM p", "3"),
        ("SELECT count(*) FROM c", "3"),
        ("SELECT count(*) FROM other", "2"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_nobody_has_are_a_difference() {
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT); INSERT INTO t VALUES (1, '1'), (2, 'x'), (3, 'y');",
    )
    .await;
    let mapping = mapping(&way, "tables:\n  t: {columns: {n: {type: integer, on_invalid: reject}}}\n");
    let with = ["--mapping", mapping.as_str()];
    way.run("apply", &[&with[..], &["--yes"]].concat()).ends_with(5);
    way.run("verify", &with).succeeds().says(&["2 rows rejected"]);
    for (sql, recorded) in [
        ("DELETE FROM mtm.reject WHERE key = 'id=3'", "1 of them"),
        ("TRUNCATE mtm.reject", "none of them"),
        ("DROP SCHEMA mtm CASCADE", "none of them"),
    ] {
        way.target.execute(sql).await;
        let said = format!("t: its types refuse 2 rows of the source, and the ledger has {recorded}");
        way.run("verify", &with).ends_with(2).says(&[&said]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reject_of_no_row_is_named_once() {
    let way = Way::from_sql(&many(1)).await;
    adopt(&way, "ALTER TABLE t ADD CONSTRAINT wrong CHECK (id > 1)").await;
    let mapping = rejecting(&way);
    let with = ["--mapping", mapping.as_str()];
    way.run("apply", &[&with[..], &["--yes"]].concat()).ends_with(5);
    // A row that only the target has, of the same key, so that its bucket is looked into.
    way.target
        .execute(
            "INSERT INTO mtm.reject SELECT target_schema, table_name, chunk, 99, source_table, source_digest, key, column_name, \
             reason, refused_by, '{\"id\": 4, \"v\": 5, \"w\": null}' FROM mtm.reject; INSERT INTO t VALUES (4, 7, '')",
        )
        .await;
    let verified = way.run("verify", &with).ends_with(2);
    verified.says(&["t id=4: not in the source", "t id=4: the ledger has it among the rejected rows"]);
    let certificate = way.run("verify", &[&with[..], &["--format", "json"]].concat()).ends_with(2).json();
    assert_eq!(certificate["tables"][0]["differences_total"], json!(2), "{certificate}");
}
