//! Versions: the schema part of a plan, frozen as SQL text that people can read.
//!
//! A version is a folder `mYYYYMMDD_HHMMSS_slug` with the files `pre-data.sql` (before the rows, one transaction),
//! `post-data.sql` (after them, a transaction a step) and `down.sql` (the way back, one transaction).
//! `ALTER TYPE … ADD VALUE` at the beginning of `pre-data.sql` is committed before its transaction. In a file each
//! statement is introduced by a line `-- step`, which may carry attributes:
//!
//! ```sql
//! -- step concurrent hazards=builds-index lock_timeout=3s
//! CREATE INDEX CONCURRENTLY tracks_name ON tracks (name);
//! ```
//!
//! Of the steps after the rows, one that is `together` is in the transaction of the step before it.

mod file;
mod folder;

use std::{fmt, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

pub use self::folder::{load_folder, save};
use crate::{enum_types, sql_text};

/// A frozen schema change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// `mYYYYMMDD_HHMMSS_slug`.
    pub name: String,
    /// Before the rows, in one transaction ([`Version::before_rows`]).
    pub pre_data: Vec<Step>,
    /// After the rows, each step in a transaction of its own, or concurrently.
    pub post_data: Vec<Step>,
    /// The way back from both, in one transaction.
    pub down: Vec<Step>,
}

/// One statement of a version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// One statement, without a semicolon behind it. Its names are unqualified.
    pub sql: String,
    /// Whether it must be sent outside of any transaction.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub concurrent: bool,
    /// Whether it is an `UPDATE … WHERE …` that is made in many small transactions, a range of the table's rows each. What it
    /// has done it must not do again, since a run that is cut off begins anew. Post-data only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_chunks: bool,
    /// Whether it is in one transaction with the step before it. Post-data only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub together: bool,
    /// Whether it may run at the same time as its neighbours that may too: index builds, validations. Post-data only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parallel: bool,
    /// Why it may hurt, as slugs: `deletes-data`, `builds-index`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hazards: Vec<String>,
    /// How long it may wait for a lock; `None`: as the session says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_timeout: Option<Duration>,
    /// How long it may take; `None`: as the session says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement_timeout: Option<Duration>,
}

/// A part of a version, each a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Before the rows.
    PreData,
    /// After the rows.
    PostData,
    /// The way back.
    Down,
}

impl Section {
    /// Every section, in the order in which a version's reader meets them.
    pub const ALL: [Section; 3] = [Section::PreData, Section::PostData, Section::Down];

    /// Its slug: `pre-data`, `post-data`, `down`.
    pub fn as_str(self) -> &'static str {
        match self {
            Section::PreData => "pre-data",
            Section::PostData => "post-data",
            Section::Down => "down",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why a version cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// A file or a folder could not be read or written.
    #[error("{} could not be {action}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        action: &'static str,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A name is not a version's.
    #[error(
        "{name:?} is not the name of a version: one looks like m20260131_235959_add_tracks, with a slug of small \
         letters, digits and underscores"
    )]
    BadName {
        /// The name.
        name: String,
    },
    /// A version's folder holds a file that would be passed over.
    #[error("{} is none of pre-data.sql, post-data.sql and down.sql: rename or remove it", path.display())]
    StrayFile {
        /// The file.
        path: PathBuf,
    },
    /// A version's folder holds no SQL.
    #[error("{} holds none of pre-data.sql, post-data.sql and down.sql: add one, or remove the folder", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A file's text is not in the format.
    #[error("{}:{line}: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// There is such a version already.
    #[error("{} is there already: pick another slug, or wait a second", path.display())]
    Exists {
        /// Its folder.
        path: PathBuf,
    },
    /// A version cannot be written so that it reads back the same.
    #[error("step {number} of {section} of version {name} cannot be written: {reason}")]
    Unwritable {
        /// The version.
        name: String,
        /// The section.
        section: Section,
        /// The step's number, from 1.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
}

