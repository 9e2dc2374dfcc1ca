//! `/explore`: what can be asked inside the payload, each question with its SQL, its rows, and how PostgreSQL answers it.

use std::time::Instant;

use askama::Template;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement, Value};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::dashboard::{
    database::{Database, Question, Reads, question},
    fault::Fault,
    frame::Frame,
    page::{Asked, Page},
    router::Site,
};

/// The longest value that is asked for, in characters.
const LONGEST: usize = 200;

/// A question inside the payload.
pub(super) struct Exploration {
    /// The word in the address.
    slug: &'static str,
    title: &'static str,
    /// What it shows of `jsonb`.
    lesson: &'static str,
    /// What `detail` is.
    detail: &'static str,
    /// What the value asked for is, and one to begin with.
    asks: Option<(&'static str, &'static str)>,
    question: Question,
}

const PAYLOAD: Reads = Reads::Indexes(&["idx_tracks_payload"]);

static EXPLORATIONS: [Exploration; 9] = [
    Exploration {
        slug: "explicit",
        title: "Explicit tracks",
        lesson: "Containment: @> asks whether the payload holds this object. A GIN index with jsonb_path_ops answers it.",
        detail: "explicit",
        asks: None,
        question: question!("explore", "explicit", [], PAYLOAD),
    },
    Exploration {
        slug: "released-in",
        title: "Released in a year",
        lesson: "A path: #>> gives the text at the end of it. The index is on this very expression, of which the first four \
                 characters are the year whether the date says a day, a month or a year.",
        detail: "release date",
        asks: Some(("Year", "2019")),
        question: question!(
            "explore",
            "released_in",
            ["'2019'"],
            Reads::Indexes(&["idx_tracks_release_year"])
        ),
    },
    Exploration {
        slug: "has-isrc",
        title: "Tracks with an ISRC",
        lesson: "Existence: ? asks whether the object has this key. Nearly every payload has it, so that PostgreSQL rightly \
                 reads the table until it has enough; an index (GIN on raw_json -> 'external_ids') is there for when few do.",
        detail: "ISRC",
        asks: None,
        question: question!("explore", "has_isrc", [], Reads::Indexes(&["idx_tracks_external_ids"])),
    },
    Exploration {
        slug: "lacks-isrc",
        title: "Tracks without an ISRC",
        lesson: "What is not there: no index lists it, so that the table is read until there are enough.",
        detail: "release date",
        asks: None,
        question: question!("explore", "lacks_isrc", [], Reads::Whole("no index lists what a payload lacks")),
    },
    Exploration {
        slug: "isrc",
        title: "The track of an ISRC",
        lesson: "Containment again, of an object in the object: the value asked for is put into JSON by the server, never into the SQL.",
        detail: "ISRC",
        asks: Some(("ISRC", "KRA381618345")),
        question: question!("explore", "of_isrc", ["'KRA381618345'"], PAYLOAD),
    },
    Exploration {
        slug: "artist",
        title: "Tracks that an artist takes part in",
        lesson: "Containment in a list: any of the artists may be it, not just the first.",
        detail: "artists",
        asks: Some(("Artist", "Lady Harbour")),
        question: question!("explore", "with_artist", ["'Lady Harbour'"], PAYLOAD),
    },
    Exploration {
        slug: "singles",
        title: "Singles",
        lesson: "Two containments: the older payloads write the album's type in capitals. The index is looked into twice.",
        detail: "album type",
        asks: None,
        question: question!("explore", "singles", [], PAYLOAD),
    },
    Exploration {
        slug: "to-the-year",
        title: "Release dates of a year alone",
        lesson: "A JSON path with a condition: @? asks whether it finds anything. Equality in it is answered by the index.",
        detail: "release date",
        asks: None,
        question: question!("explore", "to_the_year", [], PAYLOAD),
    },
    Exploration {
        slug: "popular",
        title: "Popularity of 80 or more",
        lesson: "A JSON path that compares: no index of the payload knows what is greater, so that the table is read until there \
                 are enough. A column, filled out of the payload, and an index on it would be the way.",
        detail: "popularity",
        asks: None,
        question: question!("explore", "popular", [], Reads::Whole("a GIN index knows no order")),
    },
];

