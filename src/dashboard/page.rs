//! What a page is: a question that the address asks, an answer, and the answer as HTML. The same answer is the page's JSON.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{FromRequestParts, Query, State},
    http::{HeaderMap, HeaderValue, Uri, header, request::Parts},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde::{Serialize, de::DeserializeOwned};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        Content, HttpMethod, PathItem, Ref, RefOr, Response as ApiResponse, Schema,
        path::{Operation, Parameter, ParameterIn},
    },
};

use super::{
    answers::Counted,
    api,
    fault::Fault,
    frame::{self, Frame},
    router::Site,
};

/// A page and its mirror as JSON.
pub(super) trait Page: Serialize + ToSchema + Sized + Send + Sync + 'static {
    /// What the address asks.
    type Question: FromRequestParts<Arc<Site>, Rejection = Fault> + IntoParams + Send + Sync;

    /// The address, `/search`; the mirror's is the same behind `/api`. The first page's mirror is `/api/overview`.
    const PATH: &'static str;
    /// The heading.
    const TITLE: &'static str;
    /// What the answer is, in a line, for the API's description.
    const SUMMARY: &'static str;

    /// Under what the answer is kept for a while; `None`: it is never kept.
    fn kept_as(_question: &Self::Question) -> Option<String> {
        None
    }

    /// Asks the database.
    fn ask(site: &Site, question: &Self::Question) -> impl Future<Output = Result<Self, Fault>> + Send;

    /// The answer as HTML.
    fn html(&self, frame: &Frame) -> askama::Result<String>;
}

/// What the address's query says.
pub(super) struct Asked<Q>(pub(super) Q);

impl<Q: DeserializeOwned> FromRequestParts<Arc<Site>> for Asked<Q> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Site>) -> Result<Asked<Q>, Fault> {
        query(&parts.uri).map(Asked)
    }
}

impl<Q: IntoParams> IntoParams for Asked<Q> {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Q::into_params(place)
    }
}

/// Reads the query of an address.
pub(super) fn query<Q: DeserializeOwned>(uri: &Uri) -> Result<Q, Fault> {
    Query::try_from_uri(uri).map(|Query(query)| query).map_err(|error| Fault::BadRequest(error.body_text()))
}

/// The address of a page's mirror.
fn mirror<P: Page>() -> String {
    if P::PATH == "/" { "/api/overview".to_owned() } else { format!("/api{}", P::PATH) }
}

/// The routes of a page: itself, and its mirror.
pub(super) fn routes<P: Page>() -> Router<Arc<Site>> {
    Router::new().route(P::PATH, get(as_html::<P>)).route(&mirror::<P>(), get(as_json::<P>))
}

/// The mirror's description.
pub(super) fn describe<P: Page>(openapi: &mut utoipa::openapi::OpenApi) {
    let mut schemas = vec![(P::name().into_owned(), P::schema())];
    P::schemas(&mut schemas);
    let schema = RefOr::<Schema>::Ref(Ref::from_schema_name(P::name()));
    let answer = ApiResponse::builder()
        .description(P::SUMMARY)
        .content("application/json", Content::new(Some(schema)))
        .build();
    let operation = Operation::builder()
        .summary(Some(P::SUMMARY))
        .parameters(Some(P::Question::into_params(|| Some(ParameterIn::Query))))
        .response("200", answer)
        .response("400", api::problem("What is asked for cannot be read"))
        .response(
            "503",
            api::problem("The database is busy or does not answer; Retry-After says when to come again"),
        );
    openapi.paths.paths.insert(mirror::<P>(), PathItem::new(HttpMethod::Get, operation));
    api::add_schemas(openapi, schemas);
}

async fn answered<P: Page>(site: &Arc<Site>, parts: &mut Parts) -> Result<Counted<P>, Fault> {
    let question = P::Question::from_request_parts(parts, site).await?;
    match P::kept_as(&question) {
        Some(key) => site.answers.of(format!("{} {key}", P::PATH), P::ask(site, &question)).await,
        None => P::ask(site, &question).await.map(Counted::now),
    }
}

async fn as_html<P: Page>(State(site): State<Arc<Site>>, mut parts: Parts) -> Response {
    let answered = answered::<P>(&site, &mut parts).await;
    let headers = &parts.headers;
    let counted = match answered {
        Ok(counted) => counted,
        Err(fault) => return frame::fault_page(&fault, headers),
    };
    let mut frame = Frame::new(P::PATH, P::TITLE, headers);
    frame.counted = counted.kept().then_some((counted.age, counted.took));
    match counted.answer.html(&frame) {
        Ok(html) => (not_stored(), Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, page = P::PATH, "the template could not be filled");
            frame::fault_page(&Fault::Internal, headers)
        }
    }
}

async fn as_json<P: Page>(State(site): State<Arc<Site>>, mut parts: Parts) -> Response {
    match answered::<P>(&site, &mut parts).await {
        Ok(counted) => {
            let mut headers = not_stored();
            headers.insert(header::AGE, counted.age.as_secs().into());
            (headers, Json(&*counted.answer)).into_response()
        }
        Err(fault) => fault.json(),
    }
}

/// An answer is of its moment, and of the theme that the cookie names.
fn not_stored() -> HeaderMap {
    HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"))])
}
