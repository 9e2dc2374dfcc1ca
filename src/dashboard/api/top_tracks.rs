//! A page of Spotify's `/me/top/tracks`: what of it is read, and what is refused.

use std::collections::{BTreeMap, btree_map::Entry};

use sea_orm::ActiveValue::Set;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::dashboard::{entity::track, fault::Fault};

/// The most tracks of a page: Spotify sends 50.
const MAX_TRACKS: usize = 100;
/// The longest identifier, as the mapping has it.
const MAX_TRACK_ID: usize = 64;

/// A page of `/me/top/tracks`, of which this is read.
#[derive(Deserialize, ToSchema)]
pub(super) struct TopTracks<'a> {
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

/// A page's rows, by their key.
pub(super) struct TopTracksPage {
    pub(super) rows: BTreeMap<String, Row>,
    /// Local files of the listener's.
    pub(super) left_out: usize,
    /// Places of tracks that the page names before.
    pub(super) repeated: usize,
}

/// A track, and its place.
pub(super) struct Row {
    /// From 1, the page's offset counted in.
    pub(super) rank: i32,
    object: TrackObject,
    raw_json: String,
}

impl TopTracksPage {
    pub(super) fn read(body: &[u8]) -> Result<TopTracksPage, Fault> {
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
        let (mut left_out, mut repeated) = (0, 0);
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
            // Two of them are no address of a page.
            if id.chars().any(|c| c.is_whitespace() || c.is_control()) || [".", ".."].contains(&id.as_str()) {
                return Err(bad(format!("{}: an id has neither blanks nor control characters", at())));
            }
            if object.duration_ms.is_some_and(|duration| duration < 0) {
                return Err(bad(format!("{}: a duration is not negative", at())));
            }
            if object.artists.is_empty() {
                return Err(bad(format!("{}: it has no artist", at())));
            }
            // Neither a text nor jsonb of PostgreSQL holds this character.
            if holds_nul(text) {
                return Err(bad(format!("{}: it holds the character U+0000", at())));
            }
            // PostgreSQL writes such a number out, digit by digit.
            if holds_vast_number(text) {
                return Err(bad(format!("{}: it holds a number beyond what a double holds", at())));
            }
            match rows.entry(id) {
                Entry::Vacant(place) => {
                    place.insert(Row { rank, object, raw_json: text.to_owned() });
                }
                // Spotify does send such pages. The better place counts.
                Entry::Occupied(_) => repeated += 1,
            }
        }
        Ok(TopTracksPage { rows, left_out, repeated })
    }
}

/// Whether a JSON text has `\u0000` in one of its strings: an escape whose backslash is not itself escaped.
fn holds_nul(json: &str) -> bool {
    json.match_indices("\\u0000").any(|(at, _)| {
        let backslashes = json[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        backslashes.is_multiple_of(2)
    })
}

/// Whether a number of a JSON text has an exponent of more than three digits, or beyond what a double has.
fn holds_vast_number(json: &str) -> bool {
    let mut bytes = json.bytes().peekable();
    let mut in_string = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if in_string => {
                bytes.next();
            }
            b'"' => in_string = !in_string,
            b'e' | b'E' if !in_string => {
                bytes.next_if(|sign| [b'+', b'-'].contains(sign));
                let mut exponent = 0_u32;
                // `true` and `false` have that letter too, and no digit behind it.
                while let Some(digit) = bytes.next_if(u8::is_ascii_digit) {
                    exponent = exponent.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
                }
                if exponent > f64::MAX_10_EXP.unsigned_abs() {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

impl Row {
    /// The row of `tracks`.
    pub(super) fn track(self, id: String, now: sea_orm::prelude::DateTimeUtc) -> track::ActiveModel {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<TopTracksPage, String> {
        TopTracksPage::read(body.as_bytes()).map_err(|fault| fault.message())
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
    fn of_a_track_that_is_named_twice_the_better_place_counts() {
        let track = |id: &str| format!(r#"{{"id": "{id}", "name": "N", "artists": [{{"name": "X"}}]}}"#);
        let page =
            read(&format!(r#"{{"items": [{}, {}, {}]}}"#, track("a"), track("b"), track("a"))).unwrap();
        let ranks: Vec<_> = page.rows.iter().map(|(id, row)| (id.as_str(), row.rank)).collect();
        assert_eq!((ranks, page.repeated, page.left_out), (vec![("a", 1), ("b", 2)], 1, 0));
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
            (r#"{"items": [{"id": "..", "name": "A", "artists": [{"name": "X"}]}]}"#, "neither blanks"),
            (r#"{"items": [{"id": "a b", "name": "A", "artists": [{"name": "X"}]}]}"#, "neither blanks"),
            (
                r#"{"items": [{"id": "a", "name": "A", "artists": [{"name": "X"}], "duration_ms": -1}]}"#,
                "not negative",
            ),
            (
                r#"{"items": [{"id": "a", "name": "1e9999", "artists": [{"name": "X"}], "x": [1e131071]}]}"#,
                "beyond what a double",
            ),
            (r#"{"items": [{"id": "", "name": "A", "artists": [{"name": "X"}]}]}"#, "items[0]: an id has"),
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
    fn numbers_that_a_double_holds_are_no_vast_ones() {
        for (json, is_vast) in [
            (r#"{"e9999": "1e9999 \" 1e9999", "a": true, "b": 1e308, "c": 1E-300}"#, false),
            ("[1e309]", true),
            ("[1E+0309]", true),
            ("[1e-4000]", true),
        ] {
            assert_eq!(holds_vast_number(json), is_vast, "{json}");
        }
    }

    #[test]
    fn an_escaped_backslash_is_no_escape() {
        assert!(holds_nul(r#""\u0000""#));
        assert!(!holds_nul(r#""\\u0000""#));
        assert!(holds_nul(r#""\\\u0000""#));
    }
}
