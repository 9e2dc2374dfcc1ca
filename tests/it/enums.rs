//! Enumerated types from end to end: values that are no labels, versions that add and remove labels, drift, the way back.

use crate::{
    cases::{ALL_HAZARDS, same_schema_as_from_nothing},
    command::{Outcome, Way},
    saved_versions::versions,
    support::TestDatabase,
};

const SOURCE: &str = "CREATE TABLE play (id INTEGER PRIMARY KEY, kind TEXT DEFAULT 'short', untyped);
    INSERT INTO play VALUES (1, 'short', 1), (2, 'long', '2'), (3, 'Short', 1), (4, NULL, NULL), (5, 'short ', '1'), (6, '', 2);";

/// A mapping with these labels, and this said of the column.
fn mapping(labels: &str, column: &str) -> String {
    format!(
        "version: 1\nversions_dir: versions\nenums:\n  length: {labels}\n  digit: [1, 2]\ntables:\n  play:\n    columns:\n      \
         kind: {{type: length{column}}}\n      untyped: digit\n"
    )
}

struct Mapped {
    way: Way,
}

impl Mapped {
    async fn new(source: &str) -> Mapped {
        Mapped { way: Way::from_sql(source).await }
    }

    fn run(&self, verb: &str, yaml: &str, more: &[&str]) -> Outcome {
        self.way.place.write("types.yaml", yaml);
        self.way.run(verb, &[&["--mapping", "types.yaml"], more].concat())
    }

