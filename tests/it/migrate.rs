//! `mtm migrate` as a user runs it: versions that were saved side by side, two replicas at once, a version done again.

use std::{process::Child, time::Duration};

use crate::{
    command::{Outcome, Way, Workplace},
    support::TestDatabase,
};

const FIRST: &str = "m20260101_000000_tracks";
const SECOND: &str = "m20260301_000000_plays";
const BETWEEN: &str = "m20260201_000000_artists";

/// A folder with versions, and a mapping that names it.
async fn way(versions: &[(&str, &str)]) -> Way {
    let way = Way::from_sql("CREATE TABLE t (id INTEGER PRIMARY KEY)").await;
    way.place.write("types.yaml", "version: 1\nversions_dir: versions\n");
    for (name, table) in versions {
        add(&way, name, table);
    }
    way
}

fn add(way: &Way, name: &str, table: &str) {
    way.place.write(
        &format!("versions/{name}/pre-data.sql"),
        format!("-- step\nCREATE TABLE {table} (id text);\n"),
    );
    way.place.write(&format!("versions/{name}/down.sql"), format!("-- step\nDROP TABLE {table};\n"));
}

fn start(way: &Way, arguments: &[&str]) -> Child {
    let mapping = ["--mapping", "types.yaml", "--target", &way.target.url];
    way.place.command(&[&["migrate"], arguments, &mapping[..]].concat()).spawn().unwrap()
}

