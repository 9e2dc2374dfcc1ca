//! `POST /api/snapshots`: a page of `/me/top/tracks`, as Spotify sent it, becomes a snapshot.
//!
//! The tracks and their places are written in one transaction. Sent again, the same page changes nothing; another page for the
//! same day and time range moves the tracks that both name, and adds the others. Rows are written in the order of their keys,
//! so that two writers never wait for one another in a circle.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Extension, FromRequest, Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use sea_orm::{
    ActiveValue::Set,
    EntityTrait, TransactionTrait,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        Content, HttpMethod, OpenApi, PathItem, Ref, RefOr, Required, Response as ApiResponse, Schema,
        path::{Operation, ParameterIn},
        request_body::RequestBody,
        security::SecurityRequirement,
    },
};

use super::top_tracks::{Row, TopTracks, TopTracksPage};
use crate::dashboard::{
    client::Client,
    entity::{snapshot, track},
    fault::Fault,
    pages::time_range::TimeRange,
    router::Site,
    text,
};

/// The most bytes of a page: fifty tracks with every market take a quarter of a megabyte.
pub(in crate::dashboard) const MAX_BODY_BYTES: usize = 4 << 20;
/// As much of what is refused may arrive.
const MAX_UNHEARD_BYTES: usize = 2 * MAX_BODY_BYTES;
/// Before it there was no Spotify.
const FIRST_DAY: &str = "2006-01-01";

/// Of which chart the page is.
#[derive(Debug, Deserialize, IntoParams)]
pub(in crate::dashboard) struct OfChart {
    /// `short_term`, `medium_term` or `long_term`.
    time_range: Option<String>,
    /// The day, `2026-01-31`; none: today, by UTC.
    date: Option<String>,
}

/// What was written.
#[derive(Debug, Serialize, ToSchema)]
struct Written {
    /// The chart's day.
    date: String,
    time_range: TimeRange,
    /// Tracks of the page, each with its place.
    tracks: usize,
    /// Local files of the listener's, which have no identifier and are left out.
    left_out: usize,
    /// Places of tracks that the page names before, of which the better place counts.
    repeated: usize,
}

/// `POST /api/snapshots`
pub(in crate::dashboard) async fn write(
    State(site): State<Arc<Site>>,
    client: Option<Extension<Client>>,
    asked: Result<Query<OfChart>, QueryRejection>,
    request: Request,
) -> Response {
    let client = client.map(|Extension(client)| client);
    let written = match chart(&site, client, request.headers(), asked) {
        Ok((date, time_range)) => written(&site, date, time_range, request).await,
        Err(fault) => {
            discard(request.into_body()).await;
            Err(fault)
        }
    };
    match written {
        Ok(written) => (StatusCode::CREATED, Json(written)).into_response(),
        Err(fault) => fault.json(),
    }
}

/// Lets what is on its way arrive, and keeps none of it: a client that still sends would see its connection end, and not the
/// answer.
async fn discard(body: Body) {
    let (mut pieces, mut heard) = (body.into_data_stream(), 0);
    while let Some(Ok(piece)) = pieces.next().await {
        heard += piece.len();
        if heard > MAX_UNHEARD_BYTES {
            return;
        }
    }
}

/// Of which chart the page is to be, where this writer may write it.
fn chart(
    site: &Site,
    client: Option<Client>,
    headers: &HeaderMap,
    asked: Result<Query<OfChart>, QueryRejection>,
) -> Result<(String, TimeRange), Fault> {
    check_token(site, client, headers)?;
    let Query(asked) = asked.map_err(|error| Fault::BadRequest(error.body_text()))?;
    let range = asked.time_range.as_deref().filter(|range| !range.is_empty());
    let range = range.ok_or_else(|| {
        Fault::BadRequest("time_range is missing: short_term, medium_term or long_term".to_owned())
    })?;
    let time_range = TimeRange::named(range)?;
    let date = match asked.date.as_deref().filter(|date| !date.is_empty()) {
        Some(date) => snapshot_day(date)?,
        None => Timestamp::now().to_zoned(TimeZone::UTC).date().to_string(),
    };
    if !is_json(headers) {
        return Err(Fault::UnsupportedMediaType("a snapshot is sent as application/json".to_owned()));
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > MAX_BODY_BYTES as u64) {
        return Err(too_large());
    }
    Ok((date, time_range))
}

fn too_large() -> Fault {
    Fault::TooLarge(format!("a page has {MAX_BODY_BYTES} bytes at most"))
}

/// Reads the page, and stores it.
async fn written(
    site: &Site,
    date: String,
    time_range: TimeRange,
    request: Request,
) -> Result<Written, Fault> {
    let body = Bytes::from_request(request, &()).await.map_err(|error| {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return too_large();
        }
        Fault::BadRequest(error.body_text())
    })?;
    let TopTracksPage { rows, left_out, repeated } = TopTracksPage::read(&body)?;
    let tracks = rows.len();
    store(site, &date, time_range, rows).await?;
    site.answers.written();
    Ok(Written { date, time_range, tracks, left_out, repeated })
}

/// Reads the day of a snapshot: one that may have been, since it would be the first or the last of all figures.
fn snapshot_day(text: &str) -> Result<String, Fault> {
    let day = text::day(text)?;
    // Somewhere it may be tomorrow already.
    let tomorrow = Timestamp::now().to_zoned(TimeZone::UTC).date().saturating_add(1.day()).to_string();
    if (FIRST_DAY..=tomorrow.as_str()).contains(&day.as_str()) {
        return Ok(day);
    }
    Err(Fault::BadRequest(format!("a snapshot is of {FIRST_DAY} to today")))
}

