//! YAML text as a tree in which every value knows its place. The only file that knows `serde_yaml`.
//!
//! `serde_yaml` gives away a position only inside an error that a visitor raises. So the visitor of a scalar puts the
//! value aside and raises an error on purpose; the seed around it catches the error, takes line and column out of it,
//! and goes on: by then the scalar has been read. Derived types would not do: they stop at the first mistake, and let
//! the last of two equal keys win without a word.
//!
//! In: text. Out: a [`Node`], or the one [`Mistake`] that makes the text no YAML.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

use super::{Mistake, Place, Placed, mistake::span};

/// A value with its place. A list or a mapping has no place of its own in `serde_yaml`: it takes that of its key, and
/// in a list that of its first scalar.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

/// What a value is, by YAML's core schema.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Nothing after the colon, `null` or `~`.
    Nothing,
    Boolean(bool),
    /// A number, as it is written: `1.50` has two digits behind its point.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// All entries, duplicates too.
    Mapping(Vec<(Placed<String>, Node)>),
}

impl Kind {
    /// The kind in words, for "a list is expected here, not …".
    pub(super) fn in_words(&self) -> &'static str {
        match self {
            Kind::Nothing => "nothing",
            Kind::Boolean(_) => "true or false",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "a text",
            Kind::List(_) => "a list",
            Kind::Mapping(_) => "a mapping of keys to values",
        }
    }
}

/// What the deliberate error says; nobody reads it.
const HERE: &str = "here";

/// Reads a text that holds one YAML document.
pub(super) fn parse(text: &str, file: &str) -> Result<Node, Box<Mistake>> {
    let start = Place { file: file.to_owned(), line: 1, column: 1 };
    ValueSeed { text, near: &start, in_list: false }
        .deserialize(serde_yaml::Deserializer::from_str(text))
        .map_err(|error| Box::new(syntax_mistake(&error, text, &start)))
}

/// Turns `serde_yaml`'s error into words of ours, where it is known what people mean.
fn syntax_mistake(error: &serde_yaml::Error, text: &str, start: &Place) -> Mistake {
    let place = error.location().map_or_else(
        || start.clone(),
        |at| Place { file: start.file.clone(), line: at.line(), column: at.column() },
    );
    let line = text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default();
    let indent = &line[..line.len() - line.trim_start().len()];
    if let Some(tab) = indent.chars().position(|character| character == '\t') {
        let place = Place { column: tab + 1, ..place };
        return Mistake::at(&place, "a tab in the indentation", Some("YAML is indented with spaces only"));
    }
    let said = error.to_string();
    let said = said.split_once(" at line ").map_or(said.as_str(), |(what, _)| what);
    if said.contains("more than one document") {
        return Mistake::at(&place, "a mapping file holds one document", Some("remove the second `---`"));
    }
    // Our own errors come with the path before them (`tables.tracks: …`); place and snippet say that better.
    let said = said.rsplit(OURS).next().unwrap_or(said);
    Mistake::at(&place, &format!("this is not valid YAML: {said}"), None)
}

/// Marks the beginning of an error text of our own.
const OURS: &str = "\u{1}";

/// Reads line and column out of an error that was raised with [`HERE`]. At the very start of a file `serde_yaml` names none.
fn place_in(error: &impl fmt::Display, file: &str) -> Place {
    let text = error.to_string();
    let numbers = text.rsplit_once(" at line ").and_then(|(_, at)| {
        let (line, column) = at.split_once(" column ")?;
        Some((line.parse().ok()?, column.parse().ok()?))
    });
    let (line, column) = numbers.unwrap_or((1, 1));
    Place { file: file.to_owned(), line, column }
}

