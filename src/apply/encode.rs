//! Values in COPY's binary form (PostgreSQL's manual, "COPY", "Binary Format"; the types' own forms are those of their
//! `…recv` functions).
//!
//! A row is appended to a buffer that is reused; nothing is allocated a cell.

use crate::value::{Decimal, KeyOrder, Value};

/// The signature, no flags, no header extension.
pub(super) const HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The file trailer: a tuple of -1 fields.
pub(super) const TRAILER: [u8; 2] = (-1i16).to_be_bytes();

/// Encodes one field after another, and keeps what it needs for that.
#[derive(Default)]
pub struct Encoder {
    key_order: KeyOrder,
}

impl Encoder {
    /// Begins a tuple.
    pub fn begin_row(&mut self, buffer: &mut Vec<u8>, fields: i16) {
        buffer.extend_from_slice(&fields.to_be_bytes());
    }

    /// Appends a field: its length and its bytes. `width` is the integer's size for [`Value::Integer`].
    ///
    /// Returns `false`, with nothing appended, where the field is longer than the protocol can say (2 GiB).
    pub fn field(&mut self, buffer: &mut Vec<u8>, value: &Value<'_>, width: IntegerWidth) -> bool {
        match value {
            Value::Null => buffer.extend_from_slice(&(-1i32).to_be_bytes()),
            Value::Boolean(boolean) => fixed(buffer, &[u8::from(*boolean)]),
            // The range was checked when the value was read.
            Value::Integer(integer) => match width {
                IntegerWidth::Two => fixed(buffer, &(*integer as i16).to_be_bytes()),
                IntegerWidth::Four => fixed(buffer, &(*integer as i32).to_be_bytes()),
                IntegerWidth::Eight => fixed(buffer, &integer.to_be_bytes()),
            },
            Value::Double(double) => fixed(buffer, &double.to_bits().to_be_bytes()),
            Value::Numeric(decimal) => numeric(buffer, decimal),
            Value::Text(text) => return bytes(buffer, &[], text.as_bytes()),
            Value::Bytea(blob) => return bytes(buffer, &[], blob),
            Value::Jsonb(text) => return self.jsonb(buffer, text),
            Value::Date(days) => fixed(buffer, &days.to_be_bytes()),
            Value::Time(microseconds) | Value::Timestamp(microseconds) | Value::Timestamptz(microseconds) => {
                fixed(buffer, &microseconds.to_be_bytes());
            }
            Value::Uuid(uuid) => fixed(buffer, uuid),
        }
        true
    }

    /// `jsonb_recv`: a version byte, then the text; here with each object's keys as the server would sort them.
    fn jsonb(&mut self, buffer: &mut Vec<u8>, text: &str) -> bool {
        let appended = bytes(buffer, &[1], text.as_bytes());
        if appended {
            let start = buffer.len() - text.len();
            self.key_order.sort(&mut buffer[start..]);
        }
        appended
    }
}

/// How many bytes an integer column takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntegerWidth {
    /// `smallint`
    Two,
    /// `integer`
    Four,
    /// `bigint`, and whatever is no integer
    Eight,
}

/// A field of at most 32 bytes.
fn fixed(buffer: &mut Vec<u8>, bytes: &[u8]) {
    buffer.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
    buffer.extend_from_slice(bytes);
}

fn bytes(buffer: &mut Vec<u8>, prefix: &[u8], bytes: &[u8]) -> bool {
    let Ok(length) = i32::try_from(prefix.len() + bytes.len()) else { return false };
    buffer.extend_from_slice(&length.to_be_bytes());
    buffer.extend_from_slice(prefix);
    buffer.extend_from_slice(bytes);
    true
}

const NUMERIC_POSITIVE: u16 = 0x0000;
const NUMERIC_NEGATIVE: u16 = 0x4000;
const NUMERIC_PLUS_INFINITY: u16 = 0xD000;
const NUMERIC_MINUS_INFINITY: u16 = 0xF000;

