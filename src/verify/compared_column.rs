//! A compared column as a certificate keeps it: an enumerated type by its name and its labels, any other by its name alone.

use serde::{Deserialize, Serialize};

use super::ComparedColumn;
use crate::schema::{EnumType, PgType, PgTypeError};

/// The form in a document.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    name: String,
    #[serde(rename = "type")]
    type_name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
}

impl From<ComparedColumn> for Kept {
    fn from(column: ComparedColumn) -> Kept {
        let labels = match column.pg_type {
            PgType::Enum(of) => of.labels().to_vec(),
            _ => Vec::new(),
        };
        Kept { name: column.name, type_name: column.pg_type.to_string(), labels }
    }
}

impl TryFrom<Kept> for ComparedColumn {
    type Error = PgTypeError;

    fn try_from(kept: Kept) -> Result<ComparedColumn, PgTypeError> {
        let Kept { name, type_name, labels } = kept;
        let pg_type = match labels.is_empty() {
            true => PgType::parse(&type_name)?,
            false => PgType::Enum(EnumType::new(&type_name, labels)),
        };
        Ok(ComparedColumn { name, pg_type })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_reads_back_as_it_was_written() {
        let mood = EnumType::new("mood", ["sad", "ok"].map(str::to_owned).to_vec());
        for (pg_type, json) in [
            (PgType::Numeric(Some((10, 2))), r#"{"name":"c","type":"numeric(10,2)"}"#),
            (PgType::Enum(mood), r#"{"name":"c","type":"mood","labels":["sad","ok"]}"#),
        ] {
            let column = ComparedColumn { name: "c".to_owned(), pg_type };
            assert_eq!(serde_json::to_string(&column).unwrap(), json);
            assert_eq!(serde_json::from_str::<ComparedColumn>(json).unwrap(), column);
        }
    }
}
