use std::{collections::BTreeMap, fs, path::PathBuf};

use rusqlite::{Connection, types::ValueRef};
use tempfile::TempDir;

use super::*;

const QUICK: SourceOptions = SourceOptions { readers: 3, busy_timeout: Duration::from_millis(200) };

struct Sample {
    folder: TempDir,
    path: PathBuf,
}

impl Sample {
    fn of(sql: &str) -> Sample {
        let sample = Sample::empty();
        Connection::open(&sample.path).unwrap().execute_batch(sql).unwrap();
        sample
    }

    fn empty() -> Sample {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sample.db");
        Sample { folder, path }
    }

    fn bytes(bytes: &[u8]) -> Sample {
        let sample = Sample::empty();
        fs::write(&sample.path, bytes).unwrap();
        sample
    }

    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect()
    }

    fn open(&self) -> Result<Source, SourceError> {
        Source::open(&self.path, QUICK)
    }

    fn message(&self) -> String {
        self.open().map(drop).unwrap_err().to_string()
    }
}

fn count(source: &Source) -> Vec<i64> {
    let readers: Vec<_> = (0..source.readers()).map(|_| source.reader()).collect();
    readers.iter().map(|r| r.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()).collect()
}

const TABLE: &str = "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2);";

/// A file with a WAL that nobody has open, as a copy of a live file or a crash leaves it.
fn orphaned_wal() -> Sample {
    let live = Sample::of(&format!("PRAGMA journal_mode = wal; {TABLE}"));
    let writer = Connection::open(&live.path).unwrap();
    writer.execute_batch("INSERT INTO t VALUES (3)").unwrap();
    let copy = Sample::empty();
    fs::copy(&live.path, &copy.path).unwrap();
    fs::copy(header::beside(&live.path, "-wal"), header::beside(&copy.path, "-wal")).unwrap();
    copy
}

#[test]
fn a_file_with_a_rollback_journal_is_read_in_place() {
    let sample = Sample::of(TABLE);
    let before = sample.files();
    let source = sample.open().unwrap();
    assert_eq!((count(&source), source.journal_mode(), source.encoding()), (vec![2; 3], "delete", "UTF-8"));
    assert!(source.reader().execute_batch("INSERT INTO t VALUES (9)").is_err());
    // While it is held, nobody commits.
    let writer = Connection::open(&sample.path).unwrap();
    writer.busy_timeout(Duration::ZERO).unwrap();
    assert!(writer.execute_batch("INSERT INTO t VALUES (9)").is_err());
    drop(writer);
    drop(source);
    assert_eq!(sample.files(), before);
}

#[test]
fn a_wal_without_its_index_is_honoured_and_left_alone() {
    let sample = orphaned_wal();
    let before = sample.files();
    assert_eq!(before.len(), 2);
    let source = sample.open().unwrap();
    assert_eq!((count(&source), source.journal_mode()), (vec![3; 3], "wal"));
    assert_eq!(sample.files(), before);
    drop(source);
    assert_eq!(sample.files(), before);
}

#[test]
fn a_file_in_wal_mode_without_a_wal_stays_as_it_is() {
    let sample = Sample::of(&format!("PRAGMA journal_mode = wal; {TABLE}"));
    let before = sample.files();
    assert_eq!(before.len(), 1);
    let source = sample.open().unwrap();
    assert_eq!(count(&source), vec![2; 3]);
    drop(source);
    assert_eq!(sample.files(), before);
}

#[test]
fn a_writer_in_wal_mode_goes_on_and_is_not_seen() {
    let sample = Sample::of(&format!("PRAGMA journal_mode = wal; {TABLE}"));
    let writer = Connection::open(&sample.path).unwrap();
    writer.execute_batch("INSERT INTO t VALUES (3)").unwrap();
    let source = sample.open().unwrap();
    writer.execute_batch("INSERT INTO t VALUES (4)").unwrap();
    assert_eq!(count(&source), vec![3; 3]);
    let wal = fs::read(header::beside(&sample.path, "-wal")).unwrap();
    drop(source);
    assert_eq!(fs::read(header::beside(&sample.path, "-wal")).unwrap(), wal);
    assert_eq!(writer.query_row("SELECT count(*) FROM t", [], |row| row.get(0)), Ok(4));
}

#[test]
fn a_writer_that_comes_later_keeps_its_wal() {
    let sample = Sample::of(&format!("PRAGMA journal_mode = wal; {TABLE}"));
    let source = sample.open().unwrap();
    let writer = Connection::open(&sample.path).unwrap();
    writer.execute_batch("INSERT INTO t VALUES (3)").unwrap();
    assert_eq!(count(&source), vec![2; 3]);
    drop(source);
    writer.execute_batch("INSERT INTO t VALUES (4)").unwrap();
    drop(writer);
    assert_eq!(count(&sample.open().unwrap()), vec![4; 3]);
}

