//! Another program writes to the SQLite file while its rows are copied: what arrives is one snapshot, and the report says
//! which.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;

use crate::command::Way;

/// Two tables whose sums agree in every state that was ever committed.
const SQL: &str = "CREATE TABLE one (id INTEGER PRIMARY KEY, v TEXT, filler TEXT); CREATE TABLE other (id INTEGER PRIMARY KEY); \
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO one SELECT i, 'v' || i, hex(zeroblob(500)) FROM n; \
    INSERT INTO other SELECT id FROM one;";

/// Inserts a row into both tables in each transaction, until it is told to stop.
struct Writer {
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU32>,
}

impl Writer {
    fn start(path: PathBuf) -> Writer {
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (stopped, count) = (Arc::clone(&stop), Arc::clone(&written));
        let thread = std::thread::spawn(move || {
            let connection = Connection::open(path).unwrap();
            connection.busy_timeout(Duration::from_millis(50)).unwrap();
            let sql = "BEGIN IMMEDIATE; INSERT INTO one (v) VALUES ('new'); INSERT INTO other DEFAULT VALUES; COMMIT";
            while !stopped.load(Ordering::Relaxed) {
                // While the file is read it may be busy: then nothing is written.
                match connection.execute_batch(sql) {
                    Ok(()) => _ = count.fetch_add(1, Ordering::Relaxed),
                    Err(_) if !connection.is_autocommit() => connection.execute_batch("ROLLBACK").unwrap(),
                    Err(_) => {}
                }
                // As a program does that is at work, and lets others in.
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        Writer { thread: Some(thread), stop, written }
    }

    fn written(&self) -> u32 {
        self.written.load(Ordering::Relaxed)
    }

    fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

async fn copied_while_written(journal_mode: &str, said: &str) -> (u32, u32) {
    let way = Way::from_sql(SQL).await;
    let source = Connection::open(&way.source).unwrap();
    source.pragma_update(None, "journal_mode", journal_mode).unwrap();
    let writer = Writer::start(way.source.clone());
    while writer.written() < 3 {
        std::thread::yield_now();
    }
    let before = writer.written();
    let done = way.run("apply", &["--yes", "--jobs", "2"]).ends_with(0);
    let after = writer.written();
    writer.stop();
    done.says(&["one snapshot of the source", said]);
    // One state: both tables say the same, and what the audit has counted is what is there.
    way.holds(&[
        ("SELECT (SELECT max(id) FROM one) = (SELECT max(id) FROM other)", "true"),
        ("SELECT (SELECT count(*) FROM one) = (SELECT count(*) FROM other)", "true"),
        ("SELECT bool_and(rows_written > 5000) FROM mtm.copied", "true"),
        ("SELECT (SELECT count(*) FROM one) = (SELECT rows_written FROM mtm.copied WHERE table_name = 'one')", "true"),
    ])
    .await;
    (before, after)
}

#[tokio::test(flavor = "multi_thread")]
async fn writer_with_a_log_goes_on_beside_the_copy() {
    let (before, after) = copied_while_written("wal", "write-ahead log").await;
    assert!(after > before + 3, "nothing was written meanwhile: {before}, {after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn writer_with_a_rollback_journal_waits_for_the_copy() {
    let (before, after) = copied_while_written("delete", "rollback journal: who writes waits").await;
    // It may have come through before the readers had begun, and after they were done.
    assert!(after >= before);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_write_leaves_one_reader() {
    let way = Way::from_sql(SQL).await;
    let source = Connection::open(&way.source).unwrap();
    source.pragma_update(None, "journal_mode", "wal").unwrap();
    source.execute_batch("BEGIN IMMEDIATE; INSERT INTO other VALUES (1000000)").unwrap();
    let done = way.run("apply", &["--yes", "--jobs", "2"]).ends_with(0);
    done.says(&["another program has a write open, which is not in it"]);
    way.holds(&[("SELECT count(*) FROM other", "5000")]).await;
    source.execute_batch("COMMIT").unwrap();
    // Told apart from a wrong target.
    way.run("verify", &[]).ends_with(4);
}
