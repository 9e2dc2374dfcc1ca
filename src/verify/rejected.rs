//! Rows that the server refused, and that the mapping sent to the rejects: taken out of the source's side.
//!
//! In: the ledger's rejects, each a JSON object with all of a row's cells. Out: the rows in normal form, by the same
//! reader of cells as the source's own rows, so that a reject that says other than what the source holds takes away
//! nothing of it. Rows that a *type* refuses the source's side finds by itself; of them the ledger has to have as many,
//! or there are rows that nobody has.

use std::collections::BTreeMap;

use rusqlite::types::{Value, ValueRef};
use serde_json::value::RawValue;

use super::{
    Difference, DifferenceKind, VerifyError,
    row::NormalRow,
    shape::TableShape,
    source_cell::{Appended, Workshop},
};
use crate::{
    schema::TableCopy,
    target::{Ledger, LedgerError, RecordedReject, RefusedBy, Target},
};

/// The refused rows of each table, as the ledger has them.
#[derive(Debug, Default)]
pub struct RefusedRows {
    by_table: BTreeMap<String, Vec<BTreeMap<String, Value>>>,
    /// How many rows of each table a type refused; `None`: nobody has asked the ledger.
    by_type: Option<BTreeMap<String, u64>>,
}

/// A row in normal form.
#[derive(Debug)]
pub(super) struct RefusedRow {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl RefusedRow {
    pub(super) fn normal(&self) -> NormalRow<'_> {
        NormalRow { bytes: &self.bytes, ends: &self.ends }
    }
}

impl RefusedRows {
    /// Reads what the ledger holds of these tables.
    ///
    /// # Errors
    /// The ledger cannot be read, or holds what no writer of rejects has put there.
    pub async fn read(target: &Target, tables: &[TableCopy]) -> Result<RefusedRows, VerifyError> {
        let (mut by_table, mut by_type) = (BTreeMap::<String, Vec<_>>::new(), BTreeMap::new());
        let Some(ledger) = Ledger::find(target).await? else {
            // One that is gone has no row either.
            return Ok(RefusedRows { by_table, by_type: Some(by_type) });
        };
        let names: Vec<String> = tables.iter().map(|table| table.target.clone()).collect();
        let each = |recorded: RecordedReject| -> Result<(), VerifyError> {
            match recorded.reject.refused_by {
                RefusedBy::Type => *by_type.entry(recorded.table).or_default() += 1,
                RefusedBy::Server => {
                    let row = cells(&recorded.reject.source_row)
                        .ok_or_else(|| VerifyError::Reject { table: recorded.table.clone() })?;
                    by_table.entry(recorded.table).or_default().push(row);
                }
            }
            Ok(())
        };
        ledger.for_each_reject(&names, each).await?;
        Ok(RefusedRows { by_table, by_type: Some(by_type) })
    }

    /// What is to be said where a type refuses another number of the source's rows than the ledger has of them.
    pub(super) fn not_recorded(&self, shape: &TableShape, source_rows: u64) -> Option<Difference> {
        // Of a column that is not compared nobody knows what its type refuses; that is a difference of its own.
        let by_type = self.by_type.as_ref().filter(|_| shape.differences.is_empty())?;
        let recorded_rows = by_type.get(&shape.target).copied().unwrap_or(0);
        let in_use = shape.columns.iter().any(|column| column.form.rejects());
        (in_use && recorded_rows != source_rows).then(|| Difference {
            table: shape.target.clone(),
            key: String::new(),
            kind: DifferenceKind::RejectsNotRecorded { source_rows, recorded_rows },
        })
    }

    /// Those of one table, in normal form.
    pub(super) fn of(&self, shape: &TableShape) -> Vec<RefusedRow> {
        let mut workshop = Workshop::default();
        let rows = self.by_table.get(&shape.target).map_or(&[][..], Vec::as_slice);
        let normal = |row: &BTreeMap<String, Value>| {
            let mut normal = RefusedRow { bytes: Vec::new(), ends: Vec::new() };
            for column in &shape.columns {
                let cell = row.get(&column.source).map_or(ValueRef::Null, ValueRef::from);
                let _: Appended = column.form.append(cell, &mut normal.bytes, &mut workshop);
                normal.ends.push(normal.bytes.len());
            }
            normal
        };
        rows.iter().map(normal).collect()
    }
}

/// What is said of a refused row that the source does not have.
pub(super) fn not_in_source(shape: &TableShape, row: NormalRow<'_>) -> Difference {
    Difference {
        table: shape.target.clone(),
        key: super::key_text::key_text(shape, row),
        kind: DifferenceKind::RejectedNotInSource,
    }
}

/// The cells of a rejected row; `None`: it is not of the documented form.
fn cells(row: &str) -> Option<BTreeMap<String, Value>> {
    let cells: BTreeMap<String, Box<RawValue>> = serde_json::from_str(row).ok()?;
    cells.into_iter().map(|(column, json)| Some((column, cell(json.get())?))).collect()
}

fn cell(json: &str) -> Option<Value> {
    match json.as_bytes().first()? {
        b'n' => Some(Value::Null),
        b'"' => Some(Value::Text(serde_json::from_str(json).ok()?)),
        b'{' => {
            let form: BTreeMap<String, String> = serde_json::from_str(json).ok()?;
            match form.first_key_value().map(|(kind, text)| (kind.as_str(), text.as_str()))? {
                // A TEXT that is no UTF-8 has no place in a `Value`; to every type it is as good as its bytes.
                ("blob" | "text", digits) => Some(Value::Blob(bytes(digits)?)),
                ("real", number) => Some(Value::Real(number.parse().ok()?)),
                _ => None,
            }
        }
        _ if json.contains(['.', 'e', 'E']) => Some(Value::Real(json.parse().ok()?)),
        _ => Some(Value::Integer(json.parse().ok()?)),
    }
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

impl From<LedgerError> for VerifyError {
    fn from(error: LedgerError) -> VerifyError {
        VerifyError::Ledger(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_without_loss() {
        for (json, expected) in [
            ("null", Value::Null),
            ("-9223372036854775808", Value::Integer(i64::MIN)),
            ("9007199254740993", Value::Integer(9_007_199_254_740_993)),
            ("0.1", Value::Real(0.1)),
            ("-0.0", Value::Real(-0.0)),
            ("5e-324", Value::Real(5e-324)),
            ("1.7976931348623157e308", Value::Real(f64::MAX)),
            (r#"{"real":"-Infinity"}"#, Value::Real(f64::NEG_INFINITY)),
            (r#""a\u0000\"é""#, Value::Text("a\0\"é".to_owned())),
            (r#"{"blob":"00ff"}"#, Value::Blob(vec![0, 255])),
            (r#"{"text":"ff"}"#, Value::Blob(vec![255])),
        ] {
            assert_eq!(cell(json), Some(expected), "{json}");
        }
        assert!(matches!(cell("-0.0"), Some(Value::Real(real)) if real.is_sign_negative()));
        for json in [r#"{"blob":"0"#, r#"{"blob":"xy"}"#, r#"{"other":"00"}"#, "true", "[1]"] {
            assert_eq!(cell(json), None, "{json}");
        }
        assert_eq!(cells(r#"{"a": 1, "b": true}"#), None);
    }
}
