//! Operands and what may be done with them: a comparison is taken where both databases give the same answer.
//!
//! SQLite's side is "Datatypes", 4 (comparisons, affinity before them) and 7 (collations); PostgreSQL's is 9.2 and 24.2.

use rusqlite::types::ValueRef;

use super::facts::{Class, EXACT_IN_REAL, Facts};
use crate::{
    schema::PgType,
    value::{self, Reading},
};

/// How tightly an expression holds together, loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Product,
    Atom,
}

/// A literal of SQLite's.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Integer(i64),
    /// A decimal of at most 15 digits, which stands for one real, and that real for it.
    Decimal,
    Text(String),
}

/// A translated piece of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operand {
    pub(super) sql: String,
    pub(super) level: Level,
    pub(super) class: Class,
    /// The literal that it is.
    pub(super) literal: Option<Literal>,
    /// The column that it is.
    pub(super) column: Option<usize>,
    /// Whether it is of PostgreSQL's type `numeric`, where arithmetic is exact and never overflows.
    pub(super) numeric: bool,
}

impl Operand {
    pub(super) fn new(sql: String, level: Level, class: Class) -> Operand {
        Operand { sql, level, class, literal: None, column: None, numeric: false }
    }

    /// A condition.
    pub(super) fn boolean(sql: String, level: Level) -> Operand {
        Operand::new(sql, level, Class::Boolean)
    }

    pub(super) fn null() -> Operand {
        let literal = Some(Literal::Null);
        Operand { literal, ..Operand::new("NULL".to_owned(), Level::Atom, Class::Null) }
    }

    pub(super) fn integer(integer: i64) -> Operand {
        let wide = i128::from(integer);
        let class = Class::Integer { range: (wide, wide), exact_in_real: wide.abs() <= EXACT_IN_REAL };
        let level = if integer < 0 { Level::Sum } else { Level::Atom };
        Operand {
            literal: Some(Literal::Integer(integer)),
            ..Operand::new(integer.to_string(), level, class)
        }
    }

    pub(super) fn text(text: &str) -> Operand {
        let class = Class::Text { numeric_affinity: false };
        let sql = format!("'{}'", text.replace('\'', "''"));
        Operand { literal: Some(Literal::Text(text.to_owned())), ..Operand::new(sql, Level::Atom, class) }
    }

