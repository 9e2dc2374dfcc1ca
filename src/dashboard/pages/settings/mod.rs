//! `/settings`: the connection, the pool, the counts, the colours, and the export of all data.

mod export;
mod theme;

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    routing::{get, post},
};
use sea_orm::FromQueryResult;
use serde::Serialize;
use utoipa::ToSchema;

pub(in crate::dashboard) use self::export::EXPORTS_AT_ONCE;
use crate::dashboard::{
    database::{PoolState, Question, Reads, question},
    fault::Fault,
    frame::Frame,
    page::{Asked, Nothing, Page},
    router::Site,
    text,
};

const COUNTS: Question =
    question!("settings", "counts", [], Reads::Whole("it counts the rows of both tables"));
pub(super) const QUESTIONS: &[&Question] = &[&COUNTS];

/// The connection, the pool and the counts.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::dashboard) struct Settings {
    /// `user@host:port/database`.
    connection: String,
    schema: String,
    #[serde(flatten)]
    counts: Counts,
    /// Whether a snapshot can be sent: a token is set, and the role may write.
    takes_snapshots: bool,
    pool: Pool,
}

#[derive(Debug, Serialize, ToSchema, FromQueryResult)]
struct Counts {
    /// Rows of `tracks`.
    tracks: i64,
    /// Rows of `snapshots`.
    places: i64,
    /// The last snapshot's date.
    last_day: Option<String>,
    /// What both tables and their indexes take on the disk.
    bytes: i64,
    server_version: String,
    /// As whom the site asks.
    role: String,
    /// Whether that role may write both tables.
    may_write: bool,
    /// How long a statement may run.
    statement_timeout: String,
}

/// The sessions with the database.
#[derive(Debug, Serialize, ToSchema)]
struct Pool {
    /// Open ones.
    open: u32,
    /// Those of them that nobody needs.
    idle: u32,
    /// The fewest that are kept.
    min: u32,
    /// As many as there may be.
    max: u32,
    /// How long a request waits for one.
    acquire_timeout: String,
}

impl Page for Settings {
    type Question = Asked<Nothing>;

    const PATH: &'static str = "/settings";
    const TITLE: &'static str = "Settings";
    const SUMMARY: &'static str = "The connection, the pool and the counts";

    async fn ask(site: &Site, _: &Self::Question) -> Result<Settings, Fault> {
        let database = &site.database;
        let counts: Counts = database.row(&COUNTS, []).await?.ok_or(Fault::Internal)?;
        let PoolState { open, idle, max } = database.pool();
        let options = database.target().pool.options();
        Ok(Settings {
            connection: database.target().display.clone(),
            schema: database.target().schema.clone(),
            takes_snapshots: site.api_token.is_some() && counts.may_write,
            counts,
            pool: Pool {
                open,
                idle,
                min: options.get_min_connections(),
                max,
                acquire_timeout: text::duration(options.get_acquire_timeout()),
            },
        })
    }

    fn html(&self, frame: &Frame) -> askama::Result<String> {
        Html { frame, page: self }.render()
    }
}

/// The routes beside the page.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/settings/theme", post(theme::set)).route("/export.jsonl", get(export::export))
}

#[derive(Template)]
#[template(path = "pages/settings/page.html")]
struct Html<'a> {
    frame: &'a Frame,
    page: &'a Settings,
}
