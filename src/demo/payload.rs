//! A Spotify track object, as `/me/top/tracks` returned it over the years.
//!
//! The generations differ, and one database holds several: those of 2017 lack the release date and the album's artists
//! and write the album's type in capitals; those of 2020 list 79 markets, of 2024 183; from 2026 on, what a development
//! application gets lacks markets and popularity, and for a time the external identifiers. Keys are in Spotify's order,
//! which is the alphabet's.

use serde_json::{Map, Value, json};

use super::{
    catalogue::{Artist, identifier},
    random::Random,
    words::{ISRC_PREFIXES, MARKETS_2020, MARKETS_2024},
};

/// When a payload was saved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Generation {
    Y2017,
    Y2020,
    Y2024,
    Y2026,
}

impl Generation {
    pub(super) const ALL: [Generation; 4] =
        [Generation::Y2017, Generation::Y2020, Generation::Y2024, Generation::Y2026];

    /// The last year whose releases a payload of that time can tell of: the year before.
    pub(super) fn last_release_year(self) -> u64 {
        match self {
            Generation::Y2017 => 2_016,
            Generation::Y2020 => 2_019,
            Generation::Y2024 => 2_023,
            Generation::Y2026 => 2_025,
        }
    }

    fn markets(self) -> Option<&'static [&'static str]> {
        match self {
            Generation::Y2020 => Some(&MARKETS_2020),
            Generation::Y2024 => Some(&MARKETS_2024),
            Generation::Y2017 | Generation::Y2026 => None,
        }
    }
}

/// What a payload tells of.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) artists: Vec<Artist>,
    pub(super) album: Album,
    pub(super) duration_ms: u64,
}

/// The album that a track is on.
#[derive(Clone, Debug)]
pub(super) struct Album {
    pub(super) id: String,
    pub(super) name: String,
    /// With the precision of a day; a payload may tell less.
    pub(super) release_date: String,
}

/// Makes the track object. A local file has neither identifier nor link.
pub(super) fn payload(
    subject: &Subject,
    generation: Generation,
    is_local: bool,
    random: &mut Random,
) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("album", album(subject, generation, random));
    put("artists", subject.artists.iter().map(artist).collect());
    if let Some(markets) = generation.markets() {
        put("available_markets", json!(markets));
    }
    put("disc_number", json!(if random.percent(95) { 1 } else { 2 }));
    put("duration_ms", json!(subject.duration_ms));
    put("explicit", json!(random.percent(20)));
    // For some months the newest payloads had none at all.
    if generation != Generation::Y2026 || random.percent(50) {
        put("external_ids", external_ids(&subject.album.release_date, is_local, random));
    }
    put("external_urls", if is_local { json!({}) } else { link("track", &subject.id) });
    put("href", if is_local { Value::Null } else { href("tracks", &subject.id) });
    put("id", if is_local { Value::Null } else { json!(subject.id) });
    if generation != Generation::Y2017 {
        put("is_local", json!(is_local));
    }
    let restricted = generation == Generation::Y2024 && random.percent(4);
    if restricted || generation == Generation::Y2017 {
        put("is_playable", json!(!restricted));
    }
    if generation == Generation::Y2017 && random.percent(15) {
        put("linked_from", linked_from(&identifier(random)));
    }
    put("name", json!(subject.name));
    if generation != Generation::Y2026 {
        put("popularity", json!(random.below(101)));
    }
    put("preview_url", preview_url(generation, random));
    if restricted {
        put("restrictions", json!({"reason": "market"}));
    }
    put("track_number", json!(random.between(1, 18)));
    put("type", json!("track"));
    let local_uri =
        || format!("spotify:local:::{}:{}", subject.name.replace(' ', "+"), subject.duration_ms / 1000);
    put("uri", json!(if is_local { local_uri() } else { format!("spotify:track:{}", subject.id) }));
    Value::Object(object)
}

fn album(subject: &Subject, generation: Generation, random: &mut Random) -> Value {
    let Album { id, name, release_date } = &subject.album;
    let kind = *random.pick(&["album", "album", "album", "single", "compilation"]);
    // Capitals were all that 2017 knew, and are seen later here and there.
    let capitals = generation == Generation::Y2017 || random.percent(5);
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("album_type", json!(if capitals { kind.to_uppercase() } else { kind.to_owned() }));
    if generation != Generation::Y2017 {
        put("artists", subject.artists.iter().take(1).map(artist).collect());
    }
    if let Some(markets) = generation.markets() {
        put("available_markets", json!(markets));
    }
    put("external_urls", link("album", id));
    put("href", href("albums", id));
    put("id", json!(id));
    put("images", [640, 300, 64].iter().map(|size| image(*size, random)).collect());
    put("name", json!(name));
    if generation != Generation::Y2017 {
        let (precision, length) = *random.pick(&PRECISIONS);
        put("release_date", json!(release_date.get(..length)));
        put("release_date_precision", json!(precision));
        put("total_tracks", json!(random.between(1, 24)));
    }
    put("type", json!("album"));
    put("uri", json!(format!("spotify:album:{id}")));
    Value::Object(object)
}

