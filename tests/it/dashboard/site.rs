//! A served site, and how it is asked.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use mtm::demo::{SampleOptions, write_sample};
use serde_json::Value;

use crate::{
    command::{Outcome, Way, Workplace},
    support::TestDatabase,
};

/// A writer's secret.
pub const TOKEN: &str = "correct-horse-battery-staple";

/// A Music Time Machine in a database of its own, from a sample or from rows of the test's.
pub async fn music_time_machine(fill: impl FnOnce(&Workplace) -> std::path::PathBuf) -> Way {
    let place = Workplace::new();
    // No versions' folder: nothing is written beside the test.
    let mapping = include_str!("../../../mappings/types.yaml");
    place.write("mappings/types.yaml", mapping.replace("versions_dir: ../migration/versions", ""));
    let source = fill(&place);
    let way = Way { place, target: TestDatabase::new().await, source };
    let source = way.source.to_str().unwrap();
    way.place.mtm(&["apply", "--source", source, "--target", &way.target.url, "--yes"]).ends_with(0);
    way
}

/// The small sample.
pub async fn sample() -> Way {
    music_time_machine(|place| {
        let source = place.path().join("music.db");
        write_sample(&source, SampleOptions { tracks: 300, months: 14, seed: 7 }).unwrap();
        source
    })
    .await
}

/// The tables with these rows and no others.
pub async fn with_rows(rows: &str) -> Way {
    music_time_machine(|place| {
        place.sqlite("music.db", &format!("{}{rows}", include_str!("../../../src/demo/sample.sql")))
    })
    .await
}

/// A site that is being served; stopped when it goes out of scope.
pub struct Site {
    child: Child,
    pub url: String,
    log: Arc<Mutex<String>>,
    agent: ureq::Agent,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
    bytes: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }

    /// The body of an answer that is packed by gzip, to its very end.
    #[track_caller]
    pub fn unpacked(&self) -> String {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(self.bytes.as_slice()), &mut text)
            .unwrap();
        text
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    #[track_caller]
    pub fn says(self, said: &[&str]) -> Answer {
        for needle in said {
            assert!(self.text.contains(needle), "no {needle:?} in {}", self.text);
        }
        self
    }
}

impl Site {
    /// Serves a database, with these settings in the environment.
    pub fn serve(place: &Workplace, target: &str, settings: &[(&str, &str)]) -> Site {
        Site::started(place.command(&["serve", "--target", target, "--port", "0"]), settings)
    }

    /// Serves it for writers too.
    pub fn serve_for_writers(way: &Way, settings: &[(&str, &str)]) -> Site {
        let settings: Vec<_> = settings.iter().copied().chain([("MTM_API_TOKEN", TOKEN)]).collect();
        Site::serve(&way.place, &way.target.url, &settings)
    }

    fn started(mut command: Command, settings: &[(&str, &str)]) -> Site {
        let mut child = command.envs(settings.iter().copied()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let (sender, receiver) = std::sync::mpsc::channel();
        let written = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
                if let Some((_, url)) = line.trim_end().split_once(" is at ") {
                    sender.send(url.to_owned()).ok();
                }
                written.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        let url = receiver.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|_| {
            child.kill().ok();
            panic!("the site does not listen: {}", log.lock().unwrap())
        });
        Site { child, url, log, agent: agent() }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.call())
    }

    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = self.agent.post(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send(body))
    }

    /// Sends a page with the token.
    pub fn send(&self, query: &str, page: &str) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        self.post(&format!("/api/snapshots?{query}"), &headers, page.as_bytes())
    }

    /// Host and port, for whoever speaks to it without HTTP's rules.
    pub fn address(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until this holds.
    #[track_caller]
    pub fn wait(&self, what: &str, holds: impl Fn(&Site) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !holds(self) {
            assert!(Instant::now() < deadline, "{what} never came; {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn signal(&self, signal: &str) {
        Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
    }

    /// Waits for its end, and gives its exit code.
    pub fn ended(mut self) -> Option<i32> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the site does not end: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A client that keeps its connections, follows no redirect, and takes every status for an answer.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(90)))
        .build()
        .into()
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = response.unwrap_or_else(|error| panic!("no answer: {error}"));
    let bytes = response.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
    let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
        bytes,
    }
}

/// A page of `/me/top/tracks` with these tracks: identifier, title, artist.
pub fn page(tracks: &[(&str, &str, &str)]) -> String {
    let item = |(id, name, artist): &(&str, &str, &str)| {
        serde_json::json!({
            "id": id, "name": name, "artists": [{"name": artist}], "duration_ms": 200_000, "explicit": false,
            "album": {"name": "An album", "release_date": "2004-07", "release_date_precision": "month"},
            "external_ids": {"isrc": "USRC11700001"},
            "external_urls": {"spotify": format!("https://open.spotify.com/track/{id}")},
        })
    };
    let items: Vec<Value> = tracks.iter().map(item).collect();
    serde_json::json!({"items": items, "offset": 0, "limit": 50, "total": items.len()}).to_string()
}

/// Runs `mtm serve` where it is expected to end by itself.
pub fn refused(place: &Workplace, arguments: &[&str], settings: &[(&str, &str)]) -> Outcome {
    let arguments: Vec<&str> = ["serve", "--port", "0"].iter().chain(arguments).copied().collect();
    let mut command = place.command(&arguments);
    Outcome::of(&arguments.join(" "), command.envs(settings.iter().copied()).output().unwrap())
}
