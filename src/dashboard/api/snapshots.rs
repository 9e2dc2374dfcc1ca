//! `POST /api/snapshots`: a page of `/me/top/tracks`, as Spotify sent it, becomes a snapshot.
//!
//! The tracks and their places are written in one transaction. Sent again, the same page changes nothing; another page for the
//! same day and time range moves the tracks that both name, and adds the others. Rows are written in the order of their keys,
//! so that two writers never wait for one another in a circle.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{Extension, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::{Timestamp, tz::TimeZone};
use sea_orm::{
    ActiveValue::Set,
    EntityTrait, TransactionTrait,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        Content, HttpMethod, OpenApi, PathItem, Ref, RefOr, Required, Response as ApiResponse, Schema,
        path::{Operation, ParameterIn},
        request_body::RequestBody,
        security::SecurityRequirement,
    },
};

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
/// The most tracks of a page: Spotify sends 50.
const MAX_TRACKS: usize = 100;
/// The longest identifier, as the mapping has it.
const MAX_TRACK_ID: usize = 64;

/// Of which chart the page is.
#[derive(Debug, Deserialize, IntoParams)]
pub(in crate::dashboard) struct OfChart {
    /// `short_term`, `medium_term` or `long_term`.
    time_range: Option<String>,
    /// The day, `2026-01-31`; none: today, by UTC.
    date: Option<String>,
}

/// A page of `/me/top/tracks`, of which this is read.
#[derive(Deserialize, ToSchema)]
struct TopTracks<'a> {
    /// Track objects, the first place first. Each is kept as it is sent.
    #[serde(borrow)]
    #[schema(value_type = Vec<Object>)]
    items: Vec<&'a RawValue>,
    /// How many places are before the page.
    #[serde(default)]
    offset: i32,
}

