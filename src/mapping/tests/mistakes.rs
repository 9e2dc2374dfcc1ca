//! Every mistake that a mapping can hold, and what is said of it.

use super::*;

/// The mistakes of a text, as a user reads them, without the file's name.
fn mistakes(text: &str) -> Vec<String> {
    match Mapping::parse(text, "m.yaml") {
        Ok(_) => Vec::new(),
        Err(error) => error
            .mistakes()
            .iter()
            .map(|mistake| mistake.to_string().strip_prefix("m.yaml:").expect("the file's name").to_owned())
            .collect(),
    }
}

#[test]
fn every_mistake_is_named_with_its_place_and_the_way_out() {
    for (text, expected) in MISTAKES {
        assert_eq!(mistakes(text), *expected, "in:\n{text}");
    }
}

#[test]
fn a_text_cannot_grow_without_bound() {
    let mut text = "version: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{below}]\n");
    }
    assert!(mistakes(&text)[0].ends_with("repetition limit exceeded"));
    let deep = format!("version: 1\ntables: {}", "[".repeat(10_000));
    assert_eq!(mistakes(&deep).len(), 1);
    let deep = format!("version: 1\ntables: {}{}", "[".repeat(1_000), "]".repeat(1_000));
    assert!(mistakes(&deep)[0].ends_with("recursion limit exceeded"));
}

#[test]
fn a_mistake_is_shown_in_its_line() {
    let text =
        "version: 1\ntables:\n  tracks:\n    columns:\n      raw_json: {type: jsnob}\n      raw_json: text\n";
    let error = Mapping::parse(text, "m.yaml").expect_err("two mistakes");
    let mut shown = String::new();
    miette::NarratableReportHandler::new().render_report(&mut shown, &error).expect("text");
    for part in [
        "m.yaml:5:24: unknown type `jsnob`; did you mean `jsonb`?",
        "m.yaml:6:7: duplicate name `raw_json`",
        "raw_json: {type: jsnob}",
        "label at line 5, columns 7 to 14: the first one",
        "label at line 5, columns 24 to 28: did you mean `jsonb`?",
    ] {
        assert!(shown.contains(part), "{part} is missing in:\n{shown}");
    }
}

#[test]
fn the_span_is_the_word_that_stands_there() {
    for (line, column, word) in [
        ("type: jsnob", 1, "type"),
        ("type: jsnob  # why", 7, "jsnob"),
        ("c: {type: jsnob, x: y}", 11, "jsnob"),
        ("é: \"a, b\" # c", 4, "\"a, b\""),
        ("c: 'open", 4, "'open"),
        ("key:", 1, "key"),
        ("short", 99, ""),
    ] {
        let place = Place { file: String::new(), line: 2, column };
        let text = format!("version: 1\n{line}\n");
        let (offset, length) = super::super::mistake::span(&text, &place);
        assert_eq!(&text[offset..offset + length], word, "{line}, column {column}");
    }
    let past_the_end = Place { file: String::new(), line: 9, column: 9 };
    assert_eq!(super::super::mistake::span("a: b\n", &past_the_end), (5, 0));
}

#[test]
fn a_later_stage_reports_in_the_same_form() {
    let mapping = Mapping::parse("version: 1\ntables:\n  trucks: {}\n", "m.yaml").expect("a mapping");
    let table = &mapping.tables[0].name;
    let built_in = &mapping.rules[0].place;
    let unknown = Mistake::unknown(&table.place, "table", &table.value, ["tracks", "snapshots"].into_iter());
    let error = MappingError::from_mistakes(&mapping.text, vec![unknown, Mistake::at(built_in, "odd", None)]);
    let lines: Vec<String> = error.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines[0], "m.yaml:3:3: unknown table `trucks`; did you mean `tracks`?");
    assert!(lines[1].starts_with("built-in rules:"), "{}", lines[1]);
    assert_eq!(miette::Diagnostic::labels(&error).expect("labels").count(), 1);
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let message = |path: &Path| Mapping::load(path).expect_err("no mapping").to_string();
    let missing = message(&folder.path().join("no.yaml"));
    assert!(
        missing.starts_with("cannot read the mapping ")
            && missing.ends_with("no.yaml: there is no such file")
    );
    assert!(message(folder.path()).ends_with(": it is a directory"));
    let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let denied = MappingError::unreadable(Path::new("m.yaml"), denied).to_string();
    assert_eq!(denied, "cannot read the mapping m.yaml: this user has no permission to read it");
    let latin = folder.path().join("latin.yaml");
    std::fs::write(&latin, b"version: 1\n# caf\xe9\n").expect("a file");
    let place = format!("{}:2:6: the file is not UTF-8; save it in the encoding UTF-8", latin.display());
    assert_eq!(message(&latin), place);
}

