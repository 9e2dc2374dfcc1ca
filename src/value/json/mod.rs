//! `jsonb` (PostgreSQL's manual, 8.14): a text that PostgreSQL takes, and keeps without loss.
//!
//! Only TEXT cells are JSON; SQLite's own binary JSONB is a blob. The grammar is RFC 8259, and more is refused, because
//! `jsonb` would refuse it or lose it: `\u0000` and lone surrogates (8.14.1), numbers beyond `numeric` (8.14, table
//! 8.23), an object with the same key twice (8.14: "only the last value is kept"), nesting over [`MAX_JSON_DEPTH`],
//! and values over the binary form's size.
//!
//! The order of keys, white space, and the sign of zero are not kept: that is `jsonb`'s normal form.
//!
//! Written by hand, without building anything, because the audit runs it over every text: it goes through the bytes once,
//! keeps its own stack (so no input can overflow the thread's), and skips over the inside of strings eight bytes at a time.

mod grammar;
mod key_order;
mod numbers;
mod strings;

use std::fmt;

pub(crate) use key_order::KeyOrder;
use rusqlite::types::ValueRef;

use super::{Misfit, text::utf8_text};
use crate::schema::PgType;

/// How deep arrays and objects may be nested: SQLite's own limit for JSON (`JSON_MAX_DEPTH`, "JSON Functions", 3.1), and
/// far below what PostgreSQL's default `max_stack_depth` of 2 MB carries (over 7,000 levels in version 15).
pub const MAX_JSON_DEPTH: usize = 1_000;

/// What is wrong with a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonFault {
    /// Nothing but white space.
    Empty,
    /// The text stops inside a value.
    UnexpectedEnd,
    /// A character that cannot stand here.
    UnexpectedCharacter,
    /// `NaN` or `Infinity`, which JSON does not have.
    NotFinite,
    /// Something follows the value.
    TrailingCharacters,
    /// A number that is not of JSON's form (`01`, `1.`, `+1`).
    MalformedNumber,
    /// More than 131,072 digits before the point, or 16,383 behind it.
    NumberOutOfRange,
    /// A control character (below U+0020) inside a string, not escaped.
    ControlCharacter,
    /// A backslash that starts no escape.
    MalformedEscape,
    /// `\u0000`, which PostgreSQL's text cannot hold.
    NulEscape,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// The same key twice in one object; `jsonb` keeps only the last.
    DuplicateKey,
    /// Nested deeper than [`MAX_JSON_DEPTH`].
    TooDeep,
    /// The binary form could exceed 256 MB.
    TooLarge,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JsonFault::Empty => "the text is empty",
            JsonFault::UnexpectedEnd => "the text stops inside a value",
            JsonFault::UnexpectedCharacter => "a character that cannot stand here",
            JsonFault::NotFinite => "NaN or Infinity, which JSON does not have",
            JsonFault::TrailingCharacters => "something follows the value",
            JsonFault::MalformedNumber => "a number that is not of JSON's form",
            JsonFault::NumberOutOfRange => "a number beyond the range of numeric",
            JsonFault::ControlCharacter => "a control character inside a string, not escaped",
            JsonFault::MalformedEscape => "a backslash that starts no escape",
            JsonFault::NulEscape => "an escaped NUL character, which PostgreSQL cannot hold",
            JsonFault::LoneSurrogate => "half of a surrogate pair",
            JsonFault::DuplicateKey => "the same key twice in one object, of which one value would be lost",
            JsonFault::TooDeep => "nested deeper than 1,000 levels",
            JsonFault::TooLarge => "too large for jsonb's binary form (256 MB)",
        })
    }
}

/// Reads `jsonb`.
pub(super) fn jsonb(cell: ValueRef<'_>) -> Result<&str, Misfit> {
    let ValueRef::Text(bytes) = cell else { return Err(Misfit::class(cell, PgType::Jsonb)) };
    let text = utf8_text(bytes)?;
    validate(text)?;
    Ok(text)
}

