//! A SQLite cell in normal form: verify's own reading of the source, independent of the writer's.
//!
//! Which storage class fits which type, and in which form (SQLite's manual, "Datatypes In SQLite", 2 "Storage Classes"):
//!
//! | type | takes | bytes |
//! |---|---|---|
//! | `boolean` | 0, 1; `t`, `f`, `true`, `false` in any case | one |
//! | `smallint`, `integer`, `bigint` | INTEGER; canonical decimal TEXT | two's complement, big-endian |
//! | `double precision` | REAL; INTEGER that a double holds | IEEE 754, big-endian |
//! | `numeric` | INTEGER; REAL in its shortest form; decimal TEXT | decimal text, one form a value |
//! | `text`, `varchar` | TEXT; INTEGER and REAL in their shortest form | as they are |
//! | `bytea` | BLOB; TEXT; numbers as text | as they are |
//! | `jsonb` | JSON TEXT | 1, then `jsonb`'s own text |
//! | `date`, `time`, `timestamp`, `timestamptz` | TEXT; with an epoch reading numbers | days or microseconds, big-endian |
//! | `uuid` | TEXT of 32 digits, hyphens and braces allowed; BLOB of 16 bytes | 16 |

use std::io::Write;

use jiff::tz::TimeZone;
use rusqlite::types::ValueRef;

use super::{
    decimal::{self, Parts, Zeros},
    jsonb::Transcoder,
    moment, row,
};
use crate::{mapping::OnInvalid, schema::PgType, value::Reading};

/// How the cells of one column are brought to normal form.
#[derive(Debug)]
pub(super) struct CellForm {
    /// The target type.
    pub(super) pg_type: PgType,
    /// For epochs: microseconds in the unit.
    epoch_unit: Option<i64>,
    /// For texts without an offset.
    zone: Option<TimeZone>,
    /// Whether a value that does not fit was written as NULL.
    set_null: bool,
}

/// The buffers that cells are made in.
#[derive(Debug, Default)]
pub(super) struct Workshop {
    transcoder: Transcoder,
    text: Vec<u8>,
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
            Reading::AssumeZone(name) if name.eq_ignore_ascii_case("utc") => (None, Some(TimeZone::UTC)),
            Reading::AssumeZone(name) => (None, Some(TimeZone::get(name).map_err(|_| name.clone())?)),
        };
        Ok(CellForm { pg_type, epoch_unit, zone, set_null: on_invalid == OnInvalid::SetNull })
    }

    /// Appends a cell with its length. Returns whether the value was taken as NULL because its type cannot hold it.
    pub(super) fn append(&self, cell: ValueRef<'_>, out: &mut Vec<u8>, workshop: &mut Workshop) -> bool {
        if cell == ValueRef::Null {
            out.extend_from_slice(&row::NULL.to_be_bytes());
            return false;
        }
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        let fits = self.content(cell, out, workshop).is_ok();
        let length = i32::try_from(out.len() - start - 4);
        let (length, exception) = match (fits, length) {
            (true, Ok(length)) => (length, false),
            _ if self.set_null => (row::NULL, true),
            _ => (row::MISFIT, false),
        };
        if length < 0 {
            out.truncate(start + 4);
        }
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        exception
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
            PgType::Numeric(modifier) => {
                let start = out.len();
                workshop.text.clear();
                text_of(cell, &mut workshop.text)?;
                numeric(&workshop.text, out).ok_or(Misfit)?;
                match modifier {
                    Some((precision, scale)) if !decimal::fits(&out[start..], precision, scale) => {
                        Err(Misfit)
                    }
                    _ => Ok(()),
                }
            }
            PgType::Date => {
                let days = match (self.epoch(cell)?, cell) {
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
                let microseconds = match (self.epoch(cell)?, cell) {
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
        }
    }

    /// With an epoch reading: the cell's moment.
    fn epoch(&self, cell: ValueRef<'_>) -> Result<Option<i64>, Misfit> {
        let Some(unit) = self.epoch_unit else { return Ok(None) };
        let moment = match cell {
            ValueRef::Real(value) => moment::epoch_real(value, unit),
            other => integer(other).and_then(|value| moment::epoch_integer(value, unit)),
        };
        moment.map(Some).ok_or(Misfit)
    }

    /// A text that PostgreSQL cannot hold (not UTF-8, a NUL in it, too long) equals nothing that the target has, so it is
    /// looked at closely only where such a value was to become NULL.
    fn text(&self, cell: ValueRef<'_>, length: Option<u32>, out: &mut Vec<u8>) -> Result<(), Misfit> {
        let start = out.len();
        text_of(cell, out)?;
        if self.set_null {
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
        // Duplicate keys are a loss; the writer keeps the last value only where the mapping does not ask for NULL.
        let refused = transcoded.duplicate_keys || std::str::from_utf8(text).is_err();
        if self.set_null && refused { Err(Misfit) } else { Ok(()) }
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
        // Compared as i128, since the cast back of 2^63 would saturate and seem exact.
        ValueRef::Integer(value) => Some(value as f64).filter(|&double| double as i128 == i128::from(value)),
        _ => None,
    }
}

fn numeric(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (sign, unsigned) = match text.strip_prefix(b"-") {
        Some(rest) => (&b"-"[..], rest),
        None => (&b""[..], text.strip_prefix(b"+").unwrap_or(text)),
    };
    if unsigned.eq_ignore_ascii_case(b"infinity") || unsigned.eq_ignore_ascii_case(b"inf") {
        out.extend_from_slice(sign);
        out.extend_from_slice(b"Infinity");
        return Some(());
    }
    Parts::parse(text)?.write(Zeros::Strip, out)
}

fn uuid(cell: ValueRef<'_>) -> Option<[u8; 16]> {
    let text = match cell {
        ValueRef::Blob(bytes) => return bytes.try_into().ok(),
        ValueRef::Text(text) => text,
        _ => return None,
    };
    let inner = text.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")).unwrap_or(text);
    let mut uuid = [0_u8; 16];
    let mut count = 0;
    for &byte in inner {
        // PostgreSQL takes a hyphen behind each group of four digits.
        if byte == b'-' && count > 0 && count < 32 && count % 4 == 0 {
            continue;
        }
        let digit = char::from(byte).to_digit(16)? as u8;
        let slot = uuid.get_mut(count / 2)?;
        *slot = *slot << 4 | digit;
        count += 1;
    }
    (count == 32).then_some(uuid)
}
