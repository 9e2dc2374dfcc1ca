//! JSON text as PostgreSQL prints the `jsonb` that it makes of it.
//!
//! In: a cell's JSON text. Out: the bytes that `jsonb_send` would send behind its version byte, so that the target's
//! bytes are compared as they come and only the source's are worked on. PostgreSQL's manual, 8.14 "JSON Types":
//! object keys are unique (the last one wins) and in an order of their own (shorter first, then bytewise), white
//! space goes, numbers are `numeric` and keep their trailing zeros behind the point. One pass, an explicit stack
//! (nesting costs no call stack), buffers that are used again.

use std::cmp::Ordering;

use super::decimal;

/// Turns JSON texts into `jsonb`'s own text.
#[derive(Debug, Default)]
pub(super) struct Transcoder {
    /// Open arrays and objects.
    open: Vec<Container>,
    /// Members of all open objects, the innermost one's last.
    members: Vec<Member>,
    /// Keys that hold an escape in canonical form, without it: they are ordered by what they mean.
    plain_keys: Vec<u8>,
    /// Where an object's members are put in order.
    scratch: Vec<u8>,
}

/// What a JSON text holds, beyond its canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transcoded {
    /// An object names a key twice; the last value was taken, as PostgreSQL does.
    pub(super) duplicate_keys: bool,
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
    /// Appends the canonical text of `json` to `out`. `None`: PostgreSQL does not take the text; what was appended
    /// then is of no use.
    pub(super) fn transcode(&mut self, json: &[u8], out: &mut Vec<u8>) -> Option<Transcoded> {
        self.open.clear();
        self.members.clear();
        self.plain_keys.clear();
        let mut input = Input { bytes: json, at: 0 };
        let mut duplicate_keys = false;
        loop {
            match input.token()? {
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
                    None => return input.is_at_end().then_some(Transcoded { duplicate_keys }),
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

/// Appends what a canonical string means: the reverse of [`escape`].
fn unescape(text: &[u8], plain: &mut Vec<u8>) {
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

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Input<'_> {
    /// The next byte that is no white space, not taken.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                &byte => return Some(byte),
            }
        }
    }

    /// The next byte that is no white space.
    fn token(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// The rest of a word whose first letter was taken.
    fn word(&mut self, word: &[u8], out: &mut Vec<u8>) -> Option<()> {
        if !self.bytes[self.at - 1..].starts_with(word) {
            return None;
        }
        self.at += word.len() - 1;
        out.extend_from_slice(word);
        Some(())
    }

    /// The rest of a string whose opening quote was taken. Returns whether its canonical form holds an escape.
    fn string(&mut self, out: &mut Vec<u8>) -> Option<bool> {
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
    fn number(&mut self, out: &mut Vec<u8>) -> Option<()> {
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
fn plain_run(bytes: &[u8]) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn nesting_costs_no_call_stack() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert_eq!(canonical(&deep).map(|(text, _)| text.len()), Some(deep.len()));
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
