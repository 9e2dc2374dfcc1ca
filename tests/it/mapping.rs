//! `mtm mapping`: the mapping checked and explained, without any PostgreSQL.

use std::{fs, path::Path};

use crate::command::{Outcome, Workplace};

/// Ten rows; in one of them `popularity` is a text and `raw_json` no JSON.
const SOURCE: &str = "CREATE TABLE tracks (track_id TEXT PRIMARY KEY, popularity INTEGER, raw_json TEXT);
    CREATE TABLE \"Odd Name\" (id INTEGER PRIMARY KEY, weight REAL);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9)
        INSERT INTO tracks SELECT 'track-' || i, i * 10, '{\"a\": 1}' FROM n;
    INSERT INTO tracks VALUES ('track-odd', 'many', 'broken');
    INSERT INTO \"Odd Name\" VALUES (3, 1.5);";

const RIGHT: &str = "version: 1\ntables: {tracks: {columns: {track_id: varchar(64)}}}\nrules: [{column: weight, to: [numeric]}]\n";

fn place() -> Workplace {
    let place = Workplace::new();
    place.sqlite("source.db", SOURCE);
    place.write("right.yaml", RIGHT);
    place.write(
        "wrong.yaml",
        "version: 1\nidentifiers: sanke\ntables: {tracks: {columns: {raw_json: {type: jsnob}}}}\n",
    );
    place
}

#[test]
fn a_right_mapping_is_a_line() {
    let place = place();
    let holds = "right.yaml: 1 table, 1 rule over 17 built-in ones; no mistakes\n";
    for arguments in [&["right.yaml"][..], &["--mapping", "right.yaml"]] {
        let outcome = place.mtm(&[&["mapping", "check"], arguments].concat()).succeeds();
        assert_eq!(outcome.stdout, holds);
    }
    let from_environment = |more: &[&str]| {
        let mut command = place.command(&["mapping", "check"]);
        // A source is read only where it is asked for.
        command.args(more).envs([("MTM_MAPPING", "right.yaml"), ("MTM_SOURCE", "nowhere.db")]);
        Outcome::of("mapping check", command.output().unwrap())
    };
    assert_eq!(from_environment(&[]).succeeds().stdout, holds);
    from_environment(&["wrong.yaml"]).fails(1, &["sanke"]);
    place.mtm(&["mapping", "check"]).succeeds().says(&["The built-in rules alone: 17 rules; no mistakes"]);
    place.mtm(&["mapping", "check", "none"]).succeeds().says(&["The built-in rules alone"]);
    place.write("mappings/types.yaml", RIGHT);
    place.mtm(&["mapping", "check"]).succeeds().says(&["mappings/types.yaml: 1 table"]);
    assert_eq!(place.mtm(&["-q", "mapping", "check"]).succeeds().stdout, "");
    let json = place.mtm(&["mapping", "check", "right.yaml", "--format", "json"]).succeeds().json();
    assert_eq!((&json["holds"]["tables"][0], &json["holds"]["rules"]), (&"tracks".into(), &1.into()));
    assert_eq!((&json["format_version"], &json["mistakes"]), (&1.into(), &serde_json::json!([])));
}

#[test]
fn every_mistake_is_shown_with_a_caret_and_the_right_word() {
    let place = place();
    let check = |more: &[&str]| place.mtm(&[&["mapping", "check", "wrong.yaml"], more].concat());
    check(&[]).fails(
        1,
        &[
            "wrong.yaml:2:14: unknown policy `sanke`; did you mean `snake`?",
            "wrong.yaml:3:46: unknown type `jsnob`; did you mean `jsonb`?",
            "2 │ identifiers: sanke",
            "╰── did you mean `jsonb`?",
        ],
    );
    // A program gets them as data.
    let json = check(&["--format", "json"]).ends_with(1).json();
    assert_eq!(
        json["mistakes"][1]["place"],
        serde_json::json!({"file": "wrong.yaml", "line": 3, "column": 46})
    );
    assert_eq!(json["mistakes"][0]["hint"], "did you mean `snake`?");
    assert!(json["holds"].is_null());
    place.mtm(&["mapping", "check", "nowhere.yaml"]).fails(1, &["nowhere.yaml: there is no such file"]);
}