/// How exactly a release date is known, and how many characters of it are given: mostly all.
const PRECISIONS: [(&str, usize); 10] = [
    ("day", 10),
    ("day", 10),
    ("day", 10),
    ("day", 10),
    ("day", 10),
    ("day", 10),
    ("day", 10),
    ("month", 7),
    ("year", 4),
    ("year", 4),
];

fn artist(artist: &Artist) -> Value {
    let Artist { id, name } = artist;
    json!({
        "external_urls": link("artist", id),
        "href": href("artists", id),
        "id": id,
        "name": name,
        "type": "artist",
        "uri": format!("spotify:artist:{id}"),
    })
}

fn external_ids(release_date: &str, is_local: bool, random: &mut Random) -> Value {
    if is_local || random.percent(7) {
        return json!({});
    }
    // ISO 3901: country and registrant, two digits of the year, five of the recording.
    let year = release_date.get(2..4).unwrap_or("00");
    json!({"isrc": format!("{}{year}{:05}", random.pick(&ISRC_PREFIXES), random.below(100_000))})
}

/// The track that was asked for, where another was given in its place.
fn linked_from(id: &str) -> Value {
    json!({
        "external_urls": link("track", id),
        "href": href("tracks", id),
        "id": id,
        "type": "track",
        "uri": format!("spotify:track:{id}"),
    })
}

fn image(size: u32, random: &mut Random) -> Value {
    let url = format!("https://i.scdn.co/image/{}", random.letters("0123456789abcdef", 40));
    json!({"height": size, "url": url, "width": size})
}

fn preview_url(generation: Generation, random: &mut Random) -> Value {
    let chance = match generation {
        Generation::Y2017 | Generation::Y2020 => 80,
        Generation::Y2024 => 30,
        Generation::Y2026 => 0,
    };
    if !random.percent(chance) {
        return Value::Null;
    }
    json!(format!("https://p.scdn.co/mp3-preview/{}", random.letters("0123456789abcdef", 40)))
}

fn link(kind: &str, id: &str) -> Value {
    json!({"spotify": format!("https://open.spotify.com/{kind}/{id}")})
}

fn href(kind: &str, id: &str) -> Value {
    json!(format!("https://api.spotify.com/v1/{kind}/{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        Subject {
            id: "20gqLrsHXhsucGWXMtoc4Y".to_owned(),
            name: "A Title".to_owned(),
            artists: vec![Artist { id: "a".repeat(22), name: "An Artist".to_owned() }],
            album: Album {
                id: "b".repeat(22),
                name: "An Album".to_owned(),
                release_date: "2004-07-09".to_owned(),
            },
            duration_ms: 212_027,
        }
    }

    fn many(generation: Generation) -> Vec<Value> {
        let mut random = Random::new(1);
        (0..200).map(|_| payload(&subject(), generation, false, &mut random)).collect()
    }

    #[test]
    fn each_generation_has_the_keys_of_its_time() {
        for (generation, markets, release_date, popularity) in [
            (Generation::Y2017, None, false, true),
            (Generation::Y2020, Some(79), true, true),
            (Generation::Y2024, Some(183), true, true),
            (Generation::Y2026, None, true, false),
        ] {
            for object in many(generation) {
                let count =
                    |value: &Value| value.get("available_markets").map(|list| list.as_array().unwrap().len());
                assert_eq!(count(&object), markets, "{generation:?}");
                assert_eq!(count(&object["album"]), markets, "{generation:?}");
                assert_eq!(object["album"].get("release_date").is_some(), release_date, "{generation:?}");
                assert_eq!(object["album"].get("artists").is_some(), release_date, "{generation:?}");
                assert_eq!(object.get("popularity").is_some(), popularity, "{generation:?}");
            }
        }
        let with_identifiers =
            many(Generation::Y2026).iter().filter(|object| object.get("external_ids").is_some()).count();
        assert!((50..150).contains(&with_identifiers), "{with_identifiers}");
    }

    #[test]
    fn release_date_is_as_long_as_its_precision() {
        let mut seen = Vec::new();
        for object in many(Generation::Y2024) {
            let precision = object["album"]["release_date_precision"].as_str().unwrap().to_owned();
            let expected = match precision.as_str() {
                "day" => "2004-07-09",
                "month" => "2004-07",
                _ => "2004",
            };
            assert_eq!(object["album"]["release_date"], expected);
            seen.push(precision);
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen, ["day", "month", "year"]);
    }

    #[test]
    fn local_file_has_no_identity() {
        let object = payload(&subject(), Generation::Y2020, true, &mut Random::new(1));
        assert_eq!(
            (&object["id"], &object["is_local"], &object["external_ids"]),
            (&Value::Null, &json!(true), &json!({}))
        );
    }
}
