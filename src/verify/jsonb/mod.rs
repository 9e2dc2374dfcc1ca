//! JSON text as PostgreSQL prints the `jsonb` that it makes of it.
//!
//! In: a cell's JSON text. Out: the bytes that `jsonb_send` would send behind its version byte, so that the target's
//! bytes are compared as they come and only the source's are worked on. PostgreSQL's manual, 8.14 "JSON Types":
//! object keys are unique (the last one wins) and in an order of their own (shorter first, then bytewise), white
//! space goes, numbers are `numeric` and keep their trailing zeros behind the point. One pass, an explicit stack
//! (nesting costs no call stack), buffers that are used again. What is nested too deep or too large to be written has no
//! form.

mod input;

use std::cmp::Ordering;

use input::{Input, unescape};

/// Arrays and objects inside each other: SQLite's own JSON functions take no more ("JSON Functions", 3.1), so the
/// mapping's `jsonb` takes no more either.
const MAX_DEPTH: usize = 1_000;

/// Bytes that an array or an object may have in `jsonb`'s binary form: `JENTRY_OFFLENMASK` in PostgreSQL's `jsonb.h`.
const MAX_BINARY_BYTES: usize = 0x0fff_ffff;

/// Bytes that a key or a value takes there beyond its text, at most: with these the size is estimated from above.
const BINARY_BYTES_A_VALUE: usize = 16;

/// Turns JSON texts into `jsonb`'s own text.
#[derive(Debug, Default)]
pub struct Transcoder {
    /// Open arrays and objects.
    open: Vec<Container>,
    /// Members of all open objects, the innermost one's last.
    members: Vec<Member>,
    /// Keys that hold an escape in canonical form, without it: they are ordered by what they mean.
    plain_keys: Vec<u8>,
    /// Where an object's members are put in order.
    scratch: Vec<u8>,
    /// Keys and values so far.
    values: usize,
}

/// What a JSON text holds, beyond its canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transcoded {
    /// An object names a key twice; the last value was taken, as PostgreSQL does.
    pub duplicate_keys: bool,
}

#[derive(Debug)]
enum Container {
    Array,
    Object { first_member: usize, start: usize },
}

/// One `"key": value` in the output.
#[derive(Debug, Clone, Copy)]
struct Member {
    start: usize,
    end: usize,
    key: KeyPlace,
}

#[derive(Debug, Clone, Copy)]
enum KeyPlace {
    /// As written in the output, this many bytes behind the member's opening quote.
    Output(usize),
    /// In `plain_keys`.
    Plain { start: usize, end: usize },
}

impl Transcoder {
    /// Appends the canonical text of `json` to `out`. `None`: PostgreSQL does not take the text, or it is deeper or
    /// larger than the mapping's `jsonb` takes; what was appended then is of no use.
    pub fn transcode(&mut self, json: &[u8], out: &mut Vec<u8>) -> Option<Transcoded> {
        self.open.clear();
        self.members.clear();
        self.plain_keys.clear();
        self.values = 0;
        let mut input = Input { bytes: json, at: 0 };
        let mut duplicate_keys = false;
        loop {
            self.values += 1;
            match input.token()? {
                b'{' | b'[' if self.open.len() == MAX_DEPTH => return None,
                b'{' => {
                    out.push(b'{');
                    let object = Container::Object { first_member: self.members.len(), start: out.len() };
                    if input.peek()? == b'}' {
                        input.at += 1;
                        out.push(b'}');
                    } else {
                        self.open.push(object);
                        self.key(&mut input, out)?;
                        continue;
                    }
                }
                b'[' => {
                    out.push(b'[');
                    if input.peek()? == b']' {
                        input.at += 1;
                        out.push(b']');
                    } else {
                        self.open.push(Container::Array);
                        continue;
                    }
                }
                b'"' => {
                    input.string(out)?;
                }
                b't' => input.word(b"true", out)?,
                b'f' => input.word(b"false", out)?,
                b'n' => input.word(b"null", out)?,
                b'-' | b'0'..=b'9' => {
                    input.at -= 1;
                    input.number(out)?;
                }
                _ => return None,
            }
            // A value has ended: so may the containers that it stands in.
            loop {
                match self.open.last() {
                    None => {
                        let binary_bytes = json.len() + self.values * BINARY_BYTES_A_VALUE;
                        let whole = input.is_at_end() && binary_bytes <= MAX_BINARY_BYTES;
                        return whole.then_some(Transcoded { duplicate_keys });
                    }
                    Some(Container::Array) => match input.token()? {
                        b',' => {
                            out.extend_from_slice(b", ");
                            break;
                        }
                        b']' => {
                            out.push(b']');
                            self.open.pop();
                        }
                        _ => return None,
                    },
                    Some(&Container::Object { first_member, start }) => {
                        if let Some(member) = self.members.last_mut() {
                            member.end = out.len();
                        }
                        match input.token()? {
                            b',' => {
                                out.extend_from_slice(b", ");
                                self.key(&mut input, out)?;
                                break;
                            }
                            b'}' => {
                                duplicate_keys |= self.close_object(first_member, start, out);
                                out.push(b'}');
                                self.open.pop();
                            }
                            _ => return None,
                        }
                    }
                }
            }
        }
    }

