//! `/playlists`: proposals out of the history, to look at and to take along as CSV or M3U.

mod export;

use std::sync::Arc;

use askama::Template;
use axum::{Router, routing::get};
use sea_orm::FromQueryResult;
use serde::Serialize;
use utoipa::ToSchema;

use crate::dashboard::{
    database::{Question, Reads, question},
    fault::Fault,
    frame::Frame,
    page::{Asked, Nothing, Page},
    router::Site,
    text,
};

/// Tracks of a playlist.
const TRACKS: i64 = 50;

const FORGOTTEN_GEMS: Question = question!(
    "playlists",
    "forgotten_gems",
    ["50"],
    Reads::Indexes(&["idx_snapshots_date", "snapshots_pkey", "tracks_pkey"])
);
const RECENT_DISCOVERIES: Question = question!(
    "playlists",
    "recent_discoveries",
    ["50"],
    Reads::Indexes(&["idx_snapshots_date", "snapshots_pkey", "tracks_pkey"])
);
const CURRENT_ROTATION: Question = question!(
    "playlists",
    "current_rotation",
    ["50"],
    Reads::Indexes(&["idx_snapshots_date", "tracks_pkey"])
);
pub(super) const QUESTIONS: &[&Question] = &[&FORGOTTEN_GEMS, &RECENT_DISCOVERIES, &CURRENT_ROTATION];

/// A way to choose tracks.
pub(super) struct Proposal {
    /// The word in addresses and files' names.
    slug: &'static str,
    title: &'static str,
    how: &'static str,
    /// What the day of a track is.
    day: &'static str,
    question: &'static Question,
}

pub(super) static PROPOSALS: [Proposal; 3] = [
    Proposal {
        slug: "forgotten-gems",
        title: "Forgotten gems",
        how: "Loved 90 to 365 days before the last snapshot (place 20 or better in a short_term or medium_term chart), and in no \
              chart of the 90 days up to it.",
        day: "Last loved",
        question: &FORGOTTEN_GEMS,
    },
    Proposal {
        slug: "recent-discoveries",
        title: "Recent discoveries",
        how: "First seen in the last snapshot.",
        day: "First seen",
        question: &RECENT_DISCOVERIES,
    },
    Proposal {
        slug: "current-rotation",
        title: "Current rotation",
        how: "The last short_term chart, in its order.",
        day: "Chart of",
        question: &CURRENT_ROTATION,
    },
];

/// Proposals out of the history.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::dashboard) struct Playlists {
    playlists: Vec<Playlist>,
}

/// A proposal, filled.
#[derive(Debug, Serialize, ToSchema)]
struct Playlist {
    /// The word in the addresses of its exports.
    slug: &'static str,
    title: &'static str,
    /// How its tracks are chosen.
    how: &'static str,
    tracks: Vec<Proposed>,
    #[serde(skip)]
    day: &'static str,
}

/// A track of a playlist.
#[derive(Debug, Serialize, ToSchema, FromQueryResult)]
struct Proposed {
    track_id: String,
    /// The track's title.
    name: String,
    artist_name: String,
    duration_ms: Option<i32>,
    spotify_url: Option<String>,
    /// Its best place in the charts that count.
    rank: i32,
    /// The last day of those charts.
    day: String,
}

impl Proposal {
    async fn fill(&self, site: &Site) -> Result<Vec<Proposed>, Fault> {
        site.database.rows(self.question, [TRACKS.into()]).await
    }
}

impl Page for Playlists {
    type Question = Asked<Nothing>;

    const PATH: &'static str = "/playlists";
    const TITLE: &'static str = "Playlists";
    const SUMMARY: &'static str =
        "Proposals out of the history: forgotten gems, recent discoveries, current rotation";

    fn kept() -> Vec<Self::Question> {
        vec![Asked(Nothing {})]
    }

    async fn ask(site: &Site, _: &Self::Question) -> Result<Playlists, Fault> {
        let filled = futures_util::future::try_join_all(PROPOSALS.iter().map(|proposal| proposal.fill(site)));
        let playlist = |(of, tracks): (&Proposal, Vec<Proposed>)| {
            let Proposal { slug, title, how, day, question: _ } = *of;
            Playlist { slug, title, how, tracks, day }
        };
        Ok(Playlists { playlists: PROPOSALS.iter().zip(filled.await?).map(playlist).collect() })
    }

    fn html(&self, frame: &Frame) -> askama::Result<String> {
        Html { frame, page: self }.render()
    }
}

/// The routes of the exports.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/playlists/{file}", get(export::file))
}

#[derive(Template)]
#[template(path = "pages/playlists/page.html")]
struct Html<'a> {
    frame: &'a Frame,
    page: &'a Playlists,
}
