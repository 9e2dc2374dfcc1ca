//! The figures, counted a second time from the SQLite file by other means.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::site::{Site, sample};
use crate::command::Way;

/// A row of `snapshots` in the file.
struct Place {
    track: String,
    day: String,
    range: String,
    rank: i64,
}

/// The file's rows.
struct History {
    places: Vec<Place>,
    /// Each track's artist.
    artists: BTreeMap<String, String>,
    payloads: Vec<Value>,
}

impl History {
    fn of(way: &Way) -> History {
        let file = rusqlite::Connection::open(&way.source).unwrap();
        let mut places =
            file.prepare("SELECT track_id, snapshot_date, time_range, rank FROM snapshots").unwrap();
        let places = places
            .query_map([], |row| {
                Ok(Place { track: row.get(0)?, day: row.get(1)?, range: row.get(2)?, rank: row.get(3)? })
            })
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let mut tracks = file.prepare("SELECT track_id, artist_name, raw_json FROM tracks").unwrap();
        let tracks: Vec<(String, String, Option<String>)> = tracks
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let payloads = tracks.iter().filter_map(|(_, _, json)| serde_json::from_str(json.as_ref()?).ok());
        let payloads: Vec<Value> =
            payloads.filter(|payload: &Value| payload != &serde_json::json!({})).collect();
        History {
            places,
            payloads,
            artists: tracks.into_iter().map(|(id, artist, _)| (id, artist)).collect(),
        }
    }

    fn chart(&self, day: &str, range: &str) -> BTreeMap<i64, &str> {
        let places = self.places.iter().filter(|place| place.day == day && place.range == range);
        places.map(|place| (place.rank, place.track.as_str())).collect()
    }

    fn days(&self, range: &str) -> BTreeSet<&str> {
        self.places.iter().filter(|place| place.range == range).map(|place| place.day.as_str()).collect()
    }

    /// Each track's first day.
    fn first_seen(&self) -> BTreeMap<&str, &str> {
        let mut first = BTreeMap::new();
        for place in &self.places {
            let day = first.entry(place.track.as_str()).or_insert(place.day.as_str());
            *day = (*day).min(place.day.as_str());
        }
        first
    }