#[derive(Deserialize)]
struct TrackObject {
    id: Option<String>,
    name: String,
    artists: Vec<Named>,
    album: Option<Album>,
    duration_ms: Option<i32>,
    external_urls: Option<ExternalUrls>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Album {
    name: Option<String>,
}

#[derive(Deserialize)]
struct ExternalUrls {
    spotify: Option<String>,
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
}

/// `POST /api/snapshots`
pub(in crate::dashboard) async fn write(
    State(site): State<Arc<Site>>,
    client: Option<Extension<Client>>,
    headers: HeaderMap,
    asked: Result<Query<OfChart>, QueryRejection>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    match written(&site, client.map(|Extension(client)| client), &headers, asked, body).await {
        Ok(written) => (StatusCode::CREATED, Json(written)).into_response(),
        Err(fault) => fault.json(),
    }
}

async fn written(
    site: &Site,
    client: Option<Client>,
    headers: &HeaderMap,
    asked: Result<Query<OfChart>, QueryRejection>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Written, Fault> {
    check_token(site, client, headers)?;
    let Query(asked) = asked.map_err(|error| Fault::BadRequest(error.body_text()))?;
    let range = asked.time_range.as_deref().filter(|range| !range.is_empty());
    let range = range.ok_or_else(|| {
        Fault::BadRequest("time_range is missing: short_term, medium_term or long_term".to_owned())
    })?;
    let time_range = TimeRange::named(range)?;
    let date = match asked.date.as_deref().filter(|date| !date.is_empty()) {
        Some(date) => text::day(date)?,
        None => Timestamp::now().to_zoned(TimeZone::UTC).date().to_string(),
    };
    if !is_json(headers) {
        return Err(Fault::UnsupportedMediaType("a snapshot is sent as application/json".to_owned()));
    }
    let body = body.map_err(|error| {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Fault::TooLarge(format!("a page has {MAX_BODY_BYTES} bytes at most"));
        }
        Fault::BadRequest(error.body_text())
    })?;
    let Page { rows, left_out } = Page::read(&body)?;
    let tracks = rows.len();
    store(site, &date, time_range, rows).await?;
    site.answers.written();
    Ok(Written { date, time_range, tracks, left_out })
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

/// A page's rows, by their key.
struct Page {
    rows: BTreeMap<String, Row>,
    left_out: usize,
}

struct Row {
    rank: i32,
    object: TrackObject,
    raw_json: String,
}

impl Page {
    fn read(body: &[u8]) -> Result<Page, Fault> {
        let bad = |what: String| Fault::BadRequest(what);
        let body = std::str::from_utf8(body).map_err(|_| bad("the page is not in UTF-8".to_owned()))?;
        let page: TopTracks<'_> =
            serde_json::from_str(body).map_err(|error| bad(format!("the page cannot be read: {error}")))?;
        if page.items.is_empty() {
            return Err(bad("the page has no track".to_owned()));
        }
        if page.items.len() > MAX_TRACKS {
            return Err(bad(format!("a page has {MAX_TRACKS} tracks at most")));
        }
        if !(0..1_000_000).contains(&page.offset) {
            return Err(bad("the page's offset is from 0 to 999,999".to_owned()));
        }
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        let mut left_out = 0;
        for (rank, item) in (page.offset + 1..).zip(page.items) {
            let at = || format!("items[{}]", rank - page.offset - 1);
            let text = item.get();
            let object: TrackObject =
                serde_json::from_str(text).map_err(|error| bad(format!("{}: {error}", at())))?;
            let Some(id) = object.id.clone() else {
                left_out += 1;
                continue;
            };
            if id.is_empty() || id.chars().count() > MAX_TRACK_ID {
                return Err(bad(format!("{}: an id has 1 to {MAX_TRACK_ID} characters", at())));
            }
            if object.artists.is_empty() {
                return Err(bad(format!("{}: it has no artist", at())));
            }
            // Neither a text nor jsonb of PostgreSQL holds this character.
            if holds_nul(text) {
                return Err(bad(format!("{}: it holds the character U+0000", at())));
            }
            let row = Row { rank, object, raw_json: text.to_owned() };
            if let Some(earlier) = rows.insert(id, row) {
                let first = earlier.rank - page.offset - 1;
                return Err(bad(format!("{}: it is the same track as items[{first}]", at())));
            }
        }
        Ok(Page { rows, left_out })
    }
}

/// Whether a JSON text has `\u0000` in one of its strings: an escape whose backslash is not itself escaped.
fn holds_nul(json: &str) -> bool {
    json.match_indices("\\u0000").any(|(at, _)| {
        let backslashes = json[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        backslashes.is_multiple_of(2)
    })
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

impl Row {
    fn track(self, id: String, now: sea_orm::prelude::DateTimeUtc) -> track::ActiveModel {
        let Row { object, raw_json, rank: _ } = self;
        let artists: Vec<String> = object.artists.into_iter().map(|artist| artist.name).collect();
        track::ActiveModel {
            track_id: Set(id),
            name: Set(object.name),
            artist_name: Set(artists.join(", ")),
            album_name: Set(object.album.and_then(|album| album.name)),
            duration_ms: Set(object.duration_ms),
            spotify_url: Set(object.external_urls.and_then(|urls| urls.spotify)),
            raw_json: Set(Some(raw_json)),
            created_at: Set(now),
            updated_at: Set(now),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Page, String> {
        Page::read(body.as_bytes()).map_err(|fault| fault.message())
    }

    #[test]
    fn places_count_from_the_pages_offset_and_local_files_are_left_out() {
        let body = r#"{"offset": 50, "items": [
            {"id": "b", "name": "B", "artists": [{"name": "X"}, {"name": "Y"}]},
            {"id": null, "name": "L", "artists": [{"name": ""}], "is_local": true},
            {"id": "a", "name": "A", "artists": [{"name": "X"}], "popularity": 1.50}]}"#;
        let page = read(body).unwrap();
        let ranks: Vec<_> = page.rows.iter().map(|(id, row)| (id.as_str(), row.rank)).collect();
        assert_eq!((ranks, page.left_out), (vec![("a", 53), ("b", 51)], 1));
        assert!(page.rows["a"].raw_json.contains("1.50"), "the object is kept as it is sent");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let track = r#"{"id": "a", "name": "A", "artists": [{"name": "X"}]}"#;
        for (body, said) in [
            ("", "cannot be read"),
            ("[]", "cannot be read"),
            (r#"{"items": []}"#, "no track"),
            (r#"{"items": [{"id": "a"}]}"#, "items[0]: missing field `name`"),
            (r#"{"items": [{"id": "a", "name": "A", "artists": []}]}"#, "items[0]: it has no artist"),
            (r#"{"items": [{"id": "", "name": "A", "artists": [{"name": "X"}]}]}"#, "items[0]: an id has"),
            (&format!(r#"{{"items": [{track}, {track}]}}"#), "items[1]: it is the same track as items[0]"),
            (&format!(r#"{{"offset": -1, "items": [{track}]}}"#), "offset"),
            (&format!(r#"{{"items": [{}]}}"#, [track; 101].join(",")), "100 tracks"),
            (r#"{"items": [{"id": "a", "name": "A\u0000", "artists": [{"name": "X"}]}]}"#, "U+0000"),
            (
                r#"{"items": [{"id": "a", "name": "A", "artists": [{"name": "X"}], "duration_ms": 1e99}]}"#,
                "items[0]",
            ),
        ] {
            let message = read(body).err().unwrap_or_default();
            assert!(message.contains(said), "{body}: {message}");
        }
    }

    #[test]
    fn an_escaped_backslash_is_no_escape() {
        assert!(holds_nul(r#""\u0000""#));
        assert!(!holds_nul(r#""\\u0000""#));
        assert!(holds_nul(r#""\\\u0000""#));
    }
}