/// Whether the writer may write.
fn check_token(site: &Site, client: Option<Client>, headers: &HeaderMap) -> Result<(), Fault> {
    let Some(token) = &site.api_token else {
        return Err(Fault::NotFound("writing is off: the site was started without MTM_API_TOKEN".to_owned()));
    };
    let offered = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let Some(offered) = offered else {
        return Err(Fault::Unauthorized("send the token as `Authorization: Bearer …`"));
    };
    let (scheme, offered) = offered.split_at_checked(7).unwrap_or((offered, &[]));
    if scheme.eq_ignore_ascii_case(b"Bearer ") && token.is(offered) {
        return Ok(());
    }
    if let Some(client) = client {
        site.limits.wrong_token(client)?;
    }
    Err(Fault::Unauthorized("that is not the token"))
}

/// Other kinds of content are what a form of another site could send.
fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media_type.map(|media_type| media_type.split(';').next().unwrap_or_default().trim());
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
}

/// Writes tracks and places, all or nothing.
async fn store(
    site: &Site,
    date: &str,
    time_range: TimeRange,
    rows: BTreeMap<String, Row>,
) -> Result<(), Fault> {
    if rows.is_empty() {
        return Ok(());
    }
    let day: sea_orm::prelude::Date = date.parse().map_err(|_| Fault::Internal)?;
    let now = sea_orm::sqlx::types::chrono::Utc::now();
    let places: Vec<snapshot::ActiveModel> = rows
        .iter()
        .map(|(id, row)| snapshot::ActiveModel {
            track_id: Set(id.clone()),
            snapshot_date: Set(day),
            time_range: Set(time_range.word().to_owned()),
            rank: Set(row.rank),
            created_at: Set(now),
            updated_at: Set(now),
        })
        .collect();
    let tracks: Vec<track::ActiveModel> = rows.into_iter().map(|(id, row)| row.track(id, now)).collect();
    let stored = site.database.orm().transaction::<_, (), sea_orm::DbErr>(|transaction| {
        Box::pin(async move {
            track::Entity::insert_many(tracks)
                .on_conflict(newer_track())
                .exec_without_returning(transaction)
                .await?;
            snapshot::Entity::insert_many(places)
                .on_conflict(newer_place())
                .exec_without_returning(transaction)
                .await?;
            Ok(())
        })
    });
    let stored = async {
        stored.await.map_err(|error| match error {
            sea_orm::TransactionError::Connection(error) | sea_orm::TransactionError::Transaction(error) => {
                error
            }
        })
    };
    site.database.timed("api.snapshots", stored).await
}

/// A track that is there takes what is newer, and keeps when its row was made; one that is the same stays as it is.
fn newer_track() -> OnConflict {
    use track::Column::{AlbumName, ArtistName, DurationMs, Name, RawJson, SpotifyUrl, TrackId, UpdatedAt};
    let columns = [Name, ArtistName, AlbumName, DurationMs, SpotifyUrl, RawJson];
    OnConflict::column(TrackId)
        .update_columns(columns)
        .update_column(UpdatedAt)
        .action_and_where(Expr::cust(
            "(tracks.name, tracks.artist_name, tracks.album_name, tracks.duration_ms, tracks.spotify_url, tracks.raw_json) \
             IS DISTINCT FROM \
             (excluded.name, excluded.artist_name, excluded.album_name, excluded.duration_ms, excluded.spotify_url, excluded.raw_json)",
        ))
        .to_owned()
}

/// A place that is there moves, where it is another.
fn newer_place() -> OnConflict {
    use snapshot::Column::{Rank, SnapshotDate, TimeRange, TrackId, UpdatedAt};
    OnConflict::columns([TrackId, SnapshotDate, TimeRange])
        .update_columns([Rank, UpdatedAt])
        .action_and_where(Expr::cust("snapshots.rank <> excluded.rank"))
        .to_owned()
}

/// Describes it.
pub(super) fn describe(openapi: &mut OpenApi) {
    let reference = |name: std::borrow::Cow<'static, str>| RefOr::<Schema>::Ref(Ref::from_schema_name(name));
    let content = |name| Content::new(Some(reference(name)));
    let created = ApiResponse::builder()
        .description("It is stored; sent again it changes nothing")
        .content("application/json", content(Written::name()))
        .build();
    let body = RequestBody::builder()
        .description(Some("A page of Spotify's /me/top/tracks"))
        .content("application/json", content(TopTracks::name()))
        .required(Some(Required::True))
        .build();
    let operation = Operation::builder()
        .summary(Some("Store a snapshot"))
        .parameters(Some(OfChart::into_params(|| Some(ParameterIn::Query))))
        .request_body(Some(body))
        .security(SecurityRequirement::new("token", Vec::<String>::new()))
        .response("201", created)
        .response("400", super::problem("The page, the day or the time range cannot be read"))
        .response("401", super::problem("No token, or a wrong one"))
        .response("403", super::problem("The site's role may not write"))
        .response("404", super::problem("Writing is off: no token is set"))
        .response("413", super::problem("The page is too large"))
        .response("415", super::problem("The page is not sent as application/json"))
        .response("429", super::problem("Too many requests, or too many wrong tokens"))
        .response("503", super::problem("The database is busy or does not answer"));
    openapi.paths.paths.insert("/api/snapshots".to_owned(), PathItem::new(HttpMethod::Post, operation));
    let mut schemas = vec![
        (Written::name().into_owned(), Written::schema()),
        (TopTracks::name().into_owned(), TopTracks::schema()),
    ];
    <Written as ToSchema>::schemas(&mut schemas);
    super::add_schemas(openapi, schemas);
}
