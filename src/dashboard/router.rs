//! Which address leads where, and what every request passes on its way.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Uri, header},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use tokio::sync::Semaphore;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    csrf::{CsrfLayer, ProtectionError},
    set_header::SetResponseHeaderLayer,
    timeout::RequestBodyTimeoutLayer,
};

use super::{
    ApiToken, Settings,
    answers::Answers,
    api, assets,
    client::{self, Limits},
    database::Database,
    fault::Fault,
    frame, health,
    metrics::{self, Recorder},
    pages,
};
use crate::target::Version;

/// From a request's head to its answer's.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// What every request needs.
pub(super) struct Site {
    pub(super) database: Database,
    pub(super) answers: Answers,
    pub(super) recorder: Recorder,
    pub(super) limits: Arc<Limits>,
    pub(super) api_token: Option<ApiToken>,
    pub(super) versions: Vec<Version>,
    pub(super) exports: Arc<Semaphore>,
}

/// What a browser is told with every answer. Everything comes from here, and nothing runs that is in a page's text.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// Makes the site.
pub(super) fn router(database: Database, recorder: Recorder, settings: &mut Settings) -> Router {
    let limits = Arc::new(Limits::new(settings.client_header.clone(), settings.requests_a_second));
    // An export holds a session for long; the pages need one too.
    let exports = pages::settings::EXPORTS_AT_ONCE.min(settings.pool.max.saturating_sub(1).max(1) as usize);
    let site = Arc::new(Site {
        database,
        answers: Answers::default(),
        recorder,
        limits: Arc::clone(&limits),
        api_token: settings.api_token.take(),
        versions: std::mem::take(&mut settings.versions),
        exports: Arc::new(Semaphore::new(exports)),
    });
    tokio::spawn(pages::answer_ahead(Arc::clone(&site)));
    let mut router = pages::routes()
        .merge(assets::routes())
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .route("/api/openapi.json", get(api::describe));
    if site.api_token.is_some() {
        router = router.route("/api/snapshots", post(api::snapshots::write));
    }
    // What is added last is passed first.
    let mut router = router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(DefaultBodyLimit::max(api::snapshots::MAX_BODY_BYTES))
        .layer(RequestBodyTimeoutLayer::new(settings.client_timeout))
        .layer(CsrfLayer::new())
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn(answer_within))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(metrics::observe))
        .layer(middleware::from_fn_with_state(limits, client::limit));
    for (name, value) in HEADERS {
        router = router.layer(SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)));
    }
    router.with_state(site)
}

/// A fault as whoever asks there expects it: JSON from the API, else a page.
pub(super) fn refuse(fault: &Fault, uri: &Uri, headers: &HeaderMap) -> Response {
    if uri.path().starts_with("/api/") { fault.json() } else { frame::fault_page(fault, headers) }
}

/// Answers in the place of what has no answer of its own: a request that takes too long, and a form of another site.
async fn answer_within(request: Request, next: Next) -> Response {
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let Ok(response) = tokio::time::timeout(ANSWER_WITHIN, next.run(request)).await else {
        return refuse(&Fault::TooSlow, &uri, &headers);
    };
    if response.extensions().get::<ProtectionError>().is_some() {
        let fault = Fault::Forbidden("a form of another site changes nothing here".to_owned());
        return refuse(&fault, &uri, &headers);
    }
    response
}

async fn method_not_allowed(request: Request) -> Response {
    refuse(&Fault::MethodNotAllowed, request.uri(), request.headers())
}

async fn not_found(request: Request) -> Response {
    let fault = if request.uri().path() == "/api/snapshots" {
        Fault::NotFound("writing is off: the site was started without MTM_API_TOKEN".to_owned())
    } else {
        Fault::NotFound("there is nothing at this address".to_owned())
    };
    refuse(&fault, request.uri(), request.headers())
}
