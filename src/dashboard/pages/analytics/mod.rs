//! `/analytics`: how the catalogue grows, how diverse it is, how fast it changes, and which artists stay.

use askama::Template;
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::overview::{CONSISTENT, ConsistentArtist};
use crate::dashboard::{
    chart::{Bars, Line, Lines},
    database::{Question, Reads, question},
    fault::Fault,
    frame::Frame,
    page::{Asked, Page},
    router::Site,
    text,
};

/// Artists that are shown.
const ARTISTS: i64 = 10;

const SINCE: Question = question!("analytics", "since", ["12"], Reads::Indexes(&["idx_snapshots_date"]));
const GROWTH: Question = question!(
    "analytics",
    "growth",
    [],
    Reads::Whole("a track is first seen on the earliest of all its days")
);
const DIVERSITY: Question =
    question!("analytics", "diversity", ["'2026-10-01'"], Reads::Indexes(&["tracks_pkey"]));
const TURNOVER: Question =
    question!("analytics", "turnover", ["'2026-10-01'"], Reads::Indexes(&["idx_snapshots_date"]));
pub(super) const QUESTIONS: &[&Question] = &[&SINCE, &GROWTH, &DIVERSITY, &TURNOVER];

/// How far back it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
enum Range {
    /// The last six months.
    #[serde(rename = "6m")]
    SixMonths,
    /// The last twelve.
    #[serde(rename = "12m")]
    TwelveMonths,
    /// The last 24.
    #[serde(rename = "24m")]
    TwentyFourMonths,
    /// All.
    #[serde(rename = "all")]
    All,
}

impl Range {
    const ALL: [Range; 4] = [Range::SixMonths, Range::TwelveMonths, Range::TwentyFourMonths, Range::All];

    /// The word in the address.
    fn word(self) -> &'static str {
        match self {
            Range::SixMonths => "6m",
            Range::TwelveMonths => "12m",
            Range::TwentyFourMonths => "24m",
            Range::All => "all",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Range::SixMonths => "6 months",
            Range::TwelveMonths => "12 months",
            Range::TwentyFourMonths => "24 months",
            Range::All => "All",
        }
    }

    /// Months; 0: all.
    fn months(self) -> i32 {
        match self {
            Range::SixMonths => 6,
            Range::TwelveMonths => 12,
            Range::TwentyFourMonths => 24,
            Range::All => 0,
        }
    }

    /// One that is not known means twelve months.
    fn named(word: Option<&str>) -> Range {
        Range::ALL.into_iter().find(|range| Some(range.word()) == word).unwrap_or(Range::TwelveMonths)
    }
}

/// Which range is asked for.
#[derive(Debug, Deserialize, IntoParams)]
pub(in crate::dashboard) struct Ranged {
    /// `6m`, `12m`, `24m` or `all`; anything else means `12m`.
    range: Option<String>,
}

/// How the catalogue grows, how diverse it is, how fast it changes, and which artists stay.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::dashboard) struct Analytics {
    range: Range,
    /// The first day that counts; `null`: all.
    since: Option<String>,
    /// Tracks first seen in each month.
    growth: Vec<Growth>,
    /// Artists and tracks of each month.
    diversity: Vec<Diversity>,
    /// Newcomers to the short_term charts of each month.
    turnover: Vec<MonthlyTurnover>,
    /// The artists with the most distinct snapshot dates.
    most_consistent_artists: Vec<ConsistentArtist>,
}

#[derive(Debug, Serialize, ToSchema, FromQueryResult)]
struct Growth {
    /// The month, `2026-01`.
    month: String,
    /// Tracks first seen in it.
    added: i64,
    /// Tracks first seen in it or before.
    total: i64,
}

#[derive(Debug, Serialize, ToSchema, FromQueryResult)]
struct Diversity {
    /// The month.
    month: String,
    /// Distinct artists.
    artists: i64,
    /// Distinct tracks.
    tracks: i64,
}

#[derive(Debug, Serialize, ToSchema, FromQueryResult)]
struct MonthlyTurnover {
    /// The month.
    month: String,
    /// Places of its charts.
    tracks: i64,
    /// Those of them whose track the chart before lacks.
    newcomers: i64,
}

#[derive(FromQueryResult)]
struct Since {
    since: Option<String>,
}