impl Version {
    /// What comes before the rows: the labels of enumerated types with which it begins, each committed by itself, since
    /// nothing in the transaction that adds a label may use it; and the one transaction of the rest.
    pub fn before_rows(&self) -> (&[Step], &[Step]) {
        let labels = self.pre_data.iter().take_while(|step| enum_types::adds_label(&step.sql)).count();
        self.pre_data.split_at(labels)
    }

    /// The steps of a section.
    pub fn section(&self, section: Section) -> &[Step] {
        match section {
            Section::PreData => &self.pre_data,
            Section::PostData => &self.post_data,
            Section::Down => &self.down,
        }
    }

    /// What identifies the version's content: XXH3-128 of its steps' SQL (without comments), concurrency and hazards,
    /// as 32 hexadecimal digits. Timeouts and parallelism may
    /// be changed at any time, so they are left out.
    pub fn checksum(&self) -> String {
        let mut content = String::new();
        for section in Section::ALL {
            for step in self.section(section) {
                let sql = sql_text::without_comments(&step.sql);
                // The lengths keep one statement's end from passing for the next one's beginning.
                let chunks = if step.in_chunks { " in_chunks" } else { "" };
                let together = if step.together { " together" } else { "" };
                let (concurrent, hazards) = (step.concurrent, step.hazards.join(","));
                let header = format!("{section} {concurrent}{chunks}{together} {hazards} {}\n", sql.len());
                content.push_str(&header);
                content.push_str(&sql);
            }
        }
        format!("{:032x}", xxhash_rust::xxh3::xxh3_128(content.as_bytes()))
    }
}

impl Step {
    /// A step with nothing but its SQL; a semicolon at the end and comments around it are taken off.
    pub fn new(sql: &str) -> Step {
        let statements = sql_text::statements(sql);
        let sql = match statements.as_slice() {
            [one] => one,
            _ => sql.trim(),
        };
        Step { sql: sql.to_owned(), ..Step::default() }
    }
}

/// Whether a name is a version's: `m`, a date, a time, a slug; and no name of the migration that follows the rows.
pub fn is_version_name(name: &str) -> bool {
    let mut parts = name.splitn(3, '_');
    let digits = |text: Option<&str>, length: usize| {
        text.is_some_and(|text| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let date = parts.next().and_then(|part| part.strip_prefix('m'));
    let is_slug = |text: &str| {
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        !text.is_empty() && text.bytes().all(letters) && !text.ends_with(crate::migrator::POST_SUFFIX)
    };
    digits(date, 8) && digits(parts.next(), 6) && parts.next().is_some_and(is_slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_versions() {
        for name in ["m20260131_235959_a", "m20260131_235959_add_2_tracks"] {
            assert!(is_version_name(name), "{name}");
        }
        let bad = [
            "",
            "m2026_1_a",
            "20260131_235959_a",
            "m20260131_235959",
            "m20260131_235959_",
            "m20260131_235959_A",
        ];
        for name in
            bad.into_iter().chain(["m20260131_235959_a__post", "m20260131_235959_a/b", "m20260131-235959-a"])
        {
            assert!(!is_version_name(name), "{name}");
        }
    }

    #[test]
    fn the_checksum_is_of_the_content() {
        let version = |sql: &str, hazards: &[&str], timeout: Option<u64>| Version {
            name: "m20260131_235959_a".to_owned(),
            pre_data: vec![Step {
                hazards: hazards.iter().map(|slug| (*slug).to_owned()).collect(),
                lock_timeout: timeout.map(Duration::from_secs),
                ..Step::new(sql)
            }],
            ..Version::default()
        };
        let one = version("CREATE TABLE t (a text)", &[], None).checksum();
        assert_eq!(one.len(), 32);
        assert_eq!(one, version("-- why\nCREATE TABLE t\n  (a text);", &[], Some(3)).checksum());
        assert_ne!(one, version("CREATE TABLE t (a  text, b text)", &[], None).checksum());
        assert_ne!(one, version("CREATE TABLE t (a text)", &["deletes-data"], None).checksum());
        let moved = Version {
            post_data: version("CREATE TABLE t (a text)", &[], None).pre_data,
            ..Version::default()
        };
        assert_ne!(one, moved.checksum());
    }
}
