//! What a page is: a question that the address asks, an answer, and the answer as HTML. The same answer is the page's JSON.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{FromRequestParts, Query, State},
    http::{HeaderMap, HeaderValue, Uri, header, request::Parts},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        Content, HttpMethod, PathItem, Ref, RefOr, Response as ApiResponse, Schema,
        path::{Operation, Parameter, ParameterIn},
    },
};

use super::{
    answers::{Counted, State as DataState},
    api,
    fault::Fault,
    frame::{self, Frame},
    router::Site,
};

/// A page and its mirror as JSON.
pub(super) trait Page: Serialize + ToSchema + Sized + Send + Sync + 'static {
    /// What the address asks.
    type Question: FromRequestParts<Arc<Site>, Rejection = Fault> + IntoParams + Send + Sync + 'static;

    /// The address, `/search`; the mirror's is the same behind `/api`. The first page's mirror is `/api/overview`.
    const PATH: &'static str;
    /// The heading.
    const TITLE: &'static str;
    /// What the answer is, in a line, for the API's description.
    const SUMMARY: &'static str;

    /// The questions whose answers are kept for as long as nothing changes, since they count over every row; they are answered
    /// as soon as the site starts. None, where answers are not kept.
    fn kept() -> Vec<Self::Question> {
        Vec::new()
    }

    /// What a question is called among those that are kept; it tells what is asked for.
    fn key(_question: &Self::Question) -> &'static str {
        ""
    }

    /// Asks the database.
    fn ask(site: &Site, question: &Self::Question) -> impl Future<Output = Result<Self, Fault>> + Send;

    /// The answer as HTML.
    fn html(&self, frame: &Frame) -> askama::Result<String>;
}

/// What the address's query says.
pub(super) struct Asked<Q>(pub(super) Q);

/// What the address of a page asks that is always the same.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct Nothing {}

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

/// Asks, or takes the answer that is kept.
async fn answered<P: Page>(site: &Arc<Site>, question: P::Question) -> Result<Counted<P>, Fault> {
    if P::kept().is_empty() {
        return P::ask(site, &question).await.map(Counted::now);
    }
    let key = format!("{} {}", P::PATH, P::key(&question));
    // In this order: a write between the two is one that the answer may lack.
    let writes = site.answers.writes();
    let state = DataState { tables: site.database.state().await?, writes };
    let asked = Arc::clone(site);
    site.answers.of(&key, state, || async move { P::ask(&asked, &question).await }).await
}

/// Answers the questions whose answers are kept, before anybody asks them.
pub(super) async fn answer_ahead<P: Page>(site: &Arc<Site>) {
    for question in P::kept() {
        if let Err(fault) = answered::<P>(site, question).await {
            tracing::warn!(page = P::PATH, reason = fault.message(), "the page could not be counted ahead");
        }
    }
}

/// What a request asks, answered.
async fn requested<P: Page>(site: &Arc<Site>, parts: &mut Parts) -> Result<Counted<P>, Fault> {
    let question = P::Question::from_request_parts(parts, site).await?;
    answered(site, question).await
}

async fn as_html<P: Page>(State(site): State<Arc<Site>>, mut parts: Parts) -> Response {
    let answered = requested::<P>(&site, &mut parts).await;
    let headers = &parts.headers;
    let counted = match answered {
        Ok(counted) => counted,
        Err(fault) => return frame::fault_page(&fault, headers),
    };
    let mut frame = Frame::new(P::PATH, P::TITLE, headers);
    frame.counted = counted.kept().then_some((counted.age, counted.took, counted.outdated));
    match counted.answer.html(&frame) {
        Ok(html) => (of_its_moment(), Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, page = P::PATH, "the template could not be filled");
            frame::fault_page(&Fault::Internal, headers)
        }
    }
}

async fn as_json<P: Page>(State(site): State<Arc<Site>>, mut parts: Parts) -> Response {
    match requested::<P>(&site, &mut parts).await {
        Ok(counted) => {
            let mut headers = of_its_moment();
            headers.insert(header::AGE, counted.age.as_secs().into());
            (headers, Json(&*counted.answer)).into_response()
        }
        Err(fault) => fault.json(),
    }
}

/// An answer is of its moment, and of the theme that the cookie names.
fn of_its_moment() -> HeaderMap {
    HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"))])
}
