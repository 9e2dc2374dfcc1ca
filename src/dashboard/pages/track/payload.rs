//! A payload as a tree that can be folded and searched. Numbers stay as they are written: none passes through a float.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

/// How deep it is unfolded into nodes; what is deeper stays text.
const DEEPEST: usize = 32;
/// Values in an object or a list up to which it is open at first.
const OPEN_UP_TO: usize = 24;

/// A value, under its key where it has one.
pub(super) struct Node {
    pub(super) key: Option<String>,
    pub(super) content: Content,
}

pub(super) enum Content {
    /// A string, number, truth value or null, as JSON has it.
    Leaf(String),
    /// An object's or a list's.
    Nodes { object: bool, nodes: Vec<Node> },
}

impl Node {
    /// Reads a JSON text.
    pub(super) fn read(json: &str) -> Result<Node, serde_json::Error> {
        let value: &RawValue = serde_json::from_str(json)?;
        Node::of(None, value, 0)
    }

    fn of(key: Option<String>, value: &RawValue, depth: usize) -> Result<Node, serde_json::Error> {
        let text = value.get();
        let content = match text.as_bytes().first() {
            Some(b'{') if depth < DEEPEST => {
                let Pairs(pairs) = serde_json::from_str(text)?;
                let nodes =
                    pairs.into_iter().map(|(key, value)| Node::of(Some(key.into_owned()), value, depth + 1));
                Content::Nodes { object: true, nodes: nodes.collect::<Result<_, _>>()? }
            }
            Some(b'[') if depth < DEEPEST => {
                let values: Vec<&RawValue> = serde_json::from_str(text)?;
                let nodes = values.into_iter().map(|value| Node::of(None, value, depth + 1));
                Content::Nodes { object: false, nodes: nodes.collect::<Result<_, _>>()? }
            }
            _ => Content::Leaf(text.to_owned()),
        };
        Ok(Node { key, content })
    }

    /// Whether a key or a value in it holds these letters; `wanted` is in lower case.
    pub(super) fn holds(&self, wanted: &str) -> bool {
        self.is_named(wanted)
            || match &self.content {
                Content::Leaf(text) => text.to_lowercase().contains(wanted),
                Content::Nodes { nodes, .. } => nodes.iter().any(|node| node.holds(wanted)),
            }
    }

    /// How many keys and values hold these letters; a key with its value counts once.
    pub(super) fn count(&self, wanted: &str) -> usize {
        match &self.content {
            Content::Leaf(_) => usize::from(self.holds(wanted)),
            Content::Nodes { nodes, .. } => {
                usize::from(self.is_named(wanted))
                    + nodes.iter().map(|node| node.count(wanted)).sum::<usize>()
            }
        }
    }

    fn is_named(&self, wanted: &str) -> bool {
        self.key.as_ref().is_some_and(|key| key.to_lowercase().contains(wanted))
    }

    /// What is looked for in its nodes: nothing any more, where its key is what was wanted.
    pub(super) fn wanted_within<'a>(&self, wanted: &'a str) -> &'a str {
        if self.is_named(wanted) { "" } else { wanted }
    }

    /// Whether it is unfolded: a short one, and what holds what is looked for.
    pub(super) fn is_open(&self, wanted: &str) -> bool {
        match &self.content {
            Content::Leaf(_) => true,
            Content::Nodes { nodes, .. } if wanted.is_empty() => nodes.len() <= OPEN_UP_TO,
            Content::Nodes { .. } => self.holds(wanted),
        }
    }
}

/// An object's keys and values in their order.
struct Pairs<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Pairs<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_order_stay() {
        let node =
            Node::read(r#"{"z": 1.10, "a": 12345678901234567890123, "l": [{}, null, "é\n"]}"#).unwrap();
        let Content::Nodes { object: true, nodes } = &node.content else { panic!("no object") };
        let leaves: Vec<_> = nodes
            .iter()
            .map(|node| match &node.content {
                Content::Leaf(text) => (node.key.as_deref(), text.as_str()),
                Content::Nodes { .. } => (node.key.as_deref(), "…"),
            })
            .collect();
        assert_eq!(leaves, [(Some("z"), "1.10"), (Some("a"), "12345678901234567890123"), (Some("l"), "…")]);
        assert_eq!((node.count("é"), node.count("l"), node.count("nothing")), (1, 2, 0));
    }

    #[test]
    fn what_is_very_deep_stays_text() {
        let json = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(Node::read(&json).unwrap().is_open(""));
    }
}
