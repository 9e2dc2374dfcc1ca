//! Strings and keys (RFC 8259, 4 and 7): escapes, surrogates, and keys that an object has twice.

use super::{
    JsonFault,
    grammar::{Fault, Key, Validator},
};

/// Up to here the keys of an object are compared each with each; beyond, they are sorted.
const FEW_KEYS: usize = 32;

impl Validator<'_> {
    /// Reads a key and the colon behind it.
    pub(super) fn key(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b'"') {
            return self.unexpected();
        }
        self.at += 1;
        self.values += 1;
        let start = self.at;
        let unescaped = match self.plain_string() {
            true => None,
            false => self.escaped_key()?,
        };
        let mut key = Key { fingerprint: 0, start, end: self.at - 1, unescaped };
        key.fingerprint = fingerprint(self.key_text(&key).as_bytes());
        self.keys.push(key);
        self.white_space();
        if self.peek() != Some(b':') {
            return self.unexpected();
        }
        self.at += 1;
        Ok(())
    }

    /// Reads a key from behind its opening quote; gives where its unescaped form stands, if it has escapes.
    fn escaped_key(&mut self) -> Result<Option<(usize, usize)>, Fault> {
        let before = self.unescaped.len();
        let mut unescaped = std::mem::take(&mut self.unescaped);
        let escaped = self.string(Some(&mut unescaped));
        self.unescaped = unescaped;
        Ok(escaped?.then_some((before, self.unescaped.len())))
    }

    fn key_text(&self, key: &Key) -> &str {
        match key.unescaped {
            Some((start, end)) => self.unescaped.get(start..end),
            None => self.text.get(key.start..key.end),
        }
        .unwrap_or_default()
    }

    /// Refuses an object that has one key twice; the keys are those from `first` on.
    pub(super) fn distinct_keys(&mut self, first: usize) -> Result<(), Fault> {
        let keys = self.keys.get(first..).unwrap_or_default();
        if keys.len() <= FEW_KEYS {
            for (position, key) in keys.iter().enumerate() {
                for earlier in keys.iter().take(position) {
                    if earlier.fingerprint == key.fingerprint && self.key_text(earlier) == self.key_text(key)
                    {
                        return Err(Fault(JsonFault::DuplicateKey, key.start));
                    }
                }
            }
            return Ok(());
        }
        let mut sorted: Vec<&Key> = keys.iter().collect();
        sorted.sort_unstable_by(|a, b| self.key_text(a).cmp(self.key_text(b)).then(a.start.cmp(&b.start)));
        for pair in sorted.windows(2) {
            if let [earlier, key] = pair
                && self.key_text(earlier) == self.key_text(key)
            {
                return Err(Fault(JsonFault::DuplicateKey, key.start));
            }
        }
        Ok(())
    }

    /// Reads a string without escapes from behind its opening quote, which most are; or stays where it is, and gives false.
    #[inline]
    pub(super) fn plain_string(&mut self) -> bool {
        let end = self.at + plain_bytes(self.bytes.get(self.at..).unwrap_or_default());
        let is_plain = self.bytes.get(end) == Some(&b'"');
        if is_plain {
            self.at = end + 1;
        }
        is_plain
    }

    /// Reads a string from behind its opening quote to behind its closing one. Where there are escapes and `unescaped` is
    /// given, the string without them is appended to it, and true comes back.
    pub(super) fn string(&mut self, mut unescaped: Option<&mut String>) -> Result<bool, Fault> {
        let mut piece = self.at;
        let mut escaped = false;
        loop {
            self.skip_plain();
            match self.peek() {
                Some(b'"') => {
                    if let (true, Some(unescaped)) = (escaped, &mut unescaped) {
                        unescaped.push_str(self.text.get(piece..self.at).unwrap_or_default());
                    }
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    let before = self.at;
                    let character = self.escape()?;
                    if let Some(unescaped) = &mut unescaped {
                        unescaped.push_str(self.text.get(piece..before).unwrap_or_default());
                        unescaped.push(character);
                    }
                    escaped = true;
                    piece = self.at;
                }
                Some(_) => return self.fault(JsonFault::ControlCharacter),
                None => return self.fault(JsonFault::UnexpectedEnd),
            }
        }
    }

    /// Goes on to the next quote, backslash, control character, or the end.
    fn skip_plain(&mut self) {
        self.at += plain_bytes(self.bytes.get(self.at..).unwrap_or_default());
    }

    /// Reads an escape from its backslash on.
    fn escape(&mut self) -> Result<char, Fault> {
        let start = self.at;
        let character = match self.bytes.get(start + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            Some(_) => return self.fault(JsonFault::MalformedEscape),
            None => return self.fault(JsonFault::UnexpectedEnd),
        };
        self.at += 2;
        Ok(character)
    }

    /// Reads `\uXXXX`, or two of them that make a surrogate pair.
    fn unicode_escape(&mut self) -> Result<char, Fault> {
        let first = self.hexadecimal(self.at)?;
        let (code, length) = match first {
            0 => return self.fault(JsonFault::NulEscape),
            0xd800..=0xdbff => match self.hexadecimal(self.at + 6) {
                Ok(second @ 0xdc00..=0xdfff) => (0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00), 12),
                _ => return self.fault(JsonFault::LoneSurrogate),
            },
            _ => (first, 6),
        };
        let Some(character) = char::from_u32(code) else { return self.fault(JsonFault::LoneSurrogate) };
        self.at += length;
        Ok(character)
    }

    fn hexadecimal(&self, start: usize) -> Result<u32, Fault> {
        match self.bytes.get(start..start + 6) {
            Some([b'\\', b'u', digits @ ..]) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(digits
                .iter()
                .fold(0, |code, digit| code << 4 | char::from(*digit).to_digit(16).unwrap_or(0))),
            _ => Err(Fault(JsonFault::MalformedEscape, start)),
        }
    }
}

/// How many bytes there are before the next quote, backslash, control character, or the end.
#[inline]
pub(super) fn plain_bytes(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let mut plain = 0;
    let (blocks, rest) = bytes.as_chunks::<8>();
    for block in blocks {
        let block = u64::from_le_bytes(*block);
        let quote = block ^ (ONES * u64::from(b'"'));
        let backslash = block ^ (ONES * u64::from(b'\\'));
        // "Determine if a word has a byte less than n" (Bit Twiddling Hacks): the lowest bit found is exact.
        let found = (quote.wrapping_sub(ONES) & !quote
            | backslash.wrapping_sub(ONES) & !backslash
            | block.wrapping_sub(ONES * 0x20) & !block)
            & HIGH;
        if found != 0 {
            return plain + (found.trailing_zeros() / 8) as usize;
        }
        plain += 8;
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
    plain + rest.iter().take_while(is_plain).count()
}

/// A cheap number that is equal for equal keys: from the length, the first and the last eight bytes.
fn fingerprint(key: &[u8]) -> u64 {
    let length = key.len() as u64;
    let (first, last) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (key.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)), 0),
    };
    (first ^ last.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(length)
}
