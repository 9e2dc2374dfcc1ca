//! From any mapping to any other: two random ones, the first applied, then the second.
//!
//! Afterwards the plan is empty, the schema is that of a target which the second mapping made from nothing, and the rows are
//! proven. Where a type cannot come from the one that is there, the plan says that the rows have to be copied anew, and
//! `--restart` does. Mappings follow one another in one target, so that each pair is the next one's history.

use crate::{
    cases::{ALL_HAZARDS, same_schema_as_from_nothing},
    command::{Outcome, Way},
    faults::{Random, tell},
};

const SOURCE: &str = "CREATE TABLE thing (id INTEGER PRIMARY KEY, n INTEGER, flag INTEGER, t TEXT, j TEXT, d TEXT, ts TEXT, e INTEGER,
        u TEXT, r REAL, parent INTEGER, size TEXT DEFAULT 'small');
    CREATE TABLE part (id INTEGER PRIMARY KEY, thing_id INTEGER, name TEXT NOT NULL, qty INTEGER DEFAULT 1, size TEXT);
    CREATE TABLE log (n INTEGER, day TEXT NOT NULL, thing_id INTEGER, words TEXT, size TEXT, PRIMARY KEY (n, day));
    WITH RECURSIVE k (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 40)
    INSERT INTO thing SELECT i, i * 3, i % 2, 'text ' || i, '{\"b\": ' || i || ', \"a\": [1]}', printf('2024-01-%02d', i % 28 + 1),
        printf('2024-01-%02d 10:00:00+02:00', i % 28 + 1), 1700000000 + i, printf('123e4567-e89b-12d3-a456-4266141740%02d', i),
        i * 0.25, nullif(i / 2, 0), nullif(iif(i % 3, iif(i % 3 = 1, 'small', 'so so'), 'large'), iif(i % 5, '', 'large')) FROM k;
    INSERT INTO part SELECT id, id, 'part ' || id, id, size FROM thing; INSERT INTO part VALUES (100, NULL, 'of nothing', NULL, NULL);
    INSERT INTO log SELECT id, date('2023-12-20', (id * 5) || ' days'), id, t, size FROM thing;";

/// What a column may be asked to be, each a value in YAML; `-`: it is not named.
const COLUMNS: [(&str, &str, &[&str]); 20] = [
    ("thing", "id", &["-", "integer", "bigint"]),
    (
        "thing",
        "n",
        &[
            "-",
            "smallint",
            "integer",
            "{type: bigint, not_null: true}",
            "{type: integer, default: 7}",
            "numeric",
            "\"numeric(8,2)\"",
            "double precision",
            "text",
            "varchar(20)",
        ],
    ),
    ("thing", "flag", &["-", "boolean", "smallint", "{type: boolean, default: true}", "text"]),
    (
        "thing",
        "t",
        &[
            "-",
            "varchar(30)",
            "varchar(60)",
            "{type: text, collate: C}",
            "bytea",
            "{type: text, not_null: true}",
            "{comment: \"What it's called\"}",
            "{type: varchar(60), comment: 'a \\ and „more“'}",
        ],
    ),
    ("thing", "j", &["text", "jsonb", "{type: jsonb, default: \"'{}'\"}"]),
    ("thing", "d", &["text", "date", "{type: date, default: current_date}", "varchar(10)"]),
    ("thing", "ts", &["text", "timestamptz"]),
    (
        "thing",
        "e",
        &["bigint", "{type: timestamptz, from: epoch_s}", "{type: timestamp, from: epoch_s}", "numeric"],
    ),
    ("thing", "u", &["text", "uuid", "varchar(36)"]),
    (
        "thing",
        "r",
        &[
            "-",
            "numeric",
            "\"numeric(10,2)\"",
            "{type: double precision, check: \"r > 0\"}",
            "{type: double precision, check: \"r >= 0\"}",
        ],
    ),
    ("thing", "parent", &["-", "integer"]),
    (
        "thing",
        "size",
        &[
            "-",
            "varchar(9)",
            "size",
            "{type: size, default: \"'large'\"}",
            "{type: size, default: \"NULL\", check: \"size IN ('small', 'so so', 'large')\"}",
            "extent",
            "{type: extent, default: \"'small'\"}",
        ],
    ),
    ("part", "size", &["-", "size", "extent", "varchar(9)"]),
    ("part", "thing_id", &["-", "integer", "bigint"]),
    ("log", "n", &["-", "integer", "bigint"]),
    ("log", "day", &["date", "{type: date, comment: When}", "date", "text"]),
    ("log", "thing_id", &["-", "integer", "{type: bigint, not_null: true}"]),
    ("log", "size", &["size", "extent", "varchar(9)"]),
    ("log", "words", &["-", "varchar(40)", "{type: text, default: \"'none'\", check: \"words <> ''\"}"]),
    ("part", "qty", &["-", "{type: integer, default: 2}", "{type: smallint, check: \"qty > 0\"}", "numeric"]),
];