#[test]
fn the_source_has_its_say() {
    let place = place();
    let check = |text: &str, more: &[&str]| {
        place.write("m.yaml", format!("version: 1\n{text}\n"));
        place.mtm(&[&["mapping", "check", "m.yaml", "--source", "source.db"], more].concat())
    };
    check("", &[]).succeeds().says(&["m.yaml: 0 tables, 0 rules", "checked against source.db; no mistakes"]);
    check("tables: {trakcs: {}, tracks: {columns: {raw_jsn: jsonb}}}", &[])
        .fails(1, &["unknown table `trakcs`; did you mean `tracks`?", "`raw_jsn`; did you mean `raw_json`?"]);
    let json = check("tables: {trakcs: {}}", &["--format", "json"]).ends_with(1).json();
    assert_eq!(json["mistakes"][0]["message"], "unknown table `trakcs`");

    let demanded = "tables: {tracks: {columns: {raw_json: jsonb}}}";
    let said = "blocker type-does-not-fit: tracks.raw_json cannot be jsonb in 1 row: track_id=track-odd";
    let refused = check(demanded, &[]).ends_with(3).says(&[said, "1 blocker forbids a plan."]);
    assert_eq!(refused.stderr, "");
    check(demanded, &["-q"]).ends_with(3).says(&[said]);
    let json = check(demanded, &["--format", "json"]).ends_with(3).json();
    assert_eq!(json["findings"][0]["severity"], "blocker");
    check(demanded, &["--exclude", "tracks"]).succeeds();
    check("tables: {tracks: {columns: {raw_json: {type: jsonb, on_invalid: set_null}}}}", &[])
        .succeeds()
        .says(&["warning type-does-not-fit"]);
    // A check that the rows break.
    check("tables: {Odd Name: {columns: {weight: {check: \"weight > 2\"}}}}", &[])
        .ends_with(3)
        .says(&["check-broken"]);
    place
        .mtm(&["mapping", "check", "right.yaml", "--source", "nowhere.db"])
        .fails(1, &["there is no such file"]);
}

#[test]
fn each_column_has_its_type_its_rule_and_the_evidence() {
    let place = place();
    place.write(
        "m.yaml",
        "version: 1\nidentifiers: snake\ntables:\n  tracks:\n    columns:\n      raw_json: jsonb\n    add_columns: {made: {type: date}}\n",
    );
    let show = |more: &[&str]| {
        place.mtm(&[&["mapping", "show", "--mapping", "m.yaml", "--source", "source.db"], more].concat())
    };
    let expected = "\
Mapping: m.yaml, for source.db

tracks: 10 rows
  track_id    text   built-in rule: affinity TEXT     10 text            at most 9 characters
  popularity  text   built-in rule: affinity INTEGER  9 integer, 1 text  10 to 90; at most 4 characters
              not bigint: track_id=track-odd a text becomes bigint only where the mapping demands it
  raw_json    jsonb  the mapping, line 6              10 text            at most 8 characters
              not jsonb: track_id=track-odd not JSON that jsonb keeps: a character that cannot stand here (byte 0)
  made        date   added by the mapping
";
    assert_eq!(show(&["--table", "TRACKS"]).succeeds().stdout, expected);
    let both = "Odd Name to odd_name: 1 row\n  id      bigint            it is the rowid               1 integer  3 to 3\n";
    let all = show(&[]).succeeds().stdout;
    assert!(all.contains(both), "{all}");
    show(&["--table", "tracks", "--table", "Odd Name"]).succeeds().says(&["tracks:", "odd_name:"]);

    let json = show(&["--table", "tracks", "--format", "json"]).succeeds().json();
    let column = &json["tables"][0]["columns"][1];
    assert_eq!((&column["source"], &column["type"]), (&"popularity".into(), &"text".into()));
    assert_eq!(column["counter_example"]["type"], "bigint");
    assert_eq!(column["counter_example"]["key"], "track_id=track-odd");
    assert_eq!(column["evidence"]["storage"]["integer"], 9);
    assert_eq!(column["evidence"]["integer_range"], serde_json::json!([10, 90]));
    assert!(json["tables"][0]["columns"][3]["source"].is_null());
}

#[test]
fn usage() {
    let place = place();
    let show = ["mapping", "show", "--source", "source.db"];
    place
        .mtm(&[&show[..], &["--table", "trakcs"]].concat())
        .fails(64, &["no table `trakcs` of source.db is carried over", "did you mean `--table tracks`?"]);
    place.mtm(&[&show[..], &["--table", "zzzzzz"]].concat()).fails(64, &["`mtm audit` lists the tables"]);
    place.mtm(&["mapping", "show"]).fails(64, &["--source"]);
    place
        .mtm(&["mapping", "check", "right.yaml", "--mapping", "wrong.yaml"])
        .fails(64, &["--mapping", "[FILE]"]);
    place.mtm(&["mapping", "check", "--include", "t"]).fails(64, &["--source"]);
    place.mtm(&["mapping"]).fails(64, &["check", "show", "schema"]);
}

#[test]
fn the_schema_is_the_file_that_is_shipped() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/types.schema.json");
    let printed = place().mtm(&["-q", "mapping", "schema"]).succeeds().stdout;
    assert_eq!(printed, fs::read_to_string(shipped).unwrap());
}
