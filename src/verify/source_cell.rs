//! A SQLite cell in normal form: verify's own reading of the source, independent of the writer's.
//!
//! It takes what the mapping's types are documented to take, and no more: with `on_invalid: set_null` whatever else a
//! cell holds was written as NULL, and with `on_invalid: reject` its row was not written, even where PostgreSQL would have
//! taken it.
//!
//! Which storage class fits which type, and in which form (SQLite's manual, "Datatypes In SQLite", 2 "Storage Classes
//! and Datatypes"; PostgreSQL's, chapter 8 "Data Types"):
//!
//! | type | takes | bytes |
//! |---|---|---|
//! | `boolean` | 0, 1; `t`, `f`, `true`, `false` in any case | one |
//! | `smallint`, `integer`, `bigint` | INTEGER; canonical decimal TEXT | two's complement, big-endian |
//! | `double precision` | REAL; INTEGER up to 2^53 either side of 0 | IEEE 754, big-endian |
//! | `numeric` | INTEGER; REAL in its shortest form; TEXT `-?digits(.digits)?`; no negative zero; infinite REAL without modifiers | decimal text, one form a value |
//! | `text`, `varchar` | TEXT; INTEGER and REAL in their shortest form | as they are |
//! | `bytea` | BLOB; TEXT; numbers as text | as they are |
//! | `jsonb` | JSON TEXT | 1, then `jsonb`'s own text |
//! | `date`, `time`, `timestamp`, `timestamptz` | TEXT; with an epoch reading INTEGER and REAL instead | days or microseconds |
//! | an enumerated type | TEXT, and numbers as text, of the very bytes of a label | as they are |
//! | `uuid` | TEXT of 36 characters, hyphenated, any case | 16 |

use std::io::Write;

use jiff::tz::TimeZone;
use rusqlite::types::ValueRef;

use super::{
    decimal::{self, Parts, Zeros},
    jsonb::Transcoder,
    moment::{self, Zone},
    row,
};
use crate::{mapping::OnInvalid, schema::PgType, value::Reading};

/// The integers up to this one, either side of 0, are the ones that 8 bytes of floating point hold without a gap.
const EXACT_IN_DOUBLE: u64 = 1 << 53;

/// How the cells of one column are brought to normal form.
#[derive(Debug)]
pub(super) struct CellForm {
    /// The target type.
    pub(super) pg_type: PgType,
    /// For epochs: microseconds in the unit.
    epoch_unit: Option<i64>,
    /// For texts without an offset.
    zone: Option<Zone>,
    /// What became of a value that does not fit.
    on_invalid: OnInvalid,
}

/// What became of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Appended {
    /// It stands as it is; or its type cannot hold it, and it is equal to nothing.
    Plain,
    /// It was taken as NULL because its type cannot hold it.
    Nulled,
    /// Its row was not written because its type cannot hold it.
    Rejected,
}

/// The buffers that cells are made in.
#[derive(Debug, Default)]
pub(super) struct Workshop {
    transcoder: Transcoder,
    text: Vec<u8>,
    decimal: Vec<u8>,
}

/// Why a cell has no normal form: its type cannot hold it.
struct Misfit;

impl CellForm {
    /// From what the mapping says. The error is the name of a time zone that is not known.
    pub(super) fn new(pg_type: PgType, reading: &Reading, on_invalid: OnInvalid) -> Result<CellForm, String> {
        let (epoch_unit, zone) = match reading {
            Reading::Plain => (None, None),
            Reading::EpochSeconds => (Some(1_000_000), None),
            Reading::EpochMilliseconds => (Some(1_000), None),
            Reading::EpochMicroseconds => (Some(1), None),
            Reading::AssumeZone(name) if name == "UTC" => (None, Some(Zone::Utc)),
            Reading::AssumeZone(name) => {
                (None, Some(Zone::Named(TimeZone::get(name).map_err(|_| name.clone())?)))
            }
        };
        Ok(CellForm { pg_type, epoch_unit, zone, on_invalid })
    }

    /// Appends a cell with its length.
    pub(super) fn append(&self, cell: ValueRef<'_>, out: &mut Vec<u8>, workshop: &mut Workshop) -> Appended {
        if cell == ValueRef::Null {
            out.extend_from_slice(&row::NULL.to_be_bytes());
            return Appended::Plain;
        }
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        let fits = self.content(cell, out, workshop).is_ok();
        let length = i32::try_from(out.len() - start - 4);
        let (length, appended) = match (fits, length, self.on_invalid) {
            (true, Ok(length), _) => (length, Appended::Plain),
            (_, _, OnInvalid::SetNull) => (row::NULL, Appended::Nulled),
            (_, _, OnInvalid::Reject) => (row::MISFIT, Appended::Rejected),
            (_, _, OnInvalid::Fail | OnInvalid::Text) => (row::MISFIT, Appended::Plain),
        };
        if length < 0 {
            out.truncate(start + 4);
        }
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        appended
    }

