//! `text`, `character varying` (PostgreSQL's manual, 8.3), `bytea` (8.4) and enumerated types (8.7).
//!
//! Normal form: a text is its own characters; an integer its decimal digits; a real its shortest decimal form that reads
//! back as the same 8 bytes, always with a `.` or an exponent, so that `1.0` is no integer (`1.0`, `0.1`, `1e20`,
//! `-0.0`, `Infinity`, `-Infinity`). A blob is no text. `bytea` takes a blob as it is, and anything else as the bytes of
//! its text form; it needs no valid UTF-8, and so holds every cell that there is. An enumerated type takes the text forms
//! that are its labels, byte by byte.

use std::borrow::Cow;

use rusqlite::types::ValueRef;

use super::Misfit;
use crate::schema::{EnumType, PgType};

/// Bytes of the largest field that PostgreSQL takes: `MaxAllocSize`, 1 GB less one, less the header of 4 bytes.
const MAX_FIELD_BYTES: usize = 0x3fff_ffff - 4;

/// The text form of a real: what [`text`] gives for a REAL cell.
pub(super) fn real_text(real: f64) -> String {
    if real.is_infinite() {
        return if real < 0.0 { "-Infinity" } else { "Infinity" }.to_owned();
    }
    // Debug, unlike Display, keeps a point or an exponent in every form, and is the shortest that round-trips.
    format!("{real:?}")
}

/// Characters of a real's text form.
pub(crate) fn real_text_length(real: f64) -> usize {
    real_text(real).len()
}

/// A cell's text bytes as a PostgreSQL text.
///
/// # Errors
/// Not UTF-8, a NUL character, or over 1 GB.
pub(crate) fn utf8_text(bytes: &[u8]) -> Result<&str, Misfit> {
    let text = std::str::from_utf8(bytes).map_err(|error| Misfit::NotUtf8 { offset: error.valid_up_to() })?;
    if bytes.len() > MAX_FIELD_BYTES {
        return Err(Misfit::TooLarge { bytes: bytes.len() });
    }
    match nul(bytes) {
        Some(offset) => Err(Misfit::Nul { offset }),
        None => Ok(text),
    }
}

/// The first zero byte. Blocks without one are skipped by a loop that the compiler turns into vector code.
fn nul(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 64;
    let blocks =
        bytes.chunks(BLOCK).position(|block| block.iter().fold(false, |any, byte| any | (*byte == 0)))?;
    let start = blocks * BLOCK;
    bytes.get(start..)?.iter().position(|byte| *byte == 0).map(|offset| start + offset)
}

/// Reads `text`.
pub(super) fn text(cell: ValueRef<'_>, pg_type: PgType) -> Result<Cow<'_, str>, Misfit> {
    match cell {
        ValueRef::Text(bytes) => utf8_text(bytes).map(Cow::Borrowed),
        ValueRef::Integer(integer) => Ok(Cow::Owned(integer.to_string())),
        ValueRef::Real(real) => Ok(Cow::Owned(real_text(real))),
        ValueRef::Blob(_) | ValueRef::Null => Err(Misfit::class(cell, pg_type)),
    }
}

/// Reads `character varying(limit)`; the limit counts characters (code points), not bytes. Never cuts.
pub(super) fn varchar(cell: ValueRef<'_>, limit: u32) -> Result<Cow<'_, str>, Misfit> {
    let text = text(cell, PgType::Varchar(limit))?;
    let allowed = usize::try_from(limit).unwrap_or(usize::MAX);
    // A character has at least one byte, so most texts need no counting.
    if text.len() > allowed {
        let characters = text.chars().count();
        if characters > allowed {
            return Err(Misfit::TooLong { characters, limit });
        }
    }
    Ok(text)
}

/// Reads a label of an enumerated type.
pub(super) fn label(cell: ValueRef<'_>, of: EnumType) -> Result<Cow<'_, str>, Misfit> {
    let text = text(cell, PgType::Enum(of))?;
    if of.has(&text) { Ok(text) } else { Err(Misfit::NoLabel { of }) }
}

/// Reads `bytea`. SQLite's own limit (1 GB less, `SQLITE_MAX_LENGTH` 10^9) keeps a blob under PostgreSQL's.
pub(super) fn bytes(cell: ValueRef<'_>) -> Cow<'_, [u8]> {
    match cell {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Cow::Borrowed(bytes),
        ValueRef::Integer(integer) => Cow::Owned(integer.to_string().into_bytes()),
        ValueRef::Real(real) => Cow::Owned(real_text(real).into_bytes()),
        ValueRef::Null => Cow::Borrowed(&[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_shows_that_it_is_one() {
        for (real, expected) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-0.0, "-0.0"),
            (1e20, "1e20"),
            (1e-7, "1e-7"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e308"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
            (123_456_789.125, "123456789.125"),
        ] {
            assert_eq!(real_text(real), expected);
            assert_eq!(expected.parse::<f64>().map(f64::to_bits), Ok(real.to_bits()));
        }
    }

    #[test]
    fn text_takes_all_but_blobs_and_broken_text() {
        let ok = |cell, expected: &str| assert_eq!(text(cell, PgType::Text).as_deref(), Ok(expected));
        ok(ValueRef::Text("Müßig 音楽".as_bytes()), "Müßig 音楽");
        ok(ValueRef::Text(b""), "");
        ok(ValueRef::Integer(i64::MIN), "-9223372036854775808");
        ok(ValueRef::Real(2.0), "2.0");
        assert_eq!(text(ValueRef::Text(b"ab\xff"), PgType::Text), Err(Misfit::NotUtf8 { offset: 2 }));
        let mut long = vec![b'x'; 200];
        long.push(0);
        assert_eq!(text(ValueRef::Text(&long), PgType::Text), Err(Misfit::Nul { offset: 200 }));
        assert!(text(ValueRef::Blob(b"abc"), PgType::Text).is_err());
    }

    #[test]
    fn varchar_counts_characters() {
        let read = |text: &'static str, limit| varchar(ValueRef::Text(text.as_bytes()), limit);
        assert_eq!(read("音楽", 2).as_deref(), Ok("音楽"));
        assert_eq!(read("音楽x", 2), Err(Misfit::TooLong { characters: 3, limit: 2 }));
        assert_eq!(varchar(ValueRef::Integer(1000), 3), Err(Misfit::TooLong { characters: 4, limit: 3 }));
    }

    #[test]
    fn an_enumerated_type_takes_its_labels_alone() {
        let of = EnumType::new("mood", ["sad", "so so", "5"].map(str::to_owned).to_vec());
        assert_eq!(label(ValueRef::Text(b"so so"), of).as_deref(), Ok("so so"));
        assert_eq!(label(ValueRef::Integer(5), of).as_deref(), Ok("5"));
        for cell in
            [ValueRef::Text(b"Sad"), ValueRef::Text(b"sad "), ValueRef::Text(b""), ValueRef::Real(5.0)]
        {
            assert_eq!(label(cell, of), Err(Misfit::NoLabel { of }));
        }
        assert!(label(ValueRef::Blob(b"sad"), of).is_err());
    }

    #[test]
    fn bytea_takes_everything() {
        assert_eq!(bytes(ValueRef::Blob(b"\0\xff")).as_ref(), b"\0\xff");
        assert_eq!(bytes(ValueRef::Text(b"a\0\xff")).as_ref(), b"a\0\xff");
        assert_eq!(bytes(ValueRef::Integer(-7)).as_ref(), b"-7");
        assert_eq!(bytes(ValueRef::Real(0.5)).as_ref(), b"0.5");
    }
}
