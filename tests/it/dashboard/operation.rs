//! Running it: health, metrics, the pool when it is exhausted, a database that goes away and comes back, the end.

use std::time::{Duration, Instant};

use sqlx::{Connection, Executor, PgConnection};

use super::site::{Site, page, refused, sample, with_rows};
use crate::{
    command::{Way, Workplace},
    local::Scratch,
    support::TestDatabase,
};

/// Waits until the database answers a question so.
async fn until(way: &Way, sql: &str, answer: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while way.target.value(sql).await.as_deref() != Some(answer) {
        assert!(Instant::now() < deadline, "{sql} is never {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_is_who_has_every_version() {
    let place = Workplace::new();
    place.write("mappings/types.yaml", include_str!("../../../mappings/types.yaml"));
    let version = "migration/versions/m20261123_000000_music_time_machine";
    for section in ["pre-data.sql", "post-data.sql", "down.sql"] {
        let text =
            std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(version).join(section))
                .unwrap();
        place.write(&format!("{version}/{section}"), text);
    }
    let target = TestDatabase::new().await;
    place.mtm(&["migrate", "up", "--target", &target.url]).ends_with(0);
    let site = Site::serve(&place, &target.url, &[]);
    site.get("/healthz").is(200);
    assert_eq!(site.get("/readyz").is(200).json()["ready"], true);
    let later = "migration/versions/m20261201_000000_more";
    place.write(
        &format!("{later}/pre-data.sql"),
        "-- step\nALTER TABLE \"tracks\" ADD COLUMN \"more\" text;\n",
    );
    place.write(&format!("{later}/post-data.sql"), "");
    place.write(&format!("{later}/down.sql"), "-- step\nALTER TABLE \"tracks\" DROP COLUMN \"more\";\n");
    let newer = Site::serve(&place, &target.url, &[]);
    let readiness = newer.get("/readyz").is(503).json();
    assert_eq!(readiness["pending_versions"], serde_json::json!(["m20261201_000000_more"]), "{readiness}");
    newer.get("/healthz").is(200);
    place.mtm(&["migrate", "up", "--target", &target.url]).ends_with(0);
    assert_eq!(newer.get("/readyz").is(200).json()["ready"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_requests_and_questions() {
    let way = sample().await;
    let site = Site::serve(&way.place, &way.target.url, &[("MTM_POOL_MAX", "7"), ("MTM_LOG_FORMAT", "json")]);
    site.get("/machine");
    site.get("/tracks/nobody");
    site.get("/search?q=secretword");
    let metrics = site.get("/metrics").is(200);
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let metrics = metrics.says(&[
        "mtm_http_requests_total{route=\"/machine\",method=\"GET\",status=\"200\"} 1",
        "mtm_http_requests_total{route=\"/tracks/{track_id}\",method=\"GET\",status=\"404\"} 1",
        "mtm_http_request_duration_seconds_bucket{route=\"/machine\",le=\"0.25\"}",
        "mtm_query_duration_seconds_count{query=\"machine.chart\"} 2",
        "mtm_pool_max_sessions 7",
        "mtm_pool_sessions{state=\"idle\"}",
        "# TYPE mtm_http_requests_total counter",
    ]);
    assert!(!metrics.text.contains("nobody"), "a path's values are no labels");
    // The log is a JSON object a line, and does not say what somebody looked for.
    let log = site.log();
    let line = log.lines().find(|line| line.contains("\"/machine\"")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&line["route"], &line["status"], &line["method"]),
        (&"/machine".into(), &200.into(), &"GET".into())
    );
    assert!(!log.contains("secretword"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_the_pool_exhausted_is_told_to_come_again() {
    let way = with_rows("").await;
    let site = Site::serve_for_writers(
        &way,
        &[("MTM_POOL_MIN", "0"), ("MTM_POOL_MAX", "2"), ("MTM_POOL_ACQUIRE_TIMEOUT", "1s")],
    );
    // What is counted ahead has come to its end, and needs no session any more.
    site.wait("the last count", |site| {
        site.get("/metrics").text.contains("query=\"playlists.current_rotation\"")
    });
    // Somebody holds the table, and two writers wait for it with every session there is.
    let mut holder = PgConnection::connect(&way.target.url).await.unwrap();
    holder.execute("BEGIN; LOCK TABLE tracks IN ACCESS EXCLUSIVE MODE").await.unwrap();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|number| {
                let site = &site;
                scope.spawn(move || {
                    site.send(
                        "time_range=short_term&date=2026-01-31",
                        &page(&[(&format!("t{number}"), "T", "X")]),
                    )
                })
            })
            .collect();
        let runtime = tokio::runtime::Handle::current();
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE 'INSERT%'";
        tokio::task::block_in_place(|| runtime.block_on(until(&way, waiting, "2")));
        let busy = site.get("/machine").is(503);
        assert_eq!(busy.header("retry-after"), Some("2"));
        let busy = busy.says(&["every session with the database is in use"]);
        assert!(busy.text.contains("<h1>Busy</h1>"));
        assert_eq!(site.get("/api/machine").is(503).json()["status"], 503);
        site.get("/healthz").is(200);
        tokio::task::block_in_place(|| runtime.block_on(holder.execute("ROLLBACK"))).unwrap();
        for writer in writers {
            writer.join().unwrap().is(201);
        }
    });
    site.get("/machine").is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_is_given_up() {
    let way = with_rows("").await;
    let site = Site::serve_for_writers(&way, &[("MTM_STATEMENT_TIMEOUT", "300ms")]);
    let mut holder = PgConnection::connect(&way.target.url).await.unwrap();
    holder.execute("BEGIN; LOCK TABLE tracks IN ACCESS EXCLUSIVE MODE").await.unwrap();
    site.send("time_range=short_term", &page(&[("t", "T", "X")])).is(503).says(&["within its time"]);
    holder.execute("ROLLBACK").await.unwrap();
    site.send("time_range=short_term", &page(&[("t", "T", "X")])).is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_away_is_used_again() {
    let scratch = Scratch::new("site");
    let running = scratch.start();
    running.ensure_database("music").await.unwrap();
    let place = Workplace::new();
    place.write(
        "mappings/types.yaml",
        include_str!("../../../mappings/types.yaml").replace("versions_dir: ../migration/versions", ""),
    );
    let source = place.sqlite("music.db", include_str!("../../../src/demo/sample.sql"));
    let way = Way { place, source, target: TestDatabase::of(running.url("music")) };
    way.place
        .mtm(&["apply", "--source", way.source.to_str().unwrap(), "--target", &way.target.url, "--yes"])
        .ends_with(0);
    let site = Site::serve_for_writers(&way, &[("MTM_POOL_ACQUIRE_TIMEOUT", "1s")]);
    site.send("time_range=short_term", &page(&[("t", "T", "X")])).is(201);

    scratch.stop();
    for path in ["/", "/machine", "/search?q=t", "/migration", "/settings"] {
        site.get(path).is(503).says(&["<h1>", "does not answer"]);
    }
    site.send("time_range=short_term", &page(&[("u", "U", "X")])).is(503);
    site.get("/healthz").is(200);
    assert_eq!(site.get("/readyz").is(503).json()["database"], false);
    site.get("/metrics").is(200);

    scratch.start();
    site.wait("the database", |site| site.get("/readyz").status == 200);
    for path in ["/", "/machine", "/search?q=t", "/migration", "/settings"] {
        site.get(path).is(200);
    }
    site.send("time_range=short_term", &page(&[("u", "U", "X")])).is(201);

    // Sessions that are ended one by one are no more than a new session each.
    way.target
        .execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mtm' AND pid <> pg_backend_pid()")
        .await;
    for _ in 0..20 {
        site.get("/machine").is(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_finishes_what_it_has_begun() {
    let way = with_rows("").await;
    let site = Site::serve_for_writers(&way, &[]);
    let mut holder = PgConnection::connect(&way.target.url).await.unwrap();
    holder.execute("BEGIN; LOCK TABLE tracks IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let answer = std::thread::scope(|scope| {
        let writer = scope.spawn(|| site.send("time_range=short_term", &page(&[("t", "T", "X")])));
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE 'INSERT%'";
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            runtime.block_on(async {
                until(&way, waits, "1").await;
                site.signal("-TERM");
                site.wait("the end", |site| site.log().contains("stopping"));
                assert!(std::net::TcpStream::connect(site.address()).is_err(), "nobody new is let in");
                holder.execute("ROLLBACK").await.unwrap();
            });
        });
        writer.join().unwrap()
    });
    answer.is(201);
    assert_eq!(site.ended(), Some(0));
    assert_eq!(way.target.value("SELECT count(*) FROM snapshots").await.unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_cannot_serve_it_says_at_once() {
    let place = Workplace::new();
    let empty = TestDatabase::new().await;
    refused(&place, &["--target", &empty.url], &[]).fails(1, &["tracks.track_id is missing", "mtm apply"]);
    empty
        .execute(
            "CREATE TABLE tracks (track_id text, name text, artist_name text, album_name text, duration_ms bigint, spotify_url text, \
             raw_json text, created_at timestamptz, updated_at timestamptz); \
             CREATE TABLE snapshots (track_id text, snapshot_date text, time_range text, rank integer, created_at timestamptz, updated_at timestamptz)",
        )
        .await;
    refused(&place, &["--target", &empty.url], &[]).fails(
        1,
        &[
            "tracks.raw_json is text, and should be jsonb",
            "tracks.duration_ms is bigint, and should be integer",
            "snapshots.snapshot_date is text, and should be date",
        ],
    );
    refused(&place, &[], &[]).fails(64, &["DATABASE_URL"]);
    let short = [("MTM_API_TOKEN", "short")];
    refused(&place, &["--target", &empty.url], &short).fails(64, &["16 characters"]);
    refused(&place, &["--target", &empty.url, "--pool-min", "11"], &[]).fails(64, &["above its maximum"]);
    refused(&place, &["--target", &empty.url], &[("MTM_POOL_ACQUIRE_TIMEOUT", "soon")])
        .fails(64, &["a duration is a number and a unit"]);

    let way = with_rows("").await;
    let site = Site::serve(&way.place, &way.target.url, &[]);
    let port = site.address().rsplit(':').next().unwrap().to_owned();
    let taken = way.place.command(&["serve", "--target", &way.target.url, "--port", &port]).output().unwrap();
    crate::command::Outcome::of("serve", taken).fails(1, &["cannot listen", "--port or PORT"]);
}