    /// Whether a row goes to the rejects when a value does not fit.
    pub(super) fn rejects(&self) -> bool {
        self.on_invalid == OnInvalid::Reject
    }

    /// Whether a value that does not fit is no fault, so that it is looked at closely.
    fn is_lenient(&self) -> bool {
        matches!(self.on_invalid, OnInvalid::SetNull | OnInvalid::Reject)
    }

    fn content(&self, cell: ValueRef<'_>, out: &mut Vec<u8>, workshop: &mut Workshop) -> Result<(), Misfit> {
        match self.pg_type {
            PgType::Text => self.text(cell, None, out),
            PgType::Varchar(length) => self.text(cell, Some(length), out),
            PgType::Bytea => match cell {
                ValueRef::Blob(bytes) => {
                    out.extend_from_slice(bytes);
                    Ok(())
                }
                other => text_of(other, out),
            },
            PgType::Jsonb => self.json(cell, out, workshop),
            PgType::Boolean => {
                out.push(u8::from(boolean(cell).ok_or(Misfit)?));
                Ok(())
            }
            PgType::SmallInt => {
                let value = i16::try_from(integer(cell).ok_or(Misfit)?).map_err(|_| Misfit)?;
                push(out, &value.to_be_bytes())
            }
            PgType::Integer => {
                let value = i32::try_from(integer(cell).ok_or(Misfit)?).map_err(|_| Misfit)?;
                push(out, &value.to_be_bytes())
            }
            PgType::BigInt => push(out, &integer(cell).ok_or(Misfit)?.to_be_bytes()),
            PgType::DoublePrecision => push(out, &double(cell).ok_or(Misfit)?.to_be_bytes()),
            PgType::Numeric(modifier) => numeric(cell, modifier, out, workshop),
            PgType::Date => {
                let days = match (self.epoch(cell, workshop)?, cell) {
                    (Some(microseconds), _) => moment::day_of(microseconds),
                    (None, ValueRef::Text(text)) => moment::date_days(text),
                    _ => None,
                };
                push(out, &days.ok_or(Misfit)?.to_be_bytes())
            }
            PgType::Time => match cell {
                ValueRef::Text(text) => {
                    push(out, &moment::time_microseconds(text).ok_or(Misfit)?.to_be_bytes())
                }
                _ => Err(Misfit),
            },
            PgType::Timestamp | PgType::Timestamptz => {
                let microseconds = match (self.epoch(cell, workshop)?, cell) {
                    (Some(microseconds), _) => Some(microseconds),
                    (None, ValueRef::Text(text)) if self.pg_type == PgType::Timestamp => {
                        moment::timestamp_microseconds(text)
                    }
                    (None, ValueRef::Text(text)) => {
                        moment::timestamptz_microseconds(text, self.zone.as_ref())
                    }
                    _ => None,
                };
                push(out, &microseconds.ok_or(Misfit)?.to_be_bytes())
            }
            PgType::Uuid => push(out, &uuid(cell).ok_or(Misfit)?),
            // `enum_send` sends a label's text.
            PgType::Enum(of) => {
                let start = out.len();
                text_of(cell, out)?;
                let is_label = of.labels().iter().any(|label| label.as_bytes() == &out[start..]);
                if is_label { Ok(()) } else { Err(Misfit) }
            }
        }
    }

    /// With an epoch reading: the cell's moment.
    fn epoch(&self, cell: ValueRef<'_>, workshop: &mut Workshop) -> Result<Option<i64>, Misfit> {
        let Some(unit) = self.epoch_unit else { return Ok(None) };
        let moment = match cell {
            ValueRef::Integer(value) => moment::epoch_integer(value, unit),
            ValueRef::Real(value) => {
                let mut decimal = std::mem::take(&mut workshop.decimal);
                decimal.clear();
                let moment = shortest_decimal(value, &mut decimal, workshop)
                    .and_then(|()| moment::epoch_decimal(&decimal, unit));
                workshop.decimal = decimal;
                moment
            }
            ValueRef::Text(_) | ValueRef::Blob(_) | ValueRef::Null => None,
        };
        moment.map(Some).ok_or(Misfit)
    }

