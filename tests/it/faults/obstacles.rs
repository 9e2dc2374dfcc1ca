//! Others at work in the target, and limits that somebody set: tried again where that helps, else a clear stop that the same
//! command goes on from.

use sqlx::{Connection, Executor, PgConnection};

use super::{is_proven, wait_for};
use crate::command::{Outcome, Way};

const SQL: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'); \
                   CREATE TABLE u (id INTEGER PRIMARY KEY); INSERT INTO u VALUES (1);";

/// A way whose tables are there, with a trigger on the rows of `t`.
async fn with_trigger(body: &str) -> Way {
    let way = Way::from_sql(SQL).await;
    let schema = way.place.mtm(&["schema", "--source", way.source.to_str().unwrap()]).succeeds().stdout;
    way.target.execute(&schema).await;
    way.target
        .execute(&format!(
            "CREATE SCHEMA test; CREATE SEQUENCE test.times; CREATE TABLE test.one (id int); INSERT INTO test.one VALUES (1); \
             CREATE TABLE test.other (id int); INSERT INTO test.other VALUES (1); \
             CREATE FUNCTION test.obstacle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END $$; \
             CREATE TRIGGER obstacle BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.id = 2) EXECUTE FUNCTION test.obstacle()"
        ))
        .await;
    way
}

async fn clear(way: &Way) {
    way.target
        .execute("DROP TRIGGER obstacle ON t; DROP FUNCTION test.obstacle; DROP SCHEMA test CASCADE")
        .await;
}

/// A sequence does not go back with its transaction, so it counts the tries.
fn fails_until(code: &str, tries: u32) -> String {
    format!(
        "IF nextval('test.times') < {tries} THEN RAISE EXCEPTION 'in the way' USING ERRCODE = '{code}'; END IF"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicts_are_tried_again() {
    for code in ["40001", "40P01"] {
        let way = with_trigger(&fails_until(code, 3)).await;
        let done = way.run("apply", &["--yes"]).ends_with(0);
        done.complains_of(&[
            &format!("table t: in the way (SQLSTATE {code}); trying again (1 of 6)"),
            "trying again (2 of 6)",
        ]);
        way.holds(&[("SELECT last_value FROM test.times", "3"), ("SELECT count(*) FROM t", "3")]).await;
        clear(&way).await;
        is_proven(&way);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conflict_without_end_stops_the_run() {
    let way = with_trigger(&fails_until("40001", 1000)).await;
    let stopped = way.run("apply", &["--yes"]).ends_with(1);
    stopped.complains_of(&["table t was given up after 6 more tries", "the same command goes on from there"]);
    way.holds(&[("SELECT last_value FROM test.times", "7"), ("SELECT count(*) FROM t", "0")]).await;
    clear(&way).await;
    way.run("apply", &["--yes"]).ends_with(0);
    is_proven(&way);
}

/// What somebody wants is not tried again.
#[tokio::test(flavor = "multi_thread")]
async fn limits_stop_the_run_with_the_way_out() {
    let cases = [
        ("PERFORM pg_sleep(30)", "--statement-timeout", "400ms", "statement timeout", "--statement-timeout"),
        ("LOCK TABLE test.one", "--lock-timeout", "300ms", "lock timeout", "--lock-timeout"),
    ];
    for (body, flag, limit, said, way_out) in cases {
        let way = with_trigger(body).await;
        let mut holder = PgConnection::connect(&way.target.url).await.unwrap();
        holder.execute("BEGIN; LOCK TABLE test.one").await.unwrap();
        let stopped = way.run("apply", &["--yes", flag, limit]).ends_with(1);
        stopped.complains_of(&[
            "table t could not be copied",
            said,
            way_out,
            "the same command goes on from there",
        ]);
        holder.close().await.unwrap();
        clear(&way).await;
        way.run("apply", &["--yes"]).ends_with(0);
        is_proven(&way);
    }
}

/// A real one: the run has one lock and wants the other, somebody else the other way round; the server ends one of the two.
#[tokio::test(flavor = "multi_thread")]
async fn deadlock_with_another_session_is_survived() {
    let body = "PERFORM FROM test.one FOR UPDATE; IF nextval('test.times') = 1 THEN PERFORM pg_advisory_xact_lock_shared(43); END IF; \
                PERFORM FROM test.other FOR UPDATE";
    let way = with_trigger(body).await;
    let mut other = PgConnection::connect(&way.target.url).await.unwrap();
    // The other waits longer before it looks for a deadlock, so that the run is the one to be ended.
    other.execute("SET deadlock_timeout = '60s'; SELECT pg_advisory_lock(43)").await.unwrap();
    other.execute("BEGIN").await.unwrap();
    other.execute("SELECT FROM test.other FOR UPDATE").await.unwrap();
    let child = way.command("apply", &["--yes"]).spawn().unwrap();
    wait_for(
        &way,
        "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND objid = 43 AND NOT granted",
    )
    .await;
    let blocked = tokio::spawn(async move {
        other.execute("SELECT pg_advisory_unlock(43)").await.unwrap();
        other.execute("SELECT FROM test.one FOR UPDATE").await.unwrap();
        other.execute("COMMIT").await.unwrap();
    });
    let ended = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    let done = Outcome::of("apply", ended).ends_with(0);
    done.complains_of(&["table t: deadlock detected (SQLSTATE 40P01)", "trying again (1 of 6)"]);
    blocked.await.unwrap();
    clear(&way).await;
    is_proven(&way);
}

/// The server's own conflicts, not made up: everything is serialisable, and the ledger's row is written by somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn serialisable_by_default_is_no_obstacle() {
    let way = with_trigger("IF nextval('test.times') = 1 THEN PERFORM pg_advisory_xact_lock_shared(44); END IF; UPDATE test.one SET id = id + 1").await;
    way.target
        .execute(&format!(
            "ALTER DATABASE {} SET default_transaction_isolation = 'serializable'",
            way.target.name
        ))
        .await;
    let mut gate = PgConnection::connect(&way.target.url).await.unwrap();
    gate.execute("SELECT pg_advisory_lock(44)").await.unwrap();
    let child = way.command("apply", &["--yes"]).spawn().unwrap();
    wait_for(
        &way,
        "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND objid = 44 AND NOT granted",
    )
    .await;
    // Written after the run's transaction has begun: the run's own write fails with 40001.
    way.target.execute("UPDATE test.one SET id = 100").await;
    gate.close().await.unwrap();
    let ended = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    let done = Outcome::of("apply", ended).ends_with(0);
    done.complains_of(&[
        "could not serialize access due to concurrent update (SQLSTATE 40001)",
        "trying again (1 of 6)",
    ]);
    way.holds(&[("SELECT id FROM test.one", "101")]).await;
    clear(&way).await;
    is_proven(&way);
}