    /// Distinct days of each artist, from a day on.
    fn days_of_artists(&self, since: &str) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut days: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for place in self.places.iter().filter(|place| place.day.as_str() >= since) {
            days.entry(&self.artists[&place.track]).or_default().insert(&place.day);
        }
        days
    }

    /// Newcomers and places of each short_term chart that has one before it.
    fn turnovers(&self) -> Vec<(&str, i64, i64)> {
        let days: Vec<&str> = self.days("short_term").into_iter().collect();
        let turnover = |pair: &[&str]| {
            let before: BTreeSet<&str> = self.chart_tracks(pair[0]);
            let now = self.chart_tracks(pair[1]);
            let new = now.iter().filter(|track| !before.contains(*track)).count();
            (new as i64, now.len() as i64)
        };
        days.windows(2).map(|pair| (pair[1], turnover(pair).0, turnover(pair).1)).collect()
    }

    fn chart_tracks(&self, day: &str) -> BTreeSet<&str> {
        self.chart(day, "short_term").into_values().collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn overview_and_analytics() {
    let way = sample().await;
    let history = History::of(&way);
    let site = Site::serve(&way.place, &way.target.url, &[]);

    let overview = site.get("/api/overview").is(200).json();
    assert_eq!(overview["tracks"], history.artists.len());
    assert_eq!(overview["places"], history.places.len());
    let (day, newcomers, tracks) = history.turnovers().pop().unwrap();
    assert_eq!(overview["turnover"]["day"], day);
    assert_eq!(
        (&overview["turnover"]["newcomers"], &overview["turnover"]["tracks"]),
        (&newcomers.into(), &tracks.into())
    );
    let days = history.days_of_artists("");
    let most = days.values().map(BTreeSet::len).max().unwrap();
    assert_eq!(overview["most_consistent_artist"]["days"], most);
    let artist = overview["most_consistent_artist"]["artist_name"].as_str().unwrap();
    assert_eq!(days[artist].len(), most);
    let first_seen = history.first_seen();
    for of in overview["first_seen"].as_array().unwrap() {
        let day = of["day"].as_str().unwrap();
        let tracks = first_seen.values().filter(|first| **first == day).count();
        assert_eq!(of["tracks"], tracks, "{day}");
    }

    for range in ["6m", "12m", "24m", "all", "nonsense"] {
        let analytics = site.get(&format!("/api/analytics?range={range}")).is(200).json();
        let since = analytics["since"].as_str().unwrap_or("").to_owned();
        assert_eq!(since.is_empty(), range == "all", "{range}");
        let mut seen_so_far = 0;
        for of in analytics["growth"].as_array().unwrap() {
            let month = of["month"].as_str().unwrap();
            let added = first_seen.values().filter(|day| day.starts_with(month)).count();
            seen_so_far = first_seen.values().filter(|day| **day < format!("{month}-99").as_str()).count();
            assert_eq!((&of["added"], &of["total"]), (&added.into(), &seen_so_far.into()), "{range} {month}");
        }
        assert_eq!(seen_so_far, first_seen.len(), "up to the last month");
        for of in analytics["diversity"].as_array().unwrap() {
            let month = of["month"].as_str().unwrap();
            let of_month =
                history.places.iter().filter(|place| place.day.starts_with(month) && place.day >= since);
            let tracks: BTreeSet<&str> = of_month.map(|place| place.track.as_str()).collect();
            let artists: BTreeSet<&str> =
                tracks.iter().map(|track| history.artists[*track].as_str()).collect();
            assert_eq!(
                (&of["tracks"], &of["artists"]),
                (&tracks.len().into(), &artists.len().into()),
                "{range} {month}"
            );
        }
        let mut months = BTreeMap::<String, (i64, i64)>::new();
        for (day, newcomers, tracks) in
            history.turnovers().into_iter().filter(|(day, ..)| *day >= since.as_str())
        {
            let of = months.entry(day[..7].to_owned()).or_default();
            *of = (of.0 + newcomers, of.1 + tracks);
        }
        let told: BTreeMap<String, (i64, i64)> = analytics["turnover"]
            .as_array()
            .unwrap()
            .iter()
            .map(|of| {
                (
                    of["month"].as_str().unwrap().to_owned(),
                    (of["newcomers"].as_i64().unwrap(), of["tracks"].as_i64().unwrap()),
                )
            })
            .collect();
        assert_eq!(told, months, "{range}");
        let days = history.days_of_artists(&since);
        let mut most: Vec<usize> = days.values().map(BTreeSet::len).collect();
        most.sort_unstable_by(|one, other| other.cmp(one));
        let told = analytics["most_consistent_artists"].as_array().unwrap();
        assert_eq!(told.len(), most.len().min(10));
        for (artist, most) in told.iter().zip(most) {
            assert_eq!(
                (&artist["days"], days[artist["artist_name"].as_str().unwrap()].len()),
                (&most.into(), most),
                "{range}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_looks_into_every_payload() {
    let way = sample().await;
    let history = History::of(&way);
    let site = Site::serve(&way.place, &way.target.url, &[]);
    let dashboard = site.get("/api/dashboard").is(200).json();
    let count =
        |holds: &dyn Fn(&Value) -> bool| history.payloads.iter().filter(|payload| holds(payload)).count();
    assert_eq!(dashboard["payloads"], history.payloads.len());
    assert_eq!(dashboard["explicit"], count(&|payload| payload["explicit"] == true));
    assert_eq!(dashboard["clean"], count(&|payload| payload["explicit"] == false));
    assert_eq!(dashboard["with_isrc"], count(&|payload| payload["external_ids"].get("isrc").is_some()));
    for (name, precision) in [("to_the_day", "day"), ("to_the_month", "month"), ("to_the_year", "year")] {
        assert_eq!(
            dashboard[name],
            count(&|payload| payload["album"]["release_date_precision"] == precision),
            "{name}"
        );
    }
    let generations = ["without_album_date", "with_markets", "without_markets", "without_external_ids"];
    let of_all: u64 = generations.iter().map(|name| dashboard[name].as_u64().unwrap()).sum();
    assert_eq!(of_all, history.payloads.len() as u64, "a payload is of one generation");
    let mut years = BTreeMap::<&str, usize>::new();
    for date in history.payloads.iter().filter_map(|payload| payload["album"]["release_date"].as_str()) {
        *years.entry(&date[..4]).or_default() += 1;
    }
    let told = dashboard["release_years"].as_array().unwrap();
    assert_eq!(told.len(), years.len().min(10));
    for year in told {
        assert_eq!(year["tracks"], years[year["year"].as_str().unwrap()]);
    }
    let fewest_told = told.iter().map(|year| year["tracks"].as_u64().unwrap()).min().unwrap();
    let more = years.values().filter(|tracks| **tracks as u64 > fewest_told).count();
    assert!(more < 10, "the ten are those with most");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_machine_and_the_playlists() {
    let way = sample().await;
    let history = History::of(&way);
    let site = Site::serve(&way.place, &way.target.url, &[]);
    let days = history.days("medium_term");
    let last = *days.last().unwrap();
    for asked in ["2026-05-05", "2026-11-20", "2026-03-06"] {
        let then = *days.iter().rfind(|day| **day <= asked).unwrap();
        let machine = site.get(&format!("/api/machine?date={asked}&range=medium_term")).is(200).json();
        assert_eq!((&machine["then_day"], &machine["now_day"]), (&then.into(), &last.into()));
        for (side, day, other) in [("then", then, last), ("now", last, then)] {
            let other: BTreeMap<&str, i64> =
                history.chart(other, "medium_term").into_iter().map(|(rank, track)| (track, rank)).collect();
            let told: Vec<(i64, String, Option<i64>)> = machine[side]
                .as_array()
                .unwrap()
                .iter()
                .map(|of| {
                    (
                        of["rank"].as_i64().unwrap(),
                        of["track_id"].as_str().unwrap().to_owned(),
                        of["other_rank"].as_i64(),
                    )
                })
                .collect();
            let expected: Vec<(i64, String, Option<i64>)> = history
                .chart(day, "medium_term")
                .into_iter()
                .map(|(rank, track)| (rank, track.to_owned(), other.get(track).copied()))
                .collect();
            assert_eq!(told, expected, "{asked} {side}");
        }
    }

    let playlists = site.get("/api/playlists").is(200).json();
    let told = |number: usize| -> Vec<String> {
        let tracks = playlists["playlists"][number]["tracks"].as_array().unwrap();
        tracks.iter().map(|track| track["track_id"].as_str().unwrap().to_owned()).collect()
    };
    let last: jiff::civil::Date =
        history.places.iter().map(|place| place.day.as_str()).max().unwrap().parse().unwrap();
    let ago = |days: i64| last.checked_sub(jiff::Span::new().days(days)).unwrap().to_string();
    let mut gems: BTreeMap<&str, i64> = BTreeMap::new();
    for place in &history.places {
        if place.day >= ago(365) && place.day <= ago(90) && place.range != "long_term" && place.rank <= 20 {
            let best = gems.entry(&place.track).or_insert(place.rank);
            *best = (*best).min(place.rank);
        }
    }
    for place in history.places.iter().filter(|place| place.day > ago(90)) {
        gems.remove(place.track.as_str());
    }
    assert!(!gems.is_empty(), "the sample has forgotten gems");
    let told_gems = told(0);
    assert_eq!(told_gems.len(), gems.len().min(50));
    let ranks: Vec<i64> = told_gems.iter().map(|track| gems[track.as_str()]).collect();
    assert!(ranks.is_sorted(), "the best loved first");
    let last = last.to_string();
    let discoveries: BTreeSet<&str> =
        history.first_seen().into_iter().filter(|(_, day)| *day == last).map(|(track, _)| track).collect();
    assert_eq!(told(1).iter().map(String::as_str).collect::<BTreeSet<_>>(), discoveries);
    let rotation: Vec<String> = history
        .chart(history.days("short_term").last().unwrap(), "short_term")
        .into_values()
        .map(str::to_owned)
        .collect();
    assert_eq!(told(2), rotation);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_export_has_every_row_as_it_is() {
    let way = sample().await;
    let history = History::of(&way);
    let site = Site::serve(&way.place, &way.target.url, &[]);
    let export = site.get("/export.jsonl").is(200).text;
    let packed = site.get_with("/export.jsonl", &[("Accept-Encoding", "gzip")]).is(200);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.unpacked(), export, "packed it is the same, and whole");
    let lines: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (end, rows) = lines.split_last().unwrap();
    assert_eq!(
        (&end["tracks"], &end["snapshots"]),
        (&history.artists.len().into(), &history.places.len().into())
    );
    assert_eq!(rows.len(), history.artists.len() + history.places.len());
    let places: BTreeSet<(String, String, String, i64)> = rows
        .iter()
        .filter(|row| row["table"] == "snapshots")
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            (text("track_id"), text("snapshot_date"), text("time_range"), row["rank"].as_i64().unwrap())
        })
        .collect();
    for place in &history.places {
        let row = (place.track.clone(), place.day.clone(), place.range.clone(), place.rank);
        assert!(places.contains(&row), "{row:?}");
    }
    let payloads =
        rows.iter().filter(|row| row["table"] == "tracks" && row["raw_json"] != serde_json::json!({}));
    assert_eq!(payloads.filter(|row| row["raw_json"].is_object()).count(), history.payloads.len());
}