    /// A number as SQLite writes it: digits, perhaps a point.
    pub(super) fn number(text: &str) -> Result<Operand, String> {
        let refused = || format!("the number {text} may be another in PostgreSQL");
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(Operand::integer).map_err(|_| refused());
        }
        let (before, behind) = text.split_once('.').ok_or_else(refused)?;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(before) || !digits(behind) || before.len() + behind.len() > 15 {
            return Err(refused());
        }
        let or_zero = |part: &str| if part.is_empty() { "0".to_owned() } else { part.to_owned() };
        let sql = format!("{}.{}", or_zero(before), or_zero(behind));
        let class = Class::Decimal { joinable: true };
        Ok(Operand { literal: Some(Literal::Decimal), ..Operand::new(sql, Level::Atom, class) })
    }

    /// The SQL, in brackets where it holds together less than it must.
    pub(super) fn at_least(&self, level: Level) -> String {
        if self.level < level { format!("({})", self.sql) } else { self.sql.clone() }
    }

    /// The operand as a condition: a number is true unless it is 0.
    pub(super) fn condition(self) -> Result<Operand, String> {
        match (&self.class, &self.literal) {
            (Class::Null, _) => Ok(Operand::boolean("NULL::boolean".to_owned(), Level::Atom)),
            (Class::Boolean, _) => Ok(self),
            (_, Some(Literal::Integer(integer))) => {
                Ok(Operand::boolean((*integer != 0).to_string(), Level::Atom))
            }
            (Class::Integer { .. } | Class::Decimal { .. } | Class::Double, _) => {
                Ok(Operand::boolean(format!("{} <> 0", self.at_least(Level::Sum)), Level::Comparison))
            }
            (Class::Other(why), _) => Err(why.clone()),
            (Class::Text { .. } | Class::Date, _) => {
                Err(format!("{} is no condition in PostgreSQL", self.sql))
            }
        }
    }

    /// The operand as an exact number, for arithmetic, with the range of the rows that are there.
    fn exact(&self) -> Result<(String, (i128, i128)), String> {
        match &self.class {
            Class::Integer { range, .. } if self.numeric => Ok((self.at_least(Level::Product), *range)),
            Class::Integer { range, .. } => Ok((format!("{}::numeric", self.at_least(Level::Atom)), *range)),
            Class::Boolean => Ok((format!("{}::integer::numeric", self.at_least(Level::Atom)), (0, 1))),
            Class::Other(why) => Err(why.clone()),
            Class::Decimal { .. } | Class::Double => {
                Err("SQLite rounds in arithmetic with reals its own way".to_owned())
            }
            Class::Null | Class::Text { .. } | Class::Date => {
                Err(format!("{} is no number in PostgreSQL", self.sql))
            }
        }
    }

    fn of_exact(sql: String, level: Level, ends: &[i128]) -> Result<Operand, String> {
        let range = (ends.iter().copied().min().unwrap_or(0), ends.iter().copied().max().unwrap_or(0));
        // Beyond 64 bits SQLite goes on with rounded reals.
        if range.0 < i128::from(i64::MIN) || range.1 > i128::from(i64::MAX) {
            return Err("its arithmetic may leave 64 bits".to_owned());
        }
        let class = Class::Integer { range, exact_in_real: false };
        Ok(Operand { numeric: true, ..Operand::new(sql, level, class) })
    }

    /// `+`, `-` or `*`.
    pub(super) fn arithmetic(self, operator: &str, other: &Operand) -> Result<Operand, String> {
        let level = if operator == "*" { Level::Product } else { Level::Sum };
        let (left, (low, high)) = self.exact()?;
        let (right, (other_low, other_high)) = other.exact()?;
        // Within 64 bits by now, so that nothing overflows here.
        let ends = match operator {
            "+" => vec![low + other_low, high + other_high],
            "-" => vec![low - other_high, high - other_low],
            _ => vec![low * other_low, low * other_high, high * other_low, high * other_high],
        };
        // Each side in brackets unless it is atomic: a difference behind a minus must stay one.
        let bracket =
            |operand: &Operand, sql: String| if operand.numeric { format!("({})", operand.sql) } else { sql };
        Operand::of_exact(
            format!("{} {operator} {}", bracket(&self, left), bracket(other, right)),
            level,
            &ends,
        )
    }

    /// Unary minus.
    pub(super) fn negative(self) -> Result<Operand, String> {
        match (&self.literal, &self.class) {
            (Some(Literal::Integer(integer)), _) => integer
                .checked_neg()
                .map(Operand::integer)
                .ok_or_else(|| "a number beyond 64 bits".to_owned()),
            (Some(Literal::Decimal), _) | (_, Class::Double | Class::Decimal { .. }) => {
                let sql = format!("-{}", self.at_least(Level::Atom));
                Ok(Operand { sql, level: Level::Sum, column: None, ..self })
            }
            _ => {
                let (sql, (low, high)) = self.exact()?;
                let sql = if self.numeric { format!("({})", self.sql) } else { sql };
                Operand::of_exact(format!("- {sql}"), Level::Sum, &[-low, -high])
            }
        }
    }

    /// `abs`.
    pub(super) fn absolute(&self) -> Result<Operand, String> {
        if matches!(self.class, Class::Double | Class::Decimal { .. }) {
            return Ok(Operand::new(format!("abs({})", self.sql), Level::Atom, self.class.clone()));
        }
        let (sql, (low, high)) = self.exact()?;
        Operand::of_exact(format!("abs({sql})"), Level::Atom, &[0, low.abs(), high.abs()])
    }
}

/// Whether SQLite would make a number of a text beside a column of numeric affinity; rather yes than no.
fn looks_numeric(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok()
}