/// Says whether a text is JSON that `jsonb` keeps. It must be without NUL characters ([`utf8_text`]).
///
/// # Errors
/// [`Misfit::Json`].
pub(crate) fn validate(text: &str) -> Result<(), Misfit> {
    grammar::Validator::over(text)
        .document()
        .map_err(|grammar::Fault(fault, offset)| Misfit::Json { fault, offset })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fault(text: &str) -> Option<(JsonFault, usize)> {
        match jsonb(ValueRef::Text(text.as_bytes())) {
            Ok(_) => None,
            Err(Misfit::Json { fault, offset }) => Some((fault, offset)),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn what_jsonb_takes() {
        let deep = format!("{}{}", "[".repeat(MAX_JSON_DEPTH), "]".repeat(MAX_JSON_DEPTH));
        let number = format!("1{}", "0".repeat(131_071));
        let small = format!("0.{}1", "0".repeat(16_382));
        let many = format!("{{{}}}", (0..100).map(|n| format!("\"k{n}\":{n}")).collect::<Vec<_>>().join(","));
        for text in [
            "{}",
            " [ ] ",
            "null",
            "true",
            "-0.0",
            "1E+2",
            "1e131071",
            "1e-16383",
            "0e200000",
            "0.0001e131075",
            "\"\"",
            r#""a\"\\\/\b\f\n\r\tä\ud83d\ude00""#,
            r#"{"a":{"a":1},"b":[{"a":1},{"a":2}],"A":0}"#,
            r#"{"":1," ":2}"#,
            "\"\u{7f}\u{2028}音楽 long enough for blocks of eight\"",
            &deep,
            &number,
            &small,
            &many,
        ] {
            assert_eq!(fault(text), None, "{}", text.chars().take(60).collect::<String>());
        }
    }

    #[test]
    fn each_refusal_has_its_reason_and_place() {
        use JsonFault::{
            ControlCharacter, DuplicateKey, Empty, LoneSurrogate, MalformedEscape, MalformedNumber,
            NotFinite, NulEscape, NumberOutOfRange, TooDeep, TrailingCharacters, UnexpectedCharacter,
            UnexpectedEnd,
        };
        let deep = "[".repeat(MAX_JSON_DEPTH + 1);
        let number = format!("1{}", "0".repeat(131_072));
        let small = format!("0.{}1", "0".repeat(16_383));
        let many = format!("{{{}\"k7\":0}}", (0..100).map(|n| format!("\"k{n}\":{n},")).collect::<String>());
        let many_at = many.len() - 6;
        for (text, expected) in [
            ("", (Empty, 0)),
            (" \n", (Empty, 2)),
            ("{", (UnexpectedEnd, 1)),
            ("[1,", (UnexpectedEnd, 3)),
            ("[1,]", (UnexpectedCharacter, 3)),
            ("{\"a\":1,}", (UnexpectedCharacter, 7)),
            ("{a:1}", (UnexpectedCharacter, 1)),
            ("{'a':1}", (UnexpectedCharacter, 1)),
            ("{\"a\" 1}", (UnexpectedCharacter, 5)),
            ("[1}", (UnexpectedCharacter, 2)),
            ("{} x", (TrailingCharacters, 3)),
            ("2024-01-01", (TrailingCharacters, 4)),
            ("nul", (UnexpectedCharacter, 0)),
            ("[NaN]", (NotFinite, 1)),
            ("-Infinity", (NotFinite, 0)),
            ("01", (MalformedNumber, 0)),
            ("[1.]", (MalformedNumber, 1)),
            ("-", (MalformedNumber, 0)),
            ("1e", (MalformedNumber, 0)),
            ("+1", (UnexpectedCharacter, 0)),
            ("1e131072", (NumberOutOfRange, 0)),
            ("[10e131071]", (NumberOutOfRange, 1)),
            ("1e-16384", (NumberOutOfRange, 0)),
            ("1e99999999999999999999", (NumberOutOfRange, 0)),
            (&number, (NumberOutOfRange, 0)),
            (&small, (NumberOutOfRange, 0)),
            ("\"abcdefgh\nx\"", (ControlCharacter, 9)),
            ("\"abc", (UnexpectedEnd, 4)),
            (r#""\x""#, (MalformedEscape, 1)),
            (r#""\u12g4""#, (MalformedEscape, 1)),
            (r#""a\u0000""#, (NulEscape, 2)),
            (r#""\ud800""#, (LoneSurrogate, 1)),
            (r#""\ud800\u0041""#, (LoneSurrogate, 1)),
            (r#""\udc00\ud800""#, (LoneSurrogate, 1)),
            (r#"{"a":1,"b":2,"a":1}"#, (DuplicateKey, 14)),
            (r#"[{"key":1,"\u006bey":2}]"#, (DuplicateKey, 11)),
            (r#"{"x":{"\u0061":1,"a":2}}"#, (DuplicateKey, 18)),
            (&many, (DuplicateKey, many_at)),
            (&deep, (TooDeep, MAX_JSON_DEPTH)),
        ] {
            assert_eq!(fault(text), Some(expected), "{}", text.chars().take(60).collect::<String>());
        }
    }

    #[test]
    fn only_text_is_json() {
        assert!(jsonb(ValueRef::Integer(1)).is_err());
        assert!(jsonb(ValueRef::Blob(b"{}")).is_err());
        assert_eq!(jsonb(ValueRef::Text(b"\"\xff\"")), Err(Misfit::NotUtf8 { offset: 1 }));
        assert_eq!(jsonb(ValueRef::Text(b"1\0")), Err(Misfit::Nul { offset: 1 }));
    }

    /// A JSON value with keys that are distinct within an object, and numbers of every form.
    fn json() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            any::<i64>().prop_map(|n| n.to_string()),
            "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
            any::<String>().prop_map(|s| serde_json::to_string(&s.replace('\0', "")).unwrap()),
        ];
        scalar.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(|v| format!("[ {} ]", v.join(" ,\n"))),
                prop::collection::btree_map("[a-z\u{e4}\"\\\\]{0,12}", inner, 0..6).prop_map(|m| {
                    let members =
                        m.iter().map(|(k, v)| format!("{} : {v}", serde_json::to_string(k).unwrap()));
                    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn valid_json_is_taken(text in json()) {
            prop_assert_eq!(fault(&text), None);
        }

        #[test]
        fn keys_in_another_order_are_the_same_value(text in json()) {
            let mut sorted = text.clone().into_bytes();
            KeyOrder::default().sort(&mut sorted);
            let value = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).unwrap();
            prop_assert_eq!(value(text.as_bytes()), value(&sorted));
            prop_assert_eq!(sorted.len(), text.len());
        }

        #[test]
        fn what_is_broken_is_refused_exactly_where_serde_json_refuses_it(
            text in json(), at: prop::sample::Index, insert in prop_oneof!["[\\[\\]{}:,\"\\\\0-9eE.+ tfnu-]", Just(String::new())],
        ) {
            let mut characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len());
            characters.splice(at..=at, insert.chars());
            let broken: String = characters.into_iter().collect();
            let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&broken).is_ok();
            match fault(&broken) {
                // Documented differences: these are JSON, but not what jsonb keeps.
                Some((JsonFault::DuplicateKey | JsonFault::NulEscape | JsonFault::NumberOutOfRange, _)) => {}
                // serde_json's raw values do not look at surrogates.
                Some((JsonFault::LoneSurrogate, _)) => {}
                ours => prop_assert_eq!(ours.is_none(), theirs, "{}", broken),
            }
        }
    }
}
