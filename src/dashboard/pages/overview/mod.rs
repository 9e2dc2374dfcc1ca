//! `/`: how much there is, how fast it changes, and when each track was first seen.

use askama::Template;
use sea_orm::FromQueryResult;
use serde::Serialize;
use utoipa::ToSchema;

use crate::dashboard::{
    chart::Bars,
    database::{Question, Reads, question},
    fault::Fault,
    frame::Frame,
    page::{Asked, Nothing, Page},
    router::Site,
    text,
};

/// Snapshots that the chart shows: a year of weeks.
const CHARTED_DAYS: i64 = 52;

const CARDS: Question = question!("overview", "cards", [], Reads::Whole("it counts the rows of both tables"));
const TURNOVER: Question =
    question!("overview", "turnover", [], Reads::Indexes(&["idx_snapshots_date", "snapshots_pkey"]));
const FIRST_SEEN: Question = question!(
    "overview",
    "first_seen",
    ["52"],
    Reads::Whole("a track is first seen on the earliest of all its days")
);
pub(super) const CONSISTENT: Question =
    question!("overview", "consistent", ["NULL", "1"], Reads::Whole("every place of every artist counts"));
pub(super) const QUESTIONS: &[&Question] = &[&CARDS, &TURNOVER, &FIRST_SEEN, &CONSISTENT];

/// How much there is, how fast it changes, and when each track was first seen.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::dashboard) struct Overview {
    #[serde(flatten)]
    cards: Cards,
    /// The latest short_term chart beside the one before.
    turnover: Option<Turnover>,
    /// The artist with the most distinct snapshot dates.
    most_consistent_artist: Option<ConsistentArtist>,
    /// Tracks first seen on each of the last snapshot dates.
    first_seen: Vec<FirstSeen>,
}

#[derive(Debug, Serialize, ToSchema, FromQueryResult)]
struct Cards {
    /// Rows of `tracks`.
    tracks: i64,
    /// Rows of `snapshots`.
    places: i64,
    /// The first snapshot's date.
    first_day: Option<String>,
    /// The last snapshot's date.
    last_day: Option<String>,
}

/// How many of the latest short_term chart's tracks the one before lacks.
#[derive(Debug, Serialize, ToSchema, FromQueryResult)]
struct Turnover {
    /// The latest chart's date.
    day: String,
    /// The date of the one before.
    day_before: Option<String>,
    /// Tracks of the latest.
    tracks: i64,
    /// Those of them that the one before lacks.
    newcomers: i64,
}

/// An artist, and on how many dates one of its tracks was in a chart.
#[derive(Debug, Serialize, ToSchema, FromQueryResult)]
pub(in crate::dashboard) struct ConsistentArtist {
    /// The artists' names, as the track has them.
    pub(super) artist_name: String,
    /// Distinct snapshot dates.
    pub(super) days: i64,
}

/// How many tracks a date brought.
#[derive(Debug, Serialize, ToSchema, FromQueryResult)]
struct FirstSeen {
    /// The snapshot's date.
    day: String,
    /// Tracks that no earlier snapshot has.
    tracks: i64,
}

impl Page for Overview {
    type Question = Asked<Nothing>;

    const PATH: &'static str = "/";
    const TITLE: &'static str = "Overview";
    const SUMMARY: &'static str =
        "How much there is, how fast it changes, and when each track was first seen";

    fn kept() -> Vec<Self::Question> {
        vec![Asked(Nothing {})]
    }

    async fn ask(site: &Site, _: &Self::Question) -> Result<Overview, Fault> {
        let database = &site.database;
        let (cards, turnover, most_consistent_artist, first_seen) = tokio::try_join!(
            database.row(&CARDS, []),
            database.row(&TURNOVER, []),
            database.row(&CONSISTENT, [None::<String>.into(), 1_i64.into()]),
            database.rows(&FIRST_SEEN, [CHARTED_DAYS.into()]),
        )?;
        let cards = cards.ok_or(Fault::Internal)?;
        Ok(Overview { cards, turnover, most_consistent_artist, first_seen })
    }

    fn html(&self, frame: &Frame) -> askama::Result<String> {
        let bars = self.first_seen.iter().map(|of| (of.day.as_str(), of.tracks as f64));
        let chart = Bars::new("Tracks first seen, by snapshot", "tracks", bars).render()?;
        Html { frame, page: self, chart }.render()
    }
}

#[derive(Template)]
#[template(path = "pages/overview/page.html")]
struct Html<'a> {
    frame: &'a Frame,
    page: &'a Overview,
    chart: String,
}
