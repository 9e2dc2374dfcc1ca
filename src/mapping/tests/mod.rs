//! What a mapping file means.

mod json_schema;
mod mistakes;

use std::path::{Path, PathBuf};

use super::*;
use crate::{
    audit::Affinity,
    schema::{IndexKey, PgType, ReferentialAction},
};

/// A mapping that must be read, by an editor too.
fn read(text: &str) -> Mapping {
    json_schema::is_taken(text);
    match Mapping::parse(text, "m.yaml") {
        Ok(mapping) => mapping,
        Err(error) => panic!("{error}"),
    }
}

/// Every mapping that is shipped, with its text.
fn shipped() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
    let mut found = Vec::new();
    for folder in [folder.clone(), folder.join("examples")] {
        for entry in std::fs::read_dir(folder).expect("the folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                let text = std::fs::read_to_string(&path).expect("a text");
                found.push((path, text));
            }
        }
    }
    assert!(found.len() >= 5, "only {} mappings were found", found.len());
    found
}

#[test]
fn every_shipped_mapping_is_read() {
    for (path, _) in shipped() {
        if let Err(error) = Mapping::load(&path) {
            panic!("{error}");
        }
    }
}

#[test]
fn every_example_of_the_reference_is_read() {
    for example in examples_of_the_reference() {
        read(&example);
    }
}

/// The YAML in docs/mapping.md.
fn examples_of_the_reference() -> Vec<String> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/mapping.md"))
        .expect("the page");
    let rests = page.split("```yaml\n").skip(1);
    let examples: Vec<String> =
        rests.filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect();
    assert!(examples.len() >= 7, "only {} examples were found", examples.len());
    examples
}

#[test]
fn every_built_in_ladder_ends_in_bytea() {
    let mapping = Mapping::built_in();
    assert!(mapping.path.is_none());
    assert!(!mapping.rules.is_empty(), "the built-in rules are not readable");
    for rule in &mapping.rules {
        assert_eq!(rule.to.last(), Some(&Rung::Type(PgType::Bytea)), "{:?}", rule.declared);
        assert_eq!(rule.place.file, "");
    }
    // Whatever a column declares, some rule is for it.
    use Affinity::{Blob, Integer, Numeric, Real, Text};
    for affinity in [Integer, Text, Blob, Real, Numeric] {
        let is_general = |rule: &&Rule| rule.declared.is_none() && rule.column.is_none();
        let found = mapping.rules.iter().filter(is_general).find(|rule| rule.affinity == Some(affinity));
        assert!(found.is_some(), "no rule for {affinity:?}");
    }
}

#[test]
fn the_music_time_machine_asks_for_what_its_chapter_names() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/types.yaml");
    let mapping = Mapping::load(&path).expect("the mapping");
    assert_eq!(mapping.versions_dir, Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("migration/versions")));
    let types: Vec<String> =
        mapping.tables.iter().flat_map(|table| &table.columns).map(column_type).collect();
    assert_eq!(
        types,
        [
            "track_id character varying(64)",
            "duration_ms integer",
            "raw_json jsonb",
            "track_id character varying(64)",
            "snapshot_date date",
            "time_range character varying(32)",
            "rank integer",
        ]
    );
    let indexes: Vec<&str> = mapping
        .tables
        .iter()
        .flat_map(|table| &table.indexes)
        .map(|index| index.name.value.as_str())
        .collect();
    assert_eq!(
        indexes,
        [
            "idx_tracks_search",
            "idx_tracks_payload",
            "idx_tracks_release_year",
            "idx_tracks_external_ids",
            "idx_snapshots_date",
        ]
    );
}

fn column_type(column: &ColumnEntry) -> String {
    let pg_type = column.pg_type.as_ref().map(|placed| placed.value.to_string());
    format!("{} {}", column.name.value, pg_type.unwrap_or_default())
}

