//! What a statement does to enumerated types, read off its words.
//!
//! PostgreSQL lets nobody use a new label in the transaction that adds it (its manual, "ALTER TYPE", Notes). So where a version
//! begins with such statements they are committed before its transaction begins; and where versions are replayed in one
//! transaction, their types are made with all labels at once ([`with_labels_at_once`]).

use crate::sql_text::{self, Kind, Token};

/// A statement about an enumerated type. Labels are literals, as they were written.
#[derive(Debug, PartialEq, Eq)]
enum TypeStatement {
    Create { name: String, labels: Vec<String> },
    AddLabel { name: String, label: String, beside: Option<(Side, String)> },
    Rename { name: String, to: String },
    Drop { name: String },
}

/// On which side of its neighbour a label is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

impl TypeStatement {
    fn of(sql: &str) -> Option<TypeStatement> {
        let tokens = sql_text::tokens(sql);
        let mut tokens = tokens.iter().filter(|token| token.kind != Kind::Comment).peekable();
        let first = tokens.next()?;
        tokens.next_if(|token| is(token, "type"))?;
        if is(first, "drop") && tokens.next_if(|token| is(token, "if")).is_some() {
            tokens.next_if(|token| is(token, "exists"))?;
        }
        let name = sql_text::name_of(tokens.next()?)?;
        let mut words =
            |expected: &[&str]| expected.iter().all(|word| tokens.next_if(|token| is(token, word)).is_some());
        if is(first, "drop") {
            return Some(TypeStatement::Drop { name });
        }
        if is(first, "create") && words(&["as", "enum"]) {
            let labels =
                tokens.filter(|token| token.kind == Kind::Literal).map(|token| token.text.to_owned());
            return Some(TypeStatement::Create { name, labels: labels.collect() });
        }
        if !is(first, "alter") {
            return None;
        }
        if words(&["add"]) {
            if !words(&["value"]) {
                return None;
            }
            words(&["if", "not", "exists"]);
            let label = tokens.next_if(|token| token.kind == Kind::Literal)?.text.to_owned();
            let side = tokens.next().and_then(|token| match token {
                token if is(token, "before") => Some(Side::Before),
                token if is(token, "after") => Some(Side::After),
                _ => None,
            });
            let neighbour = tokens.next().map(|token| token.text.to_owned());
            return Some(TypeStatement::AddLabel { name, label, beside: side.zip(neighbour) });
        }
        let to = words(&["rename", "to"]).then(|| tokens.next().and_then(sql_text::name_of)).flatten()?;
        Some(TypeStatement::Rename { name, to })
    }
}

fn is(token: &Token<'_>, word: &str) -> bool {
    token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word)
}

/// The enumerated type that a statement makes.
pub fn created_type(sql: &str) -> Option<String> {
    match TypeStatement::of(sql)? {
        TypeStatement::Create { name, .. } => Some(name),
        _ => None,
    }
}

/// Whether a statement adds a label to a type.
pub(crate) fn adds_label(sql: &str) -> bool {
    matches!(TypeStatement::of(sql), Some(TypeStatement::AddLabel { .. }))
}

/// A type that statements have made so far: its name now, where it was made, and its labels.
struct Made {
    name: String,
    at: usize,
    labels: Vec<String>,
}

/// Statements, each with a name for people, as one transaction takes them: a label that is added to a type that they make
/// themselves is there from the beginning.
pub fn with_labels_at_once(statements: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut kept: Vec<(String, String)> = Vec::new();
    let mut made: Vec<Made> = Vec::new();
    for (what, sql) in statements {
        let statement = TypeStatement::of(&sql);
        match statement {
            Some(TypeStatement::AddLabel { name, label, beside }) => {
                if let Some(known) = made.iter_mut().find(|known| known.name == name) {
                    add(&mut known.labels, label, beside);
                    if let Some((_, creation)) = kept.get_mut(known.at) {
                        *creation = with_labels(creation, &known.labels);
                    }
                    continue;
                }
            }
            Some(TypeStatement::Create { name, labels }) => made.push(Made { name, at: kept.len(), labels }),
            Some(TypeStatement::Rename { name, to }) => {
                made.iter_mut()
                    .filter(|known| known.name == name)
                    .for_each(|known| known.name.clone_from(&to));
            }
            Some(TypeStatement::Drop { name }) => made.retain(|known| known.name != name),
            None => {}
        }
        kept.push((what, sql));
    }
    kept
}

fn add(labels: &mut Vec<String>, label: String, beside: Option<(Side, String)>) {
    if labels.contains(&label) {
        return;
    }
    let at = beside.and_then(|(side, neighbour)| {
        let at = labels.iter().position(|known| *known == neighbour)?;
        Some(if side == Side::Before { at } else { at + 1 })
    });
    labels.insert(at.unwrap_or(labels.len()), label);
}

/// A `CREATE TYPE … AS ENUM (…)` with these labels.
fn with_labels(creation: &str, labels: &[String]) -> String {
    let head = creation.split('(').next().unwrap_or_default();
    format!("{head}({})", labels.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_there_from_the_beginning() {
        let statements = [
            "CREATE TYPE mood AS ENUM ('sad', 'it''s ok')",
            "CREATE TABLE t (a mood)",
            "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'new' BEFORE 'sad'",
            "alter type \"mood\" add value 'last'",
            "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'last'",
            "ALTER TYPE mood RENAME TO mood__old",
            "CREATE TYPE mood AS ENUM ('a')",
            "ALTER TYPE mood ADD VALUE 'b' AFTER 'a'",
            "ALTER TYPE other ADD VALUE 'x'",
            "DROP TYPE mood__old",
        ];
        let named = statements.map(|sql| (String::new(), sql.to_owned()));
        let kept: Vec<String> = with_labels_at_once(named).into_iter().map(|(_, sql)| sql).collect();
        assert_eq!(
            kept,
            [
                "CREATE TYPE mood AS ENUM ('new', 'sad', 'it''s ok', 'last')",
                "CREATE TABLE t (a mood)",
                "ALTER TYPE mood RENAME TO mood__old",
                "CREATE TYPE mood AS ENUM ('a', 'b')",
                "ALTER TYPE other ADD VALUE 'x'",
                "DROP TYPE mood__old",
            ]
        );
    }

    #[test]
    fn other_statements_are_none() {
        for sql in [
            "CREATE TYPE t AS (a int)",
            "ALTER TYPE t OWNER TO x",
            "ALTER TYPE t ADD ATTRIBUTE a int",
            "SELECT 1",
            "",
        ] {
            assert_eq!(TypeStatement::of(sql), None, "{sql}");
        }
        assert!(adds_label("/* x */ alter type m add value if not exists 'x'"));
        assert_eq!(created_type("CREATE TYPE \"M\" AS ENUM ()"), Some("M".to_owned()));
    }
}
