//! The sample's artists and tracks: what the table `tracks` gets, payloads included.

use serde_json::Value;

use super::{
    payload::{Album, Generation, Subject, payload},
    python_json,
    random::Random,
    words::{ARTIST_FIRST, ARTIST_LAST, AWKWARD_NAMES, QUALITIES, THINGS, VERSIONS},
};

/// Digits of Spotify's identifiers, which are 22 of them.
const BASE_62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// One artist for so many tracks, so that some of them come back again and again.
const TRACKS_AN_ARTIST: usize = 7;

/// Every so many tracks one has an awkward name, until each has been used.
const AWKWARD_EVERY: usize = 11;

/// A row of `tracks`.
#[derive(Clone, Debug)]
pub(super) struct TrackRow {
    pub(super) track_id: String,
    pub(super) name: String,
    pub(super) artist_name: String,
    pub(super) album_name: Option<String>,
    pub(super) duration_ms: Option<u64>,
    pub(super) spotify_url: Option<String>,
    pub(super) raw_json: Option<String>,
}

/// An artist, as payloads name them.
#[derive(Clone, Debug)]
pub(super) struct Artist {
    pub(super) id: String,
    pub(super) name: String,
}

/// What became of a track's payload and link. All are legal in the source, and all are seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Oddity {
    None,
    /// `spotify_url` is NULL.
    NoLink,
    /// `raw_json` is `'{}'`: the application's default.
    EmptyPayload,
    /// `raw_json` is NULL: saved before the column was there. So are album and duration.
    NoPayload,
    /// A file of the listener's own: no identifier, no link, no ISRC.
    LocalFile,
}

impl Oddity {
    /// Gives the oddities their places: rare, and in every sample of some size.
    fn of(index: usize) -> Oddity {
        match index % 100 {
            17 => Oddity::NoLink,
            39 => Oddity::EmptyPayload,
            61 => Oddity::NoPayload,
            83 => Oddity::LocalFile,
            _ => Oddity::None,
        }
    }
}

/// Makes the rows of `tracks`, in the order of their debut.
pub(super) fn tracks(count: usize, random: &mut Random) -> serde_json::Result<Vec<TrackRow>> {
    let artists: Vec<Artist> = (0..(count / TRACKS_AN_ARTIST).max(5)).map(|_| artist(random)).collect();
    (0..count).map(|index| track(index, count, &artists, random)).collect()
}

/// A Spotify identifier.
pub(super) fn identifier(random: &mut Random) -> String {
    random.letters(BASE_62, 22)
}

fn artist(random: &mut Random) -> Artist {
    let name = format!("{} {}", random.pick(&ARTIST_FIRST), random.pick(&ARTIST_LAST));
    Artist { id: identifier(random), name }
}

fn track(
    index: usize,
    count: usize,
    artists: &[Artist],
    random: &mut Random,
) -> serde_json::Result<TrackRow> {
    let oddity = Oddity::of(index);
    let generation = generation(index, count, random);
    let subject = subject(index, generation, artists, random);
    let object = payload(&subject, generation, oddity == Oddity::LocalFile, random);
    let ensure_ascii = random.percent(50);

    let known = oddity != Oddity::NoPayload;
    let linked = !matches!(oddity, Oddity::NoLink | Oddity::LocalFile);
    Ok(TrackRow {
        raw_json: match oddity {
            Oddity::NoPayload => None,
            Oddity::EmptyPayload => {
                Some(python_json::dumps(&Value::Object(serde_json::Map::new()), ensure_ascii)?)
            }
            Oddity::None | Oddity::NoLink | Oddity::LocalFile => {
                Some(python_json::dumps(&object, ensure_ascii)?)
            }
        },
        spotify_url: linked.then(|| format!("https://open.spotify.com/track/{}", subject.id)),
        artist_name: subject.artists.iter().map(|artist| artist.name.as_str()).collect::<Vec<_>>().join(", "),
        album_name: known.then_some(subject.album.name),
        duration_ms: known.then_some(subject.duration_ms),
        track_id: subject.id,
        name: subject.name,
    })
}

/// What a track is, whatever its payload tells of it.
fn subject(index: usize, generation: Generation, artists: &[Artist], random: &mut Random) -> Subject {
    let id = identifier(random);
    let duration_ms = random.between(61_000, 489_000);
    let awkward = (index % AWKWARD_EVERY == 3).then(|| AWKWARD_NAMES.get(index / AWKWARD_EVERY)).flatten();
    let (name, artists, album) = match awkward {
        Some((name, artist, album)) => {
            let artist = Artist { id: identifier(random), name: (*artist).to_owned() };
            ((*name).to_owned(), vec![artist], (*album).to_owned())
        }
        None => (title(random), some_artists(artists, random), title(random)),
    };
    // Half of all listening is to the last years' music.
    let newest_year = generation.last_release_year();
    let oldest_year = if random.percent(50) { 1_961 } else { newest_year - 3 };
    let year = random.between(oldest_year, newest_year);
    let release_date = format!("{year}-{:02}-{:02}", random.between(1, 12), random.between(1, 28));
    Subject {
        id,
        name,
        artists,
        album: Album { id: identifier(random), name: album, release_date },
        duration_ms,
    }
}

fn title(random: &mut Random) -> String {
    let plain = format!("{} {}", random.pick(&QUALITIES), random.pick(&THINGS));
    if random.percent(12) { plain + *random.pick(&VERSIONS) } else { plain }
}

/// One artist mostly; the first of the list are picked more often, as favourites are.
fn some_artists(artists: &[Artist], random: &mut Random) -> Vec<Artist> {
    let count = if random.percent(80) { 1 } else { random.between(2, 3) };
    let mut picked: Vec<Artist> = Vec::new();
    for _ in 0..count {
        let narrowed = random.index(artists.len()) + 1;
        let artist = &artists[random.index(narrowed)];
        if picked.iter().all(|known| known.id != artist.id) {
            picked.push(artist.clone());
        }
    }
    picked
}

/// Later debuts have later payloads; but a track that was saved again has one of another generation.
fn generation(index: usize, count: usize, random: &mut Random) -> Generation {
    let progress = index * 100 / count.max(1);
    match progress {
        _ if random.percent(15) => *random.pick(&Generation::ALL),
        0..=9 => Generation::Y2017,
        10..=34 => Generation::Y2020,
        35..=69 => Generation::Y2024,
        _ => Generation::Y2026,
    }
}
