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

    // Nothing is made in scratch, where nothing has changed.
    way.target
        .execute(
            "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'nothing is to be made'; END $$;
             CREATE EVENT TRIGGER nothing_made ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION refuse()",
        )
        .await;
    way.run("plan", &["--exit-code"]).succeeds();
    way.target.execute("DROP EVENT TRIGGER nothing_made").await;
    // A memory that says something else than the target is not believed.
    let falsify =
        "UPDATE mtm.normal_form SET form = replace(form, '\"type\":\"text\"', '\"type\":\"bytea\"')";
    way.target.execute(falsify).await;
    way.run("plan", &["--exit-code"]).succeeds();

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

/// What a name in a check has meant is no longer so: the server is asked before anything is touched.
#[tokio::test(flavor = "multi_thread")]
async fn a_memory_is_not_taken_for_a_trial() {
    let way = Way::from_sql(SOURCE).await;
    way.target
        .execute("CREATE FUNCTION norm(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)'")
        .await;
    let mapping = "version: 1\ntables: {tracks: {checks: [{name: c, expression: \"norm(name) <> ''\"}]}}\n";
    way.place.write("mappings/types.yaml", mapping);
    way.run("apply", &["--yes"]).succeeds();
    way.target.execute("ALTER FUNCTION norm(text) RENAME TO norm2").await;
    way.run("plan", &[]).ends_with(1).complains_of(&["norm(text) does not exist"]);
    way.holds(&[("SELECT count(*) FROM pg_constraint WHERE conname = 'c'", "1")]).await;
}

/// The plan sees what the sessions that carry it out see.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_of_another_schema_is_not_found_by_the_plan_either() {
    let way = Way::from_sql(SOURCE).await;
    way.target
        .execute("CREATE FUNCTION norm(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)'")
        .await;
    let mapping = "version: 1\ntables: {tracks: {checks: [{name: c, expression: \"norm(name) <> ''\"}]}}\n";
    way.place.write("mappings/types.yaml", mapping);
    way.run("plan", &["--schema", "music"]).ends_with(1).complains_of(&["norm(text) does not exist"]);
    way.place.write("mappings/types.yaml", mapping.replace("norm(", "public.norm("));
    way.run("apply", &["--schema", "music", "--yes"]).succeeds();
    way.run("plan", &["--schema", "music", "--exit-code"]).succeeds();
}
