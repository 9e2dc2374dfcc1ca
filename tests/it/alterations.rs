//! Changes of the mapping that hang together: what is ours and what is not, rows that are asked as they will be, foreign keys
//! over what is replaced, checks on values that are converted.

use crate::{
    cases::{ALL_HAZARDS, same_schema_as_from_nothing},
    command::{Outcome, Way},
};

fn run(way: &Way, verb: &str, yaml: &str, more: &[&str]) -> Outcome {
    let file = way.place.write("types.yaml", format!("version: 1\ntables:\n{yaml}"));
    way.run(verb, &[&["--mapping", file.to_str().unwrap()], more].concat())
}

const ALLOWING: [&str; 3] = ["--yes", "--allow", ALL_HAZARDS];

/// Names that are words of our statements are somebody else's all the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_named_like_a_word_of_ours_stays() {
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, email TEXT, b TEXT); INSERT INTO t VALUES (1, 'a', 'b');",
    )
    .await;
    run(&way, "apply", "  t: {indexes: [{name: t_b, columns: [b]}]}\n", &["--yes"]).ends_with(0);
    way.target
        .execute(
            "ALTER TABLE t ADD CONSTRAINT email CHECK (email > ''), ADD CONSTRAINT text CHECK (b > '');
             CREATE INDEX b ON t (email); CREATE INDEX \"table\" ON t (b)",
        )
        .await;
    let plan = run(&way, "plan", "  t: {columns: {email: text}}\n", &["--exit-code"]).ends_with(2).stdout;
    assert!(plan.contains("- index t_b on t") && plan.matches("\n  - ").count() == 1, "{plan}");
    run(&way, "apply", "  t: {columns: {email: text}}\n", &["--yes"]).ends_with(0);
    way.holds(&[
        ("SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE contype = 'c' AND conrelid = 't'::regclass", "email text"),
        ("SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE tablename = 't'", "b t_pkey table"),
    ])
    .await;
}

const A: &str = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";

/// Questions about the rows are asked of the values that the same plan makes of them.
#[tokio::test(flavor = "multi_thread")]
async fn rows_are_asked_as_they_will_be() {
    let way = Way::from_sql(&format!(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT, n TEXT); INSERT INTO t VALUES (1, '{A}', '10'), (2, '{}', '11');",
        A.to_uppercase()
    ))
    .await;
    let before = "  t: {columns: {u: text, n: text}}\n";
    run(&way, "apply", before, &["--yes"]).ends_with(0);
    // Texts that differ are one uuid.
    let unique = "  t: {columns: {u: uuid, n: text}, indexes: [{name: t_u, columns: [u], unique: true}]}\n";
    run(&way, "plan", unique, &[])
        .ends_with(3)
        .says(&["unique index t_u on t using btree (u): refused by 2 rows (duplicates), the first at id=1"]);
    // '10' is before '9', and 10 is not.
    let check = "  t: {columns: {u: text, n: {type: integer, check: \"n > 9\"}}}\n";
    run(&way, "plan", check, &[]).ends_with(0);
    run(&way, "apply", check, &ALLOWING).ends_with(0);
    run(&way, "verify", check, &[]).succeeds();
    // And a check that the converted values break is foreseen; only the target's rows do.
    run(&way, "apply", before, &[&ALLOWING[..], &["--restart"]].concat()).ends_with(0);
    way.target.execute("INSERT INTO t VALUES (3, NULL, '8')").await;
    run(&way, "plan", check, &[])
        .ends_with(3)
        .says(&["refused by 1 row (the check does not hold), the first at id=3"]);
}

/// A foreign key hangs on the unique index of its parent's columns, and makes way for another one.
#[tokio::test(flavor = "multi_thread")]
async fn unique_indexes_under_foreign_keys_are_replaced() {
    let way = Way::from_sql(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT); CREATE UNIQUE INDEX p_code ON p (code);
        CREATE TABLE c (id INTEGER PRIMARY KEY, code TEXT);
        INSERT INTO p VALUES (1, 'a'), (2, 'b'); INSERT INTO c VALUES (1, 'a'), (2, 'b');",
    )
    .await;
    let with = |indexes: &str, of: &str| {
        format!(
            "  p: {{columns: {{code: {of}}}, indexes: [{indexes}]}}\n  c:\n    columns: {{code: {of}}}\n    \
             foreign_keys: [{{columns: [code], references: {{table: p, columns: [code]}}}}]\n"
        )
    };
    let descending = "{name: p_code, columns: [{column: code, order: desc}], unique: true}";
    let steps = [
        with("", "text"),
        // Another one under its name, there and back,
        with(descending, "text"),
        with("", "text"),
        // and one that is made again since its column is retyped.
        with(descending, "varchar(9)"),
        with("", "varchar(5)"),
    ];
    for step in &steps {
        run(&way, "apply", step, &ALLOWING).ends_with(0);
        run(&way, "plan", step, &["--exit-code"]).ends_with(0);
        run(&way, "verify", step, &[]).succeeds();
        same_schema_as_from_nothing(&way, &format!("version: 1\ntables:\n{step}"), step).await;
    }
}

