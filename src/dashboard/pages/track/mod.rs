//! `/tracks/{track_id}`: a track, its places in the charts, and its payload.

mod payload;

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};

use self::payload::{Content, Node};
use super::time_range::TimeRange;
use crate::dashboard::{
    chart::{Line, Lines},
    database::{Question, Reads, question},
    entity::{snapshot, track},
    fault::Fault,
    frame::Frame,
    page::{self, Page},
    router::Site,
    text,
};

/// Snapshot dates that the chart shows at most.
const CHARTED_DAYS: i32 = 500;

const DAYS: Question = question!(
    "track",
    "days",
    ["'2026-01-01'", "'2026-11-20'", "500"],
    Reads::Indexes(&["idx_snapshots_date"])
);
pub(super) const QUESTIONS: &[&Question] = &[&DAYS];

/// Which track is asked for, and what of its payload.
#[derive(Debug)]
pub(in crate::dashboard) struct OfTrack {
    track_id: String,
    find: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "axum reads it as the text that it is; this describes it")]
struct Identifier {
    /// Spotify's identifier.
    track_id: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Find {
    /// Letters to look for in the page's payload.
    find: Option<String>,
}

impl IntoParams for OfTrack {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        [Identifier::into_params(|| Some(ParameterIn::Path)), Find::into_params(place)].concat()
    }
}

impl FromRequestParts<Arc<Site>> for OfTrack {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<OfTrack, Fault> {
        let Path(track_id) = Path::<String>::from_request_parts(parts, site)
            .await
            .map_err(|error| Fault::BadRequest(error.body_text()))?;
        let Find { find } = page::query(&parts.uri)?;
        Ok(OfTrack { track_id, find })
    }
}

/// A track, its places in the charts, and its payload.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::dashboard) struct Track {
    track_id: String,
    /// The title.
    name: String,
    artist_name: String,
    album_name: Option<String>,
    duration_ms: Option<i32>,
    spotify_url: Option<String>,
    /// When the row was made.
    created_at: String,
    /// When it was written last.
    updated_at: String,
    /// Its places, by date and time range.
    places: Vec<Place>,
    /// The track object as Spotify sent it.
    #[schema(value_type = Option<Object>)]
    payload: Option<Box<RawValue>>,
    /// The dates that the chart shows.
    #[serde(skip)]
    days: Vec<String>,
    #[serde(skip)]
    find: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct Place {
    /// The chart's day.
    day: String,
    time_range: String,
    /// The place, from 1.
    rank: i32,
}

#[derive(FromQueryResult)]
struct Day {
    day: String,
}

impl Page for Track {
    type Question = OfTrack;

    const PATH: &'static str = "/tracks/{track_id}";
    const TITLE: &'static str = "Track";
    const SUMMARY: &'static str = "A track, its places in the charts, and its payload";

    async fn ask(site: &Site, asked: &OfTrack) -> Result<Track, Fault> {
        let database = &site.database;
        let unknown = || Fault::NotFound("there is no such track".to_owned());
        // No text of the database holds U+0000, and the server would refuse the question.
        if asked.track_id.contains('\0') {
            return Err(unknown());
        }
        let row = track::Entity::find_by_id(asked.track_id.as_str()).one(database.orm());
        let places = snapshot::Entity::find()
            .filter(snapshot::Column::TrackId.eq(asked.track_id.as_str()))
            .order_by_asc(snapshot::Column::SnapshotDate)
            .order_by_asc(snapshot::Column::TimeRange)
            .all(database.orm());
        let (row, places) =
            tokio::try_join!(database.timed("track.row", row), database.timed("track.places", places))?;
        let row = row.ok_or_else(unknown)?;
        let places: Vec<Place> = places
            .into_iter()
            .map(|row| Place {
                day: row.snapshot_date.to_string(),
                time_range: row.time_range,
                rank: row.rank,
            })
            .collect();
        let days = match (places.first(), places.last()) {
            (Some(first), Some(last)) => {
                let asked = [first.day.as_str().into(), last.day.as_str().into(), CHARTED_DAYS.into()];
                database.rows::<Day>(&DAYS, asked).await?.into_iter().map(|row| row.day).collect()
            }
            _ => Vec::new(),
        };
        let payload = row.raw_json.map(RawValue::from_string).transpose().map_err(|error| {
            tracing::error!(%error, "a payload is no JSON");
            Fault::Internal
        })?;
        Ok(Track {
            track_id: row.track_id,
            name: row.name,
            artist_name: row.artist_name,
            album_name: row.album_name,
            duration_ms: row.duration_ms,
            spotify_url: row.spotify_url,
            created_at: text::moment(row.created_at),
            updated_at: text::moment(row.updated_at),
            places,
            payload,
            days,
            find: asked.find.as_deref().unwrap_or_default().trim().to_owned(),
        })
    }

    fn html(&self, frame: &Frame) -> askama::Result<String> {
        let node = self.payload.as_ref().map(|payload| Node::read(payload.get())).transpose();
        let node = node.map_err(|error| askama::Error::Custom(Box::new(error)))?;
        let wanted = self.find.to_lowercase();
        let found = node.as_ref().map_or(0, |node| node.count(&wanted));
        let chart = self.chart().render()?;
        Html { frame, page: self, chart, node: node.as_ref(), wanted: &wanted, found }.render()
    }
}

impl Track {
    /// The places over the dates, a line a time range; where it is not in the chart, there is a gap.
    fn chart(&self) -> Lines {
        let days: Vec<&str> = self.days.iter().map(String::as_str).collect();
        let line = |range: TimeRange| {
            let mut values = vec![None; days.len()];
            for place in self.places.iter().filter(|place| place.time_range == range.word()) {
                if let Ok(at) = days.binary_search(&place.day.as_str()) {
                    values[at] = Some(f64::from(place.rank));
                }
            }
            Line { name: range.word().to_owned(), values }
        };
        let lines = TimeRange::ALL.into_iter().map(line).collect();
        Lines::of_ranks(format!("Places of {} in the charts", self.name), &days, lines)
    }

    /// The link to Spotify, where it is one that a browser may follow.
    fn link(&self) -> Option<&str> {
        self.spotify_url.as_deref().filter(|url| url.starts_with("https://"))
    }

    /// The best place, with its day and time range.
    fn best(&self) -> Option<&Place> {
        self.places.iter().min_by_key(|place| place.rank)
    }

    /// The first and the last day.
    fn span(&self) -> Option<(&str, &str)> {
        Some((&self.places.first()?.day, &self.places.last()?.day))
    }
}

#[derive(Template)]
#[template(path = "pages/track/page.html")]
struct Html<'a> {
    frame: &'a Frame,
    page: &'a Track,
    chart: String,
    node: Option<&'a Node>,
    wanted: &'a str,
    found: usize,
}

/// A node of the payload, and those in it.
#[derive(Template)]
#[template(path = "pages/track/node.html")]
struct NodeHtml<'a> {
    node: &'a Node,
    wanted: &'a str,
}

impl<'a> NodeHtml<'a> {
    fn new(node: &'a Node, wanted: &'a str) -> NodeHtml<'a> {
        NodeHtml { node, wanted }
    }
}