/// What one text says, and what it must be told: `line:column: message; hint`.
pub(super) const MISTAKES: &[(&str, &[&str])] = &[
    ("", &["1:1: the mapping is empty; it begins with `version: 1`"]),
    ("# only a comment\n", &["1:1: the mapping is empty; it begins with `version: 1`"]),
    ("version: 1\n---\nversion: 1\n", &["1:1: a mapping file holds one document; remove the second `---`"]),
    ("version: 1\ntables: [\n", &["3:1: this is not valid YAML: did not find expected node content"]),
    (
        "version: 1\nenums: {span: [short, long]}\ntables: {t: {columns: {c: spam, d: spans, e: SPAN}}}\n",
        &[
            "3:27: unknown type `spam`; did you mean `span`?",
            "3:36: unknown type `spans`; did you mean `span`?",
        ],
    ),
    (
        "version: 1\nenums:\n  point: [a]\n  int4: [a]\n  Mood: [a]\n  order: [a]\n  1st: [a]\n",
        &[
            "3:3: `point` means something of PostgreSQL's own; choose another name, such as `point_kind`",
            "4:3: `int4` means something of PostgreSQL's own; choose another name, such as `int4_kind`",
            "5:3: `Mood` is no name for an enumerated type; it begins with a small letter, and has small letters, digits and `_`, \
             at most 63 of them",
            "6:3: `order` means something of PostgreSQL's own; choose another name, such as `order_kind`",
            "7:3: `1st` is no name for an enumerated type; it begins with a small letter, and has small letters, digits and `_`, \
             at most 63 of them",
        ],
    ),
    (
        "version: 1\nenums: {mood: [sad, ok, sad]}\n",
        &["2:25: duplicate label `sad`; the first one is in line 2, column 16"],
    ),
    ("version: 1\nenums: {mood: [sad, \"\"]}\n", &["2:21: an empty text says nothing"]),
    (
        "version: 1\nenums: {mood: []}\n",
        &["2:9: an enumerated type has at least one label; as in `mood: [low, high]`"],
    ),
    (
        "version: 1\nenums: {mood: [xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx]}\n",
        &["2:16: a label of 64 bytes is too long; PostgreSQL takes 63 bytes at most"],
    ),
    (
        "version: 1\nenums: {mood: [sad]}\ntables: {t: {columns: {c: {type: mood, collate: C}}}}\n",
        &["3:40: `collate` is for text and varchar; leave it out"],
    ),
    (
        "version: 1\ntables:\n\ttracks: {}\n",
        &["3:1: a tab in the indentation; YAML is indented with spaces only"],
    ),
    (
        "version: 1\ntables:\n  t:\n    \tcolumns: {}\n",
        &["4:5: a tab in the indentation; YAML is indented with spaces only"],
    ),
    (
        "version: 1\nidentifiers: @x\n",
        &["2:14: this is not valid YAML: found character that cannot start any token"],
    ),
    ("version: 1\nidentifiers: 'lower\n", &["3:1: this is not valid YAML: found unexpected end of stream"]),
    ("version: 1\nidentifiers: *lower\n", &["2:14: this is not valid YAML: unknown anchor"]),
    (
        "version: 1\nidentifiers: !lower x\n",
        &[
            "2:14: this is not valid YAML: a tag (`!…`) has no meaning in a mapping; put a text that begins with `!` in quotes",
        ],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {2): }}\n",
        &[
            "3:17: a type, or a mapping of keys to values, is expected here, not nothing; write `name: type`, or `name: {type: …}`",
        ],
    ),
    (
        "version: 1\n? [a, b]\n: c\n",
        &["2:3: this is not valid YAML: invalid type: sequence, expected a name as the key"],
    ),
    (
        "- version: 1\n",
        &[
            "1:1: a mapping of keys to values is expected here, not a list; known keys: `version`, `versions_dir`, `schema`, `identifiers`, `assume_tz`, `prune`, `enums`, `tables`, `rules`",
        ],
    ),
    (
        "tracks\n",
        &[
            "1:1: a mapping of keys to values is expected here, not a text; known keys: `version`, `versions_dir`, `schema`, `identifiers`, `assume_tz`, `prune`, `enums`, `tables`, `rules`",
        ],
    ),
    ("tables: {}\n", &["1:1: the key `version` is missing here"]),
    (
        "version: 2\n",
        &["1:10: version 2 of the mapping format is not known; this program reads `version: 1`"],
    ),
    ("version:\n", &["1:1: a value is missing here"]),
    ("version: [1]\n", &["1:1: a text is expected here, not a list"]),
    ("version: 1\ntabels: {}\n", &["2:1: unknown key `tabels`; did you mean `tables`?"]),
    (
        "version: 1\nsource: x.db\n",
        &[
            "2:1: unknown key `source`; known keys: `version`, `versions_dir`, `schema`, `identifiers`, `assume_tz`, `prune`, `enums`, `tables`, `rules`",
        ],
    ),
    ("version: 1\nversion: 1\n", &["2:1: duplicate key `version`; the first one is in line 1, column 1"]),
    ("version: 1\nidentifiers: sanke\n", &["2:14: unknown policy `sanke`; did you mean `snake`?"]),
    (
        "version: 1\nassume_tz: Europe/Berln\n",
        &["2:12: unknown time zone `Europe/Berln`; did you mean `Europe/Berlin`?"],
    ),
    (
        "version: 1\nassume_tz: Nowhere\n",
        &["2:12: unknown time zone `Nowhere`; a zone is named as in `UTC` or `Europe/Berlin`"],
    ),
    ("version: 1\nversions_dir: ''\n", &["2:15: an empty text says nothing"]),
    ("version: 1\ntables: [a]\n", &["2:1: a mapping of names to what they are is expected here, not a list"]),
    (
        "version: 1\nschema: {nmae: music}\n",
        &["2:1: the key `name` is missing here", "2:10: unknown key `nmae`; did you mean `name`?"],
    ),
    (
        "version: 1\nschema: {name: music, moved_from: music}\n",
        &["2:35: the schema is `music` already; `moved_from` says in which one the tables were before"],
    ),
    ("version: 1\nprune: maybe\n", &["2:8: `true` or `false` is expected here, not a text"]),
    ("version: 1\ntables:\n  t: {colums: {}}\n", &["3:7: unknown key `colums`; did you mean `columns`?"]),
    (
        "version: 1\ntables:\n  t: {}\n  t: {}\n",
        &["4:3: duplicate name `t`; the first one is in line 3, column 3"],
    ),
    ("version: 1\ntables:\n  t: {existing: upsert}\n", &["3:17: `upsert` is not built yet; known: `refuse`"]),
    (
        "version: 1\ntables:\n  t: {existing: refuze}\n",
        &["3:17: unknown value of `existing`: `refuze`; did you mean `refuse`?"],
    ),
    (
        "version: 1\ntables:\n  t: {partition_by: {range: a, every: fortnight}}\n",
        &["3:39: unknown period `fortnight`; known: `day`, `week`, `month`, `quarter`, `year`"],
    ),
    ("version: 1\ntables:\n  t: {partition_by: {range: a}}\n", &["3:7: the key `every` is missing here"]),
    (
        "version: 1\ntables:\n  t: {distribute_by: a}\n",
        &["3:7: `distribute_by` is not built yet; leave it out"],
    ),
    (
        "version: 1\ntables:\n  t: {renamed_from: [], columns: {c: {renamed_from: {d: e}}}}\n",
        &[
            "3:7: `renamed_from` has at least one name",
            "3:39: a text is expected here, not a mapping of keys to values",
        ],
    ),
    (
        "version: 1\ntables:\n  t: {renamed_from: t, columns: {c: {renamed_from: [d, D]}}}\n",
        &[
            "3:21: `t` is its name already; `renamed_from` says what it was called before",
            "3:56: duplicate name `D`; the first one is in line 3, column 53",
        ],
    ),
    (
        "version: 1\ntables:\n  t: {renamed_from: u}\n  u: {}\n",
        &[
            "3:21: `u` cannot be what the table `t` was: it is `u`; a table has one entry; take one of the two away",
        ],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: {renamed_from: d}}, add_columns: {e: {type: text, renamed_from: D}}}\n",
        &[
            "3:84: `D` cannot be what the column `e` was: it is `c`; a column has one entry; take one of the two away",
        ],
    ),
    (
        "version: 1\ntables:\n  t: x\n",
        &[
            "3:6: a mapping of keys to values is expected here, not a text; known keys: `columns`, `add_columns`, `indexes`, `checks`, `foreign_keys`, `partition_by`, `existing`, `on_invalid`, `renamed_from`, `comment`",
        ],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: jsnob}}\n",
        &["3:20: unknown type `jsnob`; did you mean `jsonb`?"],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: zzzzzzzz}}\n",
        &["3:20: unknown type `zzzzzzzz`; docs/mapping.md lists the types"],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: varchar(x)}}\n",
        &["3:20: `varchar(x)` is not a type; the length is a number from 1 to 10485760"],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: numeric(10,2), d: {type: numeric(8,2)}}}\n",
        &[
            "3:20: the type `numeric(10` ends too early; inside `{ }` and `[ ]` a comma ends the value: write it in quotes, as in `\"numeric(10,2)\"`",
            "3:45: the type `numeric(8` ends too early; inside `{ }` and `[ ]` a comma ends the value: write it in quotes, as in `\"numeric(10,2)\"`",
        ],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: }}\n",
        &[
            "3:17: a type, or a mapping of keys to values, is expected here, not nothing; write `name: type`, or `name: {type: …}`",
        ],
    ),
    (
        "version: 1\ntables:\n  t:\n    columns:\n      c: [text]\n",
        &[
            "5:7: a type, or a mapping of keys to values, is expected here, not a list; write `name: type`, or `name: {type: …}`",
        ],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: {typ: text}}}\n",
        &["3:21: unknown key `typ`; did you mean `type`?"],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: {type: jsonb, unwrap: true}}}\n",
        &["3:34: `unwrap` is not built yet; leave it out"],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: {type: jsonb, on_invalid: replace}}}\n",
        &["3:46: `replace` is not built yet; known: `fail`, `set_null`, `text`, `reject`"],
    ),
    (
        "version: 1\ntables:\n  t: {on_invalid: set_null}\n",
        &["3:19: unknown value of a table's `on_invalid`: `set_null`; known: `fail`, `reject`"],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: {type: jsonb, on_invalid: setnull}}}\n",
        &["3:46: unknown value of `on_invalid`: `setnull`; did you mean `set_null`?"],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: {on_invalid: fail}}}\n",
        &[
            "3:33: `on_invalid` is for a column with a `type`: a rule's type always fits; add `type`, or leave it out",
        ],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: {type: date, on_invalid: set_null, not_null: true}}}\n",
        &["3:45: `on_invalid: set_null` writes NULL, which `not_null: true` forbids; choose one of the two"],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: {type: timestamptz, from: julian_day}}}\n",
        &["3:46: `julian_day` is not built yet; known: `epoch_s`, `epoch_ms`, `epoch_us`"],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: {type: timestamptz, from: epoch}}}\n",
        &["3:46: unknown value of `from`: `epoch`; did you mean `epoch_s`?"],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: {type: bigint, from: epoch_s}}}\n",
        &["3:41: `from` is for the types timestamptz and timestamp; add `type: timestamptz`"],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: {type: bigint, collate: C}}}\n",
        &["3:35: `collate` is for text and varchar; leave it out"],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: {not_null: yes}}}\n",
        &["3:31: `true` or `false` is expected here, not a text"],
    ),
    (
        "version: 1\ntables:\n  t: {columns: {c: text, C: text, c: date}}\n",
        &[
            "3:26: duplicate name `C`; the first one is in line 3, column 17",
            "3:35: duplicate name `c`; the first one is in line 3, column 17",
        ],
    ),
    ("version: 1\ntables:\n  t: {columns: {c: {default: }}}\n", &["3:21: a value is missing here"]),
    (
        "version: 1\ntables:\n  t: {add_columns: {c: {default: now()}}}\n",
        &["3:21: the key `type` is missing here"],
    ),
    (
        "version: 1\ntables:\n  t: {add_columns: {c: {type: date, not_null: true}}}\n",
        &[
            "3:21: an added column that is NOT NULL needs a default for the rows; add `default`, or leave `not_null` out",
        ],
    ),
    (
        "version: 1\ntables:\n  t: {add_columns: {c: {type: text, default: a, generated: b}}}\n",
        &[
            "3:49: an added column has one of `default`, `generated` and `as`; `default` is for rows that say nothing, `generated` for a value that no row may say, `as` for what the rows that are there get once",
        ],
    ),
    (
        "version: 1\ntables:\n  t: {add_columns: {c: {type: text, generatd: b}}}\n",
        &["3:37: unknown key `generatd`; did you mean `generated`?"],
    ),
    (
        "version: 1\ntables:\n  t: {add_columns: {c: [date]}}\n",
        &["3:21: a text is expected here, not a list"],
    ),
    (
        "version: 1\ntables:\n  t:\n    columns: {c: date}\n    add_columns: {c: {type: date}}\n",
        &[
            "5:19: the column `c` stands under `columns` too; `columns` is for the source's columns, `add_columns` for new ones",
        ],
    ),
    (
        "version: 1\ntables:\n  t: {indexes: {name: i}}\n",
        &[
            "3:7: a list is expected here, not a mapping of keys to values; each item of a list begins with `- `, or stands in `[ ]`",
        ],
    ),
    (
        "version: 1\ntables:\n  t:\n    indexes:\n      - {columns: [a]}\n",
        &["5:10: the key `name` is missing here"],
    ),
    (
        "version: 1\ntables:\n  t:\n    indexes:\n      - {name: i}\n",
        &["5:10: the key `columns` or `expression` is missing here"],
    ),
    (
        "version: 1\ntables:\n  t:\n    indexes:\n      - {name: i, columns: []}\n",
        &["5:19: an index has at least one column or expression"],
    ),
    (
        "version: 1\ntables:\n  t:\n    indexes:\n      - {name: i, columns: a}\n",
        &["5:28: a list is expected here, not a text; a list of one is written `[a]`"],
    ),
    (
        "version: 1\ntables:\n  t:\n    indexes:\n      - {name: i, columns: [a], expression: b}\n",
        &[
            "5:33: an index has either `columns` or `expression`; put the expression into the list: `columns: [NAME, {expression: \"…\"}]`",
        ],
    ),
    (
        "version: 1\ntables:\n  t:\n    indexes:\n      - {name: i, columns: [a], opclass: o}\n",
        &["5:33: an operator class belongs to a column; write `columns: [{column: NAME, opclass: …}]`"],
    ),
    (
        "version: 1\ntables:\n  t:\n    indexes:\n      - {name: i, method: gni, columns: [a]}\n",
        &["5:27: unknown index method `gni`; did you mean `gin`?"],
    ),
    (
        "version: 1\ntables:\n  t:\n    indexes:\n      - {name: i, columns: [{opclass: o}]}\n",
        &["5:30: the key `column` or `expression` is missing here"],
    ),
    (
        "version: 1\ntables:\n  t:\n    indexes:\n      - {name: i, columns: [{column: a, expression: b}]}\n",
        &["5:53: either `column` or `expression`, not both"],
    ),
    (
        "version: 1\ntables:\n  t:\n    indexes:\n      - {name: i, columns: [{column: a, order: down}]}\n",
        &["5:48: unknown order `down`; known: `asc`, `desc`"],
    ),
    (
        "version: 1\ntables:\n  t:\n    indexes:\n      - {name: i, columns: [{column: a, nulls: frist}]}\n",
        &["5:48: unknown place of NULL `frist`; did you mean `first`?"],
    ),
    (
        "version: 1\ntables:\n  t:\n    indexes:\n      - {name: i, columns: [a], inclued: [b]}\n",
        &["5:33: unknown key `inclued`; did you mean `include`?"],
    ),
    (
        "version: 1\ntables:\n  t:\n    indexes:\n      - {name: i, columns: [a], include: []}\n",
        &["5:33: `include` names at least one column"],
    ),
    (
        "version: 1\ntables:\n  t:\n    indexes:\n      - {name: i, columns: [a], nulls_distinct: false}\n",
        &["5:33: `nulls_distinct` is for a unique index; add `unique: true`"],
    ),
    (
        "version: 1\ntables:\n  t:\n    indexes: [{name: i, columns: [a]}]\n  u:\n    indexes: [{name: i, columns: [a]}]\n",
        &["6:22: duplicate index `i`; the first one is in line 4, column 22"],
    ),
    ("version: 1\ntables:\n  t: {checks: [{name: k}]}\n", &["3:17: the key `expression` is missing here"]),
    (
        "version: 1\ntables:\n  t: {checks: [{name: k, expression: a}, {name: k, expression: b}]}\n",
        &["3:49: duplicate check `k`; the first one is in line 3, column 23"],
    ),
    (
        "version: 1\ntables:\n  t: {foreign_keys: [{columns: [a]}]}\n",
        &["3:23: the key `references` is missing here"],
    ),
    (
        "version: 1\ntables:\n  t: {foreign_keys: [{columns: [a], references: u}]}\n",
        &["3:49: a mapping of keys to values is expected here, not a text; known keys: `table`, `columns`"],
    ),
    (
        "version: 1\ntables:\n  t: {foreign_keys: [{columns: [a], references: {columns: [b]}}]}\n",
        &["3:37: the key `table` is missing here"],
    ),
    (
        "version: 1\ntables:\n  t: {foreign_keys: [{columns: [a], references: {table: u, columns: [b, c]}}]}\n",
        &["3:23: columns here: 1; under `references`: 2; each column refers to one"],
    ),
    (
        "version: 1\ntables:\n  t: {foreign_keys: [{columns: [], references: {table: u}}]}\n",
        &["3:23: a foreign key has at least one column"],
    ),
    (
        "version: 1\ntables:\n  t: {foreign_keys: [{columns: [a], references: {table: u}, on_delete: cascde}]}\n",
        &["3:72: unknown action `cascde`; did you mean `cascade`?"],
    ),
    (
        "version: 1\ntables:\n  t: {foreign_keys: [{columns: [a], references: {table: u}, on_invalid: fail}]}\n",
        &["3:61: `on_invalid` is not built yet; leave it out"],
    ),
    (
        "version: 1\nrules: [{to: [text]}]\n",
        &[
            "2:10: this rule does not say which columns it is for; say it with `declared`, `column` or `affinity`; `column: \"*\"` is every column",
        ],
    ),
    ("version: 1\nrules: [{declared: X}]\n", &["2:10: the key `to` is missing here"]),
    (
        "version: 1\nrules: [{declared: X, to: []}]\n",
        &["2:23: a ladder has at least one type; as in `to: [bigint, text, bytea]`"],
    ),
    (
        "version: 1\nrules: [{declared: X, to: text}]\n",
        &["2:27: a list is expected here, not a text; a list of one is written `[text]`"],
    ),
    (
        "version: 1\nrules: [{declared: X, to: [bigant]}]\n",
        &["2:28: unknown type `bigant`; did you mean `bigint`?"],
    ),
    (
        "version: 1\nrules: [{affinity: int, to: [text]}]\n",
        &["2:20: unknown affinity `int`; known: `integer`, `text`, `blob`, `real`, `numeric`"],
    ),
];
