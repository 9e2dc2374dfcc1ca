//! Definitions in the server's words, under other names.
//!
//! The server writes key words in capitals, and names in small letters or in quotes; so a bare word in small letters is a
//! name, of a column unless its place says that it is a type's, a function's or a table's. Where a name is taken for another's
//! all the same, the definition differs from what is wanted, and is made anew: more than was needed, never less.

use std::collections::BTreeMap;

use super::renames::Former;
use crate::target::{Mention, replace_names};

/// Words that belong to the type before them: `timestamp with time zone`, `character varying`.
const OF_TYPES: [&str; 6] = ["varying", "precision", "with", "without", "time", "zone"];

/// New names by the old ones.
#[derive(Debug, Default)]
pub(super) struct Renamings {
    tables: BTreeMap<String, String>,
    /// By the table's new name.
    columns: BTreeMap<String, BTreeMap<String, String>>,
}

impl Renamings {
    pub(super) fn of(former: &Former) -> Renamings {
        let turned = |names: &BTreeMap<String, String>| {
            names.iter().map(|(new, old)| (old.clone(), new.clone())).collect::<BTreeMap<_, _>>()
        };
        let columns = former.columns.iter().map(|(table, columns)| (table.clone(), turned(columns)));
        Renamings { tables: turned(&former.tables), columns: columns.collect() }
    }

    /// What a constraint, or the expression of a generated column, of a table says.
    pub(super) fn in_constraint(&self, table: &str, sql: &str) -> String {
        let mut parent: Option<String> = None;
        let mut of_parent = false;
        let mut in_type = false;
        replace_names(sql, |mention| {
            if mention.before[1] == "REFERENCES" {
                let renamed = self.tables.get(mention.name).cloned();
                parent = Some(renamed.clone().unwrap_or_else(|| mention.name.to_owned()));
                of_parent = true;
                return renamed;
            }
            // What follows the parent's columns is about the table itself again: `ON DELETE SET NULL (column)`.
            of_parent &= mention.name != "ON" && mention.name != "MATCH";
            let owner = parent.as_deref().filter(|_| of_parent).unwrap_or(table);
            self.column(owner, mention, &mut in_type)
        })
    }

    /// What an index of a table says: `CREATE INDEX name ON table USING method (…)`.
    pub(super) fn in_index(&self, table: &str, sql: &str) -> String {
        let mut is_past_table = false;
        let mut in_type = false;
        replace_names(sql, |mention| {
            if is_past_table {
                return self.column(table, mention, &mut in_type);
            }
            if mention.before[1] == "INDEX" || mention.name == "ONLY" {
                return None;
            }
            is_past_table = ["ON", "ONLY"].contains(&mention.before[1]);
            self.tables.get(mention.name).filter(|_| is_past_table).cloned()
        })
    }

    fn column(&self, table: &str, mention: Mention<'_>, in_type: &mut bool) -> Option<String> {
        let Mention { name, before, touches } = mention;
        let begins_type = before == [":", ":"];
        *in_type = begins_type || (*in_type && OF_TYPES.contains(&name));
        let is_function = touches == Some('(');
        let is_other = before[1] == "COLLATE" || before[1] == "USING" || before == ["EXTRACT", "("];
        if *in_type || is_function || is_other {
            return None;
        }
        self.columns.get(table)?.get(name).cloned()
    }
}

/// Whether two definitions are the same but for the quotes around names, which the server writes where it must.
pub(super) fn same_words(one: &str, other: &str) -> bool {
    let quoted = |sql: &str| replace_names(sql, |mention| Some(mention.name.to_owned()));
    one == other || quoted(one) == quoted(other)
}

/// The definition of an index without its name.
pub(super) fn without_index_name(sql: &str) -> String {
    replace_names(sql, |mention| (mention.before[1] == "INDEX").then(String::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renamings() -> Renamings {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect::<BTreeMap<_, _>>()
        };
        let of_songs = map(&[("name", "title"), ("text", "body"), ("zone", "area"), ("id", "key")]);
        let columns = [("songs".to_owned(), of_songs), ("charts".to_owned(), map(&[("name", "chart")]))];
        Renamings { tables: map(&[("tracks", "songs")]), columns: columns.into() }
    }

    #[test]
    fn constraints_say_the_new_names() {
        for (sql, expected) in [
            ("CHECK ((text <> 'text'::text))", r#"CHECK (("body" <> 'text'::text))"#),
            (
                "CHECK ((lower(name) = ANY (ARRAY['a'::text])))",
                r#"CHECK ((lower("title") = ANY (ARRAY['a'::text])))"#,
            ),
            (
                "CHECK ((d > '2024-01-01'::timestamp with time zone AND zone > 0))",
                r#"CHECK ((d > '2024-01-01'::timestamp with time zone AND "area" > 0))"#,
            ),
            ("PRIMARY KEY (id, name)", r#"PRIMARY KEY ("key", "title")"#),
            (
                "FOREIGN KEY (id) REFERENCES charts(name) ON DELETE SET NULL (id)",
                r#"FOREIGN KEY ("key") REFERENCES charts("chart") ON DELETE SET NULL ("key")"#,
            ),
            ("FOREIGN KEY (id) REFERENCES tracks(id)", r#"FOREIGN KEY ("key") REFERENCES "songs"("key")"#),
        ] {
            assert_eq!(renamings().in_constraint("songs", sql), expected);
        }
    }

    #[test]
    fn indexes_say_the_new_names() {
        let sql = "CREATE UNIQUE INDEX name ON tracks USING btree (name COLLATE \"name\" text_pattern_ops DESC) WHERE id > 0";
        let expected = "CREATE UNIQUE INDEX name ON \"songs\" USING btree (\"title\" COLLATE \"name\" text_pattern_ops DESC) WHERE \"key\" > 0";
        assert_eq!(renamings().in_index("songs", sql), expected);
        assert!(same_words(expected, &expected.replace("\"songs\"", "songs")));
        assert!(!same_words(expected, sql));
    }
}
