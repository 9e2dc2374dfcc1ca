//! SQLite's grammar of expressions, as far as it is translated (SQLite, "SQL Language Expressions", 2: the order of operators).

use std::collections::BTreeSet;

use super::{
    facts::{Class, Facts},
    operand::{Level, Literal, Operand, compare, sides},
    tokens::{Token, tokens},
};
use crate::schema::render::quoted;

/// How deep brackets and functions may nest: nobody writes more, and the stack has an end.
const MAX_DEPTH: u32 = 50;

/// A reader of one expression.
pub(super) struct Parser<'a> {
    pub(super) facts: &'a Facts,
    tokens: Vec<Token>,
    at: usize,
    depth: u32,
    /// Positions of the columns that were named.
    pub(super) columns: BTreeSet<usize>,
}

pub(super) type Translated = Result<Operand, String>;

impl<'a> Parser<'a> {
    pub(super) fn new(sql: &str, facts: &'a Facts) -> Parser<'a> {
        let tokens = tokens(sql).into_iter().map(|(token, _)| token).collect();
        Parser { facts, tokens, at: 0, depth: 0, columns: BTreeSet::new() }
    }

    /// Reads the whole text as one expression.
    pub(super) fn whole(&mut self) -> Translated {
        let read = self.any()?;
        match self.tokens.get(self.at) {
            None => Ok(read),
            Some(token) => Err(format!("{} is not translated", shown(token))),
        }
    }

    fn takes(&mut self, keyword: &str) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|token| token.is(keyword));
        self.at += usize::from(found);
        found
    }

    /// Takes the keywords that stand next, or none of them.
    fn takes_both(&mut self, first: &str, second: &str) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|token| token.is(first))
            && self.tokens.get(self.at + 1).is_some_and(|token| token.is(second));
        self.at += if found { 2 } else { 0 };
        found
    }

    pub(super) fn takes_symbol(&mut self, symbols: &[&'static str]) -> Option<&'static str> {
        let token = self.tokens.get(self.at)?;
        let found = symbols.iter().find(|symbol| token.is_symbol(symbol))?;
        self.at += 1;
        Some(found)
    }

    pub(super) fn expects(&mut self, symbol: &'static str) -> Result<(), String> {
        if self.takes_symbol(&[symbol]).is_some() {
            return Ok(());
        }
        Err(self.tokens.get(self.at).map_or_else(
            || format!("a {symbol} is missing"),
            |token| format!("{} is not translated", shown(token)),
        ))
    }

    pub(super) fn any(&mut self) -> Translated {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("it is nested too deeply".to_owned());
        }
        let read = self.or();
        self.depth -= 1;
        read
    }

    fn or(&mut self) -> Translated {
        let mut left = self.and()?;
        while self.takes("OR") {
            let (one, other) = (left.condition()?, self.and()?.condition()?);
            // OR beside OR needs no brackets.
            let sql = format!("{} OR {}", one.at_least(Level::Or), other.at_least(Level::And));
            left = Operand::boolean(sql, Level::Or);
        }
        Ok(left)
    }

    fn and(&mut self) -> Translated {
        let mut left = self.not()?;
        while self.takes("AND") {
            let (one, other) = (left.condition()?, self.not()?.condition()?);
            let sql = format!("{} AND {}", one.at_least(Level::And), other.at_least(Level::Not));
            left = Operand::boolean(sql, Level::And);
        }
        Ok(left)
    }

    fn not(&mut self) -> Translated {
        let mut negations = 0_u32;
        while self.takes("NOT") {
            negations += 1;
        }
        let mut operand = self.equality()?;
        if negations > 0 {
            operand = operand.condition()?;
            // NOT NOT x is x, as a condition.
            if negations % 2 == 1 {
                let sql = format!("NOT {}", operand.at_least(Level::Comparison));
                operand = Operand::boolean(sql, Level::Not);
            }
        }
        Ok(operand)
    }

    fn equality(&mut self) -> Translated {
        let mut left = self.relation()?;
        loop {
            if let Some(symbol) = self.takes_symbol(&["=", "==", "<>", "!="]) {
                let operator = if symbol.starts_with('=') { "=" } else { "<>" };
                let right = self.relation()?;
                left = compare(self.facts, left, operator, right)?;
            } else if self.takes("ISNULL") {
                left = is_null(&left, true);
            } else if self.takes("NOTNULL") || self.takes_both("NOT", "NULL") {
                left = is_null(&left, false);
            } else if self.takes("IS") {
                left = self.is(left)?;
            } else if self.takes("IN") {
                left = self.is_in(left, "IN")?;
            } else if self.takes_both("NOT", "IN") {
                left = self.is_in(left, "NOT IN")?;
            } else if self.takes("BETWEEN") {
                left = self.between(left)?;
            } else if self.takes_both("NOT", "BETWEEN") {
                let between = self.between(left)?;
                left = Operand::boolean(format!("NOT ({})", between.sql), Level::Not);
            } else {
                return Ok(left);
            }
        }
    }

    /// Behind `IS`.
    fn is(&mut self, left: Operand) -> Translated {
        let negated = self.takes("NOT");
        let distinct = self.takes_both("DISTINCT", "FROM");
        let same = negated == distinct;
        let word = self.tokens.get(self.at).filter(|token| token.is("TRUE") || token.is("FALSE"));
        if let Some(word) = word.and_then(Token::name)
            && self.facts.column(word).is_none()
        {
            // "IS TRUE" asks for the truth of any number, not for 1.
            if distinct {
                return Err("IS DISTINCT FROM with TRUE or FALSE is not translated".to_owned());
            }
            let word = word.to_ascii_uppercase();
            self.at += 1;
            let not = if negated { "NOT " } else { "" };
            let left = left.condition()?.at_least(Level::Sum);
            return Ok(Operand::boolean(format!("{left} IS {not}{word}"), Level::Comparison));
        }
        let right = self.relation()?;
        if right.literal == Some(Literal::Null) {
            return Ok(is_null(&left, same));
        }
        if left.literal == Some(Literal::Null) {
            return Ok(is_null(&right, same));
        }
        let (left, right) = sides(self.facts, left, right, false)?;
        let not = if same { "NOT " } else { "" };
        Ok(Operand::boolean(format!("{left} IS {not}DISTINCT FROM {right}"), Level::Comparison))
    }

    /// Behind `IN`: a list of literals.
    fn is_in(&mut self, left: Operand, operator: &str) -> Translated {
        self.expects("(")?;
        let (mut side, mut listed) = (left.sql.clone(), Vec::new());
        loop {
            let item = self.relation()?;
            if item.literal.is_none() {
                return Err(format!("{operator} with something else than literals is not translated"));
            }
            if left.class == Class::Null {
                return Err("NULL in place of a column is not translated".to_owned());
            }
            let is_null = item.class == Class::Null;
            let (one, other) = sides(self.facts, left.clone(), item, false)?;
            if !is_null || listed.is_empty() {
                side = one;
            }
            listed.push(other);
            if self.takes_symbol(&[","]).is_none() {
                break;
            }
        }
        self.expects(")")?;
        Ok(Operand::boolean(format!("{side} {operator} ({})", listed.join(", ")), Level::Comparison))
    }

    /// Behind `BETWEEN`.
    fn between(&mut self, left: Operand) -> Translated {
        let low = self.relation()?;
        if !self.takes("AND") {
            return Err("BETWEEN without AND".to_owned());
        }
        let high = self.relation()?;
        let from = compare(self.facts, left.clone(), ">=", low)?;
        let to = compare(self.facts, left, "<=", high)?;
        Ok(Operand::boolean(format!("{} AND {}", from.sql, to.sql), Level::And))
    }

    fn relation(&mut self) -> Translated {
        let mut left = self.sum()?;
        while let Some(operator) = self.takes_symbol(&["<=", ">=", "<", ">"]) {
            let right = self.sum()?;
            left = compare(self.facts, left, operator, right)?;
        }
        Ok(left)
    }

    fn sum(&mut self) -> Translated {
        let mut left = self.product()?;
        while let Some(operator) = self.takes_symbol(&["+", "-"]) {
            left = left.arithmetic(operator, &self.product()?)?;
        }
        Ok(left)
    }

    fn product(&mut self) -> Translated {
        let mut left = self.unary()?;
        while let Some(operator) = self.takes_symbol(&["*"]) {
            left = left.arithmetic(operator, &self.unary()?)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Translated {
        // A literal's sign is its own, whatever follows.
        let mut negations = 0_u32;
        while let Some(sign) = self.takes_symbol(&["-", "+"]) {
            negations += u32::from(sign == "-");
        }
        let mut operand = self.collated()?;
        for _ in 0..negations.min(2) {
            operand = operand.negative()?;
        }
        if negations > 2 { Err("more than two signs are not translated".to_owned()) } else { Ok(operand) }
    }

    fn collated(&mut self) -> Translated {
        let operand = self.primary()?;
        while self.takes("COLLATE") {
            let collation = self.tokens.get(self.at).and_then(Token::name).unwrap_or_default();
            if !collation.eq_ignore_ascii_case("BINARY") {
                return Err(format!("PostgreSQL has no collation {collation} like SQLite's"));
            }
            self.at += 1;
        }
        Ok(operand)
    }

    fn primary(&mut self) -> Translated {
        let Some(token) = self.tokens.get(self.at).cloned() else {
            return Err("it ends where a value should stand".to_owned());
        };
        self.at += 1;
        match &token {
            Token::Number(number) => Operand::number(number),
            Token::String(text) => self.string(text),
            Token::Symbol(symbol) if symbol == "(" => {
                let inner = self.any()?;
                self.expects(")")?;
                Ok(inner)
            }
            Token::Word(word) if self.tokens.get(self.at).is_some_and(|next| next.is_symbol("(")) => {
                self.function(word)
            }
            Token::Word(name) | Token::Name(name) | Token::DoubleQuoted(name) => {
                if self.tokens.get(self.at).is_some_and(|next| next.is_symbol(".")) {
                    return Err("a column with its table's name is not translated".to_owned());
                }
                // These words are never columns; TRUE and FALSE are, where there is such a column.
                if token.is("NULL") {
                    return Ok(Operand::null());
                }
                if ["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"].iter().any(|now| token.is(now)) {
                    return Err(format!("{name} is not translated"));
                }
                match (&token, self.column(name)?) {
                    (_, Some(column)) => Ok(column),
                    (Token::DoubleQuoted(text), None) => self.string(text),
                    (Token::Word(word), None) if word.eq_ignore_ascii_case("TRUE") => Ok(Operand::integer(1)),
                    (Token::Word(word), None) if word.eq_ignore_ascii_case("FALSE") => {
                        Ok(Operand::integer(0))
                    }
                    _ => Err(format!("{} is not translated", shown(&token))),
                }
            }
            Token::Blob | Token::Symbol(_) => Err(format!("{} is not translated", shown(&token))),
        }
    }

    fn string(&self, text: &str) -> Translated {
        if text.contains('\0') {
            return Err("PostgreSQL has no NUL in texts".to_owned());
        }
        Ok(Operand::text(text))
    }

    fn column(&mut self, name: &str) -> Result<Option<Operand>, String> {
        let Some((at, column)) = self.facts.column(name) else { return Ok(None) };
        if column.sets_null {
            return Err(format!("values of {} become NULL by `on_invalid`", column.source));
        }
        self.columns.insert(at);
        let operand = Operand::new(quoted(&column.target), Level::Atom, column.class());
        Ok(Some(Operand { column: Some(at), ..operand }))
    }
}

fn is_null(operand: &Operand, null: bool) -> Operand {
    let not = if null { "" } else { "NOT " };
    Operand::boolean(format!("{} IS {not}NULL", operand.at_least(Level::Sum)), Level::Comparison)
}

/// A token for people.
fn shown(token: &Token) -> String {
    match token {
        Token::Word(word) | Token::Number(word) | Token::Symbol(word) => word.clone(),
        Token::Name(name) | Token::DoubleQuoted(name) => format!("\"{name}\""),
        Token::String(_) => "a string".to_owned(),
        Token::Blob => "x'…'".to_owned(),
    }
}
