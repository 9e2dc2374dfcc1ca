//! `boolean` (PostgreSQL's manual, 8.6), the integers (8.1.1), `numeric` (8.1.2) and `double precision` (8.1.3).
//!
//! What each takes, and its normal form:
//!
//! | type | INTEGER | REAL | TEXT |
//! |---|---|---|---|
//! | `boolean` | 0, 1 | no | `t`, `f`, `true`, `false`, any case |
//! | `smallint`, `integer`, `bigint` | in range | no, whole ones neither: `1.0` is not `1` | `0`, `-12`: no plus, no leading zero |
//! | `double precision` | up to 2^53 either side of 0 | all, infinities and -0.0 too | no |
//! | `numeric` | all | the shortest decimal that reads back; no -0.0 | `-?digits(.digits)?`, no negative zero |
//! | `numeric(p,s)` | as `numeric`, if no digit is lost | the same; no infinity | the same |
//!
//! A blob fits none. Nothing is ever rounded.

use rusqlite::types::ValueRef;

use super::{Decimal, Misfit};
use crate::schema::PgType;

/// The integers up to this one, either side of 0, are all exact in 8 bytes of floating point.
const EXACT_IN_DOUBLE: u64 = 1 << 53;

/// Digits that an unconstrained `numeric` takes before the decimal point (PostgreSQL's manual, table 8.2).
pub(super) const MAX_INTEGER_DIGITS: u32 = 131_072;

/// Digits that an unconstrained `numeric` takes behind the decimal point (the same table).
pub(super) const MAX_FRACTION_DIGITS: u32 = 16_383;

/// Reads `boolean`.
pub(super) fn boolean(cell: ValueRef<'_>) -> Result<bool, Misfit> {
    match cell {
        ValueRef::Integer(0) => Ok(false),
        ValueRef::Integer(1) => Ok(true),
        ValueRef::Integer(_) => Err(Misfit::OutOfRange { pg_type: PgType::Boolean, range: "0 or 1" }),
        ValueRef::Text(text) => {
            if text.eq_ignore_ascii_case(b"t") || text.eq_ignore_ascii_case(b"true") {
                Ok(true)
            } else if text.eq_ignore_ascii_case(b"f") || text.eq_ignore_ascii_case(b"false") {
                Ok(false)
            } else {
                Err(Misfit::Form { pg_type: PgType::Boolean, expected: "t, f, true or false" })
            }
        }
        ValueRef::Real(_) | ValueRef::Blob(_) | ValueRef::Null => Err(Misfit::class(cell, PgType::Boolean)),
    }
}

/// Reads `smallint`, `integer` or `bigint`.
pub(super) fn integer(cell: ValueRef<'_>, pg_type: PgType) -> Result<i64, Misfit> {
    let integer = match cell {
        ValueRef::Integer(integer) => integer,
        ValueRef::Text(text) => canonical_integer(text).ok_or(Misfit::Form {
            pg_type,
            expected: "decimal digits in the range of bigint, without leading zeros or a plus",
        })?,
        ValueRef::Real(_) | ValueRef::Blob(_) | ValueRef::Null => return Err(Misfit::class(cell, pg_type)),
    };
    let (fits, range) = match pg_type {
        PgType::SmallInt => (i16::try_from(integer).is_ok(), "-32768 to 32767"),
        PgType::Integer => (i32::try_from(integer).is_ok(), "-2147483648 to 2147483647"),
        _ => (true, ""),
    };
    if fits { Ok(integer) } else { Err(Misfit::OutOfRange { pg_type, range }) }
}

/// The integer that a text is the canonical decimal form of.
fn canonical_integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.len() < 19 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if canonical { std::str::from_utf8(text).ok()?.parse().ok() } else { None }
}

/// Reads `double precision`.
pub(super) fn double_precision(cell: ValueRef<'_>) -> Result<f64, Misfit> {
    match cell {
        ValueRef::Real(real) => Ok(real),
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
        ValueRef::Integer(integer) if integer.unsigned_abs() <= EXACT_IN_DOUBLE => Ok(integer as f64),
        ValueRef::Integer(_) => Err(Misfit::Inexact),
        ValueRef::Text(_) | ValueRef::Blob(_) | ValueRef::Null => {
            Err(Misfit::class(cell, PgType::DoublePrecision))
        }
    }
}

