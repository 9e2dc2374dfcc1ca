//! Keys in the order in which `jsonb` keeps them, so that the server finds them sorted.
//!
//! `jsonb` sorts each object's keys, the shorter ones first and those of one length by their bytes
//! (`lengthCompareJsonbStringValue` in PostgreSQL's `jsonb_util.c`). PostgreSQL's `qsort` looks first whether there is
//! anything to sort, so that a document whose keys come in that order costs it a sixth less; bringing them there costs a
//! fraction of that. It is a service, never a condition: the value is the same in any order. So keys are told apart by
//! their length and first bytes alone, as they are written, and a large document goes as it came.

use super::strings::plain_bytes;

/// A longer document goes as it came: what is put in order is held twice.
const LONGEST_BYTES: usize = 1 << 20;

/// A key with its value: a piece of the text that can change places with another.
struct Member {
    /// What the order goes by: the key's length, then its first bytes.
    rank: u64,
    /// Where the key's opening quote stands.
    start: usize,
    /// Where the comma or the bracket behind the value stands.
    end: usize,
}

/// A key's place among others; the key begins the text.
#[inline]
fn rank(text: &[u8], length: usize) -> u64 {
    // What follows the key is no part of it.
    let first = text.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes)) >> 16;
    let others = 48_u32.saturating_sub(8 * length as u32);
    (length as u64) << 48 | first >> others << others
}

/// An open array or object.
enum Open {
    Array,
    Object {
        /// The position in [`KeyOrder::members`] of its first member.
        first: usize,
        in_order: bool,
    },
}

/// Brings one document after another into order, and keeps the memory for that.
#[derive(Default)]
pub(crate) struct KeyOrder {
    open: Vec<Open>,
    /// The members of all open objects, outermost first.
    members: Vec<Member>,
    /// One object's members, by their ranks and positions.
    order: Vec<(u64, usize)>,
    /// The members of one object, as they were.
    before: Vec<u8>,
}

impl KeyOrder {
    /// Puts the members of every object of a JSON text in order, in place. It must be valid ([`super::validate`]).
    pub(crate) fn sort(&mut self, text: &mut [u8]) {
        if text.len() > LONGEST_BYTES {
            return;
        }
        self.open.clear();
        self.members.clear();
        let mut at = 0;
        let mut key_is_next = false;
        while let Some(byte) = text.get(at) {
            match byte {
                b'"' => {
                    let start = at;
                    at = behind_string(text, start + 1);
                    if key_is_next {
                        let rank = rank(text.get(start + 1..).unwrap_or_default(), at - start - 2);
                        self.member(Member { rank, start, end: at });
                        key_is_next = false;
                    }
                    continue;
                }
                b'{' => {
                    self.open.push(Open::Object { first: self.members.len(), in_order: true });
                    key_is_next = true;
                }
                b'[' => self.open.push(Open::Array),
                b',' => {
                    if let (Some(Open::Object { .. }), Some(member)) =
                        (self.open.last(), self.members.last_mut())
                    {
                        member.end = at;
                        key_is_next = true;
                    }
                }
                b'}' => {
                    key_is_next = false;
                    self.close(text, at);
                }
                b']' => drop(self.open.pop()),
                _ => {}
            }
            at += 1;
        }
    }

    /// A key has been read.
    fn member(&mut self, member: Member) {
        if let Some(Open::Object { first, in_order }) = self.open.last_mut()
            && let Some(before) = self.members.get(*first..).and_then(<[Member]>::last)
        {
            *in_order &= before.rank <= member.rank;
        }
        self.members.push(member);
    }

    /// An object ends here.
    fn close(&mut self, text: &mut [u8], at: usize) {
        let Some(Open::Object { first, in_order }) = self.open.pop() else { return };
        if !in_order {
            if let Some(last) = self.members.last_mut() {
                last.end = at;
            }
            self.rearrange(text, first);
        }
        self.members.truncate(first);
    }

    /// Writes an object's members in order. What stands between them keeps its place.
    fn rearrange(&mut self, text: &mut [u8], first: usize) {
        let KeyOrder { members, order, before, .. } = self;
        let members = members.get(first..).unwrap_or_default();
        let [first, .., last] = members else { return };
        let Some(whole) = text.get_mut(first.start..last.end) else { return };
        before.clear();
        before.extend_from_slice(whole);
        let start = first.start;
        let piece = |from: usize, to: usize| before.get(from - start..to - start).unwrap_or_default();
        order.clear();
        order.extend(members.iter().map(|member| member.rank).zip(0..));
        order.sort_unstable();
        let between = members.windows(2).map(|pair| match pair {
            [one, other] => piece(one.end, other.start),
            _ => &[],
        });
        let mut to = 0;
        let mut write = |bytes: &[u8]| {
            if let Some(place) = whole.get_mut(to..to + bytes.len()) {
                place.copy_from_slice(bytes);
                to += bytes.len();
            }
        };
        for ((_, at), between) in order.iter().zip(between.chain([&[][..]])) {
            let Some(member) = members.get(*at) else { continue };
            write(piece(member.start, member.end));
            write(between);
        }
    }
}

/// The position behind a string's closing quote; `at` is behind its opening one.
fn behind_string(text: &[u8], mut at: usize) -> usize {
    loop {
        at += plain_bytes(text.get(at..).unwrap_or_default());
        match text.get(at) {
            Some(b'"') | None => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        KeyOrder::default().sort(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn shorter_keys_come_first_then_those_of_lower_bytes() {
        for (text, expected) in [
            ("{}", "{}"),
            (r#"[1, "b", "a"]"#, r#"[1, "b", "a"]"#),
            (r#"{"a":1,"b":2,"aa":3}"#, r#"{"a":1,"b":2,"aa":3}"#),
            (r#"{"aa":1,"b":2}"#, r#"{"b":2,"aa":1}"#),
            (r#"{"b":"x","a":"y","":"z"}"#, r#"{"":"z","a":"y","b":"x"}"#),
            // What stands between members stays there.
            (r#" { "c": 1 ,"b":2,  "a" : 3 } "#, r#" { "a" : 3 ,"b":2,  "c": 1 } "#),
            // Values come along, whatever is in them.
            (
                r#"{"b":"},{\"a\\","a":["}",{"z":{"q":1,"p":2},"y":0}]}"#,
                r#"{"a":["}",{"y":0,"z":{"p":2,"q":1}}],"b":"},{\"a\\"}"#,
            ),
            (r#"[{"b":1,"a":2},{"d":[],"c":{}}]"#, r#"[{"a":2,"b":1},{"c":{},"d":[]}]"#),
            (r#"{"ä":1,"z":2}"#, r#"{"z":2,"ä":1}"#),
            // Keys that begin alike keep the order that they have.
            (r#"{"market_b":1,"market_a":2}"#, r#"{"market_b":1,"market_a":2}"#),
        ] {
            assert_eq!(sorted(text), expected, "{text}");
        }
    }

    #[test]
    fn a_large_document_goes_as_it_came() {
        let large = format!("{{\"b\":\"{}\",\"a\":1}}", "x".repeat(LONGEST_BYTES));
        assert_eq!(sorted(&large), large);
    }

    #[test]
    fn what_is_no_json_keeps_its_bytes() {
        for text in
            ["", "\"", "{\"", "{\"a", "{\"a\\", "}", "]", ",", "{,\"b\":,\"a\"}", "{\"b\":[},\"a\":1}"]
        {
            let (mut before, mut after) = (text.as_bytes().to_vec(), sorted(text).into_bytes());
            before.sort_unstable();
            after.sort_unstable();
            assert_eq!(before, after, "{text}");
        }
    }
}