    /// Reads `"key":` and opens its member.
    fn key(&mut self, input: &mut Input<'_>, out: &mut Vec<u8>) -> Option<()> {
        if input.token()? != b'"' {
            return None;
        }
        self.values += 1;
        let start = out.len();
        let escaped = input.string(out)?;
        let key = if escaped {
            let plain_start = self.plain_keys.len();
            unescape(&out[start + 1..out.len() - 1], &mut self.plain_keys);
            KeyPlace::Plain { start: plain_start, end: self.plain_keys.len() }
        } else {
            KeyPlace::Output(out.len() - start - 2)
        };
        if input.token()? != b':' {
            return None;
        }
        out.extend_from_slice(b": ");
        self.members.push(Member { start, end: 0, key });
        Some(())
    }

    /// Puts the members of the innermost object, which begin at `start` in `out`, in PostgreSQL's order. Returns
    /// whether a key was there twice.
    fn close_object(&mut self, first_member: usize, start: usize, out: &mut Vec<u8>) -> bool {
        let (members, plain_keys, scratch) =
            (&mut self.members[first_member..], &self.plain_keys, &mut self.scratch);
        let compare = |a: &Member, b: &Member, out: &[u8]| -> Ordering {
            let (a, b) = (key_bytes(a, out, plain_keys), key_bytes(b, out, plain_keys));
            a.len().cmp(&b.len()).then_with(|| a.cmp(b))
        };
        let mut duplicates = false;
        if !members.is_sorted_by(|a, b| compare(a, b, out).is_lt()) {
            members.sort_by(|a, b| compare(a, b, out));
            scratch.clear();
            for (index, member) in members.iter().enumerate() {
                // The sort is stable: of equal keys the last written stands last, and wins.
                if members.get(index + 1).is_some_and(|next| compare(member, next, out).is_eq()) {
                    duplicates = true;
                    continue;
                }
                if !scratch.is_empty() {
                    scratch.extend_from_slice(b", ");
                }
                scratch.extend_from_slice(&out[member.start..member.end]);
            }
            out.truncate(start);
            out.extend_from_slice(scratch);
        }
        self.members.truncate(first_member);
        duplicates
    }
}

/// A member's key as it is compared.
fn key_bytes<'a>(member: &Member, out: &'a [u8], plain_keys: &'a [u8]) -> &'a [u8] {
    match member.key {
        KeyPlace::Output(length) => &out[member.start + 1..member.start + 1 + length],
        KeyPlace::Plain { start, end } => &plain_keys[start..end],
    }
}

#[cfg(test)]
mod tests {
    use super::{input::plain_run, *};

