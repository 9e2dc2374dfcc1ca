//! The functions that are translated: few, immutable, and the same in both databases.

use super::{
    facts::Class,
    grammar::{Parser, Translated},
    operand::{Level, Operand, meet, sides},
};

impl Parser<'_> {
    /// Behind a function's name. Only immutable ones that mean the same.
    pub(super) fn function(&mut self, name: &str) -> Translated {
        const KNOWN: [&str; 5] = ["length", "abs", "coalesce", "ifnull", "nullif"];
        let name = name.to_ascii_lowercase();
        if !KNOWN.contains(&name.as_str()) {
            return Err(format!("{name}(…) is not translated"));
        }
        self.expects("(")?;
        let mut arguments = vec![self.any()?];
        while self.takes_symbol(&[","]).is_some() {
            arguments.push(self.any()?);
        }
        self.expects(")")?;
        match (name.as_str(), arguments.as_slice()) {
            ("length", [only]) => self.length(only),
            ("abs", [only]) => only.absolute(),
            ("ifnull", [_, _]) | ("coalesce", [_, _, ..]) => self.coalesce(&arguments),
            ("nullif", [one, other]) => {
                let class = one.class.clone();
                if one.literal.is_some() || other.class == Class::Null {
                    return Err("nullif of a literal is not translated".to_owned());
                }
                let (one, other) = sides(self.facts, one.clone(), other.clone(), false)?;
                Ok(Operand::new(format!("NULLIF({one}, {other})"), Level::Atom, without_affinity(class)))
            }
            _ => Err(format!("{name}(…) with {} arguments is not translated", arguments.len())),
        }
    }

    fn length(&self, of: &Operand) -> Translated {
        let sql = match (of.column, &of.class, &of.literal) {
            (Some(at), ..) => self.facts.columns[at].length(&of.sql)?,
            (None, Class::Text { .. }, None) => format!("length({})", of.sql),
            _ => return Err(format!("the length of {} is not translated", of.sql)),
        };
        // A text or blob of SQLite's has less than 2^31 bytes.
        let class = Class::Integer { range: (0, i128::from(i32::MAX)), exact_in_real: true };
        Ok(Operand::new(sql, Level::Atom, class))
    }

    fn coalesce(&self, arguments: &[Operand]) -> Translated {
        // The first that is no literal says what the others are.
        let Some(model) = arguments.iter().find(|argument| argument.literal.is_none()) else {
            return Err("coalesce of literals is not translated".to_owned());
        };
        let mut class = without_affinity(model.class.clone());
        let mut written = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let (left, right) = meet(model.clone(), argument.clone())?;
            class = match (class, &right.class) {
                (class, Class::Null) => class,
                (
                    Class::Integer { range: (low, high), exact_in_real: one },
                    Class::Integer { range: (other_low, other_high), exact_in_real: other },
                ) => Class::Integer {
                    range: (low.min(*other_low), high.max(*other_high)),
                    exact_in_real: one && *other,
                },
                (Class::Decimal { joinable: one }, Class::Decimal { joinable: other }) => {
                    Class::Decimal { joinable: one && *other }
                }
                // What it yields is of one kind in PostgreSQL, so it must be in SQLite.
                (class, other) if std::mem::discriminant(&class) == std::mem::discriminant(other) => class,
                (Class::Double, Class::Integer { exact_in_real: true, .. } | Class::Decimal { .. }) => {
                    Class::Double
                }
                (Class::Decimal { joinable }, Class::Integer { exact_in_real: true, .. }) => {
                    Class::Decimal { joinable }
                }
                _ => return Err(format!("{} and {} are not alike", left.sql, right.sql)),
            };
            written.push(right.sql);
        }
        Ok(Operand::new(format!("COALESCE({})", written.join(", ")), Level::Atom, class))
    }
}

/// A function's result has no affinity.
fn without_affinity(class: Class) -> Class {
    match class {
        Class::Text { .. } => Class::Text { numeric_affinity: false },
        other => other,
    }
}
