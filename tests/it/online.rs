//! Changes of a table that others write to meanwhile: nobody waits.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{command::Way, faults::tell};

/// Writers at the same time, and transactions a second of all of them together: more would only show how many processors there
/// are.
const CLIENTS: u32 = 32;
const RATE: u32 = 300;

/// How long a writer may wait for a lock. The server itself watches over it: who waits longer gets an error.
const PATIENCE_MILLISECONDS: u32 = 200;

const BEFORE: &str = "version: 1\n";
const AFTER: &str = "version: 1
tables:
  snapshots:
    columns:
      rank: {type: bigint, not_null: true, check: \"rank > 0\"}
    add_columns:
      note: text
      made: {type: timestamptz, default: now(), not_null: true}
    indexes:
      - {name: snapshots_day, columns: [day, rank]}
    foreign_keys:
      - {columns: [track], references: {table: tracks}}
";

/// A program of PostgreSQL's, where Debian or the `PATH` has it.
fn program(name: &str) -> PathBuf {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = std::env::split_paths(&paths).chain(versions.map(|version| version.path().join("bin")));
    let found = folders.map(|folder| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is not here; it comes with PostgreSQL's server programs"))
}

/// Writers that are at work until they are told to end.
struct Writers {
    child: std::process::Child,
    folder: tempfile::TempDir,
}

impl Writers {
    fn begin(url: &str) -> Writers {
        let folder = tempfile::tempdir().unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pgbench/write.sql");
        let (clients, rate) = (CLIENTS.to_string(), RATE.to_string());
        let mut command = Command::new(program("pgbench"));
        command
            .args([
                "--no-vacuum",
                "--client",
                &clients,
                "--jobs",
                "2",
                "--rate",
                &rate,
                "--time",
                "120",
                "--log",
            ])
            .args(["--file", script, url])
            .current_dir(folder.path())
            .env("PGOPTIONS", format!("-c lock_timeout={PATIENCE_MILLISECONDS}"))
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("errors")).unwrap());
        Writers { child: command.spawn().unwrap(), folder }
    }

    /// The time that each transaction took, as far as it is written down by now.
    fn latencies(&self) -> Vec<Duration> {
        let files = fs::read_dir(self.folder.path()).unwrap().flatten();
        let logs = files.filter(|file| file.file_name().to_string_lossy().starts_with("pgbench_log"));
        let text: String = logs.map(|log| fs::read_to_string(log.path()).unwrap()).collect();
        let whole = text.lines().filter(|line| line.split(' ').count() >= 6);
        // client, transaction, microseconds, script, time of the end, its microseconds, lag behind the schedule
        whole.filter_map(|line| line.split(' ').nth(2)?.parse().ok()).map(Duration::from_micros).collect()
    }

    /// Ends them; gives what they complained of.
    fn end(mut self) -> (Vec<Duration>, String) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        (self.latencies(), fs::read_to_string(self.folder.path().join("errors")).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_writer_waits_for_a_change() {
    let way = Way::from_sql(
        "CREATE TABLE tracks (id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE snapshots (id INTEGER PRIMARY KEY, track INTEGER, day TEXT, rank INTEGER);
        WITH RECURSIVE k (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 100000)
        INSERT INTO snapshots SELECT i, i % 1000 + 1, 'day ' || i, i % 50 + 1 FROM k;
        INSERT INTO tracks SELECT id, 'track ' || id FROM snapshots WHERE id <= 1000;",
    )
    .await;
    let mapping = |text| way.place.write("types.yaml", text).to_str().unwrap().to_owned();
    way.run("apply", &["--mapping", &mapping(BEFORE), "--yes"]).ends_with(0);
    let writers = Writers::begin(&way.target.url);
    let asked = Instant::now();
    while writers.latencies().len() < 200 {
        assert!(asked.elapsed() < Duration::from_secs(60), "the writers do not write");
        sleep(Duration::from_millis(50)).await;
    }
    let begun = Instant::now();
    let allowing = ["--yes", "--allow", "may-fail-on-rows,builds-index"];
    way.run("apply", &[&["--mapping", &mapping(AFTER)], &allowing[..]].concat()).ends_with(0);
    let took = begun.elapsed();
    let written = writers.latencies().len();
    let (mut latencies, errors) = writers.end();
    latencies.sort();
    let median = latencies[latencies.len() / 2];
    tell(&format!(
        "{CLIENTS} writers, {} transactions beside a change of {took:.1?}: median {median:.1?}, longest {:.1?}, of which no \
         wait for a lock was longer than {PATIENCE_MILLISECONDS} ms",
        latencies.len(),
        latencies.last().unwrap()
    ));
    assert!(!errors.contains("ERROR"), "{errors}");
    assert!(written > 200, "nobody wrote meanwhile: {written}");
    way.run("plan", &["--mapping", &mapping(AFTER), "--exit-code"]).ends_with(0);
}

/// Who has a lock for long is made way for, and the change is made when it is free.
#[tokio::test(flavor = "multi_thread")]
async fn change_makes_way_for_who_has_the_lock() {
    use sqlx::{Connection, Executor, PgConnection};
    let way =
        Way::from_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a')").await;
    way.goes_through();
    let mapping = way.place.write("types.yaml", "version: 1\ntables:\n  t:\n    add_columns: {note: text}\n");
    let mut session = PgConnection::connect(&way.target.url).await.unwrap();
    session.execute("BEGIN; SELECT * FROM t").await.unwrap();
    let mut apply = way.command("apply", &["--mapping", mapping.to_str().unwrap(), "--yes"]).spawn().unwrap();
    // Longer than the change waits for its lock; it has given up once by then, and comes again.
    let mut other = PgConnection::connect(&way.target.url).await.unwrap();
    let asked = Instant::now();
    let waiting = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 't'::regclass";
    let mut seen = [false, false];
    while seen != [true, true] {
        let waits: bool = sqlx::query_scalar(waiting).fetch_one(&mut other).await.unwrap();
        seen = [seen[0] || waits, seen[1] || seen[0] && !waits];
        assert!(asked.elapsed() < Duration::from_secs(30), "it waits for ever, or not at all: {seen:?}");
        sleep(Duration::from_millis(20)).await;
    }
    session.execute("COMMIT").await.unwrap();
    assert!(apply.wait().unwrap().success());
    way.holds(&[(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'note'",
        "1",
    )])
    .await;
}
