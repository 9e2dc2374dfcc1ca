//! `POST /api/snapshots`: what is stored, and what is refused with nothing stored.

use super::site::{Site, TOKEN, page, with_rows};
use crate::command::Way;

const PAGE: &str = "time_range=short_term&date=2026-01-31";

async fn places(way: &Way) -> String {
    let sql = "SELECT coalesce(string_agg(concat_ws(' ', track_id, snapshot_date, time_range, rank), ', ' \
               ORDER BY snapshot_date, time_range, rank, track_id), '') FROM snapshots";
    way.target.value(&format!("({sql})")).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_stored_once_however_often_it_is_sent() {
    let way = with_rows("").await;
    let site = Site::serve_for_writers(&way, &[]);
    let first = page(&[("a", "Ä track", "One"), ("b", "Another", "Two")]);
    let answer = site.send(PAGE, &first).is(201).json();
    assert_eq!(
        answer,
        serde_json::json!({"date": "2026-01-31", "time_range": "short_term", "tracks": 2, "left_out": 0, "repeated": 0})
    );
    let stored = "a 2026-01-31 short_term 1, b 2026-01-31 short_term 2";
    assert_eq!(places(&way).await, stored);
    let row = "SELECT concat_ws('|', name, artist_name, album_name, duration_ms, spotify_url, raw_json #>> '{album,release_date}', \
               jsonb_typeof(raw_json)) FROM tracks WHERE track_id = 'a'";
    let expected = "Ä track|One|An album|200000|https://open.spotify.com/track/a|2004-07|object";
    assert_eq!(way.target.value(row).await.unwrap(), expected);

    // The same again: not even a row's time changes.
    let times = "SELECT string_agg(concat(xmin, updated_at), ' ' ORDER BY track_id) FROM (SELECT track_id, xmin, updated_at FROM tracks \
                 UNION ALL SELECT track_id, xmin, updated_at FROM snapshots) AS rows";
    let before = way.target.value(times).await;
    site.send(PAGE, &first).is(201);
    assert_eq!(way.target.value(times).await, before);
    assert_eq!(places(&way).await, stored);

    // Another page of the same day moves what both name, and takes what is newer.
    let second = page(&[("c", "New", "Three"), ("a", "A track", "One")]);
    site.send(PAGE, &second).is(201);
    assert_eq!(
        places(&way).await,
        "c 2026-01-31 short_term 1, a 2026-01-31 short_term 2, b 2026-01-31 short_term 2"
    );
    let changed = "SELECT concat(name, '|', updated_at > created_at) FROM tracks WHERE track_id = 'a'";
    assert_eq!(way.target.value(changed).await.unwrap(), "A track|t");

    // Whoever has written reads what was written.
    assert_eq!(site.get("/api/overview").json()["tracks"], 3);
    assert_eq!(site.get("/api/machine?date=2026-01-31").json()["then"].as_array().unwrap().len(), 3);
    let other = site.send("time_range=long_term", &page(&[("d", "Today's", "Four")])).is(201).json();
    assert_eq!(site.get("/api/overview").json()["tracks"], 4);
    let today = way.target.value("SELECT (now() AT TIME ZONE 'UTC')::date").await.unwrap();
    assert_eq!(other["date"], today, "no date is today");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_stores_nothing() {
    let way = with_rows("").await;
    let site = Site::serve_for_writers(&way, &[]);
    let good = page(&[("a", "A", "X")]);
    let bearer = format!("Bearer {TOKEN}");
    let (authorized, json) = (("Authorization", bearer.as_str()), ("Content-Type", "application/json"));
    let wrong = ("Authorization", "Bearer correct-horse-battery-stapler");
    let huge = format!("{{\"items\": [{}\"\"]}}", " ".repeat(5 << 20));
    let surrogate = good.replace("\"A\"", "\"\\ud800\"");
    let nul = good.replace("\"A\"", "\"\\u0000\"");
    for (query, headers, body, status, said) in [
        (PAGE, &[json][..], good.as_str(), 401, "Bearer"),
        (PAGE, &[wrong, json], &good, 401, "not the token"),
        (PAGE, &[("Authorization", TOKEN), json], &good, 401, "not the token"),
        (PAGE, &[authorized], &good, 415, "application/json"),
        (PAGE, &[authorized, ("Content-Type", "text/plain")], &good, 415, "application/json"),
        ("date=2026-01-31", &[authorized, json], &good, 400, "time_range is missing"),
        ("time_range=for_ever", &[authorized, json], &good, 400, "short_term, medium_term or long_term"),
        ("time_range=short_term&date=31.1.2026", &[authorized, json], &good, 400, "2026-01-31"),
        ("time_range=short_term&date=9999-12-31", &[authorized, json], &good, 400, "2006-01-01 to today"),
        ("time_range=short_term&date=0001-01-01", &[authorized, json], &good, 400, "2006-01-01 to today"),
        (PAGE, &[authorized, json], "", 400, "cannot be read"),
        (PAGE, &[authorized, json], "{\"items\": [{]}", 400, "line 1 column"),
        (PAGE, &[authorized, json], "{\"items\": [{\"id\": \"a\"}]}", 400, "items[0]: missing field `name`"),
        (PAGE, &[authorized, json], &nul, 400, "U+0000"),
        (PAGE, &[authorized, json], &surrogate, 400, "items[0]"),
        (PAGE, &[authorized, json], &huge, 413, "bytes at most"),
    ] {
        let answer =
            site.post(&format!("/api/snapshots?{query}"), headers, body.as_bytes()).is(status).says(&[said]);
        assert_eq!(answer.json()["status"], status, "{said}");
    }
    assert_eq!(places(&way).await, "");
    assert_eq!(way.target.value("SELECT count(*) FROM tracks").await.unwrap(), "0");
    // And the twin that is let through, after all these.
    site.post(&format!("/api/snapshots?{PAGE}"), &[authorized, json], good.as_bytes()).is(201);
    assert!(!site.log().contains(TOKEN) && !site.log().contains("battery"), "{}", site.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_or_the_right_to_write_nothing_is_written() {
    let way = with_rows("INSERT INTO tracks VALUES ('t', 'Track', 'Artist', NULL, NULL, NULL, NULL)").await;
    let off = Site::serve(&way.place, &way.target.url, &[]);
    off.send(PAGE, &page(&[("a", "A", "X")])).is(404).says(&["MTM_API_TOKEN"]);
    off.get("/settings").says(&["are off"]);

    let role = format!("reader_{}", way.target.name);
    way.target
        .execute(&format!(
            "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA public TO {role}; GRANT SELECT ON tracks, snapshots TO {role}; \
             ALTER ROLE {role} SET default_transaction_read_only = on"
        ))
        .await;
    let url = way.target.url.replace("postgres@", &format!("{role}@"));
    {
        let reader = Site::serve(&way.place, &url, &[("MTM_API_TOKEN", TOKEN)]);
        for path in [
            "/",
            "/dashboard",
            "/analytics",
            "/machine",
            "/search?q=track",
            "/tracks/t",
            "/playlists",
            "/explore",
            "/migration",
        ] {
            reader.get(path).is(200);
        }
        reader.get("/settings").is(200).says(&["reads only", "the role may not write"]);
        reader.send(PAGE, &page(&[("a", "A", "X")])).is(403).says(&["may not do that"]);
        assert_eq!(reader.get("/export.jsonl").is(200).text.lines().count(), 2);
    }
    way.target.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_tokens_are_soon_too_many_and_the_right_one_still_counts() {
    let way = with_rows("").await;
    let site = Site::serve_for_writers(&way, &[("MTM_CLIENT_HEADER", "x-real-ip")]);
    let guess = |client: &str, token: &str| {
        let headers = [("Authorization", token), ("Content-Type", "application/json"), ("x-real-ip", client)];
        site.post(&format!("/api/snapshots?{PAGE}"), &headers, page(&[("a", "A", "X")]).as_bytes())
    };
    let statuses: Vec<u16> = (0..15).map(|_| guess("192.0.2.1", "Bearer wrong-wrong-wrong").status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10, "{statuses:?}");
    let refused = guess("192.0.2.1", "Bearer wrong-wrong-wrong").is(429);
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() <= 61);
    guess("192.0.2.2", "Bearer wrong-wrong-wrong").is(401);
    guess("192.0.2.1", &format!("Bearer {TOKEN}")).is(201);
}
