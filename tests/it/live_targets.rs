//! Versions and plans on targets that somebody uses: hazards that another target did not have, tables that a plan must not
//! touch, rows that stay known whoever ran the version.

use std::{fs, time::Instant};

use sqlx::{Connection, PgConnection};

use crate::{
    command::{Outcome, Way},
    saved_versions::versions,
    support::TestDatabase,
};

const SOURCE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT);
    INSERT INTO t VALUES (1, '2024-01-02', 'x'), (2, '2024-02-03', 'y');";

const REWRITES: &str = "rewrites-table,blocks-reads,blocks-writes,may-fail-on-rows";

/// A mapping of the table with these columns and these further lines of it.
fn mapping(way: &Way, columns: &str, more: &str) {
    let text =
        format!("version: 1\nversions_dir: versions\ntables:\n  t:\n    columns: {{{columns}}}\n{more}");
    way.place.write("types.yaml", text);
}

fn run(way: &Way, verb: &str, more: &[&str]) -> Outcome {
    way.run(verb, &[&["--mapping", "types.yaml"], more].concat())
}

fn migrate(way: &Way, arguments: &[&str]) -> Outcome {
    let head = ["migrate", arguments[0], "--mapping", "types.yaml", "--target", &way.target.url];
    way.place.mtm(&[&head[..], &arguments[1..]].concat())
}

const INDEX: &str = "    indexes: [{name: t_b, columns: [b]}]\n";

/// What is frozen where no rows are meets rows elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_made_on_an_empty_target_is_careful_on_a_full_one() {
    let way = Way::from_sql(SOURCE).await;
    mapping(&way, "a: text", "");
    run(&way, "apply", &["--yes"]).ends_with(0);
    let Way { place, source, target: full } = way;
    let empty = Way { place, source, target: TestDatabase::new().await };
    migrate(&empty, &["up"]).ends_with(0);
    full.execute("INSERT INTO t VALUES (3, '2024-03-04 10:11:12', 'from the application')").await;

    mapping(&empty, "a: date", INDEX);
    run(&empty, "plan", &["--save", "retype"]).ends_with(0);
    let Way { place, source, target: empty } = empty;
    let way = Way { place, source, target: full };
    let folder = way.place.path().join("versions").join(versions(&way).pop().unwrap());
    let post_data = fs::read_to_string(folder.join("post-data.sql")).unwrap();
    assert!(post_data.contains("CREATE INDEX CONCURRENTLY"), "{post_data}");

    run(&way, "apply", &["--yes"]).ends_with(3).complains_of(&["lossy-conversion", "builds-index"]);
    migrate(&way, &["up"]).ends_with(3).complains_of(&["--allow"]);
    way.holds(&[("SELECT a FROM t WHERE id = 3", "2024-03-04 10:11:12")]).await;

    // Where there is nothing to lose it runs without a word, and so it does together with the copy.
    let Way { place, source, target: _full } = way;
    let way = Way { place, source, target: empty };
    run(&way, "apply", &["--yes"]).ends_with(0);
    run(&way, "verify", &[]).ends_with(0);
}

/// A version that was saved, and run by `migrate`, leaves the rows as known as `apply` does; so does the way back.
#[tokio::test(flavor = "multi_thread")]
async fn rows_stay_known_whoever_ran_the_version() {
    let way = Way::from_sql(SOURCE).await;
    mapping(&way, "a: text", "");
    run(&way, "apply", &["--yes"]).ends_with(0);
    mapping(&way, "a: date", "");
    run(&way, "plan", &["--save", "retype"]).ends_with(0);
    migrate(&way, &["up", "--allow", &format!("{REWRITES},lossy-conversion")]).ends_with(0);
    run(&way, "plan", &["--exit-code"]).ends_with(0).says(&["Nothing to do"]);
    run(&way, "verify", &[]).ends_with(0);
    migrate(&way, &["down", "--allow", &format!("{REWRITES},lossy-conversion")]).ends_with(0);
    mapping(&way, "a: text", "");
    fs::remove_dir_all(way.place.path().join("versions")).unwrap();
    run(&way, "plan", &["--exit-code"]).ends_with(0).says(&["Nothing to do"]);

    // Pending versions convert nothing, and the conversion is refused: the mapping can go back.
    mapping(&way, "", INDEX);
    run(&way, "plan", &["--save", "index"]).ends_with(0);
    mapping(&way, "a: date", INDEX);
    run(&way, "apply", &["--yes", "--allow", "builds-index"]).ends_with(3);
    mapping(&way, "", INDEX);
    run(&way, "apply", &["--yes", "--allow", "builds-index"]).ends_with(0);
    run(&way, "verify", &[]).ends_with(0);
}

/// A number that a version has made a moment of is read so from then on, and not in another unit.
#[tokio::test(flavor = "multi_thread")]
async fn a_unit_is_remembered() {
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER); INSERT INTO t VALUES (1, 1700000000)",
    )
    .await;
    mapping(&way, "a: bigint", "");
    run(&way, "apply", &["--yes"]).ends_with(0);
    mapping(&way, "a: {type: timestamptz, from: epoch_s}", "");
    run(&way, "apply", &["--yes", "--allow", REWRITES]).ends_with(0);
    run(&way, "verify", &[]).ends_with(0);
    mapping(&way, "a: {type: timestamptz, from: epoch_ms}", "");
    run(&way, "plan", &["--exit-code"]).ends_with(4);
}

