//! The pieces that every part of a mapping is made of: keys, lists, texts, words out of a set.

use std::collections::HashMap;

use super::super::{
    Mistake, Place, Placed,
    yaml::{Kind, Node},
};
use super::keys::Keys;
use crate::schema::EnumType;

/// A mapping of known keys, each there at most once.
pub(super) struct Object<'n> {
    pub(super) place: &'n Place,
    entries: Vec<(&'n Placed<String>, &'n Node)>,
}

impl<'n> Object<'n> {
    /// The value of a key; `None`: the key is not there, or nothing stands behind it.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.node(key).filter(|node| node.kind != Kind::Nothing)
    }

    /// The value of a key that is there, be it nothing.
    pub(super) fn node(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(name, _)| name.value == key).map(|(_, node)| *node)
    }

    /// The place of a key that is there.
    pub(super) fn key_place(&self, key: &str) -> Option<&'n Place> {
        self.entries.iter().find(|(name, _)| name.value == key).map(|(name, _)| &name.place)
    }
}

/// Whether names that differ in case only are two. In SQLite they are one (ASCII letters).
#[derive(Clone, Copy)]
pub(super) enum Case {
    Matters,
    Ignored,
}

/// Reads a tree and gathers the mistakes in it.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) mistakes: Vec<Mistake>,
    /// The enumerated types that the mapping has, read before what names them.
    pub(super) enums: Vec<Placed<EnumType>>,
}

impl Reader {
    pub(super) fn mistake(&mut self, place: &Place, message: &str, hint: Option<&str>) {
        self.mistakes.push(Mistake::at(place, message, hint));
    }

    /// Says that something of another kind belongs here.
    pub(super) fn expected(&mut self, node: &Node, what: &str, hint: Option<&str>) {
        let message = format!("{what} is expected here, not {}", node.kind.in_words());
        self.mistake(&node.place, &message, hint);
    }