/// A finite decimal as it is written: sign, digits before the point, digits behind it.
struct Written<'a> {
    negative: bool,
    integer: &'a [u8],
    fraction: &'a [u8],
}

impl Written<'_> {
    /// Digits before the point without leading zeros, digits behind it without trailing zeros.
    fn extent(&self) -> (u32, u32) {
        let leading = self.integer.iter().take_while(|digit| **digit == b'0').count();
        let trailing = self.fraction.iter().rev().take_while(|digit| **digit == b'0').count();
        (count(self.integer.len() - leading), count(self.fraction.len() - trailing))
    }
}

fn count(digits: usize) -> u32 {
    u32::try_from(digits).unwrap_or(u32::MAX)
}

const NUMERIC_FORM: Misfit = Misfit::Form {
    pg_type: PgType::Numeric(None),
    expected: "decimal digits, at most one point with digits on both sides, at most a minus before them",
};

/// Takes apart `-?digits(.digits)?`.
fn written(text: &[u8]) -> Result<Written<'_>, Misfit> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (integer, fraction) = match unsigned.iter().position(|byte| !byte.is_ascii_digit()) {
        None => (unsigned, &[] as &[u8]),
        Some(point) => match unsigned.split_at(point) {
            (integer, [b'.', fraction @ ..]) if !fraction.is_empty() => (integer, fraction),
            _ => return Err(NUMERIC_FORM),
        },
    };
    if integer.is_empty() || !fraction.iter().all(u8::is_ascii_digit) {
        return Err(NUMERIC_FORM);
    }
    Ok(Written { negative, integer, fraction })
}