/// The labels of the two enumerated types: one of these for each.
const LABELS: [&str; 5] = [
    "[small, so so, large]",
    "[large, so so, small]",
    "[small, so so, large, huge]",
    "[tiny, small, \"it's so\", so so, large]",
    "[small, large, so so, tiny]",
];

/// What a table may have beside its columns: the table, the key, an entry of its list.
const OBJECTS: [(&str, &str, &str); 26] = [
    ("thing", "indexes", "{name: thing_n, columns: [n]}"),
    ("thing", "indexes", "{name: thing_by, columns: [t, d]}"),
    ("thing", "indexes", "{name: thing_by, columns: [{column: d, order: desc}, u]}"),
    (
        "thing",
        "indexes",
        "{name: thing_by, columns: [{column: d, order: desc, nulls: last}, u], include: [n, t]}",
    ),
    ("thing", "indexes", "{name: thing_u, unique: true, columns: [u]}"),
    ("thing", "indexes", "{name: thing_u, unique: true, nulls_distinct: false, columns: [u], include: [e]}"),
    ("thing", "indexes", "{name: thing_e, columns: [{column: e, nulls: first}], include: [flag]}"),
    ("thing", "indexes", "{name: thing_r, columns: [r], where: \"r > 1\"}"),
    ("thing", "indexes", "{name: thing_made, columns: [made_of]}"),
    ("thing", "indexes", "{name: thing_made, unique: true, columns: [id], include: [made_of]}"),
    (
        "thing",
        "checks",
        "{name: thing_made_check, expression: \"made_of IS NULL OR length(made_of::text) > 0\"}",
    ),
    ("thing", "indexes", "{name: thing_size, columns: [size, id]}"),
    ("thing", "indexes", "{name: thing_small, columns: [n], where: \"size = 'small'\"}"),
    ("part", "checks", "{name: part_size, expression: \"size <> 'large' OR qty > -1\"}"),
    ("thing", "checks", "{name: thing_positive, expression: \"r > 0\"}"),
    ("thing", "checks", "{name: thing_positive, expression: \"r > 0 OR id > 0\"}"),
    ("thing", "foreign_keys", "{columns: [parent], references: {table: thing}}"),
    ("part", "foreign_keys", "{columns: [thing_id], references: {table: thing}}"),
    ("part", "foreign_keys", "{columns: [thing_id], references: {table: thing}, on_delete: cascade}"),
    ("log", "indexes", "{name: log_words, columns: [words, day]}"),
    ("log", "indexes", "{name: log_words, columns: [{column: words, order: desc}]}"),
    ("log", "indexes", "{name: log_one, unique: true, columns: [day, thing_id]}"),
    ("log", "foreign_keys", "{columns: [thing_id], references: {table: thing}}"),
    ("log", "foreign_keys", "{columns: [thing_id], references: {table: thing}, on_delete: cascade}"),
    ("part", "indexes", "{name: part_thing, columns: [thing_id]}"),
    ("part", "indexes", "{name: part_name, columns: [{column: name, opclass: text_pattern_ops}]}"),
];