    /// Reads a mapping whose keys are known.
    pub(super) fn object<'n>(&mut self, node: &'n Node, keys: &Keys) -> Option<Object<'n>> {
        let Kind::Mapping(entries) = &node.kind else {
            let hint = format!("known keys: {}", quoted(keys.names()));
            self.expected(node, "a mapping of keys to values", Some(&hint));
            return None;
        };
        self.check_unique("key", Case::Matters, entries.iter().map(|(key, _)| key));
        let mut known = Vec::new();
        for (at, (key, value)) in entries.iter().enumerate() {
            if keys.names().any(|known| known == key.value) {
                known.push((key, value));
            } else if keys.planned.contains(&key.value.as_str()) {
                self.not_built(&key.place, &key.value, "leave it out");
            } else if !is_cut_off_scale(entries, at) {
                let known = keys.names().chain(keys.planned.iter().copied());
                let mut mistake = Mistake::unknown(&key.place, "key", &key.value, known);
                if mistake.hint.as_deref().is_none_or(|hint| hint.starts_with("known")) {
                    mistake.hint = Some(format!("known keys: {}", quoted(keys.names())));
                }
                self.mistakes.push(mistake);
            }
        }
        Some(Object { place: &node.place, entries: known })
    }

    /// Reads a mapping whose keys are names that the user chose.
    pub(super) fn named<'n>(&mut self, node: &'n Node, case: Case) -> Vec<(&'n Placed<String>, &'n Node)> {
        match &node.kind {
            Kind::Mapping(entries) => {
                self.check_unique("name", case, entries.iter().map(|(key, _)| key));
                let whole = entries.iter().enumerate().filter(|(at, _)| !is_cut_off_scale(entries, *at));
                whole.map(|(_, (key, value))| (key, value)).collect()
            }
            Kind::Nothing => Vec::new(),
            _ => {
                self.expected(node, "a mapping of names to what they are", None);
                Vec::new()
            }
        }
    }

    /// Reads a list in which something must stand.
    pub(super) fn filled_list<'n>(&mut self, node: &'n Node, what: &str, hint: Option<&str>) -> &'n [Node] {
        let is_empty = match &node.kind {
            Kind::List(items) => items.is_empty(),
            kind => *kind == Kind::Nothing,
        };
        if is_empty {
            self.mistake(&node.place, what, hint);
        }
        self.list(node)
    }

    /// Reads a list; nothing is an empty list.
    pub(super) fn list<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        match &node.kind {
            Kind::List(items) => items,
            Kind::Nothing => &[],
            kind => {
                let hint = match kind {
                    Kind::Text(text) => format!("a list of one is written `[{text}]`"),
                    _ => "each item of a list begins with `- `, or stands in `[ ]`".to_owned(),
                };
                self.expected(node, "a list", Some(&hint));
                &[]
            }
        }
    }

    /// The value of a key that must be there.
    pub(super) fn required<'n>(&mut self, object: &Object<'n>, key: &str) -> Option<&'n Node> {
        let node = object.node(key);
        if node.is_none() {
            self.mistake(object.place, &format!("the key `{key}` is missing here"), None);
        }
        node
    }

    /// Reads a text; a number or a truth value stands for itself.
    pub(super) fn text(&mut self, node: &Node) -> Option<Placed<String>> {
        let value = match &node.kind {
            Kind::Text(text) if text.trim().is_empty() => {
                self.mistake(&node.place, "an empty text says nothing", None);
                return None;
            }
            Kind::Text(text) if text.contains('\0') => {
                self.mistake(&node.place, "a NUL character has no place in PostgreSQL", None);
                return None;
            }
            Kind::Text(text) | Kind::Number(text) => text.clone(),
            Kind::Boolean(truth) => truth.to_string(),
            Kind::Nothing => {
                self.mistake(&node.place, "a value is missing here", None);
                return None;
            }
            _ => {
                self.expected(node, "a text", None);
                return None;
            }
        };
        Some(Placed { value, place: node.place.clone() })
    }

    /// Reads the text of a key, if the key is there.
    pub(super) fn optional_text(&mut self, object: &Object<'_>, key: &str) -> Option<Placed<String>> {
        object.node(key).and_then(|node| self.text(node))
    }

    /// Reads the text of a key that must be there.
    pub(super) fn required_text(&mut self, object: &Object<'_>, key: &str) -> Option<Placed<String>> {
        self.required(object, key).and_then(|node| self.text(node))
    }

    /// Reads the names in a list.
    pub(super) fn names(&mut self, items: &[Node]) -> Vec<Placed<String>> {
        items.iter().filter_map(|item| self.text(item)).collect()
    }

    /// Reads `true` or `false`.
    pub(super) fn truth(&mut self, object: &Object<'_>, key: &str) -> Option<bool> {
        let node = object.node(key)?;
        match node.kind {
            Kind::Boolean(truth) => Some(truth),
            _ => {
                self.expected(node, "`true` or `false`", None);
                None
            }
        }
    }

    /// Reads one word out of a set; `planned` are those that this version cannot do yet.
    pub(super) fn word<T: Copy>(
        &mut self,
        node: &Node,
        what: &str,
        words: &[(&'static str, T)],
        planned: &[&'static str],
    ) -> Option<T> {
        let written = self.text(node)?;
        let lower = written.value.to_ascii_lowercase();
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == lower) {
            return Some(*value);
        }
        let known = words.iter().map(|(word, _)| *word);
        if planned.contains(&lower.as_str()) {
            let hint = format!("known: {}", quoted(known));
            self.not_built(&written.place, &lower, &hint);
        } else {
            self.mistakes.push(Mistake::unknown(&written.place, what, &written.value, known));
        }
        None
    }

    /// Says that a word of the format does nothing yet: better than to ignore it.
    fn not_built(&mut self, place: &Place, word: &str, hint: &str) {
        self.mistake(place, &format!("`{word}` is not built yet"), Some(hint));
    }

    /// Names of which no two may be equal; a mistake shows both places.
    pub(super) fn check_unique<'n>(
        &mut self,
        what: &str,
        case: Case,
        names: impl Iterator<Item = &'n Placed<String>>,
    ) {
        let mut seen: HashMap<String, &Place> = HashMap::new();
        for name in names {
            let key = match case {
                Case::Matters => name.value.clone(),
                Case::Ignored => name.value.to_ascii_lowercase(),
            };
            if let Some(first) = seen.get(&key) {
                let message = format!("duplicate {what} `{}`", name.value);
                let hint = format!("the first one is in line {}, column {}", first.line, first.column);
                self.mistakes.push(Mistake::at(&name.place, &message, Some(&hint)).and_at(first));
            } else {
                seen.insert(key, &name.place);
            }
        }
    }
}

/// What YAML makes of the end of an unquoted `numeric(10,2)` inside `{ }`: a key `2)`. The type before it is the mistake.
fn is_cut_off_scale(entries: &[(Placed<String>, Node)], at: usize) -> bool {
    let (key, value) = &entries[at];
    let before = at.checked_sub(1).map(|before| &entries[before].1.kind);
    value.kind == Kind::Nothing
        && key.value.ends_with(')')
        && matches!(before, Some(Kind::Text(text)) if text.contains('(') && !text.contains(')'))
}

/// The words, each in quotes, with commas between.
fn quoted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
