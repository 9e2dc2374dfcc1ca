//! `mtm migrate down` of what an edited mapping made: of versions that are whole, and of versions that stopped half-way.

use crate::{
    cases::ALL_HAZARDS,
    command::{Outcome, Way},
    support::TestDatabase,
};

const HEAD: &str = "version: 1\nversions_dir: versions\n";

/// Everything in the target that a version can make or take away.
const SCHEMA: &str = "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
    SELECT format('%s.%s %s %s %s', attrelid::regclass, attname, atttypid::regtype, attnotnull, attidentity) FROM pg_attribute
    WHERE attrelid IN ('t'::regclass, 'p'::regclass) AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid IN ('t'::regclass, 'p'::regclass)
      AND contype <> 'n'
    UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid IN ('t'::regclass, 'p'::regclass)) AS of (line)";

fn run(way: &Way, verb: &str, yaml: &str, more: &[&str]) -> Outcome {
    way.place.write("types.yaml", format!("{HEAD}{yaml}"));
    way.run(verb, &[&["--mapping", "types.yaml"], more].concat())
}

fn down(way: &Way) -> Outcome {
    let target = ["--mapping", "types.yaml", "--target", &way.target.url, "--allow", ALL_HAZARDS];
    way.place.mtm(&[&["migrate", "down"], &target[..]].concat())
}

const SOURCE: &str =
    "CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT); CREATE UNIQUE INDEX p_code ON p (code);
    CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, w TEXT, k TEXT);
    INSERT INTO p VALUES (1, 'a'), (2, 'b'); INSERT INTO t VALUES (1, 'a', 'x', 'a'), (2, 'b', 'y', 'b');";

/// What one step does not come to its end, each with what a writer does between plan and apply.
#[tokio::test(flavor = "multi_thread")]
async fn versions_that_stopped_half_way_are_taken_back() {
    let before = "tables:\n  t:\n    indexes:\n      - {name: t_v, columns: [v]}\n";
    let duplicate = "INSERT INTO t VALUES (3, 'a', 'x', 'a')";
    for (after, writes) in [
        // The unique one is never there.
        (
            "tables:\n  t:\n    indexes:\n      - {name: t_v, columns: [v]}\n      - {name: t_k, columns: [k]}\n      - {name: t_w, columns: [w], unique: true}\n",
            duplicate,
        ),
        // The new one, unique, is to take the old one's place.
        (
            "tables:\n  t:\n    indexes:\n      - {name: t_v, columns: [v], unique: true}\n      - {name: t_k, columns: [k]}\n",
            duplicate,
        ),
        // A check that a row breaks by now, and one of NOT NULL.
        (
            "tables:\n  t:\n    columns:\n      w: {type: text, check: \"w > 'a'\"}\n    indexes:\n      - {name: t_v, columns: [v]}\n      - {name: t_k, columns: [k]}\n",
            "INSERT INTO t VALUES (3, 'a', '', 'a')",
        ),
        (
            "tables:\n  t:\n    columns:\n      w: {type: text, not_null: true}\n    indexes:\n      - {name: t_v, columns: [v]}\n",
            "INSERT INTO t VALUES (3, 'a', NULL, 'a')",
        ),
        (
            "tables:\n  t:\n    indexes:\n      - {name: t_v, columns: [v]}\n    foreign_keys:\n      - {columns: [k], references: {table: p, columns: [code]}}\n",
            "INSERT INTO t VALUES (3, 'a', 'x', 'nobody')",
        ),
    ] {
        let way = Way::from_sql(SOURCE).await;
        run(&way, "apply", before, &["--yes"]).ends_with(0);
        let schema = way.target.value(SCHEMA).await;
        run(&way, "plan", after, &["--save", "more"]).ends_with(0);
        way.target.execute(writes).await;
        let up = ["--mapping", "types.yaml", "--target", &way.target.url, "--allow", ALL_HAZARDS];
        let up = way.place.mtm(&[&["migrate", "up"], &up[..]].concat());
        assert_ne!(up.code, Some(0), "{after}\n{}", up.stdout);
        down(&way).ends_with(0);
        assert_eq!(way.target.value(SCHEMA).await, schema, "{after}");
    }
}

/// The index that is to become a key is there, and the key is not.
#[tokio::test(flavor = "multi_thread")]
async fn the_index_of_a_key_that_was_not_made_goes() {
    use mtm::schema::{Change, Key, render};
    let target = TestDatabase::new().await;
    target.execute("CREATE TABLE t (id bigint); CREATE UNIQUE INDEX t_key ON t (id)").await;
    let key = Key { name: "t_key".to_owned(), primary: false, columns: vec!["id".to_owned()] };
    let back = render::undo(&Change::AddKey { table: "t".to_owned(), key });
    let render::Undo::By { statements, .. } = back else { panic!("{back:?}") };
    for sql in &statements {
        target.execute(sql).await;
    }
    assert_eq!(
        target.value("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass").await.unwrap(),
        "0"
    );
}

/// An identity that was taken away goes on, when it comes back, behind the values that came meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn identities_go_on_behind_the_highest_value() {
    use mtm::schema::{Change, render};
    for (ids, next) in
        [("", "1"), ("(-5), (-3)", "1"), ("(7), (-3)", "8"), ("(9223372036854775806)", "9223372036854775807")]
    {
        let target = TestDatabase::new().await;
        target.execute("CREATE TABLE t (id bigint NOT NULL, v text)").await;
        if !ids.is_empty() {
            target.execute(&format!("INSERT INTO t (id) VALUES {ids}")).await;
        }
        let identity =
            |identity| Change::SetIdentity { table: "t".to_owned(), column: "id".to_owned(), identity };
        let render::Undo::By { statements, .. } = render::undo(&identity(false)) else { panic!() };
        for sql in &statements {
            target.execute(sql).await;
        }
        assert_eq!(target.value("nextval('t_id_seq')").await.unwrap(), next, "{ids}");
        let render::Undo::By { statements, .. } = render::undo(&identity(true)) else { panic!() };
        for sql in statements.iter().chain(&statements) {
            target.execute(sql).await;
        }
        target.execute("INSERT INTO t VALUES (9223372036854775807) ON CONFLICT DO NOTHING").await;
        let in_use = render::Place { in_use: true, ..render::Place::default() };
        for statement in render::statements(&identity(true), in_use) {
            target.execute(&statement.sql).await;
        }
        assert_eq!(
            target.value("SELECT last_value FROM t_id_seq").await.unwrap(),
            "9223372036854775807",
            "{ids}"
        );
    }
}
