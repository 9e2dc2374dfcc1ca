//! A column's new type on a table in use: others read and write meanwhile, a run is killed and goes on, and a version is taken
//! back half-way.

use std::{
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::time::sleep;

use crate::{cases::same_schema_as_from_nothing, command::Way, faults::tell};

const BEFORE: &str = "version: 1
tables:
  song:
    columns: {payload: {type: text, not_null: true, default: \"'{}'\", check: \"length(payload::text) > 1\"}}
    indexes: [{name: song_payload, columns: [payload], method: hash}]
";

const AFTER: &str = "version: 1
tables:
  song:
    columns: {payload: {type: jsonb, on_invalid: fail, not_null: true, default: \"'{}'\", check: \"length(payload::text) > 1\"}}
    indexes: [{name: song_payload, columns: [payload], method: hash}]
";

const ALLOW: &str = "rewrites-table,may-fail-on-rows,builds-index";

/// The longest that a statement may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Texts of about a kilobyte, and the mappings.
async fn way(rows: u32) -> Way {
    let way = Way::from_sql(&format!(
        "CREATE TABLE song (id INTEGER PRIMARY KEY, payload TEXT NOT NULL DEFAULT '{{}}', title TEXT);
         WITH RECURSIVE k (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < {rows})
         INSERT INTO song SELECT i, '{{\"n\": ' || i || ', \"words\": [' || replace(printf('%0100d', 0), '0', '\"w' || i || '\", ')
             || '0], \"b\": null}}', 'title ' || i FROM k;"
    ))
    .await;
    way.place.write("before.yaml", BEFORE);
    way.place.write("after.yaml", AFTER);
    way.run("apply", &["--mapping", "before.yaml", "--yes"]).ends_with(0);
    way
}

/// The run that makes the change.
fn spawned(way: &Way) -> Child {
    let mut run = way.command("apply", &["--mapping", "after.yaml", "--yes", "--allow", ALLOW]);
    run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Goes on with the change, and looks at everything.
async fn arrives(way: &Way) {
    way.run("apply", &["--mapping", "after.yaml", "--yes", "--allow", ALLOW]).ends_with(0);
    way.run("plan", &["--mapping", "after.yaml", "--exit-code"]).ends_with(0).says(&["Nothing to do"]);
    way.run("plan", &["--mapping", "after.yaml", "--drift", "--exit-code"]).ends_with(0);
    same_schema_as_from_nothing(way, AFTER, "staged").await;
    way.holds(&[
        ("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace", "0"),
        ("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'song'::regclass", "0"),
    ])
    .await;
}

/// What the writers have done, and how long the slowest statement of anybody took.
#[derive(Default)]
struct Tally {
    ends: AtomicBool,
    statements: AtomicU64,
    longest: AtomicU64,
    /// Rows inserted, less rows deleted.
    rows: AtomicI64,
}

async fn timed(connection: &mut PgConnection, tally: &Tally, sql: String) {
    let begun = Instant::now();
    // Not prepared for long: the type of a column is a part of a prepared statement.
    let statement = sqlx::query(AssertSqlSafe(sql.clone())).persistent(false);
    connection.execute(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let took = u64::try_from(begun.elapsed().as_micros()).unwrap();
    tally.longest.fetch_max(took, Ordering::Relaxed);
    tally.statements.fetch_add(1, Ordering::Relaxed);
}

/// One of those who write, each to rows of its own, with the payload in a second table as text.
async fn writes(url: String, tally: Arc<Tally>, number: u32, rows: u32) {
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let mut turn = 0;
    while !tally.ends.load(Ordering::Relaxed) {
        turn += 1;
        let id = number + 4 * (turn * 7919 % (rows / 4 - 2));
        let text = format!("{{\"by\": {number}, \"turn\": {turn}}}");
        let sql = match turn % 8 {
            0 => format!(
                "WITH d AS (DELETE FROM song WHERE id = {id} RETURNING id) INSERT INTO gone SELECT id FROM d"
            ),
            1 => {
                let new = 1_000_000 + 4 * turn + number;
                tally.rows.fetch_add(1, Ordering::Relaxed);
                format!(
                    "WITH w AS (INSERT INTO written VALUES ({new}, '{text}')) INSERT INTO song (id, payload) VALUES ({new}, '{text}')"
                )
            }
            _ => format!(
                "WITH u AS (UPDATE song SET payload = '{text}' WHERE id = {id} RETURNING id) \
                 INSERT INTO written SELECT id, '{text}' FROM u ON CONFLICT (id) DO UPDATE SET payload = excluded.payload"
            ),
        };
        timed(&mut connection, &tally, sql).await;
        sleep(Duration::from_millis(3)).await;
    }
}

async fn reads(url: String, tally: Arc<Tally>, number: u32) {
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let mut turn = number;
    while !tally.ends.load(Ordering::Relaxed) {
        turn += 104_729;
        let sql =
            format!("SELECT payload::text, title FROM song WHERE id BETWEEN {0} AND {0} + 20", turn % 90_000);
        timed(&mut connection, &tally, sql).await;
        sleep(Duration::from_millis(3)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_and_writers_go_on() {
    const ROWS: u32 = 100_000;
    let way = way(ROWS).await;
    way.target.execute("CREATE TABLE written (id bigint PRIMARY KEY, payload text)").await;
    way.target.execute("CREATE TABLE gone (id bigint PRIMARY KEY)").await;
    way.target.execute("INSERT INTO written SELECT id, payload FROM song").await;
    way.target.execute("VACUUM ANALYZE written").await;
    let tally = Arc::new(Tally::default());
    let mut others = Vec::new();
    for number in 0..4 {
        others.push(tokio::spawn(writes(way.target.url.clone(), Arc::clone(&tally), number, ROWS)));
        others.push(tokio::spawn(reads(way.target.url.clone(), Arc::clone(&tally), number)));
    }
    sleep(Duration::from_millis(500)).await;
    let before = tally.longest.swap(0, Ordering::Relaxed);
    let begun = Instant::now();
    let mut run = spawned(&way);
    let ended = loop {
        if let Some(ended) = run.try_wait().unwrap() {
            break ended;
        }
        sleep(Duration::from_millis(20)).await;
    };
    let took = begun.elapsed();
    assert!(ended.success(), "{ended}");
    sleep(Duration::from_millis(200)).await;
    tally.ends.store(true, Ordering::Relaxed);
    for other in others {
        other.await.unwrap();
    }
    let longest = Duration::from_micros(tally.longest.load(Ordering::Relaxed));
    tell(&format!(
        "a new type beside {} statements, in {took:.1?}: the longest took {longest:.1?} (before it {:.1?})",
        tally.statements.load(Ordering::Relaxed),
        Duration::from_micros(before)
    ));
    assert!(longest < PATIENCE, "somebody waited for {longest:?}");
    let inserted = tally.rows.load(Ordering::Relaxed);
    way.holds(&[
        ("SELECT count(*) > 50 FROM gone", "true"),
        (
            "SELECT count(*) FROM song FULL JOIN (SELECT * FROM written WHERE id NOT IN (SELECT id FROM gone)) w USING (id)
             WHERE song.payload IS DISTINCT FROM w.payload::jsonb",
            "0",
        ),
        (
            "SELECT (SELECT count(*) FROM song) + (SELECT count(*) FROM gone)",
            &(i64::from(ROWS) + inserted).to_string(),
        ),
        ("SELECT pg_typeof(payload) FROM song LIMIT 1", "jsonb"),
    ])
    .await;
    way.run("plan", &["--mapping", "after.yaml", "--drift", "--exit-code"]).ends_with(0);
}

/// Killed at several moments of it, the run goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_goes_on() {
    const ROWS: u32 = 20_000;
    let way = way(ROWS).await;
    let digest = "SELECT count(*) || ' ' || md5(string_agg(payload::jsonb::text, '' ORDER BY id)) FROM song";
    let before = way.target.value(digest).await.unwrap();
    let moments = [
        "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname = '~payload__new')",
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'UPDATE \"song\"%ctid >= ''(1%')",
        "SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = 'song_payload__new' AND convalidated)",
        "SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'song_payload__new')",
        "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'song'::regclass AND attname = 'payload' AND atttypid = 'jsonb'::regtype)",
    ];
    let mut killed = 0;
    for moment in moments {
        let mut run = spawned(&way);
        loop {
            if run.try_wait().unwrap().is_some() {
                break;
            }
            if way.target.value(moment).await.as_deref() == Some("true") {
                run.kill().unwrap();
                run.wait().unwrap();
                killed += 1;
                break;
            }
            sleep(Duration::from_millis(1)).await;
        }
        // Nothing of what is half done is taken for somebody's.
        let plan = way.run("plan", &["--mapping", "after.yaml"]).stdout;
        assert!(!plan.contains("payload__new beside"), "{plan}");
        // An index that is still built is in no version's steps that are done.
        let drift = way.run("plan", &["--mapping", "after.yaml", "--drift"]).stdout;
        let found: Vec<&str> =
            drift.lines().filter(|line| line.trim_start().starts_with(['~', '+', '-'])).collect();
        assert!(found.iter().all(|line| line.contains("~ index song_payload__new")), "{drift}");
    }
    tell(&format!("a new type, killed {killed} times"));
    arrives(&way).await;
    way.holds(&[(digest, &before)]).await;
}

/// A text that the type does not take is refused from whoever writes it; one that is there when the run comes stops it.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_type_does_not_take() {
    let way = way(2_000).await;
    way.run("plan", &["--mapping", "after.yaml", "--save", "retype"]).complains_of(&["versions_dir"]);
    let with_folder =
        |mapping: &str| mapping.replacen("version: 1\n", "version: 1\nversions_dir: versions\n", 1);
    way.place.write("after.yaml", with_folder(AFTER));
    way.run("plan", &["--mapping", "after.yaml", "--save", "retype"]).ends_with(0);
    way.target.execute("UPDATE song SET payload = 'no json' WHERE id = 1900").await;
    let allow = format!("{ALLOW},lossy-conversion");
    let up = ["--mapping", "after.yaml", "--allow", &allow];
    let url = way.target.url.clone();
    let migrate =
        |verb: &str, more: &[&str]| way.place.mtm(&[&["migrate", verb, "--target", &url][..], more].concat());
    let failed = migrate("up", &up);
    assert!(failed.stderr.contains("invalid input syntax for type json"), "{}", failed.stderr);
    let mut writer = PgConnection::connect(&way.target.url).await.unwrap();
    let refused = writer.execute("UPDATE song SET payload = 'nor this' WHERE id = 1").await.unwrap_err();
    assert!(refused.to_string().contains("invalid input syntax for type json"), "{refused}");

    // Half-way back: nothing of it is left, and the rows are as they were.
    let down = ["--mapping", "after.yaml"];
    migrate("down", &down).ends_with(0);
    way.holds(&[
        ("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace", "0"),
        ("SELECT count(*) FROM pg_attribute WHERE attrelid = 'song'::regclass AND attname = 'payload__new'", "0"),
        ("SELECT payload FROM song WHERE id = 1900", "no json"),
    ])
    .await;
    same_schema_as_from_nothing(&way, BEFORE, "half-way back").await;

    way.target.execute("UPDATE song SET payload = '{\"a\": 1}' WHERE id = 1900").await;
    migrate("up", &up).ends_with(0);
    way.holds(&[("SELECT payload ->> 'a' FROM song WHERE id = 1900", "1")]).await;
    let refused = migrate("down", &down);
    assert!(refused.stderr.contains("do not say what they were before"), "{}", refused.stderr);
    arrives(&way).await;
}

/// A new type that can be taken back is, half-way and whole.
#[tokio::test(flavor = "multi_thread")]
async fn the_way_back() {
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL DEFAULT 7, \"a$mtm$\"\"b\" INTEGER);
         INSERT INTO t VALUES (1, 2, 3), (2, 4, NULL)",
    )
    .await;
    let mapping = |of: &str| {
        format!(
            "version: 1\nversions_dir: versions\ntables:\n  t:\n    columns: {{n: {{type: {of}, not_null: true, default: 7, \
             check: n > 0}}, 'a$mtm$\"b': {of}}}\n    indexes: [{{name: t_n, columns: [n]}}]\n"
        )
    };
    way.place.write("before.yaml", mapping("integer"));
    way.place.write("after.yaml", mapping("bigint"));
    way.run("apply", &["--mapping", "before.yaml", "--yes"]).ends_with(0);
    let apply = ["--mapping", "after.yaml", "--yes", "--allow", ALLOW];
    way.run("apply", &apply).ends_with(0);
    way.run("plan", &["--mapping", "after.yaml", "--drift", "--exit-code"]).ends_with(0);
    same_schema_as_from_nothing(&way, &mapping("bigint"), "there").await;
    let url = way.target.url.clone();
    let down = ["migrate", "down", "--target", &url, "--mapping", "after.yaml"];
    way.place.mtm(&down).fails(3, &["rewrites-table"]);
    let allowing = ["--allow", "rewrites-table,blocks-reads,blocks-writes,may-fail-on-rows"];
    way.place.mtm(&[&down[..], &allowing].concat()).ends_with(0);
    way.holds(&[(
        "SELECT string_agg(t::text, ' ' ORDER BY id) FROM (SELECT id, n, \"a$mtm$\"\"b\" FROM t) t",
        "(1,2,3) (2,4,)",
    )])
    .await;
    same_schema_as_from_nothing(&way, &mapping("integer"), "and back").await;

    // A target made from the versions alone.
    way.run("apply", &apply).ends_with(0);
    let fresh = crate::support::TestDatabase::new().await;
    way.place.mtm(&["migrate", "up", "--target", &fresh.url, "--mapping", "after.yaml"]).ends_with(0);
    let columns =
        "SELECT string_agg(attname || ' ' || atttypid::regtype, ', ' ORDER BY attname) FROM pg_attribute
                   WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped";
    assert_eq!(fresh.value(columns).await, way.target.value(columns).await);
}
