//! Many writers and many readers at once: nothing is lost, nothing comes twice, nobody is turned away.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use mtm::demo::{SampleOptions, write_sample};

use super::site::{Site, TOKEN, agent, page, sample};
use crate::faults;

/// Writers, and as many readers.
const CLIENTS: usize = 64;

/// The pages that readers go through.
const READ: [&str; 6] = [
    "/machine",
    "/search?q=love",
    "/api/machine?date=2026-06-01&range=long_term",
    "/explore",
    "/playlists",
    "/",
];

/// What the clients saw.
#[derive(Default)]
struct Seen {
    reads: Mutex<Vec<Duration>>,
    writes: Mutex<Vec<Duration>>,
    faults: Mutex<Vec<String>>,
    /// What is stored now, as far as it was sent: the last rank of each place is not known, since writers overlap.
    sent: Mutex<BTreeMap<(String, String), Vec<i64>>>,
}

/// Lets 64 clients write overlapping snapshots while 64 read.
async fn load(span: Duration) {
    let way = sample().await;
    let site = Site::serve_for_writers(&way, &[]);
    let before: u64 = way.target.value("SELECT count(*) FROM snapshots").await.unwrap().parse().unwrap();
    let seen = Seen::default();
    let until = Instant::now() + span;
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (site, seen) = (&site, &seen);
            scope.spawn(move || write(site, client, until, seen));
            scope.spawn(move || read(site, client, until, seen));
        }
    });
    let Seen { reads, writes, faults, sent } = seen;
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{} faults, the first: {}", faults.len(), faults[0]);

    // Recounted against what was sent.
    let sent = sent.into_inner().unwrap();
    let stored = "SELECT string_agg(concat_ws(' ', snapshot_date, track_id, rank), ',') FROM snapshots WHERE snapshot_date < '2011-01-01'";
    let stored = way.target.value(stored).await.unwrap();
    let stored: Vec<(String, String, i64)> = stored
        .split(',')
        .map(|row| {
            let mut parts = row.split(' ').map(str::to_owned);
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap().parse().unwrap())
        })
        .collect();
    assert_eq!(stored.len(), sent.len(), "no row is lost, none comes twice");
    for (day, track, rank) in stored {
        assert!(sent[&(day, track)].contains(&rank), "a rank that nobody sent");
    }
    let after: u64 = way.target.value("SELECT count(*) FROM snapshots").await.unwrap().parse().unwrap();
    assert_eq!(after, before + sent.len() as u64, "what was there is there");

    is_even("reads", reads);
    is_even("writes", writes);
}

/// Asks that the slowest of a hundred took at most ten times the median.
fn is_even(what: &str, took: Mutex<Vec<Duration>>) {
    let (median, p99) = tell(what, took);
    assert!(p99 <= median * 10, "{what}: p99 {p99:?} is over ten times the median, {median:?}");
}

/// Says how long it took, and gives the median and the slowest of a hundred.
fn tell(what: &str, took: Mutex<Vec<Duration>>) -> (Duration, Duration) {
    let mut took = took.into_inner().unwrap();
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    let (median, p99) = (at(0.5), at(0.99));
    faults::tell(&format!(
        "{} {what}: median {median:.1?}, p99 {p99:.1?}, longest {:.1?}",
        took.len(),
        at(1.0)
    ));
    (median, p99)
}

fn write(site: &Site, client: usize, until: Instant, seen: &Seen) {
    let agent = agent();
    let mut turn = 0;
    while Instant::now() < until {
        // Ten tracks out of forty, and four days: every page overlaps with those of others.
        let day = format!("2010-01-0{}", 1 + (client + turn) % 4);
        let names: Vec<String> =
            (0..10).map(|place| format!("load{:02}", (client * 7 + turn * 3 + place) % 40)).collect();
        let tracks: Vec<(&str, &str, &str)> =
            names.iter().map(|name| (name.as_str(), "Loaded", "Many")).collect();
        let begun = Instant::now();
        let answer = agent
            .post(format!("{}/api/snapshots?time_range=short_term&date={day}", site.url))
            .header("Authorization", format!("Bearer {TOKEN}"))
            .header("Content-Type", "application/json")
            .send(page(&tracks).as_bytes());
        match answer {
            Ok(answer) if answer.status() == 201 => {
                seen.writes.lock().unwrap().push(begun.elapsed());
                let mut sent = seen.sent.lock().unwrap();
                for (rank, name) in (1..).zip(names) {
                    sent.entry((day.clone(), name)).or_default().push(rank);
                }
            }
            other => seen.faults.lock().unwrap().push(format!("write: {other:?}")),
        }
        turn += 1;
    }
}

