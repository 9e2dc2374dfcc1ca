//! The JSON Schema for editors: it is the file in the tree, and it judges as the reader does.

use std::sync::LazyLock;

use serde_json::Value;

use super::{super::yaml, mistakes::MISTAKES, *};

/// Where editors find the schema.
const FILE: &str = "mappings/types.schema.json";

static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(&Mapping::json_schema()).expect("JSON");
    jsonschema::draft7::new(&schema).expect("a schema of draft 7")
});

/// A text as an editor sees it: keys are texts, a number is a number.
fn value(node: &yaml::Node) -> Value {
    match &node.kind {
        yaml::Kind::Nothing => Value::Null,
        yaml::Kind::Boolean(truth) => Value::from(*truth),
        yaml::Kind::Number(digits) => serde_json::from_str(digits).unwrap_or(Value::from(0)),
        yaml::Kind::Text(text) => Value::from(text.as_str()),
        yaml::Kind::List(items) => items.iter().map(value).collect(),
        yaml::Kind::Mapping(entries) => {
            entries.iter().map(|(key, node)| (key.value.clone(), value(node))).collect()
        }
    }
}

/// Whether an editor has nothing against a text; `None`: it is no YAML.
fn judge(text: &str) -> Option<Vec<String>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value = value(&yaml::parse(text, "m.yaml").ok()?);
    Some(VALIDATOR.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect())
}

/// An editor has nothing against a text.
#[track_caller]
pub(super) fn is_taken(text: &str) {
    assert_eq!(judge(text), Some(Vec::new()), "in:\n{text}");
}

#[test]
fn the_file_in_the_tree_is_the_one_that_is_made() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        kept == Mapping::json_schema(),
        "{FILE} is not what the tables of keys make; write it anew: cargo run -- mapping schema > {FILE}"
    );
}

#[test]
fn every_shipped_mapping_and_every_example_is_taken() {
    for (path, text) in shipped() {
        is_taken(&text);
        let head = text.lines().next().and_then(|line| line.strip_prefix("# yaml-language-server: $schema="));
        let schema =
            path.parent().expect("a folder").join(head.expect("the schema's place in the first line"));
        assert!(schema.is_file(), "{}: {} is not there", path.display(), schema.display());
    }
    for example in examples_of_the_reference() {
        is_taken(&example);
    }
}

#[test]
fn every_way_to_write_it_is_taken() {
    for text in [
        "version: '1'\n",
        "version: 1\ntables:\nrules:\nidentifiers:\n",
        "version: 1\nidentifiers: SNAKE\n",
        "version: 1\ntables: {t: {columns: {1: text, c: Numeric ( 10 , 2 ), d: DOUBLE  precision, e: varchar}}}\n",
        "version: 1\ntables: {t: {columns: {c: {from: }, d: {on_invalid: }}}}\n",
        "version: 1\ntables: {t: {columns: {c: {default: 1.50, check: true}}}}\n",
        "version: 1\nrules: [{affinity: TEXT, to: [' Numeric( Declared ) ', decimal(declared)]}]\n",
    ] {
        // A comma inside `{ }` ends the value.
        let text = text.replace("Numeric ( 10 , 2 )", "'Numeric ( 10 , 2 )'");
        read(&text);
    }
}

#[test]
fn a_mistake_of_the_reader_is_one_of_the_editor_too() {
    for (text, said) in MISTAKES {
        let is_beyond = said.iter().all(|line| BEYOND.iter().any(|beyond| line.contains(beyond)));
        match judge(text) {
            None => {}
            Some(errors) => assert_eq!(errors.is_empty(), is_beyond, "{said:?}\n{errors:?}\nin:\n{text}"),
        }
    }
}

#[test]
fn every_key_is_explained_in_a_sentence() {
    fn walk(value: &Value, seen: &mut usize) {
        if let Some(properties) = value.get("properties").and_then(Value::as_object)
            && value.get("additionalProperties").is_some()
        {
            for (key, property) in properties {
                let said = property["description"].as_str().unwrap_or_default();
                assert!(said.ends_with('.') && said.len() > 10, "{key}: {said:?}");
                *seen += 1;
            }
        }
        match value {
            Value::Object(entries) => entries.values().for_each(|value| walk(value, seen)),
            Value::Array(items) => items.iter().for_each(|value| walk(value, seen)),
            _ => {}
        }
    }
    let schema: Value = serde_json::from_str(&Mapping::json_schema()).expect("JSON");
    let mut seen = 0;
    walk(&schema, &mut seen);
    assert!(seen >= 40, "only {seen} keys");
}

/// What a schema cannot say, in the reader's words.
const BEYOND: &[&str] = &[
    // YAML's own rule: an editor marks it without a schema, but for names that differ in case only.
    "duplicate",
    "unknown time zone",
    // Any word may be the name of an enumerated type.
    "unknown type",
    "means something of PostgreSQL's own",
    "bytes is too long",
    "stands under `columns` too",
    "`from` is for the types",
    "`collate` is for text",
    "which `not_null: true` forbids",
    "NOT NULL needs a default",
    "each column refers to one",
    "is its name already",
    "cannot be what the",
    "the schema is `music` already",
];
