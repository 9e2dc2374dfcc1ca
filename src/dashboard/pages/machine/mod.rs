//! `/machine`: the time machine itself, a chart as it stood on a day beside today's.

use askama::Template;
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::time_range::TimeRange;
use crate::dashboard::{
    database::{Question, Reads, question},
    fault::Fault,
    frame::Frame,
    page::{Asked, Page},
    router::Site,
    text,
};

/// Places of a chart that are shown.
const PLACES: i64 = 100;

const DAYS: Question =
    question!("machine", "days", ["'short_term'", "'2026-06-01'"], Reads::Indexes(&["idx_snapshots_date"]));
const CHART: Question = question!(
    "machine",
    "chart",
    ["'short_term'", "'2026-06-05'", "'2026-11-20'", "100"],
    Reads::Indexes(&["idx_snapshots_date", "tracks_pkey"])
);
pub(super) const QUESTIONS: &[&Question] = &[&DAYS, &CHART];

/// Which day and time range are asked for.
#[derive(Debug, Deserialize, IntoParams)]
pub(in crate::dashboard) struct OfDay {
    /// The day, `2026-01-31`; none: a year before the last snapshot, or the first.
    date: Option<String>,
    /// `short_term`, `medium_term` or `long_term`; none: `short_term`.
    range: Option<String>,
}

/// A chart as it stood on a day, beside the last one.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::dashboard) struct Machine {
    /// The day that was asked for.
    date: Option<String>,
    range: TimeRange,
    #[serde(flatten)]
    days: Days,
    /// The chart that stood then.
    then: Vec<ChartPlace>,
    /// The last chart.
    now: Vec<ChartPlace>,
}

#[derive(Debug, Serialize, ToSchema, FromQueryResult)]
struct Days {
    /// The day of the chart that stood then: the last on or before the day that was asked for.
    then_day: Option<String>,
    /// The last chart's day.
    now_day: Option<String>,
    /// The chart's day before.
    day_before: Option<String>,
    /// The chart's day after.
    day_after: Option<String>,
    /// The first chart's day.
    first_day: Option<String>,
}

/// A track's place in a chart.
#[derive(Debug, Serialize, ToSchema, FromQueryResult)]
struct ChartPlace {
    /// The place, from 1.
    rank: i32,
    track_id: String,
    /// The track's title.
    name: String,
    artist_name: String,
    /// Its place in the other of the two charts; `null`: it is not there.
    other_rank: Option<i32>,
}

impl Page for Machine {
    type Question = Asked<OfDay>;

    const PATH: &'static str = "/machine";
    const TITLE: &'static str = "Time machine";
    const SUMMARY: &'static str = "A chart as it stood on a day, beside the last one, with rises and falls";

    async fn ask(site: &Site, Asked(asked): &Self::Question) -> Result<Machine, Fault> {
        let date = asked.date.as_deref().filter(|date| !date.is_empty()).map(text::day).transpose()?;
        let range = TimeRange::asked(asked.range.as_deref())?;
        let database = &site.database;
        let days = database.row::<Days>(&DAYS, [range.word().into(), date.clone().into()]).await?;
        let days = days.ok_or(Fault::Internal)?;
        let chart = |day: &Option<String>, other: &Option<String>| {
            database.rows::<ChartPlace>(
                &CHART,
                [range.word().into(), day.clone().into(), other.clone().into(), PLACES.into()],
            )
        };
        let (then, now) =
            tokio::try_join!(chart(&days.then_day, &days.now_day), chart(&days.now_day, &days.then_day))?;
        Ok(Machine { date, range, days, then, now })
    }

    fn html(&self, frame: &Frame) -> askama::Result<String> {
        Html { frame, page: self }.render()
    }
}

/// How a track has moved from one chart to the other.
enum Movement {
    Up(i32),
    Down(i32),
    Same,
    /// It is in this one alone.
    Alone,
}

impl ChartPlace {
    /// From the other chart to this one.
    fn movement(&self) -> Movement {
        match self.other_rank.map(|other| other - self.rank) {
            None => Movement::Alone,
            Some(0) => Movement::Same,
            Some(by) if by > 0 => Movement::Up(by),
            Some(by) => Movement::Down(-by),
        }
    }
}

#[derive(Template)]
#[template(path = "pages/machine/page.html")]
struct Html<'a> {
    frame: &'a Frame,
    page: &'a Machine,
}

impl Html<'_> {
    fn ranges(&self) -> [TimeRange; 3] {
        TimeRange::ALL
    }

    /// The day in the address of a link to another time range.
    fn asked_day(&self) -> &str {
        self.page.date.as_deref().or(self.page.days.then_day.as_deref()).unwrap_or_default()
    }
}