/// `numeric_recv`: digits of base 10,000, the first one's weight, the sign, the decimal digits behind the point.
fn numeric(buffer: &mut Vec<u8>, decimal: &Decimal) {
    let (negative, digits, scale) = match decimal {
        Decimal::Infinity { negative } => {
            let sign = if *negative { NUMERIC_MINUS_INFINITY } else { NUMERIC_PLUS_INFINITY };
            return fixed(buffer, &header(0, 0, sign, 0));
        }
        Decimal::Finite { negative, digits, scale } => (*negative, digits.as_slice(), usize::from(*scale)),
    };
    // The point lies on a boundary of base-10,000 digits: both sides are filled up to fours with zeros.
    let fraction = scale.min(digits.len());
    let missing = scale - fraction;
    let whole = digits.len() - fraction;
    let lead = (4 - whole % 4) % 4;
    let length = lead + digits.len() + missing;
    let digit = |at: usize| -> u16 {
        let at = if at < lead + whole {
            at.checked_sub(lead)
        } else {
            at.checked_sub(lead + missing).filter(|at| *at >= whole)
        };
        at.and_then(|at| digits.get(at)).map_or(0, |d| u16::from(d - b'0'))
    };
    let group = |number: usize| (0..4).fold(0u16, |value, i| value * 10 + digit(number * 4 + i));
    let groups = length.div_ceil(4);
    let first = (0..groups).find(|number| group(*number) != 0).unwrap_or(groups);
    let last = (first..groups).rev().find(|number| group(*number) != 0).map_or(first, |number| number + 1);
    let weight = ((lead + whole) / 4) as i64 - 1 - first as i64;
    let count = last - first;
    let sign = if negative && count > 0 { NUMERIC_NEGATIVE } else { NUMERIC_POSITIVE };
    let weight = if count == 0 { 0 } else { weight as i16 };
    buffer.extend_from_slice(&((8 + 2 * count) as i32).to_be_bytes());
    buffer.extend_from_slice(&header(count as i16, weight, sign, scale as u16));
    for number in first..last {
        buffer.extend_from_slice(&group(number).to_be_bytes());
    }
}

fn header(count: i16, weight: i16, sign: u16, scale: u16) -> [u8; 8] {
    let mut header = [0; 8];
    header[..2].copy_from_slice(&count.to_be_bytes());
    header[2..4].copy_from_slice(&weight.to_be_bytes());
    header[4..6].copy_from_slice(&sign.to_be_bytes());
    header[6..].copy_from_slice(&scale.to_be_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(text: &str) -> (i16, u16, u16, Vec<u16>) {
        let negative = text.starts_with('-');
        let plain = text.trim_start_matches('-');
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_start_matches('0');
        let digits = if digits.is_empty() { "0" } else { digits }.as_bytes().to_vec();
        let mut buffer = Vec::new();
        numeric(&mut buffer, &Decimal::Finite { negative, digits, scale: fraction.len() as u16 });
        let words: Vec<u16> = buffer[4..].chunks(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect();
        assert_eq!(
            i32::from_be_bytes([buffer[0], buffer[1], buffer[2], buffer[3]]) as usize,
            buffer.len() - 4
        );
        assert_eq!(usize::from(words[0]), words.len() - 4);
        (words[1] as i16, words[2], words[3], words[4..].to_vec())
    }

    #[test]
    fn numerics_as_the_server_sends_them() {
        for (text, weight, sign, scale, expected) in [
            ("0", 0, NUMERIC_POSITIVE, 0, vec![]),
            ("0.00", 0, NUMERIC_POSITIVE, 2, vec![]),
            ("1", 0, NUMERIC_POSITIVE, 0, vec![1]),
            ("-1.5", 0, NUMERIC_NEGATIVE, 1, vec![1, 5000]),
            ("10000", 1, NUMERIC_POSITIVE, 0, vec![1]),
            ("12345.678", 1, NUMERIC_POSITIVE, 3, vec![1, 2345, 6780]),
            ("0.99", -1, NUMERIC_POSITIVE, 2, vec![9900]),
            ("0.00001", -2, NUMERIC_POSITIVE, 5, vec![1000]),
            ("0.00000001", -2, NUMERIC_POSITIVE, 8, vec![1]),
            ("100000000.5", 2, NUMERIC_POSITIVE, 1, vec![1, 0, 0, 5000]),
        ] {
            assert_eq!(groups(text), (weight, sign, scale, expected), "{text}");
        }
    }
}