/// Reads one value of any kind.
struct ValueSeed<'a> {
    text: &'a str,
    /// The place of the key, or of the list that the value stands in.
    near: &'a Place,
    in_list: bool,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let mut scalar = None;
        let visitor = ValueVisitor { text: self.text, scalar: &mut scalar, near: self.near };
        match deserializer.deserialize_any(visitor) {
            Ok(kind) => {
                let place = match first_place(&kind) {
                    Some(first) if self.in_list => first.clone(),
                    _ => self.near.clone(),
                };
                Ok(Node { place, kind })
            }
            Err(error) => match scalar {
                // A value left out (`key:`) has no text to point at; its key has.
                Some(Kind::Nothing) => Ok(Node { place: self.near.clone(), kind: Kind::Nothing }),
                Some(kind) => {
                    let place = place_in(&error, &self.near.file);
                    let kind = match kind {
                        Kind::Number(number) => Kind::Number(as_written(self.text, &place).unwrap_or(number)),
                        other => other,
                    };
                    Ok(Node { place, kind })
                }
                None => Err(error),
            },
        }
    }
}

/// The digits of a plain decimal number at a place; `None`: something else stands there (an anchor, `0x1f`, `.inf`).
fn as_written(text: &str, place: &Place) -> Option<String> {
    let (offset, length) = span(text, place);
    let written = &text[offset..offset + length];
    let is_plain = written.chars().all(|character| character.is_ascii_digit() || "+-.eE".contains(character));
    (is_plain && written.contains(|character: char| character.is_ascii_digit())).then(|| written.to_owned())
}

/// The place of the first thing in a list or a mapping.
fn first_place(kind: &Kind) -> Option<&Place> {
    match kind {
        Kind::List(items) => items.first().map(|node| &node.place),
        Kind::Mapping(entries) => entries.first().map(|(key, _)| &key.place),
        _ => None,
    }
}

/// Puts a scalar aside and raises the error that carries its place; reads lists and mappings through.
struct ValueVisitor<'a> {
    text: &'a str,
    scalar: &'a mut Option<Kind>,
    near: &'a Place,
}

impl ValueVisitor<'_> {
    fn aside<E: Error>(self, kind: Kind) -> Result<Kind, E> {
        *self.scalar = Some(kind);
        Err(E::custom(HERE))
    }
}

impl<'de> Visitor<'de> for ValueVisitor<'_> {
    type Value = Kind;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Kind, E> {
        self.aside(Kind::Nothing)
    }

    fn visit_none<E: Error>(self) -> Result<Kind, E> {
        self.aside(Kind::Nothing)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Kind, E> {
        self.aside(Kind::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Kind, E> {
        self.aside(Kind::Number(value.to_string()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Kind, E> {
        self.aside(Kind::Number(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Kind, E> {
        self.aside(Kind::Number(value.to_string()))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Kind, E> {
        self.aside(Kind::Number(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Kind, E> {
        self.aside(Kind::Number(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Kind, E> {
        self.aside(Kind::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Kind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) =
            list.next_element_seed(ValueSeed { text: self.text, near: self.near, in_list: true })?
        {
            items.push(item);
        }
        Ok(Kind::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut mapping: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = mapping.next_key_seed(KeySeed { file: &self.near.file })? {
            let value =
                mapping.next_value_seed(ValueSeed { text: self.text, near: &key.place, in_list: false })?;
            entries.push((key, value));
        }
        Ok(Kind::Mapping(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Kind, A::Error> {
        Err(A::Error::custom(format_args!(
            "{OURS}a tag (`!…`) has no meaning in a mapping; put a text that begins with `!` in quotes"
        )))
    }
}

/// Reads a key, as the text that stands there: `1`, `null` and `true` are good column names.
struct KeySeed<'a> {
    file: &'a str,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Placed<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Placed<String>, D::Error> {
        let mut name = None;
        match deserializer.deserialize_str(KeyVisitor { name: &mut name }) {
            Ok(()) => Err(D::Error::custom(format_args!("{OURS}a key is expected"))),
            Err(error) => match name {
                Some(value) => Ok(Placed { value, place: place_in(&error, self.file) }),
                None => Err(error),
            },
        }
    }
}

struct KeyVisitor<'a> {
    name: &'a mut Option<String>,
}

impl<'de> Visitor<'de> for KeyVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name as the key")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        *self.name = Some(value.to_owned());
        Err(E::custom(HERE))
    }
}
