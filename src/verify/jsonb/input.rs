//! The tokens of a JSON text, each appended in the form in which PostgreSQL prints it.
//!
//! In: the text's bytes from a place on. Out: strings with their escapes made canonical, numbers as `numeric_out` writes
//! them, and words; or that the text is no JSON that PostgreSQL takes.

use crate::verify::decimal;

/// Appends what a canonical string means: the reverse of [`escape`].
pub(super) fn unescape(text: &[u8], plain: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        let Some((&kind, tail)) = rest.split_first() else { return };
        rest = tail;
        plain.push(match kind {
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'f' => 12,
            b'r' => b'\r',
            b'u' => {
                let code = rest.get(..4).and_then(hexadecimal).unwrap_or_default();
                rest = rest.get(4..).unwrap_or_default();
                code as u8
            }
            other => other,
        });
    }
}

/// Appends one character below U+0080 as `escape_json` of PostgreSQL writes it. Returns whether that is an escape.
fn escape(byte: u8, out: &mut Vec<u8>) -> bool {
    match byte {
        8 => out.extend_from_slice(b"\\b"),
        12 => out.extend_from_slice(b"\\f"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        0..=31 => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            let digits = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&digits);
        }
        _ => {
            out.push(byte);
            return false;
        }
    }
    true
}

/// Four hexadecimal digits.
fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |code, &digit| Some(code << 4 | char::from(digit).to_digit(16)?))
}

pub(super) struct Input<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl Input<'_> {
    /// The next byte that is no white space, not taken.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                &byte => return Some(byte),
            }
        }
    }

    /// The next byte that is no white space.
    pub(super) fn token(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// The rest of a word whose first letter was taken.
    pub(super) fn word(&mut self, word: &[u8], out: &mut Vec<u8>) -> Option<()> {
        if !self.bytes[self.at - 1..].starts_with(word) {
            return None;
        }
        self.at += word.len() - 1;
        out.extend_from_slice(word);
        Some(())
    }

    /// The rest of a string whose opening quote was taken. Returns whether its canonical form holds an escape.
    pub(super) fn string(&mut self, out: &mut Vec<u8>) -> Option<bool> {
        out.push(b'"');
        let mut escaped = false;
        loop {
            let run = plain_run(&self.bytes[self.at..]);
            out.extend_from_slice(&self.bytes[self.at..self.at + run]);
            self.at += run;
            match self.bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    out.push(b'"');
                    return Some(escaped);
                }
                b'\\' => {
                    let kind = *self.bytes.get(self.at + 1)?;
                    self.at += 2;
                    escaped |= match kind {
                        b'"' | b'\\' => escape(kind, out),
                        b'/' => escape(b'/', out),
                        b'b' => escape(8, out),
                        b'f' => escape(12, out),
                        b'n' => escape(b'\n', out),
                        b'r' => escape(b'\r', out),
                        b't' => escape(b'\t', out),
                        b'u' => self.code_point(out)?,
                        _ => return None,
                    };
                }
                // A control character must be escaped.
                _ => return None,
            }
        }
    }

    /// The rest of a `\u` escape, or of the pair that it begins. Returns whether the canonical form escapes it too.
    fn code_point(&mut self, out: &mut Vec<u8>) -> Option<bool> {
        let mut code = self.four_digits()?;
        if (0xD800..0xDC00).contains(&code) {
            if !self.bytes[self.at..].starts_with(b"\\u") {
                return None;
            }
            self.at += 2;
            let low = self.four_digits()?;
            if !(0xDC00..0xE000).contains(&low) {
                return None;
            }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        // U+0000 has no place in PostgreSQL's text, and a low surrogate alone is no character.
        let character = char::from_u32(code).filter(|&character| character != '\0')?;
        if character.is_ascii() {
            return Some(escape(character as u8, out));
        }
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Some(false)
    }

    fn four_digits(&mut self) -> Option<u32> {
        let code = hexadecimal(self.bytes.get(self.at..self.at + 4)?)?;
        self.at += 4;
        Some(code)
    }

    fn digits(&mut self) -> usize {
        let count = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn takes(&mut self, expected: impl Fn(u8) -> bool) -> bool {
        let found = self.bytes.get(self.at).is_some_and(|&byte| expected(byte));
        self.at += usize::from(found);
        found
    }

    /// A number, as `numeric_out` prints it.
    pub(super) fn number(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let start = self.at;
        self.takes(|byte| byte == b'-');
        let whole_start = self.at;
        let whole = self.digits();
        if whole == 0 || (whole > 1 && self.bytes[whole_start] == b'0') {
            return None;
        }
        if self.takes(|byte| byte == b'.') && self.digits() == 0 {
            return None;
        }
        if self.takes(|byte| matches!(byte, b'e' | b'E')) {
            self.takes(|byte| matches!(byte, b'+' | b'-'));
            if self.digits() == 0 {
                return None;
            }
        } else if self.bytes[start] != b'-' && self.at - start <= 1000 {
            // The usual number stands as it is: no exponent, no negative zero, far from numeric's limits.
            out.extend_from_slice(&self.bytes[start..self.at]);
            return Some(());
        }
        decimal::Parts::parse(&self.bytes[start..self.at])?.write(decimal::Zeros::Keep, out)
    }
}

/// How many bytes stand before the next quote, backslash or control character.
pub(super) fn plain_run(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    /// High bit of each byte that is zero; a byte above the lowest such one may be wrong, which does not matter here.
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & HIGHS
    }
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..at + 8).and_then(|chunk| <[u8; 8]>::try_from(chunk).ok()) {
        let word = u64::from_le_bytes(chunk);
        let special = zeros(word ^ (ONES * b'"' as u64))
            | zeros(word ^ (ONES * b'\\' as u64))
            | (word.wrapping_sub(ONES * 0x20) & !word & HIGHS);
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + bytes[at..]
        .iter()
        .position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\')
        .unwrap_or(bytes.len() - at)
}
