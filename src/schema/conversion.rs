//! How a column's values become those of another type: a table of pairs, each with the expression that
//! `ALTER COLUMN … TYPE … USING` gets.
//!
//! A pair is here where the outcome is what copying the source anew would give, so that a proof holds before and after.
//! `double precision` to `text` is not, for one: the source's real 1.0 is the text `1.0`, PostgreSQL's is `1`.

use serde::Serialize;

use super::{PgType, render::quoted, text_forms};
use crate::value::Reading;

/// The way from one type to another. In the expressions `$` stands for the column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conversion {
    /// The expression that gives the new value; `None`: PostgreSQL's own assignment does.
    using: Option<String>,
    /// What must be true of a value that is not NULL, lest something of it be lost; `None`: nothing ever is.
    keeps: Option<String>,
    /// What must be true of a value, lest the type refuse it, where that can be said; `None`: it has to be tried.
    takes: Option<String>,
    /// Whether a value becomes NULL where that is not true of it.
    nulls: bool,
    /// Whether PostgreSQL writes the whole table anew (its manual, "ALTER TABLE", Notes).
    pub rewrites: bool,
    /// Whether a value may be refused.
    pub may_fail: bool,
}

/// A text that ends in an offset from UTC, behind a time of day, as PostgreSQL reads one.
const HAS_OFFSET: &str = r"$ ~* ':.*(Z|[+-]\d\d(:?\d\d)?)\s*$'";

/// The integers that are exact in 8 bytes of floating point. (`abs` has no answer for the lowest `bigint`.)
const EXACT_IN_DOUBLE: &str = "$ BETWEEN -9007199254740992 AND 9007199254740992";