/// How a table may be partitioned; `-`: not at all.
const PERIODS: [&str; 4] = ["-", "month", "quarter", "year"];

/// Columns that only the target has; of a table, or of both.
const ADDED: [(&str, &str); 15] = [
    ("", "note: {type: text, renamed_from: remark}"),
    ("", "note: {type: varchar(20), renamed_from: remark, comment: To be read}"),
    ("", "remark: {type: text, renamed_from: note}"),
    ("", "made: {type: timestamptz, default: now(), not_null: true}"),
    ("", "kind: {type: text, default: \"'small'\", not_null: true}"),
    ("thing", "made_of: {type: text, generated: \"j::jsonb ->> 'b'\"}"),
    ("thing", "made_of: {type: integer, generated: \"(j::jsonb ->> 'b')::integer\"}"),
    ("thing", "made_of: {type: text, generated: \"'n' || n::text\", comment: Of n}"),
    ("thing", "made_of: text"),
    ("thing", "long: {type: integer, generated: length(j::text), not_null: true}"),
    ("part", "made_of: {type: integer, generated: \"length(name) + coalesce(id, 0)\"}"),
    ("log", "made_of: {type: integer, generated: \"length(words::text) + n\"}"),
    ("log", "made_of: {type: text, generated: words::text}"),
    ("", "kind: {type: extent, default: \"'small'\", not_null: true}"),
    ("", "rank: size"),
];

/// Columns that go over under one of two names.
const RENAMED: [(&str, &str); 5] =
    [("t", "title"), ("u", "Uid"), ("parent", "order"), ("thing_id", "of_thing"), ("day", "On")];

/// A column's entry; where it has another name, that is the one which the target may still have from the mapping before.
fn column_entry(random: &mut Random, column: &str, choice: &str) -> String {
    let Some((_, other)) = RENAMED.iter().find(|(name, _)| *name == column) else {
        return if choice == "-" { String::new() } else { format!("      {column}: {choice}\n") };
    };
    let (name, former) = if random.below(2) == 0 { (column, *other) } else { (*other, column) };
    let more = match choice.strip_suffix('}') {
        Some(object) => format!("{object}, "),
        None if choice == "-" => "{".to_owned(),
        None => format!("{{type: {choice}, "),
    };
    format!("      {name}: {more}renamed_from: {former}}}\n")
}

