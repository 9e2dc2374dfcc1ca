//! Every page, its mirror, and what is said when there is nothing, or nothing of that kind.

use super::site::{Site, sample, with_rows};

/// Every page, what it says, and its mirror.
const PAGES: [(&str, &str, &str); 10] = [
    ("/", "Most consistent artist", "/api/overview"),
    ("/dashboard", "Release years", "/api/dashboard"),
    ("/analytics?range=all", "Most consistent artists", "/api/analytics?range=all"),
    ("/machine?date=2026-06-01", "As it stood on", "/api/machine?date=2026-06-01"),
    ("/search?q=love", "Title or artist", "/api/search?q=love"),
    ("/playlists", "Forgotten gems", "/api/playlists"),
    ("/explore", "How PostgreSQL answers it", "/api/explore"),
    ("/migration", "Versions of the schema", "/api/migration"),
    ("/settings", "A request waits up to", "/api/settings"),
    ("/explore?question=released-in&value=2004", "released", "/api/explore?question=released-in&value=2004"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_page_and_its_mirror() {
    let way = sample().await;
    let site = Site::serve(&way.place, &way.target.url, &[]);
    let openapi = site.get("/api/openapi.json").is(200).json();
    assert_eq!(openapi["openapi"], "3.1.0");
    let track = site.get("/api/machine").json()["now"][0]["track_id"].as_str().unwrap().to_owned();
    let (track_page, track_mirror) = (format!("/tracks/{track}"), format!("/api/tracks/{track}"));
    let track = (track_page.as_str(), "In the charts", track_mirror.as_str());
    for (path, said, mirror) in PAGES.into_iter().chain([track]) {
        let page = site.get(path).is(200).says(&[said, "<h1>", "aria-label=\"Pages\""]);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        let json = site.get(mirror).is(200).json();
        // What is described is what comes.
        let described = mirror.split('?').next().unwrap().replace(&track_mirror, "/api/tracks/{track_id}");
        let answer = &openapi["paths"][&described]["get"]["responses"]["200"]["content"]["application/json"];
        let mut schema = answer["schema"].clone();
        assert!(schema.is_object(), "{described} is not described");
        schema["components"] = openapi["components"].clone();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let wrong: Vec<String> =
            validator.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{mirror}: {wrong:?}");
    }
    assert!(openapi["paths"]["/api/snapshots"]["post"]["security"].is_array());
    for file in ["forgotten-gems", "recent-discoveries", "current-rotation"] {
        let csv = site.get(&format!("/playlists/{file}.csv")).is(200);
        assert!(csv.text.starts_with("track_id,name,artist_name,"), "{}", csv.text);
        site.get(&format!("/playlists/{file}.m3u")).is(200).says(&["#EXTM3U\n"]);
    }
    for asset in ["style", "site", "icon"] {
        let home = site.get("/").text;
        let at = home.find(&format!("/assets/{asset}.")).unwrap();
        let address = home[at..].split('"').next().unwrap();
        let asset = site.get(address).is(200);
        assert!(asset.header("cache-control").unwrap().contains("immutable"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_history_is_said_to_be_one() {
    let way = with_rows("").await;
    let site = Site::serve(&way.place, &way.target.url, &[]);
    for (path, said) in [
        ("/", "There is no snapshot yet"),
        ("/dashboard", "No payload tells a release date"),
        ("/analytics", "There is no snapshot"),
        ("/machine", "There is no short_term snapshot yet"),
        ("/machine?date=2020-01-01&range=long_term", "There is no long_term snapshot yet"),
        ("/search?q=anything", "Nothing is found"),
        ("/search?q=the", "Nothing is found"),
        ("/playlists", "The history has none"),
        ("/explore", "0 rows"),
        ("/settings", "none yet"),
        ("/migration", "Nothing is proven yet"),
    ] {
        site.get(path).is(200).says(&[said]);
    }
    let lines = site.get("/export.jsonl").is(200).text;
    assert_eq!(lines, "{\"snapshots\":0,\"table\":\"end\",\"tracks\":0}\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_cannot_be_read() {
    let way = sample().await;
    let site = Site::serve(&way.place, &way.target.url, &[]);
    for (path, status, said) in [
        ("/nothing", 404, "nothing at this address"),
        ("/tracks/nobody", 404, "no such track"),
        ("/tracks/%00", 404, "no such track"),
        ("/tracks/%FF", 400, "UTF-8"),
        ("/playlists/none.csv", 404, "no such playlist"),
        ("/playlists/forgotten-gems.pdf", 404, ".csv and as .m3u"),
        ("/explore?question=none", 404, "no such question"),
        ("/machine?date=yesterday", 400, "2026-01-31"),
        ("/machine?date=2026-02-30", 400, "2026-01-31"),
        ("/machine?range=forever", 400, "short_term, medium_term or long_term"),
        ("/search?year=19", 400, "four digits"),
        ("/search?explicit=maybe", 400, "yes or no"),
        ("/search?q=%00", 400, "U+0000"),
        ("/settings/theme", 405, "another method"),
    ] {
        let page = site.get(path).is(status).says(&[said]);
        assert!(page.text.contains("<h1>"), "{path} is a page");
        if !path.starts_with("/playlists") && status != 405 {
            let problem = site.get(&format!("/api{path}")).is(status).json();
            assert_eq!(problem["status"], status, "{path}");
        }
    }
    // Out of range is no error: the charts that there are say so.
    site.get("/machine?date=1999-01-01").is(200).says(&["There was no short_term chart yet"]);
    site.get("/machine?date=9999-12-31").is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_marks_its_words_and_takes_the_webs_signs() {
    let way = with_rows(
        "INSERT INTO tracks VALUES
            ('1', 'Blue Monday', 'New Order', 'Power', 448000, NULL, '{\"explicit\": false, \"album\": {\"release_date\": \"1983-03-07\"}}'),
            ('2', 'Monday, Blue Monday', 'Nobody', NULL, NULL, NULL, '{\"explicit\": true, \"album\": {\"release_date\": \"1983\"}}'),
            ('3', 'The The', 'The Who', NULL, NULL, NULL, NULL),
            ('4', 'Running', 'Order <b>of</b> Things', NULL, NULL, NULL, NULL);",
    )
    .await;
    let site = Site::serve(&way.place, &way.target.url, &[]);
    let found = |query: &str| -> Vec<String> {
        let hits = site.get(&format!("/api/search?{query}")).is(200).json();
        hits["hits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| hit["track_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(found("q=monday"), ["2", "1"], "two Mondays rank above one");
    assert_eq!(found("q=%22blue+monday%22+-nobody"), ["1"]);
    assert_eq!(found("q=run"), ["4"], "the stem counts");
    assert_eq!(found("year=1983"), ["1", "2"], "a date of a year alone is in that year");
    assert_eq!(found("q=monday&year=1983&explicit=yes"), ["2"]);
    assert_eq!(found("explicit=no"), ["1"]);
    assert_eq!(found("q=the"), ["3"], "words that the index leaves out are looked for as letters");
    assert_eq!(found("q=%25"), Vec::<String>::new());
    site.get("/search?q=monday").says(&["Blue <mark>Monday</mark>"]);
    site.get("/search?q=order").says(&["<mark>Order</mark> &#60;b&#62;of&#60;/b&#62; Things"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_is_folded_searched_and_kept_to_its_last_digit() {
    let payload = r#"{"popularity": 1.10, "big": 12345678901234567890123, "album": {"name": "Needle"}, "markets": ["DE", "US"]}"#;
    let way = with_rows(&format!(
        "INSERT INTO tracks VALUES ('t', 'Track', 'Artist', NULL, NULL, NULL, '{payload}')"
    ))
    .await;
    let site = Site::serve(&way.place, &way.target.url, &[]);
    site.get("/tracks/t").is(200).says(&[
        "It has not been in a chart",
        "1.10",
        "12345678901234567890123",
        "<details open",
    ]);
    site.get("/tracks/t?find=NEEDLE").is(200).says(&["1 found", "Needle"]);
    assert!(!site.get("/tracks/t?find=needle").text.contains("1.10"), "what does not match is left out");
    assert!(site.get("/api/tracks/t").text.contains("12345678901234567890123"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_migration_page_tells_of_runs_versions_and_the_proof() {
    let way = sample().await;
    let source = way.source.to_str().unwrap().to_owned();
    let site = Site::serve(&way.place, &way.target.url, &[]);
    site.get("/migration").says(&["Nothing is proven yet", "mtm apply", "done"]);
    way.place.mtm(&["verify", "--source", &source, "--target", &way.target.url]).ends_with(0);
    site.get("/migration").says(&["Proven:", "music.db"]);
    let ledger = site.get("/api/migration").json();
    assert_eq!(ledger["certificate"]["equal"], true);
    assert_eq!(ledger["certificate"]["summary"]["tables"].as_array().unwrap().len(), 2);
    way.target
        .execute("UPDATE tracks SET name = name || '!' WHERE track_id = (SELECT min(track_id) FROM tracks)")
        .await;
    way.place.mtm(&["verify", "--source", &source, "--target", &way.target.url]).ends_with(2);
    site.get("/migration").says(&["There were differences"]);
    assert_eq!(site.get("/api/migration").json()["certificate"]["equal"], false);
}
