//! What a stranger may try: statements and markup in every parameter, forms of other sites, clients that dawdle.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use super::site::{Site, page, with_rows};

const INJECTIONS: [&str; 8] = [
    "' OR 1=1 --",
    "'; DROP TABLE snapshots; --",
    "$1",
    "\\",
    "%27%20UNION%20SELECT%20passwd%20FROM%20pg_shadow--",
    "{\"$ne\": null}",
    "<script>alert(1)</script>",
    "\u{202e}\u{feff}\u{10ffff}'\"`",
];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_values_and_never_statements() {
    let way = with_rows("INSERT INTO tracks VALUES ('t', 'Track', 'Artist', NULL, NULL, NULL, '{}'); INSERT INTO snapshots VALUES ('t', '2026-01-01', 'short_term', 1)").await;
    let site = Site::serve_for_writers(&way, &[]);
    for injection in INJECTIONS {
        let value = encoded(injection);
        for path in [
            format!("/search?q={value}"),
            format!("/search?q={value}&year=2004&explicit=yes"),
            format!("/search?year={value}"),
            format!("/search?explicit={value}"),
            format!("/tracks/{value}"),
            format!("/tracks/t?find={value}"),
            format!("/machine?date={value}"),
            format!("/machine?range={value}"),
            format!("/analytics?range={value}"),
            format!("/explore?question={value}"),
            format!("/explore?question=artist&value={value}"),
            format!("/explore?question=released-in&value={value}"),
            format!("/explore?question=isrc&value={value}"),
            format!("/playlists/{value}.csv"),
            format!("/{value}"),
            format!("/api/search?q={value}"),
        ] {
            let answer = site.get(&path);
            assert!([200, 400, 404].contains(&answer.status), "{path}: {answer:?}");
            let is_page = answer.header("content-type").unwrap().starts_with("text/html");
            assert_eq!(is_page, !path.starts_with("/api/"), "{path}");
            assert!(!is_page || !answer.text.contains("<script>alert"), "{path}");
        }
        for query in [format!("time_range={value}"), format!("time_range=short_term&date={value}")] {
            site.send(&query, &page(&[("a", "A", "X")])).is(400);
        }
    }
    assert_eq!(way.target.value("SELECT count(*) FROM snapshots").await.unwrap(), "1");
    assert_eq!(way.target.value("SELECT count(*) FROM tracks").await.unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_text_on_every_page() {
    let way = with_rows("").await;
    let site = Site::serve_for_writers(&way, &[]);
    let (name, artist) = ("<script>alert(1)</script>", "\"><img src=x onerror=alert(2)>");
    let evil = [("evil\"'<>&/ü", name, artist)];
    site.send("time_range=short_term&date=2026-01-31", &page(&evil)).is(201);
    let track = format!("/tracks/{}", encoded(evil[0].0));
    for path in [
        "/",
        "/machine?date=2026-01-31",
        "/playlists",
        "/search?q=alert",
        "/analytics?range=all",
        "/explore?question=to-the-year",
        &track,
    ] {
        let text = site.get(path).is(200).text;
        assert!(!text.contains("<script>alert") && !text.contains("<img"), "{path}");
    }
    site.get(&track).says(&["&#60;script&#62;alert(1)&#60;/script&#62;"]);
    // The link on a page leads to the track, whatever its identifier is made of.
    let home = site.get("/machine?date=2026-01-31").text;
    let at = home.find("href=\"/tracks/").unwrap() + 6;
    site.get(home[at..].split('"').next().unwrap()).is(200).says(&["In the charts"]);
    // An address that is none of the web's is not linked.
    let script = page(&[("j", "J", "X")]).replace("https://open.spotify.com/track/j", "javascript:alert(3)");
    site.send("time_range=short_term&date=2026-01-31", &script).is(201);
    assert!(!site.get("/tracks/j").is(200).text.contains("href=\"javascript:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_told_to_run_nothing_from_elsewhere() {
    let way = with_rows("").await;
    let site = Site::serve(&way.place, &way.target.url, &[]);
    for path in ["/", "/api/overview", "/nothing", "/healthz", "/export.jsonl"] {
        let answer = site.get(path);
        let policy = answer.header("content-security-policy").unwrap();
        for word in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(word), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{path}");
    }
    // Nor is there a style or a script in a page's own text.
    let home = site.get("/").text;
    assert!(!home.contains("style=") && !home.contains("onclick") && !home.contains("<style"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_changes_nothing() {
    let way = with_rows("").await;
    let site = Site::serve(&way.place, &way.target.url, &[]);
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let own = site
        .post(
            "/settings/theme",
            &[form, ("Sec-Fetch-Site", "same-origin"), ("Referer", &format!("{}/explore", site.url))],
            b"theme=dark",
        )
        .is(303);
    assert_eq!(own.header("location"), Some("/explore"));
    let cookie = own.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("theme=dark;")
            && cookie.contains("SameSite=Strict")
            && cookie.contains("HttpOnly"),
        "{cookie}"
    );
    site.get_with("/", &[("Cookie", "theme=dark")]).says(&["data-theme=\"dark\""]);
    let foreign = site
        .post(
            "/settings/theme",
            &[form, ("Sec-Fetch-Site", "cross-site"), ("Origin", "https://elsewhere.example")],
            b"theme=dark",
        )
        .is(403);
    assert_eq!(foreign.header("set-cookie"), None);
    assert!(foreign.text.contains("<h1>Not allowed</h1>"), "{}", foreign.text);
    site.post("/settings/theme", &[form, ("Origin", "https://elsewhere.example")], b"theme=dark").is(403);
    site.post("/settings/theme", &[form], b"theme=pink").is(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_dawdles_is_let_go_and_holds_up_nobody() {
    let way = with_rows("").await;
    let site = Site::serve_for_writers(&way, &[("MTM_CLIENT_TIMEOUT", "1s")]);
    // A head that never ends, and a body that never comes.
    let mut heads: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(site.address()).unwrap()).collect();
    for head in &mut heads {
        head.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").unwrap();
    }
    let mut body = TcpStream::connect(site.address()).unwrap();
    let head = format!(
        "POST /api/snapshots?time_range=short_term HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000\r\n\r\n{{",
        super::site::TOKEN
    );
    body.write_all(head.as_bytes()).unwrap();
    let begun = Instant::now();
    site.get("/").is(200);
    assert!(begun.elapsed() < Duration::from_secs(5), "nobody waits for them");
    for mut stream in heads.into_iter().chain([body]) {
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut rest = Vec::new();
        // The connection ends, with an answer or without.
        stream.read_to_end(&mut rest).unwrap();
        let answer = String::from_utf8_lossy(&rest);
        assert!(rest.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert!(begun.elapsed() >= Duration::from_millis(900), "they had their time");
    assert_eq!(way.target.value("SELECT count(*) FROM snapshots").await.unwrap(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_is_told_when_to_come_again() {
    let way = with_rows("").await;
    let site = Site::serve(
        &way.place,
        &way.target.url,
        &[("MTM_CLIENT_HEADER", "x-real-ip"), ("MTM_RATE_LIMIT", "5")],
    );
    let ask = |client: &str| site.get_with("/nothing", &[("x-real-ip", client)]);
    let statuses: Vec<u16> = (0..40).map(|_| ask("192.0.2.1").status).collect();
    assert!(statuses.iter().filter(|status| **status == 404).count() >= 15, "{statuses:?}");
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert!(refused >= 5, "{statuses:?}");
    ask("192.0.2.2").is(404);
    ask("127.0.0.1");
    assert!(
        (0..40).map(|_| ask("127.0.0.1").status).any(|status| status == 429),
        "nobody is this machine by saying so"
    );
    // Whoever asks from this very machine is not counted.
    assert!((0..40).all(|_| site.get("/nothing").status == 404));
    // And whoever looks after the site is never turned away.
    assert!((0..40).all(|_| site.get_with("/healthz", &[("x-real-ip", "192.0.2.1")]).status == 200));
}