#[test]
fn every_key_is_read() {
    let mapping = read(
        r#"
version: 1
versions_dir: ../migration/versions
identifiers: snake
assume_tz: UTC
tables:
  left_as_it_is:
  t:
    existing: refuse
    columns:
      short: numeric(10,2)
      long: {type: timestamptz, from: epoch_ms, on_invalid: set_null}
      text: {type: "varchar(64)", collate: C, not_null: true, default: "'x'", check: "text <> ''"}
      number: {type: "numeric(4,2)", default: 1.50}
    add_columns:
      made: {type: timestamptz, default: now(), not_null: true}
    indexes:
      - {name: i, unique: true, columns: [short, {column: long, order: desc, opclass: o}], where: short > 0}
      - {name: j, method: gin, expression: "lower(text)", opclass: p}
      - {name: k, columns: [{expression: "lower(text)"}]}
    checks: [{name: c, expression: "short > 0"}]
    foreign_keys:
      - {columns: [short], references: {table: u}, on_delete: set null}
      - {name: f, columns: [long], references: {table: u, columns: [id]}, on_update: set_default}
rules:
  - {declared: "DATE*", column: "*_at", affinity: TEXT, to: [numeric(declared), "varchar(3)", text]}
"#,
    );
    assert_eq!(mapping.path, Some(PathBuf::from("m.yaml")));
    assert_eq!(mapping.versions_dir, Some(PathBuf::from("../migration/versions")));
    assert_eq!((mapping.identifiers, mapping.assume_zone.as_deref()), (IdentifierPolicy::Snake, Some("UTC")));
    assert_eq!(mapping.digest.len(), 32);
    let [left, t] = &mapping.tables[..] else { panic!("two tables") };
    assert!(left.columns.is_empty() && left.name.value == "left_as_it_is");

    let [short, long, text, number] = &t.columns[..] else { panic!("four columns") };
    let place = |line, column| Place { file: "m.yaml".to_owned(), line, column };
    assert_eq!(short.name, Placed { value: "short".to_owned(), place: place(11, 7) });
    let numeric = PgType::Numeric(Some((10, 2)));
    assert_eq!(short.pg_type, Some(Placed { value: numeric, place: place(11, 14) }));
    assert_eq!(long.from, Some(Placed { value: EpochUnit::Milliseconds, place: place(12, 39) }));
    assert_eq!(long.on_invalid.as_ref().map(|placed| placed.value), Some(OnInvalid::SetNull));
    assert_eq!(
        (text.collate.as_deref(), text.not_null, text.default.as_deref()),
        (Some("C"), Some(true), Some("'x'"))
    );
    assert_eq!(text.check.as_ref().map(|check| check.value.as_str()), Some("text <> ''"));
    assert_eq!(number.default.as_deref(), Some("1.50"), "a number stays as it was written");

    let [made] = &t.add_columns[..] else { panic!("one added column") };
    assert_eq!(
        (made.pg_type.value, made.default.as_deref(), made.not_null),
        (PgType::Timestamptz, Some("now()"), true)
    );

    let [i, j, k] = &t.indexes[..] else { panic!("three indexes") };
    assert!(i.unique && i.method == "btree" && i.predicate.as_deref() == Some("short > 0"));
    assert_eq!(i.parts[0].value.key, IndexKey::Column("short".to_owned()));
    assert!(i.parts[1].value.descending && i.parts[1].value.opclass.as_deref() == Some("o"));
    let lower = IndexKey::Expression("lower(text)".to_owned());
    assert_eq!((&j.parts[0].value.key, j.parts[0].value.opclass.as_deref()), (&lower, Some("p")));
    assert_eq!((j.method.as_str(), &k.parts[0].value.key), ("gin", &lower));

    assert_eq!(t.checks[0].expression.value, "short > 0");
    let [first, second] = &t.foreign_keys[..] else { panic!("two foreign keys") };
    assert!(first.name.is_none() && first.parent_columns.is_empty());
    assert_eq!((first.on_delete, first.on_update), (ReferentialAction::SetNull, ReferentialAction::NoAction));
    assert_eq!((second.name.as_deref(), second.on_update), (Some("f"), ReferentialAction::SetDefault));
    assert_eq!(second.parent_columns[0].value, "id");

    let rule = &mapping.rules[0];
    assert_eq!((rule.declared.as_deref(), rule.column.as_deref()), (Some("DATE*"), Some("*_at")));
    assert_eq!(rule.affinity, Some(Affinity::Text));
    let ladder = [Rung::NumericAsDeclared, Rung::Type(PgType::Varchar(3)), Rung::Type(PgType::Text)];
    assert_eq!(rule.to, ladder);
    assert_eq!(mapping.rules.len(), 1 + Mapping::built_in().rules.len(), "the built-in rules come behind");
}

