//! What can be measured of the site, in Prometheus's text form. The names carry their units.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::{client::Client, router::Site};

const REQUESTS: &str = "mtm_http_requests_total";
const REQUEST_SECONDS: &str = "mtm_http_request_duration_seconds";
const REQUESTS_NOW: &str = "mtm_http_requests_in_flight";
const QUERY_SECONDS: &str = "mtm_query_duration_seconds";
const QUERY_FAILURES: &str = "mtm_query_failures_total";
const POOL_SESSIONS: &str = "mtm_pool_sessions";
const POOL_MAX_SESSIONS: &str = "mtm_pool_max_sessions";

/// Bounds of the histograms' buckets, in seconds.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// What has been measured so far.
pub(super) struct Recorder(PrometheusHandle);

impl Recorder {
    /// Begins to measure, once in a process.
    pub(super) fn install() -> Result<Recorder, BuildError> {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?
            .install_recorder()?;
        describe_counter!(REQUESTS, "Requests that were answered, by route, method and status");
        describe_histogram!(REQUEST_SECONDS, "From a request's head to its answer's, by route");
        describe_gauge!(REQUESTS_NOW, "Requests that are being answered");
        describe_histogram!(
            QUERY_SECONDS,
            "From a question to the whole of its answer, the wait for a session included"
        );
        describe_counter!(QUERY_FAILURES, "Questions that the database did not answer");
        describe_gauge!(POOL_SESSIONS, "Sessions with the database that are open, by state");
        describe_gauge!(POOL_MAX_SESSIONS, "Sessions with the database that there may be");
        Ok(Recorder(handle))
    }
}

/// Notes that a question was asked.
pub(super) fn query(name: &'static str, took: Duration, answered: bool) {
    histogram!(QUERY_SECONDS, "query" => name).record(took);
    if !answered {
        counter!(QUERY_FAILURES, "query" => name).increment(1);
    }
}

/// Measures each request, and logs it: method, route, status, time, client. Neither the query, which may say what somebody
/// looks for, nor any header is logged.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    struct InFlight;
    impl Drop for InFlight {
        fn drop(&mut self) {
            gauge!(REQUESTS_NOW).decrement(1);
        }
    }
    gauge!(REQUESTS_NOW).increment(1);
    let in_flight = InFlight;

    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let client = request.extensions().get::<Client>().map(|client| client.0.to_string());
    // Anybody may invent a method; a label is for the few that there are.
    let method = match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let begun = std::time::Instant::now();
    let response = next.run(request).await;
    drop(in_flight);
    let (took, status) = (begun.elapsed(), response.status().as_u16());
    counter!(REQUESTS, "route" => route.clone(), "method" => method.clone(), "status" => status.to_string())
        .increment(1);
    histogram!(REQUEST_SECONDS, "route" => route.clone()).record(took);
    let (milliseconds, client) = (took.as_secs_f64() * 1000.0, client.unwrap_or_default());
    if status >= 500 {
        tracing::warn!(%method, route, status, milliseconds, client, "request");
    } else {
        tracing::info!(%method, route, status, milliseconds, client, "request");
    }
    response
}

/// `GET /metrics`
pub(super) async fn metrics(State(site): State<Arc<Site>>) -> impl IntoResponse {
    let pool = site.database.pool();
    gauge!(POOL_SESSIONS, "state" => "idle").set(pool.idle);
    gauge!(POOL_SESSIONS, "state" => "in_use").set(pool.open - pool.idle);
    gauge!(POOL_MAX_SESSIONS).set(pool.max);
    let Recorder(handle) = &site.recorder;
    handle.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render())
}