    fn migrate(&self, arguments: &[&str], target: &str) -> Outcome {
        let all = [&["migrate"], arguments, &["--mapping", "types.yaml", "--target", target]].concat();
        self.way.place.mtm(&all)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_no_labels() {
    let on = Mapped::new(SOURCE).await;
    on.run("apply", &mapping("[short, long]", ""), &["--yes"]).ends_with(3).complains_of(&[
        "play.kind cannot be length in 3 rows: id=3 the text is no label of length; id=5",
        "Correct the rows",
    ]);
    let nulled = mapping("[short, long]", ", on_invalid: set_null");
    on.run("apply", &nulled, &["--yes"]).ends_with(0);
    on.way
        .holds(&[
            ("SELECT string_agg(coalesce(kind::text, '-'), ',' ORDER BY id) FROM play", "short,long,-,-,-,-"),
            ("SELECT string_agg(coalesce(untyped::text, '-'), ',' ORDER BY id) FROM play", "1,2,1,-,1,2"),
            ("SELECT pg_typeof(kind) FROM play LIMIT 1", "length"),
        ])
        .await;
    on.run("verify", &nulled, &[]).ends_with(0).says(&["Proven"]);
    // With a label that some of them are, NULL is no longer what the mapping says.
    on.run("plan", &mapping("[short, Short, long]", ", on_invalid: set_null"), &["--exit-code"])
        .ends_with(4)
        .says(&["type length: label Short, before long"]);

    let rejecting = Mapped::new(SOURCE).await;
    let rejected = mapping("[short, long]", ", on_invalid: reject");
    rejecting.run("apply", &rejected, &["--yes"]).ends_with(5);
    rejecting.way.holds(&[("SELECT string_agg(id::text, ',' ORDER BY id) FROM play", "1,2,4")]).await;
    rejecting.run("verify", &rejected, &[]).ends_with(0);
    let as_text = Mapped::new(SOURCE).await;
    as_text.run("apply", &mapping("[short, long]", ", on_invalid: text"), &["--yes"]).ends_with(0);
    as_text.way.holds(&[("SELECT count(*) FROM pg_type WHERE typname = 'length'", "0")]).await;
}

const CLEAN: &str = "CREATE TABLE play (id INTEGER PRIMARY KEY, kind TEXT DEFAULT 'short', untyped);
    INSERT INTO play VALUES (1, 'short', 1), (2, 'long', '2'), (4, NULL, NULL);";

/// The versions that a target has gone through make another one from nothing, and are replayed in scratch: though a label is
/// used by the version that adds it, and by later ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_history_of_labels_is_replayed() {
    let on = Mapped::new(CLEAN).await;
    let steps = [
        mapping("[short, long]", ""),
        mapping("[short, medium, long]", ", default: \"'medium'\", check: \"kind <> 'medium'\""),
        mapping("[long, medium, short]", ", default: \"'medium'\""),
        mapping("[long, 'it''s', medium, short, last]", ", default: \"'last'\", check: \"kind <> 'it''s'\""),
    ];
    let allowing = ["--yes", "--allow", ALL_HAZARDS];
    for yaml in &steps {
        on.run("apply", yaml, &allowing).ends_with(0);
        on.run("verify", yaml, &[]).ends_with(0);
        on.run("plan", yaml, &["--exit-code"]).ends_with(0).says(&["Nothing to do"]);
        same_schema_as_from_nothing(&on.way, yaml, yaml).await;
    }
    assert_eq!(versions(&on.way).len(), 4);
    let drift = ["plan", "--drift", "--target", &on.way.target.url, "--exit-code"];
    on.way.place.mtm(&drift).ends_with(0).says(&["No drift: 1 table as 4 versions made them."]);

    let second = Way { target: TestDatabase::new().await, ..on.way };
    let mapped = ["--mapping", "types.yaml"];
    // A type that is left of something else does no harm, but to a version that makes it.
    second.target.execute("CREATE TYPE length AS ENUM ('short', 'long')").await;
    second
        .run("plan", &mapped)
        .ends_with(3)
        .says(&["the target has a type named length already, which a pending version makes"]);
    second.target.execute("DROP TYPE length").await;
    second.run("plan", &mapped).ends_with(0).says(&["version"]);
    second.run("apply", &[&mapped[..], &["--yes"]].concat()).ends_with(0);
    second.run("verify", &mapped).ends_with(0).says(&["Proven"]);
    second.run("plan", &[&mapped[..], &["--exit-code"]].concat()).ends_with(0).says(&["Nothing to do"]);
}

/// A label that goes comes back with the version; a label that was added does not go.
#[tokio::test(flavor = "multi_thread")]
async fn the_way_back() {
    let on = Mapped::new(CLEAN).await;
    let labels = "SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = 'length'::regtype";
    on.run("apply", &mapping("[short, medium, long]", ""), &["--yes"]).ends_with(0);
    let allowing = ["--yes", "--allow", ALL_HAZARDS];
    on.run("apply", &mapping("[long, short]", ""), &allowing).ends_with(0);
    on.way.holds(&[(labels, "long,short")]).await;
    on.migrate(&["down", "--allow", ALL_HAZARDS], &on.way.target.url).ends_with(0);
    on.way
        .holds(&[
            (labels, "short,medium,long"),
            ("SELECT count(*) FROM pg_type WHERE typtype = 'e'", "2"),
            ("SELECT string_agg(coalesce(kind::text, '-'), ',' ORDER BY id) FROM play", "short,long,-"),
            ("SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'play'::regclass AND adnum = 2", "'short'::length"),
        ])
        .await;
    on.migrate(&["up", "--allow", ALL_HAZARDS], &on.way.target.url).ends_with(0);
    on.run("apply", &mapping("[long, short, longest]", ""), &allowing).ends_with(0);
    on.migrate(&["down", "--allow", ALL_HAZARDS], &on.way.target.url).ends_with(3);
}

/// What is done to a type by hand is drift, a difference of the proof, and makes a saved plan stale.
#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_was_altered_by_hand() {
    let on = Mapped::new(CLEAN).await;
    let yaml = mapping("[short, long]", "");
    on.run("apply", &yaml, &["--yes"]).ends_with(0);
    on.run("verify", &yaml, &["--certificate", "proof.md"]).ends_with(0);
    let indexed = format!("{yaml}    indexes:\n      - {{name: play_kind, columns: [kind]}}\n");
    on.run("plan", &indexed, &["--out", "plan.json"]).ends_with(0);
    on.way
        .target
        .execute("ALTER TYPE length ADD VALUE 'by hand'; CREATE TYPE of_somebody AS ENUM ('a')")
        .await;
    let drift = ["plan", "--drift", "--target", &on.way.target.url, "--exit-code"];
    on.way
        .place
        .mtm(&drift)
        .ends_with(2)
        .says(&["type length is ENUM ('short', 'long', 'by hand'); the versions say ENUM ('short', 'long')"]);
    on.run("apply", &indexed, &[]).ends_with(3);
    on.way
        .place
        .mtm(&["apply", "plan.json", "--target", &on.way.target.url, "--yes"])
        .ends_with(4)
        .complains_of(&["type length was ENUM ('short', 'long'), and is ENUM ('short', 'long', 'by hand')"]);
    let said = "type length: it is ENUM ('short', 'long', 'by hand'), and should be ENUM ('short', 'long')";
    on.run("verify", &yaml, &[]).ends_with(2).says(&[said]);
    let against = ["verify", "--against", "proof.md", "--target", &on.way.target.url];
    on.way.place.mtm(&against).ends_with(2).says(&[said]);
    // Somebody else's type stays, whatever goes.
    let plain = "version: 1\nversions_dir: versions\n";
    on.run("apply", plain, &["--yes", "--allow", ALL_HAZARDS]).ends_with(0);
    on.way
        .holds(&[("SELECT string_agg(typname, ',') FROM pg_type WHERE typtype = 'e'", "of_somebody")])
        .await;
}