    fn canonical(json: &str) -> Option<(String, bool)> {
        let mut out = b"kept:".to_vec();
        let transcoded = Transcoder::default().transcode(json.as_bytes(), &mut out)?;
        let text = String::from_utf8(out).expect("UTF-8");
        Some((
            text.strip_prefix("kept:").expect("what was there stays").to_owned(),
            transcoded.duplicate_keys,
        ))
    }

    #[test]
    fn texts_become_what_postgresql_prints() {
        for (json, expected) in [
            ("null", "null"),
            (" [ ] ", "[]"),
            ("{\n}", "{}"),
            ("[1,[true,false],{}]", "[1, [true, false], {}]"),
            (r#"{"bb":1,"a":2,"c":3}"#, r#"{"a": 2, "c": 3, "bb": 1}"#),
            (
                r#"{"b":{"y":1,"x":[{"d":1,"c":2}]},"a":0}"#,
                r#"{"a": 0, "b": {"x": [{"c": 2, "d": 1}], "y": 1}}"#,
            ),
            (r#"{"é":1,"zz":2,"z":3}"#, r#"{"z": 3, "zz": 2, "é": 1}"#),
            // The escaped quote is one byte in its place in the order, not two.
            (r#"{"aa":1,"\"":2,"b":3}"#, r#"{"\"": 2, "b": 3, "aa": 1}"#),
            (r#""\u0041\/\u00e9\ud83c\udfb5\u0009\u001f\u007f""#, "\"A/é🎵\\t\\u001f\u{7f}\""),
            (r#""\"\\\b\f\n\r\t""#, r#""\"\\\b\f\n\r\t""#),
            (
                "[1e2,1.50e1,-0.0,-0,1.10,12345e-3,0e5,0e-3,-1E+1]",
                "[100, 15.0, 0.0, 0, 1.10, 12.345, 0, 0.000, -10]",
            ),
        ] {
            assert_eq!(canonical(json), Some((expected.to_owned(), false)), "{json}");
            assert_eq!(canonical(expected), Some((expected.to_owned(), false)), "{expected}");
        }
    }

    #[test]
    fn of_a_key_that_is_there_twice_the_last_value_is_taken_and_said_so() {
        let expected = r#"{"a": 4, "bb": {"x": 2}}"#;
        let found = canonical(r#"{"bb":{"x":1,"x":2},"a":1,"\u0061":4}"#);
        assert_eq!(found, Some((expected.to_owned(), true)));
    }

    #[test]
    fn what_postgresql_refuses_has_no_form() {
        for json in [
            "",
            " ",
            "{",
            "[1",
            "[1,]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "'a'",
            "tru",
            "nulll",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "NaN",
            "1 1",
            "\"a",
            "\"\\x\"",
            "\"\\u00g0\"",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"\t\"",
            "1e131072",
            "1e-16384",
            "]",
            "}",
        ] {
            assert_eq!(canonical(json), None, "{json}");
        }
    }

    #[test]
    fn nesting_ends_at_a_thousand_and_costs_no_call_stack() {
        let arrays = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(canonical(&arrays(1_000)), Some((arrays(1_000), false)));
        assert_eq!(canonical(&arrays(1_001)), None);
        assert_eq!(canonical(&arrays(1_000_000)), None);
        let objects = |depth: usize| "{\"a\": ".repeat(depth) + "{}" + &"}".repeat(depth);
        assert_eq!(canonical(&objects(999)), Some((objects(999), false)));
        assert_eq!(canonical(&objects(1_000)), None);
    }

    #[test]
    fn special_bytes_are_found_at_every_distance() {
        for length in 0..40 {
            for special in [b'"', b'\\', 0, 0x1f] {
                let mut text = vec![b'a'; length];
                text.push(special);
                text.extend_from_slice("é\u{7f}~ 0123456789".as_bytes());
                assert_eq!(plain_run(&text), length);
            }
            let plain = "é~\u{7f} ".repeat(length);
            assert_eq!(plain_run(plain.as_bytes()), plain.len());
        }
    }
}