    /// A text that PostgreSQL cannot hold (not UTF-8, a NUL in it, too long) equals nothing that the target has, so
    /// it is looked at closely only where such a value was to become NULL, or its row to be rejected.
    fn text(&self, cell: ValueRef<'_>, length: Option<u32>, out: &mut Vec<u8>) -> Result<(), Misfit> {
        let start = out.len();
        text_of(cell, out)?;
        if self.is_lenient() {
            let text = std::str::from_utf8(&out[start..]).map_err(|_| Misfit)?;
            let too_long = length.is_some_and(|length| text.chars().count() > length as usize);
            if too_long || text.contains('\0') {
                return Err(Misfit);
            }
        }
        Ok(())
    }

    fn json(&self, cell: ValueRef<'_>, out: &mut Vec<u8>, workshop: &mut Workshop) -> Result<(), Misfit> {
        let ValueRef::Text(text) = cell else { return Err(Misfit) };
        // The version byte of jsonb's binary form.
        out.push(1);
        let transcoded = workshop.transcoder.transcode(text, out).ok_or(Misfit)?;
        // Either is no value that can be kept. Where the mapping asks for neither NULL nor rejects, they were never written: bytes that
        // are no UTF-8 equal nothing that the target has, and of a key that is there twice the last value is compared.
        let refused = transcoded.duplicate_keys || std::str::from_utf8(text).is_err();
        if self.is_lenient() && refused { Err(Misfit) } else { Ok(()) }
    }
}