/// Checks are not tried on cells that are not yet what the check is about.
#[tokio::test(flavor = "multi_thread")]
async fn checks_of_converted_values_are_left_to_the_server() {
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, seen INTEGER, n TEXT, k INTEGER); INSERT INTO t VALUES (1, 1700000000000, '10', 7);",
    )
    .await;
    let mapping = "  t:\n    columns:\n      seen: {type: timestamptz, from: epoch_ms, check: \"seen >= '2000-01-01'\"}\n      \
                   n: {type: integer, check: \"n > 9\"}\n      k: {type: text, check: \"k = '7'\"}\n";
    run(&way, "plan", mapping, &[]).ends_with(0);
    run(&way, "apply", mapping, &["--yes"]).ends_with(0);
    run(&way, "verify", mapping, &[]).succeeds();
    let broken = "  t: {columns: {k: {type: integer, check: \"k > 7\"}}}\n";
    run(&way, "plan", broken, &[])
        .ends_with(3)
        .says(&["t_k_check of t (k > 7) is broken by 1 row, first at id=1"]);
}

/// What is somebody else's and hangs on a column is named before anything is tried.
#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_on_a_column_is_named() {
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT, c TEXT); INSERT INTO t VALUES (1, '1', '2024-01-02', '3');",
    )
    .await;
    let with = |columns: &str| format!("  t: {{columns: {{{columns}}}}}\n");
    let before = with("a: text, b: text, c: text");
    run(&way, "apply", &before, &["--yes"]).ends_with(0);
    let after = with("a: integer, b: date, c: text");
    for (made, said, gone) in [
        ("CREATE VIEW v AS SELECT a FROM t", "view v uses the column", "DROP VIEW v"),
        (
            "CREATE MATERIALIZED VIEW m AS SELECT b FROM t",
            "materialized view m uses the column",
            "DROP MATERIALIZED VIEW m",
        ),
        (
            "CREATE RULE r AS ON UPDATE TO t WHERE new.a = 'z' DO ALSO SELECT 1",
            "rule r on table t uses the column",
            "DROP RULE r ON t",
        ),
        (
            "CREATE FUNCTION f() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT a FROM t; END",
            "function f() uses the column",
            "DROP FUNCTION f()",
        ),
        (
            "ALTER TABLE t ADD COLUMN g text GENERATED ALWAYS AS (a || 'x') STORED",
            "generated column g uses the column",
            "ALTER TABLE t DROP COLUMN g",
        ),
        (
            "CREATE INDEX i ON t (lower(a))",
            "index i does not allow it (function lower(integer) does not exist)",
            "DROP INDEX i",
        ),
        (
            "CREATE INDEX i ON t (b text_pattern_ops)",
            "index i does not allow it (operator class",
            "DROP INDEX i",
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT k CHECK (a ~ '1')",
            "constraint k does not allow it (operator does not exist: integer ~ text)",
            "ALTER TABLE t DROP CONSTRAINT k",
        ),
    ] {
        way.target.execute(made).await;
        run(&way, "plan", &after, &[]).ends_with(3).says(&["blocker column-in-use: column t.", said]);
        way.target.execute(gone).await;
    }
    // A column that goes, too: the plan is the same whether there are rows or not.
    way.target.execute("ALTER TABLE t ADD COLUMN x text; CREATE VIEW v AS SELECT x FROM t").await;
    let file = way.place.write("prune.yaml", format!("version: 1\nprune: true\ntables:\n{before}"));
    let prune = ["--mapping", file.to_str().unwrap()];
    way.run("plan", &prune).ends_with(3).says(&["column t.x text: view v uses the column"]);
    way.target.execute("DELETE FROM t").await;
    way.run("plan", &prune).ends_with(3).says(&["column t.x text: view v uses the column"]);
    way.target.execute("DROP VIEW v; INSERT INTO t VALUES (1, '1', '2024-01-02', '3')").await;
    // What the server makes anew by itself, and what is about other columns, is in nobody's way.
    way.target
        .execute(
            "CREATE VIEW v AS SELECT id, c FROM t; CREATE INDEX i ON t (a, b); ALTER TABLE t ADD CONSTRAINT k CHECK (c ~ '3'), \
             ADD CONSTRAINT u UNIQUE (b); CREATE INDEX j ON t (lower(c))",
        )
        .await;
    run(&way, "apply", &after, &ALLOWING).ends_with(0);
    run(&way, "verify", &after, &[]).succeeds();
}