/// A type that something beside the managed tables depends on is not made anew, and does not go.
#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_others_depend_on() {
    let on = Mapped::new(CLEAN).await;
    on.run("apply", &mapping("[short, medium, long]", ""), &["--yes"]).ends_with(0);
    on.way.target.execute("CREATE TABLE theirs (a length[], b text)").await;
    on.run("plan", &mapping("[short, long]", ""), &[]).ends_with(3).says(&[
        "its labels are 'short', 'medium', 'long', and should be 'short', 'long'",
        "column a of table theirs depends on it",
    ]);
    let plain = "version: 1\nversions_dir: versions\n";
    on.run("apply", plain, &["--yes", "--allow", ALL_HAZARDS]).ends_with(0);
    on.way.holds(&[("SELECT string_agg(typname, ',') FROM pg_type WHERE typtype = 'e'", "length")]).await;
}

/// Names that a schema shares between types and tables, and what is written down and not used.
#[tokio::test(flavor = "multi_thread")]
async fn names_and_needless_types() {
    let on = Mapped::new(CLEAN).await;
    on.run("plan", "version: 1\nenums: {play: [a]}\ntables: {play: {columns: {kind: text}}}\n", &[])
        .fails(1, &["2:9: `play` is the name of a table"]);
    on.run("apply", "version: 1\nenums: {idle: [a]}\n", &["--yes"]).ends_with(0);
    on.run("plan", "version: 1\nenums: {idle: [a]}\n", &["--exit-code"])
        .ends_with(0)
        .says(&["the enumerated type idle is not made: no column is of it"]);
    on.way.holds(&[("SELECT count(*) FROM pg_type WHERE typtype = 'e'", "0")]).await;
    // A ladder may have one as a rung.
    let ladder =
        "version: 1\nenums: {length: [short, long]}\nrules: [{affinity: text, to: [length, text, bytea]}]\n";
    on.way.place.write("types.yaml", ladder);
    on.way
        .place
        .mtm(&["mapping", "check", "types.yaml"])
        .ends_with(0)
        .says(&["1 enumerated type, 0 tables, 1 rule"]);
    let schema = ["schema", "--source", on.way.source.to_str().unwrap(), "--mapping", "types.yaml"];
    on.way
        .place
        .mtm(&schema)
        .ends_with(0)
        .says(&["CREATE TYPE length AS ENUM ('short', 'long');", "\"kind\" length"]);
}
