//! The Music Time Machine's site, on the database that the stages before made: pages, their mirror as JSON, and the one way
//! to write, a new snapshot.
//!
//! In comes a [`Target`] and [`Settings`]; [`serve`] listens until it is told to stop. The site sees the target and the
//! ledger, never a stage. A page is a folder of `pages/`: its questions (`.sql`), its answer (a value that is also the
//! JSON), and its template, checked when the program is compiled. How each figure is counted is said on the page itself.

mod answers;
mod api;
mod assets;
mod chart;
mod client;
mod database;
mod entity;
mod fault;
mod frame;
mod health;
mod metrics;
mod page;
mod pages;
mod router;
mod server;
mod text;

use std::{future::Future, io, net::SocketAddr, num::NonZeroU32, time::Duration};

use axum::http::HeaderName;
use sqlx::postgres::PgPoolOptions;

pub use self::{
    api::openapi,
    database::{Question, Reads},
};
use crate::target::{Target, Version};

/// What the site is to be.
#[derive(Debug)]
pub struct Settings {
    /// Where it listens. `[::]` takes IPv4 too, where the system maps it, as Linux does.
    pub listen: SocketAddr,
    /// How many sessions it keeps, and for how long.
    pub pool: PoolSettings,
    /// What a writer has to show; `None`: nothing can be written.
    pub api_token: Option<ApiToken>,
    /// The header in which a proxy in front says who asks; `None`: whoever opened the connection.
    pub client_header: Option<HeaderName>,
    /// Requests a second of one client, from another machine.
    pub requests_a_second: NonZeroU32,
    /// How long a client may take for a request's head, for each piece of its body, and between two requests.
    pub client_timeout: Duration,
    /// How long requests that are under way may take once the site is told to stop.
    pub stop_within: Duration,
    /// The versions of the schema that the target has to have before the site is ready.
    pub versions: Vec<Version>,
}

/// The sessions with the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSettings {
    /// How many are kept open though nobody needs them.
    pub min: u32,
    /// How many there are at most; who needs one more waits.
    pub max: u32,
    /// How long a request waits for one before it is answered 503.
    pub acquire_timeout: Duration,
    /// How long one above the minimum may rest before it is closed.
    pub idle_timeout: Duration,
    /// How old one may become.
    pub max_lifetime: Duration,
}

/// A writer's secret. It is compared, and never shown.
pub struct ApiToken(String);

impl ApiToken {
    /// The fewest characters: a shorter one can be guessed.
    pub const SHORTEST: usize = 16;

    /// Takes the secret.
    ///
    /// # Errors
    /// What is wrong with it, where it is too short or holds what a header cannot.
    pub fn new(token: String) -> Result<ApiToken, String> {
        if token.len() < ApiToken::SHORTEST {
            return Err(format!("a token has {} characters at least", ApiToken::SHORTEST));
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("a token is of letters, digits and signs of ASCII, without spaces".to_owned());
        }
        Ok(ApiToken(token))
    }

    /// Whether this is it, in a time that does not tell how much of it is right.
    fn is(&self, offered: &[u8]) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), offered).into()
    }
}

impl std::fmt::Debug for ApiToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ApiToken(hidden)")
    }
}

/// Why the site cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody else listens there, or this user may not.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The database does not hold what the site shows.
    #[error("schema {schema} of {target} is not a Music Time Machine: {lacks}")]
    NotOurs {
        /// The schema.
        schema: String,
        /// The target, for people.
        target: String,
        /// What is missing, or of another type.
        lacks: String,
    },
    /// The database does not answer.
    #[error("the database could not be asked for its tables")]
    Ask(#[source] crate::target::ServerError),
    /// Metrics can be collected once in a process.
    #[error("the metrics cannot be collected")]
    Metrics(#[source] metrics_exporter_prometheus::BuildError),
}

/// What a session is told beside what all of them are: a count over a million rows has its groups in memory, and a question
/// is planned for what is asked, since a plan for anything would read the whole table.
const SESSION_SETTINGS: [(&str, &str); 2] = [("work_mem", "64MB"), ("plan_cache_mode", "force_custom_plan")];

/// Serves the site until `stop` is ready, and then finishes the requests that are under way. `listening` is told the address
/// once requests are taken.
///
/// # Errors
/// [`ServeError`]; what goes wrong with a single request is answered and logged, and ends nothing.
pub async fn serve(
    target: Target,
    mut settings: Settings,
    listening: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let PoolSettings { min, max, acquire_timeout, idle_timeout, max_lifetime } = settings.pool;
    let sessions = PgPoolOptions::new()
        .min_connections(min)
        .max_connections(max)
        .acquire_timeout(acquire_timeout)
        .idle_timeout(idle_timeout)
        .max_lifetime(max_lifetime);
    let database = database::Database::new(target.with_pool(sessions, &SESSION_SETTINGS));
    database.check().await?;
    let recorder = metrics::Recorder::install().map_err(ServeError::Metrics)?;
    let router = router::router(database, recorder, &mut settings);
    server::run(router, &settings, listening, stop).await
}

/// Every question that the pages ask of the database, for whoever wants to see how it is answered.
#[must_use]
pub fn questions() -> Vec<&'static Question> {
    pages::questions()
}
