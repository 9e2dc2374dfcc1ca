//! The pages, a folder each: its questions (`.sql`), its answer, its template.

mod analytics;
mod dashboard;
mod explore;
mod machine;
mod migration;
mod overview;
mod playlists;
mod search;
pub(super) mod settings;
pub(super) mod time_range;
mod track;

use std::sync::Arc;

use axum::Router;
use utoipa::openapi::OpenApi;

use super::{database::Question, page, router::Site};

/// Calls a function for every page.
macro_rules! for_each_page {
    ($call:ident) => {
        $call!(
            overview::Overview,
            dashboard::Dashboard,
            analytics::Analytics,
            machine::Machine,
            search::Search,
            track::Track,
            playlists::Playlists,
            explore::Explore,
            migration::Migration,
            settings::Settings
        )
    };
}

/// The routes of every page, of its mirror, and of what some pages have beside.
pub(super) fn routes() -> Router<Arc<Site>> {
    macro_rules! merged {
        ($($page:ty),+) => { Router::new()$(.merge(page::routes::<$page>()))+ };
    }
    for_each_page!(merged).merge(playlists::routes()).merge(settings::routes())
}

/// Describes every page's mirror.
pub(super) fn describe(openapi: &mut OpenApi) {
    macro_rules! described {
        ($($page:ty),+) => { $(page::describe::<$page>(openapi);)+ };
    }
    for_each_page!(described);
}

/// Answers ahead what takes long, one after another.
pub(super) async fn answer_ahead(site: Arc<Site>) {
    macro_rules! answered {
        ($($page:ty),+) => { $(page::answer_ahead::<$page>(&site).await;)+ };
    }
    for_each_page!(answered);
}

/// Every question that a page asks.
pub(super) fn questions() -> Vec<&'static Question> {
    let mut questions = [
        overview::QUESTIONS,
        dashboard::QUESTIONS,
        analytics::QUESTIONS,
        machine::QUESTIONS,
        search::QUESTIONS,
        track::QUESTIONS,
        playlists::QUESTIONS,
        settings::QUESTIONS,
    ]
    .concat();
    questions.extend(explore::questions());
    questions
}
