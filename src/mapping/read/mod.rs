//! From the tree of a YAML text to a [`Mapping`]: checks every key and every value, and collects all mistakes.
//!
//! [`primitives`] knows lists, texts and keys, and [`keys`] what a table of keys is; the other files know the format, one
//! part each. A part that has a mistake is left out of the value and the reading goes on, so that one run names them all.
//! The tables of keys and words are also what the JSON Schema for editors is made from ([`json_schema`]).

mod column;
mod enums;
mod index;
mod json_schema;
mod keys;
mod partition;
mod primitives;
mod renames;
mod rule;
mod schema;
mod table;
mod words;

use std::path::PathBuf;

use self::{
    keys::{Key, Keys, Shape},
    primitives::{Case, Reader},
};
use super::{
    IdentifierPolicy, Mapping, Mistake, Placed,
    yaml::{Kind, Node},
};

/// The version of the format that this program reads.
const VERSION: &str = "1";

const MAPPING: Keys = Keys {
    built: &[
        Key::required("version", Shape::Version, "The version of this format."),
        Key::optional(
            "versions_dir",
            Shape::Text,
            "The folder for the frozen migrations, relative to this file; without it nothing is written to disk.",
        ),
        Key::optional(
            "schema",
            Shape::Either(&[Shape::Text, Shape::Object(&schema::SCHEMA)]),
            "The target schema, `public` unless it is said; --schema goes before it.",
        ),
        Key::optional(
            "identifiers",
            Shape::Word(&IDENTIFIERS),
            "How names are carried over: as they are, in lower case, or `InvoiceLine` as `invoice_line`.",
        ),
        Key::optional(
            "assume_tz",
            Shape::Text,
            "The IANA time zone of texts without an offset where `timestamptz` is asked for, such as `UTC`.",
        ),
        Key::optional(
            "prune",
            Shape::Truth,
            "Whether columns, constraints and indexes go that a mapped table has in the target and this file does not ask for.",
        ),
        Key::optional(
            "enums",
            enums::ENUMS,
            "Enumerated types by name, each a list of its labels in their order; columns may be of them.",
        ),
        Key::optional(
            "tables",
            Shape::Named(&Shape::Either(&[Shape::Nothing, Shape::Object(&table::TABLE)])),
            "The source's tables by name; those not named are carried over too.",
        ),
        Key::optional(
            "rules",
            Shape::List(&Shape::Object(&rule::RULE)),
            "For the columns whose type no table names: the first rule that is for a column gives its ladder of types.",
        ),
    ],
    planned: &[],
    relations: &[],
};

const IDENTIFIERS: &[(&str, IdentifierPolicy)] = &[
    ("preserve", IdentifierPolicy::Preserve),
    ("lower", IdentifierPolicy::Lower),
    ("snake", IdentifierPolicy::Snake),
];

pub(super) use json_schema::json_schema;

/// Reads a whole mapping; or says all that is wrong with it.
pub(super) fn mapping(tree: &Node) -> Result<Mapping, Vec<Mistake>> {
    let mut reader = Reader::default();
    let mapping = reader.mapping(tree);
    if reader.mistakes.is_empty() { Ok(mapping) } else { Err(reader.mistakes) }
}

impl Reader {
    fn mapping(&mut self, tree: &Node) -> Mapping {
        let mut mapping = Mapping::default();
        if tree.kind == Kind::Nothing {
            self.mistake(&tree.place, "the mapping is empty", Some("it begins with `version: 1`"));
            return mapping;
        }
        let Some(top) = self.object(tree, &MAPPING) else { return mapping };
        if let Some(version) = self.required(&top, "version").and_then(|node| self.text(node)) {
            self.version(&version);
        }
        mapping.versions_dir = self.optional_text(&top, "versions_dir").map(|dir| PathBuf::from(dir.value));
        mapping.schema = top.get("schema").and_then(|node| self.schema(node));
        if let Some(policy) =
            top.get("identifiers").and_then(|node| self.word(node, "policy", IDENTIFIERS, &[]))
        {
            mapping.identifiers = policy;
        }
        mapping.prune = self.truth(&top, "prune").unwrap_or(false);
        mapping.assume_zone = self.optional_text(&top, "assume_tz").and_then(|zone| self.zone(zone));
        // First, since columns and rules name them.
        if let Some(node) = top.get("enums") {
            self.enums(node);
        }
        mapping.enums = self.enums.clone();
        for (name, node) in top.get("tables").map(|node| self.named(node, Case::Ignored)).unwrap_or_default()
        {
            mapping.tables.extend(self.table(name, node));
        }
        for node in top.get("rules").map(|node| self.list(node)).unwrap_or_default() {
            mapping.rules.extend(self.rule(node));
        }
        self.check_index_names(&mapping);
        self.check_renamed_tables(&mapping.tables);
        mapping
    }

    fn version(&mut self, version: &Placed<String>) {
        if version.value != VERSION {
            let message = format!("version {} of the mapping format is not known", version.value);
            self.mistake(&version.place, &message, Some("this program reads `version: 1`"));
        }
    }

    /// Checks an IANA time zone against the machine's own list, where it has one.
    fn zone(&mut self, zone: Placed<String>) -> Option<String> {
        let zones = jiff::tz::db();
        if zone.value == "UTC" || zones.is_definitively_empty() || zones.get(&zone.value).is_ok() {
            return Some(zone.value);
        }
        let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
        let known = names.iter().map(String::as_str).chain(["UTC"]);
        let mut mistake = Mistake::unknown(&zone.place, "time zone", &zone.value, known);
        mistake.hint = mistake.hint.or(Some("a zone is named as in `UTC` or `Europe/Berlin`".to_owned()));
        self.mistakes.push(mistake);
        None
    }

    /// Indexes of one schema share their names.
    fn check_index_names(&mut self, mapping: &Mapping) {
        let names = mapping.tables.iter().flat_map(|table| &table.indexes).map(|index| &index.name);
        self.check_unique("index", Case::Matters, names);
    }
}
