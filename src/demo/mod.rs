//! A sample Music Time Machine: the SQLite file that `mtm demo` migrates.
//!
//! It exists so that everything can be tried without one's own listening history. In comes a seed; out comes a file with
//! the application's two tables, payloads of every generation, charts in which tracks come and go, and the awkward but
//! legal rows that real files have: no link, `'{}'` or no payload, names in every script, release dates of a year alone.
//! The same options always give the same bytes.

mod catalogue;
mod charts;
mod payload;
mod python_json;
mod random;
mod words;

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use jiff::{ToSpan, civil::Date};
use rusqlite::{Connection, OpenFlags, Transaction, params};
use thiserror::Error;

use self::{catalogue::TrackRow, charts::Place, random::Random};

/// The day of the last snapshot. A constant, since the sample must not change from one day to the next.
pub const LAST_SNAPSHOT: Date = jiff::civil::date(2026, 11, 20);

const SCHEMA: &str = include_str!("sample.sql");

/// Weeks in a hundred months, rounded up: 4.3482 a month (52.1775 a year).
const WEEKS_IN_100_MONTHS: u16 = 435;

/// A century: beyond it the sample's dates would leave the years that people write.
const MOST_MONTHS: u16 = 1_200;

/// How large a sample is, and which.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SampleOptions {
    /// Rows of `tracks`.
    pub tracks: usize,
    /// Months from the first weekly snapshot to the last, [`LAST_SNAPSHOT`]; a century at most.
    pub months: u32,
    /// Which of the samples of that size.
    pub seed: u64,
}

impl Default for SampleOptions {
    /// Large enough that every question has an answer, small enough to be made in an instant.
    fn default() -> SampleOptions {
        SampleOptions { tracks: 1_200, months: 20, seed: 25 }
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SampleSummary {
    /// Rows of `tracks`.
    pub tracks: usize,
    /// Rows of `snapshots`.
    pub snapshots: usize,
    /// The day of the first snapshot.
    pub first_snapshot: Date,
    /// The day of the last.
    pub last_snapshot: Date,
}

/// Why the sample could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DemoError {
    /// Somebody is using the file that is to be replaced, or a crash left it half-written.
    #[error(
        "{path} is in use: {sidecar} is beside it; close what has it open, or remove both, and try again"
    )]
    InUse {
        /// The sample's file.
        path: PathBuf,
        /// SQLite's journal or write-ahead log.
        sidecar: PathBuf,
    },
    /// SQLite could not write it.
    #[error(
        "could not write the sample {path}; check that there is room, and that its directory may be written"
    )]
    Sqlite {
        /// The sample's file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// The finished file could not be put in its place.
    #[error(
        "could not put the sample in its place, {path}; check that its directory exists and may be written"
    )]
    Io {
        /// The sample's file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A payload could not be written as JSON.
    #[error("could not write a sample payload as JSON; this is a mistake in mtm itself, please report it")]
    Payload(#[source] serde_json::Error),
}

/// Writes a sample Music Time Machine, the same bytes for the same options. A file that is there is replaced, at once and
/// whole.
///
/// # Errors
/// [`DemoError`]: the file is in use, or cannot be written.
pub fn write_sample(path: &Path, options: SampleOptions) -> Result<SampleSummary, DemoError> {
    // SQLite would apply a log to whatever file of that name it finds.
    for suffix in ["-wal", "-journal"] {
        let sidecar = with_suffix(path, suffix);
        if sidecar.exists() {
            return Err(DemoError::InUse { path: path.to_owned(), sidecar });
        }
    }
    let mut random = Random::new(options.seed);
    let tracks = catalogue::tracks(options.tracks, &mut random).map_err(DemoError::Payload)?;
    let weeks = weeks_in(options.months) + 1;
    let places = charts::places(tracks.len(), weeks, &mut random);

    let unfinished = with_suffix(path, ".unfinished");
    remove_if_there(&unfinished).map_err(|source| DemoError::Io { path: path.to_owned(), source })?;
    let written = write_file(&unfinished, &tracks, &places, weeks)
        .map_err(|source| DemoError::Sqlite { path: path.to_owned(), source })
        .and_then(|()| {
            fs::rename(&unfinished, path).map_err(|source| DemoError::Io { path: path.to_owned(), source })
        });
    if written.is_err() {
        // The first error is the one to tell.
        remove_if_there(&unfinished).ok();
    }
    written?;
    Ok(SampleSummary {
        tracks: tracks.len(),
        snapshots: places.len(),
        first_snapshot: date_of(0, weeks),
        last_snapshot: LAST_SNAPSHOT,
    })
}

fn write_file(path: &Path, tracks: &[TrackRow], places: &[Place], weeks: usize) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = Connection::open_with_flags(path, flags)?;
    // Nobody else knows the file yet, and a failed one is removed: there is nothing to roll back to.
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA foreign_keys = ON")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    insert_tracks(&transaction, tracks)?;
    insert_snapshots(&transaction, tracks, places, weeks)?;
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)
}