/// Every question.
pub(super) fn questions() -> Vec<&'static Question> {
    EXPLORATIONS.iter().map(|exploration| &exploration.question).collect()
}

/// Which question is asked, and with what.
#[derive(Debug, Deserialize, IntoParams)]
pub(in crate::dashboard) struct Chosen {
    /// The question's slug; none: the first.
    question: Option<String>,
    /// The value asked for, where the question takes one.
    value: Option<String>,
}

/// A question inside the payload, answered.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::dashboard) struct Explore {
    slug: &'static str,
    title: &'static str,
    /// What it shows of `jsonb`.
    lesson: &'static str,
    /// The value asked for.
    value: Option<String>,
    /// The statement; `$1` is the value.
    sql: &'static str,
    rows: Vec<Found>,
    /// How PostgreSQL answers it, a line each.
    explain: Vec<String>,
    /// How long the answer took, in milliseconds.
    took_milliseconds: f64,
    #[serde(skip)]
    asks: Option<&'static str>,
    #[serde(skip)]
    detail: &'static str,
}

/// A track that was found.
#[derive(Debug, Serialize, ToSchema, FromQueryResult)]
struct Found {
    track_id: String,
    /// The track's title.
    name: String,
    artist_name: String,
    /// What was asked for, as the payload has it.
    detail: Option<String>,
}

impl Page for Explore {
    type Question = Asked<Chosen>;

    const PATH: &'static str = "/explore";
    const TITLE: &'static str = "Explore";
    const SUMMARY: &'static str =
        "A question inside the payload: its SQL, its rows, and how PostgreSQL answers it";

    async fn ask(site: &Site, Asked(asked): &Self::Question) -> Result<Explore, Fault> {
        let slug = asked.question.as_deref().filter(|slug| !slug.is_empty()).unwrap_or(EXPLORATIONS[0].slug);
        let chosen = EXPLORATIONS.iter().find(|exploration| exploration.slug == slug);
        let chosen = chosen.ok_or_else(|| Fault::NotFound("there is no such question".to_owned()))?;
        let value = chosen.asks.map(|(_, example)| {
            let value = asked.value.as_deref().map(str::trim).filter(|value| !value.is_empty());
            value.unwrap_or(example).to_owned()
        });
        if value.as_ref().is_some_and(|value| value.chars().count() > LONGEST || value.contains('\0')) {
            return Err(Fault::BadRequest(format!(
                "a value has {LONGEST} characters at most, none of them U+0000"
            )));
        }
        let values = || value.iter().map(|value| Value::from(value.as_str())).collect::<Vec<_>>();
        let begun = Instant::now();
        let rows = site.database.rows(&chosen.question, values()).await?;
        let took_milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
        let explain = explain(&site.database, &chosen.question, values()).await?;
        Ok(Explore {
            slug: chosen.slug,
            title: chosen.title,
            lesson: chosen.lesson,
            sql: chosen.question.sql.trim_end(),
            rows,
            explain,
            took_milliseconds: (took_milliseconds * 10.0).round() / 10.0,
            asks: chosen.asks.map(|(name, _)| name),
            detail: chosen.detail,
            value,
        })
    }

    fn html(&self, frame: &Frame) -> askama::Result<String> {
        Html { frame, page: self }.render()
    }
}

/// How PostgreSQL would answer, a line each.
async fn explain(database: &Database, question: &Question, values: Vec<Value>) -> Result<Vec<String>, Fault> {
    let sql = format!("EXPLAIN {}", question.sql);
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let lines = database.timed("explore.explain", database.orm().query_all_raw(statement)).await?;
    let line = |row: sea_orm::QueryResult| row.try_get_by_index(0).map_err(|error| database.fault(error));
    lines.into_iter().map(line).collect()
}

#[derive(Template)]
#[template(path = "pages/explore/page.html")]
struct Html<'a> {
    frame: &'a Frame,
    page: &'a Explore,
}

impl Html<'_> {
    fn explorations(&self) -> &'static [Exploration] {
        &EXPLORATIONS
    }
}