impl Conversion {
    /// The way from one type to another, as the mapping reads the source; `None`: the rows would have to be copied anew.
    #[must_use]
    pub fn between(from: PgType, to: PgType, reading: &Reading) -> Option<Conversion> {
        use PgType::{
            BigInt, Boolean, Bytea, Date, DoublePrecision, Enum, Integer, Jsonb, Numeric, SmallInt, Text,
            Time, Timestamp, Timestamptz, Uuid, Varchar,
        };
        Some(match (from, to) {
            (from, to) if from == to => Conversion::free(),
            (Varchar(_), Text) => Conversion::free(),
            (Varchar(from), Varchar(to)) if from <= to => Conversion::free(),
            // Trailing spaces over the length would be cut without a word (manual, 8.3).
            (Text | Varchar(_), Varchar(length)) => {
                Conversion::checked().keeping(format!("char_length($) <= {length}"))
            }

            (SmallInt, Integer | BigInt) | (Integer, BigInt) => Conversion::rewriting(),
            (Integer | BigInt, SmallInt) | (BigInt, Integer) => Conversion::checked(),
            (SmallInt | Integer | BigInt, Numeric(None)) => Conversion::rewriting(),
            (SmallInt | Integer | BigInt, Numeric(Some(_))) => Conversion::checked(),
            (SmallInt | Integer, DoublePrecision) => Conversion::rewriting(),
            (BigInt, DoublePrecision) => Conversion::rewriting().keeping(EXACT_IN_DOUBLE),
            (SmallInt | Integer | BigInt, Text) => Conversion::rewriting().using("$::text"),
            (SmallInt | Integer | BigInt, Varchar(_)) => Conversion::checked().using("$::text"),
            (SmallInt | Integer | BigInt, Boolean) => {
                Conversion::rewriting().using("$ = 1").keeping("$ IN (0, 1)")
            }
            (Boolean, SmallInt | Integer | BigInt) => Conversion::rewriting().using("$::integer"),
            (SmallInt | Integer | BigInt, Timestamp | Timestamptz) => from_epoch(from, to, reading)?,

            (Numeric(_), Numeric(None)) => Conversion::free(),
            (Numeric(from), Numeric(Some((precision, scale)))) => {
                let free = from.is_some_and(|(before, of)| of == scale && before <= precision);
                if free {
                    Conversion::free()
                } else {
                    Conversion::checked().keeping(format!("$ = round($, {scale})"))
                }
            }
            (Numeric(_), SmallInt | Integer | BigInt) => Conversion::checked().keeping("$ = trunc($)"),
            (Numeric(_), DoublePrecision) => {
                Conversion::checked().keeping("$::double precision::text::numeric = $")
            }
            // A cast of its own would round to 15 digits; the text form is the shortest that is exact.
            (DoublePrecision, Numeric(None)) => Conversion::rewriting().using("$::text::numeric"),
            (DoublePrecision, Numeric(Some((_, scale)))) => Conversion::checked()
                .using("$::text::numeric")
                .keeping(format!("$::text::numeric = round($::text::numeric, {scale})")),
            (DoublePrecision, SmallInt | Integer | BigInt) => Conversion::checked().keeping("$ = trunc($)"),

            (Text | Varchar(_), Bytea) => Conversion::rewriting().using("convert_to($, 'UTF8')"),
            // The casts read more than we do, and leave out without a word what a type has no place for: a time of day, an
            // offset, a zone (manual, 8.5.1).
            (
                Text | Varchar(_),
                SmallInt | Integer | BigInt | Numeric(_) | Boolean | Jsonb | Uuid | Date | Time | Timestamp
                | Timestamptz,
            ) => {
                let cast = match (to, reading) {
                    (SmallInt | Integer, _) => "$::bigint".to_owned(),
                    (Numeric(_), _) => "$::numeric".to_owned(),
                    (Timestamptz, Reading::AssumeZone(zone)) => format!(
                        "CASE WHEN {HAS_OFFSET} THEN $::timestamptz ELSE $::timestamp AT TIME ZONE '{}' END",
                        zone.replace('\'', "''")
                    ),
                    (Timestamp | Timestamptz, reading) if *reading != Reading::Plain => return None,
                    (Timestamp, _) => "$::timestamp".to_owned(),
                    (Timestamptz, _) => "$::timestamptz".to_owned(),
                    (Time, _) => "$::time".to_owned(),
                    (other, _) => format!("$::{other}"),
                };
                Conversion { keeps: text_forms::reads_as(to, reading), ..Conversion::checked().using(cast) }
            }

            (Enum(from), Enum(to)) if from.labels().iter().all(|label| to.has(label)) => {
                Conversion::rewriting().using(format!("$::text::{to}"))
            }
            (SmallInt | Integer | BigInt | Text | Varchar(_) | Enum(_), Enum(to)) => Conversion::checked()
                .using(format!("$::text::{to}"))
                .taking(format!("$::text IN ({})", to.literals())),
            (Enum(_), Text) => Conversion::rewriting().using("$::text"),
            (Enum(from), Varchar(length)) if from.labels().iter().all(|label| fits(label, length)) => {
                Conversion::rewriting().using("$::text")
            }
            (Enum(_), Varchar(length)) => {
                Conversion::checked().using("$::text").taking(format!("char_length($::text) <= {length}"))
            }

            (Bytea, Text | Varchar(_)) => Conversion::checked().using("convert_from($, 'UTF8')"),
            (Date, Timestamp) => Conversion::rewriting(),
            (Timestamp, Date) => Conversion::rewriting().keeping("$ = $::date"),
            // It has no word for infinity, and none for the era.
            (Date, Text) => Conversion::rewriting()
                .using("to_char($, 'YYYY-MM-DD')")
                .keeping("isfinite($) AND $ >= '0001-01-01'"),
            (Timestamp, Timestamptz) => match reading {
                Reading::AssumeZone(zone) => {
                    let keeps = format!(
                        "CASE WHEN isfinite($) THEN {} ELSE false END",
                        text_forms::comes_once("$", zone)
                    );
                    let zone = zone.replace('\'', "''");
                    Conversion::rewriting().using(format!("$ AT TIME ZONE '{zone}'")).keeping(keeps)
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    /// The way where there is no value.
    #[must_use]
    pub fn of_nothing(to: PgType) -> Conversion {
        Conversion::free().using(format!("NULL::{to}"))
    }

    /// The same way for texts, but NULL for what our reader does not take, as a copy that makes it NULL would give; `None`: no
    /// expression says it.
    #[must_use]
    pub fn nulling(self, from: PgType, to: PgType) -> Option<Conversion> {
        // What is no text any more was read from texts or numbers, and does not say from which; and an ALTER TABLE takes no
        // sub-select, which the condition of `jsonb` has.
        if !matches!(from, PgType::Text | PgType::Varchar(_)) || to == PgType::Jsonb {
            return (from == to).then_some(self);
        }
        // What the type does not take it does not hold either.
        let keeps = self.keeps.or(self.takes);
        Some(Conversion { nulls: keeps.is_some(), keeps, takes: None, ..self })
    }

    /// The values stay as they are on the disk.
    fn free() -> Conversion {
        Conversion { using: None, keeps: None, takes: None, nulls: false, rewrites: false, may_fail: false }
    }

    /// The table is written anew; no value is refused.
    fn rewriting() -> Conversion {
        Conversion { rewrites: true, ..Conversion::free() }
    }

    /// The table is written anew; a value may be refused.
    fn checked() -> Conversion {
        Conversion { may_fail: true, ..Conversion::rewriting() }
    }

    fn using(self, expression: impl Into<String>) -> Conversion {
        Conversion { using: Some(expression.into()), ..self }
    }

    fn keeping(self, condition: impl Into<String>) -> Conversion {
        Conversion { keeps: Some(condition.into()), ..self }
    }

    fn taking(self, condition: impl Into<String>) -> Conversion {
        Conversion { takes: Some(condition.into()), ..self }
    }

    /// The condition over a column under which the type takes a value, where that can be said without the type.
    #[must_use]
    pub fn takes_sql(&self, column: &str) -> Option<String> {
        self.takes.as_deref().map(|condition| over(column, condition))
    }

    /// The `USING` expression over a column.
    #[must_use]
    pub fn using_sql(&self, column: &str) -> Option<String> {
        self.using_of(&quoted(column))
    }

    /// The `USING` expression over something that is written in SQL already.
    #[must_use]
    pub fn using_of(&self, operand: &str) -> Option<String> {
        let using = self.using.as_deref();
        match &self.keeps {
            Some(keeps) if self.nulls => {
                Some(put(operand, &format!("CASE WHEN {keeps} THEN {} END", using.unwrap_or("$"))))
            }
            _ => using.map(|using| put(operand, using)),
        }
    }

    /// The condition over a column under which a value that is not NULL becomes one that is none either; `None`: it always does.
    #[must_use]
    pub fn gives_sql(&self, column: &str) -> Option<String> {
        self.keeps_sql(column).filter(|_| self.nulls)
    }

    /// What becomes of a column's values, for people: ` using "day"::date`.
    #[must_use]
    pub fn summary(&self, column: &str) -> String {
        let using = self.using.as_deref().map(|using| format!(" using {}", over(column, using)));
        let nulls = if self.nulls { ", NULL where it does not hold the value" } else { "" };
        using.unwrap_or_default() + nulls
    }

    /// The condition over a column under which nothing of a value is lost.
    #[must_use]
    pub fn keeps_sql(&self, column: &str) -> Option<String> {
        self.keeps.as_deref().map(|condition| over(column, condition))
    }
}

/// Whether a label has no more characters than these.
fn fits(label: &str, length: u32) -> bool {
    label.chars().count() <= length as usize
}

/// A number of units since 1970 as a moment. The product of a whole number and an interval is computed in floating point, so
/// it is of days and of what is left of one, both of which are exact there.
fn from_epoch(from: PgType, to: PgType, reading: &Reading) -> Option<Conversion> {
    let (unit, a_day, (first, last)) = match reading {
        Reading::EpochSeconds => ("second", "86400", ("-62135596800", "253402300799")),
        Reading::EpochMilliseconds => ("millisecond", "86400000", ("-62135596800000", "253402300799999")),
        Reading::EpochMicroseconds => {
            ("microsecond", "86400000000", ("-62135596800000000", "253402300799999999"))
        }
        Reading::Plain | Reading::AssumeZone(_) => return None,
    };
    let moment = format!(
        "timestamp '1970-01-01 00:00:00' + ($ / {a_day}) * interval '1 day' + ($ % {a_day}) * interval '1 {unit}'"
    );
    let using = if to == PgType::Timestamp { moment } else { format!("({moment}) AT TIME ZONE 'UTC'") };
    let conversion = Conversion::checked().using(using);
    // The years 0001 to 9999, beyond which no narrower integer reaches.
    Some(match from {
        PgType::BigInt => conversion.keeping(format!("$ BETWEEN {first} AND {last}")),
        _ => conversion,
    })
}

/// An expression with the column in its place. A `$` that ends a pattern is none.
fn over(column: &str, expression: &str) -> String {
    put(&quoted(column), expression)
}

/// An expression with something in the column's place.
fn put(operand: &str, expression: &str) -> String {
    let mut sql = String::with_capacity(expression.len() + operand.len());
    let mut in_text = false;
    for character in expression.chars() {
        in_text ^= character == '\'';
        match character {
            '$' if !in_text => sql.push_str(operand),
            other => sql.push(other),
        }
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::EnumType;

    #[test]
    fn the_column_stands_where_the_sign_is_and_no_pattern_is_touched() {
        let conversion = Conversion::between(PgType::Text, PgType::Date, &Reading::Plain).unwrap();
        assert_eq!(conversion.using_sql("d\"ay").unwrap(), "\"d\"\"ay\"::date");
        let keeps = conversion.keeps_sql("day").unwrap();
        assert!(keeps.starts_with(r#""day" ~ '^((?!0000)"#) && keeps.ends_with("-02-29))$'"), "{keeps}");
    }

    #[test]
    fn what_only_a_new_copy_can_give_is_no_conversion() {
        for (from, to) in [
            (PgType::DoublePrecision, PgType::Text),
            (PgType::Jsonb, PgType::Text),
            (PgType::Integer, PgType::Timestamptz),
            (PgType::Timestamptz, PgType::Text),
            (PgType::Uuid, PgType::Text),
        ] {
            assert_eq!(Conversion::between(from, to, &Reading::Plain), None, "{from} to {to}");
        }
    }

    #[test]
    fn an_enumerated_type_comes_and_goes_by_its_labels() {
        let of = |labels: &str| {
            PgType::Enum(EnumType::new("mood", labels.split(' ').map(str::to_owned).collect()))
        };
        let between = |from, to| Conversion::between(from, to, &Reading::Plain).unwrap();
        let taken = between(PgType::Text, of("sad $ok"));
        assert_eq!(taken.using_sql("m").unwrap(), r#""m"::text::mood"#);
        assert_eq!(taken.takes_sql("m").unwrap(), r#""m"::text IN ('sad', '$ok')"#);
        assert!(taken.may_fail && taken.keeps_sql("m").is_none());
        assert!(!between(of("sad ok"), of("ok new sad")).may_fail);
        assert!(between(of("sad ok"), of("ok")).may_fail);
        assert!(!between(of("sad ok"), PgType::Varchar(3)).may_fail);
        assert!(between(of("sad ok"), PgType::Varchar(2)).may_fail);
        assert_eq!(Conversion::between(of("sad"), PgType::Bytea, &Reading::Plain), None);
    }

    #[test]
    fn wider_costs_nothing_and_narrower_may_fail() {
        let of = |from, to| Conversion::between(from, to, &Reading::Plain).unwrap();
        assert!(!of(PgType::Varchar(10), PgType::Varchar(20)).rewrites);
        assert!(!of(PgType::Varchar(10), PgType::Text).rewrites);
        assert!(of(PgType::Text, PgType::Varchar(10)).may_fail);
        assert!(!of(PgType::Integer, PgType::BigInt).may_fail);
        assert!(of(PgType::BigInt, PgType::Integer).may_fail);
        assert!(!of(PgType::Numeric(Some((8, 2))), PgType::Numeric(Some((10, 2)))).rewrites);
        assert!(of(PgType::Numeric(Some((8, 2))), PgType::Numeric(Some((8, 1)))).may_fail);
    }
}