fn insert_tracks(transaction: &Transaction<'_>, tracks: &[TrackRow]) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare("INSERT INTO tracks VALUES (?, ?, ?, ?, ?, ?, ?)")?;
    for track in tracks {
        let duration_ms = track.duration_ms.and_then(|duration_ms| i64::try_from(duration_ms).ok());
        insert.execute(params![
            track.track_id,
            track.name,
            track.artist_name,
            track.album_name,
            duration_ms,
            track.spotify_url,
            track.raw_json,
        ])?;
    }
    Ok(())
}

fn insert_snapshots(
    transaction: &Transaction<'_>,
    tracks: &[TrackRow],
    places: &[Place],
    weeks: usize,
) -> rusqlite::Result<()> {
    let dates: Vec<String> = (0..weeks).map(|week| date_of(week, weeks).to_string()).collect();
    let mut insert = transaction.prepare("INSERT INTO snapshots VALUES (?, ?, ?, ?)")?;
    for place in places {
        let rank = i64::try_from(place.rank).unwrap_or(i64::MAX);
        insert.execute(params![tracks[place.track].track_id, dates[place.week], place.time_range, rank])?;
    }
    Ok(())
}

fn weeks_in(months: u32) -> usize {
    let months = usize::try_from(months).unwrap_or(usize::MAX).min(usize::from(MOST_MONTHS));
    (months * usize::from(WEEKS_IN_100_MONTHS)).div_ceil(100)
}

