//! The PostgreSQL types that `mtm` can write, prove and read back.
//!
//! A closed set: a type is here when a cell can be converted to it without loss ([`crate::value`]), sent in
//! binary form ([`crate::apply`]) and compared by an independent reader ([`crate::verify`]). Names and synonyms
//! are a table, so that a mapping may say `int4`, `integer` or `int`.

use std::fmt;

use super::EnumType;

/// A PostgreSQL column type, with its modifiers, as `format_type` prints it.
///
/// See PostgreSQL's manual, chapter 8 "Data Types".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PgType {
    /// `boolean`
    Boolean,
    /// `smallint`, 2 bytes
    SmallInt,
    /// `integer`, 4 bytes
    Integer,
    /// `bigint`, 8 bytes
    BigInt,
    /// `numeric` or `numeric(precision,scale)`
    Numeric(Option<(u16, u16)>),
    /// `double precision`, 8 bytes
    DoublePrecision,
    /// `text`
    Text,
    /// `character varying(n)`: at most n characters
    Varchar(u32),
    /// `bytea`
    Bytea,
    /// `jsonb`
    Jsonb,
    /// `date`
    Date,
    /// `time without time zone`
    Time,
    /// `timestamp without time zone`
    Timestamp,
    /// `timestamp with time zone`
    Timestamptz,
    /// `uuid`
    Uuid,
    /// An enumerated type of the mapping's, or of the target's.
    Enum(EnumType),
}

/// How a type's modifiers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Modifiers {
    None,
    Length,
    PrecisionScale,
}

impl Modifiers {
    /// What may stand behind the name, as a regular expression.
    fn pattern(self) -> &'static str {
        match self {
            Modifiers::None => "",
            Modifiers::Length => r"(\(\s*[0-9]+\s*\)\s*)?",
            Modifiers::PrecisionScale => r"(\(\s*[0-9]+\s*(,\s*[0-9]+\s*)?\)\s*)?",
        }
    }
}

/// Every accepted spelling: the name, the type (its modifiers filled in by [`PgType::parse`]), what may stand in brackets.
const NAMES: &[(&str, PgType, Modifiers)] = &[
    ("boolean", PgType::Boolean, Modifiers::None),
    ("bool", PgType::Boolean, Modifiers::None),
    ("smallint", PgType::SmallInt, Modifiers::None),
    ("int2", PgType::SmallInt, Modifiers::None),
    ("integer", PgType::Integer, Modifiers::None),
    ("int", PgType::Integer, Modifiers::None),
    ("int4", PgType::Integer, Modifiers::None),
    ("bigint", PgType::BigInt, Modifiers::None),
    ("int8", PgType::BigInt, Modifiers::None),
    ("numeric", PgType::Numeric(None), Modifiers::PrecisionScale),
    ("decimal", PgType::Numeric(None), Modifiers::PrecisionScale),
    ("double precision", PgType::DoublePrecision, Modifiers::None),
    ("float8", PgType::DoublePrecision, Modifiers::None),
    ("text", PgType::Text, Modifiers::None),
    ("varchar", PgType::Varchar(0), Modifiers::Length),
    ("character varying", PgType::Varchar(0), Modifiers::Length),
    ("bytea", PgType::Bytea, Modifiers::None),
    ("jsonb", PgType::Jsonb, Modifiers::None),
    ("date", PgType::Date, Modifiers::None),
    ("time", PgType::Time, Modifiers::None),
    ("time without time zone", PgType::Time, Modifiers::None),
    ("timestamp", PgType::Timestamp, Modifiers::None),
    ("timestamp without time zone", PgType::Timestamp, Modifiers::None),
    ("timestamptz", PgType::Timestamptz, Modifiers::None),
    ("timestamp with time zone", PgType::Timestamptz, Modifiers::None),
    ("uuid", PgType::Uuid, Modifiers::None),
];

/// Why a text is not a type that `mtm` can write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PgTypeError {
    /// The name is not in the table.
    #[error("unknown type `{name}`{}", .nearest.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    Unknown {
        /// What was written.
        name: String,
        /// The nearest known name, when one is near.
        nearest: Option<&'static str>,
    },
    /// The brackets behind the name are not of the type's form.
    #[error("`{text}`: {expected}")]
    Modifiers {
        /// What was written.
        text: String,
        /// What the type takes.
        expected: &'static str,
    },
}

impl PgType {
    /// Every name that [`PgType::parse`] knows, and what may stand behind it, as a regular expression.
    pub(crate) fn spellings() -> impl Iterator<Item = (&'static str, &'static str)> {
        NAMES.iter().map(|(name, _, modifiers)| (*name, modifiers.pattern()))
    }