/// A finite real as its shortest decimal that reads back: digits without a point, and the power of ten of the last one.
fn shortest(real: f64) -> (bool, Vec<u8>, i32) {
    let scientific = format!("{real:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let behind = i32::try_from(digits.len()).unwrap_or(1) - 1;
    (real.is_sign_negative(), digits, exponent.parse::<i32>().unwrap_or(0) - behind)
}

/// Most digits before and behind the point that the shortest decimal form of a number has: `(0, 2)` for 0.05 and for
/// the text `00.050`; `(0, 0)` for zero and infinity.
///
/// # Errors
/// As for reading an unconstrained `numeric`.
pub(crate) fn decimal_extent(cell: ValueRef<'_>) -> Result<(u32, u32), Misfit> {
    let pg_type = PgType::Numeric(None);
    match cell {
        ValueRef::Integer(0) => Ok((0, 0)),
        ValueRef::Integer(integer) => Ok((integer.unsigned_abs().ilog10() + 1, 0)),
        ValueRef::Real(real) if real == 0.0 && real.is_sign_negative() => {
            Err(Misfit::NegativeZero { pg_type })
        }
        ValueRef::Real(real) if real == 0.0 || real.is_infinite() => Ok((0, 0)),
        ValueRef::Real(real) => {
            let (_, digits, exponent) = shortest(real);
            let length = i32::try_from(digits.len()).unwrap_or(i32::MAX);
            Ok((
                u32::try_from((length + exponent).max(0)).unwrap_or(0),
                u32::try_from((-exponent).max(0)).unwrap_or(0),
            ))
        }
        ValueRef::Text(text) => {
            let written = written(text)?;
            let (integer, fraction) = written.extent();
            if written.negative && (integer, fraction) == (0, 0) {
                return Err(Misfit::NegativeZero { pg_type });
            }
            if integer > MAX_INTEGER_DIGITS || count(written.fraction.len()) > MAX_FRACTION_DIGITS {
                return Err(Misfit::Digits { integer, fraction: count(written.fraction.len()), pg_type });
            }
            Ok((integer, fraction))
        }
        ValueRef::Blob(_) | ValueRef::Null => Err(Misfit::class(cell, pg_type)),
    }
}

/// Reads `numeric` or `numeric(precision,scale)`. A text keeps its trailing zeros behind the point (PostgreSQL shows
/// them too), as far as the scale reaches.
pub(super) fn numeric(cell: ValueRef<'_>, modifiers: Option<(u16, u16)>) -> Result<Decimal, Misfit> {
    let (integer, fraction) = decimal_extent(cell)?;
    if let Some((precision, scale)) = modifiers {
        let pg_type = PgType::Numeric(modifiers);
        if matches!(cell, ValueRef::Real(real) if real.is_infinite()) {
            return Err(Misfit::Infinite { pg_type });
        }
        if integer > u32::from(precision.saturating_sub(scale)) || fraction > u32::from(scale) {
            return Err(Misfit::Digits { integer, fraction, pg_type });
        }
    }
    let limit = modifiers.map_or(usize::MAX, |(_, scale)| usize::from(scale));
    Ok(match cell {
        ValueRef::Integer(integer) => finite(integer < 0, integer.unsigned_abs().to_string().into_bytes(), 0),
        ValueRef::Real(real) if real.is_infinite() => Decimal::Infinity { negative: real < 0.0 },
        ValueRef::Real(real) => {
            let (negative, mut digits, exponent) = shortest(real);
            digits.extend(std::iter::repeat_n(b'0', usize::try_from(exponent).unwrap_or(0)));
            finite(negative, digits, usize::try_from(-exponent).unwrap_or(0))
        }
        ValueRef::Text(text) => {
            let written = written(text)?;
            let kept = written.fraction.get(..limit).unwrap_or(written.fraction);
            finite(written.negative, [written.integer, kept].concat(), kept.len())
        }
        ValueRef::Blob(_) | ValueRef::Null => return Err(Misfit::class(cell, PgType::Numeric(modifiers))),
    })
}

/// A finite decimal without leading zeros. The scale is within 16,383: [`decimal_extent`] has seen to it.
fn finite(negative: bool, mut digits: Vec<u8>, scale: usize) -> Decimal {
    let leading = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.drain(..leading.min(digits.len().saturating_sub(1)));
    Decimal::Finite { negative, digits, scale: u16::try_from(scale).unwrap_or(u16::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> ValueRef<'_> {
        ValueRef::Text(text.as_bytes())
    }

    fn decimal(negative: bool, digits: &str, scale: u16) -> Decimal {
        Decimal::Finite { negative, digits: digits.as_bytes().to_vec(), scale }
    }

    #[test]
    fn booleans() {
        for (cell, expected) in [
            (ValueRef::Integer(0), Some(false)),
            (ValueRef::Integer(1), Some(true)),
            (ValueRef::Integer(2), None),
            (ValueRef::Real(1.0), None),
            (text("t"), Some(true)),
            (text("FALSE"), Some(false)),
            (text("True"), Some(true)),
            (text("yes"), None),
            (text("1"), None),
            (ValueRef::Blob(b"t"), None),
        ] {
            assert_eq!(boolean(cell).ok(), expected, "{cell:?}");
        }
    }

    #[test]
    fn integers_by_range_and_canonical_text() {
        for (cell, pg_type, expected) in [
            (ValueRef::Integer(32767), PgType::SmallInt, Some(32767)),
            (ValueRef::Integer(32768), PgType::SmallInt, None),
            (ValueRef::Integer(-2_147_483_648), PgType::Integer, Some(-2_147_483_648)),
            (ValueRef::Integer(2_147_483_648), PgType::Integer, None),
            (ValueRef::Integer(i64::MIN), PgType::BigInt, Some(i64::MIN)),
            (ValueRef::Real(1.0), PgType::BigInt, None),
            (text("0"), PgType::BigInt, Some(0)),
            (text("-12"), PgType::BigInt, Some(-12)),
            (text("9223372036854775807"), PgType::BigInt, Some(i64::MAX)),
            (text("-9223372036854775808"), PgType::BigInt, Some(i64::MIN)),
            (text("9223372036854775808"), PgType::BigInt, None),
            (text("40000"), PgType::SmallInt, None),
            (text("-0"), PgType::BigInt, None),
            (text("+1"), PgType::BigInt, None),
            (text("01"), PgType::BigInt, None),
            (text(" 1"), PgType::BigInt, None),
            (text(""), PgType::BigInt, None),
            (text("-"), PgType::BigInt, None),
            (text("1.0"), PgType::BigInt, None),
            (ValueRef::Blob(b"1"), PgType::BigInt, None),
        ] {
            assert_eq!(integer(cell, pg_type).ok(), expected, "{cell:?} {pg_type}");
        }
    }

    #[test]
    fn doubles_keep_every_bit() {
        for real in [0.1, -0.0, f64::INFINITY, f64::MIN_POSITIVE] {
            assert_eq!(double_precision(ValueRef::Real(real)).map(f64::to_bits), Ok(real.to_bits()));
        }
        assert_eq!(double_precision(ValueRef::Integer(1 << 53)), Ok(9_007_199_254_740_992.0));
        assert_eq!(double_precision(ValueRef::Integer((1 << 53) + 1)), Err(Misfit::Inexact));
        assert!(double_precision(text("1.5")).is_err());
    }

    #[test]
    fn numerics_never_round() {
        let infinite = Decimal::Infinity { negative: true };
        for (cell, modifiers, expected) in [
            (ValueRef::Integer(-120), None, Some(decimal(true, "120", 0))),
            (ValueRef::Integer(i64::MIN), None, Some(decimal(true, "9223372036854775808", 0))),
            (ValueRef::Real(0.05), None, Some(decimal(false, "5", 2))),
            (ValueRef::Real(1e21), None, Some(decimal(false, "1000000000000000000000", 0))),
            (ValueRef::Real(-1234.5), None, Some(decimal(true, "12345", 1))),
            (ValueRef::Real(0.0), None, Some(decimal(false, "0", 0))),
            (ValueRef::Real(-0.0), None, None),
            (ValueRef::Real(f64::NEG_INFINITY), None, Some(infinite)),
            (ValueRef::Real(f64::INFINITY), Some((5, 2)), None),
            (ValueRef::Real(5e-324), None, Some(decimal(false, "5", 324))),
            (text("007.50"), None, Some(decimal(false, "750", 2))),
            (text("0.00"), None, Some(decimal(false, "0", 2))),
            (text("-0.0"), None, None),
            (text("1."), None, None),
            (text(".5"), None, None),
            (text("1e3"), None, None),
            (text("+1"), None, None),
            (text("--1"), None, None),
            (text("1.2.3"), None, None),
            (text(""), None, None),
            (text("NaN"), None, None),
            (text("999.99"), Some((5, 2)), Some(decimal(false, "99999", 2))),
            (text("1000"), Some((5, 2)), None),
            (text("1.005"), Some((5, 2)), None),
            (text("1.0500"), Some((5, 2)), Some(decimal(false, "105", 2))),
            (ValueRef::Real(0.1), Some((1, 1)), Some(decimal(false, "1", 1))),
            (ValueRef::Integer(1), Some((1, 1)), None),
            (ValueRef::Blob(b"1"), None, None),
        ] {
            assert_eq!(numeric(cell, modifiers).ok(), expected, "{cell:?} {modifiers:?}");
        }
        let long = format!("1{}", "0".repeat(131_071));
        assert!(numeric(text(&long), None).is_ok());
        assert!(numeric(text(&format!("{long}0")), None).is_err());
        assert!(numeric(text(&format!("0.{}", "1".repeat(16_383))), None).is_ok());
        assert!(numeric(text(&format!("0.{}", "1".repeat(16_384))), None).is_err());
    }

    proptest! {
        #[test]
        fn a_real_comes_back_from_its_decimal(bits: u64) {
            let real = f64::from_bits(bits);
            prop_assume!(real.is_finite() && (real != 0.0 || real.is_sign_positive()));
            let Ok(Decimal::Finite { negative, digits, scale }) = numeric(ValueRef::Real(real), None) else {
                return Err(TestCaseError::fail("no finite decimal"));
            };
            let digits = String::from_utf8_lossy(&digits).into_owned();
            let sign = if negative { "-" } else { "" };
            prop_assert_eq!(format!("{sign}{digits}e-{scale}").parse::<f64>().map(f64::to_bits), Ok(bits));
            let (integer, fraction) = decimal_extent(ValueRef::Real(real)).map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(fraction, u32::from(scale));
            prop_assert_eq!(integer as usize, digits.len().saturating_sub(usize::from(scale)) * usize::from(real != 0.0));
        }
    }
}
