//! `/search`: tracks by the words of title and artist, by year, explicit or not.

use askama::Template;
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::dashboard::{
    database::{Question, Reads, question},
    fault::Fault,
    frame::Frame,
    page::{Asked, Page},
    router::Site,
    text,
};

/// Hits that are shown.
const HITS: i64 = 20;
/// Matches that are ranked: ranking reads each one's text, which takes a second where there are tens of thousands.
const RANKED: i64 = 2000;
/// The longest text that is looked for, in characters.
const LONGEST: usize = 200;

const WORDS: Question = question!("search", "words", ["'blue monday'"], Reads::Indexes(&[]));
const BY_WORDS: Question =
    question!("search", "hits", ["'love'", "''", "''", "2000", "20"], Reads::Indexes(&["idx_tracks_search"]));
const BY_YEAR: Question = question!(
    "search",
    "hits",
    ["''", "'2019'", "''", "2000", "20"],
    Reads::Indexes(&["idx_tracks_release_year"])
);
const EXPLICIT: Question =
    question!("search", "hits", ["''", "''", "'yes'", "2000", "20"], Reads::Indexes(&["idx_tracks_payload"]));
const BY_LETTERS: Question = question!(
    "search",
    "letters",
    ["'the'", "''", "''", "2000", "20"],
    Reads::Whole("the full-text index leaves such words out")
);
pub(super) const QUESTIONS: &[&Question] = &[&WORDS, &BY_WORDS, &BY_YEAR, &EXPLICIT, &BY_LETTERS];

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
pub(in crate::dashboard) struct Wanted {
    /// Words of title and artist; `"a phrase"`, `-without` and `or` as on the web.
    q: Option<String>,
    /// The release year, four digits.
    year: Option<String>,
    /// `yes`: explicit ones; `no`: those that are said not to be.
    explicit: Option<String>,
}

/// Tracks that were found.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::dashboard) struct Search {
    q: String,
    year: String,
    explicit: String,
    /// Whether the letters were looked for, since the words are ones that the full-text index leaves out.
    by_letters: bool,
    /// How many were found; 2,000: that many or more.
    matches: i64,
    /// The best of them.
    hits: Vec<Hit>,
}

#[derive(Debug, Serialize, ToSchema, FromQueryResult)]
struct Hit {
    track_id: String,
    /// The track's title.
    name: String,
    artist_name: String,
    album_name: Option<String>,
    /// The release year.
    year: Option<String>,
    explicit: bool,
    #[serde(skip)]
    marked_name: String,
    #[serde(skip)]
    marked_artist: String,
    #[serde(skip)]
    matches: i64,
}

#[derive(FromQueryResult)]
struct Words {
    any: bool,
}

impl Page for Search {
    type Question = Asked<Wanted>;

    const PATH: &'static str = "/search";
    const TITLE: &'static str = "Search";
    const SUMMARY: &'static str = "Tracks by the words of title and artist, by release year, explicit or not";

    async fn ask(site: &Site, Asked(asked): &Self::Question) -> Result<Search, Fault> {
        let trimmed = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
        let (q, year, explicit) = (trimmed(&asked.q), trimmed(&asked.year), trimmed(&asked.explicit));
        if q.chars().count() > LONGEST {
            return Err(Fault::BadRequest(format!("a search has {LONGEST} characters at most")));
        }
        if q.contains('\0') {
            return Err(Fault::BadRequest("no text of the database holds the character U+0000".to_owned()));
        }
        let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
        if !year.is_empty() && !is_year {
            return Err(Fault::BadRequest("a year has four digits".to_owned()));
        }
        if !["", "yes", "no"].contains(&explicit.as_str()) {
            return Err(Fault::BadRequest("explicit is yes or no".to_owned()));
        }
        if [&q, &year, &explicit].into_iter().all(String::is_empty) {
            return Ok(Search { q, year, explicit, by_letters: false, matches: 0, hits: Vec::new() });
        }
        let database = &site.database;
        let words = database.row::<Words>(&WORDS, [q.as_str().into()]).await?;
        let by_letters = !q.is_empty() && words.is_some_and(|words| !words.any);
        let question = if by_letters { &BY_LETTERS } else { &BY_WORDS };
        let wanted =
            [q.as_str().into(), year.as_str().into(), explicit.as_str().into(), RANKED.into(), HITS.into()];
        let hits = database.rows::<Hit>(question, wanted).await?;
        let matches = hits.first().map_or(0, |hit| hit.matches);
        Ok(Search { q, year, explicit, by_letters, matches, hits })
    }

    fn html(&self, frame: &Frame) -> askama::Result<String> {
        Html { frame, page: self }.render()
    }
}

/// A piece of text, and whether it is what was looked for.
struct Piece<'a> {
    text: &'a str,
    marked: bool,
}

/// The pieces of a text in which U+E000 and U+E001 stand around what was looked for.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut marked = false;
    let mut pieces = Vec::new();
    for text in text.split_inclusive(['\u{E000}', '\u{E001}']) {
        let plain = text.trim_end_matches(['\u{E000}', '\u{E001}']);
        if !plain.is_empty() {
            pieces.push(Piece { text: plain, marked });
        }
        marked = text.ends_with('\u{E000}');
    }
    pieces
}

impl Search {
    fn is_asked(&self) -> bool {
        ![&self.q, &self.year, &self.explicit].into_iter().all(|text| text.is_empty())
    }

    fn ranked_all(&self) -> bool {
        self.matches < RANKED
    }
}

#[derive(Template)]
#[template(path = "pages/search/page.html")]
struct Html<'a> {
    frame: &'a Frame,
    page: &'a Search,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_for_is_marked_and_nothing_else() {
        let pieces: Vec<(&str, bool)> = pieces("\u{E000}Blue\u{E001} <b> \u{E000}Monday\u{E001}!")
            .into_iter()
            .map(|piece| (piece.text, piece.marked))
            .collect();
        assert_eq!(pieces, [("Blue", true), (" <b> ", false), ("Monday", true), ("!", false)]);
        assert!(super::pieces("").is_empty());
    }
}
