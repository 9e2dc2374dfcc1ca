//! The mapping's JSON Schema, by which an editor completes keys and words, explains them, and marks mistakes.
//!
//! Made from the reader's own tables ([`super::keys`]). Whatever the reader takes, the schema takes. What a schema cannot
//! say (whether a time zone exists, whether two keys contradict one another, what the source holds) it leaves to the
//! reader. It is of draft 7, which every editor knows.

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{
    MAPPING, VERSION, enums,
    keys::{Key, Keys, Relation, Shape, Vocabulary},
    rule::AS_DECLARED,
};
use crate::schema::PgType;

/// A JSON Schema as far as it is needed here. Empty parts are left out.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonSchema {
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    dialect: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    reference: Option<&'static str>,
    #[serde(rename = "type", skip_serializing_if = "Vec::is_empty", serialize_with = "one_or_several")]
    types: Vec<&'static str>,
    #[serde(rename = "enum", skip_serializing_if = "Vec::is_empty")]
    words: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "in_order")]
    properties: Vec<(&'static str, JsonSchema)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_properties: Option<Others>,
    #[serde(skip_serializing_if = "Option::is_none")]
    property_names: Option<Box<JsonSchema>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Box<JsonSchema>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_items: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    all_of: Vec<JsonSchema>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    any_of: Vec<JsonSchema>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    one_of: Vec<JsonSchema>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not: Option<Box<JsonSchema>>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "in_order")]
    definitions: Vec<(&'static str, JsonSchema)>,
}

/// What keys that are not listed may hold.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Others {
    /// Whether there may be any.
    Allowed(bool),
    /// Each is a name that the user chose, with this behind it.
    All(Box<JsonSchema>),
}

