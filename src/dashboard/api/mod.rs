//! The API: each page's answer as JSON, one way to write, and the description of both.

pub(super) mod snapshots;
mod top_tracks;

use axum::{Json, http::header, response::IntoResponse};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, Content, Info, OpenApi, Paths, Ref, RefOr, Response, Schema,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use super::{fault::Problem, pages};

/// The API's description, as OpenAPI 3.1 has it.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut info = Info::new("Music Time Machine", env!("CARGO_PKG_VERSION"));
    info.description = Some("The pages' figures as JSON, and a way to add a snapshot.".to_owned());
    let mut openapi = OpenApi::new(info, Paths::new());
    let mut components = Components::new();
    components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    openapi.components = Some(components);
    add_schemas(&mut openapi, vec![(Problem::name().into_owned(), Problem::schema())]);
    pages::describe(&mut openapi);
    snapshots::describe(&mut openapi);
    openapi
}

/// `GET /api/openapi.json`
pub(super) async fn describe() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-cache")], Json(openapi()))
}

/// The description of an answer that is a fault.
pub(super) fn problem(what: &str) -> Response {
    let schema = RefOr::<Schema>::Ref(Ref::from_schema_name(Problem::name()));
    Response::builder().description(what).content("application/json", Content::new(Some(schema))).build()
}

/// Adds what answers are made of.
pub(super) fn add_schemas(openapi: &mut OpenApi, schemas: Vec<(String, RefOr<Schema>)>) {
    openapi.components.get_or_insert_with(Components::new).schemas.extend(schemas);
}
