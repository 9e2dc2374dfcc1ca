//! A run that is cut off, and the one that goes on from there; two runs at once.
//!
//! Nothing here depends on how fast the machine is: a trigger in the target waits for a lock that the test holds, so that a
//! run stands still in the middle of its rows.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStderr},
    time::Duration,
};

use sqlx::{Connection, Executor, PgConnection};

use crate::command::{Outcome, Way, contains_all};

/// Four chunks of 16 rows, a megabyte each.
const ROWS: &str = "CREATE TABLE blobs (id INTEGER PRIMARY KEY, v BLOB); \
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) INSERT INTO blobs SELECT i, zeroblob(1000000) FROM n; \
    CREATE TABLE words (w TEXT PRIMARY KEY); INSERT INTO words VALUES ('a'), ('b');";

/// A way whose rows stop to arrive at row 40, in the third chunk, while the test holds the gate.
async fn gated() -> (Way, PgConnection) {
    gated_at(40).await
}

async fn gated_at(row: u32) -> (Way, PgConnection) {
    let way = Way::from_sql(ROWS).await;
    let schema = way.place.mtm(&["schema", "--source", way.source.to_str().unwrap()]).succeeds().stdout;
    way.target.execute(&schema).await;
    way.target
        .execute(&format!(
            "CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NEW; END'; \
             CREATE TRIGGER gate BEFORE INSERT ON blobs FOR EACH ROW WHEN (NEW.id >= {row}) EXECUTE FUNCTION wait_at_the_gate()",
        ))
        .await;
    let mut gate = PgConnection::connect(&way.target.url).await.unwrap();
    gate.execute("SELECT pg_advisory_lock(42)").await.unwrap();
    (way, gate)
}

/// Whether somebody stands at the gate.
const AT_THE_GATE: &str = "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Starts a run, and waits until it stands at the gate.
async fn start(way: &Way) -> Child {
    let child = way.command("apply", &["--yes", "--jobs", "2"]).spawn().unwrap();
    wait_for(way, AT_THE_GATE).await;
    child
}

