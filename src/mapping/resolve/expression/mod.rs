//! SQLite's expressions in PostgreSQL's SQL, where they provably mean the same; else the reason why not.
//!
//! In comes the text of a CHECK, of an index's predicate or key part, with what the audit knows of the columns; out comes
//! SQL that PostgreSQL takes, immutable throughout. Types are tracked: a comparison is taken where SQLite's affinities and
//! collations ("Datatypes", 4 and 7) and PostgreSQL's operators give one answer for every value that the columns hold.

mod declared;
mod facts;
mod functions;
mod grammar;
mod operand;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::BTreeSet;

pub(super) use declared::{checks as declared_checks, index as declared_index};
pub(super) use facts::Facts;

use facts::Class;
use grammar::Parser;
use operand::Level;

/// A translated key part of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// PostgreSQL's expression.
    pub(super) sql: String,
    /// Positions of the columns in it.
    pub(super) columns: BTreeSet<usize>,
}

/// Translates a condition: a CHECK, or the predicate of an index.
///
/// # Errors
/// Why it stays behind, in a few words.
pub(super) fn condition(sql: &str, facts: &Facts) -> Result<String, String> {
    Parser::new(sql, facts).whole()?.condition().map(|condition| condition.sql)
}

/// Translates a key part of an index.
///
/// # Errors
/// Why it stays behind, in a few words.
pub(super) fn part(sql: &str, facts: &Facts) -> Result<Part, String> {
    let mut parser = Parser::new(sql, facts);
    let operand = parser.whole()?;
    match &operand.class {
        Class::Other(why) => return Err(why.clone()),
        Class::Text { .. } if facts.collated || facts.target_collated => {
            return Err("a column of the table has a collation of its own".to_owned());
        }
        // A literal is the same in every row: nobody means that, and PostgreSQL cannot tell its type.
        _ if operand.literal.is_some() => return Err("it is a literal".to_owned()),
        _ => {}
    }
    Ok(Part { sql: operand.at_least(Level::Or), columns: parser.columns })
}