fn read(site: &Site, client: usize, until: Instant, seen: &Seen) {
    let agent = agent();
    let mut turn = client;
    while Instant::now() < until {
        let begun = Instant::now();
        let path = READ[turn % READ.len()];
        let read = |mut answer: ureq::http::Response<ureq::Body>| {
            answer.body_mut().read_to_string().map(|_| answer.status().as_u16())
        };
        match agent.get(format!("{}{path}", site.url)).call().and_then(read) {
            Ok(200) => seen.reads.lock().unwrap().push(begun.elapsed()),
            other => seen.faults.lock().unwrap().push(format!("{path}: {other:?}")),
        }
        turn += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_and_readers_beside_one_another() {
    load(Duration::from_secs(4)).await;
}

/// The whole minute.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a minute; script/test --faults runs it"]
async fn faults_writers_and_readers_for_a_minute() {
    load(Duration::from_secs(60)).await;
}

/// What the site replaces: the same writes and comparable reads on the SQLite file, a connection a thread as the application has
/// them, each waiting for the lock for five seconds. It says how many were turned away.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a minute; script/test --faults runs it"]
async fn faults_the_same_load_on_the_sqlite_file() {
    const TRACK: &str = "INSERT INTO tracks VALUES (?1, 'Loaded', 'Many', 'An album', 200000, NULL, ?2) \
                         ON CONFLICT (track_id) DO UPDATE SET raw_json = excluded.raw_json";
    const PLACE: &str = "INSERT INTO snapshots VALUES (?1, ?2, 'short_term', ?3) \
                         ON CONFLICT (track_id, snapshot_date, time_range) DO UPDATE SET rank = excluded.rank";
    const CHART: &str = "SELECT count(*), max(name) FROM snapshots JOIN tracks USING (track_id) WHERE time_range = 'short_term' \
                         AND snapshot_date = (SELECT max(snapshot_date) FROM snapshots WHERE time_range = 'short_term')";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("music.db");
    write_sample(&path, SampleOptions { tracks: 300, months: 14, seed: 7 }).unwrap();
    let (seen, refused) = (Seen::default(), Mutex::new(0_u64));
    let until = Instant::now() + Duration::from_secs(60);
    let open = || {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        connection
    };
    let timed = |took: &Mutex<Vec<Duration>>, work: &mut dyn FnMut() -> rusqlite::Result<()>| {
        let begun = Instant::now();
        match work() {
            Ok(()) => took.lock().unwrap().push(begun.elapsed()),
            Err(error) => {
                let code = error.sqlite_error_code();
                assert_eq!(code, Some(rusqlite::ErrorCode::DatabaseBusy), "{error}");
                *refused.lock().unwrap() += 1;
            }
        }
    };
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (seen, open, timed) = (&seen, &open, &timed);
            scope.spawn(move || {
                let (mut connection, mut turn) = (open(), 0);
                while Instant::now() < until {
                    let day = format!("2010-01-0{}", 1 + (client + turn) % 4);
                    timed(&seen.writes, &mut || {
                        let transaction =
                            connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                        for place in 0..10 {
                            let track = format!("load{:02}", (client * 7 + turn * 3 + place) % 40);
                            transaction.execute(
                                TRACK,
                                rusqlite::params![track, page(&[(&track, "Loaded", "Many")])],
                            )?;
                            transaction.execute(PLACE, rusqlite::params![track, day, place as i64 + 1])?;
                        }
                        transaction.commit()
                    });
                    turn += 1;
                }
            });
            scope.spawn(move || {
                let connection = open();
                while Instant::now() < until {
                    timed(&seen.reads, &mut || connection.query_row(CHART, [], |_| Ok(())));
                }
            });
        }
    });
    tell("reads of the SQLite file", seen.reads);
    tell("writes to the SQLite file", seen.writes);
    faults::tell(&format!("{} were told that the database is locked", refused.into_inner().unwrap()));
    let stored: i64 = open()
        .query_row("SELECT count(*) FROM snapshots WHERE snapshot_date < '2011'", [], |row| row.get(0))
        .unwrap();
    assert!(stored > 0, "somebody wrote");
}
