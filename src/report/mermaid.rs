//! The desired schema as a diagram: mermaid's `erDiagram`, which many sites draw where they show Markdown.
//!
//! Mermaid's grammar takes fewer names than PostgreSQL. A table's name is quoted, but for the characters that mermaid
//! takes inside quotes neither; a column's name and type are words of letters, digits and underscores, and what they really
//! are stands in the comment beside them.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    io::{self, Write},
};

use crate::schema::{Column, ForeignKey, Schema, Table};

/// Words that mermaid takes for a key's mark inside of a table, whatever their case.
const KEY_MARKS: [&str; 3] = ["PK", "FK", "UK"];

/// Writes the schema's tables with their columns, and a line for each foreign key.
///
/// # Errors
/// Whatever the writer says.
pub fn schema_mermaid(schema: &Schema, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "erDiagram")?;
    for table in &schema.tables {
        writeln!(out, "    {} {{", quoted(&table.name))?;
        for column in &table.columns {
            writeln!(out, "        {}", attribute(table, column))?;
        }
        writeln!(out, "    }}")?;
    }
    for table in &schema.tables {
        for foreign_key in &table.foreign_keys {
            writeln!(out, "    {}", relation(table, foreign_key))?;
        }
    }
    Ok(())
}

/// `type name PK, FK "what they really are"`.
fn attribute(table: &Table, column: &Column) -> String {
    let written = column.pg_type.to_string();
    let (type_word, name) = (word(&written, true), word(&column.name, false));
    let is_in = |columns: &[String]| columns.contains(&column.name);
    let marks = [
        ("PK", table.keys.iter().any(|key| key.primary && is_in(&key.columns))),
        ("FK", table.foreign_keys.iter().any(|foreign_key| is_in(&foreign_key.columns))),
        ("UK", table.keys.iter().any(|key| !key.primary && key.columns.len() == 1 && is_in(&key.columns))),
    ];
    let marks: Vec<&str> = marks.into_iter().filter(|(_, is_so)| *is_so).map(|(mark, _)| mark).collect();
    let real: Vec<&str> = [(&name, &column.name), (&type_word, &written)]
        .into_iter()
        .filter(|(shown, real)| shown != real)
        .map(|(_, real)| real.as_str())
        .collect();
    let comment = if real.is_empty() { String::new() } else { quoted(&real.join(": ")) };
    let parts = [type_word, name, marks.join(", "), comment];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// `"parent" ||--o{ "child" : "foreign key"`: how many parents a row has, how many rows a parent.
fn relation(table: &Table, foreign_key: &ForeignKey) -> String {
    let has_parent = foreign_key
        .columns
        .iter()
        .all(|name| table.columns.iter().any(|column| column.name == *name && column.not_null));
    let of: BTreeSet<&String> = foreign_key.columns.iter().collect();
    let is_unique = table.keys.iter().any(|key| key.columns.iter().all(|column| of.contains(column)));
    format!(
        "{} {}--{} {} : {}",
        quoted(&foreign_key.parent_table),
        if has_parent { "||" } else { "|o" },
        if is_unique { "o|" } else { "o{" },
        quoted(&table.name),
        quoted(&foreign_key.name)
    )
}

/// A text in quotes. Those, the percent sign of comments, backslashes and control characters have no place there.
fn quoted(text: &str) -> String {
    let safe = |c: char| match c {
        '"' => '\'',
        '%' | '\\' => '_',
        c if c.is_control() => ' ',
        c => c,
    };
    let text: String = text.chars().map(safe).collect();
    format!("\"{}\"", if text.is_empty() { "_" } else { &text })
}

/// A word of a table's body: it begins with a letter or an underscore, and is no key's mark. A type keeps its brackets.
fn word(text: &str, is_type: bool) -> String {
    let is_kept = |c: char| c.is_ascii_alphanumeric() || c == '_' || (is_type && "()[]".contains(c));
    let safe: String = text.chars().map(|c| if is_kept(c) { c } else { '_' }).collect();
    let begins = safe.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_mark = KEY_MARKS.iter().any(|mark| mark.eq_ignore_ascii_case(&safe));
    let safe = if begins && !is_mark { Cow::Borrowed(&safe) } else { Cow::Owned(format!("_{safe}")) };
    safe.into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::schema::{Key, PgType, ReferentialAction};

    fn column(name: &str, pg_type: &str, not_null: bool) -> Column {
        let pg_type: PgType = serde_json::from_value(pg_type.into()).unwrap();
        let (name, identity) = (name.to_owned(), false);
        Column {
            name,
            pg_type,
            collation: None,
            not_null,
            default: None,
            identity,
            generated: None,
            comment: None,
        }
    }

    fn table(name: &str, columns: Vec<Column>, primary: &[&str], foreign_keys: Vec<ForeignKey>) -> Table {
        let columns_of_key = primary.iter().map(|name| (*name).to_owned()).collect();
        let key = Key { name: format!("{name}_pkey"), primary: true, columns: columns_of_key };
        let (checks, indexes) = (Vec::new(), Vec::new());
        Table {
            name: name.to_owned(),
            columns,
            keys: vec![key],
            checks,
            foreign_keys,
            indexes,
            partitioning: None,
            comment: None,
        }
    }

    fn foreign_key(name: &str, column: &str, parent: &str) -> ForeignKey {
        ForeignKey {
            name: name.to_owned(),
            columns: vec![column.to_owned()],
            parent_table: parent.to_owned(),
            parent_columns: vec!["id".to_owned()],
            on_update: ReferentialAction::NoAction,
            on_delete: ReferentialAction::NoAction,
            valid: true,
        }
    }

    #[test]
    fn names_and_types_are_made_safe() {
        let tracks = table(
            "tracks",
            vec![column("id", "integer", true), column("name", "varchar(64)", false)],
            &["id"],
            vec![],
        );
        let odd = table(
            "a \"100%\"\nback\\slash",
            vec![
                column("pk", "numeric(10,2)", true),
                column("1st choice", "integer", true),
                column("имя \"x\"", "timestamptz", false),
                column("track", "integer", false),
            ],
            &["1st choice"],
            vec![foreign_key("one", "1st choice", "tracks"), foreign_key("many", "track", "tracks")],
        );
        let schema = Schema { name: "public".to_owned(), enums: Vec::new(), tables: vec![tracks, odd] };
        let mut out = Vec::new();
        schema_mermaid(&schema, &mut out).unwrap();
        let expected = r#"erDiagram
    "tracks" {
        integer id PK
        character_varying(64) name "character varying(64)"
    }
    "a '100_' back_slash" {
        numeric(10_2) _pk "pk: numeric(10,2)"
        integer _1st_choice PK, FK "1st choice"
        timestamp_with_time_zone _____x_ "имя 'x': timestamp with time zone"
        integer track FK
    }
    "tracks" ||--o| "a '100_' back_slash" : "one"
    "tracks" |o--o{ "a '100_' back_slash" : "many"
"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
