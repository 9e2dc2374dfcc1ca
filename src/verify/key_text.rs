//! A row's key as people read it: `track_id=4uLU6h, snapshot_date=2024-05-31`.

use jiff::{
    SignedDuration,
    civil::{DateTime, date},
};

use super::{
    row::{self, NormalRow},
    shape::TableShape,
};
use crate::schema::PgType;

/// The most characters of a text that are shown.
const SHOWN_CHARACTERS: usize = 100;
/// The most bytes of a `bytea` that are shown.
const SHOWN_BYTES: usize = 32;

/// The row's key: columns by the target's names.
pub(super) fn key_text(shape: &TableShape, row: NormalRow<'_>) -> String {
    let mut text = String::new();
    for &position in &shape.key {
        let column = &shape.columns[position];
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&column.target);
        text.push('=');
        text.push_str(&cell_text(column.form.pg_type, row.cell(position)));
    }
    text
}

fn cell_text(pg_type: PgType, cell: &[u8]) -> String {
    let Some((length, bytes)) = cell.split_first_chunk::<4>() else { return String::new() };
    match i32::from_be_bytes(*length) {
        row::NULL => return "NULL".to_owned(),
        row::MISFIT => return format!("(a value that {pg_type} cannot hold)"),
        _ => {}
    }
    known_text(pg_type, bytes).unwrap_or_else(|| hexadecimal(bytes))
}

fn known_text(pg_type: PgType, bytes: &[u8]) -> Option<String> {
    Some(match pg_type {
        PgType::Boolean => (bytes != [0]).to_string(),
        PgType::SmallInt => i16::from_be_bytes(bytes.try_into().ok()?).to_string(),
        PgType::Integer => i32::from_be_bytes(bytes.try_into().ok()?).to_string(),
        PgType::BigInt => i64::from_be_bytes(bytes.try_into().ok()?).to_string(),
        PgType::DoublePrecision => format!("{:?}", f64::from_be_bytes(bytes.try_into().ok()?)),
        PgType::Text | PgType::Varchar(_) | PgType::Numeric(_) | PgType::Enum(_) => shown(bytes),
        PgType::Jsonb => shown(bytes.get(1..)?),
        PgType::Bytea => hexadecimal(bytes),
        PgType::Date => {
            let days = i64::from(i32::from_be_bytes(bytes.try_into().ok()?));
            moment(days.checked_mul(86_400_000_000)?)?.date().to_string()
        }
        PgType::Time => moment(i64::from_be_bytes(bytes.try_into().ok()?))?.time().to_string(),
        PgType::Timestamp => {
            moment(i64::from_be_bytes(bytes.try_into().ok()?))?.to_string().replace('T', " ")
        }
        PgType::Timestamptz => {
            format!("{}+00", moment(i64::from_be_bytes(bytes.try_into().ok()?))?).replace('T', " ")
        }
        PgType::Uuid => {
            let digits = hexadecimal(bytes);
            let digits = digits.strip_prefix("\\x")?;
            let parts = [digits.get(..8)?, digits.get(8..12)?, digits.get(12..16)?, digits.get(16..20)?];
            format!("{}-{}", parts.join("-"), digits.get(20..)?)
        }
    })
}

/// A moment so many microseconds from 2000-01-01, if it is one that the calendar has.
fn moment(microseconds: i64) -> Option<DateTime> {
    let epoch = date(2000, 1, 1).at(0, 0, 0, 0);
    epoch.checked_add(SignedDuration::from_micros(microseconds)).ok()
}

/// A text on one line, cut where it is long.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut shown = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == SHOWN_CHARACTERS {
            shown.push('…');
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::from("\\x");
    for byte in bytes.iter().take(SHOWN_BYTES) {
        text.push_str(&format!("{byte:02x}"));
    }
    if bytes.len() > SHOWN_BYTES {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_like_postgresql_prints_them() {
        let cell = |bytes: &[u8]| [&(bytes.len() as i32).to_be_bytes()[..], bytes].concat();
        for (pg_type, bytes, expected) in [
            (PgType::Boolean, &[1][..], "true"),
            (PgType::SmallInt, &(-5_i16).to_be_bytes(), "-5"),
            (PgType::BigInt, &i64::MIN.to_be_bytes(), "-9223372036854775808"),
            (PgType::DoublePrecision, &(-0.0_f64).to_be_bytes(), "-0.0"),
            (PgType::Varchar(9), "Ж\n🎵".as_bytes(), "Ж\\n🎵"),
            (PgType::Numeric(None), b"1.5", "1.5"),
            (PgType::Bytea, &[0, 255], "\\x00ff"),
            (PgType::Date, &(-1_i32).to_be_bytes(), "1999-12-31"),
            (PgType::Date, &i32::MAX.to_be_bytes(), "\\x7fffffff"),
            (PgType::Time, &1_500_000_i64.to_be_bytes(), "00:00:01.5"),
            (PgType::Timestamp, &(-1_i64).to_be_bytes(), "1999-12-31 23:59:59.999999"),
            (PgType::Timestamptz, &0_i64.to_be_bytes(), "2000-01-01 00:00:00+00"),
            (PgType::Uuid, &[0xab; 16], "abababab-abab-abab-abab-abababababab"),
        ] {
            assert_eq!(cell_text(pg_type, &cell(bytes)), expected);
        }
        assert_eq!(cell_text(PgType::Text, &row::NULL.to_be_bytes()), "NULL");
        assert_eq!(cell_text(PgType::Text, &cell(&[b'a'; 101])), "a".repeat(100) + "…");
    }
}
