//! The validator's state and the grammar of values (RFC 8259, 2 to 5), with a stack of its own.

use super::{JsonFault, MAX_JSON_DEPTH};

/// Bytes of the largest string, array or object in `jsonb`: `JENTRY_OFFLENMASK` in PostgreSQL's `jsonb.h`.
const MAX_JSONB_BYTES: usize = 0x0fff_ffff;

/// What one key or value adds to the binary form, at most, beyond the bytes of its text: its entry (4), a number's
/// header (6 more than two digits in text) and padding (3), an empty container's header (4), rounded up.
const OVERHEAD_BYTES: usize = 16;

/// What is wrong, and at which byte.
pub(super) struct Fault(pub(super) JsonFault, pub(super) usize);

/// An open array or object.
#[derive(Clone, Copy)]
enum Open {
    Array,
    /// With the position in [`Validator::keys`] of its first key.
    Object(usize),
}

/// A key of an object that is still open.
#[derive(Clone, Copy)]
pub(super) struct Key {
    /// Equal for equal keys; mostly different for different ones.
    pub(super) fingerprint: u64,
    /// Where the key stands in the text, between the quotes.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where its unescaped form stands in [`Validator::unescaped`], if it has escapes.
    pub(super) unescaped: Option<(usize, usize)>,
}

pub(super) struct Validator<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    /// Keys and values so far.
    pub(super) values: usize,
    open: Vec<Open>,
    /// The keys of all open objects, outermost first.
    pub(super) keys: Vec<Key>,
    pub(super) unescaped: String,
}

impl<'a> Validator<'a> {
    /// Stands before the first byte of a text.
    pub(super) fn over(text: &'a str) -> Validator<'a> {
        Validator {
            text,
            bytes: text.as_bytes(),
            at: 0,
            values: 0,
            open: Vec::new(),
            keys: Vec::new(),
            unescaped: String::new(),
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn fault<T>(&self, fault: JsonFault) -> Result<T, Fault> {
        Err(Fault(fault, self.at))
    }

    /// What to say of a byte (or the end) that is not what the grammar wants.
    pub(super) fn unexpected<T>(&self) -> Result<T, Fault> {
        match self.peek() {
            None => self.fault(JsonFault::UnexpectedEnd),
            Some(b'N' | b'I') => self.fault(JsonFault::NotFinite),
            Some(_) => self.fault(JsonFault::UnexpectedCharacter),
        }
    }

    pub(super) fn white_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    pub(super) fn document(mut self) -> Result<(), Fault> {
        self.white_space();
        if self.peek().is_none() {
            return self.fault(JsonFault::Empty);
        }
        loop {
            if self.value_or_opening()? {
                continue;
            }
            if self.after_value()? {
                break;
            }
        }
        if self.bytes.len() + self.values.saturating_mul(OVERHEAD_BYTES) > MAX_JSONB_BYTES {
            return Err(Fault(JsonFault::TooLarge, self.bytes.len()));
        }
        Ok(())
    }

    /// Reads a scalar or an empty container (false), or opens a container and stands before its first value (true).
    fn value_or_opening(&mut self) -> Result<bool, Fault> {
        self.white_space();
        self.values += 1;
        match self.peek() {
            Some(b'{') => {
                self.enter(Open::Object(self.keys.len()))?;
                if self.peek() == Some(b'}') {
                    return self.leave();
                }
                self.key()?;
                return Ok(true);
            }
            Some(b'[') => {
                self.enter(Open::Array)?;
                if self.peek() == Some(b']') {
                    return self.leave();
                }
                return Ok(true);
            }
            Some(b'"') => {
                self.at += 1;
                if !self.plain_string() {
                    self.string(None)?;
                }
            }
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.literal(b"true")?,
            Some(b'f') => self.literal(b"false")?,
            Some(b'n') => self.literal(b"null")?,
            _ => return self.unexpected(),
        }
        Ok(false)
    }

    /// Closes what ends here; stands before the next value (false) or at the end of the text (true).
    fn after_value(&mut self) -> Result<bool, Fault> {
        loop {
            self.white_space();
            match (self.open.last().copied(), self.peek()) {
                (None, None) => return Ok(true),
                (None, Some(_)) => return self.fault(JsonFault::TrailingCharacters),
                (Some(Open::Array), Some(b',')) => {
                    self.at += 1;
                    return Ok(false);
                }
                (Some(Open::Object(_)), Some(b',')) => {
                    self.at += 1;
                    self.white_space();
                    self.key()?;
                    return Ok(false);
                }
                (Some(Open::Array), Some(b']')) => {
                    self.leave()?;
                }
                (Some(Open::Object(first)), Some(b'}')) => {
                    self.distinct_keys(first)?;
                    self.leave()?;
                }
                _ => return self.unexpected(),
            }
        }
    }

    fn enter(&mut self, container: Open) -> Result<(), Fault> {
        if self.open.len() == MAX_JSON_DEPTH {
            return self.fault(JsonFault::TooDeep);
        }
        self.open.push(container);
        self.at += 1;
        self.white_space();
        Ok(())
    }

    /// Steps over a closing bracket.
    fn leave(&mut self) -> Result<bool, Fault> {
        self.at += 1;
        if let Some(Open::Object(first)) = self.open.pop() {
            self.keys.truncate(first);
            if first == 0 {
                self.unescaped.clear();
            }
        }
        Ok(false)
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), Fault> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(());
        }
        self.fault(JsonFault::UnexpectedCharacter)
    }
}