    /// Reads a type as a user writes it: any case, any spacing, a synonym, modifiers in brackets.
    ///
    /// # Errors
    /// [`PgTypeError`] names the nearest known type, or what the brackets must hold.
    pub fn parse(text: &str) -> Result<PgType, PgTypeError> {
        let lower = text.trim().to_ascii_lowercase();
        let (name, brackets) = match lower.split_once('(') {
            Some((name, rest)) => (
                name,
                Some(rest.trim_end().strip_suffix(')').ok_or(PgTypeError::Modifiers {
                    text: text.to_owned(),
                    expected: "a closing bracket is missing",
                })?),
            ),
            None => (lower.as_str(), None),
        };
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let Some((_, pg_type, modifiers)) = NAMES.iter().find(|(known, ..)| *known == name) else {
            let nearest = crate::schema::nearest(&name, NAMES.iter().map(|(known, ..)| *known));
            return Err(PgTypeError::Unknown { name, nearest });
        };
        let fault = |expected| PgTypeError::Modifiers { text: text.to_owned(), expected };
        match (modifiers, brackets) {
            (Modifiers::None, None) => Ok(*pg_type),
            (Modifiers::None, Some(_)) => Err(fault("this type takes nothing in brackets")),
            (Modifiers::Length, None) => Ok(PgType::Text),
            (Modifiers::Length, Some(n)) => match n.trim().parse::<u32>() {
                Ok(n) if (1..=10_485_760).contains(&n) => Ok(PgType::Varchar(n)),
                _ => Err(fault("the length is a number from 1 to 10485760")),
            },
            (Modifiers::PrecisionScale, None) => Ok(PgType::Numeric(None)),
            (Modifiers::PrecisionScale, Some(inside)) => {
                let (precision, scale) = inside.split_once(',').unwrap_or((inside, "0"));
                match (precision.trim().parse::<u16>(), scale.trim().parse::<u16>()) {
                    (Ok(p), Ok(s)) if (1..=1000).contains(&p) && s <= p => Ok(PgType::Numeric(Some((p, s)))),
                    _ => Err(fault(
                        "precision is a number from 1 to 1000, and scale one from 0 to the precision",
                    )),
                }
            }
        }
    }
}

impl fmt::Display for PgType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PgType::Boolean => f.write_str("boolean"),
            PgType::SmallInt => f.write_str("smallint"),
            PgType::Integer => f.write_str("integer"),
            PgType::BigInt => f.write_str("bigint"),
            PgType::Numeric(None) => f.write_str("numeric"),
            PgType::Numeric(Some((precision, scale))) => write!(f, "numeric({precision},{scale})"),
            PgType::DoublePrecision => f.write_str("double precision"),
            PgType::Text => f.write_str("text"),
            PgType::Varchar(length) => write!(f, "character varying({length})"),
            PgType::Bytea => f.write_str("bytea"),
            PgType::Jsonb => f.write_str("jsonb"),
            PgType::Date => f.write_str("date"),
            PgType::Time => f.write_str("time without time zone"),
            PgType::Timestamp => f.write_str("timestamp without time zone"),
            PgType::Timestamptz => f.write_str("timestamp with time zone"),
            PgType::Uuid => f.write_str("uuid"),
            PgType::Enum(of) => f.write_str(of.name()),
        }
    }
}

impl serde::Serialize for PgType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for PgType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<PgType, D::Error> {
        let text = String::deserialize(deserializer)?;
        PgType::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_reads_back_what_it_prints() {
        for (name, pg_type, modifiers) in NAMES {
            if *modifiers == Modifiers::Length {
                continue;
            }
            assert_eq!(PgType::parse(name), Ok(*pg_type));
            assert_eq!(PgType::parse(&pg_type.to_string()), Ok(*pg_type));
        }
        for text in ["varchar(64)", "numeric(10,2)", "Character  Varying ( 64 )", "decimal(5)"] {
            let parsed = PgType::parse(text).expect(text);
            assert_eq!(PgType::parse(&parsed.to_string()), Ok(parsed));
        }
    }

    #[test]
    fn mistakes_name_the_way_out() {
        assert_eq!(
            PgType::parse("jsnob").map_err(|e| e.to_string()),
            Err("unknown type `jsnob`; did you mean `jsonb`?".to_owned())
        );
        assert!(PgType::parse("varchar(x)").is_err());
        assert!(PgType::parse("numeric(2,3)").is_err());
        assert!(PgType::parse("text(4)").is_err());
        assert!(PgType::parse("numeric(2").is_err());
    }
}
