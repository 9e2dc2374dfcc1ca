//! `/dashboard`: what the payloads tell of all tracks.

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

/// Release years that are shown.
const YEARS: i64 = 10;

const PAYLOADS: Question =
    question!("dashboard", "payloads", [], Reads::Whole("every payload is looked into"));
const RELEASE_YEARS: Question =
    question!("dashboard", "release_years", ["10"], Reads::Whole("every track has a year that counts"));
pub(super) const QUESTIONS: &[&Question] = &[&PAYLOADS, &RELEASE_YEARS];

/// What the payloads tell of all tracks.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::dashboard) struct Dashboard {
    #[serde(flatten)]
    payloads: Payloads,
    /// The years in which most tracks were released.
    release_years: Vec<ReleaseYear>,
}

/// Counts of tracks, by what their payload tells.
#[derive(Debug, Serialize, ToSchema, FromQueryResult)]
struct Payloads {
    /// Rows of `tracks`.
    tracks: i64,
    /// Those with a payload that is not empty; the counts below are of these.
    payloads: i64,
    /// Explicit ones.
    explicit: i64,
    /// Those that are said not to be.
    clean: i64,
    /// Those with an International Standard Recording Code.
    with_isrc: i64,
    /// Release dates that name a day.
    to_the_day: i64,
    /// Release dates that name a month.
    to_the_month: i64,
    /// Release dates that name a year alone.
    to_the_year: i64,
    /// Payloads without a release date.
    without_release_date: i64,
    /// The generation whose albums have no release date, as of 2017.
    without_album_date: i64,
    /// The generation that lists markets, as of 2018 to 2025.
    with_markets: i64,
    /// The one that lists no markets any more, as from 2026.
    without_markets: i64,
    /// The one that lacks the external identifiers too.
    without_external_ids: i64,
}

#[derive(Debug, Serialize, ToSchema, FromQueryResult)]
struct ReleaseYear {
    /// Four digits.
    year: String,
    /// Tracks that were released in it.
    tracks: i64,
}

impl Page for Dashboard {
    type Question = Asked<Nothing>;

    const PATH: &'static str = "/dashboard";
    const TITLE: &'static str = "Dashboard";
    const SUMMARY: &'static str =
        "What the payloads tell of all tracks: release years, explicit ones, ISRC, generations";

    fn kept() -> Vec<Self::Question> {
        vec![Asked(Nothing {})]
    }

    async fn ask(site: &Site, _: &Self::Question) -> Result<Dashboard, Fault> {
        let (payloads, release_years) = tokio::try_join!(
            site.database.row(&PAYLOADS, []),
            site.database.rows(&RELEASE_YEARS, [YEARS.into()]),
        )?;
        Ok(Dashboard { payloads: payloads.ok_or(Fault::Internal)?, release_years })
    }

    fn html(&self, frame: &Frame) -> askama::Result<String> {
        let mut years: Vec<&ReleaseYear> = self.release_years.iter().collect();
        years.sort_by_key(|year| &year.year);
        let bars = years.into_iter().map(|year| (year.year.as_str(), year.tracks as f64));
        let chart = Bars::new("Tracks by release year", "tracks", bars).render()?;
        Html { frame, page: self, chart }.render()
    }
}

impl Dashboard {
    /// What there is of each generation: how it is known, and how many.
    fn generations(&self) -> [(&'static str, &'static str, i64); 4] {
        let of = &self.payloads;
        [
            ("as of 2017", "the album has no release date", of.without_album_date),
            ("as of 2018 to 2025", "with the list of markets", of.with_markets),
            ("as from 2026", "without markets", of.without_markets),
            ("early 2026", "without markets and external identifiers", of.without_external_ids),
        ]
    }

    fn precisions(&self) -> [(&'static str, i64); 4] {
        let of = &self.payloads;
        [
            ("day", of.to_the_day),
            ("month", of.to_the_month),
            ("year", of.to_the_year),
            ("no date", of.without_release_date),
        ]
    }
}

#[derive(Template)]
#[template(path = "pages/dashboard/page.html")]
struct Html<'a> {
    frame: &'a Frame,
    page: &'a Dashboard,
    chart: String,
}