fn migrate(way: &Way, arguments: &[&str]) -> Outcome {
    Outcome::of(&arguments.join(" "), start(way, arguments).wait_with_output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_saved_side_by_side_run_in_the_order_of_names() {
    let way = way(&[(FIRST, "tracks"), (SECOND, "plays")]).await;
    migrate(&way, &["up"]).succeeds();
    // Another branch is merged, whose version is older.
    add(&way, BETWEEN, "artists");
    add(&way, "m20260202_000000_albums", "albums");
    migrate(&way, &["status"]).succeeds().says(&[
        &format!("{FIRST} applied"),
        &format!("{BETWEEN} pending, though {SECOND} is applied"),
        &format!("{SECOND} applied"),
    ]);
    let up = migrate(&way, &["up"]).ends_with(0).complains_of(&[
        &format!("{BETWEEN} comes before {SECOND}, which is applied already"),
        "m20260202_000000_albums comes before",
    ]);
    assert!(up.stdout.find(BETWEEN) < up.stdout.find("albums"), "{}", up.stdout);
    migrate(&way, &["up"]).succeeds().says(&["Nothing to do"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_that_are_gone_or_edited() {
    let way = way(&[(FIRST, "tracks"), (SECOND, "plays")]).await;
    migrate(&way, &["up"]).succeeds();
    let folder = way.place.path().join("versions");
    std::fs::remove_dir_all(folder.join(FIRST)).unwrap();
    migrate(&way, &["status"])
        .succeeds()
        .says(&[&format!("{FIRST} applied, not in the folder (the ledger has its SQL)")]);
    migrate(&way, &["up"]).succeeds().says(&["Nothing to do"]);

    way.place.write(
        &format!("versions/{SECOND}/pre-data.sql"),
        "-- step\nCREATE TABLE plays (id text, at date);\n",
    );
    migrate(&way, &["status"]).succeeds().says(&[&format!("{SECOND} applied, edited since")]);
    for verb in ["up", "down", "redo"] {
        migrate(&way, &[verb])
            .fails(3, &["edited after they had been applied", SECOND, "restore their files"]);
    }
    add(&way, SECOND, "plays");
    migrate(&way, &["redo"]).succeeds().says(&[&format!("taken back {SECOND}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn redo_takes_the_last_version_back_and_applies_it_again() {
    let way = way(&[(FIRST, "tracks"), (SECOND, "plays")]).await;
    migrate(&way, &["redo"]).succeeds().says(&["Nothing to do: the target has no version."]);
    migrate(&way, &["up"]).succeeds();
    let oid = "SELECT 'plays'::regclass::oid";
    let before = way.target.value(oid).await;
    add(&way, BETWEEN, "artists");
    migrate(&way, &["redo"]).succeeds().says(&[
        &format!("taken back {SECOND}"),
        &format!("applied {SECOND}"),
        &format!("applied {SECOND}__post"),
    ]);
    assert_ne!(way.target.value(oid).await, before, "it is another table");
    way.holds(&[
        ("to_regclass('artists') IS NULL", "true"),
        ("SELECT string_agg(command || ' ' || outcome, ', ' ORDER BY id) FROM mtm.run WHERE command ~ 'redo'", "migrate redo done, migrate redo done"),
    ])
    .await;

    way.target.execute("INSERT INTO plays VALUES ('1')").await;
    migrate(&way, &["redo"]).fails(3, &["deletes-data", "--allow deletes-data"]);
    way.holds(&[("SELECT count(*) FROM plays", "1")]).await;
    // The folder need not have it any more.
    std::fs::remove_dir_all(way.place.path().join("versions").join(SECOND)).unwrap();
    migrate(&way, &["redo", "--allow", "deletes-data"]).succeeds().says(&[&format!("applied {SECOND}")]);
    way.holds(&[("SELECT count(*) FROM plays", "0")]).await;
}

/// Asks again and again until the query gives this.
async fn until(way: &Way, sql: &str, expected: &str) {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while way.target.value(sql).await.as_deref() != Some(expected) {
        assert!(std::time::Instant::now() < deadline, "{sql} has not become {expected}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_one_works_and_the_other_waits() {
    let way = way(&[(FIRST, "tracks")]).await;
    // The first one to come cannot go on before this session lets it: its table is to refer to one that is locked.
    way.target.execute("CREATE TABLE parent (id text PRIMARY KEY)").await;
    let pre_data = "-- step\nCREATE TABLE tracks (id text REFERENCES parent);\n";
    way.place.write(&format!("versions/{FIRST}/pre-data.sql"), pre_data);
    let mut session = <sqlx::PgConnection as sqlx::Connection>::connect(&way.target.url).await.unwrap();
    let mut obstacle = sqlx::Connection::begin(&mut session).await.unwrap();
    sqlx::query("LOCK TABLE parent").execute(&mut *obstacle).await.unwrap();

    let one = start(&way, &["up"]);
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'mtm'";
    until(&way, &format!("{sessions} AND wait_event_type = 'Lock'"), "1").await;
    migrate(&way, &["up", "--wait", "0"]).fails(3, &["another run holds the lock"]);
    let other = start(&way, &["up"]);
    // Both sessions that asked for the lock: the one that has it, and the one that waits.
    until(&way, &format!("{sessions} AND query ~ 'pg_try_advisory_lock'"), "2").await;
    obstacle.commit().await.unwrap();

    let ended = |child: Child| Outcome::of("up", child.wait_with_output().unwrap()).succeeds();
    ended(one).says(&[&format!("applied {FIRST}"), &format!("applied {FIRST}__post")]);
    ended(other).says(&["Nothing to do: the target has every version."]);
    way.holds(&[("SELECT count(*) FROM seaql_migrations", "2"), ("SELECT count(*) FROM mtm.version", "1")])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_versions_that_is_not_there_is_no_empty_one() {
    let place = Workplace::new();
    let target = TestDatabase::new().await;
    place.write("mappings/types.yaml", "version: 1\nversions_dir: ../versions\n");
    place
        .mtm(&["migrate", "up", "--target", &target.url])
        .fails(3, &["versions", "is not there", "versions_dir"]);
    std::fs::create_dir(place.path().join("versions")).unwrap();
    place.mtm(&["migrate", "up", "--target", &target.url]).ends_with(0);
}