fn push(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Misfit> {
    out.extend_from_slice(bytes);
    Ok(())
}

/// TEXT as it is, numbers in their shortest form that reads back the same.
fn text_of(cell: ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let written = match cell {
        ValueRef::Text(text) => return push(out, text),
        ValueRef::Integer(value) => write!(out, "{value}"),
        ValueRef::Real(value) if value.is_infinite() => {
            return push(out, if value > 0.0 { b"Infinity" } else { b"-Infinity" });
        }
        ValueRef::Real(value) => write!(out, "{value:?}"),
        ValueRef::Blob(_) | ValueRef::Null => return Err(Misfit),
    };
    written.map_err(|_| Misfit)
}

fn boolean(cell: ValueRef<'_>) -> Option<bool> {
    match cell {
        ValueRef::Integer(0) => Some(false),
        ValueRef::Integer(1) => Some(true),
        ValueRef::Text(text) => {
            let is = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
            if is("t") || is("true") { Some(true) } else { (is("f") || is("false")).then_some(false) }
        }
        _ => None,
    }
}

fn integer(cell: ValueRef<'_>) -> Option<i64> {
    match cell {
        ValueRef::Integer(value) => Some(value),
        ValueRef::Text(text) => {
            let digits = text.strip_prefix(b"-").unwrap_or(text);
            let canonical = digits == b"0" && digits.len() == text.len()
                || digits.first().is_some_and(|digit| (b'1'..=b'9').contains(digit));
            canonical.then(|| std::str::from_utf8(text).ok()?.parse().ok())?
        }
        _ => None,
    }
}

fn double(cell: ValueRef<'_>) -> Option<f64> {
    match cell {
        ValueRef::Real(value) => Some(value),
        ValueRef::Integer(value) => (value.unsigned_abs() <= EXACT_IN_DOUBLE).then_some(value as f64),
        _ => None,
    }
}

fn numeric(
    cell: ValueRef<'_>,
    modifier: Option<(u16, u16)>,
    out: &mut Vec<u8>,
    workshop: &mut Workshop,
) -> Result<(), Misfit> {
    let start = out.len();
    match cell {
        // With modifiers the type holds no infinity.
        ValueRef::Real(value) if value.is_infinite() => {
            return if modifier.is_none() { text_of(cell, out) } else { Err(Misfit) };
        }
        ValueRef::Real(value) => shortest_decimal(value, out, workshop).ok_or(Misfit)?,
        ValueRef::Integer(_) => text_of(cell, out)?,
        ValueRef::Text(text) if decimal::is_plain(text) => {
            Parts::parse(text).and_then(|parts| parts.write(Zeros::Strip, out)).ok_or(Misfit)?;
        }
        ValueRef::Text(_) | ValueRef::Blob(_) | ValueRef::Null => return Err(Misfit),
    }
    match modifier {
        Some((precision, scale)) if !decimal::fits(&out[start..], precision, scale) => Err(Misfit),
        _ => Ok(()),
    }
}

/// Appends the shortest decimal that reads back as the number, without an exponent. An infinity has none, and negative
/// zero would lose its sign.
fn shortest_decimal(value: f64, out: &mut Vec<u8>, workshop: &mut Workshop) -> Option<()> {
    if !value.is_finite() || (value == 0.0 && value.is_sign_negative()) {
        return None;
    }
    workshop.text.clear();
    write!(workshop.text, "{value:?}").ok()?;
    Parts::parse(&workshop.text)?.write(Zeros::Strip, out)
}

/// Groups of 8, 4, 4, 4 and 12 hexadecimal digits. PostgreSQL's other spellings, and blobs, are not taken.
fn uuid(cell: ValueRef<'_>) -> Option<[u8; 16]> {
    let ValueRef::Text(text) = cell else { return None };
    let text = std::str::from_utf8(text).ok()?;
    let groups = || text.split('-');
    groups().map(str::len).eq([8, 4, 4, 4, 12]).then_some(())?;
    let mut uuid = [0_u8; 16];
    for (at, digit) in groups().flat_map(str::chars).enumerate() {
        let slot = uuid.get_mut(at / 2)?;
        *slot = *slot << 4 | digit.to_digit(16)? as u8;
    }
    Some(uuid)
}

#[cfg(test)]
mod tests {
    use ValueRef::{Blob, Integer, Null, Real, Text};

    use super::*;

    /// The content of the cell; `Err`: it does not fit.
    fn content(pg_type: &str, reading: Reading, cell: ValueRef<'_>) -> Result<Vec<u8>, ()> {
        let pg_type = PgType::parse(pg_type).expect(pg_type);
        let form = CellForm::new(pg_type, &reading, OnInvalid::Fail).expect("form");
        let (mut out, mut workshop) = (b"before".to_vec(), Workshop::default());
        assert_eq!(form.append(cell, &mut out, &mut workshop), Appended::Plain);
        let (length, bytes) = out["before".len()..].split_first_chunk::<4>().expect("length");
        match i32::from_be_bytes(*length) {
            row::MISFIT => {
                assert!(bytes.is_empty());
                Err(())
            }
            length => {
                assert_eq!(length, bytes.len() as i32);
                Ok(bytes.to_vec())
            }
        }
    }

    #[test]
    fn cells_that_fit() {
        for (pg_type, cell, expected) in [
            ("boolean", Integer(1), &[1][..]),
            ("boolean", Text(b"FALSE"), &[0]),
            ("boolean", Text(b"t"), &[1]),
            ("smallint", Integer(-2), &(-2_i16).to_be_bytes()),
            ("integer", Text(b"-12"), &(-12_i32).to_be_bytes()),
            ("bigint", Text(b"0"), &0_i64.to_be_bytes()),
            ("bigint", Integer(i64::MIN), &i64::MIN.to_be_bytes()),
            ("double precision", Real(-0.0), &(-0.0_f64).to_be_bytes()),
            ("double precision", Integer(-1 << 53), &((-1_i64 << 53) as f64).to_be_bytes()),
            ("numeric", Integer(-10), b"-10"),
            ("numeric", Real(0.1), b"0.1"),
            ("numeric", Real(1e22), b"10000000000000000000000"),
            ("numeric", Real(-1.5e-7), b"-0.00000015"),
            ("numeric", Real(f64::NEG_INFINITY), b"-Infinity"),
            ("numeric", Text(b"001.500"), b"1.5"),
            ("numeric(4,2)", Text(b"12.30"), b"12.3"),
            ("text", Text("tab\t, line\n, 🎵".as_bytes()), "tab\t, line\n, 🎵".as_bytes()),
            ("text", Text(b""), b""),
            ("text", Integer(-7), b"-7"),
            ("text", Real(1.0), b"1.0"),
            ("text", Real(1e20), b"1e20"),
            ("text", Real(f64::INFINITY), b"Infinity"),
            ("varchar(3)", Text(b"abc"), b"abc"),
            ("bytea", Blob(&[0, 255]), &[0, 255]),
            ("bytea", Text(b"text"), b"text"),
            ("bytea", Real(2.5), b"2.5"),
            ("jsonb", Text(b"{\"b\":1e1, \"a\":2}"), b"\x01{\"a\": 2, \"b\": 10}"),
            ("date", Text(b"2000-01-02"), &1_i32.to_be_bytes()),
            ("time", Text(b"00:00:01"), &1_000_000_i64.to_be_bytes()),
            ("timestamp", Text(b"2000-01-01 00:00:01"), &1_000_000_i64.to_be_bytes()),
            ("timestamptz", Text(b"2000-01-01T01:00:01+01:00"), &1_000_000_i64.to_be_bytes()),
            (
                "uuid",
                Text(b"A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11"),
                b"\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d\x6b\xb9\xbd\x38\x0a\x11",
            ),
        ] {
            assert_eq!(content(pg_type, Reading::Plain, cell).as_deref(), Ok(expected), "{pg_type} {cell:?}");
        }
    }

    #[test]
    fn cells_that_do_not_fit() {
        for (pg_type, cell) in [
            ("boolean", Integer(2)),
            ("boolean", Text(b"yes")),
            ("boolean", Real(1.0)),
            ("smallint", Integer(32_768)),
            ("integer", Integer(1 << 31)),
            ("integer", Text(b"012")),
            ("integer", Text(b"-0")),
            ("integer", Text(b"+1")),
            ("integer", Text(b"")),
            ("integer", Real(1.0)),
            ("bigint", Text(b"9223372036854775808")),
            ("double precision", Integer(i64::MAX)),
            ("double precision", Integer((1 << 53) + 1)),
            ("double precision", Integer(1 << 60)),
            ("double precision", Text(b"1.5")),
            ("numeric", Text(b"1,5")),
            ("numeric", Blob(b"1")),
            ("numeric(4,2)", Text(b"1.234")),
            ("numeric(4,2)", Integer(100)),
            ("text", Blob(b"text")),
            ("jsonb", Text(b"{")),
            ("jsonb", Integer(1)),
            ("jsonb", Blob(b"1")),
            ("date", Integer(0)),
            ("date", Text(b"today")),
            ("timestamp", Text(b"2000-01-01 00:00:00Z")),
            ("timestamptz", Text(b"2000-01-01 00:00:00")),
            ("uuid", Text(b"a0eebc99")),
            ("uuid", Text(b"a0eebc999c0b4ef8bb6d6bb9bd380a1100")),
            ("uuid", Text(b"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}")),
            ("uuid", Text("\u{e9}0eebc9-9c0b-4ef8-bb6d-6bb9bd380a11".as_bytes())),
            ("uuid", Blob(&[7; 16])),
        ] {
            assert_eq!(content(pg_type, Reading::Plain, cell), Err(()), "{pg_type} {cell:?}");
        }
    }

    #[test]
    fn readings_of_numbers() {
        for (pg_type, reading, cell, expected) in [
            ("timestamptz", Reading::EpochSeconds, Integer(946_684_801), Ok(1_000_000_i64)),
            ("timestamp", Reading::EpochSeconds, Real(946_684_800.5), Ok(500_000)),
            ("timestamptz", Reading::EpochMilliseconds, Integer(946_684_800_001), Ok(1_000)),
            ("timestamptz", Reading::EpochMicroseconds, Text(b"946684800000001"), Err(())),
            ("timestamptz", Reading::EpochSeconds, Text(b"2000-01-01"), Err(())),
            (
                "timestamptz",
                Reading::AssumeZone("UTC".to_owned()),
                Text(b"2000-01-01 00:00:01"),
                Ok(1_000_000),
            ),
            (
                "timestamptz",
                Reading::AssumeZone("Asia/Kolkata".to_owned()),
                Text(b"2000-01-01 05:30:00"),
                Ok(0),
            ),
        ] {
            let expected = expected.map(|microseconds| microseconds.to_be_bytes().to_vec());
            assert_eq!(content(pg_type, reading, cell), expected, "{pg_type} {cell:?}");
        }
        let midnight = content("date", Reading::EpochSeconds, Integer(946_684_800 + 86_400));
        assert_eq!(midnight, Ok(1_i32.to_be_bytes().to_vec()));
    }

    #[test]
    fn null_is_null_and_what_was_set_to_null_is_counted() {
        for (pg_type, cell, exception) in [
            ("jsonb", Null, false),
            ("jsonb", Text(b"{"), true),
            ("jsonb", Text(b"{\"a\":1,\"a\":1}"), true),
            ("jsonb", Text(b"\"\xff\""), true),
            ("text", Text(b"a\0b"), true),
            ("text", Text(b"\xff"), true),
            ("varchar(2)", Text(b"abc"), true),
        ] {
            let appended = |on_invalid| {
                let form = CellForm::new(PgType::parse(pg_type).expect(pg_type), &Reading::Plain, on_invalid);
                let mut out = Vec::new();
                let appended = form.expect("form").append(cell, &mut out, &mut Workshop::default());
                (appended, out)
            };
            let null = row::NULL.to_be_bytes().to_vec();
            let expected = if exception { Appended::Nulled } else { Appended::Plain };
            assert_eq!(appended(OnInvalid::SetNull), (expected, null), "{pg_type} {cell:?}");
            let expected = if exception { Appended::Rejected } else { Appended::Plain };
            assert_eq!(appended(OnInvalid::Reject).0, expected, "{pg_type} {cell:?}");
        }
    }
}
