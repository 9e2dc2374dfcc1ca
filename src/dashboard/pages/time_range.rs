//! Spotify's time ranges: how far back a chart looks.

use serde::Serialize;
use utoipa::ToSchema;

use crate::dashboard::fault::Fault;

/// How far back a chart looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::enum_variant_names, reason = "they are Spotify's words")]
pub(in crate::dashboard) enum TimeRange {
    /// About four weeks.
    ShortTerm,
    /// About six months.
    MediumTerm,
    /// About a year.
    LongTerm,
}

impl TimeRange {
    pub(in crate::dashboard) const ALL: [TimeRange; 3] =
        [TimeRange::ShortTerm, TimeRange::MediumTerm, TimeRange::LongTerm];

    /// The word in the database and in addresses.
    pub(in crate::dashboard) fn word(self) -> &'static str {
        match self {
            TimeRange::ShortTerm => "short_term",
            TimeRange::MediumTerm => "medium_term",
            TimeRange::LongTerm => "long_term",
        }
    }

    pub(super) fn in_words(self) -> &'static str {
        match self {
            TimeRange::ShortTerm => "about 4 weeks",
            TimeRange::MediumTerm => "about 6 months",
            TimeRange::LongTerm => "about a year",
        }
    }

    /// The one that this word names.
    pub(in crate::dashboard) fn named(word: &str) -> Result<TimeRange, Fault> {
        let known = TimeRange::ALL.into_iter().find(|range| range.word() == word);
        known.ok_or_else(|| {
            Fault::BadRequest("a time range is short_term, medium_term or long_term".to_owned())
        })
    }

    /// The one that is asked for; the shortest, where none is.
    pub(super) fn asked(word: Option<&str>) -> Result<TimeRange, Fault> {
        match word {
            None | Some("") => Ok(TimeRange::ShortTerm),
            Some(word) => TimeRange::named(word),
        }
    }
}