/// Writes pairs as a map in the order of the tables: `serde_json`'s own map has another one.
fn in_order<T: Serialize, S: Serializer>(
    pairs: &[(&'static str, T)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// What several places share, by its place among the definitions.
const TEXT: &str = "#/definitions/text";
const TYPE: &str = "#/definitions/type";
const RUNG: &str = "#/definitions/rung";

/// Writes a type alone, or a list of them.
fn one_or_several<S: Serializer>(types: &[&'static str], serializer: S) -> Result<S::Ok, S::Error> {
    match types {
        [one] => serializer.serialize_str(one),
        several => serializer.collect_seq(several),
    }
}

/// The mapping's JSON Schema (draft 7), as the file `mappings/types.schema.json` holds it.
///
/// # Errors
/// None that a user could meet: all that is written is compiled in.
pub(in crate::mapping) fn json_schema() -> serde_json::Result<String> {
    let schema = JsonSchema {
        dialect: Some("http://json-schema.org/draft-07/schema#"),
        title: Some("The mapping of mtm"),
        description: Some(
            "What PostgreSQL should hold of a SQLite database; docs/mapping.md explains every key. Printed by `mtm mapping \
             schema`.",
        ),
        definitions: vec![("text", text()), ("type", pg_type()), ("rung", rung())],
        ..object(&MAPPING)
    };
    serde_json::to_string_pretty(&schema).map(|text| text + "\n")
}

/// A mapping of known keys.
fn object(keys: &Keys) -> JsonSchema {
    let mut schema = JsonSchema {
        types: vec!["object"],
        properties: keys.built.iter().map(|key| (key.name, property(key))).collect(),
        required: keys.built.iter().filter(|key| key.required).map(|key| key.name).collect(),
        additional_properties: Some(Others::Allowed(false)),
        ..JsonSchema::default()
    };
    let has = |name: &'static str| JsonSchema { required: vec![name], ..JsonSchema::default() };
    let each = |names: &[&'static str]| names.iter().map(|name| has(name)).collect();
    for relation in keys.relations {
        match relation {
            Relation::ExactlyOne(names) => schema.one_of = each(names),
            Relation::AtLeastOne(names) => schema.any_of = each(names),
            Relation::AtMostOne(names) => {
                for (at, one) in names.iter().enumerate() {
                    for other in &names[at + 1..] {
                        let both = JsonSchema { required: vec![one, other], ..JsonSchema::default() };
                        schema.all_of.push(JsonSchema { not: Some(Box::new(both)), ..JsonSchema::default() });
                    }
                }
            }
            Relation::Needs(name, other) => {
                let nothing = vec![(*name, shape(&Shape::Nothing))];
                let says_nothing = JsonSchema { properties: nothing, ..JsonSchema::default() };
                schema.all_of.push(any_of(vec![has(other), says_nothing]));
            }
        }
    }
    schema
}

/// What stands behind a key, with what the key says.
fn property(key: &Key) -> JsonSchema {
    let schema = shape(&key.shape);
    // The reader takes a key with all behind it commented out for one that is not there; not so where a text is meant.
    let may_be_nothing =
        !key.required && !matches!(key.shape, Shape::Text | Shape::Truth | Shape::FilledList(_));
    let schema = if may_be_nothing { or_nothing(schema) } else { schema };
    JsonSchema { description: Some(key.meaning), ..schema }
}

fn or_nothing(mut schema: JsonSchema) -> JsonSchema {
    if !schema.types.is_empty() {
        schema.types.push("null");
        return schema;
    }
    if schema.any_of.is_empty() {
        schema = any_of(vec![schema]);
    }
    schema.any_of.push(shape(&Shape::Nothing));
    schema
}

fn shape(shape_of: &Shape) -> JsonSchema {
    let list = |item| JsonSchema {
        types: vec!["array"],
        items: Some(Box::new(shape(item))),
        ..JsonSchema::default()
    };
    match shape_of {
        Shape::Version => JsonSchema {
            words: serde_json::from_str(VERSION).into_iter().chain([Value::from(VERSION)]).collect(),
            ..JsonSchema::default()
        },
        Shape::Text => reference(TEXT),
        Shape::Type => reference(TYPE),
        Shape::Rung => reference(RUNG),
        Shape::Truth => JsonSchema { types: vec!["boolean"], ..JsonSchema::default() },
        Shape::Nothing => JsonSchema { types: vec!["null"], ..JsonSchema::default() },
        Shape::Word(vocabulary) => words(*vocabulary),
        Shape::Object(keys) => object(keys),
        Shape::Named(item) => JsonSchema {
            types: vec!["object"],
            additional_properties: Some(Others::All(Box::new(shape(item)))),
            ..JsonSchema::default()
        },
        Shape::NamedTypes(item) => {
            JsonSchema { property_names: Some(Box::new(name_of_enum())), ..shape(&Shape::Named(item)) }
        }
        Shape::List(item) => list(item),
        Shape::FilledList(item) => JsonSchema { min_items: Some(1), ..list(item) },
        Shape::Either(shapes) => any_of(shapes.iter().map(shape).collect()),
    }
}

fn any_of(any_of: Vec<JsonSchema>) -> JsonSchema {
    JsonSchema { any_of, ..JsonSchema::default() }
}

fn reference(to: &'static str) -> JsonSchema {
    JsonSchema { reference: Some(to), ..JsonSchema::default() }
}

/// A text that is not blank; a number or a truth value stands for itself.
fn text() -> JsonSchema {
    JsonSchema {
        types: vec!["string", "number", "boolean"],
        pattern: Some(r"\S".to_owned()),
        ..JsonSchema::default()
    }
}

fn words(vocabulary: &dyn Vocabulary) -> JsonSchema {
    let words = vocabulary.words();
    let patterns: Vec<String> = words.iter().map(|word| any_case(word)).collect();
    one_of_words(&words, &patterns)
}

/// The types by all their names, with what may stand in brackets.
fn pg_type() -> JsonSchema {
    let (names, patterns): (Vec<_>, Vec<_>) = PgType::spellings()
        .map(|(name, brackets)| (name, format!(r"\s*{}\s*{brackets}", any_case(name))))
        .unzip();
    JsonSchema {
        any_of: one_of_words(&names, &patterns).any_of.into_iter().chain([name_in_any_case()]).collect(),
        ..JsonSchema::default()
    }
}

/// An enumerated type's name.
fn name_of_enum() -> JsonSchema {
    JsonSchema { types: vec!["string"], pattern: Some(format!("^{}$", enums::NAME)), ..JsonSchema::default() }
}

/// A name that may be an enumerated type's: which ones there are, a schema cannot look up.
fn name_in_any_case() -> JsonSchema {
    let pattern = r"^\s*[A-Za-z][A-Za-z0-9_]*\s*$".to_owned();
    JsonSchema { types: vec!["string"], pattern: Some(pattern), ..JsonSchema::default() }
}

fn rung() -> JsonSchema {
    let patterns: Vec<String> = AS_DECLARED.iter().map(|word| format!(r"\s*{}\s*", any_case(word))).collect();
    any_of(vec![reference(TYPE), one_of_words(AS_DECLARED, &patterns)])
}

/// Words for an editor to offer, and the patterns of all that the reader takes for them.
fn one_of_words(words: &[&'static str], patterns: &[String]) -> JsonSchema {
    any_of(vec![
        JsonSchema { words: words.iter().copied().map(Value::from).collect(), ..JsonSchema::default() },
        JsonSchema {
            types: vec!["string"],
            pattern: Some(format!("^({})$", patterns.join("|"))),
            ..JsonSchema::default()
        },
    ])
}

/// A regular expression for a word in any case and any spacing: the dialect of JSON Schema has no flag for it.
fn any_case(word: &str) -> String {
    word.chars()
        .map(|character| match character {
            ' ' => r"\s+".to_owned(),
            '(' => r"\s*\(\s*".to_owned(),
            ')' => r"\s*\)".to_owned(),
            letter if letter.is_ascii_alphabetic() => format!("[{letter}{}]", letter.to_ascii_uppercase()),
            other => other.to_string(),
        })
        .collect()
}
