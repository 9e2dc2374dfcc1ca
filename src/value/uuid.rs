//! `uuid` (PostgreSQL's manual, 8.12): a text of 36 characters, hyphenated, any case.
//!
//! PostgreSQL takes braces and other groupings too; they are refused here, since the text could not be told from what
//! comes back.

use rusqlite::types::ValueRef;

use super::Misfit;
use crate::schema::PgType;

const FORM: Misfit = Misfit::Form {
    pg_type: PgType::Uuid,
    expected: "36 characters, hexadecimal digits in groups of 8-4-4-4-12",
};

/// Reads a `uuid`. The letters' case is not kept.
pub(super) fn uuid(cell: ValueRef<'_>) -> Result<[u8; 16], Misfit> {
    let ValueRef::Text(text) = cell else { return Err(Misfit::class(cell, PgType::Uuid)) };
    let mut bytes = [0_u8; 16];
    let mut nibbles = 0;
    if text.len() != 36 {
        return Err(FORM);
    }
    for (position, byte) in text.iter().enumerate() {
        if matches!(position, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return Err(FORM);
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => return Err(FORM),
        };
        if let Some(slot) = bytes.get_mut(nibbles / 2) {
            *slot = *slot << 4 | digit;
        }
        nibbles += 1;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_reads() {
        let read = |text: &str| uuid(ValueRef::Text(text.as_bytes()));
        let bytes =
            [0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0];
        assert_eq!(read("123e4567-e89b-12d3-a456-426614174000"), Ok(bytes));
        assert_eq!(read("123E4567-E89B-12D3-A456-426614174000"), Ok(bytes));
        for text in [
            "",
            "123e4567e89b12d3a456426614174000",
            "{123e4567-e89b-12d3-a456-426614174000}",
            "123e4567-e89b-12d3-a456-42661417400g",
            "123e4567-e89b-12d3-a456-42661417400",
            "123e45670e89b-12d3-a456-426614174000",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(uuid(ValueRef::Blob(&bytes)).is_err());
    }
}