async fn wait_for(way: &Way, condition: &str) {
    for _ in 0..1000 {
        if way.target.value(condition).await.as_deref() == Some("true") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came about: {condition}");
}

async fn send(child: &Child, signal: &str) {
    let status = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

async fn open(gate: PgConnection) {
    gate.close().await.unwrap();
}

async fn goes_on(way: &Way, gate: PgConnection) {
    open(gate).await;
    way.run("plan", &["--exit-code"]).ends_with(2);
    way.run("apply", &["--yes"]).ends_with(0).says(&["blobs 60 rows"]);
    way.target.execute("DROP TRIGGER gate ON blobs").await;
    way.run("verify", &[]).succeeds().says(&["Proven"]);
    way.run("plan", &["--exit-code"]).succeeds();
    way.holds(&[("SELECT count(*) || ' ' || count(DISTINCT id) FROM blobs", "60 60")]).await;
    // Nothing of the first run is left on the server.
    wait_for(way, "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'mtm'").await;
}

/// Reads a run's stderr up to a line that holds this, and gives what there was.
fn hears(child: &mut Child, needle: &str) -> BufReader<ChildStderr> {
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut heard = String::new();
    while !heard.contains(needle) {
        assert!(stderr.read_line(&mut heard).unwrap() > 0, "no {needle:?} in\n{heard}");
    }
    stderr
}

#[tokio::test(flavor = "multi_thread")]
async fn signal_lets_the_chunk_at_work_arrive() {
    for (signal, code) in [("-TERM", 143), ("-INT", 130)] {
        // Two sessions stand in the second and the third chunk, and nobody comes to the fourth.
        let (way, gate) = gated_at(18).await;
        let mut child = start(&way).await;
        send(&child, signal).await;
        let mut rest = hears(&mut child, "at work; once more to stop at once");
        open(gate).await;
        let ended = Outcome::of(signal, child.wait_with_output().unwrap()).ends_with(code);
        assert!(!ended.stdout.contains("blobs 60 rows"), "{}", ended.stdout);
        let mut said = String::new();
        rest.read_to_string(&mut said).unwrap();
        contains_all(&said, &["interrupted; ", " rows are there", "the same command goes on from there"]);
        // The chunk that stood at the gate is there as a whole, and those that nobody had begun are not.
        let rows = way.target.value("SELECT sum(rows_written) FROM mtm.chunk").await.unwrap();
        contains_all(&said, &[&format!("interrupted; {rows} rows are there")]);
        way.holds(&[
            ("SELECT count(*) > 0 FROM blobs WHERE id >= 18", "true"),
            ("SELECT count(*) < 60 FROM blobs", "true"),
            ("SELECT outcome FROM mtm.run ORDER BY id DESC LIMIT 1", "interrupted"),
        ])
        .await;
        way.run("plan", &["--exit-code"]).ends_with(2);
        way.run("apply", &["--yes"]).ends_with(0).says(&["blobs 60 rows"]);
        way.target.execute("DROP TRIGGER gate ON blobs").await;
        way.run("verify", &[]).succeeds().says(&["Proven"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn second_signal_ends_it_at_once() {
    for (signal, code) in [("-TERM", 143), ("-INT", 130)] {
        let (way, gate) = gated().await;
        let mut child = start(&way).await;
        send(&child, "-INT").await;
        let mut rest = hears(&mut child, "at work; once more to stop at once");
        send(&child, signal).await;
        Outcome::of(signal, child.wait_with_output().unwrap()).ends_with(code);
        let mut said = String::new();
        rest.read_to_string(&mut said).unwrap();
        contains_all(&said, &["interrupted", "the same command goes on from there"]);
        goes_on(&way, gate).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signal_does_not_wait_for_a_key() {
    let (way, gate) = gated_key().await;
    let child = start(&way).await;
    send(&child, "-INT").await;
    let ended = Outcome::of("-INT", child.wait_with_output().unwrap()).ends_with(130);
    ended.complains_of(&["interrupted", "the same command goes on from there"]);
    open(gate).await;
    way.run("apply", &["--yes"]).ends_with(0);
    way.run("verify", &[]).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_gone_on_with() {
    let (way, gate) = gated().await;
    let mut child = start(&way).await;
    child.kill().unwrap();
    child.wait().unwrap();
    // Its backend still stands at the gate, in the middle of a transaction.
    goes_on(&way, gate).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn next_run_ends_what_a_killed_one_left_behind() {
    let (way, gate) = gated().await;
    let mut child = start(&way).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let old = "SELECT string_agg(pid::text, ',') FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'mtm' AND wait_event = 'advisory'";
    let orphan = way.target.value(old).await.expect("a backend is left");
    let next = way.command("apply", &["--yes", "--jobs", "2"]).spawn().unwrap();
    wait_for(&way, &format!("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid IN ({orphan})")).await;
    open(gate).await;
    Outcome::of("apply", next.wait_with_output().unwrap()).ends_with(0);
    way.target.execute("DROP TRIGGER gate ON blobs").await;
    way.run("verify", &[]).succeeds();
    way.holds(&[("SELECT count(*) || ' ' || count(DISTINCT id) FROM blobs", "60 60")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn second_run_is_refused_while_one_is_at_work() {
    let (way, gate) = gated().await;
    let child = start(&way).await;
    let said = ["another run holds the lock on schema \"public\"", "application mtm", "process "];
    let second = way.run("apply", &["--yes"]);
    second.fails(3, &said);
    // Looking is allowed.
    way.run("plan", &["--exit-code"]).ends_with(2);
    way.run("verify", &[]).ends_with(2);
    let migrate = way.place.mtm(&["migrate", "down", "--target", &way.target.url]);
    migrate.fails(3, &said);
    way.place.mtm(&["migrate", "up", "--wait", "100ms", "--target", &way.target.url]).fails(3, &said);
    open(gate).await;
    Outcome::of("apply", child.wait_with_output().unwrap()).ends_with(0);
    way.run("verify", &[]).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn source_that_changes_between_two_runs() {
    let (way, gate) = gated().await;
    let mut child = start(&way).await;
    child.kill().unwrap();
    child.wait().unwrap();
    open(gate).await;
    rusqlite::Connection::open(&way.source).unwrap().execute_batch("INSERT INTO words VALUES ('c')").unwrap();
    way.run("apply", &["--yes"])
        .ends_with(4)
        .complains_of(&["the source has changed since its rows were copied"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn session_that_the_server_ends() {
    let (way, gate) = gated().await;
    let child = start(&way).await;
    way.target
        .execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'mtm'")
        .await;
    // The lock's session is among them: the run takes it again, and its chunks too.
    wait_for(&way, AT_THE_GATE).await;
    open(gate).await;
    let done = Outcome::of("apply", child.wait_with_output().unwrap()).ends_with(0);
    done.complains_of(&["table blobs: the connection to the server was lost", "trying again (1 of 6)"]);
    way.target.execute("DROP TRIGGER gate ON blobs").await;
    way.run("verify", &[]).succeeds();
    way.holds(&[("SELECT count(*) || ' ' || count(DISTINCT id) FROM blobs", "60 60")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn run_whose_lock_another_has_taken_stops() {
    let (way, gate) = gated().await;
    let child = start(&way).await;
    let mut other = PgConnection::connect(&way.target.url).await.unwrap();
    // As another run does that comes while this one's sessions are gone.
    let taken = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = x'006d746d'::int AND granted \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let key: i32 = sqlx::query_scalar(
        "SELECT objid::bigint::bit(32)::int FROM pg_locks WHERE locktype = 'advisory' AND classid = x'006d746d'::int \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .fetch_one(&mut other)
    .await
    .unwrap();
    other.execute(taken).await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(x'006d746d'::int, $1)").bind(key).execute(&mut other).await.unwrap();
    way.target
        .execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'mtm'")
        .await;
    let failed = Outcome::of("apply", child.wait_with_output().unwrap()).ends_with(3);
    failed.complains_of(&["another run holds the lock"]);
    other.close().await.unwrap();
    goes_on(&way, gate).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lock_timeout_names_what_it_waited_for() {
    let (way, gate) = gated().await;
    let run = way.run("apply", &["--yes", "--lock-timeout", "200ms"]);
    run.ends_with(1).complains_of(&["lock timeout"]);
    goes_on(&way, gate).await;
}

/// Stands at the gate before a key is made, but not where the plan tries it out.
const GATE_OF_KEYS: &str = "CREATE FUNCTION wait_at_the_gate() RETURNS event_trigger LANGUAGE plpgsql AS \
    'BEGIN IF current_setting(''search_path'') NOT LIKE ''pg_temp%'' THEN PERFORM pg_advisory_xact_lock_shared(42); END IF; END'; \
    CREATE EVENT TRIGGER gate ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION wait_at_the_gate()";

/// A way on which the key stands at the gate.
async fn gated_key() -> (Way, PgConnection) {
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE); INSERT INTO t VALUES (1, 'a');",
    )
    .await;
    way.target.execute(GATE_OF_KEYS).await;
    let mut gate = PgConnection::connect(&way.target.url).await.unwrap();
    gate.execute("SELECT pg_advisory_lock(42)").await.unwrap();
    (way, gate)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_a_key_is_made() {
    let (way, gate) = gated_key().await;
    let mut child = start(&way).await;
    child.kill().unwrap();
    child.wait().unwrap();
    // Its backend goes through, and makes a key for nobody.
    open(gate).await;
    way.run("apply", &["--yes"]).ends_with(0);
    way.run("verify", &[]).succeeds();
    way.run("plan", &["--exit-code"]).succeeds();
}
#[tokio::test(flavor = "multi_thread")]
async fn killed_while_a_key_is_made_for_a_table_that_was_there() {
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE); INSERT INTO t VALUES (1, 'a');",
    )
    .await;
    way.target.execute("CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL, v text)").await;
    way.target.execute(GATE_OF_KEYS).await;
    let mut gate = PgConnection::connect(&way.target.url).await.unwrap();
    gate.execute("SELECT pg_advisory_lock(42)").await.unwrap();
    let mut child = start(&way).await;
    child.kill().unwrap();
    child.wait().unwrap();
    open(gate).await;
    way.run("apply", &["--yes"]).ends_with(0);
    way.run("verify", &[]).succeeds();
    way.run("plan", &["--exit-code"]).succeeds();
}

/// A way whose keys are all to be made, and whose rows of `blobs` stop to arrive at row 40 while the test holds the gate.
async fn gated_with_keys_to_come(more: &str) -> (Way, PgConnection) {
    let way = Way::from_sql(&format!("{ROWS} {more}")).await;
    way.target
        .execute(
            "CREATE TABLE blobs (id bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL, v bytea); \
             CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NEW; END'; \
             CREATE TRIGGER gate BEFORE INSERT ON blobs FOR EACH ROW WHEN (NEW.id >= 40) EXECUTE FUNCTION wait_at_the_gate()",
        )
        .await;
    let mut gate = PgConnection::connect(&way.target.url).await.unwrap();
    gate.execute("SELECT pg_advisory_lock(42)").await.unwrap();
    (way, gate)
}

#[tokio::test(flavor = "multi_thread")]
async fn index_is_built_while_other_rows_are_on_their_way() {
    let (way, gate) = gated_with_keys_to_come("CREATE INDEX words_w ON words (w);").await;
    let mut child = way.command("apply", &["--yes", "--jobs", "4"]).spawn().unwrap();
    wait_for(&way, AT_THE_GATE).await;
    let built = "SELECT count(*) = 2 FROM pg_index WHERE indrelid = to_regclass('words') AND indisvalid";
    wait_for(&way, built).await;
    // The ledger has the steps: the next run does not stumble over them.
    child.kill().unwrap();
    child.wait().unwrap();
    goes_on(&way, gate).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn index_that_cannot_be_built_yet_is_left_to_the_end() {
    let way = Way::from_sql(&format!("{ROWS} CREATE INDEX words_w ON words (w);")).await;
    // Refused once, to whoever asks first; a sequence does not go back with its transaction.
    way.target
        .execute(
            "CREATE SEQUENCE asked; CREATE FUNCTION refuse_once() RETURNS event_trigger LANGUAGE plpgsql AS \
             'BEGIN IF current_setting(''search_path'') NOT LIKE ''pg_temp%'' AND nextval(''asked'') = 1 THEN \
             RAISE ''not now''; END IF; END'; \
             CREATE EVENT TRIGGER once ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION refuse_once()",
        )
        .await;
    way.run("apply", &["--yes"]).ends_with(0);
    way.run("verify", &[]).succeeds();
    way.holds(&[("SELECT last_value > 1 FROM asked", "true")]).await;
}

/// Stands at the gate before an index is made, but not where the plan tries it out.
const GATE_OF_INDEXES: &str = "CREATE FUNCTION wait_at_the_gate() RETURNS event_trigger LANGUAGE plpgsql AS \
    'BEGIN IF current_setting(''search_path'') NOT LIKE ''pg_temp%'' THEN PERFORM pg_advisory_xact_lock_shared(42); END IF; END'; \
    CREATE EVENT TRIGGER gate ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION wait_at_the_gate()";

#[tokio::test(flavor = "multi_thread")]
async fn index_that_a_killed_run_left_at_work_is_not_in_the_way() {
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); CREATE INDEX by_v ON t (v); INSERT INTO t VALUES (1, 'a');",
    )
    .await;
    way.target.execute(GATE_OF_INDEXES).await;
    let mut gate = PgConnection::connect(&way.target.url).await.unwrap();
    gate.execute("SELECT pg_advisory_lock(42)").await.unwrap();
    let mut child = start(&way).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let old = "SELECT string_agg(pid::text, ',') FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'mtm' AND wait_event = 'advisory'";
    let orphan = way.target.value(old).await.expect("a backend is left");
    // The lock goes with the client, as soon as the server has seen that.
    wait_for(&way, "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory' AND classid = x'006d746d'::int AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").await;
    // The index would stand there for as long as it takes; the next run does not wait for it.
    let next = way.command("apply", &["--yes"]).spawn().unwrap();
    wait_for(&way, &format!("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid IN ({orphan})")).await;
    open(gate).await;
    Outcome::of("apply", next.wait_with_output().unwrap()).ends_with(0);
    way.run("verify", &[]).succeeds();
    way.run("plan", &["--exit-code"]).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_writes_nothing_promises_nothing() {
    let way = Way::from_sql("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);").await;
    way.goes_through();
    let mut gate = PgConnection::connect(&way.target.url).await.unwrap();
    gate.execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let waits = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 't'::regclass";
    let nobody_waits = "SELECT count(*) = 0 FROM pg_locks WHERE NOT granted AND relation = 't'::regclass";
    for (verb, more, goes_on) in
        [("plan", &[][..], false), ("verify", &[], false), ("apply", &["--yes"], true)]
    {
        let child = way.command(verb, more).spawn().unwrap();
        wait_for(&way, waits).await;
        send(&child, "-INT").await;
        let ended = Outcome::of(verb, child.wait_with_output().unwrap()).ends_with(130);
        contains_all(&ended.stderr, &["interrupted"]);
        assert_eq!(ended.stderr.contains("the same command goes on from there"), goes_on, "{}", ended.stderr);
        // What it asked waits on the server until that sees that nobody listens; the next one must not be taken for it.
        let left = "SELECT count(pg_terminate_backend(pid)) >= 0 FROM pg_locks WHERE NOT granted AND relation = 't'::regclass";
        wait_for(&way, left).await;
        wait_for(&way, nobody_waits).await;
    }
}
