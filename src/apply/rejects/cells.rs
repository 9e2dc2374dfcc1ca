//! A row's cells as JSON, so that nothing of them is lost and the row can be corrected and loaded.

use rusqlite::types::ValueRef;

/// A row as a JSON object on one line.
pub(super) fn object<'a>(cells: impl Iterator<Item = (&'a str, ValueRef<'a>)>) -> String {
    let mut json = String::from("{");
    for (name, cell) in cells {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&serde_json::Value::from(name).to_string());
        json.push(':');
        append_cell(&mut json, cell);
    }
    json.push('}');
    json
}

/// A cell (SQLite, "Datatypes", 2): an INTEGER as its digits, a REAL as the shortest
/// digits that read back the same, always with a point or an exponent; a TEXT as a string. What JSON has no form for is an
/// object: `{"blob": "hexadecimal"}`, `{"text": "hexadecimal"}` for a TEXT that is no UTF-8, `{"real": "Infinity"}`.
fn append_cell(json: &mut String, cell: ValueRef<'_>) {
    match cell {
        ValueRef::Null => json.push_str("null"),
        ValueRef::Integer(integer) => json.push_str(&integer.to_string()),
        ValueRef::Real(real) if real.is_infinite() => {
            let sign = if real < 0.0 { "-" } else { "" };
            json.push_str(&format!("{{\"real\":\"{sign}Infinity\"}}"));
        }
        ValueRef::Real(real) => json.push_str(&format!("{real:?}")),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => json.push_str(&serde_json::Value::from(text).to_string()),
            Err(_) => append_bytes(json, "text", text),
        },
        ValueRef::Blob(blob) => append_bytes(json, "blob", blob),
    }
}

fn append_bytes(json: &mut String, kind: &str, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    json.reserve(bytes.len() * 2 + kind.len() + 8);
    json.push_str(&format!("{{\"{kind}\":\""));
    for byte in bytes {
        json.push(char::from(DIGITS[usize::from(byte >> 4)]));
        json.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    json.push_str("\"}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_cell_is_lost() {
        for (cell, expected) in [
            (ValueRef::Null, "null"),
            (ValueRef::Integer(i64::MIN), "-9223372036854775808"),
            (ValueRef::Integer(9_007_199_254_740_993), "9007199254740993"),
            (ValueRef::Real(1.0), "1.0"),
            (ValueRef::Real(-0.0), "-0.0"),
            (ValueRef::Real(0.1), "0.1"),
            (ValueRef::Real(1e300), "1e300"),
            (ValueRef::Real(5e-324), "5e-324"),
            (ValueRef::Real(f64::INFINITY), r#"{"real":"Infinity"}"#),
            (ValueRef::Real(f64::NEG_INFINITY), r#"{"real":"-Infinity"}"#),
            (ValueRef::Text(b"a\"\\\n\0"), r#""a\"\\\n\u0000""#),
            (ValueRef::Text("é🎵".as_bytes()), "\"é🎵\""),
            (ValueRef::Text(b"a\xff"), r#"{"text":"61ff"}"#),
            (ValueRef::Text(b""), "\"\""),
            (ValueRef::Blob(b"\x00\xab"), r#"{"blob":"00ab"}"#),
            (ValueRef::Blob(b""), r#"{"blob":""}"#),
        ] {
            let json = object([("c\"", cell)].into_iter());
            assert_eq!(json, format!("{{\"c\\\"\":{expected}}}"));
            assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
        }
        let two = [("a", ValueRef::Null), ("b", ValueRef::Integer(1))];
        assert_eq!(object(two.into_iter()), r#"{"a":null,"b":1}"#);
    }
}
