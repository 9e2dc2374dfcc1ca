//! JSON text as Python's `json.dumps` writes it, since the Music Time Machine is a Python program: a space after each
//! comma and colon, and, with `ensure_ascii` (the default), every other character as `\uXXXX` in UTF-16.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Serializer, Value, ser::Formatter};

/// Writes a value as `json.dumps(value, ensure_ascii=…)` does.
pub(super) fn dumps(value: &Value, ensure_ascii: bool) -> serde_json::Result<String> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, Python { ensure_ascii }))?;
    // serde_json writes UTF-8, and so do we.
    Ok(String::from_utf8_lossy(&text).into_owned())
}

struct Python {
    ensure_ascii: bool,
}

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // Python's ESCAPE_ASCII spares the space to the tilde, and so escapes DEL.
        if !self.ensure_ascii || fragment.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return writer.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            if (' '..='~').contains(&character) {
                write!(writer, "{character}")?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected texts are what Python 3.11 prints.
    #[test]
    fn text_is_that_of_python() {
        let value = serde_json::json!({"a": [1, true, null, {}], "z": [], "é\"\\\u{7f}": "東🎧\n\u{1}/"});
        let cases = [
            (
                true,
                r#"{"a": [1, true, null, {}], "z": [], "\u00e9\"\\\u007f": "\u6771\ud83c\udfa7\n\u0001/"}"#
                    .to_owned(),
            ),
            (
                false,
                "{\"a\": [1, true, null, {}], \"z\": [], \"é\\\"\\\\\u{7f}\": \"東🎧\\n\\u0001/\"}"
                    .to_owned(),
            ),
        ];
        for (ensure_ascii, expected) in cases {
            assert_eq!(dumps(&value, ensure_ascii).unwrap(), expected);
        }
    }
}