#[test]
fn a_locked_file_says_so() {
    let sample = Sample::of(&format!("PRAGMA journal_mode = delete; {TABLE}"));
    let writer = Connection::open(&sample.path).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let error = sample.open().map(drop).unwrap_err();
    assert!(matches!(error, SourceError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("waited 200ms"), "{error}");
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(count(&sample.open().unwrap()), vec![2; 3]);
}

#[test]
fn a_wal_with_an_open_write_transaction_has_one_reader() {
    let sample = Sample::of(&format!("PRAGMA journal_mode = wal; {TABLE}"));
    let writer = Connection::open(&sample.path).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (3)").unwrap();
    let source = sample.open().unwrap();
    assert_eq!(source.readers(), 1);
    assert_eq!(source.reader().query_row("SELECT count(*) FROM t", [], |row| row.get(0)), Ok(2));
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(source.reader().query_row("SELECT count(*) FROM t", [], |row| row.get(0)), Ok(2));
}

#[test]
fn a_hot_journal_is_not_played_back() {
    let live = Sample::of(&format!(
        "{TABLE} CREATE TABLE u (b); INSERT INTO u SELECT randomblob(3000) FROM t, t, t, t;"
    ));
    let writer = Connection::open(&live.path).unwrap();
    writer
        .execute_batch("PRAGMA cache_size = 1; BEGIN; UPDATE u SET b = randomblob(3000); DELETE FROM t;")
        .unwrap();
    let crashed = Sample::empty();
    fs::copy(&live.path, &crashed.path).unwrap();
    fs::copy(header::beside(&live.path, "-journal"), header::beside(&crashed.path, "-journal")).unwrap();
    let before = crashed.files();
    let error = crashed.open().map(drop).unwrap_err();
    assert!(matches!(error, SourceError::HotJournal { .. }), "{error}");
    assert_eq!(crashed.files(), before);
}

#[test]
fn what_is_no_database_has_a_reason_each() {
    let mut random = Vec::new();
    let mut state = 1_u64;
    while random.len() < 8192 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random.push(u8::try_from(state >> 56).unwrap());
    }
    let database = fs::read(&Sample::of(TABLE).path).unwrap();
    let mut newer = database.clone();
    newer[47] = 9;
    let mut damaged = database.clone();
    damaged[100..200].fill(0xff);
    for (bytes, expected) in [
        (Vec::new(), "is empty (0 bytes)"),
        (b"hello, world\n".to_vec(), "it looks like text"),
        ([b"\x1f\x8b".as_slice(), &random].concat(), "gunzip"),
        (random, "looks encrypted"),
        (database[..4096].to_vec(), "is truncated: its header counts 8192 bytes, the file has 4096"),
        (database[..50].to_vec(), "is truncated"),
        (newer, "file format that this program's SQLite"),
        (damaged, "is damaged"),
    ] {
        let message = Sample::bytes(&bytes).message();
        assert!(message.contains(expected), "{message}");
        assert!(message.contains("sample.db"), "{message}");
    }
    let sample = Sample::empty();
    assert!(sample.message().contains("there is no such file"));
    fs::create_dir(&sample.path).unwrap();
    assert!(sample.message().contains("is a directory"));
}

#[test]
fn a_malformed_schema_is_named() {
    let sample = Sample::of(
        "CREATE TABLE t (a); PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = 'CREATE TABLE t (';",
    );
    let error = sample.open().map(drop).unwrap_err();
    assert!(matches!(error, SourceError::MalformedSchema { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let sample = Sample::of(TABLE);
    fs::set_permissions(&sample.path, fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser may read it all the same.
    if fs::File::open(&sample.path).is_err() {
        assert!(sample.message().contains("no permission"));
    } else {
        assert!(sample.open().is_ok());
    }
    let error = SourceError::of_io(&sample.path, std::io::ErrorKind::PermissionDenied.into());
    assert!(error.to_string().contains("no permission to read it"));
}

#[test]
fn text_of_utf_16_that_has_no_utf_8_form_stays_as_bytes() {
    for (encoding, lone) in [("UTF-16le", [0x00, 0xd8, 0x41, 0x00]), ("UTF-16be", [0xd8, 0x00, 0x00, 0x41])] {
        let sample =
            Sample::of(&format!("PRAGMA encoding = '{encoding}'; CREATE TABLE t (a TEXT COLLATE NOCASE)"));
        let writer = Connection::open(&sample.path).unwrap();
        writer.execute("INSERT INTO t VALUES ('Müßig 音😀')", []).unwrap();
        writer.execute("INSERT INTO t VALUES (CAST(? AS TEXT))", [&lone[..]]).unwrap();
        writer.execute("INSERT INTO t VALUES (NULL), (7)", []).unwrap();
        drop(writer);
        let source = sample.open().unwrap();
        assert_eq!(source.encoding(), encoding);
        let reader = source.reader();
        let mut statement =
            reader.prepare(&format!("SELECT {} FROM t NOT INDEXED", source.cell("a"))).unwrap();
        let mut rows = statement.query([]).unwrap();
        for expected in [
            ValueRef::Text("Müßig 音😀".as_bytes()),
            ValueRef::Blob(&lone),
            ValueRef::Null,
            ValueRef::Text(b"7"),
        ] {
            assert_eq!(rows.next().unwrap().unwrap().get_ref(0).unwrap(), expected, "{encoding}");
        }
    }
}

#[test]
fn readers_are_lent_to_threads_and_come_back() {
    let sample = Sample::of(TABLE);
    let source = sample.open().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let reader = source.reader();
                assert_eq!(reader.query_row("SELECT count(*) FROM t", [], |row| row.get(0)), Ok(2));
            });
        }
    });
    assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
}
