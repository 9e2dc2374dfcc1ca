//! The tables of keys: which may stand in one place, what each says, and what may stand behind it.
//!
//! The reader refuses what is not in them, and the JSON Schema for editors ([`super::json_schema`]) is made from them
//! alone, so that the two cannot part.

/// The keys that may stand in one place.
pub(super) struct Keys {
    /// Those that work.
    pub(super) built: &'static [Key],
    /// Those that the format has room for, and this version cannot do yet.
    pub(super) planned: &'static [&'static str],
    /// What the keys want of one another.
    pub(super) relations: &'static [Relation],
}

impl Keys {
    /// The keys that work, by name.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.built.iter().map(|key| key.name)
    }
}

/// A key that works.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// Whether it must be there.
    pub(super) required: bool,
    /// What may stand behind it.
    pub(super) shape: Shape,
    /// What it says, in a sentence: an editor shows it.
    pub(super) meaning: &'static str,
}

impl Key {
    /// A key that may be left out.
    pub(super) const fn optional(name: &'static str, shape: Shape, meaning: &'static str) -> Key {
        Key { name, required: false, shape, meaning }
    }

    /// A key that must be there.
    pub(super) const fn required(name: &'static str, shape: Shape, meaning: &'static str) -> Key {
        Key { name, required: true, shape, meaning }
    }
}

/// What may stand behind a key, or in a list.
pub(super) enum Shape {
    /// The version of the format.
    Version,
    /// A text; a number or a truth value stands for itself.
    Text,
    /// `true` or `false`.
    Truth,
    /// One word out of a set, in any case.
    Word(&'static dyn Vocabulary),
    /// A PostgreSQL type.
    Type,
    /// A rung of a ladder: a type, or `numeric(declared)`.
    Rung,
    /// Nothing at all.
    Nothing,
    /// A mapping of known keys.
    Object(&'static Keys),
    /// A mapping of names that the user chose.
    Named(&'static Shape),
    /// A mapping of enumerated types by their names.
    NamedTypes(&'static Shape),
    /// A list.
    List(&'static Shape),
    /// A list in which something must stand.
    FilledList(&'static Shape),
    /// One of several.
    Either(&'static [Shape]),
}

/// What the keys of one place want of one another.
pub(super) enum Relation {
    /// One of these must be there, and no other of them.
    ExactlyOne(&'static [&'static str]),
    /// At least one of these must be there.
    AtLeastOne(&'static [&'static str]),
    /// Not more than one of these may be there.
    AtMostOne(&'static [&'static str]),
    /// The first is for a place that has the second.
    Needs(&'static str, &'static str),
}

/// A closed set of words.
pub(super) trait Vocabulary {
    /// The words, in lower case.
    fn words(&self) -> Vec<&'static str>;
}

impl<T> Vocabulary for &'static [(&'static str, T)] {
    fn words(&self) -> Vec<&'static str> {
        self.iter().map(|(word, _)| *word).collect()
    }
}