#[test]
fn odd_but_right_texts_are_read() {
    let mapping = read(
        "\u{feff}version: 1\r\ntables:\r\n  'a b': {columns: {1: text, null: text, \"true\": text, é: text}}\r\n",
    );
    let names: Vec<&str> =
        mapping.tables[0].columns.iter().map(|column| column.name.value.as_str()).collect();
    assert_eq!(names, ["1", "null", "true", "é"]);
    let shared = "version: 1\ntables:\n  a: {columns: {x: &money \"numeric(10,2)\", y: *money}}\n";
    assert_eq!(read(shared).tables[0].columns.len(), 2);
    assert!(read("version: 1\ntables:\nrules:\n").tables.is_empty());
}

#[test]
fn versions_dir_is_relative_to_the_mapping() {
    let folder = tempfile::tempdir().expect("a folder");
    for (written, expected) in [
        ("../migration/versions", folder.path().join("migration/versions")),
        ("versions", folder.path().join("mappings/versions")),
        ("./", folder.path().join("mappings")),
        ("/srv/versions", PathBuf::from("/srv/versions")),
    ] {
        let file = folder.path().join("mappings/m.yaml");
        std::fs::create_dir_all(folder.path().join("mappings")).expect("a folder");
        std::fs::write(&file, format!("version: 1\nversions_dir: {written}\n")).expect("a file");
        assert_eq!(Mapping::load(&file).expect("a mapping").versions_dir, Some(expected));
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]

    /// Whatever happens to a text, reading it ends in a mapping or in mistakes that can be shown.
    #[test]
    fn no_text_makes_it_panic(
        which in 0_usize..5,
        edits in proptest::collection::vec((proptest::prelude::any::<u16>(), 0_usize..EDITS.len(), 0_usize..12), 1..8),
    ) {
        let (_, text) = shipped().swap_remove(which);
        let mut characters: Vec<char> = text.chars().collect();
        for (at, edit, removed) in edits {
            let at = usize::from(at) % (characters.len() + 1);
            let end = (at + removed).min(characters.len());
            characters.splice(at..end, EDITS[edit].chars());
        }
        let text: String = characters.into_iter().collect();
        match Mapping::parse(&text, "m.yaml") {
            // What the reader takes, an editor must not call wrong.
            Ok(_) => json_schema::is_taken(&text),
            Err(error) => {
                assert!(!error.mistakes().is_empty());
                let mut shown = String::new();
                miette::NarratableReportHandler::new().render_report(&mut shown, &error).expect("text");
            }
        }
    }
}

/// What a hand may slip into a text.
const EDITS: &[&str] = &[
    "",
    " ",
    "\n",
    "\t",
    ":",
    ": ",
    "-",
    "- ",
    "#",
    "{",
    "}",
    "[",
    "]",
    ",",
    "'",
    "\"",
    "&a",
    "*a",
    "!x ",
    "|",
    ">",
    "%",
    "@",
    "`",
    "?",
    "? ",
    "é",
    "\u{0}",
    "\u{feff}",
    "\u{1f3b5}",
    "~",
    "null",
    "1e999",
    "<<: ",
    "---\n",
    "...\n",
    "\r",
    "\r\n",
    "\\",
];
