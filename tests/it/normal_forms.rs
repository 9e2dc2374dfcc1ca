//! The ledger's memory of what the server makes of a desired table: read by `plan`, written by `apply`, never believed of
//! another table than the one that it was made of.

use crate::command::Way;

const SOURCE: &str = "CREATE TABLE tracks (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE plays (id INTEGER PRIMARY KEY, track INTEGER REFERENCES tracks);
    INSERT INTO tracks VALUES (1, 'one'); INSERT INTO plays VALUES (1, 1);";

const REMEMBERED: &str =
    "SELECT string_agg(table_name || ' ' || digest, ', ' ORDER BY table_name) FROM mtm.normal_form";

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_changed_is_not_asked_for_again() {
    let way = Way::from_sql(SOURCE).await;
    way.run("plan", &[]).succeeds();
    way.run("apply", &["--yes"]).succeeds();
    way.run("plan", &["--exit-code"]).succeeds();
    let before = way.target.value(REMEMBERED).await.unwrap();

    // A memory that says something else is what the plan holds the target against: so it was read.
    let falsify =
        "UPDATE mtm.normal_form SET form = replace(form, '\"type\":\"text\"', '\"type\":\"bytea\"')";
    way.target.execute(falsify).await;
    way.run("plan", &["--exit-code"]).ends_with(2).says(&["tracks.name"]);

    // A table that is to be another one is asked for, and so is one whose foreign key refers to it.
    way.place.write(
        "mappings/types.yaml",
        "version: 1\ntables: {tracks: {columns: {id: bigint, name: varchar(20)}}}\n",
    );
    way.run("plan", &["--exit-code"]).ends_with(2).says(&["text becomes character varying(20)"]);
    way.run("apply", &["--yes", "--allow", "rewrites-table,blocks-reads,blocks-writes,may-fail-on-rows"])
        .succeeds();
    way.run("plan", &["--exit-code"]).succeeds();
    let after = way.target.value(REMEMBERED).await.unwrap();
    assert_ne!(before, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_without_a_memory_gets_one() {
    let way = Way::from_sql(SOURCE).await;
    way.run("apply", &["--yes"]).succeeds();
    // As an older release has left it.
    way.target
        .execute(
            "DROP TABLE mtm.normal_form; DELETE FROM mtm.seaql_migrations WHERE version LIKE '%normal_forms'",
        )
        .await;
    way.run("plan", &["--exit-code"]).succeeds();
    way.run("apply", &["--yes"]).succeeds().says(&["Nothing to do"]);
    assert!(way.target.value(REMEMBERED).await.is_some());
}