/// The day of a week's snapshot.
fn date_of(week: usize, weeks: usize) -> Date {
    let weeks_ago = i32::try_from(weeks.saturating_sub(week + 1)).unwrap_or(i32::MAX);
    LAST_SNAPSHOT.saturating_sub(weeks_ago.weeks())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn sample(options: SampleOptions) -> (tempfile::TempDir, PathBuf, SampleSummary) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("demo.db");
        let summary = write_sample(&path, options).unwrap();
        (directory, path, summary)
    }

    fn count(connection: &Connection, sql: &str) -> i64 {
        connection.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    #[test]
    fn same_options_give_the_same_bytes_and_another_seed_others() {
        let small = SampleOptions { tracks: 150, months: 3, seed: 1 };
        let bytes = |options| {
            let (_directory, path, _) = sample(options);
            fs::read(path).unwrap()
        };
        let first = bytes(small);
        assert!(first == bytes(small));
        assert!(first != bytes(SampleOptions { seed: 2, ..small }));
    }

    #[test]
    fn default_sample_is_large_enough_and_made_in_an_instant() {
        let began = Instant::now();
        let (_directory, path, summary) = sample(SampleOptions::default());
        // A second is the aim; a machine under load gets some more.
        assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
        assert_eq!(summary.tracks, 1_200);
        let connection = Connection::open(path).unwrap();
        assert_eq!(count(&connection, "SELECT count(*) FROM tracks"), 1_200);
        let snapshots = count(&connection, "SELECT count(*) FROM snapshots");
        assert_eq!(snapshots, i64::try_from(summary.snapshots).unwrap());
        let span = "SELECT julianday(max(snapshot_date)) - julianday(min(snapshot_date)) FROM snapshots";
        assert!(count(&connection, &format!("SELECT CAST(({span}) AS INTEGER)")) >= 20 * 30);
        let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(integrity, "ok");
        assert_eq!(count(&connection, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    }

    /// Each question that the application asks has an answer in the sample.
    #[test]
    fn listening_history_is_alive() {
        let (_directory, path, summary) = sample(SampleOptions::default());
        let connection = Connection::open(path).unwrap();
        let last = summary.last_snapshot.to_string();
        let before = date_of(0, 2).to_string();
        let lately = summary.last_snapshot.saturating_sub(90.days()).to_string();
        let long_ago = summary.last_snapshot.saturating_sub(365.days()).to_string();
        let cases = [
            (
                "tracks that ever charted",
                900,
                1_200,
                "SELECT count(DISTINCT track_id) FROM snapshots".to_owned(),
            ),
            (
                "latest short_term chart",
                50,
                50,
                format!(
                    "SELECT count(*) FROM snapshots WHERE time_range = 'short_term' AND snapshot_date = '{last}'"
                ),
            ),
            (
                "turnover of the latest chart, in tracks",
                3,
                25,
                format!(
                    "SELECT count(*) FROM snapshots WHERE time_range = 'short_term' AND snapshot_date = '{last}' AND track_id \
                 NOT IN (SELECT track_id FROM snapshots WHERE time_range = 'short_term' AND snapshot_date = '{before}')"
                ),
            ),
            (
                "recent discoveries",
                3,
                25,
                format!(
                    "SELECT count(*) FROM (SELECT track_id FROM snapshots GROUP BY 1 HAVING min(snapshot_date) = '{last}')"
                ),
            ),
            (
                "forgotten gems",
                20,
                400,
                format!(
                    "SELECT count(DISTINCT track_id) FROM snapshots WHERE rank <= 20 AND time_range <> 'long_term' AND \
                 snapshot_date BETWEEN '{long_ago}' AND '{lately}' AND track_id NOT IN \
                 (SELECT track_id FROM snapshots WHERE snapshot_date > '{lately}')"
                ),
            ),
            ("snapshots that are no rank", 0, 0, "SELECT count(*) FROM snapshots WHERE rank < 1".to_owned()),
        ];
        for (what, least, most, sql) in cases {
            let found = count(&connection, &sql);
            assert!((least..=most).contains(&found), "{what}: {found}");
        }
    }

    /// Each kind of row that the reference of the application names is in the sample.
    #[test]
    fn awkward_but_legal_rows_are_there() {
        let (_directory, path, _) = sample(SampleOptions::default());
        let connection = Connection::open(path).unwrap();
        for condition in [
            "spotify_url IS NULL",
            "raw_json = '{}'",
            "raw_json IS NULL AND album_name IS NULL AND duration_ms IS NULL",
            "name = '夜に駆ける'",
            "raw_json LIKE '%\\u____%'",
            "unicode(name) > 1000 AND instr(raw_json, '\"name\": \"' || name || '\"') > 0",
            "name LIKE '%Группа%'",
            "name LIKE '%أنت%'",
            "name LIKE '%🎧%'",
            "name LIKE '%\"%' AND raw_json LIKE '%\\\"%'",
            "name LIKE '%\\%'",
            "name = ''",
            "length(name) > 255",
            "raw_json ->> '$.album.release_date_precision' = 'year' AND length(raw_json ->> '$.album.release_date') = 4",
            "raw_json ->> '$.album.release_date_precision' = 'month'",
            "raw_json ->> '$.album.album_type' = 'ALBUM'",
            "raw_json -> '$.external_ids' = '{}'",
            "raw_json ->> '$.is_local' = 1 AND spotify_url IS NULL",
            "raw_json ->> '$.explicit' = 1",
            "json_array_length(raw_json -> '$.available_markets') = 79",
            "json_array_length(raw_json -> '$.available_markets') = 183",
            "length(raw_json) > 3500",
            "raw_json -> '$.preview_url' = 'null'",
        ] {
            assert!(
                count(&connection, &format!("SELECT count(*) FROM tracks WHERE {condition}")) > 0,
                "{condition}"
            );
        }
        let broken = "SELECT count(*) FROM tracks WHERE raw_json IS NOT NULL AND NOT json_valid(raw_json)";
        assert_eq!(count(&connection, broken), 0);
        assert_eq!(count(&connection, "SELECT count(*) FROM tracks WHERE length(track_id) > 64"), 0);
    }

    #[test]
    fn file_that_is_there_is_replaced_unless_it_is_in_use() {
        let (_directory, path, _) = sample(SampleOptions { tracks: 10, months: 1, seed: 1 });
        let other = SampleOptions { tracks: 20, months: 1, seed: 1 };
        let sidecar = with_suffix(&path, "-wal");
        fs::write(&sidecar, "").unwrap();
        let refusal = write_sample(&path, other).unwrap_err();
        assert!(matches!(refusal, DemoError::InUse { .. }), "{refusal}");
        assert_eq!(count(&Connection::open(&path).unwrap(), "SELECT count(*) FROM tracks"), 10);
        fs::remove_file(sidecar).unwrap();
        assert_eq!(write_sample(&path, other).unwrap().tracks, 20);
        assert_eq!(count(&Connection::open(&path).unwrap(), "SELECT count(*) FROM tracks"), 20);
    }

    #[test]
    fn failure_names_the_file_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let absent = directory.path().join("no such directory/demo.db");
        let refusal = write_sample(&absent, SampleOptions { tracks: 10, months: 1, seed: 1 }).unwrap_err();
        assert!(refusal.to_string().contains("no such directory"), "{refusal}");
        let taken = directory.path().join("taken");
        fs::create_dir_all(taken.join("full")).unwrap();
        write_sample(&taken, SampleOptions { tracks: 10, months: 1, seed: 1 }).unwrap_err();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no unfinished file stays");
    }

    #[test]
    fn extremes_are_no_trouble() {
        for options in [
            SampleOptions { tracks: 0, months: 0, seed: 0 },
            SampleOptions { tracks: 3, months: 0, seed: u64::MAX },
            SampleOptions { tracks: 0, months: u32::MAX, seed: 0 },
        ] {
            let (_directory, _path, summary) = sample(options);
            assert_eq!(summary.tracks, options.tracks);
        }
    }
}