/// What was rejected by one mapping is not there for the next one.
#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_are_missed_once_the_mapping_takes_them() {
    let way = Way::from_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, '2024-01-02'), (2, 'no date')").await;
    mapping(&way, "a: {type: date, on_invalid: reject}", "");
    run(&way, "apply", &["--yes"]).ends_with(5);
    mapping(&way, "a: text", "");
    run(&way, "apply", &["--yes", "--allow", REWRITES]).ends_with(4);
    run(&way, "apply", &["--yes", "--restart", "--allow", "deletes-data"]).ends_with(0);
    way.holds(&[("SELECT a FROM t WHERE id = 2", "no date")]).await;
    run(&way, "verify", &[]).ends_with(0);
}

/// A plan only looks: pending versions are tried in scratch, and nothing of them reaches the tables themselves.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_reaches_no_table() {
    let way = Way::from_sql(SOURCE).await;
    way.target.execute("CREATE EXTENSION pgcrypto").await;
    mapping(&way, "a: text", "");
    run(&way, "apply", &["--yes"]).ends_with(0);
    mapping(&way, "a: date", "");
    run(&way, "plan", &["--save", "retype"]).ends_with(0);
    let more = way.place.path().join("versions/m20991231_000000_more");
    fs::create_dir_all(&more).unwrap();
    way.target.execute("CREATE SEQUENCE of_ours START 5").await;
    fs::write(more.join("pre-data.sql"), "-- step\nSELECT setval('of_ours', 777);\n").unwrap();

    let mut reader = PgConnection::connect(&way.target.url).await.unwrap();
    let mut reading = reader.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM t").fetch_all(&mut *reading).await.unwrap();
    let begun = Instant::now();
    run(&way, "plan", &[]).ends_with(0).says(&["_retype", "_more"]);
    run(&way, "plan", &["--drift"]).ends_with(0);
    assert!(begun.elapsed().as_secs() < 20, "a plan waits for nobody");
    way.holds(&[("SELECT last_value FROM of_ours", "5")]).await;

    // Another schema's table of that name is somebody else's.
    run(&way, "plan", &["--schema", "staging"]).ends_with(0);
    drop(reading);
}

/// A key to a table in use is not waited for without an end, wherever it comes from.
#[tokio::test(flavor = "multi_thread")]
async fn every_lock_that_others_may_hold_has_its_time() {
    let source = format!("{SOURCE} CREATE TABLE c (id INTEGER PRIMARY KEY, tid INTEGER);");
    let way = Way::from_sql(&source).await;
    mapping(&way, "a: text", "");
    run(&way, "apply", &["--yes", "--include", "t"]).ends_with(0);
    let child = "    checks: [{name: some, expression: \"id > 0\"}]\n  c:\n    foreign_keys: [{columns: [tid], references: {table: t}}]\n";
    mapping(&way, "a: text", child);
    run(&way, "plan", &["--save", "child"]).ends_with(0);
    let folder = way.place.path().join("versions").join(versions(&way).pop().unwrap());
    let step_of = |file: &str, what: &str| {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        text.split("-- step").find(|step| step.contains(what)).expect(&text).to_owned()
    };
    assert!(step_of("post-data.sql", "FOREIGN KEY").contains("lock_timeout"));
    assert!(step_of("down.sql", "DROP CONSTRAINT").contains("lock_timeout"));
}

/// What became NULL or was rejected under one reading is another one's value.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_reading_left_out_is_missed_by_the_next() {
    let source = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT);
        INSERT INTO t VALUES (1, 1700000000000, '2024-01-01 10:00:00'), (2, 1700000001000, '2024-01-01 11:00:00+00:00');";
    for on_invalid in ["set_null", "reject"] {
        let way = Way::from_sql(source).await;
        let column = |from: &str| format!("{{type: timestamptz{from}, on_invalid: {on_invalid}}}");
        let plain = format!("version: 1\ntables: {{t: {{columns: {{b: {}}}}}}}\n", column(""));
        way.place.write("types.yaml", &plain);
        run(&way, "apply", &["--yes"]).ends_with(if on_invalid == "reject" { 5 } else { 0 });
        way.place.write("types.yaml", plain.replace("version: 1", "version: 1\nassume_tz: UTC"));
        run(&way, "plan", &["--exit-code"]).ends_with(4);
        run(&way, "apply", &["--yes", "--restart", "--allow", "deletes-data"]).ends_with(0);
        run(&way, "verify", &[]).ends_with(0);
    }
}

/// A column whose values come from another one of the source by now holds other values, whatever it is called.
#[tokio::test(flavor = "multi_thread")]
async fn columns_that_change_places_are_copied_anew() {
    let way = Way::from_sql(SOURCE).await;
    mapping(&way, "x: {renamed_from: a}, y: {renamed_from: b}", "");
    run(&way, "apply", &["--yes"]).ends_with(0);
    run(&way, "plan", &["--exit-code"]).ends_with(0);
    mapping(&way, "x: {renamed_from: b}, y: {renamed_from: a}", "");
    run(&way, "plan", &["--exit-code"]).ends_with(4);
    run(&way, "apply", &["--yes", "--restart", "--allow", "deletes-data"]).ends_with(0);
    run(&way, "verify", &[]).ends_with(0);
}