/// Draws a mapping.
fn mapping(random: &mut Random) -> String {
    let mut yaml = "version: 1\nprune: true\nenums:\n".to_owned();
    for name in ["size", "extent"] {
        yaml += &format!("  {name}: {}\n", LABELS[random.below(LABELS.len() as u64) as usize]);
    }
    yaml += "tables:\n";
    for table in ["thing", "part", "log"] {
        let (name, former) = match (table, random.below(2)) {
            ("part", 0) => ("piece", "part"),
            ("part", _) => ("part", "piece"),
            ("log", 0) => ("diary", "log"),
            ("log", _) => ("log", "diary"),
            _ => ("thing", "things"),
        };
        yaml += &format!("  {name}:\n    renamed_from: {former}\n");
        match random.below(4) {
            0 => yaml += &format!("    comment: All of {table}\n"),
            1 => yaml += "    comment: \"All;\\n-- step\\nof it\"\n",
            _ => {}
        }
        yaml += "    columns:\n";
        let mut chosen: Vec<(&str, &str)> = Vec::new();
        for (_, column, choices) in COLUMNS.iter().filter(|(of, ..)| *of == table) {
            chosen.push((column, choices[random.below(choices.len() as u64) as usize]));
        }
        let mut partition_by = String::new();
        for &(column, choice) in &chosen {
            yaml += &column_entry(random, column, choice);
        }
        let name_of = |column: &&'static str| column.split(':').next().unwrap_or_default();
        let of_table = ADDED.iter().filter(|(of, _)| of.is_empty() || *of == table);
        let mut added: Vec<&str> = Vec::new();
        for (_, column) in of_table.filter(|_| random.below(3) == 0) {
            // One column under two names.
            let is_another =
                name_of(column) == "remark" && added.iter().any(|known| name_of(known) == "note");
            if !is_another && added.iter().all(|known| name_of(known) != name_of(column)) {
                added.push(column);
            }
        }
        let is_dated = chosen.iter().any(|(column, choice)| *column == "day" && choice.contains("date"));
        let period = PERIODS[random.below(PERIODS.len() as u64) as usize];
        if is_dated && period != "-" {
            partition_by = format!("    partition_by: {{range: day, every: {period}}}\n");
        }
        let has_made_of = added.iter().any(|column| name_of(column) == "made_of");
        yaml += &partition_by;
        let mut taken: Vec<&str> = Vec::new();
        for key in ["indexes", "checks", "foreign_keys"] {
            let mut lines = String::new();
            for (of, of_key, entry) in OBJECTS {
                let name = entry.split(',').next().unwrap_or_default();
                let has_columns = has_made_of || !entry.contains("made_of");
                if of == table
                    && of_key == key
                    && has_columns
                    && random.below(2) == 0
                    && !taken.contains(&name)
                {
                    taken.push(name);
                    lines += &format!("      - {entry}\n");
                }
            }
            if !lines.is_empty() {
                yaml += &format!("    {key}:\n{lines}");
            }
        }
        let lines: String = added.iter().map(|column| format!("      {column}\n")).collect();
        if !lines.is_empty() {
            yaml += &format!("    add_columns:\n{lines}");
        }
    }
    yaml
}

/// Goes from one random mapping to the next, so many times.
async fn pairs(test: &str, count: u32) {
    let mut random = Random::drawn(test);
    let way = Way::from_sql(SOURCE).await;
    let mut before = mapping(&mut random);
    let run = |verb: &str, yaml: &str, more: &[&str]| -> Outcome {
        let file = way.place.write("types.yaml", yaml);
        way.run(verb, &[&["--mapping", file.to_str().unwrap()], more].concat())
    };
    run("apply", &before, &["--yes"]).ends_with(0);
    let mut copied_anew = 0;
    for pair in 1..=count {
        let after = mapping(&mut random);
        let told = format!("pair {pair} of {test}\n--- before\n{before}--- after\n{after}");
        let allowing = ["--yes", "--allow", ALL_HAZARDS];
        let mut applied = run("apply", &after, &allowing);
        if applied.code == Some(4) {
            copied_anew += 1;
            applied = run("apply", &after, &[&allowing[..], &["--restart"]].concat());
        }
        assert_eq!(applied.code, Some(0), "{told}\n{}\n{}", applied.stdout, applied.stderr);
        let plan = run("plan", &after, &["--exit-code"]);
        assert_eq!(plan.code, Some(0), "{told}\n{}\n{}", plan.stdout, plan.stderr);
        let verified = run("verify", &after, &[]);
        assert_eq!(verified.code, Some(0), "{told}\n{}\n{}", verified.stdout, verified.stderr);
        same_schema_as_from_nothing(&way, &after, &told).await;
        before = after;
    }
    tell(&format!("{test}: {count} pairs, {copied_anew} of them by copying anew"));
}

macro_rules! draws {
    ($($name:ident),*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            pairs(stringify!($name), 10).await;
        }
    )*};
}

draws![round_trip_1, round_trip_2, round_trip_3, round_trip_4, round_trip_5];

macro_rules! long_draws {
    ($($name:ident),*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        #[ignore = "a long draw: script/test --nightly"]
        async fn $name() {
            pairs(stringify!($name), 250).await;
        }
    )*};
}

long_draws![nightly_round_trip_1, nightly_round_trip_2, nightly_round_trip_3, nightly_round_trip_4];
