//! `add_columns: {…: {as: …}}`: plain columns that the rows which are there get filled, once, on a new target and on one in use.

use std::process::Stdio;

use crate::command::Way;

const ROWS: u32 = 30_000;

async fn way() -> Way {
    let way = Way::from_sql(&format!(
        "CREATE TABLE song (id INTEGER PRIMARY KEY, title TEXT, payload TEXT);
         WITH RECURSIVE k (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < {ROWS})
         INSERT INTO song SELECT i, 'title ' || i || printf('%0500d', i),
             CASE WHEN i % 3 = 0 THEN '{{}}' ELSE '{{\"isrc\": \"X' || i || '\"}}' END FROM k;"
    ))
    .await;
    way.place.write("before.yaml", "version: 1\ntables: {song: {columns: {payload: jsonb}}}\n");
    way.place.write(
        "after.yaml",
        "version: 1\ntables:\n  song:\n    columns: {payload: jsonb}\n    add_columns:\n      \
         isrc: {type: varchar(20), as: \"payload #>> '{isrc}'\"}\n",
    );
    way
}

const FILLED: &str = "SELECT count(*) FILTER (WHERE isrc = 'X' || id) || ' ' || count(*) FILTER (WHERE isrc IS NULL) FROM song";

#[tokio::test(flavor = "multi_thread")]
async fn a_new_target_arrives_filled() {
    let way = way().await;
    let mapped = |more: &[&'static str]| [&["--mapping", "after.yaml"], more].concat();
    way.run("apply", &mapped(&["--yes"])).succeeds();
    way.holds(&[(FILLED, "20000 10000")]).await;
    way.run("plan", &mapped(&["--exit-code"])).succeeds();
    way.run("verify", &mapped(&[])).succeeds();

    // Copied anew it is filled anew; filled once it is left alone.
    way.target.execute("UPDATE song SET isrc = 'ours' WHERE id = 1").await;
    way.run("apply", &mapped(&["--yes"])).succeeds();
    way.holds(&[("SELECT isrc FROM song WHERE id = 1", "ours")]).await;
    way.target.execute("TRUNCATE song").await;
    way.run("apply", &mapped(&["--yes"])).succeeds();
    way.holds(&[(FILLED, "20000 10000")]).await;
}

/// In chunks: while a row behind takes its time, what is before it is there. A run that is killed meanwhile goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_in_use_is_filled_in_chunks() {
    let way = way().await;
    way.run("apply", &["--mapping", "before.yaml", "--yes"]).succeeds();
    way.place.write(
        "after.yaml",
        "version: 1\ntables:\n  song:\n    columns: {payload: jsonb}\n    add_columns:\n      \
         isrc: {type: varchar(20), as: \"payload #>> '{isrc}' || CASE WHEN id = 29000 THEN pg_sleep(4)::text ELSE '' END\"}\n",
    );
    let plan = way.run("plan", &["--mapping", "after.yaml", "--format", "sql"]).succeeds().stdout;
    assert!(plan.contains("UPDATE \"song\" SET \"isrc\""), "{plan}");

    let mut run = way.command("apply", &["--mapping", "after.yaml", "--yes", "--allow", "may-fail-on-rows"]);
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let is_there = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'song'::regclass AND attname = 'isrc'";
    let some = "SELECT count(isrc) BETWEEN 1 AND 19999 FROM song";
    loop {
        assert!(run.try_wait().unwrap().is_none(), "the row takes its time");
        if way.target.value(is_there).await.as_deref() == Some("1")
            && way.target.value(some).await.as_deref() == Some("true")
        {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    run.kill().unwrap();
    run.wait().unwrap();
    way.run("apply", &["--mapping", "after.yaml", "--yes", "--allow", "may-fail-on-rows"]).ends_with(0);
    way.holds(&[(FILLED, "20000 10000")]).await;
    way.run("plan", &["--mapping", "after.yaml", "--exit-code"]).succeeds();
    way.run("verify", &["--mapping", "after.yaml"]).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_filled_is_said_beforehand() {
    let way = way().await;
    let with = |expression: &str| {
        way.place.write(
            "after.yaml",
            format!("version: 1\ntables: {{song: {{add_columns: {{n: {{type: integer, as: {expression:?}}}}}}}}}\n"),
        );
    };
    for (expression, said) in
        [("nothing + 1", "song.n"), ("id) --", "song.n"), ("id; DROP TABLE song", "song.n")]
    {
        with(expression);
        way.run("plan", &["--mapping", "after.yaml"]).complains_of(&[said]);
    }
    // What another type would cut or read is refused, as an INSERT of it is.
    with("payload");
    way.run("plan", &["--mapping", "after.yaml"]).complains_of(&["song.n", "type integer", "type text"]);
    way.run("apply", &["--mapping", "before.yaml", "--yes"]).ends_with(0);
    way.place.write(
        "after.yaml",
        "version: 1\ntables:\n  song:\n    columns: {payload: jsonb}\n    add_columns: {n: {type: varchar(9), as: title}}\n",
    );
    way.run("plan", &["--mapping", "after.yaml"]).ends_with(3).says(&[
        "song.n",
        "30000 rows",
        "the expression fails",
        "the first at",
    ]);
    way.place.write(
        "after.yaml",
        "version: 1\ntables:\n  song:\n    add_columns:\n      n: {type: integer, default: 1, as: id}\n",
    );
    way.run("plan", &["--mapping", "after.yaml"]).complains_of(&["one of `default`, `generated` and `as`"]);
}
