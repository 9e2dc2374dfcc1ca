//! Names in the target: one policy everywhere, and PostgreSQL's limits kept.
//!
//! PostgreSQL cuts an identifier at 63 bytes without a word, has no empty ones, shares one name space between tables
//! and indexes of a schema, and keeps six column names for itself (manual, 4.1.1 and 5.6). Every name is settled here,
//! deterministically, so that two names never become one.

use std::collections::BTreeSet;

use xxhash_rust::xxh3::xxh3_64;

use crate::mapping::IdentifierPolicy;

/// PostgreSQL's limit for an identifier (NAMEDATALEN - 1).
const MAX_BYTES: usize = 63;

/// Names that every table has for itself (manual, 5.6 "System Columns").
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// The names already given in one name space: a schema's relations, or a table's columns.
#[derive(Debug, Default)]
pub(super) struct Namespace {
    taken: BTreeSet<String>,
    of_relations: bool,
}

impl Namespace {
    /// A schema's relations: sea-orm-migration's own table is taken from the start.
    pub(super) fn of_relations() -> Namespace {
        Namespace { taken: ["seaql_migrations".to_owned()].into(), of_relations: true }
    }

    /// A table's columns: PostgreSQL's own names are taken from the start.
    pub(super) fn of_columns() -> Namespace {
        Namespace { taken: SYSTEM_COLUMNS.map(str::to_owned).into(), of_relations: false }
    }

    /// A relation's name without a `pg_` at its beginning: an unqualified name that the system catalogue has too means the
    /// catalogue's, whatever the search path says (PostgreSQL's manual, 5.9.5).
    fn visible(&self, name: String) -> String {
        if self.of_relations && name.starts_with("pg_") { format!("_{name}") } else { name }
    }

    /// Gives `name` as the policy writes it, or the nearest free name within the limit.
    pub(super) fn claim(&mut self, policy: IdentifierPolicy, name: &str) -> String {
        let wanted = shorten(&self.visible(apply(policy, name)));
        let free = std::iter::once(wanted.clone())
            .chain((2u32..).map(|number| with_suffix(&wanted, &format!("_{number}"))))
            .find(|candidate| !self.taken.contains(candidate))
            .unwrap_or(wanted);
        self.taken.insert(free.clone());
        free
    }
}

/// A name as the policy writes it, within the limit, whether or not it is free.
pub(super) fn written(policy: IdentifierPolicy, name: &str) -> String {
    shorten(&apply(policy, name))
}

/// A name as the policy says, whether or not PostgreSQL has room for it.
pub(super) fn apply(policy: IdentifierPolicy, name: &str) -> String {
    let name: String = name.chars().filter(|c| *c != '\0').collect();
    let written = match policy {
        IdentifierPolicy::Preserve => name,
        IdentifierPolicy::Lower => name.to_lowercase(),
        IdentifierPolicy::Snake => snake(&name),
    };
    if written.is_empty() { "_".to_owned() } else { written }
}

/// `camelCase`, `HTTPServer` and `Some Name` as `camel_case`, `http_server` and `some_name`.
fn snake(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut written = String::with_capacity(name.len() + 4);
    for (at, &c) in characters.iter().enumerate() {
        let before = at.checked_sub(1).map(|i| characters[i]);
        let after = characters.get(at + 1);
        let begins_word = c.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase()
                    || b.is_numeric()
                    || (b.is_uppercase() && after.is_some_and(|a| a.is_lowercase()))
            });
        if (!c.is_alphanumeric() || begins_word) && !written.is_empty() && !written.ends_with('_') {
            written.push('_');
        }
        if c.is_alphanumeric() {
            written.extend(c.to_lowercase());
        }
    }
    written.trim_end_matches('_').to_owned()
}

/// Cuts a name that is too long, and marks it by a digest of the whole, so that long names stay apart.
fn shorten(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    with_suffix(name, &format!("_{:08x}", xxh3_64(name.as_bytes()) & 0xffff_ffff))
}

/// Appends a suffix, cutting the name where the limit asks for it, at a character's boundary.
pub(super) fn with_suffix(name: &str, suffix: &str) -> String {
    let mut keep = name.len().min(MAX_BYTES - suffix.len());
    while !name.is_char_boundary(keep) {
        keep -= 1;
    }
    format!("{}{suffix}", &name[..keep])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies() {
        for (policy, name, written) in [
            (IdentifierPolicy::Preserve, "Track Id", "Track Id"),
            (IdentifierPolicy::Preserve, "", "_"),
            (IdentifierPolicy::Lower, "TrackId", "trackid"),
            (IdentifierPolicy::Snake, "TrackId", "track_id"),
            (IdentifierPolicy::Snake, "HTTPServer", "http_server"),
            (IdentifierPolicy::Snake, "table/with/slashes.csv", "table_with_slashes_csv"),
            (IdentifierPolicy::Snake, "already_snake", "already_snake"),
            (IdentifierPolicy::Snake, "Ünïcode Größe", "ünïcode_größe"),
            (IdentifierPolicy::Snake, "//", "_"),
        ] {
            assert_eq!(Namespace::default().claim(policy, name), written, "{name}");
        }
    }

    #[test]
    fn names_never_become_one() {
        let mut names = Namespace::default();
        assert_eq!(names.claim(IdentifierPolicy::Lower, "A"), "a");
        assert_eq!(names.claim(IdentifierPolicy::Lower, "a"), "a_2");
        let long = "é".repeat(40);
        let first = names.claim(IdentifierPolicy::Preserve, &long);
        let second = names.claim(IdentifierPolicy::Preserve, &format!("{long}x"));
        assert!(first.len() <= MAX_BYTES && second.len() <= MAX_BYTES && first != second);
    }

    #[test]
    fn system_columns_are_taken() {
        assert_eq!(Namespace::of_columns().claim(IdentifierPolicy::Preserve, "xmin"), "xmin_2");
        assert_eq!(Namespace::of_relations().claim(IdentifierPolicy::Preserve, "pg_class"), "_pg_class");
    }
}