impl Page for Analytics {
    type Question = Asked<Ranged>;

    const PATH: &'static str = "/analytics";
    const TITLE: &'static str = "Analytics";
    const SUMMARY: &'static str =
        "How the catalogue grows, how diverse it is, how fast it changes, which artists stay";

    fn kept() -> Vec<Self::Question> {
        Range::ALL.into_iter().map(|range| Asked(Ranged { range: Some(range.word().to_owned()) })).collect()
    }

    fn key(Asked(asked): &Self::Question) -> &'static str {
        Range::named(asked.range.as_deref()).word()
    }

    async fn ask(site: &Site, Asked(asked): &Self::Question) -> Result<Analytics, Fault> {
        let range = Range::named(asked.range.as_deref());
        let database = &site.database;
        let since = database.row::<Since>(&SINCE, [range.months().into()]).await?.and_then(|row| row.since);
        let from = || sea_orm::Value::from(since.clone());
        let (mut growth, diversity, turnover, most_consistent_artists) = tokio::try_join!(
            database.rows::<Growth>(&GROWTH, []),
            database.rows(&DIVERSITY, [from()]),
            database.rows(&TURNOVER, [from()]),
            database.rows(&CONSISTENT, [from(), ARTISTS.into()]),
        )?;
        // The running sum is of all time; what is shown begins with the range's first month.
        if let Some(since) = &since {
            growth.retain(|of| of.month.as_str() >= &since[..of.month.len().min(since.len())]);
        }
        Ok(Analytics { range, since, growth, diversity, turnover, most_consistent_artists })
    }

    fn html(&self, frame: &Frame) -> askama::Result<String> {
        let added = self.growth.iter().map(|of| (of.month.as_str(), of.added as f64));
        let months: Vec<&str> = self.growth.iter().map(|of| of.month.as_str()).collect();
        let totals = self.growth.iter().map(|of| Some(of.total as f64)).collect();
        let total = Line { name: "Tracks".to_owned(), values: totals };
        Html {
            frame,
            page: self,
            added: Bars::new("Tracks first seen, by month", "tracks", added).render()?,
            total: Lines::new("Tracks seen so far, by month", "tracks", &months, vec![total]).render()?,
            diversity: self.diversity_chart().render()?,
            turnover: self.turnover_chart().render()?,
        }
        .render()
    }
}

impl Analytics {
    fn diversity_chart(&self) -> Lines {
        let months: Vec<&str> = self.diversity.iter().map(|of| of.month.as_str()).collect();
        let line = |name: &str, value: fn(&Diversity) -> i64| Line {
            name: name.to_owned(),
            values: self.diversity.iter().map(|of| Some(value(of) as f64)).collect(),
        };
        let lines = vec![line("Artists", |of| of.artists), line("Tracks", |of| of.tracks)];
        Lines::new("Distinct artists and tracks, by month", "", &months, lines)
    }

    fn turnover_chart(&self) -> Lines {
        let months: Vec<&str> = self.turnover.iter().map(|of| of.month.as_str()).collect();
        let share = |of: &MonthlyTurnover| {
            (of.tracks > 0).then(|| (of.newcomers as f64 * 1000.0 / of.tracks as f64).round() / 10.0)
        };
        let line = Line { name: "Turnover".to_owned(), values: self.turnover.iter().map(share).collect() };
        Lines::new("Turnover of the short_term charts, by month", "%", &months, vec![line])
    }

    fn ranges(&self) -> [Range; 4] {
        Range::ALL
    }
}

#[derive(Template)]
#[template(path = "pages/analytics/page.html")]
struct Html<'a> {
    frame: &'a Frame,
    page: &'a Analytics,
    added: String,
    total: String,
    diversity: String,
    turnover: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_that_is_not_known_means_twelve_months() {
        for (word, range) in [
            (Some("6m"), Range::SixMonths),
            (Some("24m"), Range::TwentyFourMonths),
            (Some("all"), Range::All),
            (Some("12m"), Range::TwelveMonths),
            (Some("'; DROP TABLE tracks"), Range::TwelveMonths),
            (Some(""), Range::TwelveMonths),
            (None, Range::TwelveMonths),
        ] {
            assert_eq!(Range::named(word), range, "{word:?}");
        }
    }
}
