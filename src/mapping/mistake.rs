//! What is wrong with a mapping, and where: all of it at once, each mistake with its line and the way out.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

use super::Place;

/// One mistake in a mapping file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Mistake {
    /// Where it stands.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
    /// Another place that has to do with it: the first of two equal keys.
    pub other: Option<Place>,
}

impl Mistake {
    /// A mistake at a place, with the way out where there is one.
    #[must_use]
    pub fn at(place: &Place, message: &str, hint: Option<&str>) -> Mistake {
        Mistake {
            place: place.clone(),
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
            other: None,
        }
    }

    /// An unknown word, with the nearest known one, or with all known ones where they are few.
    #[must_use]
    pub fn unknown<'a>(
        place: &Place,
        what: &str,
        written: &str,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> Mistake {
        /// More words than these are no help in a line.
        const LISTED: usize = 12;
        let hint = crate::schema::nearest(written, known.clone()).map_or_else(
            || {
                let words: Vec<String> =
                    known.clone().take(LISTED + 1).map(|word| format!("`{word}`")).collect();
                (1..=LISTED).contains(&words.len()).then(|| format!("known: {}", words.join(", ")))
            },
            |word| Some(format!("did you mean `{word}`?")),
        );
        Mistake::at(place, &format!("unknown {what} `{written}`"), hint.as_deref())
    }

    /// Names the other place that has to do with it.
    #[must_use]
    pub fn and_at(mut self, other: &Place) -> Mistake {
        self.other = Some(other.clone());
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = if self.file.is_empty() { "built-in rules" } else { &self.file };
        write!(f, "{file}:{}:{}", self.line, self.column)
    }
}

/// Why a mapping cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The file cannot be read at all.
    #[error("cannot read the mapping {}: {reason}", .path.display())]
    Unreadable {
        /// The file as it was named.
        path: PathBuf,
        /// Why, in words.
        reason: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file says something that makes no sense. Never empty; in the order of the file.
    #[error("{}", .mistakes.iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes {
        /// The file, for showing the lines.
        text: NamedSource<String>,
        /// All that is wrong with it.
        mistakes: Vec<Mistake>,
    },
}

impl MappingError {
    /// Reports mistakes found in a mapping, with the text that they are in ([`super::Mapping::text`]).
    #[must_use]
    pub fn from_mistakes(text: &str, mut mistakes: Vec<Mistake>) -> MappingError {
        mistakes.sort_by_key(|mistake| (mistake.place.line, mistake.place.column));
        mistakes.dedup();
        let files = mistakes.iter().map(|mistake| &mistake.place.file);
        let file = files.clone().find(|file| !file.is_empty()).cloned().unwrap_or_default();
        MappingError::Mistakes {
            text: NamedSource::new(file, text.to_owned()).with_language("yaml"),
            mistakes,
        }
    }

    /// The mistakes in the file; none where it could not be read.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        match self {
            MappingError::Unreadable { .. } => &[],
            MappingError::Mistakes { mistakes, .. } => mistakes,
        }
    }

    /// Says in words why a file cannot be read.
    pub(super) fn unreadable(path: &Path, source: io::Error) -> MappingError {
        let reason = match source.kind() {
            io::ErrorKind::NotFound => "there is no such file",
            io::ErrorKind::PermissionDenied => "this user has no permission to read it",
            io::ErrorKind::IsADirectory => "it is a directory",
            _ => "the system refused",
        };
        MappingError::Unreadable { path: path.to_owned(), reason, source }
    }
}

impl Diagnostic for MappingError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(match self {
            MappingError::Unreadable { .. } => "mapping-unreadable",
            MappingError::Mistakes { .. } => "mapping-mistakes",
        }))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        match self {
            MappingError::Unreadable { .. } => Some(Box::new(
                "name another file with `--mapping FILE`, or `--mapping none` for the built-in rules alone",
            )),
            MappingError::Mistakes { .. } => None,
        }
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        match self {
            MappingError::Unreadable { .. } => None,
            MappingError::Mistakes { text, .. } => Some(text),
        }
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let MappingError::Mistakes { text, mistakes } = self else { return None };
        let file = text.name();
        Some(Box::new(
            mistakes
                .iter()
                .flat_map(|mistake| {
                    let label = mistake.hint.as_deref().unwrap_or("here");
                    let other = mistake.other.iter().map(|place| (place, "the first one"));
                    std::iter::once((&mistake.place, label)).chain(other)
                })
                // A place in the built-in rules has no line in this text.
                .filter(move |(place, _)| place.file == file)
                .map(|(place, label)| {
                    let (offset, length) = span(text.inner(), place);
                    LabeledSpan::new(Some(label.to_owned()), offset, length)
                }),
        ))
    }
}

/// The bytes of the word or the quoted text that stands at a place: offset and length.
pub(super) fn span(text: &str, place: &Place) -> (usize, usize) {
    let line = text.split_inclusive('\n').nth(place.line.saturating_sub(1)).unwrap_or_default();
    let line_start =
        if line.is_empty() { text.len() } else { line.as_ptr() as usize - text.as_ptr() as usize };
    let line = line.trim_end();
    let column = line.char_indices().nth(place.column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    (line_start + column, word_length(&line[column..]))
}

/// How many bytes the YAML scalar at the beginning of `rest` takes, within its line.
fn word_length(rest: &str) -> usize {
    if let Some(quote) = rest.chars().next().filter(|first| ['"', '\''].contains(first)) {
        return rest[1..].find(quote).map_or(rest.len(), |end| end + 2);
    }
    let ends = [": ", " #", ",", "]", "}"].iter().filter_map(|end| rest.find(end));
    let end = ends.min().unwrap_or_else(|| rest.trim_end_matches(':').len());
    rest[..end].trim_end().len()
}