/// Brings two operands to where PostgreSQL compares them as SQLite does, or says why it cannot be.
pub(super) fn meet(left: Operand, right: Operand) -> Result<(Operand, Operand), String> {
    if left.literal.is_some() && right.literal.is_none() {
        return meet(right, left).map(|(right, left)| (left, right));
    }
    let fits = match (&left.class, &right.class, &right.literal) {
        (Class::Other(why), ..) | (_, Class::Other(why), _) => return Err(why.clone()),
        (Class::Null, ..) | (_, Class::Null, _) | (Class::Boolean, Class::Boolean, _) => true,
        (Class::Boolean, _, Some(Literal::Integer(bit @ (0 | 1)))) => {
            let right = Operand::boolean((*bit == 1).to_string(), Level::Atom);
            return Ok((left, right));
        }
        (Class::Date, _, Some(Literal::Text(text))) => {
            let cell = ValueRef::Text(text.as_bytes());
            if value::read(cell, &PgType::Date, &Reading::Plain).is_err() {
                return Err(format!("{} is no date", right.sql));
            }
            let sql = format!("{}::date", right.sql);
            return Ok((left, Operand::new(sql, Level::Atom, Class::Date)));
        }
        (Class::Date, Class::Date, _) | (Class::Double, Class::Double, _) => true,
        (Class::Text { numeric_affinity: true }, Class::Text { .. }, Some(Literal::Text(text))) => {
            !looks_numeric(text)
        }
        (Class::Text { numeric_affinity: one }, Class::Text { numeric_affinity: other }, literal) => {
            literal.is_some() || one == other
        }
        (Class::Integer { .. }, Class::Integer { .. }, _) => true,
        (Class::Integer { .. }, Class::Decimal { joinable }, _)
        | (Class::Decimal { joinable }, Class::Integer { .. }, None) => *joinable,
        (Class::Decimal { joinable: one }, Class::Decimal { joinable: other }, None) => *one && *other,
        (Class::Decimal { joinable }, Class::Integer { exact_in_real, .. }, Some(_)) => {
            *joinable || *exact_in_real
        }
        (Class::Decimal { .. } | Class::Double, Class::Decimal { .. }, Some(_)) => true,
        (Class::Double, Class::Integer { exact_in_real, .. }, _)
        | (Class::Integer { exact_in_real, .. }, Class::Double, _) => *exact_in_real,
        _ => false,
    };
    if fits {
        Ok((left, right))
    } else {
        Err(format!("{} and {} are not compared alike", left.sql, right.sql))
    }
}

/// Two operands on both sides of a comparison, with the collation where it needs one.
pub(super) fn sides(
    facts: &Facts,
    left: Operand,
    right: Operand,
    orders: bool,
) -> Result<(String, String), String> {
    let (left, right) = meet(left, right)?;
    let sql = (left.at_least(Level::Sum), right.at_least(Level::Sum));
    if !matches!((&left.class, &right.class), (Class::Text { .. }, Class::Text { .. })) {
        return Ok(sql);
    }
    if facts.collated {
        return Err("a column of the table has a collation of SQLite's".to_owned());
    }
    if orders && !facts.ordered_as_utf8 {
        return Err("the file's encoding orders texts in another way".to_owned());
    }
    if orders || facts.target_collated {
        return Ok((format!("{} COLLATE \"C\"", left.at_least(Level::Atom)), sql.1));
    }
    Ok(sql)
}

/// A comparison by an operator that both have.
pub(super) fn compare(
    facts: &Facts,
    left: Operand,
    operator: &str,
    right: Operand,
) -> Result<Operand, String> {
    let null = left.class == Class::Null || right.class == Class::Null;
    let (left, right) = sides(facts, left, right, !matches!(operator, "=" | "<>"))?;
    if null {
        return Ok(Operand::boolean("NULL::boolean".to_owned(), Level::Atom));
    }
    Ok(Operand::boolean(format!("{left} {operator} {right}"), Level::Comparison))
}
